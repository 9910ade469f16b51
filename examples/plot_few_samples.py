"""
Few samples, many columns
=========================

Do the learned weights overfit where there are fewer samples than columns, as in omics? Synthetic
data of three views with 300 columns each: two carry the class, one is noise. The number of training
samples grows from 20; a tuned linear SVM on all columns is the peer.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from legofuse import LEGOFusionTransformer
from legofuse.datasets import make_views

data = make_views(
    1200, n_features=300, n_informative=2, n_redundant=0, n_noise=1, class_sep=3.0, random_state=0
)
alphas = np.logspace(-6, 3, 19)


def ridge(**parameters):
    return make_pipeline(LEGOFusionTransformer(data.views, **parameters), RidgeClassifierCV(alphas))


models = {
    "fused, learned weights": ridge(),
    "fused, equal weights": ridge(weights="uniform"),
    "all columns, linear SVM": GridSearchCV(
        make_pipeline(StandardScaler(), SVC(kernel="linear")),
        {"svc__C": np.logspace(-4, 0, 5)},
        cv=3,
    ),
}
sizes = [20, 40, 80, 160]
accuracy = {name: {size: [] for size in sizes} for name in models}
for size in sizes:
    for seed in range(5):
        X, X_test, y, y_test = train_test_split(
            data.X, data.y, train_size=size, stratify=data.y, random_state=seed
        )
        for name, model in models.items():
            accuracy[name][size].append(model.fit(X, y).score(X_test, y_test))

# %%
# Means over five splits; bars are standard deviations.

print(f"{'training samples':26}", *(f"{size:5}" for size in sizes))
plt.style.use("tableau-colorblind10")
styles = ("o-", "s--", "D:")
for (name, scores), style in zip(accuracy.items(), styles, strict=True):
    mean, spread = ([f(scores[n]) for n in sizes] for f in (np.mean, np.std))
    plt.errorbar(sizes, mean, spread, fmt=style, label=name)
    print(f"{name:26}", *(f"{m:.3f}" for m in mean))
plt.xscale("log", base=2)
plt.xticks(sizes, [str(size) for size in sizes])
plt.xlabel("training samples")
plt.ylabel("test accuracy")
plt.legend(loc="lower right")
plt.tight_layout()
plt.show()
