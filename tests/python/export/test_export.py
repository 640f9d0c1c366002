"""python_export/export.py, as a user runs it; and the fixtures that its functions make."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from iris_export.export import example_flowers, load_iris_net
from iris_export.export_formats import verify
from iris_export.export_torchscript import make_torchscript
from iris_export.flowers import read_flowers
from iris_export.iris_net import IrisNet
from iris_export.model_file import InputError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

IRIS_JSON = (
    '{"name":"iris","features":["sepal_length","sepal_width","petal_length","petal_width"],'
    '"labels":["setosa","versicolor","virginica"]}'
)


def load(path_or_bytes: Path | bytes) -> tuple[torch.jit.ScriptModule, str]:
    """The TorchScript module, and what its iris.json holds."""
    file = io.BytesIO(path_or_bytes if isinstance(path_or_bytes, bytes) else path_or_bytes.read_bytes())
    extra_files = {"iris.json": ""}
    module = torch.jit.load(file, _extra_files=extra_files)
    return module, extra_files["iris.json"].decode()


def message_for(path: Path, hidden: int | None = None) -> str:
    with pytest.raises(InputError) as error:
        load_iris_net(path, hidden)
    return str(error.value).removeprefix(f"{path}: ")


@pytest.fixture(scope="module")
def model(repo):
    return load_iris_net(repo / "models/iris_net.pt")


@pytest.fixture(scope="module")
def features(repo):
    return read_flowers(repo / "data/iris.csv").features


def test_the_shipped_export_is_what_its_command_makes(repo, python_export, tmp_path):
    out = tmp_path / "iris_net.ts.pt"
    result = python_export("export.py", repo / "models/iris_net.pt", "-o", out)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"Wrote {out} (torchscript)\nMax abs difference from the module: 0\n"
    assert result.stderr == ""
    assert out.read_bytes() == (repo / "models/iris_net.ts.pt").read_bytes()


def test_the_shipped_export_says_what_it_is(repo):
    module, text = load(repo / "models/iris_net.ts.pt")
    assert text == IRIS_JSON
    assert not module.training


@torch.no_grad()
def test_the_shipped_export_equals_the_module_on_all_150_flowers(repo, model, features):
    module, _ = load(repo / "models/iris_net.ts.pt")
    torch.testing.assert_close(module(features), model(features), rtol=0, atol=1e-6)


@torch.no_grad()
def test_the_tutorials_flower_is_a_setosa(model):
    assert model(torch.tensor([[5.1, 3.5, 1.4, 0.2]])).argmax(dim=1).item() == 0


@torch.no_grad()
@pytest.mark.parametrize("method", ["script", "trace"])
def test_an_export_takes_any_number_of_rows(model, features, method):
    module, text = load(make_torchscript(model, example_flowers(), IRIS_JSON, method))
    assert text == IRIS_JSON
    for rows in (0, 1, 3, 150):
        torch.testing.assert_close(module(features[:rows]), model(features[:rows]), rtol=0, atol=1e-6)


def test_an_export_does_not_hold_this_machines_paths(repo):
    reader = torch._C.PyTorchFileReader(str(repo / "models/iris_net.ts.pt"))
    for name in reader.get_all_records():
        assert not name.endswith(".debug_pkl")
        assert str(repo).encode() not in reader.get_record(name)


def test_an_export_that_computes_something_else_is_not_written(model):
    other = make_torchscript(IrisNet().eval(), example_flowers(), IRIS_JSON)
    with pytest.raises(InputError, match="^the export does not compute what the module does: max abs difference "):
        verify(model, example_flowers(), "torchscript", other)


def test_the_hidden_width_is_that_of_the_file(repo, in_process, tmp_path):
    out = tmp_path / "wide.ts.pt"
    result = in_process("export.py", repo / "tests/fixtures/wide_hidden.pt", "-o", out, "--method", "trace")
    assert result.returncode == 0, result.stderr
    assert tuple(load(out)[0].fc1.weight.shape) == (32, 4)


def test_another_width_than_the_one_asked_for_is_told_with_both_shapes(repo):
    message = message_for(repo / "tests/fixtures/wide_hidden.pt", hidden=16)
    assert message.startswith("does not fit IrisNet with 16 hidden units: size mismatch for fc1.weight: ")
    assert "torch.Size([32, 4])" in message and "torch.Size([16, 4])" in message
    assert "\n" not in message


def test_a_whole_pickled_model_is_refused_without_being_run(repo):
    assert message_for(repo / "tests/fixtures/whole_model.pt") == (
        "not a state_dict; save one with torch.save(model.state_dict(), FILE)"
    )


def test_a_torchscript_file_is_told_for_what_it_is(repo):
    message = message_for(repo / "models/iris_net.ts.pt")
    assert message == "is TorchScript already; give the state_dict that train.py wrote"


def test_what_is_not_of_an_iris_net_is_told(tmp_path):
    torch.save({"state_dict": {"weight": torch.ones(2)}}, tmp_path / "other.pt")
    assert message_for(tmp_path / "other.pt") == "not the state_dict of an IrisNet: no tensor fc1.weight"


def test_every_missing_and_unexpected_key_is_named(tmp_path):
    path = tmp_path / "model.pt"
    state_dict = IrisNet().state_dict()
    state_dict["fc3.bias"] = state_dict.pop("fc1.bias")
    torch.save(state_dict, path)
    message = message_for(path)
    assert 'Missing key(s) in state_dict: "fc1.bias"' in message
    assert 'Unexpected key(s) in state_dict: "fc3.bias"' in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x02."])
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    message = message_for(path)
    assert message and "\n" not in message and len(message) < 200


def test_a_model_cut_short_is_refused_in_one_line(repo, tmp_path):
    path = tmp_path / "model.pt"
    content = (repo / "models/iris_net.pt").read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        assert "\n" not in message_for(path)


def test_an_error_is_one_line_on_stderr_with_exit_status_1(in_process, tmp_path):
    result = in_process("export.py", "none.pt", "-o", "out.pt", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "export.py: error: none.pt: No such file or directory\n"
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_finite_are_not_exported(in_process, tmp_path):
    state_dict = IrisNet().state_dict()
    state_dict["fc2.bias"][1] = float("nan")
    torch.save(state_dict, tmp_path / "model.pt")
    result = in_process("export.py", "model.pt", "-o", "out.pt", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == "export.py: error: model.pt: holds weights that are not finite; train it again\n"
    assert not (tmp_path / "out.pt").exists()


def test_wrong_usage_exits_2(in_process, tmp_path):
    result = in_process("export.py", "model.pt", "-o", "out.pt", "--format", "tflite", cwd=tmp_path)
    assert result.returncode == 2
    assert "argument --format: invalid choice: 'tflite'" in result.stderr


def test_the_fixtures_are_what_their_script_makes(repo, tmp_path):
    shipped = repo / "tests/fixtures"
    subprocess.run([sys.executable, shipped / "make_fixtures.py", tmp_path], check=True, timeout=60)
    golden = json.loads((tmp_path / "golden.json").read_text())
    expected = json.loads((shipped / "golden.json").read_text())
    assert list(golden) == list(expected)
    for name, values in expected.items():
        if "logits" in values:
            actual = torch.tensor(golden[name]["logits"])
            torch.testing.assert_close(actual, torch.tensor(values["logits"]), rtol=1e-5, atol=1e-5)
        else:
            assert golden[name] == values
    # Not byte for byte: the last bits of what is computed depend on the processor.
    made = {path.name: path.stat().st_size for path in tmp_path.glob("*.pt")}
    assert made == {path.name: path.stat().st_size for path in shipped.glob("*.pt")}


@pytest.mark.parametrize(
    "wrap, options",
    [
        (lambda state: {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": {"state": {}}}, []),
        (lambda state: {f"module.{name}": value for name, value in state.items()}, []),
        (lambda state: {"state_dict": {f"module._orig_mod.{name}": value for name, value in state.items()}}, []),
        (lambda state: {"net": state, "ema": {"fc1.weight": torch.zeros(2, 2)}}, ["--key", "net"]),
        (lambda state: [state, {"lr": 0.1}], []),
    ],
)
def test_checkpoints_and_prefixes_are_read_as_iris_reads_them(repo, python_export, tmp_path, wrap, options):
    state = torch.load(repo / "models/iris_net.pt", weights_only=True)
    torch.save(wrap(dict(state)), tmp_path / "checkpoint.pt")
    result = python_export("export.py", tmp_path / "checkpoint.pt", "-o", tmp_path / "model.ts.pt", *options)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "model.ts.pt").read_bytes() == (repo / "models/iris_net.ts.pt").read_bytes()


def test_several_dictionaries_are_named(repo, python_export, tmp_path):
    state = dict(torch.load(repo / "models/iris_net.pt", weights_only=True))
    torch.save({"net": state, "ema": state}, tmp_path / "two.pt")
    result = python_export("export.py", tmp_path / "two.pt", "-o", tmp_path / "model.ts.pt")
    assert result.returncode == 1
    assert result.stderr == (
        f"export.py: error: {tmp_path}/two.pt: holds several dictionaries of tensors; there are: net, ema (--key)\n"
    )
