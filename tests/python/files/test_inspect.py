"""iris inspect: names and shapes, as Python prints them."""

import json
import zipfile

import pytest
import torch

IRIS_NET = "fc1.weight (16, 4)\nfc1.bias (16,)\nfc2.weight (3, 16)\nfc2.bias (3,)\n"


@pytest.mark.parametrize(
    "path, summary",
    [
        ("models/iris_net.pt", "state_dict (zip), 4 tensors, 131 parameters, 524 bytes"),
        ("tests/fixtures/plain_dict.pt", "state_dict (zip), 4 tensors, 131 parameters, 524 bytes"),
        ("tests/fixtures/legacy.pt", "state_dict (legacy), 4 tensors, 131 parameters, 524 bytes"),
    ],
)
def test_names_and_shapes_go_to_stdout_and_a_summary_to_stderr(iris, repo, path, summary):
    result = iris("inspect", repo / path)
    assert (result.returncode, result.stdout) == (0, IRIS_NET)
    assert result.stderr == f"{repo / path}: {summary}\n"


NAMES = {
    "name": "iris",
    "features": ["sepal_length", "sepal_width", "petal_length", "petal_width"],
    "labels": ["setosa", "versicolor", "virginica"],
}


def test_torchscript_s_own_names_are_shown(iris, repo):
    path = repo / "models/iris_net.ts.pt"
    result = iris("inspect", path)
    assert (result.returncode, result.stdout) == (0, IRIS_NET)
    assert result.stderr == (
        f"{path}: torchscript (zip), 4 tensors, 131 parameters, 524 bytes\n"
        "  name: iris\n"
        '  features: ["sepal_length","sepal_width","petal_length","petal_width"]\n'
        '  labels: ["setosa","versicolor","virginica"]\n'
    )
    assert json.loads(iris("inspect", path, "--json").stdout)["entries"] == NAMES


def test_torchscript_without_names_has_none_to_show(iris, repo):
    result = iris("inspect", repo / "tests/fixtures/no_names.pt")
    assert (result.returncode, result.stderr.count("\n")) == (0, 1)
    assert "entries" not in json.loads(iris("inspect", repo / "tests/fixtures/no_names.pt", "--json").stdout)


@pytest.mark.parametrize(
    "content, fact",
    [
        (b"not json", "iris.json: is not a JSON object"),
        (b'{"labels":["a","b"', "iris.json: is not a JSON object"),
        (b'{"labels":["\xff","b"]}', "iris.json: is not a JSON object"),
        (b"[1]", "iris.json: is not a JSON object"),
        (b'{"labels":"a"}', "iris.json: labels: is not a list of names"),
        (b'{"features":["a",{}]}', "iris.json: features: is not a list of names"),
        (b'{"labels":["a","a"]}', 'iris.json: labels: has "a" twice'),
        (b'{"more":' + 10**6 * b"[" + 10**6 * b"]" + b"}", "iris.json: is nested more than 100 levels deep"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_names_that_are_damaged_are_told_of_as_predict_does(iris, repo, tmp_path, content, fact):
    path = with_names(repo, tmp_path / "model.pt", content)
    for command in (["inspect", path], ["inspect", path, "--json"], ["predict", path, 5.1, 3.5, 1.4, 0.2]):
        result = iris(*command)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == f"iris: error: {path}: {fact}\n"


def test_bytes_of_the_names_that_changed_are_told_of_as_predict_does(iris, repo, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes((repo / "models/iris_net.ts.pt").read_bytes().replace(b'"setosa"', b'"SETOSA"'))
    for command in (["inspect", path], ["predict", path, 5.1, 3.5, 1.4, 0.2]):
        fact = 'zip entry "archive/extra/iris.json": its CRC is wrong; the file is damaged'
        assert iris(*command).stderr == f"iris: error: {path}: {fact}\n"


def test_names_cannot_write_to_the_terminal_from_iris_json(iris, repo, tmp_path):
    path = with_names(repo, tmp_path / "model.pt", b'{"name":"\\u001b[31m","labels":["\\u001b[31m"],"more":{"b":[1]}}')
    assert iris("inspect", path).stderr.endswith('  name: \\x1b[31m\n  labels: ["\\u001b[31m"]\n  more: {"b":[1]}\n')
    assert json.loads(iris("inspect", path, "--json").stdout)["entries"]["labels"] == ["\x1b[31m"]


def with_names(repo, path, content: bytes):
    """IrisNet as TorchScript, with that iris.json."""
    with zipfile.ZipFile(repo / "models/iris_net.ts.pt") as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            name = entry.filename
            target.writestr(name, content if name.endswith("/iris.json") else source.read(name))
    return path


def test_prefixes_are_shown_as_they_are(iris, repo):
    assert iris("inspect", repo / "tests/fixtures/data_parallel.pt").stdout == "".join(
        f"module.{line}\n" for line in IRIS_NET.splitlines()
    )
    assert iris("inspect", repo / "tests/fixtures/compiled.pt").stdout.startswith("_orig_mod.fc1.weight (16, 4)\n")


def test_a_checkpoint_s_model_is_shown_and_its_other_entries_listed(iris, repo):
    result = iris("inspect", repo / "tests/fixtures/checkpoint.pt")
    assert result.stdout == IRIS_NET
    lines = result.stderr.splitlines()
    assert "checkpoint (zip)" in lines[0] and "model_state_dict" in lines[0]
    assert lines[1:] == ["  epoch: 10", "  optimizer_state_dict: dict of 2 entries", "  loss: 0.25"]


def test_key_chooses_what_is_shown(iris, repo):
    result = iris("inspect", repo / "tests/fixtures/two_models.pt", "--key", "netD")
    assert result.stdout == IRIS_NET


def test_several_models_are_all_shown(iris, repo):
    result = iris("inspect", repo / "tests/fixtures/two_models.pt")
    assert result.returncode == 0
    assert [line.split(".")[0] for line in result.stdout.splitlines()] == ["netG"] * 4 + ["netD"] * 4


def test_a_key_that_is_not_there_is_an_error(iris, repo):
    path = repo / "tests/fixtures/two_models.pt"
    result = iris("inspect", path, "--key", "netX")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f'iris: error: {path}: there is no dictionary "netX" in it; there are: netG, netD (--key)\n'


@pytest.mark.parametrize(
    "path, kind, container",
    [
        ("models/iris_net.pt", "state_dict", "zip"),
        ("models/iris_net.ts.pt", "torchscript", "zip"),
        ("tests/fixtures/legacy.pt", "state_dict", "legacy"),
        ("tests/fixtures/checkpoint.pt", "checkpoint", "zip"),
        ("tests/fixtures/two_models.pt", "checkpoint", "zip"),
        ("tests/fixtures/train_mode.pt", "torchscript", "zip"),
    ],
)
def test_json_tells_kind_and_container(iris, repo, path, kind, container):
    result = iris("inspect", repo / path, "--json")
    assert result.stdout.count("\n") == 1
    told = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert (told["file"], told["kind"], told["container"]) == (str(repo / path), kind, container)


def test_json_lists_the_tensors_in_order(iris, repo):
    told = json.loads(iris("inspect", repo / "models/iris_net.pt", "--json").stdout)
    assert told["tensors"] == [
        {"name": "fc1.weight", "shape": [16, 4], "dtype": "float32"},
        {"name": "fc1.bias", "shape": [16], "dtype": "float32"},
        {"name": "fc2.weight", "shape": [3, 16], "dtype": "float32"},
        {"name": "fc2.bias", "shape": [3], "dtype": "float32"},
    ]
    assert told["parameters"] == 131


@pytest.mark.parametrize("name", ["dtypes.pt", "strided.pt"])
def test_json_tells_python_s_shapes_and_dtypes(iris, repo, name):
    golden = json.loads((repo / "tests/fixtures/golden.json").read_text())[name]["tensors"]
    told = json.loads(iris("inspect", repo / "tests/fixtures" / name, "--json").stdout)["tensors"]
    assert {t["name"]: (t["shape"], t["dtype"]) for t in told} == {
        name: (tensor["shape"], tensor["dtype"]) for name, tensor in golden.items()
    }


def test_json_holds_a_checkpoint_s_other_entries(iris, repo):
    told = json.loads(iris("inspect", repo / "tests/fixtures/checkpoint.pt", "--json").stdout)
    assert told["key"] == "model_state_dict"
    assert told["entries"]["epoch"] == 10 and told["entries"]["loss"] == 0.25
    assert told["entries"]["optimizer_state_dict"]["param_groups"][0]["lr"] == 0.01


def test_odd_values_of_a_checkpoint_are_shown(iris, tmp_path):
    import torch

    checkpoint = {
        "model": {"w": torch.zeros(2)},
        "big": 2**100,
        "small": -(2**63),
        "inf": float("inf"),
        "text": 'quote " and \x1b[31m and ü',
        "bytes": b"\x00\xff",
        "tuple": (1, None, True),
        "size": torch.Size([2, 3]),
        "dtype": torch.float16,
        "device": torch.device("cuda", 1),
        "set": {1},
        "complex": 1 + 2j,
        "empty": {},
        7: "an integer key",
    }
    torch.save(checkpoint, tmp_path / "odd.pt")
    told = json.loads(iris("inspect", tmp_path / "odd.pt", "--json").stdout)["entries"]
    assert told["small"] == -(2**63)
    assert told["text"] == checkpoint["text"]
    assert told["tuple"] == [1, None, True]
    assert told["empty"] == {}
    assert (told["size"], told["dtype"], told["device"]) == ([2, 3], "torch.float16", "torch.device(cuda, 1)")
    assert told["7"] == "an integer key"
    assert len(told) == len(checkpoint) - 1
    result = iris("inspect", tmp_path / "odd.pt")
    assert result.stdout == "w (2,)\n"
    assert "\x1b" not in result.stderr
    assert "  size: torch.Size((2, 3))\n" in result.stderr


def test_names_cannot_write_to_the_terminal(iris, tmp_path):
    import torch

    torch.save({"a\x1b[31m\nb": torch.zeros(1)}, tmp_path / "evil.pt")
    assert iris("inspect", tmp_path / "evil.pt").stdout == "a\\x1b[31m\\x0ab (1,)\n"


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_every_pickle_protocol_is_read(iris, tmp_path, protocol):
    import torch

    torch.save({"model": {"w": torch.zeros(2, 3)}, "epoch": 3}, tmp_path / "file.pt", pickle_protocol=protocol)
    result = iris("inspect", tmp_path / "file.pt")
    assert result.stdout == "w (2, 3)\n", result.stderr


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_every_pickle_protocol_of_the_legacy_container_is_read(iris, tmp_path, protocol):
    import torch

    state_dict = torch.nn.Linear(3, 2).state_dict()
    torch.save(state_dict, tmp_path / "file.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    result = iris("inspect", tmp_path / "file.pt")
    assert result.stdout == "weight (2, 3)\nbias (2,)\n", result.stderr


def test_nested_modules_have_dotted_names(iris, tmp_path):
    import torch
    from torch import nn

    torch.save(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2))).state_dict(), tmp_path / "deep.pt")
    names = [line.split(" ")[0] for line in iris("inspect", tmp_path / "deep.pt").stdout.splitlines()]
    assert names == ["0.weight", "0.bias"] + [
        f"1.0.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    ]


def test_nothing_in_a_file_is_run(iris, tmp_path):
    import pickle
    import zipfile

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "pwned"), "w"))

    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps({"w": Evil()}, protocol=2))
        archive.writestr("model/version", "3\n")
    result = iris("inspect", tmp_path / "evil.pt")
    assert result.returncode == 1
    assert "names io.open, which runs programs: the file is made to attack whoever unpickles it" in result.stderr
    assert not (tmp_path / "pwned").exists()


def test_the_bytes_are_those_of_the_tensors_shown(iris, tmp_path):
    net = torch.nn.Linear(3, 2)
    checkpoint = {"model_state_dict": net.state_dict(), "ema": {"w": torch.zeros(100)}}
    torch.save(checkpoint, tmp_path / "c.pt")
    assert "2 tensors, 8 parameters, 32 bytes" in iris("inspect", tmp_path / "c.pt").stderr
    shown = json.loads(iris("inspect", tmp_path / "c.pt", "--key", "ema", "--json").stdout)
    assert (shown["parameters"], shown["bytes"]) == (100, 400)
