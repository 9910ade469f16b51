"""The sets: bags, folds, and the figures that scores are judged by.

Video sets are split once, as published; figures are over the frames of all test videos together.
Multiple-instance sets (mil_*) are cut into ten folds, those of the file (first repetition) or
stratified; scores of all folds are pooled.
"""

import os
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from legofuse.bags import segment_means, to_bags, unit_segments
from legofuse.datasets import load_npz
from legofuse.inspection import frame_auc, frame_labels, frame_scores

VIDEO = ("vad_ped2", "vad_ucfcrime_text")
TIME = "time"  # name of the view of positions in time
MIL = ("mil_musk1", "mil_musk2", "mil_elephant", "mil_fox", "mil_newsgroup_hockey")


class Task(NamedTuple):
    """Bags with labels, the folds, and how scores are judged.

    Attributes
    ----------
    name : str
    views : dict of str to index array or slice
    bags : list of ndarray of shape (n_units_i, n_features)
    y : ndarray of shape (n_bags,)
    folds : list of (train, test)
        Index arrays of bags.
    figures : callable
        (logits of bags, scores of units by bag; None where no test bag) -> dict of figures.
    times : list of ndarray of shape (n_units_i, n_columns), optional
        Where the units are in time, in videos.
    """

    name: str
    views: dict
    bags: list
    y: Any
    folds: list
    figures: Callable
    times: Any = None

    def timed(self):
        """Views and bags with one more view, the position in time."""
        width = self.bags[0].shape[1]
        views = self.views | {TIME: slice(width, width + self.times[0].shape[1])}
        return views, [np.hstack(both) for both in zip(self.bags, self.times, strict=True)]


def available(patterns=("*",)):
    """Names of the sets in the folder LEGOFUSE_DATA that match a pattern."""
    folder = os.environ.get("LEGOFUSE_DATA")
    names = [n for n in (*VIDEO, *MIL) if folder and Path(folder, f"{n}.npz").exists()]
    return [n for n in names if any(fnmatch(n, pattern) for pattern in patterns)]


def load(name):
    """A set as a task."""
    data = load_npz(Path(os.environ["LEGOFUSE_DATA"], f"{name}.npz"))
    make = {"vad_ped2": segmented, "vad_ucfcrime_text": captioned}.get(name, multiple_instance)
    return make(name, data)


def multiple_instance(name, data):
    """Bag AUC; unit AUC where units are labelled."""
    bags, _ = to_bags(data.X.astype(float), data.groups)
    y = np.asarray(data.bag_y)
    if "cv_fold_5x10" in data:
        fold = data.cv_fold_5x10[0]
        folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    else:
        folds = list(StratifiedKFold(10, shuffle=True, random_state=0).split(y, y))
    truth = None
    if "unit_y" in data:
        truth = np.concatenate(to_bags(data.unit_y[:, None], data.groups)[0]).ravel()

    def figures(logits, units):
        found = {"bag AUC": roc_auc_score(y, logits)}
        if truth is not None:
            known = truth >= 0
            found["unit AUC"] = roc_auc_score(truth[known], np.concatenate(units)[known])
        return found

    return Task(name, data.views, bags, y, folds, figures)


def segmented(name, data):
    """Frames cut into 32 segments of a video, each the mean of its frames; frame AUC."""
    offsets = np.searchsorted(data.groups, np.arange(len(data.bag_y) + 1))
    videos = list(segment_means(data.X.astype(float), offsets))
    place = np.split(unit_segments(offsets), offsets[1:-1])
    train, test = np.flatnonzero(~data.bag_is_test), np.flatnonzero(data.bag_is_test)
    truth = [data.unit_y[offsets[i] : offsets[i + 1]] for i in test]

    def figures(logits, units):
        first = np.append(0, np.cumsum([len(video) for video in videos]))
        frames = [units[i][place[i] - first[i]] for i in test]
        return {"frame AUC": frame_auc(truth, frames)}

    times = [np.linspace(0, 1, len(video))[:, None] for video in videos]
    return Task(name, data.views, videos, data.bag_y, [(train, test)], figures, times)


def captioned(name, data):
    """Captions of spans of time, that of timing no view of features; frame AUC and bag AUC."""
    width, views, columns = 0, {}, []
    for view in ("lexical", "semantic"):
        index = np.arange(data.X.shape[1])[data.views[view]]
        views[view] = slice(width, width + len(index))
        width += len(index)
        columns.append(index)
    bags, _ = to_bags(data.X[:, np.concatenate(columns)].astype(float), data.groups)
    spans, _ = to_bags(data.unit_span_seconds, data.groups)
    times, _ = to_bags(data.X[:, data.views["timing"]].astype(float), data.groups)
    train, test = np.flatnonzero(~data.bag_is_test), np.flatnonzero(data.bag_is_test)
    n_frames = data.bag_n_frames
    fps = n_frames / data.bag_duration_seconds
    truth = [frame_labels(data.bag_anomaly_frames[i], n_frames[i]) for i in test]

    def figures(logits, units):
        frames = [frame_scores(units[i], spans[i], n_frames[i], fps[i]) for i in test]
        bag_auc = roc_auc_score(data.bag_y[test], logits[test])
        return {"frame AUC": frame_auc(truth, frames), "bag AUC": bag_auc}

    return Task(name, views, bags, data.bag_y, [(train, test)], figures, times)
