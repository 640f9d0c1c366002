"""What the Python tests share: the repository, and the commands as a user runs them."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "support"), str(HERE.parent.parent / "python_export")]

from commands import REPO, run  # noqa: E402

from iris_export import model_file  # noqa: E402


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the repository."""
    return REPO


@pytest.fixture(scope="session")
def iris() -> Callable[..., subprocess.CompletedProcess]:
    """iris(*args, input=None, cwd=None, env=None): runs the built program; `env` is added to the environment.

    The program is $IRIS_BINARY, else build/release/iris; without it the test fails.
    """
    binary = Path(os.environ.get("IRIS_BINARY") or REPO / "build" / "release" / "iris").absolute()

    def call(*args, input=None, cwd=None, env=None) -> subprocess.CompletedProcess:
        if not binary.is_file():
            pytest.fail(f"{binary} is not there: build it with script/build, or name another in IRIS_BINARY")
        environment = {**os.environ, **(env or {})}
        # Without an input, stdin is empty: no test may wait for the terminal.
        return run([str(binary), *map(str, args)], input=input or "", cwd=cwd, env=environment)

    return call


@pytest.fixture(scope="session")
def python_export() -> Callable[..., subprocess.CompletedProcess]:
    """python_export("train.py", *args): runs a script of python_export in a process of its own."""

    def call(script: str, *args) -> subprocess.CompletedProcess:
        return run([sys.executable, str(REPO / "python_export" / script), *map(str, args)])

    return call


@pytest.fixture
def in_process(capsys, monkeypatch) -> Callable[..., subprocess.CompletedProcess]:
    """in_process("train.py", *args, cwd=None): the same in this process, without importing torch again."""

    def call(script: str, *args, cwd=None) -> subprocess.CompletedProcess:
        module = importlib.import_module("iris_export." + script.removesuffix(".py"))
        monkeypatch.setattr(sys, "argv", [script, *map(str, args)])
        if cwd is not None:
            monkeypatch.chdir(cwd)
        try:
            status = model_file.run_command(module.parser(), module.run)
        except SystemExit as left:
            status = left.code
        return subprocess.CompletedProcess(sys.argv, status, *capsys.readouterr())

    return call


@pytest.fixture
def train(in_process, tmp_path):
    """train(*args): train.py on the iris data, six epochs unless told otherwise, in tmp_path."""

    def call(*args, output="model.pt", epochs=6):
        length = () if epochs is None else ("--epochs", epochs)
        return in_process("train.py", REPO / "data/iris.csv", "-o", output, "-q", *length, *args, cwd=tmp_path)

    return call


@pytest.fixture(scope="session")
def binary() -> str:
    """The built program's path, as `iris` runs it."""
    return os.path.abspath(os.environ.get("IRIS_BINARY") or REPO / "build/release/iris")


@pytest.fixture
def start(binary) -> Iterator[Callable[..., subprocess.Popen]]:
    """start(*args): the running program, with pipes for stdin, stdout and stderr; killed at the end of the test."""
    started = []

    def call(*args, **options):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        started.append(subprocess.Popen([binary, *map(str, args)], bufsize=0, **pipes))
        return started[-1]

    yield call
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for end in (process.stdin, process.stdout, process.stderr):
            if end is not None:
                end.close()


@pytest.fixture(scope="module")
def serve(binary, repo):
    """serve(*options, model=…): a running server (serving.Server), ended with the module's tests."""
    from serving import Server

    servers = []

    def call(*options, model=repo / "models/iris_net.pt", **popen):
        servers.append(Server(binary, model, *options, **popen))
        return servers[-1]

    yield call
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def server(serve):
    """A running server with the default options."""
    return serve()


@pytest.fixture(scope="session")
def followed(binary, tmp_path_factory):
    """followed("docs/guide.md"): a document, followed once (documents.Followed)."""
    import documents

    done = {}

    def call(document: str) -> documents.Followed:
        if document not in done:
            folder = tmp_path_factory.mktemp("document") / "iris"
            documents.copy_repository(REPO, folder, Path(binary).resolve().parent)
            programs = folder.parent / "bin"
            programs.mkdir()
            (programs / "iris").symlink_to(binary)
            path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
            done[document] = documents.follow(document, folder, path)
        return done[document]

    return call
