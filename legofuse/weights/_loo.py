"""Weights by the leave-one-out error of ridge regression."""

import numpy as np

from ._criterion import LeaveOneOut, Prior
from ._learned import Learned
from ._leave_one_out import leave_one_out, ridge_path, squared_loss, unit_weights
from ._model import Model
from ._strength import STRENGTHS, shares_of_strengths

_COARSE = 400  # units of the first stage
_LEAST_SHARE = 0.01  # of a strength that is worth a fit


def loo(
    relations,
    powers,
    targets,
    *,
    sample_weight=None,
    present=None,
    separable=False,
    zeroth=None,
    classes=False,
    groups=(),
    views=None,
    factors=None,
    penalty=0.2,
    own_penalty=5.0,
    strengths=STRENGTHS,
    max_iter=100,
    tol=1e-4,
):
    r"""Learn weights by the leave-one-out error of ridge regression.

    Minimised are the squared residuals of real targets, or the cross-entropy of classes, plus
    a shrinkage of :math:`u_a = \log(A_a / c A_a^0)` towards a start A0 that falls tenfold with each
    degree (c is free). With :math:`|a| = \sum_m a_m`,

    .. math:: u_a = \sum_m a_m \eta_m + \kappa_{|a|} + \delta_a, \quad
        \frac{1}{2 n} \Big(\rho \sum_m \eta_m^2 + \rho \sum_d \kappa_d^2
        + \rho' \sum_a \delta_a^2\Big)

    so that few rows learn how much each graph counts, in all its terms alike (were all
    :math:`\delta_a` 0, one number for each graph and one for each degree above 1 would tell all
    weights), and many rows how much each term does. :math:`\kappa_1` is 0. Graphs of one group (of
    a view, or of a kind of relation) have a number in common: :math:`\eta_m` is then the sum of k
    numbers, one of the graph and one of each group that it is in, over :math:`\sqrt{k}`, and each
    of them is shrunk by :math:`\rho`.

    How strong the shrinkage is, units tell that learned no weights: at each of some strengths
    (factors of both penalties) weights are learned on one half of the units (of at most 400) and
    their leave-one-out loss is taken on the other half, both ways. On at most 400 units the
    weights of all strengths are averaged, in proportion to the likelihood of these predictions;
    on more, or for separable weights, the likeliest strength is taken; of fewer than 8 units, all
    count alike. On more than 800 units the
    first half of the work is done on 400 of them.

    Parameters
    ----------
    relations : sequence of M packed graphs (:func:`pack`)
        Relations of the training units to one another.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    sample_weight : ndarray of shape (n_units,), optional
        Positive weight of each unit; 1 where none are given.
    present : ndarray of shape (n_units, M), bool, optional
        False where a unit misses a view; its relations there are 0.
    separable : bool, default=False
        Learn one weight for each row of separable ``powers``.
    zeroth : packed graph, optional
        Zeroth power of every graph in a separable polynomial.
    classes : bool, default=False
        Whether targets are classes.
    groups : sequence of sequences of M labels
        Ways to group the graphs, such as by view and by relation: the group of each graph. One that
        puts all graphs together, or each by itself, changes nothing. Not used by separable weights.
    views : sequence of M labels, optional
        The view of each graph. Weights then start, and are shrunk towards, lower where a view alone
        surely tells less of the targets than the best one. Not used by separable weights.
    factors : array-like of shape (M,), optional
        Positive: what the start of each graph is multiplied by. Not used by separable weights.
    penalty : float
        The strength :math:`\rho` of the shrinkage of what graphs and degrees count for.
    own_penalty : float
        The strength :math:`\rho'` of that of what a term counts for beyond that. Separable
        weights, which belong to graphs, are shrunk by ``penalty``.
    strengths : sequence of float
        Factors of both penalties to choose from; with a single one nothing is chosen.
    max_iter : int
        Largest number of iterations.
    tol : float
        Decrease of the loss at which iterations stop.

    Returns
    -------
    Learned
        Weights scaled so that the ridge is 1.

    Raises
    ------
    ValueError
        If all targets are equal, or a weight is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import loo, pack
    >>> signal, noise = np.linspace(-1, 1, 40), np.sin(99 * np.arange(40))
    >>> graphs = [pack(np.outer(v, v)) for v in (signal, noise)]
    >>> targets = signal + np.cos(57 * np.arange(40)) / 3
    >>> learned = loo(graphs, np.eye(2, dtype=int), targets[:, None])
    >>> bool(learned.weights[0] > learned.weights[1])
    True
    """
    n_units = len(targets)
    weight = unit_weights(sample_weight, n_units)
    share = weight / weight.sum()
    centred = targets - share @ targets
    size = np.abs(centred).max()
    if size <= 1e-14 * np.abs(targets).max():
        raise ValueError("All targets are equal: there is nothing to learn weights from.")
    centred = centred / size  # squares of extreme numbers vanish or overflow
    variance = (share @ centred**2).sum()
    if not classes:
        targets = centred / np.sqrt(variance)
    own = None if separable else own_penalty
    model = Model(list(relations), powers, separable, zeroth, present)
    priors = [Prior(powers, penalty * s, own and own * s, groups) for s in strengths]
    start_of = (None, None) if separable else (views, factors)
    objective = LeaveOneOut(model, priors[0], targets, weight, classes, *start_of)
    options = {"max_iter": max_iter, "tol": tol}
    coarse = objective if n_units <= _COARSE else objective.first(_COARSE)
    shares = shares_of_strengths(coarse, priors, **options)
    if separable or n_units > _COARSE:  # products of factors have no mean; one fit costs enough
        shares = np.eye(len(priors))[np.argmax(shares)]
    if n_units <= 2 * _COARSE:
        coarse = objective
    start = coarse.start()
    weights, n_iter = np.zeros(len(start)), 0
    for share_of, prior in zip(shares, priors, strict=True):
        if share_of < _LEAST_SHARE:
            continue
        theta, steps = coarse.shrunk(prior).minimum(start, **options)
        n_iter = max(n_iter, steps)
        if coarse is not objective:
            theta, steps = objective.shrunk(prior).minimum(start, theta, 3, **options)
            n_iter = max(n_iter, steps)
        found = objective.shrunk(prior).weights(theta, start)
        weights += found if separable else share_of / found.sum() * found
    scale, loss = _best_scale(objective.model.graph(weights)[0], targets, weight)
    weights[: powers.shape[0] // len(objective.model.relations) if separable else None] *= scale
    total = 1.0 if not classes else variance * size**2
    return Learned(weights, 1 - loss / total, max(1, n_iter))


def _best_scale(graph, targets, weight):
    """Factor of the graph at which a ridge of 1 has the least squared leave-one-out error.

    Cross-entropy does not fix the scale by itself: its temperature makes up for it.
    """
    share = weight / weight.sum()
    path = ridge_path(graph, targets, weight, np.logspace(-6, 4, 61))
    found = [(scale, squared_loss(r, targets, share, 0.0)[0]) for scale, r in path]
    if not found:  # no ridge makes up for what is negative
        residuals, _ = leave_one_out(graph, targets, weight)
        found = [(1.0, squared_loss(residuals, targets, share, 0.0)[0])]
    scales, losses = map(np.array, zip(*found, strict=True))
    best = int(np.argmax(losses <= 1.001 * losses.min()))  # the strongest ridge that is as good
    return float(scales[best]), float(losses[best])
