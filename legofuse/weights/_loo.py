"""Weights by the leave-one-out error of ridge regression."""

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize

from ._learned import Learned
from ._leave_one_out import leave_one_out, softmax_loss, squared_loss
from ._model import Model

_COARSE = 400  # units of the first stage


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
    max_iter=100,
    tol=1e-4,
):
    r"""Learn weights by the leave-one-out error of ridge regression.

    Minimised are the squared residuals of real targets, or the cross-entropy of classes, plus
    a shrinkage :math:`\frac{\rho}{2 n} \sum_a u_a^2` of :math:`u_a = \log(A_a / c A_a^0)`
    towards a start that falls tenfold with each degree (c is free). On more than 800 units the
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
        The strength :math:`\rho` of the shrinkage.
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
    objective = _LeaveOneOut(
        Model(list(relations), powers, separable, zeroth, present), targets, weight, classes
    )
    small = objective if n_units <= 2 * _COARSE else objective.first(_COARSE)
    start = small.start()
    theta, n_iter = np.zeros(len(start) + 2), 0
    theta[1] = np.log(5.0)
    for stage, patience in [(small, 1)] if small is objective else [(small, 1), (objective, 3)]:
        found = minimize(
            stage,
            theta,
            args=(start, penalty),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-14, 14), (-3, 6)] + [(-14, 14)] * len(start),
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


class _LeaveOneOut:
    """The criterion as a function of (log scale, log temperature, log weights over start)."""

    def __init__(self, model, targets, weight, classes):
        self.model, self.targets, self.weight = model, targets, weight
        self.share = weight / weight.sum()
        self.loss = softmax_loss if classes else squared_loss
        self.growing = model.powers.sum(axis=1) > 0

    def first(self, n_units):
        """The same on the first units (whose graphs are the first entries of the packed ones)."""
        loss = _LeaveOneOut(
            self.model.first(n_units), self.targets[:n_units], self.weight[:n_units], False
        )
        loss.loss = self.loss
        return loss

    def weights(self, theta, start):
        """Weights of the terms."""
        return start * np.exp(theta[0] * self.growing + theta[2:])

    def __call__(self, theta, start, penalty):
        """Loss and its gradient."""
        weights = self.weights(theta, start)
        graph, to_weights = self.model.graph(weights)
        residuals, to_graph = leave_one_out(graph, self.targets, self.weight)
        loss, slope, heat = self.loss(residuals, self.targets, self.share, theta[1])
        slope = to_weights(to_graph(slope)) * weights
        pull = penalty / len(self.targets) * theta[2:]
        loss += 0.5 * float(pull @ theta[2:])
        return loss, np.r_[slope[self.growing].sum(), heat, slope + pull]

    def start(self):
        """Starting weights at the scale, hence ridge, of least squared leave-one-out error."""
        start = self.model.start()
        graph, _ = self.model.graph(start)
        mean = self.share @ np.diagonal(graph)
        start[self.growing] /= mean if mean > 0 else 1.0

        def loss(weights):
            graph, _ = self.model.graph(weights)
            residuals, _ = leave_one_out(graph, self.targets, self.weight)
            return squared_loss(residuals, self.targets, self.share, 0.0)[0]

        candidates = [np.where(self.growing, s, 1.0) * start for s in np.logspace(-1, 5, 7)]
        return min(candidates, key=loss)
