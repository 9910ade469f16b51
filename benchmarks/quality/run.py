"""Fill a JSON-lines file with one line for each (set, split, perturbation, method, version)."""

import ctypes
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn

import legofuse

from . import data as sets
from .methods import METHODS
from .peers import package_version

KEY = ("set", "split", "perturbation", "method", "version")


def read(path):
    """Results of a file as dicts; a line cut short by an interruption is left out."""
    found = []
    path = Path(path)
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def key(record):
    """What makes a result the same as another one."""
    return tuple(record[name] for name in KEY)


def method_version(method, tag=None):
    """Version that a result is stored under: of legofuse (or a tag for it), or of the peer."""
    if method.group in ("ours", "variant"):
        return tag or legofuse.__version__
    if method.package:
        return f"{method.package} {package_version(method.package)}"
    return f"scikit-learn {sklearn.__version__}"


def plan(names, methods, protocol="fixed", perturbations=("",), limit=None):
    """All (set, split, perturbation, method) to be run, set by set."""
    for name in names:
        data = sets.load(name)
        for split, rows in sets.splits(data, protocol, limit).items():
            for perturbation in perturbations:
                for method in methods:
                    yield data, split, rows, perturbation, METHODS[method]


def run(path, names, methods, protocol="fixed", perturbations=("",), limit=None, tag=None):
    """Compute what the file does not hold yet; returns the number of new results."""
    done = {key(record) for record in read(path)}
    versions, absent = {}, {}
    for method in methods:
        try:
            versions[method] = method_version(METHODS[method], tag)
        except ImportError as error:
            absent[method] = str(error)
    for method, reason in absent.items():
        print(f"left out: {method}: {reason}", file=sys.stderr)
    todo = []
    for data, split, rows, perturbation, method in plan(
        names, list(versions), protocol, perturbations, limit
    ):
        record = {
            "set": data.name,
            "split": split,
            "perturbation": perturbation,
            "method": method.name,
            "version": versions[method.name],
        }
        if key(record) not in done:
            todo.append((record, data, rows, method))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file, Progress(len(todo)) as progress:
        for record, data, rows, method in todo:
            progress.show(f"{record['set']} {record['split']} {record['method']}")
            task = sets.make_task(data, rows, record["perturbation"])
            file.write(json.dumps(record | evaluate(task, method)) + "\n")
            file.flush()
            progress.step()
    return len(todo)


def evaluate(task, method):
    """Accuracy, seconds and memory of one method on one task, or why it was skipped."""
    train, test = task.train, task.test
    if not method.missing_views:
        train, test = sets.impute_blocks(train, test)
    result = {"n_train": len(task.y_train), "n_test": len(task.y_test)}
    with warnings.catch_warnings(), PeakMemory() as memory:
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        try:
            predict, info = method.fit(train, task.y_train, task.names)
            fitted = time.perf_counter()
            predicted = predict(test)
        except Exception as error:  # a peer may fail in any way; the benchmark goes on
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            return result | {"skipped": reason}
    result |= {
        "accuracy": float(np.mean(predicted == task.y_test)),
        "fit_seconds": round(fitted - start, 4),
        "predict_seconds": round(time.perf_counter() - fitted, 4),
        "peak_mb": memory.peak_mb,
        **info,
    }
    return result


class PeakMemory:
    """Largest resident memory within the block above what it was before, in MB (Linux; else None).

    Resident memory counts what the allocator keeps, so it is handed back first.
    """

    peak_mb = None

    def __enter__(self):
        try:
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")
            self._before = self._status("VmRSS")
        except (OSError, AttributeError):
            self._before = None
        return self

    def __exit__(self, *_):
        if self._before is not None:
            self.peak_mb = round(max(self._status("VmHWM") - self._before, 0) / 1024, 1)

    @staticmethod
    def _status(field):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise OSError(f"no {field} in /proc/self/status")


class Progress:
    """A bar of text with the time that is left, on standard error."""

    def __init__(self, total, stream=None):
        self.total, self.count, self.stream = total, 0, stream or sys.stderr
        self.start = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.total:
            print(file=self.stream)

    def step(self):
        """One more is done."""
        self.count += 1
        self.show("")

    def show(self, label):
        """Draw the bar again; off a terminal, a line now and then."""
        if not self.total:
            return
        share = self.count / self.total
        spent = time.monotonic() - self.start
        left = spent / self.count * (self.total - self.count) if self.count else float("nan")
        bar = "#" * round(30 * share)
        text = f"[{bar:<30}] {self.count}/{self.total} {spent:.0f} s, {left:.0f} s left {label}"
        if self.stream.isatty():
            print(f"\r{text[:110]:<110}", end="", file=self.stream, flush=True)
        elif not label and (self.count % max(1, self.total // 50) == 0):
            print(text, file=self.stream, flush=True)
