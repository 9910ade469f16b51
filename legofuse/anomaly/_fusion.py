"""Fused graphs of units and references, and the two things read from them."""

import numpy as np

from ..fusion import fuse
from ..graphs import encode_rows, relate_rows
from ..readouts import embedding_map

_BLOCK_SIZE = 1 << 21  # numbers of relations computed at once


def candidate_weights(graphs, powers):
    """Weights of the terms that compete: all terms alike, one relation's alone, one view's alone.

    No label is looked at; each set of weights adds up to 1, so that a unit's fused relation to
    itself is 1.

    Parameters
    ----------
    graphs : list of (view, relation)
    powers : ndarray of shape (n_terms, n_graphs)

    Returns
    -------
    dict of str to ndarray of shape (n_terms,)

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.anomaly._fusion import candidate_weights
    >>> candidate_weights([("a", "rbf"), ("b", "rbf")], np.array([[1, 0], [0, 1]]))
    {'all': array([0.5, 0.5]), 'a': array([1., 0.]), 'b': array([0., 1.])}
    """
    found = {"all": np.ones(len(powers))}
    for part in (1, 0):
        labels = [graph[part] for graph in graphs]
        for label in dict.fromkeys(labels):
            others = [k for k, other in enumerate(labels) if other != label]
            alone = (powers[:, others] == 0).all(axis=1).astype(float)
            name = getattr(label, "__name__", label)
            if others:
                found[name if part == 0 else f"[{name}]"] = alone
    return {name: weights / weights.sum() for name, weights in found.items()}


class UnitFusion:
    """Relations of units to two sets of references, fused by several weights.

    Parameters
    ----------
    columns : dict of str to index array
    graphs : list of (view, relation)
    powers : ndarray of shape (n_terms, n_graphs)
    learned : dict of (str, None) to Statistics
        Of each view.
    weights : dict of str to ndarray of shape (n_terms,)
        Competing weights, each adding up to 1.
    landmarks : ndarray of shape (n_landmarks, n_features)
        References whose Nyström features unit scores are linear in.
    references : ndarray of shape (n_references, n_features)
        References that pooled relations are taken to.
    """

    def __init__(self, columns, graphs, powers, learned, weights, landmarks, references):
        self.columns, self.graphs, self.powers = columns, graphs, powers
        self.learned, self.weights = learned, weights
        self.landmarks, self.references = self.encode(landmarks), self.encode(references)
        marks = self.relations(self.landmarks, self.landmarks)
        pairs = self.landmarks, self.landmarks
        self.maps = {
            name: embedding_map(self.fuse(marks, w, *pairs), tol=1e-8)[0]
            for name, w in weights.items()
        }

    def encode(self, X):
        """Rows of every graph."""
        return encode_rows(X, self.columns, self.graphs, self.learned)

    def relations(self, rows, references):
        """One array of shape (n_units, n_references) for each graph."""
        return relate_rows(rows, references, self.graphs, self.learned)

    def fuse(self, relations, weights, rows, references):
        """Fused graph, normalised by its diagonal where views are missing."""
        used = weights > 0
        fused = fuse(relations, self.powers[used], weights[used])
        for axis, part in ((1, rows), (0, references)):
            if part.present is not None:
                fused *= np.expand_dims(self._scale(part.present, weights), axis)
        return fused

    def _scale(self, present, weights):
        """1 / sqrt of a unit's fused relation to itself, 0 where that is 0."""
        lacking = (1.0 - present) @ (self.powers.T > 0)
        diagonal = (lacking == 0) @ weights
        return np.divide(1, np.sqrt(diagonal), out=np.zeros(len(present)), where=diagonal > 0)

    def features(self, X, offsets, wanted):
        """Read features from the fused graphs.

        Parameters
        ----------
        X : ndarray of shape (n_units, n_features)
        offsets : ndarray of shape (n_bags + 1,)
            No bag may be empty.
        wanted : collection of (str, str)
            Names of weights, each with "units" or "relations".

        Returns
        -------
        dict of (str, str) to ndarray
            For "units" Nyström features, (n_units, n_components); for "relations" the largest
            relation of a bag's units to each reference, (n_bags, n_references).
        """
        found: dict = {key: [] for key in wanted}
        width = len(self.landmarks) + len(self.references)
        step = max(64, _BLOCK_SIZE // (width * (len(self.graphs) + 2)))
        first = 0
        while first < len(offsets) - 1:
            start = offsets[first]
            last = max(first + 1, int(np.searchsorted(offsets, start + step, "right")) - 1)
            rows = self.encode(X[start : offsets[last]])
            for kind, references in (("units", self.landmarks), ("relations", self.references)):
                names = [name for name, k in found if k == kind]
                relations = self.relations(rows, references) if names else None
                for name in names:
                    fused = self.fuse(relations, self.weights[name], rows, references)
                    if kind == "units":
                        part = fused @ self.maps[name]
                    else:
                        part = np.maximum.reduceat(fused, offsets[first:last] - start)
                    found[name, kind].append(part)
            first = last
        return {key: np.concatenate(parts) for key, parts in found.items()}
