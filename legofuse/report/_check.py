"""Whether what `write` is given fits the estimator, told before anything is computed."""

from os import PathLike
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._compat import check_sample_weight
from .._labels import is_missing, read_targets
from ..inspection._model import check_one_each, n_samples, take_rows

_ORDER = "write takes (estimator, X, y, path), and path= by name where there is no y"


def check_path(X, y, path):
    """The path of the page; raise where arguments come in another order or no file can be there."""
    for name, value in (("X", X), ("y", y)):
        if isinstance(value, str | PathLike):
            raise TypeError(f"{name} is {str(value)!r}, which looks like the path: {_ORDER}.")
    if not isinstance(path, str | PathLike):
        raise TypeError(f"path must be a str or path-like; got {type(path).__name__}: {_ORDER}.")
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(path.parent)!r} to write {path.name!r} to."
        )
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder: give the path of a file.")
    return path


def check_table(model, X, y, sample_domain):
    """Let the transformer read all of X and its domains, by relating it to one row; and read y."""
    first = X[:1] if isinstance(X, list | tuple) else X
    if getattr(X, "shape", ()):
        first = take_rows(X, slice(1))
    domain = None if sample_domain is None else np.asarray(sample_domain)[:1]
    model.relation_graphs(X, first, sample_domain, domain)
    if y is not None:
        check_one_each(y, X)
        read_targets(y, np.shape(y)[0], model.target_type)


def check_weight(sample_weight, X):
    """Weights of rows or bags as floats, one for each and none negative; None as it is."""
    if sample_weight is None:
        return None
    return check_sample_weight(sample_weight, X, dtype=np.float64)


def check_labels(model, X, y, unit_y):
    """Raise unless there is a known label, and truth of units, for each bag."""
    check_is_fitted(model)
    if y is not None:
        check_one_each(y, X, "bag")
        classes = model.classes_.tolist()
        for label in np.asarray(y).ravel().tolist():
            if is_missing(label) or label not in classes:
                raise ValueError(f"y holds {label!r}, which is not one of the labels {classes}.")
    if unit_y is not None:
        n_bags = n_samples(X)
        if len(unit_y) != n_bags:
            raise ValueError(
                f"unit_y must hold an array for each of {n_bags} bags; got {len(unit_y)}."
            )


def check_truth(scores, unit_y):
    """Raise unless truth of units has one value for each unit of each bag."""
    for bag, (units, truth) in enumerate(zip(scores, unit_y, strict=True)):
        if np.shape(truth) != units.shape:
            raise ValueError(
                f"unit_y must have one value for each of {len(units)} units of bag {bag}; got "
                f"shape {np.shape(truth)}."
            )
