"""Requests per second of one flower each: iris serve beside Python's servers, in turn, with wrk on the same machine."""

import argparse
import contextlib
import json
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from environment import HERE, Place, peer, peers_python, pins

REQUIREMENTS = HERE / "serve_requirements.txt"
MLSERVER_REQUIREMENTS = HERE / "mlserver_requirements.txt"
BODY = '{"instances":[[5.1,3.5,1.4,0.2]]}'
CONNECTIONS = 64
IDLE = 1000
START_S = 60
OURS = "iris serve"
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass
class Load:
    """What wrk saw, and the server's memory: the proportional share (PSS) of its processes."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    mib: float
    failed: int


def main() -> None:
    options = parser().parse_args()
    results = (options.results or options.build.parent / "bench").resolve()
    results.mkdir(parents=True, exist_ok=True)
    seconds, rounds = (1, 1) if options.small else (options.seconds, options.rounds)
    with tempfile.TemporaryDirectory(dir=results) as folder:
        script = Path(folder) / "post.lua"
        script.write_text(
            f"wrk.method = 'POST'\nwrk.body = '{BODY}'\nwrk.headers['Content-Type'] = 'application/json'\n"
        )
        servers = commands(options, results)
        loads: dict[str, list[Load]] = {name: [] for name in servers}
        alone: list[Load] = []
        beside_idle: list[Load] = []
        left_out: dict[str, str] = {}
        for _ in range(rounds):
            for name, command in servers.items():
                if name in left_out:
                    continue
                try:
                    with Running(command) as server:
                        loads[name].append(wrk(server, script, CONNECTIONS, seconds))
                        if name == OURS:
                            alone.append(wrk(server, script, 1, max(1, seconds // 2)))
                            with idle_connections(server, IDLE):
                                beside_idle.append(wrk(server, script, 1, max(1, seconds // 2)))
                except RuntimeError as error:
                    if name == OURS:
                        raise
                    left_out[name] = str(error)
    report(results, {name: each for name, each in loads.items() if each}, alone, beside_idle, left_out, seconds, rounds)


def commands(options, results: Path) -> dict[str, list[str]]:
    """The servers' commands, with PORT in place of their port."""
    place = Place(options.build, results, Path(sys.executable), None)
    servers = {OURS: [str(options.build / "iris"), "serve", str(place.model), "--port", "PORT"]}
    if not options.no_peers:
        python = peers_python(results / "serve_venv", REQUIREMENTS)
        servers["FastAPI tuned, 2 workers"] = peer(python, "serve_fastapi_tuned.py", place.model, "PORT")
        servers["FastAPI"] = peer(python, "serve_fastapi.py", place.model, "PORT")
        servers["LitServe"] = peer(python, "serve_litserve.py", place.model, "PORT")
        python = peers_python(results / "mlserver_venv", MLSERVER_REQUIREMENTS)
        servers["MLServer"] = peer(python, "serve_mlserver.py", place.model, "PORT")
    return servers


class Running:
    """A server that answers; all its processes end with the block. Raises RuntimeError if it does not start."""

    def __init__(self, command: list[str]):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.command = [str(self.port) if word == "PORT" else word for word in command]

    def __enter__(self):
        scripts = os.environ["PYTHONPATH"] + os.pathsep + str(HERE / "peers")
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": scripts},
        )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{self.port}/predict", BODY.encode())
                request.add_header("Content-Type", "application/json")
                with urllib.request.urlopen(request, timeout=5) as answer:
                    label = json.load(answer)["predictions"][0]["label"]
                if label != "setosa":
                    raise RuntimeError(f"answers {label}")
                return self
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError("does not start")

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def mib(self) -> float:
        total = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(folder.name)) == self.process.pid:
                    text = (folder / "smaps_rollup").read_text()
                    total += int(re.search(r"^Pss: +(\d+)", text, re.MULTILINE)[1])
            except (OSError, ProcessLookupError, TypeError):
                continue
        return total / 1024


@contextlib.contextmanager
def idle_connections(server: Running, count: int):
    """That many connections which ask for nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 200)), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        yield


def wrk(server: Running, script: Path, connections: int, seconds: int) -> Load:
    url = f"http://127.0.0.1:{server.port}/predict"
    threads = min(2, connections)
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def percentile(name: str) -> float:
        number, unit = re.search(rf"{name}% +([\d.]+)(us|ms|s)", text).groups()
        return float(number) * UNITS_MS[unit]

    failed = sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout) (\d+)", text))
    failed += sum(int(count) for count in re.findall(r"Non-2xx or 3xx responses: (\d+)", text))
    rate = float(re.search(r"Requests/sec: +([\d.]+)", text)[1])
    return Load(rate, percentile("50"), percentile("99"), server.mib(), failed)


def median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(getattr(each, name) for each in loads) for name in Load.__annotations__))


def report(results: Path, loads, alone, beside_idle, left_out, seconds: int, rounds: int) -> None:
    ours = loads[OURS]
    lines = [
        f"### One flower per request, {CONNECTIONS} connections",
        "",
        "| server | requests/s | iris / it | p50 ms | p99 ms | MiB | failed |",
        "|---|---|---|---|---|---|---|",
    ]
    medians = {name: median(each) for name, each in loads.items()}
    ratios = {
        name: statistics.median(
            mine.requests_per_s / theirs.requests_per_s for mine, theirs in zip(ours, each, strict=False)
        )
        for name, each in loads.items()
    }
    for name, each in sorted(medians.items(), key=lambda item: -item[1].requests_per_s):
        numbers = f"{each.requests_per_s:,.0f} | {ratios[name]:.1f} | {each.p50_ms:.2f} | {each.p99_ms:.2f}"
        lines.append(f"| {name} | {numbers} | {each.mib:.0f} | {each.failed:.0f} |")
    one, one_beside_idle = median(alone), median(beside_idle)
    lines.append("")
    for name, each in (("one connection", one), (f"one connection next to {IDLE:,} idle ones", one_beside_idle)):
        lines += [f"{OURS}, {name}: {each.requests_per_s:,.0f} requests/s, p50 {1000 * each.p50_ms:.0f} µs", ""]
    lines += [f"- left out: {name}: {reason}" for name, reason in left_out.items()]
    conditions = (
        f"Medians; {rounds} rounds of {seconds} s in turn; {len(os.sched_getaffinity(0))} cores, shared with wrk"
    )
    text = "\n".join([*lines, f"{conditions}; {', '.join(pins(REQUIREMENTS) + pins(MLSERVER_REQUIREMENTS))}."])
    (results / "serve.md").write_text(text + "\n", encoding="utf-8")
    content = {
        "rounds": rounds,
        "medians": {name: asdict(each) for name, each in medians.items()},
        "ratios": ratios,
        "one_connection": asdict(one),
        "one_connection_beside_idle": asdict(one_beside_idle),
        "left_out": left_out,
    }
    (results / "serve.json").write_text(json.dumps(content, indent=2), encoding="utf-8")
    print(text)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="script/bench serve", description=__doc__, allow_abbrev=False)
    result.add_argument("build", type=Path, help="the build folder, with iris in it")
    result.add_argument("--rounds", type=int, default=3, help="counted runs of each server (3)")
    result.add_argument("--seconds", type=int, default=5, help="of load in each run (5)")
    result.add_argument("--small", action="store_true", help="does it work, not how fast is it")
    result.add_argument("--no-peers", action="store_true", help="only iris")
    result.add_argument("--results", type=Path, help="where they go (build/bench)")
    return result


if __name__ == "__main__":
    main()
