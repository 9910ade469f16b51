"""After the build: every link to another page, file or anchor of the site leads somewhere.

External addresses are not asked for: the build needs no network.
"""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from sphinx.util import logging

logger = logging.getLogger(__name__)


class Page(HTMLParser):
    """Anchors of a page, and what it links to."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for key, value in attrs:
            if key in ("id", "name"):
                self.anchors.add(value)
            elif key in ("href", "src") and value:
                self.links.append(value)


def broken_links(folder):
    """Find (page, link) that lead nowhere."""
    folder = Path(folder).resolve()
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.html")
        if "_static" not in path.parts
    }
    for path, page in pages.items():
        for link in page.links:
            if "://" in link or link.startswith(("//", "mailto:", "data:", "javascript:")):
                continue
            place, _, anchor = link.partition("#")
            target = (path.parent / unquote(place.partition("?")[0])).resolve() if place else path
            target = target / "index.html" if target.is_dir() else target
            lost = not target.exists()
            if lost or (
                anchor and target in pages and unquote(anchor) not in pages[target].anchors
            ):
                yield path.relative_to(folder), link


def check(app, error):
    if error is not None or app.builder.name != "html":
        return
    for page, link in broken_links(app.outdir):
        logger.warning("%s: broken link %s", page, link, type="links")


def setup(app):
    app.connect("build-finished", check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
