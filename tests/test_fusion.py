"""The fusion polynomial: equal to the literal sum over terms, with numpy and with torch."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from legofuse.fusion import (
    INTERACTIONS,
    _blocks,
    count_terms,
    exponents,
    fuse,
    fuse_adjoint,
    fuse_separable,
    fuse_separable_adjoint,
    fuse_several,
    one_exponent_each,
    polynomial,
)
from legofuse.fusion._plan import make_plan

ENTRYWISE = [name for name in INTERACTIONS if name != "separable"]


def literal(relations, powers, weights):
    """G[i, j] = sum over terms, every entry by itself."""
    G = np.zeros(relations[0].shape)
    for where in np.ndindex(G.shape):
        for a, weight in zip(powers, weights, strict=True):
            term = float(weight)
            for relation, p in zip(relations, a, strict=True):
                term *= float(relation[where]) ** int(p)
            G[where] += term
    return G


def literal_adjoint(relations, powers, gradient):
    return np.array([np.sum(gradient * literal(relations, [a], [1.0])) for a in powers])


def literal_separable(relations, factors, zeroth=None):
    """Sum over all (p_1 .. p_M) of prod_m factors[m, p_m] R_m^p_m, the constant left out."""
    G = np.zeros(relations[0].shape)
    for choice in product(range(factors.shape[1]), repeat=len(relations)):
        if zeroth is None and not any(choice):
            continue
        term = np.ones(G.shape)
        for row, relation, p in zip(factors, relations, choice, strict=True):
            ones = 1.0 if zeroth is None else zeroth
            term = term * row[p] * (relation**p if p else ones)
        G += term
    return G


@pytest.fixture(params=["numpy", "torch"])
def to(request):
    """From numpy to the library under test."""
    return np.asarray if request.param == "numpy" else torch.as_tensor


def random_relations(seed, n_graphs, shape, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, shape).astype(dtype) for _ in range(n_graphs)]


# ------------------------------------------------------------------ index sets
@given(n_graphs=st.integers(1, 4), degree=st.integers(1, 4), name=st.sampled_from(INTERACTIONS))
def test_exponents_are_the_index_set_in_graded_lexicographic_order(n_graphs, degree, name):
    powers = exponents(n_graphs, degree, name)
    assert powers.dtype == np.int64
    assert powers.shape == (count_terms(n_graphs, degree, name), n_graphs)
    rows = [tuple(a) for a in powers.tolist()]
    if name == "separable":
        assert [max(a) for a in rows] == [*range(degree + 1)] * n_graphs
        return
    every = [a for a in product(range(degree + 1), repeat=n_graphs) if any(a)]
    keep = {
        "additive": lambda a: sum(p > 0 for p in a) == 1,
        "pairwise": lambda a: sum(p > 0 for p in a) <= 2,
        "total": lambda a: sum(a) <= degree,
    }[name]
    expected = [a for a in every if keep(a)]
    assert sorted(rows) == sorted(expected)
    assert rows == sorted(rows, key=lambda a: (sum(a), [-p for p in a]))


@pytest.mark.parametrize(("n_graphs", "degree"), [(0, 1), (1, 0), (-1, 2)])
def test_exponents_need_at_least_one_graph_and_degree(n_graphs, degree):
    with pytest.raises(ValueError, match="must be at least 1; got"):
        exponents(n_graphs, degree)


def test_unknown_index_set():
    with pytest.raises(ValueError, match=r"interactions must be one of .*; got 'all'"):
        exponents(2, 2, "all")


# ------------------------------------------------------------------ equality with the literal sum
@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    n_graphs=st.integers(1, 4),
    degree=st.integers(1, 4),
    name=st.sampled_from(ENTRYWISE),
    shape=st.sampled_from([(1, 1), (3, 2), (2, 2, 3), (5,), (7, 11)]),
)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_fuse_is_the_literal_sum(library, seed, n_graphs, degree, name, shape):
    to = np.asarray if library == "numpy" else torch.as_tensor
    relations = random_relations(seed, n_graphs, shape)
    powers = exponents(n_graphs, degree, name)
    weights = np.random.default_rng(seed + 1).normal(size=len(powers))
    weights[:: seed % 3 + 2] = 0  # terms of no weight are skipped
    G = fuse([to(r) for r in relations], powers, to(weights))
    assert type(G) is type(to(weights))
    assert_allclose(np.asarray(G), literal(relations, powers, weights), rtol=0, atol=1e-11)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    powers=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=9
    ),
)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_any_terms_in_any_order_with_repetitions_and_the_constant(library, seed, powers):
    to = np.asarray if library == "numpy" else torch.as_tensor
    relations = random_relations(seed, 3, (4, 3))
    weights = np.random.default_rng(seed).normal(size=len(powers))
    G = fuse([to(r) for r in relations], powers, to(weights))
    assert_allclose(np.asarray(G), literal(relations, powers, weights), rtol=0, atol=1e-11)
    gradient = np.random.default_rng(seed).normal(size=(4, 3))
    assert_allclose(
        fuse_adjoint(relations, powers, gradient),
        literal_adjoint(relations, powers, gradient),
        rtol=0,
        atol=1e-11,
    )


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**16),
    powers=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6, unique=True
    ),
    n_sets=st.integers(0, 3),
)
def test_several_weights_at_once_are_literal_sums_each(seed, powers, n_sets):
    rng = np.random.default_rng(seed)
    relations = list(rng.uniform(-1, 1, size=(2, 3, 4)))
    weights = rng.normal(size=(n_sets, len(powers)))
    fused = fuse_several(relations, powers, weights)
    assert fused.shape == (n_sets, 3, 4)
    for graph, row in zip(fused, weights, strict=True):
        assert_allclose(graph, literal(relations, powers, row), atol=1e-12)


def test_several_weights_of_a_term_that_is_listed_twice_add_up():
    relation, weights = np.array([[2.0, 3.0]]), np.array([[1.0, 10.0]])
    assert_array_equal(fuse_several([relation], [[2], [2]], weights), [[[44.0, 99.0]]])


def test_several_weights_keep_the_dtype():
    relation = np.ones((2, 2), np.float32)
    assert fuse_several([relation], [[1], [2]], np.ones((3, 2))).dtype == np.float32


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (2, 3)])
@pytest.mark.parametrize("powers", [np.zeros((0, 1), int), np.array([[1], [2]])])
def test_several_weights_of_no_entries_or_no_terms(shape, powers):
    relation, weights = np.ones(shape), np.ones((3, len(powers)))
    fused = fuse_several([relation], powers, weights)
    assert_array_equal(fused, [fuse([relation], powers, row) for row in weights])


@pytest.mark.parametrize("weights", [np.ones(2), np.ones((2, 3))])
def test_several_weights_errors(weights):
    with pytest.raises(ValueError, match=r"weights must have shape \(n_sets, 2\), one for each"):
        fuse_several([np.ones((2, 2))], [[1], [2]], weights)


@pytest.mark.parametrize("n_references", [1, 63, 64, 65, 2048, 2049])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_and_what_is_left_of_them(n_references, dtype, monkeypatch):
    monkeypatch.setattr(_blocks, "_BLOCK_SIZE", 1 << 10)
    relations = random_relations(n_references, 2, (37, n_references), dtype)
    powers = exponents(2, 3, "pairwise")
    weights = np.random.default_rng(0).normal(size=len(powers))
    G = fuse(relations, powers, weights)
    expected = sum(
        w * relations[0].astype(float) ** p * relations[1].astype(float) ** q
        for w, (p, q) in zip(weights, powers, strict=True)
    )
    assert G.dtype == dtype
    tol = 1e-12 if dtype == np.float64 else 2e-5
    assert_allclose(G, expected, rtol=0, atol=tol)
    adjoint = fuse_adjoint(relations, powers, expected)
    oracle = [
        np.sum(expected * relations[0].astype(float) ** p * relations[1].astype(float) ** q)
        for p, q in powers
    ]
    assert adjoint.dtype == np.float64
    assert_allclose(adjoint, oracle, rtol=0, atol=tol * n_references * 37)


def test_threads_compute_the_same(monkeypatch):
    relations, powers = random_relations(0, 2, (50, 700)), exponents(2, 3)
    weights, gradient = np.arange(1.0, 10), np.ones((50, 700))
    factors = np.linspace(0.1, 1, 8).reshape(2, 4)

    def everything():
        return [
            fuse(relations, powers, weights),
            fuse_adjoint(relations, powers, gradient),
            fuse_adjoint(relations, powers, gradient, by_row=True),
            fuse_separable(relations, factors),
            fuse_separable_adjoint(relations, factors, gradient),
        ]

    single = everything()
    monkeypatch.setattr(_blocks, "_n_threads", lambda size: 3)
    monkeypatch.setattr(_blocks, "_BLOCK_SIZE", 1 << 12)
    for one, many in zip(single, everything(), strict=True):
        assert_allclose(one, many, rtol=1e-13)


def test_dtype_is_preserved(to):
    for dtype in (np.float32, np.float64):
        relations = [to(r) for r in random_relations(0, 2, (3, 4), dtype)]
        for weights in (np.ones(5), np.ones(5, np.float32)):
            assert fuse(relations, exponents(2, 2), to(weights)).dtype == relations[0].dtype
            factors = to(weights[:4].reshape(2, 2))
            assert fuse_separable(relations, factors).dtype == relations[0].dtype


def test_weights_may_be_a_list(to):
    relation = to(np.array([[0.5, 1.0]]))
    assert_allclose(np.asarray(fuse([relation], [[1], [2]], [2, 4.0])), [[2.0, 6.0]])


def test_integer_relations_do_not_truncate_weights():
    counts = np.array([[0, 1], [1, 3]])
    assert_allclose(fuse([counts], [[1]], [0.5]), counts / 2)
    assert_allclose(fuse([counts.astype(bool)], [[1]], [0.5]), counts.astype(bool) / 2)
    assert_allclose(fuse_separable([counts], np.array([[0.0, 0.5]])), counts / 2)
    assert_allclose(fuse_adjoint([counts], [[1]], np.full((2, 2), 0.5)), [2.5])


def test_mixed_dtypes_take_the_wider_one():
    one, other = random_relations(3, 2, (4, 4))
    G = fuse([one.astype(np.float32), other], exponents(2, 2), np.ones(5))
    assert G.dtype == np.float64


def test_non_contiguous_input():
    wide = random_relations(0, 2, (8, 10))
    powers, weights = exponents(2, 2), np.arange(1.0, 6)
    views = [wide[0][::2, ::-1], wide[1].T[:4, :].repeat(2, axis=1)[:, :10]]
    views[1] = np.asfortranarray(views[1])
    copies = [np.ascontiguousarray(v) for v in views]
    assert_array_equal(fuse(views, powers, weights), fuse(copies, powers, weights))
    gradient = np.asfortranarray(np.arange(40.0).reshape(4, 10))
    for by_row in (False, True):
        assert_array_equal(
            fuse_adjoint(views, powers, gradient, by_row),
            fuse_adjoint(copies, powers, gradient.copy(order="C"), by_row),
        )


def test_input_is_left_as_it_is():
    relations = random_relations(0, 2, (5, 6))
    before = [r.copy() for r in relations]
    gradient = np.ones((5, 6))
    fuse(relations, exponents(2, 3), np.ones(9))
    fuse_adjoint(relations, exponents(2, 3), gradient)
    fuse_separable(relations, np.ones((2, 3)))
    fuse_separable_adjoint(relations, np.ones((2, 3)), gradient)
    assert_array_equal(relations, before)
    assert_array_equal(gradient, 1)


def test_out():
    relations = random_relations(0, 2, (5, 6))
    powers, weights = exponents(2, 2), np.arange(1.0, 6)
    expected = fuse(relations, powers, weights)
    out = np.empty((5, 6))
    assert fuse(relations, powers, weights, out=out) is out
    assert_array_equal(out, expected)
    fuse(relations, powers, weights, out=relations[0])  # may be one of the relations
    assert_array_equal(relations[0], expected)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((6, 5)).T,
        np.empty((5, 12))[:, ::2],
        np.empty((5, 5)),
        np.empty((5, 6), np.float32),
        np.empty((5, 6), int),
    ],
)
def test_out_that_cannot_be_written_raises(out):
    relations = random_relations(0, 2, (5, 6))
    with pytest.raises(ValueError, match=r"out must be a C-contiguous array of shape \(5, 6\)"):
        fuse(relations, exponents(2, 2), np.ones(5), out=out)


def test_empty_graphs_and_no_terms(to):
    empty = to(np.empty((0, 3)))
    assert fuse([empty], [[1]], to(np.ones(1))).shape == (0, 3)
    none = fuse([to(np.ones((2, 3)))], np.empty((0, 1), int), to(np.empty(0)))
    assert_array_equal(np.asarray(none), np.zeros((2, 3)))
    assert_array_equal(fuse_adjoint([np.empty((0, 3))], [[1]], np.empty((0, 3))), [0.0])
    assert fuse_adjoint([np.empty((2, 0))], [[1]], np.empty((2, 0)), by_row=True).shape == (2, 1)
    assert fuse_adjoint([np.ones((2, 3))], np.empty((0, 1), int), np.ones((2, 3))).shape == (0,)
    assert_array_equal(
        fuse_separable_adjoint([np.empty((0, 3))], np.ones((1, 2)), np.empty((0, 3))), [[0, 0]]
    )


def test_high_and_lonely_powers(to):
    relation = np.array([[1.0, 0.999]])
    G = fuse([to(relation)], [[3000]], to(np.ones(1)))
    assert_allclose(np.asarray(G), relation**3000, rtol=1e-10)


def test_subclasses_of_arrays():
    class Graph(np.ndarray):
        pass

    relation = np.ones((2, 2)).view(Graph)
    assert_array_equal(fuse([relation], [[2]], np.ones(1)), np.ones((2, 2)))
    parameter = torch.nn.Parameter(torch.ones(2, 2))
    assert fuse([parameter], [[2]], torch.ones(1)).requires_grad


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.ones((2, 2))], [[1, 1]], np.ones(1)), r"powers must have shape \(n_terms, 1\)"),
        (([np.ones((2, 2))], [1], np.ones(1)), r"powers must have shape \(n_terms, 1\)"),
        (([], np.empty((1, 0), int), np.ones(1)), "at least one relation"),
        (([np.ones((2, 2)), np.ones((2, 3))], [[1, 1]], np.ones(1)), "must have one shape"),
        (([np.ones((2, 2))], [[1]], np.ones(2)), r"weights must have shape \(1,\)"),
        (([np.ones((2, 2))], [[-1]], np.ones(1)), "powers must be whole numbers, at least 0"),
        (([np.ones((2, 2))], [[0.5]], np.ones(1)), "powers must be whole numbers, at least 0"),
    ],
)
def test_fuse_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        fuse(*arguments)


def test_adjoint_errors():
    with pytest.raises(ValueError, match=r"gradient must have the relations' shape \(2, 2\)"):
        fuse_adjoint([np.ones((2, 2))], [[1]], np.ones((2, 3)))


# ------------------------------------------------------------------ adjoint
@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    n_graphs=st.integers(1, 4),
    degree=st.integers(1, 4),
    name=st.sampled_from(ENTRYWISE),
    shape=st.sampled_from([(1, 1), (3, 2), (2, 2, 3), (5,), (6, 7)]),
)
def test_adjoint_is_the_literal_gradient(seed, n_graphs, degree, name, shape):
    relations = random_relations(seed, n_graphs, shape)
    powers = exponents(n_graphs, degree, name)
    rng = np.random.default_rng(seed)
    gradient, weights = rng.normal(size=shape), rng.normal(size=len(powers))
    adjoint = fuse_adjoint(relations, powers, gradient)
    assert_allclose(adjoint, literal_adjoint(relations, powers, gradient), rtol=0, atol=1e-11)
    # <gradient, fuse(A)> = <adjoint(gradient), A>
    assert_allclose(
        np.sum(gradient * fuse(relations, powers, weights)), adjoint @ weights, rtol=0, atol=1e-10
    )
    by_row = fuse_adjoint(relations, powers, gradient, by_row=True)
    assert by_row.shape == (*shape[:-1], len(powers))
    assert_allclose(by_row.reshape(-1, len(powers)).sum(axis=0), adjoint, rtol=0, atol=1e-10)
    first = (0,) * (len(shape) - 1)
    rows = [r[first] for r in relations]
    assert_allclose(
        by_row[first], literal_adjoint(rows, powers, gradient[first]), rtol=0, atol=1e-11
    )


def test_adjoint_agrees_with_finite_differences_and_autograd():
    relations, powers = random_relations(0, 3, (4, 5)), exponents(3, 3)
    weights = np.random.default_rng(1).normal(size=len(powers))

    def loss(weights):
        return np.sum(np.sin(fuse(relations, powers, weights)))

    gradient = fuse_adjoint(relations, powers, np.cos(fuse(relations, powers, weights)))
    step = 1e-6 * np.eye(len(weights))
    finite = [(loss(weights + h) - loss(weights - h)) / 2e-6 for h in step]
    assert_allclose(gradient, finite, rtol=1e-6, atol=1e-7)
    tensor = torch.tensor(weights, requires_grad=True)
    torch.sin(fuse([torch.as_tensor(r) for r in relations], powers, tensor)).sum().backward()
    assert_allclose(gradient, tensor.grad, rtol=1e-10)


@pytest.mark.parametrize("name", ENTRYWISE)
def test_gradcheck(name):
    relations = [
        torch.as_tensor(r).requires_grad_() for r in random_relations(0, 3, (2, 3), np.float64)
    ]
    powers = exponents(3, 2, name)
    weights = torch.linspace(-1, 1, len(powers), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w, *r: fuse(r, powers, w), (weights, *relations))
    factors = torch.linspace(-1, 1, 9, dtype=torch.float64).reshape(3, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda f, *r: fuse_separable(r, f), (factors, *relations))


def test_gradients_exist_where_relations_are_zero(to):
    """Zero entries (missing views) have finite gradients at every power."""
    if to is np.asarray:
        pytest.skip("autograd is torch's")
    relations = [torch.zeros(2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    fuse(relations, exponents(2, 3), torch.ones(9, dtype=torch.float64)).sum().backward()
    assert all(torch.isfinite(r.grad).all() for r in relations)


# ------------------------------------------------------------------ separable
@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    n_graphs=st.integers(1, 4),
    degree=st.integers(1, 3),
    with_zeroth=st.booleans(),
    as_lists=st.booleans(),
    shape=st.sampled_from([(1, 1), (3, 2), (2, 2, 3)]),
)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_separable_is_the_literal_product(
    library, seed, n_graphs, degree, with_zeroth, as_lists, shape
):
    to = np.asarray if library == "numpy" else torch.as_tensor
    relations = random_relations(seed, n_graphs, shape)
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_graphs, degree + 1))
    zeroth = (rng.random(shape) < 0.3).astype(float) if with_zeroth else None
    given_graphs = [
        [to(r**p) for p in range(1, degree + 1)] if as_lists else to(r) for r in relations
    ]
    ones = None if zeroth is None else to(zeroth)
    G = fuse_separable(given_graphs, to(factors), ones)
    expected = literal_separable(relations, factors, zeroth)
    assert_allclose(np.asarray(G), expected, rtol=0, atol=1e-11)
    if library == "torch":
        return
    gradient = rng.normal(size=shape)
    adjoint = fuse_separable_adjoint(given_graphs, factors, gradient, ones)
    for where in np.ndindex(factors.shape):  # multilinear, so a difference of one is exact
        moved = factors.copy()
        moved[where] += 1
        slope = np.sum(gradient * (literal_separable(relations, moved, zeroth) - expected))
        assert_allclose(adjoint[where], slope, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (np.ones((1, 2)), r"factors must have shape \(2, degree \+ 1\)"),
        (np.ones((2, 1)), r"factors must have shape \(2, degree \+ 1\)"),
    ],
)
def test_separable_errors(factors, message):
    with pytest.raises(ValueError, match=message):
        fuse_separable([np.ones((2, 2)), np.ones((2, 2))], factors)
    with pytest.raises(ValueError, match="must have one shape"):
        fuse_separable([np.ones((2, 2)), np.ones((2, 3))], np.ones((2, 2)))


# ------------------------------------------------------------------ polynomial, hops
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6), st.floats(-2, 2))
def test_polynomial(coefficients, base):
    value = polynomial(np.full(3, base), coefficients)
    assert_allclose(value, np.full(3, np.polyval(coefficients[::-1], base)), atol=1e-10)


def test_one_exponent_each():
    powers = exponents(3, 3, "pairwise")
    pairs, indicators = one_exponent_each(powers)
    assert indicators.shape == (len(powers), len(pairs))
    relations = random_relations(0, 3, (4, 4))
    weights = np.linspace(1, 2, len(powers))
    expanded = [relations[m] ** p for m, p in pairs]
    assert_allclose(
        fuse(expanded, indicators, weights), fuse(relations, powers, weights), rtol=1e-12
    )


# ------------------------------------------------------------------ cost
def test_no_stack_of_terms_is_stored(monkeypatch):
    relations = random_relations(0, 2, (400, 500), np.float32)
    powers = exponents(2, 8, "pairwise")
    weights, gradient = np.ones(len(powers)), np.ones((400, 500), np.float32)
    fuse(relations, powers, weights)
    for work in (
        lambda: fuse(relations, powers, weights),
        lambda: fuse_adjoint(relations, powers, gradient),
    ):
        monkeypatch.setattr(_blocks, "_BLOCK_SIZE", 1 << 15)
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * relations[0].nbytes


@pytest.mark.parametrize(
    ("n_graphs", "degree", "name"),
    [
        (2, 8, "pairwise"),
        (24, 2, "pairwise"),
        (6, 4, "pairwise"),
        (42, 2, "total"),
        (6, 3, "total"),
    ],
)
def test_no_index_set_is_evaluated_term_by_term(n_graphs, degree, name):
    powers = exponents(n_graphs, degree, name)
    plan = make_plan(powers)
    n_monomials = len(plan.left) + len(plan.right)
    assert n_monomials < len(powers) / 2
    if name == "pairwise":
        assert n_monomials < 2 * n_graphs * degree


@pytest.mark.parametrize(
    ("n_graphs", "degree", "name", "is_nested"),
    [
        (42, 2, "total", True),
        (6, 3, "total", True),
        (5, 1, "total", True),  # nothing is left of any term
        (2, 8, "pairwise", False),
    ],
)
def test_left_monomials_among_the_right_ones_are_built_once(n_graphs, degree, name, is_nested):
    powers = exponents(n_graphs, degree, name)
    plan = make_plan(powers)
    assert plan.is_nested == is_nested
    assert (plan.left == plan.right[: len(plan.left)]) == is_nested
    relations = random_relations(1, n_graphs, (7, 9))
    weights = np.random.default_rng(0).normal(size=len(powers))
    expected = literal(relations, powers, weights)
    assert_allclose(fuse(relations, powers, weights), expected, rtol=1e-11, atol=1e-11)
    sums = literal_adjoint(relations, powers, expected)
    assert_allclose(fuse_adjoint(relations, powers, expected), sums, rtol=1e-9)
    some = np.flatnonzero(powers[:, 0] == 0)[:-1]  # an index set of none of these names
    expected = literal(relations, powers[some], weights[some])
    assert_allclose(fuse(relations, powers[some], weights[some]), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("dtype", "width"), [(np.float32, 2048), (np.float64, 1), (np.float32, 0)])
def test_scratch_rows_start_on_cache_lines_apart_from_each_other(dtype, width):
    stack = _blocks.aligned_empty(5, width, dtype)
    assert stack.shape == (5, width)
    assert stack.dtype == dtype
    starts = stack.ctypes.data + stack.strides[0] * np.arange(5)
    assert not (starts % 64).any()
    assert len(set(starts % 4096)) == 5
    assert stack.strides[0] <= width * stack.itemsize + 128  # little room is lost


def test_tensors_of_whole_numbers_beside_others_keep_the_precision_of_these():
    rng = np.random.default_rng(0)
    graphs, factors, equal = (
        rng.normal(size=(2, 4, 4)),
        rng.normal(size=(2, 3)),
        np.eye(4, dtype=int),
    )
    expected = fuse_separable(list(graphs), factors, equal)
    found = fuse_separable(list(map(torch.as_tensor, graphs)), factors, torch.as_tensor(equal))
    assert_allclose(found.numpy(), expected, rtol=1e-14)
    mixed = [equal, graphs[0]]
    found = fuse(list(map(torch.as_tensor, mixed)), [[1, 1], [0, 2]], [0.1, 0.2])
    assert_allclose(found.numpy(), fuse(mixed, [[1, 1], [0, 2]], [0.1, 0.2]), rtol=1e-14)


def test_small_separable_weights_are_not_rounded_off_beside_the_constant():
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(20, 4)).astype(np.float32) for _ in range(3)]
    relations = [part @ part.T for part in parts]
    factors = np.array([[1, 1e-7], [1, 2e-7], [1, 1e-7]])
    exact = fuse_separable([relation.astype(float) for relation in relations], factors)
    fused = fuse_separable(relations, factors)
    assert fused.dtype == np.float32
    np.testing.assert_allclose(fused, exact, atol=1e-6 * np.abs(exact).max())
