"""iris predict -i: rows that are hard to tell apart, or on which the model itself fails."""

import random

import pytest
import torch

HEADER = "sepal_length,sepal_width,petal_length,petal_width\n"
ROW = "5.1,3.5,1.4,0.2\n"
ANSWER = "setosa,0.993648"
OPEN = '"a"b,"c\n'  # its quote stays open, however many such lines follow


@pytest.fixture
def predict(iris, repo, tmp_path):
    """predict(text, *options, model=…): iris predict on a file rows.csv with that text."""

    def call(text, *options, model=repo / "models/iris_net.pt", name="rows.csv"):
        (tmp_path / name).write_text(text, newline="")
        return iris("predict", model, "-i", name, *options, cwd=tmp_path)

    return call


@pytest.fixture
def scripted(tmp_path):
    """scripted(module): the path of its TorchScript file."""

    def call(module):
        torch.jit.script(module).save(tmp_path / "module.pt")
        return tmp_path / "module.pt"

    return call


def skip(predict, text, **options):
    """The answers, "" for skipped rows, and the lines of stderr."""
    result = predict(text, "--on-error", "skip", **options)
    answers = [line.strip(",") for line in result.stdout.splitlines()[1:]]
    assert result.returncode == (3 if "" in answers else 0)
    return answers, result.stderr.splitlines()


def test_many_quotes_that_are_not_closed_are_skipped_one_by_one(predict):
    """If all later lines were read again for each, this would take longer than commands.TIMEOUT_S."""
    answers, told = skip(predict, HEADER + ROW + OPEN * 300_000 + ROW)
    assert answers == [ANSWER, *[""] * 300_000, ANSWER]
    fact = "a quote is not closed, or there is text after the quote that closes it"
    assert told[0] == f"iris: skipped rows.csv:3: {fact}"
    assert told[-1] == "iris: 300000 of 300002 rows were skipped"


def test_an_open_quote_costs_its_line_alone_where_16_mib_do_not_close_it(predict):
    answers, told = skip(predict, HEADER + ROW + '5.1,"3.5\n' + ROW * 1_200_000)
    assert answers == [ANSWER, "", *[ANSWER] * 1_200_000]
    assert told[0] == "iris: skipped rows.csv:3: the row is longer than 16 MiB; is a quote not closed?"


def test_good_rows_among_open_quotes_are_answered(predict):
    answers, _ = skip(predict, HEADER + (OPEN + ROW) * 20_000 + OPEN)
    assert answers == ["", ANSWER] * 20_000 + [""]


def test_a_first_line_too_long_is_skipped_and_the_header_is_found_after_it(predict):
    answers, told = skip(predict, "5" * (17 << 20) + "\n" + HEADER + ROW)
    assert answers == ["", ANSWER]
    assert told == [
        "iris: skipped rows.csv:1: the row is longer than 16 MiB; is a quote not closed?",
        "iris: 1 of 2 rows were skipped",
    ]


def test_a_file_of_one_line_too_long_has_one_row(predict):
    assert skip(predict, "5" * (17 << 20))[0] == [""]


def test_a_carriage_return_before_a_quote_swallows_no_rows(predict):
    answers, told = skip(predict, HEADER + '\r"abc\n' + ROW * 3)
    assert answers == ["", ANSWER, ANSWER, ANSWER]
    assert told[0] == "iris: skipped rows.csv:2: has 1 cell, not 4"


@pytest.mark.parametrize(
    "text", [HEADER + ROW, ROW + ROW, "id," + HEADER.strip() + ",class\n1," + ROW.strip() + ",a\n"]
)
def test_lines_ended_by_carriage_returns_are_told(predict, text):
    result = predict(text.replace("\n", "\r"))
    assert result.returncode == 1
    assert result.stderr == (
        "iris: error: rows.csv:1: the lines end with a carriage return alone, as on old Macs; change them "
        "first: tr '\\r' '\\n' < FILE\n"
    )


def test_features_are_counted(predict):
    result = predict(HEADER + ROW, "--features", "sepal_length,sepal_width,petal_length")
    assert result.returncode == 1
    assert result.stderr.endswith("iris_net.pt: the model takes 4 features, but 3 are named (--features)\n")


class Fails(torch.nn.Module):
    """Throws if a row's first feature is 13, and gives infinite logits if it is 0."""

    def forward(self, x):
        if bool((x[:, 0] == 13).any()):
            raise ValueError("thirteen")
        return torch.stack([1 / x[:, 0], x[:, 1]], dim=1)


@pytest.mark.parametrize("rows", [[0], [9_999], [0, 1, 5_000, 9_999], []])
@pytest.mark.parametrize(
    "value, fact", [("13", "the model failed on 2 features: "), ("0", "the model gives logits that are not finite")]
)
def test_rows_on_which_the_model_fails_are_skipped_by_themselves(predict, scripted, rows, value, fact):
    lines = ["1,2\n"] * 10_000
    for row in rows:
        lines[row] = f"{value},2\n"
    lines[77] = "bad,2\n"
    model = scripted(Fails())
    answers, told = skip(predict, "x0,x1\n" + "".join(lines), model=model)
    assert [i for i, answer in enumerate(answers) if not answer] == sorted([*rows, 77])
    for row in rows:
        assert any(line.startswith(f"iris: skipped rows.csv:{row + 2}: {model}: {fact}") for line in told)


@pytest.mark.parametrize("options", [["--workers", 1], ["--workers", 3], ["--workers", 3, "--features", "x0,x1"]])
def test_the_first_row_on_which_the_model_fails_stops_the_run(predict, scripted, options):
    lines = ["1.0,2.0\n"] * 150_000
    lines[70_000] = lines[70_001] = lines[140_000] = "0.0,2.0\n"
    model = scripted(Fails())
    result = predict("x0,x1\n" + "".join(lines), *options, model=model)
    assert result.returncode == 1
    assert result.stderr == f"iris: error: rows.csv:70002: {model}: the model gives logits that are not finite\n"
    assert len(result.stdout.splitlines()) == 70_001


@pytest.mark.parametrize("features, width", [(4, 64), (7, 33), (30, 256)])
def test_any_model_s_file_gives_the_same_bytes_for_any_number_of_workers(predict, scripted, features, width):
    """The last bits may depend on the rows of a pass. Passes hold the same rows, also after a long bad row."""
    torch.manual_seed(0)
    first, second, last = (torch.nn.Linear(a, b) for a, b in [(features, width), (width, width), (width, 3)])
    model = scripted(torch.nn.Sequential(first, torch.nn.Tanh(), second, last))
    random.seed(0)
    rows = [",".join(f"{random.uniform(-9, 9):.6f}" for _ in range(features)) for _ in range(5_000)]
    rows[100] = "x" * 3_000_000
    text = ",".join(f"x{i}" for i in range(features)) + "\n" + "\n".join(rows * 4) + "\n"
    outputs = {predict(text, "--logits", "--on-error", "skip", "--workers", n, model=model).stdout for n in (1, 2, 5)}
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == 1 + 4 * 5_000
