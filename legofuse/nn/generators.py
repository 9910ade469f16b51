"""Generators: seeds for torch from scikit-learn's ``random_state``."""

import torch

from .._random import random_generator

__all__ = ["make_generator"]


def make_generator(random_state=None, device="cpu"):
    """Make a torch generator of its own, seeded by a ``random_state``.

    Parameters
    ----------
    random_state : int, RandomState or None, default=None
        A RandomState is advanced by one draw; None seeds from numpy's global one, which
        stays as it is.
    device : str or torch.device, default="cpu"
        Device whose numbers it draws.

    Returns
    -------
    torch.Generator
        The generator.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import make_generator
    >>> one, other = make_generator(0), make_generator(0)
    >>> bool((torch.rand(3, generator=one) == torch.rand(3, generator=other)).all())
    True
    """
    seed = int(random_generator(random_state).randint(2**31 - 1))
    return torch.Generator(device=device).manual_seed(seed)
