"""iris serve by its contract: routes, statuses, limits, keys, logs."""

import contextlib
import gzip
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
import zlib

import pytest
from serving import BODY, FLOWER, WAIT_S, post, read_answer

INFER = {"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 4], "data": FLOWER}]}


def infer(server, body, **options):
    return server.ask("/v2/models/iris/infer", json.dumps(body).encode(), **options)


def test_the_same_answer_as_predict(server, iris, repo):
    """To the last digit that of many rows; one sample alone may be rounded otherwise."""
    row = ",".join(map(str, FLOWER)) + "\n"
    options = ["--output-format", "ndjson", "--probabilities", "--logits"]
    result = iris("predict", repo / "models/iris_net.pt", "-i", "-", *options, input=row * 4)
    expected = json.loads(result.stdout.splitlines()[0])
    (prediction,) = server.ask("/predict", BODY)[2]["predictions"]
    assert prediction == {name: expected[name] for name in ("label", "index", "confidence", "probabilities")}
    outputs = {output["name"]: output for output in infer(server, INFER)[2]["outputs"]}
    assert outputs["logits"]["data"] == expected["logits"]
    assert outputs["probabilities"] == {
        "name": "probabilities",
        "datatype": "FP32",
        "shape": [1, 3],
        "data": list(expected["probabilities"].values()),
    }
    assert outputs["label"]["data"] == ["setosa"]
    assert outputs["index"]["data"] == [0]
    (v1,) = server.ask("/v1/models/iris:predict", BODY)[2]["predictions"]
    assert v1 == prediction


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/v2", {"name": "iris", "extensions": ["binary_tensor_data", "statistics", "model_repository"]}),
        ("/v2/", {"name": "iris"}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"live": True, "ready": True}),
        ("/v2/models/iris", {"name": "iris", "versions": ["1"]}),
        ("/v2/models/%69ris/versions/1", {"name": "iris"}),
        ("/v2/models/iris/ready", {"name": "iris", "ready": True}),
        ("/v2/models/iris/config", {"name": "iris", "max_batch_size": 64}),
        ("/v1/models", {"models": ["iris"]}),
        ("/v1/models/iris", {"name": "iris", "ready": True}),
        ("/openapi.json", {"openapi": "3.1.0"}),
    ],
)
def test_what_can_be_read(server, path, expected):
    status, headers, body = server.ask(path)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert expected.items() <= body.items()


def test_every_route_is_in_openapi(server):
    paths = server.ask("/openapi.json")[2]["paths"]
    for path, item in paths.items():
        for method in item:
            status, _, _ = server.ask(path.replace("{model}", "iris").replace("{version}", "1"), b"{}", method.upper())
            assert status != 404, path
    assert len(paths) == 27


@pytest.mark.parametrize(
    "method, path, status, word",
    [
        ("GET", "/nothing", 404, "/nothing"),
        ("GET", "/v2/models/other", 404, "other"),
        ("POST", "/v2/models/iris/versions/2/infer", 404, "version"),
        ("GET", "/v2/models/%zz", 400, "%"),
        ("GET", "/predict", 405, "POST"),
        ("DELETE", "/v2", 405, "GET"),
        ("OPTIONS", "/predict", 405, "POST"),
    ],
)
def test_what_is_not_there(server, method, path, status, word):
    answered, headers, body = server.ask(path, method=method)
    assert (answered, headers["Content-Type"]) == (status, "application/json")
    assert word in body["error"]
    assert ("Allow" in headers) == (status == 405)


def test_head_answers_without_a_body(server):
    with server.connect() as connection:
        connection.sendall(b"HEAD /v2 HTTP/1.1\r\nHost: test\r\n\r\nGET /v2/health/live HTTP/1.1\r\nHost: test\r\n\r\n")
        data = b""
        while not data.endswith(b'{"live":true}'):
            data += connection.recv(4096)
    assert data.count(b"\r\n\r\n") == 2


def test_binary_tensors_come_and_go(server):
    tensor = struct.pack("<4f", *FLOWER)
    request = {
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 4], "parameters": {"binary_data_size": 16}}],
        "outputs": [{"name": "index", "parameters": {"binary_data": True}}, {"name": "label"}],
    }
    text = json.dumps(request).encode()
    headers = {"Inference-Header-Content-Length": str(len(text))}
    _, answered, body = server.ask("/v2/models/iris/infer", text + tensor, headers=headers)
    assert answered["Content-Type"] == "application/octet-stream"
    length = int(answered["Inference-Header-Content-Length"])
    assert json.loads(body[:length])["outputs"][1]["data"] == ["setosa"]
    assert body[length:] == struct.pack("<q", 0)
    for coding, packed in (("gzip", gzip.compress(text + tensor)), ("deflate", zlib.compress(text + tensor))):
        status, _, _ = server.ask("/v2/models/iris/infer", packed, headers={**headers, "Content-Encoding": coding})
        assert status == 200


def test_packed_bodies(server):
    raw_deflate = zlib.compressobj(wbits=-15)
    for coding, body in (
        ("gzip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate.compress(BODY) + raw_deflate.flush()),
    ):
        assert server.ask("/predict", body, headers={"Content-Encoding": coding})[0] == 200
    assert server.ask("/predict", gzip.compress(BODY)[:-9], headers={"Content-Encoding": "gzip"})[0] == 400
    assert server.ask("/predict", BODY, headers={"Content-Encoding": "br"})[0] == 415
    bomb = gzip.compress(bytes(17 << 20))
    assert server.ask("/predict", bomb, headers={"Content-Encoding": "gzip"})[0] == 413
    many = json.dumps({"instances": [FLOWER] * 100}).encode()
    _, headers, packed = server.ask("/v2/models/iris/infer", json.dumps(INFER).encode())
    assert "Content-Encoding" not in headers
    answer = server.raw(post(many, "/predict", "Accept-Encoding: gzip"))
    assert len(json.loads(gzip.decompress(answer.body))["predictions"]) == 100


def test_the_body_limit(serve):
    server = serve("--max-body", "1KiB")
    assert server.raw(post(b" " * 1025)).status == 413
    assert server.raw(post(BODY.ljust(1024))).status == 200
    chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
    answer = server.raw(
        b"POST /predict HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 2 + b"0\r\n\r\n"
    )
    assert answer.status == 413


def test_the_queue_limit(serve):
    server = serve("--max-queue-rows", 2)
    assert server.ask("/predict", json.dumps([FLOWER] * 2).encode())[0] == 200
    status, headers, body = server.ask("/predict", json.dumps([FLOWER] * 3).encode())
    assert (status, headers["Retry-After"]) == (413, None)  # to try again would not help
    assert "3 rows are more than the queue holds, 2" in body["error"]


def test_a_full_queue(serve):
    server = serve("--max-queue-rows", 2, "--max-wait-us", 3_000_000)
    with server.connect() as waiting:
        waiting.sendall(post(json.dumps([FLOWER] * 2).encode()))
        deadline = time.monotonic() + WAIT_S
        while server.metric("iris_inference_pending_rows") != 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        status, headers, body = server.ask("/predict", json.dumps(FLOWER).encode())
        assert (status, headers["Retry-After"], body["error"]) == (503, "1", "the queue is full; try again")
        assert read_answer(waiting).status == 200


def test_the_connection_limit(serve):
    server = serve("--max-connections", 2)
    taken = [server.connect() for _ in range(2)]
    for connection in taken:
        connection.sendall(post())
        assert read_answer(connection).status == 200
    with server.connect() as third:
        answer = read_answer(third)
        assert answer.status == 503
    taken.pop().close()
    deadline = time.monotonic() + WAIT_S
    while (answer := server.raw(post())).status == 503 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert answer.status == 200


def test_a_request_that_is_too_slow(serve):
    server = serve("--timeout-s", 0.3)
    for part in (post()[:-5], post()[:30], b"P"):
        with server.connect() as connection:
            connection.sendall(part)
            answer = read_answer(connection)
            assert answer.status == 408, part
            assert read_answer(connection) is None
    with server.connect() as connection:  # a byte now and then does not help
        start = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for byte in post()[:40]:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        assert read_answer(connection).status == 408
        assert time.monotonic() - start > 0.3
    # Two of them had a request line.
    assert server.metric('iris_http_requests_total{route="/predict",method="POST",code="408"}') == 2
    with server.connect() as connection:  # in silence where nothing was asked
        assert read_answer(connection) is None


def test_a_deadline_of_the_callers(server):
    assert infer(server, {**INFER, "parameters": {"timeout": 1}})[0] == 504
    assert infer(server, {**INFER, "parameters": {"timeout": 10_000_000}})[0] == 200


def test_concurrent_requests_share_passes(serve):
    server = serve("--max-wait-us", 200_000, "--workers", 2)
    rows = [[0.1 * i, 3.5, 1.4, 0.2] for i in range(16)]
    alone = server.ask("/predict", json.dumps(rows).encode())[2]["predictions"]
    before = server.metric("iris_inference_batch_rows_count")
    answers = [None] * len(rows)

    def ask(i):
        answers[i] = server.ask("/predict", json.dumps([rows[i]]).encode())[2]["predictions"][0]

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(rows))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.metric("iris_inference_batch_rows_count") - before < len(rows) / 2
    for answer, expected in zip(answers, alone, strict=True):
        assert answer == expected


def test_the_key(serve, tmp_path):
    (tmp_path / "key").write_text("secret\n")
    server = serve("--api-key-file", tmp_path / "key")
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert server.ask(path)[0] == 200
    for headers in (
        {},
        {"Authorization": "Bearer secre"},
        {"Authorization": "Basic secret"},
        {"Authorization": "Bearer "},
    ):
        for path in ("/", "/metrics", "/v2", "/nothing"):
            assert server.ask(path, headers=headers)[0] == 401, headers
    assert server.ask("/predict", BODY, headers={"Authorization": "Bearer secret"})[0] == 200


def test_a_bad_key_file_ends_it_at_once(iris, repo, tmp_path):
    for name, text in (("empty", ""), ("line", "\n"), ("two", "a\nb\n"), ("blank", "a b\n"), ("latin1", "\xe9\n")):
        (tmp_path / name).write_text(text)
    for path in (*tmp_path.iterdir(), tmp_path / "absent"):
        result = iris("serve", repo / "models/iris_net.pt", "--port", 0, "--api-key-file", path)
        assert result.returncode == 1
        assert result.stderr.startswith(f"iris: error: --api-key-file {path}: ")


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


def test_another_origin(serve):
    server = serve("--cors-origin", "https://example.org")
    headers = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    status, answered, _ = server.ask("/predict", method="OPTIONS", headers=headers)
    assert (status, answered["Access-Control-Allow-Origin"]) == (200, "https://example.org")
    assert "Authorization" in answered["Access-Control-Allow-Headers"]
    _, answered, _ = server.ask("/predict", BODY, headers=headers)
    assert answered["Access-Control-Allow-Origin"] == "https://example.org"
    _, answered, _ = server.ask("/predict", BODY, headers={"Origin": "https://other.org"})
    assert "Access-Control-Allow-Origin" not in answered


def make_certificate(folder, *options):
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "1", "-subj", "/CN=127.0.0.1"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
        + list(options),
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "-nodes")


def test_a_key_that_is_not_the_certificates_ends_it(iris, repo, certificate, tmp_path):
    mine, key = certificate
    locked = make_certificate(tmp_path, "-passout", "pass:secret")
    for cert, private in ((locked[0], key), (mine, mine), locked):
        result = iris("serve", repo / "models/iris_net.pt", "--port", 0, "--tls-cert", cert, "--tls-key", private)
        assert result.returncode == 1
        assert result.stderr.startswith(f"iris: error: --tls-key {private}: ")  # and no question for a passphrase


def test_tls_keeps_the_limits(serve, certificate):
    cert, key = certificate
    server = serve("--tls-cert", cert, "--tls-key", key, "--timeout-s", 0.5, "--max-body", "1KiB")
    context = ssl.create_default_context(cafile=cert)

    def connect():
        return context.wrap_socket(server.connect(), server_hostname="127.0.0.1")

    with connect() as connection:
        connection.sendall(post()[:-5])
        assert read_answer(connection).status == 408
    with connect() as connection:
        connection.sendall(post(b" " * 1025))
        assert read_answer(connection).status == 413
    with connect() as connection:
        connection.sendall(post() * 20)
        assert [read_answer(connection).status for _ in range(20)] == [200] * 20
    with server.connect() as connection:  # no handshake
        start = time.monotonic()
        assert connection.recv(1) == b""
        assert 0.4 < time.monotonic() - start < WAIT_S / 2


def test_tls(serve, certificate):
    cert, key = certificate
    server = serve("--tls-cert", cert, "--tls-key", key)
    context = ssl.create_default_context(cafile=cert)
    assert server.url.startswith("https:")
    for body in (BODY, json.dumps([FLOWER] * 1000).encode()):
        status, _, answer = server.ask("/predict", body, context=context)
        assert status == 200
        assert answer["predictions"][0]["label"] == "setosa"
    assert server.raw(post()) is None  # plain HTTP
    assert server.ask("/v2", context=context)[0] == 200


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
    server.process.wait(2)


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


def test_ipv6(serve):
    if not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("this machine has no IPv6")
    server = serve("--host", "::1")
    assert server.url.startswith("http://[::1]:")
    assert server.ask("/predict", BODY)[0] == 200


def test_clients_of_http_1_0(server):
    with server.connect() as connection:
        connection.sendall(b"GET /v2/health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert read_answer(connection).headers["connection"] == "keep-alive"
        connection.sendall(b"GET /v2/health/live HTTP/1.0\r\n\r\n")
        assert read_answer(connection).headers["connection"] == "close"
        assert read_answer(connection) is None


def test_no_pass_has_more_rows_than_it_may(serve):
    server = serve("--max-batch-rows", 8)
    rows = [[i / 10, 3.5, 1.4, 0.2] for i in range(100)]
    together = server.ask("/predict", json.dumps(rows).encode())[2]["predictions"]
    passes = server.metric("iris_inference_batch_rows_count")
    assert server.metric('iris_inference_batch_rows_bucket{le="8.0"}') == passes == 13
    assert server.metric("iris_inference_rows_total") == 100
    assert together == [server.ask("/predict", json.dumps([row]).encode())[2]["predictions"][0] for row in rows]


def test_ctrl_c_ends_it(serve):
    server = serve()
    os.kill(server.process.pid, signal.SIGINT)
    assert server.process.wait(WAIT_S) == 130
