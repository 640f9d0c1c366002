"""The files that iris convert reads and writes: links, pipes, full disks, interrupts."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from hostile_files.build import entries, zip_bytes

TIMEOUT_S = 60


@pytest.fixture
def convert(repo, tmp_path):
    """convert(*arguments, input=bytes or a file) in tmp_path, in bytes."""
    binary = Path(os.environ.get("IRIS_BINARY") or repo / "build" / "release" / "iris").absolute()

    def start(*arguments, **options) -> subprocess.Popen:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([binary, "convert", *arguments], cwd=tmp_path, **{**pipes, **options})

    def run(*arguments, input=None, **options) -> subprocess.CompletedProcess[bytes]:
        if input is not None:
            options["stdin"] = subprocess.PIPE
        with start(*arguments, **options) as process:
            out, err = process.communicate(input, TIMEOUT_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    run.start = start
    run.binary = binary
    return run


@pytest.fixture
def iris_net(repo) -> Path:
    return repo / "models" / "iris_net.pt"


def assert_done(answer: subprocess.CompletedProcess[bytes]) -> None:
    assert (answer.returncode, answer.stderr) == (0, b"")


def assert_refused(answer: subprocess.CompletedProcess[bytes], message: str) -> None:
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr.decode() == f"iris: error: {message}\n"


def names(path: Path) -> list[str]:
    tensors = torch.load(path, weights_only=True)
    return list(tensors)


IRIS_NET = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]


def test_an_output_takes_the_place_of_a_file_and_keeps_its_mode(convert, iris_net, tmp_path):
    (tmp_path / "out.pt").write_bytes(b"old")
    (tmp_path / "out.pt").chmod(0o640)
    assert_done(convert(iris_net, "out.pt"))
    assert names(tmp_path / "out.pt") == IRIS_NET
    assert (tmp_path / "out.pt").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["out.pt"]


def test_a_new_output_has_the_mode_of_any_new_file(convert, iris_net, tmp_path):
    assert_done(convert(iris_net, "out.pt", umask=0o027))
    assert (tmp_path / "out.pt").stat().st_mode & 0o777 == 0o640


def test_a_file_can_be_converted_in_its_own_place(convert, repo, tmp_path):
    (tmp_path / "model.pt").write_bytes((repo / "tests" / "fixtures" / "legacy.pt").read_bytes())
    assert_done(convert("model.pt", "model.pt"))
    assert names(tmp_path / "model.pt") == IRIS_NET


def test_a_link_stays_one_and_its_target_is_replaced(convert, iris_net, tmp_path):
    (tmp_path / "target.pt").write_bytes(b"old")
    (tmp_path / "link.pt").symlink_to("target.pt")
    assert_done(convert(iris_net, "link.pt"))
    assert (tmp_path / "link.pt").is_symlink()
    assert names(tmp_path / "target.pt") == IRIS_NET


@pytest.mark.parametrize("extension", ["pt", "safetensors"])
def test_damage_found_while_writing_leaves_the_old_file(convert, tmp_path, extension):
    damaged = entries()
    damaged[-1].crc = 1
    (tmp_path / "in.pt").write_bytes(zip_bytes(damaged))
    (tmp_path / f"out.{extension}").write_bytes(b"old")
    answer = convert("in.pt", f"out.{extension}")
    assert answer.returncode == 1
    assert answer.stderr.endswith(b"its CRC is wrong; the file is damaged\n")
    assert (tmp_path / f"out.{extension}").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_input_that_is_not_there_is_told(convert):
    assert_refused(convert("absent.pt", "out.pt"), "absent.pt: No such file or directory")


def test_a_folder_that_is_not_there_is_told(convert, iris_net):
    answer = convert(iris_net, "folder/out.pt")
    assert_refused(answer, "folder/out.pt: cannot be created: No such file or directory")


def test_a_directory_is_no_output(convert, iris_net, tmp_path):
    (tmp_path / "dir.pt").mkdir()
    assert_refused(convert(iris_net, "dir.pt"), "dir.pt: cannot be written: Is a directory")


def test_a_full_disk_is_told(convert, iris_net, tmp_path):
    (tmp_path / "full.pt").symlink_to("/dev/full")
    assert_refused(convert(iris_net, "full.pt"), "full.pt: cannot be written: No space left on device")


def test_a_file_size_limit_is_told_and_nothing_is_left(convert, iris_net, tmp_path):
    limited = ["sh", "-c", 'ulimit -f 0; exec "$0" "$@"', convert.binary, "convert", iris_net, "out.pt"]
    answer = subprocess.run(limited, cwd=tmp_path, capture_output=True, timeout=TIMEOUT_S)
    assert answer.returncode == 1
    assert answer.stderr.endswith(b"out.pt: cannot be written: File too large\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["models/iris_net.pt", "tests/fixtures/legacy.pt", "tests/fixtures/scripted.pt"])
def test_standard_input_and_output_are_dashes(convert, repo, tmp_path, source):
    content = (repo / source).read_bytes()
    assert_done(convert(repo / source, "out.pt"))
    for options in ({"stdin": (repo / source).open("rb")}, {"input": content}):
        answer = convert("-", "-", **options)
        assert_done(answer)
        assert answer.stdout == (tmp_path / "out.pt").read_bytes()


def test_what_comes_in_a_pipe_is_named_stdin(convert):
    assert_refused(convert("-", "-", input=b"not a model\n"), "stdin: is a text file, not a model")
    assert_refused(convert("-", "out.pt", input=b""), "stdin: is empty; the download or the save did not finish")


def test_a_reader_that_goes_away_is_no_error(convert, tmp_path):
    torch.save({"weight": torch.zeros(1_000_000)}, tmp_path / "large.pt")
    with convert.start("large.pt", "-") as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_it_waits_leaves_the_old_file_and_nothing_else(convert, iris_net, tmp_path, number):
    (tmp_path / "out.pt").write_bytes(b"old")
    with convert.start("-", "out.pt", stdin=subprocess.PIPE) as process:
        process.stdin.write(iris_net.read_bytes()[:100])
        process.stdin.flush()
        wait_until_it_reads(process.pid)
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == 128 + number
        assert process.stderr.read() == b""
    assert (tmp_path / "out.pt").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.pt"]


def wait_until_it_reads(pid: int) -> None:
    """Asleep for a while: the rest of its input never comes."""
    busy = time.monotonic()
    while time.monotonic() - busy < 0.3:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state != "S":
            busy = time.monotonic()
        time.sleep(0.01)
