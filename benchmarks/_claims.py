"""How a benchmark states what it found: one line a claim, which `benchmarks.speed` reads.

With one thread (OMP_NUM_THREADS=1) seconds are of the processor, so that others on the machine do
not count; on an idle machine they are those of a clock.
"""

import os
import platform
import re
import time
from importlib.util import find_spec
from pathlib import Path

LINE = re.compile(
    r"^ratio: (?P<value>\S+) (?P<what>.+) \((?P<kind>at most|at least) (?P<target>\S+)\)$"
)


ENGINES = ["numpy", "numba"] if find_spec("numba") else ["numpy"]  # of legofuse.config

clock = time.process_time if os.environ.get("OMP_NUM_THREADS") == "1" else time.perf_counter


def claim(value, what, *, at_most=None, at_least=None):
    """Print a claim's measured figure and its target."""
    kind, target = ("at most", at_most) if at_least is None else ("at least", at_least)
    print(f"ratio: {value:.3g} {what} ({kind} {target:g})")


def read_claims(text):
    """Claims in what a benchmark printed: (what, measured, target, holds)."""
    found = []
    for match in filter(None, map(LINE.match, text.splitlines())):
        value, target = float(match["value"]), float(match["target"])
        holds = value <= target if match["kind"] == "at most" else value >= target
        found.append((match["what"], value, f"{match['kind']} {target:g}", holds))
    return found


def best_seconds(work, repeats=7):
    """Shortest of several runs: what the machine can do when nobody else uses it."""
    return best_of_each([work], repeats)[0]


def best_of_each(works, repeats=7, clock=clock):
    """The same for several works that take turns, so that all see the machine alike."""
    seconds = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, seconds, strict=True):
            start = clock()
            work()
            taken.append(clock() - start)
    return [min(taken) for taken in seconds]


def machine(load=True):
    """The kind of machine, and how busy it was."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        name = next((li.split(":")[1].strip() for li in lines if li.startswith("model name")), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    known = [f"{name}, {cores} cores"]
    if accelerator():
        known.insert(0, accelerator())
    if load and hasattr(os, "getloadavg"):
        known.append(f"load average {os.getloadavg()[0]:.1f}")
    return ", ".join([*known, f"OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}"])


def accelerator():
    """Name of the accelerator that torch finds, or None."""
    import torch

    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name()
