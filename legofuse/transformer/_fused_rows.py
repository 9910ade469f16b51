"""What a fitted transformer does with rows: embed them, fuse them, relate them."""

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils.validation import check_is_fitted

from .._lazy import is_lazy, map_rows
from ..config import foresee
from ..shifts import with_domains
from ..tables import read_columns, read_domains
from ._class_shares import align_by_classes
from ._streaming import stream

_NEEDS = "transform needs sample_domain"
_REFERENCES_NEED = "references need reference_domain, as rows need sample_domain"


class FusedRows:
    """Rows of the embedding, of the fused graph and of the relations."""

    # what the estimator has
    unseen_domains: Any
    n_jobs: Any
    views_: Any
    graphs_: Any
    landmarks_: Any
    n_features_in_: Any
    _domains: Any
    _fused: Any
    _head: Any
    _map: Any
    _prior: Any

    def fused_graph(self, X, references=None, sample_domain=None, reference_domain=None):
        """Fused graph of rows and landmarks, or of rows and other rows.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
            Rows with the columns seen in fit.
        references : array-like, frame or sparse of shape (n_references, n_features), optional
            By default the landmarks, in the order of ``landmarks_``.
        sample_domain : array-like of shape (n_samples,), optional
            Domain of each row; needed if fit was given domains.
        reference_domain : array-like of shape (n_references,), optional
            Needed if fit was given ``sample_domain``.

        Returns
        -------
        ndarray of shape (n_samples, n_references)
            The fused graph.

        Raises
        ------
        ValueError
            If references are given where hops or an identity need the landmarks.
        """
        check_is_fitted(self)
        if is_lazy(X) and references is None:
            names = [f"landmark{row}" for row in self.landmarks_]
            return self._map_blocks("fused_graph", X, sample_domain, names)
        if references is None:
            return self._stream(X, sample_domain, None)
        if self._fused.marks is not None:  # whatever set_params said since
            raise ValueError(
                "references cannot be given with expansion='hops' or zeroth='identity', which "
                "need the training rows as references."
            )
        rows = self._encoded(references, reference_domain, references=True)
        return self._stream(X, sample_domain, None, self._fused.with_references(rows))

    def relation_graphs(self, X, references=None, sample_domain=None, reference_domain=None):
        """Relations of rows to the landmarks, or to other rows, graph by graph.

        Parameters
        ----------
        X : array-like, frame or sparse of shape (n_samples, n_features)
            Rows with the columns seen in fit.
        references : array-like, frame or sparse of shape (n_references, n_features), optional
            By default the landmarks, in the order of ``landmarks_``.
        sample_domain : array-like of shape (n_samples,), optional
            Needed if fit was given ``sample_domain``.
        reference_domain : array-like of shape (n_references,), optional
            Needed with ``references`` if fit was given ``sample_domain``.

        Returns
        -------
        dict of str to ndarray of shape (n_samples, n_references)
            By view, or by (view, relation) where a view has several graphs.

        Raises
        ------
        MemoryError
            If they would take too much of the memory available.
        """
        check_is_fitted(self)
        fused, rows = self._fused, self._encoded(X, sample_domain)
        if references is not None:
            others = self._encoded(references, reference_domain, references=True)
            fused = fused.with_references(others)
        n_graphs, shape = len(self.graphs_), (len(rows), len(fused))
        foresee(
            n_graphs * shape[0] * shape[1] * fused.dtype.itemsize,
            f"Relations of shape {shape} in {n_graphs} graphs",
            "relate fewer rows at a time, or lower n_landmarks",
        )
        several = len(self.graphs_) > len(self.views_)
        keys = self.graphs_ if several else [view for view, _ in self.graphs_]
        return dict(zip(keys, fused.relations(rows), strict=True))

    def _encoded(self, X, sample_domain, references=False):
        """Rows of a caller's X, or references, encoded for every graph."""
        needs = _REFERENCES_NEED if references else _NEEDS
        table, domains, shifts = self._read(X, sample_domain, needs)
        return self._fused.encode(table.X, domains, shifts, references)

    @property
    def domains_(self):
        """Labels of the domains seen in fit; empty where it was given none."""
        check_is_fitted(self)
        return list(self._domains)

    @property
    def normalization_(self):
        """Matrix that turns rows of the fused graph into the embedding, or None for relations."""
        check_is_fitted(self)
        return self._map

    def _map_blocks(self, method, X, sample_domain, names):
        """Apply transform or fused_graph to the blocks of a dask collection, lazily."""
        if get_config()["transform_output"] != "default" or self._output_is_set:
            raise ValueError(
                "set_output is for rows in memory: a dask array becomes a dask array and a dask "
                "DataFrame a dask DataFrame. Leave it at 'default' for lazy input."
            )
        return map_rows(
            getattr(self, method),
            X,
            sample_domain,
            names,
            self._fused.dtype,
            self.n_features_in_,
            getattr(self, "feature_names_in_", None),
        )

    @property
    def _output_is_set(self):
        chosen = getattr(self, "_sklearn_output_config", {}).get("transform", "default")
        return chosen != "default"

    def _stream(self, X, sample_domain, projection, fused=None):
        table, domains, shifts = self._read(X, sample_domain)
        prior = self._prior if fused is None else 0.0
        fused = self._fused if fused is None else fused
        return stream(table, domains, fused, shifts, projection, prior, self.n_jobs)

    def _read(self, X, sample_domain, needs=_NEEDS):
        """Table, domains and shifts of domains of a caller's rows."""
        _refuse_lazy(X)
        table = read_columns(self, X, reset=False)
        domains = self._known_domains(table, sample_domain, needs)
        return table, domains, self._shifts(table, domains)

    def _known_domains(self, table, sample_domain, needs):
        domains = read_domains(table, sample_domain)
        if (domains is None) != (not self._domains):
            raise ValueError(
                f"fit was given domains, so {needs} (or domain_column). Pipelines pass it on "
                "by metadata routing, after `set_transform_request(sample_domain=True)`, scorers "
                "given by name and cross_val_predict do not: give these domain_column. Functions "
                "of legofuse.inspection take it."
                if domains is None
                else "transform was given domains, but fit was not: fit with sample_domain."
            )
        if domains is not None and self.unseen_domains == "error":
            told = domains
            if table.missing is not None:  # rows without any view are related to none
                told = domains[~table.missing.all(axis=1)]
            unseen = [d for d in np.unique(told).tolist() if d not in self._domains]
            if unseen:
                raise ValueError(
                    f"Unknown domain(s) {unseen}: fit saw {self._domains}. Set "
                    "unseen_domains='batch' to align them by their own rows."
                )
        return domains

    def _shifts(self, table, domains):
        """Shifts of domains, those of unseen ones learned from their own rows."""
        fused = self._fused
        if domains is None:
            return fused.shifts
        if self._head is None:
            return with_domains(fused.shifts, table.X, fused.columns, domains, fused.learned)
        head, shares = self._head
        return align_by_classes(fused, head, shares, table.X, domains)

    @property
    def _n_features_out(self):
        return len(self._fused) if self._map is None else self._map.shape[1]


def _refuse_lazy(X):
    if is_lazy(X):
        raise TypeError(
            f"{type(X).__module__} input is taken by fit, transform and fused_graph(X) only: "
            "compute() the rows first."
        )
