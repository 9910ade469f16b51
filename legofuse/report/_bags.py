"""Sections on a classifier of bags."""

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.utils.validation import check_is_fitted

from ..inspection import explain
from ..inspection._explain import read_units
from ..inspection._model import split_classifier
from ..inspection._scored import known_scorer, score_name
from ..plotting import ExplanationDisplay, ImportancesDisplay, UnitScoresDisplay
from ._check import check_labels, check_truth, check_weight
from ._html import figure, paragraph, table
from ._parts import MOST_ROWS, attempt, history, parameters, permuted, terms

_TIMELINES = 3


def bag_sections(estimator, X, y, *, unit_y, sample_weight, sample_domain, random_state):
    """Sections of the page, a list of (heading, pieces of HTML)."""
    options = {} if sample_domain is None else {"sample_domain": sample_domain}
    check_is_fitted(estimator)
    model, X = split_classifier(estimator, X)
    check_labels(model, X, y, unit_y)
    weight = check_weight(sample_weight, X)
    scores = model.score_units(X, **options)  # reads and checks all bags
    if unit_y is not None:
        check_truth(scores, unit_y)
    bags, _ = read_units(model, X, sample_domain)
    sections = [("Summary", _summary(model, bags, y, weight, options))]
    sections += attempt("Units", lambda: _units(model, bags, scores, y, unit_y, options))
    if hasattr(model, "view_importances_"):
        sections += attempt("Views", lambda: _views(model))
    sections += attempt("Terms", lambda: terms(model))
    if y is not None:
        scored = options | {"sample_weight": weight, "random_state": random_state, "of": "units"}
        if hasattr(estimator, "best_estimator_"):  # what is around the model scores it
            scored |= {"scoring": known_scorer(estimator, None)[1], "name": score_name(estimator)}
        sections += attempt("Views permuted", lambda: permuted(model, bags, y, **scored))
    if getattr(model, "heads_", None):
        sections += [("Heads", [_heads(model)])]
    return sections + history(model) + parameters(estimator)


def _summary(model, bags, y, weight, options):
    facts = [
        ("bags given here", len(bags)),
        ("units in them", sum(len(bag) for bag in bags)),
        ("views", len(dict(model.graphs_))),
        ("graphs", len(model.graphs_)),
        ("terms", len(model.terms_)),
        ("anomalous class", getattr(model, "pos_label_", model.classes_[1])),
        ("pooling", getattr(model, "pooling_", None)),
        ("reference", getattr(model, "reference_", None)),
        ("share of anomalous bags in fit", model.prior_),
    ]
    known = [fact for fact in facts if fact[1] is not None]
    parts = [table("The fit", ["what", "value"], known)]
    counted = np.ones(len(bags), bool) if weight is None else weight > 0
    if y is not None and len(np.unique(np.asarray(y)[counted])) == 2:
        scores = model.decision_function(bags, **options)
        area = roc_auc_score(np.asarray(y) == model.classes_[1], scores, sample_weight=weight)
        weighted = "" if weight is None else ", weighted"
        parts.append(paragraph(f"ROC AUC of the bags given here{weighted}: {area:.3f}."))
    return parts


def _units(model, bags, scores, y, unit_y, options):
    """Timelines of the bags with the highest units, and what made these units so."""
    order = np.argsort([-part.max() for part in scores], kind="stable")
    parts = []
    for bag in order[:_TIMELINES]:
        unit = int(scores[bag].argmax())
        truth = None if unit_y is None else unit_y[bag]
        label = "" if y is None else f", labelled {np.asarray(y)[bag]}"
        parts.append(
            figure(
                lambda bag=bag, truth=truth: UnitScoresDisplay(scores[bag], truth).plot(),
                f"Scores of the units of bag {bag}{label}; the highest is unit {unit}.",
            )
        )
        found = explain(model, [bags[bag]], **_of_bag(options, bag))
        parts.append(
            figure(
                lambda found=found, unit=unit: ExplanationDisplay.from_explanation(found, unit),
                f"What makes unit {unit} of bag {bag} so: parts by view of the logit of its score, "
                f"{scores[bag][unit]:.3f}.",
            )
        )
        if found.parts is not None:
            parts.append(
                figure(
                    lambda found=found, unit=unit: ExplanationDisplay.from_explanation(
                        found, unit, by="landmark"
                    ),
                    "The same by reference unit: positions of its bag in the training data, and of "
                    "the unit in that, counted from 0.",
                )
            )
    highest = [
        (float(s), bag, unit) for bag, part in enumerate(scores) for unit, s in enumerate(part)
    ]
    highest.sort(key=lambda row: (-row[0], row[1:]))
    rows = [(f"bag {bag}, unit {unit}", score) for score, bag, unit in highest[:MOST_ROWS]]
    return [*parts, table("Units with the highest scores", ["unit", "score"], rows)]


def _of_bag(options, bag):
    return {name: np.asarray(values)[[bag]] for name, values in options.items()}


def _views(model):
    found = model.view_importances_
    return [
        figure(lambda: ImportancesDisplay.from_estimator(model), "Share of the fused graph."),
        table(
            "Views",
            ["view", "share of the fused graph"],
            [(name, float(v)) for name, v in found.items()],
        ),
    ]


def _heads(model):
    losses = getattr(model, "held_out_losses_", {})
    heads = sorted(model.heads_.items(), key=lambda item: -item[1])
    rows = [(name, float(weight), losses.get(name)) for name, weight in heads]
    return table("Heads and their weights", ["head", "weight", "held-out log-loss"], rows)
