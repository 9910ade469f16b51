"""A transformer of rows, applied to the units of bags."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._form import in_a_list, is_bag_sequence, refuse_flat, refuse_groupby, refuse_ids, refuse_pair
from ._pack import check_bags, pack_frames


def _transformer_has(method):
    return available_if(
        lambda self: hasattr(getattr(self, "transformer_", self.transformer), method)
    )


class PerUnit(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Apply a transformer of rows to the units of bags.

    The units of all bags are stacked, the transformer is fitted on them, and what it makes of them
    is cut into bags again: ``PerUnit(StandardScaler())`` stands before an estimator of bags in a
    Pipeline. A 2-D X goes to the transformer as it is.

    Parameters
    ----------
    transformer : transformer
        Any scikit-learn transformer that gives a row for each row: a scaler, PCA, a
        ColumnTransformer (bags that are frames stay frames), a Pipeline of these.
    broadcast_y : bool, default=False
        Whether `fit` gives the transformer y, each unit with the (weak) label of its bag.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone.
    n_features_in_, feature_names_in_
        What the fitted transformer says of the units.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from legofuse.bags import PerUnit
    >>> bags = [np.array([[0.0], [2.0]]), np.array([[4.0]])]
    >>> scaler = PerUnit(StandardScaler(with_std=False)).fit(bags)
    >>> [bag.tolist() for bag in scaler.transform(bags)]
    [[[-2.0], [0.0]], [[2.0]]]

    A Pipeline has no ``score_units``; what its last step is given, its other steps make:

    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOAnomalyClassifier
    >>> pipe = make_pipeline(PerUnit(StandardScaler()), LEGOAnomalyClassifier())
    >>> pipe = pipe.fit(bags * 4, [0, 1] * 4)
    >>> scores = pipe[-1].score_units(pipe[:-1].transform(bags))
    >>> [len(of_units) for of_units in scores]
    [2, 1]
    """

    def __init__(self, transformer, *, broadcast_y=False):
        self.transformer = transformer
        self.broadcast_y = broadcast_y

    def fit(self, X, y=None):
        """Fit the transformer on the units of all bags.

        Parameters
        ----------
        X : sequence of (n_units_i, n_features) arrays or frames, 3-D array, or 2-D table
            Bags, as `check_bags` describes them.
        y : array-like of shape (n_bags,), optional
            Labels of the bags, used with `broadcast_y` only.

        Returns
        -------
        PerUnit
            Itself.

        Raises
        ------
        TypeError
            If `transformer` does not transform, or X is a groupby of pandas, a dict, or pairs of
            an id and a bag.
        ValueError
            If bags are wrong in a way that :func:`check_bags` tells.
        """
        if not hasattr(self.transformer, "transform"):
            raise TypeError(
                f"PerUnit needs a transformer of rows, got {type(self.transformer).__name__}, "
                "which does not transform."
            )
        units, lengths, _ = _stack(X, len(y) if hasattr(y, "__len__") else None)
        if not self.broadcast_y or y is None:
            y = None
        elif lengths is not None:
            y = np.repeat(np.asarray(y), lengths, axis=0)
        self.transformer_ = clone(self.transformer).fit(units, y)
        return self

    def transform(self, X):
        """Transform every unit.

        Parameters
        ----------
        X : as in `fit`
            Bags.

        Returns
        -------
        list of arrays or frames, 3-D array, or 2-D table
            Bags in the form X has; a 3-D array keeps its NaN padding. Sparse output is made dense.

        Raises
        ------
        ValueError
            If the transformer does not give one row for each unit, or bags are wrong in a way that
            :func:`check_bags` tells.
        """
        check_is_fitted(self)
        units, *form = _stack(X)
        values = self.transformer_.transform(units)
        if form[0] is not None and values.shape[0] != len(units):
            raise ValueError(
                f"{type(self.transformer_).__name__} made {values.shape[0]} rows of "
                f"{len(units)} units: PerUnit needs a transformer that gives a row for each."
            )
        return _unstack(values, *form)

    @_transformer_has("get_feature_names_out")
    def get_feature_names_out(self, input_features=None):
        """Names of the features of a transformed unit, as the transformer gives them.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the columns of a unit; by default those seen in :meth:`fit`.

        Returns
        -------
        ndarray of str
            One for each column of a transformed unit.
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    @_transformer_has("set_output")
    def set_output(self, *, transform=None):
        """Choose "default", "pandas" or "polars" output, as in scikit-learn, for each bag.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            What :meth:`transform` returns for each bag; None leaves it as it is.

        Returns
        -------
        self
            The object itself.
        """
        for name in {"transformer", "transformer_"} & vars(self).keys():
            getattr(self, name).set_output(transform=transform)
        return self

    def __getattr__(self, name):
        if name in ("n_features_in_", "feature_names_in_") and "transformer_" in vars(self):
            return getattr(self.transformer_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags = inner.input_tags
        tags.transformer_tags = inner.transformer_tags
        tags.requires_fit = inner.requires_fit
        tags.target_tags.required = inner.target_tags.required and self.broadcast_y
        return tags


def _stack(X, n_labels=None):
    """Units of all bags as one table, lengths of the bags, and the shape of a 3-D X."""
    refuse_pair(X)
    refuse_groupby(X)
    refuse_ids(X)
    given, X, is_cube = X, in_a_list(X), getattr(X, "ndim", None) == 3
    refuse_flat(X)
    if not is_cube and not is_bag_sequence(X):
        return given, None, None
    bags = pack_frames(X, n_labels) or check_bags(X, n_labels)
    return bags.units, bags.lengths, X.shape[:2] if is_cube else None


def _unstack(values, lengths, shape):
    """Values of units, one row each, in the form that the bags had."""
    if lengths is None:
        return values
    values = values.toarray() if sparse.issparse(values) else values
    if shape is None:
        rows = values.iloc if hasattr(values, "iloc") else values
        ends = np.cumsum(lengths).tolist()
        return [rows[end - n : end] for end, n in zip(ends, lengths.tolist(), strict=True)]
    values = np.asarray(values)
    padded = np.full((*shape, values.shape[1]), np.nan, np.result_type(values, np.float32))
    padded[np.arange(shape[1]) < lengths[:, None]] = values
    return padded
