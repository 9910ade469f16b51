"""Torch modules: against literal loops, finite differences and numpy, without side effects."""

import io
import pickle
import sys
import threading

import numpy as np
import pytest
import threadpoolctl
import torch
from skorch.callbacks import Callback, EarlyStopping

from legofuse._threads import single_threaded_openmp
from legofuse.fusion import exponents, fuse, fuse_separable
from legofuse.nn import (
    BagModel,
    BagSettings,
    FusionPolynomial,
    LinearHead,
    MLPHead,
    OnEpoch,
    PackedBags,
    Propagation,
    TensorBatches,
    TensorData,
    WeightedLoss,
    bag_index,
    binary_cross_entropy,
    cross_entropy,
    degree_variance_penalty,
    epoch_losses,
    fit_net,
    fuse_fixed,
    load_module,
    make_generator,
    make_net,
    max_pool,
    module_arrays,
    net_arrays,
    pad,
    propagate,
    resolve_device,
    restore_net,
    squared_error,
    top_k_pool,
)

LENGTHS = [3, 1, 5, 2]


@pytest.fixture
def rng():
    return np.random.RandomState(0)


@pytest.fixture
def tensor(rng):
    return lambda *shape: torch.tensor(rng.uniform(size=shape))


def split(values):
    return values.split(LENGTHS)


# fusion


@pytest.mark.parametrize("parametrisation", ["exp", "softplus"])
@pytest.mark.parametrize("nonnegative", [True, False])
def test_fusion_equals_numpy(tensor, nonnegative, parametrisation):
    powers, graphs = exponents(3, 3), tensor(3, 4, 5, 6)
    weights = np.linspace(0.01, 30.0, len(powers))
    options = {"nonnegative": nonnegative, "parametrisation": parametrisation}
    layer = FusionPolynomial.from_weights(powers, weights, dtype=torch.float64, **options)
    expected = fuse(list(graphs.numpy()), powers, weights)
    np.testing.assert_allclose(layer(graphs).detach(), expected, rtol=1e-12)
    np.testing.assert_allclose(layer.weights.detach(), weights, rtol=1e-12)


def test_separable_fusion_equals_numpy(tensor):
    powers, graphs = exponents(2, 2, "separable"), tensor(2, 5, 6)
    layer = FusionPolynomial(powers, separable=True, dtype=torch.float64)
    factors = layer.weights.detach().numpy().reshape(2, 3)
    zeroth = torch.eye(5, 6, dtype=torch.float64)
    for ones in (None, zeroth):
        expected = fuse_separable(list(graphs.numpy()), factors, None if ones is None else ones)
        np.testing.assert_allclose(layer(graphs, ones).detach(), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.uint8])
def test_whole_numbers_are_fused_as_floats(dtype):
    graphs, powers = torch.tensor([[[0, 1]], [[1, 1]]]).to(dtype), exponents(2, 2)
    weights = torch.linspace(0.1, 0.9, len(powers))
    expected = fuse(list(graphs.float().numpy()), powers, weights.numpy())
    layer = FusionPolynomial.from_weights(powers, weights)
    for graph in (
        layer(graphs),
        fuse_fixed(graphs, powers, weights),
        fuse(graphs, powers, weights),
    ):
        assert graph.dtype == torch.float32
        np.testing.assert_allclose(graph.detach(), expected, rtol=1e-6)
    factors = weights[:4].reshape(2, 2)
    expected = fuse_separable(list(graphs.float().numpy()), factors.numpy())
    for ones in (None, torch.ones(1, 2, dtype=dtype)):
        constant = 0 if ones is None else float(factors[:, 0].prod())
        graph = fuse_separable(list(graphs), factors, ones)
        np.testing.assert_allclose(graph, expected + constant, rtol=1e-6)


def test_arrays_are_refused_by_name():
    layer = FusionPolynomial(exponents(1, 2))
    for call in (layer, lambda graphs: layer.fixed(graphs, layer.weights)):
        with pytest.raises(TypeError, match="relations must be tensors; got ndarray"):
            call([np.ones((2, 2))])


@pytest.mark.parametrize("separable", [True, False])
@pytest.mark.parametrize("parametrisation", ["exp", "softplus"])
def test_fusion_gradients(tensor, parametrisation, separable):
    powers = exponents(2, 2, "separable" if separable else "total")
    layer = FusionPolynomial(
        powers, parametrisation=parametrisation, separable=separable, dtype=torch.float64
    )
    graphs = tensor(2, 3, 4).requires_grad_()

    def function(raw, graphs):
        return torch.func.functional_call(layer, {"raw": raw}, (graphs,))

    assert torch.autograd.gradcheck(function, (layer.raw, graphs))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_fixed_relations_fuse_alike_and_pull_gradients_back_alike(tensor, dtype):
    powers, graphs = exponents(3, 3), tensor(3, 2, 5, 7).to(dtype)
    slope = (tensor(2, 5, 7) - 0.5).to(dtype)
    found = []
    for function in (fuse_fixed, fuse):
        weights = torch.linspace(0.1, 2, len(powers), dtype=dtype, requires_grad=True)
        fused = function(list(graphs), powers, weights)
        (fused * slope).sum().backward()
        assert fused.dtype == weights.grad.dtype == dtype
        found.append((fused.detach(), weights.grad))
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def test_fixed_fusion_gradients(tensor):
    powers, graphs = exponents(2, 3), list(tensor(2, 3, 4))
    weights = torch.linspace(0.1, 2, len(powers), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: fuse_fixed(graphs, powers, w), weights)
    graphs[0].requires_grad_()  # where relations have a gradient they get it
    assert torch.autograd.gradcheck(
        lambda w, g: fuse_fixed([g, graphs[1]], powers, w), (weights, graphs[0])
    )


def test_fixed_fusion_has_second_derivatives(tensor):
    """Those that pass through the gradient of the graph, too."""
    relations, weights = [tensor(3, 4), tensor(3, 4)], tensor(5).requires_grad_()

    def loss(weights):
        graph = fuse_fixed(relations, exponents(2, 2), weights)
        return graph.square().sum() * weights.sum()

    one = torch.ones((), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(loss, weights, one)


def test_relations_must_not_change_before_the_gradient(tensor):
    relation, weights = tensor(3, 4), tensor(2).requires_grad_()
    fused = fuse_fixed([relation], exponents(1, 2), weights)
    relation.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        fused.sum().backward()


@pytest.mark.filterwarnings("ignore")  # of torch's compiler
@pytest.mark.parametrize("options", [{}, {"nonnegative": False}, {"parametrisation": "softplus"}])
def test_layers_can_be_compiled(tensor, options):
    fusion, relations = (
        FusionPolynomial(exponents(2, 3), dtype=torch.float64, **options),
        tensor(2, 3, 4),
    )
    compiled = torch.compile(fusion, backend="eager", fullgraph=True)
    gradients = []
    for layer in (fusion, compiled):
        fused = layer(relations)
        assert torch.allclose(fused, fusion(relations))
        gradients.append(torch.autograd.grad(fused.square().sum(), fusion.raw)[0])
    assert torch.allclose(*gradients)


@pytest.mark.filterwarnings("ignore")  # of torch's compiler
def test_a_model_of_bags_can_be_compiled():
    model = BagModel(exponents(2, 2), "ab", 7, BagSettings(), np.ones(5), make_generator(0))
    units = torch.rand(2, sum(LENGTHS), 7, generator=make_generator(0))
    bags = PackedBags({"relations": list(units)}, LENGTHS)
    found = torch.compile(model, backend="eager")(bags)["bags"]
    assert torch.allclose(found, model(bags)["bags"], atol=1e-6)


def test_zero_weights_stay_positive_and_can_grow():
    layer = FusionPolynomial.from_weights([[1], [2]], [2.0, 0.0])
    weights = layer.weights
    assert weights[1] > 0
    weights.sum().backward()
    assert layer.raw.grad[1] > 0
    assert (FusionPolynomial.from_weights([[1]], [0.0]).weights > 0).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0], "2 finite"), ([1.0, np.nan], "2 finite"), ([1.0, -1.0], "1 negative")],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        FusionPolynomial.from_weights([[1], [2]], weights)


def test_bad_options():
    with pytest.raises(ValueError, match="parametrisation must be"):
        FusionPolynomial([[1]], parametrisation="square")
    with pytest.raises(ValueError, match="array of ints"):
        FusionPolynomial([[1.5]])
    with pytest.raises(ValueError, match="powers must be at least 0; got -1"):
        FusionPolynomial([[-1]])
    with pytest.raises(ValueError, match="zeroth needs"):
        FusionPolynomial([[1]])([torch.ones(1, 1)], torch.ones(1, 1))


# heads


def test_heads_start_by_their_generator():
    one, other = (MLPHead(5, 4, generator=make_generator(3)) for _ in range(2))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    assert float(one.hidden.weight.detach().abs().max()) <= 5**-0.5
    assert LinearHead(5, 2, zero=True, generator=make_generator(0))(torch.ones(3, 5)).shape == (
        3,
        2,
    )


def test_dropout_is_drawn_by_its_generator_and_only_in_training():
    head = MLPHead(5, 400, dropout=0.5, generator=make_generator(0), dtype=torch.float64)
    rows = torch.ones(3, 5, dtype=torch.float64)
    assert not torch.equal(head(rows), head(rows))
    head.eval()
    assert torch.equal(head(rows), head(rows))
    mask = head._mask(torch.ones(1000, 10))
    assert abs(float(mask.mean()) - 1) < 0.05
    assert sorted(mask.unique().tolist()) == [0.0, 2.0]
    with pytest.raises(ValueError, match="dropout"):
        MLPHead(5, dropout=1.0)


# pooling


@pytest.mark.parametrize("trailing", [(), (4,), (2, 3)])
@pytest.mark.parametrize("k", [1, 2, 100, 0.2, 0.5, 1.0])
def test_pooling_equals_the_loop(tensor, k, trailing):
    scores = tensor(sum(LENGTHS), *trailing)
    expected = []
    for bag in split(scores):
        count = min(k, len(bag)) if isinstance(k, int) else int(np.ceil(k * len(bag)))
        expected.append(bag.sort(0, descending=True).values[:count].mean(0))
    torch.testing.assert_close(top_k_pool(scores, LENGTHS, k), torch.stack(expected))


def test_pooling_ragged_bags_together_is_pooling_each(tensor):
    scores = tensor(sum(LENGTHS))
    together = top_k_pool(scores, torch.tensor(LENGTHS), 2)
    apart = torch.cat([top_k_pool(bag, [len(bag)], 2) for bag in split(scores)])
    assert torch.equal(together, apart)
    rows = tensor(sum(LENGTHS), 4)
    assert torch.equal(max_pool(rows, LENGTHS), torch.stack([b.amax(0) for b in split(rows)]))


@pytest.mark.parametrize("k", [1, 2, 0.5])
def test_pooling_gradients(tensor, k):
    scores = tensor(sum(LENGTHS)).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: top_k_pool(s, LENGTHS, k), scores)


def test_pooling_keeps_dtype_and_no_bags():
    assert top_k_pool(torch.ones(3), [2, 1], 2).dtype == torch.float32
    assert top_k_pool(torch.ones(0), torch.zeros(0, dtype=torch.long)).shape == (0,)


@pytest.mark.parametrize("k", [0.5, 2])
def test_numbers_of_numpy_pool_alike(k):
    scores = torch.arange(6.0)
    for kind in (np.float32, np.float64) if k < 1 else (np.int32, np.uint8):
        assert torch.equal(top_k_pool(scores, [4, 2], kind(k)), top_k_pool(scores, [4, 2], k))


@pytest.mark.parametrize(
    ("lengths", "k", "message"),
    [
        ([2, 0, 1], 1, r"Bags without units have no score: \[1\]"),
        ([2, 2], 1, "lengths add up to 4 units; got 3"),
        ([2.0, 1.0], 1, "1-D ints"),
        ([2, 1], 0, "k must be"),
        ([2, 1], 1.5, "k must be"),
        ([2, 1], True, "k must be"),
        ([2, 1], "all", "k must be"),
    ],
)
def test_bad_pooling(lengths, k, message):
    with pytest.raises(ValueError, match=message):
        top_k_pool(torch.ones(3), lengths, k)


def test_padding_and_index(tensor):
    values = tensor(sum(LENGTHS), 2)
    padded = pad(values, LENGTHS, -1.0)
    for row, bag in zip(padded, split(values), strict=True):
        assert torch.equal(row[: len(bag)], bag)
        assert (row[len(bag) :] == -1).all()
    assert bag_index(LENGTHS).tolist() == np.repeat(range(4), LENGTHS).tolist()


# propagation


def test_propagation(tensor):
    graph, scores = tensor(2, 4, 4) - 0.5, tensor(2, 4)
    graph[0, 1] = -1.0  # related to nothing
    clipped = graph.clamp(min=0)
    expected = (clipped / clipped.sum(-1, keepdim=True) @ scores[..., None])[..., 0]
    expected[0, 1] = scores[0, 1]
    torch.testing.assert_close(propagate(scores, graph, 1.0), expected)
    assert torch.equal(propagate(scores, graph, 0.0), scores)
    layer = Propagation(0.25, dtype=torch.float64)
    torch.testing.assert_close(layer(scores, graph), 0.75 * scores + 0.25 * expected)
    with pytest.raises(ValueError, match="share"):
        Propagation(1.0)


def test_propagation_gradients(tensor):
    graph, scores = tensor(4, 4).requires_grad_(), tensor(4).requires_grad_()
    share = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(propagate, (scores, graph, share))


# losses


@pytest.mark.parametrize("shape", [(6, 1), (5,), (1,)])
def test_a_loss_takes_one_weight_for_each_sample(shape):
    weight = torch.ones(shape)
    with pytest.raises(ValueError, match="one weight for each of 6 samples; got shape"):
        squared_error(torch.zeros(6), torch.ones(6), weight)
    with pytest.raises(ValueError, match="one weight for each of 6 samples; got shape"):
        binary_cross_entropy(torch.zeros(6), torch.ones(6), weight)


@pytest.mark.parametrize("class_weight", [None, (0.5, 3.0)])
@pytest.mark.parametrize("weighted", [True, False])
def test_binary_cross_entropy_is_the_literal_sum(tensor, weighted, class_weight):
    logits, targets, weight = tensor(6) - 0.5, torch.tensor([0, 1, 1, 0, 1, 0]), tensor(6)
    total = mass = 0.0
    for s, y, w in zip(logits, targets, weight, strict=True):
        w = (w if weighted else 1.0) * (class_weight[y] if class_weight else 1.0)
        p = 1 / (1 + torch.exp(-s))
        total, mass = total - w * torch.log(p if y else 1 - p), mass + w
    found = binary_cross_entropy(logits, targets, weight if weighted else None, class_weight)
    torch.testing.assert_close(found, total / mass)


def test_weight_two_is_twice_for_every_loss(tensor):
    X, weight = tensor(4, 3), torch.tensor([1.0, 2.0, 1.0, 1.0], dtype=torch.float64)
    twice = torch.tensor([0, 1, 1, 2, 3])
    classes, values = torch.tensor([0, 2, 1, 1]), tensor(4, 3)
    for loss, y in ((cross_entropy, classes), (squared_error, values)):
        torch.testing.assert_close(loss(X, y, weight), loss(X[twice], y[twice]))
    expected = cross_entropy(X, classes, torch.tensor([1.0, 3.0, 2.0, 2.0]))
    found = cross_entropy(X, classes, class_weight=(1.0, 2.0, 3.0))
    torch.testing.assert_close(found, expected)


def literal_penalty(graph, targets, threshold, top_k):
    normal, anomalous = [], []
    for bag, y in zip(split(graph), targets, strict=True):
        degrees = [sum(float(v) for v in row if v >= threshold) for row in bag]
        if y:
            anomalous += sorted(degrees)[::-1][:top_k]
        else:
            normal += degrees
    return (np.var(normal) - np.var(anomalous)) ** 2


@pytest.mark.parametrize("top_k", [1, 2, 10])
def test_degree_variance_is_the_literal_loop(tensor, top_k):
    graph, targets = tensor(sum(LENGTHS), 6), torch.tensor([0, 1, 1, 0])
    expected = literal_penalty(graph, targets, 0.5, top_k)
    found = degree_variance_penalty(graph, LENGTHS, targets, threshold=0.5, top_k=top_k)
    assert float(found) == pytest.approx(expected, rel=1e-12)
    smooth = degree_variance_penalty(
        graph, LENGTHS, targets, threshold=0.5, top_k=top_k, temperature=1e-6
    )
    assert float(smooth) == pytest.approx(expected, rel=1e-9)


def test_degree_variance_needs_both_kinds(tensor):
    graph = tensor(sum(LENGTHS), 6).requires_grad_()
    for targets in (torch.zeros(4), torch.ones(4)):
        loss = degree_variance_penalty(graph, LENGTHS, targets)
        loss.backward()
        assert float(loss.detach()) == 0


def test_smooth_threshold_has_a_gradient_near_it(tensor):
    graph = tensor(sum(LENGTHS), 6).requires_grad_()
    targets = torch.tensor([0, 1, 1, 0])
    for temperature in (None, 0.1):
        assert torch.autograd.gradcheck(
            lambda g, t=temperature: degree_variance_penalty(
                g, LENGTHS, targets, top_k=2, temperature=t
            ),
            graph,
        )
    below = torch.full((4, 1), 0.49, dtype=torch.float64)
    below[1], below[3] = 0.45, 0.3
    for temperature, moves in ((None, False), (0.05, True)):
        graph = below.clone().requires_grad_()
        options = {"top_k": 2, "temperature": temperature}
        degree_variance_penalty(graph, [2, 2], torch.tensor([0, 1]), **options).backward()
        assert bool(graph.grad.abs().max() > 0) is moves


# batches


def test_batches_visit_everything_once_in_a_drawn_order():
    data = TensorData(torch.arange(10), torch.arange(10), torch.ones(10))
    batches = TensorBatches(data, 4, shuffle=True, generator=make_generator(0))
    first = [(x.tolist(), y.tolist()) for x, (y, _) in batches]
    assert [len(x) for x, _ in first] == [4, 4, 2]
    assert all(x == y for x, y in first)
    order = [i for x, _ in first for i in x]
    assert sorted(order) == list(range(10)) != order
    again = TensorBatches(data, 4, shuffle=True, generator=make_generator(0))
    assert [(x.tolist(), y.tolist()) for x, (y, _) in again] == first
    with pytest.raises(ValueError, match="needs a generator"):
        TensorBatches(data, 4, shuffle=True)
    with pytest.raises(ValueError, match="y has 3 entries for 10"):
        TensorData(torch.zeros(10), torch.zeros(3))


@pytest.mark.parametrize(
    "index",
    [2, -1, [0, -1], (1, 3), [], slice(1, None), np.array([3, 0]), [True, False, True, False]],
)
def test_packed_bags_are_taken_by_what_takes_entries(index):
    bags = PackedBags(torch.arange(sum(LENGTHS)), LENGTHS, torch.arange(4))
    entries = list(index) if isinstance(index, tuple) else index
    taken = torch.arange(4)[entries].reshape(-1).tolist()
    found = bags[index]
    parts = split(torch.arange(sum(LENGTHS)))
    assert found.bags.tolist() == taken
    assert found.lengths.tolist() == [LENGTHS[k] for k in taken]
    assert found.units.tolist() == [int(u) for k in taken for u in parts[k]]


@pytest.mark.parametrize("batch_size", [0, -2])
def test_bad_batch_size(batch_size):
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        TensorBatches(TensorData(torch.zeros(3)), batch_size=batch_size)


def test_packed_bags_select_units_and_what_belongs_to_bags(tensor):
    units, graphs = tensor(sum(LENGTHS), 2), tensor(4, 3, 3)
    bags = PackedBags({"rows": (units, None)}, LENGTHS, graphs)
    chosen = bags[torch.tensor([2, 0])]
    parts = split(units)
    assert torch.equal(chosen.units["rows"][0], torch.cat([parts[2], parts[0]]))
    assert chosen.units["rows"][1] is None
    assert torch.equal(chosen.bags, graphs[[2, 0]])
    assert len(chosen) == 2
    with pytest.raises(ValueError, match="lengths add up to 3"):
        PackedBags(units, [1, 2])


# nets


class BagScorer(torch.nn.Module):
    def __init__(self, n_references, generator):
        super().__init__()
        self.fusion = FusionPolynomial(exponents(2, 2))
        self.head = MLPHead(n_references, 4, dropout=0.2, generator=generator)

    def forward(self, bags):
        return top_k_pool(self.head(self.fusion(bags.units)), bags.lengths, 2)


def bag_net(seed=0, **options):
    generator = make_generator(seed)
    graphs = [torch.rand(sum(LENGTHS) * 5, 6, generator=generator) for _ in range(2)]
    lengths, y = torch.tensor(LENGTHS * 5), torch.arange(20) % 2
    net = make_net(
        BagScorer(6, generator),
        WeightedLoss(binary_cross_entropy, class_weight=(1.0, 2.0)),
        batch_size=8,
        generator=generator,
        **options,
    )
    return net, TensorData(PackedBags(tuple(graphs), lengths), y, torch.ones(20))


def test_a_net_learns_from_ragged_bags_and_repeats_itself():
    (one, data), (other, _) = (bag_net(max_epochs=15, lr=0.05) for _ in range(2))
    fit_net(one, data)
    fit_net(other, data)
    losses = epoch_losses(one)
    assert len(losses) == 15
    assert losses[-1] < losses[0]
    assert losses == epoch_losses(other)


def test_training_goes_on_from_numpy_state():
    net, data = bag_net(max_epochs=3)
    arrays = pickle.loads(pickle.dumps(net_arrays(fit_net(net, data))))
    restored = restore_net(bag_net()[0], arrays)
    bags = data.X
    for one in (net, restored):
        one.module_.eval()
    assert torch.equal(net.module_(bags), restored.module_(bags))
    assert epoch_losses(restored) == epoch_losses(net)
    for one in (net, restored):  # the same order of bags and units left out from here on
        one.module_.head.generator.manual_seed(1)
        fit_net(one, data, epochs=2)
    assert epoch_losses(restored) == epoch_losses(net)


def test_state_holds_no_torch():
    net, data = bag_net(max_epochs=1)
    seen = []

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            seen.append(module)
            return super().find_class(module, name)

    Unpickler(io.BytesIO(pickle.dumps(net_arrays(fit_net(net, data))))).load()
    assert not [m for m in seen if m.split(".")[0] in ("torch", "skorch", "legofuse")]


def test_module_state_round_trip():
    one, other = (MLPHead(3, generator=make_generator(seed)) for seed in (0, 1))
    load_module(other, module_arrays(one))
    assert torch.equal(one(torch.ones(2, 3)), other(torch.ones(2, 3)))


class Interrupting(Callback):
    def on_batch_end(self, net, **kwargs):
        press_ctrl_c()


def press_ctrl_c():
    raise KeyboardInterrupt


@pytest.mark.parametrize("method", ["on_train_begin", "on_epoch_end", "on_train_end"])
def test_a_callback_may_end_training_whatever_it_calls_itself(method):
    def stop(me, net, **kwargs):
        raise KeyboardInterrupt

    callback = type("Stopping", (Callback,), {method: stop})()
    net, data = bag_net(max_epochs=3, callbacks=[callback])
    epochs = {"on_train_begin": 0, "on_epoch_end": 1, "on_train_end": 3}
    assert len(fit_net(net, data).history) == epochs[method]


def test_a_net_that_calls_a_function_can_be_stored():
    told = []
    net, data = bag_net(max_epochs=2, callbacks=[OnEpoch(lambda epoch: told.append(epoch))])
    fit_net(net, data)
    other = pickle.loads(pickle.dumps(net))
    fit_net(other, data)
    assert told == [1, 2]
    assert len(other.history) == 4


def test_ctrl_c_is_not_swallowed():
    net, data = bag_net(callbacks=[Interrupting()])
    with pytest.raises(KeyboardInterrupt):
        fit_net(net, data)


def test_early_stopping_ends_training_and_is_no_ctrl_c():
    valid = bag_net(1)[1]
    stop = EarlyStopping(patience=2, threshold=1e9, threshold_mode="abs", sink=lambda *_: None)
    net, data = bag_net(max_epochs=50, valid_data=valid, callbacks=[stop])
    fit_net(net, data)
    assert len(net.history) < 10
    assert len(epoch_losses(net, "valid")) == len(net.history)


def test_one_thread_inside_and_no_more_limit_after():
    def openmp():
        pools = threadpoolctl.threadpool_info()
        return {p["num_threads"] for p in pools if p["user_api"] == "openmp"}

    seen = []

    def work():
        torch.get_num_threads()
        with single_threaded_openmp():
            seen.append(openmp())

    threads = [threading.Thread(target=work) for _ in range(4)]
    with threadpoolctl.threadpool_limits(2, user_api="openmp"):
        before = openmp()
        assert before == {2}
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with single_threaded_openmp(active=False):
            assert openmp() == before
        assert openmp() == before
    assert seen == [{1}] * 4


def test_devices():
    assert resolve_device("auto").type != "mps"
    for name in ("nonsense", "cuda:99", "meta2", 3.5):
        with pytest.raises(ValueError, match="is not there"):
            resolve_device(name)


@pytest.mark.gpu
def test_a_net_trained_on_the_accelerator_scores_alike_on_the_cpu():
    device = resolve_device("auto")
    if device.type == "cpu":
        pytest.skip("no accelerator")
    net, data = bag_net(max_epochs=5, device=device)
    moved = TensorData(data.X.to(device), data.y.to(device), data.sample_weight.to(device))
    fit_net(net, moved)
    net.module_.eval()
    other = load_module(bag_net()[0].module, module_arrays(net.module_)).eval()
    torch.testing.assert_close(net.module_(moved.X).cpu(), other(data.X), rtol=1e-5, atol=1e-5)


def test_a_library_loaded_later_is_limited_too(monkeypatch):
    from legofuse import _threads

    with single_threaded_openmp():
        known = _threads._libraries()
    assert _threads._libraries() is known  # nothing was imported: not looked for again
    monkeypatch.setitem(sys.modules, "as_if_imported_later", threading)
    assert _threads._libraries() is not known
