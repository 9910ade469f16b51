"""
Watch the fit
=============

How far is a fit, and where does its time go? Nothing is printed by default. Callbacks of
scikit-learn (from 1.9 on) hear of each stage of a fit: its `ProgressBar` (which needs rich) shows
them while they run, and one of your own can do anything else, here take the time.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.callback import ProgressBar

from legofuse import LEGOFusionTransformer
from legofuse.datasets import make_views


class Stopwatch:
    """Seconds of each stage of a fit; the fit itself is the task without a parent."""

    def setup(self, estimator, context):
        self.seconds = {}

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.start = time.perf_counter()

    def on_fit_task_end(self, estimator, context):
        if context.parent is not None:
            self.seconds[context.task_name] = time.perf_counter() - self.start


data = make_views(4000, n_features=30, random_state=0)
rows, found = [250, 500, 1000, 4000], []
for n in rows:
    watch = Stopwatch()
    fusion = LEGOFusionTransformer(data.views, relation="correlation", random_state=0)
    fusion.set_callbacks(ProgressBar(), watch).fit(data.X[:n], data.y[:n])
    found.append(watch.seconds)

# %%
# The seconds of each stage. Weights are learned on `max_fit_samples` rows, 1000 by default, and the
# map of landmarks is made for `n_landmarks` of them, 1000: from there on, more rows cost little.

stages = list(found[0])
print(f"{'rows':>6}", *(f"{stage:>16}" for stage in stages))
for n, seconds in zip(rows, found, strict=True):
    print(f"{n:6}", *(f"{seconds[stage]:16.3f}" for stage in stages))

left = np.zeros(len(rows))
looks = [("0.95", ""), ("0.75", "//"), ("0.5", ""), ("0.85", "xx")]  # colour and hatch
for stage, (colour, hatch) in zip(stages, looks, strict=True):
    width = np.array([seconds[stage] for seconds in found])
    style = {"color": colour, "hatch": hatch, "edgecolor": "k"}
    plt.barh([str(n) for n in rows], width, left=left, label=stage, **style)
    left += width
plt.xlabel("seconds")
plt.ylabel("training rows")
plt.legend(title="stage", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
plt.tight_layout()
plt.show()
