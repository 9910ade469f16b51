"""Scores of units as sums: what each reference unit says through each view.

A unit's logit by linear heads is linear in its fused relations to references, and these are sums
over terms; a term is divided among its views by exponent. What spreads over the graph of the bag
is a mean of such sums, that of related units. Novelty is one relation, to the most related normal
landmark.
"""

import math
from itertools import pairwise

import numpy as np
from scipy.special import logit

from ..fusion import fuse
from ._heads import EXTREMES, MOST_BLUR, ClosestHead, ExtremesHead


def places(rows, bags):
    """Bag and unit of rows of the units that have a view, of shape (n_rows, 2)."""
    units = np.flatnonzero(bags.has_view)[rows]
    bag = np.searchsorted(bags.all_offsets, units, side="right") - 1
    return np.column_stack([bag, units - bags.all_offsets[bag]])


def unit_parts(fusion, heads, units, offsets, roles=None, extremes=None):
    """Parts of the logits of units.

    Parameters
    ----------
    fusion : UnitFusion
    heads : list of (head, slope, shift)
        The logit is the sum of slope times that of the head, plus shift.
    units : Units
    offsets : ndarray of shape (n_bags + 1,)
    roles : Roles, optional
        What heads that domains share read.
    extremes : Extremes, optional
        What heads on extremes of bags read.

    Returns
    -------
    base : float, or ndarray of shape (n_units,)
        What extremes say is part of it: they relate bags, and no unit to a unit.
    parts : list of two ndarrays of shape (n_units, n_views, n_references)
        To landmarks and to the references of pooled relations. None if a head reads anything else.
    """
    expansion = fusion.landmarks.expansion
    if expansion.separable or expansion.identity or expansion.degree is not None:
        return None
    owners = [view for view, _ in fusion.graphs]
    views = list(dict.fromkeys(owners))
    membership = (np.array(owners)[:, None] == np.array(views)).astype(float)
    shares = expansion.powers / expansion.powers.sum(axis=1, keepdims=True) @ membership
    sets = {"units": fusion.landmarks, "relations": fusion.references}
    parts = {kind: np.zeros((len(units), len(views), len(rows))) for kind, rows in sets.items()}
    to = sets | {"novelty": fusion.landmarks}
    base, rows = 0.0, fusion.narrow(fusion.encode(units)[0])
    alone = {}  # what heads on extremes read of units
    if extremes is not None:
        alone[EXTREMES] = extremes(units.X, np.arange(len(units) + 1))
    for head, slope, shift in heads:
        if head.kind not in to:
            return None
        if isinstance(head, ExtremesHead):
            base = base + slope * head.unit_logits(alone) + shift
            continue
        found = _fused_by_view(fusion, head.name, rows, to[head.kind], shares)
        if head.kind == "novelty":
            base += shift
            parts["units"] -= slope * _nearest(fusion, found, units.domains)
            continue
        alpha, start = _direction(head, fusion.maps.get(head.name))
        same = fusion.same_domain(to[head.kind], units.domains)
        if same is not None:
            found *= same[:, None]
        if isinstance(head, ClosestHead):
            ends = np.append(fusion.groups, found.shape[2])
            found *= _closest(found.sum(axis=1), ends)[:, None]
            alpha = np.repeat(alpha, np.diff(ends))
        base, found = base + slope * start + shift, found * (slope * alpha)
        share = min(head.share, MOST_BLUR)
        if share:
            flat = found.reshape(len(units), math.prod(found.shape[1:]))
            smooth = fusion.smooth(units, offsets, head.name, flat)
            found = (flat + share * (smooth - flat)).reshape(found.shape)
        parts[head.kind] += found
    trust = sum(slope * getattr(head, "trust", 0.0) for head, slope, _ in heads)
    if trust:
        start, factors = roles.sums(fusion, units)
        base = base + trust * start
        for name, factor in factors.items():
            found = _fused_by_view(fusion, name, rows, fusion.references, shares)
            parts["relations"] += trust * factor[:, None] * found
    return base, list(parts.values())


def _nearest(fusion, found, domains):
    """The relation to the most related normal landmark, by view; 0 to all others."""
    largest, which = fusion.to_normal(found.sum(axis=1), domains)
    only = np.zeros((len(found), found.shape[2]))
    only[np.arange(len(found)), which] = largest != 0
    return found * only[:, None]


def _closest(fused, ends):
    """1 where a reference is the closest to a unit of those of its training bag, else 0."""
    only, rows = np.zeros_like(fused), np.arange(len(fused))
    for start, stop in pairwise(ends.tolist()):
        only[rows, start + fused[:, start:stop].argmax(axis=1)] = 1
    return only


def _direction(head, to_features):
    """Coefficients of a head in relations to references, and what it adds."""
    coef, start = head.coef[:-1], head.coef[-1]
    if head.kind == "units":
        return to_features @ coef, start
    return head.factor * coef, start - head.factor * (head.mean @ coef)


def _fused_by_view(fusion, name, rows, to, shares):
    """Fused graph divided among the views, of shape (n_units, n_views, n_references)."""
    weights, relations = fusion.weights[name], to.relations(rows)
    found = np.stack([fuse(relations, to.expansion.powers, weights * s) for s in shares.T], axis=1)
    for axis, part in ((0, rows), (2, to.references)):
        if part.present is not None:
            scale = fusion.polynomials.factor(name, part.present)
            found *= np.expand_dims(scale, [k for k in range(3) if k != axis])
    return found


def assemble(found, bags, ids, prior):
    """Parts of all units to all different references, the base of each unit, and the references.

    Parameters
    ----------
    found : list of (float or ndarray, list of ndarray)
        Of :func:`unit_parts`, one for each member; logits are their mean.
    bags : Packed
    ids : list of ndarray of shape (n_references, 2)
        Bag and unit of the references.
    prior : float
        Probability of a unit that misses every view.
    """
    n_units = bags.has_view.sum()
    base = np.mean([np.broadcast_to(start, n_units) for start, _ in found], axis=0)
    pieces = [part / len(found) for _, parts in found for part in parts]
    references, where = np.unique(np.concatenate(ids), axis=0, return_inverse=True)
    joined = np.concatenate(pieces, axis=2)
    parts = np.zeros((len(bags.has_view), joined.shape[1], len(references)))
    order = np.argsort(where.ravel(), kind="stable")
    starts = np.flatnonzero(np.diff(where.ravel()[order], prepend=-1))
    parts[bags.has_view] = np.add.reduceat(joined[:, :, order], starts, axis=2)
    none = logit(np.clip(prior, 1e-12, 1 - 1e-12))
    bases = np.full(len(bags.has_view), none)
    bases[bags.has_view] = base
    return references, parts, bases
