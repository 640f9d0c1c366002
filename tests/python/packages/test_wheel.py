"""`pip wheel .`, and what the wheel installs into a new environment."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

TORCH = Path(torch.__file__).parent


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=1200, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def wheel(repo, binary, tmp_path_factory):
    """The wheel, built with the torch and the tools of this environment, and with the compiler's cache."""
    if b"__asan_init" in Path(binary).read_bytes():
        pytest.skip("a sanitized build is not packaged")
    where = tmp_path_factory.mktemp("wheel")
    options = ["build-dir=build/wheel"]
    cache = (Path(binary).parent / "CMakeCache.txt").read_text()
    environment = {name: value for name, value in os.environ.items() if name != "IRIS_TORCH_DIR"}
    if "IRIS_WARNINGS_AS_ERRORS:BOOL=ON" in cache:
        options.append("cmake.define.IRIS_WARNINGS_AS_ERRORS=ON")
    if shutil.which("ccache"):  # as in script/build
        environment |= {
            "CMAKE_CXX_COMPILER_LAUNCHER": "ccache",
            "CXXFLAGS": "-fpch-preprocess",
            "CCACHE_SLOPPINESS": "pch_defines,time_macros,include_file_mtime,include_file_ctime",
        }
    settings = [f"--config-settings={option}" for option in options]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "wheel", repo, "--no-deps", "--no-build-isolation", "-w", where, *settings, cwd=where, env=environment)
    return next(where.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A new environment with the wheel, and the torch of this one."""
    where = tmp_path_factory.mktemp("fresh") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", where)
    packages = next(where.glob("lib/python3*/site-packages"))
    (packages / "torch").symlink_to(TORCH)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", where / "bin/python"]
    run(*pip, "install", "--no-deps", "--no-index", wheel)
    return where


def test_the_tag_and_the_requirements_are_those_of_a_program(wheel, repo):
    version = re.search(r"project\(iris VERSION ([\d.]+)", (repo / "CMakeLists.txt").read_text())[1]
    assert re.fullmatch(rf"iris-{re.escape(version)}-py3-none-linux_\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"iris-{version}.dist-info/METADATA").decode()
        names = archive.namelist()
        for name in names:
            assert str(repo).encode() not in archive.read(name), name
    assert f"Requires-Dist: torch=={torch.__version__.partition('+')[0]}\n" in metadata
    assert not [name for name in names if name.endswith((".a", ".h", ".cmake"))]


def test_the_build_requirement_is_the_torch_that_the_tests_have(repo):
    """The pin of script/setup and that of pyproject.toml."""
    pinned = re.findall(r"torch==[\d.]+", (repo / "python_export/requirements.txt").read_text())
    assert re.findall(r"torch==[\d.]+", (repo / "pyproject.toml").read_text()) == pinned


def test_the_program_runs_beside_the_torch_of_its_environment(environment, repo):
    """Started by its path, from another folder; no environment is activated."""
    result = subprocess.run(
        [environment / "bin/iris", "predict", repo / "models/iris_net.pt", "5.1", "3.5", "1.4", "0.2"],
        capture_output=True, text=True, cwd="/", env={"PATH": "/nowhere"},
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Prediction: setosa\n")


def test_the_manual_and_the_completions_are_there(environment):
    for file in ("man/man1/iris.1", "bash-completion/completions/iris", "zsh/site-functions/_iris"):
        assert (environment / "share" / file).stat().st_size > 0


def test_it_leaves_nothing_behind(environment):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", environment / "bin/python"]
    run(*pip, "uninstall", "-y", "iris")
    left = [path for path in environment.rglob("*") if "iris" in path.name and not path.is_dir()]
    assert left == []
