"""A fitted transformer in files that hold no pickles, and on its way through callbacks."""

import contextlib
import io
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_wine
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

import legofuse
from legofuse import LEGOFusionTransformer

WINE, TARGET = (part[::2] for part in load_wine(return_X_y=True))
TRUSTED = ["legofuse.fused.FusedGraph", "legofuse.transformer.LEGOFusionTransformer"]
STAGES = ["read", "choose landmarks", "learn weights", "map landmarks"]


def make(**parameters):
    return LEGOFusionTransformer(**({"views": 3, "relation": "correlation"} | parameters))


@pytest.mark.parametrize(
    "parameters",
    [
        {"relation": "auto"},
        {"interactions": "separable", "relation": "rbf"},
        {"expansion": "hops", "output": "relations"},
        {"zeroth": "identity", "interactions": "pairwise"},
        {"weights": "neural", "max_iter": 3},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:The fused graph is not positive semi-definite")
def test_skops(parameters):
    skops = pytest.importorskip("skops.io")
    model = make(**parameters).fit(WINE, TARGET)
    stored = skops.dumps(model)
    assert skops.get_untrusted_types(data=stored) == TRUSTED
    loaded = skops.loads(stored, trusted=TRUSTED)
    assert_array_equal(loaded.transform(WINE), model.transform(WINE))
    assert (loaded.terms_, loaded.graphs_) == (model.terms_, model.graphs_)


def test_skops_with_missing_views_domains_and_a_pipeline():
    skops = pytest.importorskip("skops.io")
    X, sites = WINE.copy(), np.where(np.arange(len(WINE)) % 2, "a", "b")
    X[::7, :5] = np.nan
    model = make().fit(X, TARGET, sample_domain=sites)
    loaded = skops.loads(skops.dumps(model), trusted=TRUSTED)
    assert_array_equal(loaded.transform(X, sites), model.transform(X, sites))
    pipe = make_pipeline(make(), RidgeClassifier()).fit(WINE, TARGET)
    loaded = skops.loads(skops.dumps(pipe), trusted=TRUSTED)
    assert_array_equal(loaded.predict(WINE), pipe.predict(WINE))


def test_skops_refuses_what_is_not_trusted():
    skops = pytest.importorskip("skops.io")
    with pytest.raises(Exception, match="legofuse"):
        skops.loads(skops.dumps(make().fit(WINE, TARGET)), trusted=[])


def test_another_version_warns(monkeypatch):
    stored = pickle.dumps(make().fit(WINE, TARGET))
    monkeypatch.setattr(legofuse, "__version__", "99.0")
    with pytest.warns(UserWarning, match=r"stored by legofuse .* is loaded by 99\.0"):
        loaded = pickle.loads(stored)
    assert loaded.transform(WINE).shape[0] == len(WINE)


def test_verbose_prints_a_line_for_each_stage(capsys):
    make().fit(WINE, TARGET)
    assert capsys.readouterr().out == ""
    make(verbose=1).fit(WINE, TARGET)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(STAGES)
    for k, (line, stage) in enumerate(zip(lines, STAGES, strict=True), start=1):
        assert line.startswith(f"[LEGOFusionTransformer] {k}/4 {stage}: ")
        assert line.endswith(" s)")
    assert "89 distinct of 89 rows, 3 views, 3 graphs, 9 terms" in lines[0]
    assert "leave-one-out score 0." in lines[2]


def test_callbacks_hear_of_the_stages(recorder):
    pytest.importorskip("sklearn.callback")
    model = make().set_callbacks(recorder).fit(WINE, TARGET)
    inside = [f"{what} {stage}" for stage in STAGES for what in ("begin", "end")]
    assert recorder.heard == ["setup", "begin fit", *inside, "end fit", "teardown"]
    assert not [name for name in vars(model) if "callback_fit_ctx" in name]


def test_callbacks_are_torn_down_after_an_error(recorder):
    pytest.importorskip("sklearn.callback")
    model = make().set_callbacks(recorder)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(WINE, TARGET[:-1])
    assert recorder.heard[-1] == "teardown"
    assert vars(model) == before


def test_progress_bar():
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        make().set_callbacks(callback.ProgressBar()).fit(WINE, TARGET)
    assert "LEGOFusionTransformer" in shown.getvalue()


def test_html_shows_fitted_attributes():
    pytest.importorskip("sklearn.callback")  # as old as the table of fitted attributes
    html = make().fit(WINE, TARGET)._repr_html_()
    for name in ("weights_", "terms_", "view_importances_", "loo_score_"):
        assert name in html
