"""Pictures of the report. The only place of the benchmark that imports matplotlib."""

import numpy as np

# of Okabe and Ito, told apart by colour-blind readers
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")


def _pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "legofuse", "svg.fonttype": "none", "font.size": 9})
    return plt


def _save(figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    _pyplot().close(figure)
    return path


def critical_difference(titles, ranks, difference, path):
    """Average ranks on a line; bars join methods that Nemenyi's test does not tell apart."""
    order = np.argsort(ranks)
    k, bars = len(ranks), _groups(np.sort(ranks), difference)
    half = (k + 1) // 2
    top = 0.6 + 0.25 * len(bars)
    figure, axes = _pyplot().subplots(figsize=(7.5, 0.55 + 0.28 * (half + 1 + len(bars))))
    axes.set(xlim=(k + 1.6, -0.6), ylim=(-(top + 0.45 * half), 1.1))
    axes.axis("off")
    axes.plot([1, k], [0, 0], color="black", lw=1)
    for tick in range(1, k + 1):
        axes.plot([tick, tick], [0, 0.1], color="black", lw=1)
        axes.text(tick, 0.18, str(tick), ha="center", va="bottom")
    for place, index in enumerate(order):
        best = place < half
        y = -(top + 0.45 * (place if best else k - 1 - place))
        x = 0.4 if best else k + 0.6
        colour = "#b03a2e" if titles[index] == "legofuse" else "black"
        axes.plot([ranks[index], ranks[index], x], [0, y, y], color=colour, lw=0.8)
        text = f"{titles[index]} ({ranks[index]:.2f})"
        axes.text(x - 0.05 if best else x + 0.05, y, text, color=colour, va="center",
                  ha="left" if best else "right")  # fmt: skip
    for level, (low, high) in enumerate(bars):
        y = -(0.3 + 0.25 * level)
        axes.plot([low - 0.04, high + 0.04], [y, y], color="black", lw=3, solid_capstyle="round")
    axes.plot([1, 1 + difference], [0.75, 0.75], color="black", lw=1.5)
    axes.text(1 + difference / 2, 0.82, f"CD = {difference:.2f}", ha="center", va="bottom")
    return _save(figure, path)


def _groups(ranks, difference):
    """Longest runs of sorted ranks that are no further apart than the critical difference."""
    found = []
    for i, low in enumerate(ranks):
        high = ranks[ranks <= low + difference][-1]
        if high > low and (not found or high > found[-1][1]):
            found.append((ranks[i], high))
    return found


def curves(levels, lines, xlabel, path):
    """Mean accuracy against the level of a perturbation; ``lines``: title -> (means, errors).

    Lines differ in marker and style as well as in colour, and are set a little apart, so that their
    bars do not hide one another.
    """
    figure, axes = _pyplot().subplots(figsize=(6.2, 4.2))
    step = 0.012 * (max(levels) - min(levels))
    for k, (title, (means, errors)) in enumerate(lines.items()):
        strong = title == "legofuse"
        axes.errorbar(
            np.asarray(levels) + step * (k - (len(lines) - 1) / 2), means, yerr=errors, label=title,
            capsize=2, marker="osD^vPX*"[k % 8], ms=4, ls=("-", "--", "-.", ":")[k % 4],
            lw=2 if strong else 1, color="black" if strong else COLOURS[k % len(COLOURS)],
            elinewidth=0.7, zorder=3 if strong else 2,
        )  # fmt: skip
    axes.set_xticks(levels)
    axes.set(xlabel=xlabel, ylabel="mean accuracy")
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2}
    axes.legend(fontsize=7, frameon=False, **above)
    axes.spines[["top", "right"]].set_visible(False)
    return _save(figure, path)
