"""Claim: a fused graph of many terms costs about what computing the relations costs.

Two views, powers up to 8 (80 terms), 8000 x 1000 float32, against one float32 GEMM of 300 features
and the same output; and six views at total degree 3 (83 terms) against the six GEMMs. By numpy, and
compiled by numba where it is installed (what compiling took is printed, it is not counted). Also
the memory taken above the relations, in units of the output.

    python benchmarks/fused_graph_costs_like_one_gemm.py
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import ENGINES, best_of_each, claim
from benchmarks.quality.run import PeakMemory
from legofuse.config import config_context
from legofuse.fusion import exponents, fuse

ROWS, REFERENCES, FEATURES = 8000, 1000, 300


def measure(n_views, degree, interactions):
    """Print the figures of one case."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((ROWS, FEATURES), dtype=np.float32) for _ in range(n_views)]
    Z = [x[:REFERENCES].copy() for x in X]
    out = np.empty((ROWS, REFERENCES), np.float32)
    n_gemms = 1 if n_views == 2 else n_views

    def gemms():
        for x, z in zip(X[:n_gemms], Z, strict=False):
            np.matmul(x, z.T, out=out)

    relations = [rng.uniform(0.1, 1, out.shape).astype(np.float32) for _ in range(n_views)]
    powers = exponents(n_views, degree, interactions)
    weights = rng.uniform(0, 1, len(powers))

    def fused_by(engine):
        with config_context(engine=engine):
            return fuse(relations, powers, weights, out=out)

    start = time.perf_counter()
    fused_by(ENGINES[-1])
    first = time.perf_counter() - start
    works = [lambda engine=engine: fused_by(engine) for engine in ENGINES]
    gemm, *fused = best_of_each([gemms, *works])
    print(f"{n_views} views, {len(powers)} terms, {ROWS} x {REFERENCES} float32")
    print(f"  {n_gemms} GEMM(s) of {FEATURES} features  {gemm:8.3f} s")
    for engine, seconds in zip(ENGINES, fused, strict=True):
        print(f"  fused graph by {engine}        {seconds:8.3f} s  = {seconds / gemm:.2f} x")
    if len(ENGINES) > 1:
        print(f"  numba's first call          {first:8.3f} s")
    with PeakMemory() as memory:
        result = fuse(relations, powers, weights)
    peak, size = memory.peak_mb, result.nbytes / 2**20
    if peak is not None:
        print(f"  memory, output included     {peak:8.0f} MB = {peak / size:.2f} x the output")
        claim(peak / size - 1, f"memory above the output / output, {n_views} views", at_most=2)
    for engine, seconds in zip(ENGINES, fused, strict=True):
        claim(seconds / gemm, f"fused graph by {engine} / GEMM, {n_views} views", at_most=2)


if __name__ == "__main__":
    measure(2, 8, "pairwise")
    measure(6, 3, "total")
