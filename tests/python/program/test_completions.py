"""Manual pages and completions: made of the same definitions as --help, so each of its options is in all of them."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

VERBS = ["predict", "evaluate", "train", "inspect", "convert", "serve", "completions"]
SHELLS = ["bash", "zsh", "fish"]


def option_names(help_text):
    """["-i", "--input", …], with the options of a group's own line in one piece."""
    return [name for names in re.findall(r"^  (-[^ ]+)", help_text, re.MULTILINE) for name in names.split(",")]


@pytest.fixture(scope="module")
def scripts(iris):
    return {shell: iris("completions", shell).stdout for shell in SHELLS}


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def test_the_verbs_here_are_those_of_the_program(iris):
    assert re.findall(r"^  (\w+) {3,}", iris("--help").stdout.split("Subcommands:")[1], re.MULTILINE) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_in_the_manual_and_the_completions(iris, scripts, verb):
    names = option_names(iris(verb, "--help").stdout)
    assert "--help" in names
    manual = iris("man", verb).stdout.replace("\\-", "-")
    fish = [line for line in scripts["fish"].splitlines() if f"__fish_seen_subcommand_from {verb}'" in line]
    bash = re.search(rf"'{verb} -'\*\) words='([^']*)'", scripts["bash"])[1].split()
    zsh = re.search(rf"\b{verb}\) _arguments(.*?);;", scripts["zsh"], re.DOTALL)[1]
    assert sorted(names) == sorted(bash)
    for name in names:
        assert f"\\fB{name}\\fR" in manual
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", zsh), name
        short_or_long = f" -l {name[2:]} " if name.startswith("--") else f" -s {name[1:]} "
        assert any(short_or_long in line for line in fish), name


@needs("mandoc")
@pytest.mark.parametrize("verb", [None, *VERBS])
def test_the_manual_is_good_roff(iris, verb, tmp_path):
    page = tmp_path / "page.1"
    page.write_text(iris("man", *filter(None, [verb])).stdout)
    result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert [line for line in result.stdout.splitlines() if "missing date" not in line] == []


@needs("man")
def test_a_page_reads_as_one_expects(iris, tmp_path):
    (tmp_path / "iris-predict.1").write_text(iris("man", "predict").stdout)
    shown = subprocess.run(["man", "-l", tmp_path / "iris-predict.1"], capture_output=True, text=True, check=True,
                           env={**os.environ, "MANWIDTH": "200", "LC_ALL": "C"}).stdout  # fmt: skip
    text = re.sub(".\b", "", shown)
    assert "iris predict [OPTION]... MODEL [FEATURE...]" in text
    assert "-i, --input FILE" in text
    assert "What a bad row does: stop (default) or skip. One of stop, skip. Needs --input." in text
    assert "iris predict model.pt -i flowers.csv -o answers.csv --probabilities" in text


def bash_completes(script, *words):
    """What _iris offers for the last word; None: names of files."""
    shell = f"""
      compopt() {{ files=no; }}
      {script}
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) files=yes
      _iris
      if [ ${{#COMPREPLY[@]}} = 0 ] && [ $files = yes ]; then echo FILES; else printf '%s\\n' "${{COMPREPLY[@]}}"; fi
    """
    result = subprocess.run(["bash", "-c", shell, "bash", *words], capture_output=True, text=True)
    assert result.stderr == ""
    return None if result.stdout == "FILES\n" else result.stdout.split()


@pytest.mark.parametrize(
    "words, offered",
    [
        (["iris", "pre"], ["predict"]),
        (["iris", "--v"], ["--version"]),
        (["iris", "predict", "--input-"], ["--input-format"]),
        (["iris", "predict", "model.pt", "--on-error", ""], ["stop", "skip"]),
        (["iris", "predict", "model.pt", "--on-error", "=", "sk"], ["skip"]),
        (["iris", "predict", "model.pt", "--on-error", "="], ["stop", "skip"]),
        (["iris", "train", "--optimizer", "a"], ["adam", "adamw"]),
        (["iris", "predict", "model.pt", "--device", ""], ["auto", "cpu", "cuda"]),
        (["iris", "predict", "model.pt", "--dtype", "b"], ["bfloat16"]),
        (["iris", "completions", ""], ["bash", "zsh", "fish"]),
        (["iris", "predict", "mo"], None),
        (["iris", "predict", "model.pt", "-i", ""], None),
        (["iris", "serve", "model.pt", "--tls-cert", ""], None),
        (["iris", "predict", "model.pt", "--batch-size", ""], []),
        (["iris", "nonsense", ""], []),
    ],
)
def test_bash_offers_what_fits(scripts, words, offered):
    assert bash_completes(scripts["bash"], *words) == offered


@needs("fish")
@pytest.mark.parametrize(
    "line, offered",
    [
        ("iris pre", ["predict"]),
        ("iris predict --input-", ["--input-format"]),
        ("iris predict model.pt --on-error ", ["skip", "stop"]),
        ("iris train --optimizer=adam", ["--optimizer=adam", "--optimizer=adamw"]),
        ("iris predict model.pt --device c", ["cpu", "cuda"]),
        ("iris completions ", ["bash", "fish", "zsh"]),
        ("iris predict some_mo", ["some_model.pt"]),
        ("iris predict some_model.pt -i some_r", ["some_rows.csv"]),
        ("iris predict model.pt --batch-size some", []),
    ],
)
def test_fish_offers_what_fits(scripts, tmp_path, line, offered):
    (tmp_path / "iris.fish").write_text(scripts["fish"])
    for name in ("some_model.pt", "some_rows.csv"):
        (tmp_path / name).touch()
    result = subprocess.run(
        ["fish", "--no-config", "-c", f'source iris.fish; complete -C "{line}"'],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert result.stderr == ""
    names = sorted(entry.split("\t")[0] for entry in result.stdout.splitlines())
    assert [name for name in names if not name.startswith("iris.fish")] == offered


class Terminal:
    """An interactive shell, typed into."""

    def __init__(self, *command, cwd):
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execvpe(command[0], command, {**os.environ, "TERM": "dumb", "PS1": "", "HOME": str(cwd)})

    def type(self, text, until, timeout_s=20):
        os.write(self.end, text.encode())
        seen, deadline = "", time.monotonic() + timeout_s
        while until not in seen and time.monotonic() < deadline:
            if select.select([self.end], [], [], 0.1)[0]:
                seen += os.read(self.end, 4096).decode(errors="replace")
        assert until in seen, seen
        return seen

    def close(self):
        os.close(self.end)
        os.waitpid(self.pid, 0)


@needs("zsh")
@pytest.mark.parametrize(
    "typed, completed",
    [
        ("iris pre", "iris predict"),
        ("iris predict --input-", "iris predict --input-format"),
        ("iris predict model.pt --on-error sk", "iris predict model.pt --on-error skip"),
        ("iris predict some_mo", "iris predict some_model.pt"),
        ("iris train d.csv -o m.pt --optimizer sg", "iris train d.csv -o m.pt --optimizer sgd"),
        ("iris predict model.pt --device cu", "iris predict model.pt --device cuda"),
        ("iris predict model.pt --dtype=bf", "iris predict model.pt --dtype=bfloat16"),
        ("iris predict model.pt --output-format nd", "iris predict model.pt --output-format ndjson"),
        ("iris serve model.pt --log-format j", "iris serve model.pt --log-format json"),
        ("iris completions f", "iris completions fish"),
    ],
)
def test_zsh_completes_as_it_is_typed(scripts, tmp_path, typed, completed):
    (tmp_path / "_iris").write_text(scripts["zsh"])
    (tmp_path / "some_model.pt").touch()
    terminal = Terminal("zsh", "-f", "-i", cwd=tmp_path)
    try:
        terminal.type("fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; echo rea''dy\n", "ready")
        # What the line has become is printed, not run: ^A is its beginning, ^E its end.
        assert f"<{completed}>" in terminal.type(typed + "\t\x01print -r -- '<\x05>'\n", ">\r\n")
    finally:
        terminal.close()


def test_a_page_of_no_verb_is_wrong_usage(iris):
    result = iris("man", "nothing")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == 'iris: error: man: there is no verb "nothing"; iris --help lists them\n'
