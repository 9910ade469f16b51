"""Rows in, rows of the embedding or of the fused graph out: one pass in blocks."""

from contextvars import copy_context

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from .._threads import single_threaded_blas
from ..config import foresee
from ..fused import block_rows
from ._training import at, warn_empty


def stream(table, domains, fused, shifts, projection=None, prior=0.0, n_jobs=None):
    """Fuse (and project) block after block of rows.

    Parameters
    ----------
    table : Table
    domains : ndarray of shape (n_rows,) or None
    fused : FusedGraph
    shifts : Shifts or None
        Of the rows' domains.
    projection : ndarray of shape (n_references, n_components), optional
        By default rows of the fused graph are returned.
    prior : ndarray of shape (n_references,) or float
        The fused graph of a row that misses every view.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    ndarray of shape (n_rows, n_references) or (n_rows, n_components)

    Raises
    ------
    MemoryError
        If the result would take too much of the memory available.
    """
    width = len(fused) if projection is None else projection.shape[1]
    shape = len(table), width
    foresee(
        len(table) * width * fused.dtype.itemsize,
        f"{'Relations' if projection is None else 'The embedding'} of shape {shape}",
        "transform fewer rows at a time, pass float32, or lower n_landmarks or n_components",
    )
    out = np.empty(shape, dtype=fused.dtype)
    empty = None if table.missing is None else table.missing.all(axis=1)
    direct = projection is None and table.X.dtype.itemsize <= fused.dtype.itemsize

    def fill(part):
        given = table.X[part], at(domains, part)
        rows, marks = fused.encode(*given, shifts), fused.mark(*given)
        graph = fused(rows, marks, out=out[part] if direct else None)
        if empty is not None:
            graph[empty[part]] = prior
        if projection is not None:
            np.matmul(graph, projection, out=out[part])
        elif not direct:
            out[part] = graph

    step = block_rows(len(fused), len(fused.graphs))
    parts = [slice(start, start + step) for start in range(0, len(table), step)]
    n_threads = min(effective_n_jobs(n_jobs), len(parts))
    if n_threads < 2:
        for part in parts:
            fill(part)
    else:
        with single_threaded_blas():  # a thread a block, not several
            tasks = [delayed(copy_context().run)(fill, part) for part in parts]  # settings hold
            Parallel(n_jobs=n_threads, require="sharedmem")(tasks)
    if empty is not None:
        warn_empty(np.count_nonzero(empty), "given the mean of the training rows")
    return out
