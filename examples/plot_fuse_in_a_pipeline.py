"""
Fuse views in a pipeline
========================

Does it pay to fuse several descriptions of the same samples, and against what? Handwritten digits,
described in six ways, are classified from few labels by a fused pipeline and by what one would try
otherwise: one view, all columns side by side, and the mean of per-view probabilities. All models
get the same splits. The table says how it turned out; nothing below says it in advance.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from legofuse import LEGOFusionTransformer
from legofuse.datasets import fetch_mfeat, load_digits_views
from legofuse.plotting import ImportancesDisplay, WeightsDisplay

# %%
# The peers' settings are searched for by cross-validation; the fused pipeline learns its own.


def fused(views):
    return make_pipeline(LEGOFusionTransformer(views), RidgeClassifierCV(np.logspace(-6, 3, 19)))


def tuned(model, **grid):
    return GridSearchCV(make_pipeline(StandardScaler(), model), grid, cv=3)


logistic = tuned(LogisticRegression(max_iter=2000), logisticregression__C=[0.01, 0.1, 1])
svm = tuned(SVC(), svc__C=[1, 10, 100], svc__gamma=[0.0003, 0.001, 0.003, 0.01])


def compare(X, y, views, train_size, seed):
    """Accuracy of every model on one split, and the fitted fused pipeline."""
    split = {"train_size": train_size, "stratify": y, "random_state": seed}
    X, X_test, y, y_test = train_test_split(X, y, **split)
    model = fused(views).fit(X, y)
    accuracy = {"fused": model.score(X_test, y_test)}
    accuracy["all columns, logistic regression"] = logistic.fit(X, y).score(X_test, y_test)
    accuracy["all columns, RBF SVM"] = svm.fit(X, y).score(X_test, y_test)
    votes = [logistic.fit(X[:, v], y).predict_proba(X_test[:, v]) for v in views.values()]
    accuracy["mean of probabilities"] = np.mean(np.mean(votes, 0).argmax(1) == y_test)
    for name, columns in views.items():
        alone = fused({name: columns}).fit(X, y)
        accuracy[f"{name} alone, same model"] = alone.score(X_test, y_test)
    return accuracy, model


# %%
# Data: six views computed from scikit-learn's digit images and, where the network is, the six
# published views of UCI's Multiple Features.
datasets = {"digits": load_digits_views()}
try:
    datasets["mfeat"] = fetch_mfeat()
except ConnectionError as error:
    print(f"The built-in set alone, as the second one could not be downloaded: {error}\n")

# %%
# The table: test accuracy, mean and standard deviation over five splits.
sizes = (100, 500)
for title, data in datasets.items():
    y = np.unique(data.y, return_inverse=True)[1]
    runs = {n: [compare(data.X, y, data.views, n, seed) for seed in range(5)] for n in sizes}
    data.models = {n: [model[0] for _, model in runs[n]] for n in sizes}  # the transformers
    print(f"{title:34}" + "".join(f"{n:>8} labels" for n in sizes))
    for name in runs[sizes[0]][0][0]:
        scores = [[accuracy[name] for accuracy, _ in runs[n]] for n in sizes]
        print(f"{name:34}" + "".join(f"{np.mean(s):>7.3f} ± {np.std(s):.3f}" for s in scores))
    print()

# %%
# What was learned. Left: share of each view in the fused graph, the mean of the five splits and, as
# whiskers, the smallest and the largest: of views that tell much the same, now one is read and now
# another. Right: the largest weights on the first split; brackets name the relation. Where all of a
# degree are alike, the criterion found no reason to leave those that it starts from.
folder = Path("demo_output")
folder.mkdir(exist_ok=True)
for title, data in datasets.items():
    shape = {"figsize": (10, 7), "width_ratios": (2, 3), "sharex": "col"}
    fig, axes = plt.subplots(2, 2, layout="constrained", **shape)
    for (left, right), (n, models) in zip(axes, data.models.items(), strict=True):
        shares = np.array([list(model.view_importances_.values()) for model in models])
        bars = list(data.views), shares.mean(0), shares.min(0), shares.max(0)
        ImportancesDisplay(*bars, label="share of the fused graph").plot(ax=left)
        WeightsDisplay.from_estimator(models[0], ax=right)
        left.set_title(f"{n} labels: views, five splits")
        right.set_title(f"{n} labels: weights, first split")
    for ax in axes[0]:
        ax.set_xlabel("")  # the scale is below
    fig.savefig(folder / f"{title}.png", dpi=100, bbox_inches="tight")
    print(f"wrote {folder / title}.png")
