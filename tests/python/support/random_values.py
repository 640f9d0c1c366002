"""Random tensors, and random plain values around them, for hypothesis."""

import math

import torch
from hypothesis import strategies as st
from torch import nn

# Each has a storage class of its own, or, if in NEW_DTYPES, only an UntypedStorage.
OLD_DTYPES = [getattr(torch, name) for name in (
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()
)]  # fmt: skip
NEW_DTYPES = [getattr(torch, name) for name in (
    "complex32 uint16 uint32 uint64 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu "
    "float4_e2m1fn_x2 bits8 bits16 bits1x8 bits2x4 bits4x2".split()
)]  # fmt: skip
MAX_ELEMENTS = 64


@st.composite
def storages(draw, dtype: torch.dtype) -> torch.UntypedStorage:
    """Random bytes for up to MAX_ELEMENTS elements; of a bool only 0 and 1."""
    numel = draw(st.integers(0, MAX_ELEMENTS))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = torch.Generator().manual_seed(seed)
    highest = 2 if dtype == torch.bool else 256
    data = torch.randint(highest, (numel * dtype.itemsize,), dtype=torch.uint8, generator=generator)
    return data.untyped_storage()


@st.composite
def views(draw, dtype: torch.dtype, storage: torch.UntypedStorage) -> torch.Tensor:
    """A tensor on the storage: contiguous, transposed, sliced, expanded, overlapping, empty, of no dimensions."""
    numel = storage.nbytes() // dtype.itemsize
    offset = draw(st.integers(0, numel))
    room = numel - offset
    shape, strides, reach = [], [], 1
    for _ in range(draw(st.integers(0, 4))):
        stride = draw(st.integers(0, 9))
        most = 5 if stride == 0 else min(5, 1 + max(0, room - reach) // stride)
        size = draw(st.integers(0 if draw(st.booleans()) else 1, max(1, most)))
        shape.append(size)
        strides.append(stride)
        reach += max(0, size - 1) * stride
    if room == 0 and 0 not in shape:
        shape, strides = [0, *shape], [1, *strides]
    return torch.tensor([], dtype=dtype).set_(storage, offset, tuple(shape), tuple(strides))


@st.composite
def dressed(draw, tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as it is, or as a Parameter, with a gradient, conjugated, negated."""
    can_learn = tensor.dtype in (torch.float32, torch.float64, torch.bfloat16, torch.complex64)
    can_conjugate = tensor.dtype in (torch.complex64, torch.complex128)
    kinds = ["plain"]
    if can_learn:
        kinds += ["parameter", "frozen parameter", "requires grad"]
    if can_conjugate:
        kinds += ["conjugate", "negative", "imaginary part"]
    match draw(st.sampled_from(kinds)):
        case "parameter":
            return nn.Parameter(tensor)
        case "frozen parameter":
            return nn.Parameter(tensor, requires_grad=False)
        case "requires grad":
            return tensor.requires_grad_()
        case "conjugate":
            return tensor.conj()
        case "negative":
            return torch._neg_view(tensor)
        case "imaginary part":
            return torch._neg_view(tensor).conj()
    return tensor


@st.composite
def tensors(draw, dtypes=tuple(OLD_DTYPES + NEW_DTYPES)) -> list[torch.Tensor]:
    """One to three tensors of one dtype on one storage."""
    dtype = draw(st.sampled_from(dtypes))
    storage = draw(storages(dtype))
    return [draw(dressed(draw(views(dtype, storage)))) for _ in range(draw(st.integers(1, 3)))]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
floats = st.floats() | st.sampled_from([math.inf, -math.inf, math.nan, -0.0, 5e-324])
integers = st.integers(-300, 300) | st.integers(-(2**64), 2**64) | st.integers(-(2**2031), 2**2031)
keys = (
    st.sampled_from(["", "a", "layer.0.weight", "\u00fc\u00df", "\U0001f600", "x\ny", "\0"])
    | texts
    | st.integers(-2, 300)
    | st.tuples(texts, st.integers(0, 3))
    | st.booleans()
    | st.none()
    | st.binary(max_size=4)
    | st.floats(allow_nan=False)
)
leaves = (
    st.none()
    | st.booleans()
    | integers
    | floats
    | texts
    | st.binary(max_size=300)
    | st.binary(max_size=20).map(bytearray)
    | st.complex_numbers()
    | st.lists(st.integers(0, 2**40), max_size=4).map(torch.Size)
    | st.sampled_from(["cpu", "cuda", "cuda:1", "meta"]).map(torch.device)
    | st.sampled_from(OLD_DTYPES + NEW_DTYPES)
    | st.sets(st.integers() | texts, max_size=4)
)
