"""Relations: bounds, degenerate rows, extreme numbers, sparse input, missing rows."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from legofuse.graphs import encode_rows, learn_statistics, relate_rows
from legofuse.relations import (
    RELATIONS,
    correlation,
    cosine,
    densify,
    encode,
    linear,
    rbf,
    relate,
    statistics,
    unit_length,
)

NAMES = sorted(RELATIONS)
LOW = dict.fromkeys(("cosine", "correlation", "bhattacharyya", "robust", "principal"), -1)
STANDARDISED = ("correlation", "gaussian", "linear", "local", "robust")


def data(n=12, d=5, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def related(X, references, name, stats, gamma=0.3):
    """The two steps that estimators take, with the statistics of other rows."""
    targets = encode(references, name, stats)
    return relate(encode(X, name, stats), targets, name, gamma)


def literal(X, Z, name, gamma=0.3):
    """Entry by entry, statistics those of Z."""
    if name == "principal":
        return literal_principal(X, Z)
    mean, scale = Z.mean(axis=0), Z.std(axis=0)
    R = np.empty((len(X), len(Z)))
    for i, x in enumerate(X):
        for j, z in enumerate(Z):
            a, b = (x, z) if name not in STANDARDISED else (
                (x - mean) / scale, (z - mean) / scale,
            )  # fmt: skip
            c = a @ b / np.sqrt((a @ a) * (b @ b))
            roots = [np.sign(v) * np.sqrt(np.abs(v)) for v in (a, b)]
            tanh = np.tanh(a), np.tanh(b)
            R[i, j] = {
                "bhattacharyya": roots[0] @ roots[1] / np.prod([np.linalg.norm(v) for v in roots]),
                "cosine": c,
                "correlation": c,
                "angular": 1 - np.arccos(np.clip(c, -1, 1)) / np.pi,
                "rbf": np.exp(-gamma * np.sum((a - b) ** 2)),
                "gaussian": np.exp(-gamma * np.sum((a - b) ** 2)),
                "local": np.exp(-gamma * np.sum((a - b) ** 2)),
                "robust": tanh[0] @ tanh[1] / np.prod([np.linalg.norm(v) for v in tanh]),
                "spherical": np.exp(-gamma * (2 - 2 * c)),
                "linear": 2 * gamma * (a @ b),
            }[name]
    return R


def literal_principal(X, Z):
    """By the covariance of directions of roots, cut to components of a variance beyond chance."""
    X, Z = (np.sign(A) * np.sqrt(np.abs(A)) for A in (X, Z))
    X, Z = (A / np.linalg.norm(A, axis=1, keepdims=True) for A in (X, Z))
    mean = Z.mean(axis=0)
    values, vectors = np.linalg.eigh((Z - mean).T @ (Z - mean) / len(Z))
    spread = Z.var(axis=0)
    n_columns = spread.sum() ** 2 / (spread**2).sum()
    values[values < spread.sum() * (len(Z) ** -0.5 + n_columns**-0.5) ** 2] = 0
    assert np.count_nonzero(values) == 1
    R = (X - mean) @ (vectors * values) @ vectors.T @ (Z - mean).T
    sizes = [((A - mean) @ (vectors * values) @ vectors.T * (A - mean)).sum(axis=1) for A in (X, Z)]
    return R / np.sqrt(np.outer(*sizes))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relations_are_their_formulas(name, dtype):
    X, Z = data(6, seed=1, dtype=dtype), data(9, dtype=dtype)
    if name == "principal":  # columns that have something in common
        X, Z = X * 0.3 + X[:, :1], Z * 0.3 + Z[:, :1]
    R = related(X, Z, name, statistics(Z, principal=True))
    assert R.dtype == dtype
    expected = literal(X.astype(float), Z.astype(float), name)
    assert_allclose(R, expected, atol=2e-5 if dtype == np.float32 else 1e-12)


@settings(deadline=None, max_examples=30)
@given(
    X=arrays(np.float64, (7, 3), elements=st.floats(-9, 9, width=32)),
    name=st.sampled_from(NAMES),
)
def test_bounds_symmetry_and_positive_semidefinite(X, name):
    R = RELATIONS[name](X, X)
    if name == "linear":
        assert np.trace(R) <= 7 * (1 + 1e-9)
    else:
        assert R.min() >= LOW.get(name, 0)
        assert R.max() <= 1
    assert_allclose(R, R.T, atol=1e-7)
    assert np.linalg.eigvalsh((R + R.T) / 2)[0] > -1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_equals_dense_in_every_combination(name, dtype):
    rng = np.random.default_rng(3)
    X = (rng.random((10, 6)) * (rng.random((10, 6)) < 0.4)).astype(dtype)
    Z = (rng.random((8, 6)) * (rng.random((8, 6)) < 0.6)).astype(dtype)
    X[0] = 0
    expected = RELATIONS[name](X, Z)
    tol = 1e-4 if dtype == np.float32 else 1e-7
    for x in (X, sp.csr_matrix(X), sp.csr_array(X)):
        for z in (Z, sp.csr_array(Z)):
            R = RELATIONS[name](x, z)
            assert type(R) is np.ndarray
            assert R.dtype == dtype
            assert_allclose(R, expected, atol=tol)


@pytest.mark.parametrize("name", NAMES)
def test_sparse_rows_are_never_densified(name, monkeypatch):
    X = sp.random_array((40, 30), density=0.1, format="csr", rng=0)
    Z = X[:5].toarray()
    learned = statistics(X, principal=True)
    expected = related(X.toarray(), Z, name, learned)

    def refuse(self, *args, **kwargs):
        raise AssertionError("densified")

    monkeypatch.setattr(sp.csr_array, "toarray", refuse)
    monkeypatch.setattr(sp.csr_array, "todense", refuse)
    assert_allclose(related(X, Z, name, statistics(X, principal=True)), expected, atol=1e-7)


@pytest.mark.parametrize("name", STANDARDISED)
@pytest.mark.parametrize("table", [np.asarray, sp.csr_array])
def test_units_of_features_do_not_matter_even_where_training_rows_had_one_number(name, table):
    rng = np.random.default_rng(0)
    Z, X = rng.poisson(1.0, (20, 6)).astype(float), rng.poisson(1.0, (8, 6)).astype(float)
    Z[:, 4], Z[:, 5] = 2, 0  # constant in training rows, not in later ones
    units = np.array([1e-3, 1.0, 1e3, 10.0, 1e4, 1e4])
    found = [related(table(X * by), Z * by, name, statistics(table(Z * by))) for by in (1.0, units)]
    assert_allclose(found[1], found[0], atol=1e-9)
    assert np.abs(found[0]).max() > 0.1
    kept = slice(0, 4)
    without = related(table(X[:, kept]), Z[:, kept], name, statistics(table(Z[:, kept])))
    assert_allclose(found[0], without, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_varies_is_told_alike_in_sparse_and_dense_tables(dtype, weighted):
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [
            np.full(5000, 7.1),  # constant, of no round number
            np.full(5000, 1 / 3),
            1.7e9 + 2000.0 * rng.integers(0, 100, 5000),  # varies little beside its size
            1 + 1e-4 * rng.normal(size=5000),
            rng.poisson(0.2, 5000),
            np.where(np.arange(5000) == 77, 0.0, 7.1),  # a single blank
            np.zeros(5000),
        ]
    ).astype(dtype)
    weight = rng.random(5000) * (np.arange(5000) % 7 > 0) if weighted else np.ones(5000)
    dense, sparse = statistics(X, weight), statistics(sp.csr_array(X), weight)
    varies = [False, False, True, True, True, bool(weight[77]), False]
    assert np.isfinite(dense.scale).tolist() == varies
    assert_allclose(sparse.scale, dense.scale, rtol=1e-6)
    assert_allclose(sparse.mean, dense.mean, rtol=1e-6)
    assert_allclose(sparse.widths["gaussian"], dense.widths["gaussian"])


@pytest.mark.parametrize("table", [np.asarray, sp.csr_array])
def test_a_row_of_weight_zero_makes_no_constant_feature_vary(table):
    X, weight = np.full((6, 1), 0.1), np.array([0.0, 1, 1, 1, 1, 1])
    X[0] = 1e6
    assert statistics(table(X), weight).scale == np.inf


def test_repeated_entries_of_sparse_rows_add_up():
    X = sp.csr_array(([1.0, 2, 3, 5, 4], [0, 0, 1, 0, 1], [0, 3, 4, 5]), shape=(3, 2))
    assert not X.has_canonical_format
    found, expected = statistics(X), statistics(X.toarray())
    assert_allclose(found.mean, expected.mean)
    assert_allclose(found.scale, expected.scale)


@pytest.mark.parametrize("table", [np.asarray, sp.csr_array])
def test_rows_of_weight_zero_teach_no_components(table):
    X = np.random.default_rng(0).poisson(1.0, (560, 4)).astype(float)
    X[:, 1] += 3 * X[:, 0]
    found = statistics(table(X), np.arange(560) >= 510, principal=True)
    expected = statistics(table(X[510:]), principal=True)
    assert_allclose(found.components["axes"], expected.components["axes"], atol=1e-12)
    assert len(expected.components["axes"]) > 0


def test_statistics_of_sparse_and_weighted_rows():
    X = np.random.default_rng(0).poisson(0.5, (20, 4)).astype(float)
    X[:, 3] = 2  # constant
    weight = np.arange(20) % 3
    repeated = np.repeat(X, weight, axis=0)
    expected = statistics(repeated, principal=True)
    assert expected.scale[3] == np.inf
    assert_allclose(expected.mean, repeated.mean(axis=0))
    assert_allclose(expected.scale[:3], repeated.std(axis=0)[:3])
    for table in (X, sp.csr_array(X)):
        found = statistics(table, weight, principal=True)
        assert_allclose(found.mean, expected.mean)
        assert_allclose(found.scale, expected.scale)
        assert_allclose(found.gamma, expected.gamma)
        for name, width in expected.widths.items():
            assert_allclose(found.widths[name], width)
        axes, others = (s.components["axes"] for s in (found, expected))
        assert_allclose(axes.T @ axes, others.T @ others, atol=1e-12)
    assert_allclose(expected.gamma, 1 / (4 * repeated.var()))


@pytest.mark.parametrize("name", NAMES)
def test_degenerate_tables(name):
    for X in (
        np.zeros((4, 3)),
        np.ones((4, 3)),
        np.full((4, 1), 0.1, np.float32),
        np.array([[1.0], [-2.0], [0.0]]),
        np.vstack([np.zeros(3), np.eye(3)]),
    ):
        for table in (X, sp.csr_array(X)):
            R = RELATIONS[name](table, table)
            assert np.isfinite(R).all()
            assert_allclose(R, RELATIONS[name](X, X), atol=1e-4)


def test_an_outlier_is_as_robust_as_another():
    X = data(30, 12)
    stats = statistics(X)
    far, further = X[:1].copy(), X[:1].copy()
    far[0, 2], further[0, 2] = 1e2, 1e9
    found = [related(row, X, "robust", stats) for row in (X[:1], far, further)]
    assert_allclose(found[1], found[2], atol=1e-12)
    assert np.abs(found[1] - found[0]).max() < 1
    assert found[1][0, 0] > 0.5 > related(further, X, "correlation", stats)[0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["bhattacharyya", "robust"])
def test_bent_features_of_standardised_sparse_rows_stay_sparse(name, dtype):
    rng = np.random.default_rng(0)
    X = rng.poisson(0.4, (12, 6)).astype(dtype)
    X[:, 5] = 2  # constant
    stats = statistics(X)
    sparse = encode(sp.csr_array(X), name, stats, standardise=True)
    assert sp.issparse(sparse.rows)
    assert sparse.rows.nnz <= np.count_nonzero(X)
    dense = encode(X, name, stats, standardise=True)
    assert sparse.rows.dtype == dense.rows.dtype == dtype
    references = densify(sparse)
    assert_allclose(references.rows, dense.rows, atol=1e-6)
    assert_allclose(relate(sparse, references, name), relate(dense, dense, name), atol=1e-6)


def test_zero_rows():
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert_array_equal(cosine(X, X)[0], [0, 0])
    assert_array_equal(RELATIONS["angular"](X, X)[0], [0.5, 0.5])
    assert_allclose(rbf(X, X, gamma=1.0)[0], [1, np.exp(-2)])


def test_sparse_rows_at_the_mean_have_no_direction():
    X = np.tile([0.1, 0.7, 0.0], (6, 1))
    assert_array_equal(correlation(sp.csr_array(X), sp.csr_array(X)), 0)
    assert_array_equal(correlation(X, X), 0)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
@pytest.mark.parametrize("name", sorted(set(RELATIONS) - {"rbf"}))
def test_extreme_scales_change_nothing(name, scale):
    X = np.abs(data())
    expected = RELATIONS[name](X, X)
    for table in (X * scale, sp.csr_array(X * scale)):
        assert_allclose(RELATIONS[name](table, table), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e15])
def test_extreme_scales_of_single_precision(scale):
    X = np.abs(data(dtype=np.float32))
    for name in ("cosine", "correlation", "spherical"):
        expected = RELATIONS[name](X, X)
        table = (X * np.float32(scale)).astype(np.float32)
        assert_allclose(RELATIONS[name](table, table), expected, atol=1e-4)


def test_columns_of_very_different_scales_are_standardised():
    X = data()
    scaled = X * np.array([1e-180, 1.0, 1e180, 1e-9, 1e9])
    assert_allclose(correlation(scaled, scaled), correlation(X, X), atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_missing_rows_relate_to_nothing(name):
    X = data()
    X[[0, 3]] = np.nan
    learned = statistics(X, principal=True)
    present = np.delete(np.arange(12), [0, 3])
    assert_allclose(learned.mean, X[present].mean(axis=0))
    R = related(X, X, name, learned)
    assert_array_equal(R[[0, 3]], 0)
    assert_array_equal(R[:, [0, 3]], 0)
    kept = np.ix_(present, present)
    assert_allclose(R[kept], related(X[present], X[present], name, learned))
    nobody = statistics(np.full((3, 2), np.nan), principal=True)
    assert_array_equal(related(np.ones((2, 2)), np.ones((1, 2)), "principal", nobody), 0)
    assert np.isfinite([*nobody.mean, *nobody.scale, nobody.gamma]).all()


def test_rows_are_independent():
    X, Z = data(50), data(7, seed=1)
    for name in NAMES:
        whole = RELATIONS[name](X, Z)
        assert_allclose(np.vstack([RELATIONS[name](x[None], Z) for x in X]), whole, atol=1e-14)


def test_given_statistics():
    X = data()
    mean, scale = np.arange(5.0), np.arange(1.0, 6)
    assert_allclose(correlation(X, X, mean, scale), cosine((X - mean) / scale, (X - mean) / scale))


def test_input_is_left_as_it_is():
    X = data()
    X.setflags(write=False)
    for relation in RELATIONS.values():
        relation(X, X)


@pytest.mark.parametrize("name", NAMES)
def test_errors(name):
    with pytest.raises(ValueError, match="X has 2 features, but the references have 3"):
        RELATIONS[name](np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="Expected a 2-D array"):
        RELATIONS[name](np.ones(2), np.ones((2, 3)))


@pytest.mark.parametrize(("scale", "dtype"), [(1e200, np.float64), (1e30, np.float32)])
def test_distances_that_overflow_raise(scale, dtype):
    X = (data() * scale).astype(dtype)
    for table in (X, sp.csr_array(X)):
        with pytest.raises(ValueError, match="relation='rbf': squared distances overflow"):
            rbf(table, table)


def test_numbers_that_are_none_are_not_called_too_large():
    X = data()
    X[2, 1] = np.nan
    with pytest.raises(ValueError, match="relation='rbf': rows hold NaN in part"):
        rbf(X, data())


def test_tiny_numbers_under_rbf_stay_finite():
    X = (data() * 1e-30).astype(np.float32)
    assert np.isfinite(rbf(X, X)).all()


def test_taking_rows_of_encoded_views_is_encoding_these_rows():
    X = np.random.RandomState(0).normal(size=(6, 3))
    stats = statistics(X, np.ones(6), principal=True)
    for name in RELATIONS:
        encoding = {"angular": "cosine", "spherical": "cosine", "local": "gaussian"}.get(name, name)
        whole, part = encode(X, encoding, stats)[2:5], encode(X[2:5], encoding, stats)
        np.testing.assert_allclose(whole.rows, part.rows)
        assert (whole.norms is None) == (part.norms is None)


def test_local_is_an_eighth_power_where_domains_have_other_features():
    X, domains = np.random.default_rng(0).normal(size=(12, 3)), np.array(["one", "two"] * 6)
    columns = {"a": {"one": np.array([0, 1]), "two": np.array([0, 1, 2])}}
    index = columns["a"].items()
    learned = {("a", d): statistics(X[domains == d][:, used]) for d, used in index}
    graphs = [("a", "gaussian"), ("a", "local")]
    rows = encode_rows(X, columns, graphs, learned, domains)
    wide, local = relate_rows(rows, rows, graphs, learned)
    assert_allclose(local, wide**8, atol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("missing", [False, True])
def test_graphs_that_share_inner_products_are_what_they_are_alone(sparse, missing):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(12, 4)) * (rng.uniform(size=(12, 4)) < 0.6) + 3.0 * (not sparse)
    if missing and not sparse:
        X[2:4] = np.nan
    columns = {"a": np.arange(4)}
    graphs = [("a", "principal")]
    learned = learn_statistics(X, columns, np.arange(12), np.ones(12), graphs=graphs)
    X = sp.csr_array(X) if sparse else X
    names = ["cosine", "correlation", "angular", "gaussian", "spherical", "rbf", "correlation"]
    names += ["linear", "gaussian", "principal", "bhattacharyya", "local", "robust"]

    def relations(some):
        graphs = [("a", name) for name in some]
        rows = encode_rows(X, columns, graphs, learned)
        marks = encode_rows(X[:5], columns, graphs, learned, dense=True)
        return relate_rows(rows, marks, graphs, learned)

    for name, together in zip(names, relations(names), strict=True):
        assert_allclose(together, relations([name])[0], rtol=1e-12, atol=1e-12)


def test_principal_with_domains_is_refused():
    X, columns = data(), {"a": np.arange(5)}
    domains = np.arange(12) % 2
    with pytest.raises(ValueError, match="no meaning between domains"):
        learn_statistics(X, columns, np.arange(12), np.ones(12), domains, [("a", "principal")])


def test_principal_relates_words_that_go_together():
    """Documents of two topics; two of one topic that share no word are alike."""
    topics = np.repeat([0, 1], 40)
    rng = np.random.default_rng(0)
    texts = rng.poisson(np.where(np.arange(12) // 6 == topics[:, None], 1.5, 0.1)).astype(float)
    new = np.zeros((3, 12))
    new[0, :2], new[1, 2:4], new[2, 8:10] = 1, 1, 1
    assert_allclose(RELATIONS["bhattacharyya"](new, new)[0, 1:], 0)
    stats = statistics(texts, principal=True)
    R = related(new, new, "principal", stats)
    assert R[0, 1] > 0.5
    assert R[0, 2] < -0.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sparse", [False, True])
def test_rows_standardised_once_are_those_standardised_twice(dtype, sparse):
    """Correlation is read off the Gaussian's rows, those at the mean and extreme ones too."""
    Z = data(20, 4, dtype=dtype)
    stats = statistics(Z)
    X = data(6, 4, seed=1, dtype=dtype)
    X[0] = stats.mean
    X[1] *= dtype(1e12)
    X[2] = stats.mean + dtype(1e-20) * stats.scale
    if sparse:
        X = sp.csr_array(X)
    else:
        X[3] = np.nan
    once, twice = unit_length(encode(X, "gaussian", stats)), encode(X, "correlation", stats)
    for one, other in zip(once, twice, strict=True):
        assert_array_equal(
            *(part.toarray() if sp.issparse(part) else part for part in (one, other))
        )
    columns, graphs = {"v": np.arange(4)}, [("v", "correlation"), ("v", "gaussian")]
    learned = {("v", None): stats}
    both = encode_rows(X, columns, graphs, learned)
    for graph in graphs:
        single = encode_rows(X, columns, [graph], learned)
        found = [rows.encoded[graph].rows for rows in (both, single)]
        found = [rows.toarray() if sp.issparse(rows) else rows for rows in found]
        assert_array_equal(*found)


@pytest.mark.parametrize("sparse", [False, True])
def test_roots_taken_once_are_those_taken_twice(sparse):
    """Principal components are read off the rows that bhattacharyya encodes."""
    Z = data(60, 3, seed=1) @ data(3, 12, seed=2)
    Z[0] = 0
    if sparse:
        Z = sp.csr_array(Z * (np.abs(Z) > 0.5))
    else:
        Z[1] = np.nan
    learned = {("v", None): statistics(Z, principal=True)}
    graphs = [("v", "principal"), ("v", "bhattacharyya")]
    both = encode_rows(Z, {"v": np.arange(12)}, graphs, learned)
    single = encode_rows(Z, {"v": np.arange(12)}, graphs[:1], learned)
    assert np.isfinite(both.encoded[graphs[0]].rows).all()
    assert_array_equal(both.encoded[graphs[0]].rows, single.encoded[graphs[0]].rows)


@pytest.mark.parametrize("shape", [(20, 300), (200, 10), (60, 60)])
def test_of_noise_nothing_is_principal(shape):
    """The largest variance of noise lies about the edge: at most one is above it."""
    X = data(*shape)
    assert len(statistics(X, principal=True).components["axes"]) <= 1
    shared = X + 2 * data(shape[0], 1, seed=1)
    assert len(statistics(shared, principal=True).components["axes"]) >= 1


@pytest.mark.parametrize("name", STANDARDISED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_features_that_vary_little_beside_their_size(name, dtype):
    rows = data(30, 4)
    rows[:, 1] = 2.0**30 + 2.0 ** (-20 if dtype == np.float64 else 8) * np.arange(30)
    rows[rows < 0] = 0
    rows = rows.astype(dtype)
    stats = statistics(rows)
    targets = encode(rows, name, stats)
    expected = relate(targets, targets, name, 0.3)
    sparse = encode(sp.csr_array(rows), name, stats)
    found = relate(sparse, densify(sparse), name, 0.3)
    assert_allclose(found, expected, atol=1e-3 if dtype == np.float32 else 1e-7)


@pytest.mark.parametrize(
    ("dtype", "far"), [(np.float64, 1e9), (np.float64, -1e9), (np.float32, 1e3)]
)
def test_sparse_features_that_are_all_far_from_0_keep_their_rbf(dtype, far):
    rows = (far + data(30, 4)).astype(dtype)
    stats = statistics(rows)
    targets = encode(rows, "rbf", stats)
    sparse = encode(sp.csr_array(rows), "rbf", stats)
    found = relate(sparse, densify(sparse), "rbf", stats.gamma)
    assert_allclose(found, relate(targets, targets, "rbf", stats.gamma), atol=1e-5)


@pytest.mark.parametrize("name", ["correlation", "gaussian", "linear", "local"])
def test_rows_that_overflow_when_standardised_are_refused(name):
    stats = statistics(1e-3 * data())
    with pytest.raises(ValueError, match="overflow float64"):
        encode(np.full((2, 5), 1e308), name, stats)


def test_rows_far_from_all_others_are_unrelated():
    rows = np.array([[1e153], [0.0]])
    assert_array_equal(rbf(rows, rows, gamma=1e10), np.eye(2))


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_linear_goes_on_up_to_twice_as_far_as_rows_are_known(make):
    known = np.random.default_rng(0).normal(size=(50, 3))
    stats = statistics(make(known), linear=True)
    standard = (known - known.mean(axis=0)) / known.std(axis=0)
    longest = np.linalg.norm(standard, axis=1).max()
    assert stats.reach == pytest.approx(2 * longest)
    far = standard[:4] / np.linalg.norm(standard[:4], axis=1)[:, None]
    rows = [known.mean(axis=0) + far * f * longest * known.std(axis=0) for f in (1, 1.9, 2, 9, 1e3)]
    one, within, edge, *beyond = (linear(make(part), make(known)) for part in rows)
    assert_allclose(within, 1.9 * one)
    for part in beyond:
        assert_allclose(part, edge)
