"""Domains of bags with other features: what a unit is to the bags of its domain, shared by all."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier
from legofuse.anomaly._apart import DomainsMember
from legofuse.anomaly._roles import Roles, fit_shared, shared_classes

VIEWS = {"many": {"a": slice(0, 8), "b": slice(8, 12)}, "few": {"a": slice(0, 5), "b": [5, 6]}}
WIDTHS = {"many": 12, "few": 7}


def novelties(domain, n_bags, seed, shuffled=False):
    """Bags with a unit or two far from all others, each in a direction of its own, in every second.

    No direction is anomalous, so that few bags do not tell what is: other domains do.
    """
    rng, width = np.random.RandomState(seed), WIDTHS[domain]
    y, bags = np.arange(n_bags) % 2, []
    centres = 4 * np.random.RandomState(width).normal(size=(3, width))
    for label in y:
        bag = centres[rng.randint(0, 3, 8)] + rng.normal(size=(8, width))
        for k in range(2 * label):
            step = rng.normal(size=width)
            bag[k] += 6 * step / np.linalg.norm(step)
        bags.append(bag[rng.permutation(8)])
    return bags, rng.permutation(y) if shuffled else y


def area(model, bags, y, domain=None):
    domains = None if domain is None else np.repeat(domain, len(bags))
    return roc_auc_score(y, model.decision_function(bags, domains))


def fit_both(many, few, **options):
    domains = np.repeat(["many", "few"], [len(many[0]), len(few[0])])
    model = LEGOAnomalyClassifier(VIEWS, random_state=0, n_references=50, **options)
    return model.fit(many[0] + few[0], np.append(many[1], few[1]), sample_domain=domains)


@pytest.mark.parametrize(
    ("options", "least"),
    [
        pytest.param({}, 0.02, marks=pytest.mark.slow, id="auto"),
        pytest.param({"pooling": "units"}, 0.15, id="units"),
    ],
)
def test_few_bags_learn_from_a_domain_of_other_features(options, least):
    """What is anomalous in one domain is so in the other: being unlike what normal bags hold.

    With ``pooling="auto"`` few bags try novelty by themselves, and have less to gain.
    """
    gains, areas = [], []
    for seed in range(3):
        many, few = novelties("many", 60, seed), novelties("few", 6, 100 + seed)
        new = novelties("few", 100, 200 + seed)
        both = fit_both(many, few, **options)
        alone = LEGOAnomalyClassifier(VIEWS["few"], random_state=0, n_references=50, **options)
        alone.fit(*few)
        areas.append(area(both, *new, "few"))
        gains.append(areas[-1] - area(alone, *new))
    assert np.mean(areas) > 0.95
    assert np.mean(gains) > least


def test_a_domain_of_normal_bags_alone_gets_what_is_anomalous_from_the_other():
    normal, labels = novelties("few", 24, 1)
    few = [bag for bag, label in zip(normal, labels, strict=True) if label == 0], np.zeros(12, int)
    model = fit_both(novelties("many", 60, 0), few)
    assert area(model, *novelties("few", 100, 2), "few") > 0.85


@pytest.mark.parametrize("pooling", [pytest.param("auto", marks=pytest.mark.slow), "units"])
def test_another_domain_does_no_harm_where_own_bags_are_many(pooling):
    """Labels of the other domain are drawn at random: nothing is to be learned from it."""
    rng = np.random.RandomState(0)
    bags, y = novelties("few", 160, 1)
    for bag, label in zip(bags, y, strict=True):
        bag[rng.randint(8), :2] += 8 * label
    own, new = (bags[:60], y[:60]), (bags[60:], y[60:])
    both = fit_both(novelties("many", 60, 0, shuffled=True), own, pooling=pooling)
    alone = LEGOAnomalyClassifier(VIEWS["few"], random_state=0, n_references=50, pooling=pooling)
    alone.fit(*own)
    assert area(both, *new, "few") > area(alone, *new) - 0.02


def test_without_two_bags_of_a_class_in_each_domain_no_head_is_shared():
    assert shared_classes([np.array([0, 1, 0, 1]), np.array([0, 1, 0])]) == [0]
    model = fit_both(novelties("many", 20, 0), novelties("few", 2, 1), pooling="units")
    assert not isinstance(model._members[0], DomainsMember)
    model = fit_both(novelties("many", 20, 0), novelties("few", 4, 1), pooling="units")
    assert isinstance(model._members[0], DomainsMember)
    assert any("shared head" in name for name in model.heads_)
    relations = fit_both(novelties("many", 20, 0), novelties("few", 4, 1), pooling="relations")
    assert not any("shared head" in name for name in relations.heads_)


def measured(model, bags, domain):
    """Roles of units by the fitted member of a domain, standardised."""
    member = model._members[0].members[domain]
    found = model._read(bags, np.repeat(domain, len(bags)), "left out")
    return member.roles.standardise(member.roles.measure(member.fusion, found.units))


def test_roles_do_not_depend_on_order_of_bags_and_columns_or_on_width():
    many, (bags, y) = novelties("many", 12, 0), novelties("few", 8, 1)
    expected = measured(fit_both(many, (bags, y), pooling="units"), bags, "few")
    order = np.random.RandomState(0).permutation(len(bags))
    shuffled = fit_both(many, ([bags[i] for i in order], y[order]), pooling="units")
    np.testing.assert_allclose(measured(shuffled, bags, "few"), expected, atol=1e-9)
    columns = [3, 1, 4, 0, 2, 3, 1, 4, 0, 2, 6, 5]  # each column of view a twice
    wide = [bag[:, columns] for bag in bags]
    domains = np.repeat(["many", "few"], [12, 8])
    views = VIEWS | {"few": {"a": slice(0, 10), "b": [10, 11]}}
    model = LEGOAnomalyClassifier(views, random_state=0, n_references=50, pooling="units")
    model.fit(many[0] + wide, np.append(many[1], y), sample_domain=domains)
    np.testing.assert_allclose(measured(model, wide, "few"), expected, atol=1e-6)


class Fake:
    """A fusion whose relations are given."""

    def __init__(self, graph):
        self.graph, self.weights, self.graphs = graph, {"all": None}, [("a", "rbf")]
        self.references = np.zeros(graph.shape[1])

    def encode(self, units):
        class Rows:
            present = None

        self.part = units.domains.astype(int)
        return Rows(), None

    def narrow(self, rows):
        return rows

    def fuse_each(self, names, to, rows, marks, domains):
        yield names[0], self.graph[self.part]


class Numbered:
    """Units that are known by their number."""

    def __init__(self, domains):
        self.domains = np.asarray(domains)

    def __len__(self):
        return len(self.domains)

    def __getitem__(self, index):
        return Numbered(self.domains[index])


def test_roles_are_means_over_bags_of_the_mean_and_of_the_largest_relation():
    graph = np.random.RandomState(0).normal(size=(5, 7))
    bags, labels = np.array([2, 0, 1, 0, 3, 2, 1]), np.array([0, 0, 1, 0, 1, 0, 1])
    roles, own = Roles(bags, labels, [0, 1]), np.array([0, 1, 2, 3, 9])
    found = roles.measure(Fake(graph), Numbered(np.arange(5)), own)
    for i in range(5):
        for k, label in enumerate((0, 1)):
            of = [b for b in np.unique(bags[labels == label]) if b != own[i]]
            mean = np.mean([graph[i, bags == b].mean() for b in of])
            largest = np.mean([graph[i, bags == b].max() for b in of])
            np.testing.assert_allclose(found[i, 0, k], [mean, largest])
    roles.learn(found, np.ones(5))
    roles.coef = np.random.RandomState(1).normal(size=5)
    base, factors = roles.sums(Fake(graph), Numbered(np.arange(5)))
    logits = roles.logits(Fake(graph), Numbered(np.arange(5)))
    np.testing.assert_allclose(base + (factors["all"] * graph).sum(axis=1), logits)


def test_held_out_logits_of_the_shared_head_do_not_know_the_labels_of_their_bag():
    rng = np.random.RandomState(0)
    values, labels = rng.normal(size=(200, 20)), np.arange(50) % 2
    parts = [(values, np.arange(0, 201, 4), labels, np.ones(50))]
    coef, (held_out,) = fit_shared(parts, np.random.RandomState(0))
    fitted = (values @ coef[:-1] + coef[-1]).reshape(50, 4).max(axis=1)
    assert roc_auc_score(labels, fitted) > 0.75
    assert 0.3 < roc_auc_score(labels, held_out.reshape(50, 4).max(axis=1)) < 0.7
