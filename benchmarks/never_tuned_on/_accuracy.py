"""Accuracy of legofuse and of tuned peers on sets with classes, and a summary over sets."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from benchmarks.never_tuned_on._tables import against
from benchmarks.quality import stats
from benchmarks.quality.methods import METHODS

COMPARED = ("legofuse", "concat_lr", "concat_svm", "late_lr", "average_mkl", "easy_mkl")


def header():
    """Print the titles of the columns that `show` prints."""
    print("set;", "; ".join(METHODS[name].title for name in COMPARED))


def accuracies(views, y, most_train, most_test, seed):
    """Accuracy of each method on one split: at most half the rows train."""
    n_train = min(most_train, len(y) // 2)
    n_test = min(len(y) - n_train, most_test)
    split = StratifiedShuffleSplit(1, train_size=n_train, test_size=n_test, random_state=seed)
    train, test = next(split.split(y, y))
    names = [f"view{k}" for k in range(len(views))]
    found = []
    for method in COMPARED:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predict, _ = METHODS[method].fit([view[train] for view in views], y[train], names)
            found.append(np.mean(predict([view[test] for view in views]) == y[test]))
    return found


def show(name, found):
    """Print a set's accuracies, and return them."""
    print(name, *(f"{score:.3f}" for score in found), flush=True)
    return found


def summarise(scores):
    """Print mean accuracy and rank of each method, and how legofuse stands beside it."""
    scores = np.array(scores)
    ranks = stats.ranking(scores)
    for k, method in enumerate(COMPARED):
        print(
            f"{METHODS[method].title}: accuracy {scores[:, k].mean():.4f}, rank "
            f"{ranks.ranks[k]:.2f}; {against(scores, k, stats.TIE)}"
        )
