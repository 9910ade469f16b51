"""The fusion polynomial compiled by numba: one pass over memory, everything else in registers.

An optional engine (``legofuse.config.set_config(engine="numba")``). Each index set is written out
as straight-line code for one entry, a nested Horner scheme with one multiply-add a term, which
numba compiles to vector instructions; its adjoint likewise. Weights stay arguments: an index set is
compiled once for each dtype, in 0.2 to 2 seconds for up to 90 terms and in up to 10 for 300, and
kept for as long as the process lives.
"""

import threading
from functools import lru_cache
from importlib import import_module

import numpy as np

from ..config import get_config
from ._blocks import thread_parts

_LEAST_ENTRIES = 2048  # numpy needs no compiler for less, and is as fast
_MOST_TERMS, _HIGHEST = 300, 64  # compiling more code takes longer than it saves
_SUMMED_AT_ONCE = 2048  # entries added up in their own dtype before float64
_lock = threading.Lock()


def is_compiled(size, powers, dtype):
    """Whether an index set is to be evaluated here: if asked for, and if it is worth compiling."""
    return (
        get_config()["engine"] == "numba"
        and size >= _LEAST_ENTRIES
        and 1 < len(powers) <= _MOST_TERMS
        and 0 < powers.max() <= _HIGHEST
        and dtype in (np.float32, np.float64)
    )


def fuse_compiled(relations, powers, weights, target):
    """Write the fused graph of flat relations into a flat target."""
    relations, powers = _used(relations, powers)
    kernel = _kernel(_forward, powers, target.dtype)
    weights = np.ascontiguousarray(weights, dtype=target.dtype)

    def work(part):
        kernel(weights, target[part], *(r[part] for r in relations))

    thread_parts(work, target.size, len(powers))


def adjoint_compiled(relations, powers, slope, length=None):
    """Sums of slope times each term over runs of entries, of shape (n_runs, n_terms), float64.

    Runs have a length of their own, or one that is good for adding up.
    """
    relations, powers = _used(relations, powers)
    kernel = _kernel(_backward, powers, slope.dtype)
    length = _SUMMED_AT_ONCE if length is None else length
    sums = np.empty((-(-slope.size // length), len(powers)))

    def work(part):
        entries = slice(part.start * length, part.stop * length)
        kernel(length, sums[part], slope[entries], *(r[entries] for r in relations))

    thread_parts(work, len(sums), len(powers) * length)
    return sums


def _used(relations, powers):
    """Without the graphs that are in no term, so that alike index sets are one."""
    used = powers.any(axis=0)
    return [r for r, one in zip(relations, used, strict=True) if one], powers[:, used]


def _kernel(source, powers, dtype):
    powers = np.ascontiguousarray(powers, dtype=np.int64)
    with _lock:
        return _compile(source, powers.tobytes(), powers.shape[1], dtype.name)


@lru_cache(maxsize=128)
def _compile(source, key, n_graphs, dtype):
    numba = import_module("numba")
    powers = np.frombuffer(key, dtype=np.int64).reshape(-1, n_graphs)
    code = compile(source(powers), f"<legofuse {source.__name__} {powers.shape}>", "exec")
    names = {"number": getattr(np, dtype)}
    exec(code, names)
    # contracted: a multiplication and an addition are one step, rounded once
    fast = {"contract"} if source is _forward else {"contract", "reassoc", "nsz"}
    return numba.njit(nogil=True, fastmath=fast, error_model="numpy")(names["kernel"])


def _forward(powers):
    """Source of the polynomial: ``kernel(weights, out, *relations)``.

    >>> print(_forward(np.array([[1, 0], [0, 1], [1, 1]])))
    def kernel(weights, out, r0, r1):
        w0 = weights[0]
        w1 = weights[1]
        w2 = weights[2]
        for i in range(out.size):
            x0 = r0[i]
            x1 = r1[i]
            t0 = w2 * x1 + w0
            t1 = w1 * x1
            t2 = t0 * x0 + t1
            out[i] = t2
    """
    lines: list = []

    def value(terms, graph):
        """Name of the sum of some terms, of the factors of ``graph`` and those after it."""
        if graph == powers.shape[1]:
            same = " + ".join(f"w{k}" for k in terms)  # a term may be there twice
            return same if len(terms) == 1 else f"({same})"
        by_power = _by_power(powers, terms, graph)
        highest = max(by_power)
        found = value(by_power[highest], graph + 1)
        for p in range(highest - 1, -1, -1):
            more = f" + {value(by_power[p], graph + 1)}" if p in by_power else ""
            lines.append(f"t{len(lines)} = {found} * x{graph}{more}")
            found = f"t{len(lines) - 1}"
        return found

    result = value(list(range(len(powers))), 0)
    graphs = range(powers.shape[1])
    head = [f"def kernel(weights, out, {_names(graphs)}):"]
    head += [f"    w{k} = weights[{k}]" for k in range(len(powers))]
    head += ["    for i in range(out.size):", *(f"        x{m} = r{m}[i]" for m in graphs)]
    return "\n".join([*head, *(f"        {line}" for line in lines), f"        out[i] = {result}"])


def _backward(powers):
    """Source of the adjoint: ``kernel(length, sums, slope, *relations)``.

    >>> print(_backward(np.array([[1], [3]])))
    def kernel(length, sums, slope, r0):
        for k in range(len(sums)):
            s0 = number(0)
            s1 = number(0)
            for i in range(k * length, min((k + 1) * length, slope.size)):
                y = slope[i]
                x0 = r0[i]
                t0 = y * x0
                s0 += t0
                t1 = t0 * x0
                t2 = t1 * x0
                s1 += t2
            sums[k, 0] = s0
            sums[k, 1] = s1
    """
    lines: list = []
    count = iter(range(powers.sum() + 1))

    def descend(terms, graph, found):
        """Multiply the factors of ``graph`` and those after it to what was found so far."""
        if graph == powers.shape[1]:
            lines.extend(f"s{k} += {found}" for k in terms)
            return
        by_power = _by_power(powers, terms, graph)
        for p in range(max(by_power) + 1):
            if p:
                name = f"t{next(count)}"
                lines.append(f"{name} = {found} * x{graph}")
                found = name
            if p in by_power:
                descend(by_power[p], graph + 1, found)

    descend(list(range(len(powers))), 0, "y")
    graphs, terms = range(powers.shape[1]), range(len(powers))
    head = [f"def kernel(length, sums, slope, {_names(graphs)}):"]
    head += ["    for k in range(len(sums)):", *(f"        s{k} = number(0)" for k in terms)]
    head += ["        for i in range(k * length, min((k + 1) * length, slope.size)):"]
    head += ["            y = slope[i]", *(f"            x{m} = r{m}[i]" for m in graphs)]
    tail = [f"        sums[k, {k}] = s{k}" for k in terms]
    return "\n".join([*head, *(f"            {line}" for line in lines), *tail])


def _by_power(powers, terms, graph):
    """Terms by their power of a graph."""
    found: dict = {}
    for k in terms:
        found.setdefault(int(powers[k, graph]), []).append(k)
    return found


def _names(graphs):
    return ", ".join(f"r{m}" for m in graphs)
