"""Curves: scores where views are missing, losses while a net is trained."""

import numpy as np

from ..inspection import missing_view_curve
from ..inspection._results import spread
from ..inspection._scored import score_name
from ._style import in_legend, line_style, new_axes, short
from ._weights import fusion_of

__all__ = ["HistoryDisplay", "MissingViewDisplay"]


class MissingViewDisplay:
    """Score against the share of blocks (a row's view) that are missing.

    Parameters
    ----------
    shares : array-like of shape (n_shares,)
        Shares of views removed.
    scores : array-like of shape (n_shares, n_repeats)
        Scores at each share.
    name : str, optional
        Of the estimator, for the legend.
    score_name : str, default="score"
        What the scores are.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    line_ : Line2D
        The means.
    band_ : PolyCollection
        A standard deviation to either side.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import RidgeClassifierCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.plotting import MissingViewDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> pipe = make_pipeline(LEGOFusionTransformer(views), RidgeClassifierCV()).fit(X, y)
    >>> display = MissingViewDisplay.from_estimator(pipe, X, y, n_repeats=2, random_state=0)
    >>> display.ax_.get_xlabel()
    'share of views removed'
    """

    def __init__(self, shares, scores, name=None, score_name="score"):
        self.shares, self.scores = np.asarray(shares, float), np.asarray(scores, float)
        self.name, self.score_name = name, score_name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, name=None, ax=None, **options):
        """Remove views of rows at random, and draw the scores of a fitted estimator.

        Parameters
        ----------
        estimator : object
            Fitted, and able to take rows that miss views.
        X : array, frame or sparse of shape (n_samples, n_features), or bags
            Rows to look at.
        y : array-like of shape (n_samples,)
            Targets.
        name : str, optional
            What the line is of.
        ax : Axes, optional
            Where to draw; a new figure by default.
        **options
            Of :func:`legofuse.inspection.missing_view_curve`, such as ``sample_domain`` where fit
            was given domains.

        Returns
        -------
        MissingViewDisplay
            The display.
        """
        found = missing_view_curve(estimator, X, y, **options)
        label = score_name(estimator, options.get("scoring"))
        return cls(found.shares, found.scores, name, label).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw; into axes that hold such curves already, one more of them.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        self
            The display.
        """
        self.ax_, self.figure_ = new_axes(ax)
        style = line_style(len(self.ax_.get_lines()))
        mean, band = self.scores.mean(axis=1), spread(self.scores)
        label = None if self.name is None else in_legend(self.name)
        (self.line_,) = self.ax_.plot(self.shares, mean, label=label, **style)
        self.band_ = self.ax_.fill_between(
            self.shares, mean - band, mean + band, color=style["color"], alpha=0.2, lw=0
        )
        self.ax_.set_xticks(self.shares)
        self.ax_.set(xlabel="share of views removed", ylabel=self.score_name)
        if self.name is not None:
            self.ax_.legend()
        return self


class HistoryDisplay:
    """Losses of the epochs of a fit by gradients.

    Parameters
    ----------
    history : list of dict
        One for each epoch; numbers whose name ends in ``loss`` are drawn.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    lines_ : list of Line2D

    Examples
    --------
    >>> from legofuse.plotting import HistoryDisplay
    >>> history = [{"epoch": 1, "train_loss": 0.7}, {"epoch": 2, "train_loss": 0.4}]
    >>> [line.get_label() for line in HistoryDisplay(history).plot().lines_]
    ['train loss']
    """

    def __init__(self, history):
        self.history = list(history)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the history of an estimator that was fitted by gradients.

        Parameters
        ----------
        estimator : LEGOFusionTransformer, LEGOAnomalyClassifier, or Pipeline with one
            With ``history_``.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        HistoryDisplay
            The display.

        Raises
        ------
        ValueError
            If there is no history.
        """
        inside = fusion_of(estimator)
        if not getattr(inside, "history_", None):
            setting = "head='net'" if hasattr(inside, "score_units") else "weights='neural'"
            raise ValueError(
                f"this {type(inside).__name__} has no history_: no net was trained in its fit "
                f"({setting} trains one)."
            )
        return cls(inside.history_).plot(ax=ax)

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

        Raises
        ------
        ValueError
            If no loss is in the history.
        """
        names = [name for name in self.history[0] if name.endswith("loss")] if self.history else []
        if not names:
            raise ValueError("history holds no loss of any epoch.")
        self.ax_, self.figure_ = new_axes(ax)
        epochs = [row.get("epoch", k + 1) for k, row in enumerate(self.history)]
        self.lines_ = []
        few = len(epochs) <= 30  # markers of many epochs would hide the line
        for k, name in enumerate(names):
            style = line_style(k) | ({} if few else {"marker": None})
            values = [row.get(name, np.nan) for row in self.history]
            self.lines_ += self.ax_.plot(
                epochs, values, label=short(name.replace("_", " ")), **style
            )
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.set(xlabel="epoch", ylabel="loss")
        if len(names) > 1:
            self.ax_.legend()
        return self
