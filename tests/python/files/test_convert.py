"""iris convert, as a user runs it."""

import io
import json
import re
import shutil
import subprocess
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import safetensors
import torch
from hostile_files.build import model, pickled, storage, tensor
from torch import nn

from iris_export.iris_net import IrisNet

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:TypedStorage")


@pytest.fixture
def convert(iris, tmp_path):
    """convert(IN, OUT, *options) in tmp_path, which must succeed; its stderr."""

    def run(source, output, *options) -> str:
        answer = iris("convert", source, output, *options, cwd=tmp_path)
        assert (answer.returncode, answer.stdout) == (0, ""), answer.stderr
        return answer.stderr

    return run


@pytest.fixture
def failing(iris, tmp_path):
    """failing(*arguments, status=1) in tmp_path: the message, once nothing was found to be made or changed."""

    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}

    def run(*arguments, status=1) -> str:
        before = contents()
        answer = iris("convert", *arguments, cwd=tmp_path)
        assert (answer.returncode, answer.stdout) == (status, ""), answer.stderr
        assert contents() == before
        assert answer.stderr.startswith("iris: error: ") and answer.stderr.endswith("\n")
        return answer.stderr.removeprefix("iris: error: ").removesuffix("\n")

    return run


@pytest.fixture(scope="session")
def fixtures(repo) -> Path:
    return repo / "tests" / "fixtures"


@pytest.fixture(scope="session")
def iris_net(repo) -> Path:
    return repo / "models" / "iris_net.pt"


def load(path) -> dict:
    return torch.load(path, weights_only=True)


def load_safetensors(path) -> dict[str, torch.Tensor]:
    with safetensors.safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def assert_equal(ours: dict, theirs: dict) -> None:
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]) and value.dtype == theirs[name].dtype


# What is written.


def test_the_output_is_what_python_saved(convert, iris_net, tmp_path):
    assert convert(iris_net, "out.pt") == ""
    ours, theirs = load(tmp_path / "out.pt"), load(iris_net)
    assert type(ours) is OrderedDict
    assert_equal(ours, theirs)
    assert ours._metadata == theirs._metadata
    IrisNet().load_state_dict(ours, strict=True)


@pytest.mark.parametrize("extension", ["pt", "safetensors"])
def test_the_same_input_gives_the_same_bytes(convert, fixtures, tmp_path, extension):
    (tmp_path / "other_name.bin").write_bytes((fixtures / "checkpoint.pt").read_bytes())
    convert(fixtures / "checkpoint.pt", f"one.{extension}")
    convert("other_name.bin", f"two.{extension}")
    assert (tmp_path / f"one.{extension}").read_bytes() == (tmp_path / f"two.{extension}").read_bytes()


@pytest.mark.parametrize("fixture", ["checkpoint.pt", "dtypes.pt", "strided.pt", "legacy.pt", "scripted.pt"])
def test_what_was_converted_converts_to_itself(convert, fixtures, tmp_path, fixture):
    convert(fixtures / fixture, "once.pt")
    convert("once.pt", "twice.pth")
    assert (tmp_path / "once.pt").read_bytes() == (tmp_path / "twice.pth").read_bytes()


def test_zip_and_legacy_containers_give_the_same_bytes(convert, iris_net, tmp_path):
    torch.save(load(iris_net), tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    convert(iris_net, "one.pt")
    convert("legacy.pt", "two.pt")
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "two.pt").read_bytes()


def test_a_storage_of_a_gpu_is_written_as_one_of_the_cpu(convert, tmp_path):
    (tmp_path / "in.pt").write_bytes(model(pickled({"weight": tensor(on=storage(location="cuda:1"))})))
    convert("in.pt", "out.pt")
    assert b"cuda" not in (tmp_path / "out.pt").read_bytes()
    assert load(tmp_path / "out.pt")["weight"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "value",
    [torch.arange(3.0), torch.arange(3), torch.tensor([1 + 2j, 3 - 4j]), torch.tensor([1.5], dtype=torch.bfloat16)],
)
def test_a_big_endian_file_is_written_little_endian(convert, tmp_path, value):
    word = torch.view_as_real(value).dtype.itemsize if value.is_complex() else value.dtype.itemsize
    data = torch.tensor([], dtype=torch.uint8).set_(value.untyped_storage()).reshape(-1, word).flip(1)
    kind = f"torch.{value.storage()._pickle_storage_type()}"
    weight = tensor(value.shape, value.stride(), 0, storage(type=kind, numel=len(value)))
    swapped = model(pickled({"weight": weight}), {"0": bytes(data.flatten().tolist())}, byteorder=b"big")
    (tmp_path / "in.pt").write_bytes(swapped)
    convert("in.pt", "out.pt")
    assert torch.equal(load(tmp_path / "out.pt")["weight"], value)


@pytest.mark.parametrize("fixture", ["scripted.pt", "traced.pt", "train_mode.pt"])
def test_torchscript_gives_its_state_dict(convert, fixtures, tmp_path, fixture):
    convert(fixtures / fixture, "out.pt")
    module = torch.jit.load(fixtures / fixture)
    ours = load(tmp_path / "out.pt")
    assert sorted(ours) == sorted(module.state_dict())
    module.load_state_dict(ours, strict=True)


def test_a_checkpoint_keeps_all_its_entries(convert, fixtures, tmp_path):
    assert convert(fixtures / "checkpoint.pt", "out.pt") == ""
    ours, theirs = load(tmp_path / "out.pt"), load(fixtures / "checkpoint.pt")
    assert list(ours) == list(theirs)
    assert (ours["epoch"], ours["loss"]) == (10, 0.25)
    assert repr(ours["optimizer_state_dict"]) == repr(theirs["optimizer_state_dict"])


# Odd, but good.


def rezipped(iris_net: Path, root="archive", compression=zipfile.ZIP_STORED, without=(), more=(), folders=()) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(iris_net) as old, zipfile.ZipFile(file, "w", compression) as new:
        for folder in folders:
            new.writestr(f"{folder}/", "")
        for entry in old.namelist():
            name = entry.partition("/")[2]
            if name not in without:
                new.writestr(f"{root}/{name}", old.read(entry))
        for name, content in more:
            new.writestr(f"{root}/{name}", content)
    return file.getvalue()


NEW_ENTRIES = (".format_version", ".storage_alignment", "byteorder", ".data/serialization_id")
ODD_ZIPS = {
    "zipped again": {},
    "in another folder": {"root": "my model (1)"},
    "in a folder of another script": {"root": "\u043c\u043e\u0434\u0435\u043b\u044c"},
    "with entries for its folders": {"folders": ["archive", "archive/data"]},
    "of PyTorch 1.6": {"without": (*NEW_ENTRIES, "version"), "more": [("version", "3\n")]},
    "of version 2": {"without": ("version",), "more": [("version", "2\n")]},
    "with the version where TorchScript has it": {"without": ("version",), "more": [(".data/version", "10\n")]},
    "with a stranger's file": {"more": [(".DS_Store", "x"), ("data/data.pkl", "x")]},
}


@pytest.mark.parametrize("what", ODD_ZIPS)
def test_an_odd_zip_that_python_reads_is_read(convert, iris_net, tmp_path, what):
    (tmp_path / "in.pt").write_bytes(rezipped(iris_net, **ODD_ZIPS[what]))
    convert("in.pt", "out.pt")
    assert_equal(load(tmp_path / "out.pt"), load(tmp_path / "in.pt"))


def test_a_compressed_zip_is_refused_with_the_way_out(failing, iris_net, tmp_path):
    (tmp_path / "in.pt").write_bytes(rezipped(iris_net, compression=zipfile.ZIP_DEFLATED))
    message = failing("in.pt", "out.pt")
    assert message.endswith("is compressed; PyTorch stores it (unzip the file, then zip -0Dr NEW.pt FOLDER)")


@pytest.mark.skipif(not (shutil.which("zip") and shutil.which("unzip")), reason="zip and unzip are not installed")
def test_the_way_out_of_a_compressed_zip_leads_out(convert, iris_net, tmp_path):
    (tmp_path / "in.pt").write_bytes(rezipped(iris_net, compression=zipfile.ZIP_DEFLATED))
    subprocess.run(["unzip", "-q", "in.pt"], cwd=tmp_path, check=True)
    folder = next(path.name for path in tmp_path.iterdir() if path.is_dir())
    subprocess.run(["zip", "-q", "-0Dr", "new.pt", folder], cwd=tmp_path, check=True)
    convert("new.pt", "out.pt")
    assert_equal(load(tmp_path / "out.pt"), load(tmp_path / "in.pt"))


ODD_VALUES = {
    "a tensor alone": torch.ones(2),
    "a list": [torch.ones(1), 7],
    "nothing": {},
    "a tensor as a key": {torch.ones(1): 1},
    "a Buffer": {"steps": nn.Buffer(torch.ones(2))},
    "a random state": {"rng": torch.get_rng_state()},
    "Lightning's": {
        "epoch": 3,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": {"net.weight": torch.ones(2, 2)},
        "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best_k_models": {}, "kth_value": torch.tensor(0.5)}},
        "lr_schedulers": [{"base_lrs": [0.1], "_get_lr_called_within_step": False}],
        "hyper_parameters": {"lr": 1e-3, "layers": (4, 8), "name": None},
    },
}


@pytest.mark.parametrize("what", ODD_VALUES)
def test_an_odd_value_that_python_reads_is_kept(convert, tmp_path, what):
    torch.save(ODD_VALUES[what], tmp_path / "in.pt")
    convert("in.pt", "out.pt")
    assert repr(load(tmp_path / "out.pt")) == repr(load(tmp_path / "in.pt"))


# --key and --strip-prefix.


def test_a_key_chooses_a_dictionary(convert, fixtures, tmp_path):
    assert convert(fixtures / "two_models.pt", "out.pt", "--key", "netD") == ""
    assert_equal(load(tmp_path / "out.pt"), load(fixtures / "two_models.pt")["netD"])


def test_a_key_may_lead_through_several_dictionaries(convert, fixtures, tmp_path):
    convert(fixtures / "checkpoint.pt", "out.pt", "--key", "optimizer_state_dict.state")
    assert list(load(tmp_path / "out.pt")) == list(load(fixtures / "checkpoint.pt")["optimizer_state_dict"]["state"])


def test_an_unknown_key_is_answered_with_those_there_are(failing, fixtures):
    path = fixtures / "two_models.pt"
    message = failing(path, "out.pt", "--key", "netQ")
    assert message == f'{path}: there is no dictionary "netQ" in it; there are: netG, netD (--key)'


def test_a_key_of_torchscript_is_wrong_usage(failing, fixtures):
    message = failing(fixtures / "scripted.pt", "out.pt", "--key", "model", status=2)
    assert message == "--key is for checkpoints; this is an archive of one module"


def test_a_prefix_is_dropped_from_names_and_metadata(convert, fixtures, iris_net, tmp_path):
    assert convert(fixtures / "data_parallel.pt", "out.pt", "--strip-prefix", "module.") == ""
    ours, plain = load(tmp_path / "out.pt"), load(iris_net)
    assert_equal(ours, plain)
    assert ours._metadata == plain._metadata
    assert list(ours._metadata) == list(plain._metadata)


def test_a_prefix_is_dropped_within_a_key(convert, tmp_path):
    wrapped = nn.DataParallel(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    torch.save({"epoch": 1, "model": wrapped.state_dict()}, tmp_path / "in.pt")
    convert("in.pt", "out.pt", "--key", "model", "--strip-prefix", "module.")
    ours = load(tmp_path / "out.pt")
    assert_equal(ours, wrapped.module.state_dict())
    assert ours._metadata == wrapped.module.state_dict()._metadata
    convert("in.pt", "all.pt", "--strip-prefix", "module.")
    assert load(tmp_path / "all.pt")["epoch"] == 1
    assert_equal(load(tmp_path / "all.pt")["model"], ours)


def test_names_without_the_prefix_stay(convert, tmp_path):
    torch.save({"a.x": torch.ones(1), "b.a.x": torch.zeros(1)}, tmp_path / "in.pt")
    convert("in.pt", "out.pt", "--strip-prefix", "a.")
    assert list(load(tmp_path / "out.pt")) == ["x", "b.a.x"]


def test_a_prefix_that_no_name_has_is_told(failing, iris_net):
    message = failing(iris_net, "out.pt", "--strip-prefix", "module.")
    assert message == f'{iris_net}: no name begins with "module."; iris inspect shows them'


def test_two_names_that_would_be_one_are_told(failing, tmp_path):
    torch.save({"a.x": torch.ones(1), "x": torch.zeros(1)}, tmp_path / "in.pt")
    message = failing("in.pt", "out.pt", "--strip-prefix", "a.")
    assert message == 'in.pt: without the prefix, two entries have the name "x"'


# safetensors.


def test_safetensors_take_the_model_of_a_checkpoint_and_tell_what_they_leave(convert, fixtures, tmp_path):
    told = convert(fixtures / "checkpoint.pt", "out.safetensors")
    assert told == (
        "iris: written: model_state_dict\n"
        "iris: left out, as safetensors holds one dictionary of tensors: epoch, optimizer_state_dict, loss\n"
    )
    ours, theirs = load_safetensors(tmp_path / "out.safetensors"), load(fixtures / "checkpoint.pt")
    assert_equal(dict(sorted(ours.items())), dict(sorted(theirs["model_state_dict"].items())))


def test_what_a_key_leaves_out_is_not_told(convert, fixtures):
    assert convert(fixtures / "checkpoint.pt", "out.safetensors", "--key", "model_state_dict") == ""


def test_safetensors_lie_aligned_for_their_dtypes_and_else_in_order(convert, tmp_path):
    tensors = {"flag": torch.tensor(True), "w": torch.ones(3), "half": torch.ones(1).half(), "b": torch.ones(1)}
    torch.save(tensors, tmp_path / "in.pt")
    convert("in.pt", "out.safetensors")
    content = (tmp_path / "out.safetensors").read_bytes()
    header_size = int.from_bytes(content[:8], "little")
    assert header_size % 8 == 0
    assert list(json.loads(content[8 : 8 + header_size])) == ["__metadata__", "w", "b", "half", "flag"]


def test_several_state_dicts_need_a_key_to_become_safetensors(failing, fixtures):
    path = fixtures / "two_models.pt"
    assert failing(path, "out.safetensors") == f"{path}: holds several state_dicts: netG, netD (--key)"


ONE = torch.ones(1)
UNSAFE = {
    "complex128": ({"w": ONE.to(torch.complex128)}, 'tensor "w": safetensors has no dtype complex128; write a .pt'),
    "the format's own name": ({"__metadata__": ONE}, 'tensor "__metadata__": safetensors keeps this name .*'),
    "a huge expansion": ({"w": ONE.expand(1 << 40)}, r'tensor "w": its shape .* is far larger than its data, .*'),
    "one name twice": ({"a.0": ONE, "a": [ONE]}, 'two tensors have the name "a.0"'),
}


@pytest.mark.parametrize("what", UNSAFE)
def test_what_safetensors_cannot_hold_is_refused_and_a_pt_holds_it(failing, convert, tmp_path, what):
    value, message = UNSAFE[what]
    torch.save(value, tmp_path / "in.pt")
    assert re.fullmatch(f"in.pt: {message}", failing("in.pt", "out.safetensors"))
    convert("in.pt", "out.pt")
    assert list(load(tmp_path / "out.pt")) == list(value)


# The command.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "IN is required\nSee: iris convert --help"),
        (["in.pt"], "OUT is required\nSee: iris convert --help"),
        (["in.pt", "out.bin"], "out.bin: its extension does not say what to write; use .pt, .pth or .safetensors"),
        (["in.pt", "out"], "out: its extension does not say what to write; use .pt, .pth or .safetensors"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_read(failing, arguments, message):
    assert failing(*arguments, status=2) == message


def test_a_frozen_torchscript_is_refused(failing, fixtures):
    message = "is a frozen TorchScript: its tensors are constants of its code and have lost their names"
    assert failing(fixtures / "frozen.pt", "out.pt").startswith(f"{fixtures / 'frozen.pt'}: {message}")
