"""Linear heads on one draw of references, fitted on all bags and weighed by a trial."""

from copy import copy

import numpy as np

from ._extremes import Extremes
from ._fusion import importances, mean_of
from ._heads import (
    EXTREMES,
    HEADS,
    MOST_BLUR,
    ROLE,
    ExtremesHead,
    UnitHead,
)
from ._parts import unit_parts
from ._roles import Roles
from ._top_k import pool
from ._trials import list_heads, try_heads


class LinearMember:
    """Fused graphs of one draw of references, and the heads that read them.

    Parameters
    ----------
    fusion : UnitFusion
    heads : list of (head, slope, shift)
        The logit is the sum of slope times that of the head, plus shift.
    places : list of two ndarrays of shape (n_references, 2)
        Bag and unit of the references in the training data.
    roles : Roles, optional
        Relations that mean the same in all domains, where there are several.
    extremes : Extremes, optional
        Features of bags, where a head reads them.
    """

    def __init__(self, fusion, heads, places, roles=None, extremes=None):
        self.fusion, self.heads, self.places, self.roles = fusion, heads, places, roles
        self.extremes = extremes
        self._project()

    def _project(self):
        heads, self._maps = project(self.heads, self.fusion.maps)
        self._fast, self._to_values = project_extremes(heads, self.extremes)

    def _features(self, units, offsets, pooled):
        wanted = list({key: None for head, _, _ in self._fast for key in head.wanted()})
        others = [key for key in wanted if key not in (ROLE, EXTREMES)]
        features = self.fusion.features(units, offsets, others, pooled, self._maps)
        if ROLE in wanted:
            features[ROLE] = self.roles.logits(self.fusion, units)
        if EXTREMES in wanted:
            ends = offsets if pooled else np.arange(len(units) + 1)
            features[EXTREMES] = self.extremes(units.X, ends, self._to_values)
        return features

    def bag_logits(self, units, offsets):
        """Logit of each bag; none may be empty."""
        features = self._features(units, offsets, True)
        return sum(
            slope * head.bag_logits(features, offsets) + shift for head, slope, shift in self._fast
        )

    def unit_logits(self, units, offsets):
        """Logit of each unit: what a bag of it alone would have, save what spreads."""
        features = self._features(units, offsets, False)
        return sum(slope * head.unit_logits(features) + shift for head, slope, shift in self._fast)

    def logits(self, units, offsets):
        """Logit of each bag and of each unit, in one pass."""
        features = self._features(units, offsets, False)
        pool_rows, starts = {"relations": np.maximum.reduceat, "closest": mean_of}, offsets[:-1]
        pooled = {
            key: pool_rows[key[1]](values, starts)
            for key, values in features.items()
            if key[1] in pool_rows and key != EXTREMES
        }
        if EXTREMES in features:
            pooled[EXTREMES] = self.extremes(units.X, offsets, self._to_values)
        of_bags, of_units = np.zeros(len(offsets) - 1), np.zeros(offsets[-1])
        for head, slope, shift in self._fast:
            logits = head.unit_logits(features)
            of_units += slope * logits + shift
            if head.kind == "relations":
                of_bags += slope * head.bag_logits(pooled, offsets) + shift
            elif head.share > MOST_BLUR:
                of_bags += slope * head.bag_logits(features, offsets) + shift
            else:
                of_bags += slope * pool(logits, offsets, head.k) + shift
        return of_bags, of_units

    def fused(self, units, offsets, weights):
        """Fused graph of units and landmarks by the weights of the terms."""
        return self.fusion.fused(units, weights)

    def importances(self, weights):
        """Share of each view in the fused graph of the landmarks, by the weights of the terms."""
        apart = self.fusion.apart
        return importances(self.fusion.landmarks, weights, None if apart is None else apart[0])

    def parts(self, units, offsets):
        """Logits of units as sums, see :func:`unit_parts`; None if they are not."""
        return unit_parts(self.fusion, self.heads, units, offsets, self.roles, self.extremes)

    def __getstate__(self):
        """Heads as names and dicts of arrays."""
        heads = [[type(h).__name__, dict(vars(h)), *scale] for h, *scale in self.heads]
        roles = None if self.roles is None else dict(vars(self.roles))
        extremes = None if self.extremes is None else dict(vars(self.extremes))
        state = {"fusion": self.fusion, "heads": heads, "places": list(self.places)}
        return state | {"roles": roles, "extremes": extremes}

    def __setstate__(self, state):
        """Make the heads again."""
        self.fusion, self.places, self.heads = state["fusion"], state["places"], []
        self.roles, self.extremes = (
            _made_again(kind, state.get(name))
            for kind, name in ((Roles, "roles"), (Extremes, "extremes"))
        )
        for name, values, slope, shift in state["heads"]:
            self.heads.append((_made_again(HEADS[name], values), slope, shift))
        self._project()


def _made_again(kind, values):
    """An object of some kind from its attributes, or None."""
    if values is None:
        return None
    found = object.__new__(kind)
    found.__dict__.update(values)
    return found


def project(heads, maps):
    """Heads that are linear in Nyström features, made linear in their own sums of relations.

    New units need a few sums of their relations to landmarks then, and no features.

    Parameters
    ----------
    heads : list of (head, slope, shift)
    maps : dict of str to ndarray of shape (n_landmarks, n_components)

    Returns
    -------
    heads : list of (head, slope, shift)
    maps : dict of str to ndarray of shape (n_landmarks, n_heads)
    """
    linear: dict = {}
    for head, _, _ in heads:
        if isinstance(head, UnitHead):
            linear.setdefault(head.name, []).append(head)
        elif head.kind == "units":  # may need the features
            return heads, {}
    found = []
    for head, slope, shift in heads:
        if isinstance(head, UnitHead):
            copied, group = copy(head), linear[head.name]
            place = next(k for k, other in enumerate(group) if other is head)
            copied.coef = np.append(np.eye(len(group))[place], head.coef[-1])
            head = copied
        found.append((head, slope, shift))
    return found, {
        name: maps[name] @ np.stack([head.coef[:-1] for head in group], axis=1)
        for name, group in linear.items()
    }


def project_extremes(heads, extremes):
    """Heads on extremes of bags, made linear in their own sums of relations in the same way.

    Parameters
    ----------
    heads : list of (head, slope, shift)
    extremes : Extremes or None

    Returns
    -------
    heads : list of (head, slope, shift)
    to_values : ndarray of shape (n_known_bags, n_heads), or None
    """
    group = [head for head, _, _ in heads if isinstance(head, ExtremesHead)]
    if not group:
        return heads, None
    directions = np.stack([head.factor * head.coef[:-1] for head in group], axis=1)
    found, units = [], iter(np.eye(len(group)))
    for head, slope, shift in heads:
        if isinstance(head, ExtremesHead):
            mean, coef = head.mean @ directions, np.append(next(units), head.coef[-1])
            head = copy(head)
            head.mean, head.factor, head.coef = mean, 1.0, coef
        found.append((head, slope, shift))
    return found, extremes.to_features @ directions


def fit_linear(
    fusion, places, units, canonical, weight, *, pooling, top_k, reference, seed, step=None
):
    """Try heads on held-out bags, fit those that get a weight on all.

    Parameters
    ----------
    fusion : UnitFusion
    places : list of two ndarrays
        See :class:`LinearMember`.
    units : Units
        Of canonical bags.
    canonical : Canonical
    weight : ndarray of shape (n_bags,)
        Weights of the classes included.
    pooling, top_k, reference, seed, step
        See :func:`list_heads` and :func:`try_heads`.

    Returns
    -------
    LinearMember, Trial
    """
    offsets, labels = canonical.offsets, canonical.labels
    several, normal = offsets[-1] > len(labels), fusion.owners is not None
    names, whole = list(fusion.weights), units.domains is None
    heads = list_heads(names, pooling, top_k, several, normal, fusion.groups, whole)
    wanted = {key: None for head in heads for key in head.wanted() if key != EXTREMES}
    if fusion.own is not None:
        wanted |= {(head.name, "spread"): None for head in heads if head.kind == "units"}
    bag = np.repeat(np.arange(len(labels)), np.diff(offsets))
    features, extremes = fusion.features(units, offsets, list(wanted), own=bag), None
    if any(isinstance(head, ExtremesHead) for head in heads):
        columns = {view: fusion.landmarks.columns[view] for view, _ in fusion.graphs}
        extremes = Extremes(units.X, offsets, weight, columns)
        features[EXTREMES] = extremes(units.X, offsets)
    trial = try_heads(
        heads,
        features,
        offsets,
        labels,
        weight,
        reference=reference,
        split=pooling == "both",
        seed=seed,
        n_bags=canonical.weight.sum(),
        step=step,
    )
    kept = []
    for head, share, (slope, shift) in zip(heads, trial.shares, trial.scales, strict=True):
        if share > 0:
            head.fit(features, offsets, labels, weight)
            kept.append((head, float(share * slope), float(share * shift)))
    if not any(isinstance(head, ExtremesHead) for head, _, _ in kept):
        extremes = None
    return LinearMember(fusion, kept, places, extremes=extremes), trial
