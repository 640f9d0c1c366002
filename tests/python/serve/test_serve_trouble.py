"""iris serve in trouble: attacks on the protocol, slow clients, reloads and signals under load, no descriptors left."""

import json
import os
import random
import resource
import shutil
import signal
import socket
import threading
import time

import pytest
from serving import BODY, FLOWER, WAIT_S, Server, post, read_answer

CHUNKED = (
    b"POST /predict HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\n" + BODY[:5] + b"\r\n" + f"{len(BODY) - 5:x}\r\n".encode() + BODY[5:] + b"\r\n0\r\nX: y\r\n\r\n"
)


def is_up(server):
    return server.process.poll() is None and server.ask("/v2/health/live")[0] == 200


def test_pipelined_requests_are_answered_in_order(server):
    rows = [[i / 10, 3.5, 1.4, 0.2] for i in range(200)]
    expected = [server.ask("/predict", json.dumps([row]).encode())[2] for row in rows]
    with server.connect() as connection:
        connection.sendall(b"".join(post(json.dumps([row]).encode()) for row in rows))
        assert [read_answer(connection).json() for _ in rows] == expected


@pytest.mark.parametrize("request_bytes", [post(), CHUNKED], ids=["length", "chunked"])
def test_a_request_may_be_cut_anywhere(server, request_bytes):
    for place in range(1, len(request_bytes)):
        with server.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request_bytes[:place])
            time.sleep(0.0005)
            connection.sendall(request_bytes[place:])
            assert read_answer(connection).status == 200, place


def test_what_smuggling_lives_on_is_refused_and_the_connection_closed(server):
    for headers in (
        ["Transfer-Encoding: chunked"],
        ["Content-Length: 3"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding : chunked"],
    ):
        with server.connect() as connection:
            connection.sendall(post(b"0\r\n\r\n", "/predict", *headers) + post())
            assert read_answer(connection).status == 400, headers
            assert read_answer(connection) is None


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000,
        b"GET / HTTP/1.1\r\nHost: t\r\n" + b"A: b\r\n" * 5000,
        b"GET / HTTP/1.1\r\nHost: t\r\nA: " + b"b" * 30_000,
        b"A" * 20_000,
    ],
    ids=["target", "many headers", "header", "method"],
)
def test_a_large_head_is_a_431(server, head):
    answer = server.raw(head)
    assert answer.status == 431
    assert answer.json() == {"error": "the request line and headers are larger than 16384 bytes"}


def test_expect_is_answered(server):
    with server.connect() as connection:
        head, _, body = post(BODY, "/predict", "Expect: 100-continue").partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert read_answer(connection).status == 100
        connection.sendall(body)
        assert read_answer(connection).status == 200
    assert server.raw(post(BODY, "/predict", "Expect: more")).status == 417


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"instances":' * 200,
        b'{"instances":[[1,2,3,4]],"instances":[[1,2,3,4]]}',
        b'{"instances":[[1e999,2,3,4]]}',
        b'{"instances":[[1e39,2,3,4]]}',
        b'{"instances":[[NaN,2,3,4]]}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"instances":[[1,2,3,4]]}\x00',
        b'{"instances":[[1,2,3,4]]}{}',
        b"",
        b"null",
        b'"text"',
        b'{"instances":{}}',
        b'{"instances":[[]]}',
        b'{"instances":[null]}',
        b'{"instances":[[true,2,3,4]]}',
    ],
)
def test_bad_json_is_a_400(server, body):
    for path in ("/predict", "/v2/models/iris/infer", "/v1/models/iris:predict"):
        answer = server.raw(post(body, path))
        assert answer.status == 400, answer
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"]


def test_ten_thousand_mutations_leave_it_up(serve):
    server = serve()
    source = random.Random(7)
    infer = json.dumps({"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 4], "data": FLOWER}]}).encode()
    seeds = [post(), CHUNKED, post(infer, "/v2/models/iris/infer"), post(BODY, "/predict", "Content-Encoding: gzip")]
    alphabet = b'\r\n\0 :{}[]",0123456789abcdefA/%\xff\x80-+.e'
    for i in range(10_000):
        data = bytearray(source.choice(seeds))
        for _ in range(source.randint(1, 4)):
            place = source.randrange(len(data))
            kind = source.randrange(3)
            if kind == 0:
                data[place] = source.choice(alphabet)
            elif kind == 1:
                del data[place : place + source.randint(1, 8)]
            else:
                data[place:place] = bytes(source.choices(alphabet, k=source.randint(1, 8)))
        with server.connect() as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = read_answer(connection)
        assert answer is None or answer.status < 500, data
        if i % 1000 == 0:
            assert is_up(server)
    assert is_up(server)


def test_idle_and_slow_clients_hold_no_thread(serve):
    """What they cost the others' latency, tests/bench/serve.py measures."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        server = serve("--max-connections", 1100)
        threads = server.thread_count()
        idle = [server.connect() for _ in range(1000)]
        slow = [server.connect() for _ in range(20)]
        for sent in range(10):
            for connection in slow:
                connection.sendall(post()[sent : sent + 1])
        with server.connect() as connection:
            for _ in range(300):
                connection.sendall(post())
                assert read_answer(connection).status == 200
        assert server.thread_count() == threads
        for connection in slow:
            connection.sendall(post()[10:])
            assert read_answer(connection).status == 200
        idle[0].sendall(post())
        assert read_answer(idle[0]).status == 200
        for connection in idle + slow:
            connection.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Load:
    """Threads that ask over kept connections until told to stop; every answer is noted, and every failure."""

    def __init__(self, server, threads=4):
        self.server, self.answers, self.failures, self.is_over = server, [], [], False
        self.threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join(WAIT_S)

    def wait_for_answers(self, count):
        deadline = time.monotonic() + WAIT_S
        while len(self.answers) < count:
            assert time.monotonic() < deadline, "there are too few answers"
            time.sleep(0.01)

    def _run(self):
        try:
            connection = self.server.connect()
            while not self.is_over:
                connection.sendall(post())
                answer = read_answer(connection)
                if answer is None or answer.status != 200:
                    self.failures.append(answer)
                    return
                self.answers.append(answer.body)
                if answer.headers.get("connection") == "close":
                    return
        except OSError as error:
            self.failures.append(error)


def test_reloads_under_load_fail_and_mix_nothing(serve, repo, python_export, tmp_path):
    good, other, served = repo / "models/iris_net.pt", tmp_path / "other.pt", tmp_path / "model.pt"
    trained = python_export("train.py", repo / "data/iris.csv", "-o", other, "--epochs", "3", "--seed", "5")
    assert trained.returncode == 0, trained.stderr
    shutil.copy(good, served)
    server = serve(model=served)
    allowed = set()
    outcomes = []
    with Load(server) as load:
        for i in range(100):
            source = [good, other, None][i % 3]
            next_file = tmp_path / "next.pt"
            next_file.write_bytes(good.read_bytes()[:500] if source is None else source.read_bytes())
            next_file.replace(served)
            status, _, body = server.ask("/v2/repository/models/iris/load", b"", method="POST")
            outcomes.append((source is not None, status))
            if source is None:
                assert "model.pt" in body["error"]
            allowed.add(server.ask("/predict", BODY)[2]["predictions"][0]["confidence"])
    assert load.failures == []
    assert all(status == (200 if is_good else 500) for is_good, status in outcomes)
    assert len(allowed) == 2
    assert {json.loads(body)["predictions"][0]["confidence"] for body in set(load.answers)} <= allowed
    assert server.metric('iris_model_reloads_total{outcome="failure"}') == 33
    assert server.metric('iris_model_reloads_total{outcome="success"}') == 67


def test_whatever_becomes_of_the_file_the_model_serves_on(serve, repo, tmp_path):
    import torch

    good, served = repo / "models/iris_net.pt", tmp_path / "model.pt"
    shutil.copy(good, served)
    server = serve(model=served)

    def load():
        return server.ask("/v2/repository/models/iris/load", b"", method="POST")

    served.unlink()
    status, _, body = load()
    assert (status, "model.pt" in body["error"], "still serves" in body["error"]) == (500, True, True)
    served.mkdir()
    assert load()[0] == 500
    served.rmdir()
    os.mkfifo(served)
    status, _, body = load()  # which waits for no writer
    assert (status, "is not a regular file" in body["error"]) == (500, True)
    served.unlink()
    state = torch.load(good, weights_only=True)
    torch.save({**state, "fc1.weight": torch.zeros(16, 5)}, served)  # another width
    assert load()[0] == 500
    assert server.ask("/predict", BODY)[2]["predictions"][0]["label"] == "setosa"
    wide = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
    torch.jit.save(wide, str(served), _extra_files={"iris.json": '{"features": ["a", "b"], "labels": ["x", "y"]}'})
    assert load()[0] == 200
    assert server.ask("/v2/models/iris")[2]["inputs"][0]["shape"] == [-1, 2]
    assert server.ask("/predict", b"[1, 2]")[2]["predictions"][0]["label"] in ("x", "y")
    assert server.ask("/predict", BODY)[0] == 400
    shutil.copy(good, tmp_path / "next.pt")
    (tmp_path / "next.pt").rename(served)
    assert load()[0] == 200
    assert server.ask("/predict", BODY)[2]["predictions"][0]["label"] == "setosa"


def test_a_reload_names_the_option_that_would_help(serve, repo, tmp_path):
    import torch

    good, served = repo / "models/iris_net.pt", tmp_path / "model.pt"
    shutil.copy(good, served)
    server = serve(model=served)
    state = torch.load(good, weights_only=True)
    torch.save({"net": state, "ema": state}, tmp_path / "two.pt")
    (tmp_path / "two.pt").rename(served)
    status, _, body = server.ask("/v2/repository/models/iris/load", b"", method="POST")
    assert status == 500
    assert "--key" in body["error"]


def test_a_storm_of_signals_holds_up_nobody(serve):
    server = serve()
    with Load(server) as load:
        for _ in range(2000):
            server.process.send_signal(signal.SIGHUP)
    assert load.failures == []
    server.wait_for_log("loaded again")
    assert is_up(server)


def test_sighup_reads_the_model_again(serve):
    server = serve()
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log("the model was loaded again")
    assert is_up(server)


def test_sigterm_under_load_loses_no_request(serve):
    for _ in range(5):
        server = serve()
        with Load(server, threads=8) as load:
            load.wait_for_answers(50)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(WAIT_S) == 0
        assert load.failures == []


def test_no_descriptors_left(binary, repo):
    def limited():
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))

    server = Server(binary, repo / "models/iris_net.pt", preexec_fn=limited)
    try:
        assert "60" in server.wait_for_log("ulimit -n.*--max-connections 1024")
        many = []
        for _ in range(120):
            many.append(server.connect())
        many[0].sendall(post())
        assert read_answer(many[0]).status == 200
        for connection in many:
            connection.close()
        deadline = time.monotonic() + WAIT_S
        answer = None
        while answer is None and time.monotonic() < deadline:
            answer = server.raw(post())
        assert answer.status == 200
    finally:
        server.stop()


def test_memory_does_not_grow_with_requests(serve):
    """Over IRIS_SOAK_REQUESTS requests: 100000, or a million by hand."""
    server = serve()

    def ask(count):
        batch = post() * 100
        with server.connect() as connection:
            for _ in range(count // 100):
                connection.sendall(batch)
                for _ in range(100):
                    assert read_fast(connection)

    buffered = {}

    def read_fast(connection):
        data = buffered.get(connection, b"")
        while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 4 + 159:
            data += connection.recv(65536)
        end = data.index(b"\r\n\r\n") + 4 + 159
        buffered[connection] = data[end:]
        return data.startswith(b"HTTP/1.1 200")

    ask(20_000)
    before = server.rss_mib()
    count = int(os.environ.get("IRIS_SOAK_REQUESTS", "100000"))
    ask(count)
    after = server.rss_mib()
    print(f"{count} requests: {before:.1f} MiB, then {after:.1f}")
    assert after - before < 4


def test_large_bodies_do_not_stay_in_memory(serve):
    """Nested lists take ten times as much as JSON's tree as they do as text."""
    server = serve("--max-body", "4MiB")
    before = server.rss_mib()
    body = b"[" + b"[],{}," * 600_000 + b"1]"
    for _ in range(3):
        assert server.raw(post(body)).status == 400
    with server.connect() as unfinished:
        unfinished.sendall(post(body)[:-1])
        assert is_up(server)
    assert server.raw(post()).status == 200
    assert server.rss_mib() - before < 150


def test_a_model_that_breaks_for_good_turns_it_unready(serve, tmp_path, python_export):
    import torch

    class Breaks(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.is_broken = False
            self.linear = torch.nn.Linear(4, 3)

        def forward(self, rows):
            if bool((rows > 50).any()):
                self.is_broken = True
            if self.is_broken:
                raise RuntimeError("the device is lost")
            return self.linear(rows)

    names = json.dumps({"features": ["a", "b", "c", "d"], "labels": ["x", "y", "z"]})
    torch.jit.save(torch.jit.script(Breaks()), str(tmp_path / "breaks.pt"), _extra_files={"iris.json": names})
    server = serve(model=tmp_path / "breaks.pt")
    assert server.ask("/predict", b"[[1,2,3,4]]")[0] == 200
    assert server.ask("/predict", b"[[99,2,3,4]]")[0] == 500
    assert server.ask("/v2/health/live")[0] == 503
    assert server.ask("/v2/health/ready")[0] == 503
    assert server.ask("/predict", b"[[1,2,3,4]]")[0] == 503
    assert server.ask("/v2/repository/models/iris/load", b"", method="POST")[0] == 200
    assert server.ask("/v2/health/ready")[0] == 200
