"""Threads: one of BLAS and OpenMP while matrices are small, some of our own for large arrays.

Small factorisations gain nothing from threads and lose much where processors are shared. The
limit of BLAS is process-wide, so it is counted: the first that enters sets it, the last that
leaves restores what was there, however many threads fit at once. That of OpenMP (torch's) is the
calling thread's own, so it is not.

This module may import config of legofuse.
"""

import sys
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context

from threadpoolctl import ThreadpoolController

from .config import processors

_MOST = 4  # threads that share the work of one array: each needs room of its own

_lock = threading.Lock()
_state: dict = {"users": 0, "restore": []}
_found: dict = {"modules": 0, "libraries": None}


def _libraries():
    """The thread pools of this process; looking for them takes longer than scoring a few rows.

    A library comes with the import of a module, so they are looked for anew once there are more.
    """
    n_modules = len(sys.modules)
    libraries = _found["libraries"]
    if libraries is None or _found["modules"] != n_modules:
        libraries = ThreadpoolController()
        _found.update(modules=n_modules, libraries=libraries)
    return libraries


@contextmanager
def single_threaded_blas():
    """Keep BLAS to one thread inside the block."""
    with _lock:
        if _state["users"] == 0:
            found = _libraries().select(user_api="blas").lib_controllers
            _state["restore"] = [(library, library.num_threads) for library in found]
            for library in found:
                _set_threads(library, 1)
        _state["users"] += 1
    try:
        yield
    finally:
        with _lock:
            _state["users"] -= 1
            if _state["users"] == 0:
                for library, n_threads in _state["restore"]:
                    _set_threads(library, n_threads)
                _state["restore"] = []


def _set_threads(library, n_threads):
    """Set a library's threads from whichever thread this is.

    Since threadpoolctl 3.8 a thread that has set OpenBLAS's threads owns it until it lets go; the
    last one to leave need not be the one that entered first.
    """
    let_go = getattr(library, "clear_controlling_thread", None)
    if let_go is not None:
        let_go(force=True)
    library.set_num_threads(n_threads)
    if let_go is not None:
        let_go(force=True)


@contextmanager
def single_threaded_openmp(active=True):
    """Keep OpenMP, hence torch, to one thread inside the block, if ``active``.

    Import torch first, and let it do something: it sets its threads when a thread first uses it.
    """
    if not active:
        yield
        return
    with _libraries().limit(limits=1, user_api="openmp"):
        yield


def map_threads(function, items, active=True):
    """What a function returns for each item, in as many threads as there are processors.

    They are at most four, and at most what ``OMP_NUM_THREADS`` says. Settings of legofuse and of
    numpy that hold in the calling thread hold in all of them. After an error, or an interrupt, no
    further item is begun. For functions that spend their time in large array operations, where
    BLAS is kept to one thread.
    """
    n_threads = min(processors(), _MOST, len(items))
    if not active or n_threads < 2:
        return [function(item) for item in items]
    pool = ThreadPoolExecutor(n_threads)
    try:
        tasks = [pool.submit(copy_context().run, function, item) for item in items]
        done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
        return [task.result() for task in (tasks if len(done) == len(tasks) else done)]
    finally:
        pool.shutdown(cancel_futures=True)
