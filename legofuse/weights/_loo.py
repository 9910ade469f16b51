"""Weights by the leave-one-out error of ridge regression."""

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize

from ._learned import Learned
from ._leave_one_out import leave_one_out, softmax_loss, squared_loss
from ._model import Model

_COARSE = 400  # units of the first stage
_OVERFLOW = 1e30  # loss where the graph is beyond its dtype
_LARGEST_LOG = 28.0  # of a weight over its start: none vanishes, none overflows


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
    penalty=0.2,
    own_penalty=5.0,
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
    :math:`\delta_a` 0, the fused graph would be a polynomial of one weighted sum of graphs), and
    many rows how much each term does. On more than 800 units the first half of the work is done on
    400 of them.

    Parameters
    ----------
    relations : sequence of M packed graphs (:func:`pack`)
        Relations of the training units to one another.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given.
    present : ndarray of shape (n_units, M), bool, optional
        False where a unit misses a view; its relations there are 0.
    separable : bool, default=False
        Learn one weight for each row of separable ``powers``.
    zeroth : packed graph, optional
        Zeroth power of every graph in a separable polynomial.
    classes : bool, default=False
        Whether targets are classes.
    penalty : float
        The strength :math:`\rho` of the shrinkage of what graphs and degrees count for.
    own_penalty : float
        The strength :math:`\rho'` of that of what a term counts for beyond that. Separable
        weights, which belong to graphs, are shrunk by ``penalty``.
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
        If all targets are equal.

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
    weight = np.ones(n_units) if sample_weight is None else np.asarray(sample_weight, float)
    share = weight / weight.sum()
    centred = targets - share @ targets
    size = np.abs(centred).max()
    if size <= 1e-14 * np.abs(targets).max():
        raise ValueError("All targets are equal: there is nothing to learn weights from.")
    centred = centred / size  # squares of extreme numbers vanish or overflow
    variance = (share @ centred**2).sum()
    if not classes:
        targets = centred / np.sqrt(variance)
    prior = _Prior(powers, penalty, None if separable else own_penalty)
    objective = _LeaveOneOut(
        Model(list(relations), powers, separable, zeroth, present), prior, targets, weight, classes
    )
    small = objective if n_units <= 2 * _COARSE else objective.first(_COARSE)
    start = small.start()
    theta, n_iter = np.zeros(len(prior) + 2), 0
    theta[1] = np.log(5.0)
    for stage, patience in [(small, 1)] if small is objective else [(small, 1), (objective, 3)]:
        found = minimize(
            stage,
            theta,
            args=(start,),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-14, 14), (-3, 6)] + [(-30, 30)] * len(prior),
            options={"maxiter": max_iter, "ftol": patience * tol, "gtol": 1e-6, "maxcor": 20},
        )
        theta, n_iter = found.x, n_iter + int(found.nit)
    weights = objective.weights(theta, start)
    scale, loss = _best_scale(objective.model.graph(weights)[0], targets, weight)
    weights[: powers.shape[0] // len(objective.model.relations) if separable else None] *= scale
    total = 1.0 if not classes else variance * size**2
    return Learned(weights, 1 - loss / total, max(1, n_iter))


def _best_scale(graph, targets, weight):
    """Factor of the graph at which a ridge of 1 has the least squared leave-one-out error.

    Cross-entropy does not fix the scale by itself: its temperature makes up for it.
    """
    root = np.sqrt(weight)
    values, vectors = eigh(graph * np.outer(root, root))
    vectors *= root[:, None]
    squares, sums = vectors**2, vectors.sum(axis=0)
    inner, share = vectors.T @ targets, weight / weight.sum()
    whole = np.maximum(weight, 1.0)

    def loss(scale):
        shrunk = 1 / (1 + scale * values)
        row_sums = vectors @ (shrunk * sums)
        total = row_sums.sum()
        diagonal = squares @ shrunk - row_sums**2 / total
        fitted = vectors @ (shrunk[:, None] * inner)
        fitted -= np.outer(row_sums / total, row_sums @ targets)
        residuals = fitted / (whole - 1 + diagonal / whole)[:, None]
        return squared_loss(residuals, targets, share, 0.0)[0]

    scales = [s for s in np.logspace(-6, 4, 61) if (1 + s * values > 1e-12).all()] or [1.0]
    losses = np.array([loss(scale) for scale in scales])
    best = int(np.argmax(losses <= 1.001 * losses.min()))  # the strongest ridge that is as good
    return scales[best], float(losses[best])


class _Prior:
    """Log weights over their start as a linear function of numbers that are shrunk alike.

    Each term has a number of its own; what the terms of a graph, or of a degree, have in common
    is shrunk less.
    """

    def __init__(self, powers, penalty, own_penalty):
        if own_penalty is None:
            self.shared, self.own = np.zeros((len(powers), 0)), 1 / np.sqrt(penalty)
            return
        degrees = powers.sum(axis=1)
        higher = degrees[:, None] == np.arange(2, degrees.max() + 1)
        self.shared = np.hstack([powers, higher]) / np.sqrt(penalty)
        self.own = 1 / np.sqrt(own_penalty)

    def __len__(self):
        return sum(self.shared.shape)

    def expand(self, numbers):
        """Log weights over their start."""
        n_shared = self.shared.shape[1]
        return self.shared @ numbers[:n_shared] + self.own * numbers[n_shared:]

    def pull_back(self, slope):
        """The derivative with respect to the numbers, from that to the log weights."""
        return np.concatenate([self.shared.T @ slope, self.own * slope])


class _LeaveOneOut:
    """The criterion as a function of (log scale, log temperature, numbers of the prior)."""

    def __init__(self, model, prior, targets, weight, classes):
        self.model, self.prior, self.targets, self.weight = model, prior, targets, weight
        self.share = weight / weight.sum()
        self.loss = softmax_loss if classes else squared_loss
        self.growing = model.powers.sum(axis=1) > 0

    def first(self, n_units):
        """The same on the first units (whose graphs are the first entries of the packed ones)."""
        loss = _LeaveOneOut(
            self.model.first(n_units),
            self.prior,
            self.targets[:n_units],
            self.weight[:n_units],
            False,
        )
        loss.loss = self.loss
        return loss

    def weights(self, theta, start):
        """Weights of the terms."""
        logs = theta[0] * self.growing + self.prior.expand(theta[2:])
        return start * np.exp(np.clip(logs, -_LARGEST_LOG, _LARGEST_LOG))

    def __call__(self, theta, start):
        """Loss and its gradient."""
        weights = self.weights(theta, start)
        with np.errstate(over="ignore", invalid="ignore"):  # products of many large factors
            graph, to_weights = self.model.graph(weights)
        if not np.isfinite(graph).all():
            return _OVERFLOW, np.zeros(len(theta))  # the line search turns back
        residuals, to_graph = leave_one_out(graph, self.targets, self.weight)
        loss, slope, heat = self.loss(residuals, self.targets, self.share, theta[1])
        slope = to_weights(to_graph(slope)) * weights
        pull = theta[2:] / len(self.targets)
        loss += 0.5 * float(pull @ theta[2:])
        slopes = self.prior.pull_back(slope) + pull
        return loss, np.r_[slope[self.growing].sum(), heat, slopes]

    def start(self):
        """Starting weights at the scale, hence ridge, of least squared leave-one-out error."""
        start = self.model.start()
        graph, _ = self.model.graph(start)
        mean = self.share @ np.diagonal(graph)
        start[self.growing] /= mean if mean > 0 else 1.0

        def loss(weights):
            with np.errstate(over="ignore", invalid="ignore"):  # products of many large factors
                graph, _ = self.model.graph(weights)
            if not np.isfinite(graph).all():
                return np.inf
            residuals, _ = leave_one_out(graph, self.targets, self.weight)
            return squared_loss(residuals, self.targets, self.share, 0.0)[0]

        candidates = [np.where(self.growing, s, 1.0) * start for s in np.logspace(-1, 5, 7)]
        return min(candidates, key=loss)
