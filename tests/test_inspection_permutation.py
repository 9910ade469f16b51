"""Permutation importance of views."""

from copy import deepcopy

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeCV
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer, PerUnit
from legofuse.datasets import make_digit_bags
from legofuse.inspection import MissingViewCurve, missing_view_curve, permutation_importance

X, y = load_wine(return_X_y=True)
VIEWS = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}


def test_a_view_that_the_model_does_not_use_has_importance_nought():
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    model[1].coef_[:, VIEWS["phenols"]] = 0
    found = permutation_importance(model, X, y, views=VIEWS, n_repeats=3, random_state=0)
    assert found.importances.shape == (3, 3)
    assert (found.importances[1] == 0).all()
    assert (found.importances_mean[[0, 2]] > 0.05).all()
    assert_allclose(found.score, model.score(X, y))


def test_the_deviation_of_equal_scores_is_nought():
    scores = np.array([[0.1, 0.1, 0.1], [0.1, 0.4, 0.7]])  # the mean of the first is not 0.1
    assert scores[0].std() > 0
    equal, others = MissingViewCurve([0, 0.5], scores)._columns()["std"]
    assert equal == 0
    assert_allclose(others, scores[1].std())


@pytest.mark.parametrize(
    ("model", "scoring", "name"),
    [
        (LogisticRegression(), None, "accuracy"),
        (LogisticRegression(), "neg_log_loss", "neg log loss"),
        (LogisticRegression(), make_scorer(f1_score, average="macro"), "f1"),
        (LogisticRegression(), get_scorer("neg_log_loss"), "neg log loss"),
        (LogisticRegression(), lambda model, X, y: 0.5, "score"),
        (LogisticRegression(), "r2", "R²"),
        (RidgeCV(scoring="neg_mean_absolute_error"), None, "R²"),  # what its own score is
        (GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2), None, "R²"),
        (GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2), "neg_max_error", "neg max error"),
        (
            GridSearchCV(Ridge(), {"alpha": [1.0]}, scoring="neg_max_error", cv=2),
            None,
            "neg max error",
        ),
        (
            GridSearchCV(
                RidgeClassifier(),
                {"alpha": [1.0]},
                scoring=["accuracy", "f1_macro"],
                refit="f1_macro",
                cv=2,
            ),
            None,
            "f1 macro",
        ),
    ],
)
def test_a_score_is_told_by_name(model, scoring, name):
    scaled = StandardScaler().fit_transform(X)
    for estimator in (model, make_pipeline(StandardScaler(), model)):
        estimator.fit(scaled, y)
        options = {"views": VIEWS, "scoring": scoring, "n_repeats": 1, "random_state": 0}
        found = permutation_importance(estimator, scaled, y, **options)
        assert found.score_name == name
        assert f"PermutationImportance: {name} " in repr(found)


class Spy:
    """An estimator that keeps what it is given to score."""

    def __init__(self, seen):
        self.seen = seen

    def fit(self, X, y):
        return self

    def score(self, X, y):
        self.seen.append(deepcopy(X))
        return 0.0


def test_columns_of_a_view_stay_together():
    seen = []
    permutation_importance(Spy(seen), X, y, views=VIEWS, n_repeats=1, random_state=0)
    for shuffled, columns in zip(seen[1:], VIEWS.values(), strict=True):
        others = np.delete(np.arange(13), np.arange(13)[columns])
        assert_allclose(shuffled[:, others], X[:, others])
        rows = np.lexsort(shuffled[:, columns].T)
        assert_allclose(shuffled[rows][:, columns], X[np.lexsort(X[:, columns].T)][:, columns])
        assert not np.allclose(shuffled, X)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.coo_array])
def test_sparse_columns_in_any_order_are_permuted_as_dense_ones_are(kind):
    views, seen = {"a": [4, 0, 2], "b": [1], "all": list(range(12, -1, -1))}, {}
    for data in (X, kind(X)):
        options = {"views": views, "n_repeats": 1, "random_state": 0}
        permutation_importance(Spy(seen.setdefault(sp.issparse(data), [])), data, y, **options)
    assert len(seen[True]) == 4
    for sparse, dense in zip(seen[True], seen[False], strict=True):
        np.testing.assert_array_equal(sparse.toarray(), dense)


@pytest.mark.parametrize("form", ["array", "pandas", "polars", "sparse"])
def test_all_forms_of_X_give_the_same(form):
    names = [f"c{i}" for i in range(13)]
    if form == "array":
        data = X
    elif form == "sparse":
        data = sp.csr_matrix(X)
    else:
        module = pytest.importorskip(form)
        data = module.DataFrame(X, **{"columns" if form == "pandas" else "schema": names})
    # learned weights stop at a tolerance: the rounding of sparse rows may turn a prediction
    options = {"relation": "cosine", "weights": "uniform", "n_landmarks": 50, "random_state": 0}
    fusion = LEGOFusionTransformer(VIEWS, **options)
    pipe = make_pipeline(fusion, RidgeClassifier()).fit(data, y)
    found = permutation_importance(pipe, data, y, n_repeats=2, random_state=0)
    plain = make_pipeline(fusion, RidgeClassifier()).fit(X, y)
    expected = permutation_importance(plain, X, y, n_repeats=2, random_state=0)
    assert found.views == list(VIEWS)
    assert_allclose(found.importances, expected.importances)


def test_views_of_bags_are_permuted_over_units():
    data = make_digit_bags(40, 4, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=30, random_state=0).fit(data.bags, data.y)
    found = permutation_importance(model, data.bags, data.y, n_repeats=2, random_state=0)
    assert found.views == ["pixels", "gradients"]
    pd = pytest.importorskip("pandas")
    bags = [pd.DataFrame(bag, columns=[f"c{i}" for i in range(bag.shape[1])]) for bag in data.bags]
    named = {name: [f"c{i}" for i in columns] for name, columns in model.views_.items()}
    model.fit(bags, data.y)
    again = permutation_importance(model, bags, data.y, views=named, n_repeats=2, random_state=0)
    assert_allclose(again.importances, found.importances)
    assert found.importances_mean.max() > 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: permutation_importance(m, X, y), "views must be given"),
        (lambda m: permutation_importance(m, X, y, views=VIEWS, n_repeats=0), "n_repeats"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(LogisticRegression(max_iter=5000).fit(StandardScaler().fit_transform(X), y))


def test_steps_before_the_views_are_passed():
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    pipe = make_pipeline(StandardScaler(), "passthrough", fusion, RidgeClassifier()).fit(X, y)
    inner = pipe[0].transform(X)
    given = {"n_repeats": 2, "random_state": 0}
    found = permutation_importance(pipe, X, y, **given)
    assert found.views == list(VIEWS)
    expected = permutation_importance(pipe[2:], inner, y, **given)
    assert_allclose(found.importances, expected.importances)
    curve = missing_view_curve(pipe, X, y, **given)
    assert_allclose(curve.scores, missing_view_curve(pipe[2:], inner, y, **given).scores)


@pytest.mark.parametrize("scoring", ["neg_log_loss", ["accuracy", "neg_log_loss"]])
def test_a_search_keeps_its_score(scoring):
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    pipe = make_pipeline(StandardScaler(), fusion, LogisticRegression())
    grid = {"logisticregression__C": [1.0]}
    search = GridSearchCV(pipe, grid, cv=2, scoring=scoring, refit="neg_log_loss").fit(X, y)
    found = permutation_importance(search, X, y, n_repeats=1, random_state=0)
    assert_allclose(found.score, search.score(X, y))
    assert found.score < 0


def scores_of_two(estimator, X, y, sample_weight=None):
    score = estimator.score(X, y, sample_weight=sample_weight)
    return {"accuracy": score, "mistakes": score - 1}


def mistakes(*given, **options):
    return scores_of_two(*given, **options)["mistakes"]


@pytest.mark.parametrize("look", [permutation_importance, missing_view_curve])
@pytest.mark.parametrize(("start", "views"), [(0, None), (1, None), (1, VIEWS)])
@pytest.mark.parametrize(
    ("scoring", "refit", "by"),
    [
        (None, True, None),
        ("neg_log_loss", True, "neg_log_loss"),
        (["accuracy", "neg_log_loss"], "neg_log_loss", "neg_log_loss"),
        (scores_of_two, "mistakes", mistakes),
    ],
)
def test_weights_count_in_the_score_of_a_search(look, views, start, scoring, refit, by):
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", weights="uniform", n_landmarks=20)
    pipe = make_pipeline(*[StandardScaler(), fusion, LogisticRegression()][start:])
    grid, table = {"logisticregression__C": [1.0]}, StandardScaler().fit_transform(X)
    search = GridSearchCV(pipe, grid, cv=2, scoring=scoring, refit=refit).fit(table[::2], y[::2])
    options = {"views": views, "n_repeats": 1, "random_state": 0}
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    found = look(search, table, y, sample_weight=weight, **options)
    best = look(search.best_estimator_, table, y, sample_weight=weight, scoring=by, **options)
    assert_allclose(found[-1], best[-1])
    plain = look(search, table, y, **options)
    assert np.any(np.asarray(plain[-1]) != found[-1])
    if look is permutation_importance:
        assert_allclose(plain.score, search.score(table, y))


def test_views_of_a_frame_may_be_named():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"note": np.array(["low", "mid", "high"])[y], "size": X[:, 0]})
    table = make_column_transformer((OneHotEncoder(), ["note"]), ("passthrough", ["size"]))
    model = make_pipeline(table, RidgeClassifier()).fit(frame, y)
    views = {"words": ["note"], "numbers": ["size"]}
    found = permutation_importance(model, frame, y, views=views, n_repeats=2, random_state=0)
    assert found.importances_mean[0] > 0.4 > found.importances_mean[1]
    with pytest.raises(ValueError, match=r"view 'a': unknown column 'sise'; .* names are 'size'"):
        permutation_importance(model, frame, y, views={"a": ["sise"]})
    with pytest.raises(ValueError, match=r"X has no column names .*; fit on a frame, or give ints"):
        permutation_importance(model, X, y, views={"a": ["size"]})


@pytest.mark.parametrize("look", [permutation_importance, missing_view_curve])
@pytest.mark.parametrize("form", ["table", "bags"])
def test_views_are_given_as_to_the_estimators(look, form):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=[f"c{k}" for k in range(13)])
    data = frame if form == "table" else [frame[k : k + 2] for k in range(0, len(X), 2)]
    targets = y if form == "table" else y[::2]

    def seen(views):
        found = []
        look(Spy(found), data, targets, views=views, n_repeats=1, random_state=0)
        return found if form == "table" else [pd.concat(bags) for bags in found]

    expected = seen({"a": [3], "b": [4, 5, 6], "c": list(range(7, 13))})
    given = {"a": 3, "b": slice("c4", "c6"), "c": np.arange(13) > 6}
    for views in (given, list((given | {"a": "c3"}).items()), given | {"a": lambda _: [-10]}):
        for one, other in zip(seen(views), expected, strict=True):
            pd.testing.assert_frame_equal(one, other)
    runs = {f"view{k}": run for k, run in enumerate(np.array_split(np.arange(13), 3))}
    for one, other in zip(seen(3), seen(runs), strict=True):
        pd.testing.assert_frame_equal(one, other)
    for views, error, message in (
        ({"a": 13, "b": 0}, ValueError, "view 'a': column 13 does not exist; X has 13 columns"),
        ({"a": 1.5, "b": 0}, TypeError, "view 'a': columns must be names, ints, a slice"),
        ("ab", TypeError, "views must be None, an int, a dict"),
        (14, ValueError, "views=14 asks for 14 views, but X has only n_features = 13 columns"),
    ):
        with pytest.raises(error, match=message):
            seen(views)


SITES = np.array(["north", "south"])[(np.arange(len(X)) % 3 == 0).astype(int)]
APART = X + 100 * (SITES == "south")[:, None]
BOTH = pytest.mark.parametrize("look", [permutation_importance, missing_view_curve])


def fitted_with_sites(**options):
    options = {"relation": "correlation", "weights": "uniform", "n_landmarks": 50} | options
    return LEGOFusionTransformer(VIEWS, domain_alignment=1, random_state=0, **options)


def test_views_are_permuted_within_domains():
    seen, options = [], {"views": VIEWS, "n_repeats": 1, "random_state": 0}
    permutation_importance(Spy(seen), APART, y, sample_domain=SITES, **options)
    for shuffled, columns in zip(seen[1:], VIEWS.values(), strict=True):
        assert not np.array_equal(shuffled, APART)
        for site in np.unique(SITES):
            found, given = shuffled[site == SITES], APART[site == SITES]
            assert_array_equal(np.sort(found[:, columns][:, 0]), np.sort(given[:, columns][:, 0]))
            assert_array_equal(np.delete(found, columns, 1), np.delete(given, columns, 1))
    alone = []
    permutation_importance(Spy(alone), APART, y, sample_domain=np.repeat("one", len(y)), **options)
    permutation_importance(Spy(alone), APART, y, **options)
    assert_array_equal(alone[: len(alone) // 2], alone[len(alone) // 2 :])


@BOTH
@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "callable"])
@pytest.mark.parametrize("first", [[], [StandardScaler()]], ids=["first", "after a scaler"])
def test_domains_reach_the_transformer_in_a_pipeline(look, scoring, first):
    """As they do where a column of the table holds them."""
    if scoring == "callable":

        def scoring(model, X, y):
            return model.predict_proba(X)[:, 0] @ (y == 0)

    head = LogisticRegression(C=0.1)
    pipe = make_pipeline(*first, fitted_with_sites(), head)
    pipe.fit(APART, y, legofusiontransformer__sample_domain=SITES)
    options = {"scoring": scoring, "n_repeats": 2, "random_state": 0}
    found = look(pipe, APART, y, sample_domain=SITES, **options)
    inner = pipe[:-2].transform(APART) if first else APART
    table = np.column_stack([inner, SITES == "south"])
    column = make_pipeline(fitted_with_sites(domain_column=13), clone(head)).fit(table, y)
    assert_allclose(found[-1], look(column, table, y, **options)[-1])
    if look is permutation_importance:
        assert_allclose(found.importances, look(column, table, y, **options).importances)
        assert found.importances_mean.max() > 0
    with pytest.raises(ValueError, match=r"needs sample_domain .* Functions of legofuse"):
        look(pipe, APART, y, **options)
    with pytest.raises(ValueError, match=r"one domain for each of the 178 rows; got shape \(5,\)"):
        look(pipe, APART, y, sample_domain=SITES[:5], **options)
    with pytest.raises(ValueError, match=r"Unknown domain\(s\) \['east'\]"):
        look(pipe, APART, y, sample_domain=np.repeat("east", len(y)), **options)


@pytest.mark.parametrize("views", [None, VIEWS])
def test_a_domain_column_is_that_of_the_step_that_reads_it(views):
    table = np.column_stack([APART, SITES == "south"])
    steps = FunctionTransformer(), fitted_with_sites(domain_column=13), RidgeClassifier()
    pipe = make_pipeline(*steps).fit(table, y)
    options = {"views": views, "n_repeats": 2, "random_state": 0}
    expected = permutation_importance(pipe[1:], table, y, **options)
    assert_array_equal(permutation_importance(pipe, table, y, **options)[3], expected[3])
    pipe[1].set_params(domain_column=None)  # what is fitted stays as it is
    assert_array_equal(permutation_importance(pipe, table, y, **options)[3], expected[3])


@BOTH
def test_domains_reach_the_best_of_a_search(look):
    pipe = make_pipeline(fitted_with_sites(), RidgeClassifier())
    options = {"n_repeats": 1, "random_state": 0, "sample_domain": SITES}
    with config_context(enable_metadata_routing=True):
        pipe[0].set_fit_request(sample_domain=True).set_transform_request(sample_domain=True)
        search = GridSearchCV(pipe, {"ridgeclassifier__alpha": [1.0]}, cv=2)
        search.fit(APART, y, sample_domain=SITES)
        routed = look(search, APART, y, **options)
    for estimator in (search, search.best_estimator_):
        for views in (None, VIEWS):
            found = look(estimator, APART, y, views=views, **options)
            assert_array_equal(found[-1], routed[-1])
    with pytest.raises(ValueError, match="transform was given domains, but fit was not"):
        look(pipe.fit(X, y), X, y, **options)


@BOTH
@pytest.mark.parametrize("scoring", [None, "roc_auc"])
@pytest.mark.parametrize("apart", [False, True], ids=["same views", "views by domain"])
def test_domains_reach_a_classifier_of_bags(look, scoring, apart):
    data = make_digit_bags(24, 4, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    sites = np.array(["a", "b"])[np.arange(24) % 2]
    bags = data.bags
    if apart:  # columns of one domain come in another order
        turned = {name: np.arange(bags[0].shape[1])[::-1][index] for name, index in views.items()}
        bags = [bag if k % 2 == 0 else bag[:, ::-1] for k, bag in enumerate(bags)]
        views = {"a": views, "b": turned}
    options = {"pooling": "relations", "n_references": 10, "relation": "correlation"}
    model = LEGOAnomalyClassifier(views, random_state=0, **options)
    model.fit(bags, data.y, sample_domain=sites)
    seen = []

    def watched(model, X, y):
        seen.append(X)
        return model.decision_function(X) @ (2 * y - 1)

    given = {"n_repeats": 2, "random_state": 0, "sample_domain": sites}
    found = look(model, bags, data.y, scoring=scoring, **given)
    if look is permutation_importance and scoring is None:
        assert found.score == model.score(bags, data.y, sample_domain=sites)
        assert found.views == ["pixels", "gradients"]
    piped = make_pipeline(PerUnit(FunctionTransformer()).fit(bags), model)
    again = look(piped, bags, data.y, scoring=scoring, **given)
    assert_array_equal(again[-1], found[-1])
    look(model, bags, data.y, scoring=watched, **given)
    for k, site in enumerate("ab"):
        index = (views[site] if apart else views)["pixels"]
        units = [np.concatenate(part[k::2])[:, index] for part in (bags, seen[1])]
        kept = ~np.isnan(units[1]).any(axis=1)
        held = {row.tobytes() for row in units[0]}
        assert {row.tobytes() for row in units[1][kept]} <= held
        assert len(kept) > kept.sum() or look is permutation_importance
    with pytest.raises(ValueError, match=r"[Gg]ive sample_domain, one for (each|a) bag"):
        look(model, bags, data.y, scoring=scoring)
    with pytest.raises(ValueError, match=r"one domain for each of the 24 bags; got shape \(3,\)"):
        look(model, bags, data.y, **given | {"sample_domain": sites[:3]})
    with pytest.raises(ValueError, match=r"sample_domain holds \['c'\], not among the domains"):
        look(model, bags, data.y, **given | {"sample_domain": ["a", "c"] * 12})


@BOTH
def test_views_by_domain_are_given_as_in_fit(look):
    """By times, too, whatever they are told by; and all by the same names."""
    days = np.array(["2026-01-01", "2026-01-02"], "M8[D]")
    own = {day: {"a": [0, 1, 2], "b": [3 + k]} for k, day in enumerate(days.tolist())}
    bags, targets, sites = list(X[:, None]), (y == 0).astype(int), days[np.arange(len(X)) % 2]
    model = LEGOAnomalyClassifier(own, pooling="units", n_references=10, random_state=0)
    model.fit(bags, targets, sample_domain=sites)
    options = {"sample_domain": sites, "n_repeats": 1, "random_state": 0}
    expected = look(model, bags, targets, **options)
    found = look(model, bags, targets, views=own, **options)
    assert_array_equal(found[-2], expected[-2])
    assert_array_equal(found[-1], expected[-1])
    for last in ({"a": [0]}, {"a": [0], "b": [1], "c": [2]}):
        with pytest.raises(ValueError, match=r"same names: .* has \['a', 'b'\], .* has \['a'"):
            look(model, bags, targets, views=own | {days.tolist()[1]: last}, **options)


@BOTH
def test_a_bag_of_a_domain_is_named_by_its_number_among_all(look):
    own = {"a": {"one": [0], "two": [1, 2]}, "b": {"one": [0, 1], "two": [2, 3]}}
    bags = [np.ones((2, 3 + k % 2)) for k in range(6)]
    sites, model = ["a", "b"] * 3, Spy([])
    look(model, bags, np.arange(6), views=own, sample_domain=sites, n_repeats=1)
    bags[3] = bags[3][:, :2]
    with pytest.raises(ValueError, match="bag 3: view 'two': column 2 does not exist"):
        look(model, bags, np.arange(6), views=own, sample_domain=sites)


def test_padded_bags_are_permuted_as_those_of_a_list():
    data = make_digit_bags(24, units_per_bag=(2, 4), random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=10, relation="correlation", random_state=0)
    model.fit(data.bags, data.y)
    padded = np.full((24, max(map(len, data.bags)), data.bags[0].shape[1]), np.nan)
    for row, bag in zip(padded, data.bags, strict=True):
        row[: len(bag)] = bag
    options = {"n_repeats": 2, "random_state": 0, "scoring": "neg_log_loss"}
    found = permutation_importance(model, padded, data.y, **options)
    expected = permutation_importance(model, data.bags, data.y, **options)
    assert np.isnan(padded).any()
    assert_array_equal(found.importances, expected.importances)


@pytest.mark.parametrize("look", [permutation_importance, missing_view_curve])
def test_nothing_is_refused(look):
    model = make_pipeline(LEGOFusionTransformer(VIEWS, max_iter=3), RidgeClassifier()).fit(X, y)
    for data in ([], X[:0], np.zeros((0, 5, 13))):
        with pytest.raises(ValueError, match="X is empty: give at least one row, or one bag"):
            look(model, data, [])


@pytest.mark.parametrize("look", [permutation_importance, missing_view_curve])
def test_what_is_no_table_is_refused(look):
    model, views = Spy([]), {"a": [0], "b": [1, 12]}
    for data, error, message in (
        (None, TypeError, "X must be a table, or bags; got None"),
        (X[:, 0], ValueError, r"X must be a table, .* or bags of such; got shape \(178,\)"),
        ([X[:2], X[2:4], X[4:6, :5]], ValueError, "bag 2: view 'b': column 12 does not exist"),
    ):
        with pytest.raises(error, match=message):
            look(model, data, np.arange(len(y) if data is not None else 3), views=views)


def test_a_sparse_table_of_an_earlier_step_loses_views_as_a_dense_one_does():
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    sparse, dense = (
        make_pipeline(FunctionTransformer(kind), clone(fusion), RidgeClassifier()).fit(X, y)
        for kind in (sp.csr_matrix, None)
    )
    assert permutation_importance(sparse, X, y, n_repeats=1, random_state=0).views == list(VIEWS)
    options = {"n_repeats": 2, "random_state": 0}
    found = missing_view_curve(sparse, X, y, **options)
    assert_allclose(found.scores, missing_view_curve(dense, X, y, **options).scores)
    assert found.scores[0].mean() > found.scores[-1].mean()


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_array, sp.coo_array])
@pytest.mark.parametrize("dtype", [np.float32, float, int])
def test_blocks_of_a_sparse_table_are_nan(kind, dtype):
    data = np.random.default_rng(0).poisson(0.5, size=(40, 6)).astype(dtype)
    views = {"a": slice(0, 3), "b": [2, 3], "c": [4, 5]}  # two of them overlap
    if dtype is not int:
        data[:10, :3] = data[5:15, 4:] = np.nan
    seen = []
    options = {"views": views, "shares": [0.5], "n_repeats": 2, "random_state": 0}
    for table in (data, kind(data)):
        missing_view_curve(Spy(seen), table, np.zeros(40), **options)
    for dense, found in zip(seen[:2], seen[2:], strict=True):
        assert np.isnan(dense).sum() > np.isnan(data).sum()
        assert sp.issparse(found)
        assert_array_equal(found.toarray(), dense)
    assert found.dtype == (float if dtype is int else dtype)


def test_blocks_are_removed_and_every_row_keeps_a_view():
    seen = []
    spy = Spy(seen)
    spy.views_ = VIEWS
    curve = missing_view_curve(spy, X, y, shares=[0, 0.3, 0.9], n_repeats=1, random_state=0)
    assert curve.scores.shape == (3, 1)
    assert_allclose(seen[0], X)
    for share, data in zip(curve.shares[1:], seen[1:], strict=True):
        blocks = [np.isnan(data[:, columns]).all(axis=1) for columns in VIEWS.values()]
        gone = np.stack(blocks, axis=1)
        assert not gone.all(axis=1).any()
        assert abs(gone.mean() - share * 2 / 3) < 0.06
        assert_allclose(data[~np.isnan(data)], X[~np.isnan(data)])


@pytest.mark.parametrize("kind", [list, np.array, tuple, "frames", "ragged", "padded", "pipeline"])
def test_bags_lose_views_too(kind):
    data = make_digit_bags(16, units_per_bag=(2, 4), random_state=0)
    bags, longest = data.bags, max(map(len, data.bags))
    if kind in (list, np.array, tuple):
        bags = [bag[:2] for bag in bags]
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=10, relation="correlation", random_state=0)
    options = {"n_repeats": 2, "random_state": 0, "scoring": "neg_log_loss"}
    expected = missing_view_curve(model.fit(bags, data.y), list(bags), data.y, **options)
    assert expected.scores.shape == (4, 2)
    assert len(np.unique(expected.scores)) > 5
    given = bags
    if kind == "frames":
        given = [pytest.importorskip("pandas").DataFrame(bag) for bag in bags]
    elif kind == "padded":
        given = np.full((len(bags), longest, bags[0].shape[1]), np.nan)
        for row, bag in zip(given, bags, strict=True):
            row[: len(bag)] = bag
    elif kind == "pipeline":
        model = make_pipeline(PerUnit(FunctionTransformer()).fit(bags), model)
    elif kind != "ragged":
        given = kind(bags)
    found = missing_view_curve(model, given, data.y, **options)
    assert_allclose(found.scores, expected.scores)


def test_units_lose_blocks_but_for_one_and_for_their_place_in_time(timed_bags):
    bags, labels = timed_bags(24)
    views = {"a": slice(0, 3), "b": slice(3, 5), "time": [5]}
    model = LEGOAnomalyClassifier(views, time_view="time", n_references=10, relation="rbf")
    model.fit(bags, labels)
    seen = []

    def watched(model, X, y):
        seen.append(X)
        return model.score(X, y)

    options = {"shares": [0, 0.3, 0.9], "n_repeats": 1, "random_state": 0}
    curve = missing_view_curve(model, bags, labels, scoring=watched, **options)
    whole = np.concatenate(bags)
    for share, part in zip(curve.shares, seen, strict=True):
        assert [len(bag) for bag in part] == [len(bag) for bag in bags]
        units = np.concatenate(part)
        gone = np.stack([np.isnan(units[:, views[v]]).all(axis=1) for v in ("a", "b")], axis=1)
        assert not gone.all(axis=1).any()
        assert abs(gone.mean() - share / 2) < 0.1
        assert_array_equal(units[:, 5], whole[:, 5])
        assert_array_equal(units[~np.isnan(units)], whole[~np.isnan(units)])
        assert np.isnan(units[:, :5]).sum() == gone @ [3, 2] @ np.ones(len(gone))
    with pytest.raises(ValueError, match="single view"):
        missing_view_curve(model, bags, labels, views={"all": slice(0, 6)})
    message = r"each of 2 bags; got shape \(178,\)\. .* 2 tables, .* join them by stack_views"
    with pytest.raises(ValueError, match=message):
        missing_view_curve(model, [X[:, :5], X[:, 5:]], y)


def test_rows_of_a_table_are_bags_of_one_unit():
    data = make_digit_bags(16, units_per_bag=3, random_state=0)
    views = {name: data.views[name] for name in ("pixels", "gradients")}
    rows = np.array([bag[0] for bag in data.bags])
    model = LEGOAnomalyClassifier(views, n_references=10, relation="correlation", random_state=0)
    curve = missing_view_curve(model.fit(rows, data.y), rows, data.y, n_repeats=1, random_state=0)
    assert curve.scores.shape == (4, 1)


@pytest.mark.parametrize("look", [permutation_importance, missing_view_curve])
def test_weights_count_in_the_scores(look):
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, random_state=0)
    pipe = make_pipeline(StandardScaler(), fusion, RidgeClassifier()).fit(X[::2], y[::2] > 0)
    target, weight = (y > 0).astype(int), np.random.default_rng(0).integers(0, 3, len(X))
    options = {"n_repeats": 2, "random_state": 0}
    found = look(pipe, X, target, sample_weight=weight, **options)

    def weighted(estimator, X, y):
        return estimator.score(X, y, sample_weight=weight)

    expected = look(pipe[1:], pipe[0].transform(X), target, scoring=weighted, **options)
    plain = look(pipe, X, target, **options)
    results = found, expected, plain
    numbers = [[part for part in got[1:] if not isinstance(part, str)] for got in results]
    for one, other, without in zip(*numbers, strict=True):
        assert_allclose(one, other)
        assert np.any(np.asarray(one) != without)
    for wrong, message in ((weight[1:], r"sample_weight\.shape"), (-weight, "[Nn]egative")):
        with pytest.raises(ValueError, match=message):
            look(pipe, X, target, sample_weight=wrong)


def test_frames_lose_views_too():
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame(X, columns=[f"c{i}" for i in range(13)])
    fusion = LEGOFusionTransformer(VIEWS, relation="cosine", n_landmarks=50, max_iter=5)
    pipe = make_pipeline(fusion, RidgeClassifier()).fit(data, y)
    curve = missing_view_curve(pipe, data, y, shares=[0, 0.5], n_repeats=2, random_state=0)
    assert curve.scores[0].mean() > curve.scores[1].mean()
    assert list(curve.to_frame().columns) == ["mean", "std"]


@pytest.mark.parametrize("module", ["pandas", "polars"])
def test_columns_of_no_view_are_left_alone(module):
    frames = pytest.importorskip(module)
    columns = {f"c{i}": X[:, i] for i in range(13)}
    data = frames.DataFrame(columns | {"site": np.where(np.arange(len(X)) % 2, "a", "b")})
    views = {"one": ["c0", "c1"], "other": [f"c{i}" for i in range(2, 13)]}
    fusion = LEGOFusionTransformer(views, relation="cosine", domain_column="site", max_iter=5)
    pipe = make_pipeline(fusion, RidgeClassifier()).fit(data, y)
    curve = missing_view_curve(pipe, data, y, shares=[0, 0.6], n_repeats=1, random_state=0)
    assert curve.scores[0, 0] == pipe.score(data, y) > curve.scores[1, 0]
    assert permutation_importance(pipe, data, y, n_repeats=1).importances.shape == (2, 1)
    named = missing_view_curve(pipe, data, y, shares=[0.6], views=views, n_repeats=1)
    assert named.scores.shape == (1, 1)


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist], ids=["array", "list"])
def test_views_are_removed_from_whole_numbers_as_from_floats(kind):
    whole = np.rint(10 * X).astype(int)
    model = LEGOFusionTransformer(VIEWS, random_state=0)
    model = make_pipeline(model, RidgeClassifier()).fit(whole, y)
    options = {"shares": [0, 0.5], "n_repeats": 2, "random_state": 0}
    expected = missing_view_curve(model, whole.astype(float), y, **options)
    found = missing_view_curve(model, kind(whole), y, **options)
    assert_allclose(found.scores, expected.scores)


def test_names_of_columns_are_looked_for_in_every_bag():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    bags = [pd.DataFrame(rng.normal(size=(3, 3)), columns=list("abc")) for _ in range(8)]
    views = {"one": ["a"], "two": ["b", "c"]}
    model = LEGOAnomalyClassifier(views, n_references=5, relation="cosine", random_state=0)
    model.fit(bags, [0, 1] * 4)
    expected = permutation_importance(model, bags, [0, 1] * 4, random_state=0)
    given = {"views": views, "random_state": 0}
    found = permutation_importance(model, bags, [0, 1] * 4, **given)
    assert_allclose(found.importances, expected.importances)
    for k, bag, message in (
        (
            0,
            bags[0].drop(columns="b"),
            "bag 0: view 'two': unknown column 'b'; known names are 'a', 'c'",
        ),
        (3, bags[3].drop(columns="b"), "bag 3: view 'two': unknown column 'b'"),
        (3, bags[3][list("bac")], "view 'one': bag 3 has its columns in another order than bag 0"),
        (
            3,
            bags[3].to_numpy(),
            "bag 3: view 'one': column 'a' is given by name, but X has no column names",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            permutation_importance(model, [*bags[:k], bag, *bags[k + 1 :]], [0, 1] * 4, **given)


@pytest.mark.parametrize("look", [permutation_importance, missing_view_curve])
@pytest.mark.parametrize("mixed", [False, True])
def test_bags_of_frames_give_what_arrays_give(look, mixed):
    """Frames of floats alone are read as arrays; one with other columns is not."""
    pd = pytest.importorskip("pandas")
    seen = []
    bags = [X[:4], X[4:9], X[9:16]]
    names = [f"c{i}" for i in range(13)]
    frames = [pd.DataFrame(bag, columns=names, index=range(7, 7 + len(bag))) for bag in bags]
    if mixed:
        frames = [frame.assign(note="a") for frame in frames]
    before = [frame.copy() for frame in frames]
    for data in (bags, frames):
        look(Spy(seen), data, [0, 1, 1], views=VIEWS, n_repeats=1, random_state=0)
    for arrays, tables in zip(seen[: len(seen) // 2], seen[len(seen) // 2 :], strict=True):
        for array, table, frame in zip(arrays, tables, frames, strict=True):
            assert_array_equal(table[names].to_numpy(), array)
            assert table.columns.equals(frame.columns)
            assert table.index.equals(frame.index)
            assert (table.dtypes == frame.dtypes).all()
    assert all(one.equals(other) for one, other in zip(before, frames, strict=True))
    assert not all(one.equals(other) for one, other in zip(frames, seen[-1], strict=True))


OVERLAPPING = {"minerals": slice(0, 5), "also": [4, 5], "colour": slice(9, 13)}


@pytest.mark.parametrize("model", [LEGOFusionTransformer, LEGOAnomalyClassifier])
def test_views_that_share_columns_are_not_missing_alone(model):
    model, targets = model(OVERLAPPING, random_state=0), (y == 0).astype(int)
    if hasattr(model, "transform"):
        model = make_pipeline(model.set_params(max_iter=3), RidgeClassifier())
    model.fit(X, targets)
    with pytest.raises(ValueError, match=r"'minerals' and 'also' share 1 column\(s\)"):
        missing_view_curve(model, X, targets)
    found = missing_view_curve(model, X, targets, views=VIEWS, shares=[0], n_repeats=1)
    assert found.scores == model.score(X, targets)
    permuted = permutation_importance(model, X, targets, n_repeats=1, random_state=0)
    assert permuted.views == list(OVERLAPPING)


@BOTH
@pytest.mark.parametrize("scoring", [["accuracy", "roc_auc"], ("accuracy",), {"one": "accuracy"}])
def test_several_scores_are_refused(look, scoring):
    model = LogisticRegression().fit(X[:, :1], y)
    with pytest.raises(TypeError, match=r"scoring must be the name of one score, or a callable"):
        look(model, X[:, :1], y, views={"a": [0], "b": [0]}, scoring=scoring)
