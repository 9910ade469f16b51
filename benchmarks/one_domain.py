"""Time of fit and transform with one domain told, over that with none.

Run as ``python benchmarks/one_domain.py [repeats]`` on an idle machine. Medians of alternating
runs; both standardise by the same statistics, and their results are compared bit by bit.
"""

import sys
import time

import numpy as np
from sklearn.datasets import make_classification

from legofuse import LEGOFusionTransformer

TARGET = 1.05


def measure(X, y, **options):
    """Seconds of fit and transform, and the result."""
    model = LEGOFusionTransformer(4, relation="correlation", random_state=0)
    start = time.perf_counter()
    Z = model.fit(X, y, **options).transform(X, **options)
    return time.perf_counter() - start, Z


def main(repeats=5):
    """Print the ratio and whether results are equal."""
    X, y = make_classification(4000, 200, n_informative=20, random_state=0)
    one = {"sample_domain": np.zeros(len(y), int)}
    measure(X[:300], y[:300])
    seconds = {"none": [], "one": []}
    for _ in range(repeats):
        for name, options in (("none", {}), ("one", one)):
            spent, Z = measure(X, y, **options)
            seconds[name].append(spent)
            if name == "none":
                first = Z
    ratio = np.median(seconds["one"]) / np.median(seconds["none"])
    print(f"bit-identical: {np.array_equal(first, Z)}")
    print(f"one domain / none: {ratio:.3f} (target {TARGET})")
    return ratio


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
