"""What the functions return: named tuples of arrays, each with a frame where pandas is there."""

from typing import Any, NamedTuple

import numpy as np

from ._model import check_place, check_unit
from ._text import as_text

__all__ = [
    "DomainShift",
    "Explanation",
    "MissingViewCurve",
    "PermutationImportance",
    "TermContributions",
    "ViewAgreement",
    "ViewImportances",
]


def _frame(columns, index=None, name=None):
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_frame() needs pandas (pip install pandas); the fields are plain arrays."
        ) from error
    if isinstance(name, tuple):
        index = pd.MultiIndex.from_arrays(index, names=name)
    found = pd.DataFrame(columns, index=index)
    if not isinstance(name, tuple) and not isinstance(index, pd.Index):  # that is the caller's
        found.index.name = name
    return found


def spread(values):
    """Standard deviation of each row, 0 where all in it are equal: a mean is rounded."""
    return (values - values[:, :1]).std(axis=1)


def _beside(columns, views, parts):
    """Columns, and one for each view, called "<view> (view)" where its name is taken."""
    for view, part in zip(views, parts, strict=True):
        while view in columns:
            view += " (view)"
        columns = columns | {view: part}
    return columns


class TermContributions(NamedTuple):
    """What each term, and each view, gives to the fused graph.

    Attributes
    ----------
    terms : list of str
    weights : ndarray of shape (n_terms,)
    shares : ndarray of shape (n_terms,)
        Share of the sum of the terms' centred norms; they add up to 1.
    loo_lost : ndarray of shape (n_terms,) or None
        Fall of the leave-one-out score without the term; negative where it does harm. None
        without y.
    views : list of str
    view_shares : ndarray of shape (n_views,)
        A term's share is divided among its views by exponent.
    view_loo_lost : ndarray of shape (n_views,) or None
        Fall of the score without all terms of the view; NaN for the only view. Where nothing that
        tells of the targets is left, leave-one-out predictions are worse than the mean of the
        targets and score below 0: more than `loo_score`, even more than 1, is lost then.
    loo_score : float or None
        Share of the targets' variance that leave-one-out predictions of all terms explain (R²).
    """

    terms: Any
    weights: Any
    shares: Any
    loo_lost: Any
    views: Any
    view_shares: Any
    view_loo_lost: Any
    loo_score: Any

    def __repr__(self):
        order = np.argsort(-np.asarray(self.shares), kind="stable")
        terms = {"term": self.terms} | self._columns("terms")
        terms = {k: v if v is None else [v[i] for i in order] for k, v in terms.items()}
        heading = f"TermContributions: {len(self.terms)} terms of {len(self.views)} views"
        if self.loo_score is not None:
            heading += f", leave-one-out score {self.loo_score:.3g}"
        return as_text(heading, terms, {"view": self.views} | self._columns("views"))

    def _columns(self, of):
        if of == "views":
            return {"share": self.view_shares, "loo_lost": self.view_loo_lost}
        return {"weight": self.weights, "share": self.shares, "loo_lost": self.loo_lost}

    def to_frame(self, of="terms"):
        """Return a frame of the terms, largest share first, or of the views.

        Parameters
        ----------
        of : {"terms", "views"}, default="terms"
            What has a row each.

        Returns
        -------
        DataFrame
            Of pandas.

        Raises
        ------
        ValueError
            If `of` is unknown.
        """
        if of not in ("terms", "views"):
            raise ValueError(f"of must be 'terms' or 'views'; got {of!r}.")
        if of == "views":
            return _frame(self._columns(of), self.views, "view")
        found = _frame(self._columns("terms"), self.terms, "term")
        return found.sort_values("share", ascending=False, kind="stable")


class ViewImportances(NamedTuple):
    """Importance of each view with an interval.

    Attributes
    ----------
    views : list of str
    importances : ndarray of shape (n_views,)
        They add up to 1.
    low, high : ndarray of shape (n_views,)
        Ends of the interval.
    samples : ndarray of shape (n_bootstrap, n_views)
    """

    views: Any
    importances: Any
    low: Any
    high: Any
    samples: Any

    def __repr__(self):
        heading = f"ViewImportances: {len(self.samples)} bootstrap samples"
        return as_text(heading, {"view": self.views} | self._columns())

    def _columns(self):
        return {"importance": self.importances, "low": self.low, "high": self.high}

    def to_frame(self):
        """Return a frame with a row for each view.

        Returns
        -------
        DataFrame
            Of pandas.
        """
        return _frame(self._columns(), self.views, "view")


class ViewAgreement(NamedTuple):
    """Cosines between centred graphs, without their diagonals.

    Attributes
    ----------
    names : list of str
        Views, or graphs.
    cosines : ndarray of shape (n_names, n_names)
        1 where two graphs tell the same, about 0 where they have nothing to do with each other; NaN
        where fewer than four rows have both views, or a graph is constant.
    """

    names: Any
    cosines: Any

    def __repr__(self):
        heading = "ViewAgreement: cosines between centred graphs"
        return as_text(heading, _beside({"": self.names}, self.names, self.cosines.T))

    def _columns(self):
        return _beside({}, self.names, self.cosines.T)

    def to_frame(self):
        """Return the matrix as a frame.

        Returns
        -------
        DataFrame
            Of pandas.
        """
        return _frame(self._columns(), self.names)


class DomainShift(NamedTuple):
    """How well domains are told apart after the fusion.

    Attributes
    ----------
    auc : float
        Area under the ROC curve on held-out rows, the mean over domains: 0.5 is chance.
    domains : list
        Their labels.
    by_domain : dict of label to float
        The same for each domain against the others.
    """

    auc: Any
    domains: Any
    by_domain: Any

    def __repr__(self):
        heading = f"DomainShift: mean area under the ROC curve {self.auc:.3g}"
        return as_text(heading, {"domain": self.domains} | self._columns())

    def _columns(self):
        return {"auc": list(self.by_domain.values())}

    def to_frame(self):
        """Return the areas as a frame.

        Returns
        -------
        DataFrame
            Of pandas, a row for each domain.
        """
        return _frame(self._columns(), self.domains)


class PermutationImportance(NamedTuple):
    """Fall of a score when the columns of a view are permuted together.

    Attributes
    ----------
    views : list of str
    importances_mean, importances_std : ndarray of shape (n_views,)
    importances : ndarray of shape (n_views, n_repeats)
    score_name : str
        What the score is: ``"accuracy"``, ``"R²"``, what `scoring` says, or ``"score"``.
    score : float
        With nothing permuted.
    """

    views: Any
    importances_mean: Any
    importances_std: Any
    importances: Any
    score_name: Any
    score: Any

    def __repr__(self):
        heading = f"PermutationImportance: {self.score_name} {self.score:.3g} with nothing permuted"
        return as_text(heading, {"view": self.views} | self._columns())

    def _columns(self):
        return {"mean": self.importances_mean, "std": self.importances_std}

    def to_frame(self):
        """Return a frame with a row for each view.

        Returns
        -------
        DataFrame
            Of pandas.
        """
        return _frame(self._columns(), self.views, "view")


class MissingViewCurve(NamedTuple):
    """Scores where shares of the views are missing.

    Attributes
    ----------
    shares : ndarray of shape (n_shares,)
        Of all blocks (a row's view), removed at random.
    scores : ndarray of shape (n_shares, n_repeats)
    """

    shares: Any
    scores: Any

    def __repr__(self):
        heading = f"MissingViewCurve: scores of {self.scores.shape[1]} repeats"
        return as_text(heading, {"share": self.shares} | self._columns())

    def _columns(self):
        return {"mean": self.scores.mean(axis=1), "std": spread(self.scores)}

    def to_frame(self):
        """Return a frame with a row for each share.

        Returns
        -------
        DataFrame
            Of pandas.
        """
        return _frame(self._columns(), self.shares, "share")


class Explanation(NamedTuple):
    """Parts that add up to scores: ``base + view_parts.sum(axis=1) == scores``.

    Attributes
    ----------
    scores : ndarray of shape (n_rows,)
        What is explained: the decision value or prediction of each row, or the logit of each
        unit's anomaly score.
    base : ndarray of shape (n_rows,)
        The part of the score that is of no view: an intercept, or, of units, what the notes of
        :func:`~legofuse.inspection.explain` say; it may differ from unit to unit.
    views : list of str
    view_parts : ndarray of shape (n_rows, n_views)
    landmarks : ndarray of shape (n_landmarks,) or (n_landmarks, 2), or None
        Training rows that the scores are sums of relations to, by position: 262 is
        ``X.iloc[262]`` of the X that was fitted on, whatever its index. For units of bags, the
        position of the bag and that of the unit in it.
    parts : ndarray of shape (n_rows, n_views, n_landmarks) or None
        What each landmark says through each view. None where scores are no such sums.
    targets : ndarray of shape (n_rows,) or None
        The class, or column of y (by name where y was a frame), whose score is explained; None
        where y has one column of real values.
    offsets : ndarray of shape (n_bags + 1,) or None
        Where each bag begins and ends among the rows, where rows are units of bags.
    bags : ndarray of shape (n_bags,) or None
        Number of each bag in the X that was explained; by default 0, 1, ...
    index : Index or None
        That of the pandas frame that was explained, None for other X and for bags.
    score_name : str
        What `scores` are: ``"decision value"`` of a classifier, ``"prediction"``, ``"logit of the
        unit score"``, or ``"score"`` by given coefficients.
    """

    scores: Any
    base: Any
    views: Any
    view_parts: Any
    landmarks: Any = None
    parts: Any = None
    targets: Any = None
    offsets: Any = None
    bags: Any = None
    index: Any = None
    score_name: Any = "score"

    def __repr__(self):
        n_landmarks = 0 if self.landmarks is None else len(self.landmarks)
        heading = f"Explanation: {self.score_name}, parts by {len(self.views)} views"
        heading += f" and {n_landmarks} landmarks" * (n_landmarks > 0)
        rows = self._units()
        if rows is None:
            rows = {"row": range(len(self.scores))}
        if self.index is not None:
            rows |= {"index": self.index}
        return as_text(heading, self._columns(rows))

    def _columns(self, rows=()):
        """Columns of a row each, views called otherwise than these and those of `rows`."""
        own = {} if self.targets is None else {"target": self.targets}
        score = "score" if self.offsets is None else "logit"
        own = dict(rows) | own | {score: self.scores, "base": self.base}
        return _beside(own, self.views, self.view_parts.T)

    def _numbers(self):
        """Number of each bag."""
        return np.arange(len(self.offsets) - 1) if self.bags is None else np.asarray(self.bags)

    def _units(self):
        """Bag of each row and its place in it, or None where rows are no units."""
        if self.offsets is None:
            return None
        lengths = np.diff(self.offsets)
        places = np.arange(len(self.scores)) - np.repeat(self.offsets[:-1], lengths)
        return {"bag": np.repeat(self._numbers(), lengths), "unit": places}

    def place_of(self, row):
        """Return the place of a row, which of units may be given as bag and unit.

        Parameters
        ----------
        row : int or (int, int)
            Which of the explained rows, or, of units, the pair ``(bag, unit)`` that the frame has.

        Returns
        -------
        int
            The place in `scores`, `base`, `view_parts` and `parts`, from 0.

        Raises
        ------
        TypeError, IndexError
            If `row` is none of these, or there is no such row, bag or unit.
        """
        if self.offsets is None:
            return check_place(row, len(self.scores), "explained rows")
        if isinstance(row, tuple) and len(row) == 2 and self.bags is not None:
            numbers = self._numbers().tolist()
            if row[0] not in numbers:
                raise IndexError(f"bag={row[0]} is not among the explained bags {numbers}.")
            row = numbers.index(row[0]), row[1]
        return check_unit(row, np.diff(self.offsets).tolist(), "explained rows")

    @property
    def landmark_parts(self):
        """Parts by landmark alone, of shape (n_rows, n_landmarks), or None."""
        return None if self.parts is None else self.parts.sum(axis=1)

    def target_of(self, row):
        """Return the class, or column of y, whose score is explained in a row.

        Parameters
        ----------
        row : int or (int, int)
            Which of the explained rows, as :meth:`place_of` takes it.

        Returns
        -------
        label or int, or None
            None where `targets` is None.

        Raises
        ------
        TypeError, IndexError
            If `row` is no int, or there is no such row.
        """
        row = self.place_of(row)
        return None if self.targets is None else self.targets[row]

    def of_bag(self, bag):
        """Return the explanation of the units of one bag.

        Parameters
        ----------
        bag : int
            Index of the bag among those explained here.

        Returns
        -------
        Explanation
            Of its units alone.

        Raises
        ------
        ValueError
            If rows are no units of bags.
        TypeError, IndexError
            If `bag` is no int, or there is no such bag.
        """
        if self.offsets is None:
            raise ValueError("These rows are no units of bags: take rows by their index.")
        bag = check_place(bag, len(self.offsets) - 1, "explained bags", "bag")
        rows = slice(self.offsets[bag], self.offsets[bag + 1])
        cut = {name: getattr(self, name) for name in ("scores", "base", "view_parts", "parts")}
        cut = {name: None if part is None else part[rows] for name, part in cut.items()}
        ends, number = np.array([0, len(self.scores[rows])]), self._numbers()[[bag]]
        return self._replace(**cut, offsets=ends, bags=number)

    def to_frame(self, row=None):
        """Return a frame: rows by views, or (``row``) landmarks by views of one row.

        Rows have the index of the pandas frame that was explained, else 0, 1, ... Units of bags
        have an index of two levels, ``bag`` and ``unit``. Landmarks are told by their positions
        in the training data (of units, ``landmark bag`` and ``landmark unit``), not by an index it
        may have had. `scores` are the column ``score``, or ``logit`` of units, whose scores in
        [0, 1] :meth:`~legofuse.LEGOAnomalyClassifier.score_units` gives. Rows by views have a
        column ``target`` where `targets` is not None. A view that is called as a column of the
        frame, such as ``"score"``, has the column ``"score (view)"``.

        Parameters
        ----------
        row : int or (int, int), optional
            The row whose landmarks are listed, by its place, or, of units, ``(bag, unit)``.

        Returns
        -------
        DataFrame
            Of pandas.

        Raises
        ------
        ValueError
            If `row` is given, and scores are no sums over landmarks.
        TypeError, IndexError
            If `row` is no place, or there is no such row.
        """
        if row is None:
            units = self._units()
            if units is None:
                return _frame(self._columns(), self.index)
            return _frame(self._columns(), list(units.values()), tuple(units))
        if self.parts is None:
            raise ValueError("These scores are no sums over landmarks: use to_frame() by views.")
        row = self.place_of(row)
        total = {"all views": self.parts[row].sum(axis=0)}
        columns = _beside(total, self.views, self.parts[row])
        columns["all views"] = columns.pop("all views")  # the last
        if self.landmarks.ndim == 1:
            found = _frame(columns, self.landmarks, "landmark")
        else:
            found = _frame(columns, list(self.landmarks.T), ("landmark bag", "landmark unit"))
        return found.sort_values("all views", key=np.abs, ascending=False, kind="stable")
