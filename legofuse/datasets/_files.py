"""Multi-view sets in .npz files."""

import zipfile
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from ._slices import slices


def load_npz(path):
    """Read a multi-view set from a ``.npz`` file with one array for each view.

    Parameters
    ----------
    path : str or Path
        A file with arrays ``X_<view>`` (n, d) with the same rows, and optionally ``y`` (n,),
        ``groups`` (n,) with the bag of each row, ``bag_y``, ``train_idx``, ``test_idx``, ``domain``
        and whatever else. Pickled objects are refused.

    Returns
    -------
    Bunch
        ``X`` (n, sum of d; views side by side, float16 made float32), ``views``, and all other
        arrays under their names. Where the file has no ``y``, it is ``bag_y[groups]``, the weak
        label of each unit, or None.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file, views differ in their rows, or an array has a wrong length.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> from legofuse.datasets import load_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "tiny.npz")
    ...     np.savez(path, X_audio=np.zeros((4, 2)), X_text=np.ones((4, 3)), y=[0, 0, 1, 1])
    ...     data = load_npz(path)
    >>> data.X.shape, data.views
    ((4, 5), {'audio': slice(0, 2, None), 'text': slice(2, 5, None)})
    """
    path = Path(path)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except (ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a .npz file of plain arrays: {error}") from error
    blocks = {name[2:]: arrays.pop(name) for name in list(arrays) if name.startswith("X_")}
    _check_arrays(path, blocks, arrays)
    dtype = np.result_type(np.float32, *blocks.values())
    X = np.concatenate(list(blocks.values()), axis=1, dtype=dtype)
    y = arrays.pop("y", None)
    if y is None and {"groups", "bag_y"} <= arrays.keys():
        y = arrays["bag_y"][arrays["groups"]]
    views = slices({name: block.shape[1] for name, block in blocks.items()})
    return Bunch(X=X, y=y, views=views, **arrays)


def _check_arrays(path, blocks, arrays):
    if not blocks:
        raise ValueError(f"{path} has no view: no array is named X_<view>; found {list(arrays)}.")
    for name, block in blocks.items():
        if block.ndim != 2 or block.dtype.kind not in "fiub":
            raise ValueError(
                f"{path}: X_{name} must be a 2-D array of numbers, got {block.ndim} dimensions of "
                f"{block.dtype}."
            )
    rows = {name: len(block) for name, block in blocks.items()}
    n = next(iter(rows.values()))
    if set(rows.values()) != {n}:
        raise ValueError(f"{path}: views have different numbers of rows: {rows}.")
    for name in {"y", "groups", "domain", "unit_y"} & arrays.keys():
        if arrays[name].shape[:1] != (n,):
            raise ValueError(f"{path}: {name} has shape {arrays[name].shape} for {n} rows.")
    for name in {"train_idx", "test_idx", "val_idx"} & arrays.keys():
        if arrays[name].size and not 0 <= arrays[name].min() <= arrays[name].max() < n:
            raise ValueError(f"{path}: {name} names rows that are not there ({n} rows).")
    if {"groups", "bag_y"} <= arrays.keys():
        n_bags, groups = len(arrays["bag_y"]), arrays["groups"]
        if groups.size and not 0 <= groups.min() <= groups.max() < n_bags:
            raise ValueError(f"{path}: groups names bags that bag_y ({n_bags} bags) does not have.")
