"""
More rows than memory holds
===========================

How are millions of rows transformed? A Dask array or frame stands for rows in files. `fit` learns
from a sample of its rows, and `transform` returns another array that is computed only when it is
asked for, block by block, because each row is related to the landmarks by itself. Without Dask a
loop over blocks does the same.
"""

import matplotlib.pyplot as plt
import numpy as np

from legofuse import LEGOFusionTransformer
from legofuse.datasets import make_views

try:
    import dask.array as da
except ImportError:
    da = None

data = make_views(20_000, n_features=20, class_sep=3, random_state=0)
rows = 2500  # in a block
fusion = LEGOFusionTransformer(data.views, n_landmarks=100, n_components=20, random_state=0)

if da is None:
    print("Dask is not installed: a loop over blocks")
    fusion.fit(data.X[:5000], data.y[:5000])
    blocks = [fusion.transform(data.X[i : i + rows]) for i in range(0, len(data.X), rows)]
    embedding = np.concatenate(blocks)
else:
    X, y = da.from_array(data.X, chunks=(rows, -1)), da.from_array(data.y, chunks=rows)
    lazy = fusion.fit(X, y).transform(X)
    print(f"{lazy.npartitions} blocks, {lazy.shape[0]} rows of {lazy.shape[1]} components")
    embedding = lazy.compute(scheduler="threads", num_workers=2)
print(f"as in one call: {np.allclose(embedding, fusion.transform(data.X))}")

# %%
# Where the rows lie: the density of each class in the first two columns of the embedding.

fig, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharex=True, sharey=True)
for ax, label in zip(axes, np.unique(data.y), strict=True):
    x, y = embedding[data.y == label, :2].T
    drawn = ax.hexbin(x, y, gridsize=30, cmap="cividis", mincnt=1)
    ax.set(title=f"class {label}", xlabel="embedding, column 0")
axes[0].set_ylabel("embedding, column 1")
fig.colorbar(drawn, ax=axes, label="rows")
plt.show()
