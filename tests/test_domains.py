"""Domains and missing views: theorems, errors, and ways through Pipelines and searches."""

import pickle
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer
from legofuse._labels import check_domains, number_labels
from legofuse.bags import to_bags
from legofuse.graphs import learn_statistics
from legofuse.inspection import domain_shift
from legofuse.relations import RELATIONS
from legofuse.sampling import mark_rows
from legofuse.shifts import class_slope, learn_shifts, with_domains
from legofuse.tables import _domain_index
from legofuse.transformer._class_shares import align_by_classes
from legofuse.weights import unpack

VIEWS = {"a": slice(0, 3), "b": slice(3, 5), "c": slice(5, 9)}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 9))
Y = np.arange(40) % 2
X[Y == 1] += 1
SITES = np.where(np.arange(40) % 3 == 0, "south", "north")
WINE, TARGET = load_wine(return_X_y=True)


def make(**parameters):
    return LEGOFusionTransformer(VIEWS, **{"relation": "cosine", **parameters})


def with_holes(rng, n=18):
    table, gone = rng.normal(size=(n, 9)), rng.random((n, 3)) < 0.5
    gone[:4] = False
    gone[gone.all(axis=1)] = [False, True, True]
    for k, columns in enumerate(VIEWS.values()):
        table[gone[:, k], columns] = np.nan
    return table


# ------------------------------------------------------------------ missing views
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 10_000), relation=st.sampled_from(["auto", *RELATIONS]))
def test_every_relation_is_a_kernel_with_missing_views(seed, relation):
    rng = np.random.default_rng(seed)
    table, y = with_holes(rng), rng.permutation(np.arange(18) % 2)
    table += 3 * rng.normal(size=(18, 1))  # columns have something in common
    model = make(relation=relation, degree=2)
    n_terms = len(model.fit(table, y).powers_)
    weights = rng.exponential(size=n_terms) * (rng.random(n_terms) < 0.7)
    weights[:3] += 0.1
    G = make(relation=relation, weights=weights).fit(table, y).fused_graph(table, table)
    assert_allclose(G, G.T, atol=1e-8 * np.abs(G).max())
    assert np.linalg.eigvalsh((G + G.T) / 2)[0] >= -1e-8 * np.abs(G).max() * len(G)


def test_a_view_missing_in_all_rows():
    table = X.copy()
    table[:, 3:5] = np.nan
    with pytest.raises(ValueError, match=r"view 'b' is missing .* in every training row"):
        make().fit(table, Y)
    assert np.isfinite(make(relation="auto").fit(X, Y).transform(table)).all()


def test_partly_missing_blocks_name_view_and_rows():
    table = X.copy()
    table[[2, 5, 7], 3] = np.nan
    with pytest.raises(ValueError, match=r"'b'.* 3 row"):
        make().fit(table, Y)


@pytest.mark.parametrize("lone", ["east", "zone"])  # before and after the others
def test_given_landmarks_lie_in_domains_that_count(lone):
    """Nothing is known of the shift of a domain whose rows all have weight 0, or no view."""
    table, sites = X.copy(), np.append(SITES[:-1], lone)
    message = rf"landmarks: row 39 is of domain '{lone}', none .* rows of \['north', 'south'\]"
    model = make(landmarks=[0, 1, 39])
    with pytest.raises(ValueError, match=message):
        model.fit(table, Y, sample_weight=np.arange(40) < 39, sample_domain=sites)
    assert not hasattr(model, "views_")
    table[-1] = np.nan
    warns = pytest.warns(UserWarning, match="miss every view")
    with warns, pytest.raises(ValueError, match=message):
        model.fit(table, Y, sample_domain=sites)
    counted = np.where(np.arange(40) < 38, 1.0, 0.0)  # another row of no weight, where it may be
    model.set_params(landmarks=[0, 1, 38]).fit(X, Y, counted, SITES)
    assert_array_equal(model.landmarks_, [0, 1, 38])


def test_complete_rows_are_landmarks_first():
    table = X.copy()
    table[::2, :3] = np.nan
    model = make(n_landmarks=15, random_state=0).fit(table, Y)
    assert len(model.landmarks_) == 15
    assert not np.isnan(table[model.landmarks_]).any()


def test_scalers_of_views_in_front_pass_missing_blocks():
    table = X.copy()
    table[::3, 3:5] = np.nan
    scalers = ColumnTransformer([(v, StandardScaler(), c) for v, c in VIEWS.items()])
    pipe = make_pipeline(scalers, make(), RidgeClassifier()).fit(table, Y)
    assert pipe.score(table, Y) > 0.6


# ------------------------------------------------------------------ domains
def test_hops_tell_equal_rows_of_two_domains_apart():
    rows = RNG.normal(size=(30, 9))
    rows[15:21] = rows[:6]
    domains = np.repeat(["a", "b"], 15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = make(expansion="hops", weights="uniform")
        model.fit(rows, np.arange(30) % 2, sample_domain=domains)
    fused = model._fused
    encoded, marks = fused.encode(rows, domains, dense=True), mark_rows(rows, domains)
    own = np.argsort(model.landmarks_)  # column of each row
    assert_array_equal(fused.marks[own], marks)
    found, expected = fused.among(encoded, marks)[0], fused.expanded(encoded, marks)[0]
    for one, two in zip(found, expected, strict=True):
        assert_allclose(unpack(one), _symmetric(two[:, own]), atol=1e-12)


def _symmetric(graph):
    return np.tril(graph) + np.tril(graph, -1).T


def test_labels_have_numbers_of_their_own():
    groups = [[0, 0.0, False], [1, True, Decimal(1)], ["1"], [1.5, Fraction(3, 2)], ["a"], [b"a"]]
    groups += [[2**60], [2**60 + 1], [-1], [-2], [pd.Interval(0, 1)], [pd.Interval(0, 2)]]
    numbers = [{int(number_labels(np.array([x], object))[0]) for x in group} for group in groups]
    assert {len(found) for found in numbers} == {1}
    assert len(set.union(*numbers)) == len(groups)
    plain, among = number_labels(np.array(["b"])), number_labels(np.array(["a", "b", "c"]))
    assert plain[0] == among[1]


@pytest.mark.parametrize("method", ["fused_graph", "relation_graphs"])
def test_unseen_domains_of_references_are_told_from_those_of_rows(method):
    """Whichever other new domains there are, and in which of the two."""
    model = make(unseen_domains="batch", domain_coupling=0.5, domain_alignment=0)
    graph, rows, sites = (
        getattr(model.fit(X, Y, sample_domain=SITES), method),
        X[:6],
        list("ppqqrr"),
    )
    whole = graph(rows, rows, sites, sites)
    for some in (slice(2, 6), slice(4, 6), slice(0, 4, 2)):
        part = graph(rows, rows[some], sites, sites[some])
        if method == "fused_graph":
            part, expected = {"a": part}, {"a": whole[:, some]}
        else:
            expected = {view: found[:, some] for view, found in whole.items()}
        for view, found in part.items():
            assert_allclose(found, expected[view], atol=1e-12)


def test_marks_are_those_of_the_label():
    rows = np.ones((3, 2))
    assert_array_equal(
        mark_rows(rows, np.array([0, 1, 1])), mark_rows(rows, np.array([0.0, 1.0, 1.0]))
    )
    assert len(np.unique(mark_rows(rows, np.array(["a", "b", "a"])), axis=0)) == 2


def test_identity_tells_equal_rows_of_two_domains_apart():
    rows = RNG.normal(size=(20, 9))
    rows[10] = rows[0]
    domains = np.repeat([0, 1], 10)
    model = make(zeroth="identity", interactions="pairwise", weights="uniform")
    model.fit(rows, np.arange(20) % 2, sample_domain=domains)
    marks = model._fused.marks
    assert len(np.unique(marks, axis=0)) == 20


@pytest.mark.parametrize("relation", ["auto", *RELATIONS])
def test_one_domain_is_none_bit_by_bit(relation):
    one = np.zeros(40, int)
    told = make(relation=relation).fit(X, Y, sample_domain=one)
    untold = make(relation=relation).fit(X, Y)
    assert_array_equal(told.landmarks_, untold.landmarks_)
    assert_array_equal(told.weights_, untold.weights_)
    assert_array_equal(told.transform(X, sample_domain=one), untold.transform(X))


@pytest.mark.parametrize(
    "options",
    [
        {"domains": "per-domain", "n_landmarks": 15},
        {"unseen_domains": "batch"},
        {"domain_alignment": 1.0, "domain_coupling": 0.5},
        {"interactions": "separable"},
        {"weights": "alignment", "n_components": 5},
        {"expansion": "hops", "relation": "rbf"},
    ],
    ids=str,
)
@pytest.mark.parametrize("y", [Y, Y + X[:, 0]], ids=["classes", "real values"])
def test_options_of_domains_do_nothing_to_one(options, y):
    one = np.repeat("here", 40)
    options = {"random_state": 0, "relation": "auto"} | options
    told, untold = make(**options).fit(X, y, sample_domain=one), make(**options).fit(X, y)
    assert told.domains_ == ["here"]
    assert_array_equal(told.weights_, untold.weights_)
    assert_array_equal(told.transform(X, sample_domain=one), untold.transform(X))
    assert_array_equal(told.fused_graph(X, sample_domain=one), untold.fused_graph(X))


@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 10_000), relation=st.sampled_from(["auto", *RELATIONS]))
def test_every_relation_is_a_kernel_with_domains(seed, relation):
    rng = np.random.default_rng(seed)
    table, sites = with_holes(rng), rng.integers(3, size=18)
    table[sites == 1] += 3
    table += 3 * rng.normal(size=(18, 1))  # columns have something in common
    model = make(relation=relation, weights="uniform").fit(table, Y[:18], sample_domain=sites)
    G = model.fused_graph(table, table, sample_domain=sites, reference_domain=sites)
    assert_allclose(G, G.T, atol=1e-8 * np.abs(G).max())
    assert np.linalg.eigvalsh((G + G.T) / 2)[0] >= -1e-8 * np.abs(G).max() * len(G)


def test_a_shift_of_domains_is_taken_away():
    """Offsets and scales of domains vanish whatever the shares of classes in each."""
    rng = np.random.default_rng(0)
    y = np.arange(600) % 2
    rows = rng.normal(size=(600, 9)) + 2 * y[:, None]
    sites = (rng.random(600) < np.where(y == 1, 0.8, 0.2)).astype(int)
    shifted = np.where(sites[:, None] == 1, 3 * rows + 50, rows)
    model = make(domain_alignment=1, domain_coupling=1, weights="uniform")
    model.fit(shifted, y, sample_domain=sites)
    maps = model._fused.shifts.maps
    moved = np.empty((600, 3))
    for site in (0, 1):
        centre, factor = maps["a", site]
        moved[sites == site] = (shifted[sites == site, :3] - centre) * factor
    moved /= moved.std(axis=0)
    for k in (0, 1):
        one, other = (moved[(y == k) & (sites == site)] for site in (0, 1))
        assert_allclose(one.mean(axis=0), other.mean(axis=0), atol=0.35)
        assert_allclose(one.std(axis=0), other.std(axis=0), rtol=0.25)


def test_few_rows_of_a_domain_move_it_little():
    rows, y = np.random.default_rng(0).normal(size=(200, 9)), np.arange(200) % 2
    sites = np.arange(200) >= 198
    model = make(weights="uniform").fit(rows, y, sample_domain=sites)
    centre, factor = model._fused.shifts.maps["a", True]
    own = rows[198:, :3].mean(axis=0)
    assert (np.abs(centre) < 0.5 * np.abs(own) + 0.2).all()
    assert (np.abs(np.log(factor)) < 0.3).all()


@pytest.mark.parametrize("factor", [1 / 40, 1e-6, 3.3])
def test_shifts_are_told_by_as_many_rows_whatever_the_scale_of_weights(factor):
    rows = X + 4 * (SITES == "south")[:, None]
    model, weight = make(weights="uniform"), np.random.default_rng(0).uniform(0.5, 1, 40)
    maps = [
        model.fit(rows, Y, sample_weight=w, sample_domain=SITES)._fused.shifts.maps
        for w in (weight / weight.max(), factor * weight)
    ]
    for key, (centre, spread) in maps[0].items():
        assert_allclose(maps[1][key][0], centre, rtol=1e-9)
        assert_allclose(maps[1][key][1], spread, rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"n_landmarks": 8}, {"max_fit_samples": 15}])
@pytest.mark.parametrize("labels", [["ash", "south"], ["ash", "north", "south"]])
def test_a_domain_without_weight_is_no_domain(labels, options):
    sites = np.array(labels)[np.arange(40) % 7 % len(labels)]
    weight = (sites != "ash") * 1.0
    left, model = weight > 0, make(random_state=0, **options)
    given = model.fit(X, Y, sample_weight=weight, sample_domain=sites).transform(
        X[left], sites[left]
    )
    model.fit(X[left], Y[left], sample_domain=sites[left])
    assert_array_equal(given, model.transform(X[left], sites[left]))


def test_coupling_makes_domains_differ():
    def graph(coupling):
        model = make(weights="uniform", domain_coupling=coupling, domain_alignment=0)
        model.fit(X, Y, sample_domain=SITES)
        return model.relation_graphs(X, X, sample_domain=SITES, reference_domain=SITES)["a"]

    apart = SITES[:, None] != SITES
    assert_allclose(graph(0.5)[apart], 0.5 * graph(1.0)[apart])
    assert_array_equal(graph(0.5)[~apart], graph(1.0)[~apart])
    assert_array_equal(graph("auto"), graph(0.85))


@pytest.mark.parametrize("sites", [SITES, np.full(40, "north")])
def test_coupling_holds_for_a_new_domain_however_many_there_were(sites):
    parameters = {"weights": "uniform", "degree": 1, "domain_alignment": 0}
    model = make(unseen_domains="batch", domain_coupling=0.5, **parameters)
    model.fit(X, Y, sample_domain=sites)
    alike = make(unseen_domains="batch", domain_coupling=1, **parameters)
    alike.fit(X, Y, sample_domain=sites)
    new = X[:5], None, ["east"] * 5
    assert_allclose(model.fused_graph(*new), 0.5 * alike.fused_graph(*new))
    assert_allclose(
        model.fused_graph(X[:5], X[:5], new[2], new[2]),
        alike.fused_graph(X[:5], X[:5], new[2], new[2]),
    )


def test_rows_of_an_unseen_domain_are_aligned_by_themselves():
    model = make(domain_alignment=1, unseen_domains="batch", relation="correlation")
    model.fit(X, Y, sample_domain=SITES)
    rows = np.vstack([X] * 10)
    plain = model.transform(rows, sample_domain=np.repeat("east", 400))
    moved = model.transform(5 * rows + 70, sample_domain=np.repeat("west", 400))
    far = np.abs(moved - plain).mean() / np.abs(plain).mean()
    assert far < 0.2  # all but the shrinkage
    one = make(unseen_domains="batch").fit(X, Y, sample_domain=np.zeros(40, int))
    assert np.isfinite(one.transform(X + 9, sample_domain=np.ones(40, int))).all()


@pytest.mark.parametrize("label", ["east", "west"])  # before and after all known ones
def test_an_unseen_domain_that_is_not_aligned_is_yet_another(label):
    """Its rows are related to all others by the coupling."""
    options = {"weights": "uniform", "landmarks": np.arange(40)}
    apart = {"domain_alignment": 0, "domain_coupling": 0.5, "unseen_domains": "batch"}
    model = make(**apart, **options).fit(X, Y, sample_domain=SITES)
    plain = make(**options).fit(X, Y)
    graphs, whole = (
        model.relation_graphs(X, sample_domain=np.repeat(label, 40)),
        plain.relation_graphs(X),
    )
    for view, graph in graphs.items():
        assert_allclose(graph, 0.5 * whole[view], atol=1e-12)


def test_a_view_missing_in_a_whole_domain():
    table = X.copy()
    table[SITES == "south", :3] = np.nan
    model = make(unseen_domains="batch").fit(table, Y, sample_domain=SITES)
    table[:, 3:5] = np.nan
    assert np.isfinite(model.transform(table, sample_domain=np.repeat("east", 40))).all()


def test_unseen_domains_are_named_with_the_known():
    model = make().fit(X, Y, sample_domain=SITES)
    with pytest.raises(ValueError, match=r"Unknown domain\(s\) \['east'\].*'north', 'south'"):
        model.transform(X[:2], sample_domain=["east", "north"])


def test_domains_routed_through_searches_and_validation():
    sites = np.where(np.arange(len(TARGET)) % 2, "a", "b")
    with sklearn.config_context(enable_metadata_routing=True):
        fuse = LEGOFusionTransformer(2, relation="correlation")
        fuse.set_fit_request(sample_domain=True).set_transform_request(sample_domain=True)
        pipe = make_pipeline(fuse, RidgeClassifier())

        def accuracy(estimator, X, y, sample_domain):
            return np.mean(estimator.predict(X, sample_domain=sample_domain) == y)

        class Scorer:
            """A scorer that forwards the domain: scikit-learn's own do not."""

            def __call__(self, estimator, X, y, sample_domain=None):
                return accuracy(estimator, X, y, sample_domain)

            def get_metadata_routing(self):
                routing = sklearn.utils.metadata_routing.MetadataRequest(owner="Scorer")
                routing.score.add_request(param="sample_domain", alias=True)
                return routing

        found = cross_validate(
            pipe, WINE, TARGET, cv=3, scoring=Scorer(), params={"sample_domain": sites},
            error_score="raise",
        )  # fmt: skip
        assert found["test_score"].mean() > 0.9
        search = GridSearchCV(
            pipe, {"legofusiontransformer__degree": [1, 2]}, cv=3, scoring=Scorer(),
            error_score="raise",
        )  # fmt: skip
        assert search.fit(WINE, TARGET, sample_domain=sites).best_score_ > 0.9


def test_domain_column_needs_no_routing():
    table = np.c_[WINE, np.arange(len(TARGET)) % 2]
    fuse = LEGOFusionTransformer(
        {"a": slice(0, 6), "b": slice(6, 13)}, relation="correlation", domain_column=13
    )
    pipe = make_pipeline(fuse, RidgeClassifier())
    grid = {"legofusiontransformer__degree": [1, 2]}
    scoring = make_scorer(lambda y, found: np.mean(y == found))
    assert GridSearchCV(pipe, grid, cv=3, scoring=scoring).fit(table, TARGET).best_score_ > 0.9


def test_a_domain_of_rows_without_any_view_is_none_to_learn():
    table, domains = X.copy(), np.array(["a", "b"])[np.arange(len(X)) % 2].astype("U3")
    table[0], domains[0] = np.nan, "new"
    fuse = LEGOFusionTransformer(VIEWS, relation="correlation")
    with pytest.warns(UserWarning, match="miss every view"):
        out = fuse.fit_transform(table, Y, sample_domain=domains)
    assert fuse.domains_ == ["a", "b"]
    assert_allclose(out[1:], fuse.transform(table[1:], sample_domain=domains[1:]), atol=1e-12)
    with pytest.raises(ValueError, match="Unknown domain"):
        fuse.transform(X, sample_domain=domains)


def test_domain_column_by_name_where_scikit_learn_knows_no_names():
    frame = pl.DataFrame({"height": [1.0, 2.0], "site": ["n", "s"]})
    assert _domain_index("site", frame, None) == 1  # scikit-learn 1.7 knows none of polars


def test_a_domain_column_named_after_fit_matters_to_the_next():
    table = np.c_[WINE, np.arange(len(TARGET)) % 2]
    views = {"a": slice(0, 6), "b": slice(6, 13)}
    fuse = LEGOFusionTransformer(views, relation="correlation").fit(table, TARGET)
    expected = fuse.transform(table)
    np.testing.assert_array_equal(fuse.set_params(domain_column=13).transform(table), expected)
    told = fuse.fit(table, TARGET).transform(table)
    np.testing.assert_array_equal(fuse.set_params(domain_column=None).transform(table), told)
    np.testing.assert_array_equal(fuse.fit(table, TARGET).transform(table), expected)
    assert fuse.domains_ == []


def test_domain_column_of_a_sparse_table():
    table = np.c_[WINE, np.arange(len(TARGET)) % 2]
    fuse = LEGOFusionTransformer(
        {"a": slice(0, 6), "b": slice(6, 13)}, relation="correlation", domain_column=13
    )
    dense, sparse = (fuse.fit(Z, TARGET).fused_graph(Z) for Z in (table, sp.csr_array(table)))
    assert len(fuse.domains_) == 2
    np.testing.assert_allclose(dense, sparse, atol=1e-6 * np.abs(dense).max())


@pytest.mark.parametrize("missing", [np.nan, np.datetime64("NaT", "s")])
def test_missing_domains_are_counted(missing):
    sites = np.array([0, 1], "M8[D]" if isinstance(missing, np.datetime64) else float)[Y]
    sites[3:5] = missing
    with pytest.raises(ValueError, match=r"sample_domain is missing in 2 row\(s\)"):
        make().fit(X, Y, sample_domain=sites)


def test_masked_domains_are_missing_and_records_are_none():
    sites = np.ma.masked_array(np.array([0, 1])[Y], mask=np.arange(len(Y)) < 2)
    with pytest.raises(ValueError, match=r"sample_domain is missing in 2 row\(s\)"):
        make().fit(X, Y, sample_domain=sites)
    sites.mask = False
    expected = make().fit(X, Y, sample_domain=sites.data)
    np.testing.assert_array_equal(make().fit(X, Y, sample_domain=sites).weights_, expected.weights_)
    records = np.zeros(len(Y), [("site", int), ("year", int)])
    for bad in (records, np.ma.masked_array(records), np.ma.masked_array(records, mask=True)):
        with pytest.raises(ValueError, match=r"holds records \(fields 'site', 'year'\): give one"):
            make().fit(X, Y, sample_domain=bad)


@pytest.mark.parametrize("told", ["in fit", "unseen"])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_features_constant_in_one_domain_are_not_blown_up(kind, told):
    rng = np.random.default_rng(0)
    table, site, y = rng.normal(size=(90, 5)), np.arange(90) // 2 % 3, np.arange(90) % 2
    for column, value in enumerate([0.1, 0.7, 1 / 3]):  # most features, of no round numbers
        table[site == 2, column] = value + 0.3 * y[site == 2]
    table[np.ix_(site == 2, [0, 1, 2])] = 0.1 if told == "unseen" else table[site == 2, :3]
    columns, ones = {"a": np.arange(5)}, np.ones(90)
    rows = np.flatnonzero(site < 2) if told == "unseen" else np.arange(90)
    table = kind(table)
    learned = learn_statistics(table, columns, rows, ones[rows])
    given = columns, rows, ones[rows], site[rows], y[rows], learned
    shifts = learn_shifts(table, *given)
    if told == "unseen":
        new = np.flatnonzero(site == 2)
        shifts = with_domains(shifts, table[new], columns, site[new], learned)
    factors = np.array([shifts.maps["a", label][1] for label in (0, 1, 2)])
    assert (factors > 0.1).all()
    assert (factors < 10).all()


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_features_constant_in_all_domains_are_left_out(kind):
    plain, with_constant = X, np.hstack([X, np.full((len(X), 1), 0.1)])
    new, strange = plain[:9] + 1, np.hstack([plain[:9] + 1, np.arange(9)[:, None] * 1e4])
    found = []
    for table, rows in [(plain, new), (with_constant, strange)]:
        n = table.shape[1]
        views = {"a": slice(0, 2), "b": slice(2, n)}
        options = {"relation": "correlation", "unseen_domains": "batch", "random_state": 0}
        # learned weights depend on how rows are halved, and that on the content of all columns
        model = LEGOFusionTransformer(views, weights="uniform", **options)
        model.fit(kind(table), Y, sample_domain=SITES)
        graph = model.fused_graph(kind(rows), sample_domain=np.full(9, "west"))
        found.append(np.sort(graph, axis=1))  # landmarks may come in another order
    assert_allclose(found[1], found[0], atol=1e-9)


# ------------------------------------------------------------------ how far domains are apart
def test_domain_shift_falls_once_domains_are_told():
    shifted = X + 3 * (SITES == "south")[:, None]
    untold = domain_shift(make().fit(shifted, Y), shifted, SITES, random_state=0)
    told = make(domain_alignment=1, domain_coupling=1).fit(shifted, Y, sample_domain=SITES)
    told = domain_shift(told, shifted, SITES, random_state=0)
    assert untold.auc > 0.95
    assert told.auc < untold.auc - 0.2
    assert untold.domains == ["north", "south"]
    assert set(untold.by_domain) == {"north", "south"}
    assert_allclose(untold.auc, np.mean(list(untold.by_domain.values())))


def test_domain_shift_of_no_shift_and_of_the_graph():
    sites = RNG.permutation(np.arange(40) % 2)
    model = make().fit(X, Y)
    assert 0.2 < domain_shift(model, X, sites, random_state=0).auc < 0.8
    graph = domain_shift(model, X + 3 * sites[:, None], sites, of="graph", random_state=0)
    assert graph.auc > 0.8
    three = domain_shift(model, X, np.arange(40) % 3, random_state=0)
    assert len(three.by_domain) == 3


def test_domain_shift_in_a_pipeline_and_with_a_column():
    pipe = make_pipeline(StandardScaler(), make(), RidgeClassifier()).fit(X, Y)
    assert 0 <= domain_shift(pipe, X, SITES).auc <= 1
    table = np.c_[X, SITES == "south"]
    model = make(domain_column=9).fit(table, Y)
    assert 0 <= domain_shift(model, table, SITES).auc <= 1


@pytest.mark.parametrize(
    ("domains", "options", "message"),
    [
        (SITES[:5], {}, "one domain for each of the 40 rows"),
        (np.zeros(40), {}, "at least two domains"),
        (SITES, {"of": "graphs"}, "of must be"),
        (np.arange(40) == 3, {}, "fewer rows than"),
        (SITES, {"cv": 1}, "cv must be"),
    ],
)
def test_domain_shift_refuses(domains, options, message):
    with pytest.raises(ValueError, match=message):
        domain_shift(make().fit(X, Y), X, domains, **options)


# ------------------------------------------------------------------ classes of unseen domains
def two_classes(rng, shares, offset, n=300):
    """Rows of two classes far apart, moved."""
    y = (rng.random(n) < shares).astype(int)
    table = rng.normal(size=(n, 9))
    table[:, ::2] += 3.0 * y[:, None]
    return table + offset, y


def test_unequal_shares_of_classes_are_no_shift_of_an_unseen_domain():
    rng = np.random.default_rng(0)
    table, y = two_classes(rng, 0.5, 0.0)
    offset = rng.normal(size=9)
    rows, truth = two_classes(rng, 0.9, offset)
    model = make(unseen_domains="batch", domain_alignment=1.0, relation="auto")
    model.fit(table, y, sample_domain=np.arange(300) % 2)
    east = np.repeat(2, len(rows))
    columns, learned, shifts = model._fused.columns, model._fused.learned, model._fused.shifts
    aware = align_by_classes(model._fused, *model._head, rows, east)
    blind = with_domains(shifts, rows, columns, east, learned)
    moved = [
        np.concatenate([found.maps[view, 2][0] - learned[view, None].mean for view in VIEWS])
        for found in (aware, blind)
    ]
    off, far = (np.abs(found - offset)[::2].mean() for found in moved)
    assert off < 0.75 * far
    head = RidgeClassifier().fit(model.transform(table, sample_domain=np.arange(300) % 2), y)
    right = head.score(model.transform(rows, sample_domain=east), truth)
    model._head = None  # means and spreads alone
    assert right > head.score(model.transform(rows, sample_domain=east), truth)


def test_class_means_are_those_of_moved_rows():
    rng = np.random.default_rng(1)
    table, y = two_classes(rng, 0.4, 0.0)
    site = rng.integers(0, 3, size=300)
    table[site == 1] += 5
    columns, rows, ones = {"a": np.arange(9)}, np.arange(300), np.ones(300)
    learned = learn_statistics(table, columns, rows, ones)
    found = learn_shifts(table, columns, rows, ones, site, y, learned, classes=True)
    moved = (
        np.vstack(
            [(table[[i]] - found.maps["a", site[i]][0]) * found.maps["a", site[i]][1] for i in rows]
        )
        / learned["a", None].scale
    )
    means, within = found.classes["a"]
    assert_allclose(means, [moved[y == k].mean(axis=0) for k in (0, 1)], atol=1e-8)
    cells = [moved[(y == k) & (site == d)] for k in (0, 1) for d in range(3)]
    squares = sum(((part - part.mean(axis=0)) ** 2).sum(axis=0) for part in cells)
    assert_allclose(within, squares / 300, atol=1e-8)
    alone = learn_shifts(table, columns, rows, ones, 0 * site, y, learned, classes=True)
    assert alone.maps == {}
    assert_array_equal(alone.aligned["a", None].scale, learned["a", None].scale)


def test_slope_of_classes_tells_right_from_wrong():
    rng = np.random.default_rng(3)
    table, y = two_classes(rng, 0.5, 0.0)
    columns, rows, ones = {"a": np.arange(9)}, np.arange(300), np.ones(300)
    learned = learn_statistics(table, columns, rows, ones)
    shifts = learn_shifts(table, columns, rows, ones, 0 * y, y, learned, classes=True)
    new, truth = two_classes(rng, 0.7, 50.0)
    site = np.ones(300, int)
    shifts = with_domains(shifts, new, columns, site, learned, {1: np.array([0.3, 0.7])})

    def slope(classes):
        return class_slope(shifts, new, columns, 1, rows, classes, learned)

    assert slope(truth) > 0.9
    assert slope(rng.permutation(truth)) < 0.2
    assert slope(1 - truth) == 0
    assert slope(0 * truth) == 0  # one class alone tells nothing


def test_classes_of_an_unseen_domain_with_views_missing():
    rng = np.random.default_rng(2)
    table, y = two_classes(rng, 0.5, 0.0, 80)
    table[:20, :3] = np.nan
    table[y == 1, 3:5] = np.nan  # a class that never has a view
    rows, _ = two_classes(rng, 0.8, 1.0, 40)
    rows[:10, 5:] = np.nan
    rows[3] = np.nan
    model = make(unseen_domains="batch").fit(table, y, sample_domain=np.arange(80) % 2)
    with pytest.warns(UserWarning, match=r"1 row\(s\) miss every view"):
        Z = model.transform(rows, sample_domain=np.repeat(7, 40))
    with pytest.warns(UserWarning, match=r"1 row\(s\) miss every view"):
        whole = np.delete(model.fused_graph(rows, sample_domain=np.repeat(7, 40)), 3, 0)
    assert np.isfinite(Z).all()
    some = np.delete(rows, 3, axis=0)
    G = model.fused_graph(some, some, np.repeat(7, 39), np.repeat(7, 39))
    assert np.linalg.eigvalsh((G + G.T) / 2)[0] > -1e-8 * np.abs(G).max() * len(G)
    again = pickle.loads(pickle.dumps(model))
    alone = model.transform(some, sample_domain=np.repeat(7, 39))
    assert_array_equal(again.transform(some, sample_domain=np.repeat(7, 39)), alone)
    assert_allclose(alone, np.delete(Z, 3, 0), rtol=1e-7, atol=1e-8)  # BLAS rounds last rows apart
    graph = model.fused_graph(some, sample_domain=np.repeat(7, 39))
    assert_allclose(graph, whole, atol=1e-14 * np.abs(whole).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("label", "message"),
    [("a", "when domains are aligned"), ("c", "features of domain 'c' overflow")],
)
def test_rows_that_overflow_when_moved_are_refused(label, message, dtype):
    table = np.random.default_rng(0).normal(size=(60, 4), scale=0.1).astype(dtype)
    table[::2] *= np.array([2, 3, 1, 4], dtype)
    site = np.where(np.arange(60) % 2, "a", "b")
    model = LEGOFusionTransformer(2, relation="cosine", unseen_domains="batch")
    model.fit(table, np.arange(60) % 3, sample_domain=site)
    large = np.full((2, 4), np.finfo(dtype).max / 2, dtype)
    large[1] *= -1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=message):
            model.transform(large, sample_domain=np.array([label] * 2))


@pytest.mark.parametrize("told", ["column", "labels"])
def test_measurements_are_hardly_domains(told):
    """A column of another kind, given for that of domains, is a domain in each row."""
    lone = np.linspace(0, 1, 40)
    if told == "column":
        fit = make(domain_column=9).fit, (np.column_stack([X, lone]), Y), {}
    else:
        fit = make().fit, (X, Y), {"sample_domain": lone}
    with pytest.warns(UserWarning, match="Each of 40 rows is a domain of its own"):
        fit[0](*fit[1], **fit[2])
    lone[1] = lone[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make().fit(X, Y, sample_domain=lone)
        make().fit(X[:9], Y[:9], sample_domain=np.arange(9))


@pytest.mark.parametrize("kind", ["M8[D]", "M8[us]", "M8[ns]", "m8[ns]"])
def test_dates_are_labels_like_others(kind):
    """In any unit, at fit and later; those of nanoseconds are ints to `tolist`."""
    south = (SITES == "south").astype(int)
    given = np.array([18262, 18628]).astype("m8[D]" if kind[0] == "m" else "M8[D]").astype(kind)
    options = {"domains": "per-domain", "n_landmarks": 12}
    expected = make(**options).fit(X, Y, sample_domain=SITES).transform(X, sample_domain=SITES)
    model = make(**options).fit(X, Y, sample_domain=given[south])
    day = given.astype(f"{kind[0]}8[h]")[south]  # the same times in another unit
    for labels in (given[south], pd.Series(given[south]), day):
        assert_array_equal(model.transform(X, sample_domain=labels), expected)
    assert all(isinstance(label, str) for label in model.domains_)
    units = LEGOAnomalyClassifier(VIEWS, pooling="units", n_references=10, random_state=0)
    found = [
        units.fit(X, Y, sample_domain=labels).predict_proba(X, sample_domain=others)
        for labels, others in [(given[south], day), (day, given[south])]
    ]
    assert_array_equal(*found)


DAYS = np.array(["2020-01-01", "2021-02-02", "2022-03-03"], "M8[ns]")


@pytest.mark.parametrize("coarse", ["M8[D]", "M8[s]", "M8[us]", "m8[h]", "m8[ms]"])
def test_times_of_numpy_are_those_of_python(coarse):
    kind = "M8[us]" if coarse[0] == "M" else "m8[us]"
    times = DAYS.astype("M8[D]").astype(int).astype(f"{coarse[0]}8[D]").astype(coarse)
    expected = check_domains(times, 3)
    assert len(set(expected)) == 3
    for other in (times.tolist(), times.astype(kind).tolist(), list(pd.Series(times))):
        assert_array_equal(check_domains(other, 3), expected)


def test_a_time_is_spelled_alike_whatever_stands_beside_it():
    odd = DAYS + np.array([0, 1, 0]).astype("m8[ns]")
    found = check_domains(odd, 3)
    assert len(set(found)) == 3
    assert_array_equal(check_domains(odd[[0, 2]], 2), found[[0, 2]])
    assert_array_equal(check_domains(pd.Series(odd), 3), found)
    assert_array_equal(check_domains(list(pd.Series(odd)), 3), found)
    for unit in "YM":
        months = np.array([12, 24]).astype("m8[M]").astype(f"m8[{unit}]")
        assert check_domains(months, 2).tolist() == ["12 months", "24 months"]


TWICE = pd.to_datetime(["2020-10-25T00:30Z", "2020-10-25T01:30Z"]).tz_convert("Europe/Berlin")


def test_times_with_a_zone_are_instants():
    """Of any zone and library; a clock in Berlin showed half past two twice on that day."""
    of_pandas = pd.Series(TWICE)
    expected = check_domains(of_pandas, 2).tolist()
    assert expected == ["2020-10-25T00:30:00+00:00", "2020-10-25T01:30:00+00:00"]
    of_polars = pl.from_pandas(of_pandas)
    assert of_polars.dtype.time_zone == "Europe/Berlin"
    forms = [of_pandas.dt.tz_convert("UTC"), of_pandas.dt.tz_convert("Asia/Kolkata")]
    forms += [of_pandas.astype(object), [time.to_pydatetime() for time in TWICE], of_polars]
    forms += [of_polars.dt.convert_time_zone("UTC"), of_polars.dt.cast_time_unit("ns")]
    forms.append(of_polars.to_arrow().dictionary_encode())
    for form in [*forms, of_polars.to_list(), of_polars.to_arrow()]:
        assert check_domains(form, 2).tolist() == expected
    wall = of_polars.dt.replace_time_zone(None)  # what a clock shows is no instant
    assert check_domains(wall, 2).tolist() == ["2020-10-25T02:30:00"] * 2
    small = of_pandas + pd.Timedelta(1, "ns")
    assert set(check_domains(small, 2)).isdisjoint(expected)


def test_a_domain_column_of_times_with_a_zone():
    table = pd.DataFrame(X, columns=list("abcdefghi"))
    table["when"] = TWICE[(SITES == "south").astype(int)]
    model = make(domain_column="when").fit(table, Y)
    assert_array_equal(model.transform(pl.from_pandas(table)), model.transform(table))


DATES = [DAYS[:2].astype("M8[D]").tolist(), list(pd.Series(DAYS[:2])), list(DAYS[:2])]


@pytest.mark.parametrize("keys", DATES)
def test_views_by_dates(keys):
    own = {key: {"a": part} for key, part in zip(keys, ([0, 1], [2, 3, 4]), strict=True)}
    model = LEGOAnomalyClassifier(own, pooling="units", n_references=10, random_state=0)
    site = (SITES == "south").astype(int)
    bags, expected = list(X[:, None]), None
    for labels in (DAYS[site], [keys[k] for k in site], pd.array(keys, object)[site].to_numpy()):
        scores = model.fit(bags, Y, sample_domain=labels).predict_proba(bags, sample_domain=labels)
        expected = scores if expected is None else expected
        assert_array_equal(scores, expected)


def test_a_domain_has_views_once():
    day = DAYS[0].astype("M8[D]")
    own = {label: {"a": [0, 1]} for label in (day.tolist(), day.astype("M8[s]").tolist())}
    with pytest.raises(ValueError, match="several entries for one domain, '2020-01-01T00:00:00'"):
        LEGOAnomalyClassifier(own).fit(list(X[:, None]), Y, sample_domain=DAYS[[0] * 40])


def test_sequences_are_no_domains():
    pairs = pd.Series([("site", k % 2) for k in range(40)])
    arrays = pd.Series([np.array([k % 2]) for k in range(40)])
    for model in (make(), LEGOAnomalyClassifier(VIEWS)):
        for labels in (pairs, arrays):
            with pytest.raises(
                ValueError, match="sample_domain holds sequences: give one label a "
            ):
                model.fit(X, Y, sample_domain=labels)


@pytest.mark.parametrize(
    "labels",
    [[{1}, {2}, {1}], [frozenset([k % 2]) for k in range(3)], [{}] * 3, [np.arange(2)] * 3],
)
def test_labels_without_an_order_are_told(labels):
    """Sets are equal or contained, but not in an order: equal ones would not meet when sorted."""
    labels, message = pd.Series(labels), f"of type {type(labels[0]).__name__}, which cannot be"
    with pytest.raises(ValueError, match=message):
        check_domains(labels, 3)
    with pytest.raises(ValueError, match=message):
        to_bags(X[:3], labels)
