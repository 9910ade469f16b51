"""Methods: the classifier with default settings, on all views and on each alone, and baselines.

Each is a function of (views, seed) that returns an estimator of bags with ``fit``,
``decision_function`` and ``score_units``. No setting was chosen by looking at a test fold.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from legofuse import LEGOAnomalyClassifier

from . import networks
from .tasks import TIME


class Method(NamedTuple):
    """How a method is built, and what its results are stored under."""

    title: str
    make: Callable
    package: Any = None  # of a peer; "legofuse" for ours
    seeded: bool = True  # else one run is all there is
    timed: bool = False  # whether it is told where units are in time


class UnitLogistic:
    """Logistic regression on units that carry the label of their bag; a bag is its top three.

    C is chosen by the log-loss of units of held-out bags, in five folds or as many as there are
    bags of a class.
    """

    grid = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def fit(self, bags, y):
        lengths = [len(bag) for bag in bags]
        X, labels = np.concatenate(bags), np.repeat(y, lengths)
        groups = np.repeat(np.arange(len(y)), lengths)
        pipe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        folds = StratifiedGroupKFold(min(5, np.bincount(y).min()))
        self.model = GridSearchCV(
            pipe, {"logisticregression__C": self.grid}, scoring="neg_log_loss", cv=folds
        ).fit(X, labels, groups=groups)
        return self

    def score_units(self, bags):
        return [self.model.decision_function(bag) for bag in bags]

    def decision_function(self, bags):
        return np.array([np.sort(scores)[-3:].mean() for scores in self.score_units(bags)])


class BagLogistic:
    """Logistic regression on one row a bag; a unit is scored as a bag of its own."""

    def fit(self, bags, y):
        options = {"penalty": "l1", "solver": "liblinear"} if self.sparse else {}
        self.model = LogisticRegression(C=self.C, max_iter=1000, random_state=0, **options)
        self.scaler = StandardScaler().fit(np.concatenate(bags))
        self.units = self.scaler.transform(np.concatenate(bags))
        self.model.fit(self.rows(bags), y)
        return self

    def rows(self, bags):
        return np.stack([self.row(self.scaler.transform(bag)) for bag in bags])

    def score_units(self, bags):
        return [self.decision_function(list(bag[:, None])) for bag in bags]

    def decision_function(self, bags):
        return self.model.decision_function(self.rows(bags))


class MeanPooled(BagLogistic):
    """The row is the mean of a bag's units."""

    sparse, C = False, 1.0

    def row(self, units):
        return units.mean(axis=0)


class Miles(BagLogistic):
    """The row is the largest similarity of a bag's units to each training unit (MILES)."""

    sparse, C = True, 1.0

    def row(self, units):
        return np.exp(-cdist(units, self.units, "sqeuclidean").min(axis=0) / units.shape[1])


def ours(views, seed):
    return LEGOAnomalyClassifier(views, random_state=seed)


def ours_timed(views, seed):
    return LEGOAnomalyClassifier(views, time_view=TIME, random_state=seed)


METHODS = {
    "legofuse": Method("legofuse", ours, "legofuse"),
    "legofuse_timed": Method("legofuse, `time_view` given", ours_timed, "legofuse", timed=True),
    "propagated": Method(
        "logistic regression, propagated labels", lambda views, seed: UnitLogistic(), seeded=False
    ),
    "mean_pooling": Method("mean pooling + LR", lambda views, seed: MeanPooled(), seeded=False),
    "miles": Method("MILES (L1)", lambda views, seed: Miles(), seeded=False),
    "mlp": Method(
        "MLP on concatenation, top-k loss", lambda views, seed: networks.TopK(seed), "torch"
    ),
    "abmil": Method("torchmil ABMIL", lambda views, seed: networks.Peer("ABMIL", seed), "torchmil"),
    "dsmil": Method("torchmil DSMIL", lambda views, seed: networks.Peer("DSMIL", seed), "torchmil"),
}
ALONE = "legofuse_alone:"  # then the name of a view
VIDEO_METHODS = ("legofuse", "legofuse_timed", ALONE, "propagated", "mlp", "abmil", "dsmil")
MIL_METHODS = ("legofuse", "propagated", "mean_pooling", "miles", "abmil", "dsmil")


def expand(names, task):
    """Names of the methods that a task is run with: a view alone for each of several views."""
    found = []
    for name in names:
        if name != ALONE:
            found.append(name)
        elif len(task.views) > 1:
            found += [f"{ALONE}{view}" for view in task.views]
    return found


def find(name):
    """The method of a name, those of a single view included."""
    if name.startswith(ALONE):
        view = name.removeprefix(ALONE)
        return Method(
            f"legofuse, {view} alone",
            lambda views, seed: ours({view: views[view]}, seed),
            "legofuse",
        )
    return METHODS[name]
