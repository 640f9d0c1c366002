"""The libraries state facts and choices. The names of the program's options and verbs are the program's alone."""

import re

import pytest

LIBRARIES = ["io", "pickle", "tensor_file", "state_dict", "rows", "model"]
VERBS = "predict|evaluate|train|inspect|convert|serve|completions|man"
COMMAND_LINE = re.compile(rf"(?<![\w-])--[^\s-]|\biris ({VERBS})\b")
# A comment, a character, or a string literal; literals that follow each other are one.
TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|(?<!\w)'(?:\\.|[^'\\\n])+'|((?:\"(?:\\.|[^\"\\\n])*\"\s*)+)", re.DOTALL)


def literals(source):
    for match in TOKEN.finditer(source):
        if match[1]:
            yield re.sub(r'"\s*"', "", match[1].strip())


def test_literals_are_found_whole_and_without_comments():
    source = 'f("say --" // "no"\n); g(\'"\', "a \\" b"\n    "c"); /* "no" */'
    assert list(literals(source)) == ['"say --"', '"a \\" bc"']


@pytest.mark.parametrize("folder", LIBRARIES)
def test_a_library_knows_no_command_line(repo, folder):
    sources = [path for path in (repo / "src" / folder).rglob("*") if path.suffix in (".h", ".cpp")]
    assert sources
    found = [
        f"{path.relative_to(repo)}: {literal}"
        for path in sources
        for literal in literals(path.read_text())
        if COMMAND_LINE.search(literal)
    ]
    assert found == []
