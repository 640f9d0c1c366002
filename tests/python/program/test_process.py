"""The program among others: pipes, signals, slow producers."""

import os
import pty
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from commands import peak_mib

ROW = b"5.1,3.5,1.4,0.2\n"
WAIT_S = 30


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


def read_lines(process, count):
    """The next lines of its stdout, or what came before the time was over."""
    text = b""
    deadline = time.monotonic() + WAIT_S
    while text.count(b"\n") < count and time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.1)[0]:
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                break
            text += part
    return text.decode().splitlines()


def test_the_model_may_come_from_stdin(binary, repo, model):
    for name in ["models/iris_net.pt", "models/iris_net.ts.pt"]:
        result = subprocess.run(
            [binary, "predict", "-", "5.1", "3.5", "1.4", "0.2"], input=(repo / name).read_bytes(), capture_output=True
        )
        assert result.stdout.startswith(b"Prediction: setosa\n"), result.stderr
    inspected = subprocess.run([binary, "inspect", "-"], input=model.read_bytes(), capture_output=True)
    assert inspected.stdout.startswith(b"fc1.weight (16, 4)\n")
    assert inspected.stderr.startswith(b"stdin: state_dict")


def test_a_bad_model_from_stdin_is_told_by_that_name(binary):
    result = subprocess.run([binary, "inspect", "-"], input=b"not a model", capture_output=True)
    assert (result.returncode, result.stderr) == (1, b"iris: error: stdin: is a text file, not a model\n")


def test_the_first_rows_come_out_before_the_last_are_read(start, model):
    process = start("predict", model, "-i", "-")
    process.stdin.write(b"sepal_length,sepal_width,petal_length,petal_width\n" + 2 * ROW)
    assert [line.split(",")[0] for line in read_lines(process, 3)] == ["label", "setosa", "setosa"]
    process.stdin.write(ROW)
    assert len(read_lines(process, 1)) == 1
    process.stdin.close()
    assert process.wait(WAIT_S) == 0


def test_a_row_that_comes_in_pieces_is_one_row(start, model):
    process = start("predict", model, "-i", "-")
    for piece in [b"5.", b"1,3.5,1", b".4,0.2\n", b"5.1,3.5,1.4,0.", b"2"]:
        process.stdin.write(piece)
        time.sleep(0.05)
    process.stdin.close()
    assert len(read_lines(process, 10)) == 3
    assert process.wait(WAIT_S) == 0


@pytest.mark.parametrize("verb", ["rows", "inspect", "help"])
def test_a_closed_pipe_ends_quietly(binary, repo, model, tmp_path, verb):
    (tmp_path / "rows.csv").write_bytes(200_000 * ROW)
    command = {
        "rows": f"'{binary}' predict '{model}' -i '{tmp_path}/rows.csv'",
        "inspect": f"'{binary}' inspect '{model}'",
        "help": f"'{binary}' --help",
    }[verb]
    result = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} 2>'{tmp_path}/stderr' | head -1"],
        capture_output=True,
        timeout=WAIT_S,
    )
    assert result.returncode == 0
    assert result.stdout.count(b"\n") == 1
    assert b"error" not in (tmp_path / "stderr").read_bytes()


def test_ctrl_c_leaves_no_partial_file(start, model, tmp_path):
    process = start("predict", model, "-i", "-", "-o", tmp_path / "out.csv")
    process.stdin.write(100 * ROW)
    deadline = time.monotonic() + WAIT_S
    while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert any(tmp_path.iterdir()), "the output was never begun"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(WAIT_S) == 130
    assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_the_old_file(start, model, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("old\n")
    process = start("predict", model, "-i", "-", "-o", out)
    process.stdin.write(100 * ROW)
    deadline = time.monotonic() + WAIT_S
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(WAIT_S) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert out.read_text() == "old\n"


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_model_is_read_from_a_pipe_interrupts(start, number, status):
    process = start("inspect", "-")
    process.stdin.write(b"PK\x03\x04")
    time.sleep(1.0)  # until it waits for more
    process.send_signal(number)
    assert process.wait(WAIT_S) == status
    assert process.stderr.read() == b""


def test_standard_input_that_is_closed_is_told_of(binary, model):
    result = subprocess.run(
        ["bash", "-c", f"'{binary}' predict '{model}' -i - <&-"], capture_output=True, timeout=WAIT_S
    )
    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.startswith(b"iris: error: stdin: ")


def test_a_full_standard_output_is_told_of(binary, model):
    result = subprocess.run(
        ["bash", "-c", f"'{binary}' predict '{model}' 5.1 3.5 1.4 0.2 >/dev/full"], capture_output=True, timeout=WAIT_S
    )
    assert result.returncode == 1
    assert result.stderr == b"iris: error: stdout: cannot be written: No space left on device\n"


def test_memory_does_not_grow_with_the_rows(start, model):
    peaks = []
    for count in [200_000, 2_000_000]:  # each enough for every worker to have had work
        process = start("predict", model, "-i", "-")
        producer = threading.Thread(target=lambda process=process, count=count: process.stdin.writelines([ROW * count]))
        producer.start()
        answers = 0
        while answers <= count and (piece := os.read(process.stdout.fileno(), 1 << 20)):
            answers += piece.count(b"\n")
        producer.join()
        peaks.append(peak_mib(process))
    assert peaks[1] - peaks[0] < 10


def test_a_program_without_its_library_says_so(binary, model, tmp_path):
    """It inspects and converts all the same."""
    (tmp_path / "iris").write_bytes(Path(binary).read_bytes())
    (tmp_path / "iris").chmod(0o755)
    result = subprocess.run([tmp_path / "iris", "predict", model, "5.1", "3.5", "1.4", "0.2"], capture_output=True)
    assert (result.returncode, result.stdout) == (1, b"")
    expected = f"iris: error: libiris_torch_verbs.so is not beside {tmp_path.resolve()}/iris, which needs it"
    assert result.stderr.decode().startswith(expected)
    assert subprocess.run([tmp_path / "iris", "inspect", model], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "-V", "help", "help predict", "predict --help", "completions zsh", "man train"]
)
def test_a_full_standard_output_is_told_of_whatever_is_written(binary, arguments):
    result = subprocess.run(
        ["bash", "-c", f"'{binary}' {arguments} >/dev/full"], capture_output=True, text=True, timeout=WAIT_S
    )
    assert result.returncode == 1
    # Before it, --version may say that LibTorch is not there.
    assert result.stderr.splitlines()[-1] == "iris: error: stdout: cannot be written: No space left on device"


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("wait_s", [0.0, 0.05, 1.0])
def test_a_signal_ends_the_wait_for_a_pipes_reader(start, repo, tmp_path, number, status, wait_s):
    os.mkfifo(tmp_path / "pipe.pt")
    process = start("convert", repo / "models/iris_net.pt", tmp_path / "pipe.pt")
    caught = Path(f"/proc/{process.pid}/status")
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:  # until it notes signals
        mask = int(next(line for line in caught.read_text().splitlines() if line.startswith("SigCgt:")).split()[1], 16)
        if mask >> (signal.SIGALRM - 1) & 1:
            break
    time.sleep(wait_s)
    process.send_signal(number)
    assert process.wait(WAIT_S) == status
    assert process.stderr.read() == b""


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "-"])
def test_standard_output_by_any_name_is_appended_to(binary, model, tmp_path, name):
    log = tmp_path / "log"
    log.write_text("before\n")
    command = f"echo 5.1,3.5,1.4,0.2 | '{binary}' predict '{model}' -i - -o {name} >> '{log}'"
    subprocess.run(["bash", "-c", command], check=True, timeout=WAIT_S)
    assert [line.split(",")[0] for line in log.read_text().splitlines()] == ["before", "label", "setosa"]
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


@pytest.mark.parametrize("kind, draws", [("xterm", True), ("dumb", False), ("", False), (None, False)])
def test_escape_sequences_are_for_terminals_that_take_them(binary, model, kind, draws):
    environment = {key: value for key, value in os.environ.items() if key != "TERM"}
    terminal, its_end = pty.openpty()
    process = subprocess.Popen(
        [binary, "predict", model, "-i", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=its_end,
        env=environment if kind is None else {**environment, "TERM": kind},
    )  # fmt: skip
    os.close(its_end)
    process.stdin.write(ROW)
    process.stdin.flush()
    seen = b""
    deadline = time.monotonic() + (WAIT_S if draws else 4)
    while time.monotonic() < deadline and b"rows/s" not in seen:
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 4096)
    process.stdin.close()
    assert process.wait(WAIT_S) == 0
    os.close(terminal)
    assert (b"rows/s" in seen, b"\x1b" in seen) == (draws, draws)
