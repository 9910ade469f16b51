"""Pieces of a page: escaped text, tables, figures. No script, and nothing outside the page."""

from base64 import b64encode
from html import escape

import numpy as np

from ..plotting._style import to_svg

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #111; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #bbb; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
caption { text-align: left; font-style: italic; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; }
pre { white-space: pre-wrap; background: #f4f4f4; padding: .7rem; }
@media print { h2, figure, tr { break-inside: avoid; } }
"""


def page(title, sections):
    """A whole page: sections are (heading, list of pieces of HTML)."""
    ids = [f"section-{k}" for k in range(1, len(sections) + 1)]
    links = "\n".join(
        f'<li><a href="#{name}">{escape(heading)}</a></li>'
        for name, (heading, _) in zip(ids, sections, strict=True)
    )
    body = "\n".join(
        f'<section id="{name}">\n<h2>{escape(heading)}</h2>\n' + "\n".join(parts) + "\n</section>"
        for name, (heading, parts) in zip(ids, sections, strict=True)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<nav aria-label="Contents">\n<ol>\n{links}\n</ol>\n</nav>\n'
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def paragraph(text):
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def code(text):
    """Text as it stands."""
    return f"<pre>{escape(text)}</pre>"


def table(caption, columns, rows):
    """A table; the first cell of each row is its heading."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in columns)
    body = "\n".join(
        f'<tr><th scope="row">{escape(_text(first))}</th>{"".join(map(_cell, rest))}</tr>'
        for first, *rest in rows
    )
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead>\n<tr>{head}</tr>\n</thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>"
    )


def figure(draw, caption):
    """What a display draws, inline; the caption is also what is read aloud."""
    data = b64encode(to_svg(draw)).decode("ascii")
    text = escape(caption, quote=True)
    return (
        f'<figure>\n<img alt="{text}" src="data:image/svg+xml;base64,{data}">\n'
        f"<figcaption>{text}</figcaption>\n</figure>"
    )


def _text(value):
    if value is None:
        return "-"
    if isinstance(value, float | np.floating):
        return "-" if np.isnan(value) else f"{value:z.3f}"  # none is -0
    return str(value)


def _cell(value):
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    start = '<td class="number">' if number else "<td>"
    return f"{start}{escape(_text(value))}</td>"
