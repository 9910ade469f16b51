"""Multi-view data to learn and test with: real digits, OpenML sets, .npz files, a generator.

Each function returns a Bunch, as in scikit-learn, with one 2-D ``X`` (or ``bags``), ``y``, and
``views``, a dict of slices to be passed to an estimator. Nothing else of legofuse is imported here.
"""

from ._digits import load_digits_views, make_digit_bags
from ._files import load_npz
from ._openml import fetch_gas_drift, fetch_har, fetch_internet_ads, fetch_mfeat
from ._synthetic import make_views

__all__ = [
    "fetch_gas_drift",
    "fetch_har",
    "fetch_internet_ads",
    "fetch_mfeat",
    "load_digits_views",
    "load_npz",
    "make_digit_bags",
    "make_views",
]
