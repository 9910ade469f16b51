"""How far domains can still be told apart after the fusion."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from .._labels import check_domains
from .._random import random_generator
from .._threads import single_threaded_blas
from ._model import check_not_empty, n_samples, split_pipeline
from ._results import DomainShift

__all__ = ["domain_shift"]


def domain_shift(estimator, X, sample_domain, *, of="embedding", cv=5, random_state=None):
    """How well a small classifier tells the domains of rows apart after the fusion.

    The area under the ROC curve of a logistic regression from the fused features to the domain,
    on held-out rows: 0.5 where the fusion hides the domain, 1 where it gives the domain away.

    Parameters
    ----------
    estimator : LEGOFusionTransformer, or Pipeline with one
        Fitted.
    X : array-like, frame or sparse of shape (n_samples, n_features)
        Rows of several domains, with a domain column if fit was given one. Where classes are not
        equally frequent in the domains, rows of one class tell more: else the classes themselves
        give the domain away.
    sample_domain : array-like of shape (n_samples,)
        Domain of each row. Passed on to an estimator that was fitted with ``sample_domain``.
    of : {"embedding", "graph"}, default="embedding"
        What the classifier sees: what `transform` returns, or rows of the fused graph.
    cv : int, default=5
        Number of folds.
    random_state : int, RandomState or None, default=None
        Shuffles the folds.

    Returns
    -------
    DomainShift
        The area under the curve, and that of each domain against the others.

    Raises
    ------
    ValueError, TypeError
        If X is empty, there are not two domains of `cv` rows, lengths differ, domains are missing
        or of several types, `of` is unknown, or there is no fusion transformer.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.inspection import domain_shift
    >>> X, y = load_wine(return_X_y=True)
    >>> site = np.random.default_rng(0).integers(2, size=len(y))
    >>> X = X + 2 * X.std(axis=0) * site[:, None]
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> untold = LEGOFusionTransformer(views).fit(X, y)
    >>> told = LEGOFusionTransformer(views, domain_alignment=1, domain_coupling=1)
    >>> told = told.fit(X, y, sample_domain=site)
    >>> bool(domain_shift(untold, X, site).auc > 0.95 > domain_shift(told, X, site).auc)
    True
    """
    if of not in ("embedding", "graph"):
        raise ValueError(f"of must be 'embedding' or 'graph'; got {of!r}.")
    if not isinstance(cv, int | np.integer) or cv < 2:
        raise ValueError(f"cv must be a number of folds, at least 2; got {cv!r}.")
    check_not_empty(X)
    model, X, _ = split_pipeline(estimator, X)
    labels, codes = _read(sample_domain, X, cv)
    options = {"sample_domain": sample_domain} if _takes_domains(model) else {}
    with single_threaded_blas():
        rows = (model.transform if of == "embedding" else model.fused_graph)(X, **options)
        rows = np.asarray(rows, dtype=float)
        rows = rows - rows.mean(axis=0)
        rows /= np.sqrt((rows**2).sum(axis=1).mean()) or 1.0  # small columns stay small
        classifier = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
        folds = StratifiedKFold(cv, shuffle=True, random_state=random_generator(random_state))
        found = cross_val_predict(classifier, rows, codes, cv=folds, method="predict_proba")
    each = [float(roc_auc_score(codes == k, found[:, k])) for k in range(len(labels))]
    return DomainShift(float(np.mean(each)), labels, dict(zip(labels, each, strict=True)))


def _read(sample_domain, X, cv):
    """Labels of the domains and the number of each row's."""
    n_rows = n_samples(X)
    domains = check_domains(sample_domain, n_rows)
    labels, codes, counts = np.unique(domains, return_inverse=True, return_counts=True)
    if len(labels) < 2:
        raise ValueError("needs at least two domains to tell apart; sample_domain holds one.")
    if counts.min() < cv:
        raise ValueError(
            f"domain {labels[counts.argmin()]!r} has {counts.min()} row(s), fewer rows than "
            f"cv={cv} folds: give more of its rows, or lower cv."
        )
    return labels.tolist(), codes


def _takes_domains(model):
    """Whether fit was given ``sample_domain``, other than by a domain column."""
    return bool(model.domains_) and model.domain_column is None
