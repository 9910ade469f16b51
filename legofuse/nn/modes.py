"""Modes: what a caller set of torch for a thread, set aside while a net is trained or scores."""

from contextlib import ExitStack, contextmanager

import torch

__all__ = ["plain_modes"]


@contextmanager
def plain_modes(device, gradients):
    """Work as torch does by default, whatever mode the caller is in, and leave that as it was.

    Inference mode, mixed precision and a default device would make a fit fail or score otherwise.

    Parameters
    ----------
    device : torch.device
        Where the work is done.
    gradients : bool
        Whether operations are recorded.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.set_grad_enabled(gradients))
        if torch.is_autocast_enabled(device.type):
            stack.enter_context(torch.autocast(device.type, enabled=False))
        if torch.empty(0).device.type != "cpu":  # get_default_device fails once reset, to torch 2.7
            stack.enter_context(torch.device("cpu"))
        yield
