"""Sections on a transformer, alone or in a Pipeline."""

import numpy as np

from ..inspection import (
    missing_view_curve,
    term_contributions,
    view_agreement,
    view_importances,
)
from ..inspection._model import check_most, present_views, split_pipeline, take_rows
from ..inspection._one import explain_one
from ..inspection._results import spread
from ..inspection._scored import score_name
from ..plotting import (
    EmbeddingDisplay,
    ExplanationDisplay,
    GraphsDisplay,
    ImportancesDisplay,
    MissingViewDisplay,
)
from ._check import check_table, check_weight
from ._html import figure, paragraph, table
from ._parts import MOST_ROWS, attempt, capital, history, parameters, permuted, terms

_MOST_POINTS = 500


def table_sections(estimator, X, y, *, sample_weight, sample_domain, max_samples, random_state):
    """Sections of the page, a list of (heading, pieces of HTML)."""
    check_most(max_samples)
    model, inner, head = split_pipeline(estimator, X)
    check_table(model, inner, y, sample_domain)
    weight = check_weight(sample_weight, inner)
    X, inner = (part if hasattr(part, "shape") else np.asarray(part) for part in (X, inner))
    common = {"sample_domain": sample_domain, "random_state": random_state}
    square = common | {"max_samples": max_samples}
    sections = [("Summary", _summary(model, inner, head, max_samples))]
    sections += attempt("Views", lambda: _views(model, inner, y, weight, square))
    sections += attempt("Terms", lambda: terms(model))
    sections += attempt("Agreement of views", lambda: _agreement(model, inner, y, square))
    sections += attempt("Embedding", lambda: _embedding(model, inner, y, common))
    if head is not None:
        sections += attempt(
            "One prediction taken apart", lambda: _explanation(estimator, head, X, sample_domain)
        )
        if y is not None:
            scored = common | {"sample_weight": weight}
            sections += attempt("Views permuted", lambda: permuted(estimator, X, y, **scored))
            sections += attempt("Views missing", lambda: _missing(estimator, X, y, **scored))
    return sections + history(model) + parameters(estimator)


def _summary(model, X, head, max_samples):
    n_rows = X.shape[0]
    facts = [
        ("rows given here", n_rows),
        ("of them drawn for shares and scores of views and terms", min(n_rows, max_samples)),
        ("views", len(model.views_)),
        ("graphs", len(model.graphs_)),
        ("terms", len(model.terms_)),
        ("landmarks", len(model.landmarks_)),
        ("leave-one-out R² of the fit", model.loo_score_),
        ("ridge", model.ridge_),
        ("iterations", model.n_iter_),
        ("model on the embedding", "none" if head is None else type(head).__name__),
    ]
    return [table("The fit", ["what", "value"], facts)]


def _views(model, X, y, weight, square):
    found = view_importances(model, X, **square)
    lost, note = None, []
    if y is not None:
        try:
            lost = term_contributions(model, X, y, sample_weight=weight, **square).view_loo_lost
        except ValueError as error:  # targets are all equal, say: shares can be told all the same
            note = [paragraph(f"What is lost without a view is not shown: {error}")]
    have = present_views(model, X).mean(axis=0)
    rows = [
        (
            view,
            len(model.views_[view]),
            float(have[k]),
            float(found.importances[k]),
            f"{found.low[k]:.3f} to {found.high[k]:.3f}",
            *([] if lost is None else [float(lost[k])]),
        )
        for k, view in enumerate(found.views)
    ]
    share = "share of the fused graph"
    columns = ["view", "columns", "present in", share, "90% interval, weights as fitted"]
    caption = "Views"
    if lost is not None:
        columns.append("R² lost without")
        caption += "; R² is that of leave-one-out ridge predictions of y"
    display = ImportancesDisplay(found.views, found.importances, found.low, found.high, share)
    return [
        figure(
            display.plot,
            "Share of each view in the fused graph, with bootstrap intervals over the rows; "
            "weights are as fitted, so that their own uncertainty is not in them.",
        ),
        table(caption, columns, rows),
        *note,
    ]


def _agreement(model, X, y, square):
    found = view_agreement(model, X, **square)
    rows = [(name, *map(float, row)) for name, row in zip(found.names, found.cosines, strict=True)]
    domain, seed = square["sample_domain"], square["random_state"]
    labels, several = _one_target(y)
    order = "given here" if labels is None else "of y"
    if several:
        order += f": {several} give no single order"
    parts = [table("Cosines between centred graphs", ["view", *found.names], rows)]
    try:
        graphs = figure(
            lambda: GraphsDisplay.from_estimator(
                model, X, labels, max_samples=120, sample_domain=domain, random_state=seed
            ),
            f"Graphs of the views and the fused graph, rows in the order {order}.",
        )
    except ValueError as error:  # a fused graph that needs the training rows
        graphs = paragraph(f"Graphs are not shown: {error}")
    return [*parts, graphs]


def _embedding(model, X, y, common):
    rows = np.arange(X.shape[0])
    if len(rows) > _MOST_POINTS:
        rng = np.random.default_rng(0)
        rows = np.sort(rng.choice(len(rows), _MOST_POINTS, replace=False))
    domain = common["sample_domain"]
    domain = None if domain is None else np.asarray(domain)[rows]
    labels, several = _one_target(y)
    labels = None if labels is None else labels[rows]
    colours = f"; not coloured, {several} give no single scale" if several else ""
    return [
        figure(
            lambda: EmbeddingDisplay.from_estimator(
                model, take_rows(X, rows), labels, sample_domain=domain
            ),
            f"{len(rows)} rows in the first two principal components of the embedding{colours}.",
        )
    ]


def _one_target(y):
    """Targets in a single column or None, and how many there are in words, empty if no more."""
    y = None if y is None else np.asarray(y)
    if y is not None and y.ndim == 2 and y.shape[1] != 1:
        return None, f"the {y.shape[1]} targets in y"
    return None if y is None else y.ravel(), ""


def _explanation(estimator, head, X, sample_domain):
    found, row = explain_one(estimator, X, 0, sample_domain=sample_domain)
    order = np.argsort(-np.abs(found.landmark_parts[row]), kind="stable")[:MOST_ROWS]
    rows = [
        (
            int(found.landmarks[k]),
            *map(float, found.parts[row, :, k]),
            float(found.parts[row, :, k].sum()),
        )
        for k in order
    ]
    scored = _what_is_scored(found.score_name, head, found.target_of(row))
    place = "" if found.index is None else f", whose index is {found.index[row]},"
    return [
        paragraph(
            f"The {scored}{place} is {found.scores[row]:.3f}. It is the sum of a base "
            "and of what each landmark (a training row) says through each view."
        ),
        figure(lambda: ExplanationDisplay.from_explanation(found, row), "Parts by view."),
        figure(
            lambda: ExplanationDisplay.from_explanation(found, row, by="landmark"),
            "Parts by landmark, the position of a training row, counted from 0.",
        ),
        table("Largest parts", ["landmark", *found.views, "all views"], rows),
    ]


def _what_is_scored(name, head, target):
    if hasattr(head, "classes_"):
        return f"{name} of the first row for {target}"
    return f"{name} of the first row" + f" (column {target} of y)" * (target is not None)


def _missing(estimator, X, y, **options):
    found, name = missing_view_curve(estimator, X, y, n_repeats=3, **options), score_name(estimator)
    mean, deviation = found.scores.mean(axis=1), spread(found.scores)
    rows = [
        (f"{k:.2f}", float(m), float(d))
        for k, m, d in zip(found.shares, mean, deviation, strict=True)
    ]
    return [
        figure(
            MissingViewDisplay(found.shares, found.scores, score_name=name).plot,
            f"{capital(name)} when shares of the views of all rows are removed at random.",
        ),
        table(capital(name), ["share removed", "mean", "standard deviation"], rows),
    ]
