"""What a fitted classifier says of bags and of their units."""

from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.utils.validation import check_is_fitted

from .._threads import single_threaded_blas
from ._bags import read_bags
from ._checks import warn_missing
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

    def _read(self, X, what):
        check_is_fitted(self)
        bags = read_bags(self, X, time_view=self._time_view, reset=False)
        warn_missing(bags, what)
        return bags

    def _logits(self, X, offsets):
        """Logit of anomaly of each bag; that of the prior for empty ones."""
        out = np.full(len(offsets) - 1, logit(np.clip(self.prior_, 1e-12, 1 - 1e-12)))
        full = np.diff(offsets) > 0
        ends = np.append(offsets[:-1][full], offsets[-1])
        if full.any():
            found = [member.bag_logits(X, ends) for member in self._members]
            out[full] = np.mean(found, axis=0)
        return out

    def _bag_logits(self, X):
        bags = self._read(X, "not used; where a bag has no other, it gets the prior")
        with single_threaded_blas():
            return self._logits(bags.X, bags.offsets)

    def decision_function(self, X):
        """Logit of ``classes_[1]``, shifted so that :meth:`predict` is its sign.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_bags,)
            Larger is more anomalous, unless ``pos_label`` is ``classes_[0]``: then smaller is.
        """
        logits = self._bag_logits(X) - self.offset_
        return logits if self.pos_label_ == self.classes_[1] else -logits

    def predict_proba(self, X):
        """Probability of each class, not shifted by ``contamination``.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_bags, 2)
        """
        anomalous = expit(self._bag_logits(X))
        pair = [1 - anomalous, anomalous]
        return np.column_stack(pair if self.pos_label_ == self.classes_[1] else pair[::-1])

    def predict(self, X):
        """Class of each bag.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        ndarray of shape (n_bags,)
        """
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def score_units(self, X):
        """Score each unit by how anomalous a bag of it alone would be.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        list of ndarray of shape (n_units_i,)
            In [0, 1], larger is more anomalous; not calibrated, for labels of units are unknown.
            Padding gets no score, a unit that misses every view gets the prior.
        """
        bags = self._read(X, "given the prior")
        scores = np.full(len(bags.has_view), self.prior_)
        ends = np.unique(bags.offsets)  # bags without a unit that has a view are left out
        if len(bags.X):
            with single_threaded_blas():
                found = [member.unit_logits(bags.X, ends) for member in self._members]
            scores[bags.has_view] = expit(np.mean(found, axis=0))
        return np.split(scores, bags.all_offsets[1:-1])

    def fused_graphs(self, X):
        """Fused graph of each bag: its units' relations to the references, by ``weights_``.

        Where a net resamples bags, their ``n_units`` segments stand for units.

        Parameters
        ----------
        X : bags, as in :meth:`fit`

        Returns
        -------
        list of ndarray of shape (n_units_i, n_references)
            To the landmarks of the first member; 0 for a unit that misses every view. To the
            segments themselves, (n_units, n_units), by ``reference="bag"``.
        """
        bags = self._read(X, "given relations of 0")
        with single_threaded_blas():
            fused = self._members[0].fused(bags.X, np.unique(bags.offsets), self.weights_)
        if fused.ndim == 3:  # one graph of segments for each bag that is not empty
            full = np.diff(bags.offsets) > 0
            out = np.zeros((len(full), *fused.shape[1:]))
            out[full] = fused
            return list(out)
        out = np.zeros((len(bags.has_view), fused.shape[1]))
        out[bags.has_view] = fused
        return np.split(out, bags.all_offsets[1:-1])

    def _unit_parts(self, X):
        """Logits of units as sums over references and views, for inspection; None if they are not.

        Returns
        -------
        references : ndarray of shape (n_references, 2)
            Bag and unit of each in the training data.
        parts : ndarray of shape (n_units, n_views, n_references)
        base : ndarray of shape (n_units,)
        """
        check_is_fitted(self)
        bags = read_bags(self, X, time_view=self._time_view, reset=False)
        ends = np.unique(bags.offsets)
        found = [member.parts(bags.X, ends) for member in self._members]
        if any(part is None for part in found):
            return None
        ids = [place for member in self._members for place in member.places]
        return assemble(found, bags, ids, self.prior_)
