r"""Heads: a bag's logit is the mean of the top-k logits of its units.

With bags of one unit a head is plain logistic regression; so heads on pooled relations, one row a
bag, are convex and fitted by the same function.
"""

from numbers import Integral
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

MOST_BLUR = 0.5  # of the score of a unit; bags may be told by scores that spread more
PENALTY = 0.02  # ridge on features of norm about 1, as a share of one bag's loss
_MOST_ROUNDS = 8  # of taking the largest logits off bags, before ranks of all are cheaper
ROLE = ("role", "role")  # key of the logits of a head that domains share, among the features


def competing_counts(top_k):
    """How many units heads pool: ``top_k`` and one; a share of 1.0 is all units, not one."""
    return [top_k] if isinstance(top_k, Integral) and top_k == 1 else [top_k, 1]


def count_of(k):
    """A number of units, or a share of them, in words."""
    return f"{k}" if isinstance(k, Integral) else f"{k:.0%}"


def top_k_shares(logits, offsets, k):
    """Share of each unit in its bag's logit: 1 / k for the k largest, else 0.

    Parameters
    ----------
    logits : ndarray of shape (n_units,)
    offsets : ndarray of shape (n_bags + 1,)
    k : int, or float
        Number of units, or the fraction of a bag's units (rounded up); capped at the bag.

    Returns
    -------
    ndarray of shape (n_units,)

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.anomaly._heads import top_k_shares
    >>> top_k_shares(np.array([3.0, 1.0, 2.0, 5.0]), np.array([0, 3, 4]), 2)
    array([0.5, 0. , 0.5, 1. ])
    """
    lengths = np.diff(offsets)
    bag = np.repeat(np.arange(len(lengths)), lengths)
    count = _counts(lengths, k)
    if _is_few(k):
        return _peel(logits, offsets[:-1], bag, count)
    count = count[bag]
    rank = np.empty(len(logits), dtype=np.intp)
    rank[np.lexsort((-logits, bag))] = np.arange(len(logits))
    return (rank - offsets[bag] < count) / count


def _counts(lengths, k):
    """How many units of bags are pooled."""
    whole = isinstance(k, Integral)
    count = np.minimum(int(k), lengths) if whole else np.ceil(float(k) * lengths - 1e-9)
    return np.maximum(count, 1)


def _is_few(k):
    return isinstance(k, Integral) and k <= _MOST_ROUNDS


def _peel(logits, starts, bag, count):
    """The same for small counts: the largest logit of each bag is taken off, time and again."""
    left, shares, whole = logits.copy(), np.zeros(len(logits)), count.min()
    for taken in range(count.max()):
        hits = _largest(left, np.maximum.reduceat(left, starts), bag)
        left[hits] = -np.inf
        of = bag[hits]
        if taken >= whole:  # of some bags no more is wanted
            more = count[of] > taken
            hits, of = hits[more], of[more]
        shares[hits] = 1 / count[of]
    return shares


def _largest(logits, largest, bag):
    """Which unit of each bag has its largest logit; the first of ties."""
    hits = (logits == largest[bag]).nonzero()[0]
    if len(hits) > len(largest):
        of = bag[hits]
        hits = hits[np.append(True, of[1:] != of[:-1])]
    return hits


def pool(logits, offsets, k):
    """Mean of the top-k logits of each bag, shape (n_bags,)."""
    if len(offsets) == 2:  # one bag, scored as it comes in: no ranks of all units
        place = len(logits) - int(_counts(len(logits), k))
        return np.partition(logits, place)[place:].mean(keepdims=True)
    return np.add.reduceat(top_k_shares(logits, offsets, k) * logits, offsets[:-1])


def fit_head(
    features, offsets, labels, weight, k, max_iter=30, penalty=PENALTY, base=0.0, start=None
):
    r"""Fit a linear head by binary cross-entropy on top-k pooled logits.

    .. math:: \frac{1}{\sum_b w_b} \Big(\sum_b w_b \log(1 + e^{-s_b z_b})
        + \tfrac{\lambda}{2} |v|^2\Big), \quad z_b = \mathrm{mean\,top}_k (x_i \cdot v + c)

    It starts from logistic regression on units labelled as their bags, where bags have several.

    Parameters
    ----------
    features : ndarray of shape (n_units, n_features)
    offsets : ndarray of shape (n_bags + 1,)
    labels : ndarray of shape (n_bags,)
        0 or 1.
    weight : ndarray of shape (n_bags,)
    k : int or float
    max_iter : int
    penalty : float
        The ridge, as a share of one bag's loss.
    base : float or ndarray of shape (n_units,)
        Added to the logits of units.
    start : ndarray of shape (n_features + 1,), optional
        That regression, where it is known; the zero vector where bags have one unit.

    Returns
    -------
    coef : ndarray of shape (n_features + 1,)
        The intercept last.
    n_iter : int
    """
    n_iter, single = 0, len(features) == len(labels)
    if start is None and not single:
        start, n_iter = fit_labelled(features, offsets, labels, weight, 100, penalty, base)
    elif start is None:
        start, max_iter = np.zeros(features.shape[1] + 1), max(max_iter, 100)
    share, sign, ridge = weight / weight.sum(), 2.0 * labels - 1, penalty / weight.sum()
    pooling = None if single else (offsets, k)
    objective = _Objective(features, base, share, sign, ridge, pooling)
    options = {"maxiter": max_iter}
    found = minimize(objective, start, jac=objective.slope, method="L-BFGS-B", options=options)
    return found.x, n_iter + int(found.nit)


class _Objective:
    """What :func:`fit_head` minimises, and its gradient: found together, asked for in turn.

    It is evaluated many thousand times in a fit, on few numbers: each call of a function counts.
    """

    def __init__(self, features, base, share, sign, ridge, pooling):
        self.features, self.base, self.share, self.ridge = features, base, share, ridge
        self.shifted = isinstance(base, np.ndarray) or base != 0
        self.minus, self.pull = -sign, -sign * share
        self.pooling = pooling
        self.known: Any = None
        if pooling is not None:
            lengths = np.diff(pooling[0])
            self.starts, self.bag = pooling[0][:-1], np.repeat(np.arange(len(lengths)), lengths)
            few = _is_few(pooling[1])
            self.count = _counts(lengths, pooling[1]) if few else None
            self.one = few and pooling[1] == 1

    def __call__(self, coef):
        inner = coef[:-1]
        logits = self.features @ inner
        logits += coef[-1]
        if self.shifted:
            logits += self.base
        few, shares, pooled = self._pool(logits)
        falls = self.minus * pooled
        loss = self.share @ np.logaddexp(0.0, falls)
        slope = self.pull * expit(falls)
        gradient = np.empty(len(coef))
        gradient[-1] = slope.sum()
        read = self.features
        if self.pooling is not None:
            slope = slope[self.bag[few]] if shares is None else shares[few] * slope[self.bag[few]]
            read = read if len(few) == len(read) else read.take(few, axis=0)
        gradient[:-1] = read.T @ slope
        gradient[:-1] += self.ridge * inner
        self.known = coef.tobytes(), gradient
        return loss + 0.5 * self.ridge * inner @ inner

    def slope(self, coef):
        """The gradient."""
        if self.known is None or self.known[0] != coef.tobytes():
            self(coef)
        return self.known[1]

    def _pool(self, logits):
        """Units that count, shares of all units (None where each is 1), and logits of bags."""
        if self.pooling is None:
            return None, None, logits
        if self.one:
            largest = np.maximum.reduceat(logits, self.starts)
            return _largest(logits, largest, self.bag), None, largest
        if self.count is None:
            shares = top_k_shares(logits, *self.pooling)
        else:
            shares = _peel(logits, self.starts, self.bag, self.count)
        return shares.nonzero()[0], shares, np.add.reduceat(shares * logits, self.starts)


def fit_labelled(features, offsets, labels, weight, max_iter=100, penalty=PENALTY, base=0.0):
    """Logistic regression on units that carry their bag's label, the bag's weight divided.

    Parameters and returns as of :func:`fit_head`.
    """
    lengths = np.diff(offsets)
    start = np.zeros(features.shape[1] + 1)
    return fit_head(
        features,
        np.arange(len(features) + 1),
        np.repeat(labels, lengths),
        np.repeat(weight / lengths, lengths),
        1,
        max_iter,
        penalty,
        base,
        start,
    )


def _labelled(features, name, offsets, labels, weight, trust=0.0):
    """Such a regression on Nyström features, and on what counts of the shared logits.

    It is known to all heads that are fitted on them.
    """
    known = name, "labelled" if not trust else f"labelled, {trust}"
    if known not in features:
        base = trust * features[ROLE] if trust else 0.0
        given = features[name, "units"], offsets, labels, weight
        features[known] = fit_labelled(*given, base=base)
    return features[known]


class UnitHead:
    """Scores units linearly in their Nyström features, then pools the top k.

    Where ``share`` is above 0, scores are spread over the graph of the bag first.
    """

    kind = "units"

    def __init__(self, name, k):
        self.name, self.k, self.share = name, k, 0.0

    def __str__(self):
        spread = f", spread {self.share:g}" if self.share else ""
        return f"top {count_of(self.k)} units, {self.name}{spread}"

    def wanted(self):
        """Features that it reads, as :meth:`UnitFusion.features` knows them."""
        keys = [(self.name, "units")]
        return [*keys, (self.name, "spread")] if self.share else keys

    def fit(self, features, offsets, labels, weight):
        values, start = features[self.name, "units"], None
        if len(values) > len(labels):
            start = _labelled(features, self.name, offsets, labels, weight)[0]
        self.coef, self.n_iter = fit_head(values, offsets, labels, weight, self.k, start=start)
        return self

    def unit_logits(self, features, most=MOST_BLUR):
        """Logit of each unit, of which a share of at most `most` is that of related units."""
        values, share = features[self.name, "units"], min(self.share, most)
        logits = values @ self.coef[:-1] + self.coef[-1]
        if share:
            smooth = features[self.name, "spread"] @ self.coef[:-1] + self.coef[-1]
            logits += share * (smooth - logits)
        return logits

    def bag_logits(self, features, offsets):
        return pool(self.unit_logits(features, 1.0), offsets, self.k)


class PropagatedHead(UnitHead):
    """Scores units by logistic regression on the labels of their bags, then pools the top k.

    Where most units of an anomalous bag are anomalous, or bags are few, it is the best of heads.
    """

    def __str__(self):
        return super().__str__().replace(" units", " of units labelled as their bags")

    def fit(self, features, offsets, labels, weight):
        self.coef, self.n_iter = _labelled(features, self.name, offsets, labels, weight)
        return self


class NoveltyHead:
    """Scores units by how little the most related normal unit is related; pools the top k.

    Units of normal bags are the only ones whose label is known. Nothing is fitted but what
    held-out bags say: how much novelty tells.
    """

    kind = "novelty"

    def __init__(self, name, k):
        self.name, self.k, self.share = name, k, 0.0

    def __str__(self):
        return f"top {count_of(self.k)} of novelty, {self.name}"

    def wanted(self):
        """Features that it reads, as :meth:`UnitFusion.features` knows them."""
        return [(self.name, "novelty")]

    def fit(self, features, offsets, labels, weight):
        self.n_iter = 0
        return self

    def unit_logits(self, features):
        return features[self.name, "novelty"]

    def bag_logits(self, features, offsets):
        return pool(self.unit_logits(features), offsets, self.k)


class LeaningHead(UnitHead):
    """Scores units by a head that all domains share, and what deviates from it in their own.

    Parameters
    ----------
    name, k
        As of :class:`UnitHead`.
    trust : float
        What the shared logits count.
    deviates : bool
        False takes the shared logits as they are.
    """

    family = "role"

    def __init__(self, name, k, trust=0.5, deviates=True):
        super().__init__(name, k)
        self.trust, self.deviates = trust, deviates

    def __str__(self):
        return f"{super().__str__()}, {'from' if self.deviates else 'by'} the shared head"

    def wanted(self):
        """Features that it reads: the shared logits, too."""
        return [*super().wanted(), ROLE]

    def fit(self, features, offsets, labels, weight):
        values, base = features[self.name, "units"], self.trust * features[ROLE]
        self.coef, self.n_iter = np.zeros(values.shape[1] + 1), 0
        if self.deviates:
            bags, start, before = (offsets, labels, weight), None, 0
            if len(values) > len(labels):
                start, before = _labelled(features, self.name, *bags, self.trust)
            self.coef, n_iter = fit_head(values, *bags, self.k, base=base, start=start)
            self.n_iter = before + n_iter
        return self

    def unit_logits(self, features, most=MOST_BLUR):
        """Logit of each unit; what spreads is the deviation."""
        return super().unit_logits(features, most) + self.trust * features[ROLE]


class PooledHead:
    """Scores bags linearly in their pooled relations, centred and of total variance 1."""

    kind = reads = "relations"

    def __init__(self, name, penalty):
        self.name, self.k, self.share, self.penalty = name, None, 0.0, penalty

    def __str__(self):
        return f"pooled relations, {self.name}, ridge {self.penalty:g}"

    def wanted(self):
        """Features that it reads, as :meth:`UnitFusion.features` knows them."""
        return [(self.name, self.reads)]

    def fit(self, features, offsets, labels, weight):
        values = features[self.name, self.reads]
        self.mean = np.average(values, axis=0, weights=weight)
        centred = values - self.mean
        variance = np.average((centred**2).sum(axis=1), weights=weight)
        self.factor = 1 / np.sqrt(variance) if variance > 1e-12 else 1.0
        singles = np.arange(len(values) + 1)
        self.coef, self.n_iter = fit_head(
            centred * self.factor, singles, labels, weight, 1, penalty=self.penalty
        )
        return self

    def unit_logits(self, features):
        """Logit of each row: of units, where relations are not pooled."""
        values = features[self.name, self.reads]
        return (values - self.mean) * self.factor @ self.coef[:-1] + self.coef[-1]

    def bag_logits(self, features, offsets):
        return self.unit_logits(features)


class TiedHead(PooledHead):
    """The same with one coefficient for all references of a training bag.

    A bag is scored by how close its closest units come to those of each training bag, on average.

    Parameters
    ----------
    name, penalty
        As of :class:`PooledHead`.
    groups : ndarray of shape (n_groups,), int
        Where the references of each training bag begin.
    """

    def __init__(self, name, penalty, groups):
        super().__init__(name, penalty)
        self.groups = groups

    def __str__(self):
        return super().__str__().replace("relations", "relations to bags")

    def fit(self, features, offsets, labels, weight):
        values = features[self.name, "relations"]
        sizes = np.diff(np.append(self.groups, values.shape[1]))
        tied = {(self.name, "relations"): np.add.reduceat(values, self.groups, axis=1) / sizes}
        super().fit(tied, offsets, labels, weight)
        self.mean = np.average(values, axis=0, weights=weight)
        self.coef = np.append(np.repeat(self.coef[:-1] / sizes, sizes), self.coef[-1])
        return self


class ClosestHead(PooledHead):
    """Scores bags by how close their units come to each training bag, the mean over units.

    The counterpart of :class:`TiedHead`, which looks for the closest unit from the other side.
    """

    reads = "closest"

    def __str__(self):
        return f"closest units of bags, {self.name}, ridge {self.penalty:g}"


HEADS = {
    cls.__name__: cls
    for cls in (
        UnitHead,
        PropagatedHead,
        NoveltyHead,
        LeaningHead,
        PooledHead,
        TiedHead,
        ClosestHead,
    )
}
