"""The curves: name, sizes, and what is timed at each size."""

import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from benchmarks._claims import best_seconds
from legofuse import LEGOAnomalyClassifier, LEGOFusionTransformer

FEATURES, VIEWS, COMPONENTS = 64, 3, 100


def rows(n_rows, n_features, path=None, dtype=np.float32, block=20_000):
    """Random rows with classes that depend on two views, in memory or in a file."""
    rng = np.random.default_rng(0)
    shape = n_rows, n_features
    if path is None:
        X = np.empty(shape, dtype)
    else:
        X = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    for start in range(0, n_rows, block):
        part = X[start : start + block]
        part[:] = rng.standard_normal(part.shape, dtype=dtype)
    y = (X[:, 0] * X[:, -1] > 0).astype(np.int8)
    if path is not None:
        X.flush()
        X = np.load(path, mmap_mode="r")
    return X, y


def model(n_views=VIEWS, **parameters):
    """One relation a view and 500 landmarks, so that sizes mean the same in every curve."""
    defaults = {"relation": "correlation", "n_landmarks": 500, "n_components": COMPONENTS}
    return LEGOFusionTransformer(n_views, random_state=0, **(defaults | parameters))


def seconds(work):
    """Seconds of one run."""
    return best_seconds(work, 1)


class PeakMemory(threading.Thread):
    """Largest memory within a block above what it was before, in MB, pages of files left out.

    Asked for every 2 ms (Linux; None elsewhere).
    """

    peak_mb = None

    def __enter__(self):
        self.daemon, self.done = True, threading.Event()
        self.before = self.most = self._anonymous()
        if self.before is not None:
            self.start()
        return self

    def run(self):
        while not self.done.wait(0.002):
            self.most = max(self.most, self._anonymous())

    def __exit__(self, *_):
        self.done.set()
        if self.before is not None:
            self.join()
            self.peak_mb = round((max(self.most, self._anonymous()) - self.before) / 1024, 1)

    @staticmethod
    def _anonymous():
        status = Path("/proc/self/status")
        lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
        return next((int(li.split()[1]) for li in lines if li.startswith("RssAnon:")), None)


def against_rows(n_rows, path=None, dtype=np.float32):
    """Seconds of fit and transform, and memory above the input with the output included.

    Learning weights takes the same time for any number of rows above ``max_fit_samples``, so a fit
    with uniform weights is timed as well: what of a fit grows with its rows.
    """
    X, y = rows(n_rows, VIEWS * FEATURES, path, dtype)
    fusion, reading = model(), model(weights="uniform", max_fit_samples=100)
    fusion.fit(X[:1000], y[:1000]).transform(X[:1000])
    figures = {"fit, uniform weights": best_seconds(lambda: reading.fit(X, y), 2)}
    with PeakMemory() as fitting:
        figures["fit"] = seconds(lambda: fusion.fit(X, y))
    with PeakMemory() as transforming:
        figures["transform"] = seconds(lambda: fusion.transform(X))
    peaks = [p.peak_mb for p in (fitting, transforming) if p.peak_mb is not None]
    return figures | ({"peak_mb": max(peaks)} if peaks else {})


def mapped_rows(n_rows):
    """The same for a memory-mapped file."""
    with tempfile.TemporaryDirectory() as folder:
        return against_rows(n_rows, Path(folder, "X.npy"))


def double_rows(n_rows):
    """The same in float64."""
    return against_rows(n_rows, dtype=np.float64)


def transforming(n_rows=20_000, n_views=2, n_features=64, **parameters):
    """Seconds of a transform, given weights so that nothing is learned."""
    X, y = rows(n_rows, n_views * n_features)
    fusion = model(n_views, weights="uniform", **parameters).fit(X[:2000], y[:2000])
    return {"transform": best_seconds(lambda: fusion.transform(X), 3)}


def against_landmarks(n_landmarks):
    return transforming(n_landmarks=n_landmarks)


def against_views(n_views):
    return transforming(n_views=n_views, n_landmarks=200)


def against_degree(degree):
    return transforming(degree=degree, interactions="pairwise", n_landmarks=200)


def against_units(n_units, n_bags=50):
    """Seconds of scoring the units of bags."""
    rng = np.random.default_rng(0)
    train = [rng.standard_normal((8, 64)) for _ in range(60)]
    y = np.arange(60) % 2
    for bag, label in zip(train, y, strict=True):
        bag[0] += 2 * label
    detector = LEGOAnomalyClassifier(2, pooling="units", random_state=0)
    if "reference" in detector.get_params():  # the bag's own graph costs the square of its units
        detector.set_params(reference="landmarks")
    detector.fit(train, y)
    bags = [rng.standard_normal((n_units, 64)) for _ in range(n_bags)]
    return {"score_units": best_seconds(lambda: detector.score_units(bags), 3)}


CURVES = {
    "rows": ("number of rows", against_rows, [10_000, 30_000, 100_000, 300_000, 1_000_000]),
    "landmarks": ("n_landmarks", against_landmarks, [50, 100, 200, 400, 800, 1600]),
    "views": ("number of views", against_views, [1, 2, 4, 8, 16]),
    "degree": ("degree", against_degree, [1, 2, 3, 4, 6, 8, 12]),
    "units": ("units a bag", against_units, [16, 32, 64, 128, 256, 512]),
}


def slope(sizes, taken):
    """Slope of the least-squares line in log-log coordinates."""
    return float(np.polyfit(np.log(sizes), np.log(taken), 1)[0])


def measure(name, out=sys.stdout):
    """Measure one curve: {"sizes": [...], figure: [...]}."""
    title, work, sizes = CURVES[name]
    found = {"title": title, "sizes": sizes}
    for size in sizes:
        figures = work(size)
        for key, value in figures.items():
            found.setdefault(key, []).append(value)
        text = ", ".join(f"{key} {value:.3f}" for key, value in figures.items())
        print(f"  {title} {size}: {text}", file=out, flush=True)
    return found
