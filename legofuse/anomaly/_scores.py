"""What a fitted classifier says of bags and of their units."""

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logit
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from .._compat import stack_level
from .._threads import single_threaded_blas
from ..bags import is_table
from ._checks import check_label_each, warn_missing
from ._domains import read_any
from ._parts import assemble


class BagScores:
    """Mixin: predictions by the mean logit of the fitted members."""

    classes_: Any
    pos_label_: Any
    prior_: Any
    offset_: Any
    weights_: Any
    _members: Any
    _time_view: Any
    _several_units: Any

    def _read(self, X, sample_domain, what):
        check_is_fitted(self)
        bags = read_any(self, X, sample_domain, time_view=self._time_view, reset=False)
        if self._several_units and is_table(X):
            warnings.warn(
                f"X is one table, and the bags of fit had several units: each of its {len(X)} rows "
                "is taken for a bag of one unit. One bag is given as [X].",
                UserWarning,
                stacklevel=stack_level(),
            )
        warn_missing(bags, what)
        return bags

    def _logits(self, units, offsets):
        """Logit of anomaly of each bag; that of the prior for empty ones."""
        out = np.full(len(offsets) - 1, logit(np.clip(self.prior_, 1e-12, 1 - 1e-12)))
        full = np.diff(offsets) > 0
        ends = np.append(offsets[:-1][full], offsets[-1])
        if full.any():
            found = [member.bag_logits(units, ends) for member in self._members]
            out[full] = np.mean(found, axis=0)
        return out

    def _bag_logits(self, X, sample_domain):
        bags = self._read(X, sample_domain, "not used; where a bag has no other, it gets the prior")
        with single_threaded_blas():
            return self._logits(bags.units, bags.offsets)

    def decision_function(self, X, sample_domain=None):
        """Logit of ``classes_[1]``, shifted so that :meth:`predict` is its sign.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags, as in :meth:`fit`.
        sample_domain : array-like of shape (n_bags,), optional
            Domain of each bag; needed where fit was given domains.

        Returns
        -------
        ndarray of shape (n_bags,)
            Larger is more anomalous, unless ``pos_label`` is ``classes_[0]``: then smaller is.
        """
        logits = self._bag_logits(X, sample_domain) - self.offset_
        return logits if self.pos_label_ == self.classes_[1] else -logits

    def predict_proba(self, X, sample_domain=None):
        """Probability of each class, not shifted by ``contamination``.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags, as in :meth:`fit`.
        sample_domain : array-like of shape (n_bags,), optional
            Domain of each bag; needed where fit was given domains.

        Returns
        -------
        ndarray of shape (n_bags, 2)
            Columns are in the order of ``classes_``.
        """
        anomalous = expit(self._bag_logits(X, sample_domain))
        pair = [1 - anomalous, anomalous]
        return np.column_stack(pair if self.pos_label_ == self.classes_[1] else pair[::-1])

    def predict(self, X, sample_domain=None):
        """Class of each bag.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags, as in :meth:`fit`.
        sample_domain : array-like of shape (n_bags,), optional
            Domain of each bag; needed where fit was given domains.

        Returns
        -------
        ndarray of shape (n_bags,)
            One of ``classes_`` for each bag.
        """
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X, sample_domain) > 0).astype(int)]

    def score(self, X, y, sample_weight=None, sample_domain=None):
        """Share of bags that :meth:`predict` is right about.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags, as in :meth:`fit`.
        y : array-like of shape (n_bags,)
            Their classes.
        sample_weight : array-like of shape (n_bags,), optional
            Weight of each bag.
        sample_domain : array-like of shape (n_bags,), optional
            Domain of each bag; needed where fit was given domains.

        Returns
        -------
        float
            Weighed by ``sample_weight`` where it is given.
        """
        check_label_each(y)
        return accuracy_score(y, self.predict(X, sample_domain), sample_weight=sample_weight)

    def score_units(self, X, sample_domain=None):
        """Score each unit: how anomalous it is by itself, and its own bag is.

        The score is the geometric mean of both probabilities: a unit is anomalous where it is among
        those that make a bag anomalous, and its bag is. By itself it is scored as a bag of it alone
        (save what spreads). Held-out bags do not say which of their units are anomalous, so where
        linear heads compete (``pooling="auto"``, bags of several units) the weights of those
        that are fitted to tell units are less sharp than ``heads_``: a third of these, two thirds
        by a flatter likelihood. Novelty and extremes keep their weight, and so do all heads where
        domains share one.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags, as in :meth:`fit`.
        sample_domain : array-like of shape (n_bags,), optional
            Domain of each bag; needed where fit was given domains.

        Returns
        -------
        list of ndarray of shape (n_units_i,)
            In [0, 1], larger is more anomalous; not calibrated, for labels of units are unknown.
            Padding gets no score, a unit that misses every view gets the prior.
        """
        bags = self._read(X, sample_domain, "given the prior")
        scores = np.full(len(bags.has_view), self.prior_)
        ends = bags.offsets
        if not (ends[1:] > ends[:-1]).all():  # bags without a unit that has a view are left out
            ends = np.unique(ends)
        if len(bags.X):
            with single_threaded_blas():
                found = [member.logits(bags.units, ends) for member in self._members]
            of_bags, units = (sum(logits) / len(found) for logits in zip(*found, strict=True))
            scores[bags.has_view] = np.exp(_log_score(units, of_bags, ends))
        return [scores[start:stop] for start, stop in pairwise(bags.all_offsets.tolist())]

    def fused_graphs(self, X, sample_domain=None):
        """Fused graph of each bag: its units' relations to the references, by ``weights_``.

        Where a net resamples bags, their ``n_units`` segments stand for units.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays, 3-D array, or 2-D array
            Bags, as in :meth:`fit`.
        sample_domain : array-like of shape (n_bags,), optional
            Domain of each bag; needed where fit was given domains.

        Returns
        -------
        list of ndarray of shape (n_units_i, n_landmarks)
            To the landmarks of the first member (``n_references``, or eight times as many for
            linear heads with ``pooling="auto"``); 0 for a unit that misses every view. To the
            segments themselves, (n_units, n_units), by ``reference="bag"``.
        """
        bags = self._read(X, sample_domain, "given relations of 0")
        with single_threaded_blas():
            fused = self._members[0].fused(bags.units, np.unique(bags.offsets), self.weights_)
        if fused.ndim == 3:  # one graph of segments for each bag that is not empty
            full = np.diff(bags.offsets) > 0
            out = np.zeros((len(full), *fused.shape[1:]))
            out[full] = fused
            return list(out)
        out = np.zeros((len(bags.has_view), fused.shape[1]))
        out[bags.has_view] = fused
        return np.split(out, bags.all_offsets[1:-1])

    def _unit_parts(self, X, sample_domain=None):
        """Logits of units as sums over references and views, for inspection; None if they are not.

        What the bag of a unit adds is in the base.

        Returns
        -------
        references : ndarray of shape (n_references, 2)
            Bag and unit of each in the training data.
        parts : ndarray of shape (n_units, n_views, n_references)
        base : ndarray of shape (n_units,)
        """
        check_is_fitted(self)
        bags = read_any(self, X, sample_domain, time_view=self._time_view, reset=False)
        ends = np.unique(bags.offsets)
        found = [member.parts(bags.units, ends) for member in self._members]
        if any(part is None for part in found):
            return None
        ids = [place for member in self._members for place in member.places]
        references, parts, base = assemble(found, bags, ids, self.prior_)
        units = (base + parts.sum(axis=(1, 2)))[bags.has_view]
        with single_threaded_blas():
            score = _log_score(units, self._logits(bags.units, ends), ends)
        base[bags.has_view] += score - np.log(-np.expm1(score)) - units
        return references, parts, base


def _log_score(units, of_bags, offsets):
    """Logarithm of the geometric mean of the probabilities of each unit and of its bag."""
    return 0.5 * (log_expit(units) + np.repeat(log_expit(of_bags), np.diff(offsets)))
