"""The paper's model of bags: relations of units, fused, scored by a head, pooled to bags."""

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from ..fusion import fuse_separable
from .fusion import FusionPolynomial
from .heads import LinearHead, MLPHead, set_standard
from .losses import binary_cross_entropy, degree_variance_penalty
from .pooling import top_k_pool
from .propagation import Propagation

__all__ = ["BagLoss", "BagModel", "BagSettings"]


class BagSettings(NamedTuple):
    """What shapes a :class:`BagModel` and its training.

    Attributes
    ----------
    hidden_units : int or None
        Of the head; None is a linear one.
    top_k : int or float
        Units that a bag's score is the mean of, or their share.
    pair_sampling : bool
        Fuse a random pair of views in each iteration, all pairs when predicting.
    spread : bool
        Spread scores over the graph of each bag.
    separable : bool
        Whether the terms are the factors of a product, see
        :func:`~legofuse.fusion.fuse_separable`.
    degree_variance, degree_threshold, degree_top_k, degree_temperature : float, float, int, \
float or None
        Strength and parameters of :func:`~legofuse.nn.degree_variance_penalty`.
    max_epochs, batch_size : int
    lr, weight_decay : float
    """

    hidden_units: Any = 32
    top_k: Any = 3
    pair_sampling: bool = False
    spread: bool = False
    separable: bool = False
    degree_variance: float = 0.0
    degree_threshold: float = 0.5
    degree_top_k: int = 3
    degree_temperature: Any = None
    max_epochs: int = 40
    batch_size: int = 64
    lr: float = 2e-3
    weight_decay: float = 1e-3


def list_pairs(views, powers):
    """Which terms each pair of views keeps; of one or two views, all.

    Parameters
    ----------
    views : sequence of n_graphs names
        The view of each graph; one that is None belongs to every pair.
    powers : ndarray of shape (n_terms, n_graphs)

    Returns
    -------
    ndarray of shape (n_pairs, n_terms), bool

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.nn.bag_model import list_pairs
    >>> list_pairs("abc", np.eye(3, dtype=int)).astype(int)
    array([[1, 1, 0],
           [1, 0, 1],
           [0, 1, 1]])
    """
    names = [name for name in dict.fromkeys(views) if name is not None]
    pairs = list(combinations(names, 2)) or [tuple(names)]
    outside = np.array([[v is not None and v not in pair for v in views] for pair in pairs])
    return (powers[None] * outside[:, None]).sum(axis=2) == 0


class BagModel(nn.Module):
    """Relations of units, fused, scored by a head and pooled to a score of each bag.

    Parameters
    ----------
    powers : ndarray of shape (n_terms, n_graphs)
        Exponents of each term.
    views : sequence of n_graphs names
        The view of each graph, for pairs; None is in every pair.
    n_references : int
        Width of the rows of the fused graph.
    settings : BagSettings
        What is trained, and how.
    start : ndarray of shape (n_terms,)
        Where the weights of the terms start.
    generator : torch.Generator
        Draws the head's start and the pairs.
    dtype : torch.dtype, optional
        Type of the numbers; by default torch's.

    Examples
    --------
    >>> import torch
    >>> from legofuse.fusion import exponents
    >>> from legofuse.nn import BagModel, BagSettings, PackedBags, make_generator
    >>> model = BagModel(exponents(2, 1), "ab", 7, BagSettings(), [1.0, 1.0], make_generator(0))
    >>> bags = PackedBags({"relations": [torch.rand(5, 7), torch.rand(5, 7)]}, [2, 3])
    >>> model(bags)["bags"].shape, model(bags)["units"].shape
    (torch.Size([2]), torch.Size([5]))
    """

    centre: torch.Tensor
    scale: torch.Tensor
    kept: torch.Tensor

    def __init__(self, powers, views, n_references, settings, start, generator, dtype=None):
        super().__init__()
        self.settings, self.generator = settings, generator
        self.fusion = FusionPolynomial.from_weights(
            powers, start, separable=settings.separable, dtype=dtype
        )
        self.head: nn.Module
        if settings.hidden_units:
            self.head = MLPHead(
                n_references, settings.hidden_units, generator=generator, dtype=dtype
            )
        else:
            self.head = LinearHead(n_references, generator=generator, dtype=dtype)
        self.propagation = Propagation(0.5, dtype=dtype) if settings.spread else None
        self.register_buffer("kept", torch.as_tensor(list_pairs(views, np.asarray(powers))))
        self.register_buffer("centre", torch.zeros(n_references, dtype=dtype))
        self.register_buffer("scale", torch.ones((), dtype=dtype))

    def weights(self, kept=None):
        """Weights of the terms that are kept; they (or each graph's factors) add up to 1.

        Parameters
        ----------
        kept : Tensor of shape (n_terms,), bool, optional
            The terms that enter.

        Returns
        -------
        Tensor of shape (n_terms,)
            Weight of each term.
        """
        weights = self.fusion.weights if kept is None else self.fusion.weights * kept
        if not self.settings.separable:
            return weights / weights.sum()
        factors = weights.reshape(self.fusion.powers.shape[1], -1)
        return (factors / factors.sum(1, keepdim=True)).ravel()

    def _fuse(self, graphs, weights, zeroth):
        if self.settings.separable:
            return fuse_separable(graphs, weights.reshape(len(graphs), -1), zeroth)
        return self.fusion.fixed(graphs, weights)

    def graph(self, batch, kept=None):
        """Fuse relations; missing views are made up for.

        Parameters
        ----------
        batch : dict
            ``"relations"``: list of n_graphs tensors of shape (..., n_units, n_references);
            where factors multiply and the zeroth power is not all ones, ``"zeroth"``: one more;
            where views are missing, ``"present"`` and ``"reference_present"`` of shape
            (..., n_units, n_graphs) and (..., n_references, n_graphs), or ``"row_present"`` of
            shape (n_units, n_references, n_graphs) where rows have references of their own.
        kept : Tensor of shape (n_terms,), bool, optional
            The terms that enter.

        Returns
        -------
        Tensor of shape (..., n_units, n_references)
            The fused graph.
        """
        weights, zeroth = self.weights(kept), batch.get("zeroth")
        graph = self._fuse(batch["relations"], weights, zeroth)
        if "present" not in batch:
            return graph
        graph = graph * self._factor(batch["present"], weights, zeroth).unsqueeze(-1)
        if "row_present" in batch:
            return graph * self._factor(batch["row_present"], weights, zeroth)
        return graph * self._factor(batch["reference_present"], weights, zeroth).unsqueeze(-2)

    def _factor(self, present, weights, zeroth):
        """Root of a complete unit's relation to itself over that of each unit, else 0."""
        ones = None if zeroth is None else torch.ones_like(present[..., 0])
        one = torch.ones_like(present[..., 0].ravel()[:1])
        diagonal = self._fuse(list(present.unbind(-1)), weights, ones)
        complete = self._fuse([one] * present.shape[-1], weights, None if zeroth is None else one)
        known = diagonal > 0
        return torch.where(known, (complete / torch.where(known, diagonal, 1.0)).sqrt(), 0.0)

    def _score(self, packed, kept):
        """Logits of units, and the rows they are read from."""
        rows = self.graph({**packed.units, **(packed.shared or {})}, kept)
        logits = self.head((rows - self.centre) / self.scale)
        if self.propagation is not None:
            own = self.graph(packed.bags["own"], kept)
            logits = self.propagation(logits.reshape(own.shape[:2]), own).reshape(-1)
        return logits, rows

    def forward(self, packed):
        """Score bags.

        Parameters
        ----------
        packed : PackedBags
            Its units (and what they share) are a batch as in :meth:`graph`; where scores are
            spread, its bags hold ``"own"``, a batch of each bag's own graph, of shape
            (n_bags, n_units, n_units), and all bags have as many units.

        Returns
        -------
        dict
            ``"bags"``, ``"units"``: logits; ``"rows"``: of the fused graph; ``"lengths"``.
        """
        if not self.settings.pair_sampling:
            units, rows = self._score(packed, None)
        elif self.training:
            index = torch.randint(len(self.kept), (), generator=self.generator, device="cpu")
            units, rows = self._score(packed, self.kept[index])
        else:
            found = [self._score(packed, kept) for kept in self.kept]
            units, rows = (torch.stack(parts).mean(0) for parts in zip(*found, strict=True))
        bags = top_k_pool(units, packed.lengths, self.settings.top_k)
        return {"bags": bags, "units": units, "rows": rows, "lengths": packed.lengths}

    @torch.no_grad()
    def standardise(self, packed, weight):
        """Centre and scale rows by those of bags at the starting weights.

        Parameters
        ----------
        packed : PackedBags
            Bags whose rows the mean and scale are taken of.
        weight : Tensor of shape (n_units,)
            Weight of each unit.
        """
        rows = self.graph({**packed.units, **(packed.shared or {})})
        set_standard(self, rows, weight, torch.mean)


class BagLoss(nn.Module):
    """Binary cross-entropy of bags, plus the degree-variance regulariser.

    Parameters
    ----------
    settings : BagSettings
        What is trained, and how.
    """

    def __init__(self, settings):
        super().__init__()
        self.settings = settings

    def forward(self, output, target):
        """Return the loss of a model's output against (labels, weights)."""
        labels, weight = target
        loss, settings = binary_cross_entropy(output["bags"], labels, weight), self.settings
        if not settings.degree_variance:
            return loss
        return loss + settings.degree_variance * degree_variance_penalty(
            output["rows"],
            output["lengths"],
            labels,
            threshold=settings.degree_threshold,
            top_k=settings.degree_top_k,
            temperature=settings.degree_temperature,
        )
