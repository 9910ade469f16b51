"""Few labelled bags of one camera gain from many of another, once told which is from where.

Run as ``python benchmarks/few_bags_gain_from_another_domain.py [seeds]``. Bags of digit images; the
second camera sees the same things darker and with less contrast: each descriptor of its images is
computed from dimmed pixels. Area under the curve of its bags, by a classifier trained on its few
bags alone, on the bags of both as one, and on both with ``sample_domain``.
"""

import sys
import warnings

import numpy as np
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier
from legofuse.datasets import make_digit_bags
from legofuse.datasets._descriptors import DESCRIPTORS

VIEWS = ("pixels", "gradients", "profiles")
N_OTHER, N_TEST, FEW = 120, 200, (8, 16, 32)


def cameras(seed, few):
    """Bags of both cameras, classes, and which bags are the few of the second."""
    data = make_digit_bags(N_OTHER + N_TEST + max(FEW), random_state=seed)
    dimmed = 16 * (0.25 + 0.35 * data.images / 16)
    both = [
        np.hstack([DESCRIPTORS[view](images) for view in VIEWS]) for images in (data.images, dimmed)
    ]
    own = np.concatenate(
        [np.flatnonzero(data.y[N_OTHER:] == k)[: few // 2] + N_OTHER for k in (0, 1)]
    )
    test = np.setdiff1d(np.arange(N_OTHER, len(data.y)), own)
    rows = np.r_[np.arange(N_OTHER), own, test]
    site = np.repeat([0, 1, 1], [N_OTHER, len(own), len(test)])
    bags = [both[s][data.index[row]] for row, s in zip(rows, site, strict=True)]
    widths = [DESCRIPTORS[view](data.images[:1]).shape[1] for view in VIEWS]
    edges = np.cumsum([0, *widths])
    views = {view: slice(a, b) for view, a, b in zip(VIEWS, edges[:-1], edges[1:], strict=True)}
    return views, bags, data.y[rows], site


def measure(seed, few):
    """The three areas under the curve."""
    views, bags, y, site = cameras(seed, few)
    n_train = N_OTHER + few
    train, test = bags[:n_train], bags[n_train:]

    def area(first, **domains):
        model = LEGOAnomalyClassifier(views, random_state=0)
        fitted = {name: value[first:n_train] for name, value in domains.items()}
        model.fit(train[first:], y[first:n_train], **fitted)
        asked = {name: value[n_train:] for name, value in domains.items()}
        return roc_auc_score(y[n_train:], model.decision_function(test, **asked))

    return area(N_OTHER), area(0), area(0, sample_domain=site)


def main(seeds=3):
    """Print a line for each number of bags, and the gain."""
    gains = []
    for few in FEW:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.mean([measure(seed, few) for seed in range(seeds)], axis=0)
        alone, pooled, told = found.round(3)
        print(f"{few:3d} bags: alone {alone}, both as one {pooled}, both with domains {told}")
        gains.append(told - alone)
    print(f"mean gain of both with domains over alone: {np.mean(gains):+.3f}")
    return np.mean(gains)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
