"""Claim: leave-one-out weights of 83 terms are learned sooner than EasyMKL's, in less memory.

Six views of Multiple Features, total degree 3: 83 terms, 2000 rows, 500 landmarks; seconds and peak
memory above the data with ``max_fit_samples`` 1000 and 2000, beside MKLpy's EasyMKL given the same
83 kernels of the same rows, where MKLpy is installed (benchmarks/requirements-peers.txt). It runs
in a process of its own, ended where it would take the machine's last memory; figures are lower
bounds then.

    python benchmarks/loo_beats_easymkl.py [1000 2000]     # rows of EasyMKL

The data come from the folder that LEGOFUSE_DATA names (mv_mfeat.npz), else from OpenML.
"""

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import ENGINES, claim, clock
from benchmarks.quality.run import PeakMemory
from legofuse import LEGOFusionTransformer, datasets
from legofuse.config import available_memory, config_context
from legofuse.fusion import exponents
from legofuse.relations import cosine

SPARE = 3 << 30  # bytes that EasyMKL must leave to the rest of the machine


def load():
    """Multiple Features: (2000, 649), six views."""
    path = Path(os.environ.get("LEGOFUSE_DATA", "."), "mv_mfeat.npz")
    data = datasets.load_npz(path) if path.exists() else datasets.fetch_mfeat()
    return np.asarray(data.X, float), np.unique(data.y, return_inverse=True)[1], data.views


def learn_legofuse(X, y, views, n_rows, engine="numpy"):
    """Seconds and MB of a fit that learns the weights on ``n_rows`` rows."""
    options = {"relation": "cosine", "degree": 3, "n_landmarks": 500, "random_state": 0}
    model = LEGOFusionTransformer(views, max_fit_samples=n_rows, **options)
    with PeakMemory() as memory, config_context(engine=engine):
        start = clock()
        model.fit(X, y)
        seconds = clock() - start
    assert len(model.weights_) == 83
    return seconds, memory.peak_mb, model.n_iter_


def learn_easymkl(X, y, views, n_rows):
    """The same for EasyMKL, the computation of the 83 kernels included."""
    from MKLpy.algorithms import EasyMKL
    from torch import from_numpy

    rows = np.random.default_rng(0).permutation(len(y))[:n_rows]
    with PeakMemory() as memory:
        start = clock()
        relations = [cosine(X[rows][:, part], X[rows][:, part]) for part in views.values()]
        kernels = []
        for a in exponents(len(relations), 3, "total"):
            kernel = np.ones((n_rows, n_rows))
            for relation, p in zip(relations, a, strict=True):
                if p:
                    kernel *= relation**p
            kernels.append(from_numpy(kernel))
        EasyMKL(lam=0.1).fit(kernels, y[rows])
        seconds = clock() - start
    return seconds, memory.peak_mb


def watch_easymkl(n_rows):
    """Run EasyMKL in a process of its own, ended where it would take the machine's last memory.

    Returns seconds, MB, and whether it came to its end; where it did not, both are lower bounds.
    """
    command = [sys.executable, __file__, str(n_rows), "easymkl"]
    before, most = os.times(), 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            time.sleep(0.1)
            most = max(most, resident_mb(process.pid))
            if (available_memory() or SPARE) < SPARE:
                process.kill()
                process.wait()
                taken = [b - a for a, b in zip(before, os.times(), strict=True)]  # as clock counts
                one_thread = clock is time.process_time
                return taken[2] + taken[3] if one_thread else taken[4], most, False
        found = process.stdout.read().split()
    if process.returncode:
        raise SystemExit(f"EasyMKL failed with exit status {process.returncode}")
    return float(found[-2]), float(found[-1]), True


def resident_mb(pid):
    """Memory of a process (Linux)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(li.split()[1]) / 1024 for li in lines if li.startswith("RssAnon:")), 0.0)


def main(beside):
    """Print the table and the claims, those beside EasyMKL for as many rows, where it is there."""
    X, y, views = load()
    ours = {}
    for engine in reversed(ENGINES):  # claims are those of numpy, the last
        learn_legofuse(X[::10], y[::10], views, 200, engine)  # imports and plans are made once
        for n_rows in (1000, 2000):
            ours[n_rows] = seconds, peak, n_iter = learn_legofuse(X, y, views, n_rows, engine)
            print(f"legofuse by {engine}, weights on {n_rows} of 2000 rows: {seconds:6.1f} s, "
                  f"{peak} MB above the data, {n_iter} iterations", flush=True)  # fmt: skip
    for n_rows, limits in {1000: (5, 400), 2000: (20, 600)}.items():
        for figure, limit, unit in zip(ours[n_rows], limits, ("seconds", "MB"), strict=False):
            claim(figure, f"{unit} of learning 83 weights on {n_rows} rows", at_most=limit)
    if find_spec("MKLpy") is None:
        print("MKLpy is not installed, see benchmarks/requirements-peers.txt")
        return
    for n_rows in beside:
        seconds, peak, ended = watch_easymkl(n_rows)
        print(f"EasyMKL, the same 83 kernels of {n_rows} rows: {seconds:6.1f} s, {peak:.0f} MB"
              f"{'' if ended else ' when it was ended for want of memory'}")  # fmt: skip
        least = "" if ended else ", a lower bound: ended for want of memory"
        what = f"EasyMKL / leave-one-out, 83 terms, {n_rows} rows each{least}"
        claim(peak / ours[n_rows][1], f"memory, {what}", at_least=20)
        claim(seconds / ours[n_rows][0], f"time, {what}", at_least=10)


if __name__ == "__main__":
    if sys.argv[2:] == ["easymkl"]:
        print(*learn_easymkl(*load(), int(sys.argv[1])))
    else:
        main(tuple(map(int, sys.argv[1:])) or (1000, 2000))
