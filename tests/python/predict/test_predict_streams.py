"""iris predict on pipes: answers as rows arrive, ends of every kind, memory that does not grow."""

import contextlib
import os
import select
import signal
import statistics
import threading
import time
from pathlib import Path

import pytest
import torch
from commands import peak_mib

HEADER = b"sepal_length,sepal_width,petal_length,petal_width\n"
ROW = b"5.1,3.5,1.4,0.2\n"


@pytest.fixture
def predict(start, repo):
    """predict(*options): iris predict on standard input, running."""
    return lambda *options: start("predict", repo / "models/iris_net.pt", "-i", "-", *options)


def answer_within(process, seconds):
    """What comes out next; b"" when nothing does."""
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
    assert answer_within(process, 30) == b"label,confidence\n"
    for _ in range(3):
        send(process, ROW)
        assert answer_within(process, 5) == b"setosa,0.993648\n"
    process.stdin.close()
    assert process.wait(10) == 0


def test_a_producer_that_never_rests_waits_no_longer(predict):
    """A row each 0.3 ms: more is always about to arrive, and an answer may not wait for it."""
    process = predict("--workers", 2)
    send(process, HEADER)
    assert answer_within(process, 30) == b"label,confidence\n"
    sent, delays, answered = [], [], 0
    while len(sent) < 3000:
        send(process, ROW)
        sent.append(time.monotonic())
        while select.select([process.stdout], [], [], 0)[0]:
            answered += os.read(process.stdout.fileno(), 1 << 20).count(b"\n")
            if answered < len(sent):  # the one that has waited longest
                delays.append(time.monotonic() - sent[answered])
        time.sleep(0.0003)
    assert answered > 2000
    assert statistics.median(delays) < 0.1
    assert max(delays) < 0.5  # one that a busy machine held up


@pytest.mark.parametrize("model", ["models/iris_net.pt", "models/iris_net.ts.pt"])
def test_rows_in_small_pieces_get_the_bytes_of_the_whole(start, iris, repo, model):
    """Which rows arrive together, and are scored together, does not show in the last bit."""
    rows = (repo / "data/iris.csv").read_bytes()
    expected = iris("predict", repo / model, "-i", repo / "data/iris.csv", "--logits").stdout.encode()
    process = start("predict", repo / model, "-i", "-", "--logits")
    for begin in range(0, len(rows), 101):
        send(process, rows[begin : begin + 101])
        time.sleep(0.003)
    assert process.communicate()[0] == expected


@pytest.mark.parametrize("output", ["-", "out.csv"])
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGQUIT, 131)])
def test_a_signal_ends_a_wait_for_rows(predict, tmp_path, output, number, status):
    process = predict("-o", tmp_path / output if output != "-" else "-", "--workers", 3)
    send(process, HEADER + ROW)
    time.sleep(1)
    process.send_signal(number)
    assert process.wait(5) == status
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
    assert process.wait(5) == 130
    producer.join()


def test_a_reader_that_has_enough_ends_it_quietly(predict):
    process = predict("--workers", 3)
    send(process, HEADER + ROW)
    assert answer_within(process, 30)
    answer_within(process, 1)
    process.stdout.close()
    send(process, ROW)  # and no more: it must not wait for another row
    assert process.wait(5) == 0
    assert process.stderr.read() == b""


def test_a_bad_row_ends_it_while_the_producer_sleeps(predict):
    process = predict("--workers", 3)
    send(process, HEADER + ROW + b"5.1,x,1.4,0.2\n")
    assert process.wait(30) == 1
    assert process.stderr.read() == b'iris: error: stdin:3: sepal_width: not a number: "x"\n'


def test_no_bar_is_drawn_where_stderr_is_no_terminal(predict):
    process = predict()
    send(process, HEADER)
    time.sleep(1.5)
    send(process, ROW)
    assert process.communicate()[1] == b""


@pytest.fixture
def drawn(start):
    """drawn(work, *command): what the command draws on a terminal, while work() is done beside it."""

    def call(work, *command):
        terminal, theirs = os.openpty()
        process = start(*command, stderr=theirs)
        os.close(theirs)
        work()
        seen = b""
        try:
            while piece := os.read(terminal, 4096):
                seen += piece
        except OSError:  # how a terminal ends
            pass
        os.close(terminal)
        assert process.wait(10) == 0
        return seen

    return call


@pytest.mark.parametrize("options, is_drawn", [([], True), (["--quiet"], False)])
def test_a_terminal_sees_how_far_the_rows_are(drawn, repo, tmp_path, options, is_drawn):
    """A bar after a second, taken away at the end."""
    fifo = tmp_path / "rows"
    os.mkfifo(fifo)

    def produce():
        with open(fifo, "wb") as rows:
            rows.write(HEADER + ROW * 1000)
            rows.flush()
            time.sleep(2)

    model = repo / "models/iris_net.pt"
    seen = drawn(produce, "predict", model, "-i", fifo, "-o", tmp_path / "out.csv", *options)
    assert (b"1000 rows  " in seen) == is_drawn
    assert seen.endswith(b"\r\x1b[K") == is_drawn


def test_what_is_skipped_is_told_on_lines_of_its_own(start, repo, tmp_path):
    fifo = tmp_path / "rows"
    os.mkfifo(fifo)
    terminal, theirs = os.openpty()
    model = repo / "models/iris_net.pt"
    process = start("predict", model, "-i", fifo, "-o", tmp_path / "out.csv", "--on-error", "skip", stderr=theirs)
    os.close(theirs)
    with open(fifo, "wb") as rows:
        rows.write(HEADER + ROW * 1000)
        rows.flush()
        time.sleep(2)
        rows.write(b"x,1,1,1\n")
    assert process.wait(10) == 3
    seen = os.read(terminal, 1 << 16)
    os.close(terminal)
    assert b"1000 rows  " in seen
    assert b"\r\x1b[Kiris: skipped " in seen
    assert b"\niris: 1 of 1001 rows were skipped\r\n" in seen


@pytest.mark.parametrize("options, is_drawn", [([], True), (["--quiet"], False)])
def test_a_terminal_sees_how_far_a_conversion_is(drawn, tmp_path, options, is_drawn):
    torch.save({"w": torch.zeros(1 << 20)}, tmp_path / "in.pt")
    fifo = tmp_path / "out.pt"
    os.mkfifo(fifo)

    def consume():
        with open(fifo, "rb") as out:
            time.sleep(2)
            while out.read(1 << 20):
                pass

    seen = drawn(consume, "convert", tmp_path / "in.pt", fifo, *options)
    assert (b"] " in seen and b" MiB/s" in seen) == is_drawn
    assert seen.endswith(b"\r\x1b[K") == is_drawn


def test_a_line_of_100_megabytes_stops_the_run(predict):
    process = predict()
    with contextlib.suppress(BrokenPipeError):
        send(process, HEADER + ROW + 100_000_000 * b"5" + b"\n" + ROW)
    assert process.wait(30) == 1
    assert process.stderr.read() == b"iris: error: stdin:3: the row is longer than 16 MiB; is a quote not closed?\n"
    assert process.stdout.read().splitlines() == [b"label,confidence", b"setosa,0.993648"]


def test_a_line_of_100_megabytes_is_skipped_in_little_memory(predict, binary):
    process = predict("--on-error", "skip", "--workers", 2)
    send(process, HEADER + ROW)
    answers = b""
    while answers.count(b"\n") < 2:
        answers += answer_within(process, 30)
    before = peak_mib(process)  # LibTorch's own: a CUDA build has three times that of a CPU build
    send(process, 100_000_000 * b"5" + b"\n" + ROW)
    while answers.count(b"\n") < 4:
        answers += answer_within(process, 30)
    assert answers.splitlines() == [b"label,confidence", b"setosa,0.993648", b",", b"setosa,0.993648"]
    if b"__asan_init" not in Path(binary).read_bytes():
        assert peak_mib(process) < before + 100
    process.stdin.close()
    assert process.wait(30) == 3
