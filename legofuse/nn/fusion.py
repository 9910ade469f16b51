"""The fusion polynomial as a layer: a parameter and a call of ``fuse``."""

import numpy as np
import torch
from torch import nn

from ..fusion import fuse, fuse_adjoint, fuse_separable

__all__ = ["FusionPolynomial", "fuse_fixed"]

_SMALLEST = 1e-6  # share of the largest weight that a weight of zero starts from


class _Fixed(torch.autograd.Function):
    """The numpy path of ``fuse`` or its adjoint, in blocks that stay in cache.

    Each is linear in the numbers that it is given, and the other is its derivative.
    """

    @staticmethod
    def forward(ctx, numbers, powers, adjoint, *relations):
        ctx.powers, ctx.adjoint = powers, adjoint
        ctx.save_for_backward(*relations)
        arrays = [relation.numpy() for relation in relations]
        found = (fuse_adjoint if adjoint else fuse)(arrays, powers, numbers.detach().numpy())
        return torch.from_numpy(found).to(relations[0].dtype)

    @staticmethod
    def backward(ctx, slope):
        found = _Fixed.apply(slope, ctx.powers, not ctx.adjoint, *ctx.saved_tensors)
        return found, None, None, *[None] * len(ctx.saved_tensors)


def _tensors(relations):
    """Relations as a list; raise unless they are tensors (or lists of them)."""
    relations = list(relations)
    for relation in relations:
        if not isinstance(relation, (list, torch.Tensor)):  # torch 2.7 compiles no unions
            raise TypeError(
                f"relations must be tensors; got {type(relation).__name__}: use torch.as_tensor."
            )
    return relations


def _term_by_term(relations, powers, weights):
    """The literal sum, which ``torch.compile`` can read, and fuses by itself."""
    if not isinstance(powers, tuple):
        powers = tuple(tuple(term) for term in np.asarray(powers).tolist())
    graph = torch.zeros_like(relations[0])
    for k, term in enumerate(powers):
        product = weights[k]
        for relation, p in zip(relations, term, strict=True):
            if p:
                product = product * relation**p
        graph = graph + product
    return graph


def fuse_fixed(relations, powers, weights):
    """Fuse relations that have no gradient: what :func:`~legofuse.fusion.fuse` gives, but faster.

    On the CPU, forward and backward run in blocks that stay in cache and store nothing in
    between. Elsewhere, and where relations do have a gradient, it is plain ``fuse``.

    Parameters
    ----------
    relations : sequence of M tensors of shape (..., n_units, n_references)
        One relation for each graph.
    powers : array-like of shape (n_terms, M), int
        Exponents of each term.
    weights : Tensor of shape (n_terms,)
        Weight of each term.

    Returns
    -------
    Tensor of shape (..., n_units, n_references)
        The fused graph.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import fuse_fixed
    >>> weights = torch.ones(2, requires_grad=True)
    >>> fuse_fixed([torch.tensor([[0.5, 2.0]])], [[1], [2]], weights).sum().backward()
    >>> weights.grad
    tensor([2.5000, 4.2500])
    """
    relations = _tensors(relations)
    if torch.compiler.is_compiling():
        return _term_by_term(relations, powers, weights)
    kinds = {(part.dtype, part.device.type, part.requires_grad) for part in relations}
    if kinds in ({(dtype, "cpu", False)} for dtype in (torch.float32, torch.float64)):
        return _Fixed.apply(weights, powers, False, *relations)
    return fuse(relations, powers, weights)


class FusionPolynomial(nn.Module):
    r"""Fuse relation graphs by a polynomial with learnable weights.

    .. math:: G = \sum_a A_a \, R_1^{\circ a_1} \circ \dots \circ R_M^{\circ a_M}

    Parameters
    ----------
    powers : array-like of shape (n_terms, n_graphs), int
        Exponents of each term, see :func:`legofuse.fusion.exponents`.
    nonnegative : bool, default=True
        Keep A >= 0, so that PSD relations give a PSD graph.
    separable : bool, default=False
        Whether ``powers`` lists the factors of a product of one polynomial for each graph, see
        :func:`legofuse.fusion.fuse_separable`; A are the factors then.
    parametrisation : {"exp", "softplus"}, default="exp"
        What keeps weights positive. ``"exp"`` makes steps relative to a weight's size.
    dtype : torch.dtype, optional
        Type of the numbers.
    device : torch.device or str, optional
        Where the tensors are.

    Attributes
    ----------
    raw : torch.nn.Parameter of shape (n_terms,)
        What is learned; :attr:`weights` is computed from it.
    terms : tuple of tuples of int
        The powers.

    Notes
    -----
    Weights start at 0.1 to the power of the degree less one, shared by the terms of a degree; those
    of a product shared by its graphs, and 1 for the zeroth powers.

    References
    ----------
    "Learnable Expansion of Graph Operators for Multi-Modal Feature Fusion", ICLR 2025.

    Examples
    --------
    >>> import torch
    >>> from legofuse.fusion import exponents
    >>> from legofuse.nn import FusionPolynomial
    >>> fusion = FusionPolynomial(exponents(2, 2))
    >>> graphs = torch.rand(2, 10, 5, 7, generator=torch.Generator().manual_seed(0))
    >>> fusion(graphs).shape  # 10 bags of 5 units, related to 7 references
    torch.Size([10, 5, 7])
    """

    def __init__(
        self,
        powers,
        *,
        nonnegative=True,
        separable=False,
        parametrisation="exp",
        dtype=None,
        device=None,
    ):
        super().__init__()
        if parametrisation not in ("exp", "softplus"):
            raise ValueError(
                f"parametrisation must be 'exp' or 'softplus'; got {parametrisation!r}."
            )
        self.powers = np.asarray(powers)
        if self.powers.ndim != 2 or self.powers.dtype.kind not in "iu":
            raise ValueError(
                "powers must be an array of ints of shape (n_terms, n_graphs); got dtype "
                f"{self.powers.dtype}, shape {self.powers.shape}."
            )
        if (self.powers < 0).any():
            raise ValueError(f"powers must be at least 0; got {self.powers.min()}.")
        self.terms = tuple(tuple(term) for term in self.powers.tolist())
        self.nonnegative = nonnegative
        self.separable = separable
        self.parametrisation = parametrisation
        start = self._start()
        self.raw = nn.Parameter(torch.empty(len(start), dtype=dtype, device=device))
        self.set_weights(start)

    @classmethod
    def from_weights(cls, powers, weights, **options):
        """Make a layer that starts from given weights.

        Parameters
        ----------
        powers : array-like of shape (n_terms, n_graphs)
            Exponents of each term.
        weights : array-like of shape (n_terms,)
            Weight of each term.
        **options
            As of the class.

        Returns
        -------
        FusionPolynomial
            The layer.

        Raises
        ------
        ValueError
            If the length is wrong, or weights are negative that must not be.

        Examples
        --------
        >>> from legofuse.nn import FusionPolynomial
        >>> FusionPolynomial.from_weights([[1], [2]], [3.0, 0.5]).weights.detach().numpy().round(4)
        array([3. , 0.5], dtype=float32)
        """
        layer = cls(powers, **options)
        layer.set_weights(weights)
        return layer

    @property
    def weights(self):
        """The weights A, of shape (n_terms,)."""
        if not self.nonnegative:
            return self.raw
        if self.parametrisation == "exp":
            return self.raw.exp()
        return nn.functional.softplus(self.raw, threshold=50)

    def set_weights(self, weights):
        """Set the weights A; zeros become a millionth of the largest where A >= 0 is kept.

        Parameters
        ----------
        weights : array-like of shape (n_terms,)
            Weight of each term.
        """
        if isinstance(weights, torch.Tensor):
            weights = weights.detach().cpu().numpy()
        weights = np.asarray(weights, dtype=np.float64)
        if weights.shape != (len(self.powers),) or not np.isfinite(weights).all():
            raise ValueError(
                f"weights must be {len(self.powers)} finite numbers, one for each term; got "
                f"shape {weights.shape}."
            )
        if self.nonnegative:
            if (weights < 0).any():
                raise ValueError(
                    f"weights holds {np.count_nonzero(weights < 0)} negative value(s), but "
                    "nonnegative=True."
                )
            weights = np.maximum(weights, _SMALLEST * (weights.max() or 1.0))
            if self.parametrisation == "exp":
                weights = np.log(weights)
            else:
                weights = weights + np.log(-np.expm1(-weights))  # the inverse of softplus
        with torch.no_grad():
            self.raw.copy_(torch.as_tensor(weights))

    def forward(self, relations, zeroth=None):
        """Fuse relations.

        Parameters
        ----------
        relations : sequence of M tensors of shape (..., n_units, n_references)
            Or one tensor of shape (M, ..., n_units, n_references).
        zeroth : tensor of shape (..., n_units, n_references), optional
            The zeroth power of every graph, where separable.

        Returns
        -------
        Tensor of shape (..., n_units, n_references)
            The fused graph.
        """
        relations = _tensors(relations)
        if self.separable:
            return fuse_separable(relations, self.weights.reshape(len(relations), -1), zeroth)
        if zeroth is not None:
            raise ValueError("zeroth needs separable=True.")
        if torch.compiler.is_compiling():
            return _term_by_term(relations, self.terms, self.weights)
        return fuse(relations, self.powers, self.weights)

    def fixed(self, relations, weights):
        """Fuse relations that have no gradient by other weights, see :func:`fuse_fixed`.

        Parameters
        ----------
        relations : sequence of M tensors of shape (..., n_units, n_references)
            One relation for each graph.
        weights : Tensor of shape (n_terms,)
            Weight of each term.

        Returns
        -------
        Tensor of shape (..., n_units, n_references)
            The fused graph.
        """
        powers = self.terms if torch.compiler.is_compiling() else self.powers
        return fuse_fixed(relations, powers, weights)

    def extra_repr(self):
        """Describe the layer in torch's repr."""
        n_terms, n_graphs = self.powers.shape
        return f"n_terms={n_terms}, n_graphs={n_graphs}, nonnegative={self.nonnegative}"

    def _start(self):
        degrees = self.powers.sum(axis=1)
        sharing = self.powers.shape[1] if self.separable else np.bincount(degrees)[degrees]
        return np.where(degrees == 0, 1.0, 0.1 ** (degrees - 1.0) / sharing)
