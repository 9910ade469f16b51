"""What is known of domains, and as lists for any format of files."""

from typing import Any, NamedTuple

from ..relations import Statistics


class Shifts(NamedTuple):
    """What is known of domains.

    Attributes
    ----------
    labels : list
        The domains.
    maps : dict of (view, label) to (ndarray, ndarray)
        Centre and factor of each feature: x moves to (x - centre) * factor + common mean. A domain
        without is where it should be.
    aligned : dict of (view, None) to Statistics
        Of the training rows once moved.
    mixed : dict of str to float
        How far unequal shares of classes typically move the mean of a domain, squared, in units
        of the variance within classes.
    share : float
        Share of relations between moved rows; the rest is between rows as they are.
    coupling : float
        Relation of rows in different domains, over that of rows in one.
    classes : dict of str to list of two ndarrays, or None
        Of each view, means of the classes, (n_classes, n_features), once moved, and variance within
        classes, (n_features,), both standardised; a class that has no row with the view has NaN.
    """

    labels: list
    maps: dict
    aligned: dict
    mixed: dict
    share: float
    coupling: float
    classes: Any = None


def pack_shifts(shifts):
    """Take shifts apart into lists, for any format of files."""
    if shifts is None:
        return None
    maps = [[*key, list(value)] for key, value in shifts.maps.items()]
    aligned = [[view, list(value)] for (view, _), value in shifts.aligned.items()]
    return [shifts.labels, maps, aligned, *shifts[3:]]


def unpack_shifts(state):
    """Put them together again."""
    if state is None:
        return None
    labels, maps, aligned, *numbers = state
    return Shifts(
        labels,
        {(view, label): tuple(value) for view, label, value in maps},
        {(view, None): Statistics(*value) for view, value in aligned},
        *numbers,
    )
