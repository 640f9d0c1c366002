"""The running server for its tests: started on a free port, asked over plain sockets, ended with the test."""

import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

WAIT_S = 20
FLOWER = [5.1, 3.5, 1.4, 0.2]
BODY = json.dumps({"instances": [FLOWER]}).encode()


class Server:
    """A running `iris serve`; its stderr is gathered in `log`."""

    def __init__(self, binary, model, *options, port=0, **popen):
        command = [binary, "serve", str(model), "--port", str(port), *map(str, options)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **popen)
        self.log = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        line = self.wait_for_log("iris: (serving|error)")
        found = re.fullmatch(r"iris: serving (.*) on (https?)://(.*):(\d+)", line)
        assert found, line
        self.port = int(found[4])
        self.url = f"{found[2]}://{found[3]}:{self.port}"

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line.decode("utf-8", "replace").rstrip("\n"))

    def wait_for_log(self, pattern):
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for line in list(self.log):
                if re.search(pattern, line):
                    return line
            if self.process.poll() is not None and not self.reader.is_alive():
                break
            time.sleep(0.01)
        raise AssertionError(f"no line like {pattern} in {self.log[-20:]}")

    def connect(self, timeout=WAIT_S):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def raw(self, data, timeout=WAIT_S):
        """Sends the bytes on a new connection and returns the first answer; None if none came."""
        with self.connect(timeout) as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it was answered before all was sent
            return read_answer(connection)

    def ask(self, path, body=None, method=None, headers=None, context=None):
        """Asks with a real client. Returns (status, headers, body), the body parsed if it is JSON."""
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers or {})
        try:
            answer = urllib.request.urlopen(request, timeout=WAIT_S, context=context)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            content = answer.read()
            is_json = answer.headers["Content-Type"] == "application/json"
            return answer.status, answer.headers, json.loads(content) if is_json else content

    def metric(self, sample):
        """The value of a metric; 0 if it is not there yet."""
        text = self.ask("/metrics")[2].decode()
        for line in text.splitlines():
            if line.startswith(sample + " "):
                return float(line.split()[-1])
        return 0.0

    def thread_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def rss_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(WAIT_S)
        self.process.stderr.close()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


def read_answer(connection):
    """The next answer on the connection; None at its end."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(1)  # no byte of the next answer
            if not piece:
                return None
            data += piece
        head, *lines = data.decode("latin1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        status = int(head.split()[1])
        if status == 100:
            return Answer(status, headers, b"")
        body = b""
        while len(body) < int(headers["content-length"]):
            piece = connection.recv(int(headers["content-length"]) - len(body))
            assert piece, "the answer is cut short"
            body += piece
        return Answer(status, headers, body)
    except ConnectionResetError:
        return None


def post(body=BODY, path="/predict", *headers):
    """A request's bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
