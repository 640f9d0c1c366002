"""iris predict on pipes: answers as rows arrive, ends of every kind, memory that does not grow."""

import os
import select
import signal
import threading
import time
from pathlib import Path

import pytest

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


def test_rows_in_small_pieces_get_the_bytes_of_the_whole(predict, iris, repo):
    """Which rows arrive together, and are scored together, does not show in the last bit."""
    rows = (repo / "data/iris.csv").read_bytes()
    expected = iris("predict", repo / "models/iris_net.pt", "-i", repo / "data/iris.csv", "--logits").stdout.encode()
    process = predict("--logits")
    for begin in range(0, len(rows), 101):
        send(process, rows[begin : begin + 101])
        time.sleep(0.003)
    assert process.communicate()[0] == expected


@pytest.mark.parametrize("output", ["-", "out.csv"])
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
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


def test_a_terminal_sees_how_far_it_is(start, repo, tmp_path):
    """A bar after a second, taken away at the end; none with --quiet."""
    fifo = tmp_path / "rows"
    os.mkfifo(fifo)
    for options, is_drawn in [([], True), (["--quiet"], False)]:
        terminal, theirs = os.openpty()
        command = ["predict", repo / "models/iris_net.pt", "-i", fifo, "-o", tmp_path / "out.csv", *options]
        process = start(*command, stderr=theirs)
        with open(fifo, "wb") as rows:
            rows.write(HEADER + ROW * 1000)
            rows.flush()
            time.sleep(2)
        assert process.wait(10) == 0
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(terminal, 4096):
                seen += piece
        except OSError:  # how a terminal ends
            pass
        os.close(terminal)
        assert (b"1000 rows  " in seen) == is_drawn
        assert seen.endswith(b"\r\x1b[K") == is_drawn


@pytest.mark.parametrize("on_error, status", [("stop", 1), ("skip", 3)])
def test_a_line_of_100_megabytes_takes_no_such_memory(predict, on_error, status):
    process = predict("--on-error", on_error, "--workers", 2)
    try:
        send(process, HEADER + ROW)
        for _ in range(100):
            send(process, b"5" * 1_000_000)
        send(process, b"\n" + ROW)
        process.stdin.close()
    except BrokenPipeError:
        assert on_error == "stop"
    out, err = process.stdout.read(), process.stderr.read()
    _, wait_status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(wait_status)
    assert process.returncode == status
    assert b"stdin:3: the row is longer than 16 MiB; is a quote not closed?" in err
    assert out.splitlines()[1:] == [b"setosa,0.993648", b",", b"setosa,0.993648"][: 3 if on_error == "skip" else 1]
    if b"__asan_init" not in Path(process.args[0]).read_bytes():
        assert usage.ru_maxrss < 200 * 1024
