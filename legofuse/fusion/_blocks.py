"""Blocks: parts of flat arrays that stay in the processor's cache, shared among threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..config import processors

_BLOCK_SIZE = 1 << 18  # numbers of scratch space for each thread: within its own cache
_BLAS_THREAD_SIZE = 1 << 18  # multiply-adds below which OpenBLAS stays in the calling thread
_THREADED_SIZE = 1 << 23
_LINE = 64  # bytes of a cache line


def aligned_empty(n_rows, width, dtype):
    """An array (n_rows, width) whose rows start on cache lines, 64 in turn on those of a page.

    Vector loads that cross cache lines take twice as long, and a load waits for a store before it
    to the same place of another page.
    """
    dtype = np.dtype(dtype)
    line = _LINE // dtype.itemsize
    stride = (-(-width // line) | 1) * line  # an odd number of lines: in turn all of a page
    room = np.empty(n_rows * stride + line, dtype)
    start = -room.ctypes.data % _LINE // dtype.itemsize
    return room[start : start + n_rows * stride].reshape(n_rows, stride)[:, :width]


def _n_threads(size):
    """Threads worth starting: one for each processor, as BLAS does, none for small arrays."""
    return 1 if size < _THREADED_SIZE else processors()


def in_blocks(work, size, n_left, n_right, chunk=None):
    """Call ``work(blocks)`` in each thread; blocks are (slice, n_chunks, chunk) triples.

    Chunks are small enough for BLAS to stay in the calling thread and blocks of chunks small
    enough for the cache. Returns the list of what the calls returned.
    """
    if chunk is None:
        chunk = max(64, min(2048, _BLAS_THREAD_SIZE // (n_left * n_right), size))
    per_block = max(1, _BLOCK_SIZE // ((n_left + n_right) * chunk))
    whole = size // chunk
    blocks = [
        (slice(k * chunk, min(k + per_block, whole) * chunk), min(per_block, whole - k), chunk)
        for k in range(0, whole, per_block)
    ]
    if size % chunk:
        blocks.append((slice(whole * chunk, size), 1, size % chunk))
    n_threads = min(_n_threads(size * (n_left + n_right)), len(blocks))
    if n_threads == 1:
        return [work(blocks)]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, [blocks[k::n_threads] for k in range(n_threads)]))


def thread_parts(work, n, cost):
    """Call ``work(slice)`` on equal parts of n things, one a thread; ``cost`` is that of one."""
    n_threads = min(_n_threads(n * cost), n)
    if n_threads == 1:
        work(slice(0, n))
        return
    ends = [n * k // n_threads for k in range(n_threads + 1)]
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, map(slice, ends[:-1], ends[1:])))
