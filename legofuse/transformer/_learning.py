"""From a sample of training rows to the weights, and from the landmarks to the map."""

import warnings

import numpy as np

from .._compat import stack_level
from ..config import foresee
from ..fused import FusedGraph
from ..graphs import chosen_by_auto
from ..readouts import embedding_map
from ..terms import check_range, given_weights, learn_weights, view_importances
from ..weights import Learned
from ._class_shares import learn_head
from ._training import aligns_by_classes, at, class_weights_of, find_shifts

_MOST_IN_MEAN = 500  # rows that the mean row of the fused graph is taken over
_LOWER = 0.1  # start of graphs that auto enters beside the others, as one degree higher
# products of centred relations, whose extremes are larger, get too much weight by these
_TERMS_ALIKE = ("uniform", "consensus", "alignment")


def relate_landmarks(estimator, training, expansion, learned):
    """Fused graph of rows and landmarks, without weights yet.

    Parameters
    ----------
    estimator : LEGOFusionTransformer
        Its parameters, graphs and landmarks are read.
    training : Training
    expansion : Expansion
    learned : dict of (view, domain) to Statistics

    Returns
    -------
    FusedGraph

    Raises
    ------
    MemoryError
        If hops over the landmarks would take too much of the memory available.
    """
    table, graphs, landmarks = training.table, estimator.graphs_, estimator.landmarks_
    centre, mass, n_landmarks = None, None, len(landmarks)
    if training.criterion not in _TERMS_ALIKE:
        centre = chosen_by_auto(graphs, estimator.relation)
    if estimator.expansion == "hops":
        mass = class_weights_of(training, landmarks).sum(axis=1)
        foresee(
            n_landmarks**2 * table.X.dtype.itemsize * estimator.degree * len(graphs),
            f"Hops over {n_landmarks} landmarks in {len(graphs)} graphs at "
            f"degree={estimator.degree}",
            "use expansion='elementwise', fewer rows or a lower degree",
        )
    return FusedGraph(
        table.columns,
        graphs,
        expansion,
        learned,
        table.X[landmarks],
        at(training.domains, landmarks),
        mass,
        centre,
        find_shifts(estimator, training, learned),
    )


def learn(estimator, training, rows, weight, few):
    """Learn the weights of the terms on a sample, and set them in the estimator's fused graph.

    Parameters
    ----------
    estimator : LEGOFusionTransformer
        Its parameters, graphs, landmarks and fused graph are read.
    training : Training
    rows : ndarray of shape (n_rows,), int
        Which of the training rows.
    weight : ndarray of shape (n_rows,)
    few : slice or ndarray of int
        Those of the rows that are related to one another: all, save for neural weights of many.

    Returns
    -------
    fitted : dict
        Fitted attributes.
    graph : ndarray of shape (n_landmarks, n_landmarks) or None
        The fused graph of the landmarks, where these are the rows.
    """
    fused, targets = estimator._fused, training.targets_of(rows)
    encoded, marks = fused.references, fused.marks
    all_landmarks = np.array_equal(rows, estimator.landmarks_)
    if not all_landmarks:
        sample = training.table.X[rows], at(training.domains, rows)
        encoded, marks = fused.encode(*sample), fused.mark(*sample)
    some = encoded if isinstance(few, slice) else encoded[few]  # landmarks are known as such
    graphs, equal = fused.among(some, at(marks, few))
    by_itself = training.criterion in ("given", "uniform")
    check_range(graphs, estimator.graphs_, fused.expansion, learned=not by_itself)
    known = at(targets, few), weight[few]
    found = _without_gradients(estimator, training, some.present, graphs, equal, *known)
    fitted: dict = {"_neural": None}
    if training.criterion == "neural":
        known = targets, weight / training.unit
        fit = _train(estimator, training, encoded, marks, *known, found.weights)
        found = Learned(fit.weights, n_iter=fit.n_iter)
        fitted |= {"_neural": fit.state, "history_": fit.history}
    views = [view for view, _ in estimator.graphs_]
    shown = fused.expansion, found.weights, weight[few]
    fused.set_weights(found.weights)
    importances = view_importances(graphs, *shown, views, equal, fused.factors(some))
    del graphs, equal
    step = 1 if all_landmarks else -(-len(rows) // _MOST_IN_MEAN)
    graph = fused(encoded[::step], at(marks, slice(None, None, step)))
    prior = np.average(graph, axis=0, weights=weight[::step])
    fitted |= {
        "weights_": found.weights,
        "loo_score_": found.loo_score,
        "n_iter_": found.n_iter,
        "ridge_": 1.0 if training.criterion in ("loo", "neural") else None,
        "view_importances_": importances,
        "_prior": prior.astype(fused.dtype),
    }
    return fitted, graph if all_landmarks else None


def _without_gradients(estimator, training, present, graphs, equal, targets, weight):
    """Weights that are given, or by the criterion; where neural ones start, by leave-one-out."""
    criterion, expansion = training.criterion, estimator._fused.expansion
    n_graphs = len(estimator.graphs_)
    if criterion == "given":
        n_factors = n_graphs if expansion.separable else 1
        rules = len(estimator.powers_), estimator.nonnegative, estimator._fused.dtype, n_factors
        return Learned(given_weights(estimator.weights, *rules))
    options = {"one": min(training.one, weight.max())}  # of which all are left whole
    if criterion == "alignment":
        options["nonnegative"] = estimator.nonnegative
    elif criterion in ("loo", "neural"):
        criterion = "loo"
        options |= {"max_iter": estimator.max_iter, "tol": estimator.tol}
        options["classes"] = training.n_classes > 0
        if expansion.degree is None and not expansion.identity:
            alike = list(zip(*estimator.graphs_, strict=True))  # by view, by relation
            factors = np.ones(n_graphs)
            factors[estimator._beside] = _LOWER
            options |= {"groups": alike, "views": alike[0], "factors": factors}
        if expansion.degree is None and present is not None:
            options["present"] = expansion.present(present)
    return learn_weights(criterion, graphs, equal, expansion, targets, weight, **options)


def learn_classes(estimator, training):
    """What tells classes in domains not seen in fit: a head and their shares; or None."""
    if not aligns_by_classes(estimator, training):
        return None
    classes, rows = training.strata, training.rows
    shares = np.bincount(classes[rows], training.weight, training.n_classes)
    head = learn_head(estimator._fused, class_weights_of(training, estimator.landmarks_))
    return [head, shares / shares.sum()]


def map_landmarks(fused, n_components, graph=None):
    """Nyström map of the landmarks' fused graph, with a warning if that is no kernel."""
    graph = fused(fused.references, fused.marks) if graph is None else graph
    projection, negative = embedding_map(graph, n_components)
    if negative > 1e-3:
        warnings.warn(
            f"The fused graph is not positive semi-definite: {negative:.1%} of its "
            "spectrum is negative and was dropped from the embedding.",
            UserWarning,
            stacklevel=stack_level(),
        )
    return projection


def _train(estimator, training, encoded, marks, targets, weight, start):
    """Train weights by gradients, from those of the closed form and at their scale."""
    from ..nn import relate_on, resolve_device
    from ..nn.fusion_fit import fit_fusion

    fused, expansion = estimator._fused, estimator._fused.expansion
    device = resolve_device(estimator.device)
    relations, equal = fused.expanded(encoded, marks, relate_on(device, fused, encoded))
    present = [
        None if part.present is None or fused.hops else expansion.present(part.present)
        for part in (encoded, fused.references)
    ]
    return fit_fusion(
        relations,
        expansion.terms(),
        targets,
        start,
        sample_weight=weight,
        classes=training.n_classes > 0,
        nonnegative=estimator.nonnegative,
        separable=expansion.separable,
        zeroth=equal if expansion.separable else None,
        present=present[0],
        reference_present=present[1],
        max_iter=estimator.max_iter,
        tol=estimator.tol,
        batch_size=estimator.batch_size,
        device=device,
        random_state=estimator.random_state,
    )
