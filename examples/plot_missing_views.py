"""
Missing views
=============

Must samples that lack a view be dropped or filled in? Blocks of the digits' views are removed at
random, in training and in testing. The fused pipeline takes the NaN blocks as they are; the peer
is a tuned RBF SVM on all columns after filling in column means.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from legofuse import LEGOFusionTransformer
from legofuse.datasets import load_digits_views
from legofuse.plotting import MissingViewDisplay

digits = load_digits_views()
models = {
    "fused": make_pipeline(
        LEGOFusionTransformer(digits.views), RidgeClassifierCV(np.logspace(-6, 3, 19))
    ),
    "mean imputation, RBF SVM": GridSearchCV(
        make_pipeline(SimpleImputer(), StandardScaler(), SVC()),
        {"svc__C": [1, 10, 100], "svc__gamma": [0.0003, 0.001, 0.003]},
        cv=3,
    ),
}


def remove_blocks(X, share, rng):
    """NaN in place of a share of all blocks; every row keeps at least one view."""
    X, gone = X.copy(), rng.uniform(size=(len(X), len(digits.views))) < share
    gone[np.arange(len(X)), rng.integers(gone.shape[1], size=len(X))] = False
    for i, columns in enumerate(digits.views.values()):
        X[gone[:, i], columns] = np.nan
    return X


shares = [0, 0.25, 0.5, 0.75]
accuracy = {name: {share: [] for share in shares} for name in models}
for seed in range(3):
    for share in shares:
        X = remove_blocks(digits.X, share, np.random.default_rng(seed))
        train, test, y, y_test = train_test_split(
            X, digits.y, train_size=300, stratify=digits.y, random_state=seed
        )
        for name, model in models.items():
            accuracy[name][share].append(model.fit(train, y).score(test, y_test))

# %%
# Means over three splits; bands are standard deviations.

ax = None
for name, scores in accuracy.items():
    display = MissingViewDisplay(shares, list(scores.values()), name, "test accuracy, 300 labels")
    ax = display.plot(ax=ax).ax_
    print(f"{name:26}", *(f"{mean:.3f}" for mean in display.scores.mean(axis=1)))
plt.show()
