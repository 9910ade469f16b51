"""Bags of several domains: labels checked, bags with other features than the rest read."""

import copy

import numpy as np

from .. import _labels
from ..bags import check_form
from ..views._take import used_columns
from ._bags import Packed, read_bags, units_of

_OTHERS = "; to score bags of others, fit without sample_domain"


def by_domain(views):
    """Whether views are given for each domain: a dict of dicts."""
    return isinstance(views, dict) and any(isinstance(part, dict) for part in views.values())


def check_views(views):
    """Views by the labels of domains; raise unless all domains have views of the same names."""
    names, by_label = None, {}
    for label, part in views.items():
        label = _labels.spell_time(label)
        if label in by_label:
            raise ValueError(f"views has several entries for one domain, {label!r}: give one.")
        by_label[label] = part
    for domain, part in views.items():
        if not isinstance(part, dict):
            raise ValueError(
                f"views are given by domain: those of domain {domain!r} must be a dict, too; got "
                f"{part!r}."
            )
        names = list(part) if names is None else names
        if set(part) != set(names):
            raise ValueError(
                f"All domains must have views of the same names: {next(iter(views))!r} has "
                f"{names}, {domain!r} has {list(part)}."
            )
    return by_label


def check_domains(sample_domain, n_bags, known, hint=""):
    """Domain of each bag.

    Parameters
    ----------
    sample_domain : array-like of shape (n_bags,) or None
    n_bags : int
    known : collection or None
        Labels that there are: sample_domain is needed then. None is any, empty none.
    hint : str
        What to do about others.

    Returns
    -------
    ndarray of shape (n_bags,) or None

    Raises
    ------
    ValueError
        If labels are missing, of several types or unknown, not one for each bag, given though fit
        was given none, or not given though they are needed.
    """
    if sample_domain is None:
        if known:
            raise ValueError(
                f"Give sample_domain, one for each bag: domains are known, {list(known)}. "
                "(scikit-learn's built-in scorers do not pass it on; `score` is given it after "
                "`set_score_request(sample_domain=True)`, and functions of legofuse.inspection "
                "take it.)"
            )
        return None
    if known is not None and not len(known):
        raise ValueError(
            "sample_domain is given, but fit was given none (it is what follows X where labels are "
            "not asked for)."
        )
    return _labels.check_domains(sample_domain, n_bags, sample="bag", known=known, hint=hint)


def read_by_domain(estimator, X, domains, *, time_view, views=None):
    """Read bags whose features differ from domain to domain.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
        Gets (where `views` are given) or has ``_readers``: by domain, what knows its features.
    X : sequence of bags
    domains : ndarray of shape (n_bags,)
    time_view : str or None
    views : dict of label to dict, optional
        The views of each domain, in fit.

    Returns
    -------
    Packed
        Its columns and views are dicts by view and domain, and by domain and view.
    """
    reset = views is not None
    if reset:
        estimator._readers = {}
    parts, options = {}, {"time_view": time_view, "reset": reset}
    for domain in np.unique(domains).tolist():
        where = np.flatnonzero(domains == domain)
        if reset:
            reader = copy.copy(estimator).set_params(views=views[domain])
            for name in [name for name in vars(reader) if name.endswith("_") or name[0] == "_"]:
                delattr(reader, name)
            estimator._readers[domain] = reader
        reader = estimator._readers[domain]
        some = getattr(X, "iloc", X)[where] if hasattr(X, "shape") else [X[i] for i in where]
        try:
            part = read_bags(reader, some, numbers=where.tolist(), **options)
        except (ValueError, TypeError) as error:
            raise type(error)(f"Among the bags of domain {domain!r}: {error}") from error
        reader.views_ = part.views
        parts[domain] = where, part
    return _assemble(estimator, parts, domains)


def _assemble(estimator, parts, domains):
    """All bags in their order, features of each unit in the first columns."""
    n_bags = len(domains)
    lengths, all_lengths = np.zeros(n_bags, int), np.zeros(n_bags, int)
    for where, part in parts.values():
        lengths[where], all_lengths[where] = np.diff(part.offsets), np.diff(part.all_offsets)
    offsets, all_offsets = (np.append(0, np.cumsum(n)) for n in (lengths, all_lengths))
    width = max(part.X.shape[1] for _, part in parts.values())
    X, has_view = np.zeros((offsets[-1], width)), np.ones(all_offsets[-1], bool)
    for where, part in parts.values():
        X[units_of(offsets, where)[0], : part.X.shape[1]] = part.X
        has_view[units_of(all_offsets, where)[0]] = part.has_view
    views = {domain: reader.views_ for domain, reader in estimator._readers.items()}
    columns: dict = {view: {} for view in next(iter(views.values()))}
    for domain, named in views.items():
        for view, places in used_columns(named)[1].items():
            columns[view][domain] = places
    return Packed(X, offsets, columns, views, has_view, all_offsets, domains)


def narrowed(bags, known):
    """Bags without the columns that only domains have which are not among the known ones."""
    if not all(isinstance(index, dict) for index in bags.columns.values()):
        return bags
    columns = {view: {d: index[d] for d in known} for view, index in bags.columns.items()}
    width = 1 + max(index.max() for of in columns.values() for index in of.values())
    return bags._replace(X=bags.X[:, :width], columns=columns)


def undivided(bags, known):
    """Bags as those of no domain where a single one is known: nothing is to be told apart."""
    if bags.domains is None or len(known) != 1:
        return bags
    X, columns = bags.X, bags.columns
    if isinstance(next(iter(columns.values())), dict):
        columns = {view: index[known[0]] for view, index in columns.items()}
        X = X[:, : 1 + max(index.max() for index in columns.values())]  # others may be wider
    return bags._replace(X=X, columns=columns, domains=None)


def _count(X):
    """Number of bags; 0 for what is no sequence, which is told when it is read."""
    if hasattr(X, "shape"):
        return X.shape[0] if X.shape else 0
    return len(X)


def read_any(estimator, X, sample_domain, n_labels=None, *, time_view, reset):
    """Read bags, and the domain of each where there are several.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
        Gets (`reset`) or has ``_domains`` and ``_readers``, or ``n_features_in_``.
    X : bags
    sample_domain : array-like of shape (n_bags,) or None
    n_labels : int, optional
    time_view : str or None
    reset : bool

    Returns
    -------
    Packed
    """
    if not hasattr(X, "shape") and not hasattr(X, "__len__"):
        X = np.asarray(X)
    X = check_form(X)
    given = _count(X)
    apart = by_domain(estimator.views) if reset else bool(estimator._readers)
    n_bags = given if n_labels is None else n_labels
    views = check_views(estimator.views) if reset and apart else None
    known = estimator._domains if not reset else views and list(views)
    if apart and not given:
        raise ValueError("Found 0 bags in X while a minimum of 1 is required.")
    if apart and given != n_bags:
        raise ValueError(f"{given} bags but {n_bags} labels: give one label for each bag.")
    # of bags and labels that do not match read_bags tells
    hint = "" if reset or apart else _OTHERS
    domains = check_domains(sample_domain, n_bags, known, hint) if given == n_bags else None
    if apart:
        bags = read_by_domain(estimator, X, domains, time_view=time_view, views=views)
    else:
        bags = read_bags(estimator, X, n_labels, time_view=time_view, reset=reset)
        bags = bags._replace(domains=domains)
    if reset:
        estimator._domains = [] if domains is None else np.unique(domains).tolist()
        if apart:
            for name in ("n_features_in_", "feature_names_in_"):
                estimator.__dict__.pop(name, None)
        else:
            estimator._readers = {}
    return undivided(bags, estimator._domains)
