"""From results to figures: means, standard errors, ranks, tests. Knows no method but by name.

Source of ranks and tests: J. Demsar, "Statistical comparisons of classifiers over multiple data
sets", JMLR 7, 2006.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .data import protocol_of

TIE = 0.005
TUNED = "concat_tuned"


def select(records, protocol="fixed", tag=None):
    """Results of one protocol, for each method those of one version: ``tag``, or the last seen."""
    chosen = [r for r in records if protocol_of(r["split"]) == protocol]
    last = {r["method"]: r["version"] for r in chosen}
    if tag is not None:
        tagged = {r["method"] for r in chosen if r["version"] == tag}
        last |= dict.fromkeys(tagged, tag)
    return [r for r in chosen if r["version"] == last[r["method"]]]


def add_tuned_concatenation(records, parts=("concat_lr", "concat_svm")):
    """Records of a further method: on each split the part that wins cross-validation there."""
    by_split = {}
    for r in records:
        if r["method"] in parts and "accuracy" in r:
            by_split.setdefault((r["set"], r["split"], r["perturbation"]), []).append(r)
    winners = [max(rs, key=lambda r: r["cv"]) for rs in by_split.values() if len(rs) == len(parts)]
    return records + [{**r, "method": TUNED} for r in winners]


def accuracies(records, perturbation=""):
    """``{set: {method: {split: accuracy}}}`` of one perturbation; skipped ones are left out."""
    found = {}
    for r in records:
        if r["perturbation"] == perturbation and "accuracy" in r:
            found.setdefault(r["set"], {}).setdefault(r["method"], {})[r["split"]] = r["accuracy"]
    return found


def mean_and_error(values, n_test):
    """Mean over splits and its standard error; the binomial one where there is a single split."""
    values = np.asarray(values, float)
    if len(values) > 1:
        return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values[0])
    return mean, float(np.sqrt(mean * (1 - mean) / n_test))


def matrix(found, methods, complete=True):
    """Mean accuracy (n_sets, n_methods) over the splits that all methods have.

    Sets where a method lacks a split that another one has are left out if ``complete``.
    """
    names, rows = [], []
    for name, columns in sorted(found.items() if methods else ()):
        if not all(m in columns for m in methods):
            continue
        common = set.intersection(*(set(columns[m]) for m in methods))
        if common and not (complete and any(len(columns[m]) > len(common) for m in methods)):
            names.append(name)
            rows.append([np.mean([columns[m][s] for s in sorted(common)]) for m in methods])
    return names, np.array(rows).reshape(len(names), len(methods))


def at_levels(by_level, methods):
    """Mean accuracy (n_sets, n_methods) of each level of a perturbation, all over the same splits:
    those that every method has at every level. Returns the sets' names and a dict of arrays."""
    names = sorted(set().union(*by_level.values()))
    rows = {level: [] for level in by_level}
    kept = []
    for name in names:
        cells = [
            set(found.get(name, {}).get(m, {})) for found in by_level.values() for m in methods
        ]
        common = sorted(set.intersection(*cells))
        if common:
            kept.append(name)
            for level, found in by_level.items():
                rows[level].append([np.mean([found[name][m][s] for s in common]) for m in methods])
    return kept, {level: np.array(r).reshape(len(kept), len(methods)) for level, r in rows.items()}


@dataclass
class Ranking:
    """Average ranks over sets (1 is best), Friedman's test and Nemenyi's critical difference."""

    ranks: np.ndarray
    chi2: float
    p_value: float
    critical_difference: float


def ranking(scores, alpha=0.05):
    """Rank methods (columns) over sets (rows); ties share the mean rank.

    The test is Iman and Davenport's F form of Friedman's. Two methods differ where their average
    ranks are further apart than q_alpha sqrt(k (k + 1) / (6 N)).
    """
    n, k = scores.shape
    ranks = stats.rankdata(-np.round(scores, 10), axis=1).mean(axis=0)
    chi2 = 12 * n / (k * (k + 1)) * (np.sum(ranks**2) - k * (k + 1) ** 2 / 4)
    rest = n * (k - 1) - chi2
    if rest > 1e-12 and n > 1:
        p_value = stats.f.sf((n - 1) * chi2 / rest, k - 1, (k - 1) * (n - 1))
    else:
        p_value = 0.0 if n > 1 else 1.0
    q = stats.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2)
    return Ranking(ranks, float(chi2), float(p_value), float(q * np.sqrt(k * (k + 1) / (6 * n))))


def wins(found, ours, other, tie=TIE):
    """Sets where ours is ahead, level (within ``tie``) and behind, and the paired mean difference
    over sets with its standard error."""
    names, scores = matrix(found, (ours, other), complete=False)
    difference = np.round(scores[:, 0] - scores[:, 1], 10)
    n = len(names)
    return {
        "wins": int((difference > tie).sum()),
        "ties": int((np.abs(difference) <= tie).sum()),
        "losses": int((difference < -tie).sum()),
        "mean": float(difference.mean()) if n else float("nan"),
        "error": float(difference.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
        "differences": dict(zip(names, difference.tolist(), strict=True)),
    }
