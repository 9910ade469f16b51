"""Claim: blocks of the chosen size transform about as fast as blocks of any other size.

20000 rows of two views of 64 features, float32, 500 landmarks, degree 2, cosine, embedded in 100
components, in blocks of 2**14 to 2**24 numbers of relations. The last lines are the chosen size
over the best one, and what transform takes in memory above its output.

    python benchmarks/blocks_fit_the_cache.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import claim, clock
from benchmarks.scaling.curves import PeakMemory
from legofuse import LEGOFusionTransformer, fused

ROWS, FEATURES, POWERS, REPEATS = 20_000, 128, range(14, 25, 2), 5


def seconds(model, X, size):
    """Seconds of a transform in blocks of as many numbers."""
    fused._BLOCK_SIZE = size
    start = clock()
    model.transform(X)
    return clock() - start


def main():
    """Print the seconds of each size; sizes take turns, so that all see the machine alike."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, FEATURES), dtype=np.float32)
    y, chosen = rng.integers(0, 3, ROWS), fused._BLOCK_SIZE
    options = {"relation": "cosine", "n_landmarks": 500, "n_components": 100, "random_state": 0}
    model = LEGOFusionTransformer(2, **options)
    model.fit(X[:2000], y[:2000])
    sizes = sorted({chosen, *(1 << power for power in POWERS)})
    found = {size: [] for size in sizes}
    for _ in range(REPEATS):
        for size in sizes:
            found[size].append(seconds(model, X, size))
    took = {size: min(times) for size, times in found.items()}
    fused._BLOCK_SIZE = chosen
    for size in sizes:
        rows = fused.block_rows(500, 2) if size == chosen else max(64, size // 1500)
        mark = "  chosen" if size == chosen else ""
        print(f"2**{size.bit_length() - 1} numbers, {rows:5d} rows  {took[size]:7.3f} s{mark}")
    with PeakMemory() as memory:
        out = model.transform(X)
    claim(took[chosen] / min(took.values()), "chosen block size / best size", at_most=1.2)
    if memory.peak_mb is not None:
        above = memory.peak_mb - out.nbytes / 2**20
        claim(above, "MB that transform takes above its output", at_most=64)


if __name__ == "__main__":
    main()
