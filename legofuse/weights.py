r"""Weights: how much each term of the fusion polynomial counts.

Every criterion is a function of relations, powers and targets that returns a :class:`Learned`.
Square relations are kept as packed lower triangles (:func:`pack`), half the memory and half the
work; the kernels of single terms are never stored: everything streams through
:func:`~legofuse.fusion.fuse` and :func:`~legofuse.fusion.fuse_adjoint`.

This module may import legofuse.fusion and nothing else of legofuse.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigh, lapack
from scipy.optimize import minimize, nnls

from .fusion import fuse, fuse_adjoint, fuse_separable, fuse_separable_adjoint

__all__ = [
    "Learned",
    "alignment",
    "centred_products",
    "consensus",
    "importances",
    "leave_one_out",
    "loo",
    "normaliser",
    "pack",
    "packed_diagonal",
    "softmax_loss",
    "squared_loss",
    "uniform",
    "unpack",
]

_COARSE = 400  # units of the first stage of loo


class Learned(NamedTuple):
    """What a criterion learns.

    Attributes
    ----------
    weights : ndarray of shape (n_terms,)
    loo_score : float or None
        Share of the targets' variance that the leave-one-out predictions explain.
    n_iter : int
    """

    weights: Any
    loo_score: Any = None
    n_iter: int = 1


def pack(graph):
    """Lower triangle of a symmetric graph, row by row.

    Parameters
    ----------
    graph : ndarray of shape (n_units, n_units)
        A symmetric graph.

    Returns
    -------
    ndarray of shape (n_units * (n_units + 1) / 2,)
        The triangle.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import pack
    >>> pack(np.array([[1.0, 2.0], [2.0, 3.0]]))
    array([1., 2., 3.])
    """
    return graph[np.tril_indices(len(graph))]


def unpack(packed):
    """Symmetric graph of a packed lower triangle.

    Parameters
    ----------
    packed : ndarray of shape (n_units * (n_units + 1) / 2,)
        Lower triangle, row by row.

    Returns
    -------
    ndarray of shape (n_units, n_units)
        The graph.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import unpack
    >>> unpack(np.array([1.0, 2.0, 3.0]))
    array([[1., 2.],
           [2., 3.]])
    """
    n_units = _side(packed)
    lower = np.zeros((n_units, n_units), packed.dtype)
    lower[np.tril_indices(n_units)] = packed
    return _mirror(lower)


def _side(packed):
    return int(np.sqrt(2 * len(packed)))


def packed_diagonal(n_units):
    """Where the diagonal lies in a packed triangle.

    Parameters
    ----------
    n_units : int
        Number of rows of the graph.

    Returns
    -------
    ndarray of shape (n_units,), int
        Indices.
    """
    return np.cumsum(np.arange(1, n_units + 1)) - 1


def _pack_gradient(gradient):
    """Pack a symmetric gradient: each entry off the diagonal stands for two."""
    packed = 2 * pack(gradient)
    packed[packed_diagonal(len(gradient))] /= 2
    return packed


def leave_one_out(graph, targets, sample_weight=None):
    r"""Leave-one-out residuals of kernel ridge regression, and how to differentiate them.

    The ridge is 1 (the scale of the graph carries it) and the intercept is not penalised. With
    :math:`C = (G + W^{-1})^{-1}`, :math:`c = C 1`, :math:`P = C - c c^T / 1^T c` and
    :math:`s_i = \max(w_i, 1)`,

    .. math:: e_i = \frac{(P Y)_i}{v_i}, \quad v_i = s_i - 1 + P_{ii} / s_i

    One unit of weight is left out, which equals leaving out one of w repeated rows; a row of
    weight 1 or less is left out whole.

    Parameters
    ----------
    graph : ndarray of shape (n_units, n_units)
        Fused graph, symmetric.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    sample_weight : ndarray of shape (n_units,), optional
        Positive weights w; all 1 by default.

    Returns
    -------
    residuals : ndarray of shape (n_units, n_targets)
        Target minus the prediction made without the unit.
    pull_back : callable
        Takes the derivative of a loss with respect to the residuals (same shape) to its
        derivative with respect to the graph, shape (n_units, n_units), symmetric.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the graph plus the ridge is singular.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import leave_one_out
    >>> residuals, _ = leave_one_out(np.zeros((3, 3)), np.array([[0.0], [1.0], [5.0]]))
    >>> residuals.ravel().round(6)  # the mean of the two others
    array([-3. , -1.5,  4.5])
    """
    n_units = len(graph)
    weight = np.ones(n_units) if sample_weight is None else sample_weight
    kernel = np.array(graph, dtype=float, order="F")
    kernel[np.diag_indices(n_units)] += 1 / weight
    factor, info = lapack.dpotrf(kernel, lower=1)
    if info:  # hops and callers' relations need not be positive definite
        projector = np.linalg.inv(kernel)
    else:
        projector = _mirror(lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    sums = projector.sum(axis=1)
    projector -= np.outer(sums, sums / sums.sum())
    whole = np.maximum(weight, 1.0)
    share = whole - 1 + np.diagonal(projector) / whole
    fitted = projector @ targets
    residuals = fitted / share[:, None]

    def pull_back(slope):
        slope = slope / share[:, None]  # with respect to P Y
        falls = np.einsum("ik,ik->i", slope, residuals) / whole  # minus that to diag(P)
        # dP = -P dG P, so dG = -P (sym(slope Y^T) - diag(falls)) P
        pulled = projector @ slope
        # single precision is enough for a gradient, and its rounding is symmetrised away
        half = projector.astype(np.float32 if n_units > _COARSE else float)
        gradient = ((half * falls.astype(half.dtype)) @ half).astype(float)
        gradient -= 0.5 * (pulled @ fitted.T)
        gradient -= 0.5 * (fitted @ pulled.T)
        return gradient

    return residuals, pull_back


def _mirror(lower):
    """Fill the upper triangle of a matrix from its lower one."""
    full = np.tril(lower)
    full += np.tril(lower, -1).T
    return full


class _Model:
    """A fusion polynomial as a function of its weights, on packed graphs."""

    def __init__(self, relations, powers, separable=False, zeroth=None, present=None):
        self.relations, self.powers = relations, powers
        self.separable, self.zeroth = separable, zeroth
        self.shape = (len(relations), -1)
        self.diagonals: Any = None
        if present is not None:  # relations of a row to itself, the last row complete
            self.diagonals = np.vstack([present, np.ones(present.shape[1])]).T.astype(float)

    def first(self, n_units):
        """The same model of the first units only."""
        size = n_units * (n_units + 1) // 2

        def cut(graph):
            return [p[:size] for p in graph] if isinstance(graph, list) else graph[:size]

        zeroth = None if self.zeroth is None else self.zeroth[:size]
        graphs = [cut(graph) for graph in self.relations]
        other = _Model(graphs, self.powers, self.separable, zeroth)
        if self.diagonals is not None:
            other.diagonals = np.ascontiguousarray(self.diagonals[:, [*range(n_units), -1]])
        return other

    def start(self, shrink=0.1):
        """Weights that fall by ``shrink`` from degree to degree, shared within each degree."""
        degrees = self.powers.sum(axis=1)
        if self.separable:
            return np.where(degrees == 0, 1.0, shrink ** (degrees - 1.0) / len(self.relations))
        counts = np.bincount(degrees)
        return shrink ** (degrees - 1.0) / counts[degrees]

    def _fuse(self, relations, weights, zeroth):
        if self.separable:
            return fuse_separable(relations, weights.reshape(self.shape), zeroth)
        return fuse(relations, self.powers, weights)

    def _adjoint(self, relations, weights, slope, zeroth):
        if self.separable:
            factors = weights.reshape(self.shape)
            return fuse_separable_adjoint(relations, factors, slope, zeroth).ravel()
        return fuse_adjoint(relations, self.powers, slope)

    def graph(self, weights):
        """Return the fused graph and how to pull a gradient with respect to it back."""
        graph = unpack(self._fuse(self.relations, weights, self.zeroth))
        if self.diagonals is None:
            return graph, lambda slope: self._adjoint(
                self.relations, weights, _pack_gradient(slope), self.zeroth
            )
        diagonal = self._fuse(list(self.diagonals), weights, None)
        scale = normaliser(diagonal[:-1], diagonal[-1])
        graph *= scale[:, None]
        graph *= scale

        def pull_back(slope):
            shares = np.einsum("ij,ij->i", slope, graph)
            inverse = np.divide(1, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
            falls = np.append(-shares, shares.sum()) * inverse
            slope = _pack_gradient(slope * np.outer(scale, scale))
            direct = self._adjoint(self.relations, weights, slope, self.zeroth)
            return direct + self._adjoint(list(self.diagonals), weights, falls, None)

        return graph, pull_back


def normaliser(diagonal, complete):
    r"""Row factors that make up for missing views: sqrt(G of a complete row / G_ii).

    Parameters
    ----------
    diagonal : ndarray of shape (n_units,)
        Relation of each unit to itself in the fused graph.
    complete : float
        The same for a unit that has every view.

    Returns
    -------
    ndarray of shape (n_units,)
        Exactly 1 for a complete unit, 0 for one that misses every view.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import normaliser
    >>> normaliser(np.array([4.0, 1.0, 0.0]), 4.0)
    array([1., 2., 0.])
    """
    ratio = np.divide(complete, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
    return np.sqrt(ratio)


def squared_loss(residuals, targets, share, temperature):
    """Weighted mean of squared residuals and its derivatives.

    Parameters
    ----------
    residuals, targets : ndarray of shape (n_units, n_targets)
        Leave-one-out residuals, and what they are of (not used).
    share : ndarray of shape (n_units,)
        Weights that add up to 1.
    temperature : float
        Not used: this loss has none.

    Returns
    -------
    loss : float
        The loss.
    slope : ndarray of shape (n_units, n_targets)
        With respect to the residuals.
    temperature_slope : float
        0.
    """
    loss = float(share @ np.einsum("ik,ik->i", residuals, residuals))
    return loss, 2 * share[:, None] * residuals, 0.0


def softmax_loss(residuals, targets, share, temperature):
    r"""Cross-entropy of leave-one-out predictions and its derivatives.

    .. math:: -\sum_i p_i \log \mathrm{softmax}(\tau (Y - E))_{i, y_i}

    Parameters
    ----------
    residuals, targets : ndarray of shape (n_units, n_classes)
        E and one-hot Y.
    share : ndarray of shape (n_units,)
        Weights p that add up to 1.
    temperature : float
        :math:`\log \tau`.

    Returns
    -------
    loss : float
        The loss.
    slope : ndarray of shape (n_units, n_classes)
        With respect to the residuals.
    temperature_slope : float
        Derivative with respect to the temperature.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import softmax_loss
    >>> loss, _, _ = softmax_loss(np.full((1, 2), 0.5), np.array([[1.0, 0.0]]), np.ones(1), 0.0)
    >>> round(loss, 4)
    0.3133
    """
    scale = np.exp(temperature)
    predictions = targets - residuals
    log_odds = scale * predictions
    log_odds -= log_odds.max(axis=1, keepdims=True)
    log_odds -= np.log(np.exp(log_odds).sum(axis=1, keepdims=True))
    loss = -float(share @ (targets * log_odds).sum(axis=1))
    slope = share[:, None] * (np.exp(log_odds) - targets)
    return loss, -scale * slope, scale * float((slope * predictions).sum())


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
        _Model(list(relations), powers, separable, zeroth, present), targets, weight, classes
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


def centred_products(relations, powers, sample_weight):
    r"""Inner products of the centred kernels of all terms.

    .. math:: \langle H K_a H, H K_b H \rangle

    The uncentred product depends on a + b only and streams through
    :func:`~legofuse.fusion.fuse_adjoint`.

    Parameters
    ----------
    relations : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    sample_weight : ndarray of shape (n_units,)
        Weight of each unit; 1 where none are given.

    Returns
    -------
    products : ndarray of shape (n_terms, n_terms)
        Inner product of each pair of terms.
    row_means : ndarray of shape (n_units, n_terms)
        Weighted means of the rows of the terms' kernels.
    """
    total = sample_weight.sum()
    pairs = powers[:, None] + powers[None]
    sums, where = np.unique(pairs.reshape(-1, powers.shape[1]), axis=0, return_inverse=True)
    outer = _pack_gradient(np.outer(sample_weight, sample_weight))
    products = fuse_adjoint(relations, sums, outer)[where.reshape(pairs.shape[:2])]
    share = np.broadcast_to(sample_weight / total, (len(sample_weight), len(sample_weight)))
    row_means = fuse_adjoint([unpack(r) for r in relations], powers, share, by_row=True)
    means = row_means.T @ sample_weight / total
    products -= 2 * total * (row_means.T * sample_weight) @ row_means
    products += total**2 * np.outer(means, means)
    return products, row_means


def alignment(relations, powers, targets, *, sample_weight=None, nonnegative=True):
    r"""Learn weights by centred kernel-target alignment.

    .. math:: \min_{A} A^T M A - 2 A^T b, \quad M_{ab} = \langle H K_a H, H K_b H \rangle,
        \quad b_a = \langle H K_a H, Y Y^T \rangle

    on kernels of norm 1 and with a small ridge on M, which is badly conditioned.

    Parameters
    ----------
    relations : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    targets : ndarray of shape (n_units, n_targets)
        Real values, or one column of 0 and 1 for each class.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given.
    nonnegative : bool
        Whether A >= 0 is required, so that the fused graph is a kernel.

    Returns
    -------
    Learned
        The weights.

    References
    ----------
    Cortes, Mohri and Rostamizadeh, "Algorithms for Learning Kernels Based on Centered
    Alignment", JMLR 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import alignment, pack
    >>> signal, noise = np.linspace(-1, 1, 20), np.sin(99 * np.arange(20))
    >>> graphs = [pack(np.outer(v, v)) for v in (signal, noise)]
    >>> weights = alignment(graphs, np.eye(2, dtype=int), signal[:, None]).weights
    >>> bool(weights[0] > 10 * weights[1])
    True
    """
    weight = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight, float)
    products, _ = centred_products(relations, powers, weight)
    centred = (targets - weight @ targets / weight.sum()) * weight[:, None]
    goals = fuse_adjoint(relations, powers, _pack_gradient(centred @ centred.T))
    norms = np.sqrt(np.maximum(np.diag(products), 0))
    inverse = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 1e-9 * norms.max())
    matrix = products * np.outer(inverse, inverse)
    goals = goals * inverse / max(np.abs(goals * inverse).max(), 1e-300)
    values, vectors = eigh(matrix)
    values = np.maximum(values, 0) + 1e-6  # float32 graphs may leave it slightly indefinite
    if nonnegative:
        root = np.sqrt(values)
        solution = nnls(
            root[:, None] * vectors.T, vectors.T @ goals / root, maxiter=50 * len(goals)
        )[0]
    else:
        solution = vectors @ (vectors.T @ goals / values)
    if not solution.any():
        solution = np.ones_like(solution)
    return Learned(solution * inverse)


def consensus(relations, powers, *, sample_weight=None):
    r"""Weights by which the terms agree best with one another (STATIS).

    The leading eigenvector of the matrix of cosines between centred kernels, which is
    non-negative where the cosines are (Perron and Frobenius).

    Parameters
    ----------
    relations : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    sample_weight : ndarray of shape (n_units,), optional
        Weight of each unit; 1 where none are given.

    Returns
    -------
    Learned
        The weights.

    References
    ----------
    Lavit, Escoufier, Sabatier and Traissac, "The ACT (STATIS method)", CSDA 1994.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import consensus, pack
    >>> a, b = np.linspace(-1, 1, 20), np.sin(99 * np.arange(20))
    >>> graphs = [pack(np.outer(v, v)) for v in (a, a, b)]
    >>> weights = consensus(graphs, np.eye(3, dtype=int)).weights
    >>> bool(weights[0] > 2 * weights[2])
    True
    """
    weight = (
        np.ones(_side(relations[0])) if sample_weight is None else np.asarray(sample_weight, float)
    )
    products, _ = centred_products(relations, powers, weight)
    norms = np.sqrt(np.maximum(np.diag(products), 0))
    inverse = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 1e-9 * norms.max())
    cosines = np.maximum(products * np.outer(inverse, inverse), 0)
    leading = np.abs(eigh(cosines, subset_by_index=[len(norms) - 1, len(norms) - 1])[1][:, 0])
    return Learned(leading * inverse)


def uniform(n_terms):
    """Equal weights.

    Parameters
    ----------
    n_terms : int
        Number of terms.

    Returns
    -------
    Learned
        The weights.

    Examples
    --------
    >>> from legofuse.weights import uniform
    >>> uniform(2).weights
    array([1., 1.])
    """
    return Learned(np.ones(n_terms))


def importances(graphs, powers, weights, sample_weight):
    r"""Share of each graph in the fused graph's centred norm.

    .. math:: v_m \propto \sum_a A_a \, \|H K_a H\|_F \, a_m / |a|

    Parameters
    ----------
    graphs : sequence of M packed graphs
        One relation for each graph.
    powers : ndarray of shape (n_terms, M)
        Exponents of each term.
    weights : ndarray of shape (n_terms,)
        Magnitudes count.
    sample_weight : ndarray of shape (n_units,)
        Weight of each unit; 1 where none are given.

    Returns
    -------
    ndarray of shape (M,)
        Adds up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse.weights import importances, pack
    >>> graphs = [pack(np.outer(v, v)) for v in ([1.0, -1.0], [2.0, -2.0])]
    >>> importances(graphs, np.eye(2, dtype=int), np.ones(2), np.ones(2))
    array([0.2, 0.8])
    """
    total = sample_weight.sum()
    outer = _pack_gradient(np.outer(sample_weight, sample_weight))
    squares = fuse_adjoint(graphs, 2 * powers, outer)
    share = np.broadcast_to(sample_weight / total, (len(sample_weight), len(sample_weight)))
    row_means = fuse_adjoint([unpack(r) for r in graphs], powers, share, by_row=True)
    squares -= 2 * total * (sample_weight @ row_means**2)
    squares += (sample_weight @ row_means) ** 2
    norms = np.sqrt(np.maximum(squares, 0)) * np.abs(weights)
    parts = norms @ (powers / powers.sum(axis=1, keepdims=True))
    if not parts.sum() > 0:
        parts = np.ones_like(parts)
    return parts / parts.sum()
