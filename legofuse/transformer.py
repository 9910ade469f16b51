"""The fusion transformer: many views in, one embedding (or fused graph) out.

``fit`` reads, samples, learns weights, chooses landmarks and maps them; the mathematics is in
relations, fusion, weights and readouts.
"""

import warnings
from copy import deepcopy

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._compat import check_sample_weight
from ._threads import single_threaded_blas
from ._validation import check_criterion, check_fusion
from .fused import FusedGraph
from .graphs import learn_statistics, list_graphs
from .landmarks import choose_landmarks, given_landmarks, view_features
from .readouts import embedding_map
from .sampling import canonical_rows, fingerprint, stratified_sample
from .tables import read_columns, read_domains, read_targets
from .terms import given_weights, learn_weights, list_terms, name_terms, view_importances
from .weights import Learned

__all__ = ["LEGOFusionTransformer"]

_BLOCK_SIZE = 1 << 21  # numbers of relations computed at once


class LEGOFusionTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
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
        contiguous runs; None is a single view of all columns.
    relation : {"auto", "cosine", "correlation", "angular", "rbf", "gaussian", "spherical", \
            "bhattacharyya"}, callable or dict, default="auto"
        Similarity of samples within a view (:mod:`legofuse.relations`), or one for each view.
        ``"auto"`` enters cosine, correlation, bhattacharyya, gaussian and spherical as five graphs
        of each view and lets the weights decide. A callable takes ``(X, references)`` and returns
        an array of shape (n_samples, n_references).
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
    weights : {"auto", "loo", "alignment", "consensus", "uniform", "neural"} or array of \
            shape (n_terms,), default="auto"
        Criterion that the weights A are learned by; ``"auto"`` is ``"loo"`` with y and
        ``"consensus"`` without. ``"neural"`` starts from ``"loo"`` and trains A by gradients
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
        ``"batch"`` standardises rows of a domain not seen in fit by their own mean and scale.
    n_landmarks : int, default=500
        Number of training rows that samples are related to.
    landmarks : {"stratified", "random", "kmeans"} or array of int, default="stratified"
        How landmarks are chosen; an array holds the indices of training rows.
    n_components : int, default=None
        Largest dimension of the embedding; None keeps all that are numerically there.
    output : {"embedding", "relations"}, default="embedding"
        Nyström features of the fused graph, or its rows.
    max_fit_samples : int, default=1000
        Number of training rows that weights are learned on.
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
        Without effect so far: nothing is printed at any value.

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
        Each view's share of the fused graph's centred norm; they add up to 1.
    landmarks_ : ndarray of shape (n_landmarks,)
        Indices of the training rows used as landmarks.
    normalization_ : ndarray of shape (n_landmarks, n_components) or None
        The embedding is the fused graph times this; None for ``output="relations"``.
    ridge_ : float or None
        The ridge that the scale of the weights stands for: 1 by ``"loo"``
        and ``"neural"``.
    loo_score_ : float or None
        Share of the targets' variance that leave-one-out predictions explain, by ``"loo"``.
    n_iter_ : int
        Iterations of the criterion.
    net_ : Net
        The trained net (of skorch), by ``"neural"``. The weights of its fusion are proportional
        to ``weights_``.
    history_ : list of dict
        Loss of each epoch, by ``"neural"``.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in fit, where X has string names.

    See Also
    --------
    sklearn.kernel_approximation.Nystroem : Embedding of one kernel of one view.

    Notes
    -----
    Fitting is exact in ``sample_weight``: a row of weight 2 gives the same result as the row
    repeated, in any order of rows. A view whose columns are all NaN in a row is missing for that
    row and the other views carry it.

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
        n_landmarks=500,
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

    def fit(self, X, y=None, sample_weight=None, sample_domain=None):
        """Learn the weights of the fusion and choose landmarks.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            Classes, real values, or several columns of real values.
        sample_weight : array-like of shape (n_samples,), optional
        sample_domain : array-like of shape (n_samples,), optional
            The domain (site, instrument, source) of each row.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a parameter, the views, X, y or the weights are not usable; nothing is fitted then.
        """
        before = dict(self.__dict__)
        try:
            with single_threaded_blas():
                return self._fit(X, y, sample_weight, sample_domain)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X, y, sample_weight, sample_domain):
        check_fusion(self)
        table = read_columns(self, X, self.views, self.domain_column, reset=True)
        domains = read_domains(table, sample_domain)
        targets, strata = read_targets(y, len(table), self.target_type)
        criterion = check_criterion(self.weights, self.interactions, targets, strata)
        weight = check_sample_weight(sample_weight, table.X, dtype=np.float64)
        weight = self._drop_empty_rows(table, weight)
        rng = check_random_state(self.random_state)
        if self.random_state is None:
            rng = deepcopy(rng)  # draws as the global generator would, and leaves it alone
        rows, weight, is_new = canonical_rows(table.X, targets, weight, domains)
        if len(rows) < 2:
            raise ValueError(
                f"Found array with {len(rows)} sample(s) (distinct rows of positive weight) while "
                f"a minimum of 2 is required by {type(self).__name__}."
            )
        classes = strata is not None
        strata = strata if classes else _strata(targets, rows, len(table))

        self.views_ = table.views
        self.graphs_ = list_graphs(self.views_, self.relation)
        expansion = list_terms(
            len(self.graphs_), self.degree, self.interactions, self.expansion, self.zeroth
        )
        self.powers_ = expansion.powers
        self.terms_ = name_terms(self.graphs_, self.powers_)
        self._domains: list = [] if domains is None else np.unique(domains[rows]).tolist()
        learned = learn_statistics(table.X, table.columns, rows, weight, _at(domains, rows))

        self.landmarks_ = self._landmarks(table, rows[is_new], strata, domains, learned, rng)
        mass = None
        if self.expansion == "hops":
            merged = np.add.reduceat(weight, np.flatnonzero(is_new))
            places = np.argsort(rows[is_new])
            mass = merged[places][np.searchsorted(rows[is_new][places], self.landmarks_)]
        self._fused = FusedGraph(
            table.columns,
            self.graphs_,
            expansion,
            learned,
            table.X[self.landmarks_],
            _at(domains, self.landmarks_),
            mass,
        )
        sample = stratified_sample(strata[rows], self.max_fit_samples, rng)
        rows, weight = rows[sample], weight[sample]
        self._classes = classes
        self._learn(criterion, table.X[rows], _at(domains, rows), _at(targets, rows), weight)
        return self

    def _learn(self, criterion, X, domains, targets, weight):
        """Learn weights on a training sample, then what depends on them."""
        fused, marks = self._fused, None
        encoded = fused.encode(X, domains, dense=True)
        if fused.marks is not None:
            marks = fingerprint(X)
        graphs, equal = fused.among(encoded, marks)
        if criterion == "given":
            found = Learned(given_weights(self.weights, len(self.powers_), self.nonnegative))
        else:
            options = {"nonnegative": self.nonnegative}
            if criterion in ("loo", "neural"):
                options |= {"max_iter": self.max_iter, "tol": self.tol, "classes": self._classes}
                if encoded.present is not None and fused.hops is None:
                    options["present"] = fused.expansion.present(encoded.present)
            found = learn_weights(
                "loo" if criterion == "neural" else criterion,
                graphs,
                equal,
                fused.expansion,
                targets,
                weight,
                **options,
            )
        self._neural = None
        self.__dict__.pop("history_", None)
        if criterion == "neural":
            found = self._train(encoded, marks, targets, weight, found.weights)
        self.weights_, self.loo_score_, self.n_iter_ = found
        self.ridge_ = 1.0 if criterion in ("loo", "neural") else None
        self.view_importances_ = view_importances(
            graphs, fused.expansion, self.weights_, weight, [view for view, _ in self.graphs_]
        )
        del graphs, equal
        fused.set_weights(self.weights_)
        prior = np.average(fused(encoded, marks), axis=0, weights=weight)
        self._prior = prior.astype(fused.dtype)
        self._map = None
        if self.output == "embedding":
            graph = fused(fused.references, fused.marks)
            self._map, negative = embedding_map(graph, self.n_components)
            if negative > 1e-3:
                warnings.warn(
                    f"The fused graph is not positive semi-definite: {negative:.1%} of its "
                    "spectrum is negative and was dropped from the embedding.",
                    UserWarning,
                    stacklevel=5,
                )

    def _train(self, encoded, marks, targets, weight, start):
        """Train weights by gradients, from those of the closed form and at their scale."""
        from .nn.fusion_fit import fit_fusion

        fused, expansion = self._fused, self._fused.expansion
        relations, equal = fused.expanded(encoded, marks)
        present = [
            None if part.present is None or fused.hops else expansion.present(part.present)
            for part in (encoded, fused.references)
        ]
        fit = fit_fusion(
            relations,
            expansion.terms(),
            targets,
            start,
            sample_weight=weight,
            classes=self._classes,
            nonnegative=self.nonnegative,
            separable=expansion.separable,
            zeroth=equal if expansion.separable else None,
            present=present[0],
            reference_present=present[1],
            max_iter=self.max_iter,
            tol=self.tol,
            batch_size=self.batch_size,
            device=self.device,
            random_state=self.random_state,
        )
        self._neural, self.history_ = fit.state, fit.history
        weights = fit.weights
        if not expansion.separable and weights.sum() > 0:  # of a complete row to itself
            weights = weights * (start.sum() / weights.sum())
        return Learned(weights, None, fit.n_iter)

    @property
    def net_(self):
        """The trained skorch net, made anew from arrays on a device that is there."""
        if getattr(self, "_neural", None) is None:
            raise AttributeError(
                f"This {type(self).__name__} has no net_: only fitting with weights='neural' "
                "trains a net."
            )
        from .nn.fusion_fit import restore_fusion

        return restore_fusion(self._neural, self.device)

    def _drop_empty_rows(self, table, weight):
        """Set the weight of rows that miss every view to 0; check that each view occurs."""
        if table.missing is None:
            return weight
        occurs = (~table.missing[weight > 0]).any(axis=0)
        for view in np.array(list(table.views))[~occurs].tolist():
            raise ValueError(
                f"View {view!r} is missing (all NaN) in every training row: leave it out of "
                "views, or give rows that have it."
            )
        empty = table.missing.all(axis=1)
        _warn_empty(np.count_nonzero(empty & (weight > 0)), "left out of the fit")
        return np.where(empty, 0.0, weight)

    def _landmarks(self, table, candidates, strata, domains, learned, rng):
        """Indices of the landmark rows among distinct rows, complete rows before others."""
        needs_all = ["expansion='hops'"] * (self.expansion == "hops")
        needs_all += ["zeroth='identity'"] * (self.zeroth == "identity")
        if not isinstance(self.landmarks, str):
            given = given_landmarks(self.landmarks, len(table))
            if needs_all and not np.array_equal(np.sort(given), np.sort(candidates)):
                raise ValueError(
                    f"{' and '.join(needs_all)} needs each of the {len(candidates)} distinct "
                    "training rows once as a landmark: leave landmarks at its default."
                )
            return given
        if needs_all and self.n_landmarks < len(candidates):
            raise ValueError(
                f"{' and '.join(needs_all)} needs all {len(candidates)} distinct training rows as "
                f"landmarks; got n_landmarks={self.n_landmarks}: raise it."
            )
        if table.missing is not None:
            complete = candidates[~table.missing[candidates].any(axis=1)]
            if len(complete) >= self.n_landmarks:
                candidates = complete
        groups, share = [candidates], self.n_landmarks
        if domains is not None and self.domains == "per-domain" and not needs_all:
            share = max(1, self.n_landmarks // len(self._domains))
            groups = [candidates[domains[candidates] == d] for d in self._domains]
        picked = [
            group[
                choose_landmarks(
                    self.landmarks,
                    share,
                    strata[group],
                    lambda group=group: view_features(table.X[group], table.columns, learned),
                    rng,
                )
            ]
            for group in groups
        ]
        return np.concatenate(picked)

    def fit_transform(self, X, y=None, sample_weight=None, sample_domain=None):
        """Fit and return the embedding (or relations) of the training rows.

        Parameters
        ----------
        X, y, sample_weight, sample_domain
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
        """
        self.fit(X, y, sample_weight=sample_weight, sample_domain=sample_domain)
        return self.transform(X, sample_domain=sample_domain)

    def transform(self, X, sample_domain=None):
        """Embed rows, or relate them to the landmarks.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
        sample_domain : array-like of shape (n_samples,), optional
            Needed if fit was given domains.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            float32 for float32 input. Shape (n_samples, n_landmarks) for relations.

        Raises
        ------
        ValueError
            If X does not fit what was seen in fit, or a domain is unknown.
        """
        check_is_fitted(self)
        return self._stream(X, sample_domain, self._map)

    def fused_graph(self, X, references=None, sample_domain=None, reference_domain=None):
        """Fused graph of rows and landmarks, or of rows and other rows.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
        references : array-like, frame or sparse of shape (n_references, n_features), optional
            By default the landmarks.
        sample_domain : array-like of shape (n_samples,), optional
        reference_domain : array-like of shape (n_references,), optional
            Needed if fit was given ``sample_domain``.

        Returns
        -------
        ndarray of shape (n_samples, n_references)

        Raises
        ------
        ValueError
            If references are given where hops or an identity need the landmarks.
        """
        check_is_fitted(self)
        if references is None:
            return self._stream(X, sample_domain, None)
        if self.expansion == "hops" or self.zeroth == "identity":
            raise ValueError(
                "references cannot be given with expansion='hops' or zeroth='identity', which "
                "need the training rows as references."
            )
        rows = self._encoded(references, reference_domain, dense=True)
        return self._stream(X, sample_domain, None, self._fused.with_references(rows))

    def relation_graphs(self, X, references=None, sample_domain=None, reference_domain=None):
        """Relations of rows to the landmarks, or to other rows, graph by graph.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
        references : array-like, frame or sparse of shape (n_references, n_features), optional
            By default the landmarks.
        sample_domain : array-like of shape (n_samples,), optional
            Needed if fit was given ``sample_domain``.
        reference_domain : array-like of shape (n_references,), optional
            Needed with ``references`` if fit was given ``sample_domain``.

        Returns
        -------
        dict of str, or of (str, str) where a view has several, to ndarray of shape \
                (n_samples, n_references)
        """
        check_is_fitted(self)
        fused = self._fused
        if references is not None:
            fused = fused.with_references(self._encoded(references, reference_domain, dense=True))
        related = fused.relations(self._encoded(X, sample_domain))
        several = len(self.graphs_) > len(self.views_)
        keys = self.graphs_ if several else [view for view, _ in self.graphs_]
        return dict(zip(keys, related, strict=True))

    def _encoded(self, X, sample_domain, dense=False):
        """Rows of a caller's X, encoded for every graph."""
        table = read_columns(self, X, self.views, self.domain_column, reset=False)
        domains = self._known_domains(table, sample_domain)
        return self._fused.encode(table.X, domains, self._statistics(table, domains), dense)

    @property
    def normalization_(self):
        """Matrix that turns rows of the fused graph into the embedding, or None for relations."""
        check_is_fitted(self)
        return self._map

    def _stream(self, X, sample_domain, projection, fused=None):
        """Fuse (and project) block after block of rows."""
        table = read_columns(self, X, self.views, self.domain_column, reset=False)
        domains = self._known_domains(table, sample_domain)
        learned = self._statistics(table, domains)
        prior = self._prior if fused is None else 0.0
        fused = self._fused if fused is None else fused
        width = len(fused) if projection is None else projection.shape[1]
        out = np.empty((len(table), width), dtype=fused.dtype)
        step = max(16, _BLOCK_SIZE // (len(fused) * (len(self.graphs_) + 2)))
        empty = None if table.missing is None else table.missing.all(axis=1)

        def fill(start):
            part = slice(start, start + step)
            rows = fused.encode(table.X[part], _at(domains, part), learned)
            graph = fused(rows, None if fused.marks is None else fingerprint(table.X[part]))
            if empty is not None:
                graph[empty[part]] = prior
            if projection is None:
                out[part] = graph
            else:
                np.matmul(graph, projection, out=out[part])

        starts = range(0, len(table), step)
        if effective_n_jobs(self.n_jobs) == 1 or len(starts) < 2:
            for start in starts:
                fill(start)
        else:
            Parallel(n_jobs=self.n_jobs, prefer="threads")(delayed(fill)(s) for s in starts)
        if empty is not None:
            _warn_empty(np.count_nonzero(empty), "given the mean of the training rows")
        return out

    def _known_domains(self, table, sample_domain):
        domains = read_domains(table, sample_domain)
        if (domains is None) != (not self._domains):
            raise ValueError(
                "fit was given domains, so transform needs sample_domain (or domain_column)."
                if domains is None
                else "transform was given domains, but fit was not: fit with sample_domain."
            )
        if domains is not None and self.unseen_domains == "error":
            unseen = [d for d in np.unique(domains).tolist() if d not in self._domains]
            if unseen:
                raise ValueError(
                    f"Unknown domain(s) {unseen}: fit saw {self._domains}. Set "
                    "unseen_domains='batch' to standardise them by their own rows."
                )
        return domains

    def _statistics(self, table, domains):
        """Statistics by domain, those of unseen domains learned from their own rows."""
        if domains is None:
            return self._fused.learned
        rows = np.flatnonzero(~np.isin(domains, self._domains))
        if len(rows) == 0:
            return self._fused.learned
        new = learn_statistics(table.X, table.columns, rows, np.ones(len(rows)), domains[rows])
        return {**self._fused.learned, **new}

    @property
    def _n_features_out(self):
        return len(self._fused) if self._map is None else self._map.shape[1]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "weights_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = _one_column_each(self.views)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _one_column_each(views):
    """Whether NaN may stand anywhere, as the tag means: any single value is a whole view."""
    if not views or not isinstance(views, (dict, list)):
        return False
    specs = views.values() if isinstance(views, dict) else [spec for _, spec in views]
    return all(
        isinstance(spec, str | int) or (isinstance(spec, list) and len(spec) == 1) for spec in specs
    )


def _strata(targets, rows, n_rows):
    """Below, at or above the median of a target, so that rare values are sampled too."""
    if targets is None:
        return np.zeros(n_rows, int)
    varies = (targets[rows] != targets[rows[0]]).any(axis=0)
    column = targets[:, np.argmax(varies)]
    return np.sign(column - np.median(column[rows])).astype(int)


def _at(values, rows):
    """Take some rows of an optional array."""
    return None if values is None else values[rows]


def _warn_empty(count, what):
    if count:
        warnings.warn(
            f"{count} row(s) miss every view (all NaN) and were {what}.", UserWarning, stacklevel=5
        )
