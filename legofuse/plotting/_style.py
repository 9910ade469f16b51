"""Colours, markers and axes that all displays share."""

# Okabe and Ito, "Color Universal Design", ordered so that neighbours differ in lightness too
COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#000000",
    "#56B4E9",
    "#D55E00",
    "#999999",
)
MARKERS = "osD^vP*X<>"
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xxx")
MAP = "cividis"  # perceptually uniform, and the same to colour-blind readers


def new_axes(ax, size=(6.4, 4.0), **options):
    """Return the axes that are given, or new ones, and their figure."""
    if ax is not None:
        return ax, ax.figure
    figure, ax = pyplot().subplots(figsize=size, layout="constrained", **options)
    return ax, figure


def pyplot():
    """Import matplotlib."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "figures and reports need matplotlib: pip install 'legofuse[plot]' (in a clone: "
            "pip install '.[plot]')."
        ) from error
    return plt


def few_ticks():
    """Places of about four ticks."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)


def plain_numbers():
    """Tick labels with as many digits as tell the ticks apart, and no offset beside them."""
    from matplotlib.ticker import ScalarFormatter

    formatter = ScalarFormatter(useOffset=False)
    formatter.set_powerlimits((-4, 6))
    return formatter


def short(name, limit=40):
    """Cut a name that would not fit beside the axes, in its middle: alike names differ at ends."""
    name = f"{name:g}" if isinstance(name, float) else str(name)
    if len(name) > limit:
        tail = (limit - 1) // 3
        name = name[: limit - 1 - tail] + "…" + name[len(name) - tail :]
    return name.replace("$", r"\$")


def in_legend(name, limit=40):
    """The same for a legend, which leaves out what begins with an underscore."""
    name = short(name, limit)
    return f" {name}" if name.startswith("_") else name


def wide_enough(names, width=6.4):
    """Width of a figure with such names beside its axes."""
    return width + 0.08 * max(0, max(map(len, names), default=0) - 24)


def line_style(k):
    """Colour, marker and line style of the k-th of several lines."""
    return {
        "color": COLOURS[k % len(COLOURS)],
        "marker": MARKERS[k % len(MARKERS)],
        "linestyle": LINES[k % len(LINES)],
    }


def to_svg(draw):
    """What a function that returns a display draws, as SVG that is the same each time; closed."""
    from io import BytesIO

    plt = pyplot()
    out = BytesIO()
    with plt.rc_context({"svg.hashsalt": "legofuse", "figure.dpi": 100}), plt.ioff():
        display = draw()
        try:
            display.figure_.savefig(out, format="svg", metadata={"Date": None})
        finally:
            plt.close(display.figure_)
    return out.getvalue()
