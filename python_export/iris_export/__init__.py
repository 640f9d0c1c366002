"""The Python side of iris: train IrisNet, export any model of rows, draw pictures of a run.

from iris_export import export_model
export_model(model.eval(), rows, "model.ts.pt", "torchscript", name=…, features=[…], labels=[…])

python -m iris_export.train DATA.csv -o model.pt
python -m iris_export.export model.pt -o model.ts.pt
python -m iris_export.plot --help
"""

from .iris_net import FEATURES, LABELS, IrisNet
from .model_file import InputError

__all__ = ["FEATURES", "LABELS", "InputError", "IrisNet", "export_model"]


def __getattr__(name: str) -> object:
    """export_model, whose compilers take time to import, once it is asked for."""
    if name != "export_model":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .export_formats import export_model

    return export_model
