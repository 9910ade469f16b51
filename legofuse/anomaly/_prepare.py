"""From canonical bags to fused graphs: views, graphs, terms, statistics, references."""

from typing import Any, NamedTuple

import numpy as np

from .._labels import call_view
from ..fused import FusedGraph
from ..graphs import learn_statistics, take
from ..terms import list_terms
from ._checks import list_unit_graphs
from ._fusion import UnitFusion
from ._parts import places
from ._polynomials import candidate_weights

_POOLED_REFERENCES = 8  # pooled relations are taken to so many times n_references
_FEATURES = 1 << 20  # Nyström features of all distinct units, beyond the first 256 of each


class Prepared(NamedTuple):
    """All that needs no draws.

    Attributes
    ----------
    columns : dict of str to index array
    graphs, own_graphs : list of (view, relation)
        Of units and references; of units of one bag, by which position in time may count.
    expansion, own_expansion : Expansion
    weights, own_weights : dict of str to ndarray
        Competing weights.
    learned : dict of (view, None) to Statistics
    domains : ndarray or None
        Domain of each distinct unit, where features differ from domain to domain.
    """

    columns: Any
    graphs: Any
    own_graphs: Any
    expansion: Any
    own_expansion: Any
    weights: Any
    own_weights: Any
    learned: Any
    domains: Any


def prepare(estimator, bags, canonical):
    """List graphs and terms, and learn statistics.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
        Its parameters say which.
    bags : Packed
    canonical : Canonical

    Returns
    -------
    Prepared

    Raises
    ------
    ValueError
        If `time_view` is no view or the only one, a view is missing in all units, or the expansion
        needs more references than are asked for.
    """
    time = estimator.time_view
    names, apart = list(bags.columns), _differ(bags.columns)
    known = isinstance(time, str) and time in names and len(names) > 1
    if time is not None and not known:
        raise ValueError(
            f"time_view must name one of the views, and not the only one; got {time!r}, the views "
            f"are {names}."
        )
    domains = None if bags.domains is None else bags.unit_domains[canonical.rows]
    _check_present(bags, canonical.rows, domains)
    relation = estimator.relation
    if isinstance(relation, dict):
        relation = {view: name for view, name in relation.items() if view != time}
    graphs = list_unit_graphs([view for view in names if view != time], relation)
    own_graphs = graphs if time is None else [*graphs, (time, "rbf")]
    expansion, own_expansion = (
        list_terms(
            len(listed),
            estimator.degree,
            estimator.interactions,
            estimator.expansion,
            estimator.zeroth,
        )
        for listed in (graphs, own_graphs)
    )
    weight = canonical.unit_weight
    learned = learn_statistics(bags.X, bags.columns, canonical.rows, weight, domains, graphs)
    if time is not None and domains is None:
        stats = learned[time, None]
        positions = take(bags.X, bags.columns[time], canonical.rows)
        learned[time, None] = stats._replace(
            gamma=_width_within(positions, canonical.offsets, weight, stats.gamma)
        )
    needs_all = ["expansion='hops'"] * (estimator.expansion == "hops")
    needs_all += ["zeroth='identity'"] * (estimator.zeroth == "identity")
    if needs_all and apart:
        raise ValueError(
            f"{' and '.join(needs_all)} relates all units to one another, which units of domains "
            "with features of their own cannot be."
        )
    if needs_all and estimator.n_references < len(canonical.distinct):
        raise ValueError(
            f"{' and '.join(needs_all)} needs all {len(canonical.distinct)} distinct training "
            f"units as references; got n_references={estimator.n_references}: raise it."
        )
    weights = candidate_weights(graphs, expansion)
    own_weights = candidate_weights(own_graphs, own_expansion, range(len(graphs), len(own_graphs)))
    return Prepared(
        bags.columns,
        graphs,
        own_graphs,
        expansion,
        own_expansion,
        weights,
        own_weights,
        learned,
        bags.unit_domains[canonical.distinct] if apart else None,
    )


def _differ(columns):
    """Whether features differ from domain to domain."""
    return isinstance(next(iter(columns.values())), dict)


def _check_present(bags, rows, domains):
    """Raise if a view is missing in all units, or in all of a domain."""
    groups = {None: rows}
    if domains is not None:
        groups = {label: rows[domains == label] for label in np.unique(domains).tolist()}
    for domain, some in groups.items():
        for view, index in bags.columns.items():
            index = index[domain] if isinstance(index, dict) else index
            if np.isnan(bags.X[some, index[0]]).all():
                where = "" if domain is None else f" of domain {domain!r}"
                raise ValueError(
                    f"{call_view(view, bags.columns)} is missing (all NaN) in every training "
                    f"unit{where}: leave it out of views, or give units that have it."
                )


def _width_within(positions, offsets, weight, fallback):
    """Inverse squared width of a Gaussian of positions, from their variance within bags."""
    known = ~np.isnan(positions[:, 0])
    mass = np.where(known, weight, 0.0)
    values = np.where(known[:, None], positions, 0.0)
    sums = np.add.reduceat(values * mass[:, None], offsets[:-1])
    totals = np.add.reduceat(mass, offsets[:-1])
    means = sums / np.where(totals > 0, totals, 1.0)[:, None]
    gaps = values - np.repeat(means, np.diff(offsets), axis=0)
    squares = mass @ (gaps**2).sum(axis=1)
    return float(mass.sum() / squares) if squares > 1e-12 * mass.sum() else fallback


def draw_references(prepared, canonical, n_references, rng, wide=False):
    """Draw the references of one member.

    Parameters
    ----------
    prepared : Prepared
    canonical : Canonical
        Its distinct units are the candidates.
    n_references : int
        Where features differ from domain to domain, in each.
    rng : RandomState
    wide : bool
        Landmarks are the references of pooled relations.

    Returns
    -------
    list of two ndarrays
        Indices of units, bag after bag: of landmarks, and of those that pooled relations are taken
        to.
    """
    numbers = [n_references, _POOLED_REFERENCES * n_references]
    groups = [np.arange(len(canonical.distinct))]
    if prepared.domains is not None:
        labels = np.unique(prepared.domains)
        groups = [np.flatnonzero(prepared.domains == label) for label in labels]
    chosen = []
    for n in numbers:
        places = np.concatenate([_sample(group, canonical.home, n, rng) for group in groups])
        places = places[np.argsort(canonical.home[places], kind="stable")]
        chosen.append(canonical.distinct[places])
    return [chosen[1]] * 2 if wide else chosen


def _sample(candidates, home, n, rng):
    """Draw evenly from bags: a second unit of a bag only once every bag has one, and so on."""
    if len(candidates) <= n:
        return candidates
    drawn, bag = rng.permutation(len(candidates)), home[candidates]
    order = np.lexsort((drawn, bag))
    starts = np.flatnonzero(np.diff(bag[order], prepend=-1))
    turn = np.empty(len(bag), dtype=np.intp)
    turn[order] = np.arange(len(bag)) - np.repeat(starts, np.diff(np.append(starts, len(bag))))
    return candidates[np.sort(np.lexsort((drawn, turn))[:n])]


def draw_fusion(estimator, prepared, canonical, bags, rng, own):
    """Draw the references of one member whose heads are linear, and relate units to them.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
    prepared, canonical, bags, own
        As of :func:`make_fusion`.
    rng : RandomState

    Returns
    -------
    fusion, places
        As of :func:`make_fusion`.
    chosen : list of two ndarrays
        Of :func:`draw_references`.
    """
    wide = estimator.pooling == "auto"
    chosen = draw_references(prepared, canonical, estimator.n_references, rng, wide)
    by_bag = wide and canonical.several_units
    novelty = by_bag and canonical.two_of_each
    fusion, ids = make_fusion(prepared, canonical, bags, chosen, own, novelty, by_bag)
    return fusion, ids, chosen


def make_fusion(prepared, canonical, bags, chosen, own, novelty=False, by_bag=False):
    """Relate units to references, and (if `own`) to the others of their bag.

    Parameters
    ----------
    prepared : Prepared
    canonical : Canonical
    bags : Packed
    chosen : list of two ndarrays
        Of :func:`draw_references`.
    own : bool
    novelty : bool
        Whether it is told which landmarks are normal.
    by_bag : bool
        Whether it is told which references are of the same bag, where bags have two or more.

    Returns
    -------
    fusion : UnitFusion
    places : list of two ndarrays of shape (n_references, 2)
        Bag and unit of the references.
    """
    mass = canonical.mass if prepared.expansion.degree is not None else None
    parts = prepared.columns, prepared.graphs, prepared.expansion, prepared.learned
    units = [bags.units[rows] for rows in chosen]
    landmarks = references = FusedGraph(*parts, units[0].X, units[0].domains, mass)
    if chosen[1] is not chosen[0]:
        references = FusedGraph(*parts, units[1].X, units[1].domains, mass)
    apart = None if prepared.domains is None else [u.domains for u in units]
    within = (prepared.own_graphs, prepared.own_expansion, prepared.own_weights) if own else None
    n_components = max(256, _FEATURES // len(canonical.distinct))
    owners = groups = None
    if novelty:
        owners = look_up(canonical, canonical.owner, chosen[0])
        owners = owners if (owners >= 0).any() else None
    if by_bag:
        of = look_up(canonical, canonical.home, chosen[1])
        starts = np.flatnonzero(np.diff(of, prepend=-1))
        groups = starts if len(of) >= 2 * len(starts) else None
    fusion = UnitFusion(
        landmarks, references, prepared.weights, within, apart, n_components, owners, groups
    )
    return fusion, [places(rows, bags) for rows in chosen]


def look_up(canonical, values, chosen):
    """Values of distinct units, for those that were chosen."""
    order = np.argsort(canonical.distinct)
    return values[order[np.searchsorted(canonical.distinct, chosen, sorter=order)]]
