"""No file can make the program crash, hang, take much memory or leave half a result: it gets one clear message."""

import io
import os
import random
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from hostile_files import CASES, Case
from safetensors.torch import save as to_safetensors

MEMORY_KIB = 256 * 1024  # of the program's own, under which all good files of the tests are read
CUDA_LIBRARIES_KIB = 1024 * 1024  # their own data, as they are loaded
TIMEOUT_S = 30  # on a busy machine; by itself none takes more than two seconds
NEVER = ["INTERNAL ASSERT", "Exception raised from", "terminate called", "AddressSanitizer", "runtime error:"]
SAMPLE = 4  # `predict` shares its readers with the two other verbs: one case in so many

Answer = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def bounded(repo) -> Callable[..., Answer]:
    """bounded("inspect", path, …): the program, in little memory and time."""
    binary = Path(os.environ.get("IRIS_BINARY") or repo / "build" / "release" / "iris").absolute()
    needs_cuda = b"libtorch_cuda" in binary.with_name("libiris_torch_verbs.so").read_bytes()
    is_sanitized = b"__asan_init" in binary.read_bytes()  # and maps terabytes

    def run(verb, *args) -> Answer:
        memory = MEMORY_KIB + (CUDA_LIBRARIES_KIB if needs_cuda and verb == "predict" else 0)
        limit = "" if is_sanitized else f"ulimit -d {memory}; "
        return subprocess.run(
            ["sh", "-c", f'{limit}exec "$0" "$@"', binary, verb, *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
        )

    return run


def in_parallel(commands: list[Callable[[], Answer]]) -> list[Answer]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda command: command(), commands))


def assert_refused(answer: Answer, path: Path, message: str) -> None:
    assert answer.returncode == 1, answer
    assert answer.stdout == ""
    assert re.fullmatch(rf"iris: error: {re.escape(str(path))}: {message}\n", answer.stderr), answer.stderr
    assert not any(sign in answer.stderr for sign in NEVER)


def assert_survived(answer: Answer, output: Path) -> None:
    """Read, or refused with one block and nothing left."""
    assert answer.returncode in (0, 1), answer
    assert not any(sign in answer.stderr for sign in NEVER), answer.stderr
    if answer.returncode == 1:
        assert answer.stderr.startswith("iris: error: ") and answer.stderr.count("iris: error: ") == 1
        assert not output.exists()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_a_hostile_file_is_refused_with_one_clear_message(bounded, tmp_path, number):
    case: Case = CASES[number]
    path, output = tmp_path / "hostile.pt", tmp_path / "output.pt"
    path.write_bytes(case.build())
    commands = [("inspect", path), ("convert", path, output)]
    if number % SAMPLE == 0:
        commands.append(("predict", path, "5.1", "3.5", "1.4", "0.2"))
    inspected, *others = in_parallel([lambda command=command: bounded(*command) for command in commands])
    if case.only_data:
        assert inspected.returncode == 0
    else:
        assert_refused(inspected, path, case.message)
    for answer in others:
        assert_refused(answer, path, case.message)
    assert list(tmp_path.iterdir()) == [path]


def saved(**options) -> bytes:
    file = io.BytesIO()
    torch.save({"weight": torch.arange(4.0), "epoch": 3}, file, **options)
    return file.getvalue()


GOOD_FILES = {
    "zip": lambda: saved(),
    "legacy": lambda: saved(_use_new_zipfile_serialization=False),
    "safetensors": lambda: to_safetensors({"weight": torch.arange(4.0), "bias": torch.zeros(2)}),
}


def converted(bounded, folder: Path, files: list[bytes]) -> list[tuple[Answer, Path]]:
    def command(number: int) -> Answer:
        path = folder / f"{number}.pt"
        path.write_bytes(files[number])
        return bounded("convert", path, folder / f"{number}.out.pt")

    numbers = range(len(files))
    answers = in_parallel([lambda number=number: command(number) for number in numbers])
    return [(answer, folder / f"{number}.out.pt") for number, answer in zip(numbers, answers, strict=True)]


@pytest.mark.parametrize("container", GOOD_FILES)
def test_a_file_cut_anywhere_is_refused(bounded, tmp_path, container):
    good = GOOD_FILES[container]()
    lengths = sorted({0, 1, 2, 4, 8, 9, 16, 100, *range(30, len(good), len(good) // 12), len(good) - 1})
    for answer, output in converted(bounded, tmp_path, [good[:length] for length in lengths]):
        assert answer.returncode == 1, answer
        assert_survived(answer, output)


@pytest.mark.parametrize("container", GOOD_FILES)
def test_a_changed_byte_does_no_harm(bounded, tmp_path, container):
    """The C++ tests change every byte; here are some, read by the whole program and its result by Python."""
    good = GOOD_FILES[container]()
    choose = random.Random(container)
    files = []
    for place in choose.sample(range(len(good)), 30):
        files.append(good[:place] + bytes([good[place] ^ 1 << choose.randrange(8)]) + good[place + 1 :])
    for answer, output in converted(bounded, tmp_path, files):
        assert_survived(answer, output)
        if answer.returncode == 0:
            torch.load(output, weights_only=True)


def test_a_directory_is_refused(bounded, tmp_path):
    assert_refused(bounded("inspect", tmp_path), tmp_path, "is a directory; name the model file in it")


def test_a_file_that_is_not_there_is_refused(bounded, tmp_path):
    path = tmp_path / "absent.pt"
    assert_refused(bounded("inspect", path), path, "No such file or directory")


def test_what_once_hurt_hurts_no_more(bounded, repo, tmp_path):
    """tests/hostile: files that found a fault, through every verb that reads one."""
    for path in sorted((repo / "tests" / "hostile").iterdir()):
        for extension in ("pt", "safetensors"):
            output = tmp_path / f"{path.name}.{extension}"
            assert_survived(bounded("convert", path, output), output)
        assert_survived(bounded("inspect", path), tmp_path / "none")
        assert_survived(bounded("inspect", "--json", path), tmp_path / "none")
        answer = bounded("inspect", path, "--key", "none")
        assert answer.returncode in (1, 2) and "memory is exhausted" not in answer.stderr
