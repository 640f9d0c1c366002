"""iris serve by its contract: routes, statuses, limits."""

import contextlib
import gzip
import json
import os
import struct
import threading
import time
import zlib

import pytest
from serving import BODY, FLOWER, WAIT_S, post, read_answer

INFER = {"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 4], "data": FLOWER}]}


def infer(server, body, **options):
    return server.ask("/v2/models/iris/infer", json.dumps(body).encode(), **options)


def test_the_same_answer_as_predict(server, iris, repo):
    """To the last digit."""
    row = ",".join(map(str, FLOWER)) + "\n"
    options = ["--output-format", "ndjson", "--probabilities", "--logits"]
    result = iris("predict", repo / "models/iris_net.pt", "-i", "-", *options, input=row)
    expected = json.loads(result.stdout)
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
            wants_instances = path.endswith(("predict", "/infer"))
            assert status == (400 if wants_instances else 200), path
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
    server = serve("--max-queue-rows", 3, "--max-batch-rows", 3, "--max-wait-us", 60_000_000)
    with server.connect() as waiting:
        waiting.sendall(post(json.dumps([FLOWER] * 2).encode()))
        deadline = time.monotonic() + WAIT_S
        while server.metric("iris_inference_pending_rows") != 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        status, headers, body = server.ask("/predict", json.dumps([FLOWER] * 2).encode())
        assert (status, headers["Retry-After"], body["error"]) == (503, "1", "the queue is full; try again")
        assert server.ask("/predict", json.dumps(FLOWER).encode())[0] == 200  # which fills the pass
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
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for byte in post()[:40]:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        assert read_answer(connection).status == 408
    # Two of them had a request line.
    assert server.metric('iris_http_requests_total{route="/predict",method="POST",code="408"}') == 2
    with server.connect() as connection:  # in silence where nothing was asked
        assert read_answer(connection) is None


def test_a_deadline_of_the_callers(server):
    assert infer(server, {**INFER, "parameters": {"timeout": 1}})[0] == 504
    assert infer(server, {**INFER, "parameters": {"timeout": 10_000_000}})[0] == 200


def test_concurrent_requests_share_passes(serve):
    server = serve("--max-wait-us", 60_000_000, "--max-batch-rows", 16, "--workers", 2)
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
    assert server.metric("iris_inference_batch_rows_count") - before == 1
    for answer, expected in zip(answers, alone, strict=True):
        assert answer == expected


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
