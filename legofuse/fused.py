"""The fused graph of rows and fixed references, once fitted.

What an estimator keeps of its fit: statistics, encoded references, terms and weights; and the one
pass that turns rows into rows of the fused graph.

This module may import _threads, centring, graphs, expansion, sampling, shifts and weights of
legofuse.
"""

import sys
import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp

from ._threads import map_threads
from .centring import Centre, centred, learn_centre
from .expansion import Expansion, hop_operators, hops
from .graphs import (
    Encoded,
    Rows,
    Statistics,
    dense_rows,
    error_factor,
    relate_rows_to_mean,
)
from .sampling import mark_rows
from .shifts import encode_moved, pack_shifts, relate_moved, related_as_they_are, unpack_shifts
from .weights import normaliser, pack

__all__ = ["FusedGraph", "block_rows"]

_LEAST_MASS = 1e-4
_BLOCK_SIZE = 1 << 20  # numbers of relations computed at once
_LEAST_ROWS = 64
_THREADED_SIZE = 1 << 17  # numbers of a relation that is worth a thread
_ROWS_AMONG = 128  # related to all rows before them at once


def block_rows(n_references, n_graphs):
    """Rows in a block: few enough for the relations of all graphs to stay in a shared cache."""
    return max(_LEAST_ROWS, _BLOCK_SIZE // (n_references * (n_graphs + 1)))


class FusedGraph:
    """Fused graph of rows and references.

    Parameters
    ----------
    columns : dict of str to index array
        Columns of each view.
    graphs : list of (view, relation)
    expansion : Expansion
        Terms of the polynomial.
    learned : dict of (view, None) to Statistics
    X : ndarray or CSR of shape (n_references, n_features)
        The reference rows.
    domains : ndarray of shape (n_references,), optional
    mass : ndarray of shape (n_references,), optional
        Weight of each reference; hops need it, and all training rows as references. Its scale does
        not matter.
    centre : sequence of bool, optional
        Which graphs are centred over the references; none by default, and none with hops.
    shifts : Shifts, optional
        What is known of the domains.
    """

    def __init__(
        self,
        columns,
        graphs,
        expansion,
        learned,
        X,
        domains=None,
        mass=None,
        centre=None,
        shifts=None,
    ):
        self.columns, self.graphs = columns, graphs
        self.expansion, self.learned, self.shifts = expansion, learned, shifts
        self.references = self.encode(X, domains, dense=True)
        self.marks: Any = self.mark(X, domains)
        self.hops: Any = None
        self.weights: Any = None
        self.complete: Any = None
        self.centres: Any = [None] * len(graphs)
        self._landmarks: Any = None  # where the references are others
        self._reference_means: Any = None
        if expansion.degree is not None:
            relations = self._relate(self.references, self.references)
            mass = _relative(mass)
            self.hops = [(mass, *hop_operators(r, mass, expansion.degree)) for r in relations]
        elif centre is not None:
            self._learn_centres(centre)

    def __len__(self):
        """Return the number of references."""
        return len(self.references)

    @property
    def landmarks(self):
        """What graphs are centred over: the references it was fitted with."""
        return self.references if self._landmarks is None else self._landmarks

    @property
    def dtype(self):
        """Type of numbers: that of the references."""
        return next(iter(self.references.encoded.values())).rows.dtype

    def encode(self, X, domains=None, shifts=None, dense=False):
        """Encode rows for every graph, by other shifts of domains if given."""
        shifts = self.shifts if shifts is None else shifts
        return encode_moved(X, self.columns, self.graphs, self.learned, shifts, domains, dense)

    def mark(self, X, domains=None):
        """What tells equal rows, where hops or an identity need it; else None."""
        marked = self.expansion.identity or self.expansion.degree
        return mark_rows(X, domains) if marked else None

    def _relate(self, rows, references, graphs=None):
        """Relations of encoded rows to others, not centred."""
        graphs = self.graphs if graphs is None else graphs
        return relate_moved(rows, references, graphs, self.learned, self.shifts)

    def relations(self, rows):
        """Relations of encoded rows to the references, a list with one array for each graph."""
        related = self._relate(rows, self.references)
        if not any(self.centres):
            return related
        if self._landmarks is None:
            means = self._means(related)
            reference_means = [None if c is None else c.means for c in self.centres]
        else:
            means = self._means_of(rows)
            reference_means = self._reference_means
        for k in range(len(related)):
            if self.centres[k] is not None:
                self._centre(related[k], k, rows, means[k], self.references, reference_means[k])
        return related

    def _learn_centres(self, centre):
        references = self.references
        known = [self.learned] + ([] if self.shifts is None else [self.shifts.aligned])

        def learn(k):
            if not centre[k]:
                return None
            relation = self._relate(references, references, [self.graphs[k]])[0]
            error = max(error_factor(self.graphs[k], learned) for learned in known)
            return learn_centre(relation, _column(references.present, k), error)

        self.centres = self._map_threads(learn, range(len(self.graphs)), references)

    def _map_threads(self, function, items, rows):
        """What a function returns for each item; in threads where our own dense arrays are large.

        A caller's relation may not bear threads, and sparse rows are made dense one by one.
        """
        large = len(rows) * len(self) >= _THREADED_SIZE
        return map_threads(function, items, large and self.can_move(rows))

    def _means(self, relations):
        """Mean relations to the landmarks of every graph that is centred."""
        return [
            None if centre is None else relation @ centre.share
            for relation, centre in zip(relations, self.centres, strict=True)
        ]

    def _means_of(self, rows):
        """The same of rows whose relations to the landmarks are not known."""
        return [
            None if centre is None else self._mean_relation(rows, k)
            for k, centre in enumerate(self.centres)
        ]

    def _mean_relation(self, rows, k):
        """Mean relation to the landmarks in graph k."""
        graph, share, found = self.graphs[k], self.centres[k].share, None
        landmarks = self.landmarks
        if related_as_they_are(rows, landmarks, self.shifts):
            found = relate_rows_to_mean(rows, landmarks, graph, share)
        if found is None:
            on_host = isinstance(share, np.ndarray)
            n_rows = max(1, len(rows))
            step = block_rows(len(landmarks), 1) if on_host else n_rows
            parts = [slice(start, start + step) for start in range(0, n_rows, step)]
            means = [self._relate(rows[part], landmarks, [graph])[0] @ share for part in parts]
            found = np.concatenate(means) if on_host else means[0]
        return found

    def _centre(self, relation, k, rows, means, references, reference_means):
        """Centre the relation of graph k, in place."""
        present = _column(rows.present, k), _column(references.present, k)
        return centred(relation, self.centres[k], means, reference_means, *present)

    def can_move(self, rows):
        """Whether relations to these rows can be computed on a device, from arrays moved there."""
        built_in = not any(callable(relation) for _, relation in self.graphs)
        dense = not any(sp.issparse(part.rows) for part in rows.encoded.values())
        return built_in and dense and self.hops is None

    def map(self, function):
        """The same, with a function applied to all that relations are computed from.

        It takes trees of arrays: dicts, lists and named tuples of them, numbers and None.
        """
        other = self._copy()
        for name in ("references", "_landmarks", "centres", "_reference_means"):
            setattr(other, name, function(getattr(self, name)))
        return other

    def _copy(self):
        other = object.__new__(FusedGraph)
        other.__dict__.update(self.__dict__)
        return other

    def expanded(self, rows, marks=None, relations=None):
        """Graphs that the polynomial is evaluated on, and the identity or None.

        From relations to the references where they are known.
        """
        relations, equal = self.relations(rows) if relations is None else relations, None
        hop_lists = None
        if self.expansion.identity:
            equal = (marks[:, None] == self.marks).all(axis=2)
            equal = equal.astype(f"f{relations[0].dtype.itemsize}")
        if self.hops is not None:
            hop_lists = [hops(r, *parts) for r, parts in zip(relations, self.hops, strict=True)]
        return self.expansion.graphs(relations, hop_lists, equal), equal

    def among(self, rows, marks):
        """Packed expanded graphs of encoded training rows among themselves, and the identity."""
        if self.hops is None:
            places = range(len(self.graphs))
            graphs = self._map_threads(lambda k: self._related_among(rows, k), places, rows)
            equal = pack(np.eye(len(rows), dtype=self.dtype)) if self.expansion.identity else None
            return self.expansion.graphs(graphs, equal=equal), equal
        order = np.lexsort(self.marks.T)
        place = order[np.searchsorted(self.marks[order, 2], marks[:, 2])]
        graphs, equal = self.expanded(rows, marks)

        def packed(graph):
            return pack(graph[:, place])

        graphs = [list(map(packed, g)) if isinstance(g, list) else packed(g) for g in graphs]
        return graphs, None if equal is None else packed(equal)

    def _related_among(self, rows, k):
        """Relation of rows to one another in graph k, centred where the fused graph's is.

        Its packed triangle, filled block by block of rows. One graph after the other is made dense:
        rows of text are wide then.
        """
        room = np.empty((len(rows), len(rows)), self.dtype)
        graph, centre, means = self.graphs[k], self.centres[k], None
        among_landmarks = rows is self.landmarks  # whose means are known
        rows = dense_rows(rows, graph)
        if centre is not None:
            means = centre.means if among_landmarks else self._mean_relation(rows, k)
        step = len(rows) if callable(graph[1]) else _ROWS_AMONG
        for start in range(0, len(rows), step):
            some, left = slice(start, start + step), slice(0, start + step)
            part, others = rows[some], rows[left]
            relation = self._relate(part, others, [graph])[0]
            if means is not None:
                self._centre(relation, k, part, means[some], others, means[left])
            room[some, left] = relation
        return pack(room)

    def set_weights(self, weights):
        """Set the weights of the terms; learns what a complete row's relation to itself is."""
        self.weights = weights.astype(self.dtype)
        if self.hops is None:
            self.complete = float(self.diagonal(np.ones((1, len(self.graphs))))[0])

    def diagonal(self, present):
        """Fused relation of rows to themselves, from the views they have (n_rows, n_graphs)."""
        have = self.expansion.present(np.asarray(present, dtype=float))
        weights = self.weights.astype(float)
        return self.expansion.fuse(list(have.T.copy()), weights, np.ones(len(have)))

    def __call__(self, rows, marks=None, out=None):
        """Fused graph of encoded rows and the references, missing views made up for.

        Written into ``out``, a C-contiguous array, if one is given.
        """
        n_rows, step = len(rows), block_rows(len(self), len(self.graphs))
        if n_rows <= step:
            return self._fuse(rows, marks, out)
        if out is None:
            out = np.empty((n_rows, len(self)), self.dtype)

        def fill(start):
            part = slice(start, start + step)
            self._fuse(rows[part], None if marks is None else marks[part], out[part])

        self._map_threads(fill, range(0, n_rows, step), rows)
        return out

    def _fuse(self, rows, marks, out):
        graphs, equal = self.expanded(rows, marks)
        fused = self.expansion.fuse(graphs, self.weights, equal, out)
        for part, axis in ((rows, 1), (self.references, 0)):
            factors = self.factors(part)
            if factors is not None:
                fused *= np.expand_dims(factors.astype(fused.dtype), axis)
        return fused

    def factors(self, rows):
        """What makes up for missing views of encoded rows; None where nothing does."""
        if self.hops is not None or rows.present is None:
            return None
        factors = normaliser(self.diagonal(rows.present), self.complete)
        factors[rows.present.all(axis=1)] = 1.0  # even where weights cancel out
        return factors

    def with_weights(self, weights):
        """Return the same fused graph by other weights."""
        other = self._copy()
        other.set_weights(weights)
        return other

    def with_references(self, rows):
        """Return the same fused graph to other encoded references."""
        other = self._copy()
        other.references = rows
        if any(self.centres):
            other._landmarks = self.landmarks
            other._reference_means = other._means_of(rows)
        return other

    def __getstate__(self):
        """Arrays, lists and dicts of strings only: what any format of files can hold."""
        state = dict(self.__dict__)
        state["expansion"] = list(self.expansion)
        state["learned"] = [[*key, list(value)] for key, value in self.learned.items()]
        state["shifts"] = pack_shifts(self.shifts)
        state["references"] = _pack_rows(self.references)
        state["_landmarks"] = _pack_rows(self._landmarks)
        state["centres"] = [None if centre is None else list(centre) for centre in self.centres]
        state["version"] = _version()
        return state

    def __setstate__(self, state):
        """Put the parts together again; warns if another version of legofuse took them apart."""
        state = dict(state)
        stored = state.pop("version", "unknown")
        if stored != _version():
            warnings.warn(
                f"A fitted fusion stored by legofuse {stored} is loaded by {_version()}: it may "
                "give other results, or fail. Fit it again where you can.",
                UserWarning,
                stacklevel=2,
            )
        self.__dict__.update(
            state,
            expansion=Expansion(*state["expansion"]),
            learned={(view, label): Statistics(*value) for view, label, value in state["learned"]},
            centres=[None if centre is None else Centre(*centre) for centre in state["centres"]],
            shifts=unpack_shifts(state["shifts"]),
            references=_unpack_rows(state["references"]),
            _landmarks=_unpack_rows(state["_landmarks"]),
        )


def _relative(mass):
    """Weights over their mean; from below a part of it, as hops of lone rows are 1 / weight."""
    mass = mass / mass.max()  # the mean is within the range of floats then
    return np.maximum(mass / mass.mean(), _LEAST_MASS)


def _pack_rows(rows):
    if rows is None:
        return None
    encoded = [[*key, list(value)] for key, value in rows.encoded.items()]
    return [encoded, rows.present, _pack_rows(rows.moved), rows.codes]


def _unpack_rows(state):
    if state is None:
        return None
    encoded, present, moved, codes = state
    encoded = {(view, name): Encoded(*value) for view, name, value in encoded}
    return Rows(encoded, present, _unpack_rows(moved), codes)


def _column(present, k):
    """Which rows graph k has, or None for all."""
    return None if present is None else present[:, k]


def _version():
    return sys.modules["legofuse"].__version__
