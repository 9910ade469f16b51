"""What several test files share: bags, a callback that listens, and global state that must stay."""

import sys
from contextlib import contextmanager

import numpy as np
import pytest

THREADS = 2  # of torch in a test: fits take one, which must not stay


def numpy_state():
    """All of the global generator: its words, how many are used, the spare normal number."""
    name, words, *rest = np.random.mtrand._rand.get_state()
    return name, words.tobytes(), *rest


@pytest.fixture(autouse=True)
def global_state_stays(request):
    """No test, and so nothing it calls, moves a global generator or a number of threads."""
    torch = sys.modules.get("torch")
    before = numpy_state()
    if torch is not None:
        torch_before = torch.get_rng_state()
        torch.set_num_threads(THREADS)
    yield
    if request.node.get_closest_marker("others_draw") is None:
        assert numpy_state() == before
        assert torch is None or torch.equal(torch_before, torch.get_rng_state())
    if torch is not None:
        assert torch.get_num_threads() == THREADS
        assert torch.is_grad_enabled()


@pytest.fixture(autouse=True)
def figures_are_closed():
    """What one test draws, no other finds open."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.fixture(scope="session")
def timed_bags():
    """A maker of ragged bags with positions; in anomalous ones a run of units is shifted."""

    def make_bags(n_bags=40, seed=0, missing=False):
        rng = np.random.RandomState(seed)
        y = np.arange(n_bags) % 2
        bags = []
        for label in y:
            n = rng.randint(3, 9)
            bag = np.column_stack([rng.normal(size=(n, 5)), np.arange(n) / n])
            bag[: n // 2, :3] += 2 * label
            if missing:
                bag[-1, 3:5] = np.nan
            bags.append(bag)
        return bags, y

    return make_bags


class Recorder:
    """A callback that writes down what it hears of."""

    def __init__(self):
        self.heard = []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.heard.append(f"begin {context.task_name}")

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.heard.append(f"end {context.task_name}")


@pytest.fixture
def recorder():
    """A callback that writes down what it hears of, in ``heard``."""
    return Recorder()


def _default(set_to, value, usual):
    """Set one of torch's defaults for a while."""

    @contextmanager
    def setting():
        set_to(value)
        try:
            yield
        finally:
            set_to(usual)

    return setting


@pytest.fixture(
    params=["no_grad", "inference_mode", "float64", "bfloat16", "default_device", "autocast"]
)
def torch_mode(request):
    """What a caller may have set of torch, as a context that can be entered again."""
    torch = pytest.importorskip("torch")
    return {
        "no_grad": torch.no_grad,
        "inference_mode": torch.inference_mode,
        "float64": _default(torch.set_default_dtype, torch.float64, torch.float32),
        "bfloat16": _default(torch.set_default_dtype, torch.bfloat16, torch.float32),
        "default_device": _default(torch.set_default_device, "meta", None),
        "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    }[request.param]
