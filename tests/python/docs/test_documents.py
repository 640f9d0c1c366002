"""Every command and block of code in the documentation does what the documentation says."""

import re
from urllib.parse import unquote

import pytest
from commands import REPO
from document_exceptions import NOT_RUN, is_not_run
from documents import is_shown, steps

PATTERNS = ("*.md", "docs/*.md", "deploy/*.md", "models/*.md", "data/*.md", "examples/*/README.md")
FOUND = {str(path.relative_to(REPO)) for pattern in PATTERNS for path in REPO.glob(pattern)}
DOCUMENTS = sorted(FOUND - {"CHANGELOG.md"})  # which names commands and explains none


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_does_what_the_document_says(followed, document):
    result = followed(document)
    assert not result.faults, "\n\n".join([document, *result.faults])
    if result.lacking:
        pytest.skip(f"all passed but what needs {', '.join(sorted(result.lacking))}, not installed here")


@pytest.mark.parametrize("document, text", NOT_RUN)
def test_what_is_not_run_is_in_its_document(repo, document, text):
    assert any(
        is_not_run(document, step) and text in (step.command or step.text)
        for step in steps((repo / document).read_text())
    )


def code_lines(text):
    """Without comments and empty lines, however far they are set in."""
    lines = (re.sub(r"\s*(//|#(?!include|pragma)).*", "", line).strip() for line in text.split("\n"))
    return [line for line in lines if line]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_blocks_of_cpp_and_cmake_are_of_an_example_that_is_built(repo, document):
    examples = {"cpp": repo.glob("examples/*/*.cpp"), "cmake": repo.glob("examples/*/CMakeLists.txt")}
    known = {language: [code_lines(path.read_text()) for path in paths] for language, paths in examples.items()}
    for step in steps((repo / document).read_text()):
        if step.language in known:
            shown = code_lines(step.text)
            assert any(is_within(shown, lines) for lines in known[step.language]), f"{document}:{step.line}"


def is_within(shown, lines):
    """Whether the lines are there in that order; `…`, for lines that are left out, is not one of them."""
    rest = iter(lines)
    return all(line in rest for line in shown if line != "…")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files(repo, document):
    text = (repo / document).read_text()
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in link:
            assert ((repo / document).parent / unquote(link)).exists(), link


@pytest.mark.parametrize(
    "shown, output, expected",
    [
        ("one\ntwo", "one\ntwo\n", True),
        ("one", "one\ntwo\n", False),
        ("took … ms", "took 12 ms", True),
        ("took … ms", "took 12 s", False),
        ("one\n…\nfour", "one\ntwo\nthree\nfour\n", True),
        ("one\n…", "one\n", True),
        ("…\nfour", "five\n", False),
    ],
)
def test_an_ellipsis_stands_for_what_varies(shown, output, expected):
    assert is_shown(shown, output) is expected


def test_the_steps_of_a_document():
    text = """Say `iris predict m.pt 1 2`, not `iris predict`.

```console
$ one \\\\
  more    # a remark
shown
$ two
```

```python
three()
```
```text
3
```
""".replace("\\\\\n", "\\\n")
    found = [(step.line, step.language, step.command, step.shown) for step in steps(text)]
    assert found == [
        (1, "console", "iris predict m.pt 1 2", ""),
        (4, "console", "one more", "shown"),
        (7, "console", "two", ""),
        (11, "python", "three()", "3"),
    ]
