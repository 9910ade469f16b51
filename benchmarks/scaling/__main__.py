"""Cost curves against rows, landmarks, views, degree and units a bag, with fitted slopes.

    python -m benchmarks.scaling [rows landmarks views degree units mapped double] [--draw FILE]

Prints seconds (and MB above the input, for rows) and slopes in log-log coordinates; stores the
figures in benchmarks/results/scaling.json and draws all that are stored there.
"""

import argparse
import json
import time
from pathlib import Path

from benchmarks._claims import claim, machine
from benchmarks.scaling.curves import CURVES, double_rows, mapped_rows, measure, slope

RESULTS = Path(__file__).parents[1] / "results" / "scaling.json"
FIGURE = Path(__file__).parents[2] / "docs" / "figures" / "scaling.svg"
MILLION = {  # at the largest number of rows: in a file, and in float64
    "mapped": (mapped_rows, "MB above a memory-mapped million rows"),
    "double": (double_rows, "MB above a million rows of float64, output included"),
}
TIMES = ("fit", "fit, uniform weights", "transform", "score_units")


def say_slopes(name, curve):
    """Print the slopes of a curve; those against rows are claims."""
    sizes = curve["sizes"]
    for key in (k for k in TIMES if k in curve):
        print(f"slope of {key} against {curve['title']}: {slope(sizes, curve[key]):.2f}")
    if name != "rows":
        return
    pairs = zip(curve["fit"], curve["transform"], strict=True)
    print(f"slope of fit and transform: {slope(sizes, [sum(pair) for pair in pairs]):.2f}")
    pairs = zip(curve["fit, uniform weights"], curve["transform"], strict=True)
    value = slope(sizes, [sum(pair) for pair in pairs])
    what = "slope of fit (weights not learned) and transform against rows"
    claim(value, what, at_least=0.9)
    claim(value, what, at_most=1.1)
    if "peak_mb" in curve:
        claim(curve["peak_mb"][-1], "MB above a million rows, output included", at_most=1024)


def draw(curves, path):
    """One panel a curve."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FormatStrFormatter, LogLocator

    figure, axes = plt.subplots(1, len(curves), figsize=(3.1 * len(curves), 3), squeeze=False)
    for axis, (name, curve) in zip(axes[0], curves.items(), strict=True):
        for key in (k for k in TIMES if k in curve):
            label = f"{key}, slope {slope(curve['sizes'], curve[key]):.2f}"
            style = ("o-", "s--", "D:", "^-.")[TIMES.index(key) % 4]  # not by colour alone
            axis.loglog(curve["sizes"], curve[key], style, markersize=4, label=label)
        axis.set_xlabel(curve["title"])
        if name in ("landmarks", "views", "degree", "units"):
            axis.set_xticks(curve["sizes"], [str(size) for size in curve["sizes"]])
            axis.xaxis.minorticks_off()
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axis.yaxis.minorticks_off()
        axis.legend(frameon=False, fontsize=8, loc="upper left")
        axis.margins(y=0.4)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("seconds")
    figure.tight_layout()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main():
    """Measure, print, store and draw."""
    parser = argparse.ArgumentParser(description="Cost curves with fitted slopes.")
    parser.add_argument(
        "names", nargs="*", help=f"of {', '.join([*CURVES, *MILLION])}; default all"
    )
    parser.add_argument("--draw", type=Path, default=FIGURE, help="where the figure goes")
    options = parser.parse_args()
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in options.names or [*CURVES, *MILLION]:
        print(f"== {name} ({machine()})", flush=True)
        if name in MILLION:
            work, what = MILLION[name]
            figures = work(CURVES["rows"][2][-1])
            print(", ".join(f"{key} {value:.3f}" for key, value in figures.items()))
            if "peak_mb" in figures:
                claim(figures["peak_mb"], what, at_most=1024)
            continue
        curve = measure(name)
        stored[name] = curve | {"machine": machine(), "date": time.strftime("%Y-%m-%d")}
        say_slopes(name, curve)
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    draw({name: stored[name] for name in CURVES if name in stored}, options.draw)


if __name__ == "__main__":
    main()
