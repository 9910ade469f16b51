"""Claim: a fused graph of many terms costs about what computing the relations costs.

Two views, powers up to 8 (80 terms), 8000 x 1000 float32, against one float32 GEMM of 300 features
and the same output; and six views at total degree 3 (83 terms) against the six GEMMs. Also the
literal double loop, and the memory taken above the relations, in units of the output.

    python benchmarks/fused_graph_costs_like_one_gemm.py
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.quality.run import PeakMemory
from legofuse.fusion import exponents, fuse

ROWS, REFERENCES, FEATURES, REPEATS = 8000, 1000, 300, 7


def best_seconds(work, repeats=REPEATS):
    """Shortest of several runs: what the machine can do when nobody else uses it."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def double_loop(relations, powers, weights):
    """Term by term, as the formula is written."""
    total = np.zeros_like(relations[0])
    for a, weight in zip(powers, weights, strict=True):
        term = np.full_like(total, weight)
        for relation, p in zip(relations, a, strict=True):
            term *= relation ** np.float32(p)
        total += term
    return total


def measure(n_views, degree, interactions):
    """Print the figures of one case; returns fused time / time of the GEMMs."""
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
    gemm = best_seconds(gemms)
    fused = best_seconds(lambda: fuse(relations, powers, weights, out=out))
    part = [r[: ROWS // 20] for r in relations]
    loop = 20 * best_seconds(lambda: double_loop(part, powers, weights), 1)
    np.testing.assert_allclose(out[: ROWS // 20], double_loop(part, powers, weights), rtol=1e-3)
    with PeakMemory() as memory:
        result = fuse(relations, powers, weights)
    print(f"{n_views} views, {len(powers)} terms, {ROWS} x {REFERENCES} float32")
    print(f"  {n_gemms} GEMM(s) of {FEATURES} features  {gemm:8.3f} s")
    print(f"  fused graph                 {fused:8.3f} s  = {fused / gemm:.2f} x the GEMM(s)")
    print(f"  literal double loop         {loop:8.1f} s  = {loop / fused:.0f} x the fused graph "
          "(a twentieth of the rows, scaled up)")  # fmt: skip
    if memory.peak_mb is not None:
        peak, ratio = memory.peak_mb, memory.peak_mb / (result.nbytes / 2**20)
        print(f"  memory, output included     {peak:8.0f} MB = {ratio:.2f} x the output")
    return fused / gemm


if __name__ == "__main__":
    two = measure(2, 8, "pairwise")
    six = measure(6, 3, "total")
    print(f"ratio: {two:.2f} (two views), {six:.2f} (six views)")
