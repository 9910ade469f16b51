"""The fusion transformer: many views in, one embedding (or fused graph) out.

``fit`` reads, samples, learns weights, chooses landmarks and maps them; the mathematics is in
relations, fusion, weights and readouts.
"""

import warnings

import numpy as np
import scipy.sparse as sp
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._compat import check_sample_weight
from ._threads import single_threaded_blas
from ._validation import check_choice, check_flag, check_number
from .expansion import Expansion, hop_operators, hops
from .fusion import INTERACTIONS, count_terms, exponents, one_exponent_each
from .graphs import encode_rows, learn_statistics, list_graphs, relate_rows
from .readouts import embedding_map
from .sampling import canonical_rows, choose_landmarks, fingerprint, stratified_sample
from .tables import read_columns, read_domains, read_targets
from .weights import alignment, consensus, importances, loo, normaliser, pack, uniform

__all__ = ["LEGOFusionTransformer"]

_MAX_TERMS = 5000
_BLOCK_SIZE = 1 << 21
_WEIGHTS = ("auto", "loo", "alignment", "consensus", "uniform")
_LANDMARKS = ("stratified", "random", "kmeans")


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
    relation : {"auto", "cosine", "correlation", "angular", "rbf"}, callable or dict, \
            default="auto"
        Similarity of samples within a view, or one for each view. ``"auto"`` enters cosine and
        correlation as two graphs of each view and lets the weights decide. A callable takes
        ``(X, references)`` and returns an array of shape (n_samples, n_references).
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
    weights : {"auto", "loo", "alignment", "consensus", "uniform"} or array of shape \
            (n_terms,), default="auto"
        Criterion that the weights A are learned by; ``"auto"`` is ``"loo"`` with y and
        ``"consensus"`` without.
    nonnegative : bool, default=True
        Whether A >= 0, which makes the fused graph a kernel. False needs
        ``output="relations"`` and weights by alignment or given.
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
        Largest number of iterations of the ``"loo"`` criterion.
    tol : float, default=1e-4
        Relative decrease of its loss at which iterations stop.
    batch_size : int or "auto", default="auto"
        Used by neural weights.
    device : str, default="auto"
        Used by neural weights.
    n_jobs : int, default=None
        Number of threads that transform blocks of rows.
    random_state : int, RandomState or None, default=None
        Chooses training samples and landmarks where there are more rows than wanted.
    verbose : int, default=0
        Print progress.

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
    ridge_ : float or None
        The ridge that the scale of the weights stands for: 1 by ``"loo"``.
    loo_score_ : float or None
        Share of the targets' variance that leave-one-out predictions explain, by ``"loo"``.
    n_iter_ : int
        Iterations of the criterion.
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
        self._check_parameters()
        table = read_columns(self, X, self.views, self.domain_column, reset=True)
        domains = read_domains(table, sample_domain)
        n_rows = table.X.shape[0]
        targets, strata = read_targets(y, n_rows, self.target_type)
        criterion = self._criterion(targets, strata)
        weight = check_sample_weight(sample_weight, table.X, dtype=np.float64)
        weight = self._drop_empty_rows(table, weight)
        rng = check_random_state(self.random_state)

        rows, weight, is_new = canonical_rows(table.X, targets, weight, domains)
        if len(rows) < 2:
            raise ValueError(
                f"Found array with {len(rows)} sample(s) (distinct rows of positive weight) while "
                f"a minimum of 2 is required by {type(self).__name__}."
            )
        strata = np.zeros(n_rows, int) if strata is None else strata
        self.views_ = table.views
        self._columns = table.columns
        self.graphs_ = list_graphs(self.views_, self.relation)
        self._expansion = self._list_terms()
        self.powers_ = self._expansion.powers
        self.terms_ = self._name_terms()
        self._domains: list = [] if domains is None else np.unique(domains[rows]).tolist()
        chosen = None if domains is None else domains[rows]
        self._learned = learn_statistics(table.X, self._columns, rows, weight, chosen)

        first = rows[is_new]
        self.landmarks_ = self._choose_landmarks(table, rows, first, strata, domains, rng)
        self._references = self._encode(table.X, domains, self.landmarks_, dense=True)
        self._marks = fingerprint(table.X[self.landmarks_]) if self.zeroth == "identity" else None
        self._hops = self._learn_hops(rows, weight, is_new)

        sample = stratified_sample(strata[rows], self.max_fit_samples, rng)
        encoded = self._encode(table.X, domains, rows[sample], dense=True)
        graphs, equal = self._sample_graphs(encoded, table.X, rows[sample])
        found = self._learn(
            criterion, graphs, equal, encoded, targets, rows[sample], weight[sample]
        )
        self.weights_, self.loo_score_, self.n_iter_ = found
        self.ridge_ = 1.0 if criterion == "loo" else None
        self.view_importances_ = self._view_importances(graphs, weight[sample])
        del graphs
        self._finish(encoded, table.X, rows[sample], weight[sample])
        return self

    def _check_parameters(self):
        owner = type(self).__name__
        check_choice(owner, "interactions", self.interactions, INTERACTIONS)
        check_choice(owner, "expansion", self.expansion, ("elementwise", "hops"))
        check_choice(owner, "zeroth", self.zeroth, ("ones", "identity"))
        check_choice(
            owner, "target_type", self.target_type, ("auto", "classification", "regression")
        )
        check_choice(owner, "domains", self.domains, ("shared", "per-domain"))
        check_choice(owner, "unseen_domains", self.unseen_domains, ("error", "batch"))
        check_choice(owner, "output", self.output, ("embedding", "relations"))
        for name in ("degree", "n_landmarks", "max_iter"):
            check_number(owner, name, getattr(self, name), low=1)
        check_number(owner, "max_fit_samples", self.max_fit_samples, low=2)
        check_number(owner, "n_components", self.n_components, low=1, none=True)
        check_number(owner, "tol", self.tol, kind=float | int, low=0)
        check_flag(owner, "nonnegative", self.nonnegative)
        if isinstance(self.landmarks, str):
            check_choice(owner, "landmarks", self.landmarks, _LANDMARKS)
        if isinstance(self.weights, str):
            check_choice(owner, "weights", self.weights, _WEIGHTS)
        if not self.nonnegative:
            if self.output != "relations":
                raise ValueError(
                    "nonnegative=False needs output='relations': a fused graph with negative "
                    "weights is no kernel, so it has no embedding."
                )
            if isinstance(self.weights, str) and self.weights != "alignment":
                raise ValueError(
                    "nonnegative=False needs weights='alignment' or an array; got "
                    f"weights={self.weights!r}."
                )
        if self.zeroth == "identity" and self.interactions not in ("pairwise", "separable"):
            raise ValueError(
                "zeroth='identity' needs interactions='pairwise' or 'separable'; got "
                f"interactions={self.interactions!r}."
            )
        if self.interactions == "separable" and self.weights in ("alignment", "consensus"):
            raise ValueError(
                "interactions='separable' stores factors, which weights='loo', 'uniform' or an "
                f"array can set; got weights={self.weights!r}."
            )

    def _criterion(self, targets, strata):
        """Name of the criterion that learns the weights, after a look at y."""
        if not isinstance(self.weights, str):
            return "given"
        criterion = self.weights
        if criterion == "auto":
            if targets is not None:
                criterion = "loo"
            else:
                criterion = "uniform" if self.interactions == "separable" else "consensus"
        if criterion in ("loo", "alignment"):
            if targets is None:
                raise ValueError(f"weights={criterion!r} needs y; fit got y=None.")
            if strata is not None and targets.shape[1] < 2:
                raise ValueError(
                    f"weights={criterion!r} needs at least two classes in y; got 1 class."
                )
        return criterion

    def _drop_empty_rows(self, table, weight):
        """Set the weight of rows that miss every view to 0; check that each view occurs."""
        if table.missing is None:
            return weight
        present = ~table.missing[weight > 0]
        for view, occurs in zip(table.views, present.any(axis=0), strict=True):
            if not occurs:
                raise ValueError(
                    f"View {view!r} is missing (all NaN) in every training row: leave it out of "
                    "views, or give rows that have it."
                )
        empty = table.missing.all(axis=1)
        _warn_empty(np.count_nonzero(empty & (weight > 0)), "left out of the fit")
        return np.where(empty, 0.0, weight)

    def _list_terms(self):
        n_graphs = len(self.graphs_)
        n_terms = count_terms(n_graphs, self.degree, self.interactions)
        if n_terms > _MAX_TERMS:
            raise ValueError(
                f"{n_graphs} graphs at degree={self.degree} and "
                f"interactions={self.interactions!r} give {n_terms} terms, above the limit of "
                f"{_MAX_TERMS}: lower the degree, choose one relation, or use "
                "interactions='additive' or 'pairwise'."
            )
        return Expansion(
            exponents(n_graphs, self.degree, self.interactions),
            separable=self.interactions == "separable",
            identity=self.zeroth == "identity",
            degree=self.degree if self.expansion == "hops" else None,
        )

    def _name_terms(self):
        counts = {view: sum(v == view for v, _ in self.graphs_) for view in self.views_}
        names = [
            f"{view}[{getattr(relation, '__name__', relation)}]" if counts[view] > 1 else view
            for view, relation in self.graphs_
        ]
        terms = []
        for k, row in enumerate(self.powers_):
            factors = [
                name if power == 1 else f"{name}^{power}"
                for name, power in zip(names, row, strict=True)
                if power
            ]
            terms.append(" * ".join(factors) or f"{names[k // (self.degree + 1)]}^0")
        return terms

    def _choose_landmarks(self, table, rows, first, strata, domains, rng):
        """Indices of the landmark rows, complete rows before others."""
        if not isinstance(self.landmarks, str):
            return self._given_landmarks(table.X.shape[0])
        needs_all = [
            f"{name}={value!r}"
            for name, value, special in (
                ("expansion", self.expansion, "hops"),
                ("zeroth", self.zeroth, "identity"),
            )
            if value == special
        ]
        if needs_all and self.n_landmarks < len(first):
            raise ValueError(
                f"{' and '.join(needs_all)} needs all {len(first)} distinct training rows as "
                f"landmarks; got n_landmarks={self.n_landmarks}: raise it."
            )
        candidates = first
        if table.missing is not None:
            complete = first[~table.missing[first].any(axis=1)]
            candidates = complete if len(complete) >= min(self.n_landmarks, 2) else first
            if needs_all or len(complete) < min(self.n_landmarks, len(first)):
                candidates = first
        labels = strata[candidates]
        method = self.landmarks
        if domains is not None and self.domains == "per-domain":
            return self._landmarks_by_domain(table, candidates, labels, domains, rng)
        picked = choose_landmarks(
            method, self.n_landmarks, labels, lambda: self._features(table, candidates), rng
        )
        return candidates[picked]

    def _landmarks_by_domain(self, table, candidates, labels, domains, rng):
        picked, share = [], max(1, self.n_landmarks // len(self._domains))
        for domain in self._domains:
            inside = np.flatnonzero(domains[candidates] == domain)
            rows = candidates[inside]
            chosen = choose_landmarks(
                self.landmarks,
                share,
                labels[inside],
                lambda rows=rows: self._features(table, rows),
                rng,
            )
            picked.append(inside[chosen])
        return candidates[np.sort(np.concatenate(picked))]

    def _given_landmarks(self, n_rows):
        given = np.asarray(self.landmarks)
        if given.ndim != 1 or given.dtype.kind not in "iu" or len(given) == 0:
            raise ValueError(
                "landmarks must be one of "
                f"{', '.join(map(repr, _LANDMARKS))}, or a 1-D array of row indices; got "
                f"{self.landmarks!r}."
            )
        if given.min() < 0 or given.max() >= n_rows:
            raise ValueError(
                f"landmarks must be row indices between 0 and {n_rows - 1}; got values from "
                f"{given.min()} to {given.max()}."
            )
        return given.astype(np.intp)

    def _features(self, table, rows):
        """Standardised features of every view side by side, for k-means."""
        X = table.X[rows]
        X = X.toarray() if sp.issparse(X) else X
        parts = []
        for view, index in self._columns.items():
            stats = next(s for (name, _), s in self._learned.items() if name == view)
            parts.append((X[:, index] - stats.mean) / stats.scale / np.sqrt(len(index)))
        return np.nan_to_num(np.hstack(parts))

    def _encode(self, X, domains, rows, dense=False):
        chosen = None if domains is None else domains[rows]
        return encode_rows(X[rows], self._columns, self.graphs_, self._learned, chosen, dense)

    def _learn_hops(self, rows, weight, is_new):
        """For each graph the weights, scale and operators of its hops."""
        if self.expansion != "hops":
            return None
        merged = np.add.reduceat(weight, np.flatnonzero(is_new))
        place = {row: k for k, row in enumerate(rows[is_new].tolist())}
        mass = np.array([merged[place[row]] for row in self.landmarks_.tolist()])
        relations = relate_rows(self._references, self._references, self.graphs_, self._learned)
        return [(mass, *hop_operators(r, mass, self.degree)) for r in relations]

    def _sample_graphs(self, encoded, X, rows):
        """Packed expanded graphs of the training sample, and its packed identity."""
        if self._hops is None:
            graphs = []
            for graph in self.graphs_:
                related = relate_rows(encoded, encoded, [graph], self._learned)
                graphs.append(pack(related[0]))
            equal = pack(np.eye(len(rows), dtype=graphs[0].dtype))
            equal = equal if self.zeroth == "identity" else None
            return self._expansion.graphs(graphs, equal=equal), equal
        marks, known = fingerprint(X[rows]), fingerprint(X[self.landmarks_])
        order = np.lexsort(known.T)
        place = order[np.searchsorted(known[order, 1], marks[:, 1])]
        related = relate_rows(encoded, self._references, self.graphs_, self._learned)
        lists = [
            [pack(hop[:, place]) for hop in hops(r, *parts)]
            for r, parts in zip(related, self._hops, strict=True)
        ]
        equal = None
        if self.zeroth == "identity":
            equal = pack((place[:, None] == place).astype(lists[0][0].dtype))
        return self._expansion.graphs(None, lists, equal), equal

    def _learn(self, criterion, graphs, equal, encoded, targets, rows, weight):
        """Weights, leave-one-out score and number of iterations."""
        terms, separable = self._expansion.terms(), self._expansion.separable
        if criterion == "given":
            return self._given_weights(), None, 1
        if criterion == "loo":
            present = None
            if encoded.present is not None and self._hops is None:
                present = self._expansion.present(encoded.present)
            return loo(
                graphs,
                terms,
                targets[rows],
                sample_weight=weight,
                present=present,
                separable=separable,
                zeroth=equal if separable else None,
                max_iter=self.max_iter,
                tol=self.tol,
            )
        if criterion == "alignment":
            found = alignment(
                graphs, terms, targets[rows], sample_weight=weight, nonnegative=self.nonnegative
            )
        elif criterion == "consensus":
            found = consensus(graphs, terms, sample_weight=weight)
        else:
            found = uniform(len(terms))
        return self._scaled(found.weights, graphs, equal, weight), None, found.n_iter

    def _view_importances(self, graphs, weight):
        """Importance of each view: the sum over its graphs and their terms."""
        views = [view for view, _ in self.graphs_]
        terms, weights = self._expansion.terms(), self.weights_
        if self._expansion.separable:  # each factor by itself
            used = self.powers_.sum(axis=1) > 0
            terms, weights = terms[used], weights[used]
            if self._hops is not None:
                graphs = [hop for hop_list in graphs for hop in hop_list]
                terms = np.eye(len(graphs), dtype=np.int64)
                views = [view for view in views for _ in range(self.degree)]
        elif self._hops is not None:
            views = [views[m] for m, _ in one_exponent_each(self.powers_)[0]]
        shares = importances(graphs, terms, weights, weight)
        found = dict.fromkeys(self.views_, 0.0)
        for view, share in zip(views, shares, strict=False):  # an identity belongs to no view
            found[view] += float(share)
        total = sum(found.values())
        return {view: share / total for view, share in found.items()}

    def _given_weights(self):
        given = np.asarray(self.weights)
        if given.shape != (len(self.powers_),) or given.dtype.kind not in "iuf":
            raise ValueError(
                f"weights must be an array of {len(self.powers_)} numbers, one for each term "
                f"(legofuse.fusion.exponents lists them); got shape {given.shape}, dtype "
                f"{given.dtype}."
            )
        given = given.astype(float)
        if not np.isfinite(given).all():
            raise ValueError("weights holds NaN or infinity.")
        if self.nonnegative and (given < 0).any():
            raise ValueError(
                f"weights holds {np.count_nonzero(given < 0)} negative value(s), but "
                "nonnegative=True."
            )
        return given

    def _scaled(self, weights, graphs, equal, sample_weight):
        """Weights that make the mean diagonal of the fused graph 1."""
        n_rows = len(sample_weight)
        where = np.cumsum(np.arange(1, n_rows + 1)) - 1
        entries = [
            [p[where] for p in graph] if isinstance(graph, list) else graph[where]
            for graph in graphs
        ]
        equal = None if equal is None else equal[where]
        diagonal = self._expansion.fuse(entries, weights, equal)
        mean = np.average(diagonal, weights=sample_weight)
        if self._expansion.separable or mean <= 0:
            return weights
        return weights / mean

    def _finish(self, encoded, X, rows, weight):
        """Scale of complete rows, map of the landmarks, and the row of a sample of no view."""
        ones = np.ones((len(self.graphs_), 1))
        self._complete = None
        if self._hops is None:
            self._complete = float(self._diagonal(ones.T)[0])
        dtype = self._references.encoded[next(iter(self._references.encoded))].rows.dtype
        self._weights = self.weights_.astype(dtype)
        marks = None if self._marks is None else fingerprint(X[rows])
        prior = np.average(self._fused(encoded, marks), axis=0, weights=weight)
        self._prior = prior.astype(dtype)
        if self.output == "relations":
            self._map = None
            return
        graph = self._fused(self._references, self._marks)
        self._map, negative = embedding_map(graph, self.n_components)
        if negative > 1e-3:
            warnings.warn(
                f"The fused graph is not positive semi-definite: {negative:.1%} of its spectrum "
                "is negative and was dropped from the embedding.",
                UserWarning,
                stacklevel=4,
            )

    def _diagonal(self, present):
        """Fused relation of rows to themselves, from which views they have."""
        have = self._expansion.present(np.asarray(present, dtype=float))
        return self._expansion.fuse(list(have.T.copy()), self.weights_, np.ones(len(have)))

    def _fused(self, rows, marks=None):
        """Fused graph of encoded rows and landmarks, missing views made up for."""
        relations = relate_rows(rows, self._references, self.graphs_, self._learned)
        equal = None
        if self.zeroth == "identity":
            equal = (marks[:, None] == self._marks).all(axis=2).astype(relations[0].dtype)
        lists = None
        if self._hops is not None:
            lists = [hops(r, *parts) for r, parts in zip(relations, self._hops, strict=True)]
        graphs = self._expansion.graphs(relations, lists, equal)
        fused = self._expansion.fuse(graphs, self._weights, equal)
        if self._hops is None:
            for part, axis in ((rows, 1), (self._references, 0)):
                if part.present is not None:
                    factor = normaliser(self._diagonal(part.present), self._complete)
                    fused *= np.expand_dims(factor.astype(fused.dtype), axis)
        return fused

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

    def fused_graph(self, X, references=None):
        """Fused graph of rows and landmarks, or of rows and other rows.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
        references : array-like, frame or sparse of shape (n_references, n_features), optional
            By default the landmarks.

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
            return self._stream(X, None, None)
        if self.expansion == "hops" or self.zeroth == "identity":
            raise ValueError(
                "references cannot be given with expansion='hops' or zeroth='identity', which "
                "need the training rows as references."
            )
        table = read_columns(self, references, self.views, self.domain_column, reset=False)
        view = _copy_with(self, table)
        return view._stream(X, None, None)

    def relation_graphs(self, X):
        """Relations of rows to the landmarks, graph by graph.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)

        Returns
        -------
        dict of str, or of (str, str) where a view has several, to ndarray of shape \
                (n_samples, n_landmarks)
        """
        check_is_fitted(self)
        table = read_columns(self, X, self.views, self.domain_column, reset=False)
        domains = self._known_domains(table, None)
        rows = encode_rows(
            table.X, self._columns, self.graphs_, self._statistics(table, domains), domains
        )
        related = relate_rows(rows, self._references, self.graphs_, self._learned)
        several = len(self.graphs_) > len(self.views_)
        keys = self.graphs_ if several else [view for view, _ in self.graphs_]
        return dict(zip(keys, related, strict=True))

    def _stream(self, X, sample_domain, projection):
        """Fuse (and project) block after block of rows."""
        table = read_columns(self, X, self.views, self.domain_column, reset=False)
        domains = self._known_domains(table, sample_domain)
        statistics = self._statistics(table, domains)
        n_rows, n_landmarks = table.X.shape[0], len(self._references)
        width = n_landmarks if projection is None else projection.shape[1]
        out = np.empty((n_rows, width), dtype=self._weights.dtype)
        step = max(16, _BLOCK_SIZE // (n_landmarks * (len(self.graphs_) + 2)))
        empty = None if table.missing is None else table.missing.all(axis=1)

        def fill(start):
            part = slice(start, start + step)
            X = table.X[part]
            chosen = None if domains is None else domains[part]
            rows = encode_rows(X, self._columns, self.graphs_, statistics, chosen)
            fused = self._fused(rows, None if self._marks is None else fingerprint(X))
            if empty is not None and empty[part].any():
                fused[empty[part]] = self._prior
            if projection is None:
                out[part] = fused
            else:
                np.matmul(fused, projection, out=out[part])

        starts = range(0, n_rows, step)
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
            return self._learned
        rows = np.flatnonzero(~np.isin(domains, self._domains))
        if len(rows) == 0:
            return self._learned
        new = learn_statistics(table.X, self._columns, rows, np.ones(len(rows)), domains[rows])
        return {**self._learned, **new}

    @property
    def _n_features_out(self):
        return len(self._references) if self._map is None else self._map.shape[1]

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


def _copy_with(fitted, table):
    """A fitted transformer that relates rows to other references."""
    other = object.__new__(type(fitted))
    other.__dict__.update(fitted.__dict__)
    domains = fitted._known_domains(table, None)
    other._references = encode_rows(
        table.X, fitted._columns, fitted.graphs_, fitted._statistics(table, domains), domains, True
    )
    other._prior = np.zeros(len(other._references), fitted._weights.dtype)
    return other


def _warn_empty(count, what):
    if count:
        warnings.warn(
            f"{count} row(s) miss every view (all NaN) and were {what}.", UserWarning, stacklevel=5
        )
