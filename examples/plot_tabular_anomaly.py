"""
Anomalies in a table
====================

Do bags have to be there? No: each row of a table is a bag of one unit. Cells of breast tissue are
described in three groups of ten columns; malignant ones are made rare (one in ten) and are the
anomalies. How many labelled anomalies does it take to beat a detector that needs none?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from legofuse import LEGOAnomalyClassifier

X, benign = load_breast_cancer(return_X_y=True)
y = 1 - benign  # 1 is malignant
views = {"mean": slice(0, 10), "error": slice(10, 20), "worst": slice(20, 30)}
models = {
    "legofuse": LEGOAnomalyClassifier(views, random_state=0),
    "logistic regression": make_pipeline(
        StandardScaler(),
        GridSearchCV(
            LogisticRegression(max_iter=2000),
            {"C": [0.01, 0.1, 1, 10]},
            cv=4,
            scoring="neg_log_loss",
        ),
    ),
    "random forest": RandomForestClassifier(300, random_state=0),
    "isolation forest, no labels": IsolationForest(random_state=0),
}

# %%
# Training rows: 4 to 16 anomalies among ten times as many. Test rows: 150 normal, 15 anomalous.


def draw(n_anomalies, seed):
    rng = np.random.default_rng(seed)
    normal, anomalous = (rng.permutation(np.flatnonzero(y == kind)) for kind in (0, 1))
    train = np.concatenate([normal[: 9 * n_anomalies], anomalous[:n_anomalies]])
    return train, np.concatenate([normal[-150:], anomalous[-15:]])


def anomaly_score(model, X):
    if isinstance(model, IsolationForest):
        return -model.score_samples(X)
    return model.predict_proba(X)[:, 1]


counts = [4, 8, 16]
found = {name: {n: [] for n in counts} for name in models}
for n in counts:
    for seed in range(5):
        train, test = draw(n, seed)
        for name, model in models.items():
            score = anomaly_score(model.fit(X[train], y[train]), X[test])
            found[name][n].append(average_precision_score(y[test], score))

# %%
# Average precision: means over five draws; bars are standard deviations.

print(f"{'labelled anomalies':28}", *(f"{n:5}" for n in counts))
plt.style.use("tableau-colorblind10")
styles = ("o-", "s--", "D:", "^-.")
for (name, scores), style in zip(found.items(), styles, strict=True):
    mean, spread = ([f(scores[n]) for n in counts] for f in (np.mean, np.std))
    plt.errorbar(counts, mean, spread, fmt=style, label=name, capsize=3)
    print(f"{name:28}", *(f"{m:.3f}" for m in mean))
plt.xscale("log", base=2)
plt.xticks(counts, [str(n) for n in counts])
plt.xlabel("labelled anomalies among ten times as many rows")
plt.ylabel("average precision on test rows")
plt.legend(loc=(0.08, 0.5))
plt.tight_layout()
plt.show()
