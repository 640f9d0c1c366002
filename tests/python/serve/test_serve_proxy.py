"""deploy/nginx.conf by Debian's nginx: TLS in front of two instances, one of them killed under load."""

import http.client
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from serving import BODY, WAIT_S

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed: script/setup-extras --serve")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def proxy(serve, repo, tmp_path):
    """The two instances, and the proxy's port and certificate."""
    instances = [serve(), serve()]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True,
        capture_output=True,
    )
    port = free_port()
    text = (repo / "deploy/nginx.conf").read_text()
    for old, new in (
        ("127.0.0.1:8081", f"127.0.0.1:{instances[0].port}"),
        ("127.0.0.1:8082", f"127.0.0.1:{instances[1].port}"),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("/etc/iris", str(tmp_path)),
    ):
        assert old in text
        text = text.replace(old, new)
    folders = "".join(
        f"  {name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {\n", "http {\n  access_log off;\n" + folders, 1)
    own = f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\ndaemon off;\n"
    (tmp_path / "nginx.conf").write_text(own + text)
    process = subprocess.Popen([NGINX, "-c", tmp_path / "nginx.conf", "-p", tmp_path], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.02)
    yield instances, port, ssl.create_default_context(cafile=tmp_path / "cert.pem")
    process.terminate()
    process.wait(WAIT_S)


def test_an_instance_killed_under_load_fails_no_request(proxy):
    instances, port, context = proxy
    statuses, is_over = [], threading.Event()

    def ask():
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=WAIT_S)
        while not is_over.is_set():
            connection.request("POST", "/predict", BODY)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)

    def wait_for(count):
        deadline = time.monotonic() + WAIT_S
        while len(statuses) < count:
            assert time.monotonic() < deadline, statuses[-6:]
            time.sleep(0.02)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        wait_for(50)
        instances[0].process.kill()
        instances[0].process.wait(WAIT_S)
        wait_for(len(statuses) + 500)
    finally:
        is_over.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert set(statuses) == {200}
    assert instances[0].log and instances[1].log


def test_the_repository_is_not_for_the_proxy_s_callers(proxy):
    _, port, context = proxy
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    connection.request("POST", "/v2/repository/models/iris/load", b"")
    assert connection.getresponse().status == 404
    connection.close()
