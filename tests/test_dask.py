"""Dask arrays and frames give what the same rows in memory give."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from functools import reduce
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_wine
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from legofuse import LEGOFusionTransformer, _lazy, graphs, moments

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

WINE, TARGET = load_wine(return_X_y=True)
FRAME = load_wine(as_frame=True).data
VIEWS = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}


def make(**parameters):
    return LEGOFusionTransformer(**({"views": VIEWS, "relation": "correlation"} | parameters))


def lazy(values, rows=50):
    chunks = (rows, -1) if np.ndim(values) == 2 else rows
    return da.from_array(np.asarray(values), chunks=chunks)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", ["embedding", "relations"])
def test_transform_of_an_array(dtype, output):
    X = WINE.astype(dtype)
    model = make(output=output).fit(X, TARGET)
    found = model.transform(lazy(X))
    assert isinstance(found, da.Array)
    assert found.numblocks == (4, 1)
    assert found.dtype == dtype
    assert found.shape == model.transform(X).shape
    found, blocks = found.compute(), np.split(X, [50, 100, 150])
    alone = np.vstack([model.transform(block) for block in blocks])
    assert_allclose(found, alone, rtol=0, atol=1e-5)
    # least components of an embedding magnify how products round, by how many rows there are
    rounding = 1e-4 if (output, dtype) == ("embedding", np.float32) else 1e-5
    assert_allclose(found, model.transform(X), rtol=0, atol=rounding)
    graph = model.fused_graph(lazy(X)).compute()
    assert_allclose(graph, model.fused_graph(X), rtol=0, atol=1e-5)


def test_nothing_is_computed_before_it_is_asked_for():
    model = make().fit(WINE, TARGET)
    X = da.map_blocks(lambda block: 1 / 0, lazy(WINE), dtype=float, meta=WINE[:0])
    with pytest.raises(ZeroDivisionError):
        model.transform(X).compute()


def test_transform_of_a_frame():
    model = make().fit(FRAME, TARGET)
    frame = dd.from_pandas(FRAME, npartitions=3)
    found = model.transform(frame)
    assert isinstance(found, dd.DataFrame)
    expected = model.set_output(transform="pandas").transform(FRAME)
    pd.testing.assert_frame_equal(found.compute(), expected, atol=1e-10)
    with pytest.raises(ValueError, match="feature names should match"):
        model.set_output(transform="default").transform(frame[list(FRAME.columns[::-1])])
    with pytest.raises(ValueError, match="set_output is for rows in memory"):
        model.set_output(transform="pandas").transform(frame)


def test_columns_of_a_lacking_view_may_be_added_to_a_frame():
    model = make().fit(FRAME, TARGET)
    lacking = FRAME.columns[model.views_[list(model.views_)[-1]]]
    frame = dd.from_pandas(FRAME.drop(columns=lacking), npartitions=3)
    with pytest.raises(ValueError, match=r"feature names .* rows.reindex\(columns=.* missing"):
        model.transform(frame)
    added = frame.map_partitions(lambda rows: rows.reindex(columns=model.feature_names_in_))
    expected = model.transform(FRAME.assign(**dict.fromkeys(lacking, np.nan)))
    assert_allclose(model.transform(added).compute(), expected, atol=1e-10)


def test_empty_blocks_and_unknown_lengths():
    model = make().fit(FRAME, TARGET)
    frame = dd.from_pandas(FRAME, npartitions=3)
    some = frame[frame["alcohol"] > 14]  # may leave partitions empty
    expected = model.transform(FRAME[FRAME["alcohol"] > 14])
    assert_allclose(model.transform(some).compute(), expected, atol=1e-10)
    plain = make().fit(WINE, TARGET)
    kept = lazy(WINE)[lazy(WINE)[:, 0] > 14]  # chunks of unknown length
    assert_allclose(plain.transform(kept).compute(), expected, atol=1e-10)
    empty = lazy(WINE)[lazy(WINE)[:, 0] > 99]
    assert plain.transform(empty).compute().shape == (0, len(plain.get_feature_names_out()))
    with pytest.raises(ValueError, match="All blocks of X are empty"):
        make().fit(empty)


@pytest.mark.parametrize("masked", ["X", "y"])
def test_masked_values_of_a_block_are_refused(masked):
    given = {"X": lazy(WINE), "y": lazy(TARGET)}
    values = given[masked]
    given[masked] = da.ma.masked_array(values, values == values[-1])
    where = {"X": "X", "y": r"Block \d of y"}[masked]
    with pytest.raises(ValueError, match=rf"^{where} has \d+ masked value\(s\)"):
        make().fit(**given)


def test_columns_in_several_blocks():
    model = make().fit(WINE, TARGET)
    X = da.from_array(WINE, chunks=(60, 4))
    assert_allclose(model.transform(X).compute(), model.transform(WINE), atol=1e-10)


@pytest.mark.filterwarnings("ignore:sample_weight holds whole numbers")
@pytest.mark.parametrize("kind", ["array", "frame"])
@pytest.mark.parametrize("rows", [30, 178])
def test_fit_is_the_fit_in_memory(kind, rows):
    X, y = np.vstack([WINE, WINE[:20]]), np.append(TARGET, TARGET[:20])  # repeated over blocks
    labels = np.array(["a", "b", "c"])[y]
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    if kind == "array":
        parts = lazy(X, rows), lazy(labels, rows), lazy(weight, rows)
        expected = make().fit(X, labels, sample_weight=weight)
    else:
        frame = pd.DataFrame(X, columns=FRAME.columns).assign(label=labels, weight=weight)
        blocks = dd.from_pandas(frame, chunksize=rows)
        parts = blocks[list(FRAME.columns)], blocks["label"], blocks["weight"]
        expected = make().fit(frame[list(FRAME.columns)], labels, sample_weight=weight)
    model = make().fit(*parts[:2], sample_weight=parts[2])
    assert_array_equal(model.weights_, expected.weights_)
    assert_array_equal(model.transform(WINE[:5]) if kind == "array" else model.transform(FRAME[:5]),
                       expected.transform(WINE[:5]) if kind == "array"
                       else expected.transform(FRAME[:5]))  # fmt: skip


def categories(n_rows=240):
    """Rows that agree by chance, within blocks and across them, and their classes."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (n_rows, 5)).astype(float)
    y = (X[:, 0] * X[:, 2] + rng.normal(size=n_rows) > 1).astype(int)
    assert len(np.unique(np.column_stack([X, y]), axis=0)) < 0.9 * n_rows
    return X, y


WEIGHTS = {  # sums of them are exact, so that fits are the same to the last bit
    "fractions": lambda n_rows: np.random.default_rng(1).choice([0.25, 0.5, 0.75, 1.0], n_rows),
    "halves": lambda n_rows: np.full(n_rows, 0.5),  # whole where rows are merged
    "heavy": lambda n_rows: np.where(np.arange(n_rows) == 70, 64.0, 0.125),
    "counts": lambda n_rows: np.ones(n_rows),  # do not warn of numbers above 1
}


@pytest.mark.parametrize("rows", [30, 240])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_rows_that_recur_by_chance_count_as_in_memory(name, rows):
    X, y = categories()
    weight = WEIGHTS[name](len(X))
    views = {"a": slice(0, 2), "b": slice(2, 5)}
    expected = LEGOFusionTransformer(views).fit(X, y, sample_weight=weight)
    parts = lazy(X, rows), lazy(y, rows)
    model = LEGOFusionTransformer(views).fit(*parts, sample_weight=lazy(weight, rows))
    assert_array_equal(model.weights_, expected.weights_)
    assert_array_equal(model.transform(X), expected.transform(X))


@pytest.mark.parametrize("exponent", [-60, 60])
def test_scale_of_weights_of_rows_that_recur_does_not_matter_however_extreme(exponent):
    X, y = categories()
    weight = WEIGHTS["fractions"](len(X))
    fits = (
        LEGOFusionTransformer(2).fit(lazy(X), lazy(y), sample_weight=lazy(w)).weights_
        for w in (weight, np.ldexp(weight, exponent))
    )
    one, other = (found / found.sum() for found in fits)
    assert_allclose(one, other, rtol=1e-6)


def test_rows_without_any_view_say_nothing_of_how_weights_count():
    X, y = categories()
    weight = WEIGHTS["counts"](len(X))
    X[5], weight[5] = np.nan, 2.5
    fits = []
    for given in (X, y, weight), (lazy(X), lazy(y), lazy(weight)):
        with pytest.warns(UserWarning, match=r"1 row\(s\) miss every view"):
            fits.append(LEGOFusionTransformer(2).fit(*given))
    assert_array_equal(fits[0].weights_, fits[1].weights_)


def test_how_weights_count_is_told_by_all_rows_not_by_the_sample(monkeypatch):
    X, y = categories()
    weight = np.random.default_rng(1).choice([0.5, 1.5], len(X))
    wanted = _lazy.gather_sample(make(views=2), lazy(X), lazy(y), lazy(weight)).row_weights
    assert wanted == (False, 1.5, weight.sum(), len(X))
    monkeypatch.setattr(_lazy, "_SAMPLE_ROWS", 20)
    monkeypatch.setattr(_lazy, "_LEAST_ROWS", 20)
    for rows in (15, 100):
        parts = (lazy(part, rows) for part in (X, y, weight))
        sample = _lazy.gather_sample(make(views=2), *parts)
        assert sample.is_cut
        assert sample.row_weights == wanted


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.r_[np.ones(177), -1.0], "Negative values in data passed to block 3 of sample_weight"),
        (np.r_[np.nan, np.ones(177)], "block 0 of sample_weight contains NaN"),
        (np.r_[np.inf, np.ones(177)], "block 0 of sample_weight contains infinity"),
        (np.ones((178, 1)), r"must be 1-D; got block \d of sample_weight of shape \(\d+, 1\)"),
        (np.zeros(178), "at least one non-zero number"),
    ],
)
def test_weights_are_checked_in_every_block(weight, message):
    model = make()
    with pytest.raises(ValueError, match=message):
        model.fit(lazy(WINE), lazy(TARGET), sample_weight=lazy(weight))
    assert not hasattr(model, "weights_")


def test_a_block_of_no_weight_is_left_out():
    weight = (np.arange(178) >= 50) * 1.0
    model = make().fit(lazy(WINE), lazy(TARGET), sample_weight=lazy(weight))
    assert_array_equal(model.weights_, make().fit(WINE[50:], TARGET[50:]).weights_)


def test_fit_transform_without_targets():
    found = make().fit_transform(lazy(WINE))
    assert_allclose(found.compute(), make().fit_transform(WINE), atol=1e-10)


def test_a_sample_does_not_depend_on_the_blocks(monkeypatch):
    monkeypatch.setattr(_lazy, "_SAMPLE_ROWS", 60)
    one, other = (_lazy.gather_sample(make(), lazy(WINE, n), lazy(TARGET, n)) for n in (20, 89))
    assert one.X.shape == (60, 13)
    assert_array_equal(one.X, other.X)
    assert_array_equal(one.y, other.y)
    model = make().fit(lazy(WINE), lazy(TARGET))
    assert model.weights_.shape == (9,)
    assert len(model.landmarks_) == 60


@pytest.mark.filterwarnings("ignore:sample_weight holds whole numbers")
@pytest.mark.parametrize("rows", [20, 89])
def test_mean_and_scale_are_those_of_all_rows(monkeypatch, rows):
    monkeypatch.setattr(_lazy, "_SAMPLE_ROWS", 60)
    weight = np.random.default_rng(0).integers(0, 3, len(WINE)).astype(float)
    X = WINE.copy()
    X[::3, 5:9] = np.nan
    model = make().fit(lazy(X, rows), lazy(TARGET, rows), sample_weight=lazy(weight, rows))
    repeated = np.repeat(X, weight.astype(int), axis=0)
    for view, columns in VIEWS.items():
        stats = model._fused.learned[view, None]
        assert_allclose(stats.mean, np.nanmean(repeated[:, columns], axis=0), rtol=1e-12)
        assert_allclose(stats.scale, np.nanstd(repeated[:, columns], axis=0), rtol=1e-12)
    sites = np.where(np.arange(len(WINE)) % 2, "a", "b")
    model = make().fit(lazy(WINE, rows), lazy(TARGET, rows), sample_domain=lazy(sites, rows))
    for (
        view,
        columns,
    ) in VIEWS.items():  # of all domains together
        stats = model._fused.learned[view, None]
        assert_allclose(stats.mean, WINE[:, columns].mean(axis=0), rtol=1e-12)
        assert_allclose(stats.scale, WINE[:, columns].std(axis=0), rtol=1e-12)


def test_weights_that_are_equal_are_none_in_mean_and_scale_of_all_rows(monkeypatch):
    monkeypatch.setattr(_lazy, "_SAMPLE_ROWS", 60)
    monkeypatch.setattr(_lazy, "_LEAST_ROWS", 60)
    wanted, found = (
        make(weights="uniform").fit(lazy(WINE), lazy(TARGET), sample_weight=weight)._fused.learned
        for weight in (None, lazy(np.full(178, 0.5)))
    )
    for key, stats in wanted.items():
        assert_allclose(found[key].mean, stats.mean, rtol=1e-12)
        assert_allclose(found[key].scale, stats.scale, rtol=1e-12)


def test_rows_of_the_sample_reach_as_far_as_mean_and_scale_of_all_rows_say(monkeypatch):
    monkeypatch.setattr(_lazy, "_SAMPLE_ROWS", 60)
    monkeypatch.setattr(_lazy, "_LEAST_ROWS", 60)
    X = np.random.default_rng(0).standard_t(1.3, size=(600, 6))
    model = LEGOFusionTransformer(2, relation="linear", weights="uniform")
    model.fit(lazy(X), lazy(X[:, 0]))
    for view, columns in model.views_.items():
        stats = model._fused.learned[view, None]
        rows = (X[:, columns] - stats.mean) / stats.scale
        lengths = np.linalg.norm(rows, axis=1)
        assert np.isclose(2 * lengths, stats.reach).any()


@pytest.mark.parametrize("rows_each", [10_000, 100_000])
def test_a_feature_constant_in_many_rows_is_constant(rows_each):
    columns = {"a": np.arange(3)}
    X = np.tile([7.1, 0.1, 1e9 / 7], (100_000, 1))
    starts = range(0, len(X), rows_each)
    parts = [
        moments.partial_moments(X[k : k + rows_each], columns, np.ones(rows_each)) for k in starts
    ]
    learned = graphs.learn_statistics(X[:50], columns, np.arange(50), np.ones(50))
    merged = reduce(moments.merge_moments, parts)
    found = moments.refine_statistics(learned, merged, X[:50], columns)
    assert_array_equal(found["a", None].scale, np.inf)


def test_refined_statistics_are_those_of_the_rows():
    X, columns = np.exp(WINE / WINE.max(axis=0)), {"a": np.arange(13)}
    X[:, 3] = 7  # constant
    order, weight = np.arange(len(X)), np.ones(len(X))
    learned = graphs.learn_statistics(X, columns, order, weight)
    some = graphs.learn_statistics(X, columns, order[:40], weight[:40])
    parts = [moments.partial_moments(X[part], columns, weight[part]) for part in
             (slice(0, 50), slice(50, 51), slice(51, 178))]  # fmt: skip
    merged = moments.merge_moments(moments.merge_moments(parts[2], parts[0]), parts[1])
    sample = X[:40], columns
    found, exact = (part["a", None] for part in
                    (moments.refine_statistics(some, merged, *sample), learned))  # fmt: skip
    assert_allclose(found.mean, exact.mean, rtol=1e-13)
    assert_allclose(found.scale, exact.scale, rtol=1e-12)
    assert found.scale[3] == np.inf
    assert found.gamma == pytest.approx(exact.gamma, rel=1e-12)
    assert found.widths["gaussian"] == exact.widths["gaussian"]
    huge = moments.partial_moments(np.full((2, 13), 1e200) * [[1], [2]], columns, np.ones(2))
    assert moments.refine_statistics(some, huge, *sample)["a", None] is some["a", None]


def test_domains():
    sites = np.where(np.arange(len(WINE)) % 2, "a", "b")
    model = make().fit(lazy(WINE), lazy(TARGET), sample_domain=lazy(sites))
    expected = make().fit(WINE, TARGET, sample_domain=sites)
    found = model.transform(lazy(WINE), sample_domain=lazy(sites)).compute()
    assert_allclose(found, expected.transform(WINE, sites), atol=1e-10)
    with pytest.raises(ValueError, match="row chunks"):
        model.transform(lazy(WINE), sample_domain=lazy(sites, 60))
    with pytest.raises(TypeError, match="sample_domain must be a dask array"):
        model.transform(lazy(WINE), sample_domain=sites)
    table = FRAME.assign(site=sites)
    by_column = make(domain_column="site").fit(dd.from_pandas(table, npartitions=2),
                                               lazy(TARGET, 89))  # fmt: skip
    found = by_column.transform(dd.from_pandas(table, npartitions=3)).compute()
    assert_allclose(found, expected.transform(WINE, sites), atol=1e-10)


def broken(change):
    """Blocks of which the third is not what the array says."""

    def work(block, block_id=None):
        return change(block) if block_id[0] == 2 else block

    return da.map_blocks(work, lazy(WINE), dtype=float, meta=WINE[:0], chunks=lazy(WINE).chunks)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (broken(lambda b: b.astype(np.float32)), "Block 2 of X holds float32, .* says float64"),
        (broken(lambda b: b[:, :7]), r"Block 2 of X has shape \(50, 7\), .* 13 columns"),
    ],
)
def test_blocks_that_differ(X, message):
    model = make().fit(WINE, TARGET)
    with pytest.raises(ValueError, match=message):
        model.transform(X).compute()
    with pytest.raises(ValueError, match=message):
        make().fit(X, lazy(TARGET))


def test_what_does_not_belong_together():
    model = make().fit(WINE, TARGET)
    with pytest.raises(ValueError, match="X has 12 features, but fit saw 13"):
        model.transform(lazy(WINE)[:, :12])
    with pytest.raises(ValueError, match="Expected a 2-D dask array"):
        model.transform(lazy(TARGET))
    unknown = da.Array(lazy(WINE).dask, lazy(WINE).name, ((50,) * 4, (np.nan,)), dtype=float)
    with pytest.raises(ValueError, match="number of columns is unknown"):
        model.transform(unknown)
    with pytest.raises(ValueError, match="y has 3 blocks, but X has 4"):
        make().fit(lazy(WINE), lazy(TARGET, 60))
    with pytest.raises(ValueError, match=r"Block \d of X has \d+ rows, but that of y \d+"):
        make().fit(lazy(WINE), lazy(TARGET, 45))
    with pytest.raises(TypeError, match="y must be a dask array or Series"):
        make().fit(lazy(WINE), TARGET)
    with pytest.raises(TypeError, match=r"compute\(\) the rows first"):
        model.relation_graphs(lazy(WINE))
    broken_model = make(degree=0)
    with pytest.raises(ValueError, match="degree"):
        broken_model.fit(lazy(WINE))
    assert not hasattr(broken_model, "weights_")


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.mark.slow
def test_two_processes(cluster):
    model = make().fit(lazy(WINE), lazy(TARGET))
    assert_array_equal(model.weights_, make().fit(WINE, TARGET).weights_)
    assert_allclose(model.transform(lazy(WINE)).compute(), model.transform(WINE), atol=1e-10)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(cluster):
    model = make().fit(WINE, TARGET)
    X = np.tile(WINE, (10, 1))

    def slowly(block):
        time.sleep(0.2)
        return block

    blocks = da.map_blocks(slowly, lazy(X, 60), dtype=float, meta=X[:0])
    victim = next(iter(cluster.run(os.getpid).values()))
    killer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
    killer.start()
    found = model.transform(blocks).compute()
    killer.join()
    assert victim not in cluster.run(os.getpid).values()
    assert_allclose(found, model.transform(X), atol=1e-10)


@pytest.mark.slow
def test_grid_search_on_the_cluster(cluster):
    pipe = Pipeline([("fuse", make()), ("clf", RidgeClassifier())])
    grid = {"fuse__degree": [1, 2]}
    with joblib.parallel_config("dask"):
        search = GridSearchCV(pipe, grid, cv=3).fit(WINE, TARGET)
    here = GridSearchCV(pipe, grid, cv=3).fit(WINE, TARGET)
    assert_allclose(
        search.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"], atol=1e-10
    )


ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
ENGINES = ("distributed", "ray", "pyspark")


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    blocks = [b for b in BLOCKS if not re.search(rf"(import|from) ({'|'.join(ENGINES)})", b)]
    assert len(blocks) == 3
    for block in blocks:
        exec(block, names)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_the_page_runs_on(engine, tmp_path):
    pytest.importorskip(engine)
    (block,) = [b for b in BLOCKS if re.search(rf"(import|from) {engine}", b)]
    before = BLOCKS[0]
    if engine == "distributed":  # every worker imports the page: data only
        before = before.partition("np.save")[0]
    (tmp_path / "page.py").write_text(before + block, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
    run = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-3000:]
