"""Domains, labels that may be missing, what errors call a view. Imports none of us; anyone may."""

import numpy as np


def check_domains(domains, n_samples, *, what="sample_domain", sample="row"):
    """One domain for each sample, as labels of one type that can be sorted.

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
        If there is not one for each sample, or labels are missing or of types that cannot be
        sorted together.
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
    if domains.dtype.kind == "O":
        unknown = np.array([is_missing(label) for label in domains], bool)
    else:
        unknown = domains != domains  # NaN and NaT
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
        np.unique(domains)
    except TypeError:
        raise ValueError(
            f"{what} mixes labels of types that cannot be sorted, such as date and int: use one "
            "type."
        ) from None
    return domains


def is_missing(label):
    """Whether a label is None, NaN or pandas' NA."""
    if label is None:
        return True
    try:
        return bool(label != label)
    except TypeError:  # NA is neither equal nor unequal to itself
        return True


def call_view(view, views):
    """What errors call a view: X, where all its columns are one view, whose name no user gave."""
    return "X" if list(views) == ["x"] else f"view {view!r}"
