"""Sets, fixed splits and perturbations. Knows no method."""

import os
import zlib
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from legofuse import datasets

from .missing import remove_blocks

BUILT_IN = {"digits_views": datasets.load_digits_views}
OPENML = {
    "openml_mfeat": datasets.fetch_mfeat,
    "openml_internet_ads": datasets.fetch_internet_ads,
    "openml_har": datasets.fetch_har,
    "openml_gas_drift": datasets.fetch_gas_drift,
}
FAMILIES = {
    "mv": "multi-view sets",
    "omics": "multi-omics sets",
    "mm": "multi-modal sets",
    "digits": "built-in sets",
    "openml": "OpenML sets",
}
PUBLISHED = ("mv_pie10", "mv_mfeat", "mv_cub_image_text")
QUICK = ("digits_views", "mv_msrc5", "mv_3sources", "mv_proteinfold", "omics_*")
MAX_TRAIN = 900
PREFIXES = {"published": "p", "fresh": "f"}  # of the names of splits


@dataclass
class Data:
    """One multi-view set: blocks of the same rows, classes, and the split its file names."""

    name: str
    views: dict
    y: np.ndarray
    given: tuple | None = None


@dataclass
class Task:
    """One split of one set, ready for any method: imputed where only part of a block is NaN."""

    train: list
    y_train: np.ndarray
    test: list
    y_test: np.ndarray
    names: list = field(default_factory=list)


def family(name):
    """The part of a set's name before its first underscore."""
    return name.partition("_")[0]


def available(patterns=("*",)):
    """Names of the sets that are here and match any of the patterns, files first."""
    names = []
    folder = os.environ.get("LEGOFUSE_DATA")
    if folder:
        files = sorted(Path(folder).glob("*.npz"))
        names += [f.stem for f in files if family(f.stem) in ("mv", "omics", "mm")]
    names += list(BUILT_IN)
    wanted = [n for n in names if any(fnmatch(n, p) for p in patterns)]
    # OpenML sets take part when named: their first use downloads them
    return wanted + [n for n in OPENML if any(fnmatch(n, p) for p in patterns if p != "*")]


def load(name):
    """Read a set by name."""
    if name in BUILT_IN or name in OPENML:
        bunch = {**BUILT_IN, **OPENML}[name]()
    else:
        bunch = datasets.load_npz(Path(os.environ["LEGOFUSE_DATA"], f"{name}.npz"))
    views = {view: np.asarray(bunch.X[:, part], float) for view, part in bunch.views.items()}
    given = (bunch.train_idx, bunch.test_idx) if "train_idx" in bunch else None
    return Data(name, views, np.unique(bunch.y, return_inverse=True)[1], given)


def protocol_of(split):
    """The protocol that a split's name tells."""
    return next((name for name, mark in PREFIXES.items() if split.startswith(mark)), "fixed")


def splits(data, protocol="fixed", limit=None):
    """Training and test rows by the split's name; the same in every run.

    ``"fixed"``: the split that the file gives, where it has at most 900 training rows, else three
    stratified ones of at most 400 training and 1000 test rows. ``"fresh"``: five more stratified
    ones of as many rows each. ``"published"``: ten random ones, 80 to 20, as the published tables
    have it.
    """
    given = data.given is not None and len(data.given[0]) <= MAX_TRAIN
    if given and protocol not in PREFIXES:
        found = {"given": data.given}
    else:
        n, n_train = len(data.y), min(len(data.y) // 2, 400)
        n_train, n_test = map(len, data.given) if given else (n_train, min(n - n_train, 1000))
        sizes = {"train_size": n_train, "test_size": n_test}
        drawn = {
            "published": {"n_splits": 10, "test_size": 0.2, "random_state": 0},
            "fresh": {"n_splits": 5, **sizes, "random_state": 1},
        }
        options = drawn.get(protocol, {"n_splits": 3, **sizes, "random_state": 0})
        cut = StratifiedShuffleSplit(**options).split(np.zeros((n, 1)), data.y)
        found = {f"{PREFIXES.get(protocol, '')}{i}": rows for i, rows in enumerate(cut)}
    return dict(list(found.items())[:limit])


def make_task(data, split, perturbation=""):
    """The training and test part of a split, perturbed if asked for."""
    train, test = split
    blocks = [_impute_parts(X, train) for X in data.views.values()]
    task = Task(
        [X[train] for X in blocks],
        data.y[train],
        [X[test] for X in blocks],
        data.y[test],
        list(data.views),
    )
    seed = zlib.crc32(f"{data.name} {perturbation} {train[:5]}".encode())
    return perturb(task, perturbation, np.random.default_rng(seed))


def _impute_parts(X, train):
    """Means of training rows where only part of a block is NaN; whole missing blocks stay NaN."""
    nan = np.isnan(X)
    part = nan & ~nan.all(axis=1, keepdims=True)
    if not part.any():
        return X
    seen = X[train]
    count = np.maximum((~np.isnan(seen)).sum(axis=0), 1)
    return np.where(part, np.nansum(seen, axis=0) / count, X)


def impute_blocks(train, *others):
    """Training means for whole missing blocks too: for methods that know no missing view."""
    with np.errstate(invalid="ignore"):
        means = [np.nan_to_num(X[~np.isnan(X).all(axis=1)].mean(axis=0)) for X in train]
    return tuple(
        [np.where(np.isnan(X), mean, X) for X, mean in zip(views, means, strict=True)]
        for views in (train, *others)
    )


def perturb(task, perturbation, rng):
    """``noiseK``: K views of pure noise; ``labelP``: P% of training labels drawn anew; ``scaleS``:
    features multiplied by 10 to a power drawn from [-S, S]."""
    if not perturbation:
        return task
    kind = perturbation.rstrip("0123456789.")
    level = float(perturbation[len(kind) :])
    if kind == "noise":
        width = int(np.median([X.shape[1] for X in task.train]))
        shapes = [(len(task.y_train), width), (len(task.y_test), width)]
        draws = [[rng.standard_normal(shape) for shape in shapes] for _ in range(int(level))]
        return replace(
            task,
            train=task.train + [a for a, _ in draws],
            test=task.test + [b for _, b in draws],
            names=task.names + [f"noise{i}" for i in range(int(level))],
        )
    if kind == "label":
        wrong = rng.random(len(task.y_train)) < level / 100
        drawn = rng.permutation(task.y_train)
        return replace(task, y_train=np.where(wrong, drawn, task.y_train))
    if kind == "scale":
        factors = [10 ** rng.uniform(-level, level, X.shape[1]) for X in task.train]
        return replace(
            task,
            train=[X * f for X, f in zip(task.train, factors, strict=True)],
            test=[X * f for X, f in zip(task.test, factors, strict=True)],
        )
    if kind == "missing":
        train, test = remove_blocks(task.train, task.test, level / 100, rng)
        return replace(task, train=train, test=test)
    raise ValueError(
        f"perturbation must be noiseK, labelP, scaleS or missingP; got {perturbation!r}."
    )
