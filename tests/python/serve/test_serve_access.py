"""Who may ask iris serve, and over what: keys, pages of other origins, TLS."""

import json
import signal
import ssl
import subprocess

import pytest
from serving import BODY, FLOWER, post, read_answer


def test_the_key(serve, tmp_path):
    (tmp_path / "key").write_text("secret\n")
    server = serve("--api-key-file", tmp_path / "key")
    for path in ("/v2/health/live", "/v2/health/ready", "/", "/page.js", "/page.css", "/iris.csv"):
        assert server.ask(path)[0] == 200
    for headers in (
        {},
        {"Authorization": "Bearer secre"},
        {"Authorization": "Basic secret"},
        {"Authorization": "Bearer "},
    ):
        for path in ("/metrics", "/v2", "/openapi.json", "/nothing"):
            assert server.ask(path, headers=headers)[0] == 401, headers
    for authorization in ("Bearer secret", "bearer  secret"):
        assert server.ask("/predict", BODY, headers={"Authorization": authorization})[0] == 200


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
    with server.connect() as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        assert connection.version() == "TLSv1.3"
    for body in (BODY, json.dumps([FLOWER] * 1000).encode()):
        status, _, answer = server.ask("/predict", body, context=context)
        assert status == 200
        assert answer["predictions"][0]["label"] == "setosa"
    assert server.raw(post()) is None  # plain HTTP
    assert server.ask("/v2", context=context)[0] == 200


def handshake(server, context):
    """The name and version of the cipher that is agreed upon; None where there is none."""
    try:
        with server.connect() as plain, context.wrap_socket(plain) as connection:
            return connection.cipher()[:2]
    except ssl.SSLError:
        return None


def test_tls_takes_no_cipher_without_forward_secrecy_or_authentication(serve, certificate):
    cert, key = certificate
    server = serve("--tls-cert", cert, "--tls-key", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(server, context)[0].startswith("ECDHE-RSA-")
    for refused in ("AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA"):
        context.set_ciphers(refused + ":@SECLEVEL=0")
        assert handshake(server, context) is None, refused


def test_sighup_reads_the_certificate_again(serve, certificate, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(certificate[0].read_bytes())
    key.write_bytes(certificate[1].read_bytes())
    server = serve("--tls-cert", cert, "--tls-key", key)

    def certificate_of_server():
        return ssl.get_server_certificate(("127.0.0.1", server.port))

    before = certificate_of_server()
    context = ssl.create_default_context(cafile=cert)
    with server.connect() as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as old:
        make_certificate(tmp_path, "-nodes")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("iris: the certificate was loaded again")
        after = certificate_of_server()
        assert after != before
        old.sendall(post())  # a connection keeps what it began with
        assert read_answer(old).status == 200
    key.write_text("nothing")
    server.process.send_signal(signal.SIGHUP)
    line = server.wait_for_log("the certificate could not be loaded again")
    assert line.startswith(f"iris: the certificate could not be loaded again: --tls-key {key}: ")
    assert line.endswith("; the one loaded before still serves")
    assert certificate_of_server() == after


@pytest.mark.parametrize("options", [[], ["--cors-origin", "*"]])
def test_no_page_loads_or_unloads_a_model_without_a_key(serve, options):
    server = serve(*options)
    for verb in ("load", "unload"):
        for origin in ("https://example.org", "null", server.url):
            status, _, body = server.ask(
                f"/v2/repository/models/iris/{verb}", b"", method="POST", headers={"Origin": origin}
            )
            expected = "Origin: a page may load or unload models only with the key of --api-key-file"
            assert (status, body["error"]) == (403, expected)
    assert server.ask("/v2/health/ready")[0] == 200
