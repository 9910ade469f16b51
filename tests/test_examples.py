"""Every example runs to its end, without a warning, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    if "sklearn.callback" in path.read_text(encoding="utf-8"):
        pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 has callbacks")
        pytest.importorskip("rich")
    environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(path.parent.parent)}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the matrices are small
    # What plt.show says where there is no screen is none of the example's business.
    quiet = ["-W", "error", "-W", "ignore:FigureCanvasAgg is non-interactive:UserWarning"]
    command = [sys.executable, *quiet, str(path)]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_fits_on_a_page(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 100
