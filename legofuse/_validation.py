"""Checks of constructor parameters, in scikit-learn's wording, and what estimators share.

This module may import fusion and landmarks of legofuse, for the names of what they offer.
"""

from numbers import Integral, Real

import numpy as np

from .fusion import INTERACTIONS
from .landmarks import LANDMARKS

__all__ = [
    "check_choice",
    "check_criterion",
    "check_device",
    "check_flag",
    "check_fusion",
    "check_number",
    "check_verbose",
    "check_zeroth",
    "one_column_each",
]

_WEIGHTS = ("auto", "loo", "alignment", "consensus", "uniform", "neural")
_LARGEST = int(np.iinfo(np.int64).max)  # what an int may be at most
_DEVICES = ("cpu", "cuda", "hpu", "maia", "mps", "mtia", "npu", "privateuseone", "xla", "xpu")


def check_choice(owner, name, value, options):
    """Raise unless value is one of the options."""
    if not (isinstance(value, str) and value in options):
        listed = ", ".join(map(repr, options))
        raise ValueError(
            f"The {name!r} parameter of {owner} must be one of {listed}; got {value!r}."
        )


def check_number(owner, name, value, kind=Integral, low=None, high=None, none=False):
    """Raise unless value is a number of the kind between low and high (included)."""
    if none and value is None:
        return
    noun = "an int" if kind is Integral else "a number"
    fits = isinstance(value, kind) and not isinstance(value, (bool, np.bool_))
    if not fits:
        extra = " or None" if none else ""
        raise TypeError(f"The {name!r} parameter of {owner} must be {noun}{extra}; got {value!r}.")
    if kind is Integral and high is None and value > _LARGEST:
        high = _LARGEST
    below = low is not None and value < low
    above = high is not None and value > high
    finite = isinstance(value, Integral) or np.isfinite(value)
    if below or above or not finite:
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        if not finite:
            bounds = "finite" if low is None else f"finite and {bounds}"
        raise ValueError(f"The {name!r} parameter of {owner} must be {bounds}; got {value!r}.")


def check_flag(owner, name, value):
    """Raise unless value is a boolean."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"The {name!r} parameter of {owner} must be a bool; got {value!r}.")


def check_verbose(owner, value):
    """Raise unless value is a boolean or an int."""
    if not isinstance(value, bool | np.bool_):
        check_number(owner, "verbose", value)


def check_device(value):
    """Raise unless value may be a device's name; whether it is there, torch says where it is used.

    torch is slow to import, and most fits need none.
    """
    kind, colon, index = str(value).partition(":")
    known = kind in _DEVICES and (index.isdecimal() or not colon)
    if str(value) != "auto" and not known:
        raise ValueError(
            f"device={value!r} is not there: use 'auto', 'cpu', or an accelerator of this machine."
        )


def check_fusion(estimator):
    """Check the parameters of a fusion transformer, one by one and together."""
    owner = type(estimator).__name__
    choices = {
        "interactions": INTERACTIONS,
        "expansion": ("elementwise", "hops"),
        "zeroth": ("ones", "identity"),
        "target_type": ("auto", "classification", "regression"),
        "domains": ("shared", "per-domain"),
        "unseen_domains": ("error", "batch"),
        "output": ("embedding", "relations"),
        "landmarks": LANDMARKS,
        "weights": _WEIGHTS,
    }
    for name, options in choices.items():
        value = getattr(estimator, name)
        if isinstance(value, str) or name not in ("landmarks", "weights"):
            check_choice(owner, name, value, options)
    for name, low in {"degree": 1, "n_landmarks": 1, "max_iter": 1, "max_fit_samples": 2}.items():
        check_number(owner, name, getattr(estimator, name), low=low)
    check_number(owner, "n_components", estimator.n_components, low=1, none=True)
    check_number(owner, "tol", estimator.tol, kind=Real, low=0)
    for name in ("domain_alignment", "domain_coupling"):
        value = getattr(estimator, name)
        if name == "domain_alignment" or not (isinstance(value, str) and value == "auto"):
            check_number(owner, name, value, kind=Real, low=0, high=1)
    check_number(owner, "n_jobs", estimator.n_jobs, none=True)
    if estimator.n_jobs == 0:
        raise ValueError(
            f"The 'n_jobs' parameter of {owner} must not be 0: give a number of threads, -1 for "
            "all CPUs, or None."
        )
    check_flag(owner, "nonnegative", estimator.nonnegative)
    check_verbose(owner, estimator.verbose)
    check_device(estimator.device)
    if not (isinstance(estimator.batch_size, str) and estimator.batch_size == "auto"):
        check_number(owner, "batch_size", estimator.batch_size, low=1)
    _check_together(estimator)


def _check_together(estimator):
    weights = estimator.weights if isinstance(estimator.weights, str) else "an array"
    if not estimator.nonnegative:
        if estimator.output != "relations":
            raise ValueError(
                "nonnegative=False needs output='relations': a fused graph with negative weights "
                "is no kernel, so it has no embedding."
            )
        if weights not in ("alignment", "neural", "an array"):
            raise ValueError(
                "nonnegative=False needs weights='alignment', 'neural' or an array; got "
                f"weights={weights!r}."
            )
    separable = estimator.interactions == "separable"
    check_zeroth(estimator)
    if separable and weights in ("alignment", "consensus"):
        raise ValueError(
            "interactions='separable' stores factors, which weights='loo', 'neural', 'uniform' or "
            f"an array can set; got weights={weights!r}."
        )


def check_criterion(weights, interactions, targets, n_classes):
    """Name of the criterion that learns the weights, after a look at y."""
    if not isinstance(weights, str):
        return "given"
    if weights == "auto":
        without = "uniform" if interactions == "separable" else "consensus"
        weights = without if targets is None else "loo"
    if weights in ("loo", "alignment", "neural"):
        if targets is None:
            raise ValueError(f"weights={weights!r} needs y; fit got y=None.")
        if n_classes == 1:
            raise ValueError(f"weights={weights!r} needs at least two classes in y; got 1 class.")
    return weights


def one_column_each(views):
    """Whether NaN may stand anywhere, as the tag means: any single value is a whole view."""
    if not isinstance(views, dict | list) or not views:
        return False
    pairs = views.items() if isinstance(views, dict) else views
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        return False  # what is wrong with them, fit says
    specs = [spec for _, spec in pairs]
    return all(
        isinstance(spec, str | int) or (isinstance(spec, list) and len(spec) == 1) for spec in specs
    )


def check_zeroth(estimator):
    """Raise where the zeroth power is an identity in an index set that has none."""
    if estimator.zeroth == "identity" and estimator.interactions not in ("pairwise", "separable"):
        raise ValueError(
            "zeroth='identity' needs interactions='pairwise' or 'separable'; got "
            f"interactions={estimator.interactions!r}."
        )
