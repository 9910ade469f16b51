"""Results as a few lines of text, which is how they print."""

from itertools import islice

import numpy as np

_ROWS, _COLUMNS, _LETTERS = 8, 8, 40


def as_text(heading, *tables):
    """A heading, and tables (dicts of columns) cut to their first rows and columns."""
    return "\n".join([heading, *map(_table, tables)])


def _table(columns):
    columns = {name: values for name, values in columns.items() if values is not None}
    n_rows = len(next(iter(columns.values())))
    cells = [
        [_cell(name), *map(_cell, islice(values, _ROWS))]
        for name, values in islice(columns.items(), _COLUMNS)
    ]
    if len(columns) > _COLUMNS:
        cells.append(["..."] * len(cells[0]))
    widths = [max(map(len, column)) for column in cells]
    rows = [
        "  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]).rstrip()
        for first, *rest in zip(*cells, strict=True)
    ]
    return "\n".join(rows + [f"... {n_rows - _ROWS} more"] * (n_rows > _ROWS))


def _cell(value):
    if isinstance(value, float | np.floating):
        return f"{value:.3g}"
    text = str(value)
    return text if len(text) <= _LETTERS else text[: _LETTERS - 3] + "..."
