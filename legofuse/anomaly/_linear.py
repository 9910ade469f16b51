"""Linear heads on one draw of references, fitted on all bags and weighed by a trial."""

from copy import copy
from typing import Any, NamedTuple

import numpy as np

from ._extremes import Extremes
from ._fusion import importances, mean_of
from ._heads import EXTREMES, HEADS, ROLE, ExtremesHead, UnitHead
from ._parts import unit_parts
from ._roles import Roles
from ._stack import weigh_units
from ._trials import list_heads, try_heads


class LinearMember:
    """Fused graphs of one draw of references, and the heads that read them.

    Parameters
    ----------
    fusion : UnitFusion
    heads : list of (head, slope, shift)
        The logit of a bag is the sum of slope times that of the head, plus shift.
    places : list of two ndarrays of shape (n_references, 2)
        Bag and unit of the references in the training data.
    roles : Roles, optional
        Relations that mean the same in all domains, where there are several.
    extremes : Extremes, optional
        Features of bags, where a head reads them.
    of_units : list of (head, slope, shift), optional
        Those in the logit of a unit; None if they are the same.
    """

    def __init__(self, fusion, heads, places, roles=None, extremes=None, of_units=None):
        self.fusion, self.heads, self.places, self.roles = fusion, heads, places, roles
        self.extremes, self.of_units = extremes, of_units
        self._project()

    @property
    def unit_heads(self):
        """The (head, slope, shift) in the logit of a unit."""
        return self.heads if self.of_units is None else self.of_units

    def _project(self):
        """Project the heads of scores of bags, and those of bags and units together."""
        given = self.fusion.maps, self.extremes
        self._of_bags = self._of_both = project_all(self.heads, *given)
        if self.of_units is not None:
            self._of_both = project_all([*self.heads, *self.of_units], *given)

    def _features(self, units, offsets, pooled, projected):
        wanted = list({key: None for head, _, _ in projected.heads for key in head.wanted()})
        others = [key for key in wanted if key not in (ROLE, EXTREMES)]
        features = self.fusion.features(units, offsets, others, pooled, projected.maps)
        if ROLE in wanted:
            features[ROLE] = self.roles.logits(self.fusion, units)
        if EXTREMES in wanted:
            ends = offsets if pooled else np.arange(len(units) + 1)
            features[EXTREMES] = self.extremes(units.X, ends, projected.to_values)
        return features

    def bag_logits(self, units, offsets):
        """Logit of each bag; none may be empty."""
        features = self._features(units, offsets, True, self._of_bags)
        return _bag_logits(self._of_bags.heads, features, offsets)

    def unit_logits(self, units, offsets):
        """Logit of each unit, of which what spreads is half at most."""
        return self._unit_logits(self._features(units, offsets, False, self._of_both))

    def _unit_logits(self, features):
        """The same of their features."""
        heads = self._of_both.heads[-len(self.unit_heads) :]
        return sum(slope * head.unit_logits(features) + shift for head, slope, shift in heads)

    def logits(self, units, offsets):
        """Logit of each bag and of each unit, in one pass."""
        features = self._features(units, offsets, False, self._of_both)
        of_units = self._unit_logits(features)
        pool_rows, starts = {"relations": np.maximum.reduceat, "closest": mean_of}, offsets[:-1]
        for key in [key for key in features if key[1] in pool_rows and key != EXTREMES]:
            features[key] = pool_rows[key[1]](features[key], starts)
        if EXTREMES in features:
            features[EXTREMES] = self.extremes(units.X, offsets, self._of_both.to_values)
        return _bag_logits(self._of_both.heads[: len(self.heads)], features, offsets), of_units

    def fused(self, units, offsets, weights):
        """Fused graph of units and landmarks by the weights of the terms."""
        return self.fusion.fused(units, weights)

    def importances(self, weights):
        """Share of each view in the fused graph of the landmarks, by the weights of the terms."""
        return importances(self.fusion.landmarks, weights, self.fusion.landmark_domains)

    def parts(self, units, offsets):
        """Logits of units as sums, see :func:`unit_parts`; None if they are not."""
        given = units, offsets, self.roles, self.extremes
        return unit_parts(self.fusion, self.unit_heads, *given)

    def __getstate__(self):
        """Heads as names and dicts of arrays."""
        heads, of_units = (
            listed and [[type(h).__name__, dict(vars(h)), *scale] for h, *scale in listed]
            for listed in (self.heads, self.of_units)
        )
        roles = None if self.roles is None else dict(vars(self.roles))
        extremes = None if self.extremes is None else dict(vars(self.extremes))
        state = {"fusion": self.fusion, "heads": heads, "places": list(self.places)}
        return state | {"roles": roles, "extremes": extremes, "of_units": of_units}

    def __setstate__(self, state):
        """Make the heads again; older states have the same for units as for bags."""
        self.fusion, self.places = state["fusion"], state["places"]
        self.roles, self.extremes = (
            _made_again(kind, state.get(name))
            for kind, name in ((Roles, "roles"), (Extremes, "extremes"))
        )
        self.heads, self.of_units = (
            listed
            and [(_made_again(HEADS[name], values), *scale) for name, values, *scale in listed]
            for listed in (state["heads"], state.get("of_units"))
        )
        self._project()


def _bag_logits(heads, features, offsets):
    """Logit of each bag by heads, of their features."""
    return sum(slope * head.bag_logits(features, offsets) + shift for head, slope, shift in heads)


def _made_again(kind, values):
    """An object of some kind from its attributes, or None."""
    if values is None:
        return None
    found = object.__new__(kind)
    found.__dict__.update(values)
    return found


class Projected(NamedTuple):
    """Heads made linear in their own sums of relations.

    Attributes
    ----------
    heads : list of (head, slope, shift)
    maps : dict of str to ndarray of shape (n_landmarks, n_heads)
        See :func:`project`.
    to_values : ndarray of shape (n_known_bags, n_heads), or None
        See :func:`project_extremes`.
    """

    heads: Any
    maps: Any
    to_values: Any


def project_all(heads, maps, extremes):
    """All heads projected, those on units and those on extremes of bags."""
    heads, maps = project(heads, maps)
    heads, to_values = project_extremes(heads, extremes)
    return Projected(heads, maps, to_values)


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
    found, columns = [], {name: iter(np.eye(len(group))) for name, group in linear.items()}
    for head, slope, shift in heads:
        if isinstance(head, UnitHead):
            coef = np.append(next(columns[head.name]), head.coef[-1])
            head = copy(head)
            head.coef = coef
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
    several, normal = canonical.several_units, fusion.owners is not None
    names, whole = list(fusion.weights), units.domains is None
    heads = list_heads(names, pooling, top_k, several, normal, fusion.groups, whole)
    features = training_features(fusion, heads, units, offsets, np.arange(len(labels)))
    extremes = None
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
    unit_shares = trial.shares
    if several and pooling == "auto" and trial.losses:
        losses = np.array([trial.losses[str(head)] for head in heads])
        kinds = [head.kind for head in heads]
        telling = np.array([head.tells_units for head in heads])
        unit_shares = weigh_units(trial.shares, losses, canonical.weight.sum(), kinds, telling)
    for head, share in zip(heads, np.maximum(trial.shares, unit_shares), strict=True):
        if share > 0:
            head.fit(features, offsets, labels, weight)
    kept, of_units = scaled(heads, trial.shares, trial.scales), None
    if not np.array_equal(unit_shares, trial.shares):
        of_units = scaled(heads, unit_shares, trial.scales)
    if not any(isinstance(head, ExtremesHead) for head, _, _ in kept):
        extremes = None
    return LinearMember(fusion, kept, places, extremes=extremes, of_units=of_units), trial


def training_features(fusion, heads, units, offsets, bags):
    """What heads read from the fused graphs of training units, and what of it may spread.

    Parameters
    ----------
    fusion : UnitFusion
    heads : list of heads
    units : Units
    offsets : ndarray of shape (n_bags + 1,)
    bags : ndarray of shape (n_bags,), int
        Which training bags these are.

    Returns
    -------
    dict of (str, str) to ndarray
        As of :meth:`UnitFusion.features`.
    """
    wanted = {key: None for head in heads for key in head.wanted() if key not in (ROLE, EXTREMES)}
    if fusion.own is not None:
        wanted |= {(head.name, "spread"): None for head in heads if head.kind == "units"}
    return fusion.features(units, offsets, list(wanted), own=np.repeat(bags, np.diff(offsets)))


def scaled(heads, shares, scales):
    """The heads that have a share, their slope and shift times it."""
    return [
        (head, float(share * slope), float(share * shift))
        for head, share, (slope, shift) in zip(heads, shares, scales, strict=True)
        if share > 0
    ]
