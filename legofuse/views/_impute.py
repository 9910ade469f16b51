"""A transformer that imputes single values and leaves missing views alone."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.utils.validation import check_is_fitted, validate_data

from .._all_or_nothing import all_or_nothing
from .._labels import call_view, refuse_masked
from ._columns import resolve_views
from ._numbers import check_frame, read_numbers
from ._stack import check_not_list_of_views
from ._take import replace_columns, take_columns

_RULES = {"dtype": [np.float64, np.float32], "ensure_all_finite": "allow-nan"}


class ImputeWithin(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Impute single values of views, and leave views that are missing as a whole NaN.

    An imputer of scikit-learn fills whole blocks of NaN as well, and no view is missing after it.
    This one fits and applies it view by view, to the rows that have the view.

    Parameters
    ----------
    views : dict, list of (str, columns), int or None, default=None
        Which columns form which view, as in :class:`~legofuse.LEGOFusionTransformer`. None is a
        single view of all columns. A column may be in one view at most; those in none are kept as
        they are, words too.
    imputer : transformer, default=None
        Any imputer of scikit-learn that keeps all columns (``keep_empty_features=True``, without
        indicators), of which each view gets a clone. None is a
        :class:`~sklearn.impute.SimpleImputer` of means, with 0 where a column has no value in fit.

    Attributes
    ----------
    views_ : dict of str to ndarray
        Column indices of each view.
    imputers_ : dict of str to transformer
        The fitted imputer of each view.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in fit, where X has string names.

    See Also
    --------
    missing_blocks : Which views are missing in which rows.

    Notes
    -----
    Frames stay frames, so that the step after it may choose its views by name. The units of bags
    are imputed by ``PerUnit(ImputeWithin(views))``.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.views import ImputeWithin
    >>> X = np.array([[1.0, 2.0, 5.0], [np.nan, 4.0, 6.0], [np.nan, np.nan, 7.0]])
    >>> ImputeWithin({"a": [0, 1], "b": [2]}).fit_transform(X)
    array([[ 1.,  2.,  5.],
           [ 1.,  4.,  6.],
           [nan, nan,  7.]])
    """

    def __init__(self, views=None, imputer=None):
        self.views = views
        self.imputer = imputer

    def fit(self, X, y=None):
        """Fit an imputer for each view, on the rows that have it.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            The table.
        y : None
            Ignored.

        Returns
        -------
        ImputeWithin
            Itself.

        Raises
        ------
        TypeError
            If X is sparse or no table, holds times in a view, `imputer` is none, or `views` are of
            a wrong type; nothing is fitted then.
        ValueError
            If `views` do not fit X or share columns, a view is missing in every row, X holds
            infinity, or no numbers, in a view, or names a column twice; nothing is fitted then.
        """
        with all_or_nothing(self):
            return self._fit(X)

    def _fit(self, X):
        imputer = SimpleImputer(keep_empty_features=True) if self.imputer is None else self.imputer
        if isinstance(imputer, type) or not hasattr(imputer, "transform"):
            raise TypeError(
                f"imputer must be a transformer, such as KNNImputer(); got {imputer!r}."
            )
        X = self._read(X, reset=True)
        names = getattr(self, "feature_names_in_", None)
        views = resolve_views(self.views, X.shape[1], names, X)
        _check_apart(views, range(X.shape[1]) if names is None else names)
        imputers = {}
        for view, block, present in _blocks(X, views):
            if not present.any():
                raise ValueError(
                    f"{call_view(view, views)} is missing (all NaN) in every row: leave it out of "
                    "views, or give rows that have it."
                )
            imputers[view] = clone(imputer).fit(block[present])
        self.views_, self.imputers_ = views, imputers
        return self

    def transform(self, X):
        """Impute what is NaN in the rows that have the view.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            The table.

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features)
            A copy. The columns of views hold floats.

        Raises
        ------
        TypeError, ValueError
            If X is not as :meth:`fit` takes it, or the imputer adds or drops columns.
        """
        check_is_fitted(self)
        X = self._read(X, reset=False)
        new: dict = {}
        for view, block, present in _blocks(X, self.views_):
            if present.any():
                filled = np.asarray(self.imputers_[view].transform(block[present]))
                if filled.shape[1] != block.shape[1]:
                    raise ValueError(
                        f"{call_view(view, self.views_)}: {type(self.imputers_[view]).__name__} "
                        f"made {filled.shape[1]} columns of {block.shape[1]}: give it "
                        "keep_empty_features=True (for columns that had no value in fit), and no "
                        "indicators."
                    )
                block[present] = filled
            new |= dict(zip(np.sort(self.views_[view]).tolist(), block.T, strict=True))
        return replace_columns(X, new)

    def _read(self, X, reset):
        """X as a frame, or as an array: of objects where it may hold words, else of floats."""
        try:
            check_not_list_of_views(X)
        except (TypeError, ValueError) as error:
            error.add_note("The units of bags are imputed by `PerUnit(ImputeWithin(views))`.")
            raise
        check_frame(X)
        refuse_masked(X, "X")
        if not hasattr(X, "columns"):
            X = X if hasattr(X, "shape") else np.asarray(X)
            if X.dtype.kind not in "OUTmM" or X.ndim != 2:
                return validate_data(self, X, reset=reset, **_RULES)
            X = X if X.dtype.kind in "mM" else X.astype(object)  # times are refused later
        validate_data(self, X, reset=reset, skip_check_array=True)
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _check_apart(views, names):
    """Raise where views share a column: it may be missing in one and unknown in the other."""
    owner: dict = {}
    for view, columns in views.items():
        for column in columns.tolist():
            if column in owner:
                raise ValueError(
                    f"views {owner[column]!r} and {view!r} share column {names[column]!r}: "
                    "ImputeWithin needs each column in one view at most."
                )
            owner[column] = view


def _blocks(X, views):
    """Name, values (a copy, columns in order), and which rows have it, of each view."""
    for view, columns in views.items():
        used = np.sort(columns)
        try:
            places = {view: np.arange(len(used))}
            block = read_numbers(take_columns(X, used), places, used, **_RULES)
        except (TypeError, ValueError) as error:
            where = call_view(view, views)
            if not str(error).startswith(where):
                error.add_note(f"{where}: raised by its columns.")
            raise
        # nullable columns of pandas are read-only even where check_array copies them
        yield view, np.array(block), ~np.isnan(block).all(axis=1)
