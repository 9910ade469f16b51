"""The anomaly classifier: read bags, fuse, fit heads, weigh them by held-out bags."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from .._compat import check_sample_weight
from .._threads import single_threaded_blas
from .._validation import check_choice, check_number
from ..config import DocumentationLink
from ..graphs import learn_statistics
from ..terms import list_terms, name_terms
from ._bags import canonical_bags, read_bags
from ._checks import (
    check_two_classes,
    default_positive,
    list_unit_graphs,
    one_column_each,
    threshold,
)
from ._fusion import UnitFusion, candidate_weights
from ._heads import PooledHead, UnitHead
from ._parts import assemble, places, unit_parts
from ._stack import calibrate, held_out_logits, weigh

__all__ = ["LEGOAnomalyClassifier"]

_POOLED_REFERENCES = 8  # pooled relations are taken to so many times n_references


class LEGOAnomalyClassifier(ClassifierMixin, DocumentationLink, BaseEstimator):
    r"""Tell anomalous bags, and the units that make them so, from labels of bags alone.

    A bag (a video, a document, a molecule) holds units (clips, sentences, conformations) in
    several views and has one label. Units are related to reference units of the training bags
    view by view, the relations are fused by a polynomial in their entries,

    .. math:: G = \sum_a A_a \, R_1^{\circ a_1} \circ \dots \circ R_M^{\circ a_M},

    and linear heads score either units, a bag's score being the mean of its top k, or bags, by
    the largest relation of a bag's units to each reference. Which weights A and which heads are
    used is decided by the log-loss of held-out training bags.

    Parameters
    ----------
    views : dict, list of (str, columns), int or None, default=None
        Which columns form which view, as in :class:`~legofuse.LEGOFusionTransformer`.
    relation : str or dict, default="auto"
        Similarity of units within a view, one of :data:`legofuse.relations.RELATIONS`, or one for
        each view. ``"auto"`` enters correlation and gaussian as two graphs of each view.
    degree : int, default=2
        Highest power.
    interactions : {"total", "additive", "pairwise"}, default="total"
        Which products of powers enter, see :func:`~legofuse.fusion.exponents`.
    n_references : int, default=128
        Number of training units that unit scores are linear in relations to. Pooled relations
        are taken to eight times as many.
    pooling : {"auto", "units", "relations", "both"}, default="auto"
        Score units, then pool the top k; or pool relations, then score the bag; or average both.
        ``"auto"`` weighs all by the log-loss of held-out bags.
    top_k : int or float, default=3
        Number of units, or fraction of a bag's units, that a bag's score is the mean of. Unless
        it is 1, ``pooling="auto"`` tries the single largest unit score as well.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    contamination : float or None, default=None
        Share of training bags that :meth:`predict` calls anomalous; None calls those anomalous
        whose probability is above 0.5.
    pos_label : int, str or None, default=None
        The anomalous class; None is ``classes_[1]``.
    random_state : int, RandomState or None, default=None
        Chooses references and folds.
    verbose : int, default=0
        Print the held-out log-loss and the weight of each head.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    pos_label_ : object
        The anomalous class.
    views_ : dict of str to ndarray
        Column indices of each view.
    graphs_ : list of (str, str)
        View and relation of each graph.
    powers_ : ndarray of shape (n_terms, n_graphs)
        Exponents of each term.
    terms_ : list of str
        Readable names of the terms.
    weights_ : ndarray of shape (n_terms,)
        Weights A of the terms, those of the heads averaged; they add up to 1.
    heads_ : dict of str to float
        Weight of each head that was fitted on all bags.
    held_out_losses_ : dict of str to float
        Log-loss on held-out bags of each head tried; empty where a class has a single bag.
    pooling_ : {"units", "relations", "both"}
        What the heads with a weight pool.
    offset_ : float
        Subtracted from logits by :meth:`decision_function`; 0 unless ``contamination`` is set.
    prior_ : float
        Share of anomalous bags, the probability of what misses every view.
    n_iter_ : int
        Largest number of iterations of a head.
    n_features_in_ : int
        Number of columns of a unit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where bags are frames.

    See Also
    --------
    legofuse.LEGOFusionTransformer : Fuses views of samples with labels of their own.
    legofuse.bags.to_bags : Cuts a long table into bags.

    Notes
    -----
    Fitting is exact in ``sample_weight``: a bag of weight 2 gives the same result as the bag
    repeated; the order of bags and of the units in a bag does not matter. The weights A that
    compete are label-free: all terms alike, those of one relation, those of one view.

    Still to come: the graph of the bag itself and position in time (``reference``,
    ``time_view``), heads trained by gradient descent with a degree-variance penalty, ensembles,
    ``partial_fit``, and several domains.

    References
    ----------
    "Learnable Expansion of Graph Operators for Multi-Modal Feature Fusion", ICLR 2025,
    arXiv:2410.01506.

    Chen, Bi and Wang, "MILES: Multiple-Instance Learning via Embedded Instance Selection",
    TPAMI 2006, for pooled relations.

    Examples
    --------
    >>> from legofuse import LEGOAnomalyClassifier
    >>> from legofuse.datasets import make_digit_bags
    >>> data = make_digit_bags(n_bags=60, units_per_bag=5, random_state=0)
    >>> views = {name: data.views[name] for name in ("pixels", "gradients")}
    >>> model = LEGOAnomalyClassifier(views, n_references=40, random_state=0)
    >>> model = model.fit(data.bags[:40], data.y[:40])
    >>> bool(model.score(data.bags[40:], data.y[40:]) > 0.8)
    True
    >>> [len(scores) for scores in model.score_units(data.bags[:2])]
    [5, 5]
    """

    def __init__(
        self,
        views=None,
        *,
        relation="auto",
        degree=2,
        interactions="total",
        n_references=128,
        pooling="auto",
        top_k=3,
        class_weight=None,
        contamination=None,
        pos_label=None,
        random_state=None,
        verbose=0,
    ):
        self.views = views
        self.relation = relation
        self.degree = degree
        self.interactions = interactions
        self.n_references = n_references
        self.pooling = pooling
        self.top_k = top_k
        self.class_weight = class_weight
        self.contamination = contamination
        self.pos_label = pos_label
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None):
        """Fit heads on labelled bags.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags; trailing all-NaN units of a 3-D array are padding; each row of a 2-D array is
            a bag of one unit.
        y : array-like of shape (n_bags,)
            Two classes.
        sample_weight : array-like of shape (n_bags,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, the views, the bags, labels or weights are not usable; nothing is
            fitted then.
        """
        before = dict(self.__dict__)
        try:
            with single_threaded_blas():
                return self._fit(X, y, sample_weight)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X, y, sample_weight):
        self._check_parameters()
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        bags = read_bags(self, X, len(y), reset=True)
        labels = self._read_labels(y, is_table=getattr(X, "ndim", None) == 2)
        weight = check_sample_weight(sample_weight, y, dtype=np.float64)
        _warn_missing(bags, "left out of the fit")
        bags_of = canonical_bags(bags.X, bags.offsets, labels, weight)
        check_two_classes(bags_of.labels, self.classes_)
        self._prepare(bags, bags_of)
        self._fit_heads(bags, bags_of)
        return self

    def _check_parameters(self):
        owner = type(self).__name__
        check_choice(owner, "interactions", self.interactions, ("total", "additive", "pairwise"))
        check_choice(owner, "pooling", self.pooling, ("auto", "units", "relations", "both"))
        check_number(owner, "degree", self.degree, low=1)
        check_number(owner, "n_references", self.n_references, low=1)
        if isinstance(self.top_k, Integral):
            check_number(owner, "top_k", self.top_k, low=1)
        else:
            check_number(owner, "top_k", self.top_k, kind=Real, low=0, high=1)
            if self.top_k == 0:
                raise ValueError(
                    f"The 'top_k' parameter of {owner} must be an int of at least 1, or a "
                    "fraction above 0 and at most 1; got 0.0."
                )
        check_number(
            owner, "contamination", self.contamination, kind=Real, low=0, high=1, none=True
        )

    def _read_labels(self, y, is_table):
        """Labels as 0 and 1 for anomalous; sets ``classes_`` and ``pos_label_``."""
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        classes = np.unique(y)
        if len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}: y has {len(classes)} classes."
            )
        if len(classes) < 2:
            raise ValueError(f"y must have two classes; got 1 class, {classes.tolist()}.")
        positive = self.pos_label
        if positive is None:
            positive = default_positive(classes, is_table)
        elif positive not in classes.tolist():
            raise ValueError(f"pos_label={positive!r} is not one of the labels {classes.tolist()}.")
        self.classes_, self.pos_label_ = classes, positive
        return (y == positive).astype(np.int64)

    def _prepare(self, bags, canonical):
        """Graphs, terms, references: all that needs no labels."""
        self.views_ = bags.views
        self.graphs_ = list_unit_graphs(self.views_, self.relation)
        self.powers_ = list_terms(len(self.graphs_), self.degree, self.interactions).powers
        self.terms_ = name_terms(self.graphs_, self.powers_)
        rows = canonical.rows
        unit_weight = np.repeat(canonical.weight, np.diff(canonical.offsets))
        for view, index in bags.columns.items():
            if np.isnan(bags.X[rows, index[0]]).all():
                raise ValueError(
                    f"View {view!r} is missing (all NaN) in every training unit: leave it out of "
                    "views, or give units that have it."
                )
        learned = learn_statistics(bags.X, bags.columns, rows, unit_weight)
        rng = check_random_state(self.random_state)
        pools = [self.n_references, _POOLED_REFERENCES * self.n_references]
        chosen = [_sample(canonical.distinct, n, rng) for n in pools]
        self._reference_places = [places(rows, bags) for rows in chosen]
        self._seed = rng.randint(np.iinfo(np.int32).max)
        self._fusion = UnitFusion(
            bags.columns,
            self.graphs_,
            self.powers_,
            learned,
            candidate_weights(self.graphs_, self.powers_),
            *(bags.X[where] for where in chosen),
        )

    def _fit_heads(self, bags, canonical):
        """Try heads on held-out bags, fit those that get a weight on all."""
        offsets, labels = canonical.offsets, canonical.labels
        weight = canonical.weight * self._class_factors(labels, canonical.weight)
        self.prior_ = float(np.average(labels, weights=weight))
        heads = self._list_heads()
        wanted = list({(head.name, head.kind): None for head in heads})
        features = self._fusion.features(bags.X[canonical.rows], offsets, wanted)
        logits = held_out_logits(heads, features, offsets, labels, weight, self._seed)
        if logits is None:
            scales = [(1.0, 0.0, 0.0)] * len(heads)
        else:
            scales = [calibrate(row, labels, weight) for row in logits]
        losses = np.array([loss for _, _, loss in scales])
        shares = self._share_out(heads, losses, canonical.weight.sum())
        names = [_describe(head) for head in heads]
        self.held_out_losses_ = (
            {} if logits is None else dict(zip(names, losses.tolist(), strict=True))
        )
        self._heads = []
        for head, share, (slope, shift, loss) in zip(heads, shares, scales, strict=True):
            if self.verbose:
                print(f"{_describe(head)}: held-out log-loss {loss:.3f}, weight {share:.2f}")
            if share == 0:
                continue
            values = features[head.name, head.kind]
            head.fit(values, offsets, labels, weight)
            self._heads.append((head, share * slope, share * shift))
        self.heads_ = {n: float(s) for n, s in zip(names, shares, strict=True) if s > 0}
        kinds = {head.kind for head, _, _ in self._heads}
        self.pooling_ = "both" if len(kinds) > 1 else kinds.pop()
        self.weights_ = sum(
            share * self._fusion.weights[head.name]
            for head, share in zip(heads, shares, strict=True)
        )
        self.n_iter_ = max(1, *(head.n_iter for head, _, _ in self._heads))
        self.offset_ = 0.0
        if self.contamination is not None:
            fitted = self._logits(bags.X[canonical.rows], offsets)
            self.offset_ = threshold(fitted, canonical.weight, self.contamination)

    def _list_heads(self):
        ks = list(dict.fromkeys([self.top_k, *([1] if self.pooling == "auto" else [])]))
        names = list(self._fusion.weights)
        heads: list = []
        if self.pooling != "relations":
            heads += [UnitHead(name, k) for name in names for k in ks]
        if self.pooling != "units":
            heads += [PooledHead(name) for name in names]
        return heads

    def _share_out(self, heads, losses, n_bags):
        """Weight of each head: by loss, except that "both" kinds get half each."""
        if self.pooling != "both":
            return weigh(losses, n_bags)
        shares = np.zeros(len(heads))
        for kind in ("units", "relations"):
            where = [k for k, head in enumerate(heads) if head.kind == kind]
            shares[where] = weigh(losses[where], n_bags) / 2
        return shares

    def _class_factors(self, labels, weight):
        """Class weight of each bag."""
        negative = self.classes_[self.classes_ != self.pos_label_][0]
        if self.class_weight is None:
            return np.ones(len(labels))
        if isinstance(self.class_weight, str):
            check_choice(type(self).__name__, "class_weight", self.class_weight, ("balanced",))
            sums = np.bincount(labels, weights=weight, minlength=2)
            return (weight.sum() / (2 * sums))[labels]
        if not isinstance(self.class_weight, dict):
            raise ValueError(
                "The 'class_weight' parameter must be a dict, 'balanced' or None; got "
                f"{self.class_weight!r}."
            )
        unknown = [c for c in self.class_weight if c not in self.classes_.tolist()]
        if unknown:
            raise ValueError(
                f"class_weight names {unknown}, not among the classes {self.classes_.tolist()}."
            )
        factors = np.array(
            [self.class_weight.get(c, 1.0) for c in (negative, self.pos_label_)], dtype=float
        )
        if not (np.isfinite(factors) & (factors > 0)).all():
            raise ValueError(f"class_weight must hold positive numbers; got {self.class_weight}.")
        return factors[labels]

    def _logits(self, X, offsets):
        """Calibrated logit of anomaly of each bag; that of the prior for empty ones."""
        out = np.full(len(offsets) - 1, logit(np.clip(self.prior_, 1e-12, 1 - 1e-12)))
        full = np.diff(offsets) > 0
        ends = np.append(offsets[:-1][full], offsets[-1])
        if not full.any():
            return out
        wanted = list({(head.name, head.kind): None for head, _, _ in self._heads})
        features = self._fusion.features(X, ends, wanted)
        out[full] = sum(
            slope * head.bag_logits(features[head.name, head.kind], ends) + shift
            for head, slope, shift in self._heads
        )
        return out

    def _bag_logits(self, X):
        check_is_fitted(self)
        bags = read_bags(self, X, reset=False)
        _warn_missing(bags, "not used; where a bag has no other, it gets the prior")
        with single_threaded_blas():
            return self._logits(bags.X, bags.offsets)

    def decision_function(self, X):
        """Logit of ``classes_[1]``, shifted so that :meth:`predict` is its sign.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_bags,)
            Larger is more anomalous, unless ``pos_label`` is ``classes_[0]``: then smaller is.
        """
        logits = self._bag_logits(X) - self.offset_
        return logits if self.pos_label_ == self.classes_[1] else -logits

    def predict_proba(self, X):
        """Probability of each class, not shifted by ``contamination``.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_bags, 2)
        """
        anomalous = expit(self._bag_logits(X))
        pair = [1 - anomalous, anomalous]
        return np.column_stack(pair if self.pos_label_ == self.classes_[1] else pair[::-1])

    def predict(self, X):
        """Class of each bag.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_bags,)
        """
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def score_units(self, X):
        """Score each unit by how anomalous a bag of it alone would be.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        list of ndarray of shape (n_units_i,)
            In [0, 1], larger is more anomalous; not calibrated, for labels of units are unknown.
            Padding gets no score, a unit that misses every view gets the prior.
        """
        check_is_fitted(self)
        bags = read_bags(self, X, reset=False)
        _warn_missing(bags, "given the prior")
        scores = np.full(len(bags.has_view), self.prior_)
        with single_threaded_blas():
            scores[bags.has_view] = expit(self._logits(bags.X, np.arange(len(bags.X) + 1)))
        return np.split(scores, bags.all_offsets[1:-1])

    def _unit_parts(self, X):
        """Logits of units as sums over references and views, for inspection; None if they are not.

        Returns
        -------
        references : ndarray of shape (n_references, 2)
            Bag and unit of each in the training data.
        parts : ndarray of shape (n_units, n_views, n_references)
        base : ndarray of shape (n_units,)
        """
        check_is_fitted(self)
        bags = read_bags(self, X, reset=False)
        found = unit_parts(self._fusion, self._heads, bags.X, bags.offsets)
        return None if found is None else assemble(found, bags, self._reference_places, self.prior_)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "weights_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = one_column_each(self.views)
        return tags


def _sample(candidates, n, rng):
    if len(candidates) <= n:
        return candidates
    return candidates[np.sort(rng.choice(len(candidates), n, replace=False))]


def _describe(head):
    if head.kind == "relations":
        return f"pooled relations, {head.name}"
    return f"top {head.k:g} units, {head.name}"


def _warn_missing(bags, what):
    count = int(np.count_nonzero(~bags.has_view))
    if count:
        warnings.warn(
            f"{count} unit(s) miss every view (all NaN) and were {what}.", UserWarning, stacklevel=5
        )
