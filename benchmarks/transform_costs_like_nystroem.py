"""Claim: transforming two views at degree 2 costs about what Nystroem costs on one kernel.

20000 rows of two views of 128 features, float32, 500 landmarks, 500 components: ``transform``
beside that of scikit-learn's ``Nystroem(kernel="rbf")`` on all 256 columns. One relation a view,
and the default ``relation="auto"``, which has several graphs a view; polynomials by numpy, and
compiled by numba where it is installed; then the same rows through threads.

    python benchmarks/transform_costs_like_nystroem.py
"""

import sys
import time
from pathlib import Path

import numpy as np
from sklearn.kernel_approximation import Nystroem

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import ENGINES, best_of_each, claim
from legofuse import LEGOFusionTransformer
from legofuse.config import config_context

ROWS, FEATURES, LANDMARKS, DEGREE = 20_000, 256, 500, 2


def transform(model, X, engine):
    """Features by one of the engines."""
    with config_context(engine=engine):
        return model.transform(X)


def main():
    """Print seconds of each; the last line is the ratio for one relation a view."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, FEATURES), dtype=np.float32)
    y, train = rng.integers(0, 3, ROWS), slice(0, 2000)
    models = {"Nystroem": Nystroem(n_components=LANDMARKS, random_state=0).fit(X[train])}
    for relation in ("cosine", "correlation", "auto"):
        models[relation] = LEGOFusionTransformer(
            2, relation=relation, degree=DEGREE, n_landmarks=LANDMARKS, random_state=0
        ).fit(X[train], y[train])
    kinds = [("Nystroem", "numpy")]
    kinds += [(name, engine) for name in list(models)[1:] for engine in ENGINES]
    works = [lambda name=name, by=by: transform(models[name], X, by) for name, by in kinds]
    for work in works[1:]:
        work()  # compiles
    base, *ours = best_of_each(works, 5)
    shapes = {model.transform(X[:2]).shape[1] for model in models.values()}
    print(f"{ROWS} x {FEATURES} float32, two views, degree {DEGREE}, {shapes} features out")
    print(f"  Nystroem(kernel='rbf') on all columns  {base:7.3f} s")
    slowest = dict.fromkeys(ENGINES, 0.0)
    for (name, engine), taken in zip(kinds[1:], ours, strict=True):
        n_graphs, n_terms = len(models[name].graphs_), len(models[name].terms_)
        print(f"  relation={name!r:14} {n_graphs:2d} graphs, {n_terms:2d} terms, {engine} "
              f"{taken:7.3f} s = {taken / base:.2f} x")  # fmt: skip
        if name != "auto":
            slowest[engine] = max(slowest[engine], taken)
    threads = models["cosine"].set_params(n_jobs=2)
    one, two = best_of_each([works[1], lambda: threads.transform(X)], 5, clock=time.perf_counter)
    print(f"  relation='cosine', n_jobs=2, by a clock {two:7.3f} s = {two / one:.2f} x one thread")
    for engine, taken in slowest.items():
        what = f"transform by {engine} / Nystroem, one relation a view"
        claim(taken / base, what, at_most=1.5)


if __name__ == "__main__":
    main()
