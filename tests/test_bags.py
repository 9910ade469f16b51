"""Bags: packing against loops, segments against the literal rule, PerUnit in Pipelines."""

import pickle
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from legofuse import LEGOAnomalyClassifier
from legofuse.bags import (
    PerUnit,
    check_bags,
    pack_frames,
    segment,
    segment_means,
    to_bags,
    unit_segments,
)

lengths_of_bags = st.lists(st.integers(1, 7), min_size=1, max_size=6)


def make_bags(lengths, width=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, width)) for n in lengths]


def as_padded(bags):
    padded = np.full((len(bags), max(map(len, bags)) + 1, bags[0].shape[1]), np.nan)
    for i, bag in enumerate(bags):
        padded[i, : len(bag)] = bag
    return padded


# ------------------------------------------------------------------ check_bags
@given(lengths_of_bags)
def test_ragged_object_and_padded_bags_pack_alike(lengths):
    bags = make_bags(lengths)
    objects = np.empty(len(bags), dtype=object)
    objects[:] = bags
    for X in (bags, tuple(bags), objects, [bag.tolist() for bag in bags], as_padded(bags)):
        packed = check_bags(X, n_labels=len(bags))
        assert_array_equal(packed.units, np.concatenate(bags))
        assert_array_equal(packed.lengths, lengths)
        assert_array_equal(packed.offsets, np.r_[0, np.cumsum(lengths)])
        assert_array_equal(packed.bag_of_unit, np.repeat(np.arange(len(bags)), lengths))
        for piece, bag in zip(packed.split(packed.units), bags, strict=True):
            assert_array_equal(piece, bag)
    assert_array_equal(check_bags(as_padded(bags)).n_padding, max(lengths) + 1 - np.array(lengths))
    assert not check_bags(bags).n_padding.any()


def test_only_trailing_missing_units_of_a_3d_array_are_padding():
    bags = make_bags([3, 4])
    bags[0][1] = np.nan
    bags[1][3, :2] = np.nan
    packed = check_bags(as_padded(bags))
    assert_array_equal(packed.units, np.concatenate(bags))
    bags[1][3] = np.nan  # in a list it is a unit that misses every view
    assert_array_equal(check_bags(bags).lengths, [3, 4])
    assert_array_equal(check_bags(as_padded(bags)).lengths, [3, 3])


def test_rows_are_bags_of_one_unit():
    for X in ([[1, 2], [3, 4]], [np.array([1.0, 2.0]), np.array([3.0, 4.0])]):
        packed = check_bags(X)
        assert_array_equal(packed.units, [[1, 2], [3, 4]])
        assert_array_equal(packed.offsets, [0, 1, 2])
        assert packed.feature_names is None
    assert check_bags(pd.DataFrame({"a": [1.0], "b": [2.0]})).feature_names == ["a", "b"]


@pytest.mark.parametrize("Frame", [pd.DataFrame, pl.DataFrame])
def test_frames_as_bags(Frame):
    packed = check_bags([Frame({"a": [1.0, 2.0], "b": [0, 1]}), Frame({"a": [3.0], "b": [2]})])
    assert packed.feature_names == ["a", "b"]
    assert_array_equal(packed.units, [[1, 0], [2, 1], [3, 2]])


@pytest.mark.parametrize("Frame", [pd.DataFrame, pl.DataFrame])
def test_frames_are_packed_whatever_their_columns_hold(Frame):
    bags = [Frame({"a": [1, 2], "c": ["u", "v"]}), Frame({"a": [3.5], "c": ["u"]})]
    packed = pack_frames(bags)
    assert packed.units["a"].to_list() == [1, 2, 3.5]
    assert packed.units["c"].to_list() == ["u", "v", "u"]
    assert packed.feature_names == ["a", "c"]
    assert_array_equal(packed.lengths, [2, 1])
    assert_array_equal(pack_frames(bags[0]).offsets, [0, 1, 2])
    with pytest.raises(ValueError, match="2 bags but 3 labels"):
        pack_frames(bags, 3)
    for other in (bags[0][:0], [bags[0], np.ones((2, 2))], np.ones((2, 2))):
        assert pack_frames(other) is None


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [("ff", "f"), ("fd", "d"), ("ee", "f"), ("ii", "d"), ("??", "d"), ("dd", "d")],
)
def test_dtype(dtypes, expected):
    bags = [np.ones((2, 2), dtype=dtype) for dtype in dtypes]
    assert check_bags(bags).units.dtype == expected
    if dtypes[0] in "fd":
        assert check_bags(np.ones((2, 2, 2), dtype=dtypes[0])).units.dtype == dtypes[0]
        assert check_bags(np.ones((2, 2), dtype=dtypes[0])).units.dtype == dtypes[0]


A = np.ones((2, 3))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([A, A[:0]], ValueError, "bag 1 is empty: it has no units"),
        ([A, []], ValueError, "bag 1 is empty: it has no units"),
        (np.stack([A, np.full_like(A, np.nan)]), ValueError, "bag 1 is empty: all its units"),
        ([A, A[:, :2]], ValueError, "bag 1 has 2 features, but bag 0 has 3"),
        ([A, A[0]], ValueError, r"bag 1 must have 2 dimensions .* got 1: give `bag.reshape\(-1, 1"),
        ([A[0], A[0, :2]], ValueError, r"\(3 in item 0, 2 in item 1\), not bags: a bag is 2-D"),
        ([[1.0, 2.0], [1.0, 2.0], [3.0]], ValueError, r"2 in item 0, 1 in item 2.*`bag\[None\]`"),
        (pd.Series([A[0], A[0, :2]]), ValueError, r"1-D items of unequal .*`bag.reshape\(-1, 1\)`"),
        (np.array([A[0], A[0, :2]], dtype=object), ValueError, "1-D items of unequal lengths"),
        ([A, A[None]], ValueError, "bag 1 must have 2 dimensions .* got 3"),
        ([A, np.full((2, 3), "x")], ValueError, "bag 1 is not an array of real numbers"),
        ([A, A * 1j], ValueError, "bag 1 is not an array of real numbers"),
        ([A, [[1.0], [1.0, 2.0]]], ValueError, "bag 1 is not an array of real numbers"),
        ([A, sparse.eye(3)], TypeError, r"bag 1 is sparse.*toarray"),
        (sparse.eye(3), TypeError, "[Ss]parse data was passed"),
        (sparse.dok_matrix(A), TypeError, "[Ss]parse data was passed"),
        (np.ones(3), ValueError, r"X is 1-D, of shape \(3,\), not bags.*Reshape your .*`\[bag\]`"),
        ([1.0, 2], ValueError, r"X is 1-D, of shape \(2,\), not bags.*`\[\[unit\]\]`"),
        (pd.Series([1.0, 2.0, 3.0]), ValueError, r"X is 1-D, of shape \(3,\), not bags"),
        (np.ones((2, 2, 2, 2)), ValueError, "got 4 dimensions"),
        ([], ValueError, "Expected 2D array, got 1D array"),
        ({"a": [A]}, TypeError, "stack_views"),
        ([A, None], ValueError, "bag 1 must have 2 dimensions .* got 0"),
        (None, TypeError, "X is of type NoneType, not a sequence of bags"),
        ("bags", TypeError, "X is of type str, not a sequence of bags"),
        (np.ones((2, 0, 3)), ValueError, r"X of shape \(2, 0, 3\) holds bags without units"),
        ((bag for bag in [A]), TypeError, "X is of type generator, not a sequence of bags"),
        (np.array(3.0), TypeError, "X is of type float, not a sequence of bags"),
        ([pd.DataFrame(A, columns=list("abc")), pd.DataFrame(A, columns=list("acb"))],
         ValueError, "bag 1 has other column names than bag 0"),
    ],
)  # fmt: skip
def test_bad_bags(X, error, message):
    with pytest.raises(error, match=message):
        check_bags(X)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("acb", "bag 0; order the columns of all bags alike"),
        ("abd", "bag 0: bag 1 has 'd', which bag 0 lacks, and bag 0 has 'c', which bag 1 lacks"),
        ("xyz", "bag 0: bag 1 has 'x', 'y', 'z', which"),
        (range(3), "bag 0: bag 1 has no names, or not strings. Give all bags as frames"),
    ],
)
def test_names_that_differ_are_named(columns, message):
    bags = [pd.DataFrame(A, columns=list("abc")), pd.DataFrame(A, columns=list(columns))]
    with pytest.raises(ValueError, match=f"bag 1 has other column names than {message}"):
        check_bags(bags)


@pytest.mark.parametrize("n_views", [1, 2])
@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_of_bags_for_each_view_are_pointed_to_stacking(n_views, kind):
    message = rf"{kind.__name__} of {n_views} sequences of bags.*stack_views\(Xs\)"
    for view in (make_bags([2, 1]), np.zeros((4, 3, 2)), tuple(make_bags([2, 2]))):
        with pytest.raises(TypeError, match=message):
            check_bags(kind([view] * n_views))
    nested = [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0]]]  # bags of lists are no views
    assert check_bags(nested).lengths.tolist() == [2, 1]


def test_what_the_message_on_one_row_tells_to_write_is_taken():
    bag, unit = A, A[0]
    assert check_bags([bag]).lengths.tolist() == [2]
    assert check_bags([[unit]]).lengths.tolist() == [1]
    assert check_bags(np.array([bag, bag[:1]], dtype=object)).lengths.tolist() == [2, 1]


def test_what_the_message_on_flat_bags_tells_to_write_is_taken():
    flat = [np.arange(4.0), np.arange(3.0)]
    assert check_bags([bag.reshape(-1, 1) for bag in flat]).lengths.tolist() == [4, 3]
    assert check_bags([bag[None] for bag in [flat[0], flat[0]]]).lengths.tolist() == [1, 1]
    assert check_bags([flat[0], flat[0]]).lengths.tolist() == [1, 1]  # rows of a table
    with pytest.raises(ValueError, match="1-D items of unequal lengths"):
        PerUnit(StandardScaler()).fit(flat)


def test_a_list_of_views_is_recognised_by_the_labels():
    views = [np.ones((100, 3)), np.ones((100, 5))]
    with pytest.raises(ValueError, match=r"2 bags but 100 labels: did you mean `stack_views`\?"):
        check_bags(views, n_labels=100)
    with pytest.raises(ValueError, match=r"2 bags but 3 labels: give one"):
        check_bags([A, A], n_labels=3)
    with pytest.raises(ValueError, match=r"2 bags but 3 labels: give one.* as `\[X\]`"):
        check_bags(A, n_labels=3)


# ------------------------------------------------------------------ to_bags
@given(lengths_of_bags, st.integers(0, 9))
def test_to_bags_undoes_a_shuffle(lengths, seed):
    bags = make_bags(lengths)
    groups = np.repeat([f"bag{i}" for i in range(len(bags))], lengths)
    order = np.random.default_rng(seed).permutation(len(groups))
    pieces, ids = to_bags(np.concatenate(bags)[order], groups[order])
    assert_array_equal(ids, np.unique(groups))
    for piece, bag in zip(pieces, bags, strict=True):
        assert_array_equal(np.sort(piece, axis=0), np.sort(bag, axis=0))
    kept, _ = to_bags(np.concatenate(bags), groups)
    for piece, bag in zip(kept, bags, strict=True):
        assert_array_equal(piece, bag)


@pytest.mark.parametrize("Frame", [pd.DataFrame, pl.DataFrame])
def test_to_bags_of_a_frame(Frame):
    bags, ids = to_bags(Frame({"a": [1.0, 2.0, 3.0]}), [7, 3, 7])
    assert ids.tolist() == [3, 7]
    assert all(isinstance(bag, Frame) for bag in bags)
    assert check_bags(bags).feature_names == ["a"]
    assert_array_equal(check_bags(bags).units, [[2], [1], [3]])


@pytest.mark.parametrize(
    ("X", "groups", "error", "message"),
    [
        (A, [0], ValueError, r"one bag id for each of the 2 rows of X, got shape \(1,\)"),
        (A, [[0], [1]], ValueError, "one bag id for each"),
        (A[0], [0, 1, 2], ValueError, "2 dimensions, got 1"),
        (A, [0, np.nan], ValueError, "missing ids"),
        (A, np.array(["a", None], dtype=object), ValueError, "missing ids"),
        (A, ["a", np.nan], ValueError, "missing ids"),
        (A, ["a", 1], ValueError, "groups mixes strings and other labels"),
        (A, np.array(["a", 1], dtype=object), ValueError, "groups mixes strings and other labels"),
        (sparse.eye(2), [0, 1], TypeError, "sparse"),
    ],
)
def test_bad_groups(X, groups, error, message):
    with pytest.raises(error, match=message):
        to_bags(X, groups)


@pytest.mark.parametrize(
    ("frame", "drop"),
    [(pd.DataFrame, "drop(columns='doc')"), (pl.DataFrame, "drop('doc')")],
)
@pytest.mark.parametrize("given", ["doc", ["doc"], np.array("doc")])
def test_a_column_is_given_by_its_values_not_its_name(frame, drop, given):
    table = frame({"height": [1.0, 2.0, 3.0], "doc": ["b", "a", "b"]})
    with pytest.raises(ValueError, match="got 'doc', the name of a column: pass") as found:
        to_bags(table, given)
    assert f"drop it from the features, `to_bags(X.{drop}, X['doc'])`" in str(found.value)
    rest = table.drop(columns="doc") if hasattr(table, "iloc") else table.drop("doc")
    assert check_bags(to_bags(rest, table["doc"])[0]).units.ravel().tolist() == [2, 1, 3]


def test_other_single_values_are_no_ids():
    with pytest.raises(ValueError, match=r"got 'dog': give the ids .* column `X\[name\]`"):
        to_bags(pd.DataFrame({"doc": [1, 2]}), "dog")
    with pytest.raises(ValueError, match=r"rows of X, got 2: give .* array's column k `X\[:, k\]`"):
        to_bags(A, 2)


def test_no_rows_make_no_bags():
    bags, ids = to_bags(A[:0], [])
    assert bags == []
    assert len(ids) == 0


# ------------------------------------------------------------------ segment
def literal_segments(bag, n_segments):
    """The rule of Sultani et al.: cut at floor(i n / S), mean of each; repeat where none is in."""
    cuts = [i * len(bag) // n_segments for i in range(n_segments + 1)]
    rows = [bag[a:b].mean(axis=0) if a < b else bag[a] for a, b in pairwise(cuts)]
    return np.array(rows)


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), n_segments=st.integers(1, 12))
def test_segments_follow_the_literal_rule(lengths, n_segments):
    bags = make_bags(lengths)
    segments = segment(bags, n_segments)
    for i, bag in enumerate(bags):
        expected = literal_segments(bag, n_segments)
        assert_allclose(segments[i], expected, atol=1e-12)
        assert_allclose(segment(bag, n_segments), expected, atol=1e-12)


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), n_segments=st.integers(1, 12))
def test_every_unit_reads_a_segment_that_holds_it(lengths, n_segments):
    offsets = np.r_[0, np.cumsum(lengths)]
    number = np.arange(offsets[-1], dtype=float)[:, None]  # units that differ all
    index = unit_segments(offsets, n_segments)
    assert index.shape == (offsets[-1],)
    bag_of_unit = np.repeat(np.arange(len(lengths)), lengths)
    assert_array_equal(index // n_segments, bag_of_unit)
    means = segment_means(number, offsets, n_segments).ravel()
    for u in range(len(number)):
        assert means[index[u]] == number[index == index[u]].mean()
    if min(lengths) >= n_segments:
        assert set(index) == set(range(len(lengths) * n_segments))


def test_missing_views_are_left_out_of_the_mean():
    bag = np.array([[1.0, 2.0], [3.0, np.nan], [np.nan, np.nan], [np.nan, 8.0]])
    assert_array_equal(segment(bag, 2), [[2.0, 2.0], [np.nan, 8.0]])


def test_segment_keeps_float32_and_3d():
    X = np.ones((3, 9, 2), dtype=np.float32)
    assert segment(X, 4).dtype == np.float32
    assert segment(X, 4).shape == (3, 4, 2)
    assert segment(pd.DataFrame({"a": [1.0, 3.0]}), 1).tolist() == [[2.0]]
    assert segment([[1.0], [3.0]], 1).tolist() == [[2.0]]


@pytest.mark.parametrize("n_segments", [0, -1, 2.0, True, None])
def test_bad_n_segments(n_segments):
    with pytest.raises(ValueError, match="n_segments must be an int of at least 1"):
        segment(A, n_segments)


# ------------------------------------------------------------------ PerUnit
class MeanOfBag(ClassifierMixin, BaseEstimator):
    """Logistic regression on the mean unit: the least estimator of bags."""

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(self._means(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(self._means(X))

    def _means(self, X):
        bags = check_bags(X)
        return np.stack([units.mean(axis=0) for units in bags.split(bags.units)])


@given(lengths_of_bags)
def test_per_unit_is_the_transformer_on_stacked_units(lengths):
    bags = make_bags(lengths)
    expected = StandardScaler().fit_transform(np.concatenate(bags))
    scaler = PerUnit(StandardScaler()).fit(bags)
    transformed = scaler.transform(bags)
    assert isinstance(transformed, list)
    assert [len(bag) for bag in transformed] == lengths
    assert_array_equal(np.concatenate(transformed), expected)
    padded = scaler.transform(as_padded(bags))
    assert_array_equal(padded, as_padded(transformed))
    assert_array_equal(scaler.transform(bags[0]), transformed[0])  # 2-D: rows


def test_per_unit_in_a_grid_search():
    rng = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], 15)
    bags = [rng.normal((label == "yes") * 2, 1, size=(rng.integers(1, 6), 4)) for label in y]
    pipe = Pipeline([("pca", PerUnit(PCA())), ("mean", MeanOfBag())])
    grid = {"pca__transformer__n_components": [1, 2], "pca": [PerUnit(PCA())]}
    search = GridSearchCV(pipe, grid, cv=StratifiedKFold(3)).fit(bags, y)
    assert search.best_score_ > 0.8
    resample = FunctionTransformer(segment, kw_args={"n_segments": 3})
    assert make_pipeline(PerUnit(PCA()), resample, MeanOfBag()).fit(bags, y).score(bags, y) > 0.8


@pytest.mark.parametrize("Frame", [pd.DataFrame, pl.DataFrame])
def test_per_unit_with_frames_of_mixed_columns(Frame):
    bags = [Frame({"a": [1.0, 2.0], "c": ["u", "v"]}), Frame({"a": [3.0], "c": ["u"]})]
    columns = ColumnTransformer([("a", StandardScaler(), ["a"]), ("c", OneHotEncoder(), ["c"])])
    one = PerUnit(columns).fit(bags)
    assert one.get_feature_names_out().tolist() == ["a__a", "c__c_u", "c__c_v"]
    assert one.feature_names_in_.tolist() == ["a", "c"]
    assert one.n_features_in_ == 2
    assert_array_equal(one.transform(bags)[1][:, 1:], [[1, 0]])
    with pytest.raises(ValueError, match="bag 1 has other column names"):
        one.fit([bags[0], bags[1].rename(**({"columns": {"a": "b"}} if Frame is pd.DataFrame
                                            else {"mapping": {"a": "b"}}))])  # fmt: skip


def test_per_unit_needs_a_row_for_each_unit():
    one = PerUnit(FunctionTransformer(lambda X: X[:3])).fit(make_bags([2, 3]))
    with pytest.raises(ValueError, match="FunctionTransformer made 3 rows of 5 units"):
        one.transform(make_bags([2, 3]))


def test_per_unit_set_output_and_sparse_output():
    bags = make_bags([2, 3])
    frames = PerUnit(StandardScaler()).set_output(transform="pandas").fit(bags).transform(bags)
    assert all(isinstance(frame, pd.DataFrame) for frame in frames)
    assert check_bags(frames).units.shape == (5, 3)
    encoded = PerUnit(OneHotEncoder()).fit(bags).transform(bags)
    assert all(isinstance(bag, np.ndarray) for bag in encoded)


def test_broadcast_y():
    bags, y = make_bags([2, 3, 4, 2]), np.array([0, 1, 0, 1])
    for X in (bags, as_padded(bags)):
        select = PerUnit(SelectKBest(k=1), broadcast_y=True).fit(X, y)
        expected = SelectKBest(k=1).fit(np.concatenate(bags), np.repeat(y, [2, 3, 4, 2]))
        assert_array_equal(select.transformer_.scores_, expected.scores_)
    with pytest.raises(ValueError, match="4 bags but 3 labels"):
        select.fit(bags, y[:3])


def test_per_unit_clone_pickle_and_failed_fit():
    bags = make_bags([2, 3])
    scaler = PerUnit(StandardScaler(with_mean=False)).fit(bags)
    assert clone(scaler).get_params()["transformer__with_mean"] is False
    assert not hasattr(clone(scaler), "n_features_in_")
    again = pickle.loads(pickle.dumps(scaler))
    assert_array_equal(again.transform(bags)[1], scaler.transform(bags)[1])
    with pytest.raises(ValueError, match="2 bags but 9 labels: did you mean `stack_views`"):
        scaler.fit([np.ones((9, 1)), np.ones((9, 2))], np.arange(9))
    before = scaler.transformer_
    with pytest.raises(ValueError, match="bag 1 has 2 features"):
        scaler.fit([A, A[:, :2]])
    assert scaler.transformer_ is before


@pytest.mark.others_draw
@parametrize_with_checks([PerUnit(StandardScaler()), PerUnit(SelectKBest(k=1), broadcast_y=True)])
def test_per_unit_on_tables_is_a_scikit_learn_citizen(estimator, check):
    check(estimator)


@pytest.mark.parametrize("Frame", [pd.DataFrame, pl.DataFrame])
def test_an_empty_frame_is_told_whatever_the_others_hold(Frame):
    bag = Frame({"a": ["text", "too"]})
    with pytest.raises(ValueError, match="bag 1 is empty"):
        pack_frames([bag, bag[:0]])


def test_frames_whose_columns_are_numbered_otherwise_are_not_joined_by_number():
    bag = pd.DataFrame(np.arange(4.0).reshape(2, 2))
    other = bag.rename(columns={0: 1, 1: 0})
    assert pack_frames([bag, other]) is None
    assert pack_frames([bag, bag]).units.shape == (4, 2)
    assert check_bags([bag, other]).units.tolist() == [[0, 1], [2, 3]] * 2


def test_ids_of_other_rows_are_refused():
    table, ids = pd.DataFrame({"a": [1.0, 2.0, 3.0]}), pd.Series(["p", "p", "q"])
    turned = ids.iloc[::-1]
    with pytest.raises(ValueError, match=r"different indices.*`groups.loc\[X.index\]`"):
        to_bags(table, turned)
    for groups in (ids, turned.loc[table.index], ids.to_numpy()):
        assert [bag["a"].tolist() for bag in to_bags(table, groups)[0]] == [[1, 2], [3]]
    bags, _ = to_bags(table.to_numpy(), turned)  # an array has no index
    assert [bag.ravel().tolist() for bag in bags] == [[2, 3], [1]]


def test_bags_with_their_ids_are_refused():
    frame = pd.DataFrame({"doc": ["p", "p", "q"], "a": [1.0, 2.0, 3.0]})
    days = pd.to_datetime(["2020-01-01", "2020-01-01", "2021-01-01"])
    groups = list(frame.groupby("doc")), list(frame.groupby(days)), list(frame.groupby(days.date))
    for pairs in (*groups, [("p", A), ("q", A)], [(None, A)], (("p", A), ("q", A), ("r", A))):
        with pytest.raises(TypeError, match=r"pairs, an id and a bag.*`\[bag for _, bag in X\]`"):
            check_bags(pairs)
    with pytest.raises(TypeError, match=r"of bags by id, `list\(X.values\(\)\)`"):
        check_bags({"p": A, "q": A})


def test_per_unit_needs_a_transformer():
    with pytest.raises(TypeError, match="transformer of rows, got LEGOAnomalyClassifier, which"):
        PerUnit(LEGOAnomalyClassifier()).fit([A, A], [0, 1])


def test_a_groupby_is_cut_by_to_bags():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "doc": ["a", "b", "a"]})
    for given_to in (check_bags, PerUnit(StandardScaler()).fit, partial(to_bags, groups=[0, 1])):
        with pytest.raises(TypeError, match=r"X is a groupby .* to_bags\(table, groups\)"):
            given_to(table.groupby("doc"))


@pytest.mark.parametrize("given_to", [check_bags, PerUnit(StandardScaler()).fit])
def test_bags_with_their_ids_are_taken_apart_first(given_to):
    bags = {"b": A, "a": A[:1]}
    with pytest.raises(TypeError, match=r"X is a dict, .* bags by id, `list\(X.values\(\)\)`"):
        given_to(bags)
    with pytest.raises(TypeError, match=r"X is a list of pairs, .* `\[bag for _, bag in X\]`"):
        given_to(list(bags.items()))
