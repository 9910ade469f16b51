"""Claim: fused views with a ridge read-out regress about as well as a tuned SVR.

The last line says how far that holds: below 1, the better of the other two is ahead.

scikit-learn's ``load_diabetes`` in two views, body (age, sex, bmi, blood pressure) and serum (six
measurements): R2 of repeated 5-fold cross-validation, with standard errors over repeats.

    python benchmarks/diabetes_regression.py
"""

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, RepeatedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from legofuse import LEGOFusionTransformer

VIEWS = {"body": slice(0, 4), "serum": slice(4, 10)}
ALPHAS = np.logspace(-6, 3, 19)
FOLDS, REPEATS = 5, 10


def models():
    """The fusion with defaults, ridge regression, and an SVR tuned by an inner 3-fold search."""
    svr = GridSearchCV(
        make_pipeline(StandardScaler(), SVR()),
        {"svr__C": [0.1, 0.3, 1, 3, 10], "svr__gamma": [0.01, 0.03, 0.1], "svr__epsilon": [0.1]},
        cv=3,
    )
    return {
        "legofuse + RidgeCV": make_pipeline(
            LEGOFusionTransformer(VIEWS, random_state=0), RidgeCV(alphas=ALPHAS)
        ),
        "RidgeCV on all columns": make_pipeline(StandardScaler(), RidgeCV(alphas=ALPHAS)),
        "tuned RBF SVR on all columns": TransformedTargetRegressor(
            svr, transformer=StandardScaler()
        ),
    }


def main():
    """Print R2 of each; the last line is the ratio to the better of the two others."""
    X, y = load_diabetes(return_X_y=True)
    cv = RepeatedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=0)
    by_repeat = {
        title: cross_val_score(model, X, y, cv=cv, scoring="r2").reshape(REPEATS, FOLDS).mean(1)
        for title, model in models().items()
    }
    ours, *others = by_repeat.values()
    for title, scores in by_repeat.items():
        error = scores.std(ddof=1) / np.sqrt(REPEATS)
        gap = ours - scores
        print(f"{title:30} R2 {scores.mean():.4f} ± {error:.4f}   legofuse ahead by "
              f"{gap.mean():+.4f} ± {gap.std(ddof=1) / np.sqrt(REPEATS):.4f}")  # fmt: skip
    print(f"ratio: {ours.mean() / max(o.mean() for o in others):.3f} of the better other R2")


if __name__ == "__main__":
    main()
