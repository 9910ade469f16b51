"""Draw the picture of the landing page: from two views of digits to one embedding.

    python docs/draw_method.py        writes docs/images/method.png

All that is shown is computed: the relations, the learned weights, the fused graph, the embedding.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from legofuse import LEGOFusionTransformer
from legofuse.datasets import load_digits_views

FOLDER = Path(__file__).parent / "images"
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]  # for colour-blind readers too


def compute():
    """Two views of four digits, their relations, the fused graph and its embedding."""
    digits = load_digits_views()
    chosen = np.isin(digits.y, [0, 1, 4, 6])
    X, y, images = digits.X[chosen], digits.y[chosen], digits.images[chosen]
    views = {name: digits.views[name] for name in ("pixels", "fourier")}
    fusion = LEGOFusionTransformer(views, relation="correlation", degree=2).fit(X[:300], y[:300])
    shown = np.concatenate([np.flatnonzero(y[300:] == digit)[:12] + 300 for digit in np.unique(y)])
    graphs = {}
    for name in views:
        alone = LEGOFusionTransformer({name: views[name]}, relation="correlation", degree=1)
        one = alone.fit(X[:300], y[:300])
        graphs[name] = one.fused_graph(X[shown], X[shown]) / one.weights_[0]
    fused = fusion.fused_graph(X[shown], X[shown])
    test = slice(300, None)
    return {
        "images": images[shown],
        "features": {name: X[shown][:, columns] for name, columns in views.items()},
        "graphs": graphs,
        "terms": dict(zip(fusion.terms_, fusion.weights_ / fusion.weights_.max(), strict=True)),
        "fused": fused,
        "embedding": fusion.transform(X[test])[:, 1:3],
        "labels": y[test],
        "blocks": y[shown],
    }


def heat(ax, graph, title):
    limit = np.abs(graph).max()
    ax.imshow(graph, cmap="cividis", vmin=-limit / 3, vmax=limit)
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=10)
    ax.set_xlabel("samples", fontsize=8)


def arrow(figure, start, end):
    figure.add_artist(
        plt.matplotlib.patches.FancyArrowPatch(
            start,
            end,
            transform=figure.transFigure,
            arrowstyle="-|>",
            mutation_scale=14,
            color="0.35",
        )
    )


def draw(data):
    figure = plt.figure(figsize=(12, 4.3))
    heading = {"fontsize": 11, "fontweight": "bold", "ha": "center"}
    steps = ["views", "relation graphs", "polynomial", "fused graph", "embedding"]
    for x, step in zip([0.085, 0.277, 0.495, 0.693, 0.898], steps, strict=True):
        figure.text(x, 0.94, step, **heading)

    for (name, values), bottom, label in zip(
        data["features"].items(), (0.53, 0.09), ("view 1", "view 2"), strict=True
    ):
        ax = figure.add_axes((0.015, bottom, 0.14, 0.32))
        if name == "pixels":
            tiles = np.pad(
                data["images"].reshape(4, 12, 8, 8)[:, :5], ((0, 0), (0, 0), (1, 1), (1, 1))
            )
            ax.imshow(tiles.transpose(0, 2, 1, 3).reshape(40, 50), cmap="gray_r")
        else:
            standard = (values - values.mean(0)) / (values.std(0) + 1e-12)
            ax.imshow(standard, cmap="PuOr", aspect="auto", vmin=-3, vmax=3)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{label}: {name}", fontsize=10)
        ax.set_ylabel("samples", fontsize=8)
        ax.set_xlabel("images" if name == "pixels" else "features", fontsize=8)
        graph = figure.add_axes((0.205, bottom, 0.145, 0.32))
        number = label[-1]
        heat(graph, data["graphs"][name], f"$R_{number}$: {name}")
        arrow(figure, (0.162, bottom + 0.16), (0.215, bottom + 0.16))
        arrow(figure, (0.342, bottom + 0.16), (0.395, 0.42 + (bottom + 0.16 - 0.42) * 0.5))

    bars = figure.add_axes((0.452, 0.14, 0.1, 0.42))
    names = ["$R_1$", "$R_2$", "$R_1^2$", r"$R_1 \circ R_2$", "$R_2^2$"]
    values = list(data["terms"].values())
    bars.barh(names[::-1], values[::-1], color="0.45")
    bars.set_xlabel("learned weight $A$", fontsize=8)
    bars.set_xticks([])
    bars.tick_params(labelsize=9)
    bars.spines[["top", "right"]].set_visible(False)
    formula = (
        r"$G=A_{10}R_1+A_{01}R_2$",
        r"$+\,A_{20}R_1^2+A_{11}R_1\!\circ\!R_2$",
        r"$+\,A_{02}R_2^2$",
    )
    for row, line in enumerate(formula):
        figure.text(0.495, 0.83 - 0.075 * row, line, fontsize=11, ha="center")

    heat(figure.add_axes((0.61, 0.24, 0.165, 0.48)), data["fused"], "$G$")
    arrow(figure, (0.565, 0.47), (0.612, 0.47))
    arrow(figure, (0.772, 0.47), (0.812, 0.47))

    ax = figure.add_axes((0.825, 0.24, 0.16, 0.48))
    for digit, colour in zip(np.unique(data["labels"]), COLOURS, strict=True):
        x, y = data["embedding"][data["labels"] == digit].T
        ax.scatter(x, y, s=14, marker=f"${digit}$", color=colour, linewidths=0.3)
    ax.set(xticks=[], yticks=[], xlabel="component 2", ylabel="component 3")
    ax.xaxis.label.set_size(8)
    ax.yaxis.label.set_size(8)
    ax.set_title("new samples, by class", fontsize=10)
    return figure


if __name__ == "__main__":
    draw(compute()).savefig(FOLDER / "method.png", dpi=130, facecolor="white")
