"""Importing legofuse costs nothing beside scikit-learn, and does not import torch.

The last lines are the time of ``import legofuse`` over that of ``import sklearn``, and in seconds:
medians of processes of their own, by the processor, less what starting Python takes.
"""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import claim


def processor_seconds():
    """Seconds that finished processes of ours took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(code, repeats=7):
    times = []
    for _ in range(repeats + 1):  # the first one fills the disk cache
        start = processor_seconds()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(processor_seconds() - start)
    return statistics.median(times[1:])


if __name__ == "__main__":
    python = seconds("pass")
    statements = [
        "import legofuse",
        "from legofuse import LEGOFusionTransformer",
        "import sklearn",
        "from sklearn.svm import SVC",
    ]
    took = {statement: seconds(statement) - python for statement in statements}
    for statement, value in took.items():
        print(f"{statement:45} {value:.3f} s")
    check = (
        "import sys, legofuse; legofuse.LEGOFusionTransformer; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
    share = took["import legofuse"] / took["import sklearn"]
    claim(share, "import legofuse / import sklearn", at_most=0.1)
    claim(took["import legofuse"], "seconds that import legofuse takes", at_most=0.1)
