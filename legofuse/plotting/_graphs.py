"""Graphs of rows ordered by class, and the embedding that comes of them."""

import numpy as np
from sklearn.decomposition import PCA

from .._random import random_generator
from ..inspection._model import check_most, split_pipeline, take_rows
from ._style import (
    COLOURS,
    MAP,
    MARKERS,
    few_ticks,
    in_legend,
    new_axes,
    plain_numbers,
    pyplot,
    short,
)

__all__ = ["EmbeddingDisplay", "GraphsDisplay"]

_MOST_REAL = 5
_LONGEST = 16  # letters of a class beside a graph
_MOST_CLASSES = 20  # more different values of y are drawn as a scale
_IN_A_COLUMN = 12  # classes of a legend


class GraphsDisplay:
    """Relation graphs of the views and the fused graph, side by side, rows ordered by y.

    Of many rows a sample is drawn, which the label below each graph says, with the order.

    Parameters
    ----------
    graphs : dict of str to ndarray of shape (n_rows, n_rows)
        One panel each.
    groups : list of (object, int), optional
        Classes in the order of the rows, each with its number of rows.
    label : str, optional
        What the rows are, for the axes.

    Attributes
    ----------
    axes_ : ndarray of Axes
        One for each graph.
    ax_ : Axes
        That of the last graph, the fused one.
    figure_ : Figure
    ims_ : list of AxesImage

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.plotting import GraphsDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> model = LEGOFusionTransformer(views, relation="rbf").fit(X, y)
    >>> display = GraphsDisplay.from_estimator(model, X, y)
    >>> list(display.graphs)
    ['minerals', 'phenols', 'colour', 'fused']
    """

    def __init__(self, graphs, groups=None, label=None):
        self.graphs, self.groups, self.label = graphs, groups, label

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        by="view",
        max_samples=200,
        sample_domain=None,
        random_state=None,
        axes=None,
    ):
        """Relate rows to one another and draw the graphs.

        Parameters
        ----------
        estimator : LEGOFusionTransformer, or Pipeline with one
            Fitted, with ``expansion="elementwise"`` and ``zeroth="ones"``.
        X : array-like, frame or sparse of shape (n_samples, n_features)
            Rows to look at.
        y : array-like of shape (n_samples,), optional
            Rows are ordered by it, real targets from the smallest to the largest; where it has few
            values, these are written beside the graphs. Of several targets give one column.
        by : {"view", "graph"}, default="view"
            One panel for each view (the mean of its relations), or for each relation of it.
        max_samples : int, default=200
            So many rows are drawn at random where there are more.
        sample_domain : array-like of shape (n_samples,), optional
            Domain of each row; needed if fit was given domains.
        random_state : int, RandomState or None, default=None
            Seed or source of the draws.
        axes : sequence of Axes, optional
            One for each panel.

        Returns
        -------
        GraphsDisplay
            The display.

        Raises
        ------
        ValueError
            If `by` is unknown, `max_samples` is below 1, y is of another length, or the fused graph
            needs the training rows (hops, an identity): it cannot relate other rows to one another.
        TypeError
            If there is no fusion transformer, or y holds values of several types.
        """
        if by not in ("view", "graph"):
            raise ValueError(f"by must be 'view' or 'graph'; got {by!r}.")
        check_most(max_samples, 1)
        model, X, _ = split_pipeline(estimator, X)
        _check_relates(model)
        X = X if hasattr(X, "shape") else np.asarray(X)
        rows, groups = _ordered(X.shape[0], y, max_samples, random_generator(random_state))
        part = take_rows(X, rows)
        domain = None if sample_domain is None else np.asarray(sample_domain)[rows]
        related = list(model.relation_graphs(part, part, domain, domain).values())
        panels: dict = {}
        for (view, relation), graph in zip(model.graphs_, related, strict=True):
            name = view
            if by == "graph" and len(model.graphs_) > len(model.views_):
                name = f"{view}[{getattr(relation, '__name__', relation)}]"
            panels.setdefault(name, []).append(graph)
        graphs = {name: np.mean(found, axis=0) for name, found in panels.items()}
        graphs["fused"] = model.fused_graph(part, part, domain, domain)
        sample = f"{len(rows)} of {X.shape[0]} rows" if len(rows) < X.shape[0] else "rows"
        classes = groups is not None and np.asarray(y).dtype.kind != "f"
        order = "" if y is None else " by class" if classes else " sorted by y"
        return cls(graphs, groups, sample + order).plot(axes=axes)

    def plot(self, *, axes=None):
        """Draw.

        Parameters
        ----------
        axes : sequence of Axes, optional
            One for each graph.

        Returns
        -------
        self
            The display.

        Raises
        ------
        ValueError
            If the number of axes is not that of the graphs.
        """
        n = len(self.graphs)
        if axes is None:
            n_columns = min(n, 4)
            n_rows = -(-n // n_columns)
            letters = max((len(str(label)) for label, _ in self.groups or ()), default=0)
            room = 0.08 * min(letters, _LONGEST)
            size = 0.6 + room + 2.7 * n_columns, 0.3 + (room + 2.5) * n_rows
            options = {"figsize": size, "layout": "constrained", "squeeze": False}
            _, grid = pyplot().subplots(n_rows, n_columns, **options)
            for ax in grid.ravel()[n:]:
                ax.remove()
            axes = grid.ravel()[:n]
        self.axes_ = np.array(axes, dtype=object).ravel()
        if len(self.axes_) != n:
            raise ValueError(f"axes must hold one for each of {n} graphs; got {len(self.axes_)}.")
        self.figure_, self.ax_ = self.axes_[0].figure, self.axes_[-1]
        self.ims_ = []
        for k, (ax, (name, graph)) in enumerate(zip(self.axes_, self.graphs.items(), strict=True)):
            low, high = np.quantile(graph, [0.01, 0.99])  # a few extremes would hide all else
            im = ax.imshow(graph, cmap=MAP, vmin=low, vmax=high, interpolation="nearest")
            self.ims_.append(im)
            beside = ax.inset_axes((1.05, 0.0, 0.06, 1.0))  # as high as the graph
            scale = {"ticks": few_ticks(), "format": plain_numbers()}
            self.figure_.colorbar(im, cax=beside, extend="both", **scale)
            ax.set_title(short(name, 24), fontweight="bold" if name == "fused" else None)
            self._label(ax, first=k % 4 == 0)
        return self

    def _label(self, ax, first):
        """Say what the rows are; write classes beside their rows, and draw lines between them."""
        label = self.label or ("row" if self.groups is None else "rows by class")
        ax.set(xlabel=label, ylabel=label if first else "")
        if self.groups is None:
            return
        counts = np.array([count for _, count in self.groups])
        ends = np.cumsum(counts)
        for end in ends[:-1]:
            for draw in (ax.axhline, ax.axvline):
                draw(end - 0.5, color="white", linewidth=0.8)
        middles = ends - counts / 2 - 0.5
        names = [short(label, _LONGEST) for label, _ in self.groups]
        upright = max(map(len, names)) > 2 or len(names) > 10
        size = {"fontsize": min(10, 120 // len(names))}
        ax.set_xticks(middles, names, rotation=90 if upright else 0, **size)
        ax.set_yticks(middles, names if first else [""] * len(names), **size)
        ax.tick_params(length=0)


def _check_relates(model):
    """Raise where the fused graph is of the training rows alone."""
    settings = {"expansion": ("hops", "elementwise"), "zeroth": ("identity", "ones")}
    for name, (needs_training, other) in settings.items():
        if getattr(model, name, other) == needs_training:
            raise ValueError(
                f"GraphsDisplay relates the rows of X to one another, and the fused graph of a "
                f"{type(model).__name__} with {name}={needs_training!r} relates rows to the "
                f"training rows alone: fit one with {name}={other!r}, or see view_agreement for "
                "its views and EmbeddingDisplay for its embedding."
            )


def _ordered(n_rows, y, max_samples, rng):
    """Rows drawn evenly, ordered by y, and the classes with their counts where these are few."""
    rows = np.arange(n_rows)
    if n_rows > max_samples:
        rows = np.sort(rng.choice(n_rows, max_samples, replace=False))
    if y is None:
        return rows, None
    y = _one_each(y, n_rows)
    rows = rows[np.argsort(y[rows], kind="stable")]
    values, counts = np.unique(y[rows], return_counts=True)
    few = len(values) <= _MOST_CLASSES
    return rows, list(zip(values.tolist(), counts.tolist(), strict=True)) if few else None


def _one_each(y, n_rows):
    """One value for each row; a column of them is taken as such."""
    y = np.asarray(y)
    y = y.ravel() if y.shape == (n_rows, 1) else y
    if y.shape != (n_rows,):
        several = y.ndim == 2 and len(y) == n_rows
        advice = ": give one of its columns, the target to show" * several
        raise ValueError(
            f"y must have one value for each of {n_rows} rows; got shape {y.shape}{advice}."
        )
    kinds = sorted({type(value).__name__ for value in y.tolist()})
    if y.dtype.kind == "O" and len(kinds) > 1:
        raise TypeError(f"y must hold values of one type, to be sorted; it holds {kinds}.")
    return y


class EmbeddingDisplay:
    """Rows in the first two principal components of the embedding.

    Parameters
    ----------
    points : ndarray of shape (n_rows, 2)
        Where each row lies.
    y : ndarray of shape (n_rows,), optional
        Class or value of each row.
    variances : (float, float), optional
        Share of the embedding's variance along each axis.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure
    points_ : list of PathCollection
        One for each class.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from legofuse import LEGOFusionTransformer
    >>> from legofuse.plotting import EmbeddingDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> views = {"minerals": slice(0, 5), "phenols": slice(5, 9), "colour": slice(9, 13)}
    >>> model = LEGOFusionTransformer(views, relation="rbf").fit(X, y)
    >>> len(EmbeddingDisplay.from_estimator(model, X, y).points_)
    3
    """

    def __init__(self, points, y=None, variances=None):
        self.points, self.y, self.variances = points, y, variances

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, sample_domain=None, ax=None):
        """Embed rows and draw them.

        Parameters
        ----------
        estimator : LEGOFusionTransformer, or Pipeline with one
            A fitted estimator.
        X : array-like, frame or sparse of shape (n_samples, n_features)
            Rows to look at.
        y : array-like of shape (n_samples,), optional
            Classes are told by colour and marker, many values by a scale of colours. Of several
            targets give one column.
        sample_domain : array-like of shape (n_samples,), optional
            Domain of each row; needed if fit was given domains.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        EmbeddingDisplay
            The display.
        """
        model, X, _ = split_pipeline(estimator, X)
        features = np.asarray(model.transform(X, sample_domain=sample_domain), dtype=float)
        if features.shape[1] < 2:
            features = np.column_stack([features, np.zeros(len(features))])
        with np.errstate(invalid="ignore"):  # rows that are all alike have no variance
            found = PCA(2, svd_solver="full").fit(features)
        variances = np.nan_to_num(found.explained_variance_ratio_)
        y = None if y is None else _one_each(y, len(features))
        return cls(found.transform(features), y, variances).plot(ax=ax)

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
        self.ax_, self.figure_ = new_axes(ax, (6.0, 4.4))
        style = {"s": 22, "linewidths": 0.5, "edgecolors": "k", "alpha": 0.85}
        values = np.unique([] if self.y is None else self.y)
        real = values.dtype.kind == "f"
        scale = len(values) > (_MOST_REAL if real else _MOST_CLASSES)
        if self.y is None or scale:
            numbers = self.y
            if scale and values.dtype.kind not in "biuf":
                numbers = np.searchsorted(values, self.y)  # too many names for a legend
            options = {"c": numbers, "cmap": MAP} if scale else {"color": COLOURS[0]}
            self.points_ = [self.ax_.scatter(*self.points.T, **options, **style)]
            if scale:
                bar = self.figure_.colorbar(self.points_[0], ax=self.ax_, label="y")
                if numbers is not self.y:
                    places = np.unique(np.linspace(0, len(values) - 1, 6).round().astype(int))
                    bar.set_ticks(places, labels=[short(values[k], 20) for k in places])
        else:
            self.points_ = [
                self.ax_.scatter(
                    *self.points[self.y == value].T,
                    color=COLOURS[k % len(COLOURS)],
                    marker=MARKERS[k % len(MARKERS)],
                    label=in_legend(value, 20),
                    **style,
                )
                for k, value in enumerate(values.tolist())
            ]
            side = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False}
            side["ncols"] = -(-len(values) // _IN_A_COLUMN)
            self.ax_.legend(title="class", **side)  # beside the points, never over them
        self.ax_.ticklabel_format(scilimits=(-4, 5))
        self.ax_.xaxis.set_major_locator(few_ticks())
        names = [f"principal component {k + 1}" for k in (0, 1)]
        if self.variances is not None:
            names = [
                f"{n} ({v:.0%} of variance)" for n, v in zip(names, self.variances, strict=True)
            ]
        self.ax_.set(xlabel=names[0], ylabel=names[1])
        return self
