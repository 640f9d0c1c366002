"""iris predict -i FILE: many rows in, an answer for each row out."""

import csv
import io
import json
import os
import threading

import pytest
import torch

HEADER = "sepal_length,sepal_width,petal_length,petal_width\n"
ROW = "5.1,3.5,1.4,0.2\n"


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


@pytest.fixture(scope="module")
def data(repo):
    return repo / "data/iris.csv"


def records(text):
    return list(csv.reader(io.StringIO(text)))


def test_every_flower_gets_python_s_logits(iris, repo, data):
    golden = json.loads((repo / "tests/fixtures/golden.json").read_text())
    for name in ["iris_net.pt", "iris_net.ts.pt"]:
        result = iris("predict", repo / "models" / name, "-i", data, "--logits")
        rows = records(result.stdout)
        assert rows[0] == ["label", "confidence", "logit_setosa", "logit_versicolor", "logit_virginica"]
        assert len(rows) == 151
        for row, expected in zip(rows[1:], golden[name]["logits"], strict=True):
            assert [float(cell) for cell in row[2:]] == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_csv_out_is_label_and_confidence(iris, model, data):
    result = iris("predict", model, "-i", data)
    rows = records(result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert rows[0] == ["label", "confidence"]
    assert {row[0] for row in rows[1:]} == {"setosa", "versicolor", "virginica"}
    assert all(len(row[1]) == len("0.123456") for row in rows[1:])


def test_147_of_the_150_flowers_are_named_right(iris, model, data):
    told = [row[0] for row in records(iris("predict", model, "-i", data).stdout)[1:]]
    truth = [line.split(",")[4] for line in data.read_text().splitlines()[1:]]
    assert sum(a == b for a, b in zip(told, truth, strict=True)) == 147


def test_probabilities_come_before_logits(iris, model):
    result = iris("predict", model, "-i", "-", "--probabilities", "--logits", input=HEADER + ROW)
    header, row = records(result.stdout)
    assert header[2:5] == ["p_setosa", "p_versicolor", "p_virginica"]
    assert header[5:] == ["logit_setosa", "logit_versicolor", "logit_virginica"]
    assert sum(map(float, row[2:5])) == pytest.approx(1, abs=2e-6)
    assert row[1] == row[2]


def test_one_sample_and_its_row_agree(iris, model):
    """To the bit if the row is scored alone too; in a batch a matrix product may round differently."""
    options = ["-i", "-", "--output-format", "ndjson", "--logits", "--probabilities"]
    sample = iris("predict", model, *ROW.strip().split(","), "--json").stdout
    assert iris("predict", model, *options, "--batch-size", 1, input=HEADER + ROW).stdout == sample
    batch = json.loads(iris("predict", model, *options, input=HEADER + ROW).stdout)
    assert batch["logits"] == pytest.approx(json.loads(sample)["logits"], rel=1e-6)


def test_ndjson_out_is_one_object_a_line(iris, model):
    result = iris("predict", model, "-i", "-", "--output-format", "ndjson", input=HEADER + 2 * ROW)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == 2
    assert list(answers[0]) == ["label", "index", "confidence"]


def test_json_means_ndjson(iris, model):
    assert json.loads(iris("predict", model, "-i", "-", "--json", input=HEADER + ROW).stdout)["label"] == "setosa"


@pytest.mark.parametrize("name, is_json", [("out.csv", False), ("out.ndjson", True), ("out", False)])
def test_the_output_s_extension_decides(iris, model, tmp_path, name, is_json):
    result = iris("predict", model, "-i", "-", "-o", tmp_path / name, input=HEADER + ROW)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / name).read_text().startswith("{") == is_json


def test_output_format_wins_over_the_extension(iris, model, tmp_path):
    iris("predict", model, "-i", "-", "-o", tmp_path / "out.ndjson", "--output-format", "csv", input=HEADER + ROW)
    assert (tmp_path / "out.ndjson").read_text().startswith("label,confidence\n")


def test_columns_are_found_by_name(iris, model):
    expected = iris("predict", model, "-i", "-", input=HEADER + ROW).stdout
    shuffled = 'species,petal_width,id,petal_length,sepal_width,sepal_length\r\n"a,b",0.2,7,1.4,3.5,"5.1"\r\n'
    assert iris("predict", model, "-i", "-", input=shuffled).stdout == expected


@pytest.mark.parametrize(
    "text",
    [
        ROW,
        HEADER + ROW.strip(),
        "\ufeff" + HEADER + ROW,
        HEADER.replace("\n", "\r\n") + ROW.replace("\n", "\r\n"),
        "\n\n" + HEADER + "\n" + ROW + "\n\n",
        '"sepal_length","sepal_width","petal_length","petal_width"\n"5.1",3.5,"1.4",0.2\n',
    ],
    ids=["no header", "no final newline", "byte-order mark", "CRLF", "blank lines", "quotes"],
)
def test_every_spelling_of_a_row_reads_the_same(iris, model, text):
    assert (
        iris("predict", model, "-i", "-", input=text).stdout
        == iris("predict", model, "-i", "-", input=HEADER + ROW).stdout
    )


@pytest.mark.parametrize("format", ["csv", "ndjson"])
def test_any_number_of_workers_gives_the_same_bytes(iris, repo, model, tmp_path, format):
    """A million rows, in chunks that end anywhere, and some bad ones."""
    flowers = (repo / "data/iris.csv").read_text().splitlines()[1:]
    lines = [row.rsplit(",", 1)[0] if i % 997 else "5.1,x,1.4" for i, row in enumerate(flowers * 700)]
    (tmp_path / "rows.csv").write_text(HEADER + "\n".join(lines))
    outputs = set()
    for workers in [1, 2, 5]:
        out = tmp_path / f"out.{format}"
        result = iris(
            "predict", model, "-i", tmp_path / "rows.csv", "-o", out, "--logits", "--on-error", "skip",
            "--workers", workers,
        )  # fmt: skip
        assert result.returncode == 3
        outputs.add((result.stderr, out.read_bytes()))
    assert len(outputs) == 1
    assert len(outputs.pop()[1].splitlines()) == len(lines) + (format == "csv")


@pytest.mark.parametrize("row", [1, 8_000, 104_999, 105_000])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_bad_row_anywhere_stops_at_it(iris, repo, model, tmp_path, row, workers):
    lines = [HEADER.strip()] + ["5.1,3.5,1.4,0.2"] * 105_000
    lines[row] = "5.1,3.5,1.4,bad"
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    result = iris("predict", model, "-i", tmp_path / "rows.csv", "--workers", workers)
    assert result.returncode == 1
    assert result.stderr == f'iris: error: {tmp_path}/rows.csv:{row + 1}: petal_width: not a number: "bad"\n'
    assert len(result.stdout.splitlines()) == row


@pytest.mark.parametrize("size", [1, 7, 149, 150, 4096])
def test_batch_size_changes_no_label(iris, model, data, size):
    whole = records(iris("predict", model, "-i", data, "--logits").stdout)
    parts = records(iris("predict", model, "-i", data, "--logits", "--batch-size", size).stdout)
    assert [row[0] for row in parts] == [row[0] for row in whole]
    for part, row in zip(parts[1:], whole[1:], strict=True):
        assert [float(cell) for cell in part[2:]] == pytest.approx(
            [float(cell) for cell in row[2:]], rel=1e-5, abs=1e-5
        )


def test_a_header_alone_gives_a_header(iris, model):
    result = iris("predict", model, "-i", "-", "--logits", input=HEADER)
    assert (result.returncode, result.stdout) == (0, "label,confidence,logit_setosa,logit_versicolor,logit_virginica\n")


def test_labels_with_commas_are_quoted(iris, repo, tmp_path):
    result = iris(
        "predict", repo / "models/iris_net.pt", "-i", "-", "--labels", 'a"b,c,d', "--probabilities", input=ROW
    )
    assert records(result.stdout)[0] == ["label", "confidence", 'p_a"b', "p_c", "p_d"]
    assert records(result.stdout)[1][0] == 'a"b'


BAD_ROWS = [
    ("5.1,3.5,1.4,abc", 'petal_width: not a number: "abc"'),
    ("5.1,,1.4,0.2", "sepal_width: is empty"),
    ("5.1,3.5,1.4", "has 3 cells, not 4"),
    ("5.1,3.5,1.4,0.2,9", "has 5 cells, not 4"),
    ("5.1,3.5,nan,0.2", 'petal_length: not finite as float32: "nan"'),
    ("1e39,3.5,1.4,0.2", 'sepal_length: not finite as float32: "1e39"'),
]


@pytest.mark.parametrize("row, fact", BAD_ROWS)
def test_a_bad_row_stops_the_run(iris, model, tmp_path, row, fact):
    flowers = tmp_path / "flowers.csv"
    flowers.write_text(HEADER + ROW + row + "\n" + ROW)
    result = iris("predict", model, "-i", flowers, "-o", tmp_path / "out.csv")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"iris: error: {flowers}:3: {fact}\n"
    assert not (tmp_path / "out.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["flowers.csv"]


def test_a_bad_row_of_stdin_is_told_by_that_name(iris, model):
    result = iris("predict", model, "-i", "-", input=HEADER + "5.1,3.5,1.4,abc\n")
    assert result.stderr == 'iris: error: stdin:2: petal_width: not a number: "abc"\n'


def test_the_rows_before_a_bad_one_come_out(iris, model):
    result = iris("predict", model, "-i", "-", input=HEADER + ROW + ROW + "x,3.5,1.4,0.2\n" + ROW)
    assert result.returncode == 1
    assert [row[0] for row in records(result.stdout)] == ["label", "setosa", "setosa"]


@pytest.mark.parametrize("row, fact", BAD_ROWS)
def test_skipped_rows_have_empty_cells(iris, model, row, fact):
    result = iris(
        "predict", model, "-i", "-", "--on-error", "skip", "--probabilities", input=HEADER + ROW + row + "\n" + ROW
    )
    rows = records(result.stdout)
    assert result.returncode == 3
    assert [r[0] for r in rows] == ["label", "setosa", "", "setosa"]
    assert rows[2] == ["", "", "", "", ""]
    assert fact in result.stderr
    assert result.stderr.splitlines()[-1].startswith("iris: 1 of 3 rows")


def test_skipped_rows_of_ndjson_hold_the_error(iris, model):
    result = iris(
        "predict", model, "-i", "-", "--on-error", "skip", "--json", input=HEADER + '5.1,3.5,1.4,\x1b"\n' + ROW
    )
    bad, good = [json.loads(line) for line in result.stdout.splitlines()]
    assert list(bad) == ["error"] and bad["error"].startswith("stdin:2: petal_width: not a number: ")
    assert good["label"] == "setosa"


def test_skipping_every_row_is_still_told(iris, model):
    result = iris("predict", model, "-i", "-", "--on-error", "skip", input=HEADER + "a,b,c,d\n" * 30)
    assert result.returncode == 3
    assert result.stdout == "label,confidence\n" + ",\n" * 30
    assert result.stderr.splitlines()[-1].startswith("iris: 30 of 30 rows")


def test_skipping_nothing_is_success(iris, model, data):
    assert iris("predict", model, "-i", data, "--on-error", "skip").returncode == 0


def test_rows_of_a_model_without_names_have_as_many_columns_as_the_first(iris, repo, data):
    numbers = "\n".join(",".join(line.split(",")[:4]) for line in data.read_text().splitlines()[1:])
    nameless = iris("predict", repo / "tests/fixtures/no_names.pt", "-i", "-", "--logits", input=numbers)
    named = iris("predict", repo / "models/iris_net.pt", "-i", data, "--logits")
    assert nameless.stderr == ""
    assert [row[2:] for row in records(nameless.stdout)][1:] == [row[2:] for row in records(named.stdout)][1:]


def test_every_line_has_as_many_cells_when_the_first_row_of_a_nameless_model_is_bad(iris, repo):
    text = "x0,x1,x2,x3\nbad,1,1,1\n" + ROW
    result = iris(
        "predict", repo / "tests/fixtures/no_names.pt", "-i", "-", "--probabilities", "--on-error", "skip",
        "--batch-size", "1", input=text,
    )  # fmt: skip
    rows = records(result.stdout)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[2][0] == "0"


def test_features_name_the_columns(iris, repo):
    nameless = repo / "tests/fixtures/no_names.pt"
    named = iris("predict", nameless, "-i", "-", "--features", "d,c,b,a", input="a,b,c,d\n0.2,1.4,3.5,5.1\n")
    assert named.stdout == iris("predict", nameless, "-i", "-", input="x0,x1,x2,x3\n" + ROW).stdout
    assert named.stdout.splitlines()[1].startswith("0,")


def test_a_model_from_a_pipe_is_read_once(iris, model, data, tmp_path):
    pipe = tmp_path / "model"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(model.read_bytes()))
    writer.start()
    result = iris("predict", pipe, "-i", data)
    writer.join()
    assert (result.returncode, result.stdout) == (0, iris("predict", model, "-i", data).stdout)


class Weights(torch.nn.Module):
    """IrisNet's weights, in a module that is not run: it has no forward."""

    def __init__(self, state_dict):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(4, 16), torch.nn.Linear(16, 3)
        self.load_state_dict(state_dict)

    @torch.jit.export
    def hidden(self, x):
        return self.fc1(x)


def test_what_a_file_calls_its_features_does_not_matter_where_it_is_no_model(iris, model, data, tmp_path):
    module = torch.jit.script(Weights(torch.load(model, weights_only=True)))
    torch.jit.save(module, tmp_path / "weights.pt", _extra_files={"iris.json": '{"features":["a","b","c","d"]}'})
    assert iris("predict", tmp_path / "weights.pt", "-i", data).stdout == iris("predict", model, "-i", data).stdout
    (tmp_path / "rows.csv").write_text(ROW * 100_000)
    outputs = {iris("predict", name, "-i", tmp_path / "rows.csv").stdout for name in (model, tmp_path / "weights.pt")}
    assert len(outputs) == 1 and outputs.pop().count("setosa") == 100_000


def test_an_output_file_is_replaced_as_a_whole(iris, model, data, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("old\n" * 100_000)
    assert iris("predict", model, "-i", data, "-o", out).returncode == 0
    assert len(out.read_text().splitlines()) == 151
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_an_output_file_survives_a_failed_run(iris, model, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("old\n")
    assert iris("predict", model, "-i", "-", "-o", out, input=ROW + "bad,1,1,1\n").returncode == 1
    assert out.read_text() == "old\n"


def test_the_output_may_not_be_the_input(iris, model, data, tmp_path):
    both = tmp_path / "both.csv"
    both.write_text(data.read_text())
    result = iris("predict", model, "-i", both, "-o", tmp_path / "." / "both.csv")
    assert (result.returncode, result.stderr.count("would replace the rows")) == (2, 1)
    assert both.read_text() == data.read_text()


def test_a_file_called_dash_does_not_matter(iris, model, data, tmp_path):
    (tmp_path / "-").write_text("")
    assert iris("predict", model, "-i", "-", input=ROW, cwd=tmp_path).returncode == 0
