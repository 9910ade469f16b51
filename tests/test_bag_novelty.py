"""Novelty: how little a unit is related to normal units, and how it enters the scores of bags."""

import pickle

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier
from legofuse.anomaly._bags import Units, canonical_bags
from legofuse.anomaly._heads import MOST_BLUR, NoveltyHead, PropagatedHead, UnitHead
from legofuse.anomaly._linear import LinearMember
from legofuse.anomaly._top_k import pool
from legofuse.anomaly._trials import list_heads
from legofuse.inspection import explain

VIEWS = {"first": slice(0, 3), "second": [3, 4]}


def make_bags(n_bags=12, seed=0, n_units=8):
    """Units around two centres; in anomalous bags some lie where no normal unit does."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_bags) % 2
    centres = np.array([[2.0, 0, 0, 1, 0], [-2, 0, 0, 0, 1]])
    bags = [centres[rng.randint(2, size=n_units)] + 0.3 * rng.normal(size=(n_units, 5)) for _ in y]
    truth = [np.zeros(n_units, bool) for _ in y]
    for bag, mark, label in zip(bags, truth, y, strict=True):
        if label:
            direction = rng.normal(size=5)
            bag[:3] = 5 * direction / np.linalg.norm(direction) + 0.3 * rng.normal(size=(3, 5))
            mark[:3] = True
    return bags, y, np.concatenate(truth)


def fit(bags, y, **options):
    return LEGOAnomalyClassifier(VIEWS, **{"random_state": 0} | options).fit(bags, y)


def pack(bags):
    return Units(np.concatenate(bags)), np.append(0, np.cumsum([len(bag) for bag in bags]))


def only(model, kind):
    """The first member with the heads of one kind alone."""
    member = model._members[0]
    heads = [parts for parts in member.heads if parts[0].kind == kind]
    return LinearMember(member.fusion, heads, member.places)


@pytest.fixture(scope="module")
def data():
    return make_bags()


@pytest.fixture(scope="module")
def fitted(data):
    return fit(*data[:2])


def test_it_is_the_largest_relation_to_a_normal_landmark(data, fitted):
    _, y, _ = data
    member = fitted._members[0]
    landmarks = member.places[0]
    normal = np.flatnonzero(y[landmarks[:, 0]] == 0)
    new, *_ = make_bags(4, seed=1)
    units, offsets = pack(new)
    for name, weights in member.fusion.weights.items():
        found = member.fusion.features(units, offsets, [(name, "novelty")])[name, "novelty"]
        graph = member.fusion.fused(units, weights)
        expected = [-max(row[j] for j in normal) for row in graph]
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_normal_units_of_the_own_bag_are_left_out(data, fitted):
    bags, y, _ = data
    fusion, landmarks = fitted._members[0].fusion, fitted._members[0].places[0]
    units, offsets = pack(bags)
    own = np.repeat(np.arange(len(bags)), np.diff(offsets))
    name = next(iter(fusion.weights))
    plain = fusion.features(units, offsets, [(name, "novelty")])[name, "novelty"]
    normal = y[own] == 0
    np.testing.assert_allclose(plain[normal], -1, atol=1e-9)  # each is a landmark itself
    # bags in canonical order have numbers of their own
    canonical = canonical_bags(units.X, offsets, y, np.ones(len(y)))
    rows, bag = canonical.rows, np.repeat(np.arange(len(y)), np.diff(canonical.offsets))
    apart = fusion.features(units[rows], canonical.offsets, [(name, "novelty")], own=bag)
    apart = apart[name, "novelty"]
    graph = fusion.fused(units, fusion.weights[name])
    for value, i in zip(apart, rows, strict=True):
        others = (y[landmarks[:, 0]] == 0) & (landmarks[:, 0] != own[i])
        assert value == pytest.approx(-graph[i, others].max())


def test_owners_of_content_that_several_bags_hold():
    a, b, c = [0.0, 0], [1.0, 1], [2.0, 2]
    bags = [np.array([a, b]), np.array([b, c]), np.array([c, [3.0, 3]])]
    units, offsets = pack(bags)
    canonical = canonical_bags(units.X, offsets, np.array([0, 0, 1]), np.ones(3))
    owner = dict(zip(map(tuple, units.X[canonical.distinct]), canonical.owner, strict=True))
    assert owner[tuple(b)] == 3  # of two normal bags: never left out
    assert owner[3.0, 3.0] == -1  # of no normal bag
    assert owner[tuple(a)] in range(3)
    assert owner[tuple(a)] != owner[tuple(c)]


def test_it_finds_what_no_normal_bag_holds(data, fitted):
    assert any("novelty" in name for name in fitted.heads_)
    new, y, truth = make_bags(40, seed=2)
    novelty, (units, offsets) = only(fitted, "novelty"), pack(new)
    of_bags, of_units = novelty.logits(units, offsets)
    assert roc_auc_score(y, of_bags) > 0.95
    assert roc_auc_score(truth, of_units) > 0.95
    others = only(fitted, "units").logits(units, offsets)[1]
    assert roc_auc_score(truth, of_units) > roc_auc_score(truth, others)


def test_scores_of_bags_are_pooled_from_those_of_units(data, fitted):
    bags, y, _ = data
    (units, offsets), member = pack(bags), only(fitted, "novelty")
    of_bags, of_units = member.logits(units, offsets)
    np.testing.assert_allclose(member.bag_logits(units, offsets), of_bags)
    np.testing.assert_allclose(member.unit_logits(units, offsets), of_units)
    expected = np.zeros(len(y))
    for head, slope, shift in member.heads:
        values = member.fusion.features(units, offsets, head.wanted())[head.name, "novelty"]
        assert slope >= 0
        expected += slope * pool(values, offsets, 3) + shift
    np.testing.assert_allclose(of_bags, expected)


def test_order_weights_and_seeds(data, fitted):
    bags, y, _ = data
    scores = np.concatenate(fitted.score_units(bags))
    np.testing.assert_array_equal(np.concatenate(fit(bags, y).score_units(bags)), scores)
    rng = np.random.RandomState(3)
    order = rng.permutation(len(bags))
    shuffled = [bags[i][rng.permutation(len(bags[i]))] for i in order]
    np.testing.assert_allclose(
        np.concatenate(fit(shuffled, y[order]).score_units(bags)), scores, rtol=1e-7
    )
    weight = rng.randint(1, 3, len(bags))
    repeated = [bag for bag, w in zip(bags, weight, strict=True) for _ in range(w)]
    options = {"relation": "gaussian", "random_state": 0}
    heavy = LEGOAnomalyClassifier(VIEWS, **options).fit(bags, y, sample_weight=weight)
    twice = LEGOAnomalyClassifier(VIEWS, **options).fit(repeated, np.repeat(y, weight))
    np.testing.assert_allclose(
        heavy.decision_function(bags), twice.decision_function(bags), rtol=1e-7
    )


def test_it_is_stored(data, fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    new, *_ = make_bags(4, seed=5)
    for one, two in zip(copy.score_units(new), fitted.score_units(new), strict=True):
        np.testing.assert_array_equal(one, two)


def test_explanations_name_the_most_related_normal_unit(data, fitted):
    new, *_ = make_bags(4, seed=6)
    found = explain(fitted, new, method="sums")
    total = found.base + found.landmark_parts.sum(axis=1)
    np.testing.assert_allclose(total, found.scores, atol=1e-9)


def test_domains_with_features_of_their_own(data):
    bags, y, _ = data
    views = {0: {"a": [0, 1], "b": [2, 3]}, 1: {"a": [0, 1, 2], "b": [3, 4]}}
    site = np.arange(len(y)) // 2 % 2
    given = [bag if s else bag[:, :4] for bag, s in zip(bags, site, strict=True)]
    model = LEGOAnomalyClassifier(views, relation="gaussian", random_state=0)
    model.fit(given, y, sample_domain=site)
    for domain, member in model._members[0].members.items():
        assert set(site[member.places[0][:, 0]]) == {domain}
        normal = member.fusion.owners >= 0
        assert normal.any()
        assert not y[member.places[0][normal, 0]].any()
    site = np.arange(len(y)) >= len(y) - 2  # too few bags to share a head: all are fitted together
    given = [bag if s else bag[:, :4] for bag, s in zip(bags, site, strict=True)]
    model = LEGOAnomalyClassifier(views, relation="gaussian", random_state=0)
    model.fit(given, y, sample_domain=site.astype(int))
    fusion, landmarks = model._members[0].fusion, model._members[0].places[0]
    assert fusion.owners is not None
    of_landmarks = site[landmarks[:, 0]]
    fused = np.where(of_landmarks == 0, 0.2, 0.9)[None]
    largest, which = fusion.to_normal(fused, np.array([0]))
    assert largest[0] == 0.2
    assert of_landmarks[which[0]] == 0
    assert y[landmarks[which[0], 0]] == 0


def test_who_competes(data):
    bags, y, _ = data
    novel = [h for h in list_heads(["all"], "auto", 3, normal=True) if isinstance(h, NoveltyHead)]
    assert [str(head) for head in novel] == ["top 3 of novelty, all"]
    assert not any(h.kind == "novelty" for h in list_heads(["all"], "units", 3, normal=True))
    lone = fit([*bags[::2], bags[1]], np.append(y[::2], 1))  # a class with a single bag
    assert lone._members[0].fusion.owners is None
    table = fit(np.concatenate(bags), np.repeat(y, 8))
    assert not any("novelty" in name for name in table.held_out_losses_)


def test_bags_may_spread_in_full_and_units_keep_half():
    rng = np.random.RandomState(0)
    plain, smooth = rng.normal(size=(2, 6, 2))
    features, offsets = {("all", "units"): plain, ("all", "spread"): smooth}, np.array([0, 4, 6])
    for head in (UnitHead("all", 2), PropagatedHead("all", 2)):
        head.coef, head.share = np.array([1.0, -1.0, 0.5]), 1.0
        own, spread = (part @ [1, -1] + 0.5 for part in (plain, smooth))
        kept = own + MOST_BLUR * (spread - own)
        np.testing.assert_allclose(head.unit_logits(features), kept)
        np.testing.assert_allclose(head.bag_logits(features, offsets), pool(spread, offsets, 2))
    assert str(head) == "top 2 of units labelled as their bags, all, spread 1"


def test_all_units_compete_with_the_highest_one():
    heads = [str(head) for head in list_heads(["all"], "auto", 1.0)]
    assert heads[:2] == ["top 100% units, all", "top 1 units, all"]
    assert len(list_heads(["all"], "auto", 1)) == len(heads) - 1
