"""Bags of several domains: standardised apart, or with features of their own."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

from legofuse import LEGOAnomalyClassifier
from legofuse.inspection import explain

APART = {
    "wide": {"look": slice(0, 6), "move": [6, 7]},
    "slim": {"look": [0, 1, 2], "move": [3]},
}
WIDTHS = {"wide": 8, "slim": 4}
WIDEST = {"look": slice(0, 9), "move": [9]}


def make_bags(n_bags=60, seed=0, missing=False):
    """Ragged bags of two widths; in anomalous ones the first units are shifted in one view."""
    rng = np.random.RandomState(seed)
    y, domains = np.arange(n_bags) % 2, np.where(np.arange(n_bags) % 3, "wide", "slim")
    bags = []
    for label, domain in zip(y, domains, strict=True):
        n = rng.randint(3, 9)
        bag = rng.normal(size=(n, WIDTHS[domain])) * 3 + 5 * (domain == "slim")
        bag[: n // 2, APART[domain]["look"]] += 5 * label
        if missing:
            bag[-1, APART[domain]["move"]] = np.nan
        bags.append(bag)
    return bags, y, domains


def fit(bags, y, domains, **options):
    options = {"n_references": 15, "random_state": 0, "n_units": 5} | options
    return LEGOAnomalyClassifier(APART, **options).fit(bags, y, sample_domain=domains)


@pytest.fixture(scope="module")
def data():
    return make_bags()


LIGHT = {"relation": "correlation", "degree": 1}  # three polynomials compete instead of five
FEW = LIGHT | {"pooling": "both"}  # of the heads, too, only those of either kind
NETS = [
    {"head": "net", "reference": name, "max_epochs": 15, "lr": 0.02}
    for name in ("landmarks", "bag", "both")
]
KINDS = [
    {},
    LIGHT,
    LIGHT | {"time_view": "move", "reference": "both"},
    {"pooling": "units", "reference": "both"},
    {"pooling": "relations"},
    {"interactions": "separable", "relation": "rbf"},
    {"time_view": "move", "reference": "both"},
    {"relation": "cosine", "n_ensemble": 2},
    *NETS,
    NETS[0] | {"pair_sampling": True},  # views come in pairs, of bags of all domains at once
    NETS[1] | {"pair_sampling": True},
]


def patiently(options):
    """The options as a parameter of a test: all but light ones and plain nets take patience."""
    enough = options in [*KINDS[1:3], *NETS]
    return pytest.param(options, marks=[] if enough else pytest.mark.slow, id=str(options))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("options", [patiently(kind) for kind in KINDS])
def test_one_fusion_for_domains_of_different_widths(missing, options):
    bags, y, domains = make_bags(missing=missing)
    model = fit(bags, y, domains, **options)
    assert not hasattr(model, "n_features_in_")
    assert model.views_.keys() == APART.keys()
    new, truth, where = make_bags(150, seed=1, missing=missing)
    scores = model.decision_function(new, sample_domain=where)
    if options.get("reference") != "bag":
        for domain in APART:
            assert roc_auc_score(truth[where == domain], scores[where == domain]) > 0.75
    units = model.score_units(new, sample_domain=where)
    assert [len(part) for part in units] == [len(bag) for bag in new]
    apart = [model.decision_function(new[i : i + 1], where[i : i + 1])[0] for i in range(9)]
    np.testing.assert_allclose(apart, scores[:9], atol=1e-5)
    assert sum(model.view_importances_.values()) == pytest.approx(1)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.decision_function(new, where), scores)
    found = explain(model, new[:6], sample_domain=where[:6])
    total = found.base + found.view_parts.sum(axis=1)
    np.testing.assert_allclose(total, found.scores, atol=1e-5)


@pytest.mark.parametrize("method", ["sums", "shapley"])
def test_dates_and_bad_domains_where_units_are_explained(data, method):
    bags, y, domains = data
    days = np.where(domains == "wide", np.datetime64("2020-01-01"), np.datetime64("2021-01-01"))
    model = fit(bags, y, domains, pooling="units")
    views = {np.datetime64(day): APART[name] for day, name in [("2020", "wide"), ("2021", "slim")]}
    dated = model.__class__(**model.get_params() | {"views": views})
    dated.fit(bags, y, sample_domain=days)
    expected = explain(
        dated, bags[:2], sample_domain=days[:2].astype("M8[s]").astype(str), method=method
    )
    for labels in (days[:2], days[:2].tolist(), days[:2].astype("M8[ns]")):
        found = explain(dated, bags[:2], sample_domain=labels, method=method)
        np.testing.assert_array_equal(found.view_parts, expected.view_parts)
    for labels, message in [
        (["wide", "odd"], r"\['odd'\], not among the domains \['"),
        (["wide", None], "sample_domain is missing in 1 bag"),
        ([["wide"], ["slim"]], "one domain for each of the 2 bags"),
    ]:
        with pytest.raises(ValueError, match=message):
            explain(model, bags[:2], sample_domain=labels, method=method)


def test_units_have_no_relation_to_references_of_another_domain(data):
    bags, y, domains = data
    model = fit(bags, y, domains, pooling="units", **LIGHT)  # "auto" takes eight times as many
    graphs = model.fused_graphs(bags, sample_domain=domains)
    assert {graph.shape[1] for graph in graphs} == {30}  # 15 in each domain
    references = domains[model._members[0].places[0][:, 0]]
    assert np.bincount(references == "wide").tolist() == [15, 15]
    for graph, domain in zip(graphs, domains, strict=True):
        assert (graph[:, references != domain] == 0).all()
        assert (graph[:, references == domain] != 0).any()


def test_views_by_domain_of_one_domain_are_plain_views(data):
    bags, y, domains = data
    bags = [bag for bag, domain in zip(bags, domains, strict=True) if domain == "wide"]
    y, only = y[domains == "wide"], np.repeat("wide", len(bags))
    one = fit(bags, y, only, **FEW)
    other = LEGOAnomalyClassifier(APART["wide"], n_references=15, random_state=0, **FEW)
    other.fit(bags, y, sample_domain=only)
    np.testing.assert_allclose(
        one.decision_function(bags, only), other.decision_function(bags, only), atol=1e-9
    )
    assert other.n_features_in_ == 8
    assert other.score(bags, y, sample_domain=only) == np.mean(other.predict(bags, only) == y)


@pytest.mark.parametrize("options", [patiently(kind) for kind in KINDS])
def test_one_domain_is_none_bit_by_bit(options):
    bags, y, domains = make_bags(missing=True)
    bags = [bag for bag, domain in zip(bags, domains, strict=True) if domain == "slim"]
    y, one = y[domains == "slim"], np.repeat("slim", len(bags))
    options = {"n_references": 15, "random_state": 0, "n_units": 5} | options | {"max_epochs": 3}
    told, untold = (LEGOAnomalyClassifier(APART["slim"], **options) for _ in range(2))
    told.fit(bags, y, sample_domain=one)
    untold.fit(bags, y)
    np.testing.assert_array_equal(told.predict_proba(bags, one), untold.predict_proba(bags))
    for found, expected in zip(
        told.score_units(bags, sample_domain=one), untold.score_units(bags), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


LEFT = LIGHT | {"n_references": 15, "random_state": 0, "n_units": 5}


@pytest.fixture(scope="module")
def untold(data):
    """A fit of the bags of one domain, without a word of it."""
    bags, y, domains = data
    slim = [bag for bag, domain in zip(bags, domains, strict=True) if domain == "slim"]
    return LEGOAnomalyClassifier(APART["slim"], **LEFT).fit(slim, y[domains == "slim"])


@pytest.mark.parametrize("views", [APART, APART["slim"]], ids=["own", "same"])
def test_the_domain_left_where_the_others_are_left_out_is_none(data, untold, views):
    bags, y, domains = data
    if views is not APART:
        bags = [bag[:, :4] for bag in bags]
    kept = domains == "slim"
    told = LEGOAnomalyClassifier(views, **LEFT)
    told.fit(bags, y, sample_weight=kept.astype(float), sample_domain=domains)
    slim = [bag for bag, mine in zip(bags, kept, strict=True) if mine]
    np.testing.assert_array_equal(
        told.decision_function(slim, domains[kept]), untold.decision_function(slim)
    )
    remedy = "" if views is APART else "; to score bags of others, fit without sample_domain"
    with pytest.raises(ValueError, match=rf"not among the domains \['slim'\]{remedy}\."):
        told.predict(bags, domains)
    stored = pickle.loads(pickle.dumps(told))
    np.testing.assert_array_equal(
        stored.predict_proba(slim, domains[kept]), untold.predict_proba(slim)
    )


@pytest.mark.parametrize("options", [FEW, NETS[0]], ids=["linear", "net"])
def test_standardising_apart_removes_a_shift(options):
    """Domains differ by far more than anomalies do."""
    rng = np.random.RandomState(0)
    y, domains = np.arange(80) % 2, np.arange(80) // 2 % 2
    bags = []
    for label, domain in zip(y, domains, strict=True):
        bag = rng.normal(size=(5, 4))
        bag[:2] += 2 * label
        bags.append((bag + 7 * domain) * np.where(domain, 1, [1, 5, 0.1, 1]))
    options = {"n_references": 20, "random_state": 0} | options
    told, not_told = (LEGOAnomalyClassifier(2, **options) for _ in range(2))
    told.fit(bags[:40], y[:40], sample_domain=domains[:40])
    not_told.fit(bags[:40], y[:40])
    area = roc_auc_score(y[40:], told.decision_function(bags[40:], domains[40:]))
    assert area > 0.9
    assert area > roc_auc_score(y[40:], not_told.decision_function(bags[40:]))


@pytest.mark.parametrize("views", [2, {k: {"a": [0, 1], "b": [2, 3]} for k in (0, 1)}])
def test_linear_units_far_beyond_the_fit_do_not_explode(views):
    rng = np.random.default_rng(0)
    bags, domains = [rng.normal(size=(3, 4)) for _ in range(24)], np.arange(24) // 12
    model = LEGOAnomalyClassifier(views, relation="linear", degree=1, random_state=0)
    model.fit(bags, np.arange(24) % 2, sample_domain=domains)
    scores = model.decision_function([*bags[:2], 1e2 * bags[0], 1e6 * bags[0]], [0, 0, 0, 0])
    assert scores[3] == pytest.approx(scores[2], rel=0.1, abs=0.1)


@pytest.mark.parametrize(
    "options",
    [pytest.param(LIGHT, marks=pytest.mark.slow), FEW, NETS[0], NETS[2]],
    ids=["linear", "few", "net", "both"],
)
def test_weights_and_order(data, options):
    bags, y, domains = data
    rng = np.random.RandomState(0)
    weight = rng.randint(0, 3, len(bags))
    order = rng.permutation(np.repeat(np.arange(len(bags)), weight))
    options = {"n_references": 15, "random_state": 0, "n_units": 5} | options
    weighted = LEGOAnomalyClassifier(APART, **options)
    weighted.fit(bags, y, sample_weight=weight, sample_domain=domains)
    repeated = fit([bags[i] for i in order], y[order], domains[order], **options)
    np.testing.assert_array_equal(
        weighted.decision_function(bags, domains), repeated.decision_function(bags, domains)
    )


def test_equal_bags_of_two_domains_are_two():
    rng = np.random.RandomState(0)
    bags = [rng.normal(size=(3, 2)) for _ in range(10)] * 2
    model = LEGOAnomalyClassifier(random_state=0, verbose=0)
    model.fit(bags, np.tile([0, 1], 10), sample_domain=np.repeat([0, 1], 10))
    assert np.isfinite(model.decision_function(bags, np.repeat([0, 1], 10))).all()
    assert model._domains == [0, 1]


@pytest.mark.parametrize("left_out", ["weight", "views"])
@pytest.mark.parametrize(
    ("views", "pooling"),
    [
        (APART | {"round": APART["slim"]}, "units"),
        (APART | {"round": WIDEST}, "relations"),
        (None, "units"),
    ],
    ids=["own", "widest", "same"],
)
def test_a_domain_whose_bags_are_all_left_out_is_not_known(data, views, pooling, left_out):
    bags, y, domains = data
    domains = np.where(np.arange(60) < 6, "round", domains)
    if views is None:
        bags = [bag[:, :4] for bag in bags]
    else:
        width = 10 if views["round"] is WIDEST else 4
        bags = [np.tile(bag, 3)[:, :width] for bag in bags[:6]] + bags[6:]
    weight, given = np.ones(60), bags
    if left_out == "weight":
        weight[:6] = 0
    else:
        given = [bag * np.nan for bag in bags[:6]] + bags[6:]
    options = LIGHT | {"pooling": pooling, "random_state": 0, "n_references": 15}
    model = LEGOAnomalyClassifier(views, **options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*miss every view", UserWarning)
        model.fit(given, y, weight, sample_domain=domains)
    with pytest.raises(ValueError, match=r"holds \['round'\], not among the domains"):
        model.decision_function(bags, domains)
    without = LEGOAnomalyClassifier(views, **options)
    without.fit(bags[6:], y[6:], sample_domain=domains[6:])
    np.testing.assert_array_equal(
        model.decision_function(bags[6:], domains[6:]),
        without.decision_function(bags[6:], domains[6:]),
    )


def test_partial_fit_and_skops(data):
    skops = pytest.importorskip("skops.io")
    bags, y, domains = data
    model = LEGOAnomalyClassifier(APART, head="net", n_references=15, random_state=0)
    for _ in range(2):
        model.partial_fit(bags, y, sample_domain=domains)
    linear = fit(bags, y, domains, time_view="move", **LIGHT)
    for one in (model, linear):
        stored = skops.dumps(one)
        loaded = skops.loads(stored, trusted=skops.get_untrusted_types(data=stored))
        np.testing.assert_array_equal(
            loaded.decision_function(bags, domains), one.decision_function(bags, domains)
        )


def test_plain_views_after_domains_and_back(data):
    bags, y, domains = data
    model = fit(bags, y, domains, pooling="relations")
    wide = [bag for bag, domain in zip(bags, domains, strict=True) if domain == "wide"]
    model.set_params(views=APART["wide"]).fit(wide, y[domains == "wide"])
    assert model.n_features_in_ == 8
    assert np.isfinite(model.decision_function(wide)).all()
    model.set_params(views=APART).fit(bags, y, sample_domain=domains)
    assert not hasattr(model, "n_features_in_")


def test_routing(data):
    bags, y, domains = data
    with sklearn.config_context(enable_metadata_routing=True):
        light = {"pooling": "relations", "relation": "correlation"}
        model = LEGOAnomalyClassifier(APART, n_references=15, random_state=0, **light)
        model.set_fit_request(sample_domain=True).set_score_request(sample_domain=True)
        search = GridSearchCV(model, {"degree": [1, 2]}, cv=2)
        assert search.fit(bags, y, sample_domain=domains).best_score_ > 0.6


def other_names(views):
    return views | {"slim": {"look": [0, 1, 2], "sound": [3]}}


BAGS, Y, DOMAINS = make_bags(12)


@pytest.mark.parametrize(
    ("bags", "domains", "views", "options", "message"),
    [
        (BAGS, None, APART, {}, "Give sample_domain, one for each bag.*set_score"),
        (BAGS, DOMAINS[:-1], APART, {}, r"one domain for each of the 12 bags; got shape \(11,\)"),
        (BAGS, np.repeat("round", 12), APART, {}, r"holds \['round'\], not among the domains"),
        (BAGS, ["wide", None] * 6, APART, {}, "sample_domain is missing in 6"),
        (BAGS, DOMAINS, other_names(APART), {}, "All domains must have views of the same names"),
        (BAGS, DOMAINS, APART | {"slim": [0, 1]}, {}, "those of domain 'slim' must be a dict"),
        (BAGS, DOMAINS[::-1], APART, {}, "Among the bags of domain"),
        (BAGS, DOMAINS, None, {}, "bags of several domains need views by domain"),
        (BAGS[:-1], DOMAINS, APART, {}, "11 bags but 12 labels"),
        (BAGS[:-1], DOMAINS[:-1], APART, {}, "11 bags but 12 labels"),
        (BAGS[:-1], DOMAINS[:-1], None, {}, "11 bags but 12 labels"),
        (BAGS, DOMAINS, APART, {"expansion": "hops", "n_references": 999}, "features of their own"),
        (BAGS, DOMAINS, APART, {"expansion": "hops", "n_references": 2}, "features of their own"),
        (BAGS, DOMAINS, APART, {"time_view": "tempo"}, "time_view must name one of the views"),
    ],
)
def test_bad_domains_are_told_and_nothing_is_fitted(bags, domains, views, options, message):
    model = LEGOAnomalyClassifier(views, random_state=0, **options)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(bags, Y, sample_domain=domains)
    assert vars(model) == before


def test_what_is_no_bags_is_told_before_domains_are_counted(data):
    bags, y, domains = data
    model = fit(bags, y, domains, pooling="relations")
    with pytest.raises(ValueError, match=r"X is 1-D, of shape \(8,\), not bags"):
        model.predict(bags[1][0], sample_domain=domains[1:2])
    views = [[bag[:, :2] for bag in bags], [bag[:, 2:] for bag in bags]]
    for call in (LEGOAnomalyClassifier(APART).fit, model.score):
        with pytest.raises(TypeError, match="stack_views"):
            call(views, y, sample_domain=domains)


def test_a_broken_bag_is_named_by_its_number_among_all():
    bags, views = list(BAGS), {d: {"bag 0": v["look"], "move": v["move"]} for d, v in APART.items()}
    assert DOMAINS[6] == DOMAINS[9] == "slim"
    bags[6] = bags[6].copy()
    bags[6][2, 1] = np.nan
    model = LEGOAnomalyClassifier(views)
    message = r"domain 'slim': view 'bag 0': 1 unit .* unit 2 of bag 6, column 1"
    with pytest.raises(ValueError, match=message):
        model.fit(bags, Y, sample_domain=DOMAINS)
    bags[6], bags[9] = BAGS[6], BAGS[9][:, :3]
    with pytest.raises(ValueError, match="bag 9 has 3 features, but bag 0 has 4"):
        model.fit(bags, Y, sample_domain=DOMAINS)


@pytest.mark.parametrize("form", ["rows", "cube", "frames"])
def test_numbers_of_bags_in_errors_are_those_of_the_caller(form):
    X, y, domains = np.random.default_rng(0).normal(size=(12, 2, 4)), [0, 0, 1, 1] * 3, "nf" * 6
    views = {"look": slice(0, 2), "move": slice(2, 4)}
    model = LEGOAnomalyClassifier({"n": views, "f": views})
    X[7, 1, 1], place = np.nan, "unit 1 of bag 7, column 1"
    if form == "rows":
        X, place = X[:, 1], "row 7, column 1"
    elif form == "frames":
        pd = pytest.importorskip("pandas")
        X, place = [pd.DataFrame(bag, columns=list("abcd")) for bag in X], "bag 7, column 'b'"
    with pytest.raises(ValueError, match=f"domain 'f': .*{place}"):
        model.fit(X, y, sample_domain=list(domains))
    if form == "cube":
        X[7], message = np.nan, "bag 7 is empty"
    elif form == "frames":
        X[7], message = (
            X[5].rename(columns={"d": "e"}),
            "bag 7 has other column names than bag 1: bag 7 has 'e'",
        )
    else:
        return
    with pytest.raises(ValueError, match=f"domain 'f': {message}"):
        model.fit(X, y, sample_domain=list(domains))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_rows_of_a_frame_are_bags_of_several_domains(library):
    kind = pytest.importorskip(library).DataFrame
    X, domains = np.random.default_rng(0).normal(size=(20, 4)), list("nf") * 10
    views = {"look": ["a", "b"], "move": ["c", "d"]}
    model = LEGOAnomalyClassifier({"n": views, "f": views}, pooling="relations", random_state=0)
    frame = kind(dict(zip("abcd", X.T, strict=True)))
    found = model.fit(frame, [0, 0, 1, 1] * 5, sample_domain=domains).predict_proba(
        frame, sample_domain=domains
    )
    views = {"look": [0, 1], "move": [2, 3]}
    model.set_params(views={"n": views, "f": views}).fit(X, [0, 0, 1, 1] * 5, sample_domain=domains)
    assert np.array_equal(found, model.predict_proba(X, sample_domain=domains))


def test_columns_called_like_bags_are_not_renumbered():
    pd = pytest.importorskip("pandas")
    names = ["bag 99", 'it\'s "a" bag 98', "c", "d"]
    bags, y, domains = np.random.default_rng(0).normal(size=(12, 2, 4)), [0, 0, 1, 1] * 3, "nf" * 6
    bags = [pd.DataFrame(bag, columns=names) for bag in bags]
    views = {"look": names[:2], "move": names[2:]}
    model = LEGOAnomalyClassifier({"n": views, "f": views}, pooling="relations")
    model.fit(bags, y, sample_domain=list(domains))
    renamed = [bag.set_axis(["a", *names[1:]], axis=1) for bag in bags]
    with pytest.raises(ValueError, match=r"(?s)Among the bags of domain 'f': .*- bag 99"):
        model.predict(renamed, sample_domain=list(domains))
    bags[7].iloc[1, 1] = np.nan
    with pytest.raises(ValueError, match=r"bag 7, column .* bag 98"):
        model.predict(bags, sample_domain=list(domains))


def test_bad_domains_when_predicting(data):
    bags, y, domains = data
    model = fit(bags, y, domains, pooling="relations")
    with pytest.raises(ValueError, match="Give sample_domain"):
        model.predict(bags)
    with pytest.raises(ValueError, match="one domain for each of the 60 bags"):
        model.score_units(bags, sample_domain=domains[:5])
    with pytest.raises(ValueError, match="not among the domains"):
        model.predict_proba(bags, sample_domain=np.repeat("round", 60))
    with pytest.raises(ValueError, match=r"of domain 'slim': .* expecting 4 features"):
        model.predict(bags[1:2], sample_domain=["slim"])
    for none in ([], np.empty((0, 3, 8))):
        with pytest.raises(ValueError, match="Found 0 bags in X"):
            model.score_units(none, sample_domain=[])
        with pytest.raises(ValueError, match="Found 0 bags in X"):
            LEGOAnomalyClassifier(APART).fit(none, [], sample_domain=[])
    plain = LEGOAnomalyClassifier(pooling="relations", random_state=0)
    plain.fit([bag[:, :4] for bag in bags], y)
    with pytest.raises(ValueError, match="fit was given none"):
        plain.predict([bag[:, :4] for bag in bags], sample_domain=domains)


@pytest.mark.filterwarnings("ignore:.*miss every view")
@pytest.mark.parametrize("options", [LIGHT | {"reference": "both", "pooling": "units"}, *NETS])
@pytest.mark.parametrize("by", ["nothing", "site", "features"])
def test_bags_that_miss_every_view_need_no_others_beside(by, options):
    bags, y, domains = make_bags(16)
    if by != "features":
        bags = [bag[:, :4] for bag in bags]
    model = LEGOAnomalyClassifier(
        APART if by == "features" else APART["slim"], n_references=8, n_units=5, random_state=0
    ).set_params(**options | {"max_epochs": 1})
    given = {} if by == "nothing" else {"sample_domain": domains}
    model.fit(bags, y, **given)
    beside = [np.full_like(bags[0], np.nan), bags[0]]
    given = {name: of[[0, 0]] for name, of in given.items()}
    alone = beside[:1], {name: of[:1] for name, of in given.items()}
    graph = model.fused_graphs(alone[0], **alone[1])[0]
    np.testing.assert_array_equal(graph, model.fused_graphs(beside, **given)[0])
    for method in ("auto", "shapley"):
        expected = explain(model, beside, method=method, **given).of_bag(0)
        found = explain(model, alone[0], method=method, **alone[1])
        for name in ("scores", "base", "view_parts", "parts"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
