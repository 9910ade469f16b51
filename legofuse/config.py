"""Settings of the library, and what it may use: memory, processors, what evaluates polynomials.

This module imports nothing from legofuse.
"""

import os
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec

__all__ = [
    "DocumentationLink",
    "available_memory",
    "config_context",
    "foresee",
    "get_config",
    "processors",
    "set_config",
]

_DEFAULTS = {"memory_share": 0.8, "documentation": None, "engine": "numpy"}
_ENGINES = ("numpy", "numba")
_UNCHANGED = object()
_SMALL = 1 << 20  # bytes that are not worth asking the system about
_settings: ContextVar = ContextVar("legofuse_settings", default=None)


def get_config():
    """Return the settings that hold here.

    Returns
    -------
    dict
        ``memory_share``: the largest share of the available memory that one array may take, or
        None for no limit. ``documentation``: address of the built documentation, or None.
        ``engine``: what evaluates the fusion polynomial, ``"numpy"`` or ``"numba"``.

    Examples
    --------
    >>> from legofuse.config import get_config
    >>> get_config()
    {'memory_share': 0.8, 'documentation': None, 'engine': 'numpy'}
    """
    return dict(_settings.get() or _DEFAULTS)


def set_config(*, memory_share=_UNCHANGED, documentation=_UNCHANGED, engine=_UNCHANGED):
    """Change settings, for the present thread or task (others keep their own).

    What is not given stays as it is.

    Parameters
    ----------
    memory_share : float or None
        Largest share of the available memory, above 0, that one array may take (relations, a
        fused graph, hops) before ``MemoryError`` is raised instead of allocating it; None sets no
        limit.
    documentation : str or None
        Address (or path) of the folder that holds the built documentation's ``index.html``: the
        HTML display of an estimator links to it. None draws no link.
    engine : {"numpy", "numba"}
        What evaluates the fusion polynomial and its adjoint on numpy arrays. ``"numba"`` compiles
        every index set once for each dtype, which takes 0.2 to 2 seconds (up to 10 for more than
        90 terms), and is then several times faster; results agree up to rounding. Arrays of fewer
        than 2048 entries, index sets of one or of more than 300 terms, powers above 64, and
        separable ones are left to numpy.

    Raises
    ------
    ValueError
        If a setting is not one of these; nothing is changed then.
    ImportError
        If ``engine="numba"`` and numba is not installed; nothing is changed then.

    See Also
    --------
    config_context : The same for a ``with`` block.
    """
    settings = get_config()
    if memory_share is not _UNCHANGED:
        settings["memory_share"] = _check_share(memory_share)
    if documentation is not _UNCHANGED:
        if not (documentation is None or isinstance(documentation, str)):
            raise ValueError(f"documentation must be an address or None; got {documentation!r}.")
        settings["documentation"] = documentation
    if engine is not _UNCHANGED:
        settings["engine"] = _check_engine(engine)
    _settings.set(settings)


def _check_share(memory_share):
    if memory_share is not None and not (
        isinstance(memory_share, int | float)
        and not isinstance(memory_share, bool)
        and 0 < memory_share < float("inf")
    ):
        raise ValueError(f"memory_share must be a number above 0, or None; got {memory_share!r}.")
    return memory_share


def _check_engine(engine):
    if engine not in _ENGINES:
        raise ValueError(f"engine must be 'numpy' or 'numba'; got {engine!r}.")
    if engine == "numba" and find_spec("numba") is None:
        raise ImportError(
            "engine='numba' needs numba, which is not installed: pip install 'legofuse[numba]' "
            "(in a clone: pip install '.[numba]')."
        )
    return engine


@contextmanager
def config_context(**settings):
    """Change settings inside a ``with`` block.

    Parameters
    ----------
    **settings
        As in :func:`set_config`.

    Yields
    ------
    None
        The settings hold until the block ends.

    Examples
    --------
    >>> from legofuse.config import config_context, get_config
    >>> with config_context(memory_share=0.1):
    ...     get_config()["memory_share"]
    0.1
    """
    before = get_config()
    set_config(**settings)
    try:
        yield
    finally:
        set_config(**before)


class DocumentationLink:
    """Let the HTML display of an estimator link to its page, where ``documentation`` says.

    scikit-learn reads these attributes; the class stands left of its ``BaseEstimator``.

    Examples
    --------
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.config import config_context
    >>> with config_context(documentation="docs/_build/html/"):
    ...     LEGOFusionTransformer()._get_doc_link()
    'docs/_build/html/generated/api/legofuse.LEGOFusionTransformer.html'
    """

    _doc_link_module = "legofuse"

    @property
    def _doc_link_template(self):
        folder = get_config()["documentation"]
        if folder is None:
            return ""
        folder = folder.rstrip("/").replace("{", "{{").replace("}", "}}")
        return folder + "/generated/api/legofuse.{estimator_name}.html"


def available_memory():
    """Bytes that can be allocated now: what the system says, or a container's limit if lower.

    Returns
    -------
    int or None
        None where the system does not tell.
    """
    found = [_meminfo(), _control_group()]
    known = [value for value in found if value is not None]
    return min(known) if known else None


def processors():
    """Threads that large arrays may have: what ``OMP_NUM_THREADS`` says, or one a processor.

    Returns
    -------
    int
        At least 1.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return int(limit) if limit.isdigit() and int(limit) > 0 else os.cpu_count() or 1


def _meminfo():
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:  # elsewhere: all there is, used or not
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _control_group(folder="/sys/fs/cgroup"):
    values = []
    for name in ("memory.max", "memory.current"):
        try:
            with open(os.path.join(folder, name), encoding="ascii") as file:
                values.append(int(file.read()))
        except (OSError, ValueError):  # no such file, or "max"
            return None
    return max(0, values[0] - values[1])


def foresee(n_bytes, what, remedy):
    """Raise before an allocation that would take too much of the memory.

    Parameters
    ----------
    n_bytes : int
        What is about to be allocated.
    what : str
        What it is, with its shape.
    remedy : str
        What else to do.

    Raises
    ------
    MemoryError
        If it is more than ``memory_share`` of the available memory.

    Examples
    --------
    >>> from legofuse.config import foresee
    >>> foresee(8, "one number", "none is needed")
    """
    share = get_config()["memory_share"]
    if share is None or n_bytes < _SMALL:
        return
    available = available_memory()
    if available is None or n_bytes <= share * available:
        return
    raise MemoryError(
        f"{what} would take {_size(n_bytes)}, more than {share:.0%} of the {_size(available)} of "
        f"memory available: {remedy}, or allow more with "
        "legofuse.config.set_config(memory_share=...)."
    )


def _size(n_bytes):
    power = min(4, max(0, (int(n_bytes).bit_length() - 1) // 10))
    return f"{n_bytes / 1024**power:.3g} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
