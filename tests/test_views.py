"""Views: every way to say columns, stacking, missing blocks, and the errors by message."""

import warnings
from inspect import signature

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import TfidfVectorizer

from legofuse.views import check_not_list_of_views, missing_blocks, resolve_views, stack_views
from legofuse.views._take import take_column

NAMES = ["mfcc0", "mfcc1", "hue", "t_cat", "t_dog"]
FRAME = pd.DataFrame(np.arange(15.0).reshape(3, 5), columns=NAMES)


def columns(spec, **kwargs):
    kwargs = {"feature_names": NAMES, "frame": FRAME} | kwargs
    return resolve_views({"v": spec}, 5, **kwargs)["v"].tolist()


# ------------------------------------------------------------------ resolve_views
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("hue", [2]),
        (["mfcc1", "mfcc0"], [1, 0]),
        (np.array(["t_dog"]), [4]),
        (pd.Index(["hue", "t_cat"]), [2, 3]),
        (pl.Series([0, 2]), [0, 2]),
        (3, [3]),
        (-1, [4]),
        (np.int32(1), [1]),
        (np.array(3), [3]),
        (np.array("hue"), [2]),
        ([0, -1], [0, 4]),
        ((1, 2), [1, 2]),
        (range(2), [0, 1]),
        (np.array([4, 0]), [4, 0]),
        (slice(1, 3), [1, 2]),
        (slice(-2, None), [3, 4]),
        (slice(None, None, 2), [0, 2, 4]),
        (slice("mfcc1", "t_cat"), [1, 2, 3]),
        (slice(None, "hue"), [0, 1, 2]),
        (slice("hue", None), [2, 3, 4]),
        ([True, False, False, False, True], [0, 4]),
        (np.array([0, 1, 0, 0, 0], dtype=bool), [1]),
        (make_column_selector(pattern="^t_"), [3, 4]),
        (lambda frame: [name for name in frame.columns if name.startswith("m")], [0, 1]),
    ],
)
def test_columns(spec, expected):
    assert columns(spec) == expected


@pytest.mark.parametrize(
    "spec",
    ["hue", ["mfcc1", "hue"], [0, -1], slice(1, 3), slice("mfcc1", "t_cat"), [True] + [False] * 4,
     make_column_selector(pattern="^t_")],
)  # fmt: skip
def test_columns_mean_what_column_transformer_means(spec):
    spec = [spec] if isinstance(spec, str) else spec
    expected = ColumnTransformer([("v", "passthrough", spec)]).fit_transform(FRAME)
    assert_array_equal(FRAME.to_numpy()[:, columns(spec)], expected)


def test_names_come_from_the_frame():
    for frame in (FRAME, pl.from_dict({name: [0.0] for name in NAMES})):
        assert columns(["hue"], feature_names=None, frame=frame) == [2]


def test_none_is_one_view_of_all_columns():
    views = resolve_views(None, 3)
    assert list(views) == ["x"]
    assert views["x"].dtype == np.int64
    assert_array_equal(views["x"], [0, 1, 2])


@given(n_features=st.integers(1, 60), k=st.integers(1, 60))
def test_int_splits_like_array_split(n_features, k):
    if k > n_features:
        with pytest.raises(ValueError, match=rf"n_features = {n_features}\b"):
            resolve_views(k, n_features)
        return
    views = resolve_views(k, n_features)
    assert list(views) == [f"view{i}" for i in range(k)]
    assert_array_equal(np.concatenate(list(views.values())), np.arange(n_features))
    assert {len(c) for c in views.values()} <= {n_features // k, -(-n_features // k)}


def test_order_and_overlap_are_kept():
    views = resolve_views([("b", [2, 1]), ("a", slice(0, 2))], 3)
    assert list(views) == ["b", "a"]
    assert_array_equal(views["b"], [2, 1])
    assert_array_equal(views["a"], [0, 1])


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("mfcc2", ValueError, r"view 'v': unknown column 'mfcc2'; the nearest .*'mfcc\d'"),
        (["zzz"], ValueError, r"unknown column 'zzz'; known names are 'mfcc0'"),
        (slice("mfcc0", "zzz"), ValueError, r"unknown column 'zzz'"),
        (7, ValueError, r"column 7 does not exist; X has 5 columns \(0 to 4\)"),
        ([0, -6], ValueError, r"column -6 does not exist"),
        ([], ValueError, r"view 'v' has no columns: \[\] selects none of the 5"),
        (slice(5, None), ValueError, r"view 'v' has no columns"),
        (slice(0, 0), ValueError, "Correct it, or drop this entry of views"),
        (slice(3, 9), ValueError, r"slice\(3, 9, None\) ends beyond .* X has 5 columns"),
        (slice("mfcc0", 3), TypeError, r"a slice is of ints or of names"),
        ([False] * 5, ValueError, r"view 'v' has no columns"),
        (make_column_selector(pattern="^q"), ValueError, r"view 'v' has no columns.*'mfcc0'"),
        ([True, False], ValueError, r"mask has 2 entries, but X has 5 columns"),
        (True, TypeError, r"view 'v': columns must be names, ints, a slice"),
        (None, TypeError, r"view 'v': columns must be"),
        (1.0, TypeError, r"view 'v': columns must be"),
        ([0.0, 1.0], TypeError, r"all names, all ints or all booleans"),
        (["hue", 1], TypeError, r"all names, all ints or all booleans"),
        ([[0, 1]], TypeError, r"all names, all ints or all booleans"),
        (
            [["hue"], ["f0", "f1"]],
            TypeError,
            r"all names, all ints or all booleans, got \[\['hue'\]",
        ),
        ([np.array(0.5), np.array(1)], TypeError, r"all names, all ints or all booleans"),
        ({0, 1}, TypeError, r"columns must be"),
        ({"audio": [0]}, TypeError, r"views by domain are for bags"),
        (slice(0.0, 2.0), TypeError, r"a slice is of ints or of names"),
        (slice(0, 2, 0), ValueError, r"view 'v': a slice's step must not be 0"),
        (["hue", "hue"], ValueError, r"view 'v' has column 'hue' twice: give each .* once"),
        ([0, 3, 3, 0], ValueError, r"view 'v' has column 'mfcc0' twice"),
        ([4, -1], ValueError, r"view 'v' has column 't_dog' twice"),
        (lambda frame: ["hue", "t_cat", "hue"], ValueError, r"view 'v' has column 'hue' twice"),
    ],
)
def test_bad_columns(spec, error, message):
    with pytest.raises(error, match=message):
        columns(spec)


def test_a_column_without_a_name_is_told_by_its_place():
    with pytest.raises(ValueError, match=r"view 'b' has column 2 twice"):
        resolve_views({"a": [0, 1], "b": [1, 2, 2]}, 4)
    twice = pd.DataFrame(np.zeros((2, 3)), columns=["hue", "sat", "hue"])
    with pytest.raises(
        ValueError, match=r"view 'v' has column 'hue' twice"
    ):  # never the first, twice
        resolve_views({"v": list}, 3, frame=twice)
    assert_array_equal(resolve_views({"v": [0, 2]}, 3, frame=twice)["v"], [0, 2])


def test_known_names_are_listed_in_full_where_they_are_few():
    for n, end in ((10, "'c8', 'c9'."), (11, "'c6', 'c7' and 3 more.")):
        names = [f"c{i}" for i in range(n)]
        with pytest.raises(ValueError, match="known names are 'c0', 'c1'") as found:
            resolve_views({"v": ["zzz"]}, n, feature_names=names)
        assert str(found.value).endswith(end)


def test_a_callable_that_fails_is_told_by_view():
    with pytest.raises(KeyError, match="zzz") as found:
        columns(lambda frame: frame["zzz"])
    assert found.value.__notes__ == ["view 'v': raised by the callable that chooses its columns."]


@pytest.mark.parametrize(
    ("views", "error", "message"),
    [
        (0, ValueError, "at least 1"),
        (6, ValueError, "n_features = 5"),
        (True, TypeError, "views must be None, an int, a dict"),
        (2.0, TypeError, "views must be None, an int, a dict"),
        ("audio", TypeError, "views must be None, an int, a dict"),
        (["ab", "cd"], TypeError, "views must be None, an int, a dict"),
        ([("a", [0], 1)], TypeError, "views must be None, an int, a dict"),
        ([[0, 1], [2, 3]], TypeError, "a view's name must be a string, got 0"),
        ({0: [0]}, TypeError, "a view's name must be a string, got 0"),
        ({}, ValueError, "views is empty"),
        ([], ValueError, "views is empty"),
        ([("a", [0]), ("a", [1])], ValueError, "the name 'a' is used for two views"),
    ],
)
def test_bad_views(views, error, message):
    with pytest.raises(error, match=message):
        resolve_views(views, 5, feature_names=NAMES)


def test_names_without_named_columns():
    unnamed = pd.DataFrame(np.zeros((2, 5)))
    for kwargs in ({"frame": None}, {"frame": unnamed}):
        with pytest.raises(ValueError, match=r"view 'v': column 'hue' .* no column names"):
            columns("hue", feature_names=None, **kwargs)


def test_callable_without_frame():
    with pytest.raises(TypeError, match=r"view 'v'.*callable need a frame"):
        columns(make_column_selector(), frame=None)


def test_complex_numbers_are_no_view():
    with pytest.raises(ValueError, match=r"view 'waves' holds complex numbers: give real ones"):
        stack_views({"waves": np.ones((3, 2)) * 1j, "other": np.ones((3, 2))})


# ------------------------------------------------------------------ a bare list of views
@pytest.mark.parametrize(
    "X",
    [
        [np.eye(3), np.eye(3)],
        (np.eye(3), np.eye(3)),
        [FRAME],
        [sparse.eye(3, format="csr")] * 2,
        [[[0.0, 1.0]], [[0.0, 1.0]]],
        np.array([np.eye(3), np.ones((3, 2)), None], dtype=object)[:2],
        {"a": np.eye(3)},
    ],
)
def test_bare_list_of_views_names_stack_views(X):
    with pytest.raises(TypeError, match=r"X, views = stack_views\(Xs\)"):
        check_not_list_of_views(X)


@pytest.mark.parametrize(
    "X",
    [
        [[0.0, 1.0], [2.0, 3.0]],
        [np.zeros(2), np.ones(2)],
        (1, 2),
        [],
        np.zeros((2, 2)),
        np.zeros(3),
        np.array(["text", None], dtype=object),
        FRAME,
        sparse.eye(3),
        ["text", "text"],
        None,
    ],
)
def test_other_X_passes(X):
    check_not_list_of_views(X)


def test_an_array_of_three_dimensions_may_be_views_or_bags():
    X = np.zeros((2, 3, 4))
    message = r"X has dim 3, shape \(2, 3, 4\).* LEGOAnomalyClassifier.* stack_views\(list\(X\)\)`"
    with pytest.raises(ValueError, match=message):
        check_not_list_of_views(X)
    assert stack_views(list(X))[0].shape == (3, 8)


# ------------------------------------------------------------------ columns
@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        np.ndarray.tolist,
        sparse.csr_array,
        sparse.coo_matrix,
        lambda rows: pd.DataFrame(rows, columns=NAMES),
        lambda rows: pl.DataFrame(rows, schema=NAMES),
    ],
)
@pytest.mark.parametrize("index", [2, np.int64(2)])
def test_a_column_of_any_table(form, index):
    rows = np.arange(15.0).reshape(3, 5)
    column = take_column(form(rows), index)
    assert_array_equal(column, rows[:, 2])
    assert np.shape(column) == (3,)


@pytest.mark.parametrize("form", [pd.DataFrame, lambda table: pl.from_pandas(pd.DataFrame(table))])
def test_a_column_of_times_keeps_its_zone(form):
    when = pd.date_range("2020-01-01", periods=3, tz="Europe/Berlin")
    column = take_column(form({"height": [1.0, 2.0, 3.0], "when": when}), 1)
    assert "Europe/Berlin" in str(column.dtype)


# ------------------------------------------------------------------ stack_views
@given(widths=st.lists(st.integers(1, 5), min_size=1, max_size=5), n=st.integers(1, 6))
def test_stacked_views_come_back(widths, n):
    rng = np.random.default_rng(0)
    Xs = {f"v{i}": rng.normal(size=(n, width)) for i, width in enumerate(widths)}
    X, views = stack_views(Xs)
    resolved = resolve_views(views, X.shape[1])
    for name, block in Xs.items():
        assert_array_equal(X[:, resolved[name]], block)
    as_list, views_of_list = stack_views(list(Xs.values()))
    assert_array_equal(as_list, X)
    assert list(views_of_list) == [f"view{i}" for i in range(len(widths))]
    as_pairs, views_of_pairs = stack_views(list(Xs.items()))
    assert_array_equal(as_pairs, X)
    assert views_of_pairs == views


def test_stack_pandas_frames_keeps_a_frame_with_unique_names():
    frame = FRAME.set_index(pd.Index([9, 7, 8]))
    X, views = stack_views({"a": frame, "b": frame})
    assert isinstance(X, pd.DataFrame)
    assert list(X.columns) == [f"{view}__{name}" for view in "ab" for name in NAMES]
    assert_array_equal(X.index, [9, 7, 8])
    assert_array_equal(X.to_numpy()[:, views["b"]], FRAME)
    assert list(FRAME.columns) == NAMES


def test_stack_polars_frames():
    frame = pl.DataFrame(FRAME.to_dict("list"))
    X, views = stack_views([frame, frame])
    assert isinstance(X, pl.DataFrame)
    assert X.columns == [f"{view}__{name}" for view in ("view0", "view1") for name in NAMES]
    assert_array_equal(X.to_numpy()[:, views["view1"]], FRAME)


def test_stack_mixed_frames_gives_an_array():
    X, _ = stack_views({"a": FRAME, "b": np.ones((3, 1)), "c": [[1], [2], [3]]})
    assert isinstance(X, np.ndarray)
    assert X.shape == (3, 7)


def test_stack_keeps_float32_and_makes_csr_of_sparse():
    block = np.eye(3, dtype=np.float32)
    assert stack_views([block, block])[0].dtype == np.float32
    X, views = stack_views({"text": sparse.coo_matrix(block), "image": 2 * block})
    assert sparse.issparse(X)
    assert X.format == "csr"
    assert X.dtype == np.float32
    assert_array_equal(X[:, views["image"]].toarray(), 2 * block)


def test_stack_lists_of_bags():
    sizes = [2, 1, 3]
    audio = [np.full((n, 2), i) for i, n in enumerate(sizes)]
    video = [np.full((n, 3), -i) for i, n in enumerate(sizes)]
    bags, views = stack_views({"audio": audio, "video": video})
    assert isinstance(bags, list)
    assert views == {"audio": slice(0, 2), "video": slice(2, 5)}
    assert [bag.shape for bag in bags] == [(n, 5) for n in sizes]
    assert_array_equal(bags[2][:, views["video"]], video[2])
    ragged = np.empty(3, dtype=object)
    ragged[:] = audio
    assert_array_equal(stack_views([ragged, video])[0][2], bags[2])


def test_stack_3d_arrays_of_bags():
    X, views = stack_views([np.zeros((4, 3, 2)), np.ones((4, 3, 1))])
    assert X.shape == (4, 3, 3)
    assert_array_equal(X[..., views["view1"]], 1)


ROWS = np.zeros((3, 2))
LEVELS = FRAME.set_axis(pd.MultiIndex.from_tuples([(0, 0, 0), (0, 1, 0), (1, 0, 0)]))


@pytest.mark.parametrize(
    ("Xs", "error", "message"),
    [
        (ROWS, TypeError, "stack_views takes a dict"),
        ("ab", TypeError, "stack_views takes a dict"),
        ([], ValueError, "name at least one view"),
        ({1: ROWS}, TypeError, "name must be a string, got 1"),
        (
            [("a", ROWS), ROWS],
            TypeError,
            "takes must be a dict {name: array} or",
        ),
        ([("a", ROWS), ("a", ROWS)], ValueError, "the name 'a' is used for two views"),
        ({"a": ROWS, "b": ROWS[:2]}, ValueError, "numbers of rows: 'a' has 3, 'b' has 2"),
        ({"a": FRAME, "b": FRAME[:2]}, ValueError, "numbers of rows: 'a' has 3, 'b' has 2"),
        ({"a": ROWS, "b": sparse.eye(2)}, ValueError, "numbers of rows: 'a' has 3, 'b' has 2"),
        (
            {"a": FRAME, "b": FRAME[::-1]},
            ValueError,
            "'a' and 'b' have different row ind.* in another",
        ),
        (
            {"a": FRAME, "b": FRAME.set_axis([1, 2, 3])},
            ValueError,
            r"different row.* `\.reindex\(index\)`.*union.* NaN .*join='inner'.*reset_index",
        ),
        (
            {"a": FRAME.set_axis([1, 1, 2]), "b": FRAME.set_axis([1, 2, 2])},
            ValueError,
            "a label stands at several rows, .* one of its own, by `set_index`, or, .*reset_index",
        ),
        (
            {"a": LEVELS, "b": LEVELS.set_axis(LEVELS.index.droplevel(2))},
            ValueError,
            "their indices have 3 and 2 levels: give both an index of the same",
        ),
        ({"a": LEVELS, "b": FRAME[1:]}, ValueError, "'a' has 3, 'b' has 2.* have 3 and 1 levels"),
        (
            {"a": FRAME, "b": FRAME[1:]},
            ValueError,
            r"'a' has 3, 'b' has 2; .* Rows have an index: .* `\.reindex\(index\)`.*join='inner'",
        ),
        ({"a": np.zeros(3)}, ValueError, r"view 'a' must have 2 dim.*got 1; reshape\(-1, 1\)"),
        ({"a": [["x", "y"]]}, ValueError, "view 'a' is not a numeric array"),
        ({"a": [[1.0], [1.0, 2.0]]}, ValueError, "view 'a' is not a numeric array"),
        ({"a": np.zeros((3, 0))}, ValueError, "view 'a' has no columns"),
        ([ROWS, np.zeros((3, 2, 2))], ValueError, "number of dimensions"),
        ([[ROWS], [ROWS, ROWS]], ValueError, "numbers of bags: 'view0' has 1, 'view1' has 2"),
        ([[ROWS], [ROWS[:1]]], ValueError, "numbers of units in bag 0: 'view0' has 3"),
        ([[ROWS, ROWS[:, :1]]], ValueError, "view 'view0': bag 1 has 1 features, bag 0 has 2"),
        ([[ROWS], ROWS], ValueError, "'view0' is a list of bags, but view 'view1' is not"),
        ([[sparse.eye(2)]], ValueError, "bag 0 is sparse"),
        ({"a": ROWS, "b": None}, TypeError, "view 'b' is None, .* a row for each sample.* are NaN"),
        ({"b": "red"}, TypeError, "view 'b' is of type str, not a table"),
        ({"b": b"red"}, TypeError, "view 'b' is of type bytes, not a table"),
        ({"b": 3}, TypeError, "view 'b' is of type int, not a table"),
        ({"b": np.float64(3)}, TypeError, "view 'b' is of type float64, not a table"),
        ({"b": np.array(3)}, TypeError, "view 'b' is of type ndarray, not a table"),
        ({"b": {"c": [1.0]}}, TypeError, "view 'b' is of type dict, not a table"),
        ({"b": (row for row in ROWS)}, TypeError, "view 'b' is of type generator, not a table"),
        ([[None, ROWS]], TypeError, "'view0', bag 0 is None, .* a row for each unit.* are NaN"),
        ([[ROWS, ROWS], [ROWS, None]], TypeError, "'view1', bag 1 is None, not a table"),
    ],
)
def test_bad_stacks(Xs, error, message):
    with pytest.raises(error, match=message):
        stack_views(Xs)


@pytest.mark.parametrize(
    ("views", "named"),
    [
        ((ROWS, ROWS), {}),
        ((), {"audio": ROWS, "video": ROWS}),
        ((ROWS,), {"video": ROWS}),
        ((), {}),
    ],
)
def test_views_one_by_one_are_to_be_a_list_or_a_dict(views, named):
    message = (
        r'one argument: `stack_views\(\[a, b\]\)`, .* `stack_views\(\{"audio": a, "video": b\}\)`'
    )
    with pytest.raises(TypeError, match=message):
        stack_views(*views, **named)
    assert list(signature(stack_views).parameters) == ["Xs"]
    assert stack_views(Xs=[ROWS, ROWS])[0].shape == (3, 4)


TEXTS = ["a red box", "a vase", "books"]


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, dtype=object)[:, None],
        pd.Series(TEXTS),
        pd.DataFrame({"text": TEXTS}),
        pl.Series(TEXTS),
        np.array([None, "a red box", np.nan], dtype=object),
    ],
)
def test_text_is_to_be_vectorised(texts):
    message = (
        r"view 'text' .* it holds text \('a red box'\)\. .* `TfidfVectorizer\(\)\.fit_transform"
    )
    with pytest.raises(ValueError, match=message):
        stack_views({"numbers": ROWS, "text": texts})
    X, views = stack_views({"numbers": ROWS, "text": TfidfVectorizer().fit_transform(TEXTS)})
    assert X.shape == (3, 2 + 4)
    assert views["text"] == slice(2, 6)


# ------------------------------------------------------------------ missing_blocks
VIEWS = {"audio": np.array([0, 1, 2]), "video": np.array([5, 3])}


@given(st.data())
def test_missing_blocks_finds_what_was_removed(data):
    n = data.draw(st.integers(1, 8))
    removed = np.array(data.draw(st.lists(st.tuples(*[st.booleans()] * 2), min_size=n, max_size=n)))
    X = np.ones((n, 6), dtype=data.draw(st.sampled_from([np.float32, np.float64])))
    X[:, 4] = np.nan  # in no view
    for k, cols in enumerate(VIEWS.values()):
        X[np.ix_(removed[:, k], cols)] = np.nan
    before = X.copy()
    assert_array_equal(missing_blocks(X, VIEWS), removed)
    assert_array_equal(X, before)


def test_partly_nan_blocks_raise():
    X = np.ones((9, 6))
    X[5, [0, 2]] = np.nan
    X[7, 1] = np.nan
    X[8, :3] = np.nan
    message = r"view 'audio': 2 rows are partly NaN \(first: row 5, columns 0, 2\)\. "
    message += r"Impute .* by legofuse's `ImputeWithin\(views\)`, .*, or make the whole block NaN"
    with pytest.raises(ValueError, match=message):
        missing_blocks(X, VIEWS)
    X[5] = 1.0
    with pytest.raises(ValueError, match=r"1 row is partly NaN \(first: row 7, column 1\)"):
        missing_blocks(X, VIEWS)


def test_all_views_that_are_partly_nan_are_named():
    X = np.ones((9, 8))
    X[[2, 3], 0] = X[4, 7] = np.nan
    X[5, 2:4] = np.nan  # a missing view
    message = r"'view0': 2 rows .* .first: row 2, column 0.; so are 1 in view 'view3'\. Impute"
    with pytest.raises(ValueError, match=message):
        missing_blocks(X, 4)
    wide = np.ones((9, 16))
    wide[3, ::2] = np.nan
    with pytest.raises(ValueError, match=r"1 in view 'view5', some in 2 more views\. Impute"):
        missing_blocks(wide, 8)
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array instead"):
        missing_blocks(wide[0], 1)


@pytest.mark.parametrize(
    "views",
    [
        {"audio": ["f0", "f1"], "video": slice("f3", "f4")},
        [("audio", slice(0, 2)), ("video", [-2, -3])],
        {"audio": lambda X: ["f0", "f1"], "video": np.isin(np.arange(6), [3, 4])},
    ],
)
@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame])
def test_missing_blocks_takes_views_as_estimators_do(form, views):
    table = {f"f{i}": np.arange(3.0) for i in range(6)} | {"f2": ["a", "b", "c"]}
    table["f0"] = table["f1"] = np.array([0.0, np.nan, 1.0])
    expected = [[False, False], [True, False], [False, False]]
    assert missing_blocks(form(table), views).tolist() == expected
    table["f4"] = np.array([np.nan, 0, 1])
    with pytest.raises(ValueError, match=r"view 'video': .* row 0, column 'f4'\)"):
        missing_blocks(form(table), views)


def test_missing_blocks_takes_the_views_of_stack_views():
    audio, video = np.ones((3, 2)), np.ones((3, 1))
    video[1] = np.nan
    X, views = stack_views({"audio": audio, "video": video})
    expected = [[False, False], [False, True], [False, False]]
    assert missing_blocks(X, views).tolist() == expected
    assert missing_blocks(X.tolist(), views).tolist() == expected
    assert missing_blocks(sparse.coo_array(X), views).tolist() == expected


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_raises(value):
    X = np.ones((4, 6))
    X[2, 3] = value
    message = r"view 'video': 1 row is not finite: infinity found \(first: row 2, column 3\)"
    with pytest.raises(ValueError, match=message):
        missing_blocks(X, VIEWS)
    X[2, 3], X[1, 4] = 1.0, value  # a column in no view is ignored
    assert not missing_blocks(X, VIEWS).any()


def test_sum_overflow_is_no_infinity():
    X = np.full((4, 6), np.finfo(np.float32).max, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not missing_blocks(X, VIEWS).any()


def test_integers_have_no_missing_blocks():
    assert not missing_blocks(np.ones((2, 6), dtype=int), VIEWS).any()


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse(make):
    X = np.eye(6)
    X[4, 4] = np.nan  # in no view
    assert_array_equal(missing_blocks(make(X), VIEWS), np.zeros((6, 2), dtype=bool))
    X[3, 3] = np.nan
    with pytest.raises(ValueError, match=r"view 'video': 1 row is partly NaN .*row 3, column 3"):
        missing_blocks(make(X), VIEWS)
    X[3, 5] = X[4, 3] = X[4, 5] = np.nan
    assert_array_equal(missing_blocks(make(X), VIEWS), missing_blocks(X, VIEWS))
    assert_array_equal(np.argwhere(missing_blocks(make(X), VIEWS)), [[3, 1], [4, 1]])
    X[2, 1] = -np.inf
    with pytest.raises(ValueError, match=r"view 'audio': 1 row is not finite.*row 2, column 1"):
        missing_blocks(make(X), VIEWS)


def test_labels_that_are_ints_are_told_from_positions():
    frame = pd.DataFrame(np.ones((3, 2)), columns=[1001, 1002])
    with pytest.raises(ValueError, match=r"column 1002 does not exist.*ints are positions"):
        resolve_views({"v": [1002]}, 2, frame=frame)
    with pytest.raises(ValueError, match=r"column 7 does not exist; X has 2 columns \(0 to 1\)\.$"):
        resolve_views({"v": [7]}, 2, frame=frame)


@pytest.mark.parametrize(
    ("spec", "error"),
    [(["rna"], ValueError), ([("rna", "a")], TypeError), (slice("rna"), ValueError)],
)
def test_columns_of_several_levels_are_joined_or_chosen_by_a_mask(spec, error):
    levels = pd.MultiIndex.from_tuples([("rna", "a"), ("rna", "b"), ("protein", "a")])
    frame = pd.DataFrame(np.ones((3, 3)), columns=levels)
    with pytest.raises(error, match=r"view 'v'.*map\('_'.join\).*get_level_values\(0\)"):
        resolve_views({"v": spec}, 3, frame=frame)
    chosen = {"v": lambda X: X.columns.get_level_values(0) == "rna"}
    assert resolve_views(chosen, 3, frame=frame)["v"].tolist() == [0, 1]
    frame.columns = frame.columns.map("_".join)
    assert resolve_views({"v": ["rna_b"]}, 3, frame=frame)["v"].tolist() == [1]


def test_a_name_without_its_prefix_is_found_with_it():
    names = [f"scale__{i}" for i in range(20)] + ["passthrough__site"]
    with pytest.raises(ValueError, match=r"unknown column 'site'; .* are 'passthrough__site'\.$"):
        resolve_views({"v": ["site"]}, len(names), feature_names=names)
