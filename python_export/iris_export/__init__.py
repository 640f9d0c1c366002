"""The Python side of iris: train IrisNet, export any model of rows, draw pictures of a run.

from iris_export import export_model
export_model(model.eval(), rows, "model.ts.pt", "torchscript", name=…, features=[…], labels=[…])

python -m iris_export.train DATA.csv -o model.pt
python -m iris_export.export model.pt -o model.ts.pt
python -m iris_export.plot --help
"""

from importlib import import_module

_HOMES = {
    "FEATURES": "iris_net",
    "LABELS": "iris_net",
    "InputError": "model_file",
    "IrisNet": "iris_net",
    "export_model": "export_formats",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """Each name from its module once it is asked for: torch takes seconds to import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
