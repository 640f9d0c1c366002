"""The scripts' command lines: --help only prints, and an unknown argument is refused before anything is done."""

import re
import shutil
import subprocess

import pytest
from commands import REPO, run

SCRIPTS = [".ci/run", *sorted(f"script/{path.name}" for path in (REPO / "script").iterdir() if path.is_file())]
TIMEOUT_S = 30


@pytest.fixture
def run_script(tmp_path):
    """run_script(script, *arguments): runs a copy in a folder of its own, and asserts that no file there changes."""
    for folder in ("script", ".ci"):
        shutil.copytree(REPO / folder, tmp_path / folder)

    def files():
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    def call(script: str, *arguments: str) -> subprocess.CompletedProcess:
        before = files()
        command = [str(tmp_path / script), *arguments]
        result = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
        assert files() == before
        return result

    return call


def name_of(script: str) -> str:
    return script.rpartition("/")[2]


@pytest.mark.parametrize("script", [*SCRIPTS, "script/lib/apt.bash"])
def test_bash_parses_it(script):
    """As script/lint does, without running a line of it."""
    result = run(["bash", "-n", str(REPO / script)])
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_the_usage_and_nothing_is_done(run_script, script, option):
    result = run_script(script, option)
    assert (result.returncode, result.stderr) == (0, "")
    usage, *rest = result.stdout.splitlines()
    assert usage.startswith(f"usage: {script}")
    assert rest and not any("set -euo" in line for line in rest)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("arguments", [["--nosuch"], ["-x"], ["--help=1"]])
def test_an_unknown_option_is_refused_in_one_line(run_script, script, arguments):
    result = run_script(script, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{name_of(script)}: error: unknown ")
    assert arguments[0] in result.stderr
    assert result.stderr.endswith(f"; see {script} --help\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script != "script/setup-extras"])
def test_an_unknown_word_is_refused_in_one_line(run_script, script):
    result = run_script(script, "nosuch")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"{name_of(script)}: error: unknown argument nosuch; see {script} --help\n"


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("script/build", ["--torch", "nosuch"], "--torch: no such folder: nosuch"),
        ("script/build", ["--torch"], "--torch: no such folder: "),
        ("script/fuzz", ["--seconds", "soon"], "--seconds: not a number: soon"),
        ("script/test", ["-k"], "-k needs words; see script/test --help"),
        ("script/test", ["-k", "a or (b)"], "-k takes words of letters, digits and _ . / - only: a or (b)"),
        ("script/test", ["--cuda", "-k", "a"], "--cuda and -k exclude each other"),
        (
            "script/bench",
            ["serve", "--rows", "5"],
            "unknown argument --rows of script/bench serve; see script/bench --help",
        ),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(run_script, script, arguments, message):
    result = run_script(script, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"{name_of(script)}: error: {message}\n"


@pytest.mark.parametrize(("what", "program"), [("rows", "bench.py"), ("serve", "serve.py"), ("spark", "spark.py")])
def test_script_bench_knows_every_option_of_its_programs(run_script, what, program):
    text = (REPO / "tests/bench" / program).read_text()
    options = re.findall(r'add_argument\("(--[\w-]+)"(.*?)\)$', text, re.MULTILINE)
    assert options
    for option, rest in options:
        value = [] if "store_true" in rest else ["1"]
        result = run_script("script/bench", what, option, *value, "--nosuch")
        assert f"unknown argument --nosuch of script/bench {what}; " in result.stderr
    usage = run_script("script/bench", "--help").stdout
    assert not [option for option, _ in options if option not in usage]


def test_the_readme_names_every_script():
    (line,) = [line for line in (REPO / "README.md").read_text().splitlines() if line.startswith("| `script/` |")]
    named = re.findall("`([^`]+)`", line)
    assert [script for script in SCRIPTS if script.startswith("script/") and name_of(script) not in named] == []


def test_an_options_value_is_not_taken_for_an_option(run_script):
    """The first argument that script/bench does not know is the one after the values."""
    result = run_script("script/bench", "rows", "--rows", "5", "--chart", "--small", "--small", "--nosuch")
    assert result.returncode == 2
    assert "unknown argument --nosuch of script/bench rows" in result.stderr


CPP_PROGRAM = """#!/bin/sh
if [ "$1" = --gtest_list_tests ]; then
  printf 'PickleReader.\\n  RefusesGlobals\\n  ReadsEveryOpcode\\nAll/Kinds.\\n  Refuse/0  # GetParam() = "pickle"\\n'
else
  echo "C++ $*"
fi
"""


@pytest.fixture
def run_tests(tmp_path):
    """run_tests(*arguments, python_status=0): script/test on programs that print their arguments."""
    shutil.copytree(REPO / "script", tmp_path / "script")
    programs = {
        "script/build": "#!/bin/sh\necho build/release/iris\n",
        "build/release/iris": "#!/bin/sh\n",
        "build/release/tests/iris_tests": CPP_PROGRAM,
        "bin/python": '#!/bin/sh\necho "Python $*"\nexit $PYTHON_STATUS\n',
    }
    for name, text in programs.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/iris-env").write_text(f"PATH={tmp_path}/bin:$PATH\n")

    def call(*arguments: str, python_status: int = 0) -> subprocess.CompletedProcess:
        environment = {"PATH": "/usr/bin:/bin", "PYTHON_STATUS": str(python_status)}
        return run([str(tmp_path / "script/test"), *arguments], env=environment)

    return call


def test_words_choose_the_tests_of_both_languages(run_tests):
    result = run_tests("-k", "refuses pickle")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "C++ --gtest_brief=1 --gtest_filter=PickleReader.RefusesGlobals\n"
        "Python -m pytest -q -rs -n auto --maxprocesses 4 --dist loadfile tests/python -k refuses and pickle\n"
    )


def test_a_parameters_value_is_not_part_of_a_name(run_tests):
    assert "--gtest_filter=All/Kinds.Refuse/0\n" in run_tests("-k", "KINDS").stdout


def test_words_that_only_one_language_knows_are_enough(run_tests):
    assert run_tests("-k", "EveryOpcode", python_status=5).returncode == 0
    result = run_tests("-k", "test_convert.py")
    assert result.returncode == 0
    assert result.stdout.startswith("C++: no test matches\n")


def test_words_that_no_test_has_are_an_error(run_tests):
    result = run_tests("-k", "no such", python_status=5)
    assert result.returncode == 1
    assert result.stderr == "test: error: no test's name holds all of these words: no such\n"


def test_a_failed_test_is_the_exit_status(run_tests):
    assert run_tests("-k", "pickle", python_status=1).returncode == 1
