"""
Two domains
===========

Samples come from two sources whose features are measured differently: does it help to say which
row is from where? Half of the digits get other units (each column scaled and shifted), a shift made
up for this example. With `domain_column` domains are aligned, and the column travels through every
search and scorer. By default relations between rows as they are count for half; here, where the
shift is all in offsets and spreads, those between aligned rows alone may do better.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from legofuse import LEGOFusionTransformer
from legofuse.datasets import load_digits_views

digits = load_digits_views()
rng = np.random.default_rng(0)
domain = rng.integers(2, size=len(digits.y))
scale = rng.uniform(0.3, 3, size=digits.X.shape[1])
shift = 2 * digits.X.std(axis=0) * rng.normal(size=digits.X.shape[1])
X = np.where(domain[:, None] == 1, scale * digits.X + shift, digits.X)
X = np.column_stack([X, domain])  # the last column, in no view, says the domain


def fused(**parameters):
    fusion = LEGOFusionTransformer(digits.views, **parameters)
    return make_pipeline(fusion, RidgeClassifierCV(np.logspace(-6, 3, 19)))


last = X.shape[1] - 1
models = {
    "not told": fused(),
    "told": fused(domain_column=last),
    "aligned alone": fused(domain_column=last, domain_alignment=1),
}

# %%
# Few labels of the second domain: 100 of the first, 20 of the second, tested on the second.

accuracy = {name: [] for name in models}
for seed in range(5):
    first, second = np.flatnonzero(domain == 0), np.flatnonzero(domain == 1)
    few, test = train_test_split(
        second, train_size=20, stratify=digits.y[second], random_state=seed
    )
    many, _ = train_test_split(first, train_size=100, stratify=digits.y[first], random_state=seed)
    train = np.concatenate([many, few])
    for name, model in models.items():
        score = model.fit(X[train], digits.y[train]).score(X[test], digits.y[test])
        accuracy[name].append(score)

for name, scores in accuracy.items():
    print(f"{name:18} {np.mean(scores):.3f} ± {np.std(scores):.3f}")
plt.figure(figsize=(5, 4))
for i, scores in enumerate(accuracy.values()):
    plt.plot(np.full(len(scores), i), scores, "o", color="0.5")
    plt.plot(i, np.mean(scores), "_", color="black", markersize=40)
plt.xticks(range(len(accuracy)), list(accuracy))
plt.xlim(-0.5, len(accuracy) - 0.5)
plt.ylabel("accuracy on the second domain (dots: splits)")
plt.tight_layout()
plt.show()
