"""Labels, relations and thresholds: what the classifier checks and looks up."""

import warnings

import numpy as np

from ..graphs import list_graphs

_NORMAL_WORDS = {"normal", "inlier", "ok"}


def one_column_each(views):
    """Whether NaN may stand anywhere, as the tag means: any single value is a whole view."""
    if not views or not isinstance(views, dict | list):
        return False
    specs = views.values() if isinstance(views, dict) else [spec for _, spec in views]
    return all(
        isinstance(spec, str | int) or (isinstance(spec, list) and len(spec) == 1) for spec in specs
    )


def list_unit_graphs(views, relation):
    """One graph for each view and relation; "auto" is correlation and gaussian."""
    if callable(relation) or (isinstance(relation, dict) and any(map(callable, relation.values()))):
        raise ValueError("relation must be the name of a relation or a dict of names, no callable.")
    given = dict(relation) if isinstance(relation, dict) else dict.fromkeys(views, relation)
    auto = {view for view, name in given.items() if isinstance(name, str) and name == "auto"}
    graphs = list_graphs(views, given)
    if not auto:
        return graphs
    return [
        graph
        for view in views
        for graph in (
            [(view, "correlation"), (view, "gaussian")]
            if view in auto
            else [pair for pair in graphs if pair[0] == view]
        )
    ]


def default_positive(classes, is_table):
    """The anomalous class where none is named: the second, unless that is likely wrong."""
    pair = classes.tolist()
    if isinstance(pair[1], str) and pair[1].lower() in _NORMAL_WORDS:
        raise ValueError(
            f"Which class is anomalous? With labels {pair} it would be {pair[1]!r}: set pos_label, "
            f"for instance pos_label={pair[0]!r}."
        )
    if pair == [-1, 1]:
        message = (
            "Which class is anomalous? Labels -1 and 1 are used both ways (outlier detectors of "
            "scikit-learn call anomalies -1): set pos_label."
        )
        if not is_table:
            raise ValueError(message)
        warnings.warn(f"{message} Here it is taken to be 1.", UserWarning, stacklevel=5)
    return pair[1]


def check_two_classes(labels, classes):
    present = np.unique(labels)
    if len(present) < 2:
        raise ValueError(
            f"Both classes {classes.tolist()} need a bag of positive weight with a unit that has "
            f"a view; only {len(present)} class has one."
        )


def threshold(logits, weight, share):
    """Logit above which the given share of the bags (by weight) lies."""
    order = np.argsort(-logits, kind="stable")
    above = np.cumsum(weight[order]) <= share * weight.sum() * (1 + 1e-12)
    n = int(np.count_nonzero(above))
    values = logits[order]
    if n == 0:
        return float(values[0])
    return float(values[n - 1] - 1e-9) if n == len(values) else float(values[n - 1 : n + 1].mean())
