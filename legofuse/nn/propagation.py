"""Propagation: scores of units, smoothed over the fused graph of their own bag."""

import torch
from torch import nn

__all__ = ["Propagation", "propagate"]


def propagate(scores, graph, share):
    r"""Mix the score of each unit with those of the units it is related to.

    .. math:: z' = (1 - \beta) z + \beta D^{-1} G_+ z

    with negative entries of the graph clipped; a unit without relations keeps its score.

    Parameters
    ----------
    scores : Tensor of shape (..., n_units)
        Score of each unit.
    graph : Tensor of shape (..., n_units, n_units)
        Rows and columns of units that are padding must be 0.
    share : float or Tensor
        The share :math:`\beta` in [0, 1].

    Returns
    -------
    Tensor of shape (..., n_units)
        Mixed scores.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import propagate
    >>> propagate(torch.tensor([0.0, 1.0]), torch.ones(2, 2), 0.5)
    tensor([0.2500, 0.7500])
    """
    graph = graph.clamp(min=0)
    degrees = graph.sum(-1)
    smooth = (graph @ scores.unsqueeze(-1)).squeeze(-1)
    alone = degrees <= 0
    smooth = torch.where(alone, scores, smooth / torch.where(alone, 1.0, degrees))
    return scores + share * (smooth - scores)


class Propagation(nn.Module):
    """Propagation with a learned share.

    Parameters
    ----------
    share : float, default=0.5
        Where the share starts, above 0 and below 1.
    dtype, device : torch.dtype and torch.device, optional
        Of the parameter.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import Propagation
    >>> Propagation(0.5)(torch.tensor([0.0, 1.0]), torch.ones(2, 2)).detach()
    tensor([0.2500, 0.7500])
    """

    def __init__(self, share=0.5, *, dtype=None, device=None):
        super().__init__()
        if not 0 < share < 1:
            raise ValueError(f"share must be above 0 and below 1; got {share!r}.")
        start = torch.logit(torch.tensor(share, dtype=torch.float64))
        self.raw = nn.Parameter(start.to(device, dtype or torch.get_default_dtype()))

    @property
    def share(self):
        """The share, a tensor without axes."""
        return torch.sigmoid(self.raw)

    def forward(self, scores, graph):
        """Propagate scores, see :func:`propagate`."""
        return propagate(scores, graph, self.share)
