"""Weights of the terms and importances of the views."""

import numpy as np

from ..inspection import view_importances
from ..inspection._model import read_terms, split_classifier, split_pipeline
from ._style import COLOURS, MAP, new_axes, short, wide_enough

__all__ = ["ImportancesDisplay", "WeightsDisplay"]


class WeightsDisplay:
    """Learned weights: a heat map for two views, or bars of the largest terms.

    Bars are as long as the weight is relative to the sum of all weights. That is no share of the
    fused graph, in which terms whose graphs differ more between rows count for more.

    Parameters
    ----------
    terms : list of str
        Names of the terms.
    weights : ndarray of shape (n_terms,)
        Weight of each term.
    pair : (str, str), optional
        Two views.
    grid : ndarray of shape (degree + 1, degree + 1), optional
        Sum of the weights of the terms with a power p of the first view and q of the second and
        no other view; NaN where there is no such term.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    bars_ : BarContainer or None
    im_ : AxesImage or None

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.plotting import WeightsDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> model = LEGOFusionTransformer(views, relation="rbf").fit(X, y)
    >>> bars = WeightsDisplay.from_estimator(model)
    >>> heat_map = WeightsDisplay.from_estimator(model, pair=("phenols", "colour"))
    >>> heat_map.grid.shape
    (3, 3)
    """

    def __init__(self, terms, weights, pair=None, grid=None):
        self.terms, self.weights, self.pair, self.grid = terms, weights, pair, grid

    @classmethod
    def from_estimator(cls, estimator, *, pair=None, n_terms=12, ax=None):
        """Draw the weights of a fitted estimator.

        Parameters
        ----------
        estimator : LEGOFusionTransformer, LEGOAnomalyClassifier, or Pipeline with one
            A fitted estimator.
        pair : (str, str), optional
            Two views whose weights are drawn as a heat map. By default that is done where there
            are two graphs and no more, with terms above degree 1; else bars are drawn.
        n_terms : int, default=12
            Most bars.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        WeightsDisplay
            The display.

        Raises
        ------
        ValueError
            If a view of the pair is unknown.
        """
        found = read_terms(fusion_of(estimator))
        pair = default_pair(found) if pair is None else pair
        grid = None
        if pair is not None:
            unknown = [view for view in pair if view not in found.views]
            if unknown or len(set(pair)) != 2:
                raise ValueError(f"pair must name two of the views {found.views}; got {pair!r}.")
            grid = _grid(found, pair)
        return cls(found.terms, found.weights, pair, grid).plot(n_terms=n_terms, ax=ax)

    def plot(self, *, n_terms=12, ax=None):
        """Draw.

        Parameters
        ----------
        n_terms : int, default=12
            Most bars.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        self
            The display.
        """
        self.bars_ = self.im_ = None
        if self.grid is None:
            self._bars(n_terms, ax)
        else:
            self._heat_map(ax)
        return self

    def _bars(self, n_terms, ax):
        size = np.abs(self.weights)
        top = np.argsort(-size, kind="stable")[:n_terms][::-1]
        names = [short(self.terms[k], 56) for k in top]
        self.ax_, self.figure_ = new_axes(ax, (wide_enough(names), 1.2 + 0.28 * len(top)))
        relative = self.weights[top] / (size.sum() or 1.0)
        self.bars_ = self.ax_.barh(range(len(top)), relative, color=COLOURS[0])
        self.ax_.set_yticks(range(len(top)), names)
        self.ax_.set_xlabel(f"relative weight ({len(top)} of {len(size)} terms)")
        self.ax_.set_ylabel("term")

    def _heat_map(self, ax):
        self.ax_, self.figure_ = new_axes(ax, (5.0, 4.2))
        values = np.ma.masked_invalid(self.grid)
        largest = float(np.abs(values).max()) or 1.0
        lowest = -largest if values.min() < 0 else 0.0
        self.im_ = self.ax_.imshow(values, cmap=MAP, origin="lower", vmin=lowest, vmax=largest)
        self.ax_.set_facecolor("white")
        for (p, q), value in np.ndenumerate(self.grid):
            if np.isfinite(value):
                dark = self.im_.norm(value) < 0.55
                text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"
                colour = "w" if dark else "k"
                self.ax_.text(q, p, text, ha="center", va="center", color=colour)
        first, second = (short(view) for view in self.pair)
        steps = range(len(self.grid))
        self.ax_.set(xlabel=f"power of {second}", ylabel=f"power of {first}")
        self.ax_.set(xticks=steps, yticks=steps)
        self.figure_.colorbar(self.im_, ax=self.ax_, label="weight")


def _powers(found, pair):
    """Which terms are of two views alone, and their powers of these, (n_terms, 2)."""
    by_view = (found.powers @ found.membership).astype(int)
    inside = [found.views.index(view) for view in pair]
    alone = np.delete(by_view, inside, axis=1).sum(axis=1) == 0
    return alone, by_view[alone][:, inside]


def default_pair(found):
    """Two views whose weights are drawn as a heat map if nothing else is asked for, or None."""
    pair = tuple(found.views)
    return pair if len(found.owners) == len(pair) == 2 and is_map(found, pair) else None


def is_map(found, pair):
    """Whether a heat map of two views tells more than bars: there are terms above degree 1."""
    return bool((_powers(found, pair)[1].sum(axis=1) > 1).any())


def _grid(found, pair):
    """Sum of weights by the powers of two views."""
    alone, powers = _powers(found, pair)
    grid = np.full((powers.max() + 1, powers.max() + 1), np.nan)
    for (p, q), weight in zip(powers, found.weights[alone], strict=True):
        grid[p, q] = weight if np.isnan(grid[p, q]) else grid[p, q] + weight
    return grid


def fusion_of(estimator):
    """The fitted object that holds weights: a classifier of bags, or the transformer within."""
    inside, _ = split_classifier(estimator)
    return inside if hasattr(inside, "score_units") else split_pipeline(inside)[0]


class ImportancesDisplay:
    """Bars with intervals, one for each view.

    Parameters
    ----------
    names : list of str
        What the bars are of.
    values : ndarray of shape (n_names,)
        Length of each bar.
    low, high : ndarray of shape (n_names,), optional
        Ends of the intervals.
    label : str
        What the values are.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    bars_ : BarContainer

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.plotting import ImportancesDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> model = LEGOFusionTransformer(views, relation="rbf").fit(X, y)
    >>> display = ImportancesDisplay.from_estimator(model, X)
    >>> display.ax_.get_xlabel()
    'share of the fused graph'
    """

    def __init__(self, names, values, low=None, high=None, label="importance"):
        self.names, self.values, self.label = list(names), np.asarray(values, float), label
        self.low, self.high = low, high

    @classmethod
    def from_estimator(cls, estimator, X=None, y=None, *, ax=None, **options):
        """Draw the importances of a fitted estimator's views.

        Parameters
        ----------
        estimator : LEGOFusionTransformer, LEGOAnomalyClassifier, or Pipeline with one
            A fitted estimator.
        X : array-like, frame or sparse, optional
            Rows that bootstrap intervals are taken on; without it there are none.
        y : array-like, optional
            With it the estimator is fitted anew on every bootstrap sample: that takes as long as
            `n_bootstrap` fits, 100 by default, often minutes. It is silent unless the estimator's
            ``verbose`` is set (of a step by ``pipe.set_params``, also once fitted).
        ax : Axes, optional
            Where to draw; a new figure by default.
        **options
            Of :func:`legofuse.inspection.view_importances`, such as a smaller ``n_bootstrap``.

        Returns
        -------
        ImportancesDisplay
            The display.
        """
        label = "share of the fused graph"
        if X is None:
            found = fusion_of(estimator).view_importances_
            return cls(list(found), list(found.values()), label=label).plot(ax=ax)
        found = view_importances(estimator, X, y, **options)
        return cls(found.views, found.importances, found.low, found.high, label).plot(ax=ax)

    @classmethod
    def from_permutation(cls, found, *, ax=None):
        """Draw what :func:`legofuse.inspection.permutation_importance` returned.

        Parameters
        ----------
        found : PermutationImportance
            What :func:`~legofuse.inspection.permutation_importance` returned.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ImportancesDisplay
            Intervals are a standard deviation over repetitions to either side.
        """
        low, high = (found.importances_mean + s * found.importances_std for s in (-1, 1))
        label = f"fall of the {found.score_name} when permuted"
        return cls(found.views, found.importances_mean, low, high, label).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        self
            The display.
        """
        names = [short(name) for name in self.names]
        self.ax_, self.figure_ = new_axes(ax, (wide_enough(names), 1.2 + 0.32 * len(names)))
        places, error = np.arange(len(self.names)), None
        if self.low is not None:
            error = np.maximum([self.values - self.low, self.high - self.values], 0)
        style = {"color": COLOURS[5], "edgecolor": "k", "capsize": 3}
        self.bars_ = self.ax_.barh(places, self.values, xerr=error, **style)
        self.ax_.set_yticks(places, names)
        self.ax_.invert_yaxis()
        self.ax_.set(xlabel=self.label, ylabel="view")
        return self
