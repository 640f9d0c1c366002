"""Folders of torch.distributed.checkpoint: read as data, without the code that wrote them."""

import argparse
import pickle

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint import metadata as md
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
WAY_OUT = (
    "; make one file of the folder, in Python: "
    'torch.distributed.checkpoint.format_utils.dcp_to_torch_save(FOLDER, "model.pt")'
)


def save(values, folder):
    dcp.save(values, checkpoint_id=folder, no_dist=True)
    return folder


def same(got, expected) -> bool:
    if isinstance(expected, torch.Tensor):
        return torch.equal(got, expected) and got.dtype == expected.dtype
    if isinstance(expected, dict):
        return list(got) == list(expected) and all(same(got[key], value) for key, value in expected.items())
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    return got == expected and type(got) is type(expected)


@pytest.fixture
def weights(repo):
    return torch.load(repo / "models/iris_net.pt", weights_only=True)


def test_a_folder_is_what_python_makes_of_it(iris, repo, weights, tmp_path):
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    values = {
        "model": dict(weights),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "half": torch.ones(2, dtype=torch.bfloat16),
        "list": [torch.zeros(2), "text", 0.5],
        "scalar": torch.tensor(2.0),
        "empty": torch.zeros(0, 3),
    }
    folder = save(values, tmp_path / "dcp")
    dcp_to_torch_save(folder, tmp_path / "python.pt")
    answer = iris("convert", folder, tmp_path / "out.pt")
    assert (answer.returncode, answer.stderr) == (0, "")
    got = torch.load(tmp_path / "out.pt", weights_only=True)
    expected = torch.load(tmp_path / "python.pt", weights_only=True)
    assert {key: got[key] for key in sorted(got)}.keys() == {key: expected[key] for key in sorted(expected)}.keys()
    for key, value in expected.items():
        assert same(got[key], value), key
    of_one_file = iris("predict", repo / "models/iris_net.pt", *SAMPLE, "--logits")
    assert iris("predict", folder, *SAMPLE, "--logits").stdout == of_one_file.stdout
    assert iris("inspect", folder / ".metadata", "--key", "model").stdout.startswith("fc1.weight (16, 4)\n")


def test_an_object_is_left_out_and_named(iris, tmp_path):
    folder = save({"w": torch.ones(2), "args": argparse.Namespace(lr=1)}, tmp_path / "dcp")
    answer = iris("convert", folder, tmp_path / "out.pt")
    assert (answer.returncode, answer.stderr) == (0, "iris: left out: args (argparse.Namespace)\n")
    assert list(torch.load(tmp_path / "out.pt", weights_only=True)) == ["w"]


def write_by_hand(folder, tensor, boxes, **changes):
    """A folder whose one tensor, "w", is in pieces: boxes of (offsets, sizes), each in a file of its own."""
    folder.mkdir()
    places = {}
    for i, (offsets, sizes) in enumerate(boxes):
        piece = tensor[tuple(slice(o, o + s) for o, s in zip(offsets, sizes, strict=True))].clone()
        torch.save(piece, folder / f"__{i}_0.distcp")
        length = (folder / f"__{i}_0.distcp").stat().st_size
        index = md.MetadataIndex("w", offsets, i)
        places[index] = _StorageInfo(changes.get("path", f"__{i}_0.distcp"), changes.get("offset", 0), length)
    chunks = [md.ChunkStorageMetadata(torch.Size(o), torch.Size(s)) for o, s in boxes]
    properties = md.TensorProperties.create_from_tensor(tensor)
    described = {"w": md.TensorStorageMetadata(properties, torch.Size(changes.get("size", tensor.shape)), chunks)}
    whole = md.Metadata(described, {"w": ("w",)}, places)
    (folder / ".metadata").write_bytes(pickle.dumps(whole))
    return folder


PIECES = {
    "rows": [((0, 0, 0), (3, 5, 2)), ((3, 0, 0), (1, 5, 2))],
    "columns": [((0, 0, 0), (4, 2, 2)), ((0, 2, 0), (4, 3, 2))],
    "blocks": [((0, 0, 0), (2, 3, 2)), ((0, 3, 0), (2, 2, 2)), ((2, 0, 0), (2, 3, 2)), ((2, 3, 0), (2, 2, 2))],
    "last": [((0, 0, 0), (4, 5, 1)), ((0, 0, 1), (4, 5, 1))],
    "empty": [((0, 0, 0), (4, 5, 2)), ((4, 0, 0), (0, 5, 2))],
}


@pytest.mark.parametrize("pieces", PIECES)
def test_a_tensor_in_pieces_is_joined(iris, tmp_path, pieces):
    tensor = torch.arange(40.0).reshape(4, 5, 2)
    folder = write_by_hand(tmp_path / "dcp", tensor, PIECES[pieces])
    answer = iris("convert", folder, tmp_path / "out.pt")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert same(torch.load(tmp_path / "out.pt", weights_only=True), {"w": tensor})


@pytest.mark.parametrize(
    "boxes, changes, fact",
    [
        ([((0,), (4,)), ((4,), (3,))], {}, 'value "w": has chunks that are not all of it' + WAY_OUT),
        ([((0,), (5,)), ((4,), (3,))], {}, 'value "w": has chunks that overlap' + WAY_OUT),
        ([((0,), (4,)), ((4,), (4,))], {"size": (7,)}, 'value "w": has a chunk that lies outside it' + WAY_OUT),
        ([((0,), (8,))], {"size": (9,)}, 'value "w": is not the tensor that .metadata describes' + WAY_OUT),
        ([((0,), (8,))], {"path": "../x"},
         'value "w": file "../x": its name leads out of the index\'s folder; it is not read'),
        ([((0,), (8,))], {"path": "x"}, 'value "w": file "x": is missing; the index needs it beside itself'),
        ([((0,), (8,))], {"offset": 1},
         'value "w": file "__0_0.distcp": is shorter than .metadata says; it was cut'),
    ],
)  # fmt: skip
def test_a_damaged_folder_is_one_message(iris, tmp_path, boxes, changes, fact):
    folder = write_by_hand(tmp_path / "dcp", torch.arange(8.0), boxes, **changes)
    answer = iris("inspect", folder)
    assert (answer.returncode, answer.stderr) == (1, f"iris: error: {folder}: {fact}\n")


def test_metadata_that_is_cut_anywhere_is_one_message(iris, tmp_path):
    folder = write_by_hand(tmp_path / "dcp", torch.arange(8.0), [((0,), (4,)), ((4,), (4,))])
    whole = (folder / ".metadata").read_bytes()
    for length in range(0, len(whole), 37):
        (folder / ".metadata").write_bytes(whole[:length])
        answer = iris("inspect", folder)
        assert (answer.returncode, answer.stderr.count("iris: error: ")) == (1, 1), answer


def test_one_file_of_the_folder_is_told_for_what_it_is(iris, tmp_path):
    folder = save({"a": torch.ones(3), "b": torch.zeros(2)}, tmp_path / "dcp")
    answer = iris("inspect", folder / "__0_0.distcp")
    assert answer.stderr == (
        f"iris: error: {folder}/__0_0.distcp: holds several zips in a row: is it a file of "
        "torch.distributed.checkpoint (.distcp)? Then name its folder\n"
    )
