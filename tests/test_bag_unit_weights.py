"""Scores of units weigh the heads less sharply than those of bags, which are as they were."""

import pickle

import numpy as np
import pytest
from scipy.special import expit, logit

from legofuse import LEGOAnomalyClassifier
from legofuse.anomaly import _linear, _trials
from legofuse.anomaly._bags import Units
from legofuse.anomaly._stack import UNIT_SHARE, UNIT_TEMPERATURE, weigh, weigh_units
from legofuse.inspection import explain

KINDS = ["units", "units", "novelty", "relations", "relations"]
TELLING = np.array([True, True, False, True, False])  # the last is on extremes
LOSSES = np.array([0.5, 0.52, 0.48, 0.6, 0.49])


def fit(bags, y, **options):
    return LEGOAnomalyClassifier(n_references=20, **{"random_state": 0} | options).fit(bags, y)


def units_of(model, bags):
    return np.concatenate(model.score_units(bags))


@pytest.fixture(scope="module")
def data(timed_bags):
    return timed_bags()


@pytest.fixture(scope="module")
def fitted(data):
    return fit(*data)


@pytest.fixture(scope="module")
def as_bags(data):
    """The same, with units scored by the weights of bags."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_linear, "weigh_units", lambda shares, *_: shares)
        return fit(*data)


def test_heads_that_are_not_fitted_to_tell_units_keep_their_weight():
    shares = np.array([0.5, 0.0, 0.3, 0.0, 0.2])
    found = weigh_units(shares, LOSSES, 100, KINDS, TELLING)
    np.testing.assert_array_equal(found[~TELLING], shares[~TELLING])
    assert found.sum() == pytest.approx(1)
    likelihood = np.array([1 / 2, 1 / 2, 1]) * np.exp(-UNIT_TEMPERATURE * 100 * LOSSES[TELLING])
    expected = UNIT_SHARE * 0.5 * likelihood / likelihood.sum() + [(1 - UNIT_SHARE) * 0.5, 0, 0]
    np.testing.assert_allclose(found[TELLING], expected)


def test_novelty_and_extremes_may_be_all_there_is():
    shares = np.array([0.0, 0.0, 0.9, 0.0, 0.1])
    np.testing.assert_array_equal(weigh_units(shares, LOSSES, 100, KINDS, TELLING), shares)


def test_weights_are_flatter_than_those_of_bags():
    losses, kinds, telling = LOSSES[:2], KINDS[:2], TELLING[:2]
    shares = weigh(losses, 200, kinds)
    found = weigh_units(shares, losses, 200, kinds, telling)
    assert 1 < found[0] / found[1] < shares[0] / shares[1]


def test_scores_of_bags_are_as_they_were(data, fitted, as_bags):
    bags, _ = data
    assert fitted._members[0].of_units is not None
    assert as_bags._members[0].of_units is None
    np.testing.assert_array_equal(fitted.decision_function(bags), as_bags.decision_function(bags))
    for name in ("heads_", "held_out_losses_", "pooling_", "reference_", "n_iter_"):
        assert getattr(fitted, name) == getattr(as_bags, name)
    np.testing.assert_array_equal(fitted.weights_, as_bags.weights_)
    assert np.abs(units_of(fitted, bags) - units_of(as_bags, bags)).max() > 1e-3


def test_scores_of_units_alone_may_spread(data, monkeypatch):
    monkeypatch.setattr(_trials, "weigh_heads", lambda heads, *_: np.eye(len(heads))[0])
    model = fit(*data)
    member = model._members[0]
    assert [head.share for head, _, _ in member.heads] == [0]
    assert any(head.share for head, _, _ in member.of_units)
    assert model.reference_ == "both"


@pytest.mark.parametrize(
    "options", [{}, {"reference": "both", "top_k": 2}, {"n_ensemble": 2}], ids=str
)
def test_parts_add_up(data, options):
    bags, y = data
    model = fit(bags, y, **options)
    assert all(member.of_units for member in model._members)
    found = explain(model, bags[:6], method="sums")
    np.testing.assert_allclose(found.base + found.view_parts.sum(axis=1), found.scores, atol=1e-8)
    np.testing.assert_allclose(found.scores, logit(units_of(model, bags[:6])), atol=1e-8)


def test_one_pass_gives_what_two_give(data, fitted):
    bags, member = data[0], fitted._members[0]
    offsets = np.append(0, np.cumsum([len(bag) for bag in bags]))
    units = Units(np.concatenate(bags))
    of_bags, of_units = member.logits(units, offsets)
    np.testing.assert_allclose(of_bags, member.bag_logits(units, offsets), rtol=1e-10)
    np.testing.assert_allclose(of_units, member.unit_logits(units, offsets), rtol=1e-10)


def test_pickles_keep_the_bits(data, fitted):
    again = pickle.loads(pickle.dumps(fitted))
    for method in ("decision_function", "score_units"):
        found, expected = (np.hstack(getattr(model, method)(data[0])) for model in (again, fitted))
        np.testing.assert_array_equal(found, expected)


def test_a_state_without_weights_of_units_scores_them_by_those_of_bags(data, fitted, as_bags):
    member = fitted._members[0]
    state = member.__getstate__()
    del state["of_units"]
    old = object.__new__(_linear.LinearMember)
    old.__setstate__(state)
    model = pickle.loads(pickle.dumps(fitted))
    model._members = [old]
    np.testing.assert_array_equal(units_of(model, data[0]), units_of(as_bags, data[0]))


def as_bags_of_one(member, bags, of_bags):
    """What scores of units are if each is scored as a bag of it."""
    units = np.concatenate(bags)
    alone = expit(member.bag_logits(Units(units), np.arange(len(units) + 1)))
    return np.sqrt(np.repeat(of_bags, [len(bag) for bag in bags]) * alone)


@pytest.mark.parametrize("pooling", ["units", "relations", "both"])
def test_a_given_pooling_weighs_units_as_bags(data, pooling):
    model = fit(*data, pooling=pooling, reference="landmarks")
    member, bags = model._members[0], data[0]
    assert member.of_units is None
    expected = as_bags_of_one(member, bags, model.predict_proba(bags)[:, 1])
    np.testing.assert_allclose(units_of(model, bags), expected)


def test_a_unit_scores_as_a_bag_of_it_by_weights_of_units(data):
    model = fit(*data, reference="landmarks")
    member, bags = model._members[0], data[0]
    alone = _linear.LinearMember(
        member.fusion, member.of_units, member.places, extremes=member.extremes
    )
    expected = as_bags_of_one(alone, bags, model.predict_proba(bags)[:, 1])
    np.testing.assert_allclose(units_of(model, bags), expected)


def test_bags_of_one_unit_weigh_units_as_bags(data):
    bags, y = data
    single = [bag[:1] for bag in bags]
    model = fit(single, y)
    assert model._members[0].of_units is None
    expected = model.predict_proba(single)[:, 1]
    np.testing.assert_allclose(units_of(model, single), expected)
