"""The report is one valid page, whole in itself, that holds what inspection finds."""

import base64
import re
import shutil
import subprocess
import sys
from html import escape, unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

pytest.importorskip("matplotlib")

from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer, PerUnit, report
from legofuse.datasets import make_digit_bags
from legofuse.inspection import term_contributions
from legofuse.plotting import ExplanationDisplay
from legofuse.report._html import table
from legofuse.report._parts import parameters

X, y = load_wine(return_X_y=True)
EVIL = '<b>"phenols"</b> & $x^2$'
VIEWS = {"minerals": slice(0, 5), EVIL: slice(5, 9), "colour": slice(9, 13)}
VOID = {"meta", "img", "br", "hr", "link", "input"}
DIGITS = make_digit_bags(24, 5, random_state=0)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def fusion(**parameters):
    options = {"relation": "correlation", "n_landmarks": 40, "max_iter": 5, "random_state": 0}
    return LEGOFusionTransformer(VIEWS, **options | parameters)


class Page(HTMLParser):
    """Elements of a page, which must be nested well."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text, self.attributes = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.attributes if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def read(path):
    return Page(path.read_text(encoding="utf-8"))


def check(page):
    """Whole, semantic, without a script, a reference out, or a picture without words."""
    assert page.tags[:2] == ["html", "head"]
    assert page.of("html")[0]["lang"] == "en"
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("title") == 1
    assert not {"script", "iframe", "link", "object", "b"} & set(page.tags)
    ids = {attributes["id"] for _, attributes in page.attributes if "id" in attributes}
    for attributes in page.of("a"):
        assert attributes["href"].removeprefix("#") in ids
    for attributes in page.of("img"):
        assert attributes["alt"]
        head, data = attributes["src"].split(",")
        assert head == "data:image/svg+xml;base64"
        svg = base64.b64decode(data)
        assert b"<svg" in svg
        assert b"<script" not in svg
    assert page.tags.count("figure") == page.tags.count("figcaption") == page.tags.count("img")
    assert page.tags.count("table") == page.tags.count("caption") > 1
    assert all("scope" in attributes for attributes in page.of("th"))
    handlers = [a for _, attributes in page.attributes for a in attributes if a.startswith("on")]
    assert handlers == []


def test_a_pipeline(tmp_path):
    pipe = make_pipeline(fusion(), RidgeClassifier()).fit(X[::2], y[::2])
    path = report.write(pipe, X[1::2], y[1::2], tmp_path / "page.html", title="Wine & <more>")
    page = read(path)
    check(page)
    assert "Not shown" not in page.words
    assert page.tags.count("figure") >= 9
    assert "Wine & <more>" in page.words
    assert EVIL in page.words  # as text
    for heading in ("Views", "Terms", "Embedding", "Views permuted", "Views missing"):
        assert heading in page.words
    assert f"{pipe[0].loo_score_:.3f}" in page.words
    assert f"{pipe.score(X[1::2], y[1::2]):.3f}" in page.words
    assert "-0.000" not in page.words
    for importance in pipe[0].view_importances_.values():
        assert f"{importance:.3f}" in page.words
    again = report.write(pipe, X[1::2], y[1::2], tmp_path / "again.html", title="Wine & <more>")
    assert again.read_bytes() == path.read_bytes()
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []


def test_a_pipeline_that_starts_with_other_steps(tmp_path):
    pipe = make_pipeline(StandardScaler(), fusion(), LinearRegression()).fit(X[::2], X[::2, 0])
    page = read(report.write(pipe, X[1::2], X[1::2, 0], tmp_path / "page.html", max_samples=50))
    check(page)
    assert "Not shown" not in page.words
    assert f"The prediction of the first row is {pipe.predict(X[1:2])[0]:.3f}" in page.words
    assert re.search(r"rows given here\s+89\s.*drawn for shares [\w ]+\s50\s", page.words)
    pipe = make_pipeline(fusion(), LinearRegression()).fit(X[::2], X[::2, :2])
    page = read(report.write(pipe, X[1::2], X[1::2, :2], tmp_path / "page.html"))
    assert "The prediction of the first row (column 0 of y) is" in page.words
    assert "rows in the order given here: the 2 targets in y give no single order." in page.words
    assert "embedding; not coloured, the 2 targets in y give no single scale." in page.words


def test_a_transformer_without_y(tmp_path):
    page = read(report.write(fusion().fit(X), X, path=tmp_path / "page.html"))
    check(page)
    assert "Views permuted" not in page.words
    assert "Not shown" not in page.words
    assert "the fused graph, rows in the order given here." in page.words
    assert "components of the embedding." in page.words
    assert "R² lost" not in page.words
    assert "ridge predictions" not in page.words
    assert ">-<" not in (tmp_path / "page.html").read_text(encoding="utf-8").split("Agreement")[0]


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("n_views", [2, 3])
def test_a_heat_map_is_there_where_it_tells_something(tmp_path, degree, n_views):
    views = dict(list(VIEWS.items())[-n_views:])
    model = fusion(degree=degree).set_params(views=views).fit(X)
    page = read(report.write(model, X, path=tmp_path / "page.html"))
    check(page)
    by_powers = [a["alt"] for a in page.of("img") if "by the powers of" in a["alt"]]
    assert len(by_powers) == (degree == 2)
    bars = [a["alt"] for a in page.of("img") if "relative to all weights" in a["alt"]]
    assert len(bars) == (degree == 1 or n_views == 3)
    assert "share of all" not in page.words
    assert "share of the fused graph" in page.words


@pytest.mark.parametrize("form", ["column", "array", "frame"])
def test_a_single_target_orders_rows_and_colours_them(tmp_path, form):
    if form == "frame":
        target = pytest.importorskip("pandas").DataFrame({"kind": y})
    else:
        target = y[:, None] if form == "column" else y
    path = report.write(fusion().fit(X, y), X, target, tmp_path / "page.html")
    expected = report.write(fusion().fit(X, y), X, y, tmp_path / "expected.html")
    assert path.read_bytes() == expected.read_bytes()
    assert "the fused graph, rows in the order of y." in read(path).words
    assert "R² is that of leave-one-out ridge predictions of y" in read(path).words


def test_scores_have_a_name(tmp_path):
    path, rows = tmp_path / "page.html", (X[1::2], y[1::2])
    pipe = make_pipeline(fusion(), RidgeClassifier()).fit(X[::2], y[::2])
    words = read(report.write(pipe, *rows, path)).words
    assert f"Accuracy on the data given here: {pipe.score(*rows):.3f}." in words
    assert "Fall of the accuracy when a view is permuted over the rows." in words
    assert "Accuracy when shares of the views" in words
    assert "leave-one-out R² of the fit" in words
    grid = {"ridgeclassifier__alpha": [1.0, 2.0]}
    search = GridSearchCV(pipe, grid, scoring="f1_macro", cv=2).fit(X[::2], y[::2])
    words = read(report.write(search, *rows, path)).words
    assert f"F1 macro on the data given here: {search.score(*rows):.3f}." in words
    assert "Fall of the f1 macro when" in words
    assert "F1 macro when shares" in words
    pipe = make_pipeline(fusion(), LinearRegression()).fit(X[::2], X[::2, 0])
    assert "R² on the data given here" in read(report.write(pipe, X, X[:, 0], path)).words


@pytest.mark.filterwarnings("ignore:.*positive semi-definite")
@pytest.mark.parametrize(
    ("pipe", "reason"),
    [
        (make_pipeline(fusion(), RandomForestClassifier(5, random_state=0)), "has no coef_"),
        (make_pipeline(fusion(expansion="hops", n_landmarks=500), RidgeClassifier()), "hops"),
        pytest.param(
            make_pipeline(fusion(weights="neural"), LinearRegression()),
            None,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["forest", "hops", "neural"],
)
def test_what_cannot_be_shown_says_why(tmp_path, pipe, reason):
    pipe.fit(X, y)
    page = read(report.write(pipe, X, y, tmp_path / "page.html"))
    check(page)
    if reason is None:
        assert "Not shown" not in page.words
        assert "Training" in page.words
    else:
        assert re.search(f"Not shown: .*{reason}", page.words)
    assert "Cosines between centred graphs" in page.words
    assert ("Graphs are not shown: GraphsDisplay" in page.words) == (reason == "hops")


def test_shares_are_told_where_all_targets_are_equal(tmp_path):
    path = report.write(fusion().fit(X, y), X[:20], y[:20], tmp_path / "page.html")
    assert len(np.unique(y[:20])) == 1
    page = path.read_text(encoding="utf-8")
    assert "What is lost without a view is not shown: y is the same in all rows" in page
    assert "Share of each view in the fused graph" in page


def test_missing_views_frames_and_domains(tmp_path):
    pd = pytest.importorskip("pandas")
    data = X.copy()
    data[:60, VIEWS[EVIL]] = np.nan
    data = pd.DataFrame(data, columns=[f"<{i}>" for i in range(13)])
    pipe = make_pipeline(fusion(), RidgeClassifier()).fit(data, y)
    page = read(report.write(pipe, data, y, tmp_path / "page.html"))
    check(page)
    assert f"{118 / 178:.3f}" in page.words  # the share of rows that have the view
    named = data.set_axis([f"wine {k}" for k in range(len(X))])
    words = read(report.write(pipe, named, y, tmp_path / "page.html")).words
    assert "of the first row for 0, whose index is wine 0, is " in words
    domain = np.where(np.arange(len(X)) % 2, "one", "two")
    model = fusion().fit(X, y, sample_domain=domain)
    page = read(report.write(model, X, y, tmp_path / "page.html", sample_domain=domain))
    check(page)
    assert "Not shown" not in page.words
    head = RidgeClassifier().fit(model.transform(X, sample_domain=domain), y)
    pipe = Pipeline([("fuse", model), ("head", head)])
    page = read(report.write(pipe, X, y, tmp_path / "page.html", sample_domain=domain))
    assert "Not shown" not in page.words
    assert "when a view is permuted over the rows of each domain." in page.words
    assert "of the views of all rows are removed" in page.words


def test_a_classifier_of_bags(tmp_path):
    views = {"pixels": DIGITS.views["pixels"], EVIL: DIGITS.views["gradients"]}
    model = LEGOAnomalyClassifier(views, n_references=20, random_state=0)
    model.fit(DIGITS.bags, DIGITS.y)
    path = tmp_path / "page.html"
    page = read(report.write(model, DIGITS.bags, DIGITS.y, path, unit_y=DIGITS.unit_y))
    check(page)
    assert "Not shown" not in page.words
    scores = model.score_units(DIGITS.bags)
    bag = int(np.argmax([part.max() for part in scores]))
    assert f"bag {bag}, unit {scores[bag].argmax()}" in page.words
    assert EVIL in page.words
    assert "Fall of the accuracy when a view is permuted over the units." in page.words
    assert f"the logit of its score, {scores[bag].max():.3f}." in page.words
    check(read(report.write(model, DIGITS.bags, path=path)))
    with pytest.warns(UserWarning, match=r"X is one table.* One bag is given as \[X\]"):
        report.write(model, DIGITS.bags[0], path=path)


def test_nothing_is_written_where_it_fails(tmp_path):
    path = tmp_path / "page.html"
    with pytest.raises(TypeError, match="Pipeline with one"):
        report.write(RidgeClassifier().fit(X, y), X, y, path)
    assert not path.exists()
    with pytest.raises(OSError, match="nowhere"):
        report.write(fusion().fit(X, y), X, y, tmp_path / "nowhere" / "page.html")


def nothing(*args, **kwargs):
    raise AssertionError("something was computed")


@pytest.fixture
def only_checks(monkeypatch):
    """Nothing of the page is made."""
    monkeypatch.setattr(report._tables, "_summary", nothing)
    monkeypatch.setattr(report._bags, "_summary", nothing)


@pytest.fixture(scope="module")
def of_steps():
    """What is fitted, by how many steps are around it."""
    around = (
        make_pipeline(fusion(), RidgeClassifier()),
        make_pipeline(StandardScaler(), fusion(), RidgeClassifier()),
    )
    return [model.fit(X, y) for model in (fusion(), *around)]


@pytest.mark.usefixtures("only_checks")
@pytest.mark.parametrize("steps", [0, 1, 2], ids=["transformer", "pipeline", "scaled"])
@pytest.mark.parametrize(
    ("rows", "targets", "message"),
    [
        (X[:, :5], y, "X has 5 features, but .* expecting 13 features"),
        (X, y[:5], r"y must have one value for each of 178 rows; got shape \(5,\)"),
        (X, np.where(y == 0, np.nan, y), "y contains NaN"),
        (X, np.where(y == 0, None, "a"), "y contains missing labels"),
        (X, 3, r"for each of 178 rows; got shape \(\)"),
        (X[:0], y[:0], "0 sample"),
        ([X[:, :5].tolist(), X[:, 5:].tolist()], y, "not one table|inhomogeneous|array"),
        (np.where(np.arange(13) == 2, np.nan, X), y, "partly NaN|NaN"),
    ],
)
def test_data_that_does_not_fit_is_refused(tmp_path, of_steps, steps, rows, targets, message):
    with pytest.raises((ValueError, TypeError), match=message):
        report.write(of_steps[steps], rows, targets, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("only_checks")
def test_fewer_rows_than_three_are_refused(tmp_path):
    with pytest.raises(ValueError, match="max_samples must be at least 3; got 2"):
        report.write(fusion().fit(X, y), X, y, tmp_path / "page.html", max_samples=2)


@pytest.mark.usefixtures("only_checks")
def test_other_columns_and_domains_are_refused(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=[f"c{k}" for k in range(13)])
    pipe = make_pipeline(fusion(), RidgeClassifier()).fit(frame, y)
    path = tmp_path / "page.html"
    for other in (frame[frame.columns[::-1]], frame.iloc[:, :9], frame.rename(columns={"c3": "d"})):
        with pytest.raises(ValueError, match="feature names should match"):
            report.write(pipe, other, y, path)
    domain = np.arange(len(X)) % 2
    model = fusion().fit(X, y, sample_domain=domain)
    for given, message in (
        (None, "fit was given domains, so transform needs sample_domain"),
        (domain[:5], r"one domain for each of the 178 rows; got shape \(5,\)"),
        (domain + 1, r"Unknown domain\(s\) \[2\]"),
    ):
        with pytest.raises(ValueError, match=message):
            report.write(model, X, y, path, sample_domain=given)
    with pytest.raises(ValueError, match="given domains, but fit was not"):
        report.write(fusion().fit(X, y), X, y, path, sample_domain=domain)


@pytest.mark.filterwarnings("ignore:.*miss every view")
@pytest.mark.parametrize("kind", ["list", "coo", "one row", "an empty row"])
def test_what_fits_is_shown_in_any_form(tmp_path, kind):
    missing = X.copy()
    missing[0] = np.nan  # the row that the others are related to when they are read
    rows = {"list": X.tolist(), "coo": sp.coo_array(X), "one row": X[:1], "an empty row": missing}
    labels = y[:1] if kind == "one row" else y.tolist()
    page = read(report.write(fusion().fit(X, y), rows[kind], labels, tmp_path / "page.html"))
    check(page)
    assert ("at least 3 rows" if kind == "one row" else "90% interval") in page.words


def test_domains_that_fit_did_not_see(tmp_path):
    domain = np.arange(len(X)) % 2
    model = fusion(unseen_domains="batch").fit(X, y, sample_domain=domain)
    path = report.write(model, X, y, tmp_path / "page.html", sample_domain=domain + 7)
    assert "Not shown" not in read(path).words


@pytest.mark.parametrize("told", ["by sample_domain", "in a column"])
def test_a_row_that_is_aligned_with_others_is_explained_as_all_are(tmp_path, told):
    by_column = told == "in a column"
    site = np.arange(len(X)) % 3
    table = np.column_stack([X, site]) if by_column else X
    known = site != 0
    model = fusion(unseen_domains="batch", domain_column=13 if by_column else None)

    def rest(domains):
        return {} if by_column else {"sample_domain": domains}

    features = model.fit(table[known], y[known], **rest(site[known])).transform(table, **rest(site))
    pipe = Pipeline([("fuse", model), ("clf", RidgeClassifier().fit(features, y == 1))])
    page = read(report.write(pipe, table, y, tmp_path / "page.html", **rest(site)))
    display = ExplanationDisplay.from_estimator(pipe, table, row=0, **rest(site))
    assert display.score == pytest.approx(pipe[1].decision_function(features)[0])
    assert f"decision value of the first row for True is {display.score:.3f}." in page.words
    assert "when a view is permuted over the rows of each domain." in page.words
    alone = ExplanationDisplay.from_estimator(pipe, table[:1], row=0, **rest(site[:1]))
    assert f"{alone.score:.3f}" != f"{display.score:.3f}"


def test_what_takes_too_much_memory_is_not_shown(tmp_path, monkeypatch):
    def explain(*args, **options):
        raise MemoryError("Relations would take 1 TB")

    monkeypatch.setattr("legofuse.inspection._one.explain", explain)
    pipe = make_pipeline(fusion(), RidgeClassifier()).fit(X, y)
    page = read(report.write(pipe, X, y, tmp_path / "page.html"))
    assert "Not shown: Relations would take 1 TB" in page.words


@pytest.fixture(scope="module")
def classifier():
    views = {name: DIGITS.views[name] for name in ("pixels", "gradients")}
    return LEGOAnomalyClassifier(views, n_references=20, random_state=0).fit(DIGITS.bags, DIGITS.y)


@pytest.mark.usefixtures("only_checks")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": DIGITS.y[:5]}, r"y must have one value for each of 24 bags; got shape \(5,\)"),
        ({"y": np.where(DIGITS.y == 0, np.nan, 1)}, r"y holds nan, .* the labels \[0, 1\]"),
        ({"y": DIGITS.y + 1}, r"y holds 2, which is not one of the labels \[0, 1\]"),
        ({"X": [bag[:, :9] for bag in DIGITS.bags]}, "X has 9 features"),
        ({"X": [*DIGITS.bags[:-1], DIGITS.bags[-1][:, 1:]]}, "bag 23 has .* features"),
        ({"unit_y": DIGITS.unit_y[:3]}, "unit_y must hold an array for each of 24 bags; got 3"),
        (
            {"unit_y": [*DIGITS.unit_y[:-1], [0, 1]]},
            r"one value for each of 5 units of bag 23; got shape \(2,\)",
        ),
        ({"sample_domain": DIGITS.y}, "domain"),
    ],
)
def test_bags_that_do_not_fit_are_refused(tmp_path, classifier, change, message):
    data = {"X": DIGITS.bags, "y": DIGITS.y, "path": tmp_path / "page.html"} | change
    with pytest.raises(ValueError, match=message):
        report.write(classifier, **data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("only_checks")
def test_arguments_in_another_order_and_places_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = fusion().fit(X, y)
    order = r"write takes \(estimator, X, y, path\)"
    for given, message in (
        (("page.html", X, y), rf"X is 'page.html', which looks like the path: {order}"),
        ((X, "page.html"), rf"y is 'page.html', which .*: {order}, and path= by name where"),
        ((X, tmp_path / "page.html", y), rf"y is '.*page.html', which looks like .*: {order}"),
        ((X, y, y), rf"path must be a str or path-like; got ndarray: {order}"),
    ):
        with pytest.raises(TypeError, match=message):
            report.write(model, *given)
    with pytest.raises(FileNotFoundError, match=r"no folder 'nowhere' to write 'page.html' to"):
        report.write(model, X, y, "nowhere/page.html")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        report.write(model, X, y, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_intervals_are_for_the_weights_as_fitted(tmp_path, monkeypatch):
    model = fusion().fit(X, y)
    monkeypatch.setattr(LEGOFusionTransformer, "fit", nothing)
    words = read(report.write(model, X[::2], y[::2], tmp_path / "page.html")).words
    assert "90% interval, weights as fitted" in words
    assert "bootstrap intervals over the rows; weights are as fitted" in words


def test_without_matplotlib_it_says_at_once_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setattr(report, "table_sections", None)  # nothing is computed
    path = tmp_path / "page.html"
    path.write_text("kept")
    with pytest.raises(ImportError, match=r"pip install 'legofuse\[plot\]'"):
        report.write(fusion().fit(X), X, path=path)
    assert path.read_text() == "kept"


def test_no_number_is_minus_nought():
    text = table("caption", ["what", "value"], [("a", -1e-5), ("b", np.float64(-0.0)), ("c", -0.5)])
    assert text.count(">0.000<") == 2
    assert ">-0.500<" in text


def test_parameters_keep_their_order():
    views = {"text": [0, 1], "audio": [2]}
    model = LEGOFusionTransformer(views, relation={"text": "cosine", "audio": "rbf"}, degree=3)
    pipe = make_pipeline(StandardScaler(), FunctionTransformer(kw_args={"b": 1, "a": 2}), model)
    before = repr(pipe)
    (heading, (text,)) = parameters(pipe)[0]
    assert heading == "Parameters"
    for part in ("'text': [0, 1], 'audio': [2]", "'text': 'cosine', 'audio': 'rbf'", "'b': 1, 'a'"):
        assert escape(part) in text
    assert sorted("".join(unescape(text).split())) == sorted(
        "".join(f"<pre>{before}</pre>".split())
    )
    assert repr(pipe) == before
    assert type(model.views) is dict
    forest = RandomForestClassifier(5)
    assert parameters(forest) == [("Parameters", [f"<pre>{forest!r}</pre>"])]


@pytest.mark.slow
@pytest.mark.parametrize("of", ["rows", "bags"])
def test_a_browser_shows_every_figure(tmp_path, of):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    if of == "rows":
        model, data = make_pipeline(fusion(), RidgeClassifier()), (X, y)
    else:
        views = {name: DIGITS.views[name] for name in ("pixels", "gradients")}
        model = LEGOAnomalyClassifier(views, n_references=20, random_state=0)
        data = (DIGITS.bags, DIGITS.y)
    path = report.write(model.fit(*data), *data, tmp_path / "page.html")
    # the only script of the test: how many pictures were decoded, written where --dump-dom sees it
    probe = (
        "<script>onload = () => { const all = [...document.images];"
        "document.title = 'shown ' + all.filter(i => i.complete && i.naturalWidth > 100).length"
        " + ' wide ' + (document.documentElement.scrollWidth <= innerWidth) }</script></body>"
    )
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</body>", probe), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000"]
    command = [browser, *options, "--window-size=1000,900", "--dump-dom", path.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    count = text.count("<img ")
    assert f"<title>shown {count} wide true</title>" in run.stdout, run.stderr[-2000:]


def test_a_pipeline_that_ends_with_a_classifier_of_bags(tmp_path):
    views = {name: DIGITS.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=20, relation="rbf", random_state=0)
    pipe = make_pipeline(PerUnit(StandardScaler()), model).fit(DIGITS.bags, DIGITS.y)
    page = read(report.write(pipe, DIGITS.bags, DIGITS.y, tmp_path / "page.html"))
    check(page)
    assert "Not shown" not in page.words
    assert "StandardScaler" in page.words
    inner = read(report.write(model, pipe[:-1].transform(DIGITS.bags), DIGITS.y, tmp_path / "b"))
    found, expected = (words.rsplit("Parameters", 1)[0] for words in (page.words, inner.words))
    assert found == expected


def test_weights_count_in_the_scores(tmp_path):
    pipe = make_pipeline(fusion(), RidgeClassifier()).fit(X[::2], y[::2])
    weight, path = np.random.default_rng(0).integers(1, 9, len(X)), tmp_path / "page.html"
    page = read(report.write(pipe, X, y, path, sample_weight=weight))
    check(page)
    assert "Not shown" not in page.words
    score, plain = pipe.score(X, y, sample_weight=weight), pipe.score(X, y)
    assert abs(score - plain) > 1e-3
    assert f"Accuracy on the data given here, weighted: {score:.3f}" in page.words
    assert f"{plain:.3f}" not in page.words.split("Views permuted")[-1]
    options = {"random_state": 0, "max_samples": 300}
    lost, other = (
        term_contributions(pipe, X, y, sample_weight=w, **options).view_loo_lost
        for w in (weight, None)
    )
    shown = [[f"{value:.3f}" for value in values] for values in (lost, other)]
    assert shown[0] != shown[1]
    assert all(value in page.words for value in shown[0])
    for wrong, message in ((weight[1:], r"sample_weight\.shape"), (-weight, "[Nn]egative")):
        with pytest.raises(ValueError, match=message):
            report.write(pipe, X, y, tmp_path / "other.html", sample_weight=wrong)
    assert not (tmp_path / "other.html").exists()


def test_bags_are_scored_as_a_search_scores(tmp_path):
    views = {name: DIGITS.views[name] for name in ("pixels", "gradients")}
    model = LEGOAnomalyClassifier(views, n_references=20, random_state=0)
    pipe = make_pipeline(PerUnit(StandardScaler()), model)
    grid = {"legoanomalyclassifier__random_state": [0]}
    search = GridSearchCV(pipe, grid, scoring=["accuracy", "roc_auc"], refit="roc_auc", cv=2)
    search.fit(DIGITS.bags, DIGITS.y)
    page = read(report.write(search, DIGITS.bags, DIGITS.y, tmp_path / "page.html"))
    check(page)
    area = search.score(DIGITS.bags, DIGITS.y)
    assert f"ROC AUC on the data given here: {area:.3f}." in page.words
    assert "Fall of the ROC AUC when" in page.words
    assert "GridSearchCV" not in page.words


def test_weights_of_bags_count_in_the_area(tmp_path, classifier):
    model, bags, labels = classifier, DIGITS.bags, DIGITS.y
    weight, path = np.random.default_rng(0).integers(0, 9, len(bags)), tmp_path / "page.html"
    page = read(report.write(model, bags, labels, path, sample_weight=weight))
    check(page)
    area = roc_auc_score(labels, model.decision_function(bags), sample_weight=weight)
    assert f"ROC AUC of the bags given here, weighted: {area:.3f}." in page.words
    score = model.score(bags, labels, sample_weight=weight)
    assert f"Accuracy on the data given here, weighted: {score:.3f}" in page.words
    one = labels == 0
    page = read(report.write(model, bags, labels, path, sample_weight=one))
    assert "ROC AUC" not in page.words
    with pytest.raises(ValueError, match=r"sample_weight\.shape"):
        report.write(model, bags, labels, path, sample_weight=weight[1:])
