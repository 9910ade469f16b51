"""Heads that compete: listed, tried on held-out bags, weighed by what these say."""

from typing import Any, NamedTuple

import numpy as np

from ._heads import (
    ClosestHead,
    ExtremesHead,
    NoveltyHead,
    PooledHead,
    PropagatedHead,
    TiedHead,
    UnitHead,
)
from ._stack import calibrate, held_out_logits, sharpen, weigh_heads
from ._top_k import competing_counts

PENALTIES = (0.005, 0.1)  # of heads on pooled relations: few bags want little, many more


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
    logits = held_out_logits(
        heads, features, offsets, labels, weight, reference=reference, seed=seed, step=step
    )
    if logits is None:
        shares = weigh_heads(heads, np.zeros(len(heads)), n_bags, split)
        return Trial(heads, [(1.0, 0.0)] * len(heads), shares, {})
    found = [calibrate(of_bags, labels, weight) for of_bags in logits]
    losses = np.array([loss for _, _, loss in found])
    shares = weigh_heads(heads, losses, n_bags, split)
    calibrated = [
        slope * of_bags + shift for of_bags, (slope, shift, _) in zip(logits, found, strict=True)
    ]
    factor = sharpen(shares @ np.array(calibrated), labels, weight, n_bags)
    scales = [(factor * slope, factor * shift) for slope, shift, _ in found]
    known = {str(h): float(v) for h, v in zip(heads, losses, strict=True)}
    return Trial(heads, scales, shares, known)


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
