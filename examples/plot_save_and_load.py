"""
Save and load
=============

How is a fitted pipeline kept? `joblib` (or `pickle`) stores it like any scikit-learn estimator. The
loaded pipeline gives the same numbers, bit for bit. Load such files only from sources you trust.
"""

import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline

from legofuse import LEGOFusionTransformer
from legofuse.datasets import load_digits_views

digits = load_digits_views()
train, new = slice(0, 400), slice(400, 600)
model = make_pipeline(LEGOFusionTransformer(digits.views), RidgeClassifierCV())
model.fit(digits.X[train], digits.y[train])

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "model.joblib")
    joblib.dump(model, path, compress=3)
    print(f"{path.stat().st_size / 1024:.0f} KiB on disk")
    loaded = joblib.load(path)

same = np.array_equal(
    model.decision_function(digits.X[new]), loaded.decision_function(digits.X[new])
)
print(f"identical decision values: {same}")
print(
    f"accuracy of the loaded pipeline on new rows: {loaded.score(digits.X[new], digits.y[new]):.3f}"
)

# %%
# The loaded transformer still embeds new rows: the first two columns, drawn as digits.

embedding = loaded[0].transform(digits.X[new])
plt.figure(figsize=(6, 5))
for digit in np.unique(digits.y):
    x, y = embedding[digits.y[new] == digit, :2].T
    plt.scatter(x, y, marker=f"${digit}$", label=digit)
plt.xlabel("embedding, column 0")
plt.ylabel("embedding, column 1")
plt.tight_layout()
plt.show()
