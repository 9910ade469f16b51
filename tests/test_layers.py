"""Who may import whom. The table is the design: change it when the design must change, knowingly.

Imports are read from the source, those inside functions too, so that a deferred import does not
hide a dependency.
"""

import ast
from pathlib import Path

import pytest

import legofuse

PACKAGE = Path(legofuse.__file__).parent

# import none of us
PURE = {"relations", "fusion", "readouts", "sampling", "views", "bags", "datasets"}
PARTS = {"centring", "expansion", "fused", "graphs", "landmarks", "moments", "tables", "terms"}
PARTS |= {"shifts", "weights", "_lazy", "_progress", "_threads", "_validation", "config"}
# import none of us; anyone may import
ANYONE = {"_all_or_nothing", "_compat", "_labels", "_random", "_row_weights"}
ESTIMATORS_MAY = PURE | PARTS | {"inspection", "nn"}
MAY_IMPORT = {
    **{name: set() for name in PURE},
    "fusion": {"config"},  # which engine was asked for, how many threads
    "centring": set(),
    "expansion": {"fusion"},
    "graphs": {"relations"},
    "fused": {"_threads", "centring", "expansion", "graphs", "sampling", "shifts", "weights"},
    "shifts": {"graphs", "relations"},
    "landmarks": {"sampling"},
    "moments": {"graphs", "relations"},
    "tables": {"views"},
    "terms": {"expansion", "fusion", "weights"},
    "_lazy": {"moments", "sampling", "tables"},
    "_progress": set(),
    "_threads": {"config"},  # how many there may be
    "config": set(),  # settings; imports none of us
    "_validation": {"fusion", "landmarks"},
    "weights": {"fusion"},
    "inspection": {"fusion", "views", "_threads"},
    "nn": {"relations", "fusion", "readouts", "_threads"},
    "transformer": ESTIMATORS_MAY,
    "anomaly": ESTIMATORS_MAY,
    "plotting": {"inspection"},
    "report": {"inspection", "plotting", "_threads"},
    **{name: set() for name in ANYONE},
    "__init__": set(),  # finds names by string, on demand
}
TORCH = {"torch", "skorch"}  # at module level in nn only: importing legofuse stays light


def module_files():
    return sorted(PACKAGE.rglob("*.py"))


def layer_of(path, package=PACKAGE):
    """The row of the table that a file belongs to: the first part of its path in the package."""
    first = path.relative_to(package).parts[0]
    return first.removesuffix(".py")


def imports(path, package=PACKAGE):
    """All (dotted module, imported name or None, at module level?) of a file, made absolute."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parents = ("legofuse", *path.relative_to(package).parent.parts)
    found = []

    def visit(node, top):
        if isinstance(node, ast.Import):
            found.extend((alias.name, None, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.extend((module, alias.name, top) for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            top = False  # never runs
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            top = False
        for child in ast.iter_child_nodes(node):
            visit(child, top)

    visit(tree, True)
    return found


def own_layers(path, package=PACKAGE):
    """The rows of the table that a file imports."""
    layers = set()
    for module, name, _ in imports(path, package):
        parts = module.split(".")
        if parts[0] != "legofuse":
            continue
        if len(parts) > 1:
            layers.add(parts[1])
        elif name is None:
            layers.add("__init__")
        else:  # from legofuse import a module, or a public name that lives in one
            layers.add(legofuse._CLASSES_AND_FUNCTIONS.get(name, name))
    return layers


def violations(path, package=PACKAGE):
    """What is wrong with the imports of one file, in words."""
    layer = layer_of(path, package)
    if layer not in MAY_IMPORT:
        return [f"{layer} is in no row of the table: where does it belong?"]
    wrong = own_layers(path, package) - MAY_IMPORT[layer] - {layer, *ANYONE}
    found = [f"{layer} imports {name}" for name in sorted(wrong)]
    for module, name, top in imports(path, package):
        root, *rest = module.split(".")
        if top and root in TORCH and layer != "nn":
            found.append(f"{layer} imports {root} at module level")
        if root == "matplotlib" and (top or layer != "plotting"):
            found.append(f"{layer} imports matplotlib" + " at module level" * top)
        private = [part for part in [*rest, name or ""] if part.startswith("_")]
        if root == "sklearn" and private and layer != "_compat":
            found.append(f"{layer} imports the private sklearn name {private[0]}")
    return found


@pytest.mark.parametrize("path", module_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_keep_to_the_layers(path):
    assert violations(path) == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("fusion.py", "from legofuse.relations import cosine", "fusion imports relations"),
        ("fusion.py", "from . import views", "fusion imports views"),
        ("views.py", "def f():\n    from .bags import to_bags", "views imports bags"),
        ("views.py", "from legofuse import to_bags", "views imports bags"),
        ("views.py", "import legofuse", "views imports __init__"),
        ("nn/heads.py", "from ..weights import loo", "nn imports weights"),
        ("transformer.py", "from legofuse import anomaly", "transformer imports anomaly"),
        ("transformer.py", "import torch.nn", "transformer imports torch at module level"),
        ("anomaly.py", "class A:\n    import skorch", "anomaly imports skorch at module level"),
        ("plotting.py", "import matplotlib", "plotting imports matplotlib at module level"),
        ("report.py", "def f():\n    import matplotlib.pyplot", "report imports matplotlib"),
        (
            "weights.py",
            "from sklearn.utils.validation import _check_y",
            "weights imports the private sklearn name _check_y",
        ),
        ("surprise.py", "", "surprise is in no row of the table: where does it belong?"),
    ],
)
def test_a_breach_is_seen(tmp_path, file, source, complaint):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")
    assert violations(path, tmp_path) == [complaint]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("fusion.py", "import numpy as np\nfrom legofuse._compat import with_callbacks"),
        ("weights.py", "from .fusion import fuse"),
        ("nn/heads.py", "import torch\nfrom .losses import f\nfrom ..fusion import fuse"),
        ("transformer.py", "def fit():\n    import torch\n    from .nn import FusionPolynomial"),
        ("plotting.py", "def draw():\n    import matplotlib.pyplot as plt"),
        ("_compat.py", "from sklearn.utils.validation import _check_sample_weight"),
        (
            "anomaly.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        ),
    ],
)
def test_what_is_allowed_passes(tmp_path, file, source):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")
    assert violations(path, tmp_path) == []
