"""Fit a fusion polynomial and a head on bags by gradients: the paper's model.

Relations have no parameters, so they are computed once and stay on the device; what is trained
is the weights of the terms, the head, and the share that spreads over a bag's own graph.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from skorch.callbacks import EarlyStopping
from skorch.utils import noop

from .._threads import single_threaded_openmp
from .bag_model import BagLoss, BagModel, BagSettings
from .batches import PackedBags, TensorData, map_tree
from .generators import make_generator
from .modes import plain_modes
from .nets import epoch_losses, fit_net, make_net, resolve_device
from .state import net_arrays, restore_net

__all__ = ["BagFit", "BagLoss", "BagModel", "BagSettings", "fit_bags", "restore_bags", "score_bags"]

_PATIENCE = 5  # epochs without improvement of held-out bags that stop training
_SMALL = 1 << 22  # entries of a batch's relations below which threads only cost


class BagFit(NamedTuple):
    """What :func:`fit_bags` learns.

    Attributes
    ----------
    weights : ndarray of shape (n_terms,), float64
        Of the terms, adding up to 1 (those of each graph, where separable).
    history : list of dict
        Epoch, loss, and held-out loss where there is one.
    state : dict
        Arrays, numbers and strings that :func:`restore_bags` makes the net of, and that
        training goes on from. ``"share"`` is how much of a score is spread over a bag's graph.
    """

    weights: Any
    history: Any
    state: Any


def _tensors(tree, device):
    """Arrays and tensors of a tree as tensors of single precision, on a device."""

    def move(part):
        if isinstance(part, torch.Tensor):
            return part.to(device, torch.float32)
        numbers = np.ascontiguousarray(part, dtype=np.float32)
        return torch.as_tensor(numbers if numbers.flags.writeable else numbers.copy()).to(device)

    return map_tree(tree, move)


def pack_bags(units, lengths, own=None, device="cpu"):
    """Put relations of bags on a device.

    Parameters
    ----------
    units : dict
        As in :meth:`BagModel.graph`, numpy arrays or tensors.
    lengths : array-like of shape (n_bags,), int
    own : dict, optional
        Each bag's own graph.
    device : torch.device or str

    Returns
    -------
    PackedBags
    """
    shared = {key: units[key] for key in units if key == "reference_present"}
    rows = {key: units[key] for key in units if key not in shared}
    bags = None if own is None else {"own": _tensors(own, device)}
    return PackedBags(_tensors(rows, device), lengths, bags, _tensors(shared, device))


def _make(state, settings, valid, callbacks, device, verbose, generator):
    """Make the net that a state describes, not trained yet."""
    model = BagModel(
        state["powers"],
        state["views"],
        state["n_references"],
        settings,
        state["start"],
        generator,
        torch.float32,
    )
    callbacks = list(callbacks or [])
    if valid is not None:
        callbacks.append(EarlyStopping(patience=_PATIENCE, load_best=True, sink=noop))
    return make_net(
        model,
        BagLoss(settings),
        optimizer=torch.optim.AdamW,
        lr=settings.lr,
        max_epochs=settings.max_epochs,
        batch_size=settings.batch_size,
        generator=generator,
        device=device,
        valid_data=valid,
        callbacks=callbacks,
        verbose=verbose,
        optimizer__weight_decay=settings.weight_decay,
    )


def fit_bags(
    units,
    lengths,
    labels,
    weight,
    *,
    powers,
    views,
    start,
    settings,
    own=None,
    valid=None,
    state=None,
    epochs=None,
    callbacks=None,
    device="auto",
    random_state=None,
    verbose=0,
):
    r"""Learn the weights of a fusion together with a head on its rows, from labels of bags.

    .. math:: \min \sum_b w_b \log(1 + e^{-s_b z_b}), \quad
        z_b = \mathrm{mean\,top}_k \, f(\tilde G_i), \; i \in b

    plus the degree-variance regulariser, by AdamW on mini-batches of whole bags.

    Parameters
    ----------
    units : dict
        Relations of the units, as in :meth:`BagModel.graph`, numpy arrays or tensors.
    lengths, labels, weight : ndarray of shape (n_bags,)
        Units, label (0 or 1) and weight of each bag.
    powers : ndarray of shape (n_terms, n_graphs)
        Exponents of each term.
    views : list of n_graphs str
        The view of each graph.
    start : ndarray of shape (n_terms,)
        Where the weights of the terms start.
    settings : BagSettings
        What is trained, and how.
    own : dict, optional
        Each bag's own graph, where settings spread scores.
    valid : tuple, optional
        (units, lengths, labels, weight, own) of held-out bags: training stops when their loss no
        longer falls.
    state : dict, optional
        Go on from here.
    epochs : int, optional
        By default as set.
    callbacks : list of skorch callbacks, optional
        Callbacks that the net is given.
    device : str, default="auto"
        Where it is trained; ``"auto"`` is an accelerator if there is one.
    random_state : int, RandomState or None
        Seed or source of the draws.
    verbose : int
        Whether to print a line for each epoch.

    Returns
    -------
    BagFit
        Weights, losses, and what the net is made anew from.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.nn.bag_fit import BagSettings, fit_bags
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(20) % 2
    >>> graph = rng.uniform(size=(60, 4)) + np.repeat(labels, 3)[:, None]
    >>> fit = fit_bags(
    ...     {"relations": [graph]}, np.full(20, 3), labels, np.ones(20),
    ...     powers=np.eye(1, dtype=int), views=["a"], start=np.ones(1),
    ...     settings=BagSettings(lr=0.01), random_state=0)
    >>> fit.history[-1]["loss"] < 0.2
    True
    """
    lengths, labels, weight = (np.asarray(part) for part in (lengths, labels, weight))
    device, generator = resolve_device(device), make_generator(random_state)
    described = {
        "powers": np.asarray(powers),
        "views": list(views),
        "n_references": int(np.shape(_first(units))[-1]),
        "start": np.asarray(start, dtype=float),
        "settings": settings._asdict(),
    }

    def data(units, lengths, labels, weight, own):
        packed = pack_bags(units, lengths, own, device)
        labels, weight = np.asarray(labels), _in_range(np.asarray(weight, dtype=float))
        return TensorData(packed, _tensors(labels, device), _tensors(weight, device))

    torch.get_num_threads()  # a new thread sets its own number only now
    share_of_all = min(1, settings.batch_size / max(1, len(lengths)))
    alone = single_threaded_openmp(_entries(units) * share_of_all <= _SMALL)
    with alone, plain_modes(device, True):
        given = data(units, lengths, labels, weight, own)
        held_out = None if valid is None else data(*valid)
        net = _make(described, settings, held_out, callbacks, device, verbose, generator)
        if state is None:
            net.initialize()
            unit_weight = np.repeat(_in_range(weight) / lengths, lengths)
            net.module_.standardise(given.X, _tensors(unit_weight, device))
        else:
            _go_on(net, state, settings, generator)
        fit_net(net, given, epochs)
        model = net.module_
        weights = model.weights().detach().cpu().numpy().astype(float)
        if not np.isfinite(weights).all():
            raise ValueError("The net diverged to NaN or infinity: lower lr or weight_decay.")
        described |= {
            "share": None if model.propagation is None else float(model.propagation.share.detach()),
            "generator": generator.get_state().numpy(),
            "net": net_arrays(net),
        }
        return BagFit(weights, _history(net), described)


def _in_range(weight):
    """Weights as numbers of single precision; only their ratios matter."""
    return weight if 1e-20 < weight.max(initial=0) < 1e20 else weight / weight.max()


def _go_on(net, state, settings, generator):
    """Put a trained state into a net, and the present settings into its optimiser."""
    restore_net(net, state["net"])
    before, lr = state["settings"]["lr"], settings.lr
    for group in net.optimizer_.param_groups:
        group["weight_decay"] = settings.weight_decay
        if lr != before:  # where a schedule has lowered the rate, by as much
            group["lr"] = lr if group["lr"] == before or not before else group["lr"] * lr / before
            group |= {"initial_lr": lr} if "initial_lr" in group else {}
    generator.set_state(torch.from_numpy(state["generator"].copy()))


def _history(net):
    """Losses of each epoch; those of held-out bags are there for the last ones at least."""
    losses, held_out = epoch_losses(net), epoch_losses(net, "valid")
    history = [{"epoch": k + 1, "loss": loss} for k, loss in enumerate(losses)]
    for row, loss in zip(history[len(history) - len(held_out) :], held_out, strict=True):
        row["valid_loss"] = loss
    return history


def _first(units):
    """One relation of the units; that of hops is a list."""
    first = units["relations"][0]
    return first[0] if isinstance(first, list | tuple) else first


def _entries(units):
    return math.prod(_first(units).shape) * len(units["relations"])


def restore_bags(state, device="auto"):
    """Make the net that :func:`fit_bags` trained, on a device that is there.

    Parameters
    ----------
    state : dict
        Of :class:`BagFit`.
    device : str, default="auto"
        The CPU takes the place of a device that is not there.

    Returns
    -------
    Net
        The trained net.
    """
    try:
        device = resolve_device(device)
    except ValueError:  # trained where there was an accelerator
        device = torch.device("cpu")
    settings = BagSettings(**state["settings"])
    with plain_modes(device, True):
        net = _make(state, settings, None, None, device, 0, make_generator(0))
        return restore_net(net, state["net"])


def score_bags(net, units, lengths, own=None):
    """Logits of bags and of their units.

    Parameters
    ----------
    net : Net
        What :func:`restore_bags` returned.
    units, lengths, own : as of :func:`fit_bags`
        The bags, and the units' relations to one another.

    Returns
    -------
    bags : ndarray of shape (n_bags,), float64
        Logit of each bag.
    units : ndarray of shape (n_units,), float64
        Logit of each unit.
    """
    device, n_bags = net.module_.centre.device, len(lengths)
    size = max(1, _SMALL * n_bags // max(1, _entries(units)))
    torch.get_num_threads()  # a new thread sets its own number only now
    with single_threaded_openmp(), plain_modes(device, False):
        net.module_.eval()
        packed = pack_bags(units, lengths, own, device)
        parts = (
            [packed]
            if size >= n_bags
            else [packed[index] for index in torch.arange(n_bags).split(size)]
        )
        found = [net.module_(part) for part in parts]
    return tuple(
        np.concatenate([part[key].double().cpu().numpy() for part in found])
        for key in ("bags", "units")
    )
