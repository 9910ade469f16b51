"""Batches: slices of tensors that already are on the device.

A tree is a tensor, None, or a tuple, list or dict of trees; all its tensors have one first axis.
"""

import torch
from torch.utils.data import Dataset

__all__ = ["PackedBags", "TensorBatches", "TensorData"]


def map_tree(tree, function):
    """Apply a function to all of a tree that is no None, dict, list or (named) tuple."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: map_tree(part, function) for key, part in tree.items()}
    if isinstance(tree, list | tuple):
        parts = (map_tree(part, function) for part in tree)
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return function(tree)


def _count(tree):
    """Length of the first axis of a tree, or None."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return next((n for n in map(_count, tree) if n is not None), None)
    return None if tree is None else len(tree)


def _take(tree, index):
    """Rows of a tree; the index is on the CPU."""

    def take(part):
        if not isinstance(part, torch.Tensor):
            return part[index]
        return part.index_select(0, index.to(part.device))

    return map_tree(tree, take)


class PackedBags:
    """Ragged bags whose units lie one bag after the other.

    Parameters
    ----------
    units : tree of tensors of shape (n_units, ...)
        What is known of each unit.
    lengths : array-like or Tensor of shape (n_bags,), int
        Number of units of each bag; kept on the CPU.
    bags : tree of tensors of shape (n_bags, ...), optional
        What there is once for each bag.
    shared : tree of tensors, optional
        What all units share; it stays whole.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import PackedBags
    >>> bags = PackedBags(torch.arange(6), [1, 2, 3])
    >>> bags[[2, 0]].units, bags[[2, 0]].lengths
    (tensor([3, 4, 5, 0]), tensor([3, 1]))
    """

    def __init__(self, units, lengths, bags=None, shared=None):
        self.units = units
        self.lengths = torch.as_tensor(lengths).cpu().long()
        self.bags = bags
        self.shared = shared
        n_units = _count(units)
        if n_units is not None and n_units != int(self.lengths.sum()):
            raise ValueError(f"lengths add up to {int(self.lengths.sum())}, units are {n_units}.")
        self._starts = self.lengths.cumsum(0) - self.lengths

    def __len__(self):
        """Return the number of bags."""
        return len(self.lengths)

    def __getitem__(self, index):
        """Take some bags, by whatever takes entries of a tensor, without a loop over them."""
        index = index.cpu() if isinstance(index, torch.Tensor) else index
        index = list(index) if isinstance(index, tuple) else index
        index = torch.arange(len(self), device="cpu")[index].reshape(-1)
        lengths = self.lengths[index]
        shift = self._starts[index] - (lengths.cumsum(0) - lengths)
        units = torch.arange(int(lengths.sum()), device="cpu")
        units = units + torch.repeat_interleave(shift, lengths)
        return PackedBags(_take(self.units, units), lengths, _take(self.bags, index), self.shared)

    def to(self, device):
        """Move all tensors to a device.

        Parameters
        ----------
        device : torch.device or str
            Where to.

        Returns
        -------
        PackedBags
            The same bags there.
        """
        trees = self.units, self.bags, self.shared
        units, bags, shared = (map_tree(tree, lambda part: part.to(device)) for tree in trees)
        return PackedBags(units, self.lengths, bags, shared)


class TensorData(Dataset):
    """What a net is fitted to: inputs, targets and weights on one device.

    Parameters
    ----------
    X : Tensor, tree of tensors, or PackedBags
        Inputs.
    y : Tensor of shape (n_samples, ...), optional
        Targets.
    sample_weight : Tensor of shape (n_samples,), optional
        Weight of each sample; 1 where none are given.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import TensorData
    >>> data = TensorData(torch.eye(3), torch.tensor([0, 1, 2]))
    >>> data.select(torch.tensor([2]))
    (tensor([[0., 0., 1.]]), (tensor([2]), None))
    """

    def __init__(self, X, y=None, sample_weight=None):
        self.X = X
        self.y = y
        self.sample_weight = sample_weight
        for name, part in (("y", y), ("sample_weight", sample_weight)):
            if part is not None and len(part) != len(self):
                raise ValueError(f"{name} has {len(part)} entries for {len(self)} samples.")

    def __len__(self):
        """Return the number of samples."""
        return _count(self.X)

    def __getitem__(self, index):
        """Return one sample as (input, (target, weight))."""
        X, target = self.select(torch.as_tensor([int(index)]))
        return X, target

    def select(self, index=None):
        """Return a batch.

        Parameters
        ----------
        index : Tensor of shape (n_chosen,), int64, optional
            By default everything, without a copy.

        Returns
        -------
        inputs, (targets, weights)
            The batch.
        """
        if index is None:
            return self.X, (self.y, self.sample_weight)
        return _take(self.X, index), (_take(self.y, index), _take(self.sample_weight, index))


class TensorBatches:
    """Iterate over batches of a :class:`TensorData`: skorch's iterator, a quarter of its cost.

    Parameters
    ----------
    dataset : TensorData
        What to take batches of.
    batch_size : int
        -1 is everything at once.
    shuffle : bool, default=False
        Whether batches come in random order.
    generator : torch.Generator, optional
        Of the CPU; draws the order of each epoch. Needed to shuffle, so that torch's global
        generator stays as it is.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import TensorBatches, TensorData
    >>> [len(x) for x, _ in TensorBatches(TensorData(torch.zeros(5, 2)), batch_size=2)]
    [2, 2, 1]
    """

    def __init__(self, dataset, batch_size=-1, shuffle=False, generator=None):
        if shuffle and generator is None:
            raise ValueError("shuffle=True needs a generator.")
        if batch_size != -1 and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, or -1 for all; got {batch_size!r}.")
        self.dataset = dataset
        self.batch_size = len(dataset) if batch_size == -1 else batch_size
        self.shuffle = shuffle
        self.generator = generator

    def __len__(self):
        """Return the number of batches."""
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        """Yield (inputs, (targets, weights))."""
        n_samples = len(self.dataset)
        if n_samples <= self.batch_size:  # one batch: order is of no matter
            yield self.dataset.select()
            return
        if self.shuffle:
            order = torch.randperm(n_samples, generator=self.generator, device="cpu")
        else:
            order = torch.arange(n_samples, device="cpu")
        for index in order.split(self.batch_size):
            yield self.dataset.select(index)
