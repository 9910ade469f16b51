"""The paper's net on relations of units: what it is trained on, kept as, and scored by.

torch is imported inside the functions that need it.
"""

from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from ..bags import segment_means, unit_segments
from ..config import foresee
from ..expansion import hops
from ..fused import FusedGraph
from ..fusion import one_exponent_each
from ._bags import Units, units_of
from ._blocks import rows_at_once, whole_bags
from ._fusion import importances
from ._net_data import Data, as_rows, single
from ._polynomials import Polynomials

_BLOCK_SIZE = 1 << 22  # numbers of relations computed at once


class NetMember:
    """A net trained on relations of units, with all that relates new units.

    Parameters
    ----------
    fusion : UnitFusion
        Its ``own`` is set where the reference uses the bag.
    reference : {"landmarks", "bag", "both"}
    n_units : int
        Segments that bags are resampled to where the reference uses the bag.
    device : str
        Where the net is made anew.
    places : list of ndarray of shape (n_references, 2)
        Bag and unit of the landmarks in the training data.
    landmarks : Units
        The landmarks.
    """

    def __init__(self, fusion, reference, n_units, device, places, landmarks):
        self.fusion, self.reference, self.n_units = fusion, reference, n_units
        self.device, self.places = device, places
        self.own_landmarks: Any = None
        if fusion.own is not None:
            to = fusion.landmarks
            self.own_landmarks = FusedGraph(
                to.columns,
                self.graphs,
                self.expansion,
                fusion.learned,
                landmarks.X,
                landmarks.domains,
                to.hops[0][0] if to.hops else None,
            )
        self.state: Any = None
        self.history: Any = []
        self.weights: Any = None

    @property
    def _widest(self):
        """What fuses all graphs of the net: that of the bag, where the reference uses it."""
        return self.fusion if self.fusion.own is None else self.fusion.own

    @property
    def _width(self):
        """Number of references that a unit, or a segment, is related to."""
        return self.n_units if self.reference == "bag" else len(self.fusion.landmarks)

    @property
    def expansion(self):
        """Terms of the net."""
        return self._widest.polynomials.expansion

    @property
    def graphs(self):
        """The (view, relation) pairs of the net."""
        return self._widest.graphs

    def owners(self):
        """The view of each expanded graph; None for positions in time and the identity."""
        known, expansion = len(self.fusion.graphs), self.expansion
        views = [view if k < known else None for k, (view, _) in enumerate(self.graphs)]
        if expansion.separable:
            return views
        if expansion.degree is not None:
            views = [views[m] for m, _ in one_exponent_each(expansion.powers)[0]]
        return [*views, None] if expansion.identity else views

    def train(self, units, offsets, labels, weight, *, settings, valid=None, step=None, **options):
        """Train, from where the net stands if it has been trained before.

        Parameters
        ----------
        units : Units
        offsets : ndarray of shape (n_bags + 1,)
        labels, weight : ndarray of shape (n_bags,)
        settings : dict
            Of :class:`~legofuse.nn.BagSettings`.
        valid : ndarray of bool of shape (n_bags,), optional
            Bags that are held out to stop early.
        step : callable, optional
            Called with the name of each epoch that is done.
        **options
            Of :func:`~legofuse.nn.fit_bags`.
        """
        from ..nn import BagSettings, OnEpoch, fit_bags, resolve_device

        if step is not None:
            tell = OnEpoch(lambda epoch: step(f"epoch {epoch}"))
            options["callbacks"] = [tell, *(options.get("callbacks") or [])]
        expansion = self.expansion
        fixed = {"spread": self.reference == "both", "separable": bool(expansion.separable)}
        if self.state is not None:
            fixed["hidden_units"] = self.state["settings"]["hidden_units"]
        chosen = BagSettings(**(settings | fixed))
        self._foresee(chosen, np.diff(offsets))
        data = Data(self, units, offsets, labels, weight, resolve_device(self.device))
        held = np.zeros(len(labels), bool) if valid is None else valid
        relations, lengths, labels, weight, own = data.take(np.flatnonzero(~held))
        found = fit_bags(
            relations,
            lengths,
            labels,
            weight,
            own=own,
            powers=expansion.terms(),
            views=self.owners(),
            start=self._widest.polynomials.weights["all"],
            settings=chosen,
            valid=data.take(np.flatnonzero(held)) if held.any() else None,
            state=self.state,
            device=self.device,
            **options,
        )
        self.state, self.history, self.weights = found.state, found.history, found.weights
        self.__dict__.pop("_net", None)

    def _foresee(self, settings, lengths):
        """Raise where the hidden layer would take too much memory."""
        width = self._width
        lengths = lengths if self.fusion.own is None else np.full(len(lengths), self.n_units)
        rows = np.sort(lengths)[-settings.batch_size :].sum()
        copies = 4 * (width + 2) + 2 * rows  # gradients and moments of weights, gradients of rows
        foresee(
            4 * (settings.hidden_units or 0) * int(copies),
            f"Training {settings.hidden_units} hidden units on {width} references",
            f"lower hidden_units or {'n_references' if self.fusion.own is None else 'n_units'}",
        )

    def restore(self):
        """The trained net, made anew from arrays."""
        from ..nn import restore_bags

        return restore_bags(self.state, self.device)

    def net(self):
        """The trained net that scores; kept until it is trained on or pickled."""
        net = self.__dict__.get("_net")
        if net is None:
            net = self._net = self.restore()
        return net

    def _score(self, units, offsets):
        """Logits of bags, and of their units or segments."""
        from ..nn import score_bags

        net, found = self.net(), []
        for part in self.relate(units, offsets, net.module_.centre.device):
            found.append(score_bags(net, *part))
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))

    def bag_logits(self, units, offsets):
        """Logit of each bag; none may be empty."""
        return self._score(units, offsets)[0]

    def unit_logits(self, units, offsets):
        """Logit of each unit: that of its segment, where bags are resampled."""
        return self.logits(units, offsets)[1]

    def logits(self, units, offsets):
        """Logit of each bag and of each unit, in one pass."""
        of_bags, of_units = self._score(units, offsets)
        if self.reference != "landmarks":
            of_units = of_units[unit_segments(offsets, self.n_units)]
        return of_bags, of_units

    def parts(self, units, offsets):
        """None: a net's logits are no sums over references."""

    def relate(self, units, offsets, device=None):
        """Relations of bags, run after run of whole bags.

        Parameters
        ----------
        units : Units
        offsets : ndarray of shape (n_bags + 1,)
        device : torch.device, optional
            Where relations to landmarks are computed and stay, if it is an accelerator that can.

        Yields
        ------
        units : dict
            As in :meth:`legofuse.nn.BagModel.graph`.
        lengths : ndarray of shape (n_bags,)
        own : dict or None
            Each bag's own graphs.
        """
        if not len(units):
            return
        if self.reference != "landmarks":
            units = self._segments(units, offsets)
            offsets = np.arange(len(offsets)) * self.n_units
        step = rows_at_once(_BLOCK_SIZE, self._width, self.graphs)
        for first, last in whole_bags(offsets, step):
            a, b = offsets[first], offsets[last]
            part, own = units[a:b], None
            rows, marks = self.fusion.encode(part)
            if self.reference != "landmarks":
                own = self._own(rows, marks, last - first)
            if self.reference == "bag":
                relations, own = as_rows(own), None
            else:
                relations = self._to_landmarks(rows, marks, part.domains, device)
            yield relations, np.diff(offsets[first : last + 1]), own

    def _segments(self, units, offsets):
        """Bags resampled to as many segments each."""
        X = segment_means(units.X, offsets, self.n_units).reshape(-1, units.X.shape[1])
        if units.domains is None:
            return Units(X)
        return Units(X, np.repeat(units.domains[offsets[:-1]], self.n_units))

    def _to_landmarks(self, rows, marks, domains, device):
        """Relations of units to the landmarks; to positions in time all are near."""
        to, expansion, narrow = self.fusion.landmarks, self.expansion, self.fusion.narrow(rows)
        same = self.fusion.same_domain(to, domains)
        hop_lists, equal = None, None
        if device is None or same is not None:
            relations = to.relations(narrow)
        else:
            from ..nn import relate_on

            relations = relate_on(device, to, narrow)
        if same is not None:
            relations = [relation * same for relation in relations]
        if expansion.identity:
            equal = (marks[:, None] == to.marks).all(axis=2).astype(np.float32)
        if to.hops is not None:
            hop_lists = [hops(r, *parts) for r, parts in zip(relations, to.hops, strict=True)]
        for _ in range(len(self.graphs) - len(relations)):
            near = np.ones((len(rows), len(to)), np.float32) if same is None else same.astype(float)
            relations.append(near)
            if hop_lists is not None:
                hop_lists.append([near] * expansion.degree)
        found = {"relations": expansion.graphs(relations, hop_lists, equal)}
        if expansion.separable and expansion.identity:
            found["zeroth"] = equal
        missing = narrow.present is not None or to.references.present is not None
        if missing and expansion.degree is None:
            found["present"] = self._present(narrow.present, len(narrow))
            found["reference_present"] = self._present(to.references.present, len(to))
        return single(found)

    def _present(self, present, n_rows):
        """Which expanded graphs rows have."""
        full = np.ones((n_rows, len(self.graphs)))
        if present is not None:
            full[:, : present.shape[1]] = present
        return self.expansion.present(full)

    def _own(self, rows, marks, n_bags):
        """Graphs of each bag's segments among themselves, of shape (n_bags, n_units, n_units)."""
        graphs, equal = self.fusion.own.per_bag(rows, marks, n_bags, self.fusion.learned)
        found = {"relations": graphs}
        if self.expansion.separable and self.expansion.identity:
            found["zeroth"] = equal
        if rows.present is not None and self.expansion.degree is None:
            present = self._present(rows.present, len(rows)).reshape(n_bags, self.n_units, -1)
            found |= {"present": present, "reference_present": present}
        return single(found)

    def fused(self, units, offsets, weights):
        """Fused graph of units and references, by the weights of the terms.

        Returns
        -------
        ndarray of shape (n_units, n_landmarks), or (n_bags, n_segments, n_references)
            The second where bags are resampled; to the segments where the reference is the bag.
        """
        by = Polynomials(self.expansion, {"given": np.asarray(weights)})
        found = [np.empty((0, self._width), np.float32)]
        n_graphs = len(self.graphs)

        def factor(present):
            flat = present.reshape(-1, present.shape[-1])[:, :n_graphs]
            return by.factor("given", flat).reshape(present.shape[:-1])

        for part, _, _ in self.relate(units, offsets):
            fused = by.fuse("given", part["relations"], part.get("zeroth"))
            if "present" in part:
                fused *= factor(part["present"])[:, None]
            if "row_present" in part:
                fused *= factor(part["row_present"])
            elif "reference_present" in part:
                fused *= factor(part["reference_present"])
            found.append(fused)
        fused = np.concatenate(found).astype(float)
        if self.reference == "landmarks":
            return fused
        return fused.reshape(-1, self.n_units, fused.shape[1])

    def importances(self, weights):
        """Share of each view in the fused graph of the landmarks (positions in time included)."""
        to = self.own_landmarks or self.fusion.landmarks
        return importances(to, weights, self.fusion.landmark_domains)

    def __getstate__(self):
        """All but the net itself: its arrays are in the state."""
        return {name: value for name, value in vars(self).items() if name != "_net"}


def hold_out(labels, share, seed):
    """Bags held out to stop early: a stratified share, at least one of each class.

    Parameters
    ----------
    labels : ndarray of shape (n_bags,)
    share : float
    seed : int

    Returns
    -------
    ndarray of shape (n_bags,), bool

    Raises
    ------
    ValueError
        If a class has a single bag.
    """
    if np.bincount(labels, minlength=2).min() < 2:
        raise ValueError(
            "early_stopping=True holds out bags of both classes, so that each needs two distinct "
            "bags at least."
        )
    size = min(max(2, round(share * len(labels))), len(labels) - 2)
    split = StratifiedShuffleSplit(1, test_size=size, random_state=seed)
    held = np.zeros(len(labels), bool)
    held[next(split.split(labels, labels))[1]] = True
    rng = np.random.RandomState(seed)
    for label in (0, 1):  # a rare class may have got no bag of its own on one side
        of_class = np.flatnonzero(labels == label)
        for side in (True, False):
            if (held[of_class] != side).all():
                held[rng.choice(of_class)] = side
    return held


def choose_reference(make, units, offsets, labels, weight, *, settings, seed, **options):
    """The reference by which a net does best on held-out bags.

    Parameters
    ----------
    make : callable
        From a reference to a :class:`NetMember`.
    units, offsets, labels, weight
        Of the bags.
    settings, seed, **options
        As of :meth:`NetMember.train`.

    Returns
    -------
    reference : str
    losses : dict of str to float
        Log-loss by reference; empty where a class has a single bag.
    """
    n_folds = min(5, np.bincount(labels, minlength=2).min())
    if n_folds < 2:
        return "landmarks", {}
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    train, test = next(folds.split(labels, labels))
    losses = {}
    for reference in ("landmarks", "both", "bag"):
        member = make(reference)
        rows, ends = units_of(offsets, train)
        member.train(
            units[rows], ends, labels[train], weight[train], settings=settings,
            random_state=seed, **options,
        )  # fmt: skip
        rows, ends = units_of(offsets, test)
        margin = (2 * labels[test] - 1) * member.bag_logits(units[rows], ends)
        losses[reference] = float(np.average(np.logaddexp(0, -margin), weights=weight[test]))
    return min(losses, key=lambda name: losses[name]), losses
