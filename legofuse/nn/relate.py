"""Relations computed on an accelerator, where they stay."""

from functools import partial

from .modes import plain_modes
from .state import to_tensors

__all__ = ["relate_on"]

_BY_NUMPY = ("cpu", "mps")  # MPS has no float64


def relate_on(device, fused, rows):
    """Relate encoded rows to the references of a fused graph, on an accelerator if it can.

    Sparse rows, hops and a caller's relations are left to numpy.

    Parameters
    ----------
    device : torch.device
        Where relations are wanted.
    fused : FusedGraph
        The fused graph.
    rows : Rows
        Encoded by it.

    Returns
    -------
    list of Tensor or of ndarray of shape (n_rows, n_references)
        One for each graph: tensors on the device, or numpy's arrays.
    """
    if device.type in _BY_NUMPY or not fused.can_move(rows):
        return fused.relations(rows)
    with plain_modes(device, False):
        move = partial(to_tensors, device=device)
        return fused.map(move).relations(move(rows))
