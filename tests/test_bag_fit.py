"""The net on bags: a literal loop, gradients, training, and what it leaves alone."""

import io
import pickle
import threading
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.special import expit
from skorch.callbacks import Callback, LRScheduler

from legofuse._threads import single_threaded_openmp
from legofuse.datasets import make_digit_bags
from legofuse.fusion import exponents
from legofuse.graphs import encode_rows, learn_statistics, relate_rows
from legofuse.nn import (
    BagLoss,
    BagModel,
    BagSettings,
    PackedBags,
    fit_bags,
    make_generator,
    resolve_device,
    restore_bags,
    score_bags,
)
from legofuse.nn.bag_fit import pack_bags
from legofuse.nn.bag_model import list_pairs

LENGTHS = np.array([3, 1, 5, 2])
POWERS = exponents(2, 2)


@pytest.fixture
def rng():
    return np.random.RandomState(0)


def make_model(n_graphs=2, views="ab", n_references=4, dtype=torch.float64, **settings):
    separable = settings.get("separable", False)
    powers = exponents(n_graphs, 2, "separable" if separable else "total")
    start = np.linspace(1, 2, len(powers))
    arguments = powers, views, n_references, BagSettings(**settings), start
    model = BagModel(*arguments, make_generator(0)).to(dtype)
    model.centre.copy_(torch.linspace(0.2, 0.4, n_references))
    model.scale.fill_(0.5)
    return model.eval()


def random_units(rng, n_graphs=2, n_references=4, missing=False, n_units=11):
    shape = n_units, n_references
    units = {"relations": [rng.uniform(size=shape) for _ in range(n_graphs)]}
    if missing:
        present = rng.uniform(size=(n_units, n_graphs)) < 0.7
        references = rng.uniform(size=(n_references, n_graphs)) < 0.7
        present[0], references[0] = False, True
        units["present"], units["reference_present"] = present * 1.0, references * 1.0
        for m, graph in enumerate(units["relations"]):
            graph *= present[:, m, None] * references[:, m]
    return units


def pack64(units, lengths=LENGTHS, own=None):
    """Pack without rounding to single precision."""

    def double(tree):
        if isinstance(tree, dict):
            return {key: double(part) for key, part in tree.items()}
        return [double(t) for t in tree] if isinstance(tree, list) else torch.as_tensor(tree)

    shared = {key: units[key] for key in units if key == "reference_present"}
    rows = {key: units[key] for key in units if key not in shared}
    bags = None if own is None else {"own": double(own)}
    return PackedBags(double(rows), lengths, bags, double(shared))


# the model, against a literal loop


def literal_polynomial(entries, model, kept=None):
    """The double sum, on the entries of one pair of unit and reference."""
    weights = model.fusion.weights.detach().numpy() * (1 if kept is None else kept)
    powers = model.fusion.powers
    if not model.settings.separable:
        terms = [w * np.prod(np.power(entries, a)) for w, a in zip(weights, powers, strict=True)]
        return sum(terms) / weights.sum()
    product = constant = 1.0
    for r, row in zip(entries, weights.reshape(len(entries), -1), strict=True):
        product *= sum(a * r**p for p, a in enumerate(row)) / row.sum()
        constant *= row[0] / row.sum()
    return product - constant


def literal_graph(units, model, kept=None):
    relations = np.array(units["relations"])
    graph = np.zeros(relations.shape[1:])
    complete = literal_polynomial(np.ones(len(relations)), model, kept)

    def factor(have):
        own = literal_polynomial(have, model, kept)
        return np.sqrt(complete / own) if own > 0 else 0.0

    for i, j in np.ndindex(graph.shape):
        graph[i, j] = literal_polynomial(relations[:, i, j], model, kept)
        if "present" in units:
            graph[i, j] *= factor(units["present"][i]) * factor(units["reference_present"][j])
    return graph


def literal_head(model, row):
    hidden, linear = model.head.hidden, model.head.linear
    weights = [t.detach().numpy() for t in (*hidden.parameters(), *linear.parameters())]
    values = np.maximum(0, weights[0] @ ((row - model.centre.numpy()) / 0.5) + weights[1])
    return float((weights[2] @ values + weights[3])[0])


def literal_spread(scores, graph, share):
    graph = np.maximum(graph, 0)
    found = []
    for z, row in zip(scores, graph, strict=True):
        mean = row @ scores / row.sum() if row.sum() > 0 else z
        found.append((1 - share) * z + share * mean)
    return found


def literal_scores(units, model, lengths, own=None):
    """Bag after bag, unit after unit, pair after pair."""
    pairs = model.kept.numpy() if model.settings.pair_sampling else [None]
    logits = np.zeros(int(np.sum(lengths)))
    for kept in pairs:
        found = [literal_head(model, row) for row in literal_graph(units, model, kept)]
        if own is not None:
            spread, ends = [], np.append(0, np.cumsum(lengths))
            for bag, (a, b) in enumerate(pairwise(ends)):
                one = {"relations": [graph[bag] for graph in own["relations"]]}
                share = float(model.propagation.share.detach())
                spread += literal_spread(np.array(found[a:b]), literal_graph(one, model), share)
            found = spread
        logits += np.array(found) / len(pairs)
    k, bags, first = model.settings.top_k, [], 0
    for n in lengths:
        count = min(k, n) if isinstance(k, int) else int(np.ceil(k * n))
        bags.append(np.sort(logits[first : first + n])[::-1][:count].mean())
        first += n
    return np.array(bags), logits


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(
    "settings",
    [{}, {"top_k": 0.5}, {"separable": True}, {"top_k": 1}],
    ids=str,
)
def test_the_model_is_the_literal_loop(rng, settings, missing):
    model, units = make_model(**settings), random_units(rng, missing=missing)
    found = model(pack64(units))
    bags, logits = literal_scores(units, model, LENGTHS)
    np.testing.assert_allclose(found["units"].detach(), logits, rtol=1e-10)
    np.testing.assert_allclose(found["bags"].detach(), bags, rtol=1e-10)


def test_pairs_are_averaged_when_predicting(rng):
    model = make_model(3, "abb", pair_sampling=True)
    units = random_units(rng, 3)
    assert model.kept.shape == (1, len(model.fusion.powers))
    model = make_model(3, "abc", pair_sampling=True)
    bags, logits = literal_scores(units, model, LENGTHS)
    found = model(pack64(units))
    np.testing.assert_allclose(found["units"].detach(), logits, rtol=1e-10)
    np.testing.assert_allclose(found["bags"].detach(), bags, rtol=1e-10)


def test_training_draws_pairs_and_leaves_the_third_view_out(rng):
    model = make_model(3, "abc", pair_sampling=True).train()
    batch = pack64(random_units(rng, 3))
    drawn = {tuple(model(batch)["units"].detach().numpy().round(9)) for _ in range(40)}
    assert len(drawn) == 3
    for kept, outside in zip(list_pairs("abc", model.fusion.powers), "cba", strict=True):
        column = "abc".index(outside)
        assert (model.fusion.powers[kept][:, column] == 0).all()
        assert kept.sum() == len(POWERS)


def test_scores_spread_over_the_graph_of_the_bag(rng):
    model, lengths = make_model(spread=True), np.full(3, 4)
    units = random_units(rng, n_units=12)
    own = {"relations": [rng.uniform(-0.5, 1, size=(3, 4, 4)) for _ in range(2)]}
    bags, logits = literal_scores(units, model, lengths, own)
    found = model(pack64(units, lengths, own))
    np.testing.assert_allclose(found["units"].detach(), logits, rtol=1e-10)
    np.testing.assert_allclose(found["bags"].detach(), bags, rtol=1e-10)


def test_rows_of_the_own_bag_with_missing_views_are_its_normalised_graph(rng):
    model = make_model(n_references=3)
    present = np.array([[[1.0, 1], [1, 0], [0, 1]], [[1, 1], [1, 1], [0, 0]]])
    both = present[:, :, None] * present[:, None]  # a relation needs the view on both sides
    graphs = [rng.uniform(size=(2, 3, 3)) * both[..., m] for m in range(2)]
    units = {
        "relations": [graph.reshape(6, 3) for graph in graphs],
        "present": present.reshape(6, 2),
        "row_present": np.repeat(present, 3, axis=0),
    }
    rows = model.graph(pack64(units, [3, 3]).units).detach().numpy().reshape(2, 3, 3)
    for bag in range(2):
        one = {"relations": [graph[bag] for graph in graphs]}
        one |= {"present": present[bag], "reference_present": present[bag]}
        np.testing.assert_allclose(rows[bag], literal_graph(one, model), rtol=1e-10)


def test_hops_enter_as_lists_of_powers_where_factors_multiply(rng):
    model, entrywise = (make_model(separable=True) for _ in range(2))
    units = random_units(rng)
    lists = {"relations": [[graph, graph**2] for graph in units["relations"]]}
    found = model(pack64(lists))["bags"].detach()
    np.testing.assert_allclose(found, entrywise(pack64(units))["bags"].detach(), rtol=1e-10)


def test_bags_do_not_see_one_another(rng):
    model, batch = make_model(), pack64(random_units(rng, missing=True))
    together = model(batch)["bags"].detach()
    apart = torch.cat([model(batch[[k]])["bags"].detach() for k in range(4)])
    np.testing.assert_allclose(together, apart, rtol=1e-12)
    np.testing.assert_allclose(model(batch[[3, 1]])["bags"].detach(), together[[3, 1]], rtol=1e-12)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("temperature", [None, 0.1])
def test_gradients(rng, temperature, separable):
    regulariser = {"degree_variance": 0.5, "degree_top_k": 2, "degree_temperature": temperature}
    model = make_model(top_k=2, separable=separable, spread=True, hidden_units=3, **regulariser)
    own = {"relations": [rng.uniform(0.1, 1, size=(3, 4, 4)) for _ in range(2)]}
    batch = pack64(random_units(rng, n_units=12), np.full(3, 4), own)
    target, criterion = (torch.tensor([0.0, 1, 1]), torch.ones(3)), BagLoss(model.settings)
    names = [name for name, _ in model.named_parameters()]

    def loss(*parameters):
        state = dict(zip(names, parameters, strict=True))
        return criterion(torch.func.functional_call(model, state, (batch,)), target)

    assert torch.autograd.gradcheck(loss, tuple(model.parameters()))


def test_the_loss_adds_the_regulariser(rng):
    batch = pack64(random_units(rng))
    target = torch.tensor([0.0, 1, 1, 0]), torch.ones(4)
    values = []
    for strength in (0.0, 1.0, 3.0):
        model = make_model(degree_variance=strength)
        values.append(float(BagLoss(model.settings)(model(batch), target).detach()))
    assert values[2] - values[0] == pytest.approx(3 * (values[1] - values[0]))
    assert values[1] > values[0]


# training


@pytest.fixture(scope="module")
def digits():
    """Relations of digit bags: (units, lengths, labels, weight) of training and of other bags."""
    data = make_digit_bags(n_bags=120, units_per_bag=(4, 7), random_state=0)
    X, lengths = np.concatenate(data.bags), np.array([len(bag) for bag in data.bags])
    columns = {view: np.r_[data.views[view]] for view in ("pixels", "gradients")}
    graphs = [(view, "correlation") for view in columns]
    rows = np.arange(lengths[:80].sum())
    learned = learn_statistics(X, columns, rows, np.ones(len(rows)))
    encoded = encode_rows(X, columns, graphs, learned)
    relations = relate_rows(encoded, encoded[rows[::9]], graphs, learned)
    parts = []
    for bags, units in ((slice(80), rows), (slice(80, None), slice(len(rows), None))):
        part = {"relations": [graph[units] for graph in relations]}
        parts.append((part, lengths[bags], data.y[bags], np.ones(len(data.y[bags]))))
    return parts


def fit(part, settings=None, **options):
    options = {"views": ["pixels", "gradients"], "powers": POWERS, "random_state": 0} | options
    options = {"start": np.full(len(options["powers"]), 0.2)} | options
    given = {"max_epochs": 3, "lr": 0.01, "batch_size": 32} | (settings or {})
    return fit_bags(*part, settings=BagSettings(**given), **options)


@pytest.fixture(scope="module")
def plain(digits):
    """A fit of the training bags, to be read only."""
    return fit(digits[0])


def area(scores, labels):
    return np.mean(scores[labels == 1][:, None] > scores[labels == 0])


def test_it_learns_which_bags_hold_the_digit(digits):
    train, other = digits
    found = fit(train, {"max_epochs": 40, "lr": 0.03})
    assert found.history[-1]["loss"] < 0.5 * found.history[0]["loss"]
    bags, units = score_bags(restore_bags(found.state), *other[:2])
    assert bags.shape == other[1].shape
    assert units.shape == (other[1].sum(),)
    assert area(bags, other[2]) > 0.8
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights > 0).all()
    assert found.state["share"] is None


def own_graphs(rng, n_bags, n):
    graphs = rng.uniform(size=(2, n_bags, n, n))
    return {"relations": list((graphs + graphs.transpose(0, 1, 3, 2)) / 2)}


def test_a_graph_that_denoises_is_spread_over():
    """Scores of single units are noisy, but units of a kind are related within their bag."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    kind = (np.arange(8) < 4) & (labels[:, None] == 1)  # four anomalous units of eight
    noisy = kind[:, :, None] + rng.normal(scale=2.0, size=(80, 8, 5))
    own = {"relations": [1.0 * (kind[:, :, None] == kind[:, None])]}
    part = {"relations": [noisy.reshape(-1, 5)]}, np.full(80, 8), labels, np.ones(80)
    options = {"powers": np.ones((1, 1), int), "views": ["a"]}
    settings = {"max_epochs": 40, "lr": 0.1, "batch_size": -1}
    found = fit(part, settings | {"spread": True}, own=own, **options)
    assert found.state["share"] > 0.7
    without = fit(part, settings, **options)
    assert found.history[-1]["loss"] < without.history[-1]["loss"]


SETTINGS = [
    {},
    {"hidden_units": None},
    {"top_k": 0.5},
    {"pair_sampling": True},
    {"spread": True},
    {"separable": True},
    {"degree_variance": 0.5, "degree_temperature": 0.1},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_fits_repeat_themselves_and_pickle(digits, rng, settings):
    part, options = digits[0], {}
    if settings.get("separable"):
        options["powers"] = exponents(2, 2, "separable")
    if settings.get("spread"):
        units = {"relations": [graph[:160] for graph in part[0]["relations"]]}
        part, own = (units, np.full(40, 4), part[2][:40], np.ones(40)), own_graphs(rng, 40, 4)
        options["own"] = own
    one, other = (fit(part, settings, **options) for _ in range(2))
    assert np.array_equal(one.weights, other.weights)
    assert one.history == other.history
    arguments = *part[:2], options.get("own")
    scores = score_bags(restore_bags(one.state), *arguments)
    again = score_bags(restore_bags(pickle.loads(pickle.dumps(one.state))), *arguments)
    for a, b in zip(scores, again, strict=True):
        assert a.dtype == np.float64
        assert np.array_equal(a, b)
    fourth = fit(part, settings, **options, random_state=1) if not options else one
    assert options or not np.array_equal(fourth.weights, one.weights)


def test_the_state_holds_no_torch(plain):
    seen = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            seen.append(type(obj).__module__.split(".")[0])

    Pickler(io.BytesIO()).dump(plain.state)
    assert set(seen) <= {"builtins", "numpy"}


def test_training_in_parts_is_training_at_once(digits):
    once = fit(digits[0], {"max_epochs": 4, "pair_sampling": True})
    parts = fit(digits[0], {"max_epochs": 2, "pair_sampling": True})
    state = pickle.loads(pickle.dumps(parts.state))
    parts = fit(digits[0], {"max_epochs": 2, "pair_sampling": True}, state=state)
    assert np.array_equal(once.weights, parts.weights)
    assert once.history == parts.history
    more = fit(digits[0], {"max_epochs": 2}, state=parts.state, epochs=1)
    assert len(more.history) == 5


def test_a_new_learning_rate_is_used_when_training_goes_on(digits, plain):
    slow = fit(digits[0], {"lr": 1e-12, "weight_decay": 0.0}, state=plain.state)
    np.testing.assert_allclose(slow.weights, plain.weights, rtol=1e-6)


def test_weight_two_is_the_bag_twice_in_one_batch(digits):
    units, lengths, labels, weight = digits[0]
    twice = np.append(np.arange(80), 0)
    rows = np.append(np.arange(lengths.sum()), np.arange(lengths[0]))
    repeated = {"relations": [graph[rows] for graph in units["relations"]]}
    weight = weight.copy()
    weight[0] = 2.0
    settings = {"batch_size": -1, "max_epochs": 3}
    heavy = fit((units, lengths, labels, weight), settings)
    copied = fit((repeated, lengths[twice], labels[twice], np.ones(81)), settings)
    np.testing.assert_allclose(heavy.weights, copied.weights, rtol=1e-4)
    np.testing.assert_allclose(heavy.history[-1]["loss"], copied.history[-1]["loss"], rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-50, 1e50])
def test_only_ratios_of_weights_matter(digits, plain, scale):
    units, lengths, labels, weight = digits[0]
    found = fit((units, lengths, labels, weight * scale)).weights
    np.testing.assert_allclose(found, plain.weights, rtol=1e-5)


def test_a_weight_next_to_nothing_is_nothing(digits):
    lengths, labels, weight = (part[:12].copy() for part in digits[0][1:])
    units = {"relations": [graph[: lengths.sum()] for graph in digits[0][0]["relations"]]}
    weight[:5] = 1e-60
    settings = {"batch_size": 1, "max_epochs": 1}
    assert np.isfinite(fit((units, lengths, labels, weight), settings).weights).all()


def test_early_stopping_stops_and_keeps_the_best(digits):
    train, other = digits
    shuffled = np.random.RandomState(0).permutation(other[2])  # held-out labels of no use
    valid = *other[:2], shuffled, other[3], None
    found = fit(train, {"max_epochs": 200, "lr": 0.03}, valid=valid)
    losses = [row["valid_loss"] for row in found.history]
    assert len(losses) < 200
    assert len(losses) - 1 - int(np.argmin(losses)) <= 5
    bags, _ = score_bags(restore_bags(found.state), *other[:2])
    p = np.clip(expit(bags), 1e-9, 1 - 1e-9)
    final = -np.mean(np.where(shuffled == 1, np.log(p), np.log(1 - p)))
    assert final == pytest.approx(min(losses), rel=1e-3)


class Counting(Callback):
    def __init__(self, after=None):
        self.epochs, self.after = 0, after

    def on_epoch_end(self, net, **kwargs):
        self.epochs += 1
        if self.after == self.epochs:
            press_ctrl_c()


def press_ctrl_c():
    raise KeyboardInterrupt


def test_callbacks_are_called_and_ctrl_c_reaches_the_caller(digits):
    counting = Counting()
    fit(digits[0], callbacks=[counting])
    assert counting.epochs == 3
    with pytest.raises(KeyboardInterrupt):
        fit(digits[0], callbacks=[Counting(after=2)])


@pytest.fixture(scope="module")
def expected_of_modes(digits):
    """Weights and scores of a fit with the defaults of torch."""
    found = fit(digits[0], {"pair_sampling": True})
    return found.weights, *score_bags(restore_bags(found.state), *digits[1][:2])


def test_modes_of_the_caller_do_not_matter(digits, expected_of_modes, torch_mode):
    """Inference mode, other default types and devices, mixed precision: the same fit."""
    with torch_mode():
        found = fit(digits[0], {"pair_sampling": True})
        net = restore_bags(found.state)
        values = found.weights, *score_bags(net, *digits[1][:2])
    for value, other in zip(values, expected_of_modes, strict=True):
        np.testing.assert_array_equal(value, other)
    net.module_.weights().sum().backward()  # a net made in inference mode can be trained after it
    assert net.module_.fusion.raw.grad is not None


@pytest.mark.parametrize("epoch", [1, 2])
def test_gradients_are_as_before_after_an_error(digits, epoch):
    with torch.no_grad():
        with pytest.raises(KeyboardInterrupt):
            fit(digits[0], callbacks=[Counting(after=epoch)])
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_arrays_may_be_read_only_and_lists_will_do(digits, plain):
    units, lengths, labels, weight = digits[0]
    frozen = [np.asarray(graph, dtype=np.float32) for graph in units["relations"]]
    for graph in frozen:
        graph.flags.writeable = False
    given = {"relations": frozen}, lengths.tolist(), labels.tolist(), weight.tolist()
    np.testing.assert_array_equal(fit(given).weights, plain.weights)


def test_verbose_prints_a_line_for_each_epoch(digits, capsys):
    fit(digits[0])
    assert not capsys.readouterr().out
    fit(digits[0], verbose=1)
    assert len(capsys.readouterr().out.splitlines()) == 5  # and two of a head


SCHEDULES = [
    ("StepLR", {"step_size": 1, "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.7}),
    ("CosineAnnealingLR", {"T_max": 4}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.6**epoch}),
]


@pytest.mark.parametrize(("policy", "options"), SCHEDULES, ids=lambda part: str(part)[:12])
def test_a_schedule_goes_on_where_training_does(digits, policy, options):
    def part(epochs, state=None):
        schedule = LRScheduler(policy, **options)
        return fit(digits[0], epochs=epochs, state=state, callbacks=[schedule])

    np.testing.assert_array_equal(part(2, part(2).state).weights, part(4).weights)


def test_a_new_rate_lowers_what_a_schedule_has_lowered(digits):
    half = LRScheduler("LambdaLR", lr_lambda=lambda epoch: 0.5**epoch)
    state = fit(digits[0], {"lr": 0.01}, epochs=2, callbacks=[half]).state
    found = fit(digits[0], {"lr": 0.04}, state=state, epochs=1, callbacks=[half])
    assert found.state["net"]["history"][-1]["event_lr"] == pytest.approx(0.01)


def test_threads_fit_at_once_alike(digits, plain):
    found = {}

    def work(k):
        found[k] = fit(digits[0]).weights

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[k], plain.weights) for k in range(3))


def test_large_inputs_are_scored_in_parts(digits, plain, monkeypatch):
    net = restore_bags(plain.state)
    whole = score_bags(net, *digits[1][:2])
    monkeypatch.setattr("legofuse.nn.bag_fit._SMALL", 2000)
    for a, b in zip(whole, score_bags(net, *digits[1][:2]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_a_rate_too_high_says_so(digits):
    with pytest.raises(ValueError, match="diverged to NaN or infinity: lower lr"):
        fit(digits[0], {"lr": 1e30, "weight_decay": 0.0})


def test_a_device_that_is_not_there(digits, plain):
    with pytest.raises(ValueError, match="is not there"):
        fit(digits[0], device="cuda:99")
    net = restore_bags(plain.state, "cuda:99")  # trained elsewhere: the CPU will do
    assert net.module_.centre.device.type == "cpu"


@pytest.mark.gpu
@pytest.mark.parametrize("settings", [{}, {"pair_sampling": True}, {"spread": True}], ids=str)
def test_a_net_fitted_on_the_accelerator_scores_alike_on_the_cpu(digits, rng, settings):
    device = resolve_device("auto")
    if device.type == "cpu":
        pytest.skip("no accelerator")
    units = {"relations": [graph[:160] for graph in digits[0][0]["relations"]]}
    own = own_graphs(rng, 40, 4) if settings.get("spread") else None
    part = units, np.full(40, 4), digits[0][2][:40], np.ones(40)
    found = fit(part, settings, own=own, device=str(device))
    there = score_bags(restore_bags(found.state, str(device)), *part[:2], own)
    here = score_bags(restore_bags(found.state, "cpu"), *part[:2], own)
    for a, b in zip(there, here, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_packing_is_single_precision_and_shares_what_is_shared(rng):
    packed = pack_bags(random_units(rng, missing=True), LENGTHS)
    assert packed.units["relations"][0].dtype == torch.float32
    assert packed[[1]].shared["reference_present"] is packed.shared["reference_present"]
    assert len(packed[[1]].units["present"]) == 1


def test_threads_stay_limited_by_others(digits):
    with single_threaded_openmp():
        fit(digits[0])
        assert torch.get_num_threads() == 1
