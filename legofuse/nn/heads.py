"""Heads: from rows of a fused graph to scores."""

import torch
from torch import nn

__all__ = ["LinearHead", "MLPHead"]


def _linear(n_in, n_out, generator, dtype, device):
    """Make a linear layer with torch's usual start, drawn on the CPU from our generator."""
    layer = nn.utils.skip_init(nn.Linear, n_in, n_out, dtype=dtype, device=device or "cpu")
    bound = n_in**-0.5
    with torch.no_grad():
        for parameter in (layer.weight, layer.bias):
            start = torch.empty(parameter.shape, dtype=parameter.dtype, device="cpu")
            parameter.copy_(start.uniform_(-bound, bound, generator=generator))
    return layer


@torch.no_grad()
def set_standard(module, rows, weight, size):
    """Set ``centre`` and ``scale`` of a module by weighted rows.

    What differs by no more than rounding is left as it is.

    Parameters
    ----------
    module : Module
        With these two buffers.
    rows : Tensor of shape (n_rows, n_references)
        Of the fused graph.
    weight : Tensor of shape (n_rows,)
    size : callable
        ``torch.sum`` or ``torch.mean``: whether rows or their entries get a mean square of 1.
    """
    share = weight / weight.sum()
    module.centre.copy_(share @ rows)
    spread, whole = (share @ size(part.square(), 1) for part in (rows - module.centre, rows))
    rounding = (100 * torch.finfo(rows.dtype).eps) ** 2 * whole
    module.scale.copy_(spread.sqrt() if spread > rounding else torch.ones_like(spread))


class LinearHead(nn.Module):
    """A linear score of each row.

    Parameters
    ----------
    n_references : int
        Width N of the rows.
    n_outputs : int, optional
        By default one score without an axis of its own.
    generator : torch.Generator, optional
        Draws the start; by default torch's global generator does.
    zero : bool, default=False
        Start from zero instead, for convex fits.
    dtype, device : torch.dtype and torch.device, optional
        As of :class:`torch.nn.Linear`.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import LinearHead, make_generator
    >>> LinearHead(7, generator=make_generator(0))(torch.ones(3, 5, 7)).shape
    torch.Size([3, 5])
    """

    def __init__(
        self, n_references, n_outputs=None, *, generator=None, zero=False, dtype=None, device=None
    ):
        super().__init__()
        self.squeeze = n_outputs is None
        self.linear = _linear(n_references, n_outputs or 1, generator, dtype, device)
        if zero:
            nn.init.zeros_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def forward(self, rows):
        """Score rows.

        Parameters
        ----------
        rows : Tensor of shape (..., n_references)
            Rows of the fused graph.

        Returns
        -------
        Tensor of shape (...) or (..., n_outputs)
            Scores.
        """
        scores = self.linear(rows)
        return scores.squeeze(-1) if self.squeeze else scores


class MLPHead(nn.Module):
    """Two layers with a rectifier between them: N to hidden to one score.

    Parameters
    ----------
    n_references : int
        Width N of the rows.
    hidden_units : int, optional
        By default N, as in the paper.
    n_outputs : int, optional
        By default one score without an axis of its own.
    dropout : float, default=0.0
        Share of hidden units left out while training.
    generator : torch.Generator, optional
        Draws the start and the units left out; by default torch's global generator does.
    dtype, device : torch.dtype and torch.device, optional
        As of :class:`torch.nn.Linear`.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import MLPHead, make_generator
    >>> MLPHead(7, 4, generator=make_generator(0))(torch.ones(3, 5, 7)).shape
    torch.Size([3, 5])
    """

    def __init__(
        self,
        n_references,
        hidden_units=None,
        n_outputs=None,
        *,
        dropout=0.0,
        generator=None,
        dtype=None,
        device=None,
    ):
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1; got {dropout!r}.")
        hidden_units = n_references if hidden_units is None else hidden_units
        self.squeeze = n_outputs is None
        self.dropout = dropout
        self.generator = generator
        self.hidden = _linear(n_references, hidden_units, generator, dtype, device)
        self.linear = _linear(hidden_units, n_outputs or 1, generator, dtype, device)

    def forward(self, rows):
        """Score rows.

        Parameters
        ----------
        rows : Tensor of shape (..., n_references)
            Rows of the fused graph.

        Returns
        -------
        Tensor of shape (...) or (..., n_outputs)
            Scores.
        """
        hidden = torch.relu(self.hidden(rows))
        if self.training and self.dropout:
            hidden = hidden * self._mask(hidden)
        scores = self.linear(hidden)
        return scores.squeeze(-1) if self.squeeze else scores

    def _mask(self, hidden):
        device = hidden.device if self.generator is None else self.generator.device
        keep = torch.rand(hidden.shape, generator=self.generator, device=device) >= self.dropout
        return keep.to(hidden.device, hidden.dtype) / (1 - self.dropout)
