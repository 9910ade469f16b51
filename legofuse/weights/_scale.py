"""Scales that cancel out: numbers whose squares would vanish or overflow are brought near 1."""

import numpy as np


def moderate(values):
    """Values times a power of two, where the largest is so large or small that squares are lost.

    Parameters
    ----------
    values : ndarray

    Returns
    -------
    ndarray
        The same where their squares lie in the range of float32.
    """
    largest = np.abs(values).max(initial=0)
    if largest == 0 or 1e-15 < largest < 1e15:
        return values
    return np.ldexp(values, -np.frexp(largest)[1])
