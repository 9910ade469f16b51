"""Fill a JSON-lines file with one line for each (set, method, seed, version)."""

import json
import sys
import time
import warnings
from importlib.metadata import version as version_of
from pathlib import Path

import numpy as np

import legofuse

from . import methods, tasks

KEY = ("set", "method", "seed", "version")


def read(path):
    """Results of a file as dicts; a line cut short by an interruption is left out."""
    found = []
    path = Path(path)
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def method_version(method, tag=None):
    """What results of a method are stored under; ImportError where its package is absent."""
    if method.package == "legofuse":
        return tag or legofuse.__version__
    package = method.package or "scikit-learn"
    try:
        return f"{package} {version_of(package)}"
    except ModuleNotFoundError as error:
        raise ImportError(f"{package} is not installed") from error


def run(path, names, only=None, seeds=5, tag=None):
    """Compute what the file does not hold yet; returns the new records."""
    done = {tuple(r[k] for k in KEY) for r in read(path)}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    new = []
    with open(path, "a", encoding="utf-8") as file:
        for name in names:
            task = tasks.load(name)
            chosen = only or (
                methods.MIL_METHODS if name.startswith("mil_") else methods.VIDEO_METHODS
            )
            for method_name in methods.expand(chosen, task):
                method = methods.find(method_name)
                try:
                    version = method_version(method, tag)
                except ImportError as error:
                    print(f"left out: {method_name}: {error}", file=sys.stderr)
                    continue
                for seed in range(seeds if method.seeded else 1):
                    record = dict(zip(KEY, (name, method_name, seed, version), strict=True))
                    if tuple(record.values()) in done:
                        continue
                    record |= evaluate(task, method, seed)
                    print(json.dumps(record), file=file, flush=True)
                    print(record, file=sys.stderr, flush=True)
                    new.append(record)
    return new


def evaluate(task, method, seed):
    """Figures and seconds of one method: fitted on each fold's training bags, tests pooled."""
    logits, units = np.full(len(task.y), np.nan), [None] * len(task.y)
    seconds, info = 0.0, {}
    views, bags = task.timed() if method.timed else (task.views, task.bags)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for train, test in task.folds:
            model = method.make(views, seed)
            start = time.perf_counter()
            model.fit([bags[i] for i in train], task.y[train])
            seconds += time.perf_counter() - start
            part = [bags[i] for i in test]
            logits[test] = model.decision_function(part)
            for i, scores in zip(test, model.score_units(part), strict=True):
                units[i] = np.asarray(scores)
        for name in ("reference_", "pooling_", "heads_"):
            if len(task.folds) == 1 and hasattr(model, name):
                info[name.rstrip("_")] = getattr(model, name)
    figures = {name: float(value) for name, value in task.figures(logits, units).items()}
    return figures | {"fit_seconds": round(seconds / len(task.folds), 2)} | info
