"""iris predict on pipes: answers as rows arrive, ends of every kind, memory that does not grow."""

import contextlib
import os
import select
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from commands import peak_mib

HEADER = b"sepal_length,sepal_width,petal_length,petal_width\n"
ROW = b"5.1,3.5,1.4,0.2\n"
WAIT_S = 60  # after which a step counts as hung
CHUNK = 256 << 10  # bytes of a file that are read at once


@pytest.fixture
def predict(start, repo):
    """predict(*options): iris predict on standard input, running."""
    return lambda *options: start("predict", repo / "models/iris_net.pt", "-i", "-", *options)


def next_answer(process, seconds=WAIT_S):
    """What comes out next; b"" if nothing does."""
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return os.read(process.stdout.fileno(), 1 << 20) if ready else b""


def send(process, text):
    view = memoryview(text)
    while view:  # unbuffered, it writes what the pipe takes
        view = view[process.stdin.write(view) :]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_slow_producer_s_rows_are_answered_as_they_come(predict, workers):
    process = predict("--workers", workers)
    send(process, HEADER)
    assert next_answer(process) == b"label,confidence\n"
    for _ in range(3):
        send(process, ROW)
        assert next_answer(process) == b"setosa,0.993648\n"
    process.stdin.close()
    assert process.wait(WAIT_S) == 0


def test_a_producer_that_never_rests_is_answered_before_a_chunk_is_full(predict):
    """A row each 0.3 ms: more is always about to arrive, and an answer does not wait for it. How long an answer takes,
    script/bench stream prints."""
    process = predict("--workers", 2)
    send(process, HEADER)
    assert next_answer(process) == b"label,confidence\n"
    sent = answered = 0
    while answered < 2000:
        send(process, ROW)
        sent += 1
        while select.select([process.stdout], [], [], 0)[0]:
            answered += os.read(process.stdout.fileno(), 1 << 20).count(b"\n")
        assert (sent - answered) * len(ROW) < CHUNK
        time.sleep(0.0003)


def predict_in_pieces(start, model, rows):
    process = start("predict", model, "-i", "-", "--logits")
    for begin in range(0, len(rows), 101):
        send(process, rows[begin : begin + 101])
        time.sleep(0.003)
    return process.communicate()[0].decode()


def test_rows_in_small_pieces_get_the_bytes_of_the_whole(start, iris, repo):
    """Rows that arrive together are scored together. Which these are does not change IrisNet's last bit."""
    rows = repo / "data/iris.csv"
    expected = iris("predict", repo / "models/iris_net.pt", "-i", rows, "--logits").stdout
    assert predict_in_pieces(start, repo / "models/iris_net.pt", rows.read_bytes()) == expected


def test_rows_in_small_pieces_get_the_answers_of_the_whole_from_torchscript(start, iris, repo):
    """A model that is not ours is given exactly the rows: LibTorch's own arithmetic decides on the last bits."""
    rows = repo / "data/iris.csv"
    expected = iris("predict", repo / "models/iris_net.ts.pt", "-i", rows, "--logits").stdout.splitlines()
    answers = predict_in_pieces(start, repo / "models/iris_net.ts.pt", rows.read_bytes()).splitlines()
    assert (answers[0], len(answers)) == (expected[0], len(expected))
    for answer, its_expected in zip(answers[1:], expected[1:], strict=True):
        (label, *numbers), (expected_label, *expected_numbers) = answer.split(","), its_expected.split(",")
        assert label == expected_label
        assert [float(number) for number in numbers] == pytest.approx([float(n) for n in expected_numbers], abs=1e-4)


@pytest.mark.parametrize("output", ["-", "out.csv"])
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGQUIT, 131)])
def test_a_signal_ends_a_wait_for_rows(predict, tmp_path, output, number, status):
    process = predict("-o", tmp_path / output if output != "-" else "-", "--workers", 3)
    send(process, HEADER + ROW)
    time.sleep(1)
    process.send_signal(number)
    assert process.wait(WAIT_S) == status
    assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


def test_a_signal_ends_a_wait_for_the_reader(predict):
    process = predict("--workers", 3)

    def produce():
        try:
            send(process, HEADER + ROW * 500_000)  # more than the pipes and the workers hold
        except BrokenPipeError:
            pass

    producer = threading.Thread(target=produce)
    producer.start()
    time.sleep(2)
    assert producer.is_alive()
    process.send_signal(signal.SIGINT)
    assert process.wait(WAIT_S) == 130
    producer.join()


def test_a_reader_that_has_enough_ends_it_quietly(predict):
    process = predict("--workers", 3)
    send(process, HEADER + ROW)
    assert next_answer(process)
    next_answer(process, seconds=1)
    process.stdout.close()
    send(process, ROW)  # the last one: the program must not wait for another
    assert process.wait(WAIT_S) == 0
    assert process.stderr.read() == b""


def test_a_bad_row_ends_it_while_the_producer_sleeps(predict):
    process = predict("--workers", 3)
    send(process, HEADER + ROW + b"5.1,x,1.4,0.2\n")
    assert process.wait(WAIT_S) == 1
    assert process.stderr.read() == b'iris: error: stdin:3: sepal_width: not a number: "x"\n'


def test_no_bar_is_drawn_where_stderr_is_no_terminal(predict):
    process = predict()
    send(process, HEADER)
    time.sleep(1.5)
    send(process, ROW)
    assert process.communicate()[1] == b""


class Terminal:
    """What a command draws on its stderr, a terminal."""

    def __init__(self, start, *command):
        self.end, theirs = os.openpty()
        self.process = start(*command, stderr=theirs)
        os.close(theirs)
        self.seen = b""

    def read(self, seconds):
        """Reads more of it; False if nothing comes, or the command has ended."""
        try:
            ready, _, _ = select.select([self.end], [], [], seconds)
            piece = os.read(self.end, 4096) if ready else b""
        except OSError:  # the end of a terminal
            piece = b""
        self.seen += piece
        return piece != b""

    def wait_for(self, text):
        while text not in self.seen and self.read(WAIT_S):
            pass

    def rest(self):
        """Reads to the end; returns the exit status and all that was drawn."""
        while self.read(WAIT_S):
            pass
        os.close(self.end)
        return self.process.wait(WAIT_S), self.seen


@pytest.fixture
def rows_to_terminal(start, repo, tmp_path):
    """rows_to_terminal(*options): iris predict on a named pipe, and what it draws; yields (Terminal, the pipe)."""

    @contextlib.contextmanager
    def call(*options):
        fifo = tmp_path / "rows"
        os.mkfifo(fifo)
        command = ("predict", repo / "models/iris_net.pt", "-i", fifo, "-o", tmp_path / "out.csv", *options)
        terminal = Terminal(start, *command)
        with open(fifo, "wb", buffering=0) as rows:
            rows.write(HEADER + ROW * 1000)
            yield terminal, rows

    return call


def test_a_terminal_sees_how_far_the_rows_are(rows_to_terminal):
    """A bar after a second, taken away at the end."""
    with rows_to_terminal() as (terminal, _):
        terminal.wait_for(b"1000 rows  ")
    status, seen = terminal.rest()
    assert status == 0
    assert b"1000 rows  " in seen
    assert seen.endswith(b"\r\x1b[K")


def test_a_quiet_run_draws_no_bar(rows_to_terminal):
    with rows_to_terminal("--quiet") as (terminal, _):
        time.sleep(2)
    assert terminal.rest() == (0, b"")


def test_what_is_skipped_is_told_on_lines_of_its_own(rows_to_terminal):
    with rows_to_terminal("--on-error", "skip") as (terminal, rows):
        terminal.wait_for(b"1000 rows  ")
        rows.write(b"x,1,1,1\n")
    status, seen = terminal.rest()
    assert status == 3
    assert b"1000 rows  " in seen
    assert b"\r\x1b[Kiris: skipped " in seen
    assert b"\niris: 1 of 1001 rows were skipped\r\n" in seen


@pytest.fixture
def conversion(start, tmp_path):
    """conversion(*options): iris convert into a named pipe, which is read at the end; yields the Terminal."""

    @contextlib.contextmanager
    def call(*options):
        torch.save({"w": torch.zeros(1 << 20)}, tmp_path / "in.pt")
        fifo = tmp_path / "out.pt"
        os.mkfifo(fifo)
        terminal = Terminal(start, "convert", tmp_path / "in.pt", fifo, *options)
        with open(fifo, "rb") as out:
            yield terminal
            while out.read(1 << 20):
                pass

    return call


def test_a_terminal_sees_how_far_a_conversion_is(conversion):
    with conversion() as terminal:
        time.sleep(2)  # writes draw the bar after the first second
    status, seen = terminal.rest()
    assert status == 0
    assert b"] " in seen and b" MiB/s" in seen
    assert seen.endswith(b"\r\x1b[K")


def test_a_quiet_conversion_draws_no_bar(conversion):
    with conversion("--quiet") as terminal:
        time.sleep(2)
    assert terminal.rest() == (0, b"")


def test_a_line_of_100_megabytes_stops_the_run(predict):
    process = predict()
    with contextlib.suppress(BrokenPipeError):
        send(process, HEADER + ROW + 100_000_000 * b"5" + b"\n" + ROW)
    assert process.wait(WAIT_S) == 1
    assert process.stderr.read() == b"iris: error: stdin:3: the row is longer than 16 MiB; is a quote not closed?\n"
    assert process.stdout.read().splitlines() == [b"label,confidence", b"setosa,0.993648"]


def test_a_line_of_100_megabytes_is_skipped_in_little_memory(predict, binary):
    process = predict("--on-error", "skip", "--workers", 2)
    send(process, HEADER + ROW)
    answers = b""
    while answers.count(b"\n") < 2:
        answers += next_answer(process)
    before = peak_mib(process)  # LibTorch's own: a CUDA build has three times that of a CPU build
    send(process, 100_000_000 * b"5" + b"\n" + ROW)
    while answers.count(b"\n") < 4:
        answers += next_answer(process)
    assert answers.splitlines() == [b"label,confidence", b"setosa,0.993648", b",", b"setosa,0.993648"]
    if b"__asan_init" not in Path(binary).read_bytes():
        assert peak_mib(process) < before + 100
    process.stdin.close()
    assert process.wait(WAIT_S) == 3
