"""Bags related to bags, folds cut several times, and what heads share while they are fitted."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import logit

from legofuse import LEGOAnomalyClassifier
from legofuse.anomaly import _polynomials, _stack, _trials
from legofuse.anomaly._bags import Units
from legofuse.anomaly._heads import ClosestHead, PooledHead, PropagatedHead, TiedHead, UnitHead
from legofuse.anomaly._polynomials import Polynomials, candidate_weights
from legofuse.anomaly._top_k import top_k_shares
from legofuse.anomaly._trials import list_heads
from legofuse.datasets import make_digit_bags
from legofuse.terms import list_terms


@pytest.fixture(scope="module")
def data():
    found = make_digit_bags(n_bags=36, units_per_bag=(3, 7), random_state=0)
    views = {name: found.views[name] for name in ("pixels", "gradients")}
    return [np.asarray(bag, float) for bag in found.bags], found.y, views


@pytest.fixture(scope="module")
def everything(data):
    """A classifier all of whose heads have a weight."""
    bags, y, views = data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_trials, "weigh_heads", lambda heads, *_: np.ones(len(heads)) / len(heads))
        return LEGOAnomalyClassifier(views, random_state=0).fit(bags[:24], y[:24])


def packed(bags):
    return Units(np.concatenate(bags)), np.append(0, np.cumsum([len(bag) for bag in bags]))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("terms", [(2, "total"), (3, "additive"), (2, "separable")])
def test_weights_that_compete_fuse_alike_together_and_apart(terms, missing, monkeypatch):
    rng = np.random.default_rng(0)
    graphs = [("a", "rbf"), ("a", "cosine"), ("b", "rbf"), ("b", "cosine")]
    expansion = list_terms(len(graphs), *terms)
    found = Polynomials(expansion, candidate_weights(graphs, expansion))
    present = np.repeat([[True, True], [False, True], [True, False]], 2, axis=1)
    parts = (present, present[[0, 2]]) if missing else (None, None)
    values = rng.uniform(size=(4, 3, 2))
    if missing:
        values *= present.T[:, :, None] & parts[1].T[:, None, :]
    given = expansion.graphs(list(values)), None, *parts
    names, calls = list(found.weights), []
    assert len(names) == 5
    several = _polynomials.fuse_several
    monkeypatch.setattr(_polynomials, "fuse_several", lambda *a: calls.append(1) or several(*a))
    together = dict(found.fuse_each(names, *given))
    assert list(together) == names
    assert len(calls) == (terms[1] != "separable")
    for name in names:
        np.testing.assert_allclose(together[name], found.fuse(name, *given), atol=1e-14)
    monkeypatch.setattr(_polynomials, "_FEW_ENTRIES", 5)  # of 6
    for name, fused in found.fuse_each(names, *given):
        np.testing.assert_array_equal(fused, found.fuse(name, *given))
    assert len(calls) == (terms[1] != "separable")


@pytest.mark.parametrize("k", [1, 2, 3, 8])
def test_shares_of_few_units_are_those_by_ranks(k):
    rng = np.random.RandomState(0)
    logits, offsets = rng.randint(5, size=60) / 4, np.array([0, 1, 3, 20, 60])  # many ties
    expected = np.zeros(60)
    for start, stop in pairwise(offsets):
        best = np.argsort(-logits[start:stop], kind="stable")[:k]
        expected[start + best] = 1 / len(best)
    np.testing.assert_allclose(top_k_shares(logits, offsets, k), expected)


def test_closest_units_are_means_of_the_largest_relation_to_each_training_bag(data, everything):
    bags, _, _ = data
    fusion, (units, offsets) = everything._members[0].fusion, packed(bags[24:])
    (bag_of, _), home = everything._members[0].places[1].T, everything._members[0].places[1][:, 0]
    wanted = [("all", "closest"), ("all", "relations")]
    each = fusion.features(units, offsets, wanted, pooled=False)
    groups = list(dict.fromkeys(bag_of.tolist()))
    assert len(groups) == len(fusion.groups)
    largest = [each["all", "relations"][:, home == g].max(axis=1) for g in groups]
    np.testing.assert_array_equal(each["all", "closest"], np.stack(largest, axis=1))
    pooled = fusion.features(units, offsets, wanted)["all", "closest"]
    expected = [each["all", "closest"][a:b].mean(axis=0) for a, b in pairwise(offsets)]
    np.testing.assert_allclose(pooled, expected)


def test_a_tied_head_is_one_on_means_over_the_references_of_a_bag():
    rng = np.random.RandomState(0)
    values, groups, labels = rng.normal(size=(20, 9)), np.array([0, 2, 3, 7]), np.arange(20) % 2
    features, args = {("all", "relations"): values}, (np.arange(21), labels, np.ones(20))
    tied = TiedHead("all", 0.1, groups).fit(features, *args)
    means = [values[:, a:b].mean(axis=1) for a, b in pairwise([*groups, 9])]
    grouped = {("all", "relations"): np.stack(means, axis=1)}
    plain = PooledHead("all", 0.1).fit(grouped, *args)
    np.testing.assert_allclose(tied.unit_logits(features), plain.unit_logits(grouped))
    assert str(tied) == "pooled relations to bags, all, ridge 0.1"


def test_bags_are_related_to_bags_where_these_have_several_references(data):
    bags, y, views = data
    heads = list_heads(["all"], "auto", 3, groups=np.array([0, 4]))
    assert sum(isinstance(head, TiedHead | ClosestHead) for head in heads) == 4
    for pooling in ("units", "relations", "both"):
        heads = list_heads(["all"], pooling, 3, groups=np.array([0, 4]))
        assert not any(isinstance(head, TiedHead | ClosestHead) for head in heads)
    few = LEGOAnomalyClassifier(views, n_references=3, random_state=0).fit(bags, y)
    assert few._members[0].fusion.groups is None  # 24 references of 36 bags
    found = few.held_out_losses_
    assert not any("to bags" in name or "closest" in name for name in found)


def test_all_heads_together(data, everything):
    bags = data[0][24:]
    kinds = {type(head) for head, _, _ in everything._members[0].heads}
    assert {TiedHead, ClosestHead} <= kinds
    logits, scores = everything.decision_function(bags), everything.score_units(bags)
    alone = [everything.decision_function([bag])[0] for bag in bags]
    np.testing.assert_allclose(logits, alone, rtol=1e-12)
    for bag, found in zip(bags, scores, strict=True):
        np.testing.assert_allclose(everything.score_units([bag])[0], found, rtol=1e-12)
    _, parts, base = everything._unit_parts(bags)
    np.testing.assert_allclose(base + parts.sum(axis=(1, 2)), logit(np.concatenate(scores)))
    again = pickle.loads(pickle.dumps(everything))
    np.testing.assert_array_equal(again.decision_function(bags), logits)
    member, of = everything._members[0], packed(bags)
    of_bags, of_units = member.logits(*of)
    np.testing.assert_allclose(of_bags, member.bag_logits(*of), rtol=1e-12)
    np.testing.assert_allclose(of_units, member.unit_logits(*of), rtol=1e-12)


def test_few_bags_are_cut_into_folds_several_times(monkeypatch):
    assert [_stack.count_repeats(np.zeros(n)) for n in (10, 200, 299, 301, 700)] == [3, 3, 2, 1, 1]
    rng = np.random.RandomState(0)
    offsets, labels = np.arange(0, 81, 4), np.arange(20) % 2
    features = {("all", "units"): rng.normal(size=(80, 5))}
    heads, args = [UnitHead("all", 3)], (offsets, labels, np.ones(20))
    found = _stack.held_out_scores(heads, features, *args, 7)[0][0]
    monkeypatch.setattr(_stack, "N_REPEATS", 1)
    each = [_stack.held_out_scores(heads, features, *args, 7 + r)[0][0] for r in range(3)]
    np.testing.assert_allclose(found, np.mean(each, axis=0))
    assert not np.allclose(each[0], each[1])


def test_heads_of_units_share_their_start():
    rng = np.random.RandomState(0)
    values, offsets, labels = rng.normal(size=(60, 4)), np.arange(0, 61, 5), np.arange(12) % 2
    args = offsets, labels, np.ones(12)
    shared = {("all", "units"): values}
    for head in (PropagatedHead("all", 3), UnitHead("all", 3), UnitHead("all", 1)):
        alone = type(head)("all", head.k).fit({("all", "units"): values}, *args)
        np.testing.assert_array_equal(head.fit(shared, *args).coef, alone.coef)


def test_references_are_drawn_evenly_from_bags(data):
    bags, y, views = data
    long = [np.concatenate(bags[:20]), *bags[20:30]]  # one bag has most of the units
    labels = np.append(1, y[20:30])
    model = LEGOAnomalyClassifier(views, n_references=4, random_state=0).fit(long, labels)
    counts = np.bincount(model._members[0].places[0][:, 0], minlength=11)
    sizes = np.array([len(bag) for bag in long])
    assert counts.sum() == 32
    share = counts[sizes > counts]  # of bags that have more
    assert share.max() - share.min() <= 1
    assert (np.delete(counts, 0) >= np.minimum(sizes[1:], share.min())).all()
