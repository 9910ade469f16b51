"""Clusters, and few labels, on features that were fused without any labels.

For each set the normalised mutual information of `KMeans` (as many clusters as classes) with the
classes, and the accuracy of `RidgeClassifierCV` that knows four rows a class, on

- all columns side by side, standardised, or the rows of each view scaled to length 1;
- the mean of the cosine and Gaussian kernels of all views;
- `LEGOFusionTransformer` fitted without y, by default.

With snfpy, the information in the clusters of its fused network too. At most 500 rows of each set,
drawn at random; three starts, five draws of labels. The last lines print by how much legofuse is
ahead of the better of the first three on average.

    python benchmarks/fusing_helps_clusters.py [SET ...]

The sets come from the folder that LEGOFUSE_DATA names; without it the built-in digits alone. Those
of `benchmarks.never_tuned_on.series` are read if named; "series" names all of them.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import euclidean_distances, normalized_mutual_info_score
from sklearn.preprocessing import StandardScaler, normalize

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks._claims import claim, clock
from benchmarks.never_tuned_on import series
from benchmarks.quality import data
from benchmarks.quality.methods import ALPHAS
from benchmarks.quality.peers import snf_compute
from legofuse import LEGOFusionTransformer, stack_views

N_ROWS, N_LABELLED, N_STARTS, N_DRAWS, NEIGHBOURS = 500, 4, 3, 5, 20


def scale(X):
    """Standardise features."""
    return StandardScaler().fit_transform(X)


def standardised(views):
    """All columns side by side; every view counts alike."""
    return np.hstack([scale(X) / X.shape[1] ** 0.5 for X in views])


def of_length_one(views):
    """All columns side by side, rows of each view scaled to length 1."""
    return np.hstack([normalize(X) for X in views])


def mean_kernel(views):
    """Features of the mean of a cosine and a Gaussian kernel of each view, but for its mean row."""
    kernel = 0.0
    for X in views:
        squares = euclidean_distances(scale(X), squared=True)
        kernel = kernel + np.exp(-squares / np.median(squares[squares > 0]))
        kernel += normalize(X) @ normalize(X).T
    means = kernel.mean(axis=0)
    values, vectors = np.linalg.eigh(kernel - means - means[:, None] + means.mean())
    return vectors * np.sqrt(np.maximum(values, 0))


def fused(views):
    """The transformer by default, without y."""
    X, columns = stack_views({f"view{k}": view for k, view in enumerate(views)})
    return LEGOFusionTransformer(columns, random_state=0).fit_transform(X)


WAYS = {
    "columns, standardised": standardised,
    "columns, rows of length 1": of_length_one,
    "mean kernel": mean_kernel,
    "legofuse": fused,
}


def information(y, clusters):
    """Mean mutual information of clusters by several starts."""
    return np.mean([normalized_mutual_info_score(y, found) for found in clusters])


def of_few_labels(features, y):
    """Mean accuracy where a few rows of each class are known."""
    found = []
    for draw in range(N_DRAWS):
        rng = np.random.default_rng(draw)
        rows = [rng.permutation(np.flatnonzero(y == k)) for k in np.unique(y)]
        known = np.concatenate([of[: min(N_LABELLED, len(of) - 1)] for of in rows])
        left = np.setdiff1d(np.arange(len(y)), known)
        model = RidgeClassifierCV(alphas=ALPHAS).fit(features[known], y[known])
        found.append(model.score(features[left], y[left]))
    return np.mean(found)


def of_network(views, y, n_clusters):
    """Information in the clusters of the network that snfpy fuses."""
    compute, k = snf_compute(), min(NEIGHBOURS, len(y) // 3)
    network = compute.snf(compute.make_affinity(views, metric="sqeuclidean", K=k), K=k)
    starts = (
        SpectralClustering(n_clusters, affinity="precomputed", random_state=start)
        for start in range(N_STARTS)
    )
    return information(y, [model.fit_predict(network) for model in starts])


def read(name):
    """Views without missing values, and classes, of some rows that are drawn at random."""
    if name in series.SETS:
        channels, y = series.read(name)
        views = series.views_of(channels)
        loaded = data.Data(name, dict(zip(range(len(views)), views, strict=True)), y, None)
    else:
        loaded = data.load(name)
    rows = np.random.RandomState(0).permutation(len(loaded.y))[:N_ROWS]
    views = data.make_task(loaded, (rows, rows[:1])).train
    y = np.unique(loaded.y[rows], return_inverse=True)[1]
    alone = np.bincount(y)[y] < 2
    views = [X[~alone] for X in data.impute_blocks(views)[0]]
    return views, np.unique(y[~alone], return_inverse=True)[1]


def main(names):
    """Print a line for each set, then means."""
    print("set;", "; ".join(WAYS), "(mutual information, accuracy; seconds of fusing)")
    found, networks = [], []
    for name in series.SETS if names == ["series"] else names or data.available():
        views, y = read(name)
        n_clusters, of_set = y.max() + 1, []
        for way in WAYS.values():
            start = clock()
            features = way(views)
            taken = clock() - start
            starts = (
                KMeans(n_clusters, n_init=10, random_state=k).fit_predict(features)
                for k in range(N_STARTS)
            )
            of_set.append((information(y, starts), of_few_labels(features, y)))
        found.append(of_set)
        line = "; ".join(f"{nmi:.3f} {accuracy:.3f}" for nmi, accuracy in of_set)
        line += f"; {taken:.1f} s"
        if find_spec("snf"):
            networks.append(of_network(views, y, n_clusters))
            line += f"; SNF {networks[-1]:.3f}"
        print(f"{name}; {line}", flush=True)
    found = np.array(found)
    print(f"mean of {len(found)}; ", *(f"{a:.4f} {b:.4f};" for a, b in found.mean(axis=0)))
    if networks:
        print(f"SNF {np.mean(networks):.4f}")
    for k, what in enumerate(("mutual information of clusters", "accuracy of four labels a class")):
        best = found[:, :-1, k].mean(axis=0).argmax()
        ahead = found[:, -1, k] - found[:, best, k]
        print(f"standard error {ahead.std(ddof=1) / max(1, len(ahead)) ** 0.5:.3f}")
        claim(ahead.mean(), f"{what}, legofuse less {list(WAYS)[best]}", at_least=0)


if __name__ == "__main__":
    main(sys.argv[1:])
