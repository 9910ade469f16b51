"""Relations of bags as a net takes them: nested dicts and lists in single precision.

They are arrays, or tensors on the device where they were computed.
"""

import numpy as np

from ._bags import units_of
from ._blocks import join


class Data:
    """Relations of training bags, of which some may be taken."""

    def __init__(self, member, units, offsets, labels, weight, device=None):
        parts = [list(part) for part in zip(*member.relate(units, offsets, device), strict=True)]
        self.labels, self.weight = labels, np.asarray(weight, dtype=float)
        relations, lengths, own = parts
        self.units, self.lengths = _join(relations), np.concatenate(lengths)
        self.own = None if own[0] is None else _join(own, shared=())

    def take(self, bags):
        """(units, lengths, labels, weight, own) of some bags."""
        ends = np.append(0, np.cumsum(self.lengths))
        units, own = self.units, self.own
        if len(bags) < len(self.lengths):
            rows, _ = units_of(ends, bags)
            units = _take(units, rows)
            own = None if own is None else _take(own, bags, shared=())
        return units, self.lengths[bags], self.labels[bags], self.weight[bags], own


_SHARED = ("reference_present",)


def single(tree):
    """Numbers of a dict of arrays (or tensors) or lists of them as float32."""
    if isinstance(tree, dict):
        return {key: single(part) for key, part in tree.items()}
    if isinstance(tree, list):
        return [single(part) for part in tree]
    return np.asarray(tree, dtype=np.float32) if isinstance(tree, np.ndarray) else tree.float()


def as_rows(own):
    """Own graphs of bags as rows of units, each with references of its own."""

    def flat(tree):
        if isinstance(tree, list):
            return [flat(part) for part in tree]
        return tree.reshape(-1, tree.shape[-1])

    found = {key: flat(own[key]) for key in ("relations", "zeroth") if key in own}
    if "present" in own:
        present = own["present"]
        n_units = present.shape[1]
        found["present"] = flat(present)
        found["row_present"] = np.repeat(present, n_units, axis=0)
    return found


def _join(trees, shared=_SHARED):
    """One dict of several whose arrays have rows of different units.

    Where only some know of missing views, the others have all.
    """
    keys = list(dict.fromkeys(key for tree in trees for key in tree))
    found = {}
    for key in keys:
        have = [tree.get(key) for tree in trees]
        if key in shared:
            found[key] = next(part for part in have if part is not None)
            continue
        like = next(part for part in have if part is not None)
        filled = [
            np.ones((_rows(tree), *like.shape[1:]), np.float32) if part is None else part
            for part, tree in zip(have, trees, strict=True)
        ]
        found[key] = join(filled)
    return found


def _rows(tree):
    first = tree["relations"][0]
    return len(first[0] if isinstance(first, list) else first)


def _take(tree, rows, shared=_SHARED):
    if isinstance(tree, dict):
        return {
            key: part if key in shared else _take(part, rows, shared) for key, part in tree.items()
        }
    if isinstance(tree, list):
        return [_take(part, rows, shared) for part in tree]
    return tree[rows]
