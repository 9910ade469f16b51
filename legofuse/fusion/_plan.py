"""How an index set is evaluated: every term a left times a right monomial, each built once."""

from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np


class _Plan(NamedTuple):
    """How to evaluate one index set: monomials as (parent, graph) products, and the cells."""

    left: tuple[tuple[int, int], ...]
    right: tuple[tuple[int, int], ...]
    rows: Any
    columns: Any
    is_nested: bool  # the left monomials are the first of the right ones


def _words(powers):
    """Each term as the graphs it multiplies, one after the other: (2, 0, 1) is (0, 0, 2)."""
    graphs = range(powers.shape[1])
    return [tuple(np.repeat(graphs, row).tolist()) for row in powers]


def _walk(words):
    """Monomials that build all words by one multiplication each, and the place of each word.

    Keys are (place of the parent, graph to multiply with), values the place; 0 is the constant 1.
    """
    steps: dict = {}
    places = {}
    for word in words:
        place = 0
        for graph in word:
            place = steps.setdefault((place, graph), len(steps) + 1)
        places[word] = place
    return steps, places


def _by_degree(words):
    return sorted(set(words), key=lambda word: (len(word), [-graph for graph in word]))


def _cuts(words, n_graphs):
    """Candidate lengths of the left part of every word: by graph, position, and first graph."""
    seen = {graph for word in words for graph in word}
    for k in range(n_graphs + 1):
        if k == 0 or k - 1 in seen:  # others cut nothing else
            yield [bisect_left(word, k) for word in words]
    for size in range(1, min(max(map(len, words)), 4)):
        yield [size if len(word) > size else 0 for word in words]
    yield [bisect_right(word, word[0]) if len({*word}) > 1 else 0 for word in words]


def _cost(n_left, n_right):
    """Passes over a block in cache."""
    return 2 * n_left + n_right + n_left * n_right / 8


@lru_cache(maxsize=64)
def _plan(key, n_graphs):
    """Choose the cheapest split of the terms (bytes of an int64 array of shape (-1, n_graphs))."""
    words = _words(np.frombuffer(key, dtype=np.int64).reshape(-1, n_graphs))
    best: Any = None
    lowest = float("inf")
    for cuts in _cuts(words, n_graphs):
        parts = [word[:cut] for word, cut in zip(words, cuts, strict=True)]
        others = [word[cut:] for word, cut in zip(words, cuts, strict=True)]
        left, right = set(parts), set(others)
        if _cost(len(left), len(right)) >= lowest:  # with what they are built from, no less
            continue
        cost = _cost(*(len(_walk(some)[0]) + 1 for some in (left, right)))
        if cost < lowest:
            best, lowest = (parts, others), cost
    parts, others = best
    left, rows = _place(parts)
    is_nested = _heads(parts) <= _heads(others)
    right, columns = _place(others, parts if is_nested else ())
    return _Plan(left, right, rows, columns, is_nested)


def _heads(words):
    """Words and all that they begin with: what :func:`_walk` builds on the way."""
    return {word[:size] for word in words for size in range(len(word) + 1)}


def _place(words, first=()):
    """Steps that build the words, the lowest degrees first, and where each word is then.

    Steps that build the words of ``first`` come before the others.
    """
    steps, places = _walk([*_by_degree(first), *_by_degree(words)])
    return tuple(steps), np.array([places[word] for word in words], dtype=np.intp)


def make_plan(powers):
    powers = np.ascontiguousarray(powers, dtype=np.int64)
    return _plan(powers.tobytes(), powers.shape[1])


def term_steps(powers):
    """Monomials that build all terms by one multiplication each, and where each term is then."""
    powers = np.ascontiguousarray(powers, dtype=np.int64)
    return _term_steps(powers.tobytes(), powers.shape[1])


@lru_cache(maxsize=64)
def _term_steps(key, n_graphs):
    return _place(_words(np.frombuffer(key, dtype=np.int64).reshape(-1, n_graphs)))
