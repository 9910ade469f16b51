"""The API reference is written from the public names: none can be forgotten.

A page for each public module, `generated/modules/NAME.rst`, with tables of what it says is public
(`__all__`); `autosummary` makes a page for each entry.
"""

import importlib
import inspect
from pathlib import Path

from sphinx.util import logging

import legofuse

logger = logging.getLogger(__name__)
FOLDER = Path("generated", "modules")
# what reads first; modules that are not listed come last
ORDER = ["relations", "fusion", "weights", "readouts", "inspection", "plotting", "report"]
ORDER += ["views", "bags", "datasets", "config", "nn"]


def public_modules():
    """Public submodules that exist, in reading order."""
    found = []
    for name in legofuse._SUBMODULES:
        try:
            found.append((name, importlib.import_module(f"legofuse.{name}")))
        except ModuleNotFoundError as error:
            logger.info("no page for legofuse.%s: %s", name, error)
    return sorted(found, key=lambda pair: [*ORDER, pair[0]].index(pair[0]))


def page(name, module):
    """Text of one module's page."""
    title = f"legofuse.{name}"
    parts = [title, "=" * len(title), "", f".. automodule:: {title}", "   :no-members:", ""]
    public = [(key, getattr(module, key)) for key in getattr(module, "__all__", [])]
    top = [key for key, _ in public if key in legofuse._CLASSES_AND_FUNCTIONS]
    if top:
        names = ", ".join(f":obj:`legofuse.{key}`" for key in top)
        parts += [f"Also here, and public in ``legofuse`` itself: {names}.", ""]
    public = [(key, value) for key, value in public if key not in top]
    kinds = {
        "Classes": [key for key, value in public if inspect.isclass(value)],
        "Functions": [key for key, value in public if inspect.isroutine(value)],
    }
    listed = {key for keys in kinds.values() for key in keys}
    for key, value in public:
        if key not in listed and not inspect.ismodule(value):
            parts += [f".. autodata:: {title}.{key}", "   :no-value:", ""]
    parts += [f".. currentmodule:: {title}", ""]
    for heading, keys in kinds.items():
        if keys:
            parts += [f".. rubric:: {heading}", "", ".. autosummary::", "   :toctree: ../api", ""]
            parts += [f"   {key}" for key in sorted(keys)] + [""]
    return "\n".join(parts)


def write(app, config):
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    pages = ["api.rst"]
    modules = public_modules()
    for number, (name, module) in enumerate(modules):
        path = folder / f"{number:02d}_{name}.rst"
        for stale in folder.glob(f"*_{name}.rst"):
            if stale != path:
                stale.unlink()
        text = page(name, module)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        pages.append(path.relative_to(app.srcdir).as_posix())
    config.autosummary_generate = pages


def skip(app, what, name, obj, skip, options):
    """Leave out what scikit-learn adds to classes for metadata routing."""
    return True if name.startswith("set_") and name.endswith("_request") else None


def resolve(app, env, node, content):
    """Find names that are written as the defining module knows them.

    `legofuse.bags.to_bags` is documented as `legofuse.to_bags`, and `Net` of `legofuse.nn.nets` as
    `legofuse.nn.Net`. Names that exist but are not public stay plain text.
    """
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target:
        return None
    python = env.get_domain("py")
    last = target.rpartition(".")[2]
    short = target if not target.startswith("legofuse.") else last
    known = [n for n in python.objects if n.startswith("legofuse.") and n.endswith(f".{short}")]
    if known:
        name = min(known, key=len)
        return python.resolve_xref(env, node.get("refdoc"), app.builder, "obj", name, node, content)
    module = node.get("py:module") or ""
    return content if module.startswith("legofuse") and exists(module, target) else None


def exists(module, target):
    """Whether the defining module of anything in a public module has a name."""
    public = importlib.import_module(module)
    homes = {module} | {getattr(value, "__module__", module) for value in vars(public).values()}
    for home in {home for home in homes if home.startswith("legofuse")}:
        value = importlib.import_module(home)
        for part in target.removeprefix(f"{home}.").split("."):
            value = getattr(value, part, None)
        if value is not None:
            return True
    return False


def setup(app):
    app.connect("missing-reference", resolve)
    app.connect("config-inited", write)  # before pages are looked for
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
