"""Nets: modules, losses and batches composed by skorch, without its traps.

``net.fit`` of skorch swallows Ctrl-C and draws from global generators; :func:`fit_net` does
neither.
"""

import dis
from contextlib import suppress

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.helper import predefined_split

from .batches import TensorBatches

__all__ = ["Net", "OnEpoch", "epoch_losses", "fit_net", "make_net", "resolve_device"]


def resolve_device(device="auto"):
    """Return the torch device that a name means.

    Parameters
    ----------
    device : str or torch.device, default="auto"
        ``"auto"`` is an accelerator if there is one (except MPS, which has no float64), else the
        CPU.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If the name is unknown or the device is not there.

    Examples
    --------
    >>> from legofuse.nn import resolve_device
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if isinstance(device, str) and device == "auto":
        there = torch.accelerator.is_available()
        found = torch.accelerator.current_accelerator() if there else None
        return torch.device("cpu") if found is None or found.type == "mps" else found
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
        if found.type == "meta":
            raise TypeError("it holds no numbers")
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} is not there: use 'auto', 'cpu', or an accelerator of this machine."
        ) from error
    return found


class OnEpoch(Callback):
    """Call a function with the number of epochs done, after each.

    Parameters
    ----------
    function : callable
        Takes an int.
    """

    def __init__(self, function):
        self.function = function

    def on_epoch_end(self, net, **kwargs):
        """Call it."""
        if self.function is not None:
            self.function(len(net.history))

    def __getstate__(self):
        """A stored net does not call the function: it is part of the fit that was running."""
        return {"function": None}


class StopTraining(Exception):
    """A callback asked for the end of training."""


class Net(NeuralNet):
    """skorch's net on batches of :class:`TensorBatches`.

    The criterion is called as ``criterion(predictions, (targets, weights))``; inputs and
    predictions may be anything (a :class:`PackedBags`, say). Make one with :func:`make_net`, fit
    it with :func:`fit_net`.
    """

    def infer(self, x, **fit_params):
        """Call the module; tensors are on the device already."""
        return self.module_(x, **fit_params)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Call the criterion."""
        return self.criterion_(y_pred, y_true)

    def notify(self, method_name, **kwargs):
        """Call callbacks; one that raises KeyboardInterrupt (early stopping) ends training."""
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as interrupt:
            if _raised_by_callback(interrupt):
                raise StopTraining from None
            raise


def _raised_by_callback(interrupt):
    """Whether a raise statement of a callback made the interrupt, and not the user's Ctrl-C."""
    trace = interrupt.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    operation = dis.opname[frame.f_code.co_code[trace.tb_lasti]]
    names = frame.f_code.co_varnames[:1]  # "self", by any name
    owner = frame.f_locals.get(names[0]) if names else None
    return operation == "RAISE_VARARGS" and isinstance(owner, Callback)


def make_net(
    module,
    criterion,
    *,
    optimizer=torch.optim.Adam,
    lr=1e-2,
    max_epochs=10,
    batch_size=-1,
    generator=None,
    device="cpu",
    valid_data=None,
    callbacks=None,
    verbose=0,
    **options,
):
    """Compose a net.

    Parameters
    ----------
    module : torch.nn.Module
        Initialised; it is moved to the device.
    criterion : torch.nn.Module
        Called as ``criterion(predictions, (targets, weights))``, see :class:`WeightedLoss`.
    optimizer : type of torch.optim.Optimizer
        Class of the optimiser.
    lr : float
        Learning rate.
    max_epochs : int
        Number of epochs.
    batch_size : int, default=-1
        -1 is everything at once.
    generator : torch.Generator, optional
        Shuffles the batches; without one they come in order.
    device : torch.device or str
        Where it is trained.
    valid_data : TensorData, optional
        Its loss is recorded after each epoch.
    callbacks : list of skorch callbacks, optional
        Beside skorch's own; by default none, not even those.
    verbose : int
        Whether to print a line for each epoch, for which skorch's own are taken.
    **options
        Further arguments of skorch's net, such as ``optimizer__weight_decay``.

    Returns
    -------
    Net
        The net, not yet initialised.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import LinearHead, TensorData, WeightedLoss, fit_net, make_generator
    >>> from legofuse.nn import make_net, squared_error
    >>> head = LinearHead(2, generator=make_generator(0))
    >>> net = make_net(head, WeightedLoss(squared_error), optimizer=torch.optim.LBFGS, lr=1.0)
    >>> X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> net = fit_net(net, TensorData(X, X @ torch.tensor([1.0, 2.0])))
    >>> head.linear.weight.detach().round(decimals=3)
    tensor([[1., 2.]])
    """
    return Net(
        module,
        criterion,
        optimizer=optimizer,
        lr=lr,
        max_epochs=max_epochs,
        batch_size=batch_size,
        iterator_train=TensorBatches,
        iterator_train__shuffle=generator is not None,
        iterator_train__generator=generator,
        iterator_valid=TensorBatches,
        iterator_valid__batch_size=-1,
        train_split=None if valid_data is None else predefined_split(valid_data),
        callbacks=callbacks or (None if verbose else "disable"),
        verbose=verbose,
        device=device,
        **options,
    )


def fit_net(net, data, epochs=None):
    """Train a net, from where it stands if it has been trained before.

    Ctrl-C reaches the caller; a callback that stops training does not.

    Parameters
    ----------
    net : Net
        A net.
    data : TensorData
        What it is fitted to.
    epochs : int, optional
        By default the net's ``max_epochs``.

    Returns
    -------
    Net
        The same net.
    """
    if not net.initialized_:
        net.initialize()
    with suppress(StopTraining):
        rates = [group["lr"] for group in net.optimizer_.param_groups]
        net.notify("on_train_begin", X=data, y=None)
        if net.history:  # a schedule made anew repeats its last step
            for group, rate in zip(net.optimizer_.param_groups, rates, strict=True):
                group["lr"] = rate
        net.fit_loop(data, epochs=epochs)
    with suppress(StopTraining):
        net.notify("on_train_end", X=data, y=None)
    return net


def epoch_losses(net, prefix="train"):
    """Mean loss of each epoch.

    Parameters
    ----------
    net : Net
        A net.
    prefix : {"train", "valid"}
        Which loss.

    Returns
    -------
    list of float
        One loss for each epoch.
    """
    losses = []
    for epoch in net.history:
        batches = [b for b in epoch["batches"] if f"{prefix}_loss" in b]
        sizes = [b[f"{prefix}_batch_size"] for b in batches]
        if batches:
            values = [b[f"{prefix}_loss"] for b in batches]
            losses.append(float(np.average(values, weights=sizes)))
    return losses
