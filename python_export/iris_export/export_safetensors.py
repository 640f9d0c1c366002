"""safetensors: the weights alone, with the state_dict's names, for other tools and languages."""

import copy

import torch

from .model_file import InputError, require_packages


def safetensors_bytes(model: torch.nn.Module, example: torch.Tensor, iris_json: str) -> bytes:
    require_packages("safetensors")
    from safetensors.torch import save

    # Copies: the format cannot say that two tensors share memory.
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
    return save(tensors, metadata={"format": "pt", "iris.json": iris_json})


def open_safetensors(content: bytes, model: torch.nn.Module) -> torch.nn.Module:
    """A copy of the model with the file's weights. Raises InputError where any bit differs from the model's."""
    from safetensors.torch import load

    tensors = load(content)
    state_dict = model.state_dict()
    if set(tensors) != set(state_dict):
        raise InputError(f"holds {sorted(tensors)}, the module {sorted(state_dict)}")
    for name, tensor in state_dict.items():
        if not _has_same_bits(tensors[name], tensor.cpu()):
            raise InputError(f"{name} does not come back as it was")
    loaded = copy.deepcopy(model)
    loaded.load_state_dict(tensors)
    return loaded


def _has_same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(*(tensor.contiguous().flatten().view(torch.uint8) for tensor in (one, other)))
