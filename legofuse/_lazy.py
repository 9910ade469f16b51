"""Dask arrays and frames: blocks transformed one by one, and a sample of all blocks to fit on.

Nothing of dask is imported until an object of dask comes in. A block is read as the same rows in
memory would be.

This module may import moments, sampling, tables, _labels and _row_weights of legofuse.
"""

from functools import reduce
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative

from ._labels import DROP, refuse_masked
from ._row_weights import merge_row_weights, weigh_rows
from .moments import merge_moments, partial_moments
from .sampling import canonical_rows
from .tables import read_columns, read_domains

__all__ = ["gather_sample", "is_lazy", "map_rows"]

_SAMPLE_ROWS, _SAMPLE_BYTES, _LEAST_ROWS = 100_000, 1 << 28, 20_000
_FAN_IN = 8


def is_lazy(X):
    """Whether X is an array or a frame of dask."""
    return type(X).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(X, "dask")


def _is_frame(X):
    return hasattr(X, "map_partitions") and hasattr(X, "columns")


def _check_table(X, n_features=None):
    """Check what is known of a dask collection without computing it; columns in one block."""
    if _is_frame(X):
        return X
    if X.ndim != 2:
        raise ValueError(f"Expected a 2-D dask array; got {X.ndim} dimension(s).")
    if X.shape[1] != X.shape[1]:
        raise ValueError(
            "The dask array's number of columns is unknown (NaN): build it with known chunks along "
            "axis 1, or call compute_chunk_sizes() on it."
        )
    if n_features is not None and X.shape[1] != n_features:
        raise ValueError(f"X has {X.shape[1]} features, but fit saw {n_features}.")
    return X if X.numblocks[1] == 1 else X.rechunk({1: -1})


def map_rows(method, X, sample_domain, names, dtype, n_features, feature_names=None):
    """Apply a method of a fitted estimator to every block of rows, lazily.

    Parameters
    ----------
    method : callable
        From rows and ``sample_domain`` to an ndarray of shape (n_rows, len(names)).
    X : dask array or DataFrame of shape (n_rows, n_features)
        Chunks along the rows may be of unknown length, or empty.
    sample_domain : dask array of shape (n_rows,), in the chunks of X, or None
    names : sequence of str
        Names of the columns of the result.
    dtype : dtype
        Of the result.
    n_features : int
        Columns seen in fit.
    feature_names : sequence of str, optional
        Their names, where fit saw names.

    Returns
    -------
    dask array of shape (n_rows, len(names)), or DataFrame with the index of X

    Raises
    ------
    ValueError, TypeError
        If X does not fit what was seen in fit. A block whose dtype or width is not what the array
        says raises when it is computed.
    """
    X = _check_table(X, n_features)
    width = len(names)
    if _is_frame(X):
        return _map_partitions(method, X, sample_domain, names, dtype, feature_names)
    parts = [X] if sample_domain is None else [X, _aligned(sample_domain, X, "sample_domain")]

    def work(block, *domains, block_id=None):
        where = "" if block_id is None else f"Block {block_id[0]} of X"
        _check_block(block, X.dtype, X.shape[1], where)
        if len(block) == 0:
            return np.empty((0, width), dtype)
        return method(block, sample_domain=domains[0].ravel() if domains else None)

    import dask.array as da

    return da.map_blocks(
        work,
        *parts,
        dtype=dtype,
        chunks=(X.chunks[0], (width,)),
        meta=np.empty((0, width), dtype),
        name=None,
    )


def _aligned(values, X, what):
    """One value a row, as a column in the row chunks of X."""
    if not is_lazy(values):
        raise TypeError(
            f"{what} must be a dask array in the chunks of X where X is lazy; got "
            f"{type(values).__name__}."
        )
    if str(values.chunks[0]) != str(X.chunks[0]):
        raise ValueError(
            f"{what} has row chunks {values.chunks[0]}, but X has {X.chunks[0]}: rechunk it."
        )
    return values.reshape(-1, 1) if values.ndim == 1 else values


def _check_block(block, dtype, width, where):
    if getattr(block, "ndim", None) != 2 or block.shape[1] != width:
        raise ValueError(
            f"{where} has shape {np.shape(block)}, but the array says {width} columns: the blocks "
            "differ in width."
        )
    if block.dtype != dtype:
        raise ValueError(
            f"{where} holds {block.dtype}, but the array says {dtype}: the blocks differ in dtype; "
            "cast them with astype."
        )


def _map_partitions(method, X, sample_domain, names, dtype, feature_names):
    import pandas as pd

    if sample_domain is not None:
        raise TypeError("Give the domains of a lazy frame in a column of it (domain_column).")
    if feature_names is not None and list(X.columns) != list(feature_names):
        raise ValueError(
            "The feature names should match those that were passed during fit: the dask "
            f"DataFrame has {list(X.columns)[:5]}..., fit saw {list(feature_names)[:5]}... "
            "`X.map_partitions(lambda rows: rows.reindex(columns=model.feature_names_in_))` puts "
            "them in that order, with NaN for views that are missing."
        )

    def work(rows):
        if len(rows) == 0:
            return pd.DataFrame(np.empty((0, len(names)), dtype), index=rows.index, columns=names)
        return pd.DataFrame(np.asarray(method(rows)), index=rows.index, columns=names)

    return X.map_partitions(work, meta=pd.DataFrame(columns=names, dtype=dtype))


class Sample(NamedTuple):
    """Distinct rows that come first in canonical order, with everything that belongs to them.

    ``moments`` and ``row_weights``, from before equal rows were merged, are those of all rows, and
    ``is_cut`` says whether there were more of them.
    """

    X: Any
    y: Any
    weight: Any
    domains: Any
    moments: Any = None
    row_weights: Any = None
    is_cut: bool = False


def gather_sample(estimator, X, y=None, sample_weight=None, sample_domain=None):
    """Gather the rows that a lazy fit reads, by a reduction over the blocks.

    Rows are ordered by a hash of their content, and the first ones of all blocks together are kept:
    a uniform sample of the distinct rows that does not depend on the blocks. All rows are kept
    where there are no more than fit on a sample would read (100000, fewer of very wide rows).

    Parameters
    ----------
    estimator : estimator
        With ``views`` and ``domain_column``.
    X : dask array or DataFrame
    y, sample_weight, sample_domain : dask array or Series, in the blocks of X, or None

    Returns
    -------
    Sample
        In memory. Rows that occur several times have the sum of their weights. Mean and scale of
        every view come along, from partial moments of every block, and what says how weights count.

    Raises
    ------
    ValueError, TypeError
        If the blocks do not belong together, or there is no row at all.
    """
    import dask

    X = _check_table(X)
    blocks = _blocks(X)
    columns = [
        [None] * len(blocks) if part is None else _parts(part, len(blocks), name)
        for name, part in {"y": y, "sample_weight": sample_weight, "domains": sample_domain}.items()
    ]
    estimator = clone(estimator)
    n_columns = X.shape[1]
    expected = None if _is_frame(X) else (X.dtype, n_columns)  # of every block
    size = min(_SAMPLE_ROWS, max(_LEAST_ROWS, _SAMPLE_BYTES // (8 * max(1, int(n_columns)))))
    read, merge = dask.delayed(_read_block), dask.delayed(_merge)
    level = [
        read(estimator, block, *parts, k, expected, size)
        for block, *parts, k in zip(blocks, *columns, count(), strict=False)
    ]
    while len(level) > 1:
        level = [
            merge(estimator, level[k : k + _FAN_IN], size) for k in range(0, len(level), _FAN_IN)
        ]
    found = dask.compute(level[0])[0]
    if found is None:
        raise ValueError("All blocks of X are empty: there is no row to fit on.")
    if len(found.weight) == 0:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return found


def _blocks(values):
    """Blocks of rows of a dask collection, each to be computed."""
    return np.ravel(np.asarray(values.to_delayed(), dtype=object)).tolist()


def _parts(values, n_blocks, what):
    if not is_lazy(values):
        raise TypeError(
            f"{what} must be a dask array or Series in the blocks of X where X is lazy; got "
            f"{type(values).__name__}."
        )
    parts = _blocks(values)
    if len(parts) != n_blocks:
        raise ValueError(f"{what} has {len(parts)} blocks, but X has {n_blocks}: rechunk it.")
    return parts


def _read_block(estimator, X, y, weight, domains, k, expected, size):
    """First rows of one block, None for an empty block."""
    if expected is not None:
        _check_block(X, expected[0], expected[1], f"Block {k} of X")
    for what, values in {"y": y, "sample_weight": weight, "sample_domain": domains}.items():
        if values is not None and len(values) != len(X):
            raise ValueError(f"Block {k} of X has {len(X)} rows, but that of {what} {len(values)}.")
    if len(X) == 0:
        return None
    refuse_masked(y, f"Block {k} of y", DROP)
    y, domains = (None if v is None else np.asarray(v) for v in (y, domains))
    weight = np.ones(len(X)) if weight is None else _check_weight(weight, k)
    return _first(estimator, Sample(X, y, weight, domains), size)


def _check_weight(weight, k):
    """Weights of one block, all of which may be 0; those of all blocks are checked once merged."""
    name = f"block {k} of sample_weight"
    weight = check_array(
        np.asarray(weight), ensure_2d=False, allow_nd=True, dtype=np.float64, input_name=name
    )
    if weight.ndim != 1:
        raise ValueError(f"sample_weight must be 1-D; got {name} of shape {weight.shape}.")
    check_non_negative(weight, name)
    return weight


def _merge(estimator, samples, size):
    """First rows of several samples together."""
    samples = [sample for sample in samples if sample is not None]
    samples = [sample for sample in samples if len(sample.weight)] or samples[:1]
    if len(samples) < 2:
        return samples[0] if samples else None
    parts = zip(*(sample[:4] for sample in samples), strict=True)
    X, y, weight, domains = (None if v[0] is None else _concatenate(v) for v in parts)
    moments = reduce(merge_moments, [sample.moments for sample in samples])
    row_weights = reduce(merge_row_weights, [sample.row_weights for sample in samples])
    is_cut = any(sample.is_cut for sample in samples)
    return _first(estimator, Sample(X, y, weight, domains, moments, row_weights, is_cut), size)


def _concatenate(parts):
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        return pd.concat(parts, ignore_index=True)
    return np.concatenate(parts)


def _first(estimator, sample, size):
    table = read_columns(estimator, sample.X, reset=True)
    domains = read_domains(table, sample.domains)
    apart = [_numbers(values) for values in (sample.y, domains) if values is not None]
    # rows merge only where y and domain are equal
    rows, weight, _ = canonical_rows(table.X, np.hstack(apart) if apart else None, sample.weight)
    moments, row_weights = sample.moments, sample.row_weights
    is_cut = sample.is_cut or len(rows) > size
    if moments is None:
        moments = partial_moments(table.X, table.columns, sample.weight)
        is_empty = False if table.missing is None else table.missing.all(axis=1)
        row_weights = weigh_rows(np.where(is_empty, 0.0, sample.weight))
    rows, weight = rows[:size], weight[:size]
    X = sample.X.iloc[rows] if hasattr(sample.X, "iloc") else sample.X[rows]
    y, domains = (None if v is None else v[rows] for v in (sample.y, sample.domains))
    return Sample(X, y, weight, domains, moments, row_weights, is_cut)


def _numbers(values):
    """Labels or numbers as columns of numbers, equal in every block for equal labels."""
    values = values.reshape(len(values), -1)
    if values.dtype.kind in "fiub":
        return values.astype(np.float64)
    labels, codes = np.unique(values.astype(str), return_inverse=True)
    marks = [int.from_bytes(blake2b(label.encode(), digest_size=6).digest()) for label in labels]
    return np.array(marks, np.float64)[codes].reshape(values.shape)
