"""
Fuse views in a pipeline
========================

Does it pay to fuse several descriptions of the same samples, and against what? Handwritten digits,
described in six ways, are classified from few labels by a fused pipeline and by what one would try
otherwise: one view, all columns side by side, and the mean of per-view probabilities. All models
get the same splits. The table says how it turned out; nothing below says it in advance.
"""

from functools import partial
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

# %%
# The models
# ----------
# The peers' settings are searched for by cross-validation; the fused pipeline learns its own.


def fused(views):
    return make_pipeline(LEGOFusionTransformer(views), RidgeClassifierCV(np.logspace(-6, 3, 19)))


def tuned(model, **grid):
    return GridSearchCV(make_pipeline(StandardScaler(), model), grid, cv=3)


logistic = partial(tuned, LogisticRegression(max_iter=2000), logisticregression__C=[0.01, 0.1, 1])
svm = partial(tuned, SVC(), svc__C=[1, 10, 100], svc__gamma=[0.0003, 0.001, 0.003, 0.01])


def compare(X, y, views, train_size, seed):
    """Accuracy of every model on one split, and the fitted fused pipeline."""
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=train_size, stratify=y, random_state=seed
    )
    model = fused(views).fit(X, y)
    accuracy = {"fused": model.score(X_test, y_test)}
    accuracy["all columns, logistic regression"] = logistic().fit(X, y).score(X_test, y_test)
    accuracy["all columns, RBF SVM"] = svm().fit(X, y).score(X_test, y_test)
    votes = [logistic().fit(X[:, v], y).predict_proba(X_test[:, v]) for v in views.values()]
    accuracy["mean of probabilities"] = np.mean(np.mean(votes, 0).argmax(1) == y_test)
    for name, columns in views.items():
        accuracy[f"{name} alone, same model"] = (
            fused({name: columns}).fit(X, y).score(X_test, y_test)
        )
    return accuracy, model


# %%
# The data
# --------
# Six views computed from scikit-learn's digit images, and, where the network is, UCI's Multiple
# Features, whose six views were published with it.

datasets = {"digits": load_digits_views()}
try:
    datasets["mfeat"] = fetch_mfeat()
except ConnectionError as error:
    print(f"Without mfeat: {error}\n")

# %%
# The table
# ---------
# Test accuracy, mean and standard deviation over five splits.

for title, data in datasets.items():
    y = np.unique(data.y, return_inverse=True)[1]
    columns, sizes = {}, (100, 500)
    for size in sizes:
        results = [compare(data.X, y, data.views, size, seed) for seed in range(5)]
        columns[size] = {k: [r[0][k] for r in results] for k in results[0][0]}
    data.model = results[0][1]
    print(f"{title:34}" + "".join(f"{size:>8} labels" for size in sizes))
    for name in columns[sizes[0]]:
        cells = (f"{np.mean(c[name]):.3f} ± {np.std(c[name]):.3f}" for c in columns.values())
        print(f"{name:34}" + "".join(f"{cell:>15}" for cell in cells))
    print()

# %%
# What was learned
# ----------------
# Left: share of each view in the fused graph. Right: the terms of the polynomial with the largest
# weights (of the last split of the table, with 500 labels). A name in brackets is the relation.

folder = Path("demo_output")
folder.mkdir(exist_ok=True)
for title, data in datasets.items():
    views, weights = data.model[0].view_importances_, data.model[0].weights_
    top = np.argsort(weights)[-15:]
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.barh(list(views)[::-1], list(views.values())[::-1], color="0.35")
    left.set(title="View importances (sum to 1)", xlabel="share of the fused graph")
    right.barh([data.model[0].terms_[i] for i in top], weights[top], color="C0")
    right.set(title=f"Learned weights, top {len(top)} of {len(weights)} terms", xlabel="weight")
    fig.suptitle(title)
    fig.savefig(folder / f"{title}.png", dpi=120)
    print(f"wrote {folder / title}.png")
