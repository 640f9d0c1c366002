"""Tensors that lie about where they are."""

from .build import GOOD_DATA, ORDERED_DICT, Call, Case, Global, PersistentId, Raw, model, pickled, storage, tensor

MOST = (1 << 63) - 1
OVERFLOW = "a tensor's shape and strides overflow"
PAST = r"a tensor reaches past its storage of 16 bytes"
NO_COUNT = r"{} is not an integer from 0 to 2\^63 - 1"
V3 = "torch._utils._rebuild_tensor_v3"
UNTYPED = "torch.storage.UntypedStorage"


def of(name: str, value, message: str, storages=None) -> Case:
    """A state_dict of this one value, which says what is written."""
    return Case(name, lambda: model(pickled({"weight": value}), storages), rf"data\.pkl: offset \d+: {message}")


def two_tensors(first: PersistentId, second: PersistentId) -> bytes:
    return model(pickled({"a": tensor(on=first), "b": tensor((4,), (1,), on=second)}), {"0": GOOD_DATA})


def dimensions(rank: int) -> Raw:
    return Raw(b"(" + b"K\1" * rank + b"t")


def identifier(*parts) -> Call:
    return tensor(on=PersistentId(parts))


CASES = [
    of("negative size", tensor((-1, 2), (2, 1)), NO_COUNT.format("a tensor's shape")),
    of("negative stride", tensor((2, 2), (-2, 1)), NO_COUNT.format("a tensor's strides")),
    of("negative offset", tensor(offset=-1), NO_COUNT.format("a tensor's offset")),
    of("size of 2^63", tensor((1 << 63,), (1,)), NO_COUNT.format("a tensor's shape")),
    of("size of 2^64", tensor((1 << 64,), (1,)), NO_COUNT.format("a tensor's shape")),
    of("elements that overflow", tensor((1 << 32, 1 << 32), (1 << 32, 1)), OVERFLOW),
    of("elements that overflow, times 0", tensor((1 << 62, 4, 0), (0, 0, 0)), OVERFLOW),
    of("strides that overflow", tensor((2, 2), (MOST, MOST)), OVERFLOW),
    of("offset of 2^63 - 1", tensor(offset=MOST), OVERFLOW),
    of("offset behind the storage", tensor((1,), (1,), 4), PAST),
    of("tensor longer than its storage", tensor((5,), (1,)), PAST),
    of("strides past the storage", tensor((2, 2), (3, 1)), PAST),
    of("two sizes and one stride", tensor((2, 2), (1,)), "a tensor has 2 sizes and 1 strides"),
    of("no size and one stride", tensor((), (1,)), "a tensor has 0 sizes and 1 strides"),
    of("rank 100,000", tensor(dimensions(100_000), dimensions(100_000)), "a tensor has 100000 dimensions"),
    of("shape that is a text", tensor("ab", (1,)), "a tensor's shape is not a tuple"),
    of("size that is a bool", tensor((True, 2), (2, 1)), NO_COUNT.format("a tensor's shape")),
    of("requires_grad that is a number", tensor(requires_grad=7), "requires_grad is not a bool"),
    of("conj bit on float32",
        tensor((2, 2), (2, 1), 0, None, False, {"conj": True}), "a tensor that is not complex has the conj bit"),
    of("metadata that is a tuple", tensor((2, 2), (2, 1), 0, None, False, ()), "a tensor's metadata is not a dict"),
    of("tensor without a storage", tensor(on=Raw(b"N")), "a tensor's storage is not a persistent id"),
    of("tensor of one argument",
        Call("torch._utils._rebuild_tensor_v2", storage()), r"torch\._utils\._rebuild_tensor_v2 has 1 arguments"),
    of("Parameter of a number",
        Call("torch._utils._rebuild_parameter", 7, True, ORDERED_DICT), "a Parameter is not made of a tensor"),
    of("tensor of no dtype",
        tensor(on=storage(type=UNTYPED, numel=16)), "a tensor without a dtype lies in an UntypedStorage"),
    of("dtype that is none",
        Call(V3, storage(type=UNTYPED, numel=16), 0, (4,), (1,), False, ORDERED_DICT, Global("torch.Tensor")),
        "a tensor's dtype is unknown"),
    of("storage type that is none",
        tensor(on=storage(type="torch.Tensor")), r"torch\.Tensor is not a storage type that is read"),
    of("storage of 2^64 bytes", tensor(on=storage(numel=1 << 62)), "a storage's size overflows"),
    of("storage of a negative size", tensor(on=storage(numel=-1)), NO_COUNT.format("a storage's size")),
    Case("storage of 2^60 bytes",
        lambda: model(pickled({"a": tensor(on=storage(numel=1 << 58))})),
        r'.*storage "0" has 16 bytes, its pickle says 1152921504606846976'),
    of("persistent id of a module",
        identifier("module", Global("torch.FloatStorage"), "0", "cpu", 4), "a persistent id is not a storage's"),
    of("storage type that is a text",
        identifier("storage", "torch.FloatStorage", "0", "cpu", 4),
        "a storage's type is not what torch.save writes"),
    of("storage key that is a number",
        identifier("storage", Global("torch.FloatStorage"), 0, "cpu", 4),
        "a storage's key is not what torch.save writes"),
    of("persistent id that is a path",
        tensor(on=Raw(b"P../../etc/passwd\n")),
        r'a persistent id is not one of torch\.save: "\.\./\.\./etc/passwd"'),
    Case("one storage of two dtypes",
        lambda: two_tensors(storage(), storage(type="torch.IntStorage")),
        r'data\.pkl: offset \d+: storage "0" is claimed with two types or sizes'),
    Case("one storage of two sizes",
        lambda: two_tensors(storage(), storage(numel=5)),
        r'data\.pkl: offset \d+: storage "0" is claimed with two types or sizes'),
]  # fmt: skip
