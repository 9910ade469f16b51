"""How strongly weights are shrunk: told by units that did not learn them."""

import numpy as np

from ._leave_one_out import squared_loss

STRENGTHS = (0.3, 1.0, 4.0, 16.0, 64.0, 1e4)
_FEWEST = 8  # units that can be halved


def shares_of_strengths(objective, priors, max_iter=100, tol=1e-4):
    """Share of each strength, in proportion to the likelihood of cross-fitted predictions.

    Weights are learned on one half of the units; the loss is that of leaving out each unit of the
    other half under these weights; and the other way round. Targets are spread evenly over halves.

    Parameters
    ----------
    objective : LeaveOneOut
        The criterion on the units.
    priors : list of Prior
        One for each strength. All count alike where units are too few to be halved.
    max_iter, tol
        Of each minimisation.

    Returns
    -------
    ndarray of shape (n_strengths,)
        Positive, adding up to 1.
    """
    targets = objective.targets
    n_units, n_targets = targets.shape
    if len(priors) == 1:
        return np.ones(1)
    if n_units < _FEWEST:
        return np.full(len(priors), 1 / len(priors))
    order = np.lexsort(targets.T[::-1])
    halves = [objective.among(np.sort(order[k::2])) for k in (0, 1)]
    starts = [half.start() for half in halves]
    losses = np.zeros(len(priors))
    for learner, judge, start in zip(halves, halves[::-1], starts, strict=True):
        mass = judge.weight.sum() / objective.weight.sum()
        for k, prior in enumerate(priors):
            shrunk = learner.shrunk(prior)
            theta, _ = shrunk.minimum(start, max_iter=max_iter, tol=tol)
            losses[k] += mass * judge.loss_of(shrunk.weights(theta, start))
    logs = -n_units * losses  # minus the cross-entropy of all units
    if objective.loss is squared_loss:  # normal errors of the variance that makes them likeliest
        logs = -0.5 * n_units * n_targets * np.log(np.maximum(losses, 1e-300))
    shares = np.exp(logs - logs.max())
    return shares / shares.sum()
