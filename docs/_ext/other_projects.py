"""Names of other projects become links by rule, without inventories: nothing is downloaded."""

from docutils import nodes

SKLEARN = "https://scikit-learn.org/stable/modules/generated/{}.html"
TORCH = "https://docs.pytorch.org/docs/stable/generated/{}.html"
PAGES = {"sklearn": SKLEARN, "torch": TORCH}


def address(target):
    """Where the page of a dotted name is, if a rule says so; its class's page for a method."""
    root, *rest = target.split(".")
    if root not in PAGES or not rest:
        return None
    parts = target.split(".")
    classes = [i for i, part in enumerate(parts) if part[:1].isupper()]
    page = ".".join(parts[: classes[0] + 1]) if classes else target
    return PAGES[root].format(page)


def resolve(app, env, node, content):
    if node.get("refdomain") != "py":
        return None
    url = address(node["reftarget"])
    if url is None:
        return None
    return nodes.reference("", "", content, internal=False, refuri=url)


def setup(app):
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
