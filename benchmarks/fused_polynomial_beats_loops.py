"""Claim: fusing is hundreds of times faster than the literal double loop over powers.

Two views, powers up to 8 (80 terms), 8000 x 1000 float32: ``G += A[p, q] * a**p * b**q``, weights
of the relations' dtype, beside `legofuse.fusion.fuse`; and beside a loop that multiplies powers up
instead. Relations are signed, as cosines and correlations are; numpy's power of positive float32
numbers is much faster than that of signed ones, so that case is printed too.

    python benchmarks/fused_polynomial_beats_loops.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import best_seconds, claim
from legofuse.fusion import exponents, fuse

ROWS, REFERENCES, DEGREE, SHARE = 8000, 1000, 8, 20


def literal(a, b, A):
    """The formula as it is written."""
    G = np.zeros_like(a)
    for p in range(DEGREE + 1):
        for q in range(DEGREE + 1):
            G += A[p, q] * a**p * b**q
    return G


def cumulative(a, b, A):
    """The same, each power from the one before."""
    G, power_of_a = np.zeros_like(a), np.ones_like(a)
    for p in range(DEGREE + 1):
        power_of_b = np.ones_like(b)
        for q in range(DEGREE + 1):
            G += A[p, q] * power_of_a * power_of_b
            power_of_b = power_of_b * b
        power_of_a = power_of_a * a
    return G


def main():
    """Print seconds and the two ratios; the slowest loop runs on a part of the rows, scaled up."""
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(-1, 1, (ROWS, REFERENCES)).astype(np.float32) for _ in range(2))
    A = rng.uniform(0, 1, (DEGREE + 1, DEGREE + 1)).astype(np.float32)
    A[0, 0] = 0  # the constant is no term
    powers = exponents(2, DEGREE, "pairwise")
    weights, out = A[powers[:, 0], powers[:, 1]], np.empty_like(a)
    fused = best_seconds(lambda: fuse([a, b], powers, weights, out=out))
    part = a[: ROWS // SHARE], b[: ROWS // SHARE]
    np.testing.assert_allclose(out[: ROWS // SHARE], literal(*part, A), rtol=1e-3, atol=1e-4)
    loop = SHARE * best_seconds(lambda: literal(*part, A), 2)
    growing = best_seconds(lambda: cumulative(a, b, A), 3)
    positive = best_seconds(lambda: literal(np.abs(a), np.abs(b), A), 2)
    print(f"2 views, {len(powers)} terms, {ROWS} x {REFERENCES} float32")
    print(f"  fused                                 {fused:8.3f} s")
    print(f"  literal double loop                   {loop:8.2f} s (on 1/{SHARE} of the rows)")
    print(f"  literal double loop, positive entries {positive:8.2f} s = {positive / fused:.0f} x")
    print(f"  loop with powers multiplied up        {growing:8.2f} s")
    claim(loop / fused, "literal double loop / fused polynomial", at_least=300)
    claim(growing / fused, "loop with powers multiplied up / fused polynomial", at_least=5)


if __name__ == "__main__":
    main()
