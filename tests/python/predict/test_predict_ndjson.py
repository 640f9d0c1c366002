"""iris predict -i FILE.ndjson: each line in is an object or an array, each line out an answer."""

import json

import pytest

ROW = [5.1, 3.5, 1.4, 0.2]
NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
OBJECT = json.dumps(dict(zip(NAMES, ROW, strict=True)))


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


@pytest.fixture
def predict(iris, model):
    def call(text, *options):
        return iris("predict", model, "-i", "-", "--input-format", "ndjson", *options, input=text)

    return call


def test_objects_and_arrays_read_the_same(predict):
    lines = predict(f"{OBJECT}\n{ROW}\n").stdout.splitlines()
    assert len(lines) == 2
    assert lines[0] == lines[1]


def test_the_output_is_ndjson_as_the_input_is(predict):
    answer = json.loads(predict(f"{ROW}\n").stdout)
    assert (answer["label"], answer["index"]) == ("setosa", 0)
    assert list(answer) == ["label", "index", "confidence"]


def test_the_input_s_extension_says_what_it_is(iris, model, tmp_path):
    for name in ["rows.ndjson", "rows.jsonl"]:
        (tmp_path / name).write_text(OBJECT)
        assert json.loads(iris("predict", model, "-i", tmp_path / name).stdout)["label"] == "setosa"


def test_csv_comes_out_when_asked_for(predict, tmp_path):
    assert predict(f"{ROW}\n", "--output-format", "csv").stdout.startswith("label,confidence\nsetosa,0.99")
    predict(f"{ROW}\n", "-o", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith("label,confidence\nsetosa,0.99")


def test_csv_and_ndjson_get_the_same_answers(iris, predict, model, repo):
    data = repo / "data/iris.csv"
    rows = [[float(cell) for cell in line.split(",")[:4]] for line in data.read_text().splitlines()[1:]]
    text = "\n".join(json.dumps(dict(zip(NAMES, row, strict=True))) for row in rows)
    expected = iris("predict", model, "-i", data, "--output-format", "ndjson", "--logits", "--probabilities").stdout
    assert predict(text, "--logits", "--probabilities").stdout == expected


@pytest.mark.parametrize(
    "line, fact",
    [
        ("[5.1,3.5,1.4]", "has 3 values, not 4"),
        ('{"sepal_length":5.1}', "sepal_width: is missing"),
        ('[5.1,3.5,"1.4",0.2]', 'petal_length: not a number: "1.4"'),
        ("[5.1,3.5,null,0.2]", "petal_length: not a number: null"),
        ("[5.1,3.5,1e39,0.2]", "petal_length: not finite as float32: 1e39"),
        ("5.1,3.5,1.4,0.2", "is neither an object nor an array: a number"),
        ("[5.1,3.5,NaN,0.2]", "is not JSON: column"),
        ("[" * 100_000, "sepal_length: not a number: an array"),
    ],
)
def test_a_bad_line_stops_the_run(predict, line, fact):
    result = predict(f"{ROW}\n{line}\n{ROW}\n")
    assert result.returncode == 1
    assert result.stderr.startswith(f"iris: error: stdin:2: {fact}")
    assert result.stderr.count("\n") == 1
    assert len(result.stdout.splitlines()) == 1


def test_a_bad_line_may_be_skipped(predict):
    result = predict(f"{ROW}\n[1]\n{ROW}\n", "--on-error", "skip")
    assert result.returncode == 3
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert answers[1] == {"error": "stdin:2: has 1 value, not 4"}
    assert answers[0] == answers[2]


def test_nothing_in_gives_nothing_out(predict):
    assert (predict("").returncode, predict("").stdout) == (0, "")


def test_a_member_that_is_no_feature_may_be_any_number(predict):
    line = OBJECT.replace("{", '{"id": 1e39, ', 1)
    assert predict(line).stdout == predict(OBJECT).stdout
