"""Estimators that are told the domains of the samples they are asked about."""

import copy
from functools import wraps
from inspect import signature

__all__ = ["told_domains"]

_METHODS = (
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
    "score_units",
)


def told_domains(estimator, domains):
    """A copy of a fitted estimator that tells all steps that ask for it the ``sample_domain``.

    Scorers and Pipelines pass none on, or only by metadata routing. Its methods take the samples
    that domains were given for, all of them in their order, and no others.

    Examples
    --------
    >>> import numpy as np
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection._told import told_domains
    >>> X, site = np.random.default_rng(0).normal(size=(30, 4)), np.repeat(["a", "b"], 15)
    >>> model = LEGOFusionTransformer(2, weights="uniform").fit(X, sample_domain=site)
    >>> told = told_domains(model, site)
    >>> bool((told.transform(X) == model.transform(X, sample_domain=site)).all())
    True
    """
    if hasattr(estimator, "best_estimator_"):
        told = copy.copy(estimator)
        told.best_estimator_ = told_domains(estimator.best_estimator_, domains)
    elif getattr(estimator, "steps", None):
        told = copy.copy(estimator)
        told.steps = [(name, told_domains(step, domains)) for name, step in estimator.steps]
    else:
        asking = [name for name in _METHODS if _asks(getattr(estimator, name, None))]
        told = copy.copy(estimator) if asking else estimator
        for name in asking:
            setattr(told, name, _telling(getattr(estimator, name), domains))
    return told


def _asks(method):
    try:
        return "sample_domain" in signature(method).parameters
    except (TypeError, ValueError):  # no method, or one that does not tell
        return False


def _telling(method, domains):
    @wraps(method)  # scorers read its name
    def telling(*given, **options):
        return method(*given, **{"sample_domain": domains} | options)

    return telling
