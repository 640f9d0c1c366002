"""examples/state_dict against the installed library, built and run as its reader would."""

import os
import subprocess
from pathlib import Path

import pytest
import torch


class Net(torch.nn.Module):
    """The model of examples/state_dict/main.cpp."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv1d(2, 4, 3)
        self.norm = torch.nn.BatchNorm1d(4)
        self.lstm = torch.nn.LSTM(4, 5)

    def forward(self, signal):
        return self.lstm(self.norm(self.conv(signal)).relu().permute(2, 0, 1))[0]


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def example(tmp_path_factory, repo):
    build = Path(os.environ.get("IRIS_BINARY", repo / "build/release/iris")).resolve().parent
    where = tmp_path_factory.mktemp("package")
    run("cmake", "--install", build, "--prefix", where / "installed")
    options = [f"-DCMAKE_PREFIX_PATH={where / 'installed'}"]
    if b"__asan_init" in (build / "iris").read_bytes():  # a program that links a sanitized library needs its runtime
        options.append("-DCMAKE_CXX_FLAGS=-fsanitize=address,undefined")
    run("cmake", "-G", "Ninja", "-S", repo / "examples/state_dict", "-B", where / "build", *options)
    run("cmake", "--build", where / "build")
    return where


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = Net()
    net(torch.randn(8, 2, 10))  # so that the buffers of the batch norm are not their defaults
    return net.eval()


def run_example(example, *arguments):
    program = example / "build/state_dict_example"
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_the_installed_program_runs(example, repo):
    run(example / "installed/bin/iris", "inspect", repo / "models/iris_net.pt")


def test_a_strangers_module_computes_what_python_computes(example, net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "in.pt")
    result = run_example(example, tmp_path / "in.pt", tmp_path / "out.pt")
    assert result.returncode == 0, result.stderr
    with torch.no_grad():
        assert float(result.stdout) == pytest.approx(float(net(torch.ones(1, 2, 10)).sum()), abs=1e-5)


def test_python_takes_back_what_the_module_wrote(example, net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "in.pt")
    assert run_example(example, tmp_path / "in.pt", tmp_path / "out.pt").returncode == 0
    written = torch.load(tmp_path / "out.pt", weights_only=True)
    assert list(written) == list(net.state_dict())
    assert written._metadata == net.state_dict()._metadata
    assert all(torch.equal(written[name], tensor) for name, tensor in net.state_dict().items())
    Net().load_state_dict(written, strict=True)


def test_a_state_dict_of_another_model_changes_nothing_and_says_why(example, tmp_path):
    torch.save(torch.nn.Linear(2, 3).state_dict(), tmp_path / "in.pt")
    result = run_example(example, tmp_path / "in.pt", tmp_path / "out.pt")
    assert result.returncode == 1
    assert "missing key: conv.weight (4, 2, 3)" in result.stderr
    assert "unexpected key: weight (3, 2)" in result.stderr
    assert not (tmp_path / "out.pt").exists()
