"""Wrong input: one clear error each, and nothing fitted after it."""

import re
from collections import deque
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer, PerUnit, stack_views, to_bags
from legofuse.inspection import domain_shift
from legofuse.views import missing_blocks

X = np.random.default_rng(0).normal(size=(12, 4))
STRINGS = np.dtypes.StringDType
Y = np.arange(12) % 2
VIEWS = {"a": [0, 1], "b": [2, 3]}
BAGS = list(np.random.default_rng(0).normal(size=(12, 3, 4)))
DOMAIN_READERS = {
    "transformer": (
        lambda domains: LEGOFusionTransformer(VIEWS).fit(X, Y, sample_domain=domains),
        "row",
    ),
    "classifier": (
        lambda domains: LEGOAnomalyClassifier(VIEWS).fit(BAGS, Y, sample_domain=domains),
        "bag",
    ),
    "domain_shift": (
        lambda domains: domain_shift(LEGOFusionTransformer(VIEWS).fit(X, Y), X, domains),
        "row",
    ),
}


def test_na_among_objects_is_no_number():
    frame = pd.DataFrame(X, columns=list("pqrs")).astype("Float64")
    frame.loc[3, ["p", "q"]] = pd.NA
    model = LEGOFusionTransformer(VIEWS)
    message = r"view 'a': column {} holds no numbers .* NA of pandas .* `X.astype\('Float64'\)`"
    for table, name in [(frame.to_numpy(object), "0"), (frame.astype(object), "'p'")]:
        with pytest.raises(TypeError, match=message.format(name)):
            model.fit(table, Y)
    told = model.fit(frame.to_numpy(float, na_value=np.nan), Y).weights_
    for table in (frame, frame.astype(object).astype("Float64")):
        assert (model.fit(table, Y).weights_ == told).all()


def test_errors_in_a_relation_name_it_and_its_view():
    def strict(rows, references):
        return np.linalg.inv(rows)

    model = LEGOFusionTransformer(VIEWS, relation={"a": "cosine", "b": strict})
    with pytest.raises(np.linalg.LinAlgError) as raised:
        model.fit(X, Y)
    shape = r"ndarray of shape \(12, 2\)"
    note = rf"Raised by the relation 'strict' of view 'b', called on {shape} and {shape}"
    assert re.match(note, raised.value.__notes__[0])
    assert not hasattr(model, "views_")


def test_records_are_no_table_of_numbers():
    """As np.genfromtxt(..., names=True) and DataFrame.to_records return."""
    records = pd.DataFrame(X, columns=list("pqrs")).to_records(index=False)
    message = r"X is an array of records \(fields 'p', 'q', 'r', 's'\).* `pd.DataFrame\(X\)`"
    with pytest.raises(TypeError, match=message):
        LEGOFusionTransformer(VIEWS).fit(records, Y)
    LEGOFusionTransformer(VIEWS).fit(pd.DataFrame(records), Y)


@pytest.mark.parametrize("weight", ["balanced", {0: 1, 1: 2}])
@pytest.mark.parametrize("model", [LEGOFusionTransformer(VIEWS), LEGOAnomalyClassifier(VIEWS)])
def test_weights_by_class_are_no_weights(model, weight):
    message = (
        r"""got ('balanced'|a dict)\. .*class_weight\.compute_sample_weight\("balanced", y\)"""
    )
    with pytest.raises(TypeError, match=message):
        model.fit(X, Y, sample_weight=weight)
    assert not hasattr(model, "views_")


def broken(where, value, table=X):
    table = table.copy()
    table[where] = value
    return table


TABLE = np.random.default_rng(0).normal(size=(200, 50))


@pytest.mark.parametrize(
    ("landmarks", "told"),
    [
        (pd.DataFrame(TABLE), "DataFrame of shape (200, 50) and dtype float64"),
        (pl.DataFrame(TABLE), "DataFrame of shape (200, 50) and dtype float64"),
        (TABLE, "an array of shape (200, 50) and dtype float64"),
        (TABLE.tolist(), "list of shape (200, 50) and dtype float64"),
        (sp.csr_array(TABLE), "csr_array of shape (200, 50) and dtype float64"),
        (pd.Series(TABLE[:, 0]), "Series of shape (200,) and dtype float64"),
        ([0.5, 2, 3, 4, 5, 6, 7], "[0.5, 2, 3, 4, 5, 6, ...]"),
        ([[0, 1], [2]], "[[0, 1], [2]]"),
        ({"rows": [0, 1]}, "{'rows': [0, 1]}"),
    ],
)
def test_wrong_landmarks_are_told_in_short(landmarks, told):
    with pytest.raises(ValueError, match=f"1-D array of row indices; got {re.escape(told)}\\.$"):
        LEGOFusionTransformer(VIEWS, landmarks=landmarks).fit(X, Y)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"degree": 0}, ValueError, "'degree' parameter .* must be at least 1; got 0"),
        ({"degree": 1.5}, TypeError, "'degree' parameter .* must be an int; got 1.5"),
        ({"degree": True}, TypeError, "'degree' parameter .* must be an int"),
        ({"n_landmarks": 0}, ValueError, "'n_landmarks' parameter .* at least 1"),
        ({"n_landmarks": "all"}, TypeError, "'n_landmarks' parameter .* must be an int"),
        ({"max_fit_samples": 1}, ValueError, "'max_fit_samples' parameter .* at least 2"),
        ({"max_iter": -1}, ValueError, "'max_iter' parameter .* at least 1"),
        ({"tol": -1.0}, ValueError, "'tol' parameter .* at least 0"),
        ({"tol": float("nan")}, ValueError, "'tol' parameter"),
        ({"n_components": 0}, ValueError, "'n_components' parameter .* at least 1"),
        ({"n_components": "most"}, TypeError, "must be an int or None"),
        ({"interactions": "all"}, ValueError, "'interactions' .* must be one of 'additive'"),
        ({"expansion": None}, ValueError, "'expansion' .* must be one of 'elementwise'"),
        ({"zeroth": "zero"}, ValueError, "'zeroth' .* must be one of 'ones'"),
        ({"output": "graph"}, ValueError, "'output' .* must be one of 'embedding'"),
        ({"target_type": "ordinal"}, ValueError, "'target_type' .* must be one of 'auto'"),
        ({"domains": "all"}, ValueError, "'domains' .* must be one of 'shared'"),
        ({"unseen_domains": "warn"}, ValueError, "'unseen_domains' .* must be one of 'error'"),
        ({"landmarks": "first"}, ValueError, "'landmarks' .* must be one of 'stratified'"),
        ({"landmarks": [[0]]}, ValueError, "a 1-D array of row indices"),
        ({"landmarks": [0.5]}, ValueError, "a 1-D array of row indices"),
        ({"landmarks": []}, ValueError, "a 1-D array of row indices"),
        (
            {"landmarks": np.arange(12) < 5},
            ValueError,
            r"flatnonzero .*shape \(12,\) and dtype bool",
        ),
        ({"n_jobs": "all"}, TypeError, "'n_jobs' .* must be an int or None; got 'all'"),
        ({"n_jobs": 0}, ValueError, "'n_jobs' .* must not be 0"),
        ({"verbose": "yes"}, TypeError, "'verbose' .* must be an int; got 'yes'"),
        ({"landmarks": [0, 12]}, ValueError, "between 0 and 11; got values from 0 to 12"),
        ({"landmarks": [0, 1], "expansion": "hops"}, ValueError, "each of the 12 distinct"),
        ({"weights": "best"}, ValueError, "'weights' .* must be one of 'auto'"),
        ({"weights": [1.0, 2.0]}, ValueError, "weights must be an array of 5 numbers"),
        ({"weights": ["1"] * 5}, ValueError, "weights must be an array of 5 numbers"),
        ({"weights": [np.nan] * 5}, ValueError, "weights holds NaN or infinity"),
        ({"weights": [-1.0] * 5}, ValueError, r"weights holds 5 negative value\(s\)"),
        ({"nonnegative": 0}, TypeError, "'nonnegative' .* must be a bool"),
        ({"nonnegative": False}, ValueError, "nonnegative=False needs output='relations'"),
        (
            {"nonnegative": False, "output": "relations", "weights": "loo"},
            ValueError,
            "nonnegative=False needs weights='alignment'",
        ),
        ({"zeroth": "identity"}, ValueError, "zeroth='identity' needs interactions='pairwise'"),
        ({"expansion": "hops", "n_landmarks": 3}, ValueError, "needs all 12 distinct training"),
        (
            {"interactions": "separable", "weights": "consensus"},
            ValueError,
            "interactions='separable' stores factors",
        ),
        ({"degree": 200}, ValueError, "above the limit of 5000.*'additive' has .*'pairwise' "),
        ({"relation": "euclidean"}, ValueError, "relation must be 'auto', one of 'cosine'"),
        ({"relation": {"a": "cosine"}}, ValueError, r"it lacks \['b'\]"),
        ({"relation": {"a": "rbf", "b": "rbf", "z": "rbf"}}, ValueError, r"unknown views \['z'\]"),
        ({"relation": {"a": 3, "b": "rbf"}}, ValueError, "got 3 for view 'a'"),
        ({"relation": lambda a, b: np.ones(3)}, ValueError, "must return shape"),
        ({"relation": lambda a, b: np.full((len(a), len(b)), np.nan)}, ValueError, "returned NaN"),
        (
            {"relation": lambda a, b: 1e60 * np.ones((len(a), len(b))), "degree": 3},
            ValueError,
            "relation of view 'a' is as large as 1e.60, so that squares of .* range of float64",
        ),
        ({"relation": lambda a, b: (a @ b.T) * 1j}, TypeError, "real numbers; .*complex128"),
        ({"relation": lambda a, b: (a @ b.T).astype(str)}, TypeError, "array of real numbers"),
        ({"relation": lambda a, b: None}, TypeError, "it returned NoneType of dtype object"),
        ({"views": {}}, ValueError, "views is empty"),
        ({"views": {"a": []}}, ValueError, "view 'a' has no columns"),
        ({"views": {"a": [7]}}, ValueError, "view 'a': column 7 does not exist; X has 4 columns"),
        ({"views": {"a": "hue"}}, ValueError, "X has no column names"),
        ({"views": {"a": [0], "b": [3, 3]}}, ValueError, "view 'b' has column 3 twice"),
        ({"views": {0: [0]}}, TypeError, "a view's name must be a string"),
        ({"views": [("a", [0]), ("a", [1])]}, ValueError, "'a' is used for two views"),
        ({"views": 5}, ValueError, "n_features = 4"),
        ({"views": "a"}, TypeError, "views must be None, an int, a dict"),
        ({"domain_column": 9}, ValueError, "^domain_column: column 9 does not exist"),
        ({"domain_column": ["site"]}, TypeError, "domain_column must be a name, an int or None"),
        ({"domain_column": 1}, ValueError, "is a column of view 'a': it must be in no view"),
        ({"random_state": "seed"}, ValueError, "cannot be used to seed"),
    ],
)
def test_parameters(parameters, error, message):
    model = LEGOFusionTransformer(**({"views": VIEWS, "relation": "cosine"} | parameters))
    state = set(model.__dict__)
    with pytest.raises(error, match=message):
        model.fit(X, Y)
    assert set(model.__dict__) == state


@pytest.mark.parametrize(
    ("table", "y", "error", "message"),
    [
        (broken((3, 0), np.nan), Y, ValueError, r"partly NaN \(first: row 3.*`ImputeWithin"),
        (broken((3, 2), np.inf), Y, ValueError, "view 'b': 1 row is not finite: infinity"),
        (broken((slice(2), 2), -np.inf), Y, ValueError, "view 'b': 2 rows are not finite"),
        (broken((slice(None), [2, 3]), np.nan), Y, ValueError, "'b' is missing .* in every"),
        (sp.csr_array(broken((5, 1), np.nan)), Y, ValueError, "partly NaN .first: row 5, col"),
        (sp.csc_array(broken((5, 2), np.inf)), Y, ValueError, "infinity found .first: row 5"),
        ([X[:, :2], X[:, 2:]], Y, (TypeError, ValueError), "stack_views"),
        ({"a": X[:, :2], "b": X[:, 2:]}, Y, (TypeError, ValueError), "stack_views"),
        (X[0], Y, ValueError, "Expected 2D array"),
        (X[None], Y, ValueError, "dim 3"),
        (X[:, :0], Y, ValueError, "0 feature"),
        (X[:0], Y[:0], ValueError, "0 sample"),
        (X[:1], Y[:1], ValueError, "1 (class|sample)"),
        (np.full((12, 4), "x", dtype=object), Y, ValueError, "it holds text, such as 'x'"),
        (X + 1j, Y, ValueError, "Complex data not supported"),
        (X, Y[:5], ValueError, "inconsistent numbers of samples: X has 12 rows, y has 5"),
        (X, np.zeros(12, int), ValueError, "at least two classes in y; got 1 class"),
        (X, ["one"] * 12, ValueError, "at least two classes in y; got 1 class"),
        (X, np.zeros(12), ValueError, "All targets are equal"),
        (X, broken(7, np.nan, Y.astype(float)), ValueError, "w 7.: drop .*, or fit without y"),
        (X, broken(0, np.inf, Y.astype(float)), ValueError, "Input y contains NaN or infinity"),
        (X, np.array([*"ab", None, *"ababababa"], dtype=object), ValueError, "row 2.: drop"),
        (X, np.array([pd.NA, *"abababababa"], dtype=object), ValueError, "missing labels"),
        (X, np.array(["NaT", *range(11)], "M8[D]"), ValueError, r"missing labels \(first: row 0"),
        (X, np.array(["a", None] * 6, STRINGS(na_object=None)), ValueError, r"first: row 1\)"),
        (X, np.array(["a", np.nan] * 6, STRINGS(na_object=np.nan)), ValueError, r"first: row 1\)"),
        (X, np.array([1, *"abababababa"], dtype=object), ValueError, "y mixes labels of types"),
        (X, Y + 1j, ValueError, "Complex data not supported in y"),
        (X, sp.csr_array(np.eye(12)), TypeError, "y is sparse"),
        (X, np.zeros((12, 0)), ValueError, "y has no columns"),
        (X, np.zeros((12, 2, 2)), ValueError, "y must be 1-D or 2-D"),
        (X, np.array([["a", "b"]] * 12), ValueError, "hold numbers .*classes are one column"),
    ],
)  # fmt: skip
def test_data(table, y, error, message):
    model = LEGOFusionTransformer(VIEWS, relation="cosine")
    with pytest.raises(error, match=message):
        model.fit(table, y)
    assert not [name for name in vars(model) if name.endswith("_")]
    with pytest.raises(Exception, match="not fitted"):
        model.transform(X)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(12), "at least one non-zero"),
        (np.r_[-1.0, np.ones(11)], "[Nn]egative values"),
        (np.r_[np.nan, np.ones(11)], "NaN"),
        (np.ones(5), r"sample_weight.shape == \(5,\)"),
        (np.eye(12)[0], "(1 class|1 sample)"),
        (np.r_[1e300, np.ones(11)], r"between 1e-100 and 1e\+100; got 1e\+300"),
        (np.full(12, 1e-300), r"between 1e-100 and 1e\+100; got 1e-300"),
    ],
)
def test_sample_weight(weight, message):
    with pytest.raises(ValueError, match=message):
        LEGOFusionTransformer(VIEWS).fit(X, Y, sample_weight=weight)


def test_a_weight_that_vanishes_is_none():
    weight = np.r_[1e-300, np.ones(11)]
    none, given = np.r_[0.0, np.ones(11)], weight.copy()
    fits = [LEGOFusionTransformer(VIEWS).fit(X, Y, sample_weight=w) for w in (given, none)]
    np.testing.assert_array_equal(given, weight)
    np.testing.assert_array_equal(fits[0].weights_, fits[1].weights_)
    np.testing.assert_array_equal(fits[0].landmarks_, fits[1].landmarks_)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_a_column_without_numbers_is_named(kind):
    data = {"height": X[:, 0], "colour": ["red", "blue"] * 6, "width": X[:, 1]}
    model = LEGOFusionTransformer({"size": ["height", "width"], "look": ["colour"]})
    message = r"view 'look': column 'colour' holds no numbers \(it holds text, such as 'red'\)\."
    with pytest.raises(ValueError, match=message):
        model.fit(kind(data), Y)
    assert not vars(model).keys() & {"views_", "n_features_in_"}
    LEGOFusionTransformer({"size": ["height", "width"]}).fit(kind(data), Y)


@pytest.mark.parametrize(
    ("column", "held"),
    [
        (pd.Series(["red", "blue"] * 6, dtype="category"), "categories, such as 'red'"),
        (pd.Series([None, "blue"] * 6, dtype="string"), "text, such as 'blue'"),
        (pd.Series(["1", "red"] * 6), "text, such as 'red'"),
        (pl.Series(["red", "blue"] * 6, dtype=pl.Categorical), "categories, such as 'red'"),
    ],
)
def test_what_a_column_without_numbers_holds_is_named(column, held):
    library = pd if isinstance(column, pd.Series) else pl
    frame = library.DataFrame({"height": X[:, 0], "colour": column})
    with pytest.raises((TypeError, ValueError), match=rf"holds no numbers \(it holds {held}\)\. "):
        LEGOFusionTransformer().fit(frame, Y)
    numbers = pd.DataFrame({"height": X[:, 0], "month": pd.Categorical([1, 2] * 6)})
    assert len(LEGOFusionTransformer().fit(numbers, Y).views_["x"]) == 2


@pytest.mark.parametrize("views", [None, 2, {"a": [0, 1], "b": [2]}])
def test_a_column_that_identifies_rows_is_to_be_left_out(views):
    frame = pd.DataFrame({"height": X[:, 0], "width": X[:, 1], "id": [f"row {i}" for i in Y]})
    message = r"column 'id' holds no numbers .*\. Encode it .*; if it only identifies rows, leave"
    with pytest.raises(ValueError, match=f"{message} it out: drop it from X, or give `views`"):
        LEGOFusionTransformer(views).fit(frame, Y)
    LEGOFusionTransformer({"a": [0], "b": [1]}).fit(frame, Y)


@pytest.mark.parametrize(
    "bags",
    [
        [X[:2], X[:3], X[:1]],
        [pd.DataFrame(X[:2])] * 3,
        tuple([X[:2].tolist()] * 3),
        pd.Series([X[:2], X[:3]]),
        np.stack([X, X]),
    ],
    ids=["list", "frames", "lists", "series", "3-D"],
)
def test_bags_are_for_the_classifier(bags):
    with pytest.raises(
        (TypeError, ValueError), match=r"If they are bags.* use LEGOAnomalyClassifier"
    ) as found:
        LEGOFusionTransformer().fit(bags, Y[: len(bags)])
    assert "stack_views" in str(found.value)
    with pytest.raises(TypeError, match=r"If they are bags.* use LEGOAnomalyClassifier"):
        LEGOFusionTransformer().fit([X[:5, :1], X[5:, 1:]], Y[:2])  # views have the same rows
    views = [X[:, :1], X[:, 1:]]  # of other widths: no bags
    with pytest.raises(TypeError, match="stack_views") as found:
        LEGOFusionTransformer().fit(views, Y)
    assert "LEGOAnomalyClassifier" not in str(found.value)


@pytest.mark.parametrize("cut", [lambda X: X, lambda X: [X[:6], X[6:9], X[9:]]])
def test_sparse_frames_are_not_for_the_classifier(cut):
    frame = pd.DataFrame(np.where(X > 0, X, 0)).astype(pd.SparseDtype("float", 0))
    message = r"Sparse input is not supported: .* `X.sparse.to_dense\(\)`"
    model = LEGOAnomalyClassifier(VIEWS, head="linear")
    with pytest.raises(TypeError, match=message):
        model.fit(cut(frame), Y[: len(cut(frame))])
    assert not hasattr(model, "n_features_in_")
    model.fit(X, Y)
    with pytest.warns(UserWarning, match="feature names"), pytest.raises(TypeError, match=message):
        model.predict(cut(frame.rename(columns="c{}".format)))
    assert model.predict(frame.sparse.to_dense()).shape == (12,)


def test_a_dict_is_for_stack_views():
    message = "X is a dict of 2 entries.* `stack_views` of this dict returns both, the table X and"
    with pytest.raises(TypeError, match=message):
        LEGOFusionTransformer().fit({"a": X, "b": X}, Y)


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: LEGOFusionTransformer().fit(stack_views([X, X]), Y), "`X, views = stack_views"),
        (lambda: LEGOAnomalyClassifier().fit(stack_views([BAGS, BAGS]), Y), "`X, views = stack_v"),
        (lambda: LEGOAnomalyClassifier().fit(to_bags(X, Y), [0, 1]), "`bags, ids = to_bags"),
        (lambda: PerUnit(StandardScaler()).fit(to_bags(X, Y)), "`bags, ids = to_bags"),
        (lambda: LEGOFusionTransformer(X).fit(X, Y), "views must be None, an int, a dict"),
        (lambda: LEGOAnomalyClassifier(pd.DataFrame(X)).fit(BAGS, Y), "views must be None, an int"),
        (lambda: LEGOFusionTransformer().fit(pl.DataFrame(X).lazy(), Y), r"give X.collect\(\)"),
    ],
)
def test_what_is_given_in_place_of_a_table_is_named(fit, message):
    with pytest.raises(TypeError, match=message):
        fit()


@pytest.mark.parametrize(
    "given",
    [X[:, :2], X[:, :2].tolist(), pd.DataFrame(X[:, :2]), pl.DataFrame(X[:, :2]), sp.csr_array(X)],
    ids=["array", "lists", "pandas", "polars", "sparse"],
)
def test_arrays_given_as_views_are_to_be_stacked(given):
    message = (
        r"view 'a': columns of X are meant, got a table of shape \(12, \d\); `X, views = stack_"
    )
    with pytest.raises(TypeError, match=message):
        LEGOFusionTransformer({"a": given, "b": [2]}).fit(X, Y)
    with pytest.raises(TypeError, match=r"\(name, columns\); got .*; `X, views = stack_views\(Xs"):
        LEGOFusionTransformer([given, given]).fit(X, Y)


@pytest.mark.parametrize(
    "views", [[["a", "b"], ["c"]], [slice(0, 2), slice(2, 4)], [[0, 1], [2, 3]], [[0], "c"]]
)
def test_views_without_names_are_named(views):
    frame = pd.DataFrame(X, columns=list("abcd"))
    with pytest.raises(TypeError, match=r"; `\{.*enumerate\(views\)\}` names them\.$") as found:
        LEGOFusionTransformer(views).fit(frame, Y)
    named = eval(str(found.value).split("`")[1], {"enumerate": enumerate, "views": views})
    assert list(LEGOFusionTransformer(named).fit(frame, Y).views_) == ["view0", "view1"]


def test_two_columns_are_no_pair_of_a_name_and_a_column():
    frame = pd.DataFrame(X, columns=list("abcd"))
    with pytest.raises(TypeError, match=r"\['a', 'b'\] may be two columns, or .*: give a dict"):
        LEGOFusionTransformer([["a", "b"], ["c", "d"]]).fit(frame, Y)
    for pairs in ([("a", "b"), ("c", "d")], [["one", "b"], ["other", "d"]]):
        found = LEGOFusionTransformer(pairs).fit(frame, Y).views_
        assert {view: index.tolist() for view, index in found.items()} == {
            pairs[0][0]: [1], pairs[1][0]: [3]
        }  # fmt: skip


def test_labels_that_identify_rows_are_doubted():
    table = np.random.default_rng(0).normal(size=(40, 4))
    ids = np.array([f"row {i}" for i in range(40)])
    model = LEGOFusionTransformer(VIEWS, relation="cosine")
    with pytest.warns(UserWarning, match="y holds 40 different labels in 40 rows.* identify rows"):
        expected = model.fit(table, ids).transform(table)
    model.set_params(target_type="classification")
    np.testing.assert_array_equal(model.fit(table, ids).transform(table), expected)
    LEGOFusionTransformer(VIEWS, relation="cosine").fit(table, np.repeat(ids[::2], 2))


def test_several_labels_a_row_are_made_columns_first():
    with pytest.raises(ValueError, match=r"y holds sequences .* MultiLabelBinarizer"):
        LEGOFusionTransformer().fit(X, [[0], [0, 1]] * 6)


@pytest.mark.parametrize("columns", [[4], slice(2, 9), slice(4, None), lambda X: [0, 4]])
def test_views_beyond_the_table_are_named(columns):
    with pytest.raises(ValueError, match=r"view 'wide'.* 4 columns"):
        LEGOFusionTransformer({"a": [0], "wide": columns}).fit(X, Y)
    with pytest.raises(ValueError, match=r"view 'wide'.* 4 columns"):
        LEGOAnomalyClassifier({"a": [0], "wide": columns}).fit(BAGS, Y)


def test_times_are_no_numbers():
    frame = pd.DataFrame({"height": X[:, 0], "day": pd.date_range("2026-01-01", periods=12)})
    with pytest.raises(TypeError, match=r"view 'b': column 'day' .*it holds times"):
        LEGOFusionTransformer({"a": ["height"], "b": ["day"]}).fit(frame, Y)
    for times in (pl.from_pandas(frame), frame[["day"]], frame[["day"]].to_numpy()):
        with pytest.raises(TypeError, match=r"X: column .*it holds times"):
            LEGOFusionTransformer().fit(times, Y)
    with pytest.raises(ValueError, match="bag 0 is not an array of real numbers"):
        LEGOAnomalyClassifier().fit([frame[["day"]].to_numpy()] * 12, Y)
    days = LEGOFusionTransformer({"a": ["height"]}, domain_column="day")
    with pytest.warns(UserWarning, match="Each of 12 rows is a domain of its own"):
        assert len(days.fit(frame, Y).domains_) == 12


def test_words_in_an_array():
    table = np.column_stack([X.astype(object), np.array(["red", "blue"] * 6, object)])
    model = LEGOFusionTransformer({"a": [0, 1], "b": [2]}, relation="cosine")
    expected = LEGOFusionTransformer({"a": [0, 1], "b": [2]}, relation="cosine").fit(X, Y)
    np.testing.assert_array_equal(model.fit(table, Y).transform(table), expected.transform(X))
    with pytest.raises(ValueError, match=r"view 'b': column 4 holds no numbers.*'red'"):
        LEGOFusionTransformer({"a": [0, 1], "b": [2, 4]}).fit(table, Y)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_broken_values_are_placed_by_the_columns_of_the_caller(value):
    """Columns in no view count, and names are told where there are some."""
    table = broken((5, 3), value)
    with pytest.raises(ValueError, match=r"view 'b': 1 row is .*row 5, column 3\)"):
        LEGOFusionTransformer({"a": [0], "b": [2, 3]}).fit(table, Y)
    frame = pd.DataFrame(table, columns=["mfcc0", "mfcc1", "hue", "sat"])
    with pytest.raises(ValueError, match=r"view 'b': 1 row is .*row 5, column 'sat'\)"):
        LEGOFusionTransformer({"a": ["mfcc0"], "b": ["hue", "sat"]}).fit(frame, Y)


@pytest.mark.parametrize("criterion", ["loo", "alignment"])
def test_criteria_that_need_y(criterion):
    with pytest.raises(ValueError, match=f"weights='{criterion}' needs y; fit got y=None"):
        LEGOFusionTransformer(VIEWS, weights=criterion).fit(X)


def test_names():
    frame = pd.DataFrame(X, columns=["mfcc0", "mfcc1", "hue", "sat"])
    with pytest.raises(
        ValueError, match="unknown column 'hues'; the nearest known names are 'hue'"
    ):
        LEGOFusionTransformer({"a": ["hues"]}).fit(frame, Y)
    model = LEGOFusionTransformer({"a": ["hue"], "b": ["sat"]}, relation="rbf").fit(frame, Y)
    with pytest.raises(ValueError, match="feature names"):
        model.transform(frame.rename(columns={"hue": "shade"}))
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame.iloc[:, :3])


TEXTS = ["a red box", "a vase", "books"] * 4


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS).astype(bytes),
        np.array([None, *TEXTS[:11]], dtype=object),
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="category"),
        pl.Series(TEXTS),
        "a red box",
    ],
    ids=lambda texts: f"{type(texts).__name__} {getattr(texts, 'dtype', '')}",
)
def test_texts_are_to_be_vectorised(texts):
    message = r"X is 1-D and holds text \(.*a red box.*\), not one table .* by a TfidfVectorizer .*"
    for options in ({}, {"domain_column": 0}):
        with pytest.raises(ValueError, match=f"{message} by a ColumnTransformer"):
            LEGOFusionTransformer(**options).fit(texts, Y)
    with pytest.raises(ValueError, match=message):
        LEGOFusionTransformer(VIEWS).fit(X, Y).transform(texts)


@pytest.mark.parametrize("estimator", [LEGOFusionTransformer, LEGOAnomalyClassifier])
@pytest.mark.parametrize("device", ["abacus", "gpu", "cuda:", "cuda:one", "cpu,cpu", "", None, 0])
def test_names_of_devices_are_checked_where_none_is_used(estimator, device):
    with pytest.raises(ValueError, match=f"device={device!r} is not there: use 'auto', 'cpu', or"):
        estimator(VIEWS, device=device).fit(X, Y)


@pytest.mark.parametrize("estimator", [LEGOFusionTransformer, LEGOAnomalyClassifier])
def test_a_device_that_is_not_used_need_not_be_there(estimator):
    estimator(VIEWS, device="cuda:1").fit(X, Y)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_columns_of_a_lacking_view_may_be_added(kind):
    names = ["mfcc0", "mfcc1", "hue", "sat"]
    frame = pd.DataFrame(X, columns=names)
    views = {"sound": ["mfcc0", "mfcc1"], "colour": ["hue", "sat"]}
    model = LEGOFusionTransformer(views).fit(kind(frame.to_dict("list")), Y)
    seen = frame[["mfcc1", "mfcc0"]]
    message = r"(?s)feature names should match.*no column of view 'colour'.* `X.reindex\(columns="
    with pytest.raises(ValueError, match=message):
        model.transform(kind(seen.to_dict("list")))
    added = kind(seen.reindex(columns=model.feature_names_in_).to_dict("list"))
    expected = model.transform(kind(frame.assign(hue=np.nan, sat=np.nan).to_dict("list")))
    np.testing.assert_array_equal(model.transform(added), expected)
    for other in (frame[["mfcc0", "hue", "sat"]], frame[["mfcc0", "hue"]]):
        with pytest.raises(ValueError, match="feature names should match") as found:
            model.transform(kind(other.to_dict("list")))
        assert not getattr(found.value, "__notes__", [])


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_columns_in_another_order_may_be_sorted(kind):
    names = ["mfcc0", "mfcc1", "hue", "sat"]
    frame = pd.DataFrame(X, columns=names)
    model = LEGOFusionTransformer(VIEWS).fit(kind(frame.to_dict("list")), Y)
    for other in (frame[names[::-1]], frame.assign(more=0)):
        given = kind(other.to_dict("list"))
        with pytest.raises(ValueError, match="feature names should match") as found:
            model.transform(given)
        (note,) = found.value.__notes__
        assert "`X[list(model.feature_names_in_)]` selects them in their order" in note
        sorted_again = model.transform(given[list(model.feature_names_in_)])
        np.testing.assert_array_equal(sorted_again, model.transform(kind(frame.to_dict("list"))))


def test_columns_of_a_view_that_bags_lack_may_be_added():
    bags = [pd.DataFrame(bag, columns=list("abcd")) for bag in BAGS]
    model = LEGOAnomalyClassifier({"one": ["a", "b"], "other": ["c", "d"]}).fit(bags, Y)
    less = [bag[["a", "b"]] for bag in bags]
    with pytest.raises(ValueError, match=r"(?s)feature names.*no column of view 'other'"):
        model.predict(less)
    added = [bag.reindex(columns=model.feature_names_in_) for bag in less]
    assert len(model.score_units(added)) == len(bags)


def test_a_text_that_is_missing_is_a_missing_view():
    """As docs/guide/domains_and_missing_views.rst does it: rows without a word are made NaN."""
    frame = pd.DataFrame(X[:, :2], columns=["width", "height"]).assign(note=TEXTS)
    frame.loc[[0, 5], "note"] = [None, np.nan]

    def fill(texts):
        return texts.fillna("")

    def mark(table):
        table = table.toarray()
        return np.where(table.any(axis=1, keepdims=True), table, np.nan)

    words = make_pipeline(FunctionTransformer(fill), TfidfVectorizer(), FunctionTransformer(mark))
    table = make_column_transformer(("passthrough", ["width", "height"]), (words, "note"))
    fusion = LEGOFusionTransformer({"size": slice(0, 2), "words": slice(2, None)})
    pipe = make_pipeline(table, fusion).fit(frame, Y)
    found = missing_blocks(table.transform(frame), fusion.views_)
    assert np.argwhere(found).tolist() == [[0, 1], [5, 1]]
    new = frame.assign(note=[None, "", "unheard-of", *TEXTS[3:]])[:3]
    for graph in list(fusion.relation_graphs(table.transform(new)).values())[-1:]:
        np.testing.assert_array_equal(graph, 0)
    assert np.isfinite(pipe.transform(new)).all()


def test_transform_errors():
    model = LEGOFusionTransformer(VIEWS, relation="cosine").fit(X, Y)
    with pytest.raises(ValueError, match="X has 3 features"):
        model.transform(X[:, :3])
    with pytest.raises(ValueError, match="partly NaN"):
        model.transform(broken((3, 0), np.nan))
    with pytest.raises(ValueError, match="transform was given domains, but fit was not"):
        model.transform(X, sample_domain=Y)
    with pytest.raises((TypeError, ValueError), match="stack_views"):
        model.transform([X[:, :2], X[:, 2:]])
    hops = LEGOFusionTransformer(VIEWS, relation="rbf", expansion="hops").fit(X, Y)
    with pytest.raises(ValueError, match="references cannot be given with expansion='hops'"):
        hops.fused_graph(X, X)


@pytest.mark.parametrize("reader", DOMAIN_READERS.values(), ids=DOMAIN_READERS)
@pytest.mark.parametrize(
    ("domains", "message"),
    [
        (np.arange(5), r"one domain for each of the 12 {}s; got shape \(5,\)"),
        (np.zeros((12, 1)), r"one domain for each of the 12 {}s; got shape \(12, 1\)"),
        ([[1, 2]] + [[1]] * 11, "one domain for each of the 12 {}s; got shape that differs"),
        (np.r_[np.nan, np.ones(11)], r"sample_domain is missing in 1 {}\(s\)"),
        ([np.datetime64("NaT", "s")] * 2 + [np.datetime64(0, "D")] * 10, "is missing in 2 {}"),
        ([None] + ["a"] * 11, "sample_domain is missing in 1 {}"),
        (np.array([pd.NA] + ["a"] * 11, object), "sample_domain is missing in 1 {}"),
        (pd.Series([None] + ["a"] * 11, dtype="string"), "sample_domain is missing in 1 {}"),
        ([np.nan] + ["a"] * 11, "sample_domain is missing in 1 {}"),
        (np.array([1] + ["a"] * 11, object), "sample_domain mixes strings and other labels"),
        (deque([np.nan] + ["a"] * 11), "sample_domain is missing in 1 {}"),
        ([1] + ["a"] * 11, "sample_domain mixes strings and other labels"),
        ([date(2026, 1, 1)] + [1] * 11, "sample_domain mixes labels of types that cannot be sort"),
    ],
)
def test_domains(reader, domains, message):
    read, sample = reader
    with pytest.raises(ValueError, match=message.format(sample)):
        read(domains)


def test_domains_in_transform():
    model = LEGOFusionTransformer(VIEWS, relation="cosine").fit(X, Y, sample_domain=Y)
    with pytest.raises(ValueError, match=r"transform needs sample_domain .*routing, after"):
        model.transform(X)
    with pytest.raises(ValueError, match="references need reference_domain"):
        model.fused_graph(X, X, sample_domain=Y)
    with pytest.raises(ValueError, match=r"Unknown domain\(s\) \[2\]: fit saw \[0, 1\]"):
        model.transform(X, sample_domain=Y + 1)
    column = LEGOFusionTransformer({"a": [0, 1]}, relation="cosine", domain_column=3)
    table = broken((slice(None), 3), Y)
    column.fit(table, Y)
    with pytest.raises(ValueError, match="either sample_domain or domain_column"):
        column.transform(table, sample_domain=Y)


def test_a_failed_refit_keeps_the_first_fit():
    model = LEGOFusionTransformer(VIEWS, relation="cosine").fit(X, Y)
    before, state = model.transform(X), dict(vars(model))
    with pytest.raises(ValueError, match="partly NaN"):
        model.fit(broken((0, 0), np.nan)[:, :4], Y)
    assert vars(model).keys() == state.keys()
    assert all(vars(model)[name] is value for name, value in state.items())
    np.testing.assert_array_equal(model.transform(X), before)


def test_arrays_that_are_not_as_fitted_are_still_validated():
    """Arrays of floats of the right width skip validation; no others do."""
    X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 2
    model = LEGOFusionTransformer(2).fit(X, y)
    expected = model.transform(X)
    for same in (X.tolist(), np.asfortranarray(X), X.astype(">f8"), X.astype(object)):
        np.testing.assert_allclose(model.transform(same), expected)
    with pytest.raises(ValueError, match="X has 3 features"):
        model.transform(X[:, :3])
    with pytest.raises(ValueError, match="0 sample"):
        model.transform(X[:0])
    with pytest.raises(ValueError, match="2D array"):
        model.transform(X[0])
    model.fit(pd.DataFrame(X, columns=list("abcd")), y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.transform(X)


@pytest.mark.parametrize("estimator", [LEGOFusionTransformer, LEGOAnomalyClassifier])
def test_a_view_holds_a_column_once(estimator):
    frame = pd.DataFrame(X, columns=["mfcc0", "mfcc1", "hue", "sat"])
    with pytest.raises(ValueError, match="view 'a' has column 'hue' twice"):
        estimator({"a": ["hue", "hue"], "b": ["sat"]}).fit(frame, Y)
    estimator({"a": ["hue", "sat"], "b": ["sat"]}).fit(frame, Y)  # of several views, it may be


@pytest.mark.parametrize("estimator", [LEGOFusionTransformer, LEGOAnomalyClassifier])
@pytest.mark.parametrize("views", [[slice(0, 2), slice(2, 4)], [1, 2], [("a", [0, 1]), "b"]])
def test_views_without_names(estimator, views):
    with pytest.raises(TypeError, match=r"a dict \{name: columns\} or a list of \(name, columns\)"):
        estimator(views).fit(X, Y)
    assert not estimator(views).__sklearn_tags__().input_tags.allow_nan


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, lambda y: [u.tolist() for u in y]])
@pytest.mark.parametrize("lengths", [np.full(12, 3), np.arange(12) % 3 + 1])
def test_labels_of_units_are_no_labels_of_bags(kind, lengths):
    if kind is np.array and len(set(lengths)) > 1:
        kind = lambda y: np.array(y, dtype=object)  # noqa: E731
    bags = [np.ones((n, 4)) * np.arange(n)[:, None] + i for i, n in enumerate(lengths)]
    y = kind([np.full(n, label) for n, label in zip(lengths, Y, strict=True)])
    model = LEGOAnomalyClassifier(VIEWS, pooling="units", max_epochs=1)
    message = r"one label for each bag, got .*`\[max\(labels\) for labels in y\]`"
    for fit in (model.fit, model.set_params(head="net").partial_fit):
        with pytest.raises(ValueError, match=message):
            fit(bags, y)
    model.set_params(head="auto").fit(bags, [max(labels) for labels in y])
    with pytest.raises(ValueError, match=message):
        model.score(bags, y)


@pytest.mark.parametrize(
    "y",
    [
        np.array([*"ababa", None, *"ababab"], dtype=object),
        pd.Series([*"ababa", None, *"ababab"]),
        pd.Series([*"ababa", None, *"ababab"], dtype="string"),
        pd.Series([*"ababa", None, *"ababab"], dtype="category"),
        np.array([*"01010", "NaT", *"010101"], "M8[D]"),
        np.array([0, 1, 0, 1, 0, np.nan, *[0, 1] * 3]),
    ],
)
def test_a_missing_label_is_placed(y):
    with pytest.raises(ValueError, match=r"missing labels \(NaN or None; first: bag 5\)"):
        LEGOAnomalyClassifier(VIEWS).fit(BAGS, y)


HIDDEN = np.zeros((12, 3, 4), bool)
HIDDEN[5, 0] = True
MASKED_BAGS = np.ma.masked_array(BAGS, HIDDEN)
FILL = r" has 4 masked value\(s\), .* fill them with NaN by `\.astype\(float\)\.filled\(np\.nan\)`"


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (lambda table: LEGOFusionTransformer(VIEWS).fit(table, Y), "X"),
        (lambda table: LEGOFusionTransformer(VIEWS).fit(X, Y).transform(table), "X"),
        (lambda table: LEGOAnomalyClassifier(VIEWS).fit(table, Y), "X"),
        (lambda table: stack_views({"a": X, "b": table}), "view 'b'"),
        (lambda table: to_bags(table, Y), "X"),
    ],
)
def test_masked_values_of_a_table_are_to_be_filled(read, what):
    with pytest.raises(ValueError, match=f"^{what}{FILL}"):
        read(MASKED_BAGS[:, 0])


@pytest.mark.parametrize(
    ("bags", "what"),
    [(MASKED_BAGS, "X"), (list(MASKED_BAGS), "bag 5"), (MASKED_BAGS.astype(int), "X")],
)
def test_masked_values_of_bags_are_to_be_filled(bags, what):
    model = LEGOAnomalyClassifier(VIEWS, n_references=5).fit(BAGS, Y)
    for read in (lambda: model.fit(bags, Y), lambda: model.predict(bags)):
        with pytest.raises(ValueError, match=f"^{what}{FILL}"):
            read()


@pytest.mark.parametrize("estimator", [LEGOFusionTransformer(VIEWS), LEGOAnomalyClassifier(VIEWS)])
def test_masked_labels_are_to_be_dropped(estimator):
    y = np.ma.masked_array(Y, Y + np.arange(12) < 2)
    message = (
        r"^y has 1 masked value\(s\), .* drop .* from X and y, by `~np\.ma\.getmaskarray\(y\)`"
    )
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


@pytest.mark.parametrize("mask", [False, np.ma.nomask])
def test_arrays_in_which_nothing_is_masked_are_as_their_data(mask):
    table, y = np.ma.masked_array(X, mask), np.ma.masked_array(Y, mask)
    model, plain = (LEGOFusionTransformer(VIEWS, random_state=0) for _ in range(2))
    expected = plain.fit_transform(X, Y)
    np.testing.assert_array_equal(model.fit_transform(table, y), expected)
    model, plain = (
        LEGOAnomalyClassifier(VIEWS, n_references=5, random_state=0).fit(*given)
        for given in ((np.ma.masked_array(BAGS, mask), y), (BAGS, Y))
    )
    np.testing.assert_array_equal(model.decision_function(BAGS), plain.decision_function(BAGS))


DAYS = np.datetime64("2020-01-01", "D") + np.arange(12)


@pytest.mark.parametrize(
    "y",
    [
        DAYS,
        DAYS[Y],
        DAYS - DAYS[0],
        DAYS[Y].tolist(),
        pd.Series(DAYS),
        pd.Series(DAYS[Y]).dt.tz_localize("UTC"),
        pl.Series(DAYS[Y]),
    ],
)
def test_dates_are_no_labels_of_bags(y):
    message = r"y holds dates or times \(first: .*\), not labels of bags: .* one of two classes"
    with pytest.raises(ValueError, match=message):
        LEGOAnomalyClassifier(VIEWS).fit(BAGS, y)


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, pl.DataFrame, np.ndarray.tolist])
def test_in_tables_of_any_form_1_is_the_anomalous_class(form):
    table = np.random.default_rng(0).normal(size=(30, 4))
    with pytest.warns(UserWarning, match="Which class is anomalous.*1"):
        fitted = LEGOAnomalyClassifier(2).fit(form(table), np.where(np.arange(30) % 2, 1, -1))
    assert fitted.pos_label_ == 1


@pytest.mark.parametrize("views", [None, VIEWS, {"a": ["a"]}])
@pytest.mark.parametrize("names", [list("abca"), [0, 1, 2, 0]])
def test_a_name_of_two_columns(views, names):
    frame = pd.DataFrame(X, columns=names)
    message = rf"X has 2 columns named {names[0]!r}: rename them"
    with pytest.raises(ValueError, match=message):
        LEGOFusionTransformer(views).fit(frame, Y)
    if names[0] == "a":
        for bags in (frame, [frame[i:] for i in range(12)]):
            with pytest.raises(ValueError, match=message):
                LEGOAnomalyClassifier(views).fit(bags, Y)
    fitted = LEGOFusionTransformer(VIEWS).fit(pd.DataFrame(X, columns=list("abcd")), Y)
    with pytest.raises(ValueError, match=message):
        fitted.transform(frame)


def test_names_lost_in_the_step_before():
    frame = pd.DataFrame(X, columns=list("abcd"))
    bags = [pd.DataFrame(bag, columns=list("abcd")) for bag in BAGS]
    views = {"one": ["a", "b"], "other": make_column_selector("^[cd]$")}
    before = StandardScaler(), PerUnit(StandardScaler())
    kinds = LEGOFusionTransformer, LEGOAnomalyClassifier
    for step, kind, data in zip(before, kinds, (frame, bags), strict=True):
        advice = '`.set_output(transform="pandas")`'
        with pytest.raises(ValueError, match="X has no column names") as found:
            make_pipeline(step, kind(views)).fit(data, Y)
        assert advice in str(found.value)
        with pytest.raises(ValueError, match="only be applied to pandas") as found:
            make_pipeline(step, kind({"other": views["other"]})).fit(data, Y)
        assert advice in found.value.__notes__[0]
        pipe = make_pipeline(step.set_output(transform="pandas"), kind(views)).fit(data, Y)
        assert {name: len(index) for name, index in pipe[-1].views_.items()} == {
            "one": 2, "other": 2
        }  # fmt: skip


@pytest.mark.parametrize("estimator", [LEGOFusionTransformer, LEGOAnomalyClassifier])
def test_a_view_that_no_user_named_is_called_x(estimator):
    words = X.astype(object)
    words[3, 1] = "low"
    for table, message in [
        (broken((3, 1), np.nan), r"^X: 1 row is partly NaN .* by SimpleImputer\.$"),
        (broken((3, 1), np.inf), "^X: 1 row is not finite"),
        (pd.DataFrame(words), "^X: column 1 holds no numbers"),
    ]:
        with pytest.raises(ValueError, match=message):
            estimator().fit(table, Y)
    with pytest.raises(ValueError, match=r"got 'cos'\.$"):
        estimator(relation="cos").fit(X, Y)
    with pytest.raises(ValueError, match=r"are \['x'\] \(views=None is one of all columns\)"):
        estimator(relation={"all": "cosine"}).fit(X, Y)
