"""Regression test on quality: a fast subset against stored accuracies, two standard errors apart.

Run by hand or weekly: ``python -m benchmarks.quality --check`` (``--store`` renews the figures).
"""

import json
from pathlib import Path

import numpy as np

from . import data as sets
from .methods import METHODS
from .run import evaluate

STORED = Path(__file__).with_name("stored_figures.json")
CHECKED = (
    "digits_views",
    "mv_msrc5",
    "mv_3sources",
    "mv_movies617",
    "mv_proteinfold",
    "omics_brca_pam50_247",
    "omics_tcga_brca_diablo",
)
METHOD = "legofuse"


def figures(names, method=METHODS[METHOD]):
    """Accuracy over all test rows of a set's fixed splits, and its binomial standard error."""
    found = {}
    for name in names:
        data = sets.load(name)
        results = [
            evaluate(sets.make_task(data, rows), method) for rows in sets.splits(data).values()
        ]
        skipped = [r["skipped"] for r in results if "skipped" in r]
        if skipped:
            raise RuntimeError(f"{method.name} failed on {name}: {skipped[0]}")
        sizes = [r["n_test"] for r in results]
        mean = float(np.average([r["accuracy"] for r in results], weights=sizes))
        error = float(np.sqrt(max(mean * (1 - mean), 0.25 / sum(sizes)) / sum(sizes)))
        found[name] = {"accuracy": round(mean, 5), "error": round(error, 5)}
    return found


def compare(now, stored):
    """Lines of a table and the sets that fell by more than two standard errors."""
    lines, fallen = [], []
    for name, figure in now.items():
        if name not in stored:
            lines.append(f"{name:28} {figure['accuracy']:.4f}  (nothing stored)")
            continue
        before, error = stored[name]["accuracy"], stored[name]["error"]
        bad = figure["accuracy"] < before - 2 * error
        fallen += [name] * bad
        verdict = "FELL" if bad else "ok"
        lines.append(
            f"{name:28} {figure['accuracy']:.4f}  stored {before:.4f} ± {error:.4f}  {verdict}"
        )
    return lines, fallen


def check(store=False, path=STORED):
    """Compare, or store; returns the exit status."""
    stored = json.loads(path.read_text()) if path.exists() else {}
    now = figures(sets.available(CHECKED))
    if store:
        path.write_text(json.dumps(stored | now, indent=1, sort_keys=True) + "\n")
        print(f"stored {len(now)} figures in {path}")
        return 0
    lines, fallen = compare(now, stored)
    print("\n".join(lines))
    print(f"{len(fallen)} of {len(lines)} sets fell by more than two standard errors")
    return 1 if fallen else 0
