"""Fit the fusion polynomial by gradients, with a linear head on the rows of the fused graph.

Relations have no parameters, so they are computed once and stay on the device; what is trained
is the weights of the terms and the head.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from .._threads import single_threaded_openmp
from ..fusion import fuse_separable
from .batches import TensorData, map_tree
from .fusion import FusionPolynomial
from .generators import make_generator
from .heads import LinearHead, set_standard
from .losses import cross_entropy, squared_error
from .modes import plain_modes
from .nets import epoch_losses, fit_net, make_net, resolve_device
from .state import net_arrays, restore_net

__all__ = ["FusionFit", "FusionModel", "fit_fusion", "restore_fusion"]

_FULL_BATCH = 4096  # rows up to which one batch holds all
_MINI_BATCH = 512
_STEPS = 10  # of L-BFGS in an epoch
_PATIENCE = 3  # epochs of mini-batches that must not improve
_SMALL = 1 << 22  # entries of all relations below which threads only cost


class FusionFit(NamedTuple):
    """What :func:`fit_fusion` learns.

    Attributes
    ----------
    weights : ndarray of shape (n_terms,), float64
    n_iter : int
        Steps of L-BFGS, or epochs of mini-batches.
    history : list of dict
        Epoch and loss of each epoch.
    state : dict
        Arrays and numbers that :func:`restore_fusion` makes the net of.
    """

    weights: Any
    n_iter: int
    history: Any
    state: Any


class FusionModel(nn.Module):
    """A fusion polynomial, and a linear head on the centred and scaled rows of its graph.

    The weights have the size that they start from: else the head could be small only because the
    graph is large, which one weight that grows does at the least cost.

    Parameters
    ----------
    fusion : FusionPolynomial
    head : LinearHead
    present : Tensor of shape (n_graphs, n_references), optional
        Which views references have, where some miss views.
    """

    start: torch.Tensor
    size: torch.Tensor
    centre: torch.Tensor
    scale: torch.Tensor
    present: torch.Tensor | None

    def __init__(self, fusion, head, present=None):
        super().__init__()
        self.fusion = fusion
        self.head = head
        self.register_buffer("start", fusion.raw.detach().clone())
        self.register_buffer("size", self._size().detach())
        self.register_buffer("centre", torch.zeros_like(head.linear.weight[0]))
        self.register_buffer("scale", torch.ones_like(head.linear.bias[0]))
        self.register_buffer("present", present)

    @property
    def weights(self):
        """The weights A, of shape (n_terms,), in size as at the start."""
        size = self._size()
        factor = torch.where(size > 0, self.size / torch.where(size > 0, size, 1.0), 1.0)
        return (self.fusion.weights.reshape(len(size), -1) * factor).flatten()

    def _size(self):
        """Sum of the weights' absolute values; of a product, that of each factor."""
        n_rows = self.fusion.powers.shape[1] if self.fusion.separable else 1
        return self.fusion.weights.reshape(n_rows, -1).abs().sum(1, keepdim=True)

    def graph(self, batch):
        """Rows of the fused graph, missing views made up for.

        Parameters
        ----------
        batch : dict
            ``"relations"``: list of M tensors of shape (n_units, n_references); where
            there are, ``"zeroth"``: tensor of that shape, ``"present"``: tensor of shape
            (n_units, M).

        Returns
        -------
        Tensor of shape (n_units, n_references)
        """
        graph = self._fuse(batch["relations"], batch.get("zeroth"))
        if "present" in batch:
            graph = graph * self._factor(batch["present"].T)[:, None]
        return graph if self.present is None else graph * self._factor(self.present)

    def _fuse(self, relations, zeroth):
        if self.fusion.separable:
            return fuse_separable(relations, self.weights.reshape(len(relations), -1), zeroth)
        return self.fusion.fixed(relations, self.weights)

    def _factor(self, present):
        """Square root of a complete unit's relation to itself over that of each unit."""
        ones = torch.ones_like(present[:, :1])
        complete, diagonal = (self.fusion(list(p), None) for p in (ones, present))
        known = diagonal * complete.sign() > 0
        return torch.where(known, (complete / torch.where(known, diagonal, 1.0)).clamp(0), 0).sqrt()

    def forward(self, batch):
        """Return predictions of shape (n_units, n_targets), and what is penalised.

        That is the squared norm of the head, and how far weights are from their start.
        """
        rows = (self.graph(batch) - self.centre) / self.scale
        moved = self.fusion.raw - self.start
        if not self.fusion.nonnegative:
            moved = moved / self.start.abs().max().clamp(min=1e-12)
        penalised = self.head.linear.weight.square().sum(), moved.square().sum()
        return self.head(rows), penalised

    @torch.no_grad()
    def standardise(self, batch, sample_weight):
        """Centre and scale rows by those of a batch at the starting weights."""
        set_standard(self, self.graph(batch), sample_weight, torch.sum)


class PenalisedLoss(nn.Module):
    """Weighted mean loss, plus half of what is penalised times its strengths over the total."""

    def __init__(self, loss, total, strengths):
        super().__init__()
        self.loss, self.total, self.strengths = loss, total, strengths

    def forward(self, output, target):
        predictions, penalised = output
        penalty = sum(c * p for c, p in zip(self.strengths, penalised, strict=True))
        return self.loss(predictions, *target) + 0.5 * penalty / self.total


def fit_fusion(
    relations,
    powers,
    targets,
    start,
    *,
    sample_weight=None,
    classes=False,
    nonnegative=True,
    separable=False,
    zeroth=None,
    present=None,
    reference_present=None,
    strength=1.0,
    weight_strength=16.0,
    max_iter=100,
    tol=1e-4,
    batch_size="auto",
    device="auto",
    random_state=None,
):
    r"""Learn the weights of a fusion together with a linear head on its rows.

    .. math:: \min_{A, H, b} \sum_i w_i \, \ell(H^T \tilde G_i + b, y_i)
        + \frac{c}{2} \|H\|^2 + \frac{c'}{2} \|\log A - \log A_0\|^2

    with :math:`\tilde G_i` the row of unit i by :math:`A \, \textstyle\sum A_0 / \sum A` (of a
    product: each factor so), centred, and scaled to a mean squared norm of 1 at the start. For
    signed weights the sums are of absolute values, the last norm is of
    :math:`(A - A_0) / \max |A_0|`; else a weight of zero starts from a millionth of the largest.

    Parameters
    ----------
    relations : list of M arrays (or of lists of arrays) of shape (n_units, n_references)
        Of numpy or torch.
    powers : ndarray of shape (n_terms, M)
    targets : ndarray of shape (n_units, n_targets)
        One column of 0 and 1 for each class, or real values.
    start : ndarray of shape (n_terms,)
        The weights A_0.
    sample_weight : ndarray of shape (n_units,), optional
    classes : bool, default=False
        Cross-entropy, else the squared error of standardised targets.
    nonnegative, separable : bool
        As of :class:`FusionPolynomial`.
    zeroth : ndarray of shape (n_units, n_references), optional
    present : ndarray of shape (n_units, M), optional
        Which graphs a unit has.
    reference_present : ndarray of shape (n_references, M), optional
    strength : float, default=1.0
        The strength c of the penalty on the head.
    weight_strength : float, default=16.0
        The strength c' of that on weights, that stay near their start where units are few.
    max_iter : int, default=100
        Steps of L-BFGS at most, or epochs of mini-batches.
    tol : float, default=1e-4
        Relative decrease of an epoch's loss at which training stops.
    batch_size : int or "auto", default="auto"
        Fewer than the units: mini-batches and Adam, else everything at once and L-BFGS.
    device : str, default="auto"
    random_state : int, RandomState or None
        Shuffles mini-batches; nothing else is random.

    Returns
    -------
    FusionFit

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.nn.fusion_fit import fit_fusion
    >>> y = np.repeat([0, 1], 10)
    >>> signal = 1.0 * (y[:, None] == y)
    >>> noise = np.random.default_rng(0).uniform(size=(20, 20))
    >>> fit = fit_fusion([signal, noise], [[1, 0], [0, 1]], np.eye(2)[y], [1, 1], classes=True)
    >>> bool(fit.weights[0] > fit.weights[1])
    True
    """
    n_units = len(targets)
    weight = np.ones(n_units) if sample_weight is None else np.asarray(sample_weight, float)
    size = n_units if batch_size == "auto" and n_units <= _FULL_BATCH else batch_size
    size = _MINI_BATCH if size == "auto" else min(size, n_units)
    first = relations[0][0] if isinstance(relations[0], list) else relations[0]
    state = {
        "powers": np.asarray(powers),
        "n_references": first.shape[1],
        "n_targets": targets.shape[1],
        "nonnegative": bool(nonnegative),
        "separable": bool(separable),
        "classes": bool(classes),
        "start": np.asarray(start, float),
        "total": float(weight.sum()),
        "strengths": (float(strength), float(weight_strength)),
        "dtype": "float64" if size == n_units or first.dtype.itemsize == 8 else "float32",
        "full_batch": size == n_units,
        "max_iter": int(max_iter),
        "present": None if reference_present is None else np.asarray(reference_present, float).T,
    }
    device, dtype = resolve_device(device), getattr(torch, state["dtype"])
    if device.type == "mps" and dtype == torch.float64:
        raise ValueError("device='mps' has no float64, which neural weights need: use 'cpu'.")
    torch.get_num_threads()  # a new thread sets its own number only now
    alone = single_threaded_openmp(math.prod(first.shape) * len(relations) < _SMALL)
    with alone, plain_modes(device, True):
        to = partial(_tensors, device=device, dtype=dtype)
        batch = {"relations": to(list(relations)), "zeroth": to(zeroth), "present": to(present)}
        batch = {name: part for name, part in batch.items() if part is not None}
        y = _prepare(targets, weight, classes)
        y = torch.as_tensor(y, device=device) if classes else to(y)
        data = TensorData(batch, y, to(weight))
        generator = None if state["full_batch"] else make_generator(random_state)
        net = _make(state, device, size, generator)
        net.initialize()
        net.module_.standardise(batch, data.sample_weight)
        n_epochs = _train(net, data, state["full_batch"], max_iter, tol)
        losses = epoch_losses(net)
        n_iter = n_epochs
        if state["full_batch"]:
            n_iter = next(iter(net.optimizer_.state_dict()["state"].values()))["n_iter"]
        weights = net.module_.weights.detach().double().cpu().numpy()
        if not np.isfinite(weights).all():
            raise ValueError("Neural weights diverged to NaN or infinity: lower max_iter.")
        state["arrays"] = net_arrays(net)
    history = [{"epoch": k + 1, "train_loss": loss} for k, loss in enumerate(losses)]
    return FusionFit(weights, max(1, int(n_iter)), history, state)


def _tensors(tree, **options):
    """Arrays and tensors of a tree as tensors of a type, on a device."""

    def move(part):
        is_tensor = isinstance(part, torch.Tensor)
        return part.to(**options) if is_tensor else torch.tensor(np.asarray(part), **options)

    return map_tree(tree, move)


def _prepare(targets, weight, classes):
    """Class of each unit, or standardised values."""
    if classes:
        return targets.argmax(axis=1)
    mean = np.average(targets, axis=0, weights=weight)
    scale = np.sqrt(np.average((targets - mean) ** 2, axis=0, weights=weight))
    return (targets - mean) / np.where(scale > 0, scale, 1.0)


def _make(state, device, batch_size=-1, generator=None):
    """Make the net that a state describes, not trained yet."""
    dtype = getattr(torch, state["dtype"])
    fusion = FusionPolynomial.from_weights(
        state["powers"],
        state["start"],
        nonnegative=state["nonnegative"],
        separable=state["separable"],
        dtype=dtype,
    )
    silent = torch.Generator().manual_seed(0)  # the head starts from zero
    n_references, n_targets = state["n_references"], state["n_targets"]
    head = LinearHead(n_references, n_targets, generator=silent, zero=True, dtype=dtype)
    present = state["present"]
    present = None if present is None else torch.tensor(present, dtype=dtype)
    loss = cross_entropy if state["classes"] else squared_error
    options: dict = {"optimizer": torch.optim.Adam, "lr": 1e-2}
    if state["full_batch"]:
        options = {
            "optimizer": torch.optim.LBFGS,
            "lr": 1.0,
            "optimizer__max_iter": min(_STEPS, state["max_iter"]),
            "optimizer__line_search_fn": "strong_wolfe",
        }
    return make_net(
        FusionModel(fusion, head, present),
        PenalisedLoss(loss, state["total"], state["strengths"]),
        batch_size=batch_size,
        generator=generator,
        device=device,
        **options,
    )


def _train(net, data, full_batch, max_iter, tol):
    """Train until the loss is flat; returns the number of epochs."""
    n_epochs = -(-max_iter // _STEPS) if full_batch else max_iter
    patience = 1 if full_batch else _PATIENCE
    best, waited = np.inf, 0
    for epoch in range(n_epochs):
        if full_batch:
            net.optimizer_.param_groups[0]["max_iter"] = min(_STEPS, max_iter - epoch * _STEPS)
        fit_net(net, data, epochs=1)
        loss = float(np.mean([batch["train_loss"] for batch in net.history[-1]["batches"]]))
        flat = np.isfinite(best) and best - loss <= tol * abs(best)
        best, waited = min(best, loss), waited + 1 if flat else 0
        if waited >= patience:
            return epoch + 1
    return n_epochs


def restore_fusion(state, device="auto"):
    """Make the trained net again, on a device that is there.

    Parameters
    ----------
    state : dict
        Of :class:`FusionFit`.
    device : str, default="auto"
        The CPU takes the place of a device that is not there.

    Returns
    -------
    Net
        Its module takes what :meth:`FusionModel.graph` takes.
    """
    try:
        device = resolve_device(device)
    except ValueError:
        device = torch.device("cpu")
    with plain_modes(device, True):
        return restore_net(_make(state, device), state["arrays"])
