"""State: what a net has learned, as numpy arrays, for pickles without torch inside."""

import numpy as np
import torch
from skorch.history import History

from .batches import map_tree

__all__ = ["load_module", "module_arrays", "net_arrays", "restore_net", "to_arrays", "to_tensors"]


def to_arrays(tree):
    """Turn the tensors of nested dicts, lists and (named) tuples into numpy arrays.

    Parameters
    ----------
    tree : nested dict, list or tuple
        What to convert.

    Returns
    -------
    The same nesting
        With arrays for tensors.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import to_arrays
    >>> to_arrays({"step": 3, "mean": [torch.ones(2)]})
    {'step': 3, 'mean': [array([1., 1.], dtype=float32)]}
    """
    return map_tree(
        tree, lambda leaf: leaf.detach().cpu().numpy().copy() if torch.is_tensor(leaf) else leaf
    )


def to_tensors(tree, device="cpu"):
    """Turn the numpy arrays of nested dicts, lists and (named) tuples into tensors on a device.

    Parameters
    ----------
    tree : nested dict, list or tuple
        What to convert.
    device : torch.device or str
        Where the tensors are made.

    Returns
    -------
    The same nesting
        With tensors for arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.nn import to_tensors
    >>> to_tensors([np.ones(2)])
    [tensor([1., 1.], dtype=torch.float64)]
    """
    return map_tree(
        tree,
        lambda leaf: torch.tensor(leaf, device=device) if isinstance(leaf, np.ndarray) else leaf,
    )


def module_arrays(module):
    """Return the parameters and buffers of a module by name, as numpy arrays.

    Parameters
    ----------
    module : torch.nn.Module
        An initialised module.

    Returns
    -------
    dict of str to ndarray
        Arrays by name.
    """
    return to_arrays(dict(module.state_dict()))


def load_module(module, arrays):
    """Set the parameters and buffers of a module.

    Parameters
    ----------
    module : torch.nn.Module
        Of the shape that the arrays were taken from, on any device.
    arrays : dict of str to ndarray
        What :func:`module_arrays` returned.

    Returns
    -------
    torch.nn.Module
        The same module.
    """
    module.load_state_dict(to_tensors(arrays))
    return module


def net_arrays(net):
    """Return all a trained net needs to go on: module, optimiser and history.

    Parameters
    ----------
    net : Net
        A net.

    Returns
    -------
    dict
        Of arrays, numbers and strings only. The generator is of a seed's making and is not kept.
    """
    return {
        "module": module_arrays(net.module_),
        "optimizer": to_arrays(net.optimizer_.state_dict()),
        "history": to_arrays(net.history.to_list()),
    }


def restore_net(net, arrays):
    """Put the state of :func:`net_arrays` into a net made anew.

    Parameters
    ----------
    net : Net
        Made by the same calls; on any device.
    arrays : dict
        What :func:`net_arrays` returned.

    Returns
    -------
    Net
        The same net, initialised.
    """
    net.initialize()
    load_module(net.module_, arrays["module"])
    net.optimizer_.load_state_dict(to_tensors(arrays["optimizer"]))
    net.history_ = History(arrays["history"])
    return net
