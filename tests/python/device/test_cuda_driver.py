"""What a user is told if CUDA does not start: a CUDA build of LibTorch, with a library in place of the driver."""

import os
import subprocess

import pytest

SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
OLD = "the NVIDIA driver is too old for this LibTorch: it knows CUDA up to 11.4"

# Loaded before the CUDA runtime's own. https://docs.nvidia.com/cuda/cuda-runtime-api: 35 cudaErrorInsufficientDriver,
# 100 cudaErrorNoDevice, 999 cudaErrorUnknown; version 11040 is CUDA 11.4.
DRIVER = r"""
#include <cstdlib>
static int number(const char* name) { return std::getenv(name) ? std::atoi(std::getenv(name)) : 0; }
extern "C" int cudaGetDeviceCount(int* count) { *count = number("CUDA_COUNT"); return number("CUDA_ERROR"); }
extern "C" int cudaDriverGetVersion(int* version) { *version = number("CUDA_DRIVER"); return 0; }
"""


@pytest.fixture(scope="module")
def with_driver(iris, tmp_path_factory):
    """with_driver(error=…, version=…, count=…): the environment in which the CUDA runtime says that."""
    version = iris("--version").stdout
    if "CUDA build" not in version:
        pytest.skip(f"needs a CUDA build of LibTorch; this is {version.strip()}")
    folder = tmp_path_factory.mktemp("driver")
    (folder / "driver.cpp").write_text(DRIVER)
    compiler = os.environ.get("CXX", "g++")
    subprocess.run([compiler, "-shared", "-fPIC", "driver.cpp", "-o", "driver.so"], cwd=folder, check=True)

    def environment(error=0, version=0, count=0):
        numbers = {"CUDA_ERROR": error, "CUDA_DRIVER": version, "CUDA_COUNT": count, "CUDA_VISIBLE_DEVICES": ""}
        return {"LD_PRELOAD": str(folder / "driver.so"), **{name: str(value) for name, value in numbers.items()}}

    return environment


@pytest.mark.parametrize(
    ("state", "device", "message"),
    [
        (
            {"error": 35},
            "cuda",
            "CUDA finds no NVIDIA driver on this machine; install one, or use the CPU (--device cpu)",
        ),
        (
            {"error": 35, "version": 11040},
            "cuda:0",
            f"{OLD}; update it, build iris with a LibTorch for CUDA 11.4, or use the CPU (--device cpu)",
        ),
        (
            {"error": 100, "version": 13000},
            "cuda",
            "the NVIDIA driver shows no GPU; see nvidia-smi and CUDA_VISIBLE_DEVICES, or use the CPU (--device cpu)",
        ),
        ({"count": 1}, "cuda:1", "there is no such device; there is cuda:0 only"),
        ({"count": 2}, "cuda:7", "there is no such device; there are cuda:0 to cuda:1"),
    ],
)
def test_each_reason_has_its_message(iris, repo, with_driver, state, device, message):
    result = iris("predict", repo / "models/iris_net.pt", *SAMPLE, "--device", device, env=with_driver(**state))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"iris: error: device {device}: {message}\n"


def test_libtorchs_own_words_for_the_rest(iris, repo, with_driver):
    result = iris("predict", repo / "models/iris_net.pt", *SAMPLE, "--device", "cuda", env=with_driver(error=999))
    assert result.returncode == 1
    assert result.stderr.startswith("iris: error: device cuda: CUDA does not start: CUDA unknown error")
    assert result.stderr.endswith("; see nvidia-smi, or use the CPU (--device cpu)\n")
    assert result.stderr.count("\n") == 1


def test_a_device_that_is_there_and_does_not_start(iris, repo, with_driver):
    model = repo / "models/iris_net.pt"
    result = iris("predict", model, *SAMPLE, "--device", "cuda:1", env=with_driver(count=2))
    assert result.returncode == 1
    assert result.stderr.startswith("iris: error: device cuda:1: cuda:1 does not start: CUDA error: ")
    assert result.stderr.endswith("; use another device, or the CPU (--device cpu)\n")
    assert result.stderr.count("\n") == 1
    result = iris("predict", model, *SAMPLE, env=with_driver(count=2))
    assert (result.returncode, result.stdout) == (0, iris("predict", model, *SAMPLE, "--device", "cpu").stdout)
    assert result.stderr.startswith("iris: CUDA cannot be used, so the CPU is: cuda:0 does not start: CUDA error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["predict", "rows", "evaluate", "train", "serve"])
def test_every_verb_tells_it(iris, repo, tmp_path, with_driver, verb):
    model, data = repo / "models/iris_net.pt", repo / "data/iris.csv"
    command = {
        "predict": ["predict", model, *SAMPLE],
        "rows": ["predict", model, "-i", data],
        "evaluate": ["evaluate", model, data],
        "train": ["train", data, "-o", tmp_path / "model.pt"],
        "serve": ["serve", model, "--port", "0"],
    }[verb]
    result = iris(*command, "--device", "cuda", env=with_driver(error=35, version=11040))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"iris: error: device cuda: {OLD}; ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("state", "note"),
    [
        ({"error": 35}, ""),  # no driver
        ({"error": 100, "version": 13000}, ""),  # no GPU, or a hidden one
        ({"error": 35, "version": 11040}, f"iris: CUDA cannot be used, so the CPU is: {OLD}\n"),
    ],
)
def test_auto_is_the_cpu_then_with_a_note_where_a_driver_was_meant_to_be_used(iris, repo, with_driver, state, note):
    model = repo / "models/iris_net.pt"
    result = iris("predict", model, *SAMPLE, env=with_driver(**state))
    assert (result.returncode, result.stderr) == (0, note)
    assert result.stdout == iris("predict", model, *SAMPLE, "--device", "cpu").stdout
