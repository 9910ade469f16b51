"""Nets inside the anomaly classifier: when they are trained, on what, and what they leave alone."""

import io
import pickle
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EpochTimer, LRScheduler

from legofuse import LEGOAnomalyClassifier
from legofuse.anomaly._bags import Units
from legofuse.anomaly._net import hold_out
from legofuse.bags import segment_means, unit_segments
from legofuse.nn.bag_fit import pack_bags
from legofuse.plotting import HistoryDisplay

VIEWS = {"first": slice(0, 3), "second": [3, 4], "position": [5]}
REFERENCES = ["landmarks", "bag", "both"]


def make(**options):
    options = {
        "head": "net",
        "relation": "correlation",
        "reference": "landmarks",
        "n_references": 20,
        "n_units": 6,
        "max_epochs": 5,
        "lr": 0.01,
        "random_state": 0,
    } | options
    return LEGOAnomalyClassifier(VIEWS, **options)


@pytest.fixture(scope="module")
def data(timed_bags):
    return timed_bags()


def test_it_learns(data, timed_bags):
    new, truth = timed_bags(seed=1)
    model = make(max_epochs=30).fit(*data)
    assert roc_auc_score(truth, model.decision_function(new)) > 0.9
    assert model.history_[-1]["loss"] < model.history_[0]["loss"]
    assert model.n_iter_ == len(model.history_) == 30
    assert model.weights_.sum() == pytest.approx(1)
    assert len(model.terms_) == len(model.powers_) == len(model.weights_)
    assert set(model.view_importances_) == set(VIEWS)
    assert (model.reference_, model.pooling_, model.heads_) == ("landmarks", "units", {"net": 1.0})
    assert [len(scores) for scores in model.score_units(new)] == [len(bag) for bag in new]
    assert HistoryDisplay.from_estimator(model).ax_.lines


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("time_view", [None, "position"])
@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("interactions", ["total", "separable"])
def test_scores_are_those_of_the_net_on_the_fused_graphs(
    reference, time_view, missing, interactions, timed_bags
):
    """Graphs by numpy, in double precision, and the net's own are the same."""
    bags, y = timed_bags(missing=missing)
    model = make(reference=reference, time_view=time_view, interactions=interactions, device="cpu")
    model.fit(bags, y)
    member, module = model._members[0], model.net_.module_
    assert (len(model.graphs_) == 3) == (time_view is None or reference != "landmarks")
    X, offsets = np.concatenate(bags), np.append(0, np.cumsum([len(bag) for bag in bags]))
    graphs = np.concatenate(model.fused_graphs(bags))
    parts = list(member.relate(Units(X), offsets))
    rows = [module.graph({**p.units, **p.shared}) for p in (pack_bags(*part) for part in parts)]
    np.testing.assert_allclose(torch.cat(rows).detach(), graphs, atol=1e-5)
    logits = module.head((torch.as_tensor(graphs).float() - module.centre) / module.scale)
    if reference != "both":
        found = model._members[0].unit_logits(Units(X), offsets)
        logits = logits.detach().numpy()
        if reference == "bag":
            logits = logits[unit_segments(offsets, 6)]
        np.testing.assert_allclose(found, logits, atol=1e-4)


def test_the_bag_alone_is_its_own_graph(data):
    """By correlation, degree 1, of one view: inner products of standardised segments."""
    bags, y = data
    model = make(reference="bag", degree=1).set_params(views={"first": slice(0, 3)}).fit(bags, y)
    stats = model._members[0].fusion.learned["first", None]
    graphs = model.fused_graphs(bags[:3])
    offsets = np.append(0, np.cumsum([len(bag) for bag in bags[:3]]))
    segments = segment_means(np.concatenate(bags[:3])[:, :3], offsets, 6)
    for graph, segment in zip(graphs, segments, strict=True):
        rows = (segment - stats.mean) / stats.scale
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        np.testing.assert_allclose(graph, rows @ rows.T, atol=1e-5)


@pytest.mark.parametrize("reference", [*REFERENCES, "auto"])
def test_weights_repetitions_and_order_of_bags(data, reference):
    bags, y = data
    rng = np.random.RandomState(3)
    weight = rng.randint(0, 3, len(bags))
    repeated = [bag for bag, w in zip(bags, weight, strict=True) for _ in range(w)]
    weighted = make(reference=reference).fit(bags, y, sample_weight=weight)
    plain = make(reference=reference).fit(repeated, np.repeat(y, weight))
    order = rng.permutation(len(repeated))
    shuffled = make(reference=reference)
    shuffled.fit([repeated[i] for i in order], np.repeat(y, weight)[order])
    expected = weighted.decision_function(bags)
    np.testing.assert_array_equal(plain.decision_function(bags), expected)
    np.testing.assert_array_equal(shuffled.decision_function(bags), expected)


def test_order_of_units_is_time_only_where_the_bag_is_resampled(data):
    bags, y = data
    rng = np.random.RandomState(3)
    shuffled = [bag[rng.permutation(len(bag))] for bag in bags]
    one, other = (make().fit(part, y).decision_function(bags) for part in (bags, shuffled))
    np.testing.assert_array_equal(one, other)
    one, other = (
        make(reference="bag").fit(part, y).decision_function(bags) for part in (bags, shuffled)
    )
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "linear"),
        ({"hidden_units": 8}, "linear"),
        ({"head": "net"}, "net"),
        ({"pair_sampling": True}, "net"),
        ({"degree_variance": 0.1}, "net"),
        ({"early_stopping": True}, "net"),
        ({"warm_start": True}, "net"),
        ({"callbacks": []}, "net"),
        ({"reference": "bag"}, "net"),
    ],
    ids=str,
)
def test_what_asks_for_a_net_gets_one(data, options, kind):
    model = make(**({"head": "auto"} | options)).fit(*data)
    assert ("net" in model.heads_) == (kind == "net")
    if kind == "net":
        assert model.net_.module_.fusion.weights.shape == (len(model.terms_),)
        if options != {"head": "net"}:
            with pytest.raises(ValueError, match="head='linear' trains no net"):
                make(**(options | {"head": "linear"})).fit(*data)
    else:
        with pytest.raises(AttributeError, match="no net was trained"):
            _ = model.net_
        assert not hasattr(model, "history_")


SETTINGS = [
    {"hidden_units": None},
    {"hidden_units": 4, "top_k": 0.5},
    {"pair_sampling": True},
    {"degree_variance": 0.5, "degree_threshold": 0.2, "degree_top_k": 2},
    {"early_stopping": True, "validation_fraction": 0.3},
    {"class_weight": "balanced", "contamination": 0.25},
    {"n_ensemble": 2, "pooling": "both"},
    {"batch_size": 7, "weight_decay": 0.1},
    {"expansion": "hops", "n_references": 500, "reference": "bag"},
    {"zeroth": "identity", "interactions": "pairwise", "n_references": 500, "reference": "both"},
]


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_settings_change_the_fit_and_fits_repeat_and_pickle(data, options):
    bags, y = data
    one, other = (make(**options).fit(bags, y) for _ in range(2))
    expected = one.decision_function(bags)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(other.decision_function(bags), expected)
    assert not np.array_equal(make().fit(bags, y).decision_function(bags), expected)
    stored = pickle.dumps(one)
    assert b"torch" not in stored
    np.testing.assert_array_equal(pickle.loads(stored).decision_function(bags), expected)
    if options.get("contamination"):
        assert one.predict(bags).sum() == 10


def test_a_net_alone_keeps_no_references_it_does_not_read(data):
    alone, beside = (make(pooling=pooling).fit(*data) for pooling in ("units", "both"))
    fusion = alone._members[0].fusion
    assert fusion.references is fusion.landmarks
    other = beside._members[0].fusion
    assert len(other.references) > len(other.landmarks)
    np.testing.assert_array_equal(alone._members[0].weights, beside._members[0].weights)


def test_bags_do_not_see_one_another(data):
    bags, _ = data
    for reference in REFERENCES:
        model = make(reference=reference).fit(*data)
        together = model.decision_function(bags)
        apart = [model.decision_function([bag])[0] for bag in bags]
        np.testing.assert_allclose(apart, together, atol=1e-5)


@pytest.mark.parametrize("relation", ["correlation", "rbf"])
def test_rounding_of_a_constant_graph_is_not_stretched(data, relation):
    """A single segment is related to nothing but itself: all bags score alike."""
    bags, y = data
    model = make(reference="bag", n_units=1, relation=relation, degree=3).fit(bags, y)
    np.testing.assert_allclose(np.ptp(model.decision_function(bags)), 0, atol=1e-5)
    assert model.net_.module_.scale == 1


def test_auto_takes_the_reference_of_least_held_out_loss(data):
    model = make(reference="auto").fit(*data)
    losses = model.held_out_losses_
    assert set(losses) == {f"net, {name}" for name in REFERENCES}
    assert f"net, {model.reference_}" == min(losses, key=losses.get)
    table = np.array([bag[0] for bag in data[0]])
    assert make(reference="auto").fit(table, data[1]).reference_ == "landmarks"
    few = [0, *range(1, 12, 2)]
    model = make(reference="auto").fit([data[0][i] for i in few], data[1][few])
    assert (model.reference_, model.held_out_losses_) == ("landmarks", {})


def test_warm_start_goes_on_where_the_fit_stopped(data):
    whole = make(max_epochs=6).fit(*data)
    model = make(max_epochs=3, warm_start=True).fit(*data)
    assert len(model.history_) == 3
    model.fit(*data)
    assert len(model.history_) == 6
    np.testing.assert_array_equal(
        model.decision_function(data[0]), whole.decision_function(data[0])
    )
    assert len(clone(model).fit(*data).history_) == 3
    with pytest.raises(ValueError, match="not among the classes"):
        model.fit(data[0], data[1] + 5)
    copy = pickle.loads(pickle.dumps(model)).fit(*data)
    assert len(copy.history_) == 9


@pytest.mark.parametrize(
    "changed", [{"degree": 3}, {"n_ensemble": 2}, {"hidden_units": 7}, {"views": {"a": [0, 1]}}]
)
def test_warm_start_warns_of_changes_that_it_cannot_make(data, changed):
    model = make(warm_start=True).fit(*data)
    same = pickle.loads(pickle.dumps(model)).fit(*data)
    model.set_params(**changed)
    with pytest.warns(UserWarning, match=f"changes of {next(iter(changed))} have no effect"):
        model.fit(*data)
    np.testing.assert_array_equal(model.decision_function(data[0]), same.decision_function(data[0]))
    model.set_params(warm_start=False, lr=0.02).fit(*data)
    assert len(model.history_) == 5


def test_warm_start_tells_views_by_arrays_apart(data):
    def views(*columns):
        return {"a": np.array(columns), "b": [4]}

    model = make(warm_start=True).set_params(views=views(0, 1)).fit(*data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(views=views(0, 1)).fit(*data)
    for other in (views(0, 2), {"a": slice(0, 2), "b": [4]}, [("a", np.array([0, 1])), ("b", [4])]):
        with pytest.warns(UserWarning, match="changes of views have no effect"):
            model.set_params(views=other).fit(*data)


def test_bit_by_bit(data, timed_bags):
    bags, y = data
    model = make(reference="both", lr=0.02)
    assert model.partial_fit(bags[:20], y[:20]).n_iter_ == 1
    for _ in range(20):
        for part in (slice(0, 20), slice(20, 40)):
            model.partial_fit(bags[part], y[part])
    assert model.n_iter_ == 41
    assert model.prior_ == pytest.approx(0.5)
    new, truth = timed_bags(seed=1)
    assert roc_auc_score(truth, model.decision_function(new)) > 0.85
    with pytest.raises(ValueError, match="features"):
        model.partial_fit([bag[:, :4] for bag in bags], y)


def test_bit_by_bit_after_a_fit(data):
    bags, y = data
    model = LEGOAnomalyClassifier(n_references=20, random_state=0).fit(bags, y)
    lost = "what fit learned by linear heads is lost"
    with pytest.warns(UserWarning, match=lost):
        model.partial_fit(bags, y)
    anew = clone(model).partial_fit(bags, y)
    assert_array_equal(model.decision_function(bags), anew.decision_function(bags))
    assert model.partial_fit(bags, y).n_iter_ == 2  # the net goes on without a word


def test_bit_by_bit_with_one_class_at_a_time(data):
    bags, y = data
    with pytest.raises(ValueError, match=r"y must have two classes.* `classes` in the first call"):
        make().partial_fit(bags[::2], y[::2])
    model = make().partial_fit(bags[::2], y[::2], classes=[0, 1])
    assert model.prior_ == 0
    model.partial_fit(bags[1::2], y[1::2])
    assert model.prior_ == 0.5
    assert np.isfinite(model.decision_function(bags)).all()
    with pytest.raises(ValueError, match="differ from those seen before"):
        model.partial_fit(bags[::2], y[::2], classes=[0, 3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "linear"}, "head='linear' trains no net, which partial_fit needs"),
        ({"pooling": "both"}, "partial_fit trains a net alone"),
        ({"pooling": "relations"}, "cannot pool relations"),
        ({"early_stopping": True}, "no early_stopping"),
        ({"class_weight": "balanced"}, "give partial_fit a dict"),
    ],
)
def test_no_partial_fit(options, message):
    model = make(**options)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as error:
        _ = model.partial_fit
    assert message in str(error.value.__cause__)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"head": "forest"}, ValueError, "'head' parameter"),
        ({"pooling": "relations"}, ValueError, "A net scores units, so that it cannot pool"),
        ({"hidden_units": 0}, ValueError, "'hidden_units' parameter .* at least 1"),
        ({"hidden_units": 2.5}, TypeError, "'hidden_units' parameter"),
        ({"n_units": 0}, ValueError, "'n_units' parameter"),
        ({"max_epochs": 0}, ValueError, "'max_epochs' parameter"),
        ({"lr": -1.0}, ValueError, "'lr' parameter"),
        ({"batch_size": 0}, ValueError, "'batch_size' parameter"),
        ({"degree_variance": -1.0}, ValueError, "'degree_variance' parameter"),
        ({"degree_top_k": 0}, ValueError, "'degree_top_k' parameter"),
        ({"degree_threshold": np.nan}, ValueError, "'degree_threshold' .* must be finite; got nan"),
        ({"lr": np.inf}, ValueError, r"'lr' .* finite and between 0 and 1e\+30; got inf"),
        ({"validation_fraction": 2.0}, ValueError, "'validation_fraction' parameter"),
        ({"validation_fraction": 0.0}, ValueError, "'validation_fraction' .* must be above 0"),
        ({"verbose": "yes"}, TypeError, "'verbose' .* must be an int"),
        ({"pair_sampling": "yes"}, TypeError, "'pair_sampling' parameter .* bool"),
        ({"device": "abacus"}, ValueError, "device='abacus' is not there"),
        ({"lr": 1e30}, ValueError, "diverged .* lower lr"),
        ({"lr": 1e300}, ValueError, r"'lr' .* between 0 and 1e\+30; got 1e\+300"),
        ({"hidden_units": 10**30}, ValueError, "'hidden_units' .* between 1 and 922337203685477"),
        ({"hidden_units": 10**15}, MemoryError, "10{15} hidden units on .* lower hidden_units or"),
        ({"n_units": 10**15, "reference": "bag"}, MemoryError, "lower hidden_units or n_units"),
    ],
)
def test_bad_parameters_are_told_and_nothing_is_fitted(data, options, error, message):
    model = make(**options)
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(*data)
    assert vars(model) == before


def test_what_bags_cannot_give_is_told(data):
    bags, y = data
    table = np.array([bag[0] for bag in bags])
    with pytest.raises(ValueError, match="each of these bags has one unit"):
        make(reference="bag").fit(table, y)
    with pytest.raises(ValueError, match="early_stopping=True holds out bags of both classes"):
        make(early_stopping=True).fit(bags[:9], np.eye(9, dtype=int)[1])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("rare", [2, 3, 5])
def test_bags_of_a_rare_class_are_on_both_sides_of_early_stopping(rare, share):
    for n_bags in range(rare + 2, 60):
        labels = (np.arange(n_bags) < rare).astype(int)
        held = hold_out(labels, share, seed=0)
        assert set(labels[held]) == set(labels[~held]) == {0, 1}
        wanted = min(max(2, round(share * n_bags)), n_bags - 2)
        assert abs(held.sum() - wanted) <= 2


class Stop(Callback):
    """Stops, or breaks, the training at an epoch."""

    def __init__(self, epoch, error):
        self.epoch, self.error = epoch, error

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            self.error()


def interrupt():
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def sigint():
    """Python's answer to Ctrl-C, which a process started in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_callbacks_are_passed_through(data):
    model = make(callbacks=[EpochTimer()]).fit(*data)
    assert all("dur" in row for row in model.net_.history)

    class Enough(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    assert make(callbacks=[Enough()]).fit(*data).n_iter_ == 2


@pytest.mark.parametrize("callbacks", [EpochTimer(), "disable", [print], ["timer"], 3])
def test_callbacks_are_those_of_skorch(data, callbacks):
    model = make(callbacks=callbacks)
    with pytest.raises(TypeError, match="must be a list of skorch callbacks"):
        model.fit(*data)
    assert not hasattr(model, "classes_")
    assert make(callbacks=[("timer", EpochTimer), ("other", EpochTimer())]).fit(*data).n_iter_ == 5


class NoTorch(pickle.Unpickler):
    def find_class(self, module, name):
        assert module.split(".")[0] != "torch"
        return super().find_class(module, name)


def test_a_stored_classifier_keeps_callbacks_as_they_were_given(data):
    """A schedule holds the optimiser and its device, which may not be where it is loaded."""
    model = make(callbacks=[LRScheduler("StepLR", step_size=2)]).fit(*data)
    assert model.callbacks[0].lr_scheduler_ is not None
    loaded = NoTorch(io.BytesIO(pickle.dumps(model))).load()
    assert "lr_scheduler_" not in vars(loaded.callbacks[0])
    assert loaded.callbacks[0].kwargs == {"step_size": 2}
    np.testing.assert_array_equal(
        loaded.decision_function(data[0]), model.decision_function(data[0])
    )


class Once(Callback):
    """Cannot be made again."""

    def __init__(self, seen=0):
        if seen:
            raise ValueError("seen")
        self.seen = seen

    def on_epoch_end(self, net, **kwargs):
        self.seen += 1


def test_a_callback_that_cannot_be_made_again_is_stored_as_it_is(data):
    model = make(callbacks=[Once()]).fit(*data)
    assert pickle.loads(pickle.dumps(model)).callbacks[0].seen == 5


def test_the_net_given_away_is_not_the_one_that_scores(data):
    model = make().fit(*data)
    expected = model.decision_function(data[0])
    with torch.no_grad():
        model.net_.module_.head.linear.bias.add_(5)
    np.testing.assert_array_equal(model.decision_function(data[0]), expected)


@pytest.mark.parametrize("reference", REFERENCES)
def test_modes_of_the_caller_do_not_matter(data, reference, torch_mode):
    expected = make(reference=reference).fit(*data).decision_function(data[0])
    with torch_mode():
        model = make(reference=reference).fit(*data)
        found = model.decision_function(data[0])
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(model.decision_function(data[0]), expected)


@pytest.mark.usefixtures("sigint")
def test_ctrl_c_leaves_what_was_there(data):
    """An interrupt reaches the caller; the fit before it stays as it was."""
    model = make(warm_start=True).fit(*data)
    expected, before = model.decision_function(data[0]), dict(vars(model))
    model.set_params(callbacks=[Stop(7, interrupt)])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data)
    model.set_params(callbacks=None)
    assert vars(model) == before
    np.testing.assert_array_equal(model.decision_function(data[0]), expected)
    fresh = make(callbacks=[Stop(2, interrupt)])
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(*data)
    assert not hasattr(fresh, "weights_")


def test_a_linear_fit_after_a_net_forgets_it(data):
    model = make().fit(*data)
    model.set_params(head="linear").fit(*data)
    assert not hasattr(model, "history_")
    with pytest.raises(AttributeError, match="no net was trained"):
        _ = model.net_


def test_threads_give_what_one_gives(data):
    bags, y = data
    expected = make().fit(bags, y).decision_function(bags)
    model = make().fit(bags, y)
    with ThreadPoolExecutor(4) as pool:
        fits = list(pool.map(lambda _: make().fit(bags, y).decision_function(bags), range(4)))
        same = list(pool.map(lambda _: model.decision_function(bags), range(8)))
    for found in [*fits, *same]:
        np.testing.assert_array_equal(found, expected)


def test_skops(data):
    skops = pytest.importorskip("skops.io")
    model = make(reference="both", n_ensemble=2, pooling="both").fit(*data)
    stored = skops.dumps(model)
    trusted = skops.get_untrusted_types(data=stored)
    assert trusted == [
        "legofuse.anomaly.LEGOAnomalyClassifier",
        "legofuse.anomaly._fusion.UnitFusion",
        "legofuse.anomaly._linear.LinearMember",
        "legofuse.anomaly._net.NetMember",
        "legofuse.fused.FusedGraph",
    ]
    loaded = skops.loads(stored, trusted=trusted)
    np.testing.assert_array_equal(
        loaded.decision_function(data[0]), model.decision_function(data[0])
    )


def test_grid_search(data):
    search = GridSearchCV(make(), {"reference": ["landmarks", "both"]}, cv=2)
    assert search.fit(*data).best_score_ > 0.5


def test_linear_fits_do_without_torch():
    code = (
        "import sys, numpy as np\n"
        "from legofuse import LEGOAnomalyClassifier\n"
        "X = np.random.default_rng(0).normal(size=(30, 4, 3)); y = np.arange(30) % 2\n"
        "model = LEGOAnomalyClassifier(random_state=0).fit(X, y)\n"
        "model.score_units(X)\n"
        "assert 'torch' not in sys.modules and 'skorch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
