"""The anomaly classifier on bags: in the spirit of scikit-learn's common checks."""

import pickle
from collections import deque
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from legofuse import LEGOAnomalyClassifier, PerUnit
from legofuse.anomaly import _trials
from legofuse.anomaly._checks import class_factors, default_positive, threshold
from legofuse.anomaly._fit_head import PENALTY, _Objective, fit_head
from legofuse.anomaly._stack import STEADY, calibrate, sharpen, weigh
from legofuse.anomaly._top_k import pool
from legofuse.datasets import make_digit_bags
from legofuse.inspection import explain, permutation_importance

VIEWS = {"first": slice(0, 3), "second": [3, 4]}


def make_bags(n_bags=40, seed=0, shift=3.0):
    """Ragged bags of noise; in anomalous ones the first unit is shifted in the first view."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_bags) % 2
    bags = [rng.normal(size=(rng.randint(2, 7), 5)) for _ in y]
    for bag, label in zip(bags, y, strict=True):
        bag[0, :3] += shift * label
    return bags, y


def model(**options):
    return LEGOAnomalyClassifier(VIEWS, **{"n_references": 20, "random_state": 0} | options)


@pytest.fixture(scope="module")
def data():
    return make_bags()


@pytest.fixture(scope="module")
def fitted(data):
    return model().fit(*data)


LIGHT = {"relation": "correlation", "pooling": "both"}  # few heads of either kind


@pytest.fixture(scope="module")
def light(data):
    return model(**LIGHT).fit(*data)


@pytest.mark.parametrize("pooling", ["auto", "units", "relations", "both"])
def test_finds_anomalous_bags_and_units(data, fitted, pooling):
    if pooling != "auto":
        fitted = model(pooling=pooling).fit(*data)
    new, y = make_bags(seed=1)
    assert roc_auc_score(y, fitted.decision_function(new)) > 0.9
    truth = np.concatenate(
        [(np.arange(len(b)) == 0) & (k == 1) for b, k in zip(new, y, strict=True)]
    )
    assert roc_auc_score(truth, np.concatenate(fitted.score_units(new))) > 0.85
    if pooling != "auto":
        assert fitted.pooling_ == pooling


def test_fitted_attributes(fitted):
    assert fitted.n_features_in_ == 5
    assert fitted.graphs_ == [(v, r) for v in VIEWS for r in ("correlation", "gaussian")]
    assert len(fitted.terms_) == len(fitted.powers_) == len(fitted.weights_) == 14
    assert fitted.weights_.sum() == pytest.approx(1)
    assert sum(fitted.heads_.values()) == pytest.approx(1)
    assert set(fitted.heads_) <= set(fitted.held_out_losses_)
    assert fitted.prior_ == 0.5
    assert fitted.n_iter_ >= 1


def test_a_view_of_noise_does_not_drag_the_rest_down(data):
    bags, y = data
    fitted = model(degree=1).fit(bags, y)
    best = min(fitted.held_out_losses_, key=fitted.held_out_losses_.get)
    assert "second" not in best
    assert not any("second" in name for name in fitted.heads_)


def test_scores_do_not_depend_on_order(data, fitted):
    bags, y = data
    rng = np.random.RandomState(3)
    order = rng.permutation(len(bags))
    shuffled = [bags[i][rng.permutation(len(bags[i]))] for i in order]
    expected = fitted.decision_function(bags)
    other = model().fit(shuffled, y[order])
    np.testing.assert_array_equal(other.decision_function(bags), expected)
    np.testing.assert_allclose(other.decision_function(shuffled), expected[order], atol=1e-12)


def test_weight_two_is_a_bag_twice(data):
    bags, y = data
    weight = np.random.RandomState(0).randint(0, 3, len(bags))
    repeated = [bag for bag, w in zip(bags, weight, strict=True) for _ in range(w)]
    one_relation = {"relation": "correlation"}  # and heads of all kinds
    weighted = model(**one_relation).fit(bags, y, sample_weight=weight)
    plain = model(**one_relation).fit(repeated, np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.decision_function(bags), plain.decision_function(bags))


def test_swapped_values_are_another_bag():
    one, two = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[0.0, 3.0], [2.0, 1.0]])
    bags = [one, two, one + 5, two + 5]
    fitted = LEGOAnomalyClassifier(random_state=0).fit(bags, [0, 0, 1, 1])
    assert len(fitted.held_out_losses_) > 0  # two distinct bags of each class: two folds


def test_is_deterministic_and_leaves_the_global_generator_alone(data, light, global_state_stays):
    scores = model(**LIGHT).fit(*data).decision_function(data[0])
    np.testing.assert_array_equal(scores, light.decision_function(data[0]))


def test_fit_leaves_the_bags_alone(data):
    bags = [bag.copy() for bag in data[0]]
    model(**LIGHT).fit(bags, data[1]).score_units(bags)
    for bag, old in zip(bags, data[0], strict=True):
        np.testing.assert_array_equal(bag, old)


def test_ragged_and_padded_bags_are_equal(data, light):
    bags, y = data
    longest = max(map(len, bags))
    padded = np.full((len(bags), longest, 5), np.nan)
    for i, bag in enumerate(bags):
        padded[i, : len(bag)] = bag
    other = model(**LIGHT).fit(padded, y)
    np.testing.assert_array_equal(other.decision_function(padded), light.decision_function(bags))
    assert [len(s) for s in other.score_units(padded)] == [len(bag) for bag in bags]


def test_a_table_is_bags_of_one_unit(data):
    bags, y = data
    table = np.array([bag[0] for bag in bags])
    a = model().fit(table, y).predict_proba(table)
    b = model().fit([row[None] for row in table], y).predict_proba(table[:, None])
    np.testing.assert_array_equal(a, b)


def test_frames_of_either_kind(data, light):
    pl = pytest.importorskip("polars")
    bags, y = data
    names = [f"f{k}" for k in range(5)]
    views = {"first": names[:3], "second": names[3:]}
    expected = light.decision_function(bags)
    for make in (lambda b: pd.DataFrame(b, columns=names), lambda b: pl.DataFrame(b, schema=names)):
        frames = [make(bag) for bag in bags]
        fitted = clone(light).set_params(views=views).fit(frames, y)
        assert fitted.feature_names_in_.tolist() == names
        np.testing.assert_array_equal(fitted.decision_function(frames), expected)


@pytest.mark.parametrize("kind", ["bags", "rows"])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_frames_that_no_view_uses_may_hold_anything(data, light, library, kind):
    Frame = pytest.importorskip(library).DataFrame
    bags, y = data if kind == "bags" else (list(np.concatenate(data[0])[:40, None]), data[1])
    names = [f"f{k}" for k in range(5)]
    views = {"first": names[:3], "second": names[3:]}
    expected = clone(light).fit(bags, y).decision_function(bags)
    tables = [{"clip": ["a.mp4"] * len(b), **dict(zip(names, b.T, strict=True))} for b in bags]
    frames = [Frame(table) for table in tables]
    if kind == "rows":
        frames = Frame({k: np.concatenate([table[k] for table in tables]) for k in tables[0]})
    fitted = clone(light).set_params(views=views).fit(frames, y)
    np.testing.assert_array_equal(fitted.decision_function(frames), expected)
    assert len(np.concatenate(fitted.score_units(frames))) == sum(map(len, bags))
    with pytest.raises(ValueError, match="view 'clip': column 'clip' holds no numbers"):
        clone(light).set_params(views={"clip": ["clip"]}).fit(frames, y)


def test_text_in_frames_whose_columns_are_numbered(data, light):
    bags, y = data
    frames = [pd.DataFrame(bag).assign(clip="a.mp4") for bag in bags]
    views = {"first": slice(0, 3), "second": slice(3, 5)}
    for clip in ("clip", 5):
        tables = [frame.rename(columns={"clip": clip}) for frame in frames]
        fitted = clone(light).set_params(views=views).fit(tables, y)
        expected = light.decision_function(bags)
        np.testing.assert_array_equal(fitted.decision_function(tables), expected)


def test_missing_values_of_nullable_columns_are_missing_views(data, light):
    bags, y = data
    bags = [bag.copy() for bag in bags]
    bags[0][1, 3:] = np.nan
    names = [f"f{k}" for k in range(5)]
    frames = [pd.DataFrame(bag, columns=names).astype("Float64") for bag in bags]
    views = {"first": names[:3], "second": names[3:]}
    fitted = clone(light).set_params(views=views).fit(frames, y)
    expected = clone(light).fit(bags, y).decision_function(bags)
    np.testing.assert_array_equal(fitted.decision_function(frames), expected)


def other_sequences(bags):
    objects = np.empty(len(bags), object)
    objects[:] = bags
    named = pd.Series(bags, index=range(100, 100 + len(bags)))
    values = named.to_dict().values()
    return {"objects": objects, "Series": named, "deque": deque(bags), "values": values}


@pytest.mark.parametrize("kind", ["objects", "Series", "deque", "values"])
def test_any_sequence_of_bags(data, light, kind):
    bags, y = data
    X = other_sequences(bags)[kind]
    fitted = clone(light).fit(X, y)
    np.testing.assert_array_equal(fitted.decision_function(X), light.decision_function(bags))
    assert [len(scores) for scores in fitted.score_units(X)] == [len(bag) for bag in bags]
    scaled = PerUnit(StandardScaler()).fit_transform(X)
    np.testing.assert_array_equal(scaled[1], PerUnit(StandardScaler()).fit_transform(bags)[1])
    np.testing.assert_array_equal(explain(fitted, X).view_parts, explain(light, bags).view_parts)
    if hasattr(X, "shape"):  # what scikit-learn can take rows of
        found = permutation_importance(fitted, X, y, n_repeats=1, random_state=0)
        expected = permutation_importance(light, bags, y, n_repeats=1, random_state=0)
        np.testing.assert_array_equal(found.importances, expected.importances)
        assert len(cross_val_predict(light, X, y, cv=2)) == len(y)


@pytest.mark.parametrize("X", [None, 3, (bag for bag in [np.ones((2, 5))])])
def test_what_is_no_sequence_is_refused(light, X):
    with pytest.raises(TypeError, match="not a sequence of bags"):
        clone(light).fit(X, [0, 1])


@pytest.mark.filterwarnings("ignore:Which class is anomalous")
@pytest.mark.parametrize("dtype", [str, object])
def test_string_labels(data, light, dtype):
    bags, y = data
    named = np.array(["calm", "odd"], dtype=dtype)[y]
    other = clone(light).fit(bags, named)
    assert other.classes_.tolist() == ["calm", "odd"]
    assert other.predict(bags).tolist() == np.array(["calm", "odd"])[light.predict(bags)].tolist()
    assert other.score(bags, named) == light.score(bags, y)


def test_positive_label_may_be_the_first_class(data, light):
    bags, y = data
    fitted, other = light, model(pos_label="anomaly", **LIGHT)
    other.fit(bags, np.where(y == 1, "anomaly", "normal"))
    np.testing.assert_array_equal(other.decision_function(bags), -fitted.decision_function(bags))
    np.testing.assert_array_equal(other.predict_proba(bags)[:, 0], fitted.predict_proba(bags)[:, 1])
    np.testing.assert_array_equal(
        np.concatenate(other.score_units(bags)), np.concatenate(fitted.score_units(bags))
    )
    assert other.score(bags, np.where(y == 1, "anomaly", "normal")) == fitted.score(bags, y)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_contamination_shifts_decisions_only(data, light, share):
    bags, _ = data
    other = clone(light).set_params(contamination=share).fit(*data)
    assert other.predict(bags).sum() == share * len(bags)
    np.testing.assert_array_equal(other.predict_proba(bags), light.predict_proba(bags))
    np.testing.assert_allclose(
        other.decision_function(bags) + other.offset_, light.decision_function(bags)
    )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_contamination_at_its_ends(data, share):
    assert model(contamination=share, **LIGHT).fit(*data).predict(data[0]).mean() == share


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("head", ["linear", "net"])
def test_contamination_does_not_part_bags_that_rounding_tells_apart(head, share):
    bags, y = make_bags(20, seed=3)
    bags = [*bags, *bags[:6]]  # these with either label: pairs of equal logits
    options = {"head": head, "max_epochs": 1, "contamination": share, "pooling": "units"}
    options |= {"relation": "correlation"}
    one = model(**options).fit(bags, np.append(y, 1 - y[:6]))
    alone = np.concatenate([one.predict([bag]) for bag in bags])
    np.testing.assert_array_equal(one.predict(bags), alone)
    np.testing.assert_array_equal(alone[:6], alone[20:])
    assert share - 0.1 < alone.mean() <= share


def test_threshold_leaves_out_a_tie_that_the_share_would_part():
    values = np.array([1.0, 3.0, 2.0, 2.0 + 1e-12, 2.0, 0.0])
    for share, expected in {0.0: 0, 0.2: 1, 0.4: 1, 0.6: 1, 0.7: 4, 0.9: 5, 1.0: 6}.items():
        cut = threshold(values, np.ones(6), share, 1e-9)
        assert np.count_nonzero(values > cut) == expected
        assert np.abs(values - cut).min() > 5e-10
    assert threshold(np.zeros(3), np.ones(3), 0.5, 1e-9) == 1e-9


def test_class_weight_is_sample_weight(data):
    bags, y = data
    proba = [
        model(class_weight=w, **LIGHT).fit(bags[:-10], y[:-10]).predict_proba(bags)[:, 1].mean()
        for w in ({0: 5.0}, None, {1: 5.0})
    ]
    assert proba[0] < proba[1] < proba[2]
    few = np.r_[0:40:2, 1:11:2]
    balanced = model(class_weight="balanced", **LIGHT).fit([bags[i] for i in few], y[few])
    assert balanced.prior_ == pytest.approx(0.5)


@pytest.mark.parametrize(
    "weights", [{}, {0: 2.0}, {1: 3.0}, {0: 2.0, 1: 3.0}, {0: 2.0, 1: 3.0, 2: 4.0}, {2: 1.0}]
)
@pytest.mark.parametrize("classes", [[0, 1], ["normal", "odd"]])
def test_class_weight_is_what_it_is_in_scikit_learn(weights, classes):
    classes, labels = np.array(classes), np.array([0, 1, 1, 0, 1])
    given = {dict(enumerate(classes.tolist())).get(k, k): w for k, w in weights.items()}
    arguments = given, labels, np.ones(5), classes, classes[1]
    try:
        expected = compute_sample_weight(given, classes[labels])
    except ValueError:
        with pytest.raises(ValueError, match=r"class_weight names \[2\], not among the classes"):
            class_factors(*arguments)
        return
    np.testing.assert_array_equal(class_factors(*arguments), expected)


def test_grid_search(data):
    search = GridSearchCV(model(**LIGHT), {"top_k": [1, 0.5]}, cv=StratifiedKFold(2))
    assert search.fit(*data).best_score_ > 0.7


def test_pickle(data, fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        copy.decision_function(data[0]), fitted.decision_function(data[0])
    )


def test_missing_views_are_carried_by_the_others(data):
    bags, y = data
    holed = [bag.copy() for bag in bags]
    for bag in holed[::3]:
        bag[-1, 3:] = np.nan
    fitted = model().fit(holed, y)
    assert all(np.isfinite(scores).all() for scores in fitted.score_units(holed))
    assert roc_auc_score(y, fitted.decision_function(holed)) > 0.9


def test_units_without_any_view_get_the_prior(data, fitted):
    bags, y = data
    holed = [bag.copy() for bag in bags]
    holed[0][1] = np.nan
    with pytest.warns(UserWarning, match=r"1 unit\(s\) miss every view"):
        scores = fitted.score_units(holed)
    assert scores[0][1] == fitted.prior_
    np.testing.assert_allclose(scores[1], fitted.score_units(bags)[1])
    with pytest.warns(UserWarning, match=f"{len(bags[0])} unit"):
        proba = fitted.predict_proba([np.full_like(bags[0], np.nan), bags[1]])
    assert proba[0, 1] == pytest.approx(fitted.prior_)
    with pytest.warns(UserWarning, match="left out of the fit"):
        model(**LIGHT).fit(holed, y)


def test_a_class_with_a_single_bag(data):
    bags, _ = data
    fitted = model().fit(bags[:9], np.eye(9, dtype=int)[1])
    assert fitted.held_out_losses_ == {}
    assert np.isfinite(fitted.decision_function(bags)).all()


def test_many_units_are_streamed(fitted, monkeypatch):
    bags, _ = make_bags(200, seed=4)
    expected = fitted.decision_function(bags)
    monkeypatch.setattr("legofuse.anomaly._fusion._BLOCK_SIZE", 1)
    np.testing.assert_allclose(fitted.decision_function(bags), expected, atol=1e-12)


def test_verbose_tells_of_each_head(data, capsys):
    fitted = model(verbose=1, relation="correlation").fit(*data)
    assert capsys.readouterr().out.count("held-out log-loss") == len(fitted.held_out_losses_)


BAGS, Y = make_bags(12)
NAN = [bag.copy() for bag in BAGS]
NAN[2][1, 3] = np.nan
INF = [bag.copy() for bag in BAGS]
INF[2][1, 3] = np.inf
EMPTY_VIEW = [np.hstack([bag[:, :3], np.full((len(bag), 2), np.nan)]) for bag in BAGS]


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        ([*BAGS[:-1], np.ones((2, 4))], Y, {}, "bag 11 has 4 features, but bag 0 has 5"),
        (NAN, Y, {}, "view 'second': 1 unit is partly NaN"),
        (INF, Y, {}, "view 'second': .* infinity"),
        (BAGS, Y[:-1], {}, "12 bags but 11 labels"),
        ([np.ones((30, 3)), np.ones((30, 2))], np.arange(30) % 2, {}, "did you mean `stack_views`"),
        (BAGS, np.zeros(12), {}, "two classes; got 1 class"),
        (BAGS, np.arange(12) % 3, {}, "Only binary classification is supported"),
        (BAGS, np.where(Y, 1, -1), {}, "Which class is anomalous"),
        (BAGS, np.where(Y, "Normal", "Broken"), {}, "set pos_label, for instance"),
        (BAGS, Y, {"pos_label": 7}, "pos_label=7 is not one of the labels"),
        (BAGS, Y, {"pos_label": "bad"}, "'bad' is not one .* give it y of 0 and 1 = anomalous"),
        (BAGS, Y, {"pos_label": pd.NA}, "pos_label=<NA> is not one of the labels"),
        (BAGS, Y, {"pos_label": np.array([0, 1])}, "pos_label=array.* is not one of the labels"),
        (BAGS, Y, {"time_view": pd.NA}, "time_view must name one of the views"),
        (BAGS, Y, {"time_view": np.arange(2)}, "time_view must name one of the views"),
        (BAGS, Y, {"class_weight": {0: "x"}}, "class_weight must hold positive numbers"),
        (BAGS, Y.astype(object), {}, r"y holds objects of type int; use `y.astype\('int'\)`"),
        (BAGS, np.array([None, *"abababababa"], object), {}, "y has missing labels"),
        (BAGS, np.array([1, *"abababababa"], object), {}, "Unknown label type: y mixes int, str"),
        (np.ones((12, 3, 0)), Y, {}, r"0 feature\(s\)"),
        ([*BAGS[:-1], np.array([["a"] * 5])], Y, {}, "bag 11 is not an array of real numbers"),
        ([*BAGS[:-1], np.empty((0, 5))], Y, {}, "bag 11 is empty"),
        (EMPTY_VIEW, Y, {}, "view 'second' is missing"),
        (BAGS, Y, {"top_k": 0}, "'top_k' parameter .* at least 1"),
        (BAGS, Y, {"top_k": 2**63}, f"'top_k' parameter .* between 1 and {2**63 - 1}"),
        (BAGS, Y, {"top_k": 0.0}, "'top_k' parameter .* above 0 and at most 1; got 0.0"),
        (BAGS, Y, {"top_k": 1.5}, "'top_k' parameter .* an int of at least 1, or a fraction"),
        (BAGS, Y, {"pooling": "mean"}, "'pooling' parameter"),
        (BAGS, Y, {"interactions": "all"}, "'interactions' parameter"),
        (BAGS, Y, {"contamination": 2.0}, "'contamination' parameter"),
        (BAGS, Y, {"class_weight": {5: 1}}, r"class_weight names \[5\], not among the classes"),
        (BAGS, Y, {"class_weight": {0: 2, 5: 1}}, r"class_weight names \[5\], not among"),
        (BAGS, Y, {"class_weight": {"0": 1, "1": 1}}, r"class_weight names \['0', '1'\], not"),
        (BAGS, Y, {"class_weight": {0: 0, 1: 1}}, "class_weight must hold positive numbers"),
        (BAGS, Y, {"relation": "wavelet"}, "relation must be"),
        (BAGS, Y, {"relation": {"first": "rbf"}}, "it lacks"),
    ],
)
def test_bad_input_is_told_and_nothing_is_fitted(X, y, options, message):
    estimator = model(**options)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)
    assert vars(estimator) == before


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("padded", [False, True])
def test_a_broken_unit_is_named_by_bag_and_unit(data, fitted, value, padded):
    bags = [bag.copy() for bag in data[0]]
    bags[3][1, 4] = value
    if padded:
        blank = np.full((len(bags), max(map(len, bags)), 5), np.nan)
        for row, bag in zip(blank, bags, strict=True):
            row[: len(bag)] = bag
        bags = blank
    message = r"view 'second': 1 unit is .*\(first: unit 1 of bag 3, column 4\)"
    with pytest.raises(ValueError, match=message):
        model().fit(bags, data[1])
    with pytest.raises(ValueError, match=message):
        fitted.predict(bags)
    with pytest.raises(ValueError, match=r"row is .*\(first: row 7, "):
        model().fit(np.where(np.arange(40)[:, None] == [99, 99, 99, 7, 99], value, 0.0), data[1])


def test_one_bag_without_brackets_warns(data, fitted):
    bag = data[0][0]
    for score in (fitted.predict, fitted.score_units, fitted.fused_graphs):
        for table in (bag, bag.tolist(), list(bag)):
            with pytest.warns(
                UserWarning, match=rf"of its {len(bag)} rows.* given as \[X\]"
            ) as found:
                assert len(score(table)) == len(bag)
            assert [warning.filename for warning in found] == [__file__]
        assert len(score([bag])) == len(score([bag.tolist()])) == 1
    table = np.array([bag[0] for bag in data[0]])
    going_on = model(head="net", max_epochs=1).partial_fit(*data, classes=np.unique(data[1]))
    with pytest.warns(UserWarning, match="given as"):
        going_on.partial_fit(table, data[1]).predict(table)
    alone = model(**LIGHT).fit(list(table[:, None]), data[1])
    assert np.array_equal(alone.predict(table), alone.predict(list(table[:, None])))


def test_a_failed_refit_keeps_the_old_fit(data):
    fitted = model(**LIGHT).fit(*data)
    expected = fitted.decision_function(data[0])
    with pytest.raises(ValueError, match="infinity"):
        fitted.fit(INF, Y)
    np.testing.assert_array_equal(fitted.decision_function(data[0]), expected)


def test_head_gradient_reaches_a_stationary_point():
    rng = np.random.RandomState(0)
    features, offsets = rng.normal(size=(12, 3)), np.array([0, 2, 5, 9, 12])
    labels, weight = np.array([0, 1, 0, 1]), np.array([1.0, 2.0, 1.0, 0.5])
    sign = 2 * labels - 1

    def loss(coef):
        logits = pool(features @ coef[:-1] + coef[-1], offsets, 2)
        fit = weight @ np.logaddexp(0, -sign * logits) / weight.sum()
        return fit + PENALTY / 2 / weight.sum() * coef[:-1] @ coef[:-1]

    coef, _ = fit_head(features, offsets, labels, weight, 2, max_iter=500)
    for step in 1e-2 * np.vstack([np.eye(4), -np.eye(4)]):
        assert loss(coef) < loss(coef + step)


def test_calibration_never_turns_a_head_around():
    labels = np.array([0, 1] * 20)
    constant = calibrate(1e-9 * labels, labels, np.ones(40))
    assert constant[0] < 10  # spread of rounding is no signal
    slope, _, loss = calibrate(-1.0 * labels, labels, np.ones(40))
    assert slope == 0
    assert loss == pytest.approx(np.log(2))


@pytest.mark.parametrize("n_bags", [8, 2000])
def test_averaged_logits_are_sharpened_as_far_as_bags_say(n_bags):
    """The derivative of the penalised loss, written as a loop, vanishes."""
    rng = np.random.RandomState(0)
    true = rng.normal(scale=3, size=n_bags)
    labels = (rng.uniform(size=n_bags) < 1 / (1 + np.exp(-true))).astype(int)
    logits, weight = true / 2, rng.randint(1, 4, size=n_bags).astype(float)
    slope = sharpen(logits, labels, weight, weight.sum())
    total = STEADY * (slope - 1)
    for z, label, w in zip(logits, labels, weight, strict=True):
        total += w * (1 / (1 + np.exp(-slope * z)) - label) * z
    assert total == pytest.approx(0, abs=1e-2 * n_bags)
    assert 1.7 < slope < 2.3 if n_bags > 1000 else 0.8 < slope < 1.3
    assert sharpen(-50 * true, labels, weight, weight.sum()) < 0.1


def test_weigh_keeps_the_best_of_many():
    assert weigh(np.zeros(100), 50).sum() == pytest.approx(1)
    np.testing.assert_array_equal(weigh([0.1, 0.9], 200), [1, 0])


def test_probabilities_are_sharp_where_many_bags_are_told_apart():
    bags, y = make_bags(200, shift=6.0)
    fitted = model(relation="gaussian", top_k=1, pooling="units").fit(bags, y)
    new, truth = make_bags(200, seed=1, shift=6.0)
    sure = fitted.predict_proba(new)[np.arange(200), truth]
    assert np.mean(np.log(sure)) > -0.04


@pytest.mark.slow
def test_digit_bags():
    data = make_digit_bags(200, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    fitted = LEGOAnomalyClassifier(views, random_state=0).fit(data.bags[:120], data.y[:120])
    assert roc_auc_score(data.y[120:], fitted.decision_function(data.bags[120:])) > 0.9


@pytest.mark.parametrize("k", [1, 3, 50, 0.3, 1.0])
def test_one_bag_is_pooled_as_among_others(k):
    logits, offsets = np.random.RandomState(0).normal(size=17), np.array([0, 7, 17])
    each = [pool(logits[:7], offsets[:2], k)[0], pool(logits[7:], np.array([0, 10]), k)[0]]
    np.testing.assert_allclose(each, pool(logits, offsets, k))


@pytest.mark.parametrize("k", [None, 1, 3, 100, 0.5])
@pytest.mark.parametrize("shifted", [False, True])
def test_loss_and_gradient_of_heads(k, shifted):
    """Written as a loop over bags, on top of given logits; None is bags of one unit."""
    rng = np.random.RandomState(0)
    features, coef = rng.normal(size=(9, 2)), rng.normal(size=3)
    base = rng.normal(size=9) if shifted else 0.0
    offsets = np.arange(10) if k is None else np.array([0, 3, 4, 9])
    n_bags = len(offsets) - 1
    share, sign = rng.dirichlet(np.ones(n_bags)), np.where(np.arange(n_bags) % 2, 1.0, -1.0)

    def literal(coef):
        logits, total = features @ coef[:2] + coef[2] + base, 0.05 * coef[:2] @ coef[:2]
        for b, (start, end) in enumerate(pairwise(offsets)):
            count = int(np.ceil(k * (end - start))) if isinstance(k, float) else min(k or 1, end)
            top = np.sort(logits[start:end])[::-1][:count].mean()
            total += share[b] * np.log1p(np.exp(-sign[b] * top))
        return total

    pooling = None if k is None else (offsets, k)
    objective = _Objective(features, base, share, sign, 0.1, pooling)
    assert objective(coef) == pytest.approx(literal(coef))
    steps = 1e-6 * np.eye(3)
    slope = [(literal(coef + step) - literal(coef - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(objective.slope(coef), slope, atol=1e-8)
    np.testing.assert_allclose(objective.slope(coef + steps[0]), slope, atol=1e-5)


def test_sharpening_multiplies_logits(data, monkeypatch):
    scores = []
    for factor in (1.0, 2.0):
        monkeypatch.setattr(_trials, "sharpen", lambda *_, factor=factor: factor)
        scores.append(model(**LIGHT).fit(*data).decision_function(data[0]))
    np.testing.assert_allclose(scores[1], 2 * scores[0])


@pytest.mark.parametrize(("k", "kinds"), [(2, [np.int16, np.uint8]), (0.5, [np.float32, np.half])])
def test_numbers_of_numpy_pool_alike(k, kinds):
    logits, offsets = np.random.RandomState(0).normal(size=16), np.array([0, 6, 16])
    for kind in kinds:
        for part in (offsets, offsets[:2]):
            given = logits[: part[-1]], part
            np.testing.assert_array_equal(pool(*given, kind(k)), pool(*given, k))


def test_a_unit_is_as_anomalous_as_it_and_its_bag_are(data):
    bags, y = data
    fitted = model(reference="landmarks", **LIGHT).fit(bags, y)  # the same heads for both
    alone = [fitted.predict_proba([unit[None] for unit in bag])[:, 1] for bag in bags[:6]]
    of_bags = fitted.predict_proba(bags[:6])[:, 1]
    for scores, units, bag in zip(fitted.score_units(bags[:6]), alone, of_bags, strict=True):
        np.testing.assert_allclose(scores**2, units * bag)


def test_a_bag_of_one_unit_has_the_score_of_that_unit(data):
    X, y = np.concatenate(data[0])[:60], np.arange(60) % 2
    fitted = model().fit(X, y)
    np.testing.assert_allclose(np.concatenate(fitted.score_units(X)), fitted.predict_proba(X)[:, 1])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["good", "defect"], None),  # the normal one is the last in order: asked
        (["legit", "fraud"], None),
        (["benign", "attack"], None),
        (["healthy", "disease"], None),
        (["pass", "fail"], None),
        (["nominal", "faulty"], None),
        (["regular", "outlier"], None),
        (["unseen", "anomaly"], None),
        (["calm", "normal"], None),
        (["normal", "rare"], "rare"),
        (["calm", "outlier"], "outlier"),
        (["no", "yes"], "yes"),
        (["negative", "positive"], "positive"),
    ],
)
def test_words_say_which_class_is_anomalous(labels, expected):
    classes = np.unique(labels)
    if expected is None:
        with pytest.raises(ValueError, match=f"Which class.*{classes[1]}.*set pos_label"):
            default_positive(classes, False)
    else:
        assert default_positive(classes, False) == expected


def test_of_words_of_unknown_sense_it_says_which_one_it_takes():
    classes = np.array(["calm", "storm"])
    with pytest.warns(UserWarning, match="taken to be 'storm', the last in order: .*pos_label"):
        assert default_positive(classes, False) == "storm"
    assert default_positive(classes, True) == "storm"  # rows of a table, as for any classifier
