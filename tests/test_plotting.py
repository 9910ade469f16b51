"""Displays: what is drawn is what was found, labelled, readable in grey, and drawn late."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_wine
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib.colors import to_rgb  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from legofuse import (  # noqa: E402
    LEGOAnomalyClassifier,
    LEGOFusionTransformer,
    PerUnit,
    plotting,
)
from legofuse.datasets import make_digit_bags  # noqa: E402
from legofuse.inspection import explain, permutation_importance  # noqa: E402
from legofuse.plotting import (  # noqa: E402
    EmbeddingDisplay,
    ExplanationDisplay,
    GraphsDisplay,
    HistoryDisplay,
    ImportancesDisplay,
    MissingViewDisplay,
    UnitScoresDisplay,
    WeightsDisplay,
)
from legofuse.plotting._graphs import _one_each  # noqa: E402
from legofuse.plotting._scores import _rounded  # noqa: E402
from legofuse.plotting._style import pyplot, short  # noqa: E402

X, y = load_wine(return_X_y=True)
VIEWS = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour $x$ & <y>": slice(9, 13)}
COLOUR = list(VIEWS)[2]
DIGITS = make_digit_bags(30, 5, random_state=0)


@pytest.fixture(scope="module")
def pipe():
    fusion = LEGOFusionTransformer(VIEWS, relation="rbf", max_iter=10)
    return make_pipeline(fusion, RidgeClassifier()).fit(X, y)


@pytest.fixture(scope="module")
def classifier():
    views = {name: DIGITS.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=20, random_state=0)
    return model.fit(DIGITS.bags, DIGITS.y)


def displays(pipe, classifier):
    """One of each kind, by its from_ method, called with an ax."""
    history = [{"epoch": k, "train_loss": 1 / k, "valid_loss": 2 / k} for k in range(1, 4)]
    found, units = explain(pipe, X[:2]), explain(classifier, DIGITS.bags[:1])
    return {
        "bars": lambda ax: WeightsDisplay.from_estimator(pipe, ax=ax),
        "heat map": lambda ax: WeightsDisplay.from_estimator(
            pipe, pair=("minerals", "phenols"), ax=ax
        ),
        "weights of bags": lambda ax: WeightsDisplay.from_estimator(classifier, ax=ax),
        "importances": lambda ax: ImportancesDisplay.from_estimator(pipe, ax=ax),
        "intervals": lambda ax: ImportancesDisplay.from_estimator(
            pipe, X, n_bootstrap=5, random_state=0, ax=ax
        ),
        "permutation": lambda ax: ImportancesDisplay.from_permutation(
            permutation_importance(pipe, X, y, n_repeats=2, random_state=0), ax=ax
        ),
        "embedding": lambda ax: EmbeddingDisplay.from_estimator(pipe, X, y, ax=ax),
        "embedding, real": lambda ax: EmbeddingDisplay.from_estimator(pipe, X, X[:, 0], ax=ax),
        "embedding, plain": lambda ax: EmbeddingDisplay.from_estimator(pipe, X, ax=ax),
        "units": lambda ax: UnitScoresDisplay.from_estimator(
            classifier, DIGITS.bags[0], DIGITS.unit_y[0], ax=ax
        ),
        "explanation": lambda ax: ExplanationDisplay.from_explanation(found, 1, ax=ax),
        "landmarks": lambda ax: ExplanationDisplay.from_explanation(found, by="landmark", ax=ax),
        "explained unit": lambda ax: ExplanationDisplay.from_explanation(units, 2, ax=ax),
        "references": lambda ax: ExplanationDisplay.from_explanation(
            units, 2, by="landmark", ax=ax
        ),
        "explained at once": lambda ax: ExplanationDisplay.from_estimator(pipe, X[:2], 1, ax=ax),
        "missing": lambda ax: MissingViewDisplay.from_estimator(
            pipe, X, y, shares=(0, 0.5), n_repeats=2, name="fused", random_state=0, ax=ax
        ),
        "history": lambda ax: HistoryDisplay(history).plot(ax=ax),
    }


KINDS = [
    "bars",
    "heat map",
    "weights of bags",
    "importances",
    "intervals",
    "permutation",
    "embedding",
    "embedding, real",
    "embedding, plain",
    "units",
    "explanation",
    "landmarks",
    "explained unit",
    "references",
    "explained at once",
    "missing",
    "history",
]


def inside(figure):
    """Every text and legend lies within the figure."""
    figure.canvas.draw()
    whole = figure.bbox
    for ax in figure.axes:
        box = ax.get_tightbbox()
        assert whole.x0 - 1 <= box.x0 < box.x1 <= whole.x1 + 1
        assert whole.y0 - 1 <= box.y0 < box.y1 <= whole.y1 + 1


@pytest.mark.parametrize("kind", KINDS)
def test_labelled_and_within_the_figure(kind, pipe, classifier):
    display = displays(pipe, classifier)[kind](None)
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel()
    assert display.ax_.get_ylabel()
    inside(display.figure_)


@pytest.mark.parametrize("kind", KINDS)
def test_given_axes_are_drawn_into(kind, pipe, classifier):
    ax = Figure(layout="constrained").subplots()
    display = displays(pipe, classifier)[kind](ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.plot() is display  # again, into axes of its own
    assert display.ax_ is not ax


def test_every_kind_is_tested(pipe, classifier):
    assert list(displays(pipe, classifier)) == KINDS
    assert set(plotting.__all__) <= set(globals())


def test_bars_are_the_largest_weights(pipe):
    display = WeightsDisplay.from_estimator(pipe, n_terms=4)
    weights = np.sort(pipe[0].weights_)[-4:]
    widths = [bar.get_width() for bar in display.bars_]
    assert_allclose(widths, weights / pipe[0].weights_.sum())
    assert display.im_ is None
    total = len(pipe[0].weights_)
    assert display.ax_.get_xlabel() == f"relative weight (4 of {total} terms)"


def test_the_heat_map_holds_the_weights_of_the_pair(pipe):
    display = WeightsDisplay.from_estimator(pipe, pair=("minerals", COLOUR))
    model = pipe[0]
    for powers, weight in zip(model.powers_, model.weights_, strict=True):
        if powers[1] == 0:
            assert display.grid[powers[0], powers[2]] == pytest.approx(weight)
    assert np.isnan(display.grid[0, 0])
    assert np.isnan(display.grid[2, 2])
    assert display.figure_.axes[1].get_ylabel() == "weight"
    two = LEGOFusionTransformer({"a": slice(0, 5), "b": slice(5, 13)}, relation="rbf", max_iter=5)
    assert WeightsDisplay.from_estimator(two.fit(X, y)).pair == ("a", "b")
    bars = WeightsDisplay.from_estimator(two.set_params(degree=1).fit(X, y))  # two numbers
    assert bars.pair is None
    assert len(bars.bars_) == 2
    assert WeightsDisplay.from_estimator(two, pair=("a", "b")).im_ is not None  # asked for
    with pytest.raises(ValueError, match="two of the views"):
        WeightsDisplay.from_estimator(pipe, pair=("minerals", "nothing"))


def test_several_relations_of_a_pair_are_added_up():
    views = {"a": slice(0, 5), "b": slice(5, 13)}
    model = LEGOFusionTransformer(views, relation="auto", weights="uniform").fit(X)
    display = WeightsDisplay.from_estimator(model, pair=("a", "b"))
    assert np.nansum(display.grid) == pytest.approx(model.weights_.sum())


def test_graphs_are_ordered_by_class(pipe):
    display = GraphsDisplay.from_estimator(pipe, X, y, max_samples=100, random_state=0)
    assert list(display.graphs) == [*VIEWS, "fused"]
    assert len(display.axes_) == len(display.ims_) == 4
    assert display.ax_ is display.axes_[-1]
    assert sum(count for _, count in display.groups) == 100
    assert [label for label, _ in display.groups] == [0, 1, 2]
    for graph in display.graphs.values():
        assert graph.shape == (100, 100)
        assert_allclose(graph, graph.T, atol=1e-8)
    assert all(ax.get_xlabel() for ax in display.axes_)
    inside(display.figure_)
    axes = Figure(layout="constrained").subplots(2, 2)
    assert display.plot(axes=axes).figure_ is axes[0, 0].figure
    with pytest.raises(ValueError, match="one for each of 4"):
        display.plot(axes=axes[0])


def test_graphs_without_classes_and_by_relation():
    model = LEGOFusionTransformer(VIEWS, relation="auto", weights="uniform").fit(X)
    display = GraphsDisplay.from_estimator(model, X, by="graph", max_samples=30)
    assert len(display.graphs) == len(model.graphs_) + 1
    assert display.groups is None
    assert GraphsDisplay.from_estimator(model, X, X[:, 0], max_samples=30).groups is None
    with pytest.raises(ValueError, match="max_samples must be at least 1; got 0"):
        GraphsDisplay.from_estimator(model, X, max_samples=0)
    with pytest.raises(ValueError, match="'view' or 'graph'"):
        GraphsDisplay.from_estimator(model, X, by="term")
    with pytest.raises(ValueError, match="one value for each"):
        GraphsDisplay.from_estimator(model, X, y[:5])


@pytest.mark.parametrize(
    ("target", "options", "label"),
    [
        (y, {}, "rows by class"),
        (y, {"max_samples": 100}, "100 of 178 rows by class"),
        (X[:, 0], {"max_samples": 60}, "60 of 178 rows sorted by y"),
        (y.astype(float), {}, "rows sorted by y"),
        (None, {"max_samples": 60}, "60 of 178 rows"),
        (None, {}, "rows"),
    ],
)
def test_graphs_say_which_rows_in_which_order(pipe, target, options, label):
    display = GraphsDisplay.from_estimator(pipe, X, target, random_state=0, **options)
    assert [ax.get_xlabel() for ax in display.axes_] == [label] * 4
    assert [ax.get_ylabel() for ax in display.axes_] == [label, "", "", ""]
    inside(display.figure_)
    bare = GraphsDisplay(display.graphs, display.groups).plot()
    assert bare.ax_.get_xlabel() == ("row" if display.groups is None else "rows by class")


def test_rows_that_are_all_alike_are_drawn():
    model = LEGOFusionTransformer(VIEWS, n_landmarks=1).fit(X, y)  # centred over itself
    assert_allclose(EmbeddingDisplay.from_estimator(model, X).variances, 0)


@pytest.mark.parametrize("display", [GraphsDisplay, EmbeddingDisplay])
def test_y_is_a_value_for_each_row(display, pipe):
    assert display.from_estimator(pipe, X, y[:, None]).figure_
    message = r"one value for each of 178 rows; got shape \(178, 2\): give one of its columns"
    with pytest.raises(ValueError, match=message):
        display.from_estimator(pipe, X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match=r"of 178 rows; got shape \(5,\)\.$"):
        display.from_estimator(pipe, X, y[:5])


def test_classes_differ_in_marker_and_colour(pipe):
    display = EmbeddingDisplay.from_estimator(pipe, X, y)
    assert len(display.points_) == 3
    shapes = {tuple(p.get_paths()[0].vertices.ravel().round(3)) for p in display.points_}
    colours = {tuple(p.get_facecolor()[0]) for p in display.points_}
    assert len(shapes) == len(colours) == 3
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.x0 >= display.ax_.get_window_extent().x1  # beside the points


def test_the_timeline_marks_the_truth():
    scores, truth = [0.1, 0.9, 0.8, 0.2, 0.7], [0, 1, 1, 0, 1]
    display = UnitScoresDisplay(scores, truth).plot()
    assert_allclose(display.line_.get_ydata(), scores)
    spans = [(s.get_x(), s.get_x() + s.get_width()) for s in display.spans_]
    assert_allclose(spans, [(0.5, 2.5), (3.5, 4.5)])
    assert all(span.get_hatch() for span in display.spans_)  # not by colour alone
    assert UnitScoresDisplay(scores).plot().ax_.get_legend() is None
    assert_allclose(UnitScoresDisplay([0.5], [1]).plot().spans_[0].get_x(), -0.5)
    late = UnitScoresDisplay(scores, truth, positions=[10, 30, 20, 0, 40]).plot()
    assert_allclose(late.line_.get_xdata(), [0, 10, 20, 30, 40])
    with pytest.raises(ValueError, match="truth must have one value"):
        UnitScoresDisplay(scores, truth[:2])


def test_bars_of_an_explanation_end_at_the_score(pipe):
    found = explain(pipe, X[:3])
    for by in ("view", "landmark"):
        display = ExplanationDisplay.from_explanation(found, 2, by=by)
        last = display.bars_[-1]
        assert last.get_x() + last.get_width() == pytest.approx(found.scores[2])
        expected = f"decision value of target {found.targets[2]} (dashed"
        assert display.ax_.get_xlabel().startswith(expected)
    display = ExplanationDisplay.from_explanation(found._replace(targets=None))
    assert display.ax_.get_xlabel().startswith("decision value (dashed")
    assert ExplanationDisplay(["base"], [1], 1).plot().ax_.get_xlabel() == "score (dashed: 1.00)"
    with pytest.raises(ValueError, match="no sums over landmarks"):
        ExplanationDisplay.from_explanation(found._replace(parts=None), by="landmark")
    with pytest.raises(ValueError, match="'view' or 'landmark'"):
        ExplanationDisplay.from_explanation(found, by="term")


@pytest.mark.parametrize(
    ("parts", "n", "named", "others"),
    [
        ([5, -1, 4, -3, 2, -9, 1], 4, [5, 4, -9, -3], "3 others (+3, -1)"),
        ([5, -1, 4, -3, 2, -9, 1], 3, [5, 4, -9], "4 others (+3, -4)"),
        ([5, -1, 4, -3, 2, -9, 1], 7, [5, 4, 2, 1, -9, -3, -1], None),
        ([1, 2, 3, 4, -5], 4, [4, 3, 2, -5], "1 other"),  # there are no more negative ones
        ([-1, -2, -3, 4], 3, [4, -3, -2], "1 other"),
        ([-1, -2, -3, -4], 2, [-4, -3], "2 others"),
        ([300, -100, 2, 1], 0, [], "4 others (+303, -100)"),
        ([0, 0, 0], 2, [0, 0], "1 other"),
    ],
)
def test_landmarks_of_either_sign_are_named(pipe, parts, n, named, others):
    parts = np.array(parts, float)
    found = explain(pipe, X[:1])._replace(
        landmarks=np.arange(len(parts)), parts=parts[None, None], scores=[parts.sum()], base=[0.0]
    )
    display = ExplanationDisplay.from_explanation(found, by="landmark", n_landmarks=n)
    rest = [] if others is None else [parts.sum() - sum(named)]
    assert_allclose(display.parts, [0, *named, *rest])
    rows = [int(name.removeprefix("training row ")) for name in display.names[1 : len(named) + 1]]
    assert_allclose(parts[rows], named)
    assert display.names[len(named) + 1 :] == ([] if others is None else [others])
    pyplot().close(display.figure_)


def test_a_prediction_is_explained_and_drawn_at_once(pipe, classifier):
    for model, data, options in (
        (pipe, X[:3], {"target": 1}),
        (classifier, DIGITS.bags[:2], {"method": "shapley"}),
        (pipe[0], X[:3], {"coef": np.ones(pipe[0].transform(X[:1]).shape[1]), "intercept": 2.0}),
    ):
        display = ExplanationDisplay.from_estimator(model, data, 2, **options)
        expected = ExplanationDisplay.from_explanation(explain(model, data, **options), 2)
        assert display.names == expected.names
        assert_allclose(display.parts, expected.parts)
        assert_allclose(display.score, expected.score, rtol=1e-10)  # one row alone rounds otherwise
    display = ExplanationDisplay.from_estimator(pipe, X[:1], by="landmark", n_landmarks=3)
    assert len(display.names) == 5  # with the base and the others
    with pytest.raises(ValueError, match="coef must be given"):
        ExplanationDisplay.from_estimator(pipe[0], X)


def test_a_unit_is_drawn_by_its_bag_and_place(classifier):
    draw = ExplanationDisplay.from_estimator
    expected = draw(classifier, DIGITS.bags[:3], 7)
    for pair in ((1, 2), (-2, -3), (np.int64(1), 2)):
        display = draw(classifier, DIGITS.bags[:3], pair)
        assert_allclose(display.parts, expected.parts)
        assert display.ax_.get_xlabel() == expected.ax_.get_xlabel()
    assert expected.ax_.get_xlabel().startswith("logit of the unit score (dashed: ")
    found = explain(classifier, DIGITS.bags[:3])
    assert_allclose(ExplanationDisplay.from_explanation(found, (1, 2)).parts, expected.parts)
    for pair, message in (((3, 0), "bag=3 is not among the 3 bags"), ((1, 5), "unit=5 .* bag 1")):
        with pytest.raises(IndexError, match=message):
            draw(classifier, DIGITS.bags[:3], pair)


@pytest.mark.parametrize("row", [0, 7, 14, -1])
@pytest.mark.parametrize("form", [list, np.array, "table", "frame", "list of rows"])
def test_no_more_is_explained_than_is_drawn(pipe, classifier, monkeypatch, row, form):
    rows = {"table": X, "frame": pytest.importorskip("pandas").DataFrame(X), "list of rows": X}
    tables = isinstance(form, str)
    model, data = (pipe, rows[form][:15]) if tables else (classifier, form(DIGITS.bags[:3]))
    data = data.tolist() if form == "list of rows" else data
    found, seen = explain(model, data), []

    def watched(model, X, **options):
        seen.append(len(X))
        return explain(model, X, **options)

    monkeypatch.setattr("legofuse.inspection._one.explain", watched)
    display = ExplanationDisplay.from_estimator(model, data, row)
    expected = ExplanationDisplay.from_explanation(found, row)
    assert_allclose(display.parts, expected.parts, rtol=1e-9, atol=1e-10)
    assert display.score == pytest.approx(expected.score)
    assert seen == [1]
    what = "rows" if tables else "units"
    with pytest.raises(IndexError, match=f"row=15 is not among the 15 {what} of X"):
        ExplanationDisplay.from_estimator(model, data, 15)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ("3", TypeError, "row must be an int, a place among the 15 {}; got '3'"),
        (3.0, TypeError, "row must be an int, .*; got 3.0"),
        (None, TypeError, "row must be an int, .*; got None"),
        ([3], TypeError, r"row must be an int, .*; got \[3\]"),
        (True, TypeError, "row must be an int, .*; got True"),
        (15, IndexError, "row=15 is not among the 15 {}"),
        (-16, IndexError, "row=-16 is not among the 15 {}"),
    ],
)
def test_a_row_that_is_none_is_refused(pipe, classifier, row, error, message):
    for model, data, what in ((pipe, X[:15], "rows"), (classifier, DIGITS.bags[:3], "units")):
        with pytest.raises(error, match=message.format(f"{what} of X")):
            ExplanationDisplay.from_estimator(model, data, row)
    found = explain(pipe, X[:15])
    with pytest.raises(error, match=message.format("explained rows")):
        ExplanationDisplay.from_explanation(found, row)
    if row is not None:  # None stands for all rows by views
        with pytest.raises(error, match=message.format("explained rows")):
            found.to_frame(row)


@pytest.mark.parametrize("row", [0, -1])
def test_a_row_is_explained_with_a_domain_for_each(pipe, classifier, row):
    for model, data, what in ((pipe, X[:15], "15 rows"), (classifier, DIGITS.bags[:3], "3 bags")):
        with pytest.raises(ValueError, match=f"one domain for each of the {what}; got shape .2,"):
            ExplanationDisplay.from_estimator(model, data, row, sample_domain=[0, 0])


def test_rows_that_are_aligned_together_are_explained_together():
    site = np.arange(len(X)) % 3
    fusion = LEGOFusionTransformer(VIEWS, relation="rbf", max_iter=5, unseen_domains="batch")
    known = site < 2
    fusion.fit(X[known], y[known], sample_domain=site[known])
    coef = np.ones(fusion.transform(X[:2], sample_domain=site[:2]).shape[1])
    options = {"coef": coef, "sample_domain": site[~known]}
    display = ExplanationDisplay.from_estimator(fusion, X[~known], 4, **options)
    assert_allclose(display.score, explain(fusion, X[~known], **options).scores[4])
    few = explain(fusion, X[~known][4:5], coef=coef, sample_domain=[2])
    assert abs(display.score - few.scores[0]) > 1e-3
    every = {"coef": coef, "sample_domain": site}  # rows of other domains do not matter
    assert_allclose(ExplanationDisplay.from_estimator(fusion, X, 14, **every).score, display.score)
    options = {"coef": coef, "sample_domain": site[known]}
    fusion.set_params(unseen_domains="error")
    display = ExplanationDisplay.from_estimator(fusion, X[known], 5, **options)
    assert_allclose(display.score, explain(fusion, X[known], **options).scores[5])


@pytest.mark.parametrize("given", ["b", ["b"], np.array(["b"])])
def test_the_domain_of_one_bag(given):
    views = {name: DIGITS.views[name] for name in ("pixels", "gradients")}
    site = np.where(np.arange(30) // 2 % 2, "b", "a")
    model = LEGOAnomalyClassifier(views, n_references=20, relation="rbf", random_state=0)
    model.fit(DIGITS.bags, DIGITS.y, sample_domain=site)
    draw = UnitScoresDisplay.from_estimator
    display = draw(model, DIGITS.bags[2], sample_domain=given)
    assert_allclose(display.scores, *model.score_units(DIGITS.bags[2:3], sample_domain=["b"]))
    message = r"the one bag that is drawn; got 30 values: .* sample_domain\[0\] for bags\[0\]"
    with pytest.raises(ValueError, match=message):
        draw(model, DIGITS.bags[2], sample_domain=site)


def test_units_are_scored_by_a_classifier_of_bags():
    other = make_pipeline(FunctionTransformer(), RidgeClassifier()).fit(X, y)
    for model in (other, other[-1]):
        message = f"ends with one; got {type(model).__name__}"
        with pytest.raises(TypeError, match=message):
            UnitScoresDisplay.from_estimator(model, DIGITS.bags[0])


def test_a_pipeline_that_ends_with_a_classifier_of_bags(classifier):
    pipe = make_pipeline(PerUnit(FunctionTransformer()).fit(DIGITS.bags), classifier)
    for kind in (WeightsDisplay, ImportancesDisplay):
        one, other = (kind.from_estimator(model) for model in (pipe, classifier))
        widths = [[bar.get_width() for bar in display.bars_ or []] for display in (one, other)]
        assert widths[0] == widths[1]
    bag = DIGITS.bags[0]
    one, other = (UnitScoresDisplay.from_estimator(model, bag) for model in (pipe, classifier))
    assert_allclose(one.scores, other.scores)


@pytest.mark.filterwarnings("ignore:.*positive semi-definite")
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"expansion": "hops"}, "with expansion='hops' relates .* fit one with .*'elementwise'"),
        ({"zeroth": "identity", "interactions": "separable"}, "with zeroth='identity' .*'ones'"),
    ],
)
def test_graphs_that_need_the_training_rows_are_not_drawn(parameters, message):
    model = LEGOFusionTransformer(VIEWS, relation="rbf", max_iter=5, **parameters).fit(X, y)
    with pytest.raises(ValueError, match=f"GraphsDisplay relates the rows of X .*{message}"):
        GraphsDisplay.from_estimator(model, X, y)


@pytest.mark.parametrize("form", [list, tuple, np.array], ids=["list", "tuple", "3-D"])
def test_units_are_those_of_one_bag(classifier, form):
    bags = form([bag[:3] for bag in DIGITS.bags[:2]])
    with pytest.raises(TypeError, match=r"one bag, .* of 2 bags: give one .* bags\[0\]") as found:
        UnitScoresDisplay.from_estimator(classifier, bags)
    assert "stack_views" not in str(found.value)
    for bag in (bags[0], bags[0].tolist()):
        assert len(UnitScoresDisplay.from_estimator(classifier, bag).scores) == 3


def test_curves_in_the_same_axes_differ_in_line_and_marker(pipe):
    first = MissingViewDisplay([0, 0.5], [[1.0, 0.9], [0.7, 0.6]], "one").plot()
    second = MissingViewDisplay([0, 0.5], [[0.9, 0.9], [0.5, 0.6]], "two").plot(ax=first.ax_)
    for trait in ("get_marker", "get_linestyle", "get_color"):
        assert getattr(first.line_, trait)() != getattr(second.line_, trait)()
    assert [t.get_text() for t in first.ax_.get_legend().get_texts()] == ["one", "two"]
    with pytest.raises(ValueError, match="from 0 up to below 1"):
        MissingViewDisplay.from_estimator(pipe, X, y, shares=[0, 1])
    with pytest.raises(ValueError, match="single view"):
        MissingViewDisplay.from_estimator(pipe, X, y, views={"all": slice(0, 13)})


def test_axes_name_the_score(pipe):
    options = {"n_repeats": 1, "random_state": 0}
    draw = MissingViewDisplay.from_estimator
    assert draw(pipe, X, y, **options).ax_.get_ylabel() == "accuracy"
    assert draw(pipe, X, y, scoring="f1_macro", **options).ax_.get_ylabel() == "f1 macro"
    found = permutation_importance(pipe, X, y, **options)
    display = ImportancesDisplay.from_permutation(found)
    assert display.ax_.get_xlabel() == "fall of the accuracy when permuted"


def test_history_of_a_fit_by_gradients(pipe, classifier):
    model = LEGOFusionTransformer(VIEWS, relation="rbf", weights="neural", max_iter=5).fit(X, y)
    display = HistoryDisplay.from_estimator(model)
    assert len(display.lines_[0].get_xdata()) == len(model.history_)
    with pytest.raises(ValueError, match=r"no history_: .* \(weights='neural' trains one\)"):
        HistoryDisplay.from_estimator(pipe)
    with pytest.raises(ValueError, match=r"no history_: .* \(head='net' trains one\)"):
        HistoryDisplay.from_estimator(classifier)
    with pytest.raises(ValueError, match="no loss"):
        HistoryDisplay([]).plot()


def test_colours_differ_in_grey():
    """Neighbours in the order of use, and the first four pairwise, differ in lightness."""
    from legofuse.plotting._style import COLOURS

    grey = np.array([np.dot(to_rgb(colour), [0.299, 0.587, 0.114]) for colour in COLOURS])
    assert (np.abs(np.diff(grey)) > 0.09).all()


def test_matplotlib_is_imported_when_something_is_drawn():
    code = "import sys, legofuse.plotting; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize("kind", KINDS)
def test_without_matplotlib_the_error_says_what_to_install(kind, pipe, classifier, monkeypatch):
    draw = displays(pipe, classifier)[kind]
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(
        ImportError, match=r"pip install 'legofuse\[plot\]'.* pip install '.\[plot\]'"
    ):
        draw(None)


def test_long_names_differ_where_they_end_and_are_plain_text():
    names = [
        short("a name that begins as others do and ends as none of them does " + k) for k in "ab"
    ]
    assert names[0] != names[1]
    assert max(map(len, names)) == 40
    assert short("$a$") == r"\$a\$"


def test_classes_that_begin_with_an_underscore_are_in_the_legend():
    points = np.random.default_rng(0).normal(size=(6, 2))
    display = EmbeddingDisplay(points, np.array(["_a", "b", "$c$"] * 2)).plot()
    texts = display.ax_.get_legend().get_texts()
    assert sorted(text.get_text().strip() for text in texts) == [r"\$c\$", "_a", "b"]
    pyplot().close(display.figure_)


def test_many_named_classes_are_a_scale_with_names():
    points = np.random.default_rng(0).normal(size=(60, 2))
    display = EmbeddingDisplay(points, np.array([f"class {k % 30:02}" for k in range(60)])).plot()
    labels = [label.get_text() for label in display.figure_.axes[1].get_yticklabels()]
    assert labels[0] == "class 00"
    assert labels[-1] == "class 29"
    pyplot().close(display.figure_)


def test_a_legend_of_many_classes_stays_within_the_figure():
    points = np.random.default_rng(0).normal(size=(40, 2))
    display = EmbeddingDisplay(points, np.arange(40) % 20).plot()
    display.figure_.canvas.draw()
    box = display.ax_.get_legend().get_window_extent()
    assert 0 <= box.y0 < box.y1 <= display.figure_.bbox.height
    pyplot().close(display.figure_)


def test_targets_of_several_types_are_refused_in_words():
    with pytest.raises(TypeError, match="values of one type"):
        _one_each(np.array([None, "a"], dtype=object), 2)


def test_one_unit_stands_at_its_place():
    display = UnitScoresDisplay([0.5], positions=[7]).plot()
    assert display.ax_.get_xticks().tolist() == [7]
    pyplot().close(display.figure_)


@pytest.mark.parametrize(
    ("value", "room", "expected"),
    [(-1e-9, 2.0, "+0.00"), (0.01234, 0.02, "+0.0123"), (12.0, 2e7, "+12"), (-3.456, 5, "-3.46")],
)
def test_parts_have_digits_that_tell_bars_apart(value, room, expected):
    assert _rounded(value, room, "+") == expected
