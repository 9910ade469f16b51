"""weights="neural" of the transformer: the fit, its net, its state, and what it leaves alone."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone

from legofuse import LEGOFusionTransformer
from legofuse.fused import FusedGraph
from legofuse.nn import FusionPolynomial
from legofuse.nn.fusion_fit import FusionModel, PenalisedLoss, fit_fusion, restore_fusion
from legofuse.nn.heads import LinearHead
from legofuse.nn.losses import cross_entropy
from legofuse.sampling import fingerprint

VIEWS = {"signal": slice(0, 3), "noise": slice(3, 6)}


def small(**options):
    defaults = {"relation": "cosine", "max_iter": 5, "random_state": 0}
    return LEGOFusionTransformer(VIEWS, weights="neural", **(defaults | options))


@pytest.fixture
def data():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], 15)
    X = rng.normal(size=(45, 6))
    X[:, :3] += 3 * np.eye(3)[y]
    return X, y


@pytest.mark.parametrize("batch_size", ["auto", 8])
@pytest.mark.parametrize("kind", ["classes", "real", "several"])
def test_training_lowers_the_loss_and_prefers_the_signal(data, kind, batch_size):
    X, y = data
    target = {"classes": y.astype(str), "real": X[:, 0] + X[:, 1], "several": X[:, :2]}[kind]
    model = small(batch_size=batch_size, max_iter=20).fit(X, target)
    losses = [epoch["train_loss"] for epoch in model.history_]
    assert losses[-1] < losses[0]
    assert model.view_importances_["signal"] > 0.5
    assert model.weights_.shape == (len(model.terms_),)
    assert (model.weights_ >= 0).all()
    assert 1 <= model.n_iter_ <= 20
    assert model.transform(X).shape[0] == 45


CONFIGURATIONS = [
    {},
    {"batch_size": 8},
    {"nonnegative": False, "output": "relations"},
    {"interactions": "separable"},
    {"interactions": "separable", "zeroth": "identity"},
    {"interactions": "pairwise", "zeroth": "identity"},
    {"expansion": "hops"},
    {"interactions": "separable", "expansion": "hops"},
]


@pytest.mark.filterwarnings("ignore:The fused graph is not positive semi-definite")
@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
def test_net_works_on_the_graph_of_the_transformer(data, options):
    X, y = data
    model = small(device="cpu", **options).fit(X, y)
    net = model.net_
    batch = {"relations": None}
    graphs, equal = model._fused.expanded(
        model._fused.encode(X), None if model._fused.marks is None else fingerprint(X)
    )
    as_tensor = torch.as_tensor
    batch["relations"] = [
        [as_tensor(p) for p in g] if isinstance(g, list) else as_tensor(g) for g in graphs
    ]
    if equal is not None and options.get("interactions") == "separable":
        batch["zeroth"] = as_tensor(equal)
    graph = net.module_.graph(batch).detach().numpy()
    np.testing.assert_allclose(graph, model.fused_graph(X), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.module_.weights.detach().numpy(), model.weights_, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:sample_weight holds whole numbers")
@pytest.mark.parametrize("options", CONFIGURATIONS[:4], ids=str)
def test_weight_two_is_a_row_repeated_in_any_order(data, options):
    X, y = data
    weight = np.random.RandomState(1).randint(0, 3, size=45).astype(float)
    repeated = np.repeat(np.arange(45), weight.astype(int))[::-1]
    one = small(**options).fit(X, y, sample_weight=weight)
    other = small(**options).fit(X[repeated], y[repeated])
    assert np.array_equal(one.weights_, other.weights_)
    assert np.array_equal(one.transform(X), other.transform(X))
    assert one.history_ == other.history_


@pytest.mark.filterwarnings("ignore:The fused graph is not positive semi-definite")
@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
def test_of_many_rows_few_are_related_to_one_another(data, monkeypatch, options):
    """The closed form, where weights start, is cubic in the rows; training is linear."""
    X, y = data
    X = X.copy()
    X[::9, 3:] = np.nan
    monkeypatch.setattr("legofuse.transformer._training._MOST_AT_START", 20)
    related, among = [], FusedGraph.among

    def count(self, rows, marks):
        related.append(len(rows))
        return among(self, rows, marks)

    monkeypatch.setattr(FusedGraph, "among", count)
    model = small(max_iter=20, **options).fit(X, y)
    assert related == [20]
    assert model.history_[-1]["train_loss"] < model.history_[0]["train_loss"]
    order = np.random.RandomState(1).permutation(45)
    assert np.array_equal(
        small(max_iter=20, **options).fit(X[order], y[order]).weights_, model.weights_
    )
    LEGOFusionTransformer(VIEWS, relation="cosine", max_iter=2).fit(X, y)
    assert related[-1] == 45


def alike(n_graphs=10, n=60):
    """Graphs that tell the same of three classes, each with noise of its own."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    noise = rng.normal(size=(n_graphs, n, 30))
    rows = np.concatenate([np.tile(2 * np.eye(3)[y], (n_graphs, 1, 1)), noise], axis=2)
    return [part @ part.T / part.shape[1] for part in rows], np.eye(n_graphs, dtype=int), y


@pytest.mark.parametrize("options", [{}, {"nonnegative": False}, {"batch_size": 20}], ids=str)
def test_weights_of_graphs_that_tell_alike_stay_alike(options):
    graphs, powers, y = alike()
    options = {"classes": True, "random_state": 0, **options}
    weights = fit_fusion(graphs, powers, np.eye(3)[y], np.full(10, 0.5), **options).weights
    np.testing.assert_allclose(np.abs(weights).sum(), 5.0, rtol=1e-6)
    assert weights.max() < 4 * weights.min()


def test_signed_weights_keep_the_sum_of_their_sizes():
    graphs, powers, y = alike(3)
    options = {"classes": True, "nonnegative": False}
    weights = fit_fusion(graphs, powers, np.eye(3)[y], [1, -1, 0.5], **options).weights
    assert np.abs(weights).sum() == pytest.approx(2.5)
    with_zeros = fit_fusion(graphs, powers, np.eye(3)[y], np.zeros(3), **options).weights
    assert np.isfinite(with_zeros).all()


@pytest.mark.parametrize("nonnegative", [True, False])
def test_what_is_minimised_is_the_formula(nonnegative):
    graphs, powers, y = alike(3, 12)
    start = np.array([3.0, 2.0, 0.5])
    fusion = FusionPolynomial.from_weights(
        powers, start, nonnegative=nonnegative, dtype=torch.float64
    )
    generator = torch.Generator().manual_seed(0)
    head = LinearHead(12, 3, generator=generator, dtype=torch.float64)
    module = FusionModel(fusion, head)
    rng = np.random.default_rng(0)
    batch, weight = {"relations": list(map(torch.as_tensor, graphs))}, rng.uniform(1, 2, size=12)
    module.standardise(batch, torch.as_tensor(weight))
    rows = np.tensordot(start, graphs, 1)
    centre = weight @ rows / weight.sum()
    scale = np.sqrt(weight @ ((rows - centre) ** 2).sum(axis=1) / weight.sum())
    H, b, A = rng.normal(size=(12, 3)), rng.normal(size=3), np.array([1.0, 4.0, 2.0])
    with torch.no_grad():
        head.linear.weight.copy_(torch.as_tensor(H.T))
        head.linear.bias.copy_(torch.as_tensor(b))
        fusion.raw.copy_(torch.as_tensor(np.log(A) if nonnegative else A))
    moved = np.log(A / start) if nonnegative else (A - start) / 3
    logits = (np.tensordot(A * 5.5 / 7, graphs, 1) - centre) / scale @ H + b
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(12), y]
    expected = weight @ losses + 0.5 * 2 * (H**2).sum() + 0.5 * 5 * (moved**2).sum()
    loss = PenalisedLoss(cross_entropy, weight.sum(), (2.0, 5.0))
    target = torch.as_tensor(y), torch.as_tensor(weight)
    found = loss(module(batch), target)
    assert float(found.detach()) == pytest.approx(expected / weight.sum(), rel=1e-10)
    found.backward()
    with torch.no_grad():
        for k in range(3):
            step = 1e-6 * torch.eye(3, dtype=torch.float64)[k]
            fusion.raw += step
            above = loss(module(batch), target)
            fusion.raw -= 2 * step
            below = loss(module(batch), target)
            fusion.raw += step
            slope = float(above - below) / 2e-6
            assert float(fusion.raw.grad[k]) == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_strengths_by_default():
    graphs, powers, y = alike(3, 30)
    given = graphs, powers, np.eye(3)[y], [0.5, 0.3, 0.2]
    plain = fit_fusion(*given, classes=True).weights
    same = fit_fusion(*given, classes=True, strength=1.0, weight_strength=16.0).weights
    np.testing.assert_array_equal(plain, same)
    free = fit_fusion(*given, classes=True, weight_strength=0.1).weights
    start = np.array(given[3])
    assert np.abs(np.log(free / start)).max() > 2 * np.abs(np.log(plain / start)).max()


def test_factors_of_a_product_keep_their_size():
    graphs, _, y = alike(3)
    powers = np.repeat(np.eye(3, dtype=int), 2, axis=0) * np.array([0, 1] * 3)[:, None]
    start = np.array([0.5, 1.0, 1.0, 1.0, 0.1, 0.9])
    options = {"classes": True, "separable": True}
    fit = fit_fusion(graphs, powers, np.eye(3)[y], start, **options)
    sums = fit.weights.reshape(3, 2).sum(axis=1)
    np.testing.assert_allclose(sums, start.reshape(3, 2).sum(axis=1), rtol=1e-9)
    assert not np.allclose(fit.weights, start, rtol=1e-3)


def test_missing_views_are_made_up_for_alike(data):
    X, y = data
    X[::4, :3] = np.nan
    X[1::4, 3:] = np.nan
    model = small(interactions="pairwise", device="cpu").fit(X, y)
    fused = model._fused
    rows = fused.encode(X)
    batch = {
        "relations": [torch.as_tensor(r) for r in fused.relations(rows)],
        "present": torch.as_tensor(rows.present.astype(float)),
    }
    module = model.net_.module_
    graph = module.graph(batch).detach().numpy()
    np.testing.assert_allclose(graph, model.fused_graph(X), rtol=1e-9, atol=1e-12)


def test_pickles_hold_no_torch_and_come_back_bit_identical(data):
    X, y = data
    model = small().fit(X, y)
    _ = model.net_
    content = pickle.dumps(model)
    assert b"torch" not in content
    assert b"skorch" not in content
    back = pickle.loads(content)
    assert np.array_equal(back.transform(X), model.transform(X))
    for name, value in model.net_.module_.state_dict().items():
        assert torch.equal(value, back.net_.module_.state_dict()[name])
    assert back.net_.history.to_list() == model.net_.history.to_list()


def test_a_pickle_transforms_without_torch(data, tmp_path):
    X, y = data
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(small().fit(X, y)))
    code = (
        "import pickle, sys, numpy as np; from pathlib import Path; here = Path(sys.argv[1]); "
        "model = pickle.loads((here / 'model.pkl').read_bytes()); "
        "model.transform(np.load(here / 'X.npy')); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "False"


def test_a_net_of_a_device_that_is_not_there_comes_back_on_the_cpu(data):
    model = small(device="cpu").fit(*data).set_params(device="cuda:99")
    assert next(model.net_.module_.parameters()).device.type == "cpu"


def test_only_neural_weights_have_a_net(data):
    model = small().fit(*data)
    model.set_params(weights="uniform").fit(*data)
    assert not hasattr(model, "net_")
    assert not hasattr(model, "history_")
    assert not hasattr(clone(model), "net_")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "'batch_size' parameter"),
        ({"batch_size": "all"}, TypeError, "'batch_size' parameter"),
        ({"device": "nowhere"}, ValueError, "device='nowhere' is not there"),
        ({"nonnegative": False}, ValueError, "needs output='relations'"),
    ],
)
def test_bad_parameters_leave_nothing_fitted(data, options, error, message):
    model = small(**options)
    before = set(vars(model))
    with pytest.raises(error, match=message):
        model.fit(*data)
    assert set(vars(model)) == before


@pytest.mark.parametrize("max_iter", [1, 7, 13])
def test_there_are_no_more_steps_than_asked_for(data, max_iter):
    assert small(max_iter=max_iter, tol=0.0).fit(*data).n_iter_ <= max_iter


@pytest.mark.parametrize("batch_size", ["auto", 8])
def test_modes_of_the_caller_do_not_matter(data, batch_size, torch_mode):
    expected = small(batch_size=batch_size).fit(*data).transform(data[0])
    with torch_mode():
        model = small(batch_size=batch_size).fit(*data)
        net = model.net_
    np.testing.assert_array_equal(model.transform(data[0]), expected)
    net.module_.fusion.weights.sum().backward()
    assert net.module_.fusion.raw.grad is not None


def test_y_is_needed(data):
    with pytest.raises(ValueError, match="weights='neural' needs y"):
        small().fit(data[0])


@pytest.mark.gpu
def test_accelerator_and_cpu_agree():
    if not torch.accelerator.is_available():
        pytest.skip("no accelerator")
    rng = np.random.default_rng(0)
    relations, y = list(rng.uniform(size=(2, 40, 10))), np.repeat([0, 1], 20)
    options = {"classes": True, "max_iter": 20}
    fits = [
        fit_fusion(relations, np.eye(2, dtype=int), np.eye(2)[y], [1, 1], device=d, **options)
        for d in ("auto", "cpu")
    ]
    np.testing.assert_allclose(fits[0].weights, fits[1].weights, rtol=1e-5)
    assert next(restore_fusion(fits[0].state, "cpu").module_.parameters()).device.type == "cpu"
