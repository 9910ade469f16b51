"""Domains, targets, labels that may be missing, what errors call a view.

Imports none of us; anyone may import it.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from itertools import pairwise
from math import floor
from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp

_OF_UTC = "+00:00"
_TIMES = (date, timedelta, np.datetime64, np.timedelta64)
_UNITS = ("s", "ms", "us", "ns", "ps", "fs", "as")
_SECONDS = {unit: Fraction(1, 1000**k) for k, unit in enumerate(_UNITS)}  # of numpy's fine units

FILL = "fill them with NaN by `.astype(float).filled(np.nan)`, which marks views as missing"
_UNLABELLED = "drop such rows from X and y, or fit without y"
DROP = "drop what they belong to from X and y, by `~np.ma.getmaskarray(y)`"


def check_domains(domains, n_samples, *, what="sample_domain", sample="row", known=None, hint=""):
    """One domain for each sample, as labels of one type that can be sorted and are stored as such.

    Parameters as of :func:`check_ids`.

    Returns
    -------
    ndarray of shape (n_samples,)
        Strings as numpy's own; dates and spans of time by :func:`spell_time`.

    Raises
    ------
    ValueError
        As of :func:`check_ids`, and if labels are sequences, or not among those known.
    """
    given, domains = domains, check_ids(domains, n_samples, what=what, sample=sample)
    objects = domains.dtype.kind == "O"
    if objects and any(isinstance(label, tuple | list | np.ndarray) for label in domains):
        raise ValueError(f"{what} holds sequences: give one label a {sample}, such as a string.")
    if len(domains) and are_times(domains):
        # objects one by one: those of one zone are equal in the two hours that a clock shows twice
        labels, codes = (domains, ...) if objects else np.unique(domains, return_inverse=True)
        zone = "" if objects or not _has_zone(given) else _OF_UTC
        domains = np.array([spell_time(label) + zone for label in labels])[codes]
    unknown = [] if known is None else [d for d in np.unique(domains).tolist() if d not in known]
    if unknown:
        raise ValueError(f"{what} holds {unknown}, not among the domains {list(known)}{hint}.")
    return domains


def number_labels(labels):
    """A number for each label: the same one whatever other labels there are, and in any process.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)

    Returns
    -------
    ndarray of shape (n_labels,), int64

    Examples
    --------
    >>> from legofuse._labels import number_labels
    >>> one, two = number_labels(np.array([2, 3])), number_labels(np.array([3.0, 1.5]))
    >>> one[1] == two[0], one[0] == two[1]
    (np.True_, np.False_)
    """
    distinct, places = np.unique(labels, return_inverse=True)
    names = map(_spell_label, distinct.tolist())
    digests = (blake2b(name.encode(), digest_size=7).digest() for name in names)
    return np.array([int.from_bytes(digest) for digest in digests], np.int64)[places]


def _spell_label(label):
    """A text that equal labels have alike: 1, 1.0 and True are one, '1' is another."""
    if not isinstance(label, Real | Decimal):
        return repr(label)
    return str(floor(label)) if label == label // 1 else repr(float(label))


def spell_time(label):
    """A date or span of time as a string, alike in any unit of numpy and as an object of Python.

    A time with a zone is spelled as that of UTC, with its ``+00:00``, whatever the zone. Anything
    else is returned as it is.

    Examples
    --------
    >>> import datetime
    >>> from legofuse._labels import spell_time
    >>> spell_time(np.datetime64("2020-01-02", "ns")), spell_time(datetime.date(2020, 1, 2))
    ('2020-01-02T00:00:00', '2020-01-02T00:00:00')
    >>> spell_time(np.timedelta64(90, "m")), spell_time(datetime.timedelta(hours=1.5))
    ('5400 s', '5400 s')
    >>> spell_time(datetime.datetime.fromisoformat("2020-01-02T01:00:00+01:00"))
    '2020-01-02T00:00:00+00:00'
    """
    zone = ""
    if isinstance(label, np.timedelta64 | timedelta):
        return _spell_span(label)
    if isinstance(label, np.datetime64):
        fine = np.datetime_data(label.dtype)[0] in _SECONDS
        text = str(label if fine else label.astype("M8[s]"))
    elif isinstance(label, date):
        if isinstance(label, datetime) and label.tzinfo is not None:
            label, zone = label.astimezone(UTC).replace(tzinfo=None), _OF_UTC
        text = label.isoformat() + "T00:00:00" * (not isinstance(label, datetime))
    else:
        return label
    whole, point, fraction = text.partition(".")
    return whole + (point + fraction).rstrip("0").rstrip(".") + zone


def are_times(labels):
    """Whether all labels of an array are dates, times or spans of time."""
    if labels.dtype.kind == "O":
        return all(isinstance(label, _TIMES) for label in labels)
    return labels.dtype.kind in "mM"


def _has_zone(times):
    """Whether times of polars or pyarrow have a zone, which arrays of theirs do not tell."""
    dtype = getattr(times, "dtype", getattr(times, "type", None))
    dtype = getattr(dtype, "value_type", dtype)  # of a dictionary of pyarrow
    return getattr(dtype, "time_zone", getattr(dtype, "tz", None)) is not None


def _spell_span(span):
    """Its seconds, a fraction where they are not whole; or its months, which have no length."""
    if isinstance(span, timedelta):  # that of pandas has nanoseconds beside
        small = 1000 * span.microseconds + getattr(span, "nanoseconds", 0)
        return f"{86400 * span.days + span.seconds + Fraction(small, 10**9)} s"
    unit, count = np.datetime_data(span.dtype)
    if unit in _SECONDS:
        return f"{int(span.astype(np.int64)) * count * _SECONDS[unit]} s"
    if unit in ("Y", "M"):
        return f"{int(span.astype('m8[M]').astype(np.int64))} months"
    return _spell_span(span.astype("m8[s]"))


def check_ids(domains, n_samples, *, what, sample):
    """One label for each sample, of one type that can be sorted.

    Parameters
    ----------
    domains : array-like of shape (n_samples,)
    n_samples : int
    what, sample : str
        What the domains are called, and what has one each: words for the errors.

    Returns
    -------
    ndarray of shape (n_samples,)
        Strings as numpy's own.

    Raises
    ------
    ValueError
        If there is not one for each sample, or labels are missing, cannot be sorted or are of
        types that cannot be sorted together.
    """
    given = domains
    if np.ma.isMaskedArray(given) and given.dtype.names is None:
        masked, given = np.ma.getmaskarray(given), np.asarray(given.data)
        if masked.any():
            given = given.astype(object)
            given[masked] = None
    try:
        domains = np.asarray(given)
        shape = domains.shape
    except ValueError:  # sequences of unequal lengths
        shape = "that differs from sample to sample"
    if shape != (n_samples,):
        raise ValueError(
            f"{what} must hold one domain for each of the {n_samples} {sample}s; got shape {shape}."
        )
    if domains.dtype.names is not None:
        fields = ", ".join(map(repr, domains.dtype.names))
        raise ValueError(f"{what} holds records (fields {fields}): give one label a {sample}.")
    if domains.dtype.kind == "T" or (domains.dtype.kind == "U" and not hasattr(given, "dtype")):
        domains = np.array(list(given), dtype=object)  # "U" spells out NaN, and numbers, as words
    unknown = missing_labels(domains)
    if unknown.any():
        raise ValueError(f"{what} is missing in {np.count_nonzero(unknown)} {sample}(s).")
    if domains.dtype.kind != "O":
        return domains
    words = {isinstance(label, str) for label in domains}
    if words == {True}:
        return domains.astype(str)
    if len(words) > 1:
        raise ValueError(f"{what} mixes strings and other labels: use one type.")
    try:
        labels = np.unique(domains).tolist()
        in_order = all(one < other for one, other in pairwise(labels))  # sets have no such order
    except (TypeError, ValueError):
        in_order = False
    if in_order:
        return domains
    kinds = {type(label).__name__ for label in domains}
    raise ValueError(
        f"{what} holds labels of type {kinds.pop()}, which cannot be sorted: use strings."
        if len(kinds) == 1
        else f"{what} mixes labels of types that cannot be sorted, such as date and int: use one "
        "type."
    )


def missing_labels(labels):
    """Which labels of an array are None, NaN, NaT or pandas' NA: an array of bool."""
    if labels.dtype.kind in "OT":
        return np.array([is_missing(label) for label in labels], bool)
    return labels != labels


def is_missing(label):
    """Whether a label is None, NaN or pandas' NA."""
    if label is None:
        return True
    try:
        return bool(label != label)
    except TypeError:  # NA is neither equal nor unequal to itself
        return True
    except ValueError:  # an array
        return False


def refuse_masked(values, what, remedy=FILL):
    """Raise where a masked array has masked values: all else would read them as they are."""
    if not np.ma.isMaskedArray(values) or values.dtype.names is not None:
        return
    count = np.count_nonzero(np.ma.getmaskarray(values))
    if count:
        raise ValueError(f"{what} has {count} masked value(s), and masks are not read: {remedy}.")


def call_view(view, views):
    """What errors call a view: X, where all its columns are one view, whose name no user gave."""
    return "X" if list(views) == ["x"] else f"view {view!r}"


def read_targets(y, n_rows, target_type="auto"):
    """Targets as numbers: one column of class numbers, or real values.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_targets), or None
    n_rows : int
    target_type : {"auto", "classification", "regression"}
        ``"auto"``: strings, booleans and integers are classes, floats are real values, several
        columns are several real values.

    Returns
    -------
    targets : ndarray of shape (n_rows, n_targets), float64, or None
    strata : ndarray of shape (n_rows,), int, or None
        Class of each row; None for real values.

    Raises
    ------
    TypeError
        If y is sparse.
    ValueError
        If the length is wrong, or y holds NaN, infinity or text where numbers are needed.
    """
    if y is None:
        return None, None
    if sp.issparse(y):
        raise TypeError("y is sparse, but must be dense: use y.toarray().")
    refuse_masked(y, "y", DROP)
    try:
        y = _as_floats(np.asarray(y))
    except ValueError:
        raise ValueError(
            "y holds sequences of unequal lengths. Of several labels a row, MultiLabelBinarizer "
            "makes columns of 0 and 1."
        ) from None
    if y.ndim == 2 and y.shape[1] == 1:
        y = y.ravel()
    if y.ndim not in (1, 2):
        raise ValueError(f"y must be 1-D or 2-D; got shape {y.shape}.")
    if y.ndim == 2 and y.shape[1] == 0:
        raise ValueError(f"y has no columns: got shape {y.shape}.")
    if len(y) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} rows, "
            f"y has {len(y)}."
        )
    if y.dtype.kind == "c":
        raise ValueError("Complex data not supported in y.")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.argmin(np.isfinite(y).reshape(len(y), -1).all(axis=1)))
        raise ValueError(f"Input y contains NaN or infinity (first: row {row}): {_UNLABELLED}.")
    discrete = y.ndim == 1 and y.dtype.kind not in "f"
    if target_type == "classification" or (target_type == "auto" and discrete):
        if y.ndim == 2:
            raise ValueError(
                f"target_type='classification' needs y of one column; got shape {y.shape}."
            )
        unknown = missing_labels(y)
        if unknown.any():
            raise ValueError(
                f"Input y contains missing labels (first: row {unknown.argmax()}): {_UNLABELLED}."
            )
        try:
            codes = np.unique(y, return_inverse=True)[1]
        except TypeError:
            raise ValueError(
                "y mixes labels of types that cannot be sorted, such as str and int."
            ) from None
        return codes[:, None].astype(np.float64), codes
    try:
        return y.astype(np.float64).reshape(n_rows, -1), None
    except (TypeError, ValueError):
        several = "; several columns are real values, classes are one column" * (y.ndim == 2)
        raise ValueError(
            f"y must hold numbers for target_type={target_type!r}{several}; got dtype {y.dtype}."
        ) from None


def _as_floats(y):
    """Objects that are numbers, not all of whole types, as floats; anything else as it is."""
    kinds = set(map(type, y.flat)) if y.dtype.kind == "O" else set()
    if not all(issubclass(kind, Real | Decimal) for kind in kinds):
        return y
    return y if all(issubclass(kind, Integral) for kind in kinds) else y.astype(np.float64)


def target_names(y):
    """What the columns of a frame of targets are called; None of other targets, or other names."""
    names = list(getattr(y, "columns", []))
    return names if names and all(isinstance(name, str) for name in names) else None
