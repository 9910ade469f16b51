"""ImputeWithin: values of views that are there are imputed, missing views are left alone."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer, PerUnit
from legofuse.views import ImputeWithin, missing_blocks

NAMES = ["rna_a", "rna_b", "rna_c", "protein_a", "protein_b"]
VIEWS = {"rna": [0, 1, 2], "protein": slice(3, 5)}
Y = np.arange(40) % 2


def make_table():
    """A table with missing views and, elsewhere, single values that are unknown."""
    X = np.random.default_rng(0).normal(size=(40, 5)) + Y[:, None]
    X[::5, :3] = np.nan
    X[3::10, 3:] = np.nan
    X[[2, 3], 1] = X[4, 4] = np.nan
    return X


@pytest.mark.others_draw
@parametrize_with_checks(
    [ImputeWithin(), ImputeWithin(2), ImputeWithin({"a": [0]}), ImputeWithin(imputer=KNNImputer())]
)
def test_common_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "imputer", [None, KNNImputer(n_neighbors=2), SimpleImputer(strategy="median")]
)
def test_views_are_imputed_one_by_one_in_the_rows_that_have_them(imputer):
    X = make_table()
    before, model = X.copy(), ImputeWithin(VIEWS, imputer)
    filled = model.fit(X).transform(X)
    assert_array_equal(X, before)
    for name, columns in {"rna": slice(0, 3), "protein": slice(3, 5)}.items():
        block = X[:, columns]
        lacks = np.isnan(block).all(axis=1)
        alone = clone(SimpleImputer() if imputer is None else imputer)
        assert np.isnan(filled[lacks, columns]).all()
        assert_array_equal(filled[~lacks, columns], alone.fit_transform(block[~lacks]))
        assert model.imputers_[name] is not imputer
    assert_array_equal(missing_blocks(filled, VIEWS).sum(axis=0), [8, 4])


def test_what_it_leaves_a_fusion_takes():
    X = make_table()
    with pytest.raises(ValueError, match=r"'rna': 2 rows are partly NaN .* 1 in view 'protein'\. "):
        LEGOFusionTransformer(VIEWS).fit(X, Y)
    pipe = make_pipeline(ImputeWithin(VIEWS), LEGOFusionTransformer(VIEWS)).fit(X, Y)
    assert np.isfinite(pipe.transform(X)).all()


def test_rows_of_another_table_may_lack_a_view_altogether():
    X = make_table()
    later = X[:4].copy()
    later[:, 3:] = np.nan
    assert np.isnan(ImputeWithin(VIEWS).fit(X).transform(later)[:, 3:]).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_stay_frames(library):
    """With the columns of no view, so that the next step may choose views by name."""
    table = pd.DataFrame(make_table(), columns=NAMES, index=np.arange(40) + 7)
    table.insert(0, "id", [f"patient {i}" for i in Y])
    frame = table if library == "pandas" else pl.from_pandas(table)
    views = {"rna": slice("rna_a", "rna_c"), "protein": ["protein_b", "protein_a"]}
    if library == "pandas":
        views["rna"] = make_column_selector("^rna_")
    step = ImputeWithin(views)
    filled = step.fit_transform(frame)
    assert type(filled) is type(frame)
    assert list(filled.columns) == list(frame.columns) == list(step.get_feature_names_out())
    expected = ImputeWithin(VIEWS).fit_transform(make_table())
    assert_array_equal(filled[NAMES].to_numpy(), expected)
    if library == "pandas":
        assert_array_equal(filled.index, frame.index)
        assert filled["id"].equals(frame["id"])
    fusion = make_pipeline(step, LEGOFusionTransformer(views)).fit(frame, Y)[-1]
    assert {view: len(index) for view, index in fusion.views_.items()} == {"rna": 3, "protein": 2}
    for other in ("pandas", "polars"):
        made = clone(step).set_output(transform=other).fit_transform(frame)
        assert isinstance(made, pd.DataFrame if other == "pandas" else pl.DataFrame)
        assert list(made.columns) == list(frame.columns)
    with sklearn.config_context(transform_output="polars"):
        assert isinstance(clone(step).fit_transform(frame), pl.DataFrame)


def test_words_in_an_array_are_kept():
    table = np.column_stack([make_table().astype(object), np.array(["a", "b"] * 20, object)])
    filled = ImputeWithin(VIEWS).fit_transform(table)
    assert filled[:, 5].tolist() == ["a", "b"] * 20
    expected = ImputeWithin(VIEWS).fit_transform(make_table())
    assert_array_equal(filled[:, :5].astype(float), expected)


def test_whole_numbers_and_nullable_columns():
    frame = pd.DataFrame({"a": pd.array([1, None, 3], "Int64"), "b": [4, 5, 6], "c": [1, 2, 3]})
    filled = ImputeWithin({"x": ["a", "b"]}).fit_transform(frame)
    assert filled["a"].tolist() == [1.0, 2.0, 3.0]
    assert filled["c"].dtype == frame["c"].dtype
    alone = ImputeWithin({"x": ["a"], "y": ["b"]}).fit_transform(frame)  # and missing there
    assert_array_equal(alone["a"], [1.0, np.nan, 3.0])
    many = pd.DataFrame(make_table(), columns=NAMES).astype("Float64")
    filled = ImputeWithin(VIEWS).fit_transform(many)
    assert_array_equal(filled, ImputeWithin(VIEWS).fit_transform(make_table()))


def test_a_column_without_a_value_in_fit():
    X = make_table()
    X[:, 1] = np.nan
    filled = ImputeWithin(VIEWS).fit_transform(X)
    assert set(filled[~np.isnan(filled[:, 0]), 1]) == {0.0}
    message = r"view 'rna': KNNImputer made 2 columns of 3: give it keep_empty_features=True"
    with pytest.raises(ValueError, match=message):
        ImputeWithin(VIEWS, KNNImputer()).fit_transform(X)


def test_units_of_bags():
    bags = list(np.random.default_rng(0).normal(size=(12, 4, 5)))
    bags[3][2, 1] = np.nan
    bags[4][1, :3] = np.nan
    with pytest.raises(ValueError, match=r"unit 2 of bag 3, .*`PerUnit\(ImputeWithin\(views\)\)`"):
        LEGOAnomalyClassifier(VIEWS).fit(bags, Y[:12])
    step = PerUnit(ImputeWithin(VIEWS))
    assert np.isnan(step.fit_transform(bags)[4][1]).tolist() == [True] * 3 + [False] * 2
    make_pipeline(step, LEGOAnomalyClassifier(VIEWS)).fit(bags, Y[:12])
    with pytest.raises(TypeError, match="stack_views") as found:
        ImputeWithin(VIEWS).fit(bags)
    assert "PerUnit(ImputeWithin(views))" in found.value.__notes__[0]


def test_it_is_searched_through():
    steps = [("impute", ImputeWithin(VIEWS, KNNImputer())), ("fuse", LEGOFusionTransformer(VIEWS))]
    pipe = Pipeline([*steps, ("last", sklearn.linear_model.RidgeClassifier())])
    grid = {"impute__imputer__n_neighbors": [1, 3], "fuse__relation": ["correlation"]}
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(make_table(), Y)
    assert search.best_params_["impute__imputer__n_neighbors"] in (1, 3)


@pytest.mark.parametrize(
    ("parameters", "X", "error", "message"),
    [
        ({"imputer": KNNImputer}, None, TypeError, r"imputer must be a transformer.*got <class"),
        ({"imputer": "mean"}, None, TypeError, r"such as KNNImputer\(\); got 'mean'"),
        ({"views": {"a": [0, 1], "b": [1]}}, None, ValueError, "'a' and 'b' share column 1"),
        ({"views": {"a": [9]}}, None, ValueError, "view 'a': column 9 does not exist"),
        ({}, np.full((4, 5), np.nan), ValueError, "view 'rna' is missing .* in every row"),
        ({}, np.full((4, 5), np.inf), ValueError, "infinity"),
        ({}, np.ma.masked_greater(make_table(), 1), ValueError, "masked value"),
        ({}, np.ones(5), ValueError, "2D array"),
    ],
)
def test_wrong_input(parameters, X, error, message):
    model = ImputeWithin(**({"views": VIEWS} | parameters))
    with pytest.raises(error, match=message):
        model.fit(make_table() if X is None else X)
    assert not hasattr(model, "imputers_")


def test_a_column_without_numbers_is_placed():
    frame = pd.DataFrame(make_table(), columns=NAMES).assign(protein_b="high")
    message = r"view 'protein': column 'protein_b' holds no numbers \(it holds text, such as 'high'"
    with pytest.raises(ValueError, match=message) as found:
        ImputeWithin(VIEWS).fit(frame)
    assert not hasattr(found.value, "__notes__")
    with pytest.raises(ValueError, match="infinity") as found:
        ImputeWithin(VIEWS).fit(frame.assign(protein_b=np.inf))
    assert found.value.__notes__ == ["view 'protein': raised by its columns."]


@pytest.mark.parametrize("library", ["pandas", "polars", "numpy"])
def test_times_are_no_numbers(library):
    """NaT as a number would be a value, and its view never missing."""
    frame = pd.DataFrame({"day": pd.to_datetime(["2020-01-01", None, "2020-01-03"])})
    table = {"pandas": frame, "polars": pl.from_pandas(frame), "numpy": frame.to_numpy()}[library]
    for function in (ImputeWithin({"a": [0]}).fit, lambda X: missing_blocks(X, {"a": [0]})):
        with pytest.raises(TypeError, match=r"view 'a': column .* \(it holds times\)"):
            function(table)


def test_frames_it_does_not_take():
    frame = pd.DataFrame(make_table(), columns=["a", "b", "a", "c", "d"])
    with pytest.raises(ValueError, match="X has 2 columns named 'a'"):
        ImputeWithin(VIEWS).fit(frame)
    with pytest.raises(TypeError, match=r"give X\.collect\(\)"):
        ImputeWithin().fit(pl.DataFrame({"a": [1.0, None]}).lazy())


def test_a_fit_that_fails_leaves_all_as_it_was():
    frame = pd.DataFrame(make_table(), columns=NAMES)
    views = {"rna": NAMES[:3]}
    model = ImputeWithin(views).fit(frame)
    expected = model.transform(frame)
    with pytest.raises(ValueError, match="unknown column 'rna_c'"):
        model.fit(frame.drop(columns="rna_c"))
    pd.testing.assert_frame_equal(model.transform(frame), expected)
    new = ImputeWithin(views)
    with pytest.raises(ValueError, match="unknown column 'rna_c'"):
        new.fit(frame.drop(columns="rna_c"))
    assert vars(new) == vars(ImputeWithin(views))
