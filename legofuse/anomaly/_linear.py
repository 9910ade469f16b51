"""Linear heads on one draw of references: tried on held-out bags, weighed, fitted on all."""

from copy import copy
from typing import Any, NamedTuple

import numpy as np

from ._extremes import Extremes
from ._fusion import importances, mean_of
from ._heads import (
    EXTREMES,
    HEADS,
    MOST_BLUR,
    ROLE,
    ClosestHead,
    ExtremesHead,
    NoveltyHead,
    PooledHead,
    PropagatedHead,
    TiedHead,
    UnitHead,
)
from ._parts import unit_parts
from ._roles import Roles
from ._stack import calibrate, choose_share, held_out_scores, sharpen, weigh
from ._top_k import competing_counts, pool

PENALTIES = (0.005, 0.1)  # of heads on pooled relations: few bags want little, many more


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


class Trial(NamedTuple):
    """What held-out bags say of the heads.

    Attributes
    ----------
    heads : list of heads
        Their ``share`` set; not fitted.
    scales : list of (slope, shift)
    shares : ndarray of shape (n_heads,)
        Weight of each; they add up to 1.
    losses : dict of str to float
        Held-out log-loss by head; empty where a class has a single bag.
    """

    heads: Any
    scales: Any
    shares: Any
    losses: Any


def list_heads(names, pooling, top_k, several=True, normal=False, groups=None, whole=False):
    """Heads that compete, by how they pool.

    Parameters
    ----------
    names : list of str
        Of competing weights.
    pooling : {"auto", "units", "relations", "both"}
    top_k : int or float
    several : bool
        Whether bags have several units; if not, all heads of units are the same.
    normal : bool
        Whether units are related to normal ones.
    groups : ndarray of shape (n_groups,), int, optional
        Where the references of each training bag begin, if bags are related to bags.
    whole : bool
        Whether bags are described as a whole, too, by their extremes.

    Returns
    -------
    list of heads
    """
    several = several and pooling == "auto"
    ks = competing_counts(top_k) if several else [top_k]
    heads: list = []
    if pooling != "relations":
        heads += [UnitHead(name, k) for name in names for k in ks]
    if several:
        heads += [PropagatedHead(name, top_k) for name in names]
        heads += [NoveltyHead(name, top_k) for name in names if normal]
    if pooling != "units":
        penalties = PENALTIES if pooling == "auto" else PENALTIES[:1]
        pairs = [(name, penalty) for name in names for penalty in penalties]
        heads += [PooledHead(*pair) for pair in pairs]
        if several and groups is not None:
            heads += [TiedHead(*pair, groups) for pair in pairs]
            heads += [ClosestHead(*pair) for pair in pairs]
        if several and whole:
            heads += [ExtremesHead(penalty) for penalty in penalties]
    return heads


def try_heads(
    heads, features, offsets, labels, weight, *, reference, split, seed, n_bags, step=None
):
    """Score held-out bags by each head, choose what spreads, weigh the heads, sharpen their mean.

    Parameters
    ----------
    heads : list of heads
    features : dict from (name, kind) to ndarray
    offsets, labels, weight : ndarrays, of the bags
    reference : {"auto", "landmarks", "both"}
        For ``"auto"`` spreading must gain a nat.
    split : bool
        Whether the kinds of heads share the weight evenly.
    seed : int
    n_bags : float
        Their weight, those of classes left out.
    step : callable, optional
        Called with the name of each fold that is done.

    Returns
    -------
    Trial
    """
    scores = held_out_scores(heads, features, offsets, labels, weight, seed, step)
    of_bags: list = []
    if scores is None:
        for head in heads:
            if head.kind == "units" and reference == "both":
                head.share = 0.5
        found = [(1.0, 0.0, 0.0)] * len(heads)
    else:
        found = []
        for head, (logits, smooth) in zip(heads, scores, strict=True):
            if head.kind != "relations":
                fee = 1.0 if reference == "auto" else 0.0
                head.share, logits = choose_share(
                    head, logits, smooth, offsets, labels, weight, fee
                )
            found.append(calibrate(logits, labels, weight))
            of_bags.append(found[-1][0] * logits + found[-1][1])
    losses = np.array([loss for _, _, loss in found])
    shares = np.zeros(len(heads))
    kinds = [head.kind for head in heads]
    groups = [kinds] if not split else [[kind] for kind in dict.fromkeys(kinds)]
    for group in groups:
        where = [k for k, kind in enumerate(kinds) if kind in group]
        shares[where] = weigh(losses[where], n_bags, [kinds[k] for k in where]) / len(groups)
    if scores is None:
        return Trial(heads, [scale[:2] for scale in found], shares, {})
    factor = sharpen(shares @ np.array(of_bags), labels, weight, n_bags)
    scales = [(factor * slope, factor * shift) for slope, shift, _ in found]
    known = {str(h): float(v) for h, v in zip(heads, losses, strict=True)}
    return Trial(heads, scales, shares, known)


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


def average_heads(trials):
    """Mean weight, and mean held-out log-loss, of each head over the members.

    Parameters
    ----------
    trials : list of Trial

    Returns
    -------
    weights, losses : dict of str to float
        Heads without weight are left out of the first; the second is empty without losses.
    """
    weights: dict = {}
    losses: dict = {}
    for trial in trials:
        for head, share in zip(trial.heads, trial.shares, strict=True):
            if share > 0:
                weights[str(head)] = weights.get(str(head), 0.0) + float(share) / len(trials)
        for name, loss in trial.losses.items():
            losses.setdefault(name, []).append(loss)
    return weights, {name: float(np.mean(values)) for name, values in losses.items()}


def average_weights(weights, trials):
    """Mean weights of the terms, each head's with its own weight; extremes have no terms.

    Parameters
    ----------
    weights : dict of str to ndarray of shape (n_terms,)
    trials : list of Trial

    Returns
    -------
    ndarray of shape (n_terms,)
    """
    found = [
        (share, weights[head.name])
        for trial in trials
        for head, share in zip(trial.heads, trial.shares, strict=True)
        if share > 0 and head.name in weights
    ]
    if not found:
        return np.array(weights["all"])
    return np.average([of for _, of in found], axis=0, weights=[share for share, _ in found])
