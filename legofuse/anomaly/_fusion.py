"""Fused graphs of units: to references of the training bags, and within their own bag."""

from typing import Any

import numpy as np

from ..graphs import Rows, encode_rows
from ..readouts import embedding_map
from ..sampling import mark_rows
from ..terms import view_importances
from ._blocks import rows_at_once, whole_bags
from ._own_graph import OwnGraph
from ._polynomials import Polynomials

_BLOCK_SIZE = 1 << 21  # numbers of relations computed at once
_MOST_SHOWN = 1000  # references whose graph tells how much each view matters


class UnitFusion:
    """Relations of units to two sets of references and to one another, fused by several weights.

    Parameters
    ----------
    landmarks : FusedGraph
        To the references whose Nyström features unit scores are linear in.
    references : FusedGraph
        To the references that pooled relations are taken to.
    weights : dict of str to ndarray of shape (n_terms,)
        Competing weights, see :func:`candidate_weights`.
    own : tuple, optional
        (graphs, expansion, weights by the same names) of the graph within a bag.
    apart : list of two ndarrays of shape (n_references,), optional
        Domain of each reference, where units of different domains have no relation.
    n_components : int, optional
        Largest number of Nyström features.
    owners : ndarray of shape (n_landmarks,), int, optional
        The normal training bag of each landmark; -1 where it is of no normal one, and a number
        that no bag has where it is of several.
    groups : ndarray of shape (n_groups,), int, optional
        Where the references of each training bag begin, bag after bag.
    """

    def __init__(
        self,
        landmarks,
        references,
        weights,
        own=None,
        apart=None,
        n_components=None,
        owners=None,
        groups=None,
    ):
        self.landmarks, self.references, self.apart = landmarks, references, apart
        self.owners, self.groups = owners, groups
        self.polynomials = Polynomials(landmarks.expansion, weights)
        self.own: Any = None if own is None else OwnGraph(own[0], Polynomials(*own[1:]))
        self.maps = {
            name: embedding_map(fused, n_components, tol=1e-8)[0]
            for name, fused in self.fuse_each(
                weights,
                self.landmarks,
                self.landmarks.references,
                self.landmarks.marks,
                self.landmark_domains,
            )
        }

    @property
    def graphs(self):
        """The (view, relation) pairs that units are related to references by."""
        return self.landmarks.graphs

    @property
    def learned(self):
        """Statistics of the views."""
        return self.landmarks.learned

    @property
    def weights(self):
        """Competing weights by name."""
        return self.polynomials.weights

    @property
    def landmark_domains(self):
        """Domain of each landmark, where units of different domains have no relation, or None."""
        return None if self.apart is None else self.apart[0]

    def encode(self, units):
        """Rows of every graph, and their fingerprints where an identity or hops need them."""
        graphs = self.graphs if self.own is None else self.own.graphs
        rows = encode_rows(units.X, self.landmarks.columns, graphs, self.learned, units.domains)
        marks = self.landmarks.marks
        return rows, None if marks is None else mark_rows(units.X, units.domains)

    def same_domain(self, to, domains):
        """1 where a unit and a reference are of one domain; None where all may be related."""
        if self.apart is None:
            return None
        others = self.apart[0 if to is self.landmarks else 1]
        return domains[:, None] == np.asarray(others)

    def narrow(self, rows):
        """Rows as references know them: without the view of positions."""
        n_graphs = len(self.graphs)
        if rows.present is None or rows.present.shape[1] == n_graphs:
            return rows
        present = rows.present[:, :n_graphs]
        return Rows(rows.encoded, None if present.all() else present)

    def fuse_each(self, names, to, rows, marks, domains):
        """Fused graphs to references, one after the other; relations are computed once."""
        if not names:
            return
        graphs, equal = to.expanded(rows, marks)
        same = self.same_domain(to, domains)
        parts = rows.present, to.references.present
        for name, fused in self.polynomials.fuse_each(names, graphs, equal, *parts):
            yield name, fused if same is None else fused * same

    def fused(self, units, weights):
        """Fused graph of units and landmarks by any weights, (n_units, n_landmarks)."""
        rows, marks = self.encode(units)
        rows = self.narrow(rows)
        graphs, equal = self.landmarks.expanded(rows, marks)
        by = Polynomials(self.landmarks.expansion, {"given": weights})
        parts = rows.present, self.landmarks.references.present
        fused = by.fuse("given", graphs, equal, *parts)
        same = self.same_domain(self.landmarks, units.domains)
        return fused if same is None else fused * same

    def features(self, units, offsets, wanted, pooled=True, maps=None, own=None):
        """Read features from the fused graphs.

        Parameters
        ----------
        units : Units
        offsets : ndarray of shape (n_bags + 1,)
            No bag may be empty.
        wanted : collection of (str, str)
            Names of weights, each with "units", "spread", "novelty", "relations" or "closest".
        pooled : bool
            False keeps relations of every unit.
        maps : dict of str to ndarray of shape (n_landmarks, n_values), optional
            What takes the place of the Nyström map, for some names.
        own : ndarray of shape (n_units,), int, optional
            Training bag of each unit, whose normal units do not count for "novelty".

        Returns
        -------
        dict of (str, str) to ndarray
            For "units" Nyström features, (n_units, n_components); for "spread" their mean over
            related units of the bag; for "novelty" the largest relation to a normal landmark,
            negated, (n_units,); for "relations" the largest relation of a bag's units to each
            reference, (n_bags, n_references); for "closest" the largest relation of a unit to the
            references of each training bag, the mean over a bag's units, (n_bags, n_groups).
        """
        found: dict = {key: [] for key in wanted}
        maps = self.maps | (maps or {})
        spread = [name for name, kind in found if kind == "spread"]
        to_landmarks = list(dict.fromkeys([n for n, kind in found if kind == "units"] + spread))
        novel = [name for name, kind in found if kind == "novelty"]
        kinds = "relations", "closest"
        to_references = list(dict.fromkeys([n for n, kind in found if kind in kinds]))
        same = self.landmarks is self.references
        shared = list(dict.fromkeys(to_landmarks + novel + to_references * same))
        others = [] if same else to_references
        width = len(self.landmarks) * bool(shared) + len(self.references) * bool(others)
        step = rows_at_once(_BLOCK_SIZE, width, self.graphs)
        for first, last in whole_bags(offsets, step):
            start, stop = offsets[first], offsets[last]
            part = units[start:stop]
            rows, marks = self.encode(part)
            narrow, values = self.narrow(rows), {}
            of = narrow, marks, part.domains
            for name, fused in self.fuse_each(shared, self.landmarks, *of):
                if name in to_landmarks:
                    values[name] = fused @ maps[name]
                if (name, "units") in found:
                    found[name, "units"].append(values[name])
                if name in novel:
                    bag = None if own is None else own[start:stop]
                    of_normal = self.to_normal(fused, part.domains, bag)[0]
                    found[name, "novelty"].append(-of_normal)
                if same and name in to_references:
                    self._to_references(found, name, fused, offsets[first:last] - start, pooled)
            if spread:
                values = {name: values[name] for name in spread}
                ends = offsets[first : last + 1] - start
                smooth = self.own.smooth(values, rows, marks, ends, self.learned)
                for name in spread:
                    found[name, "spread"].append(smooth[name])
            for name, fused in self.fuse_each(others, self.references, *of):
                self._to_references(found, name, fused, offsets[first:last] - start, pooled)
        return {key: np.concatenate(parts) for key, parts in found.items()}

    def _to_references(self, found, name, fused, starts, pooled):
        """Add what heads read from the fused graph of some units and the references."""
        if (name, "closest") in found:
            values = np.maximum.reduceat(fused, self.groups, axis=1)
            found[name, "closest"].append(mean_of(values, starts) if pooled else values)
        if (name, "relations") in found:
            values = np.maximum.reduceat(fused, starts) if pooled else fused
            found[name, "relations"].append(values)

    def to_normal(self, fused, domains=None, own=None):
        """Largest relation of each unit to a normal landmark, and which landmark that is.

        Parameters
        ----------
        fused : ndarray of shape (n_units, n_landmarks)
        domains : ndarray of shape (n_units,), optional
        own : ndarray of shape (n_units,), optional
            Training bag of each unit, whose landmarks are left out.

        Returns
        -------
        largest : ndarray of shape (n_units,)
            0 for a unit that no normal landmark can be related to.
        which : ndarray of shape (n_units,), int
        """
        normal = np.flatnonzero(self.owners >= 0)
        fused = fused[:, normal]
        same = self.same_domain(self.landmarks, domains)
        if same is not None:
            fused = np.where(same[:, normal], fused, -np.inf)
        if own is not None:
            fused = np.where(own[:, None] == self.owners[normal], -np.inf, fused)
        which = fused.argmax(axis=1)
        largest = np.take_along_axis(fused, which[:, None], axis=1)[:, 0]
        return np.where(np.isfinite(largest), largest, 0.0), normal[which]

    def smooth(self, units, offsets, name, values):
        """Mean of values over related units of the same bag, see :class:`OwnGraph`."""
        rows, marks = self.encode(units)
        return self.own.smooth({name: values}, rows, marks, offsets, self.learned)[name]

    def __getstate__(self):
        """Arrays, lists, dicts of strings and fused graphs only."""
        state = {
            "landmarks": self.landmarks,
            "references": self.references,
            "weights": self.weights,
            "maps": self.maps,
            "apart": self.apart,
            "owners": self.owners,
            "groups": self.groups,
            "own": None,
        }
        if self.own is not None:
            parts = self.own.polynomials
            state["own"] = [self.own.graphs, list(parts.expansion), parts.weights]
        return state

    def __setstate__(self, state):
        """Put the parts together again."""
        self.landmarks, self.references = state["landmarks"], state["references"]
        self.maps, self.apart = state["maps"], state["apart"]
        self.owners, self.groups = state["owners"], state["groups"]
        expansion = self.landmarks.expansion
        self.polynomials, self.own = Polynomials(expansion, state["weights"]), None
        if state["own"] is not None:
            graphs, parts, weights = state["own"]
            self.own = OwnGraph(graphs, Polynomials(type(expansion)(*parts), weights))


def mean_of(values, starts):
    """Mean of the rows of each bag, from where bags begin, shape (n_bags, n_values)."""
    lengths = np.diff(np.append(starts, len(values)))
    return np.add.reduceat(values, starts) / lengths[:, None]


def importances(to, weights, domains=None):
    """Share of each view in the fused graph of references among themselves.

    Parameters
    ----------
    to : FusedGraph
        At most a thousand of its references are looked at, or all where hops go through them.
    weights : ndarray of shape (n_terms,)
    domains : ndarray of shape (n_references,), optional
        Where references of different domains have no relation: the mean over domains.

    Returns
    -------
    dict of str to float
    """
    if domains is not None:
        found = []
        for domain in np.unique(domains):
            rows = to.references[np.flatnonzero(domains == domain)]
            found.append((len(rows), importances(to.with_references(rows), weights)))
        total = sum(n for n, _ in found)
        return {view: sum(n * part[view] for n, part in found) / total for view in found[0][1]}
    chosen = slice(None) if to.hops is not None else slice(_MOST_SHOWN)
    rows, marks = to.references[chosen], None if to.marks is None else to.marks[chosen]
    graphs, equal = to.among(rows, marks)
    views = [view for view, _ in to.graphs]
    shown = to.expansion, weights, np.ones(len(rows)), views, equal
    return view_importances(graphs, *shown, to.with_weights(weights).factors(rows))
