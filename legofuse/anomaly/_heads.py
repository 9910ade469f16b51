"""Heads: linear in Nyström features of units, or in pooled relations, or how novel units are."""

import numpy as np

from ._fit_head import fit_head, fit_labelled
from ._top_k import count_of, pool

MOST_BLUR = 0.5  # of the score of a unit; bags may be told by scores that spread more
ROLE = ("role", "role")  # key of the logits of a head that domains share, among the features
EXTREMES = ("extremes", "relations")  # key of features of bags by their extremes


def _labelled(features, name, offsets, labels, weight, trust=0.0):
    """Logistic regression on units that carry their bag's label, beside a share of shared logits.

    It is kept among the features, for all heads that are fitted on them.
    """
    known = name, "labelled" if not trust else f"labelled, {trust}"
    if known not in features:
        base = trust * features[ROLE] if trust else 0.0
        given = features[name, "units"], offsets, labels, weight
        features[known] = fit_labelled(*given, base=base)
    return features[known]


class UnitHead:
    """Scores units linearly in their Nyström features, then pools the top k.

    Where ``share`` is above 0, scores are spread over the graph of the bag first.
    """

    kind = family = "units"
    tells_units = True

    def __init__(self, name, k):
        self.name, self.k, self.share = name, k, 0.0

    def __str__(self):
        spread = f", spread {self.share:g}" if self.share else ""
        return f"top {count_of(self.k)} units, {self.name}{spread}"

    def wanted(self):
        """Features that it reads, as :meth:`UnitFusion.features` knows them."""
        keys = [(self.name, "units")]
        return [*keys, (self.name, "spread")] if self.share else keys

    def fit(self, features, offsets, labels, weight):
        values, start = features[self.name, "units"], None
        if len(values) > len(labels):
            start = _labelled(features, self.name, offsets, labels, weight)[0]
        self.coef, self.n_iter = fit_head(values, offsets, labels, weight, self.k, start=start)
        return self

    def unit_logits(self, features, most=MOST_BLUR):
        """Logit of each unit, of which a share of at most `most` is that of related units."""
        values, share = features[self.name, "units"], min(self.share, most)
        logits = values @ self.coef[:-1] + self.coef[-1]
        if share:
            smooth = features[self.name, "spread"] @ self.coef[:-1] + self.coef[-1]
            logits += share * (smooth - logits)
        return logits

    def bag_logits(self, features, offsets):
        return pool(self.unit_logits(features, 1.0), offsets, self.k)


class PropagatedHead(UnitHead):
    """Scores units by logistic regression on the labels of their bags, then pools the top k.

    Where most units of an anomalous bag are anomalous, or bags are few, it is the best of heads.
    """

    def __str__(self):
        return super().__str__().replace(" units", " of units labelled as their bags")

    def fit(self, features, offsets, labels, weight):
        self.coef, self.n_iter = _labelled(features, self.name, offsets, labels, weight)
        return self


class NoveltyHead:
    """Scores units by how little the most related normal unit is related; pools the top k.

    Units of normal bags are the only ones whose label is known. Nothing is fitted but what
    held-out bags say: how much novelty tells.
    """

    kind = family = "novelty"
    tells_units = False

    def __init__(self, name, k):
        self.name, self.k, self.share = name, k, 0.0

    def __str__(self):
        return f"top {count_of(self.k)} of novelty, {self.name}"

    def wanted(self):
        """Features that it reads, as :meth:`UnitFusion.features` knows them."""
        return [(self.name, "novelty")]

    def fit(self, features, offsets, labels, weight):
        self.n_iter = 0
        return self

    def unit_logits(self, features):
        return features[self.name, "novelty"]

    def bag_logits(self, features, offsets):
        return pool(self.unit_logits(features), offsets, self.k)


class LeaningHead(UnitHead):
    """Scores units by a head that all domains share, and what deviates from it in their own.

    Parameters
    ----------
    name, k
        As of :class:`UnitHead`.
    trust : float
        What the shared logits count.
    deviates : bool
        False takes the shared logits as they are.
    """

    family = "role"

    def __init__(self, name, k, trust=0.5, deviates=True):
        super().__init__(name, k)
        self.trust, self.deviates = trust, deviates

    def __str__(self):
        return f"{super().__str__()}, {'from' if self.deviates else 'by'} the shared head"

    def wanted(self):
        """Features that it reads: the shared logits, too."""
        return [*super().wanted(), ROLE]

    def fit(self, features, offsets, labels, weight):
        values, base = features[self.name, "units"], self.trust * features[ROLE]
        self.coef, self.n_iter = np.zeros(values.shape[1] + 1), 0
        if self.deviates:
            bags, start, before = (offsets, labels, weight), None, 0
            if len(values) > len(labels):
                start, before = _labelled(features, self.name, *bags, self.trust)
            self.coef, n_iter = fit_head(values, *bags, self.k, base=base, start=start)
            self.n_iter = before + n_iter
        return self

    def unit_logits(self, features, most=MOST_BLUR):
        """Logit of each unit; what spreads is the deviation."""
        return super().unit_logits(features, most) + self.trust * features[ROLE]


class PooledHead:
    """Scores bags linearly in their pooled relations, centred and of total variance 1."""

    kind = family = reads = "relations"
    tells_units = True

    def __init__(self, name, penalty):
        self.name, self.k, self.share, self.penalty = name, None, 0.0, penalty

    def __str__(self):
        return f"pooled relations, {self.name}, ridge {self.penalty:g}"

    def wanted(self):
        """Features that it reads, as :meth:`UnitFusion.features` knows them."""
        return [(self.name, self.reads)]

    def fit(self, features, offsets, labels, weight):
        values = features[self.name, self.reads]
        self.mean = np.average(values, axis=0, weights=weight)
        centred = values - self.mean
        variance = np.average((centred**2).sum(axis=1), weights=weight)
        self.factor = 1 / np.sqrt(variance) if variance > 1e-12 else 1.0
        singles = np.arange(len(values) + 1)
        self.coef, self.n_iter = fit_head(
            centred * self.factor, singles, labels, weight, 1, penalty=self.penalty
        )
        return self

    def unit_logits(self, features):
        """Logit of each row: of units, where relations are not pooled."""
        values = features[self.name, self.reads]
        return (values - self.mean) * self.factor @ self.coef[:-1] + self.coef[-1]

    def bag_logits(self, features, offsets):
        return self.unit_logits(features)


class TiedHead(PooledHead):
    """The same with one coefficient for all references of a training bag.

    A bag is scored by how close its closest units come to those of each training bag, on average.

    Parameters
    ----------
    name, penalty
        As of :class:`PooledHead`.
    groups : ndarray of shape (n_groups,), int
        Where the references of each training bag begin.
    """

    def __init__(self, name, penalty, groups):
        super().__init__(name, penalty)
        self.groups = groups

    def __str__(self):
        return super().__str__().replace("relations", "relations to bags")

    def fit(self, features, offsets, labels, weight):
        values = features[self.name, "relations"]
        sizes = np.diff(np.append(self.groups, values.shape[1]))
        tied = {(self.name, "relations"): np.add.reduceat(values, self.groups, axis=1) / sizes}
        super().fit(tied, offsets, labels, weight)
        self.mean = np.average(values, axis=0, weights=weight)
        self.coef = np.append(np.repeat(self.coef[:-1] / sizes, sizes), self.coef[-1])
        return self


class ClosestHead(PooledHead):
    """Scores bags by how close their units come to each training bag, the mean over units.

    The counterpart of :class:`TiedHead`, which looks for the closest unit from the other side.
    """

    reads = "closest"

    def __str__(self):
        return f"closest units of bags, {self.name}, ridge {self.penalty:g}"


class ExtremesHead(PooledHead):
    """Scores bags linearly in their features by extremes, see :class:`Extremes`."""

    tells_units = False

    def __init__(self, penalty):
        super().__init__(EXTREMES[0], penalty)

    def __str__(self):
        return f"extremes of bags, ridge {self.penalty:g}"


HEADS = {
    cls.__name__: cls
    for cls in (
        UnitHead,
        PropagatedHead,
        NoveltyHead,
        LeaningHead,
        PooledHead,
        TiedHead,
        ClosestHead,
        ExtremesHead,
    )
}
