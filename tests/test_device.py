"""Relations on a device: those of numpy, kept there, by both estimators.

Where there is no accelerator, tensors on the CPU take the same path.
"""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer
from legofuse.fused import FusedGraph
from legofuse.graphs import learn_statistics, list_graphs
from legofuse.nn import relate, relate_on, resolve_device, to_tensors
from legofuse.relations import RELATIONS
from legofuse.terms import list_terms

COLUMNS = {"one": np.arange(4), "other": np.arange(4, 7)}
VIEWS = {"one": slice(0, 4), "other": slice(4, 7)}


@pytest.fixture
def by_tensors(monkeypatch):
    """Take the way of an accelerator on the CPU, and tell what took it."""
    moved = []

    def move(tree, device):
        moved.append(tree)
        return to_tensors(tree, device)

    monkeypatch.setattr(relate, "_BY_NUMPY", ())
    monkeypatch.setattr(relate, "to_tensors", move)
    return moved


def rows(n=30, missing=False, dtype=np.float64, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, 7)).astype(dtype)
    X[3] = 0
    if missing:
        X[5:8, :4] = np.nan
        X[9:11, 4:] = np.nan
    return X


def fused_graph(X, relation="cosine", centre=False, **options):
    more = ("principal", "linear", "local", "robust") if relation == "auto" else ()
    graphs = list_graphs(COLUMNS, relation, more)
    everything = np.arange(X.shape[0])
    learned = learn_statistics(X, COLUMNS, everything, np.ones(X.shape[0]), None, graphs)
    expansion = list_terms(
        len(graphs), 1, "additive", options.pop("expansion", "elementwise"), None
    )
    known = X[:12] if expansion.degree is None else X
    mass = None if expansion.degree is None else np.ones(X.shape[0])
    return FusedGraph(
        COLUMNS, graphs, expansion, learned, known, None, mass, [centre] * len(graphs)
    )


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("relation", [*RELATIONS, "auto"])
def test_relations_are_those_of_numpy(relation, dtype, missing, by_tensors):
    X = rows(missing=missing, dtype=dtype)
    fused = fused_graph(X, relation)
    encoded = fused.encode(X)
    found = relate_on(torch.device("cpu"), fused, encoded)
    expected = fused.relations(encoded)
    assert len(found) == len(expected) == len(fused.graphs)
    for one, other in zip(found, expected, strict=True):
        assert isinstance(one, torch.Tensor)
        assert isinstance(other, np.ndarray)
        assert one.numpy().dtype == other.dtype == dtype
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=100 * np.finfo(dtype).eps)
    assert by_tensors


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_centred_relations_too(others, missing, by_tensors):
    X = rows(missing=missing)
    fused = fused_graph(X, "auto", centre=True)
    if others:
        fused = fused.with_references(fused.encode(rows(9, seed=1)))
    encoded = fused.encode(X)
    found = relate_on(torch.device("cpu"), fused, encoded)
    for one, other in zip(found, fused.relations(encoded), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_modes_of_the_caller_do_not_matter(by_tensors, torch_mode):
    X = rows(dtype=np.float32)
    fused = fused_graph(X, "auto")
    expected = relate_on(torch.device("cpu"), fused, fused.encode(X))
    with torch_mode():
        found = relate_on(torch.device("cpu"), fused, fused.encode(X))
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)
        assert not one.is_inference()


def mean_product(X, Z):
    return X @ Z.T / X.shape[1]


@pytest.mark.parametrize("what", ["sparse", "hops", "callable"])
def test_what_only_numpy_computes_is_left_to_it(what, by_tensors):
    X = np.abs(rows())
    X = sp.csr_array(X) if what == "sparse" else X
    relation = mean_product if what == "callable" else "cosine"
    fused = fused_graph(X, relation, expansion="hops" if what == "hops" else "elementwise")
    encoded = fused.encode(X)
    found = relate_on(torch.device("cpu"), fused, encoded)
    for one, other in zip(found, fused.relations(encoded), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not by_tensors


def test_a_device_without_tensors_of_its_own_is_numpys():
    fused = fused_graph(rows())
    for name in ("cpu", "mps"):
        found = relate_on(torch.device(name), fused, fused.encode(rows()))
        assert all(isinstance(part, np.ndarray) for part in found)


def classified(device="cpu", batch_size="auto", **options):
    options = {"relation": "auto", "max_iter": 5, "batch_size": batch_size} | options
    return LEGOFusionTransformer(VIEWS, weights="neural", device=device, random_state=0, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 8},
        {"zeroth": "identity", "interactions": "pairwise"},
        {"interactions": "separable"},
        {"interactions": "separable", "batch_size": 8},
    ],
    ids=str,
)
def test_neural_weights_by_tensors(options, by_tensors, monkeypatch):
    X, y = rows(missing=True), np.arange(30) % 3
    X[:, :4] += 2 * np.eye(4)[y]
    found = classified(**options).fit(X, y)
    assert by_tensors
    monkeypatch.undo()
    expected = classified(**options).fit(X, y)
    np.testing.assert_allclose(found.weights_, expected.weights_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.transform(X), expected.transform(X), rtol=1e-3, atol=1e-5)


TIMED = {"first": slice(0, 3), "second": [3, 4], "position": [5]}


def detector(device="cpu", **options):
    defaults = {"relation": "auto", "reference": "landmarks", "max_epochs": 2}
    options = defaults | {"n_references": 20} | options
    return LEGOAnomalyClassifier(
        TIMED, head="net", n_units=6, random_state=0, device=device, **options
    )


BAG_OPTIONS = [
    {},
    {"time_view": "position"},
    {"reference": "both", "time_view": "position"},
    {"interactions": "separable", "zeroth": "identity", "n_references": 1000},
    {"early_stopping": True},
]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("options", BAG_OPTIONS, ids=str)
def test_a_net_on_bags_by_tensors(options, missing, timed_bags, by_tensors, monkeypatch):
    bags, y = timed_bags(missing=missing)
    found = detector(**options).fit(bags, y)
    scores, units = found.decision_function(bags), found.score_units(bags)
    assert by_tensors
    monkeypatch.undo()
    expected = detector(**options).fit(bags, y)
    np.testing.assert_allclose(found.weights_, expected.weights_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scores, expected.decision_function(bags), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        np.concatenate(units), np.concatenate(expected.score_units(bags)), rtol=1e-3, atol=1e-4
    )


def accelerator():
    device = resolve_device("auto")
    if device.type == "cpu":
        pytest.skip("no accelerator")
    return str(device)


@pytest.mark.gpu
@pytest.mark.parametrize("options", BAG_OPTIONS, ids=str)
def test_bags_fitted_on_an_accelerator_score_alike_on_the_cpu(options, timed_bags):
    bags, y = timed_bags(missing=True)
    model = detector(accelerator(), **options).fit(bags, y)
    there = pickle.loads(pickle.dumps(model)).decision_function(bags)
    here = model.set_params(device="cpu")
    for member in here._members:
        member.device = "cpu"
        member.__dict__.pop("_net", None)
    np.testing.assert_allclose(here.decision_function(bags), there, rtol=1e-5, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("batch_size", ["auto", 8])
def test_neural_weights_of_an_accelerator_are_those_of_the_cpu(batch_size):
    X, y = rows(missing=True), np.arange(30) % 3
    X[:, :4] += 2 * np.eye(4)[y]
    found = classified(accelerator(), batch_size).fit(X, y)
    expected = classified("cpu", batch_size).fit(X, y)
    np.testing.assert_allclose(found.weights_, expected.weights_, rtol=1e-3, atol=1e-5)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.transform(X), found.transform(X))
