"""Pooling: from the units of ragged bags to bags, without a loop over bags.

The units of a batch lie one bag after the other; ``lengths`` says how many each bag has.
"""

from numbers import Integral, Real

import torch

__all__ = ["bag_index", "max_pool", "pad", "top_k_pool"]


def _lengths(lengths):
    """Lengths on the CPU, where looking at them costs no wait for a device."""
    lengths = torch.as_tensor(lengths).cpu()
    if lengths.ndim != 1 or lengths.is_floating_point():
        raise ValueError(f"lengths must be 1-D ints; got {lengths.dtype} of {lengths.ndim} axes.")
    if len(lengths) and int(lengths.min()) < 1:
        empty = torch.nonzero(lengths < 1).ravel().tolist()
        raise ValueError(f"Bags without units have no score: {empty[:5]}.")
    return lengths


def bag_index(lengths, device=None):
    """Index of the bag that each unit is in.

    Parameters
    ----------
    lengths : array-like or Tensor of shape (n_bags,), int
        Number of units of each bag.
    device : torch.device, optional
        Where the tensors are.

    Returns
    -------
    Tensor of shape (n_units,), int64
        Index of each unit's bag.

    Examples
    --------
    >>> from legofuse.nn import bag_index
    >>> bag_index([2, 1])
    tensor([0, 0, 1])
    """
    lengths = _lengths(lengths)
    bags = torch.arange(len(lengths), device="cpu")
    return torch.repeat_interleave(bags, lengths).to(device)


def pad(values, lengths, fill=0.0):
    """Lay out the units of ragged bags as a rectangle.

    Parameters
    ----------
    values : Tensor of shape (n_units, ...)
        Values of each unit.
    lengths : array-like or Tensor of shape (n_bags,), int
        Number of units of each bag.
    fill : float
        Value beyond the end of a bag.

    Returns
    -------
    Tensor of shape (n_bags, longest, ...)
        Values of each bag, filled up at the end.

    Raises
    ------
    ValueError
        If lengths do not add up to the number of units, or a bag is empty.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import pad
    >>> pad(torch.tensor([1.0, 2.0, 3.0]), [2, 1])
    tensor([[1., 2.],
            [3., 0.]])
    """
    lengths = _lengths(lengths)
    n_bags, n_units = len(lengths), int(lengths.sum())
    if n_units != len(values):
        raise ValueError(f"lengths add up to {n_units} units; got {len(values)}.")
    longest = int(lengths.max()) if n_bags else 0
    if n_units == n_bags * longest:
        return values.reshape(n_bags, longest, *values.shape[1:])
    starts = lengths.cumsum(0) - lengths
    bags = bag_index(lengths)
    places = bags * longest + torch.arange(n_units, device="cpu") - starts[bags]
    padded = values.new_full((n_bags * longest, *values.shape[1:]), fill)
    padded = padded.index_copy(0, places.to(values.device), values)
    return padded.reshape(n_bags, longest, *values.shape[1:])


def _counts(lengths, k):
    """How many units of each bag are pooled."""
    is_count, known = isinstance(k, Integral), isinstance(k, Real) and not isinstance(k, bool)
    if not known or not (k >= 1 if is_count else 0 < float(k) <= 1):
        raise ValueError(f"k must be an int of at least 1, or a share above 0 up to 1; got {k!r}.")
    if is_count:
        return lengths.clamp(max=int(k))
    return torch.ceil(float(k) * lengths.double() - 1e-9).long().clamp(min=1)


def top_k_pool(scores, lengths, k=1):
    r"""Mean of the k highest scores of each bag.

    .. math:: s_b = \frac{1}{k_b} \sum_{i \in \mathrm{top}_{k_b}(b)} s_i

    Parameters
    ----------
    scores : Tensor of shape (n_units, ...)
        Each trailing entry is pooled by itself.
    lengths : array-like or Tensor of shape (n_bags,), int
        On the CPU by preference.
    k : int or float, default=1
        A number of units, of which shorter bags use all, or (float) a share of each bag's units,
        rounded up.

    Returns
    -------
    Tensor of shape (n_bags, ...)
        Mean of each bag's highest scores.

    Raises
    ------
    ValueError
        If lengths do not add up to the number of units, a bag is empty, or k is out of range.

    References
    ----------
    Sultani, Chen and Shah, "Real-world Anomaly Detection in Surveillance Videos", CVPR 2018, for
    k = 1.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import top_k_pool
    >>> top_k_pool(torch.tensor([1.0, 5.0, 3.0, 2.0]), [3, 1], k=2)
    tensor([4., 2.])
    >>> top_k_pool(torch.tensor([1.0, 5.0, 3.0, 2.0]), [3, 1], k=1.0)
    tensor([3., 2.])
    """
    lengths = _lengths(lengths)
    counts = _counts(lengths, k)
    if len(lengths) == 0:
        return scores.new_zeros((0, *scores.shape[1:]))
    padded, most = pad(scores, lengths, float("-inf")), int(counts.max())
    top = padded.amax(1, keepdim=True) if most == 1 else padded.topk(most, dim=1).values
    if int(counts.min()) < most:
        kept = torch.arange(most, device="cpu") < counts[:, None]
        kept = kept.to(top.device).reshape(*kept.shape, *[1] * (top.ndim - 2))
        top = torch.where(kept, top, 0.0)
    shape = (-1, *[1] * (top.ndim - 2))
    return top.sum(1) / counts.to(top.device, top.dtype).reshape(shape)


def max_pool(rows, lengths):
    r"""Highest relation of a bag's units to each reference.

    .. math:: h_{bj} = \max_{i \in b} G_{ij}

    Parameters
    ----------
    rows : Tensor of shape (n_units, n_references)
        Relations of each unit.
    lengths : array-like or Tensor of shape (n_bags,), int
        Number of units of each bag.

    Returns
    -------
    Tensor of shape (n_bags, n_references)
        Largest relation to each reference.

    References
    ----------
    Chen, Bi and Wang, "MILES: Multiple-Instance Learning via Embedded Instance Selection", IEEE
    TPAMI 2006.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import max_pool
    >>> max_pool(torch.tensor([[1.0, 2.0], [3.0, 0.0], [5.0, 5.0]]), [2, 1])
    tensor([[3., 2.],
            [5., 5.]])
    """
    return top_k_pool(rows, lengths, 1)
