"""Threads of BLAS and OpenMP: one while matrices are small.

Small factorisations gain nothing from threads and lose much where processors are shared. The
limit of BLAS is process-wide, so it is counted: the first that enters sets it, the last that
leaves restores what was there, however many threads fit at once. That of OpenMP (torch's) is the
calling thread's own, so it is not.

This module imports nothing from legofuse.
"""

import threading
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_state: dict = {"users": 0, "limit": None}


@contextmanager
def single_threaded_blas(active=True):
    """Keep BLAS to one thread inside the block, if ``active``."""
    if not active:
        yield
        return
    with _lock:
        if _state["users"] == 0:
            _state["limit"] = ThreadpoolController().limit(limits=1, user_api="blas")
            _state["limit"].__enter__()
        _state["users"] += 1
    try:
        yield
    finally:
        with _lock:
            _state["users"] -= 1
            if _state["users"] == 0:
                _state["limit"].__exit__(None, None, None)
                _state["limit"] = None


@contextmanager
def single_threaded_openmp(active=True):
    """Keep OpenMP, hence torch, to one thread inside the block, if ``active``.

    Import torch first, and let it do something: it sets its threads when a thread first uses it.
    """
    if not active:
        yield
        return
    with ThreadpoolController().limit(limits=1, user_api="openmp"):
        yield
