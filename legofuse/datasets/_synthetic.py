"""A synthetic multi-view problem."""

import math

import numpy as np
from sklearn.utils import Bunch

from .._random import random_generator
from ._slices import slices


def make_views(
    n_samples=200,
    *,
    n_features=10,
    n_informative=2,
    n_redundant=1,
    n_noise=1,
    n_classes=2,
    class_sep=1.0,
    interaction=False,
    missing=0.0,
    random_state=None,
):
    """A small synthetic multi-view classification problem.

    Parameters
    ----------
    n_samples : int, default=200
        Number of rows.
    n_features : int, default=10
        Columns of each view.
    n_informative, n_redundant, n_noise : int
        Views that carry the class each in its own way (Gaussian clusters), views that are noisy
        linear maps of the first informative one, and views of pure noise.
    n_classes : int, default=2
        Number of classes.
    class_sep : float, default=1.0
        Distance of the cluster centres from the origin, in standard deviations of the noise.
    interaction : bool, default=False
        If true, each informative view shows a random sign and the class is the product of the
        signs: no view tells anything alone, only products of views do (two classes).
    missing : float, default=0.0
        Share of blocks made NaN, at random; every row keeps at least one view.
    random_state : int, RandomState instance or None, default=None
        Source of the draws.

    Returns
    -------
    Bunch
        ``X``, ``y``, and ``views``, named informative0, ..., redundant0, ..., noise0, ...

    Raises
    ------
    ValueError
        If there is no view, or `interaction` is asked for with other than two classes.

    Examples
    --------
    >>> from legofuse.datasets import make_views
    >>> data = make_views(50, n_features=3, random_state=0)
    >>> data.X.shape, list(data.views)
    ((50, 12), ['informative0', 'informative1', 'redundant0', 'noise0'])
    """
    kinds = {"informative": n_informative, "redundant": n_redundant, "noise": n_noise}
    if n_informative < 1 or min(kinds.values()) < 0:
        raise ValueError(f"at least one informative view is needed, got {kinds}.")
    if interaction and n_classes != 2:
        raise ValueError(f"interaction=True makes two classes, got n_classes={n_classes}.")
    if not 0 <= missing < 1:
        raise ValueError(f"missing must be in [0, 1), got {missing!r}.")
    rng = random_generator(random_state)
    y = rng.permutation(np.arange(n_samples) % n_classes)
    states = np.tile(y, (n_informative, 1))
    if interaction:
        states[1:] = rng.randint(0, 2, states[1:].shape)
        states[0] = (y + states[1:].sum(axis=0)) % 2  # so that their sum is y, modulo 2
    blocks = {}
    for i, state in enumerate(states):
        centres = rng.normal(size=(n_classes, n_features))
        centres *= class_sep / np.linalg.norm(centres, axis=1, keepdims=True)
        if interaction:
            centres[1] = -centres[0]
        blocks[f"informative{i}"] = centres[state] + rng.normal(size=(n_samples, n_features))
    for i in range(n_redundant):
        mixing = rng.normal(size=(n_features, n_features)) / math.sqrt(n_features)
        noise = 0.1 * rng.normal(size=(n_samples, n_features))
        blocks[f"redundant{i}"] = blocks["informative0"] @ mixing + noise
    for i in range(n_noise):
        blocks[f"noise{i}"] = rng.normal(size=(n_samples, n_features))
    gone = rng.uniform(size=(n_samples, len(blocks))) < missing
    gone[np.arange(n_samples), rng.randint(0, len(blocks), n_samples)] = False
    X = np.hstack(list(blocks.values()))
    X[np.repeat(gone, n_features, axis=1)] = np.nan
    return Bunch(X=X, y=y, views=slices(dict.fromkeys(blocks, n_features)))
