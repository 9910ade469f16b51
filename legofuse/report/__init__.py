"""One HTML page that tells what an estimator learned: numbers, figures, no script, no network.

This package may import legofuse.inspection, legofuse.plotting and legofuse._threads.
"""

from .._threads import single_threaded_blas
from ..inspection._model import split_classifier
from ..plotting._style import pyplot
from ..plotting._weights import fusion_of
from ._bags import bag_sections
from ._check import check_path
from ._html import page
from ._tables import table_sections

__all__ = ["write"]


def write(
    estimator,
    X,
    y=None,
    path="report.html",
    *,
    title=None,
    unit_y=None,
    sample_weight=None,
    sample_domain=None,
    max_samples=300,
    random_state=0,
):
    """Write a report of a fitted estimator as one self-contained HTML page.

    Numbers and figures are computed on the data given here: take rows (or bags) that were not
    used to fit where scores should tell of new ones. Nothing is fitted: weights stay as they are.
    What cannot be shown of this kind of model, the page says. Figures need matplotlib
    (``legofuse[plot]``).

    Parameters
    ----------
    estimator : LEGOFusionTransformer, LEGOAnomalyClassifier, Pipeline with one, or search
        Fitted. Of a search, such as :class:`~sklearn.model_selection.GridSearchCV` over one of
        these, the best estimator is reported on, scored as the search scores.
    X : array-like, frame or sparse of shape (n_samples, n_features), or bags
        What the report is computed on.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
        Targets; what needs them is left out without. By several targets rows are neither ordered
        nor coloured.
    path : str or path-like, default="report.html"
        Written over if it is there.
    title : str, optional
        Heading of the page.
    unit_y : sequence of arrays of shape (n_units_i,), optional
        Truth of the units of each bag, drawn under their scores.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows (or bags) in scores: leave-one-out scores, those that views permuted or
        missing lower, the area under the curve of bags. Shares, intervals and figures of rows count
        each row once.
    sample_domain : array-like of shape (n_samples,), optional
        Needed if fit was given it.
    max_samples : int, default=300
        Rows that graphs are computed on, drawn at random where there are more: beside drawing,
        which takes seconds, cost is cubic in them, for each term.
    random_state : int, RandomState or None, default=0
        Draws rows, permutations and bootstrap samples.

    Returns
    -------
    pathlib.Path
        Of the page.

    Raises
    ------
    ValueError
        If X, y, `unit_y`, `sample_weight` or `sample_domain` do not fit the estimator or one
        another: other columns than in fit, another length, missing targets, negative weights; or
        `max_samples` is below 3. As with all errors here, it is told before parts of the page are
        computed, and nothing is written.
    TypeError
        If the estimator is none of these, or arguments come in another order.
    ImportError
        If matplotlib is not installed.
    OSError
        If there is no such folder, or the path cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOFusionTransformer, report
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> fusion = LEGOFusionTransformer(views, relation="rbf")
    >>> pipe = make_pipeline(fusion, RidgeClassifier()).fit(X[::2], y[::2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = report.write(pipe, X[1::2], y[1::2], f"{folder}/wine.html")
    ...     path.read_text(encoding="utf-8").count("<figure>") > 5
    True
    """
    pyplot()  # says at once if there is none
    path = check_path(X, y, path)
    inside = getattr(estimator, "best_estimator_", estimator)
    bags = hasattr(split_classifier(inside)[0], "score_units")
    sections = bag_sections if bags else table_sections
    options = {"sample_domain": sample_domain, "random_state": random_state}
    options["sample_weight"] = sample_weight
    options |= {"unit_y": unit_y} if bags else {"max_samples": max_samples}
    if title is None:
        title = f"What {type(fusion_of(inside)).__name__} learned"
    with single_threaded_blas():
        text = page(title, sections(estimator, X, y, **options))
    path.write_text(text, encoding="utf-8")
    return path
