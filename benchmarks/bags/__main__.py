"""The anomaly classifier, default settings, beside simple baselines.

``LEGOFUSE_DATA=folder python -m benchmarks.bags [set ...] [--seeds n]``

Multiple-instance sets (mil_*): bag ROC AUC over ten folds, scores of all folds pooled; the folds
are those of the file (first repetition) or stratified. Video sets: ROC AUC over the frames of all
test videos together, by `legofuse.inspection`. Seeds change the references and inner folds, not the
splits.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from legofuse import LEGOAnomalyClassifier
from legofuse.bags import segment_means, to_bags, unit_segments
from legofuse.datasets import load_npz
from legofuse.inspection import frame_auc, frame_labels, frame_scores

MIL = ("mil_musk1", "mil_musk2", "mil_elephant", "mil_fox", "mil_newsgroup_hockey")
VIDEO = ("vad_ped2", "vad_ucfcrime_text")


class Propagated:
    """Logistic regression on units that carry the label of their bag; a bag is its top three."""

    def fit(self, bags, y):
        lengths = [len(bag) for bag in bags]
        self.model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        self.model.fit(np.concatenate(bags), np.repeat(y, lengths))
        return self

    def score_units(self, bags):
        return [self.model.decision_function(bag) for bag in bags]

    def decision_function(self, bags):
        return np.array([np.sort(scores)[-3:].mean() for scores in self.score_units(bags)])


class MeanPooled:
    """Logistic regression on the mean of a bag's units; a unit is scored as a bag of its own."""

    def fit(self, bags, y):
        self.model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        self.model.fit(np.stack([bag.mean(axis=0) for bag in bags]), y)
        return self

    def score_units(self, bags):
        return [self.model.decision_function(bag) for bag in bags]

    def decision_function(self, bags):
        return self.model.decision_function(np.stack([bag.mean(axis=0) for bag in bags]))


def methods(views, seed, alone):
    """Estimators by name; the baselines do not depend on the seed and run once."""
    found = {"legofuse": LEGOAnomalyClassifier(views, random_state=seed)}
    if alone and len(views) > 1:
        for name, columns in views.items():
            found[f"legofuse, {name} alone"] = LEGOAnomalyClassifier(
                {name: columns}, random_state=seed
            )
    if seed == 0:
        found |= {"propagated labels, LR": Propagated(), "mean pooling, LR": MeanPooled()}
    return found


def run_mil(data, seed, alone=False):
    """Bag AUC (and unit AUC where units are labelled) of every method, pooled over ten folds."""
    bags, _ = to_bags(data.X.astype(float), data.groups)
    y = data.bag_y
    if "cv_fold_5x10" in data:
        fold = data.cv_fold_5x10[0]
    else:
        fold = np.empty(len(y), int)
        splits = StratifiedKFold(10, shuffle=True, random_state=0).split(y, y)
        for k, (_, test) in enumerate(splits):
            fold[test] = k
    results = {}
    for name, model in methods(data.views, seed, alone).items():
        logits, units = np.empty(len(y)), [None] * len(y)
        for k in np.unique(fold):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            model.fit([bags[i] for i in train], y[train])
            part = [bags[i] for i in test]
            logits[test] = model.decision_function(part)
            if "unit_y" in data:
                for i, scores in zip(test, model.score_units(part), strict=True):
                    units[i] = scores
        results[name] = {"bag AUC": roc_auc_score(y, logits)}
        if "unit_y" in data:
            truth = np.concatenate(to_bags(data.unit_y[:, None], data.groups)[0]).ravel()
            known = truth >= 0
            results[name]["unit AUC"] = roc_auc_score(truth[known], np.concatenate(units)[known])
    return results


def run_ped2(data, seed, alone=True):
    """Frame AUC on 32 segments a video."""
    offsets = np.searchsorted(data.groups, np.arange(len(data.bag_y) + 1))
    videos = list(segment_means(data.X.astype(float), offsets))
    place = unit_segments(offsets)
    train, test = np.flatnonzero(~data.bag_is_test), np.flatnonzero(data.bag_is_test)
    results = {}
    for name, model in methods(data.views, seed, alone).items():
        model.fit([videos[i] for i in train], data.bag_y[train])
        scores = np.concatenate(model.score_units(videos))[place]
        frames = [slice(offsets[i], offsets[i + 1]) for i in test]
        results[name] = {
            "frame AUC": frame_auc([data.unit_y[f] for f in frames], [scores[f] for f in frames])
        }
    return results


def run_captions(data, seed, alone=True):
    """Frame AUC and bag AUC; the view of timing is left out."""
    views = {name: data.views[name] for name in ("lexical", "semantic")}
    columns = np.r_[tuple(views.values())]
    bags, _ = to_bags(data.X.astype(float), data.groups)
    spans, _ = to_bags(data.unit_span_seconds, data.groups)
    train, test = np.flatnonzero(~data.bag_is_test), np.flatnonzero(data.bag_is_test)
    n_frames = data.bag_n_frames
    truth = [frame_labels(data.bag_anomaly_frames[i], n_frames[i]) for i in test]
    results = {}
    for name, model in methods(views, seed, alone).items():
        used = bags if name.startswith("legofuse") else [bag[:, columns] for bag in bags]
        model.fit([used[i] for i in train], data.bag_y[train])
        part = [used[i] for i in test]
        frames = [
            frame_scores(u, spans[i], n_frames[i], n_frames[i] / data.bag_duration_seconds[i])
            for i, u in zip(test, model.score_units(part), strict=True)
        ]
        bag_auc = roc_auc_score(data.bag_y[test], model.decision_function(part))
        results[name] = {"frame AUC": frame_auc(truth, frames), "bag AUC": bag_auc}
    return results


RUNS = {"vad_ped2": run_ped2, "vad_ucfcrime_text": run_captions}


def main():
    parser = argparse.ArgumentParser(prog="benchmarks.bags", description=__doc__)
    parser.add_argument("sets", nargs="*", default=[*MIL, *VIDEO])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    folder = os.environ.get("LEGOFUSE_DATA")
    if not folder:
        parser.error("set LEGOFUSE_DATA to the folder of the .npz files")
    warnings.filterwarnings("ignore", category=FutureWarning)
    for name in options.sets:
        data, start = load_npz(Path(folder) / f"{name}.npz"), time.perf_counter()
        runs = [RUNS.get(name, run_mil)(data, seed) for seed in range(options.seeds)]
        print(f"{name} ({time.perf_counter() - start:.0f} s, {options.seeds} seeds)")
        for method in runs[0]:
            parts = [run[method] for run in runs if method in run]
            cells = []
            for figure in parts[0]:
                values = [part[figure] for part in parts]
                spread = f" +- {np.std(values):.3f}" if len(values) > 1 else ""
                cells.append(f"{figure} {np.mean(values):.3f}{spread}")
            print(f"  {method:32} {'   '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
