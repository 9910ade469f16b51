"""Nets as members of the classifier: made, trained, trained on."""

import warnings
from numbers import Integral

import numpy as np

from .._compat import stack_level
from ._linear import fit_linear
from ._net import NetMember, choose_reference, hold_out
from ._prepare import draw_references, make_fusion

_LARGEST_SEED = np.iinfo(np.int32).max
_MADE_OF = (
    *("views", "relation", "degree", "interactions", "expansion", "zeroth", "reference"),
    *("time_view", "n_references", "n_units", "hidden_units", "n_ensemble", "pos_label"),
)


def made_of(estimator):
    """Parameters that decide what nets are: training that goes on cannot change them."""
    return {name: getattr(estimator, name) for name in _MADE_OF}


def warn_changed(estimator, before):
    """Warn of parameters that were changed since nets were made."""
    changed = [name for name, value in before.items() if _differs(getattr(estimator, name), value)]
    if changed:
        warnings.warn(
            f"Training goes on with the net as it was made: changes of {', '.join(changed)} have "
            "no effect. Fit with warm_start=False to make a new one.",
            UserWarning,
            stacklevel=stack_level(),
        )


def warn_lost(estimator):
    """Warn where a net begins anew after a fit of linear heads, which it cannot go on from."""
    if hasattr(estimator, "weights_"):
        warnings.warn(
            "partial_fit makes a new net, and what fit learned by linear heads is lost. To go on "
            "from a fit, fit with head='net'.",
            UserWarning,
            stacklevel=stack_level(),
        )


def _differs(one, other):
    """Whether parameters differ, those that hold arrays too."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() != other.keys() or any(_differs(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) != len(other) or any(map(_differs, one, other))
    try:
        return one is not other and bool(one != other)
    except ValueError:  # columns by an array
        return not np.array_equal(one, other)


def net_settings(estimator):
    """What of the estimator's parameters is a setting of the net."""
    top_k = estimator.top_k
    return {
        "hidden_units": None if estimator.hidden_units is None else int(estimator.hidden_units),
        "top_k": int(top_k) if isinstance(top_k, Integral) else float(top_k),
        "pair_sampling": bool(estimator.pair_sampling),
        "degree_variance": float(estimator.degree_variance),
        "degree_threshold": float(estimator.degree_threshold),
        "degree_top_k": int(estimator.degree_top_k),
        "max_epochs": int(estimator.max_epochs),
        "batch_size": int(estimator.batch_size),
        "lr": float(estimator.lr),
        "weight_decay": float(estimator.weight_decay),
    }


def net_options(estimator):
    """What else training takes."""
    callbacks = estimator.callbacks
    return {
        "settings": net_settings(estimator),
        "callbacks": None if callbacks is None else list(callbacks),
        "verbose": max(0, int(estimator.verbose) - 1),
    }


def make_nets(estimator, bags, canonical, prepared, weight, rng):
    """Nets on references of their own, not trained yet.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
    bags : Packed
    canonical : Canonical
    prepared : Prepared
    weight : ndarray of shape (n_bags,) or None
        None does not try references.
    rng : RandomState

    Returns
    -------
    members : list of NetMember
    losses : dict of str to float
        Held-out log-loss by reference, where that was chosen by it.
    """

    def make(reference, chosen):
        chosen = chosen if estimator.pooling == "both" else chosen[:1] * 2
        fusion, ids = make_fusion(prepared, canonical, bags, chosen, reference != "landmarks")
        n_units, device = int(estimator.n_units), estimator.device
        return NetMember(fusion, reference, n_units, device, ids[:1], bags.units[chosen[0]])

    drawn = [
        draw_references(prepared, canonical, estimator.n_references, rng)
        for _ in range(estimator.n_ensemble)
    ]
    reference, losses = estimator.reference, {}
    alone = not canonical.several_units
    if reference == "bag" and alone:
        raise ValueError(
            "reference='bag' relates the units of a bag to one another, but each of these bags has "
            "one unit: use reference='landmarks'."
        )
    if reference == "auto" and (alone or weight is None):
        reference = "landmarks"
    elif reference == "auto":
        options = net_options(estimator) | {"callbacks": None, "verbose": 0}
        reference, losses = choose_reference(
            lambda name: make(name, drawn[0]),
            bags.units[canonical.rows],
            canonical.offsets,
            canonical.labels,
            weight,
            seed=rng.randint(_LARGEST_SEED),
            **options,
        )
    return [make(reference, chosen) for chosen in drawn], losses


def train_nets(estimator, members, units, canonical, weight, rng, epochs=None, step=None):
    """Train members, from where they stand.

    Parameters
    ----------
    estimator : LEGOAnomalyClassifier
    members : list of NetMember
    units : Units
        Of canonical bags.
    canonical : Canonical
    weight : ndarray of shape (n_bags,)
    rng : RandomState
    epochs : int, optional
        By default as many as the estimator says.
    step : callable, optional
        Called with the name of each epoch that is done.
    """
    for member in members:
        seed, valid = rng.randint(_LARGEST_SEED), None
        if estimator.early_stopping:
            valid = hold_out(canonical.labels, estimator.validation_fraction, seed)
        member.train(
            units,
            canonical.offsets,
            canonical.labels,
            weight,
            valid=valid,
            epochs=epochs,
            step=step,
            random_state=seed,
            **net_options(estimator),
        )


def pooled_beside(estimator, members, units, canonical, weight, rng):
    """Linear heads on pooled relations beside nets, on the same references.

    Returns
    -------
    members : list of LinearMember
    trials : list of Trial
    """
    pairs = [
        fit_linear(
            member.fusion,
            member.places,
            units,
            canonical,
            weight,
            pooling="relations",
            top_k=1,
            reference="landmarks",
            seed=rng.randint(_LARGEST_SEED),
        )
        for member in members
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
