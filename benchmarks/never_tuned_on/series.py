"""Series of sensors that nothing was tuned on, each described in several ways.

Series of several channels: a view for each channel. Of one channel: four views, its values, the
logarithm of its spectrum, its differences, and its values in order. Every channel is resampled to
the median length of its set, at most 300 points. Accuracy with at most 300 (or half the) training
rows and 1000 test rows, a split for each seed; methods and their tuning are those of
``benchmarks.quality``.

    pip install --no-deps aeon==1.6.0        # beside benchmarks/requirements-peers.txt
    python -m benchmarks.never_tuned_on.series [seeds]

The sets are all those with classes that the package aeon holds (an excerpt of 42 rows for its own
tests left out). Files are read here, as aeon's own reader needs packages that pin others.
"""

import sys

import numpy as np

from benchmarks.never_tuned_on._accuracy import accuracies, header, show, summarise
from benchmarks.never_tuned_on._tables import folder_of

SETS = ("ACSF1", "ArrowHead", "BasicMotions", "Covid3Month_disc", "GunPoint", "ItalyPowerDemand")
SETS += ("JapaneseVowels", "OSULeaf", "PickupGestureWiimoteZ")
MOST_TRAIN, MOST_TEST, MOST_POINTS, N_QUANTILES = 300, 1000, 300, 30


def read(name):
    """Channels of each series, of all rows that the set has, and classes."""
    folder = folder_of("aeon", "aeon==1.6.0") / "datasets" / "data" / name
    series, labels = [], []
    for part in ("TRAIN", "TEST"):
        text = (folder / f"{name}_{part}.ts").read_text()
        for line in text[text.lower().index("@data") :].split("\n")[1:]:
            if line.strip():
                *channels, label = line.strip().split(":")
                series.append([np.array(channel.split(","), float) for channel in channels])
                labels.append(label)
    return series, np.unique(labels, return_inverse=True)[1]


def resampled(channel, n_points):
    """A channel at equally many points, linear between its own; unknown ones are left out."""
    known = channel[np.isfinite(channel)]
    return np.interp(np.linspace(0, 1, n_points), np.linspace(0, 1, len(known)), known)


def views_of(series):
    """Views of series: the channels, or four descriptions of one channel."""
    n_points = min(MOST_POINTS, int(np.median([len(row[0]) for row in series])))
    views = [
        np.array([resampled(row[k], n_points) for row in series]) for k in range(len(series[0]))
    ]
    if len(views) > 1:
        return views
    values = views[0]
    spectrum = np.log1p(np.abs(np.fft.rfft(values, axis=1))[:, 1:])
    in_order = np.sort(values, axis=1)[:, :: max(1, n_points // N_QUANTILES)]
    return [values, spectrum, np.diff(values, axis=1), in_order]


def main(n_seeds=3):
    """Print a line for each set, then means, ranks, wins and losses."""
    header()
    scores = []
    for name in SETS:
        series, y = read(name)
        views = views_of(series)
        found = [accuracies(views, y, MOST_TRAIN, MOST_TEST, seed) for seed in range(n_seeds)]
        scores.append(show(f"{name} ({len(views)} views)", np.mean(found, axis=0)))
    print(f"{len(scores)} sets, {n_seeds} splits")
    summarise(scores)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
