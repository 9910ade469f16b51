"""The estimator: parameters, what fit stores, and what it offers afterwards."""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._all_or_nothing import all_or_nothing
from .._compat import CallbackSupportMixin, with_callbacks
from .._labels import target_names
from .._lazy import gather_sample, is_lazy
from .._progress import Stages
from .._random import random_generator
from .._threads import single_threaded_blas
from .._validation import check_fusion, one_column_each
from ..config import DocumentationLink
from ..graphs import learn_statistics
from ..moments import refine_statistics
from ..terms import list_terms, name_terms
from ._fused_rows import FusedRows
from ._learning import learn, learn_classes, map_landmarks, relate_landmarks
from ._training import (
    enter_graphs,
    read_training,
    sample_rows,
    select_landmarks,
    start_rows,
    warn_lone_rows,
)

__all__ = ["LEGOFusionTransformer"]

_STAGES = ("read", "choose landmarks", "learn weights", "map landmarks")


class LEGOFusionTransformer(
    CallbackSupportMixin,
    FusedRows,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    DocumentationLink,
    BaseEstimator,
):
    r"""Fuse several views of the same samples by a learned polynomial of their graphs.

    Each view is turned into a graph of relations between samples and landmarks; the fused graph
    is a polynomial in the entries of these graphs,

    .. math:: G = \sum_a A_a \, R_1^{\circ a_1} \circ \dots \circ R_M^{\circ a_M},

    whose weights A are learned, by default in closed form so that ridge regression on the
    result generalises. The output is an embedding whose inner products are the fused graph, or
    the graph itself.

    Parameters
    ----------
    views : dict, list of (str, columns), int or None, default=None
        Which columns form which view: names, ints, slices, boolean masks or callables, as in
        :class:`~sklearn.compose.ColumnTransformer`. An int splits the columns into that many
        contiguous runs; None is a single view of all columns; both leave out `domain_column`.
    relation : str, callable or dict, default="auto"
        Similarity of samples within a view, or one for each view: ``"auto"``, a callable, or one
        of :data:`legofuse.relations.RELATIONS`, which are ``"cosine"``, ``"correlation"``,
        ``"angular"``, ``"rbf"``, ``"gaussian"``, ``"local"``, ``"spherical"``,
        ``"bhattacharyya"``, ``"linear"``, ``"robust"`` and ``"principal"``.
        ``"auto"`` enters cosine, correlation, bhattacharyya, gaussian and spherical as five graphs
        of each view, and up to 5000 terms a sixth by what y is (principal for classes and without
        y, linear for real values), and lets the weights decide. Of a view whose features take a
        value of their own in most rows, ``weights="loo"`` also weighs local and robust, which enter
        no powers and products and come last in ``powers_`` (not with hops, an identity or separable
        weights, nor above 5000 terms; given weights may hold them). Learned by ``"loo"`` or
        ``"neural"``, or given, they are weights of graphs that are centred over the landmarks
        (their means over them are taken off; not with hops). A callable takes ``(X, references)``
        and returns an array of shape (n_samples, n_references).
    degree : int, default=2
        Highest power.
    interactions : {"total", "additive", "pairwise", "separable"}, default="total"
        Which products of powers enter, see :func:`~legofuse.fusion.exponents`.
    expansion : {"elementwise", "hops"}, default="elementwise"
        Entry-wise powers, or matrix powers of the normalised graphs, which need all training
        rows as landmarks.
    zeroth : {"ones", "identity"}, default="ones"
        What the zeroth power of a graph is. ``"identity"`` needs ``interactions`` pairwise or
        separable and all training rows as landmarks.
    weights : str or array-like of shape (n_terms,), default="auto"
        Criterion that the weights A are learned by: ``"loo"``, ``"alignment"``, ``"consensus"``,
        ``"uniform"`` or ``"neural"``; ``"auto"`` is ``"loo"`` with y and ``"consensus"`` without.
        ``"neural"`` starts from ``"loo"`` and trains A by gradients
        with a linear head on the relations to the landmarks (cross-entropy or squared error).
    nonnegative : bool, default=True
        Whether A >= 0, which makes the fused graph a kernel. False needs
        ``output="relations"`` and weights by alignment, neural or given.
    target_type : {"auto", "classification", "regression"}, default="auto"
        ``"auto"``: strings, booleans and integers are classes, floats are real values, and
        several columns are several real values.
    domain_column : str or int, default=None
        A column of X that holds the domain of each row and belongs to no view.
    domains : {"shared", "per-domain"}, default="shared"
        Whether landmarks are chosen among all rows alike, or the same number in each domain.
    unseen_domains : {"error", "batch"}, default="error"
        ``"batch"`` aligns rows of a domain not seen in fit by their own means and spreads; how many
        are in each class, where y is classes, is predicted. The rows are those of one call: of a
        Dask collection, those of each block.
    domain_alignment : float, default=0.5
        Share of relations between rows without the offsets and spreads of their domains,
        beside relations between rows as they are.
    domain_coupling : float or "auto", default="auto"
        Relation of rows in different domains, over that in one: below 1 each may differ in what
        tells classes apart. ``"auto"`` is 0.85, or 1 with ``unseen_domains="batch"``.
    n_landmarks : int, default=1000
        Number of training rows that samples are related to.
    landmarks : {"stratified", "random", "kmeans"} or array of int, default="stratified"
        How landmarks are chosen; an array holds the indices of training rows.
    n_components : int, default=None
        Largest dimension of the embedding; None keeps all that are numerically there.
    output : {"embedding", "relations"}, default="embedding"
        Nyström features of the fused graph, or its rows: relations to the landmarks, in the order
        of ``landmarks_``. These are no Gram matrix, even where all rows are landmarks; that is
        ``fused_graph(X, X)``.
    max_fit_samples : int, default=1000
        Number of training rows that weights are learned on. Those of ``"neural"`` start from at
        most 1000 of them.
    max_iter : int, default=100
        Largest number of iterations of ``"loo"``, and of ``"neural"`` (steps of L-BFGS or epochs
        of mini-batches).
    tol : float, default=1e-4
        Relative decrease of its loss at which iterations stop.
    batch_size : int or "auto", default="auto"
        Rows in a batch of neural weights; ``"auto"`` takes all rows at once up to 4096 (L-BFGS),
        512 at a time (Adam) beyond.
    device : str, default="auto"
        Where neural weights are trained: ``"auto"`` is an accelerator if there is one.
    n_jobs : int, default=None
        Number of threads that transform blocks of rows.
    random_state : int, RandomState or None, default=None
        Chooses training samples and landmarks where there are more rows than wanted.
    verbose : int, default=0
        Above 0 a line is printed for each stage of the fit. Progress bars are scikit-learn's
        (from 1.9 on): ``set_callbacks(sklearn.callback.ProgressBar())``.

    Attributes
    ----------
    views_ : dict of str to ndarray
        Column indices of each view.
    graphs_ : list of (str, str or callable)
        View and relation of each graph.
    powers_ : ndarray of shape (n_terms, n_graphs)
        Exponents of each term.
    terms_ : list of str
        Readable names of the terms.
    weights_ : ndarray of shape (n_terms,)
        The learned weights A.
    view_importances_ : dict of str to float
        Each view's share of the fused graph's centred norm: the sum over terms of
        ``|A_a| |H K_a H| a_m / sum(a)``, missing views made up for, scaled to add up to 1. Of
        separable products of more than 5000 terms each graph's powers count by themselves.
    landmarks_ : ndarray of shape (n_landmarks,)
        Indices of the training rows used as landmarks, in the order of their columns in the fused
        graph, not of the rows.
    domains_ : list
        Labels of the domains seen in fit; empty where it was given none.
    normalization_ : ndarray of shape (n_landmarks, n_components) or None
        The embedding is the fused graph times this; None for ``output="relations"``.
    ridge_ : float or None
        The ridge that the scale of the weights stands for: 1 by ``"loo"``
        and ``"neural"``.
    loo_score_ : float or None
        Share of the targets' variance that leave-one-out predictions explain, by ``"loo"``. Too
        high where equal rows predict one another, see the notes.
    n_iter_ : int
        Iterations of the criterion, which may be minimised several times: the most of one.
    net_ : Net
        The trained net (of skorch), by ``"neural"``; ``weights`` of its ``module_`` are these.
    history_ : list of dict
        Loss of each epoch, by ``"neural"``.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in fit, where X has string names.

    See Also
    --------
    sklearn.kernel_approximation.Nystroem : Embedding of one kernel of one view.

    Notes
    -----
    Fitting is exact in ``sample_weight``: a row of weight 2 gives the same result as the row
    repeated, in any order of rows (all weights whole, or rows of measurements). What ``"loo"``
    leaves out is a row with all its weight and repetitions, if rows hold measurements (a view of
    numbers with fractions most of which occur once), which do not recur by chance. Where they may,
    as with categories, whole weights count rows, one of which is left out: weights and ridge are
    fitted to that equal rows predict it, and a warning says so if weights are above 1. Weights with
    fractions are never more than one row, unless they are twenty times the mean, and count by their
    roots in means and spreads of features. A view whose
    columns are all NaN in a row is missing for that row and the other views carry it.

    Files of ``skops.io`` hold a fitted transformer without pickles; trust
    ``legofuse.transformer.LEGOFusionTransformer`` and ``legofuse.fused.FusedGraph``.

    A result that would take more than a share of the memory available raises ``MemoryError``
    before it is allocated, see :func:`legofuse.config.set_config`.

    References
    ----------
    "Learnable Expansion of Graph Operators for Multi-Modal Feature Fusion", ICLR 2025,
    arXiv:2410.01506.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import RidgeClassifierCV
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOFusionTransformer
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> pipe = make_pipeline(LEGOFusionTransformer(views), RidgeClassifierCV())
    >>> bool(cross_val_score(pipe, X, y).mean() > 0.97)
    True
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
        weights="auto",
        nonnegative=True,
        target_type="auto",
        domain_column=None,
        domains="shared",
        unseen_domains="error",
        domain_alignment=0.5,
        domain_coupling="auto",
        n_landmarks=1000,
        landmarks="stratified",
        n_components=None,
        output="embedding",
        max_fit_samples=1000,
        max_iter=100,
        tol=1e-4,
        batch_size="auto",
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.views = views
        self.relation = relation
        self.degree = degree
        self.interactions = interactions
        self.expansion = expansion
        self.zeroth = zeroth
        self.weights = weights
        self.nonnegative = nonnegative
        self.target_type = target_type
        self.domain_column = domain_column
        self.domains = domains
        self.unseen_domains = unseen_domains
        self.domain_alignment = domain_alignment
        self.domain_coupling = domain_coupling
        self.n_landmarks = n_landmarks
        self.landmarks = landmarks
        self.n_components = n_components
        self.output = output
        self.max_fit_samples = max_fit_samples
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y=None, sample_weight=None, sample_domain=None):
        """Learn the weights of the fusion and choose landmarks.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
            Of a dask array or DataFrame a sample of 100000 rows is gathered and read (fewer of
            very wide rows, all if there are no more); y, weights and domains are dask arrays or
            Series in its blocks then, and ``landmarks_`` are positions in the sample.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Classes, real values, or several columns of real values.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each row; weight 2 is the row twice.
        sample_domain : array-like of shape (n_samples,), optional
            The domain (site, instrument, source) of each row.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, the views, X, y or the weights are not usable; nothing is fitted then.
        """
        weighted, row_weights, moments = sample_weight is not None, None, None
        if is_lazy(X):
            check_fusion(self)
            sample = gather_sample(self, X, y, sample_weight, sample_domain)
            X, y, sample_weight, sample_domain = sample[:4]
            row_weights = sample.row_weights
            moments = sample.moments if sample.is_cut else None
        context = self._init_callback_context(max_subtasks=len(_STAGES))
        with all_or_nothing(self):
            context.call_on_fit_task_begin(estimator=self)
            with single_threaded_blas():
                progress = Stages(self, context, len(_STAGES))
                given = X, y, sample_weight, sample_domain
                self._fit(given, weighted, progress, row_weights, moments)
            context.call_on_fit_task_end(estimator=self)
            return self

    def _fit(self, given, weighted, progress, row_weights=None, moments=None):
        check_fusion(self)
        with progress.stage(_STAGES[0]):
            training = read_training(self, given, weighted, row_weights)
            expansion = self._list_terms(training)
            self._target_names = target_names(given[1])
            table, domains, rows = training.table, training.domains, training.rows
            progress.note(
                f"{len(rows)} distinct of {len(table)} rows, {len(self.views_)} views, "
                f"{len(self.graphs_)} graphs, {len(self.powers_)} terms"
            )
        rng = random_generator(self.random_state)
        with progress.stage(_STAGES[1]):
            self._domains: list = [] if domains is None else np.unique(domains[rows]).tolist()
            warn_lone_rows(len(self._domains), len(table))
            learned = learn_statistics(
                table.X, table.columns, rows, training.spread_weight, graphs=self.graphs_
            )
            if moments is not None and training.counts:
                learned = refine_statistics(learned, moments, table.X, table.columns)
            self.landmarks_ = select_landmarks(self, training, self._domains, learned, rng)
            self._fused = relate_landmarks(self, training, expansion, learned)
            progress.note(f"{len(self.landmarks_)} by {self.landmarks!r}")
        with progress.stage(_STAGES[2]):
            rows, weight = sample_rows(training, self.max_fit_samples, rng)
            self.__dict__.pop("history_", None)
            few = start_rows(training, rows, rng)
            self._row_weight = training.one
            fitted, graph = learn(self, training, rows, weight, few)
            self.__dict__.update(fitted)
            self._head = learn_classes(self, training)
            progress.note(_learned(self, training.criterion, len(rows)))
        with progress.stage(_STAGES[3]):
            self._map = None
            if self.output == "embedding":
                self._map = map_landmarks(self._fused, self.n_components, graph)
            progress.note(f"{self._n_features_out} features out")

    def _list_terms(self, training):
        """Set the views, graphs and terms; returns the expansion."""
        self.views_ = training.table.views
        self.graphs_, self._beside = enter_graphs(self, training)
        expansion = list_terms(
            len(self.graphs_),
            self.degree,
            self.interactions,
            self.expansion,
            self.zeroth,
            self._beside,
        )
        self.powers_ = expansion.powers
        self.terms_ = name_terms(self.graphs_, self.powers_)
        return expansion

    @property
    def net_(self):
        """The trained skorch net, made anew from arrays on a device that is there."""
        if getattr(self, "_neural", None) is None:
            raise AttributeError(
                f"This {type(self).__name__} has no net_: only fitting with weights='neural' "
                "trains a net."
            )
        from ..nn.fusion_fit import restore_fusion

        return restore_fusion(self._neural, self.device)

    def fit_transform(self, X, y=None, sample_weight=None, sample_domain=None):
        """Fit and return the embedding (or relations) of the training rows.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Targets, as in :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), optional
            Weight of each row.
        sample_domain : array-like of shape (n_samples,), optional
            Domain of each row.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            The embedding, or the relations to the landmarks.
        """
        self.fit(X, y, sample_weight=sample_weight, sample_domain=sample_domain)
        return self.transform(X, sample_domain=sample_domain)

    def transform(self, X, sample_domain=None):
        """Embed rows, or relate them to the landmarks.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
            A dask array or DataFrame is transformed lazily, block by block.
        sample_domain : array-like of shape (n_samples,), optional
            Needed if fit was given domains.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Of type float32 where X of fit was float32. Shape (n_samples, n_landmarks) for
            relations. A dask array or DataFrame for one of dask.

        Raises
        ------
        ValueError
            If X does not fit what was seen in fit, or a domain is unknown.
        """
        check_is_fitted(self)
        if is_lazy(X):
            return self._map_blocks("transform", X, sample_domain, self.get_feature_names_out())
        return self._stream(X, sample_domain, self._map)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "weights_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = one_column_each(self.views)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _learned(estimator, criterion, n_rows):
    """What was learned, in words."""
    text = f"{criterion!r} on {n_rows} rows, {estimator.n_iter_} iteration(s)"
    if estimator.loo_score_ is not None:
        text += f", leave-one-out score {estimator.loo_score_:.3f}"
    return text
