"""NumPy's values in files that torch.save wrote: numbers and tensors, as Python has them."""

import json

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
TYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]
ORDERS = ["<", ">"]
PROTOCOLS = range(6)


@pytest.fixture
def converted(iris, tmp_path):
    """converted(value, protocol): what Python reads of what iris converts; nothing may be left out."""

    def run(value, protocol=2, **options):
        torch.save(value, tmp_path / "in.pt", pickle_protocol=protocol, **options)
        answer = iris("convert", "in.pt", "out.pt", cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (0, "")
        return torch.load(tmp_path / "out.pt", weights_only=True)

    return run


def scalars() -> dict:
    values = {}
    for kind in TYPES:
        for order in ORDERS:
            dtype = np.dtype(kind).newbyteorder(order)
            for i, number in enumerate([0, 1, 100]):
                values[f"{order}{kind}{i}"] = np.array([number]).astype(dtype)[0]
    limits = [np.int64(-(2**63)), np.uint64(2**64 - 1), np.float64("inf"), np.float32("-inf"), np.float16(6e-8)]
    return values | {f"limit{i}": limit for i, limit in enumerate(limits)} | {"complex": np.complex128(1.5 - 2j)}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_scalars_are_numbers(converted, protocol):
    values = scalars()
    got = converted({"w": torch.ones(1), "values": values}, protocol)["values"]
    assert got == {name: value.item() for name, value in values.items()}
    assert {name: type(value) for name, value in got.items()} == {name: type(v.item()) for name, v in values.items()}


def test_texts_and_bytes_are_theirs(converted):
    got = converted({"w": torch.ones(1), "text": np.str_("é€"), "bytes": np.bytes_(b"ab")})
    assert (got["text"], got["bytes"]) == ("é€", b"ab")


def arrays() -> dict:
    values = {}
    for kind in TYPES:
        for order in ORDERS:
            values[order + kind] = np.arange(6).reshape(2, 3).astype(np.dtype(kind).newbyteorder(order))
    base = np.arange(24.0).reshape(2, 3, 4)
    return values | {
        "fortran": np.asfortranarray(base),
        "transposed": base.T,
        "sliced": base[:, ::2, 1:],
        "scalar": np.array(1.5),
        "empty": np.zeros((0, 3)),
        "one": np.array([True]),
        "another": np.array([True]),
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=["zip", "legacy"])
def test_arrays_are_tensors(converted, protocol, options):
    values = arrays()
    got = converted({"w": torch.ones(1), "values": values}, protocol, **options)["values"]
    assert list(got) == list(values)
    for name, array in values.items():
        native = array.astype(array.dtype.newbyteorder("="))
        assert got[name].numpy().dtype == native.dtype and got[name].shape == array.shape, name
        assert got[name].numpy().tobytes() == native.tobytes(), name
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            assert got[name].T.is_contiguous(), name
    assert len({t.untyped_storage().data_ptr() for t in got.values() if t.numel()}) == len(values) - 1


def test_what_has_no_counterpart_stays_inert_and_is_named(iris, tmp_path):
    values = {
        "objects": np.array([None, 1], dtype=object),
        "records": np.zeros(2, dtype=[("a", "f4")]),
        "texts": np.array(["a"]),
        "date": np.datetime64("2020-01-01"),
        "dtype": np.dtype("f4"),
        "masked": np.ma.array([1.0]),
    }
    torch.save({"w": torch.ones(1), "values": values}, tmp_path / "in.pt")
    answer = iris("convert", "in.pt", "out.pt", cwd=tmp_path)
    assert answer.returncode == 0
    assert [line.split(" (")[0] for line in answer.stderr.splitlines()] == [
        f"iris: left out: values.{name}" for name in values
    ]
    foreign = json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)["foreign"]
    assert "numpy.dtype" in [each["name"] for each in foreign]


def test_what_is_computed_is_not_foreign(iris, tmp_path):
    torch.save({"w": torch.ones(1), "loss": np.float64(0.3), "a": np.arange(3)}, tmp_path / "in.pt")
    shown = json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)
    assert shown["foreign"] == []
    assert shown["entries"] == {"loss": 0.3}
    assert {"name": "a", "shape": [3], "dtype": "int64"} in shown["tensors"]


def test_a_state_dict_of_arrays_predicts(iris, tmp_path):
    rng = np.random.default_rng(0)
    shapes = {"fc1.weight": (16, 4), "fc1.bias": (16,), "fc2.weight": (3, 16), "fc2.bias": (3,)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    torch.save(arrays, tmp_path / "arrays.pt")
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, tmp_path / "tensors.pt")
    answers = [iris("predict", name, "5.1", "3.5", "1.4", "0.2", "--logits", cwd=tmp_path).stdout
               for name in ("arrays.pt", "tensors.pt")]  # fmt: skip
    assert answers[0] == answers[1] != ""
