"""Contributions, importances and agreement: shares add up and agree with what fit says."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer, PerUnit
from legofuse.datasets import make_digit_bags, make_views
from legofuse.inspection import (
    DomainShift,
    Explanation,
    MissingViewCurve,
    PermutationImportance,
    ViewAgreement,
    ViewImportances,
    missing_view_curve,
    permutation_importance,
    term_contributions,
    view_agreement,
    view_importances,
)
from legofuse.relations import cosine

X, y = load_wine(return_X_y=True)
VIEWS = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
RELATION = {"minerals": "rbf", "phenols": "correlation", "colour": "rbf"}
RNG = np.random.default_rng(0)
MISSING = X.copy()
MISSING[:40, VIEWS["phenols"]] = np.nan
MISSING[30:60, VIEWS["colour"]] = np.nan


def fitted(X=X, views=VIEWS, relation=RELATION, **parameters):
    options = {"relation": relation, "max_iter": 10} | parameters
    return LEGOFusionTransformer(views, **options).fit(X, y)


@pytest.mark.parametrize("data", [X, MISSING], ids=["complete", "missing"])
@pytest.mark.parametrize("interactions", ["total", "pairwise", "additive", "separable"])
def test_shares_are_those_of_the_view_importances(interactions, data):
    model = fitted(data, interactions=interactions)
    found = term_contributions(model, data)
    assert_allclose(found.shares.sum(), 1)
    assert_allclose(found.view_shares, list(model.view_importances_.values()), rtol=1e-6)
    assert found.terms == model.terms_ or interactions == "separable"
    assert found.loo_score is None
    assert found.loo_lost is None


@pytest.mark.parametrize("data", [X, MISSING], ids=["complete", "missing"])
def test_the_leave_one_out_score_is_that_of_the_fit(data):
    model = fitted(data)
    found = term_contributions(model, data, y)
    assert_allclose(found.loo_score, model.loo_score_, rtol=1e-8)
    assert np.isfinite(found.loo_lost).all()


@pytest.mark.parametrize("data", [X, MISSING], ids=["complete", "missing"])
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_weights_of_the_fit_are_weights_of_the_look(data, size):
    weight = size * np.random.default_rng(0).uniform(0.2, 3, size=len(y))
    model = LEGOFusionTransformer(VIEWS, relation=RELATION, max_iter=10)
    model.fit(data, y, sample_weight=weight)
    found = term_contributions(model, data, y, sample_weight=weight)
    assert_allclose(found.loo_score, model.loo_score_, rtol=1e-6)
    assert_allclose(found.view_shares, list(model.view_importances_.values()), rtol=1e-6)


@pytest.mark.parametrize("weights", ["loo", "alignment"])  # a ridge of 1, and one that is chosen
def test_a_weight_is_a_repeated_row(weights):
    counts = np.random.default_rng(0).integers(0, 4, size=len(y))
    rows, model = np.repeat(np.arange(len(y)), counts), fitted(weights=weights)
    repeated = term_contributions(model, X[rows], y[rows])
    weighed = term_contributions(model, X, y, sample_weight=counts)
    for name in ("shares", "view_shares", "loo_score", "loo_lost", "view_loo_lost"):
        assert_allclose(getattr(weighed, name), getattr(repeated, name), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-np.ones(len(y)), "Negative"),
        (np.ones(3), "sample_weight"),
        (np.r_[1.0, 1.0, np.zeros(len(y) - 2)], "at least 3 rows .* weight above 0; got 2"),
    ],
)
def test_weights_that_are_none(weight, message):
    with pytest.raises(ValueError, match=message):
        term_contributions(fitted(), X, y, sample_weight=weight)


def test_views_are_missing_in_sparse_tables_too():
    found = term_contributions(fitted(sp.csr_array(MISSING)), sp.csr_array(MISSING), y)
    expected = term_contributions(fitted(MISSING), MISSING, y)
    assert_allclose(found.loo_score, expected.loo_score, rtol=1e-8)


def test_a_column_of_classes_is_read_as_by_fit():
    model = LEGOFusionTransformer(VIEWS, relation="rbf", max_iter=10).fit(X, y[:, None])
    found = term_contributions(model, X, y[:, None])
    assert_allclose(found.loo_score, model.loo_score_, rtol=1e-8)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (y[:-1], r"one value for each of 178 rows; got shape \(177,\)"),
        (np.where(y == 0, np.nan, y), r"y contains NaN or infinity \(first: row 0\)"),
        (np.where(y == 1, None, "a"), r"y contains missing labels \(first: row 59\)"),
        (np.array([0, "a"] * 89, object), "y mixes labels of types that cannot be sorted"),
        (np.zeros(len(y), int), "y is the same in all rows"),
    ],
)
def test_targets_that_tell_nothing(target, message):
    with pytest.raises(ValueError, match=message):
        term_contributions(fitted(), X, target)


def test_rows_that_are_looked_at_may_all_be_of_one_class():
    rare = np.append(1, np.zeros(len(X) - 1, int))
    for options in ({"max_samples": 20, "random_state": 0}, {"sample_weight": 1 - rare}):
        with pytest.raises(ValueError, match=r"y is the same in all \d+ rows that are looked at"):
            term_contributions(fitted(), X, rare, **options)


def test_what_is_not_fitted_and_rows_of_another_width():
    model = LEGOFusionTransformer(VIEWS, relation="rbf")
    pipe = make_pipeline(model, RidgeClassifier())
    curves = permutation_importance, missing_view_curve
    for look in (term_contributions, view_importances, view_agreement, *curves):
        for estimator in (model, pipe):
            with pytest.raises(NotFittedError):
                look(estimator, X, **({"y": y} if look in curves else {}))
    for look in (term_contributions, view_importances, view_agreement):
        with pytest.raises(ValueError, match="X has 3 features, but LEGOFusionTransformer is expe"):
            look(fitted(), X[:, :3])
    with pytest.raises(ValueError, match="one value for each of 178 rows"):
        missing_view_curve(pipe.fit(X, y), X, y[:-1])


def test_real_targets_too():
    model = LEGOFusionTransformer(VIEWS, relation="rbf", max_iter=10).fit(X, X[:, 12])
    found = term_contributions(model, X, X[:, 12])
    assert_allclose(found.loo_score, model.loo_score_, rtol=1e-8)


def test_a_view_that_tells_all_is_missed_and_noise_is_not():
    signal = np.eye(3)[y] + 0.3 * RNG.normal(size=(len(y), 3))
    noise = RNG.normal(size=(len(y), 5))
    model = fitted(np.hstack([signal, noise]), {"signal": slice(0, 3), "noise": slice(3, 8)}, "rbf")
    found = term_contributions(model, np.hstack([signal, noise]), y)
    lost = dict(zip(found.views, found.view_loo_lost, strict=True))
    assert lost["signal"] > 0.5 > 0.1 > abs(lost["noise"])


def test_an_only_view_has_no_fall():
    model = LEGOFusionTransformer({"all": slice(0, 13)}, relation="rbf").fit(X, y)
    assert np.isnan(term_contributions(model, X, y).view_loo_lost).all()


@pytest.mark.parametrize("rest", [None, 1e-12], ids=["learned", "nearly all in one term"])
def test_without_a_term_is_the_score_of_the_rest(rest):
    """Leave-one-out done literally, on the kernel of the terms that are left."""
    rows = np.arange(0, len(X), 6)
    weights = "loo" if rest is None else [10.0, rest, rest]
    options = {"relation": "rbf", "degree": 1, "weights": weights}
    model = LEGOFusionTransformer(VIEWS, **options).fit(X[rows], y[rows])
    model.ridge_ = 1.0
    found = term_contributions(model, X[rows], y[rows])
    graphs = list(model.relation_graphs(X[rows], X[rows]).values())
    weights = model.weights_ * [0, 1, 1]
    weights *= model.weights_.sum() / weights.sum()
    kernel = sum(w * g for w, g in zip(weights, graphs, strict=True))
    targets = np.eye(3)[y[rows]]
    errors = []
    for i in range(len(rows)):
        kept = np.arange(len(rows)) != i
        system = np.block(
            [
                [kernel[np.ix_(kept, kept)] + np.eye(kept.sum()), np.ones((kept.sum(), 1))],
                [np.ones((1, kept.sum())), np.zeros((1, 1))],
            ]
        )
        solution = np.linalg.solve(system, np.vstack([targets[kept], np.zeros((1, 3))]))
        errors.append(targets[i] - kernel[i, kept] @ solution[:-1] - solution[-1])
    score = 1 - np.sum(np.square(errors)) / ((targets - targets.mean(axis=0)) ** 2).sum()
    assert_allclose(found.loo_lost[0], found.loo_score - score, rtol=1e-6)


def test_a_separable_fusion_is_multiplied_out():
    model = fitted(interactions="separable")
    found = term_contributions(model, X, y)
    assert len(found.terms) == 3**3 - 1
    assert "minerals^2 * phenols * colour" in found.terms
    assert_allclose(found.loo_score, model.loo_score_, rtol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"expansion": "hops", "output": "relations"}, "expansion='hops'"),
        ({"zeroth": "identity", "interactions": "pairwise"}, "zeroth='identity'"),
        ({"interactions": "separable", "degree": 30}, "above the limit"),
    ],
)
def test_what_cannot_be_taken_apart_says_so(parameters, message):
    with pytest.raises(ValueError, match=message):
        term_contributions(fitted(**parameters), X)


def test_pipelines_and_domains():
    fusion = LEGOFusionTransformer(VIEWS, relation="correlation", max_iter=10)
    pipe = make_pipeline(StandardScaler(), fusion, RidgeClassifier())
    pipe.fit(X, y)
    inside = term_contributions(pipe[1], pipe[0].transform(X), y)
    assert_allclose(term_contributions(pipe, X, y).shares, inside.shares)
    domain = np.where(np.arange(len(X)) % 2, "one", "two")
    model = LEGOFusionTransformer(VIEWS, relation="rbf", max_iter=10).fit(
        X, y, sample_domain=domain
    )
    found = term_contributions(model, X, y, sample_domain=domain)
    assert_allclose(found.loo_score, model.loo_score_, rtol=1e-6)
    with pytest.raises(ValueError, match="sample_domain"):
        term_contributions(model, X, y)
    with pytest.raises(TypeError, match="Pipeline with one"):
        term_contributions(RidgeClassifier().fit(X, y), X)


def test_other_criteria_find_their_ridge():
    found = term_contributions(fitted(weights="alignment"), X, y)
    assert 0.5 < found.loo_score <= 1


def test_rows_are_drawn_where_there_are_many():
    model = fitted()
    few = term_contributions(model, X, y, max_samples=40, random_state=0)
    again = term_contributions(model, X, y, max_samples=40, random_state=0)
    assert_allclose(few.shares, again.shares)
    assert_allclose(few.shares, term_contributions(model, X).shares, atol=0.1)


def test_intervals_hold_the_importances():
    found = view_importances(fitted(), X, random_state=0, n_bootstrap=50)
    assert found.samples.shape == (50, 3)
    assert_allclose(found.samples.sum(axis=1), 1)
    assert (found.low <= found.importances).all()
    assert (found.importances <= found.high).all()
    assert (found.high - found.low < 0.2).all()
    narrow = view_importances(fitted(), X, random_state=0, n_bootstrap=50, level=0.5)
    assert (narrow.high - narrow.low < found.high - found.low).all()


def test_views_that_do_not_vary_count_alike():
    constant = np.ones((20, 4))
    model = LEGOFusionTransformer({"a": [0, 1], "b": [2, 3]}).fit(constant, np.arange(20) % 2)
    found = view_importances(model, constant, n_bootstrap=3, random_state=0)
    assert model.view_importances_ == {"a": 0.5, "b": 0.5}
    np.testing.assert_array_equal(found.samples, np.full((3, 2), 0.5))


def test_bootstrap_weights_are_repeated_rows():
    """The weighed norm is that of the graph with rows repeated."""
    model, counts = fitted(degree=1), np.zeros(len(X))

    class Draws(np.random.RandomState):
        def multinomial(self, n, shares, size):
            drawn = super().multinomial(n, shares, size=size)
            counts[:] = drawn[0]
            return drawn

    found = view_importances(model, X, random_state=Draws(0), n_bootstrap=2)
    rows = np.repeat(np.arange(len(X)), counts.astype(int))
    repeated = term_contributions(model, X[rows])
    assert_allclose(found.samples[0], repeated.view_shares, rtol=1e-8)


def test_with_y_the_fit_is_repeated():
    model = LEGOFusionTransformer(VIEWS, relation="rbf", degree=1, max_iter=5).fit(X, y)
    found = view_importances(model, X, y, n_bootstrap=4, random_state=0)
    assert len(np.unique(found.samples.round(8), axis=0)) == 4
    assert model.loo_score_ is not None


@pytest.mark.parametrize("verbose", [0, 1])
def test_fits_of_a_verbose_estimator_are_counted(verbose, capsys):
    model = LEGOFusionTransformer(VIEWS, relation="rbf", degree=1, weights="uniform").fit(X, y)
    model.set_params(verbose=verbose)
    view_importances(model, X, y, n_bootstrap=3, random_state=0)
    lines = capsys.readouterr().out.splitlines()
    counts = [line for line in lines if line.startswith("[view_importances]")]
    assert counts == [f"[view_importances] {k}/3 fits" for k in (1, 2, 3)] * verbose
    assert len(lines) == 5 * len(counts)  # and the four stages of each


def test_bootstrap_samples_hold_a_view_that_few_rows_have():
    table = X[::6].copy()
    table[2:, VIEWS["colour"]] = np.nan
    model = LEGOFusionTransformer(VIEWS, relation="rbf", degree=1, max_iter=2).fit(table, y[::6])
    found = view_importances(model, table, y[::6], n_bootstrap=12, random_state=0)
    assert len(found.samples) == 12


def test_agreement_of_a_view_with_itself_and_with_noise():
    data = np.hstack([X[:, :5], X[:, :5], RNG.normal(size=(len(X), 5))])
    views = {"a": slice(0, 5), "again": slice(5, 10), "noise": slice(10, 15)}
    for relation in ("rbf", "auto"):
        model = fitted(data, views, relation, weights="uniform")
        found = view_agreement(model, data)
        assert found.names == ["a", "again", "noise"]
        assert_allclose(np.diag(found.cosines), 1)
        assert_allclose(found.cosines, found.cosines.T)
        assert_allclose(found.cosines[0, 1], 1)
        assert found.cosines[0, 2] < 0.5
    graphs = view_agreement(model, data, by="graph")
    assert len(graphs.names) == len(model.graphs_)


def test_agreement_of_unrelated_views_is_about_0_however_many_features_they_have():
    noise = RNG.normal(size=(len(y), 900))
    data = np.hstack([noise, noise[:, :300] + RNG.normal(size=(len(y), 300))])
    views = {
        name: slice(300 * k, 300 * k + 300) for k, name in enumerate(["a", "b", "c", "like a"])
    }
    for relation in ("correlation", "auto"):
        cosines = view_agreement(fitted(data, views, relation, weights="uniform"), data).cosines
        assert np.abs(cosines[np.triu_indices(3, 1)]).max() < 0.1
        assert cosines[0, 3] > 0.3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agreement_with_a_graph_that_does_not_vary_is_nan(dtype):
    data = np.hstack([np.eye(len(y)), RNG.normal(size=(len(y), 4))]).astype(dtype)
    views = {"alone": slice(0, len(y)), "some": slice(len(y), len(y) + 4)}
    cosines = view_agreement(fitted(data, views, "cosine", weights="uniform"), data).cosines
    assert np.isnan(cosines[0]).all()
    assert cosines[1, 1] == pytest.approx(1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agreement_knows_constant_graphs_in_any_precision(dtype):
    line = RNG.uniform(0.5, 2, size=(len(y), 1)) * RNG.normal(size=7)  # of cosine 1, but for noise
    data = np.hstack([line, X[:, :5]]).astype(dtype)
    views, either = {"line": slice(0, 7), "some": slice(7, 12)}, {"weights": "uniform"}
    found = view_agreement(fitted(data, views, "cosine", **either), data)
    np.testing.assert_array_equal(np.isnan(found.cosines), [[True, True], [True, False]])
    model = fitted(data, views, "auto", **either)
    found = view_agreement(model, data, by="graph")
    constant = np.isnan(np.diag(found.cosines))
    assert constant[found.names.index("line[cosine]")]
    assert not constant[found.names.index("line[gaussian]")]
    assert np.isfinite(view_agreement(model, data).cosines).all()  # by the other relations


def test_agreement_of_a_view_called_as_a_graph_is_not_lost():
    pytest.importorskip("pandas")
    views = {"a": slice(0, 5), "a[cosine]": slice(5, 9)}
    model = fitted(views=views, relation={"a": "auto", "a[cosine]": "rbf"}, weights="uniform")
    found = view_agreement(model, X, by="graph")
    frame = found.to_frame()
    np.testing.assert_array_equal(frame.to_numpy(), found.cosines)
    assert list(frame.columns) == [*found.names[:-1], "a[cosine] (view)"]


def test_agreement_is_the_unbiased_estimate():
    model = fitted(relation="cosine", weights="uniform")
    R, S = (cosine(X[:9, VIEWS[name]], X[:9, VIEWS[name]]) for name in ("minerals", "phenols"))
    found = view_agreement(model, X[:9]).cosines[0, 1]

    def dependence(K, L):  # Song et al. 2012, up to a factor
        n, (K, L) = 9, (K - np.diag(np.diag(K)), L - np.diag(np.diag(L)))
        of_sums = K.sum() * L.sum() / ((n - 1) * (n - 2)) - 2 * K.sum(0) @ L.sum(0) / (n - 2)
        return np.sum(K * L) + of_sums

    literal = dependence(R, S) / np.sqrt(dependence(R, R) * dependence(S, S))
    assert found == pytest.approx(literal, abs=1e-6)


@pytest.mark.parametrize("look", [view_agreement, view_importances, term_contributions])
def test_fewer_rows_than_three_cannot_be_related(look):
    for most in (2, 0, -1):
        with pytest.raises(ValueError, match=f"max_samples must be at least 3; got {most}"):
            look(fitted(), X, max_samples=most)
    assert look(fitted(), X, max_samples=3, random_state=0) is not None


def test_agreement_is_on_the_rows_that_both_views_have():
    data = X.copy()
    data[:90, VIEWS["phenols"]] = np.nan
    data[90:, VIEWS["colour"]] = np.nan
    data[:50, VIEWS["minerals"]] = np.nan
    model = fitted(data)
    cosines = view_agreement(model, data).cosines
    assert np.isnan(cosines[1, 2])
    alone = view_agreement(model, data[90:]).cosines
    assert_allclose(cosines[0, 1], alone[0, 1])
    with pytest.raises(ValueError, match="'view' or 'graph'"):
        view_agreement(model, data, by="term")


def test_frames():
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame(X, columns=[f"c{i}" for i in range(13)])
    model = fitted(data)
    frame = term_contributions(model, data, y).to_frame()
    assert list(frame.columns) == ["weight", "share", "loo_lost"]
    assert frame["share"].is_monotonic_decreasing
    assert list(term_contributions(model, data).to_frame("views").index) == list(VIEWS)
    with pytest.raises(ValueError, match="of must be 'terms' or 'views'; got 'view'"):
        term_contributions(model, data).to_frame("view")
    assert list(view_agreement(model, data).to_frame().columns) == list(VIEWS)
    assert list(view_importances(model, data, n_bootstrap=5).to_frame().index) == list(VIEWS)


def test_a_view_without_a_name_is_printed_beside_the_names():
    found = view_agreement(fitted(), X)
    shown = repr(found._replace(names=["", *found.names[1:]])).splitlines()
    assert len(shown) == 2 + len(found.names)
    assert shown[1].split() == ["(view)", *found.names[1:]]


def test_polars():
    pl = pytest.importorskip("polars")
    data = pl.DataFrame(MISSING, schema=[f"c{i}" for i in range(13)])
    model = fitted(data)
    assert_allclose(
        term_contributions(model, data).shares, term_contributions(fitted(MISSING), MISSING).shares
    )


@pytest.mark.parametrize(
    ("parameters", "message"), [({"level": 1.0}, "level"), ({"n_bootstrap": 1}, "n_bootstrap")]
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        view_importances(fitted(), X, **parameters)


def test_the_classifier_of_bags():
    data = make_digit_bags(30, 4, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, relation="correlation", n_references=20, random_state=0)
    model.fit(data.bags, data.y)
    with pytest.raises(ValueError, match="y is needed"):
        view_importances(model, data.bags)
    if hasattr(model, "view_importances_"):
        found = view_importances(model, data.bags, data.y, n_bootstrap=2, random_state=0)
        assert found.samples.shape == (2, 2)


def test_weights_below_nought_have_shares_too():
    model = fitted(weights=-np.ones(9), nonnegative=False, output="relations")
    found = term_contributions(model, X)
    assert_allclose(found.view_shares, list(model.view_importances_.values()), rtol=1e-6)
    assert np.isfinite(view_importances(model, X, n_bootstrap=3).samples).all()


def test_contributions_print_the_largest_terms_and_all_views():
    model = fitted()
    found = term_contributions(model, X, y)
    heading, *rows = str(found).splitlines()
    assert (
        heading
        == f"TermContributions: 9 terms of 3 views, leave-one-out score {found.loo_score:.3g}"
    )
    assert rows[0].split() == ["term", "weight", "share", "loo_lost"]
    order = np.argsort(-found.shares, kind="stable")
    for k, row in zip(order[:8], rows[1:9], strict=True):
        numbers = (found.weights[k], found.shares[k], found.loo_lost[k])
        assert row.split("  ")[0] == found.terms[k]
        assert row.split()[-3:] == [f"{number:.3g}" for number in numbers]
    assert rows[9] == "... 1 more"
    assert rows[10].split() == ["view", "share", "loo_lost"]
    assert [row.split()[0] for row in rows[11:]] == list(VIEWS)
    without = str(term_contributions(model, X))
    assert "loo_lost" not in without
    assert "score" not in without
    weights, shares = found[1:3]  # a tuple, as before
    assert weights is found.weights
    assert shares is found.shares


def test_results_print_in_a_few_lines():
    signal = np.arange(40.0).reshape(20, 2)
    views = ["first", "a name of many letters, more than fit beside others"]
    mean, table, many = signal[0], np.eye(2), [f"graph {k}" for k in range(12)]
    found = {
        "bootstrap samples": ViewImportances(views, mean, mean, mean, signal),
        "cosines": ViewAgreement(views, table),
        "... 4 more": ViewAgreement(many, np.eye(12)),
        "curve 0.75": DomainShift(0.75, ["north", "south"], {"north": 0.5, "south": 1.0}),
        "score 0.9 with nothing": PermutationImportance(views, mean, mean, table, "score", 0.9),
        "of 2 repeats": MissingViewCurve(mean, table),
        "views and 5 landmarks": Explanation(
            signal[:, 0], signal[:, 1], views, signal, np.arange(5), np.zeros((20, 2, 5))
        ),
        "parts by 2 views\n": Explanation(signal[:, 0], signal[:, 1], views, signal),
    }
    for words, result in found.items():
        text = repr(result)
        assert text.startswith(type(result).__name__ + ": ")
        assert words in text
        assert len(text.splitlines()) <= 11
        assert max(map(len, text.splitlines())) <= 120
    assert "south     1" in repr(found["curve 0.75"])
    assert "graph 6  ..." in repr(found["... 4 more"])  # names and seven columns
    assert "... 12 more" in repr(found["of 2 repeats"]._replace(shares=signal[:, 0], scores=signal))
    assert text.splitlines()[2].split() == ["0", "0", "1", "0", "1"]


def test_the_sign_of_a_fused_graph_is_kept_where_a_term_goes():
    """Weights that sum below nought, and above without one of them: there is nothing to scale."""
    options = {"relation": "correlation", "degree": 1, "output": "relations", "nonnegative": False}
    views = {"minerals": slice(0, 5), "phenols": slice(5, 9)}
    both = fitted(X[:, :9], views, weights=[1.0, -3.0], **options)
    one = fitted(X[:, :5], {"minerals": slice(0, 5)}, weights=[1.0], **options)
    both.ridge_ = one.ridge_ = 1.0
    found = term_contributions(both, X[:, :9], y)
    alone = term_contributions(one, X[:, :5], y).loo_score
    assert_allclose(found.loo_score - found.loo_lost[1], alone)
    assert_allclose(found.loo_score - found.view_loo_lost[1], alone)


@pytest.mark.parametrize("factor", [2.0**600, 2.0**-600])
def test_the_unit_of_y_does_not_matter(factor):
    target = X[:, 0] - X[:, 6]
    model = LEGOFusionTransformer(VIEWS, relation="cosine", weights="uniform").fit(X)
    expected = term_contributions(model, X, target)
    found = term_contributions(model, X, factor * target)
    assert_allclose(found.loo_score, expected.loo_score)
    assert_allclose(found.loo_lost, expected.loo_lost, atol=1e-12)


def test_contributions_where_weights_round_the_ridge_away():
    given = np.full(9, 1e150)
    given[::2] *= -1
    model = LEGOFusionTransformer(
        VIEWS, relation="cosine", weights=given, nonnegative=False, output="relations"
    ).fit(np.vstack([X[:40], X[:40]]))
    found = term_contributions(model, X[:60], y[:60] + 0.0)
    assert np.isfinite(found.shares).all()


def test_repeated_rows_of_bootstrap_samples_do_not_fit_noise():
    data = make_views(120, random_state=0)
    model = LEGOFusionTransformer(data.views).fit(data.X, data.y)
    found = view_importances(model, data.X, data.y, n_bootstrap=4, random_state=0)
    assert found.samples[:, found.views.index("noise0")].mean() < 0.12


@pytest.mark.parametrize("alone", [True, False])
def test_a_classifier_of_bags_is_told_what_to_use(alone):
    data = make_digit_bags(12, 3, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=10, relation="rbf", random_state=0)
    whole = model if alone else make_pipeline(PerUnit(StandardScaler()), model)
    whole.fit(data.bags, data.y)
    message = "LEGOAnomalyClassifier, a" if alone else "Pipeline with a"
    message += " classifier of bags: explain takes .*view_importances and permutation_importance"
    message += r".* draws the weights_ of its terms_\.$"
    for look in (term_contributions, view_agreement):
        with pytest.raises(TypeError, match=message):
            look(whole, data.bags)
    found = view_importances(whole, data.bags, data.y, n_bootstrap=2, random_state=0)
    bags = data.bags if alone else whole[:-1].transform(data.bags)
    expected = view_importances(model, bags, data.y, n_bootstrap=2, random_state=0)
    assert_allclose(found.samples, expected.samples)
