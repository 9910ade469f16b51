"""A bag's logit is the mean of the top-k logits of its units."""

from numbers import Integral

import numpy as np

_MOST_ROUNDS = 8  # of taking the largest logits off bags, before ranks of all are cheaper


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
    >>> from legofuse.anomaly._top_k import top_k_shares
    >>> top_k_shares(np.array([3.0, 1.0, 2.0, 5.0]), np.array([0, 3, 4]), 2)
    array([0.5, 0. , 0.5, 1. ])
    """
    lengths = np.diff(offsets)
    bag = np.repeat(np.arange(len(lengths)), lengths)
    count = counts(lengths, k)
    if is_few(k):
        return peel(logits, offsets[:-1], bag, count)
    count = count[bag]
    rank = np.empty(len(logits), dtype=np.intp)
    rank[np.lexsort((-logits, bag))] = np.arange(len(logits))
    return (rank - offsets[bag] < count) / count


def counts(lengths, k):
    """How many units of bags are pooled."""
    whole = isinstance(k, Integral)
    count = np.minimum(int(k), lengths) if whole else np.ceil(float(k) * lengths - 1e-9)
    return np.maximum(count, 1)


def is_few(k):
    return isinstance(k, Integral) and k <= _MOST_ROUNDS


def peel(logits, starts, bag, count):
    """The same for small counts: the largest logit of each bag is taken off, time and again."""
    left, shares, whole = logits.copy(), np.zeros(len(logits)), count.min()
    for taken in range(count.max()):
        hits = largest_of(left, np.maximum.reduceat(left, starts), bag)
        left[hits] = -np.inf
        of = bag[hits]
        if taken >= whole:  # of some bags no more is wanted
            more = count[of] > taken
            hits, of = hits[more], of[more]
        shares[hits] = 1 / count[of]
    return shares


def largest_of(logits, largest, bag):
    """Which unit of each bag has its largest logit; the first of ties."""
    hits = (logits == largest[bag]).nonzero()[0]
    if len(hits) > len(largest):
        of = bag[hits]
        hits = hits[np.append(True, of[1:] != of[:-1])]
    return hits


def pool(logits, offsets, k):
    """Mean of the top-k logits of each bag, shape (n_bags,)."""
    if len(offsets) == 2:  # one bag, scored as it comes in: no ranks of all units
        place = len(logits) - int(counts(len(logits), k))
        return np.partition(logits, place)[place:].mean(keepdims=True)
    return np.add.reduceat(top_k_shares(logits, offsets, k) * logits, offsets[:-1])
