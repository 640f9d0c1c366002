"""iris serve at its edges: memory, descriptors, files that change, callers who leave."""

import contextlib
import gzip
import json
import os
import resource
import shutil
import signal
import socket
import struct
import threading
import time

import pytest
from serving import BODY, FLOWER, WAIT_S, Server, post, read_answer
from test_serve_trouble import Load

MANY_OBJECTS = b'{"a":[{}' + b",{}" * 5_000_000 + b"]}"


def packed(body, path="/predict", *headers):
    return post(gzip.compress(body, 1), path, "Content-Encoding: gzip", *headers)


def load(server):
    return server.ask("/v2/repository/models/iris/load", b"", method="POST")


@pytest.fixture
def limited(binary, repo):
    """limited(limit, value, *options): a server under a limit of its process; stopped at the end."""
    servers = []

    def call(limit, value, *options):
        def set_limit():
            resource.setrlimit(limit, (value, value))

        servers.append(Server(binary, repo / "models/iris_net.pt", *options, preexec_fn=set_limit))
        return servers[-1]

    yield call
    for server in servers:
        server.stop()


def test_a_file_that_is_rewritten_in_place_fails_reloads_and_nothing_else(serve, repo, tmp_path):
    import torch

    large = tmp_path / "large.pt"
    module = torch.nn.Sequential(torch.nn.Linear(4, 4000), torch.nn.Linear(4000, 400), torch.nn.Linear(400, 3))
    torch.jit.save(torch.jit.trace(module, torch.zeros(1, 4)), str(large))
    bytes_of_it, served = large.read_bytes(), tmp_path / "model.pt"
    shutil.copy(large, served)
    server = serve(model=served)
    is_over = threading.Event()

    def rewrite():
        while not is_over.is_set():
            with served.open("r+b") as file:  # as cp and torch.save do
                file.truncate(0)
                for at in range(0, len(bytes_of_it), 1 << 20):
                    file.write(bytes_of_it[at : at + (1 << 20)])
            time.sleep(0.07)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        with Load(server, threads=2) as running:
            statuses = [load(server)[0] for _ in range(20)]
    finally:
        is_over.set()
        writer.join()
    assert running.failures == []
    assert set(statuses) <= {200, 500}
    assert load(server)[0] == 200
    assert server.process.poll() is None


def test_a_file_that_is_cut_while_its_model_serves_does_no_harm(serve, repo, tmp_path):
    served = tmp_path / "model.pt"
    shutil.copy(repo / "models/iris_net.pt", served)
    server = serve(model=served)
    os.truncate(served, 10)
    assert server.ask("/predict", BODY)[0] == 200
    status, _, body = load(server)
    assert (status, body["error"].startswith(f"{served}: ")) == (500, True)
    assert "failed" not in " ".join(server.log)
    assert server.ask("/predict", BODY)[2]["predictions"][0]["label"] == "setosa"


@pytest.mark.parametrize(
    "path", ["/predict", "/v2/models/iris/infer", "/v2/repository/index", "/v1/models/iris:predict"]
)
def test_a_small_body_that_unpacks_to_many_values_takes_neither_memory_nor_time(serve, path):
    server = serve()
    server.ask("/predict", BODY)
    before = server.rss_mib()
    bodies = [packed(MANY_OBJECTS, path), packed(b'{"inputs":' + MANY_OBJECTS[5:], path)]
    bodies.append(packed(b'{"instances":' + MANY_OBJECTS[5:], path))
    connections = [server.connect() for _ in range(6)]
    for i, connection in enumerate(connections):
        connection.sendall(bodies[i % 3])
    slowest = 0
    for _ in range(20):
        start = time.monotonic()
        assert server.ask("/v2/health/live")[0] == 200
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.02)
    answers = [read_answer(connection) for connection in connections]
    for connection in connections:
        connection.close()
    assert {answer.status for answer in answers} <= {200, 400, 413, 503}
    assert server.rss_mib() - before < 300
    assert slowest < 1  # with other tests on the machine; usually some milliseconds


def test_bodies_of_callers_who_left_hold_up_nobody(serve):
    server = serve()
    body = packed(b'{"instances":[' + b"[5.1,3.5,1.4,0.2]," * 900_000 + b"[5.1,3.5,1.4,0.2]]}")
    for _ in range(12):
        connection = server.connect()
        connection.sendall(body)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    start = time.monotonic()
    assert server.raw(packed(BODY)).status == 200
    assert time.monotonic() - start < 2
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(WAIT_S) == 0


def test_missing_memory_is_the_requests_503(limited):
    server = limited(resource.RLIMIT_AS, 3 << 30, "--max-body", "1GiB", "--max-queue-rows", "16777216", "--workers", 2)
    with open(f"/proc/{server.process.pid}/status") as status:
        size = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmSize:"))
    room = size + (64 << 20)
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, (room, room))
    statuses = []
    for body in (b"[" + b"1" * 100_000_000, b'{"instances":[' + b"[1,2,3,4]," * 4_000_000 + b"[1,2,3,4]]}") * 3:
        with server.connect() as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(post(body))
            answer = read_answer(connection)
            statuses.append(answer.status if answer else None)
    assert server.process.poll() is None
    assert 503 in statuses
    assert set(statuses) <= {503, None}
    assert server.ask("/predict", BODY)[0] == 200


def test_the_head_limit_holds_however_the_bytes_are_cut(server):
    line = b"A: " + b"b" * 310 + b"\r\n"
    head = b"GET /v2 HTTP/1.1\r\nHost: t\r\n"
    head += b"P: " + b"p" * (4090 - len(head)) + b"\r\n"
    for into in (1, 2, 3):
        with server.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(head + line[:into])
            is_cut_off = False
            try:
                for _ in range(100):
                    time.sleep(0.002)
                    connection.sendall(line[into:] + 12 * line + line[:into])
            except (BrokenPipeError, ConnectionResetError):
                is_cut_off = True
            answer = read_answer(connection)
            assert answer.status == 431 if answer else is_cut_off


def test_a_repeated_traceparent_or_request_id_starts_anew(server):
    trace = b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    answer = server.raw(b"GET /v2 HTTP/1.1\r\nHost: t\r\n" + 2 * trace + 2 * b"X-Request-Id: a\r\n" + b"\r\n")
    assert answer.status == 200
    made = answer.headers["x-request-id"]
    assert len(made) == 16
    assert "traceparent" not in server.wait_for_log(made)


def test_few_descriptors_leave_some_for_reloads_and_figures(limited):
    server = limited(resource.RLIMIT_NOFILE, 64)
    assert server.wait_for_log(r"the limit of open files \(ulimit -n\), 64, .* --max-connections 1024; \d+ are taken")
    held = []
    for _ in range(40):
        held.append(server.connect())
    time.sleep(0.3)
    with held[0] as connection:
        connection.sendall(post(b"", "/v2/repository/models/iris/load"))
        assert read_answer(connection).status == 200
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n")
        text = read_answer(connection).body.decode()
    assert int(float(text.split("\nprocess_open_fds ")[1].split()[0])) > 20
    for connection in held:
        connection.close()


def test_health_answers_while_all_connections_are_taken(serve):
    server = serve("--max-connections", 2)
    taken = [server.connect() for _ in range(2)]
    for connection in taken:
        connection.sendall(post())
        assert read_answer(connection).status == 200
    assert server.ask("/v2/health/live")[0] == 200
    assert server.ask("/v2/health/ready")[0] == 200
    status, headers, _ = server.ask("/v2")
    assert (status, headers["Connection"]) == (503, "close")
    for connection in taken:
        connection.close()


def test_sigterm_sends_on_a_batch_that_waits(serve):
    server = serve("--max-wait-us", 60_000_000)
    with server.connect() as waiting:
        waiting.sendall(post())
        deadline = time.monotonic() + WAIT_S
        while server.metric("iris_inference_pending_rows") != 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        assert read_answer(waiting).status == 200
    assert server.process.wait(WAIT_S) == 0


def save_endless_above(limit, path):
    import torch

    class Endless(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.limit = float(limit)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            while bool((rows > self.limit).any()):
                rows = rows + 1
            return rows

    torch.jit.script(Endless()).save(str(path))


def test_sigterm_ends_a_pass_that_never_ends(serve, tmp_path):
    path = tmp_path / "model.ts.pt"
    save_endless_above(100, path)
    server = serve("--features", "a,b", "--timeout-s", 1, model=path)
    with server.connect() as caller:
        caller.sendall(post(b"[101, 0]"))
        deadline = time.monotonic() + WAIT_S
        while server.metric("iris_inference_pending_rows") != 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(WAIT_S) == 1
    server.wait_for_log("callers without an answer: 1")


def test_sigterm_ends_a_reload_that_never_ends(serve, tmp_path):
    path = tmp_path / "model.ts.pt"
    save_endless_above(100, path)
    server = serve("--features", "a,b", model=path)
    save_endless_above(-1, path)
    server.process.send_signal(signal.SIGHUP)
    time.sleep(1)  # it warms up
    assert server.ask("/predict", b"[1, 0]")[0] == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(WAIT_S) == 0
    server.wait_for_log("ending, though a pass or a load is still under way")


def test_a_callers_deadline_ends_a_wait_for_others(serve):
    server = serve("--max-wait-us", 60_000_000)
    tensor = {"name": "input", "shape": [1, 4], "datatype": "FP32", "data": FLOWER}
    body = json.dumps({"parameters": {"timeout": 200_000}, "inputs": [tensor]}).encode()
    start = time.monotonic()
    status, _, answer = server.ask("/v2/models/iris/infer", body)
    assert (status, answer["error"]) == (504, "parameters.timeout: was over before the model had answered")
    assert 0.2 <= time.monotonic() - start < 5


def test_no_caller_is_reset_while_the_server_ends(serve):
    for _ in range(3):
        server = serve()
        resets, is_over = [], threading.Event()

        def connect(server=server, resets=resets, is_over=is_over):
            while not is_over.is_set():
                try:
                    connection = server.connect(5)
                except ConnectionRefusedError:
                    return
                except (TimeoutError, OSError):
                    continue  # its first packet was dropped, and then refused
                with connection:
                    try:
                        connection.sendall(post(BODY, "/predict", "Connection: close"))
                        if not connection.recv(12).endswith(b"200"):
                            resets.append("no answer")
                    except ConnectionError as error:
                        resets.append(error)

        threads = [threading.Thread(target=connect) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(WAIT_S) == 0
        is_over.set()
        for thread in threads:
            thread.join()
        assert resets == []


def test_a_unix_socket(binary, repo, tmp_path):
    import subprocess

    path = tmp_path / "iris.sock"

    def start():
        command = [binary, "serve", repo / "models/iris_net.pt", "--host", f"unix:{path}"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr.readline() == f"iris: serving iris on unix:{path}\n"
        return process

    killed = start()
    killed.kill()
    killed.wait()
    killed.stderr.close()
    process = start()  # in place of the one that was left there
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(post())
        assert read_answer(connection).status == 200
        connection.sendall(post(b"", "/v2/repository/models/iris/load"))  # a caller on this machine
        assert read_answer(connection).status == 200
    second = subprocess.run(
        [binary, "serve", repo / "models/iris_net.pt", "--host", f"unix:{path}"], stderr=subprocess.PIPE, text=True
    )
    assert (second.returncode, second.stderr) == (1, f"iris: error: --host unix:{path}: Address already in use\n")
    process.terminate()
    assert process.wait(WAIT_S) == 0
    process.stderr.close()
    assert not path.exists()


def test_localhost_is_both_of_its_addresses(serve):
    server = serve("--host", "localhost")
    for _, _, _, _, address in socket.getaddrinfo("localhost", server.port, type=socket.SOCK_STREAM):
        with socket.create_connection(address[:2], WAIT_S) as connection:
            connection.sendall(post())
            assert read_answer(connection).status == 200


def test_an_address_may_be_written_as_in_a_url(serve):
    server = serve("--host", "[::1]")
    assert server.url.startswith("http://[::1]:")
    assert server.ask("/v2")[0] == 200


def test_it_tells_the_service_manager_that_it_serves(binary, repo, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(WAIT_S)
        server = Server(binary, repo / "models/iris_net.pt", env={**os.environ, "NOTIFY_SOCKET": path})
        try:
            assert manager.recv(100) == b"READY=1"
            server.process.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
        finally:
            server.stop()
