r"""Roles: relations of units to bags of known label, which mean the same in every domain.

Domains of different features have no unit and no column in common, but relations to the normal
and to the anomalous bags of their own domain. Of these a unit has, by each of the competing
weights and for each class, two means over the bags of that class: of its mean relation and of its
largest relation to the units of a bag,

.. math:: \frac{1}{|B_c|} \sum_{b \in B_c} \frac{1}{|b|} \sum_{j \in b} G_{ij}, \qquad
    \frac{1}{|B_c|} \sum_{b \in B_c} \max_{j \in b} G_{ij}.

Neither depends on how many bags there are, so that few and many bags may be compared, and a bag's
own label does not show in what is left when it is left out. One head on roles serves all domains.
"""

from typing import Any

import numpy as np

from ._blocks import rows_at_once
from ._fit_head import fit_head

PENALTY = 0.05  # ridge of the head on roles
_BLOCK_SIZE = 1 << 21  # numbers of relations computed at once
_N_FOLDS = 5


class Roles:
    """Relations of the units of one domain to its bags, by their label.

    Parameters
    ----------
    bags : ndarray of shape (n_references,), int
        Which bag each reference is from.
    labels : ndarray of shape (n_references,), int
        Of that bag.
    classes : list of int
        Labels that count, of 0 and 1.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_roles,)
        Of the training units.
    coef : ndarray of shape (n_roles + 1,)
        Of the shared head, the intercept last.
    """

    def __init__(self, bags, labels, classes):
        self.order = np.argsort(bags, kind="stable")
        ordered = bags[self.order]
        self.starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        self.bags, self.labels = ordered[self.starts], labels[self.order][self.starts]
        self.sizes = np.diff(np.append(self.starts, len(bags)))
        self.classes = list(classes)
        self.mean: Any = None
        self.scale: Any = None
        self.coef: Any = None

    def _shares(self, own):
        """Share of each bag in the means of each class, (n_classes, n_units or 1, n_bags)."""
        counts = self.labels == np.array(self.classes)[:, None]
        counts = counts[:, None].astype(float)
        if own is not None:
            counts = counts * (own[:, None] != self.bags)
        return counts / counts.sum(axis=2, keepdims=True)

    def _blocks(self, fusion, units, own):
        """Fused graphs of blocks of units, name by name, which of them are known, and shares."""
        to = fusion.references
        step = rows_at_once(_BLOCK_SIZE, len(to), fusion.graphs)
        for start in range(0, len(units), step):
            part = slice(start, min(start + step, len(units)))
            rows, marks = fusion.encode(units[part])
            rows = fusion.narrow(rows)
            shares = self._shares(None if own is None else own[part])
            names = list(fusion.weights)
            for k, (name, fused) in enumerate(
                fusion.fuse_each(names, to, rows, marks, units.domains[part])
            ):
                known = np.ones(len(fused), bool)
                if rows.present is not None:
                    known = fusion.polynomials.factor(name, rows.present) > 0
                yield k, part, fused[:, self.order], known, shares

    def measure(self, fusion, units, own=None):
        """Roles of units; NaN by weights of which a unit misses all views.

        Parameters
        ----------
        fusion : UnitFusion
            To references of this domain.
        units : Units
        own : ndarray of shape (n_units,), int, optional
            Bag of each unit, which is left out.

        Returns
        -------
        ndarray of shape (n_units, n_weights, n_classes, 2)
        """
        found = np.full((len(units), len(fusion.weights), len(self.classes), 2), np.nan)
        for k, part, fused, known, shares in self._blocks(fusion, units, own):
            means = np.add.reduceat(fused, self.starts, axis=1) / self.sizes
            largest = np.maximum.reduceat(fused, self.starts, axis=1)
            pair = [(shares * values).sum(axis=2).T for values in (means, largest)]
            found[part, k] = np.where(known[:, None, None], np.stack(pair, axis=2), np.nan)
        return found

    def learn(self, found, weight):
        """Learn means and scales of the roles of training units, and return them standardised."""
        flat = found.reshape(len(found), -1)
        mass = np.where(np.isnan(flat), 0, weight[:, None])
        total = np.maximum(mass.sum(axis=0), 1e-12)
        self.mean = (mass * np.nan_to_num(flat)).sum(axis=0) / total
        spread = np.sqrt((mass * np.nan_to_num(flat - self.mean) ** 2).sum(axis=0) / total)
        self.scale = np.where(spread > 1e-9, spread, np.inf) * np.sqrt(flat.shape[1])
        return self.standardise(found)

    def standardise(self, found):
        """Roles as the head reads them; 0 where they are not known."""
        return np.nan_to_num((found.reshape(len(found), -1) - self.mean) / self.scale)

    def logits(self, fusion, units):
        """Logit of each unit by the shared head."""
        return self.standardise(self.measure(fusion, units)) @ self.coef[:-1] + self.coef[-1]

    def sums(self, fusion, units):
        """The same logits as sums over references.

        Returns
        -------
        base : ndarray of shape (n_units,)
        factors : dict of str to ndarray of shape (n_units, n_references)
            By name of weights, of fused relations.
        """
        coef = (self.coef[:-1] / self.scale).reshape(-1, len(self.classes), 2)
        starts = (coef.ravel() * self.mean).reshape(coef.shape).sum(axis=(1, 2))
        base = np.full(len(units), self.coef[-1])
        names, width = list(fusion.weights), len(self.order)
        factors = {name: np.zeros((len(units), width)) for name in names}
        bag = np.repeat(np.arange(len(self.starts)), self.sizes)
        for k, part, fused, known, shares in self._blocks(fusion, units, None):
            base[part] -= known * starts[k]
            by_bag = (coef[k][:, None, None] * shares[..., None]).sum(axis=0)  # (1, n_bags, 2)
            largest = np.maximum.reduceat(fused, self.starts, axis=1)[:, bag]
            first = _firsts(fused == largest, self.starts)
            values = (by_bag[0, :, 0] / self.sizes)[bag] + first * by_bag[0, bag, 1]
            factors[names[k]][part, self.order] = known[:, None] * values
        return base, factors


def _firsts(flags, starts):
    """True at the first True of each run of columns."""
    running = np.cumsum(flags, axis=1)
    before = np.where(starts > 0, running[:, starts - 1], 0)
    lengths = np.diff(np.append(starts, flags.shape[1]))
    return flags & (running - np.repeat(before, lengths, axis=1) == 1)


def shared_classes(labels):
    """Labels of which each domain has two bags, so that one may be left out.

    Parameters
    ----------
    labels : list of ndarray of int
        Those of the bags of each domain that references are from.

    Returns
    -------
    list of int
    """
    return [k for k in (0, 1) if all((part == k).sum() > 1 for part in labels)]


def fit_shared(parts, rng):
    """Fit the head on roles on the bags of all domains.

    Parameters
    ----------
    parts : list of (roles, offsets, labels, weight)
        Of each domain: standardised roles of its units, and its bags.
    rng : RandomState

    Returns
    -------
    coef : ndarray of shape (n_roles + 1,)
    held_out : list of ndarray of shape (n_units,)
        Logits of the units of each domain by a head fitted without their bag.
    """
    offsets = np.append(0, np.cumsum(np.concatenate([np.diff(part[1]) for part in parts])))
    values, labels, weight = (np.concatenate([part[k] for part in parts]) for k in (0, 2, 3))
    fold = np.concatenate([_folds(part[2], rng) for part in parts])
    of_unit = np.repeat(fold, np.diff(offsets))

    def fit(bags, units):
        lengths = np.diff(offsets)[bags]
        ends = np.append(0, np.cumsum(lengths))
        return fit_head(values[units], ends, labels[bags], weight[bags], 1, penalty=PENALTY)[0]

    held_out = np.empty(len(values))
    for k in range(_N_FOLDS):
        if (fold == k).any():
            coef = fit(fold != k, of_unit != k)
            held_out[of_unit == k] = values[of_unit == k] @ coef[:-1] + coef[-1]
    coef = fit(np.ones(len(fold), bool), np.ones(len(values), bool))
    return coef, np.split(held_out, np.cumsum([len(part[0]) for part in parts])[:-1])


def _folds(labels, rng):
    """Fold of each bag of a domain, stratified by label."""
    folds = np.empty(len(labels), int)
    for k in (0, 1):
        where = np.flatnonzero(labels == k)
        folds[where] = rng.permutation(len(where)) % _N_FOLDS
    return folds
