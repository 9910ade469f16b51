"""What more landmarks give where there are more rows than landmarks, and what they cost.

Test accuracy and seconds of fit and transform, means of three stratified splits into four fifths
for training and one for testing; all else by default, then `RidgeClassifierCV`.

    python benchmarks/landmarks_buy_accuracy.py [SET ...]

The sets come from the folder that LEGOFUSE_DATA names; without it the built-in digits alone.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import StratifiedShuffleSplit

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import clock
from benchmarks.quality import data
from benchmarks.quality.methods import ALPHAS
from legofuse import LEGOFusionTransformer, stack_views

SETS = ("mv_webkb", "mv_reuters1200", "digits_views", "mv_mfeat", "mv_landuse21")
SETS += ("mv_cora_planetoid", "mv_citeseer_planetoid", "mm_imdb1000_text_tab")
SIZES = (500, 700, 1000, 1500)


def measure(task, n_landmarks):
    """Accuracy on test rows, seconds of fit, seconds of transform."""
    X, columns = stack_views(dict(zip(task.names, task.train, strict=True)))
    fusion = LEGOFusionTransformer(columns, n_landmarks=n_landmarks, random_state=0)
    start = clock()
    fusion.fit(X, task.y_train)
    fitted = clock()
    embedded = fusion.transform(X)
    done = clock()
    readout = RidgeClassifierCV(alphas=ALPHAS).fit(embedded, task.y_train)
    accuracy = readout.score(fusion.transform(np.hstack(task.test)), task.y_test)
    return accuracy, fitted - start, done - fitted


def main(names):
    """Print a line for each set and number of landmarks below that of its training rows."""
    known = data.available()
    for name in names or [name for name in SETS if name in known]:
        loaded = data.load(name)
        cut = StratifiedShuffleSplit(3, train_size=0.8, random_state=0)
        tasks = [data.make_task(loaded, rows, "") for rows in cut.split(loaded.y, loaded.y)]
        n_train = len(tasks[0].y_train)
        for size in SIZES:
            if size == SIZES[0] or size < 1.3 * n_train:
                found = np.mean([measure(task, size) for task in tasks], axis=0)
                line = "accuracy {:.4f}, fit {:.1f} s, transform {:.1f} s".format(*found)
                print(f"{name}, {n_train} rows, {size} landmarks: {line}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
