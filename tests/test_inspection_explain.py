"""Parts add up to scores, whatever the model: the theorem that explanations rest on."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logit
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_wine
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer, PerUnit, report
from legofuse.datasets import make_digit_bags
from legofuse.inspection import (
    domain_shift,
    explain,
    permutation_importance,
    view_importances,
)

X, y = load_wine(return_X_y=True)
VIEWS = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
MISSING = X.copy()
MISSING[:60, VIEWS["phenols"]] = np.nan
MISSING[30:90, VIEWS["colour"]] = np.nan
MISSING[::50] = X[::50]
DIGITS = make_digit_bags(40, (3, 6), random_state=0)
FOREST = RandomForestClassifier(3, random_state=0)
NAMES = ("pixels", "gradients", "fourier")
DIGIT_VIEWS = {name: DIGITS.views[name] for name in NAMES}


def make(head, **parameters):
    options = {
        "relation": "correlation",
        "n_landmarks": 40,
        "max_iter": 10,
        "random_state": 0,
    } | parameters
    return make_pipeline(LEGOFusionTransformer(VIEWS, **options), head)


def assert_adds_up(found, scores, **tolerance):
    tolerance = {"rtol": 1e-8, "atol": 1e-8} | tolerance
    assert_allclose(found.scores, scores, **tolerance)
    assert_allclose(found.base + found.view_parts.sum(axis=1), scores, **tolerance)
    if found.parts is not None:
        assert_allclose(found.parts.sum(axis=2), found.view_parts, **tolerance)
        assert_allclose(found.base + found.landmark_parts.sum(axis=1), scores, **tolerance)


@pytest.mark.parametrize("data", [X, MISSING], ids=["complete", "missing"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"relation": {"minerals": "rbf", "phenols": "cosine", "colour": "angular"}, "degree": 3},
        {"interactions": "separable"},
        {"output": "relations", "weights": "uniform"},
        {"output": "relations", "weights": "alignment", "nonnegative": False},
        {"n_components": 5},
    ],
    ids=lambda parameters: " ".join(parameters) or "default",
)
def test_parts_add_up_to_the_predicted_class(data, parameters):
    pipe = make(RidgeClassifier(), **parameters).fit(data, y)
    found = explain(pipe, data)
    assert found.parts.shape == (len(X), 3, 40)
    assert_adds_up(found, pipe.decision_function(data).max(axis=1))
    assert_array_equal(found.targets, pipe.predict(data))
    assert_array_equal(found.landmarks, pipe[0].landmarks_)


@pytest.mark.parametrize(
    ("meta", "place"),
    [
        (lambda pipe: CalibratedClassifierCV(pipe, cv=2), "calibrated_classifiers_[0].estimator"),
        (lambda pipe: BaggingClassifier(pipe, 2, random_state=0), "estimators_[0]"),
        (lambda pipe: VotingClassifier([("pipe", pipe)]), "estimators_[0]"),
        (lambda pipe: FixedThresholdClassifier(pipe), "estimator_"),
        (lambda pipe: TransformedTargetRegressor(pipe), "regressor_"),
    ],
    ids=["calibrated", "bagging", "voting", "threshold", "target"],
)
def test_what_to_explain_of_a_meta_estimator_is_said(tmp_path, meta, place):
    labels = (y == 0).astype(int)
    model = meta(make(Ridge() if place == "regressor_" else RidgeClassifier()))
    around = f"got {type(model).__name__} around a LEGOFusionTransformer: give the fitted LEGOFu"
    with pytest.raises(TypeError, match=f"{around}.*, or a Pipeline of which it is a step[.]$"):
        explain(model, X)  # not fitted
    model.fit(X, labels)
    for look in (explain, view_importances, report_into(tmp_path)):
        with pytest.raises(TypeError, match=f"{around}.* such as .*`.{re.escape(place)}`"):
            look(model, X)
    assert explain(eval(f"model.{place}"), X).views == list(VIEWS)  # what is said is true


def report_into(folder):
    pytest.importorskip("matplotlib")
    return lambda model, X: report.write(model, X, path=folder / "page.html")


def test_what_to_explain_of_other_holders_is_said(classifier):
    search = GridSearchCV(make(RidgeClassifier()), {}, cv=2, refit=False).fit(X, y)
    with pytest.raises(TypeError, match="GridSearchCV, a search that kept no fit: set refit=True"):
        explain(search, X)
    calibrated = CalibratedClassifierCV(FrozenEstimator(classifier), cv=2)
    with pytest.raises(TypeError, match="around a LEGOAnomalyClassifier: give the fitted LEGOAnom"):
        explain(calibrated, DIGITS.bags)
    pipe = make(CalibratedClassifierCV(RidgeClassifier(), cv=2)).fit(X, y)
    with pytest.raises(TypeError, match=r"has no coef_.* ends with the linear model itself"):
        explain(pipe, X)
    with pytest.raises(TypeError, match=r"got RidgeClassifier\.$"):
        explain(RidgeClassifier().fit(X, y), X)


def test_nothing_is_refused(classifier):
    pipe = make(RidgeClassifier()).fit(X, y)
    looks = [(explain, classifier, []), (domain_shift, pipe, X[:0], [])]
    for look, *given in [(explain, pipe, X[:0]), (explain, pipe, []), *looks]:
        with pytest.raises(ValueError, match="X is empty: give at least one row, or one bag"):
            look(*given)


def test_parts_of_a_missing_view_are_nought():
    pipe = make(RidgeClassifier()).fit(MISSING, y)
    found = explain(pipe, MISSING)
    assert_array_equal(found.view_parts[1:30, 1], 0)  # phenols
    assert_array_equal(found.view_parts[60:90, 2], 0)  # colour
    assert (found.view_parts[61:90, 1] != 0).all()


@pytest.mark.filterwarnings("ignore:.*miss every view")
def test_a_row_without_views_is_all_base():
    pipe = make(RidgeClassifier()).fit(X, y)
    data = X[:3].copy()
    data[1] = np.nan
    found = explain(pipe, data, target=2)
    assert_adds_up(found, pipe.decision_function(data)[:, 2])
    assert_array_equal(found.view_parts[1], 0)


def test_one_class_two_classes_and_real_values():
    names = np.array(["a", "b", "c"])[y]
    pipe = make(LogisticRegression()).fit(X, names)
    assert_adds_up(explain(pipe, X, target="b"), pipe.decision_function(X)[:, 1])
    two = make(LogisticRegression()).fit(X, np.where(y == 1, "yes", "no"))
    found = explain(two, X)
    assert_adds_up(found, two.decision_function(X))
    assert (found.targets == "yes").all()
    other = explain(two, X, target="no")  # of the first class, what speaks against the second
    assert_adds_up(other, -two.decision_function(X))
    assert_array_equal(other.parts, -found.parts)
    assert (other.targets == "no").all()
    real = make(Ridge()).fit(X, X[:, 12])
    found = explain(real, X)
    assert_adds_up(found, real.predict(X), rtol=1e-7)
    assert found.targets is None  # there is only one
    assert found.target_of(0) is None
    columns = make(LinearRegression(), n_components=20).fit(X, X[:, :2])
    found = explain(columns, X, target=1)
    assert_adds_up(found, columns.predict(X)[:, 1], rtol=1e-6)
    assert (found.targets == 1).all()
    for target in (True, 1.0, "1", -1, 2):
        with pytest.raises(ValueError, match=f"a column of y, 0 to 1; got {target!r}"):
            explain(columns, X, target=target)


def test_columns_of_a_frame_of_targets_are_told_by_name():
    targets = pd.DataFrame(X[:, :3], columns=["age", "size", "weight"])
    pipe = make(LinearRegression(), n_components=20).fit(X, targets)
    found, expected = explain(pipe, X, target="size"), explain(pipe, X, target=1)
    assert_adds_up(found, pipe.predict(X)[:, 1], rtol=1e-6)
    assert_array_equal(found.parts, expected.parts)
    assert found.targets.tolist() == expected.targets.tolist() == ["size"] * len(X)
    assert found.to_frame()["target"].iloc[0] == "size"
    assert explain(pipe, X).target_of(0) == "age"
    plain = explain(clone(pipe).fit(X, targets.to_numpy()), X, target=1)
    assert_array_equal(plain.parts, expected.parts)
    assert plain.target_of(0) == 1
    one = explain(make(LinearRegression()).fit(X, targets[["age"]]), X, target="age")
    assert one.targets is None  # there is only one
    places = explain(clone(pipe).fit(X, targets.set_axis([2, 0, 1], axis=1)), X, target=2)
    assert_array_equal(places.scores, explain(pipe, X, target=2).scores)  # numbers are places
    pipe.fit(X, targets.to_numpy())  # again, without names
    assert explain(pipe, X).target_of(0) == 0


def test_what_is_explained_is_told_by_name(classifier):
    coef = np.ones(make(None)[0].fit(X, y).transform(X[:1]).shape[1])
    for found, name in (
        (explain(make(RidgeClassifier()).fit(X, y), X[:3]), "decision value"),
        (explain(make(Ridge()).fit(X, X[:, 0]), X[:3]), "prediction"),
        (explain(make(None)[0].fit(X, y), X[:3], coef=coef), "score"),
        (explain(classifier, DIGITS.bags[:2]), "logit of the unit score"),
        (explain(classifier, DIGITS.bags[:2], method="shapley"), "logit of the unit score"),
    ):
        assert found.score_name == name
        assert repr(found).startswith(f"Explanation: {name}, parts by ")


def test_rows_keep_the_index_of_their_frame():
    frame = pd.DataFrame(X, index=pd.Index(np.arange(len(X)) + 500, name="patient"))
    scaled = make_pipeline(StandardScaler(), *make(RidgeClassifier()))
    for pipe in (make(RidgeClassifier()), scaled):
        pipe.fit(frame, y)
        rows = frame.loc[[589, 502]]
        found = explain(pipe, rows)
        shown = found.to_frame()
        pd.testing.assert_index_equal(shown.index, rows.index)
        assert_array_equal(shown["score"], found.scores)
        assert repr(found).splitlines()[1].split()[:2] == ["row", "index"]
        assert repr(found).splitlines()[2].split()[:2] == ["0", "589"]
        assert found.landmarks.max() < len(X)  # positions, whatever the index
    assert frame.index.name == "patient"
    pairs = frame.set_axis(
        pd.MultiIndex.from_product([range(89), ["a", "b"]], names=["who", "when"])
    )
    pd.testing.assert_index_equal(explain(pipe, pairs).to_frame().index, pairs.index)
    assert explain(pipe, X).index is None
    assert explain(pipe, X[:3]).to_frame().index.tolist() == [0, 1, 2]


def test_units_are_taken_by_bag_and_unit(classifier):
    bags = DIGITS.bags[30:34]
    found = explain(classifier, bags)
    for row, pair in enumerate(found.to_frame().index):
        assert found.place_of(pair) == found.place_of(row) == row
    assert found.place_of((-1, -1)) == found.place_of(-1) == len(found.scores) - 1
    pd.testing.assert_frame_equal(found.to_frame((2, 1)), found.to_frame(found.offsets[2] + 1))
    one = found.of_bag(2)
    assert one.place_of((2, 1)) == 1  # as its frame has it
    n_units = len(bags[1])
    for given, pair, error, message in (
        (found, (4, 0), IndexError, "bag=4 is not among the 4 bags"),
        (found, (1, 9), IndexError, f"unit=9 is not among the {n_units} units of bag 1"),
        (found, (1, "a"), TypeError, f"unit must be an int, a place among the {n_units} units"),
        (found, (1, 2, 3), TypeError, r"row must be .*; got \(1, 2, 3\)"),
        (one, (0, 0), IndexError, r"bag=0 is not among the explained bags \[2\]"),
    ):
        with pytest.raises(error, match=message):
            given.place_of(pair)
    rows = explain(make(RidgeClassifier()).fit(X, y), X[:3])
    with pytest.raises(TypeError, match=r"row must be an int, .*; got \(0, 1\)"):
        rows.place_of((0, 1))


def test_single_precision_domains_searches_and_steps_before():
    pipe = make(RidgeClassifier()).fit(X.astype(np.float32), y)
    found = explain(pipe, X.astype(np.float32))
    scores = pipe.decision_function(X.astype(np.float32)).max(axis=1)
    assert_adds_up(found, scores, rtol=1e-3, atol=1e-3)
    search = GridSearchCV(make(RidgeClassifier()), {"ridgeclassifier__alpha": [0.1, 1]}, cv=2)
    search.fit(X, y)
    assert_adds_up(explain(search, X), search.decision_function(X).max(axis=1))
    scaled = make_pipeline(StandardScaler(), *make(RidgeClassifier()))
    scaled.fit(X, y)
    assert_adds_up(explain(scaled, X), scaled.decision_function(X).max(axis=1))
    domain = np.where(np.arange(len(X)) % 2, "one", "two")
    fusion = make(None)[0].fit(X, y, sample_domain=domain)
    features = fusion.transform(X, sample_domain=domain)
    coef = np.linspace(-1, 1, features.shape[1])
    found = explain(fusion, X, coef=coef, intercept=2, sample_domain=domain)
    assert_adds_up(found, features @ coef + 2)


def test_the_nearest_landmark_says_most():
    """With one graph and weights on one landmark alone, all comes from there."""
    pipe = make(RidgeClassifier(), output="relations", weights="uniform").fit(X, y)
    coef = np.zeros(40)
    coef[7] = 1.0
    found = explain(pipe[0], X, coef=coef)
    assert_array_equal(np.flatnonzero(np.abs(found.landmark_parts).sum(axis=0)), [7])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: explain(make(FOREST).fit(X, y), X),
            TypeError,
            "no coef_",
        ),
        (lambda: explain(make(None)[0].fit(X, y), X), ValueError, "coef must .* ends in such"),
        (lambda: explain(make(Ridge()).fit(X, y), X, coef=[1]), ValueError, "model of its own"),
        (lambda: explain(make(Ridge()).fit(X, y), X, target=3), ValueError, "column of y"),
        (lambda: explain(make(RidgeClassifier()).fit(X, y), X, target=9), ValueError, "classes"),
        (
            lambda: explain(make(RidgeClassifier()).fit(X, y > 0), X, target="no"),
            ValueError,
            r"target='no' is not one of the classes \[False, True\]",
        ),
        (
            lambda: explain(
                make(Ridge()).fit(X, pd.DataFrame(X[:, :2], columns=["age", "size"])),
                X,
                target="old",
            ),
            ValueError,
            r"column of y, 0 to 1, or one of \['age', 'size'\]; got 'old'",
        ),
        (
            lambda: explain(make_pipeline(*make(StandardScaler()), RidgeClassifier()).fit(X, y), X),
            ValueError,
            "2 steps follow",
        ),
        (lambda: explain(RidgeClassifier().fit(X, y), X), TypeError, "Pipeline with one"),
        (
            lambda: explain(
                make(RidgeClassifier(), expansion="hops", n_landmarks=500, output="relations").fit(
                    X, y
                ),
                X,
            ),
            ValueError,
            "hops",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.fixture(scope="module")
def classifier():
    model = LEGOAnomalyClassifier(DIGIT_VIEWS, n_references=30, random_state=0)
    return model.fit(DIGITS.bags[:30], DIGITS.y[:30])


def logits(model, bags):
    scores = np.clip(np.concatenate(model.score_units(bags)), 1e-12, 1 - 1e-12)
    return np.log(scores) - np.log1p(-scores)


@pytest.mark.parametrize("method", ["sums", "shapley"])
def test_parts_of_units_add_up_to_their_logits(classifier, method):
    bags = DIGITS.bags[30:]
    found = explain(classifier, bags, method=method)
    assert_adds_up(found, logits(classifier, bags), rtol=1e-6, atol=1e-6)
    assert list(found.views) == list(NAMES)
    assert (found.parts is None) == (method == "shapley")
    one = found.of_bag(2)
    assert_allclose(one.scores, logits(classifier, bags)[slice(*found.offsets[2:4])])
    assert_adds_up(one, one.scores)


def test_the_base_of_units_is_what_the_guide_says(classifier):
    model, bags = classifier, DIGITS.bags[:4]
    logits = np.log(np.concatenate(model.score_units(bags)))  # of scores: their logarithms
    of_bags = np.repeat(np.log(model.predict_proba(bags)[:, 1]), [len(bag) for bag in bags])
    own = logit(np.exp(2 * logits - of_bags))  # the score is the geometric mean of both
    sums, shapley = (explain(model, bags, method=name) for name in ("sums", "shapley"))
    bag = logit(np.exp(logits)) - own
    assert np.ptp(bag[: len(bags[0])]) > 1e-3  # within a bag
    assert_allclose(sums.base + sums.view_parts.sum(axis=1) - bag, own, atol=1e-8)
    assert not any("extremes" in head for head in model.heads_)
    assert np.ptp(sums.base - bag) < 1e-8  # intercepts are left
    assert_allclose(shapley.base, logit(model.prior_))


@pytest.mark.parametrize("method", ["sums", "shapley"])
def test_one_bag_without_brackets_warns_as_scores_do(classifier, method):
    bag = DIGITS.bags[30]
    expected = explain(classifier, bag[:, None], method=method).view_parts
    for table in (bag, bag.tolist(), list(bag), pd.DataFrame(bag)):
        with pytest.warns(UserWarning, match=rf"its {len(bag)} rows.* given as \[X\]") as told:
            found = explain(classifier, table, method=method)
        assert [warning.filename for warning in told] == [__file__]
        assert_array_equal(found.offsets, np.arange(len(bag) + 1))
        assert_allclose(found.view_parts, expected)
    assert_array_equal(explain(classifier, [bag], method=method).offsets, [0, len(bag)])


@pytest.mark.filterwarnings("ignore:.*miss every view")
@pytest.mark.parametrize("method", ["sums", "shapley"])
def test_units_without_a_view_have_no_part_from_it(classifier, method):
    bags = [bag.copy() for bag in DIGITS.bags[30:34]]
    bags[0][1, DIGIT_VIEWS["pixels"]] = np.nan
    bags[1][0] = np.nan
    found = explain(classifier, bags, method=method)
    assert_adds_up(found, logits(classifier, bags), rtol=1e-6, atol=1e-6)
    assert_allclose(found.view_parts[len(bags[0])], 0, atol=1e-12)
    if method == "shapley":  # the view of other units says something of the bag, and so of this one
        assert found.view_parts[1, 0] != 0
    alone = explain(classifier, [bags[0][1:2], *bags[1:]], method=method)
    assert_allclose(alone.view_parts[0, 0], 0, atol=1e-12)
    if method == "sums":  # what the bag adds is in the base, unless scores spread over its graph
        model = clone(classifier).set_params(reference="landmarks")
        model.fit(DIGITS.bags[:30], DIGITS.y[:30])
        found = explain(model, bags, method=method)
        assert_allclose(found.view_parts[1, 0], 0, atol=1e-12)


@pytest.mark.parametrize("pooling", ["units", "relations", "both"])
def test_sums_over_references_whatever_is_pooled(pooling):
    bags = [bag.copy() for bag in DIGITS.bags]
    for bag in bags[::3]:
        bag[::2, DIGIT_VIEWS["pixels"]] = np.nan  # references miss views too
    model = LEGOAnomalyClassifier(DIGIT_VIEWS, pooling=pooling, n_references=10, random_state=0)
    model.fit(bags[:30], DIGITS.y[:30])
    found = explain(model, bags[30:], method="sums")
    assert_adds_up(found, logits(model, bags[30:]), rtol=1e-6, atol=1e-6)
    assert len(np.unique(found.landmarks, axis=0)) == len(found.landmarks)
    assert (found.landmarks < [30, 6]).all()


WHOLE = [
    {"reference": "both", "n_ensemble": 2, "relation": "correlation"},
    {"reference": "bag", "max_epochs": 3},
    {"head": "net"},
]


@pytest.mark.parametrize("parameters", WHOLE, ids=["spread, ensemble", "own bag", "net"])
def test_scores_of_every_kind_add_up(parameters):
    if not set(parameters) <= set(LEGOAnomalyClassifier().get_params()):
        pytest.skip("this classifier has no such parameters")
    if "head" in parameters:
        parameters = parameters | {"max_epochs": 3}
    model = LEGOAnomalyClassifier(DIGIT_VIEWS, n_references=10, random_state=0, **parameters)
    model.fit(DIGITS.bags[:30], DIGITS.y[:30])
    bags = DIGITS.bags[30:]
    found = explain(model, bags)
    assert_adds_up(found, logits(model, bags), rtol=1e-5, atol=1e-5)
    assert (found.parts is None) == ("n_ensemble" not in parameters)


def test_a_reference_is_the_training_unit_that_it_says():
    """A unit of the training data is nearest to itself."""
    model = LEGOAnomalyClassifier(
        {"pixels": DIGIT_VIEWS["pixels"]}, relation="rbf", degree=1, pooling="relations",
        n_references=4, random_state=0,
    ).fit(DIGITS.bags[:30], DIGITS.y[:30])  # fmt: skip
    found = explain(model, DIGITS.bags[:30], method="sums")
    for k, (bag, unit) in enumerate(found.landmarks):
        sizes = np.abs(found.parts[:, 0, k])
        if sizes.max() > 1e-6:
            assert np.isclose(sizes[found.offsets[bag] + unit], sizes.max())


def test_what_is_no_sum_says_so():
    with pytest.raises(ValueError, match="use method='shapley'"):
        explain(Additive(3), [np.zeros((2, 3))], method="sums")
    with pytest.raises(ValueError, match="method must be"):
        explain(Additive(3), [np.zeros((2, 3))], method="tree")


def test_scores_of_units_are_of_the_anomalous_class(classifier):
    bags = DIGITS.bags[30:32]
    names = np.array(["fault", "fine"])[1 - DIGITS.y[:30]]
    model = clone(classifier).set_params(pos_label="fault").fit(DIGITS.bags[:30], names)
    for method in ("sums", "shapley"):
        expected = explain(model, bags, method=method)
        found = explain(model, bags, target="fault", method=method)
        assert_array_equal(found.view_parts, expected.view_parts)
        with pytest.raises(ValueError, match=r"'fine' is the normal class.* give target='fault'"):
            explain(model, bags, target="fine", method=method)
    with pytest.raises(ValueError, match=r"target=3 is not one of the classes \['fault', 'fine'\]"):
        explain(model, bags, target=3)
    with pytest.raises(NotFittedError):
        explain(clone(model), bags, target="fault")
    with pytest.raises(ValueError, match="coef is given, but the LEGOAnomalyClassifier has heads"):
        explain(model, bags, coef=np.ones(30))


def test_how_rows_are_taken_apart_is_no_choice():
    pipe = make(RidgeClassifier()).fit(X, y)
    assert_array_equal(explain(pipe, X[:3], method="sums").parts, explain(pipe, X[:3]).parts)
    with pytest.raises(ValueError, match="method='shapley' takes scores of units apart"):
        explain(pipe, X[:3], method="shapley")
    with pytest.raises(ValueError, match="method must be"):
        explain(pipe, X[:3], method="tree")


def test_all_forms_of_bags(classifier):
    pd = pytest.importorskip("pandas")
    bags = [bag[:3] for bag in DIGITS.bags[30:33]]
    expected = explain(classifier, bags).view_parts
    assert_allclose(explain(classifier, np.stack(bags)).view_parts, expected)
    padded = np.full((3, 5, bags[0].shape[1]), np.nan)
    padded[:, :3] = bags
    assert_allclose(explain(classifier, padded).view_parts, expected)
    with pytest.warns(UserWarning, match="X is one table"):
        table = explain(classifier, np.concatenate(bags))
    assert_array_equal(table.offsets, np.arange(10))
    names = DIGITS.feature_names
    frames = [pd.DataFrame(bag, columns=names) for bag in DIGITS.bags]
    model = LEGOAnomalyClassifier(DIGIT_VIEWS, relation="correlation", random_state=0)
    model.fit(frames[:30], DIGITS.y[:30])
    assert_adds_up(explain(model, frames[30:32]), logits(model, frames[30:32]))


@pytest.mark.parametrize("method", ["sums", "shapley"])
def test_bags_of_frames_may_hold_text_that_no_view_uses(classifier, method):
    pd = pytest.importorskip("pandas")
    names = DIGITS.feature_names
    frames = [pd.DataFrame(bag, columns=names).assign(clip="a.mp4") for bag in DIGITS.bags]
    model = LEGOAnomalyClassifier(DIGIT_VIEWS, n_references=30, random_state=0)
    model.fit(frames[:30], DIGITS.y[:30])
    found = explain(model, frames[30:33], method=method)
    expected = explain(classifier, DIGITS.bags[30:33], method=method)
    assert_allclose(found.view_parts, expected.view_parts)
    one = permutation_importance(model, frames[30:], DIGITS.y[30:], random_state=0)
    other = permutation_importance(classifier, DIGITS.bags[30:], DIGITS.y[30:], random_state=0)
    assert_array_equal(one.importances, other.importances)


def test_a_pipeline_that_ends_with_the_classifier():
    scale = PerUnit(StandardScaler())
    model = LEGOAnomalyClassifier(DIGIT_VIEWS, pooling="units", n_references=30, random_state=0)
    pipe = make_pipeline(scale, model).fit(DIGITS.bags[:30], DIGITS.y[:30])
    expected = explain(pipe[-1], scale.fit(DIGITS.bags[:30]).transform(DIGITS.bags[30:33]))
    assert_allclose(explain(pipe, DIGITS.bags[30:33]).parts, expected.parts)
    grid = GridSearchCV(pipe, {"legoanomalyclassifier__degree": [1]}, cv=2)
    assert explain(grid.fit(DIGITS.bags[:30], DIGITS.y[:30]), DIGITS.bags[30:33]).parts is not None
    assert explain(make_pipeline(pipe[-1]), DIGITS.bags[30:31]).parts is not None


@pytest.mark.parametrize("method", ["auto", "sums", "shapley"])
def test_a_classifier_that_is_not_fitted_says_so(method):
    with pytest.raises(NotFittedError):
        explain(LEGOAnomalyClassifier(DIGIT_VIEWS), DIGITS.bags[:2], method=method)


class Additive(BaseEstimator):
    """A classifier of bags whose logit is a sum over views, for which Shapley values are known."""

    def __init__(self, n_views):
        self.views_ = {f"v{k}": [k] for k in range(n_views)}
        self.graphs_ = [(view, "none") for view in self.views_]
        self.prior_ = 0.5

    def score_units(self, X):
        return [1 / (1 + np.exp(-np.nansum(bag, axis=1))) for bag in X]


@pytest.mark.parametrize("n_views", [3, 9])
def test_shapley_values_of_a_sum_are_its_summands(n_views):
    bags = [np.random.default_rng(k).normal(size=(4, n_views)) for k in range(3)]
    found = explain(Additive(n_views), bags, n_permutations=3, random_state=0)
    assert_allclose(found.view_parts, np.concatenate(bags), atol=1e-9)


@pytest.mark.parametrize("taken", ["row", "target", "score", "base", "all views"])
def test_a_view_may_be_called_as_a_column(taken):
    pytest.importorskip("pandas")
    views = {taken: slice(0, 5), "other": slice(5, 13)}
    model = make(RidgeClassifier()).set_params(legofusiontransformer__views=views)
    found = explain(model.fit(X, y), X[:5])
    plain = found._replace(views=["first", "other"])
    again = f"{taken} (view)"
    for row, own in ((None, ("target", "score", "base")), (0, ("all views",))):
        frame, expected = found.to_frame(row), plain.to_frame(row)
        name = again if taken in own else taken
        assert list(frame.columns) == [{"first": name}.get(c, c) for c in expected.columns]
        assert_array_equal(frame, expected)
    shown, expected = (repr(e).splitlines() for e in (found, plain))
    assert (again in shown[1]) == (taken != "all views")
    assert [line.split() for line in shown[2:]] == [line.split() for line in expected[2:]]
    both = found._replace(views=[taken, again])
    assert both.to_frame().shape == found.to_frame().shape


def test_frames():
    pytest.importorskip("pandas")
    found = explain(make(RidgeClassifier()).fit(X, y), X[:5])
    assert list(found.to_frame().columns) == ["target", "score", "base", *VIEWS]
    real = explain(make(Ridge()).fit(X, X[:, 12]), X[:5])
    assert list(real.to_frame().columns) == ["score", "base", *VIEWS]  # there is one target alone
    frame = found.to_frame(row=0)
    assert frame.shape == (40, 4)
    assert_allclose(frame["all views"].sum() + found.base[0], found.scores[0])
    with pytest.raises(ValueError, match="no sums over landmarks"):
        found._replace(parts=None).to_frame(row=0)
    with pytest.raises(ValueError, match="no units of bags"):
        found.of_bag(0)


def test_rows_of_different_targets_name_theirs():
    pytest.importorskip("pandas")
    names, rows = np.array(["a", "b", "c"])[y], X[::25]
    pipe = make(RidgeClassifier()).fit(X, names)
    found, expected = explain(pipe, rows), pipe.predict(rows)
    assert len(set(expected)) == 3
    assert_array_equal(found.to_frame()["target"], expected)
    assert [found.target_of(row) for row in range(len(rows))] == expected.tolist()
    assert found.target_of(-1) == expected[-1]
    shown = repr(found).splitlines()[1:]
    assert shown[0].split() == ["row", "target", "score", "base", *VIEWS]
    assert [line.split()[1] for line in shown[1:]] == expected.tolist()
    with pytest.raises(IndexError, match=r"row=8 is not among the 8 explained rows"):
        found.target_of(8)
    with pytest.raises(TypeError, match=r"row must be an int, .* the 8 explained rows; got '2'"):
        found.target_of("2")


def test_frames_of_units_name_bag_and_unit(classifier):
    bags = DIGITS.bags[30:34]
    found = explain(classifier, bags)
    frame = found.to_frame()
    assert frame.index.names == ["bag", "unit"]
    places = [(bag, unit) for bag in range(4) for unit in range(len(bags[bag]))]
    assert frame.index.tolist() == places
    assert_array_equal(frame["logit"], found.scores)
    assert "score" not in frame
    one = found.of_bag(2)
    pd.testing.assert_frame_equal(one.to_frame(), frame.loc[[2]])
    pd.testing.assert_frame_equal(found.of_bag(-2).of_bag(0).to_frame(), frame.loc[[2]])
    with pytest.raises(IndexError, match="bag=4 is not among the 4 explained bags"):
        found.of_bag(4)
    with pytest.raises(TypeError, match=r"bag must be an int, .* the 4 explained bags; got '2'"):
        found.of_bag("2")
    landmarks = found.to_frame(row=1)
    assert landmarks.index.names == ["landmark bag", "landmark unit"]
    bag, unit = landmarks.index[0]
    k = np.flatnonzero((found.landmarks == [bag, unit]).all(axis=1))
    assert_allclose(landmarks["all views"].iloc[0], found.landmark_parts[1, k])
    shown = repr(one).splitlines()[1:]
    assert shown[0].split()[:4] == ["bag", "unit", "logit", "base"]
    assert shown[1].split()[:2] == ["2", "0"]
    assert shown[2].split()[:2] == ["2", "1"]


@pytest.mark.parametrize("n_anomalous", [1, 2])
def test_bootstrap_samples_hold_a_rare_class(n_anomalous):
    y = (np.arange(12) < n_anomalous).astype(int)
    table = np.random.RandomState(0).normal(size=(12, 4))
    views = {"a": [0, 1], "b": [2, 3]}
    for model in (LEGOAnomalyClassifier(views), LEGOFusionTransformer(views)):
        model.fit(table, y)
        found = view_importances(model, table, y, n_bootstrap=5, random_state=0)
        assert np.isfinite(found.samples).all()


def test_a_classifier_of_one_class_is_refused():
    X = np.random.default_rng(0).normal(size=(20, 4))
    model = LEGOFusionTransformer(2, relation="cosine", weights="uniform")
    model = make_pipeline(model, RidgeClassifier()).fit(X, np.ones(20, int))
    with pytest.raises(ValueError, match="one class"):
        explain(model, X)


def test_shapley_values_take_views_that_share_no_column():
    X, y = load_wine(return_X_y=True)
    views = {"a": slice(0, 5), "b": slice(3, 9), "c": slice(9, 13)}
    model = LEGOAnomalyClassifier(views, random_state=0).fit(X, y == 0)
    with pytest.raises(ValueError, match=r"views 'a' and 'b' share 2 column\(s\)"):
        explain(model, X[:2], method="shapley")
    same = LEGOAnomalyClassifier(views | {"b": slice(0, 5)}, random_state=0).fit(X, y == 0)
    found = explain(same, X[:2], method="shapley")
    assert_allclose(found.base + found.view_parts.sum(axis=1), found.scores)
