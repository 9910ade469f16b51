"""Losses: weighted means over samples, and the degree-variance regulariser."""

import torch
from torch import nn
from torch.nn import functional

from .pooling import bag_index, pad

__all__ = [
    "WeightedLoss",
    "binary_cross_entropy",
    "cross_entropy",
    "degree_variance_penalty",
    "squared_error",
]


def _weighted_mean(losses, weight):
    if weight is None:
        return losses.mean()
    if weight.shape != losses.shape:
        raise ValueError(
            f"sample_weight must hold one weight for each of {len(losses)} samples; got shape "
            f"{tuple(weight.shape)}."
        )
    # a batch of weight 0, or of numbers too small for the type, says nothing
    return (weight * losses).sum() / weight.sum().clamp(min=torch.finfo(losses.dtype).tiny)


def _with_class_weight(weight, class_weight, classes, like):
    if class_weight is None:
        return weight
    factors = torch.as_tensor(class_weight, dtype=like.dtype, device=like.device)[classes]
    return factors if weight is None else weight * factors


def binary_cross_entropy(logits, targets, sample_weight=None, class_weight=None):
    r"""Weighted mean of the binary cross-entropy.

    .. math:: \frac{\sum_b w_b \big(\log(1 + e^{s_b}) - y_b s_b\big)}{\sum_b w_b}

    Parameters
    ----------
    logits : Tensor of shape (n_samples,)
        Logit of the second class.
    targets : Tensor of shape (n_samples,)
        0 or 1.
    sample_weight : Tensor of shape (n_samples,), optional
        Weight of each sample; 1 where none are given.
    class_weight : sequence of 2 floats, optional
        Factors of the weights of targets 0 and 1.

    Returns
    -------
    Tensor without axes
        The loss.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import binary_cross_entropy
    >>> binary_cross_entropy(torch.zeros(2), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    weight = _with_class_weight(sample_weight, class_weight, targets.long(), logits)
    targets = targets.to(logits.dtype)
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return _weighted_mean(losses, weight)


def cross_entropy(logits, targets, sample_weight=None, class_weight=None):
    """Weighted mean of the cross-entropy.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_classes)
        Logits of the classes.
    targets : Tensor of shape (n_samples,), int64
        The class of each sample.
    sample_weight : Tensor of shape (n_samples,), optional
        Weight of each sample; 1 where none are given.
    class_weight : sequence of n_classes floats, optional
        Weight of each class.

    Returns
    -------
    Tensor without axes
        The loss.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import cross_entropy
    >>> cross_entropy(torch.zeros(1, 4), torch.tensor([2]))
    tensor(1.3863)
    """
    weight = _with_class_weight(sample_weight, class_weight, targets, logits)
    return _weighted_mean(functional.cross_entropy(logits, targets, reduction="none"), weight)


def squared_error(predictions, targets, sample_weight=None):
    """Weighted mean of the squared error, summed over targets.

    Parameters
    ----------
    predictions, targets : Tensor of shape (n_samples,) or (n_samples, n_targets)
        True values.
    sample_weight : Tensor of shape (n_samples,), optional
        Weight of each sample; 1 where none are given.

    Returns
    -------
    Tensor without axes
        The loss.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import squared_error
    >>> squared_error(torch.zeros(2, 2), torch.ones(2, 2))
    tensor(2.)
    """
    losses = (predictions - targets).square().reshape(len(targets), -1).sum(1)
    return _weighted_mean(losses, sample_weight)


def degree_variance_penalty(graph, lengths, targets, *, threshold=0.5, top_k=3, temperature=None):
    r"""Squared difference of degree variances of normal and anomalous bags.

    .. math:: d_i = \sum_j G_{ij} \, [G_{ij} \ge \alpha], \qquad
        \big(\mathrm{Var}_{\text{normal}}(d)
        - \mathrm{Var}_{\text{anomalous, top } k}(d)\big)^2

    The variances are over all units of the normal bags of a batch, and over the k highest
    degrees of each of its anomalous bags.

    Parameters
    ----------
    graph : Tensor of shape (n_units, n_references)
        Rows of the fused graph of all units, one bag after the other.
    lengths : array-like or Tensor of shape (n_bags,), int
        Number of units of each bag.
    targets : Tensor of shape (n_bags,)
        1 for anomalous bags, 0 for normal ones.
    threshold : float, default=0.5
        The threshold :math:`\alpha`.
    top_k : int, default=3
        Shorter bags use all their units.
    temperature : float, optional
        Replace the hard threshold (the paper's, by default) by
        :math:`\sigma((G_{ij} - \alpha) / \text{temperature})`, whose gradient sees entries near
        the threshold.

    Returns
    -------
    Tensor without axes
        0 where a batch has no bag of one of the kinds.

    References
    ----------
    "Learnable Expansion of Graph Operators for Multi-Modal Feature Fusion", ICLR 2025. That the
    variances are over the batch, not bag by bag, is our reading: k = 1 has no variance in a bag.

    Examples
    --------
    >>> import torch
    >>> from legofuse.nn import degree_variance_penalty
    >>> graph = torch.tensor([[1.0], [3.0], [2.0], [0.1]])  # two units in each of two bags
    >>> degree_variance_penalty(graph, [2, 2], torch.tensor([0, 1]), top_k=2)
    tensor(0.)
    >>> degree_variance_penalty(graph, [2, 2], torch.tensor([0, 1]), top_k=1)
    tensor(1.)
    """
    if temperature is None:
        gate = (graph >= threshold).to(graph.dtype)
    else:
        gate = torch.sigmoid((graph - threshold) / temperature)
    degrees = (graph * gate).sum(-1)
    anomalous = torch.as_tensor(targets, device=graph.device) > 0
    of_normal = ~anomalous[bag_index(lengths, graph.device)]
    padded = pad(degrees, lengths, float("-inf"))[anomalous]
    top = padded.topk(min(top_k, padded.shape[1]), dim=1).values.ravel()
    top, normal = top[torch.isfinite(top)], degrees[of_normal]
    if len(top) == 0 or len(normal) == 0:
        return graph.sum() * 0
    return (normal.var(correction=0) - top.var(correction=0)).square()


class WeightedLoss(nn.Module):
    """A loss of this module as the criterion of a :class:`Net`.

    Parameters
    ----------
    loss : callable
        ``loss(predictions, targets, sample_weight, **options)``.
    **options
        Passed on.
    """

    def __init__(self, loss, **options):
        super().__init__()
        self.loss = loss
        self.options = options

    def forward(self, predictions, target):
        """Return the loss of predictions against a pair (targets, weights or None)."""
        targets, weight = target
        return self.loss(predictions, targets, weight, **self.options)
