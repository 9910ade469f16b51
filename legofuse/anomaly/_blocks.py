"""Blocks of bounded size, of units or of whole bags."""

import sys

import numpy as np

_FEWEST = 64  # units of a block


def rows_at_once(size, width, graphs):
    """Units whose relations, and what is fused of them, are about so many numbers.

    Parameters
    ----------
    size : int
        Numbers that are held at once.
    width : int
        Units that each one is related to.
    graphs : sequence of (view, relation)

    Returns
    -------
    int

    Examples
    --------
    >>> from legofuse.anomaly._blocks import rows_at_once
    >>> rows_at_once(100_000, 100, [("a", "cosine"), ("b", "cosine")])
    250
    """
    return max(_FEWEST, size // (max(width, 1) * (len(graphs) + 2)))


def whole_bags(offsets, size):
    """Cut bags into runs of at most `size` units; a longer bag is a run of its own.

    Parameters
    ----------
    offsets : ndarray of shape (n_bags + 1,)
    size : int

    Yields
    ------
    (int, int)
        First bag of a run, and the one after its last.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.anomaly._blocks import whole_bags
    >>> list(whole_bags(np.array([0, 2, 4, 9, 10]), 4))
    [(0, 2), (2, 3), (3, 4)]
    """
    first = 0
    while first < len(offsets) - 1:
        stop = int(np.searchsorted(offsets, offsets[first] + size, "right")) - 1
        last = max(first + 1, stop)
        yield first, last
        first = last


def join(parts):
    """What blocks gave, one after the other: arrays, tensors, lists of these, or None."""
    if parts[0] is None:
        return None
    if isinstance(parts[0], list):
        return [join(each) for each in zip(*parts, strict=True)]
    library = np if isinstance(parts[0], np.ndarray) else sys.modules["torch"]
    return library.concatenate(parts)
