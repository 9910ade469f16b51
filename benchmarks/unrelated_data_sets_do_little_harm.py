"""Ten labelled bags beside a hundred of another data set, of other things and features.

Run as ``LEGOFUSE_DATA=folder python benchmarks/unrelated_data_sets_do_little_harm.py [seeds]``,
with the classic multiple-instance sets there as ``mil_*.npz``: molecules beside images, images
beside other images and beside texts, texts beside molecules. All that is common is that anomalous
bags hold units that normal ones do not, so that no gain is to be expected, and no harm. Area under
the curve of all other bags of the set, by a classifier trained on the ten alone, and on both sets
with views by domain.
"""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier, to_bags

PAIRS = (
    ("mil_elephant", "mil_musk1"),
    ("mil_fox", "mil_elephant"),
    ("mil_newsgroup_hockey", "mil_fox"),
    ("mil_musk1", "mil_newsgroup_hockey"),
)
N_OTHER, FEW = 100, 10


def load(name):
    """Bags of all features of a set, and their labels."""
    with np.load(Path(os.environ["LEGOFUSE_DATA"]) / f"{name}.npz") as data:
        X = np.hstack([data[key] for key in data.files if key.startswith("X_")])
        bags, ids = to_bags(X.astype(float), data["groups"])
        return bags, data["bag_y"][ids]


def some_of_each(y, n_bags, rng):
    """As many bags of both classes, at most n_bags in all."""
    each = min(n_bags // 2, np.bincount(y).min())
    return np.concatenate([rng.permutation(np.flatnonzero(y == k))[:each] for k in (0, 1)])


def measure(other, own, seed):
    """Areas alone and with the other set."""
    rng = np.random.RandomState(seed)
    (others, of_others), (bags, y) = load(other), load(own)
    chosen, train = some_of_each(of_others, N_OTHER, rng), some_of_each(y, FEW, rng)
    test = [bags[k] for k in np.setdiff1d(np.arange(len(y)), train)]
    truth, few = np.delete(y, train), [bags[k] for k in train]
    alone = LEGOAnomalyClassifier(random_state=0).fit(few, y[train])
    views = {
        name: {"all": slice(0, part[0].shape[1])}
        for name, part in (("other", others), ("own", bags))
    }
    both = LEGOAnomalyClassifier(views, random_state=0)
    both.fit(
        [others[k] for k in chosen] + few,
        np.append(of_others[chosen], y[train]),
        sample_domain=np.repeat(["other", "own"], [len(chosen), len(few)]),
    )
    logits = alone.decision_function(test), both.decision_function(test, ["own"] * len(test))
    return [roc_auc_score(truth, each) for each in logits]


def main(seeds=5):
    """Print a line for each pair, and the mean gain."""
    gains = []
    for other, own in PAIRS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.array([measure(other, own, seed) for seed in range(seeds)])
        gain = found[:, 1] - found[:, 0]
        gains.append(gain.mean())
        print(
            f"{own}: alone {found[:, 0].mean():.3f}, with {other} {found[:, 1].mean():.3f}, gain "
            f"{gain.mean():+.3f} (standard error {gain.std(ddof=1) / np.sqrt(seeds):.3f})",
            flush=True,
        )
    print(f"mean gain of ten bags from an unrelated data set: {np.mean(gains):+.3f}")
    return np.mean(gains)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
