"""Labels, relations and thresholds: what the classifier checks and looks up."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets

from .._compat import stack_level
from .._labels import DROP, are_times, is_missing, missing_labels, refuse_masked
from .._validation import (
    check_choice,
    check_device,
    check_flag,
    check_number,
    check_verbose,
    check_zeroth,
)
from ..fusion import INTERACTIONS
from ..graphs import list_graphs

_LARGEST_LR = 1e30  # steps beyond it are no numbers of single precision
# fmt: off
_NORMAL_WORDS = {
    "normal", "inlier", "ok", "good", "benign", "healthy", "legit", "legitimate", "genuine", "pass",
    "passed", "nominal", "regular", "clean", "safe", "real", "control", "none", "absent", "inliers",
    "negative", "neg", "no", "false", "0",
}
_ANOMALOUS_WORDS = {
    "anomaly", "anomalous", "abnormal", "outlier", "novel", "novelty", "defect", "defective",
    "fault", "faulty", "fail", "failed", "broken", "bad", "attack", "fraud", "spam", "malicious",
    "malignant", "sick", "ill", "disease", "diseased", "fake", "case", "present", "anomalies",
    "outliers", "defects", "positive", "pos", "yes", "true", "1",
}
# fmt: on
_ENCODED = (
    " Where a tool of scikit-learn encoded them before (StackingClassifier, VotingClassifier, "
    "cross_val_predict of probabilities), give it y of 0 and 1 = anomalous, and no pos_label."
)


def check_parameters(estimator):
    """Check the parameters of the classifier, one by one and together."""
    owner = type(estimator).__name__
    choices = {
        "interactions": INTERACTIONS,
        "expansion": ("elementwise", "hops"),
        "zeroth": ("ones", "identity"),
        "reference": ("auto", "landmarks", "bag", "both"),
        "pooling": ("auto", "units", "relations", "both"),
        "head": ("auto", "linear", "net"),
    }
    for name, options in choices.items():
        check_choice(owner, name, getattr(estimator, name), options)
    counts = ("degree", "n_references", "n_ensemble", "n_units", "degree_top_k", "max_epochs")
    for name in (*counts, "batch_size"):
        check_number(owner, name, getattr(estimator, name), low=1)
    check_number(owner, "hidden_units", estimator.hidden_units, low=1, none=True)
    for name, high in {"degree_variance": None, "weight_decay": None, "lr": _LARGEST_LR}.items():
        check_number(owner, name, getattr(estimator, name), kind=Real, low=0, high=high)
    check_number(owner, "degree_threshold", estimator.degree_threshold, kind=Real)
    share = estimator.validation_fraction
    check_number(owner, "validation_fraction", share, kind=Real, low=0, high=1)
    if not 0 < share < 1:
        raise ValueError(
            f"The 'validation_fraction' parameter of {owner} must be above 0 and below 1; got "
            f"{share!r}."
        )
    for name in ("pair_sampling", "early_stopping", "warm_start"):
        check_flag(owner, name, getattr(estimator, name))
    k = estimator.top_k
    whole = isinstance(k, Integral)
    check_number(owner, "top_k", k, kind=Integral if whole else Real, low=1 if whole else None)
    if not whole and not 0 < k <= 1:
        raise ValueError(
            f"The 'top_k' parameter of {owner} must be an int of at least 1, or a fraction above 0 "
            f"and at most 1; got {k!r}."
        )
    check_number(
        owner, "contamination", estimator.contamination, kind=Real, low=0, high=1, none=True
    )
    check_verbose(owner, estimator.verbose)
    check_device(estimator.device)
    _check_callbacks(owner, estimator.callbacks)
    check_zeroth(estimator)


def _check_callbacks(owner, callbacks):
    """Raise unless these are callbacks of skorch, (name, callback) pairs or classes of them."""
    if callbacks is None:
        return
    listed = callbacks if isinstance(callbacks, list | tuple) else [None]
    for callback in listed:
        if isinstance(callback, tuple) and len(callback) == 2:
            callback = callback[1]
        if not hasattr(callback, "on_epoch_end"):
            raise TypeError(
                f"The 'callbacks' parameter of {owner} must be a list of skorch callbacks; got "
                f"{callbacks!r}. Those of scikit-learn are given to set_callbacks."
            )


def unfitted(callback):
    """A callback of skorch as it was before it was used, where it can be made again."""
    if isinstance(callback, tuple):
        return (callback[0], unfitted(callback[1]))
    try:
        return callback if isinstance(callback, type) else clone(callback)
    except Exception:  # a caller's class may refuse in any way
        return callback


def choose_head(estimator, bit_by_bit=False):
    """Whether linear heads are fitted or a net is trained, after a look at all parameters.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
    bit_by_bit : bool
        Whether ``partial_fit`` asks.

    Returns
    -------
    {"linear", "net"}

    Raises
    ------
    ValueError
        If what is asked for needs the other kind of head.
    """
    wishes = ["partial_fit"] * bit_by_bit
    wishes += [
        f"{name}=True"
        for name in ("pair_sampling", "early_stopping", "warm_start")
        if getattr(estimator, name)
    ]
    wishes += ["degree_variance above 0"] * bool(estimator.degree_variance)
    wishes += ["callbacks"] * (estimator.callbacks is not None)
    wishes += ["reference='bag'"] * (estimator.reference == "bag")
    head = estimator.head
    if head == "auto":
        head = "net" if wishes else "linear"
    if head == "linear" and wishes:
        raise ValueError(
            f"head='linear' trains no net, which {', '.join(wishes)} needs: use head='net'."
        )
    if head == "net" and estimator.pooling == "relations":
        why = f" ({', '.join(wishes)})" if wishes else ""
        raise ValueError(
            f"A net{why} scores units, so that it cannot pool relations: use pooling='units', or "
            "'both' for the mean of the net and of linear heads on pooled relations."
        )
    if bit_by_bit:
        _check_bit_by_bit(estimator)
    return head


def _check_bit_by_bit(estimator):
    if estimator.pooling == "both":
        raise ValueError("partial_fit trains a net alone: use pooling='units', or fit.")
    if estimator.early_stopping:
        raise ValueError("partial_fit takes one pass over what it is given: no early_stopping.")
    if isinstance(estimator.class_weight, str):
        raise ValueError(
            "class_weight='balanced' is not known bit by bit: give partial_fit a dict."
        )


def may_train_bit_by_bit(estimator):
    """True, or an AttributeError that says why not."""
    try:
        return bool(choose_head(estimator, bit_by_bit=True))
    except ValueError as error:
        raise AttributeError(str(error)) from error


def check_label_each(y):
    """Raise where y holds several labels for a bag, such as those of its units, or masked ones."""
    refuse_masked(y, "y", DROP)
    try:
        found = np.asarray(y)
    except ValueError:
        what = "sequences of unequal lengths"
    else:
        sized = found.dtype.kind == "O" and found.ndim == 1
        several = sized and any(isinstance(label, list | tuple | np.ndarray) for label in found)
        if found.shape[1:] in ((), (1,)) and not several:
            return
        what = "sequences of labels" if several else f"an array of shape {found.shape}"
    raise ValueError(
        f"y should be a 1d array, one label for each bag, got {what}. Where it holds labels of "
        "units, `[max(labels) for labels in y]`, for instance, makes labels of bags."
    )


def read_labels(y, classes, pos_label, is_table, bit_by_bit=False):
    """Labels as 0 and 1 for anomalous.

    Parameters
    ----------
    y : ndarray of shape (n_bags,)
    classes : ndarray of shape (2,) or None
        Where they are known before; None is those of y.
    pos_label : label or None
    is_table : bool
        Whether bags are the rows of a table.
    bit_by_bit : bool
        Whether ``partial_fit`` asks, whose first bags may be of one class.

    Returns
    -------
    labels : ndarray of shape (n_bags,), int
    classes : ndarray of shape (2,)
    positive : label

    Raises
    ------
    ValueError
        If there are not two classes, or it cannot be told which is the anomalous one.
    """
    _check_types(y)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    found = np.unique(y)
    if classes is None:
        classes = found
    else:
        classes = np.unique(classes)
        unknown = [label for label in found.tolist() if label not in classes.tolist()]
        if unknown:
            raise ValueError(f"y holds {unknown}, not among the classes {classes.tolist()}.")
    if len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass: there "
            f"are {len(classes)} classes."
        )
    if len(classes) < 2:
        hint = ": give both as `classes` in the first call of partial_fit" if bit_by_bit else ""
        raise ValueError(f"y must have two classes; got 1 class, {classes.tolist()}{hint}.")
    positive = pos_label
    if positive is None:
        positive = default_positive(classes, is_table)
    elif (
        isinstance(positive, np.ndarray) or is_missing(positive) or positive not in classes.tolist()
    ):
        labels = classes.tolist()
        hint = _ENCODED if labels == [0, 1] and isinstance(positive, str) else ""
        raise ValueError(f"pos_label={positive!r} is not one of the labels {labels}.{hint}")
    return (y == positive).astype(np.int64), classes, positive


def _check_types(y):
    """Raise where labels are objects that cannot be told apart by type, as all of them should."""
    missing = missing_labels(y)
    if missing.any():
        raise ValueError(
            f"y has missing labels (NaN or None; first: bag {missing.argmax()}): drop these bags."
        )
    if are_times(y):
        raise ValueError(
            f"y holds dates or times (first: {y[0]}), not labels of bags: give each bag one of two "
            "classes, such as 0, or 1 where it is anomalous. Dates of units may be a view of X, as "
            "numbers."
        )
    if y.dtype.kind != "O" or all(isinstance(label, str) for label in y):
        return
    kinds = sorted({type(label).__name__ for label in y})
    if len(kinds) > 1:
        raise ValueError(f"Unknown label type: y mixes {', '.join(kinds)}: use one type.")
    if isinstance(y[0], Real):
        raise ValueError(
            f"Unknown label type: y holds objects of type {kinds[0]}; use `y.astype({kinds[0]!r})`."
        )


def class_factors(class_weight, labels, weight, classes, positive):
    """Class weight of each bag."""
    negative = classes[classes != positive][0]
    if class_weight is None:
        return np.ones(len(labels))
    if isinstance(class_weight, str):
        check_choice("LEGOAnomalyClassifier", "class_weight", class_weight, ("balanced",))
        sums = np.bincount(labels, weights=weight, minlength=2)
        return (weight.sum() / (2 * sums))[labels]
    if not isinstance(class_weight, dict):
        raise ValueError(
            "The 'class_weight' parameter must be a dict, 'balanced' or None; got "
            f"{class_weight!r}."
        )
    unknown = [c for c in class_weight if c not in classes.tolist()]
    lacks = not {negative, positive} <= class_weight.keys()
    if unknown and lacks:  # as in scikit-learn, more than all classes may be named
        raise ValueError(f"class_weight names {unknown}, not among the classes {classes.tolist()}.")
    given = [class_weight.get(c, 1.0) for c in (negative, positive)]
    factors = np.array([w if isinstance(w, Real) else np.nan for w in given], dtype=float)
    if not (np.isfinite(factors) & (factors > 0)).all():
        raise ValueError(f"class_weight must hold positive numbers; got {class_weight}.")
    return factors[labels]


def warn_missing(bags, what):
    """Count the units without any view in a warning."""
    count = int(np.count_nonzero(~bags.has_view))
    if count:
        message = f"{count} unit(s) miss every view (all NaN) and were {what}."
        warnings.warn(message, UserWarning, stacklevel=stack_level())


def list_unit_graphs(views, relation):
    """One graph for each view and relation; "auto" is correlation and gaussian."""
    if callable(relation) or (isinstance(relation, dict) and any(map(callable, relation.values()))):
        raise ValueError("relation must be the name of a relation or a dict of names, no callable.")
    given = dict(relation) if isinstance(relation, dict) else dict.fromkeys(views, relation)
    auto = {view for view, name in given.items() if isinstance(name, str) and name == "auto"}
    graphs = list_graphs(views, given)
    if not auto:
        return graphs
    return [
        graph
        for view in views
        for graph in (
            [(view, "correlation"), (view, "gaussian")]
            if view in auto
            else [pair for pair in graphs if pair[0] == view]
        )
    ]


def default_positive(classes, is_table):
    """The anomalous class where none is named: the second, unless that is likely wrong."""
    pair = classes.tolist()
    if isinstance(pair[1], str):
        _check_words(pair, is_table)
    if pair == [-1, 1]:
        message = (
            "Which class is anomalous? Labels -1 and 1 are used both ways (outlier detectors of "
            "scikit-learn call anomalies -1): set pos_label."
        )
        if not is_table:
            raise ValueError(message)
        warnings.warn(f"{message} Here it is taken to be 1.", UserWarning, stacklevel=stack_level())
    return pair[1]


def _check_words(pair, is_table):
    """Raise if the second label is likely normal; warn where bags have labels of unknown sense."""
    kinds = [
        -1 if word in _NORMAL_WORDS else int(word in _ANOMALOUS_WORDS)
        for word in (label.lower().strip(" ._-") for label in pair)
    ]
    if kinds[0] > kinds[1]:
        message = (
            f"Which class is anomalous? With labels {pair} it would be {pair[1]!r}: set pos_label, "
            f"for instance pos_label={pair[0]!r}."
        )
        if not is_table:
            raise ValueError(message)
        warnings.warn(message, UserWarning, stacklevel=stack_level())
    elif kinds[0] == kinds[1] and not is_table:
        warnings.warn(
            f"Which class is anomalous? Of the labels {pair} it is taken to be {pair[1]!r}, the "
            "last in order: say it by pos_label.",
            UserWarning,
            stacklevel=stack_level(),
        )


def check_two_classes(labels, classes, at_least=2):
    """Raise unless there are bags of so many classes."""
    present = np.unique(labels)
    if len(present) < at_least:
        raise ValueError(
            f"Both classes {classes.tolist()} need a bag of positive weight with a unit that has "
            f"a view; only {len(present)} class has one."
        )


def threshold(logits, weight, share, margin):
    """Logit above which the given share of the bags (by weight) lies.

    Logits that differ by less than a margin are alike: which of such bags is higher, rounding says.
    Where the share would part them, none of them lies above.
    """
    order = np.argsort(-logits, kind="stable")
    above = np.cumsum(weight[order]) <= share * weight.sum() * (1 + 1e-12)
    n = int(np.count_nonzero(above))
    values = logits[order]
    if n == len(values):
        return float(values[-1] - margin)
    while n and values[n - 1] - values[n] < margin:
        n -= 1
    return float(values[n - 1 : n + 1].mean()) if n else float(values[0] + margin)
