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
from ._linear import LinearMember
from ._prepare import draw_references, make_fusion
from ._roles import Roles, fit_shared, shared_classes
from ._stack import calibrate, choose_share, held_out_scores, weigh
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
        base, parts, columns = np.zeros(len(units)), None, [self._columns(k) for k in (0, 1)]
        for domain, member, _, rows, of in self._each(units, offsets):
            some = member.parts(*of)
            if some is None:
                return None
            base[rows], n_views = some[0], some[1][0].shape[1]
            if parts is None:
                widths = [sum(map(len, by.values())) for by in columns]
                parts = [np.zeros((len(units), n_views, width)) for width in widths]
            for k, part in enumerate(some[1]):
                parts[k][np.ix_(rows, np.arange(n_views), columns[k][domain])] = part
        return base, parts

    def __getstate__(self):
        """Domains and their members as lists."""
        return {"domains": list(self.members), "members": list(self.members.values())}

    def __setstate__(self, state):
        """Put the parts together again."""
        self.members = dict(zip(state["domains"], state["members"], strict=True))


def parts_by_domain(canonical, prepared, bags):
    """Canonical bags and what is prepared, for each domain.

    Returns
    -------
    dict of str or int to (Canonical, Prepared, ndarray)
        The last is which canonical bags these are.
    """
    of_bags = bags.unit_domains[canonical.rows[canonical.offsets[:-1]]]
    found = {}
    for domain in np.unique(prepared.domains).tolist():
        where = np.flatnonzero(of_bags == domain)
        rows, offsets = units_of(canonical.offsets, where)
        mine = prepared.domains == domain
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
        narrowed = prepared._replace(
            distinct=part.distinct, mass=part.mass, owner=part.owner, home=part.home, domains=None
        )
        found[domain] = part, narrowed, where
    return found


def parts_to_share(canonical, prepared, bags):
    """Parts of domains of different features, if these have bags enough to share a head.

    Returns
    -------
    dict
        Of :func:`parts_by_domain`; empty if they cannot share.
    """
    if prepared.domains is None or len(np.unique(prepared.domains)) < 2:
        return {}
    parts = parts_by_domain(canonical, prepared, bags)
    return parts if shared_classes([part.labels for part, _, _ in parts.values()]) else {}


def fit_apart(estimator, bags, parts, weight, rng, own, step=None):
    """Fit members of the domains, which share a head on roles.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
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
    found = {}
    wide = estimator.pooling == "auto"
    for domain, (part, narrowed, _) in parts.items():
        chosen = draw_references(narrowed, estimator.n_references, rng, wide)
        by_bag = wide and part.offsets[-1] > len(part.labels)
        novelty = by_bag and _told(part)
        fusion = make_fusion(narrowed, bags, chosen, own, novelty, by_bag)
        found[domain] = fusion, _bags_of(chosen[1], part)
    shared = {}
    if estimator.pooling != "relations":
        shared = _share(found, parts, bags, weight, rng)
    tried = {}
    largest = max(parts, key=lambda domain: len(parts[domain][2]))
    for domain, (part, _, where) in parts.items():
        (fusion, _), _ = found[domain]
        logits = shared[domain][1] if shared else None
        of_bags = part.offsets, part.labels, weight[where]
        heads = _list_heads(estimator, fusion, part, logits is not None)
        features = _features(fusion, heads, bags.units[part.rows], part.offsets, where)
        if logits is not None:
            features[ROLE] = logits
        seed, names = rng.randint(np.iinfo(np.int32).max), [str(head) for head in heads]
        given = heads, features, *of_bags, estimator.reference, seed
        scales, losses = _try(*given, step if domain == largest else None)
        named = dict(zip(names, losses, strict=True))
        tried[domain] = heads, (features, *of_bags), scales, named
    members, trials = {}, []
    for domain, ((fusion, ids), _) in found.items():
        losses = [each[3] for each in tried.values()]
        n_bags, split = parts[domain][0].weight.sum(), estimator.pooling == "both"
        kept, trial = _keep(*tried[domain], losses, n_bags, split)
        members[domain] = LinearMember(fusion, kept, ids, shared[domain][0] if shared else None)
        trials.append(trial)
    return DomainsMember(members), trials


def _keep(heads, of, scales, losses, everywhere, n_bags, split):
    """Fit the heads of a domain that get a weight on all of its bags."""
    others = [other for other in everywhere if other is not losses]
    shares, kept = _shares(heads, losses, others, n_bags, split), []
    for head, share, (slope, shift) in zip(heads, shares, scales, strict=True):
        if share > 0:
            head.fit(*of)
            kept.append((head, float(share * slope), float(share * shift)))
    known = {str(h): v for h, v in zip(heads, losses.values(), strict=True) if v is not None}
    return kept, Trial(heads, scales, shares, known)


def _try(heads, features, offsets, labels, weight, reference, seed, step):
    """Slope and shift of each head, and its held-out log-loss (None without two bags a class)."""
    scores = held_out_scores(heads, features, offsets, labels, weight, seed, step)
    if scores is None:
        for head in heads:
            if head.kind == "units" and reference == "both":
                head.share = 0.5
        return [(1.0, 0.0)] * len(heads), [None] * len(heads)
    scales, losses = [], []
    for head, (logits, smooth) in zip(heads, scores, strict=True):
        if head.kind != "relations":
            fee = 1.0 if reference == "auto" else 0.0
            given = logits, smooth, offsets, labels, weight
            head.share, logits = choose_share(head, *given, fee)
        fitted = calibrate if head.kind == "novelty" else settle  # relations are no logits
        slope, shift, loss = fitted(logits, labels, weight)
        scales.append((slope, shift))
        losses.append(loss)
    return scales, losses


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


def _shares(heads, losses, others, n_bags, split):
    """Weight of each head by its losses in its own domain and, for a few bags, in others."""
    total = np.array([0.0 if loss is None else loss for loss in losses.values()])
    for other in others:
        known = [loss for loss in other.values() if loss is not None]
        if known:  # a head that was not tried there is no better than the worst
            lent = [other.get(name) for name in losses]
            filled = [max(known) if loss is None else loss for loss in lent]
            total += LENT / (n_bags * len(others)) * np.array(filled)
    kinds = [head.kind for head in heads]
    families = [getattr(head, "family", head.kind) for head in heads]
    groups = [set(kinds)] if not split else [{kind} for kind in dict.fromkeys(kinds)]
    shares = np.zeros(len(heads))
    for group in groups:
        where = [k for k, kind in enumerate(kinds) if kind in group]
        found = weigh(total[where], n_bags, [families[k] for k in where])
        shares[where] = found / len(groups)
    return shares


def _bags_of(rows, canonical):
    """Which canonical bag units are in, by their rows."""
    order = np.argsort(canonical.rows)
    place = order[np.searchsorted(canonical.rows, rows, sorter=order)]
    return np.searchsorted(canonical.offsets, place, "right") - 1


def _share(found, parts, bags, weight, rng):
    """Roles of each domain, and the logits of its units by a head fitted without their bag."""
    labels = {domain: parts[domain][0].labels for domain in parts}
    drawn = [labels[domain][np.unique(of)] for domain, (_, of) in found.items()]
    classes = shared_classes(drawn)
    if not classes:
        return {}
    pieces, all_roles = [], []
    for domain, ((fusion, _), of) in found.items():
        part, _, where = parts[domain]
        roles = Roles(of, labels[domain][of], classes)
        lengths = np.diff(part.offsets)
        own = np.repeat(np.arange(len(lengths)), lengths)
        measured = roles.measure(fusion, bags.units[part.rows], own)
        values = roles.learn(measured, np.repeat(weight[where], lengths))
        pieces.append((values, part.offsets, part.labels, weight[where]))
        all_roles.append(roles)
    coef, held_out = fit_shared(pieces, rng)
    for roles in all_roles:
        roles.coef = coef
    return dict(zip(found, zip(all_roles, held_out, strict=True), strict=True))


def _told(part):
    """Whether there are two bags of each class, so that bags can be held out."""
    return np.bincount(part.labels, minlength=2).min() > 1


def _list_heads(estimator, fusion, part, shares):
    """Heads of a domain that compete."""
    names, pooling, top_k = list(fusion.weights), estimator.pooling, estimator.top_k
    several = part.offsets[-1] > len(part.labels)
    ks = competing_counts(top_k) if several and pooling == "auto" else [top_k]
    by_roles = [LeaningHead(names[0], k, 1.0, deviates=False) for k in ks] if shares else []
    if shares and len(np.unique(part.labels)) < 2:
        return by_roles
    leaning = [LeaningHead(name, k) for name in names for k in ks] if shares else []
    normal = fusion.owners is not None
    listed = list_heads(names, pooling, top_k, several, normal, fusion.groups)
    return [*listed, *leaning, *by_roles]


def _features(fusion, heads, units, offsets, bags):
    """Features that heads read, and what of them spreads."""
    wanted = {key: None for head in heads for key in head.wanted() if key != ROLE}
    if fusion.own is not None:
        wanted |= {(head.name, "spread"): None for head in heads if head.kind == "units"}
    return fusion.features(units, offsets, list(wanted), own=np.repeat(bags, np.diff(offsets)))
