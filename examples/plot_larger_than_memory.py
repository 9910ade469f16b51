"""
More rows than memory holds
===========================

How are millions of rows transformed? `fit` needs a sample of rows only, and `transform` treats each
row by itself, so blocks of rows can be transformed one after the other, or side by side: here with
Dask where it is installed, by a loop where it is not. Both give what one call gives.
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
sample = np.random.default_rng(0).choice(len(data.X), 1000, replace=False)
fusion = LEGOFusionTransformer(data.views, n_landmarks=100, n_components=20, random_state=0)
fusion.fit(data.X[sample], data.y[sample])

# %%
# A Dask array stands for rows in a file; nothing is read before it is asked for. One block is
# related to 100 landmarks at a time, so memory is that of one block for each worker.

rows = 2500
if da is None:
    print("Dask is not installed: a loop over blocks")
    blocks = [fusion.transform(data.X[i : i + rows]) for i in range(0, len(data.X), rows)]
    embedding = np.concatenate(blocks)
else:
    X = da.from_array(data.X, chunks=(rows, -1))
    width = len(fusion.get_feature_names_out())
    lazy = X.map_blocks(fusion.transform, chunks=(X.chunks[0], (width,)), dtype=X.dtype)
    print(f"{lazy.npartitions} blocks, {lazy.shape[0]} rows of {lazy.shape[1]} components")
    embedding = lazy.compute(scheduler="threads", num_workers=2)
print(f"as in one call: {np.allclose(embedding, fusion.transform(data.X))}")

# %%
# Where the rows lie: the density of each class in columns 1 and 2 of the embedding.

fig, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharex=True, sharey=True)
for ax, label in zip(axes, np.unique(data.y), strict=True):
    x, y = embedding[data.y == label, 1:3].T
    drawn = ax.hexbin(x, y, gridsize=30, cmap="cividis", mincnt=1)
    ax.set(title=f"class {label}", xlabel="embedding, column 1")
axes[0].set_ylabel("embedding, column 2")
fig.colorbar(drawn, ax=axes, label="rows")
plt.show()
