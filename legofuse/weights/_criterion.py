"""The leave-one-out criterion of weights, and what they are shrunk towards."""

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from ._leave_one_out import leave_one_out, softmax_loss, squared_loss
from ._start import first_places, start_factors

_OVERFLOW = 1e30  # loss where the graph is beyond its dtype
_LARGEST_LOG = 28.0  # of a weight over its start: none vanishes, none overflows
_TEMPERATURES = (-3.0, 6.0)  # least and largest log temperature


class Prior:
    """Log weights over their start as a linear function of numbers that are shrunk alike.

    Each term has a number of its own; what the terms of a graph, or of a degree, have in common
    is shrunk less. A graph's variance is shared out among a number of its own and one of each
    group that it is in.
    """

    def __init__(self, powers, penalty, own_penalty, groups=()):
        if own_penalty is None:
            self.shared, self.own = np.zeros((len(powers), 0)), 1 / np.sqrt(penalty)
            return
        degrees = powers.sum(axis=1)
        higher = degrees[:, None] == np.arange(2, degrees.max() + 1)
        parts = [np.eye(powers.shape[1]), *_indicators(groups, powers.shape[1])]
        graphs = [powers @ part / np.sqrt(len(parts)) for part in parts]
        self.shared = np.hstack([*graphs, higher]) / np.sqrt(penalty)
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


def _indicators(groups, n_graphs):
    """Membership of graphs in groups, where some graphs but not all are in one group."""
    for codes in map(first_places, groups):
        if len(codes) != n_graphs:
            raise ValueError(f"groups must have one label for each of {n_graphs} graphs.")
        first = np.unique(codes)
        if 1 < len(first) < n_graphs:
            yield np.equal.outer(codes, first).astype(float)


class LeaveOneOut:
    """The criterion as a function of (log scale, log temperature, numbers of the prior)."""

    def __init__(self, model, prior, targets, weight, classes, views=None, factors=None):
        self.model, self.prior, self.targets, self.weight = model, prior, targets, weight
        self.start_of = views, factors
        self.share = weight / weight.sum()
        self.loss = softmax_loss if classes else squared_loss
        self.growing = model.powers.sum(axis=1) > 0

    def shrunk(self, prior):
        """The same with another prior."""
        return self._with(self.model, prior, slice(None))

    def first(self, n_units):
        """The same on the first units (whose graphs are the first entries of the packed ones)."""
        return self._with(self.model.first(n_units), self.prior, slice(n_units))

    def among(self, units):
        """The same on some units, whose indices rise."""
        return self._with(self.model.among(units), self.prior, units)

    def _with(self, model, prior, units):
        parts = self.targets[units], self.weight[units], self.loss is softmax_loss
        return LeaveOneOut(model, prior, *parts, *self.start_of)

    def weights(self, theta, start):
        """Weights of the terms."""
        logs = theta[0] * self.growing + self.prior.expand(theta[2:])
        return start * np.exp(np.clip(logs, -_LARGEST_LOG, _LARGEST_LOG))

    def minimum(self, start, theta=None, patience=1, max_iter=100, tol=1e-4):
        """Argument of the least criterion, and the number of iterations that found it."""
        if theta is None:
            theta = np.zeros(len(self.prior) + 2)
            theta[1] = np.log(5.0)
        found = minimize(
            self,
            theta,
            args=(start,),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-14, 14), _TEMPERATURES] + [(-30, 30)] * len(self.prior),
            options={"maxiter": max_iter, "ftol": patience * tol, "gtol": 1e-6, "maxcor": 20},
        )
        return found.x, int(found.nit)

    def _residuals(self, weights):
        """Residuals and how slopes pull back, to the graph and to weights; None of an overflow."""
        graph, to_weights = self._graph(weights)
        found = self._left_out(graph)
        return None if found is None else (*found, to_weights)

    def _graph(self, weights):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # many large factors
            return self.model.graph(weights)

    def _left_out(self, graph):
        """Residuals and how slopes pull back to the graph; None where it is beyond its dtype."""
        if not np.isfinite(graph).all():
            return None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            residuals, to_graph = leave_one_out(graph, self.targets, self.weight)
        if not np.isfinite(residuals).all():  # beside such a graph the ridge is rounded away
            return None
        return residuals, to_graph

    def _squared_loss(self, graph):
        """Mean squared residual."""
        found = self._left_out(graph)
        if found is None:
            return np.inf
        return squared_loss(found[0], self.targets, self.share, 0.0)[0]

    def loss_of(self, weights):
        """Loss of weights that were learned elsewhere, at its best temperature, not shrunk."""
        if self.loss is squared_loss:
            return min(self._squared_loss(self._graph(weights)[0]), _OVERFLOW)
        found = self._residuals(weights)
        if found is None:
            return _OVERFLOW
        residuals = found[0]
        best = minimize_scalar(
            lambda heat: softmax_loss(residuals, self.targets, self.share, heat)[0],
            bounds=_TEMPERATURES,
            method="bounded",
            options={"xatol": 1e-3},
        )
        return float(best.fun)

    def __call__(self, theta, start):
        """Loss and its gradient."""
        weights = self.weights(theta, start)
        found = self._residuals(weights)
        if found is None:
            return _OVERFLOW, np.zeros(len(theta))  # the line search turns back
        residuals, to_graph, to_weights = found
        loss, slope, heat = self.loss(residuals, self.targets, self.share, theta[1])
        slope = to_weights(to_graph(slope)) * weights
        pull = theta[2:] / len(self.targets)
        loss += 0.5 * float(pull @ theta[2:])
        slopes = self.prior.pull_back(slope) + pull
        return loss, np.r_[slope[self.growing].sum(), heat, slopes]

    def start(self):
        """Starting weights at the scale, hence ridge, of least squared leave-one-out error."""
        views, given = self.start_of
        factors = 1.0 if given is None else np.asarray(given, float)
        if views is not None:
            relations, present = self.model.relations, self.model.diagonals
            told = start_factors(relations, views, self.targets, self.weight, present)
            factors = factors * told
        start = self.model.start(factors)
        graph, _ = self.model.graph(start)
        mean = self.share @ np.diagonal(graph)
        mean = mean if mean > 0 else 1.0
        start[self.growing] /= mean
        is_linear = self.growing.all() and not self.model.separable

        def weights_at(scale):
            return np.where(self.growing, scale, 1.0) * start

        def loss_at(scale):
            at = scale / mean * graph if is_linear else self._graph(weights_at(scale))[0]
            return self._squared_loss(at)

        return weights_at(min(np.logspace(-1, 5, 7), key=loss_at))
