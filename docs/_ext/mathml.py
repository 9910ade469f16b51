"""Formulas as MathML: browsers draw it without a script, so pages are whole without a network."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)
UNKNOWN = re.compile(r"\\(limits|bigg|Bigg|big|Big)[lr]?(?![a-zA-Z])")  # sizes: MathML stretches


def render(self, node, as_block):
    """Write one formula; one that cannot be translated is a warning and stays LaTeX."""
    latex = UNKNOWN.sub("", node.astext()).replace(r"\dots", r"\ldots")
    try:
        return tex2mathml(latex, as_block=as_block)
    except (MathError, SyntaxError) as error:
        logger.warning("formula not translated: %s", error, location=node)
        return f"<code>{self.encode(latex)}</code>"


def inline(self, node):
    self.body.append(render(self, node, as_block=False))
    raise nodes.SkipNode


def block(self, node):
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    anchor = "".join(f' id="{name}"' for name in node.get("ids", [])[:1])
    self.body.append(f'<div class="formula"{anchor}>{number}{render(self, node, True)}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
