"""Multi-view and multi-modal learning by fusing similarity graphs with learnable polynomials.

The public names are loaded when they are first used (PEP 562), so that ``import legofuse`` costs
nothing and never imports torch. ``__init__.pyi`` tells the same names to type checkers.
"""

__version__ = "0.1.0.dev0"

_CLASSES_AND_FUNCTIONS = {  # public name -> the module that defines it
    "ImputeWithin": "views",
    "LEGOAnomalyClassifier": "anomaly",
    "LEGOFusionTransformer": "transformer",
    "PerUnit": "bags",
    "stack_views": "views",
    "to_bags": "bags",
}
_SUBMODULES = (
    "bags",
    "config",
    "datasets",
    "fusion",
    "inspection",
    "nn",
    "plotting",
    "readouts",
    "relations",
    "report",
    "views",
    "weights",
)

_LIGHT = [name for name in _SUBMODULES if name != "nn"]  # `from legofuse import *` without torch

__all__ = [*_CLASSES_AND_FUNCTIONS, *_LIGHT, "__version__"]


def __getattr__(name):
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name in _CLASSES_AND_FUNCTIONS:
        value = getattr(import_module(f"{__name__}.{_CLASSES_AND_FUNCTIONS[name]}"), name)
        globals()[name] = value
        return value
    raise _unknown_attribute(name)


def __dir__():
    return sorted({*globals(), *__all__, *_SUBMODULES})


def _unknown_attribute(name):
    from difflib import get_close_matches

    lowered = {known.lower(): known for known in (*__all__, *_SUBMODULES)}
    near = [lowered[match] for match in get_close_matches(name.lower(), lowered, cutoff=0.5)]
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}", name=name)
