"""The documentation followed to the letter: every command and every block of Python, in a copy of the repository.

What a document shows of an output is compared with it: `…` stands for anything within a line, and alone on a line for
any lines.
"""

import contextlib
import io
import os
import re
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from document_exceptions import NEEDS, give, is_not_run

TIMEOUT_S = 120  # for a step
MARK = "--- status "
LANGUAGES = {"console", "bash", "python", "text", "cpp", "cmake"}
INLINE_COMMAND = re.compile(
    r"`((?:iris|python|pip|cmake|cpack|source|curl|awk|ray|kubectl|nginx|podman|parallel|script/\w+)(?: [^ `]+){2,})`"
)
PLACEHOLDERS = {"MODEL": "models/iris_net.pt", "VERB": "predict", "DIR": "installed"}


@dataclass(frozen=True)
class Step:
    """A command, or a whole block of a language; `shown` is what the document shows of its output."""

    line: int
    language: str
    text: str
    shown: str = ""

    @property
    def command(self) -> str:
        """On one line, without the remark that the document has after it."""
        return " ".join(re.sub(r"\s+#.*|\\\n", " ", self.text).split())


def steps(document: str) -> list[Step]:
    """All steps of a document that can be run, and its blocks of C++ and CMake, in order."""
    found, lines = [], document.split("\n")
    number = 0
    while number < len(lines):
        fence = re.fullmatch(r"```(\w*)", lines[number])
        if not fence:
            found += [Step(number + 1, "console", command) for command in INLINE_COMMAND.findall(lines[number])]
            number += 1
            continue
        end = lines.index("```", number + 1)
        language, block = fence[1], "\n".join(lines[number + 1 : end])
        assert language in LANGUAGES, f"line {number + 1}: a block of {language or 'no language'}"
        if language == "console":
            # A line that ends in \ goes on in the next.
            for command in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n?((?:(?!\$ ).*(?:\n|$))*)", block, re.MULTILINE):
                line = number + 2 + block[: command.start()].count("\n")
                found.append(Step(line, language, command[1], command[2].strip("\n")))
        elif language == "text":
            found[-1] = Step(found[-1].line, found[-1].language, found[-1].text, block)
        else:
            found.append(Step(number + 2, language, block))
        number = end + 1
    return found


def is_shown(shown: str, output: str) -> bool:
    """Whether the output is what the document shows of it."""
    lines = [
        ".*".join(map(re.escape, line.split("…"))) + "\n" if line != "…" else "(?:.*\n)*" for line in shown.split("\n")
    ]
    return re.fullmatch("".join(lines), output.strip("\n") + "\n") is not None


def run_script(words: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words)
        runpy.run_path(words[0], run_name="__main__")


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


class Shell:
    """A bash and a Python in one folder, which keep their state from step to step."""

    def __init__(self, folder: Path, path: str):
        self.folder, self.port, self.names = folder, None, {}
        home = folder.parent / "home"  # so that `~` in a command is not the user's home
        home.mkdir()
        (home / ".curlrc").write_text("silent\nshow-error\nfail\n")  # as on a terminal; and a 400 is an error
        environment = {**os.environ, "PATH": path, "HOME": str(home)}
        if shutil.which("ccache"):  # the C++ of a document is compiled once for all runs
            cache = os.environ.get("CCACHE_DIR", str(Path.home() / ".cache/ccache"))
            environment |= {"CMAKE_CXX_COMPILER_LAUNCHER": "ccache", "CCACHE_DIR": cache}
            environment |= {"CCACHE_BASEDIR": str(folder), "CCACHE_NOHASHDIR": "1"}
        if b"__asan_init" in (folder / "build/release/iris").read_bytes():  # for programs on its library
            environment["CXXFLAGS"] = "-fsanitize=address,undefined"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        # In a session of its own, so that stop() ends everything that it started.
        self.bash = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, text=True, encoding="utf-8", start_new_session=True, **pipes
        )

    def run(self, step: Step) -> tuple[int, str]:
        """The exit status and what was printed, stderr too."""
        if step.language == "python":
            return self._in_process(lambda: exec(compile(step.text, "<document>", "exec"), self.names))
        script = re.fullmatch(r"python (\S+\.py .*)", step.command)
        if script and not re.search(r"[|&;<>$`]", script[1]):
            # In this process: importing torch again takes seconds.
            return self._in_process(lambda: run_script(shlex.split(script[1])))
        text = re.sub(rf"(?<!\S)({'|'.join(PLACEHOLDERS)})(?!\S)", lambda name: PLACEHOLDERS[name[1]], step.text)
        if re.match(r"iris serve (?!.*--help)", text):
            self.port = free_port()
            serve = re.sub(r"\s*&?(\s+#.*)?$", f" --port {self.port}", text, count=1)
            text = f"kill %% 2>/dev/null; rm -f serve.log; {serve} >serve.log 2>&1 & "
            text += "until grep -sq '^iris: ' serve.log; do sleep 0.05; done; cat serve.log; "
            text += "! grep -q 'iris: error' serve.log"
        elif self.port:
            text = text.replace(":8080", f":{self.port}")
        status, output = self._bash(text)
        return status, output.replace(f":{self.port}", ":8080")

    def _bash(self, text: str) -> tuple[int, str]:
        timer = threading.Timer(TIMEOUT_S, self.stop)
        timer.start()
        output = ""
        try:
            self.bash.stdin.write(f"{{ {text}\n}} </dev/null; printf '\\n{MARK}%d\\n' $?\n")
            self.bash.stdin.flush()
            for line in self.bash.stdout:
                if line.startswith(MARK):
                    return int(line.removeprefix(MARK)), output.removesuffix("\n")
                output += line
        finally:
            timer.cancel()
        return -signal.SIGKILL, output + "the shell has ended, or the step took too long\n"

    def _in_process(self, work: Callable[[], None]) -> tuple[int, str]:
        output, threads, status = io.StringIO(), torch.get_num_threads(), 0
        with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
            patch.chdir(self.folder)
            patch.setattr(sys, "path", [*sys.path])
            patch.setattr(sys, "stdout", output)
            patch.setattr(sys, "stderr", output)
            try:
                work()
            except SystemExit as left:
                status = left.code or 0
            except Exception:
                status = 1
                traceback.print_exc()
        torch.set_num_threads(threads)
        return status, output.getvalue()

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.bash.pid, signal.SIGKILL)


@dataclass
class Followed:
    """A document that was followed, in `folder`: its faults, and the programs that this machine lacks."""

    folder: Path
    faults: list[str] = field(default_factory=list)
    lacking: set[str] = field(default_factory=set)


def copy_repository(repo: Path, folder: Path, build: Path) -> None:
    """Copies the sources; the build and the Python environment are links to those in use."""
    shutil.copytree(repo, folder, ignore=shutil.ignore_patterns(".*", "build", "__pycache__", "hostile*", "fuzz"))
    (folder / "build").mkdir()
    (folder / "build/release").symlink_to(build)
    (folder / ".venv").symlink_to(sys.prefix)


def follow(document: str, folder: Path, path: str) -> Followed:
    """Runs every step of a document in a copy of the repository, except NOT_RUN."""
    result = Followed(folder)
    give(document, folder)
    shell = Shell(folder, path)
    try:
        for step in steps((folder / document).read_text()):
            lacking = {name for word, (name, is_there) in NEEDS.items() if word in step.text and not is_there()}
            result.lacking |= lacking
            if step.language in ("cpp", "cmake") or is_not_run(document, step) or lacking:
                continue
            status, output = shell.run(step)
            if status != 0:
                result.faults.append(f"line {step.line}: exit status {status}: {step.text}\n{output}")
            elif step.shown and not is_shown(step.shown, output):
                result.faults.append(f"line {step.line}: {step.text}\nshown:\n{step.shown}\nprinted:\n{output}")
    finally:
        shell.stop()
        shell.bash.communicate()
    return result
