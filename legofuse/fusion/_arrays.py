"""What is asked of the arrays that are fused."""

import sys
from functools import reduce

import numpy as np


def namespace(array):
    """The library an array belongs to: numpy or torch (imported already if tensors exist)."""
    return np if isinstance(array, np.ndarray | np.generic) else sys.modules["torch"]


def float_type(arrays):
    """The common dtype of arrays: float32 or wider."""
    dtype = np.result_type(*arrays)
    return dtype if dtype.kind == "f" else np.dtype(float)


def leaves(items):
    """All arrays of a list of arrays and of lists of them."""
    return [part for item in items for part in (item if isinstance(item, list) else [item])]


def as_floats(xp, tensors):
    """Tensors (or lists of them) that hold whole numbers in the type of the others.

    That is torch's default type where no other holds floats.
    """
    parts = leaves(tensors)
    floats = [part.dtype for part in parts if part.is_floating_point()]
    if len(floats) == len(parts):
        return list(tensors)
    dtype = reduce(xp.promote_types, floats) if floats else xp.get_default_dtype()

    def convert(part):
        if isinstance(part, list):
            return list(map(convert, part))
        return part if part.is_floating_point() else part.to(dtype)

    return list(map(convert, tensors))


def check_shapes(relations):
    if not relations:
        raise ValueError("Give at least one relation.")
    if any(r.shape != relations[0].shape for r in relations):
        shapes = {tuple(r.shape) for r in relations}
        raise ValueError(f"All relations must have one shape; got {sorted(shapes)}.")


def check(relations, powers, weights=None):
    relations = list(relations)
    check_shapes(relations)
    powers = np.asarray(powers)
    if powers.ndim != 2 or powers.shape[1] != len(relations):
        raise ValueError(
            f"powers must have shape (n_terms, {len(relations)}), a column for each relation; "
            f"got {powers.shape}."
        )
    if powers.size and (powers.dtype.kind not in "iub" or powers.min() < 0):
        raise ValueError(f"powers must be whole numbers, at least 0; got {powers.tolist()}.")
    if weights is not None and tuple(weights.shape) != (len(powers),):
        raise ValueError(
            f"weights must have shape ({len(powers)},), one for each term; "
            f"got {tuple(weights.shape)}."
        )
    return relations, powers


def flatten(array, dtype):
    return np.ascontiguousarray(array, dtype=dtype).reshape(-1)
