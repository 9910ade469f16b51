"""The anomaly classifier: read bags, fuse, fit heads, weigh them by held-out bags."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import column_or_1d

from .._compat import CallbackSupportMixin, check_sample_weight, with_callbacks
from .._progress import Stages
from .._threads import single_threaded_blas
from ..config import DocumentationLink
from ..terms import name_terms
from ._bags import canonical_bags, read_bags
from ._checks import (
    check_parameters,
    check_two_classes,
    class_factors,
    one_column_each,
    random_generator,
    read_labels,
    threshold,
    warn_missing,
)
from ._linear import average_heads, average_weights, fit_linear
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
        pooling="auto",
        top_k=3,
        class_weight=None,
        n_ensemble=1,
        contamination=None,
        pos_label=None,
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
        self.pooling = pooling
        self.top_k = top_k
        self.class_weight = class_weight
        self.n_ensemble = n_ensemble
        self.contamination = contamination
        self.pos_label = pos_label
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
        context = self._init_callback_context(max_subtasks=len(_STAGES))
        before = dict(self.__dict__)
        try:
            context.call_on_fit_task_begin(estimator=self)
            with single_threaded_blas():
                self._fit(X, y, sample_weight, Stages(self, context, len(_STAGES)))
            context.call_on_fit_task_end(estimator=self)
            return self
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X, y, sample_weight, progress):
        check_parameters(self)
        with progress.stage(_STAGES[0]):
            bags, canonical = self._read_training(X, y, sample_weight)
            progress.note(
                f"{len(canonical.labels)} distinct of {len(bags.offsets) - 1} bags, "
                f"{len(canonical.rows)} units, {len(self.views_)} views"
            )
        rng = random_generator(self.random_state)
        with progress.stage(_STAGES[1]):
            prepared = prepare(self, bags, canonical)
            self.graphs_, self.powers_ = prepared.graphs, prepared.expansion.powers
            self.terms_ = name_terms(self.graphs_, self.powers_)
            progress.note(f"{len(self.graphs_)} graphs, {len(self.powers_)} terms")
        with progress.stage(_STAGES[2]):
            factors = class_factors(
                self.class_weight,
                canonical.labels,
                canonical.weight,
                self.classes_,
                self.pos_label_,
            )
            weight = canonical.weight * factors
            self.prior_ = float(np.average(canonical.labels, weights=weight))
            self._fit_linear(bags, canonical, prepared, weight, rng)
            progress.note(f"{len(self.heads_)} of {len(self.held_out_losses_) or 'all'}")
        self.offset_ = 0.0
        if self.contamination is not None:
            fitted = self._logits(bags.X[canonical.rows], canonical.offsets)
            self.offset_ = threshold(fitted, canonical.weight, self.contamination)

    def _read_training(self, X, y, sample_weight):
        """Checked bags, and the canonical ones; sets the classes and the views."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        bags = read_bags(self, X, len(y), time_view=self.time_view, reset=True)
        is_table = getattr(X, "ndim", None) == 2
        labels, self.classes_, self.pos_label_ = read_labels(y, None, self.pos_label, is_table)
        weight = check_sample_weight(sample_weight, y, dtype=np.float64)
        warn_missing(bags, "left out of the fit")
        self.views_, self._time_view = bags.views, self.time_view
        canonical = canonical_bags(bags.X, bags.offsets, labels, weight)
        check_two_classes(canonical.labels, self.classes_)
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
            if self.verbose:
                for head, share in zip(trial.heads, trial.shares, strict=True):
                    loss = trial.losses.get(str(head), np.nan)
                    print(f"{head}: held-out log-loss {loss:.3f}, weight {share:.2f}")
        self.heads_, self.held_out_losses_ = average_heads(trials)
        kept = [head for member in self._members for head, _, _ in member.heads]
        kinds = {head.kind for head in kept}
        self.pooling_ = "both" if len(kinds) > 1 else kinds.pop()
        spreads = self.reference == "both" or any(head.share for head in kept)
        self.reference_ = "both" if spreads else "landmarks"
        self.weights_ = average_weights(prepared.weights, trials)
        self.view_importances_ = self._members[0].fusion.importances(self.weights_)
        self.n_iter_ = max(1, *(head.n_iter for head in kept))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "weights_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = one_column_each(self.views)
        return tags
