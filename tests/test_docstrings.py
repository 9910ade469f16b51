"""Docstrings of all public names are what numpydoc takes for complete."""

import importlib
import inspect
import pkgutil
import re

import pytest

import legofuse

validate = pytest.importorskip("numpydoc.validate").validate

# What is not asked for, and why.
IGNORED = {
    "SA01": "See Also only where there is something to see",
    "ES01": "the summary may say it all",
    "EX01": "methods are shown in the example of their class, a pair of functions in that of one",
    "SS05": "takes nouns at the start of a sentence (Weights, Views, Bags) for verbs",
}
FIELDS = {"PR01"}  # fields of named tuples and dataclasses stand under Attributes
ELSEWHERE = {  # classes whose parameters are those of a class of another library
    "legofuse.nn.Net": {"PR01", "SS02"},  # skorch's net; "skorch" is written in small letters
}


def modules():
    found = []
    for name in legofuse._SUBMODULES:
        try:
            found.append((f"legofuse.{name}", importlib.import_module(f"legofuse.{name}")))
        except ModuleNotFoundError as error:
            if error.name != f"legofuse.{name}":
                raise
    return found


def public_objects():
    """Public functions and classes by name, each once."""
    top = {name: getattr(legofuse, name) for name in legofuse._CLASSES_AND_FUNCTIONS}
    found = {f"legofuse.{name}": value for name, value in top.items()}
    for path, module in modules():
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if name not in top and (inspect.isclass(value) or inspect.isroutine(value)):
                found[f"{path}.{name}"] = value
    return found


def is_ours(kind):
    return kind.__module__.split(".")[0] == "legofuse"


def own_methods(kind):
    """Public methods of ours, scikit-learn's names included.

    Hooks of torch and skorch are documented there, setters of requests by scikit-learn.
    """
    ours = [base for base in kind.__mro__ if is_ours(base)]
    theirs = [base for base in kind.__mro__ if base.__module__.split(".")[0] in ("torch", "skorch")]
    known = {name for base in theirs for name in vars(base)}
    fields = set(getattr(kind, "_fields", ()))
    names = {name: value for base in reversed(ours) for name, value in vars(base).items()}
    return [
        name
        for name, value in names.items()
        if not name.startswith("_")
        and name not in known | fields
        and not (name.startswith("set_") and name.endswith("_request"))
        and (isinstance(value, property) or callable(getattr(kind, name, None)))
    ]


OBJECTS = public_objects()
CLASSES = {name: value for name, value in OBJECTS.items() if inspect.isclass(value)}
NAMES = [*OBJECTS, *(f"{c}.{m}" for c, value in CLASSES.items() for m in own_methods(value))]


def ignored(name):
    kind = CLASSES.get(name)
    more = ELSEWHERE.get(name, set())
    if kind is not None and (hasattr(kind, "_fields") or hasattr(kind, "__dataclass_fields__")):
        more = more | FIELDS if "Attributes" in (kind.__doc__ or "") else more
    return set(IGNORED) | more


@pytest.mark.parametrize("name", NAMES)
def test_docstring_is_valid(name):
    found = validate(name)["errors"]
    assert [f"{code}: {text}" for code, text in found if code not in ignored(name)] == []


@pytest.mark.parametrize("name", [path for path, _ in modules()])
def test_module_says_what_it_is(name):
    doc = importlib.import_module(name).__doc__
    assert doc
    assert doc.strip().splitlines()[0].endswith((".", ":"))


def plain_modules():
    """Modules whose name has no underscore, the undeclared ones included."""
    found = pkgutil.walk_packages(legofuse.__path__, "legofuse.")
    return [module.name for module in found if "._" not in module.name]


@pytest.mark.parametrize("name", plain_modules())
def test_plain_names_say_what_they_are(name):
    """All functions, classes and methods without an underscore have a docstring."""
    module = importlib.import_module(name)
    assert module.__doc__
    bare = []
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        members = vars(value).items() if inspect.isclass(value) else ()
        named = {key: value} | {f"{key}.{k}": v for k, v in members if not k.startswith("_")}
        bare += [k for k, v in named.items() if callable(v) and not inspect.getdoc(v)]
    assert bare == []


def test_all_relations_are_named():
    doc = inspect.getdoc(legofuse.LEGOFusionTransformer)
    (listed,) = re.findall(r"RELATIONS`, which are (.*?)\.$", doc, re.DOTALL | re.MULTILINE)
    assert re.findall(r'``"(\w+)"``', listed) == list(legofuse.relations.RELATIONS)


def test_names_were_found():
    assert {"legofuse.LEGOFusionTransformer", "legofuse.fusion.fuse"} <= set(NAMES)
    assert "legofuse.LEGOFusionTransformer.fused_graph" in NAMES
    assert "legofuse.LEGOFusionTransformer.get_params" not in NAMES
