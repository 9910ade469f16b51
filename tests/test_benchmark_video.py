"""The benchmark of anomalies in bags: its machinery, on tiny data."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks are no part of the package

from benchmarks.video import methods, networks, tasks
from benchmarks.video import run as runs
from benchmarks.video.__main__ import main
from legofuse import LEGOAnomalyClassifier


def shifted(labels, rng, n_features=3):
    """Rows whose first feature tells the label of the unit."""
    X = rng.normal(size=(len(labels), n_features))
    X[:, 0] += 4 * np.asarray(labels)
    return X.astype(np.float32)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One video set of frames, one of captions, one multiple-instance set; all easy."""
    rng = np.random.default_rng(0)
    data = tmp_path / "data"
    data.mkdir()
    bag_y = np.arange(12) % 2

    frames = np.zeros((12, 40), int)
    frames[bag_y == 1, 10:30] = 1
    X = shifted(frames.ravel(), rng)
    np.savez(
        data / "vad_ped2.npz",
        X_motion=X,
        X_change=rng.normal(size=X.shape),
        y=np.repeat(bag_y, 40),
        groups=np.repeat(np.arange(12), 40),
        unit_y=frames.ravel(),
        bag_y=bag_y,
        bag_is_test=np.arange(12) >= 8,
    )

    captions = np.zeros((12, 4), int)
    captions[bag_y == 1, 1:3] = 1
    starts = np.tile(np.arange(4.0), 12)
    intervals = np.full((12, 2, 2), -1)
    intervals[bag_y == 1, 0] = 10, 30
    X = shifted(captions.ravel(), rng)
    np.savez(
        data / "vad_ucfcrime_text.npz",
        X_lexical=X,
        X_semantic=X + rng.normal(size=X.shape),
        X_timing=rng.normal(size=(48, 2)),
        y=np.repeat(bag_y, 4),
        groups=np.repeat(np.arange(12), 4),
        bag_y=bag_y,
        bag_is_test=np.arange(12) >= 8,
        unit_span_seconds=np.column_stack([starts, starts + 1]),
        bag_duration_seconds=np.full(12, 4.0),
        bag_n_frames=np.full(12, 40),
        bag_anomaly_frames=intervals,
    )

    labels = np.zeros((30, 3), int)
    labels[::2, 0] = 1
    np.savez(
        data / "mil_newsgroup_hockey.npz",
        X_tfidf=shifted(labels.ravel(), rng),
        y=np.repeat(labels.max(axis=1), 3),
        groups=np.repeat(np.arange(30), 3),
        bag_y=labels.max(axis=1),
        unit_y=labels.ravel(),
    )
    monkeypatch.setenv("LEGOFUSE_DATA", str(data))
    return tmp_path


def truth_of_units(name, task):
    """Scores that are the truth itself."""
    if name == "vad_ped2":  # 40 frames in 32 segments: about two thirds of a segment's frames
        return [bag[:, 0] for bag in task.bags]
    return [bag[:, 0] for bag in task.bags]


@pytest.mark.parametrize("name", ["vad_ped2", "vad_ucfcrime_text", "mil_newsgroup_hockey"])
def test_figures_follow_the_scores(folder, name):
    task = tasks.load(name)
    tested = np.concatenate([test for _, test in task.folds])
    good = truth_of_units(name, task)
    logits = np.array([scores.max() for scores in good])
    for sign in (1, -1):
        units = [sign * good[i] if i in tested else None for i in range(len(task.y))]
        found = task.figures(sign * logits, units)
        assert all((value > 0.9) if sign == 1 else (value < 0.1) for value in found.values())
    for train, test in task.folds:
        assert not set(train) & set(test)


def test_a_segment_scores_its_own_frames(folder):
    task = tasks.load("vad_ped2")
    _train, test = task.folds[0]
    assert list(test) == [8, 9, 10, 11]
    assert all(len(bag) == 32 for bag in task.bags)
    place = np.arange(32)
    units = [None] * 12
    for i in test:  # the middle half of the segments of anomalous videos
        units[i] = (task.y[i] * ((place >= 8) & (place < 24))).astype(float)
    assert task.figures(None, units)["frame AUC"] == 1


def test_views_of_captions_are_put_side_by_side(folder):
    task = tasks.load("vad_ucfcrime_text")
    assert task.views == {"lexical": slice(0, 3), "semantic": slice(3, 6)}
    assert {bag.shape for bag in task.bags} == {(4, 6)}


@pytest.mark.parametrize("name", tasks.VIDEO)
def test_positions_in_time_are_one_more_view(folder, name):
    task = tasks.load(name)
    views, bags = task.timed()
    assert [*views] == [*task.views, tasks.TIME]
    for bag, plain, times in zip(bags, task.bags, task.times, strict=True):
        assert_allclose(bag[:, : plain.shape[1]], plain)
        assert_allclose(bag[:, views[tasks.TIME]], times)
    method = methods.find("legofuse_timed")
    model = method.make(views, 0).fit(bags[:8], task.y[:8])
    assert tasks.TIME not in [view for view, _ in model.graphs_]
    assert runs.evaluate(task, method, 0)["frame AUC"] > 0.9


@pytest.mark.parametrize("name", ["propagated", "mean_pooling", "miles", "mlp"])
def test_baselines_learn(folder, name):
    rows = np.arange(30)
    folds = [(rows[rows % 3 != k], rows[rows % 3 == k]) for k in range(3)]
    task = tasks.load("mil_newsgroup_hockey")._replace(folds=folds)
    method = methods.find(name)
    found = runs.evaluate(task, method, 0)
    assert found["bag AUC"] > 0.75
    again = runs.evaluate(task, method, 0)
    assert_allclose(found["bag AUC"], again["bag AUC"])


def test_torchmil_gets_one_bag_at_a_time(folder, monkeypatch):
    torch = pytest.importorskip("torch")
    shapes = set()

    class Mean(torch.nn.Module):
        """In the place of a model of torchmil."""

        def __init__(self, in_shape):
            super().__init__()
            self.unit = torch.nn.Linear(in_shape[0], 1)

        def compute_loss(self, Y, X):
            shapes.add(tuple(X.shape))
            loss = torch.nn.functional.binary_cross_entropy_with_logits
            logit = self.unit(X).mean(dim=1).squeeze(1)
            return logit, {"loss": loss(logit, Y)}

        def predict(self, X, return_inst_pred):
            units = self.unit(X).squeeze(2)
            return units.mean(dim=1), units

    models = types.SimpleNamespace(ABMIL=Mean, DSMIL=Mean)
    monkeypatch.setitem(sys.modules, "torchmil", types.SimpleNamespace(models=models))
    monkeypatch.setitem(sys.modules, "torchmil.models", models)
    task = tasks.load("vad_ped2")
    train, test = task.folds[0]
    state = torch.random.get_rng_state()
    for name in ("ABMIL", "DSMIL"):
        model = networks.Peer(name, 0).fit([task.bags[i] for i in train], task.y[train])
        scores = model.score_units([task.bags[i] for i in test])
        assert [s.shape for s in scores] == [(32,)] * 4
        if name == "ABMIL":  # attention of a bag adds up to the bag's probability
            logits = model.decision_function([task.bags[i] for i in test])
            assert_allclose([s.sum() for s in scores], 1 / (1 + np.exp(-logits)), rtol=1e-4)
    assert shapes == {(1, 32, 6)}
    assert torch.equal(state, torch.random.get_rng_state())


def light(views, seed):
    """The classifier with fewer heads and references than by default."""
    options = {"relation": "correlation", "pooling": "both", "random_state": seed}
    return LEGOAnomalyClassifier(views, **options)


def test_results_are_kept_and_the_page_says_what_they_say(folder, monkeypatch, capsys):
    monkeypatch.setattr(methods, "VIDEO_METHODS", ("legofuse", methods.ALONE, "propagated"))
    monkeypatch.setattr(methods, "MIL_METHODS", ("propagated", "absent"))
    monkeypatch.setattr(methods, "ours", light)
    monkeypatch.setitem(methods.METHODS, "legofuse", methods.Method("legofuse", light, "legofuse"))
    absent = methods.Method("absent", None, "no_such_package")
    monkeypatch.setitem(methods.METHODS, "absent", absent)
    out, where = str(folder / "video.jsonl"), str(folder / "page.md")
    assert main(["--seeds", "2", "--out", out]) == 0
    shown = capsys.readouterr()
    assert "no_such_package is not installed" in shown.err
    records = runs.read(out)
    # legofuse on all and on each of two views, two seeds each; a baseline without a seed
    assert len(records) == 2 * (2 * 3 + 1) + 1
    ours = [r for r in records if r["method"] == "legofuse"]
    assert all(r["heads"] for r in ours)
    assert main(["--seeds", "2", "--out", out]) == 0
    assert len(runs.read(out)) == len(records)  # nothing is computed twice

    assert main(["--report", where, "--out", out]) == 0
    text = Path(where).read_text()
    mean = np.mean([r["frame AUC"] for r in ours if r["set"] == "vad_ped2"])
    assert f"| legofuse | {mean:.3f} ±" in text
    assert "legofuse, motion alone" in text
    assert "`mil_newsgroup_hockey`" in text


def test_without_data_the_command_says_what_to_set(monkeypatch, capsys):
    monkeypatch.delenv("LEGOFUSE_DATA", raising=False)
    with pytest.raises(SystemExit):
        main([])
    assert "LEGOFUSE_DATA" in capsys.readouterr().err
