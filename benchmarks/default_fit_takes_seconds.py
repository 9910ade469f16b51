"""Claim: a default fit of 2000 rows and six views takes at most ten seconds on two cores.

Multiple Features, all of it; weights are learned on 1000 rows, the default. The shorter of two
fits, and of two transforms.

    python benchmarks/default_fit_takes_seconds.py

The data come from the folder that LEGOFUSE_DATA names (mv_mfeat.npz), else from OpenML.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import best_seconds, claim
from benchmarks.loo_beats_easymkl import load
from legofuse import LEGOFusionTransformer

if __name__ == "__main__":
    X, y, views = load()
    model = LEGOFusionTransformer(views, random_state=0)
    fit = best_seconds(lambda: model.fit(X, y), repeats=2)
    print(f"{len(model.graphs_)} graphs, {len(model.weights_)} terms, {model.n_iter_} iterations")
    print(f"transform {best_seconds(lambda: model.transform(X), repeats=2):8.2f} s")
    claim(fit, f"seconds of a default fit of {len(X)} rows, {len(views)} views", at_most=10)
    claim(
        best_seconds(lambda: model.fit(X), repeats=2), "seconds of the same without y", at_most=10
    )
