"""Quotes that open a file and are not closed, under a limit of memory."""

import resource

import pytest

TEXTS = ['"abc', '"', '\n\n"abc', '"sepal_length,sepal_width,petal_length,petal_width\n']


@pytest.fixture
def model(repo):
    return repo / "models/iris_net.pt"


@pytest.fixture(autouse=True)
def little_memory():
    """4 GB of address space, for the programs that the test starts."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("text", TEXTS, ids=repr)
@pytest.mark.parametrize("on_error, status", [("stop", 1), ("skip", 3)])
def test_such_a_file_is_one_bad_row(iris, model, tmp_path, text, on_error, status):
    (tmp_path / "open.csv").write_text(text)
    for source in (tmp_path / "open.csv", "-"):
        done = iris("predict", model, "-i", source, "--on-error", on_error, input=text)
        assert done.returncode == status, done.stderr
        assert done.stdout == ("label,confidence\n,\n" if status == 3 else "label,confidence\n")
        assert done.stderr.count("a quote is not closed before the file ends") == 1
