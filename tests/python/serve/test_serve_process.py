"""iris serve as a process: what it cannot start with, its log and metrics, its ending."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest
from serving import BODY, FLOWER, WAIT_S, post, read_answer


@pytest.mark.parametrize(
    "options, status, word",
    [
        (["--tls-cert", "x"], 2, "--tls-key"),
        (["--name", "a/b"], 2, "--name"),
        (["--host", "203.0.113.1"], 1, "203.0.113.1"),
        (["--max-body", "0"], 2, "--max-body"),
        (["--max-body", "2GiB"], 2, "--max-body"),
        (["--max-body", "16 apples"], 2, "--max-body"),
        (["--timeout-s", "nan"], 2, "--timeout-s"),
        (["--timeout-s", "0"], 2, "--timeout-s"),
        (["--grace-s", "-1"], 2, "--grace-s"),
        (["--max-batch-rows", "0"], 2, "--max-batch-rows"),
        (["--max-queue-rows", "99999999999999999999"], 2, "--max-queue-rows"),
        (["--max-wait-us", "-1"], 2, "--max-wait-us"),
        (["--max-connections", "0"], 2, "--max-connections"),
        (["--workers", "0"], 2, "--workers"),
        (["--port", "65536"], 2, "--port"),
        (["--host", ""], 2, "--host"),
        (["--name", "two\nlines"], 2, "--name"),
        (["--cors-origin", "https://example.org/path"], 2, "--cors-origin"),
        (["--cors-origin", "x\r\nSet-Cookie: a"], 2, "--cors-origin"),
        (["--api-key-file", "/"], 1, "--api-key-file"),
        (["--tls-cert", "/absent", "--tls-key", "/absent"], 1, "--tls-cert"),
        (["--device", "cuda:99"], 1, "--device"),
    ],
)
def test_what_it_cannot_start_with(iris, repo, options, status, word):
    result = iris("serve", repo / "models/iris_net.pt", "--port", 0, *options)
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr.startswith("iris: error: ")
    assert word in result.stderr


def test_a_bad_model_or_port_ends_it(iris, repo, server, tmp_path):
    (tmp_path / "bad.pt").write_bytes(b"not a model")
    result = iris("serve", tmp_path / "bad.pt", "--port", 0)
    assert (result.returncode, result.stderr.splitlines()[0][:12]) == (1, "iris: error:")
    result = iris("serve", repo / "models/iris_net.pt", "--port", server.port)
    assert result.returncode == 1
    assert "--port" in result.stderr


def test_a_pass_takes_no_more_threads_than_it_may(serve):
    server = serve("--workers", 2)
    before = server.thread_count()
    for _ in range(8):
        assert server.ask("/predict", json.dumps({"instances": [FLOWER] * 32}).encode())[0] == 200
    assert server.thread_count() == before  # OpenMP would keep those that it had made


def test_the_log_has_a_line_for_each_request(serve):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    server = serve("--log-format", "json")
    _, headers, _ = server.ask("/predict", BODY, headers={"X-Request-Id": "abc", "traceparent": trace})
    assert headers["X-Request-Id"] == "abc"
    line = json.loads(server.wait_for_log('"abc"'))
    assert {
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "rows": 1,
        "traceparent": trace,
    }.items() <= line.items()
    # What could forge a line or break its encoding is not kept.
    hostile = [b"a\xff\xfeb", b"x" * 129, b"two words", b"tab\tbed"]
    for value in hostile:
        head = b"GET /v2 HTTP/1.1\r\nHost: t\r\nX-Request-Id: " + value + b"\r\ntraceparent: " + value + b"\r\n\r\n"
        made = server.raw(head).headers["x-request-id"]
        assert len(made) == 16
        assert "traceparent" not in json.loads(server.wait_for_log(made))
    server.raw(b"M" * 5000 + b" /v2 HTTP/1.1\r\nHost: t\r\n\r\n")
    assert len(server.wait_for_log("MMM")) < 300
    text = serve()
    _, headers, _ = text.ask("/v2/models/iris", headers={"X-Request-Id": "two words"})
    made = headers["X-Request-Id"]
    assert len(made) == 16
    assert " GET /v2/models/{model} 200 rows=0 ms=" in text.wait_for_log(f"id={made}")


def test_the_metrics(serve):
    server = serve()
    server.ask("/predict", json.dumps([FLOWER] * 3).encode())
    server.ask("/nothing")
    assert server.metric('iris_http_requests_total{route="/predict",method="POST",code="200"}') == 1
    assert server.metric('iris_http_requests_total{route="(unknown)",method="GET",code="404"}') == 1
    assert server.metric('iris_inference_requests_total{model="iris",outcome="success"}') == 1
    assert server.metric("iris_inference_rows_total") == 3
    assert server.metric('iris_inference_batch_rows_bucket{le="4.0"}') == 1
    assert server.metric('iris_model_ready{model="iris"}') == 1
    assert server.metric("iris_inference_pending_rows") == 0
    text = server.ask("/metrics")[2].decode()
    for name in (
        "iris_http_request_duration_seconds",
        "iris_inference_queue_seconds",
        "iris_inference_compute_seconds",
    ):
        assert f"{name}_count" in text
    for name in ("iris_build_info", "iris_model_reloads_total", "process_resident_memory_bytes", "process_open_fds"):
        assert f"\n{name}" in text
    (stats,) = server.ask("/v2/models/iris/stats")[2]["model_stats"]
    assert (stats["inference_count"], stats["execution_count"]) == (3, 1)


def test_sigterm_with_grace_keeps_answering_and_is_not_ready(serve):
    server = serve("--grace-s", 1)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_log("ending")
    assert server.ask("/v2/health/ready")[0] == 503
    assert server.ask("/v2/health/live")[0] == 200
    assert server.ask("/predict", BODY)[0] == 200
    assert server.process.wait(WAIT_S) == 0


def test_a_second_sigterm_ends_it_at_once(serve):
    server = serve("--grace-s", 60)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_log("ending")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(WAIT_S) == -signal.SIGTERM  # not the 0 of a minute later


def test_an_ending_that_is_under_way_survives_a_hangup(serve):
    server = serve("--grace-s", 0.5)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_log("ending")
    server.process.send_signal(signal.SIGHUP)
    assert server.process.wait(WAIT_S) == 0


def test_a_log_that_nobody_reads_holds_up_nothing(binary, repo):
    process = subprocess.Popen(
        [binary, "serve", repo / "models/iris_net.pt", "--port", "0"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    port = int(process.stderr.readline().decode().rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(2000):  # more lines than a pipe holds
            connection.sendall(post())
            assert read_answer(connection).status == 200
    process.terminate()
    assert process.wait(WAIT_S) == 0
    process.stderr.close()


@pytest.mark.parametrize("redirection", ["2>&-", "2> >(:)"], ids=["closed", "broken"])
def test_it_serves_without_anybody_to_tell(binary, repo, redirection):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = f'exec "$0" serve "$1" --port {port} {redirection}'
    process = subprocess.Popen(["bash", "-c", command, binary, repo / "models/iris_net.pt"])
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    with connection:
        for _ in range(3):
            connection.sendall(post())
            assert read_answer(connection).status == 200
    process.terminate()
    assert process.wait(WAIT_S) == 0


def test_ctrl_c_ends_it(serve):
    server = serve()
    os.kill(server.process.pid, signal.SIGINT)
    assert server.process.wait(WAIT_S) == 130
