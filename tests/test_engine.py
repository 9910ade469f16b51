"""The compiled engine: as numpy up to rounding, chosen only where asked for."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.datasets import load_wine

from legofuse import LEGOFusionTransformer, config
from legofuse.fusion import _polynomial, exponents, fuse, fuse_adjoint, fuse_several

INDEX_SETS = [(2, 5, "pairwise"), (3, 3, "total"), (4, 2, "additive")]
needs_numba = pytest.mark.skipif(
    config.find_spec("numba") is None, reason="numba, an optional dependency, is not installed"
)


def relations(n_graphs, dtype=np.float64, shape=(50, 60), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, shape).astype(dtype) for _ in range(n_graphs)]


def both(work):
    """What numpy and the compiled engine make of it."""
    found = work()
    with config.config_context(engine="numba"):
        return found, work()


@needs_numba
@pytest.mark.parametrize("index_set", INDEX_SETS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_polynomial_and_adjoint_are_those_of_numpy(index_set, dtype):
    powers = exponents(*index_set)
    graphs, slope = relations(index_set[0], dtype), relations(1, dtype, seed=1)[0]
    weights = np.random.default_rng(2).normal(size=len(powers))
    weights[::3] = 0
    close = {"rtol": 1e-4, "atol": 2e-4} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-11}
    for work in (
        lambda: fuse(graphs, powers, weights),
        lambda: fuse_several(graphs, powers, np.stack([weights, weights[::-1]])),
        lambda: fuse_adjoint(graphs, powers, slope),
        lambda: fuse_adjoint(graphs, powers, slope, by_row=True),
    ):
        by_numpy, by_numba = both(work)
        assert by_numba.dtype == by_numpy.dtype
        assert by_numba.shape == by_numpy.shape
        assert_allclose(by_numba, by_numpy, **close)


@needs_numba
@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=2, max_size=7), st.booleans())
def test_any_terms(terms, transposed):
    """Constants, terms there twice, graphs in no term, gaps between powers, any memory layout."""
    powers, shape = np.array(terms), (60, 50) if transposed else (50, 60)
    graphs = [r.T if transposed else r for r in relations(3, shape=shape)]
    weights = np.linspace(-1, 1, len(powers))
    literal = sum(
        w * np.prod([r**p for r, p in zip(graphs, a, strict=True)], axis=0)
        for w, a in zip(weights, terms, strict=True)
    )
    sums = [np.prod([r**p for r, p in zip(graphs, a, strict=True)], axis=0).sum() for a in terms]
    with config.config_context(engine="numba"):
        assert_allclose(fuse(graphs, powers, weights), literal, atol=1e-12)
        pulled = fuse_adjoint(graphs, powers, np.ones((50, 60)))
    assert_allclose(pulled, sums, rtol=1e-10, atol=1e-9)


@needs_numba
def test_an_entry_does_not_depend_on_its_place():
    powers, graphs = exponents(2, 3), relations(2, np.float32)
    weights = np.linspace(0, 1, len(powers))
    with config.config_context(engine="numba"):
        whole = fuse(graphs, powers, weights)
        part = fuse([r[3:48] for r in graphs], powers, weights)
        into = fuse(graphs, powers, weights, out=np.empty_like(whole))
    np.testing.assert_array_equal(whole[3:48], part)
    np.testing.assert_array_equal(whole, into)


@needs_numba
def test_parts_in_threads(monkeypatch):
    """Large arrays are shared among threads; threads may compile at once."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    powers, graphs = exponents(2, 5), relations(2, shape=(641, 1000))
    weights = np.linspace(0, 1, len(powers))
    whole, compiled = both(lambda: fuse(graphs, powers, weights))
    assert_allclose(compiled, whole, rtol=1e-10, atol=1e-10)
    whole, compiled = both(lambda: fuse_adjoint(graphs, powers, graphs[0]))
    assert_allclose(compiled, whole, rtol=1e-9)
    with config.config_context(engine="numba"), ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(copy_context().run, fuse, graphs, exponents(2, 4), np.ones(14))
            for _ in range(2)
        ]
        first, second = (job.result() for job in jobs)
    np.testing.assert_array_equal(first, second)


@needs_numba
def test_estimator_in_threads(monkeypatch):
    """Settings reach the threads of a transform; features are the same up to rounding."""
    X, y = load_wine(return_X_y=True)
    X, y = np.tile(X, (60, 1)), np.tile(y, 60)
    model = LEGOFusionTransformer(2, relation="correlation", n_landmarks=150, n_jobs=2)
    monkeypatch.setattr("legofuse.fused._BLOCK_SIZE", 1 << 19)
    calls = []

    def counted(*args):
        calls.append(args)
        return compiled(*args)

    compiled = _polynomial.fuse_compiled
    monkeypatch.setattr(_polynomial, "fuse_compiled", counted)
    found = model.fit(X, y).transform(X)
    assert not calls
    with config.config_context(engine="numba"):
        assert_allclose(model.transform(X), found, atol=1e-9)
        assert len(calls) > 1
        scores = model.fit(X, y).loo_score_
    assert scores == pytest.approx(model.fit(X, y).loo_score_, rel=1e-3)


def test_numba_is_not_imported_unasked():
    code = (
        "import sys, numpy as np\n"
        "from legofuse.fusion import exponents, fuse\n"
        "fuse([np.ones((60, 60))] * 2, exponents(2, 2), np.ones(5))\n"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_engines_are_checked(monkeypatch):
    with pytest.raises(ValueError, match="engine must be 'numpy' or 'numba'; got 'jax'"):
        config.set_config(engine="jax")
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"in a clone: pip install '\.\[numba\]'"):
        config.set_config(engine="numba", memory_share=0.1)
    assert config.get_config()["engine"] == "numpy"
    assert config.get_config()["memory_share"] == 0.8
