"""Few labelled bags gain from many of a domain whose features are others, and as many as they are.

Run as ``python benchmarks/few_bags_gain_from_other_features.py [seeds]``. Bags of digit images; the
first domain has 120 of them, described by profiles and Zernike moments (95 columns), the second a
few, described by pixels and Fourier magnitudes (98): no column, no image and, in every second seed,
not even the digit that makes a bag anomalous is common to both. Its held-out bags are of images
that no training bag holds. Area under the curve of bags and of units, by a classifier trained on
the few bags alone, and on both domains.
"""

import sys
import warnings

import numpy as np
from sklearn.metrics import roc_auc_score

from legofuse import LEGOAnomalyClassifier
from legofuse.datasets import load_digits_views

VIEWS = {
    "other": {"form": "profiles", "texture": "zernike"},
    "own": {"form": "pixels", "texture": "fourier"},
}
DIGITS = (9, 4, 2, 6, 0, 1)
N_OTHER, N_TEST, FEW = 120, 200, (6, 10, 20)


def draw_bags(images, y, digit, n_bags, rng):
    """Images of each bag, 8 to 16 with one or two of the digit in every second bag."""
    wanted, others = images[y[images] == digit], images[y[images] != digit]
    bags = []
    for k in range(n_bags):
        n_wanted = rng.randint(1, 3) * (k % 2)
        rest = rng.choice(others, rng.randint(8, 17) - n_wanted, replace=False)
        bags.append(rng.permutation(np.append(rng.choice(wanted, n_wanted, replace=False), rest)))
    return bags, np.arange(n_bags) % 2


def measure(seed, few):
    """Areas of bags and of units: alone, and with the other domain."""
    digits, rng = load_digits_views(), np.random.RandomState(seed)
    order = rng.permutation(len(digits.y))
    digit = DIGITS[seed % len(DIGITS)]
    another = digit if seed % 2 else DIGITS[(seed + 2) % len(DIGITS)]
    parts = [
        draw_bags(images, digits.y, wanted, n, rng)
        for images, wanted, n in (
            (order[:900], another, N_OTHER),
            (order[900:1350], digit, few),
            (order[1350:], digit, N_TEST),
        )
    ]
    views, described = {}, {}
    for domain, named in VIEWS.items():
        blocks = [digits.X[:, digits.views[view]] for view in named.values()]
        edges = np.cumsum([0, *(block.shape[1] for block in blocks)])
        views[domain] = {name: slice(*edges[k : k + 2]) for k, name in enumerate(named)}
        described[domain] = np.hstack(blocks)
    other, train, test = (
        [described[domain][rows] for rows in bags]
        for domain, (bags, _) in zip(("other", "own", "own"), parts, strict=True)
    )
    truth = np.concatenate([digits.y[rows] == digit for rows in parts[2][0]])
    alone = LEGOAnomalyClassifier(views["own"], random_state=0).fit(train, parts[1][1])
    site = np.repeat(["other", "own"], [N_OTHER, few])
    both = LEGOAnomalyClassifier(views, random_state=0)
    both.fit(other + train, np.append(parts[0][1], parts[1][1]), sample_domain=site)
    found = []
    for model, domain in ((alone, None), (both, np.repeat("own", N_TEST))):
        found.append(roc_auc_score(parts[2][1], model.decision_function(test, domain)))
        found.append(roc_auc_score(truth, np.concatenate(model.score_units(test, domain))))
    return found


def main(seeds=6):
    """Print a line for each number of bags, and the gain."""
    gains = []
    for few in FEW:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.array([measure(1000 + seed, few) for seed in range(seeds)])
        gain = found[:, 2:] - found[:, :2]
        gains.append(gain[:, 0].mean())
        for k, what in enumerate(("bags", "units")):
            error = gain[:, k].std(ddof=1) / np.sqrt(seeds)
            alone, both = found[:, [k, k + 2]].mean(axis=0)
            print(
                f"{few:3d} bags, area of {what:5s}: alone {alone:.3f}, with the other domain "
                f"{both:.3f}, gain {gain[:, k].mean():+.3f} (standard error {error:.3f})"
            )
    print(f"mean gain of bags of a domain of other features over alone: {np.mean(gains):+.3f}")
    return np.mean(gains)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
