"""Heads weighed by the log-loss of held-out bags."""

import copy

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.model_selection import StratifiedKFold

from ._bags import units_of
from ._top_k import pool

N_FOLDS = 5
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # that may spread over a bag's graph
CALIBRATION_RIDGE = 0.02
CONSTANT = 1e-6  # spread of logits, beside 1 or their size, that is none: it may be rounding
N_REPEATS = 3  # of these folds where bags are few: held-out losses are noisy then
BAGS_REPEATED = 600  # bags held out in all repeats together, once every bag has been
STEADY = 40.0  # bags that say that the slope of averaged logits is 1
TEMPERATURE = 0.5  # of the likelihood: held-out losses of several heads are noisy
MOST_BAGS = 200  # more bags do not make one head of many win outright
LEAST_WEIGHT = 0.02
UNIT_TEMPERATURE = 0.1  # of that likelihood for scores of units, which held-out bags hardly tell
UNIT_SHARE = 2 / 3  # of the weights in scores of units that are by it


def held_out_scores(heads, features, offsets, labels, weight, seed, step=None):
    """Scores by heads fitted without a bag, in folds stratified by label.

    Parameters
    ----------
    heads : list of heads
    features : dict from (name, kind) to ndarray
    offsets, labels, weight : ndarrays, of the bags
    seed : int
    step : callable, optional
        Called with the name of each fold that is done.

    Returns
    -------
    list of (ndarray, ndarray), one for each head, or None if a class has a single bag
        Of heads of units the logit of each unit, and its mean over the graph of the bag (None
        where features hold none); of heads of pooled relations that of each bag, and None. Where
        bags are few, the mean over several ways to cut them into folds.
    """
    n_folds = min(N_FOLDS, np.bincount(labels, minlength=2).min())
    if n_folds < 2:
        return None
    found = []
    for head in heads:
        n = len(labels) if head.kind == "relations" else offsets[-1]
        spreads = head.kind == "units" and (head.name, "spread") in features
        found.append((np.zeros(n), np.zeros(n) if spreads else None))
    n_repeats = count_repeats(labels)
    for repeat in range(n_repeats):
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed + repeat)
        for k, (train, test) in enumerate(folds.split(labels, labels)):
            _score_fold(heads, found, features, offsets, labels, weight, train, test)
            if step is not None and repeat == n_repeats - 1:
                step(f"fold {k + 1}")
    for scores in found:
        for part in scores:
            if part is not None:
                part /= n_repeats
    return found


def count_repeats(labels):
    """How many times bags are cut into folds."""
    return int(np.clip(BAGS_REPEATED // len(labels), 1, N_REPEATS))


def _score_fold(heads, found, features, offsets, labels, weight, train, test):
    """Add the scores of the test bags of a fold."""
    units, _ = units_of(offsets, test)
    for name in dict.fromkeys(head.name for head in heads):
        known: dict = {}  # what heads of a name fit once for all of them, in this fold
        for head, (plain, smooth) in zip(heads, found, strict=True):
            if head.name != name:
                continue
            part = copy.copy(head)
            values, ends = take_bags(features, head, offsets, train, known)
            part.fit(values, ends, labels[train], weight[train])
            where = test if head.kind == "relations" else units
            plain[where] += part.unit_logits(take_bags(features, part, offsets, test)[0])
            if smooth is not None:
                part.share = 1.0
                values = take_bags(features, part, offsets, test)[0]
                smooth[where] += part.unit_logits(values, 1.0)


def take_bags(features, head, offsets, bags, taken=None):
    """Features of some bags that a head reads, added to those taken; the offsets of their units."""
    rows, ends = units_of(offsets, bags)
    taken = {} if taken is None else taken
    for key in head.wanted():
        if key not in taken:
            per_bag = key[1] in ("relations", "closest")
            taken[key] = features[key][bags if per_bag else rows]
    return taken, ends


def held_out_logits(heads, features, offsets, labels, weight, *, reference, seed, step=None):
    """Logits of bags by heads fitted without them; chooses what of each head spreads.

    Parameters
    ----------
    reference : {"auto", "landmarks", "both"}
        For ``"auto"`` spreading must gain a nat.
    heads, features, offsets, labels, weight, seed, step
        As of :func:`held_out_scores`; the ``share`` of heads is set.

    Returns
    -------
    list of ndarray of shape (n_bags,), one for each head, or None if a class has a single bag
    """
    scores = held_out_scores(heads, features, offsets, labels, weight, seed, step)
    if scores is None:
        for head in heads:
            if head.kind == "units" and reference == "both":
                head.share = 0.5
        return None
    fee, found = 1.0 if reference == "auto" else 0.0, []
    for head, (logits, smooth) in zip(heads, scores, strict=True):
        if head.kind != "relations":
            head.share, logits = choose_share(head, logits, smooth, offsets, labels, weight, fee)
        found.append(logits)
    return found


def choose_share(head, plain, smooth, offsets, labels, weight, fee):
    """The share of a unit's logit that spreads over its bag's graph, by held-out log-loss.

    Parameters
    ----------
    head : UnitHead or NoveltyHead
    plain, smooth : ndarray of shape (n_units,)
        Held-out logits, and their means over the graph.
    fee : float
        What spreading must gain, in nats over all bags.

    Returns
    -------
    share : float
    logits : ndarray of shape (n_bags,)
    """
    best: tuple = (np.inf, 0.0, None)
    for share in SHARES if smooth is not None else SHARES[:1]:
        logits = plain if share == 0 else plain + share * (smooth - plain)
        logits = pool(logits, offsets, head.k)
        loss = calibrate(logits, labels, weight)[2] + (fee / weight.sum() if share else 0.0)
        if loss < best[0]:
            best = loss, share, logits
    return best[1:]


def calibrate(logits, labels, weight):
    """Slope (at least 0) and shift that make logits fit labels (Platt), and the log-loss.

    Returns
    -------
    slope, shift, loss : float
    """
    centre = np.average(logits, weights=weight)
    scale = np.sqrt(np.average((logits - centre) ** 2, weights=weight))
    scale = scale if scale > CONSTANT * max(1, abs(centre)) else 1.0
    sign, share = 2.0 * labels - 1, weight / weight.sum()

    def objective(p):
        margin = sign * (p[0] * logits / scale + p[1])
        slope = -sign * share * expit(-margin)
        value = share @ np.logaddexp(0, -margin) + 0.5 * CALIBRATION_RIDGE * p[0] ** 2
        gradient = [slope @ logits / scale + CALIBRATION_RIDGE * p[0], slope.sum()]
        return value, np.array(gradient)

    bounds = [(0, None), (None, None)]
    slope, shift = minimize(objective, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x
    margin = sign * (slope * logits / scale + shift)
    return slope / scale, shift, float(share @ np.logaddexp(0, -margin))


def sharpen(logits, labels, weight, n_bags):
    """Slope (at least 0) that makes averaged logits fit labels, near 1 where bags are few.

    Errors of several heads cancel, so that their mean is surer than it claims.

    Parameters
    ----------
    logits, labels, weight : ndarray of shape (n_bags,)
        Mean of the held-out logits, each calibrated.
    n_bags : float

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.anomaly._stack import sharpen
    >>> labels, sure = np.arange(400) % 2, np.arange(400) % 20 > 1
    >>> logits = np.where(sure, 2.0 * labels - 1, 1 - 2.0 * labels)  # right in nine of ten
    >>> round(sharpen(logits, labels, np.ones(400), 400), 1)
    1.6
    """
    margins, share = (2.0 * labels - 1) * logits, weight / weight.sum()
    ridge = STEADY / n_bags

    def objective(p):
        scaled, gap = p[0] * margins, p[0] - 1
        value = share @ np.logaddexp(0, -scaled) + 0.5 * ridge * gap**2
        return value, np.array([ridge * gap - (share * expit(-scaled)) @ margins])

    found = minimize(objective, [1.0], jac=True, method="L-BFGS-B", bounds=[(0, None)])
    return float(found.x[0])


def weigh(losses, n_bags, kinds=None, temperature=TEMPERATURE):
    """Weights from held-out losses: a tempered likelihood, small ones cut off.

    Parameters
    ----------
    losses : array-like of shape (n_heads,)
        Mean log-loss of held-out bags.
    n_bags : float
    kinds : list of str, optional
        Kind of each head: before losses are looked at, all kinds weigh alike, however many heads
        of it there are.

    Returns
    -------
    ndarray of shape (n_heads,)

    Examples
    --------
    >>> from legofuse.anomaly._stack import weigh
    >>> weigh([0.3, 0.3, 0.9], 100)
    array([0.5, 0.5, 0. ])
    """
    losses, kinds = np.asarray(losses), [""] * len(losses) if kinds is None else list(kinds)
    prior = np.array([1 / kinds.count(kind) for kind in kinds])
    weights = prior * np.exp(-temperature * min(n_bags, MOST_BAGS) * (losses - losses.min()))
    weights /= weights.sum()
    weights[weights < min(LEAST_WEIGHT, weights.max())] = 0
    return weights / weights.sum()


def weigh_heads(heads, losses, n_bags, split):
    """Weights of heads by :func:`weigh`, all families alike before losses are looked at.

    Parameters
    ----------
    heads : list of heads
    losses : ndarray of shape (n_heads,)
    n_bags : float
    split : bool
        Whether the kinds of heads share the weight evenly.

    Returns
    -------
    ndarray of shape (n_heads,)
    """
    kinds = np.array([head.kind for head in heads])
    families = np.array([head.family for head in heads])
    groups = [kinds == kind for kind in np.unique(kinds)] if split else [slice(None)]
    shares = np.zeros(len(heads))
    for group in groups:
        shares[group] = weigh(losses[group], n_bags, families[group]) / len(groups)
    return shares


def weigh_units(shares, losses, n_bags, kinds, telling):
    """Weights in scores of units: less sharp than those in scores of bags.

    Held-out bags do not say which units made them anomalous: heads that tell bags about as well
    differ on units, and their mean errs less than the best of them. A third of the weights are
    those in scores of bags, the rest are by a flatter likelihood. Heads that are not fitted to
    tell units keep their weight.

    Parameters
    ----------
    shares : ndarray of shape (n_heads,)
        Weights in scores of bags.
    losses, n_bags, kinds
        As of :func:`weigh`.
    telling : ndarray of shape (n_heads,), bool
        Heads that are fitted to tell units.

    Returns
    -------
    ndarray of shape (n_heads,)
        They add up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.anomaly._stack import weigh_units
    >>> shares, telling = np.array([0.6, 0.0, 0.4]), np.array([True, True, False])
    >>> weigh_units(shares, np.full(3, 0.3), 100, ["units", "units", "novelty"], telling).round(2)
    array([0.4, 0.2, 0.4])
    """
    total, found = shares[telling].sum(), shares.copy()
    flatter = weigh(losses[telling], n_bags, np.array(kinds)[telling], UNIT_TEMPERATURE)
    found[telling] += UNIT_SHARE * (total * flatter - found[telling])
    return found
