"""``import legofuse`` is light, its names are found on demand, and a misspelt one is helped."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import legofuse

PACKAGE = Path(legofuse.__file__).parent
HEAVY = ("torch", "skorch", "sklearn", "scipy", "numpy", "pandas", "matplotlib")


def run(code):
    """Standard output of `code`, run by a fresh interpreter."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def module_exists(name):
    module = legofuse._CLASSES_AND_FUNCTIONS.get(name, name)
    return (PACKAGE / f"{module}.py").exists() or (PACKAGE / module / "__init__.py").exists()


PUBLIC = [name for name in (*legofuse.__all__, "nn") if module_exists(name)]


def test_import_is_light():
    heavy = run(
        f"import sys, legofuse; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert heavy.split() == []


def test_import_is_fast():
    code = "from time import perf_counter as t; t0 = t(); import legofuse; print(t() - t0)"
    assert min(float(run(code)) for _ in range(5)) < 0.1


def test_public_names_other_than_nn_come_without_torch_or_matplotlib():
    names = ", ".join(name for name in PUBLIC if name != "nn")
    loaded = run(
        f"import sys; from legofuse import {names}; from legofuse import *; "
        "print(*[name for name in ('torch', 'skorch', 'matplotlib') if name in sys.modules])"
    )
    assert loaded.split() == []


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_what_their_modules_define(name):
    value = getattr(legofuse, name)
    if name in legofuse._SUBMODULES:
        assert value is importlib.import_module(f"legofuse.{name}")
    else:
        module = importlib.import_module(f"legofuse.{legofuse._CLASSES_AND_FUNCTIONS[name]}")
        assert value is getattr(module, name)
        assert name in module.__all__


def test_dir_and_all_tell_the_public_names():
    assert {*legofuse.__all__, "nn"} <= set(dir(legofuse))
    assert len(set(legofuse.__all__)) == len(legofuse.__all__)


def test_stub_tells_the_same_names():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        (node.module, alias.asname)
        for node in ast.walk(stub)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    expected = {(f"legofuse.{m}", name) for name, m in legofuse._CLASSES_AND_FUNCTIONS.items()}
    expected |= {("legofuse", name) for name in legofuse._SUBMODULES}
    assert imported == expected


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("LegoFusionTransformer", "LEGOFusionTransformer"),
        ("FusionTransformer", "LEGOFusionTransformer"),
        ("stackviews", "stack_views"),
        ("dataset", "datasets"),
    ],
)
def test_unknown_attribute_suggests_near_names(wrong, right):
    with pytest.raises(AttributeError, match=f"no attribute '{wrong}'; did you mean .*'{right}'"):
        getattr(legofuse, wrong)


def test_unknown_attribute_far_from_all_names_suggests_nothing():
    with pytest.raises(AttributeError, match=r"no attribute 'qqq'$"):
        _ = legofuse.qqq
    assert not hasattr(legofuse, "__wrapped__")
