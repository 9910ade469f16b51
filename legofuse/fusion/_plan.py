"""How an index set is evaluated: every term a left times a right monomial, each built once."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np


class _Plan(NamedTuple):
    """How to evaluate one index set: monomials as (parent, graph) products, and the cells."""

    left: tuple[tuple[int, int], ...]
    right: tuple[tuple[int, int], ...]
    rows: Any
    columns: Any


def _closure(monomials):
    """Steps that build all monomials by one multiplication each, and the place of each.

    Place 0 is the constant 1; step k is (place of the parent, graph to multiply with).
    """
    zero = (0,) * len(monomials[0])
    places, steps = {zero: 0}, []
    for a in sorted(set(monomials), key=lambda a: (sum(a), a)):
        path = []  # from a down to the nearest monomial that is there already
        while a not in places:
            graph = max(m for m, p in enumerate(a) if p)
            path.append((a, graph))
            a = tuple(p - (m == graph) for m, p in enumerate(a))
        place = places[a]
        for child, graph in reversed(path):
            steps.append((place, graph))
            place = places[child] = len(steps)
    return tuple(steps), places


def _splits(terms):
    """Candidate splits of every term into (left, right): by graph, and by sorted position."""
    n_graphs = len(terms[0])
    for k in range(n_graphs + 1):
        zeros_left, zeros_right = (0,) * k, (0,) * (n_graphs - k)
        yield [(a[:k] + zeros_right, zeros_left + a[k:]) for a in terms]
    highest = max(map(sum, terms))
    for size in range(1, min(highest, 4)):
        pairs = []
        for a in terms:
            left, budget = [], size if sum(a) > size else 0
            for p in a:
                left.append(min(p, budget))
                budget -= left[-1]
            pairs.append((tuple(left), tuple(p - q for p, q in zip(a, left, strict=True))))
        yield pairs


@lru_cache(maxsize=64)
def _plan(key, n_graphs):
    """Choose the cheapest split of the terms (bytes of an int64 array of shape (-1, n_graphs))."""
    terms = [tuple(a) for a in np.frombuffer(key, dtype=np.int64).reshape(-1, n_graphs).tolist()]
    best, lowest = None, float("inf")
    for pairs in _splits(terms):
        left, left_places = _closure([pair[0] for pair in pairs])
        right, right_places = _closure([pair[1] for pair in pairs])
        n_left, n_right = len(left) + 1, len(right) + 1
        cost = 2 * n_left + n_right + n_left * n_right / 8  # passes over a block in cache
        if cost < lowest:
            rows = np.array([left_places[pair[0]] for pair in pairs])
            columns = np.array([right_places[pair[1]] for pair in pairs])
            best, lowest = _Plan(left, right, rows, columns), cost
    return best


def make_plan(powers):
    powers = np.ascontiguousarray(powers, dtype=np.int64)
    return _plan(powers.tobytes(), powers.shape[1])
