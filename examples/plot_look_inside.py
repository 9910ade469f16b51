"""
Look inside
===========

What did the fusion learn, and is it to be believed? Two views of digits carry the class, a third
holds random numbers. Weights, graphs, the embedding, and what prediction loses without each view
are drawn by `legofuse.plotting`, on rows that were not used to fit.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from legofuse import LEGOFusionTransformer, inspection
from legofuse.datasets import load_digits_views
from legofuse.plotting import (
    EmbeddingDisplay,
    GraphsDisplay,
    ImportancesDisplay,
    WeightsDisplay,
)

digits = load_digits_views()
chosen = digits.y < 6
noise = np.random.default_rng(0).normal(size=(len(digits.y), 40))
X = np.hstack([digits.X[:, digits.views["pixels"]], digits.X[:, digits.views["fourier"]], noise])
n_pixels, n_real = 64, X.shape[1] - 40
views = {"pixels": slice(0, n_pixels), "fourier": slice(n_pixels, n_real)}
views["noise"] = slice(n_real, None)
X, X_test, y, y_test = train_test_split(
    X[chosen], digits.y[chosen], train_size=200, stratify=digits.y[chosen], random_state=0
)
fusion = LEGOFusionTransformer(views, relation="correlation")
model = make_pipeline(fusion, RidgeClassifierCV(np.logspace(-6, 3, 19))).fit(X, y)
print(f"test accuracy {model.score(X_test, y_test):.3f}")

# %%
# The weights of all terms. Noise enters little, by itself and in products.

WeightsDisplay.from_estimator(fusion)

# %%
# Relations within each view, and the fused graph, with the rows in the order of their classes.

GraphsDisplay.from_estimator(fusion, X_test, y_test, max_samples=120, random_state=0)

# %%
# The first two principal components of the embedding.

EmbeddingDisplay.from_estimator(fusion, X_test, y_test)

# %%
# What accuracy falls by when the columns of a view are permuted together.

lost = inspection.permutation_importance(model, X_test, y_test, random_state=0)
print(lost.to_frame())
ImportancesDisplay.from_permutation(lost)
plt.show()
