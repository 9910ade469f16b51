"""Domains: train on some, predict on another; with and without saying which row is from where.

``leave-one-out``: no row of the test domain has a label. ``few-labels``: three rows a class of the
test domain have, the others are predicted. At most 900 training and 1000 test rows. The methods of
skada see the unlabelled test rows when they fit; legofuse when it transforms.
"""

import json
import os
import sys
import time
import warnings
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import RidgeClassifierCV

from legofuse import LEGOFusionTransformer, datasets, stack_views

from . import methods
from .run import read

PROTOCOLS = ("leave-one-out", "few-labels")
MAX_TRAIN, MAX_TEST, FEW = 900, 1000, 3
KEY = ("set", "protocol", "target", "seed", "method", "version")


class DomainTask(NamedTuple):
    """Training and test part, with the domain of each row."""

    train: list
    y: Any
    domain: Any
    test: list
    y_test: Any
    target: Any
    names: list


def available(patterns=("*",)):
    """Names of the sets with domains that match a pattern."""
    folder = os.environ.get("LEGOFUSE_DATA")
    files = sorted(Path(folder).glob("dom_*.npz")) if folder else []
    wanted = ["dom_*"] if list(patterns) == ["*"] else patterns
    return [f.stem for f in files if any(fnmatch(f.stem, p) for p in wanted)]


def load(name):
    """Views, classes and domains of a set."""
    bunch = datasets.load_npz(Path(os.environ["LEGOFUSE_DATA"], f"{name}.npz"))
    views = {view: np.asarray(bunch.X[:, part], float) for view, part in bunch.views.items()}
    return views, np.unique(bunch.y, return_inverse=True)[1], np.asarray(bunch.domain).astype(str)


def make_task(name, protocol, target, seed):
    """One target domain of one set."""
    views, y, domain = load(name)
    rng = np.random.default_rng(seed)
    inside = rng.permutation(np.flatnonzero(domain == target))
    train = rng.permutation(np.flatnonzero(domain != target))[:MAX_TRAIN]
    if protocol == "few-labels":
        few = np.concatenate([inside[y[inside] == k][:FEW] for k in np.unique(y)])
        inside = inside[~np.isin(inside, few)]
        train = np.concatenate([train, few])
    test = inside[:MAX_TEST]
    parts = [[X[rows] for X in views.values()] for rows in (train, test)]
    return DomainTask(parts[0], y[train], domain[train], parts[1], y[test], target, list(views))


def lego(task, told=True, **parameters):
    """The transformer with defaults; domains told, an unseen one aligned by its own rows.

    Told, landmarks are taken evenly from the domains: a few rows of one would be lost among others.
    """
    unseen = "error" if task.target in task.domain else "batch"
    X, columns = stack_views(dict(zip(task.names, task.train, strict=True)))
    options = {"unseen_domains": unseen, "domains": "per-domain"} if told else {}
    fuse = LEGOFusionTransformer(columns, random_state=0, **options, **parameters)
    own, other = {}, {}
    if told:
        own = {"sample_domain": task.domain}
        other = {"sample_domain": np.repeat(task.target, len(task.y_test))}
    ridge = RidgeClassifierCV(alphas=methods.ALPHAS)
    ridge.fit(fuse.fit_transform(X, task.y, **own), task.y)
    return ridge.predict(fuse.transform(np.hstack(task.test), **other))


def pooled(task, fit):
    """A tuned baseline that knows no domains."""
    return fit(task.train, task.y, task.names)[0](task.test)


def adapted(task, adapter):
    """Views standardised, side by side, adapted to the test domain by skada; then a tuned SVM."""
    import skada

    from .tuning import side_by_side

    train, test = side_by_side(task.train, task.test, "standardise")
    X = np.vstack([train, test])
    known = np.r_[task.domain, np.repeat(task.target, len(test))]
    source = known != task.target
    codes = np.unique(known, return_inverse=True)[1] + 1
    if X.shape[1] > len(X) or X.shape[1] > 300:  # covariances of what varies
        mean = X[: len(train)].mean(axis=0)
        vectors = np.linalg.svd(X[: len(train)] - mean, full_matrices=False)[2][:100]
        X = (X - mean) @ vectors.T
    size = min(50, X.shape[1], source.sum() - 1, (~source).sum() - 1)
    options = {"n_components": int(size)} if adapter == "SubspaceAlignmentAdapter" else {}
    made = getattr(skada, adapter)(**options)
    labels = np.where(source, np.r_[task.y, np.zeros(len(test), int)], -1)
    Z = made.fit_transform(X, labels, sample_domain=np.where(source, codes, -codes))
    predict, _ = methods.concat_svm([Z[: len(train)]], task.y, ["adapted"])
    return predict([Z[len(train) :]])


METHODS = {
    "legofuse": ("legofuse, domains told", lego),
    "legofuse_untold": ("legofuse, domains not told", lambda task: lego(task, told=False)),
    "concat_lr": ("concatenation + LR", lambda task: pooled(task, methods.concat_lr)),
    "concat_svm": ("concatenation + RBF SVM", lambda task: pooled(task, methods.concat_svm)),
    "coral": ("CORAL + RBF SVM", lambda task: adapted(task, "CORALAdapter")),
    "subspace": (
        "subspace alignment + RBF SVM",
        lambda task: adapted(task, "SubspaceAlignmentAdapter"),
    ),
}


def run(path, patterns=("*",), seeds=1, tag=None, only=None):
    """Compute what the file does not hold yet, a JSON line each."""
    import legofuse

    done = {tuple(r[k] for k in KEY) for r in read(path)}
    version = tag or legofuse.__version__
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        for name in available(patterns):
            for target in np.unique(load(name)[2]).tolist():
                for protocol, seed in ((p, s) for s in range(seeds) for p in PROTOCOLS):
                    for method in only or METHODS:
                        record = dict(
                            zip(KEY, (name, protocol, target, seed, method, version), strict=True)
                        )
                        if tuple(record.values()) in done:
                            continue
                        record |= evaluate(make_task(name, protocol, target, seed), method)
                        print(json.dumps(record), file=file, flush=True)
                        print(record, file=sys.stderr)


def evaluate(task, method):
    """Accuracy and seconds of one method, or why there are none."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = METHODS[method][1](task)
        except Exception as error:  # a peer may fail in any way; the benchmark goes on
            return {"skipped": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    return {
        "accuracy": float(np.mean(found == task.y_test)),
        "seconds": round(time.perf_counter() - start, 2),
        "n_test": len(task.y_test),
    }


def means(records, tag=None):
    """Mean accuracy of each method by set and protocol, over target domains.

    A mean is over the targets and seeds that every method has.

    Returns
    -------
    methods : list of str
    cells : dict of (set, protocol) to ndarray of shape (n_methods,)
    """
    import legofuse

    version = tag or legofuse.__version__
    records = [r for r in records if "accuracy" in r and r["version"] == version]
    shown = [m for m in METHODS if any(r["method"] == m for r in records)]
    runs: dict = {}
    for r in records:
        where = runs.setdefault((r["set"], r["protocol"]), {})
        where.setdefault((r["target"], r["seed"]), {})[r["method"]] = r["accuracy"]
    cells = {}
    for key, of in sorted(runs.items()):
        rows = [[run[m] for m in shown] for run in of.values() if set(shown) <= set(run)]
        if rows:
            cells[key] = np.mean(rows, axis=0)
    return shown, cells


def table(records, tag=None):
    """Mean accuracy by set and protocol over target domains, and over all, as Markdown."""
    shown, cells = means(records, tag)
    titles = [METHODS[m][0] for m in shown]
    lines = [f"| set | protocol | {' | '.join(titles)} |", "|---" * (len(shown) + 2) + "|"]
    whole = {("mean", ""): np.mean(list(cells.values()), axis=0)} if cells else {}
    for (name, protocol), row in (cells | whole).items():
        values = " | ".join(f"{v:.3f}" for v in row)
        lines.append(f"| {name} | {protocol} | {values} |")
    return "\n".join(lines)
