"""What callbacks of scikit-learn, and those who read along, hear of a fit on bags."""

import contextlib
import io

import numpy as np
import pytest

from legofuse import LEGOAnomalyClassifier

RNG = np.random.RandomState(0)
Y = np.arange(30) % 2
BAGS = [RNG.normal(size=(4, 4)) + label for label in Y]
DEFAULTS = {"relation": "gaussian", "n_references": 10, "random_state": 0}
STAGES = ["read", "prepare", "fit heads"]


def make(**options):
    return LEGOAnomalyClassifier(2, **DEFAULTS | options)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, [f"fold {k}" for k in range(1, 6)]),
        ({"n_ensemble": 2}, [f"fold {k}" for k in range(1, 6)] * 2),
        (
            {"head": "net", "reference": "landmarks", "max_epochs": 3},
            [f"epoch {k}" for k in range(1, 4)],
        ),
        ({"head": "net", "max_epochs": 2, "pooling": "both"}, ["epoch 1", "epoch 2"]),
    ],
    ids=["linear", "ensemble", "net", "both"],
)
def test_callbacks_hear_of_stages_and_steps(options, steps, recorder):
    pytest.importorskip("sklearn.callback")
    make(**options).set_callbacks(recorder).fit(BAGS, Y)
    heard = [f"{what} {stage}" for stage in STAGES[:2] for what in ("begin", "end")]
    inside = [f"{what} {step}" for step in steps for what in ("begin", "end")]
    last = ["begin fit heads", *inside, "end fit heads"]
    assert recorder.heard == ["setup", "begin fit", *heard, *last, "end fit", "teardown"]


def test_callbacks_hear_of_training_bit_by_bit_and_of_errors(recorder):
    pytest.importorskip("sklearn.callback")
    model = make(head="net").set_callbacks(recorder)
    model.partial_fit(BAGS, Y).partial_fit(BAGS, Y)
    assert recorder.heard.count("begin fit heads") == 2
    before = dict(vars(model))
    with pytest.raises(ValueError, match="30 bags but 29 labels"):
        model.partial_fit(BAGS, Y[1:])
    assert recorder.heard[-1] == "teardown"
    assert vars(model) == before


@pytest.mark.parametrize("head", ["linear", "net"])
def test_progress_bar(head):
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        make(head=head).set_callbacks(callback.ProgressBar()).fit(BAGS, Y)
    assert "LEGOAnomalyClassifier" in shown.getvalue()


def test_ctrl_c_leaves_nothing_half_fitted(recorder):
    """An interrupt in the midst of the folds."""
    pytest.importorskip("sklearn.callback")

    class Interrupt(type(recorder)):
        def on_fit_task_end(self, estimator, context, **kwargs):
            if context.task_name == "fold 3":
                raise KeyboardInterrupt

    model = make().set_callbacks(Interrupt())
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(BAGS, Y)
    assert vars(model) == before


def test_verbose_prints_a_line_for_each_stage_and_head(capsys):
    make().fit(BAGS, Y)
    assert capsys.readouterr().out == ""
    model = make(verbose=1).fit(BAGS, Y)
    lines = capsys.readouterr().out.splitlines()
    stages = [line for line in lines if line.startswith("[LEGOAnomalyClassifier]")]
    assert [line.split("/3 ")[1].split(":")[0] for line in stages] == STAGES
    assert len(lines) == 3 + len(model.held_out_losses_)
    make(verbose=2, head="net", reference="landmarks", max_epochs=4).fit(BAGS, Y)
    assert "train_loss" in capsys.readouterr().out
