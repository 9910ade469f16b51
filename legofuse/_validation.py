"""Checks of constructor parameters, in scikit-learn's wording.

This module imports nothing from legofuse.
"""

from numbers import Integral, Real

import numpy as np


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
    below = low is not None and value < low
    above = high is not None and value > high
    if below or above or not np.isfinite(value):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"The {name!r} parameter of {owner} must be {bounds}; got {value!r}.")


def check_flag(owner, name, value):
    """Raise unless value is a boolean."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"The {name!r} parameter of {owner} must be a bool; got {value!r}.")


__all__ = ["Real", "check_choice", "check_flag", "check_number"]
