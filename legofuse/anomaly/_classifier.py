"""The anomaly classifier: read bags, fuse, fit heads, weigh them by held-out bags."""

from copy import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from .._compat import CallbackSupportMixin, check_sample_weight, with_callbacks
from .._progress import Stages
from .._threads import single_threaded_blas
from ..config import DocumentationLink
from ..terms import name_terms
from ._bags import canonical_bags, read_bags
from ._checks import (
    check_parameters,
    check_two_classes,
    choose_head,
    class_factors,
    may_train_bit_by_bit,
    one_column_each,
    random_generator,
    read_labels,
    threshold,
    warn_missing,
)
from ._linear import average_heads, average_weights, fit_linear
from ._net_fit import make_nets, pooled_beside, train_nets
from ._prepare import draw_references, make_fusion, prepare
from ._scores import BagScores

__all__ = ["LEGOAnomalyClassifier"]

_STAGES = ("read", "prepare", "fit heads")


class LEGOAnomalyClassifier(
    CallbackSupportMixin, BagScores, ClassifierMixin, DocumentationLink, BaseEstimator
):
    r"""Tell anomalous bags, and the units that make them so, from labels of bags alone.

    A bag (a video, a document, a molecule) holds units (clips, sentences, conformations) in
    several views and has one label. Units are related to reference units of the training bags
    view by view, the relations are fused by a polynomial in their entries,

    .. math:: G = \sum_a A_a \, R_1^{\circ a_1} \circ \dots \circ R_M^{\circ a_M},

    and linear heads score either units, a bag's score being the mean of its top k, or bags, by
    the largest relation of a bag's units to each reference. Logits z of units may spread over the
    fused graph of their own bag,

    .. math:: z' = (1 - \beta) z + \beta D^{-1} G_+ z.

    Which weights A, which heads and which share :math:`\beta` are used is decided by the log-loss
    of held-out training bags.

    Parameters
    ----------
    views : dict, list of (str, columns), int or None, default=None
        Which columns form which view, as in :class:`~legofuse.LEGOFusionTransformer`.
    relation : str or dict, default="auto"
        Similarity of units within a view, one of :data:`legofuse.relations.RELATIONS`, or one for
        each view. ``"auto"`` enters correlation and gaussian as two graphs of each view.
    degree : int, default=2
        Highest power.
    interactions : {"total", "additive", "pairwise", "separable"}, default="total"
        Which products of powers enter, see :func:`~legofuse.fusion.exponents`.
    expansion : {"elementwise", "hops"}, default="elementwise"
        Entry-wise powers, or matrix powers of the normalised graphs, which need all distinct
        training units as references.
    zeroth : {"ones", "identity"}, default="ones"
        What the zeroth power of a graph is. ``"identity"`` needs ``interactions`` pairwise or
        separable and all distinct training units as references.
    reference : {"auto", "landmarks", "both"}, default="auto"
        What units are related to: reference units of the training bags (``"landmarks"``), or
        these and one another (``"both"``): unit scores from the landmarks spread over the graph of
        the bag. ``"auto"`` lets them spread where that improves the log-loss of held-out bags by
        a nat in all.
    time_view : str, default=None
        Name of a view that holds positions in time, used (by a Gaussian) in the graph of the bag
        only.
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
    n_ensemble : int, default=1
        Number of members, each with references of its own, whose logits are averaged.
    contamination : float or None, default=None
        Share of training bags that :meth:`predict` calls anomalous; None calls those anomalous
        whose probability is above 0.5.
    pos_label : int, str or None, default=None
        The anomalous class; None is ``classes_[1]``.
    random_state : int, RandomState or None, default=None
        Chooses references and folds.
    verbose : int, default=0
        Above 0 a line is printed for each stage of the fit, and one for each head with its
        held-out log-loss and its weight. Progress bars are scikit-learn's (from 1.9 on):
        ``set_callbacks(sklearn.callback.ProgressBar())``.

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
    view_importances_ : dict of str to float
        Each view's share of the centred norm of the fused graph of landmarks, by ``weights_``;
        they add up to 1.
    heads_ : dict of str to float
        Weight of each head that was fitted on all bags, with the share that spreads.
    held_out_losses_ : dict of str to float
        Log-loss on held-out bags of each head tried; empty where a class has a single bag.
    pooling_ : {"units", "relations", "both"}
        What the heads with a weight pool.
    reference_ : {"landmarks", "both"}
        Whether scores spread over the graph of the bag.
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

    Files of ``skops.io`` hold a fitted classifier without pickles; the types to trust are
    ``legofuse.anomaly.LEGOAnomalyClassifier``, ``legofuse.anomaly._linear.LinearMember``,
    ``legofuse.anomaly._fusion.UnitFusion`` and ``legofuse.fused.FusedGraph``.

    Still to come: the graph of the bag alone, heads trained by gradient descent with a
    degree-variance penalty, ``partial_fit``, and several domains.

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
        expansion="elementwise",
        zeroth="ones",
        reference="auto",
        time_view=None,
        n_references=128,
        n_units=32,
        pooling="auto",
        head="auto",
        hidden_units=32,
        top_k=3,
        pair_sampling=False,
        degree_variance=0.0,
        degree_threshold=0.5,
        degree_top_k=3,
        max_epochs=40,
        lr=2e-3,
        weight_decay=1e-3,
        batch_size=64,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_ensemble=1,
        contamination=None,
        pos_label=None,
        device="auto",
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.views = views
        self.relation = relation
        self.degree = degree
        self.interactions = interactions
        self.expansion = expansion
        self.zeroth = zeroth
        self.reference = reference
        self.time_view = time_view
        self.n_references = n_references
        self.n_units = n_units
        self.pooling = pooling
        self.head = head
        self.hidden_units = hidden_units
        self.top_k = top_k
        self.pair_sampling = pair_sampling
        self.degree_variance = degree_variance
        self.degree_threshold = degree_threshold
        self.degree_top_k = degree_top_k
        self.max_epochs = max_epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_ensemble = n_ensemble
        self.contamination = contamination
        self.pos_label = pos_label
        self.device = device
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
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
            Weight of each bag; weight 2 is the bag twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, the views, the bags, labels or weights are not usable; nothing is
            fitted then.
        """
        return self._guarded(X, y, sample_weight)

    @available_if(may_train_bit_by_bit)
    @with_callbacks
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train the net on further bags, for one epoch.

        The first call also decides, from the bags it is given, on statistics and references
        (landmarks, by ``reference="auto"``). There is no such method where the parameters ask for
        what is no net alone, such as linear heads.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; y may hold one of the classes.
        classes : array-like of shape (2,), optional
            Needed in the first call where y holds one of them.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As :meth:`fit`.
        """
        return self._guarded(X, y, sample_weight, classes, bit_by_bit=True)

    def _guarded(self, X, y, sample_weight, classes=None, bit_by_bit=False):
        """Fit; after an error, or Ctrl-C, all is as it was."""
        context = self._init_callback_context(max_subtasks=len(_STAGES))
        before = dict(self.__dict__)
        try:
            context.call_on_fit_task_begin(estimator=self)
            progress = Stages(self, context, len(_STAGES))
            with single_threaded_blas():
                self._fit(X, y, sample_weight, progress, classes, bit_by_bit)
            context.call_on_fit_task_end(estimator=self)
            return self
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X, y, sample_weight, progress, classes, bit_by_bit):
        check_parameters(self)
        head = choose_head(self, bit_by_bit)
        goes_on = bit_by_bit or (head == "net" and self.warm_start)
        goes_on = goes_on and getattr(self, "_nets", 0) > 0
        reference = self.reference_ if goes_on else self.reference
        with progress.stage(_STAGES[0]):
            ordered = head == "net" and reference != "landmarks"
            bags, canonical = self._read_training(
                X, y, sample_weight, ordered, classes, goes_on, bit_by_bit
            )
            progress.note(
                f"{len(canonical.labels)} distinct of {len(bags.offsets) - 1} bags, "
                f"{len(canonical.rows)} units, {len(self.views_)} views"
            )
        rng = random_generator(self.random_state)
        with progress.stage(_STAGES[1]):
            prepared, note = None, "as before"
            if not goes_on:
                prepared = prepare(self, bags, canonical)
                note = f"{len(prepared.graphs)} graphs, {len(prepared.expansion.powers)} terms"
            progress.note(note)
        with progress.stage(_STAGES[2]):
            weight = canonical.weight * class_factors(
                self.class_weight,
                canonical.labels,
                canonical.weight,
                self.classes_,
                self.pos_label_,
            )
            masses = np.bincount(canonical.labels, weight, minlength=2)
            if bit_by_bit and goes_on:
                masses = masses + self._masses
            self._masses: Any = masses
            self.prior_ = float(self._masses[1] / self._masses.sum())
            if head == "net":
                self._fit_nets(bags, canonical, prepared, weight, rng, bit_by_bit)
            else:
                self._fit_linear(bags, canonical, prepared, weight, rng)
            progress.note(", ".join(f"{name} ({w:.2f})" for name, w in self.heads_.items()))
        self.offset_ = 0.0
        if self.contamination is not None:
            fitted = self._logits(bags.X[canonical.rows], canonical.offsets)
            self.offset_ = threshold(fitted, canonical.weight, self.contamination)

    def _read_training(self, X, y, sample_weight, ordered, classes, goes_on, bit_by_bit):
        """Checked bags, and the canonical ones; sets the classes and the views."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        time_view = self._time_view if goes_on else self.time_view
        bags = read_bags(self, X, len(y), time_view=time_view, reset=not goes_on)
        positive = self.pos_label_ if goes_on else self.pos_label
        known = self.classes_ if goes_on and classes is None else classes
        is_table = getattr(X, "ndim", None) == 2
        labels, known, positive = read_labels(y, known, positive, is_table)
        if goes_on and not np.array_equal(known, self.classes_):
            raise ValueError(
                f"classes={known.tolist()} differ from those seen before, {self.classes_.tolist()}."
            )
        self.classes_, self.pos_label_ = known, positive
        weight = check_sample_weight(sample_weight, y, dtype=np.float64)
        warn_missing(bags, "left out of the fit")
        self.views_, self._time_view = bags.views, time_view
        canonical = canonical_bags(bags.X, bags.offsets, labels, weight, ordered)
        check_two_classes(canonical.labels, self.classes_, at_least=1 if bit_by_bit else 2)
        return bags, canonical

    def _fit_linear(self, bags, canonical, prepared, weight, rng):
        """Members of the ensemble, each with references of its own."""
        several = len(canonical.rows) > len(canonical.labels)
        own = self.reference == "both" or (self.reference == "auto" and several)
        self._members, trials = [], []
        for _ in range(self.n_ensemble):
            chosen = draw_references(prepared, bags.X, self.n_references, rng)
            fusion, ids = make_fusion(prepared, bags, chosen, own)
            member, trial = fit_linear(
                fusion,
                ids,
                bags.X[canonical.rows],
                canonical,
                weight,
                pooling=self.pooling,
                top_k=self.top_k,
                reference=self.reference,
                seed=rng.randint(np.iinfo(np.int32).max),
            )
            self._members.append(member)
            trials.append(trial)
        self._nets = 0
        self.__dict__.pop("history_", None)
        self._tell(trials)
        self.heads_, self.held_out_losses_ = average_heads(trials)
        kept = [head for member in self._members for head, _, _ in member.heads]
        kinds = {head.kind for head in kept}
        self.pooling_ = "both" if len(kinds) > 1 else kinds.pop()
        spreads = self.reference == "both" or any(head.share for head in kept)
        self.reference_ = "both" if spreads else "landmarks"
        self.graphs_, self.powers_ = prepared.graphs, prepared.expansion.powers
        self.n_iter_ = max(1, *(head.n_iter for head in kept))
        self._set_weights(average_weights(prepared.weights, trials))

    def _fit_nets(self, bags, canonical, prepared, weight, rng, bit_by_bit):
        """Nets (new ones, or those that go on), and pooled relations beside them if wanted."""
        X = bags.X[canonical.rows]
        if prepared is None:
            nets, losses = [copy(net) for net in self._members[: self._nets]], None
        else:
            tried = None if bit_by_bit else weight
            nets, losses = make_nets(self, bags, canonical, prepared, tried, rng)
        train_nets(self, nets, X, canonical, weight, rng, epochs=1 if bit_by_bit else None)
        self._members, self._nets = list(nets), len(nets)
        self.heads_, self.pooling_ = {"net": 1.0}, "units"
        if losses is not None:
            self.held_out_losses_ = {f"net, {name}": loss for name, loss in losses.items()}
        if self.pooling == "both":
            pooled, trials = pooled_beside(self, nets, X, canonical, weight, rng)
            self._members += pooled
            self._tell(trials)
            heads, losses = average_heads(trials)
            self.heads_ = {"net": 0.5, **{name: share / 2 for name, share in heads.items()}}
            self.held_out_losses_ |= losses
            self.pooling_ = "both"
        first = nets[0]
        self.reference_, self.history_ = first.reference, first.history
        self.graphs_, self.powers_ = first.graphs, first.expansion.powers
        self.n_iter_ = len(self.history_)
        self._set_weights(np.mean([net.weights for net in nets], axis=0))

    def _set_weights(self, weights):
        self.terms_, self.weights_ = name_terms(self.graphs_, self.powers_), weights
        self.view_importances_ = self._members[0].importances(weights)

    def _tell(self, trials):
        """Print what held-out bags say of the heads."""
        if not self.verbose:
            return
        for trial in trials:
            for head, share in zip(trial.heads, trial.shares, strict=True):
                loss = trial.losses.get(str(head), np.nan)
                print(f"{head}: held-out log-loss {loss:.3f}, weight {share:.2f}")

    @property
    def net_(self):
        """The trained skorch net (of the first member), made anew from arrays."""
        if not getattr(self, "_nets", 0):
            raise AttributeError(
                f"This {type(self).__name__} has no net_: no net was trained. Use head='net', or a "
                "parameter that needs a net, and fit."
            )
        return self._members[0].net()

    def __sklearn_is_fitted__(self):
        return hasattr(self, "weights_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = one_column_each(self.views)
        return tags
