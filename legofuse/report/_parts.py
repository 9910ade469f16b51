"""Sections that both kinds of estimator have."""

import numpy as np
from sklearn.base import BaseEstimator

from ..inspection import permutation_importance
from ..inspection._model import open_up, read_terms
from ..inspection._scored import has_domains
from ..plotting import HistoryDisplay, ImportancesDisplay, WeightsDisplay
from ..plotting._weights import default_pair, is_map
from ._html import code, figure, paragraph, table

MOST_ROWS = 15


def attempt(heading, make):
    """One section, or the reason that it cannot be made."""
    try:
        return [(heading, make())]
    except (ValueError, TypeError, MemoryError) as error:
        return [(heading, [paragraph(f"Not shown: {error}")])]


def terms(model):
    """Weights of the terms."""
    found = read_terms(model)
    size = np.abs(found.weights)
    top = np.argsort(-size, kind="stable")[:MOST_ROWS]
    total = size.sum() or 1.0
    rows = [(found.terms[k], float(found.weights[k]), float(size[k] / total)) for k in top]
    caption = "Weights of the largest terms, relative to all weights."
    if default_pair(found):
        caption = "Weights by the powers of {} and {}.".format(*found.views)
    parts = [
        figure(lambda: WeightsDisplay.from_estimator(model), caption),
        table(f"Largest of {len(size)} terms", ["term", "weight", "relative weight"], rows),
    ]
    by_view = size @ found.view_shares
    pair = tuple(found.views[k] for k in np.sort(np.argsort(-by_view, kind="stable")[:2]))
    if len(found.views) > 2 and is_map(found, pair):
        parts.append(_pair(model, pair))
    return parts


def _pair(model, pair):
    """Heat map of the two views with the largest weights."""
    caption = f"Weights by the powers of {pair[0]} and {pair[1]}, without other views."
    return figure(lambda: WeightsDisplay.from_estimator(model, pair=pair), caption)


def permuted(estimator, X, y, *, of="rows", name=None, **options):
    """Permutation importance."""
    found = permutation_importance(estimator, X, y, n_repeats=3, **options)
    weighted = "" if options["sample_weight"] is None else ", weighted"
    name, domain = name or found.score_name, options.get("sample_domain")
    within = " of each domain" if has_domains(estimator, domain) else ""
    rows = list(zip(found.views, found.importances_mean, found.importances_std, strict=True))
    return [
        paragraph(f"{capital(name)} on the data given here{weighted}: {found.score:.3f}."),
        figure(
            lambda: ImportancesDisplay.from_permutation(found),
            f"Fall of the {name} when a view is permuted over the {of}{within}.",
        ),
        table(f"Fall of the {name}", ["view", "mean", "standard deviation"], rows),
    ]


def capital(name):
    """A name as a sentence begins with it."""
    return name[:1].upper() + name[1:]


def history(model):
    """Losses of a fit by gradients, if there was one."""
    if not getattr(model, "history_", None):
        return []
    parts = [figure(lambda: HistoryDisplay.from_estimator(model), "Loss of each epoch.")]
    return [("Training", parts)]


def parameters(estimator):
    """The estimator, the best one of a search, as it was made."""
    return [("Parameters", [code(repr(_as_written(open_up(estimator)[0])))])]


class _Ordered(dict):
    """A dict that scikit-learn prints in its order, not sorted by key."""

    def __repr__(self):
        return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in self.items()) + "}"


def _as_written(value):
    """A parameter, or an unfitted twin of an estimator, to be printed: dicts keep their order."""
    if type(value) is dict:
        return _Ordered((key, _as_written(part)) for key, part in value.items())
    if type(value) in (list, tuple):
        return type(value)(map(_as_written, value))
    if type(value).__repr__ is not BaseEstimator.__repr__:
        return value
    twin = object.__new__(type(value))
    parameters = value.get_params(deep=False)
    vars(twin).update({name: _as_written(part) for name, part in parameters.items()})
    return twin
