"""Permutation importance of views."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer
from legofuse.datasets import make_digit_bags
from legofuse.inspection import missing_view_curve, permutation_importance

X, y = load_wine(return_X_y=True)
VIEWS = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}


def test_a_view_that_the_model_does_not_use_has_importance_nought():
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    model[1].coef_[:, VIEWS["phenols"]] = 0
    found = permutation_importance(model, X, y, views=VIEWS, n_repeats=3, random_state=0)
    assert found.importances.shape == (3, 3)
    assert (found.importances[1] == 0).all()
    assert (found.importances_mean[[0, 2]] > 0.05).all()
    assert_allclose(found.score, model.score(X, y))


def test_columns_of_a_view_stay_together():
    seen = []

    class Spy:
        def fit(self, X, y):
            return self

        def score(self, X, y):
            seen.append(np.array(X))
            return 0.0

    permutation_importance(Spy(), X, y, views=VIEWS, n_repeats=1, random_state=0)
    for shuffled, columns in zip(seen[1:], VIEWS.values(), strict=True):
        others = np.delete(np.arange(13), np.arange(13)[columns])
        assert_allclose(shuffled[:, others], X[:, others])
        rows = np.lexsort(shuffled[:, columns].T)
        assert_allclose(shuffled[rows][:, columns], X[np.lexsort(X[:, columns].T)][:, columns])
        assert not np.allclose(shuffled, X)


@pytest.mark.parametrize("form", ["array", "pandas", "polars", "sparse"])
def test_all_forms_of_X_give_the_same(form):
    names = [f"c{i}" for i in range(13)]
    if form == "array":
        data = X
    elif form == "sparse":
        data = sp.csr_matrix(X)
    else:
        module = pytest.importorskip(form)
        data = module.DataFrame(X, **{"columns" if form == "pandas" else "schema": names})
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    pipe = make_pipeline(fusion, RidgeClassifier()).fit(data, y)
    found = permutation_importance(pipe, data, y, n_repeats=2, random_state=0)
    plain = make_pipeline(fusion, RidgeClassifier()).fit(X, y)
    expected = permutation_importance(plain, X, y, n_repeats=2, random_state=0)
    assert found.views == list(VIEWS)
    assert_allclose(found.importances, expected.importances)


def test_views_of_bags_are_permuted_over_units():
    data = make_digit_bags(40, 4, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=30, random_state=0).fit(data.bags, data.y)
    found = permutation_importance(model, data.bags, data.y, n_repeats=2, random_state=0)
    assert found.views == ["pixels", "gradients"]
    pd = pytest.importorskip("pandas")
    bags = [pd.DataFrame(bag, columns=[f"c{i}" for i in range(bag.shape[1])]) for bag in data.bags]
    named = {name: [f"c{i}" for i in columns] for name, columns in model.views_.items()}
    model.fit(bags, data.y)
    again = permutation_importance(model, bags, data.y, views=named, n_repeats=2, random_state=0)
    assert_allclose(again.importances, found.importances)
    assert found.importances_mean.max() > 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: permutation_importance(m, X, y), "views must be given"),
        (lambda m: permutation_importance(m, X, y, views=VIEWS, n_repeats=0), "n_repeats"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(LogisticRegression(max_iter=5000).fit(StandardScaler().fit_transform(X), y))


def test_steps_before_the_views_are_passed():
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    pipe = make_pipeline(StandardScaler(), "passthrough", fusion, RidgeClassifier()).fit(X, y)
    inner = pipe[0].transform(X)
    given = {"n_repeats": 2, "random_state": 0}
    found = permutation_importance(pipe, X, y, **given)
    assert found.views == list(VIEWS)
    expected = permutation_importance(pipe[2:], inner, y, **given)
    assert_allclose(found.importances, expected.importances)
    curve = missing_view_curve(pipe, X, y, **given)
    assert_allclose(curve.scores, missing_view_curve(pipe[2:], inner, y, **given).scores)


@pytest.mark.parametrize("scoring", ["neg_log_loss", ["accuracy", "neg_log_loss"]])
def test_a_search_keeps_its_score(scoring):
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    pipe = make_pipeline(StandardScaler(), fusion, LogisticRegression())
    grid = {"logisticregression__C": [1.0]}
    search = GridSearchCV(pipe, grid, cv=2, scoring=scoring, refit="neg_log_loss").fit(X, y)
    found = permutation_importance(search, X, y, n_repeats=1, random_state=0)
    assert_allclose(found.score, search.score(X, y))
    assert found.score < 0


def test_views_of_a_frame_may_be_named():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"note": np.array(["low", "mid", "high"])[y], "size": X[:, 0]})
    table = make_column_transformer((OneHotEncoder(), ["note"]), ("passthrough", ["size"]))
    model = make_pipeline(table, RidgeClassifier()).fit(frame, y)
    views = {"words": ["note"], "numbers": ["size"]}
    found = permutation_importance(model, frame, y, views=views, n_repeats=2, random_state=0)
    assert found.importances_mean[0] > 0.4 > found.importances_mean[1]
    with pytest.raises(ValueError, match=r"view 'a': no column 'sise' in X; columns are .*'size'"):
        permutation_importance(model, frame, y, views={"a": ["sise"]})
    with pytest.raises(ValueError, match="X has no names: give positions"):
        permutation_importance(model, X, y, views={"a": ["size"]})


def test_a_sparse_table_of_an_earlier_step_loses_no_views():
    sparse = FunctionTransformer(sp.csr_matrix)
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    pipe = make_pipeline(sparse, fusion, RidgeClassifier()).fit(X, y)
    assert permutation_importance(pipe, X, y, n_repeats=1, random_state=0).views == list(VIEWS)
    with pytest.raises(TypeError, match="sparse_threshold=0"):
        missing_view_curve(pipe, X, y)


def test_blocks_are_removed_and_every_row_keeps_a_view():
    seen = []

    class Spy:
        views_ = VIEWS

        def fit(self, X, y):
            return self

        def score(self, X, y):
            seen.append(np.array(X))
            return 0.0

    curve = missing_view_curve(Spy(), X, y, shares=[0, 0.3, 0.9], n_repeats=1, random_state=0)
    assert curve.scores.shape == (3, 1)
    assert_allclose(seen[0], X)
    for share, data in zip(curve.shares[1:], seen[1:], strict=True):
        blocks = [np.isnan(data[:, columns]).all(axis=1) for columns in VIEWS.values()]
        gone = np.stack(blocks, axis=1)
        assert not gone.all(axis=1).any()
        assert abs(gone.mean() - share * 2 / 3) < 0.06
        assert_allclose(data[~np.isnan(data)], X[~np.isnan(data)])


@pytest.mark.parametrize("kind", [list, np.array, tuple, "frames"])
def test_bags_lose_no_views(kind):
    if kind == "frames":
        frame = pytest.importorskip("pandas").DataFrame

        def kind(bags):
            return [frame(bag) for bag in bags]

    data = make_digit_bags(16, units_per_bag=3, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=10, relation="correlation", random_state=0)
    model.fit(data.bags, data.y)
    message = r"takes one table, and X is 16 bags.* to NaN .* or use permutation_importance"
    with pytest.raises(TypeError, match=message):
        missing_view_curve(model, kind(data.bags), data.y)
    rows = np.array([bag[0] for bag in data.bags])
    curve = missing_view_curve(model.fit(rows, data.y), rows, data.y, n_repeats=1, random_state=0)
    assert curve.scores.shape == (4, 1)


def test_frames_lose_views_too():
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame(X, columns=[f"c{i}" for i in range(13)])
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, max_iter=5)
    pipe = make_pipeline(fusion, RidgeClassifier()).fit(data, y)
    curve = missing_view_curve(pipe, data, y, shares=[0, 0.5], n_repeats=2, random_state=0)
    assert curve.scores[0].mean() > curve.scores[1].mean()
    assert list(curve.to_frame().columns) == ["mean", "std"]


@pytest.mark.parametrize("module", ["pandas", "polars"])
def test_columns_of_no_view_are_left_alone(module):
    frames = pytest.importorskip(module)
    columns = {f"c{i}": X[:, i] for i in range(13)}
    data = frames.DataFrame(columns | {"site": np.where(np.arange(len(X)) % 2, "a", "b")})
    views = {"one": ["c0", "c1"], "other": [f"c{i}" for i in range(2, 13)]}
    fusion = LEGOFusionTransformer(views, relation="cosine", domain_column="site", max_iter=5)
    pipe = make_pipeline(fusion, RidgeClassifier()).fit(data, y)
    curve = missing_view_curve(pipe, data, y, shares=[0, 0.6], n_repeats=1, random_state=0)
    assert curve.scores[0, 0] == pipe.score(data, y) > curve.scores[1, 0]
    assert permutation_importance(pipe, data, y, n_repeats=1).importances.shape == (2, 1)
    with pytest.raises(TypeError, match="toarray"):
        missing_view_curve(pipe, sp.csr_matrix(X), y)


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist], ids=["array", "list"])
def test_views_are_removed_from_whole_numbers_as_from_floats(kind):
    whole = np.rint(10 * X).astype(int)
    model = LEGOFusionTransformer(VIEWS, random_state=0)
    model = make_pipeline(model, RidgeClassifier()).fit(whole, y)
    options = {"shares": [0, 0.5], "n_repeats": 2, "random_state": 0}
    expected = missing_view_curve(model, whole.astype(float), y, **options)
    found = missing_view_curve(model, kind(whole), y, **options)
    assert_allclose(found.scores, expected.scores)


def test_names_of_columns_are_looked_for_in_every_bag():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    bags = [pd.DataFrame(rng.normal(size=(3, 3)), columns=list("abc")) for _ in range(8)]
    views = {"one": ["a"], "two": ["b", "c"]}
    model = LEGOAnomalyClassifier(views, n_references=5, relation="cosine", random_state=0)
    model.fit(bags, [0, 1] * 4)
    expected = permutation_importance(model, bags, [0, 1] * 4, random_state=0)
    given = {"views": views, "random_state": 0}
    found = permutation_importance(model, bags, [0, 1] * 4, **given)
    assert_allclose(found.importances, expected.importances)
    for k, bag, message in (
        (0, bags[0].drop(columns="b"), r"view 'two': no column 'b' in bag 0; columns are \['a', "),
        (3, bags[3].drop(columns="b"), "view 'two': no column 'b' in bag 3"),
        (3, bags[3][list("bac")], "view 'one': bag 3 has its columns in another order than bag 0"),
        (3, bags[3].to_numpy(), "in bag 3; bag 3 has no names: give positions"),
    ):
        with pytest.raises(ValueError, match=message):
            permutation_importance(model, [*bags[:k], bag, *bags[k + 1 :]], [0, 1] * 4, **given)
