"""Who may ask iris serve, and over what: keys, pages of other origins, TLS."""

import json
import ssl
import subprocess

import pytest
from serving import BODY, FLOWER, post, read_answer


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
        assert connection.recv(1) == b""


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
