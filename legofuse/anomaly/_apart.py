"""Domains of different features: each has references and heads, and all share a head on roles.

Heads of a domain compete on its own held-out bags: those that know nothing of the other domains,
those that deviate from the shared head as far as its own bags say, and the shared head itself. What
held-out bags of other domains say of the same heads counts as much as a few bags of its own. So few
bags lean on the other domains, and many need not.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from ._bags import Canonical, units_of
from ._heads import ROLE, LeaningHead
from ._linear import LinearMember, scaled, training_features
from ._prepare import draw_fusion, look_up
from ._roles import Roles, fit_shared, shared_classes
from ._stack import calibrate, held_out_logits, weigh_heads
from ._top_k import competing_counts
from ._trials import Trial, list_heads

SETTLED = 10.0  # bags that say that the slope of a head's logits is 1
LENT = 8.0  # bags that held-out losses in other domains count as


class DomainsMember:
    """Members of several domains: units are scored by that of their own.

    Parameters
    ----------
    members : dict of str or int to LinearMember
        By domain.
    """

    def __init__(self, members):
        self.members = members

    @property
    def heads(self):
        """The (head, slope, shift) of all domains."""
        return [head for member in self.members.values() for head in member.heads]

    @property
    def unit_heads(self):
        """Those in the logits of units."""
        return [head for member in self.members.values() for head in member.unit_heads]

    @property
    def places(self):
        """Bag and unit of the references, domain after domain."""
        pairs = zip(*(member.places for member in self.members.values()), strict=True)
        return [np.concatenate(pair) for pair in pairs]

    def _each(self, units, offsets):
        """Each domain that bags are of: its member, these bags, their units, and offsets."""
        domains = units.domains[offsets[:-1]]
        for domain, member in self.members.items():
            bags = np.flatnonzero(domains == domain)
            if len(bags):
                rows, ends = units_of(offsets, bags)
                yield domain, member, bags, rows, (units[rows], ends)

    def bag_logits(self, units, offsets):
        """Logit of each bag; none may be empty."""
        found = np.empty(len(offsets) - 1)
        for _, member, bags, _, of in self._each(units, offsets):
            found[bags] = member.bag_logits(*of)
        return found

    def unit_logits(self, units, offsets):
        """Logit of each unit: what a bag of it alone would have, save what spreads."""
        found = np.empty(len(units))
        for _, member, _, rows, of in self._each(units, offsets):
            found[rows] = member.unit_logits(*of)
        return found

    def logits(self, units, offsets):
        """Logit of each bag and of each unit, in one pass."""
        of_bags, of_units = np.empty(len(offsets) - 1), np.empty(len(units))
        for _, member, bags, rows, of in self._each(units, offsets):
            of_bags[bags], of_units[rows] = member.logits(*of)
        return of_bags, of_units

    def fused(self, units, offsets, weights):
        """Fused graph of units and the landmarks of all domains; 0 to those of others."""
        places = self._columns(0)
        found = np.zeros((len(units), sum(map(len, places.values()))))
        for domain, member, _, rows, of in self._each(units, offsets):
            found[np.ix_(rows, places[domain])] = member.fused(*of, weights)
        return found

    def _columns(self, kind):
        """Places of the references of each domain among all; kind as in ``places``."""
        sizes = [len(member.places[kind]) for member in self.members.values()]
        return dict(
            zip(self.members, np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1]), strict=True)
        )

    def importances(self, weights):
        """Share of each view in the fused graphs of landmarks, the mean over domains."""
        found = [member.importances(weights) for member in self.members.values()]
        sizes = [len(member.places[0]) for member in self.members.values()]
        return {
            view: float(np.average([part[view] for part in found], weights=sizes))
            for view in found[0]
        }

    def parts(self, units, offsets):
        """Logits of units as sums, see :func:`unit_parts`; None if they are not."""
        base, columns = np.zeros(len(units)), [self._columns(k) for k in (0, 1)]
        graphs = next(iter(self.members.values())).fusion.graphs
        n_views = len({view for view, _ in graphs})
        parts = [np.zeros((len(units), n_views, sum(map(len, by.values())))) for by in columns]
        for domain, member, _, rows, of in self._each(units, offsets):
            some = member.parts(*of)
            if some is None:
                return None
            base[rows] = some[0]
            for k, part in enumerate(some[1]):
                parts[k][np.ix_(rows, np.arange(n_views), columns[k][domain])] = part
        return base, parts

    def __getstate__(self):
        """Domains and their members as lists."""
        return {"domains": list(self.members), "members": list(self.members.values())}

    def __setstate__(self, state):
        """Put the parts together again."""
        self.members = dict(zip(state["domains"], state["members"], strict=True))


def parts_to_share(canonical, domains, bags):
    """Canonical bags of each domain, if features differ and these have bags enough to share a head.

    Parameters
    ----------
    canonical : Canonical
    domains : ndarray of shape (n_distinct,) or None
        As in :class:`Prepared`.
    bags : Packed

    Returns
    -------
    dict of str or int to (Canonical, ndarray)
        By domain. The second is which canonical bags these are, by whose numbers ``owner`` and
        ``home`` still go. Empty if they cannot share.
    """
    labels = [] if domains is None else np.unique(domains).tolist()
    if len(labels) < 2:
        return {}
    of_bags = bags.unit_domains[canonical.rows[canonical.offsets[:-1]]]
    found = {}
    for domain in labels:
        where, mine = np.flatnonzero(of_bags == domain), domains == domain
        rows, offsets = units_of(canonical.offsets, where)
        part = Canonical(
            canonical.rows[rows],
            offsets,
            canonical.labels[where],
            canonical.weight[where],
            canonical.distinct[mine],
            canonical.mass[mine],
            canonical.owner[mine],
            canonical.home[mine],
        )
        found[domain] = part, where
    return found if shared_classes([part.labels for part, _ in found.values()]) else {}


def fit_apart(estimator, prepared, bags, parts, weight, rng, own, step=None):
    """Fit members of the domains, which share a head on roles.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
    prepared : Prepared
    bags : Packed
    parts : dict
        Of :func:`parts_to_share`.
    weight : ndarray of shape (n_bags,)
        Weights of the classes included.
    rng : RandomState
    own : bool
        Whether units are related to the others of their bag.
    step : callable, optional
        Called with the name of each fold of the largest domain that is done.

    Returns
    -------
    DomainsMember
    trials : list of Trial
        One for each domain.
    """
    fusions, places, of_references = {}, {}, {}
    within = prepared._replace(domains=None)  # references are of one domain
    for domain, (part, where) in parts.items():
        given = estimator, within, part, bags, rng, own
        fusions[domain], places[domain], chosen = draw_fusion(*given)
        of_references[domain] = np.searchsorted(where, look_up(part, part.home, chosen[1]))
    roles = logits = dict.fromkeys(parts)
    if estimator.pooling != "relations":
        roles, logits = _share(fusions, of_references, parts, bags, weight, rng)
    tried = {}
    largest = max(parts, key=lambda domain: len(parts[domain][1]))
    for domain, (part, where) in parts.items():
        fusion, shared = fusions[domain], logits[domain]
        heads = _list_heads(estimator, fusion, part, shared is not None)
        features = training_features(fusion, heads, bags.units[part.rows], part.offsets, where)
        if shared is not None:
            features[ROLE] = shared
        of = features, part.offsets, part.labels, weight[where]
        seed, names = rng.randint(np.iinfo(np.int32).max), list(map(str, heads))
        told = step if domain == largest else None
        scales, losses = _try(heads, of, estimator.reference, seed, told)
        tried[domain] = heads, of, scales, dict(zip(names, losses, strict=True))
    members, trials = {}, []
    for domain, (heads, of, scales, losses) in tried.items():
        others = [each[3] for each in tried.values() if each[3] is not losses]
        n_bags, split = parts[domain][0].weight.sum(), estimator.pooling == "both"
        shares = _weigh(heads, losses, others, n_bags, split)
        for head, share in zip(heads, shares, strict=True):
            if share > 0:
                head.fit(*of)
        kept = scaled(heads, shares, scales)
        members[domain] = LinearMember(fusions[domain], kept, places[domain], roles[domain])
        known = {str(h): v for h, v in zip(heads, losses.values(), strict=True) if v is not None}
        trials.append(Trial(heads, scales, shares, known))
    return DomainsMember(members), trials


def _try(heads, of, reference, seed, step):
    """Slope and shift of each head, and its held-out log-loss (None without two bags a class)."""
    logits = held_out_logits(heads, *of, reference=reference, seed=seed, step=step)
    if logits is None:
        return [(1.0, 0.0)] * len(heads), [None] * len(heads)
    found = [
        (calibrate if head.kind == "novelty" else settle)(of_bags, *of[2:])  # novelty is no logit
        for head, of_bags in zip(heads, logits, strict=True)
    ]
    return [scale[:2] for scale in found], [loss for _, _, loss in found]


def settle(logits, labels, weight):
    """Slope (at least 0) and shift that make logits fit labels, near 1 and 0 where bags are few.

    Returns
    -------
    slope, shift, loss : float
    """
    sign, share, total = 2.0 * labels - 1, weight / weight.sum(), weight.sum()

    def objective(p):
        margin = sign * (p[0] * logits + p[1])
        pull = share * -sign * expit(-margin)
        gaps = np.array([SETTLED * (p[0] - 1), p[1]]) / total
        value = share @ np.logaddexp(0, -margin) + 0.5 * gaps @ [p[0] - 1, p[1]]
        return value, np.array([pull @ logits, pull.sum()]) + gaps

    bounds = [(0, None), (None, None)]
    found = minimize(objective, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds)
    slope, shift = map(float, found.x)
    return slope, shift, float(share @ np.logaddexp(0, -sign * (slope * logits + shift)))


def _weigh(heads, losses, others, n_bags, split):
    """Weight of each head by its losses in its own domain and, for a few bags, in others."""
    total = np.array([0.0 if loss is None else loss for loss in losses.values()])
    for other in others:
        known = [loss for loss in other.values() if loss is not None]
        if known:  # a head that was not tried there is no better than the worst
            lent = [other.get(name) for name in losses]
            filled = [max(known) if loss is None else loss for loss in lent]
            total += LENT / (n_bags * len(others)) * np.array(filled)
    return weigh_heads(heads, total, n_bags, split)


def _share(fusions, of_references, parts, bags, weight, rng):
    """Roles in each domain, and the logits of its units by a head fitted without their bag.

    By domain; None unless references come from two bags of a class in every domain.
    """
    labels = {domain: part.labels for domain, (part, _) in parts.items()}
    classes = shared_classes(
        [labels[domain][np.unique(of)] for domain, of in of_references.items()]
    )
    if not classes:
        return dict.fromkeys(parts), dict.fromkeys(parts)
    pieces, roles = [], {}
    for domain, (part, where) in parts.items():
        of, lengths = of_references[domain], np.diff(part.offsets)
        roles[domain] = Roles(of, labels[domain][of], classes)
        own = np.repeat(np.arange(len(lengths)), lengths)
        measured = roles[domain].measure(fusions[domain], bags.units[part.rows], own)
        values = roles[domain].learn(measured, np.repeat(weight[where], lengths))
        pieces.append((values, part.offsets, part.labels, weight[where]))
    coef, held_out = fit_shared(pieces, rng)
    for each in roles.values():
        each.coef = coef
    return roles, dict(zip(parts, held_out, strict=True))


def _list_heads(estimator, fusion, part, shared):
    """Heads of a domain that compete."""
    names, pooling, top_k = list(fusion.weights), estimator.pooling, estimator.top_k
    several = part.several_units
    ks = competing_counts(top_k) if several and pooling == "auto" else [top_k]
    by_roles = [LeaningHead(names[0], k, 1.0, deviates=False) for k in ks] if shared else []
    if shared and len(np.unique(part.labels)) < 2:
        return by_roles
    leaning = [LeaningHead(name, k) for name in names for k in ks] if shared else []
    normal = fusion.owners is not None
    listed = list_heads(names, pooling, top_k, several, normal, fusion.groups)
    return [*listed, *leaning, *by_roles]
