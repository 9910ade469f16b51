"""From X and y to the distinct training rows, their landmarks and a sample of them."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from .._compat import check_sample_weight, stack_level
from .._labels import call_view, read_targets
from .._row_weights import are_counts, weigh_rows, weight_of_one
from .._validation import check_criterion
from ..fusion import count_terms
from ..graphs import (
    FOR_CLASSES,
    FOR_CONTINUOUS,
    FOR_REAL_VALUES,
    chosen_by_auto,
    continuous_views,
    list_graphs,
    take,
)
from ..landmarks import choose_landmarks, given_landmarks, view_features
from ..sampling import canonical_rows, mark_rows, stratified_sample
from ..shifts import learn_shifts
from ..tables import Table, read_columns, read_domains
from ..terms import MAX_TERMS

_MOST_AT_START = 1000
_FEW_DISTINCT = 20  # rows, of which any could recur by chance
_MANY_CLASSES, _FEW_ROWS = 20, 4  # beyond, and below so many rows each, and where more than
_ONCE = 0.1  # of them occur once, numbers are likely real
_OWN = 0.5  # classes for each row, beyond which labels may identify rows: scikit-learn's share
_FEWEST_LONE = 10  # rows that are no accident as domains of one row each


class Training(NamedTuple):
    """Training rows, read and checked.

    Attributes
    ----------
    table : Table
    domains : ndarray of shape (n_rows,) or None
    targets : ndarray of shape (n_rows, n_targets) or None
        Real values, or one column of class numbers.
    strata : ndarray of shape (n_rows,), int
        Class of each row; below, at or above the median of real values.
    n_classes : int
        0 for real values.
    criterion : str
    rows, weight, is_new : ndarray of shape (n_distinct,)
        Of :func:`~legofuse.sampling.canonical_rows`.
    one : float
        The weight that stands for one row where rows are left out one by one.
    unit : float
        The weight that stands for one row elsewhere, where measurements made twice count twice.
    """

    table: Table
    domains: Any
    targets: Any
    strata: Any
    n_classes: int
    criterion: str
    rows: Any
    weight: Any
    is_new: Any
    one: float
    unit: float

    def targets_of(self, rows):
        """Targets of some rows: one column of 0 and 1 for each class, or real values."""
        if self.n_classes:
            return np.eye(self.n_classes)[self.strata[rows]]
        return at(self.targets, rows)

    @property
    def counts(self):
        """Whether weights say how often rows occur, up to their unit."""
        return are_counts(self.weight / self.unit)

    @property
    def spread_weight(self):
        """Weight of each row in means and spreads: its root, if weights are no counts.

        Means and spreads by heavy weights are those of few rows, by equal ones those of frequent
        classes alone.
        """
        weight = self.weight / self.unit
        return weight if self.counts else np.sqrt(weight)


def at(values, rows):
    """Take some rows of an optional array."""
    return None if values is None else values[rows]


def read_training(estimator, given, weighted, row_weights=None):
    """Read and check what ``fit`` was given, and merge equal rows.

    Parameters
    ----------
    estimator : LEGOFusionTransformer
    given : tuple of (X, y, sample_weight, sample_domain)
    weighted : bool
        Whether the weights are the caller's.
    row_weights : RowWeights, optional
        What is known of weights before equal rows were merged; by default of those given.

    Returns
    -------
    Training

    Raises
    ------
    ValueError, TypeError
        If X, y, the weights or the domains are not usable.
    """
    X, y, sample_weight, sample_domain = given
    table = read_columns(estimator, X, reset=True)
    domains = read_domains(table, sample_domain)
    targets, strata = read_targets(y, len(table), estimator.target_type)
    weight = check_sample_weight(sample_weight, table.X, dtype=np.float64)
    scale = 1.0 if row_weights is None else weight.max() / np.max(sample_weight)  # a power of two
    weight = _drop_empty_rows(table, weight)
    n_classes = 0
    if strata is not None:
        n_classes, strata = _number_classes(strata, weight)
        targets = strata[:, None].astype(np.float64)
        if estimator.target_type == "auto":
            _warn_classes(np.bincount(strata[weight > 0]), np.asarray(y).dtype.kind in "iu")
    criterion = check_criterion(estimator.weights, estimator.interactions, targets, n_classes)
    if row_weights is None:
        row_weights = weigh_rows(weight)
    rows, weight, is_new = canonical_rows(table.X, targets, weight, domains)
    if len(rows) < 2:
        raise ValueError(
            f"Found array with {len(rows)} sample(s) (distinct rows of positive weight) while "
            f"a minimum of 2 is required by {type(estimator).__name__}."
        )
    one = unit = weight_of_one(row_weights) * scale
    if weight.max() > one and _are_measured(table, rows[is_new]):
        one, unit = weight_of_one(weight, may_count=False), weight_of_one(weight)
    elif criterion in ("loo", "neural") and weighted:
        _warn_counts(row_weights, one)
    strata = strata if n_classes else _strata(targets, rows, len(table))
    read = table, domains, targets, strata, n_classes, criterion
    return Training(*read, rows, weight, is_new, one, unit)


def enter_graphs(estimator, training):
    """List the graphs; which ``"auto"`` enters depends on y and on the values of a view.

    Parameters
    ----------
    estimator : LEGOFusionTransformer
        Its parameters and views are read.
    training : Training

    Returns
    -------
    graphs : list of (view, relation)
    beside : list of int
        Which of them ``"auto"`` enters beside the others: alone, from a lower start.
    """
    real = training.targets is not None and not training.n_classes
    more: tuple = FOR_REAL_VALUES if real else FOR_CLASSES
    plain = list_graphs(estimator.views_, estimator.relation, more)
    if _count(estimator, plain) > MAX_TERMS:
        more = ()
        plain = list_graphs(estimator.views_, estimator.relation, more)
    fits = training.criterion in ("loo", "given") and estimator.expansion != "hops"
    if not fits or estimator.zeroth == "identity" or estimator.interactions == "separable":
        return plain, []
    table, distinct = training.table, training.rows[training.is_new]
    continuous = continuous_views(table.X, table.columns, distinct)
    wider = {view: more + FOR_CONTINUOUS * (view in continuous) for view in estimator.views_}
    graphs = list_graphs(estimator.views_, estimator.relation, wider)
    n_terms = _count(estimator, plain) + len(graphs) - len(plain)
    for_plain = training.criterion == "given" and np.shape(estimator.weights) != (n_terms,)
    if n_terms > MAX_TERMS or for_plain:
        return plain, []
    of_auto = chosen_by_auto(graphs, estimator.relation)
    return graphs, [
        k for k, (_, name) in enumerate(graphs) if of_auto[k] and name in FOR_CONTINUOUS
    ]


def _count(estimator, graphs):
    """Terms of a list of graphs."""
    return count_terms(len(graphs), estimator.degree, estimator.interactions)


def class_weights_of(training, rows):
    """Weight, in each class, of all training rows that equal each of these rows."""
    known, asked = (
        mark_rows(training.table.X[part], at(training.domains, part))
        for part in (training.rows, rows)
    )
    code = np.unique(np.vstack([known, asked]), axis=0, return_inverse=True)[1].reshape(-1)
    n_kinds = max(1, training.n_classes)
    kinds = training.strata[training.rows] if training.n_classes else 0
    cells = code[: len(known)] * n_kinds + kinds
    total = np.bincount(cells, training.weight, (code.max() + 1) * n_kinds).reshape(-1, n_kinds)
    return total[code[len(known) :]]


def sample_rows(training, n_samples, rng):
    """Rows that weights are learned on, and their weights."""
    sample = stratified_sample(training.strata[training.rows], n_samples, rng)
    return training.rows[sample], training.weight[sample]


def start_rows(training, rows, rng):
    """Which of these rows neural weights start from; the closed form is cubic in them."""
    if training.criterion != "neural" or len(rows) <= _MOST_AT_START:
        return slice(None)
    return stratified_sample(training.strata[rows], _MOST_AT_START, rng)


def _strata(targets, rows, n_rows):
    """Below, at or above the median of a target, so that rare values are sampled too."""
    if targets is None:
        return np.zeros(n_rows, np.int8)
    varies = (targets[rows] != targets[rows[0]]).any(axis=0)
    column = targets[:, np.argmax(varies)]
    return np.sign(column - np.median(column[rows])).astype(np.int8)


def _number_classes(strata, weight):
    """How many classes have weight, and their numbers; those without one are no classes."""
    left = np.unique(strata[weight > 0])
    return len(left), np.minimum(np.searchsorted(left, strata), max(0, len(left) - 1))


def _drop_empty_rows(table, weight):
    """Set the weight of rows that miss every view to 0; check that each view occurs."""
    if table.missing is None:
        return weight
    lacking = table.missing[weight > 0].all(axis=0)
    if lacking.any():
        view = list(table.views)[np.argmax(lacking)]
        raise ValueError(
            f"{call_view(view, table.views)} is missing (all NaN) in every training row: leave it "
            "out of views, or give rows that have it."
        )
    empty = table.missing.all(axis=1)
    warn_empty(np.count_nonzero(empty & (weight > 0)), "left out of the fit")
    return np.where(empty, 0.0, weight)


def _are_measured(table, distinct):
    """Whether rows hold measurements: equal ones are one row several times, not several alike."""
    if len(distinct) < _FEW_DISTINCT:
        return False
    views = continuous_views(table.X, table.columns, distinct)
    blocks = (take(table.X, table.columns[view], distinct) for view in views)
    values = (block.data if sp.issparse(block) else block for block in blocks)
    return any((np.mod(block, 1) > 0).any() for block in values)


def warn_lone_rows(n_domains, n_rows):
    """Warn where each row is a domain of its own: measurements given as labels."""
    if n_rows >= _FEWEST_LONE and n_domains == n_rows:
        warnings.warn(
            f"Each of {n_rows} rows is a domain of its own: domain_column or sample_domain should "
            "hold labels that rows share, such as sites.",
            UserWarning,
            stacklevel=stack_level(),
        )


def _warn_classes(counts, are_numbers):
    """Warn where whole numbers are likely real values, or labels identify rows."""
    n_classes, n_rows = len(counts), counts.sum()
    many = n_classes > _MANY_CLASSES and n_rows < _FEW_ROWS * n_classes
    if not are_numbers and n_rows > _MANY_CLASSES and n_classes > _OWN * n_rows:
        warnings.warn(
            f"y holds {n_classes} different labels in {n_rows} rows, which are taken for classes. "
            "Do they identify rows? If they are classes, target_type='classification' says so.",
            UserWarning,
            stacklevel=stack_level(),
        )
    if are_numbers and many and np.mean(counts == 1) > _ONCE:
        warnings.warn(
            f"y holds {n_classes} different whole numbers in {n_rows} rows, which are taken for "
            "classes. If they are real values, set target_type='regression'; if they are classes, "
            "target_type='classification' says so.",
            UserWarning,
            stacklevel=stack_level(),
        )


def _warn_counts(row_weights, one):
    """Warn where leave-one-out sees twins, which may not be what weights were meant to say."""
    if one == 1 and row_weights.most > 1:
        warnings.warn(
            "sample_weight holds whole numbers above 1, which count as repeated rows: "
            "leave-one-out then leaves out one of equal rows, which the others predict. If they "
            "say how much rows matter, give sample_weight / sample_weight.max().",
            UserWarning,
            stacklevel=stack_level(),
        )


def warn_empty(count, what):
    """Count the rows without any view in a warning."""
    if count:
        message = f"{count} row(s) miss every view (all NaN) and were {what}."
        warnings.warn(message, UserWarning, stacklevel=stack_level())


def aligns_by_classes(estimator, training):
    """Whether rows of a domain not seen in fit are aligned as rows of classes."""
    told = training.domains is not None and bool(estimator.domain_alignment)
    return told and estimator.unseen_domains == "batch" and training.n_classes > 1


def find_shifts(estimator, training, learned):
    """What there is to know of the domains, if there are any.

    Parameters
    ----------
    estimator : LEGOFusionTransformer
    training : Training
    learned : dict of (view, None) to Statistics

    Returns
    -------
    Shifts or None
    """
    if training.domains is None:
        return None
    coupling = estimator.domain_coupling
    if isinstance(coupling, str):  # rows of an unseen domain would be far from all
        coupling = 0.85 if estimator.unseen_domains == "error" else 1.0
    return learn_shifts(
        training.table.X,
        training.table.columns,
        training.rows,
        training.spread_weight,
        training.domains[training.rows],
        training.strata[training.rows],
        learned,
        float(estimator.domain_alignment),
        float(coupling),
        aligns_by_classes(estimator, training),
    )


def select_landmarks(estimator, training, labels, learned, rng):
    """Indices of the landmark rows among distinct rows, complete rows before others.

    Parameters
    ----------
    estimator : LEGOFusionTransformer
        Its parameters say which and how many.
    training : Training
    labels : list
        The domains.
    learned : dict of (view, None) to Statistics
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of int

    Raises
    ------
    ValueError
        If landmarks that the caller gives are not all rows that hops or an identity need, or lie in
        a domain of which nothing is known; or if there are too few for what needs all rows.
    """
    table, candidates = training.table, training.rows[training.is_new]
    needs_all = ["expansion='hops'"] * (estimator.expansion == "hops")
    needs_all += ["zeroth='identity'"] * (estimator.zeroth == "identity")
    if not isinstance(estimator.landmarks, str):
        given = given_landmarks(estimator.landmarks, len(table))
        for row in [] if training.domains is None else given.tolist():
            if (label := training.domains[row]) not in labels:
                raise ValueError(
                    f"landmarks: row {row} is of domain {str(label)!r}, none of whose rows counts "
                    f"(weight 0, or no view): choose rows of {labels}."
                )
        if needs_all and not np.array_equal(np.sort(given), np.sort(candidates)):
            raise ValueError(
                f"{' and '.join(needs_all)} needs each of the {len(candidates)} distinct "
                "training rows once as a landmark: leave landmarks at its default."
            )
        return given
    if needs_all and estimator.n_landmarks < len(candidates):
        raise ValueError(
            f"{' and '.join(needs_all)} needs all {len(candidates)} distinct training rows as "
            f"landmarks; got n_landmarks={estimator.n_landmarks}: raise it."
        )
    if table.missing is not None:
        complete = candidates[~table.missing[candidates].any(axis=1)]
        if len(complete) >= estimator.n_landmarks:
            candidates = complete
    groups, shares = [candidates], [estimator.n_landmarks]
    if training.domains is not None and estimator.domains == "per-domain" and not needs_all:
        groups = [candidates[training.domains[candidates] == label] for label in labels]
        shares = _even_shares([len(group) for group in groups], estimator.n_landmarks)

    picked = []
    for group, share in zip(groups, shares, strict=True):

        def features(positions, group=group):
            return view_features(table.X[group[positions]], table.columns, learned)

        strata = training.strata[group]
        picked.append(group[choose_landmarks(estimator.landmarks, share, strata, features, rng)])
    return np.concatenate(picked)


def _even_shares(sizes, total):
    """As many of each group as of any other; what small ones lack goes to the others."""
    shares = [0] * len(sizes)
    for place, k in enumerate(np.argsort(sizes, kind="stable").tolist()):
        shares[k] = min(sizes[k], max(1, total // (len(sizes) - place)))
        total = max(0, total - shares[k])
    return shares
