"""Scores of units in time, and what a score is made of."""

import numpy as np

from ..inspection._model import holds_bags, split_classifier
from ..inspection._one import explain_one
from ._style import COLOURS, MARKERS, new_axes, short, wide_enough

__all__ = ["ExplanationDisplay", "UnitScoresDisplay"]


class UnitScoresDisplay:
    """Timeline of the unit scores of a bag, over the truth.

    Parameters
    ----------
    scores : array-like of shape (n_units,)
        Score of each unit.
    truth : array-like of shape (n_units,), optional
        True (or 1) where a unit is anomalous.
    positions : array-like of shape (n_units,), optional
        Where units stand in time; by default 0, 1, 2, ...

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    line_ : Line2D
    spans_ : list of Polygon
        One for each run of anomalous units.

    Examples
    --------
    >>> from legofuse import LEGOAnomalyClassifier
    >>> from legofuse.datasets import make_digit_bags
    >>> from legofuse.plotting import UnitScoresDisplay
    >>> data = make_digit_bags(n_bags=40, units_per_bag=5, random_state=0)
    >>> views = {name: data.views[name] for name in ("pixels", "gradients")}
    >>> model = LEGOAnomalyClassifier(views, n_references=40, random_state=0)
    >>> model = model.fit(data.bags[:30], data.y[:30])
    >>> display = UnitScoresDisplay.from_estimator(model, data.bags[30], data.unit_y[30])
    >>> display.ax_.get_ylabel()
    'unit score'
    """

    def __init__(self, scores, truth=None, positions=None):
        self.scores = np.asarray(scores, dtype=float)
        self.truth = None if truth is None else np.asarray(truth).astype(bool)
        self.positions = np.arange(len(self.scores)) if positions is None else np.asarray(positions)
        for name, values in (("truth", self.truth), ("positions", self.positions)):
            if values is not None and values.shape != self.scores.shape:
                raise ValueError(
                    f"{name} must have one value for each of {len(self.scores)} units; got shape "
                    f"{values.shape}."
                )

    @classmethod
    def from_estimator(
        cls, estimator, bag, truth=None, *, positions=None, sample_domain=None, ax=None
    ):
        """Score the units of one bag and draw them.

        Parameters
        ----------
        estimator : LEGOAnomalyClassifier, or Pipeline with one
            Fitted.
        bag : array-like or frame of shape (n_units, n_features)
            Units of one bag.
        truth : array-like of shape (n_units,), optional
            Which units are anomalous.
        positions : array-like of shape (n_units,), optional
            Place of each unit.
        sample_domain : object, optional
            The domain of the bag, as it is or as a sequence of one.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        UnitScoresDisplay
            The display.

        Raises
        ------
        TypeError
            If `bag` is a list of bags, or the estimator does not score units.
        ValueError
            If there are several domains, or `truth` or `positions` are of another length.
        """
        if holds_bags(bag):
            raise TypeError(
                f"UnitScoresDisplay draws the units of one bag, (n_units, n_features); got a "
                f"sequence of {len(bag)} bags: give one of them, such as bags[0]."
            )
        options = {} if sample_domain is None else {"sample_domain": _one_domain(sample_domain)}
        model, bags = split_classifier(estimator, [bag])
        if not hasattr(model, "score_units"):
            raise TypeError(
                "UnitScoresDisplay needs a fitted LEGOAnomalyClassifier or a Pipeline that ends "
                f"with one; got {type(estimator).__name__}."
            )
        (scores,) = model.score_units(bags, **options)
        return cls(scores, truth, positions).plot(ax=ax)

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
        self.ax_, self.figure_ = new_axes(ax, (7.0, 2.6))
        order = np.argsort(self.positions, kind="stable")
        places, scores = self.positions[order], self.scores[order]
        few = len(places) <= 60
        (self.line_,) = self.ax_.plot(
            places, scores, color=COLOURS[0], marker=MARKERS[0] if few else None, label="score"
        )
        self.spans_: list = []
        if self.truth is not None:
            for start, end in _runs(places, self.truth[order]):
                span = self.ax_.axvspan(
                    start,
                    end,
                    facecolor=COLOURS[1],
                    alpha=0.35,
                    hatch="//",
                    edgecolor="k",
                    linewidth=0,
                    zorder=0,
                    label=None if self.spans_ else "truly anomalous",
                )
                self.spans_.append(span)
        self.ax_.set(ylim=(-0.03, 1.03), xlabel="unit", ylabel="unit score")
        self.ax_.margins(x=0.02)
        if len(places) == 1:
            self.ax_.set(xticks=places, xlim=(places[0] - 1, places[0] + 1))
        elif np.issubdtype(places.dtype, np.integer):
            self.ax_.xaxis.get_major_locator().set_params(integer=True)
        if self.truth is not None:
            above = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "ncols": 2}
            self.ax_.legend(**above, frameon=False)  # above the curve, never over it
        return self


def _one_domain(sample_domain):
    """The domain of one bag, as the classifier takes it."""
    given = np.asarray(sample_domain)
    if given.size != 1:
        raise ValueError(
            f"sample_domain must be the domain of the one bag that is drawn; got {given.size} "
            "values: give that of the bag, such as sample_domain[0] for bags[0]."
        )
    return given.reshape(1)


def _runs(places, truth):
    """Where each run of true units begins and ends, half a step beyond them to either side."""
    if len(places) == 1:
        edges = np.array([places[0] - 0.5, places[0] + 0.5])
    else:
        middles = (places[1:] + places[:-1]) / 2
        edges = np.r_[2 * places[0] - middles[0], middles, 2 * places[-1] - middles[-1]]
    steps = np.diff(np.r_[0, truth.astype(int), 0])
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(edges[a], edges[b]) for a, b in zip(starts, ends, strict=True)]


class ExplanationDisplay:
    """Bars of the parts that a score is the sum of.

    Parameters
    ----------
    names : list of str
        Of the parts, the base first.
    parts : ndarray of shape (n_parts,)
        Parts of the score.
    score : float
        Their sum.
    target : object, optional
        Class, or column of y, that the score is for.
    score_name : str, default="score"
        What the score is, for the axis.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    bars_ : BarContainer

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.plotting import ExplanationDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> pipe = make_pipeline(LEGOFusionTransformer(views), RidgeClassifier()).fit(X, y)
    >>> display = ExplanationDisplay.from_estimator(pipe, X[:3], row=1)
    >>> display.names
    ['base', 'minerals', 'phenols', 'colour']
    """

    def __init__(self, names, parts, score, target=None, score_name="score"):
        self.names, self.parts, self.score = list(names), np.asarray(parts, float), float(score)
        self.target, self.score_name = target, score_name

    @classmethod
    def from_estimator(cls, estimator, X, row=0, *, by="view", n_landmarks=8, ax=None, **options):
        """Take predictions, or scores of units, apart and draw what one of them is made of.

        Parameters
        ----------
        estimator : Pipeline, LEGOFusionTransformer or LEGOAnomalyClassifier
            Fitted, as :func:`legofuse.inspection.explain` takes it.
        X : array-like, frame or sparse of shape (n_samples, n_features), or bags
            What the row is in. That row alone is explained, or the bag of that unit, or the domain
            of that row if it is aligned by its own rows.
        row : int or (int, int), default=0
            Which of the rows, by its place. Of bags, which of the units: a pair ``(bag, unit)``,
            or one number that counts the units of all bags in X.
        by : {"view", "landmark"}, default="view"
            Of landmarks those with the largest positive parts are drawn, then those with the
            largest negative ones, and all others as one bar. Its label says in brackets what of
            it is positive and what negative, which is often much more than is left.
        n_landmarks : int, default=8
            Number of landmarks drawn, half of them of either sign where there are so many.
        ax : Axes, optional
            Where to draw; a new figure by default.
        **options
            Of :func:`legofuse.inspection.explain`.

        Returns
        -------
        ExplanationDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If `by` is unknown, the model cannot be taken apart so, or `row` is no place.
        IndexError
            If there is no such row, bag or unit.

        See Also
        --------
        from_explanation : Draws several rows of one explanation.
        """
        found, row = explain_one(estimator, X, row, **options)
        return cls.from_explanation(found, row, by=by, n_landmarks=n_landmarks, ax=ax)

    @classmethod
    def from_explanation(cls, found, row=0, *, by="view", n_landmarks=8, ax=None):
        """Draw what one row's score is made of.

        Parameters
        ----------
        found : Explanation
            Of :func:`legofuse.inspection.explain`.
        row : int or (int, int), default=0
            Which of the explained rows, by its place, or, of units, ``(bag, unit)``.
        by : {"view", "landmark"}, default="view"
            Of landmarks those with the largest positive parts are drawn, then those with the
            largest negative ones, and all others as one bar. Its label says in brackets what of
            it is positive and what negative, which is often much more than is left.
        n_landmarks : int, default=8
            Number of landmarks drawn, half of them of either sign where there are so many.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        ExplanationDisplay
            The display.

        Raises
        ------
        ValueError
            If `by` is unknown, or the scores are no sums over landmarks.
        TypeError, IndexError
            If `row` is no place, or there is no such row, bag or unit.
        """
        row = found.place_of(row)
        if by == "view":
            names, parts = list(found.views), found.view_parts[row]
        elif by != "landmark":
            raise ValueError(f"by must be 'view' or 'landmark'; got {by!r}.")
        elif found.parts is None:
            raise ValueError("these scores are no sums over landmarks: use by='view'.")
        else:
            every = found.landmark_parts[row]
            top, rest = _largest(every, n_landmarks)
            names = [_landmark_name(found.landmarks[k]) for k in top]
            parts = every[top]
            if len(rest):
                names.append(_others(every[rest]))
                parts = np.append(parts, every[rest].sum())
        parts = np.r_[found.base[row], parts]
        of = found.target_of(row), found.score_name
        return cls(["base", *names], parts, found.scores[row], *of).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw, each bar from where the one above it ends.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        self
            The display.
        """
        n, names = len(self.parts), [short(name) for name in self.names]
        self.ax_, self.figure_ = new_axes(ax, (wide_enough(names), 1.3 + 0.32 * (n + 1)))
        ends = np.cumsum(self.parts)
        starts = ends - self.parts
        up, down = COLOURS[1], COLOURS[5]
        self.bars_ = self.ax_.barh(
            range(n),
            self.parts,
            left=starts,
            color=[up if part >= 0 else down for part in self.parts],
            hatch=["" if part >= 0 else "//" for part in self.parts],
            edgecolor="k",
            linewidth=0.6,
        )
        low, high = min(starts.min(), ends.min(), 0), max(starts.max(), ends.max(), 0)
        room = (high - low) or 1.0
        self.ax_.axvline(self.score, color="k", linestyle="--", linewidth=1)
        style = {"va": "center", "ha": "left", "fontsize": "small"}
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # over the dashed line
        for k, part in enumerate(self.parts):
            tip = max(starts[k], ends[k]) + 0.012 * room
            self.ax_.text(tip, k, _rounded(part, room, "+"), bbox=box, **style)
        self.ax_.set_xlim(low - 0.03 * room, high + 0.18 * room)
        self.ax_.set_yticks(range(n), names)
        self.ax_.invert_yaxis()
        of = "" if self.target is None else f" of target {short(self.target)}"
        self.ax_.set(
            xlabel=f"{self.score_name}{of} (dashed: {_rounded(self.score, room)})", ylabel="part"
        )
        return self


def _largest(parts, n):
    """Places of the largest positive parts and of the largest negative ones, and of the rest."""
    order = np.argsort(-parts, kind="stable")
    n_negative = int((parts < 0).sum())
    n = min(max(n, 0), len(parts))
    below = min(max(n // 2, n - (len(parts) - n_negative)), n_negative)
    above = n - below
    lowest = order[::-1][:below]
    return np.r_[order[:above], lowest], order[above : len(parts) - below]


def _others(parts):
    """How many parts are drawn as one, and what of them is positive and what negative."""
    sums = parts[parts > 0].sum(), parts[parts < 0].sum()
    texts = [f"{v:+.0f}" if 100 <= abs(v) < 1e6 else f"{v:+.3g}" for v in sums]
    return (
        f"{len(parts)} other" + "s" * (len(parts) > 1) + f" ({', '.join(texts)})" * bool(all(sums))
    )


def _rounded(value, room, sign="-"):
    """A number with as many digits as tell bars apart on axes of some length; none is -0."""
    if room < 1e-5 or room >= 1e6:
        return f"{value:{sign}.2g}"
    digits = max(2 - int(np.floor(np.log10(room))), 0) if room < 1 else 2
    return f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def _landmark_name(landmark):
    name = f"row {landmark}" if np.ndim(landmark) == 0 else "bag {}, unit {}".format(*landmark)
    return f"training {name}"
