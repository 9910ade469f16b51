"""Real digit images in several views, as a table and in bags."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from .._random import random_generator
from ._descriptors import DESCRIPTORS
from ._slices import slices


def load_digits_views():
    """Scikit-learn's digit images in six views, as UCI's Multiple Features set has them [1]_.

    No download: the 1797 images of 8 x 8 pixels come with scikit-learn, and each view is computed
    from the images alone.

    Returns
    -------
    Bunch
        ``X`` (1797, 274), ``y`` (the digit), ``views`` (pixels, fourier, gradients, profiles,
        zernike, shape: slices of columns), ``feature_names``, ``descriptions`` (by view),
        ``images`` (1797, 8, 8), ``target_names`` and ``DESCR``.

    References
    ----------
    .. [1] R. P. W. Duin, "Multiple Features", UCI Machine Learning Repository.

    Examples
    --------
    >>> from legofuse.datasets import load_digits_views
    >>> digits = load_digits_views()
    >>> digits.X.shape, list(digits.views)
    ((1797, 274), ['pixels', 'fourier', 'gradients', 'profiles', 'zernike', 'shape'])
    """
    digits = load_digits()
    blocks = {name: describe(digits.images) for name, describe in DESCRIPTORS.items()}
    descriptions = {name: (f.__doc__ or "").partition("\n")[0] for name, f in DESCRIPTORS.items()}
    return Bunch(
        X=np.hstack(list(blocks.values())),
        y=digits.target,
        views=slices({name: block.shape[1] for name, block in blocks.items()}),
        feature_names=[f"{name}{i}" for name, b in blocks.items() for i in range(b.shape[1])],
        descriptions=descriptions,
        images=digits.images,
        target_names=digits.target_names,
        DESCR="Digit images of scikit-learn's load_digits in six views computed from them:\n"
        + "\n".join(f"{name}: {text}" for name, text in descriptions.items()),
    )


def make_digit_bags(
    n_bags=200,
    units_per_bag=(8, 16),
    *,
    digit=9,
    witnesses=(1, 2),
    anomalous=0.5,
    random_state=None,
):
    """Bags of real digit images; a bag is anomalous when a chosen digit occurs in it.

    Parameters
    ----------
    n_bags : int, default=200
        Number of bags.
    units_per_bag : int or (int, int), default=(8, 16)
        Number of images in a bag: drawn evenly from this range, both ends included.
    digit : int, default=9
        The digit that makes a bag anomalous.
    witnesses : int or (int, int), default=(1, 2)
        Number of images of that digit in an anomalous bag, drawn likewise.
    anomalous : float, default=0.5
        Share of anomalous bags.
    random_state : int, RandomState instance or None, default=None
        Source of the draws.

    Returns
    -------
    Bunch
        ``bags`` (list of (n_units_i, 274) arrays), ``y`` (n_bags,) with 1 for anomalous, ``unit_y``
        (list of arrays: 1 for the digit; for evaluation only), ``views`` and ``feature_names`` as
        in `load_digits_views`, ``index`` (list of arrays: which of the 1797 images) and ``images``.
        No image is twice in a bag, but bags may share images.

    Raises
    ------
    ValueError
        If a range is empty, there are more witnesses than units, or a value is out of range.

    Examples
    --------
    >>> from legofuse.datasets import make_digit_bags
    >>> data = make_digit_bags(n_bags=4, units_per_bag=5, random_state=0)
    >>> [bag.shape for bag in data.bags], data.y.sum()
    ([(5, 274), (5, 274), (5, 274), (5, 274)], np.int64(2))
    """
    fewest, most = _range("units_per_bag", units_per_bag)
    least, greatest = _range("witnesses", witnesses)
    if greatest > fewest:
        raise ValueError(
            f"witnesses={witnesses!r} asks for more images than the smallest bag of "
            f"units_per_bag={units_per_bag!r} holds."
        )
    if digit not in range(10):
        raise ValueError(f"digit must be one of 0 to 9, got {digit!r}.")
    if not isinstance(n_bags, int | np.integer) or n_bags < 1 or not 0 <= anomalous <= 1:
        raise ValueError(
            "n_bags must be an int of at least 1 and anomalous in [0, 1], got "
            f"{n_bags!r} and {anomalous!r}."
        )
    rng = random_generator(random_state)
    digits = load_digits_views()
    wanted, others = np.flatnonzero(digits.y == digit), np.flatnonzero(digits.y != digit)
    if greatest > len(wanted) or most > len(others):
        raise ValueError(
            f"A bag holds no image twice: witnesses must be at most {len(wanted)}, units_per_bag "
            f"at most {len(others)}; got {witnesses!r} and {units_per_bag!r}."
        )
    y = rng.permutation((np.arange(n_bags) < round(anomalous * n_bags)).astype(np.int64))
    index = []
    for label in y:
        n_units = rng.randint(fewest, most + 1)
        n_wanted = label * rng.randint(least, greatest + 1)
        drawn = [rng.choice(wanted, n_wanted, False), rng.choice(others, n_units - n_wanted, False)]
        index.append(rng.permutation(np.concatenate(drawn)))
    return Bunch(
        bags=[digits.X[rows] for rows in index],
        y=y,
        unit_y=[(digits.y[rows] == digit).astype(np.int64) for rows in index],
        views=digits.views,
        feature_names=digits.feature_names,
        index=index,
        images=digits.images,
        DESCR=f"Bags of digit images; a bag is anomalous (1) when a {digit} is in it.",
    )


def _range(name, value):
    pair = (value, value) if np.ndim(value) == 0 else tuple(value)
    ints = len(pair) == 2 and all(isinstance(bound, int | np.integer) for bound in pair)
    if not ints or not 1 <= pair[0] <= pair[1]:
        raise ValueError(f"{name} must be an int or a range (low, high) from 1 up, got {value!r}.")
    return int(pair[0]), int(pair[1])
