"""iris predict --copy: columns of the input in front of the answers."""

import json

import pytest

HEADER = "id,sepal_length,sepal_width,petal_length,petal_width,note\n"
ROWS = HEADER + '7,5.1,3.5,1.4,0.2,"a, ""b"""\n8,5.1,,1.4,0.2,bad\n9,6.3,3.3,6.0,2.5,\n10\n'


@pytest.fixture
def model(repo):
    return repo / "models/iris_net.pt"


@pytest.fixture
def copied(iris, model):
    """copied(text, *options): standard output and exit status."""

    def call(text, *options):
        done = iris("predict", model, "-i", "-", "--on-error", "skip", *options, input=text)
        return done.stdout, done.returncode

    return call


def test_columns_come_first_in_the_order_asked_for_and_bad_rows_keep_theirs(copied):
    assert copied(ROWS, "--copy", "note,id") == (
        'note,id,label,confidence\n"a, ""b""",7,setosa,0.993648\nbad,8,,\n,9,virginica,0.994706\n,,,\n',
        3,
    )


def test_a_dot_copies_all(copied):
    output, status = copied(ROWS, "--copy", ".", "--logits")
    first, *lines = output.splitlines()
    assert first == HEADER.strip() + ",label,confidence,logit_setosa,logit_versicolor,logit_virginica"
    assert lines[0].startswith('7,5.1,3.5,1.4,0.2,"a, ""b""",setosa,0.993648,6.47')
    assert (lines[1], lines[3], status) == ("8,5.1,,1.4,0.2,bad,,,,,", ",,,,,,,,,,", 3)


def test_in_ndjson_they_are_strings(copied):
    output, _ = copied(ROWS, "--copy", "id,note", "--json")
    lines = [json.loads(line) for line in output.splitlines()]
    assert list(lines[0]) == ["id", "note", "label", "index", "confidence"]
    assert (lines[0]["id"], lines[0]["note"]) == ("7", 'a, "b"')
    assert list(lines[1]) == ["id", "note", "error"]


def test_members_of_ndjson_keep_their_values(copied):
    rows = '{"id":1.50,"t":[1, 2],"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}\n'
    output, status = copied(rows, "--input-format", "ndjson", "--copy", "t,id")
    assert status == 0
    assert output.startswith('{"t":[1, 2],"id":1.50,"label":"setosa","index":0,"confidence":')
    output, _ = copied(rows, "--input-format", "ndjson", "--output-format", "csv", "--copy", "t,id")
    assert output == 't,id,label,confidence\n"[1, 2]",1.50,setosa,0.993648\n'


def test_columns_have_numbers_where_there_is_no_header(copied):
    assert copied("5.1,3.5,1.4,0.2,Iris-setosa\n", "--copy", "5,1") == (
        "5,1,label,confidence\nIris-setosa,5.1,setosa,0.993648\n",
        0,
    )


def test_a_name_of_the_answers_is_refused(iris, model):
    rows = "sepal_length,sepal_width,petal_length,petal_width,label\n5.1,3.5,1.4,0.2,x\n"
    done = iris("predict", model, "-i", "-", "--copy", ".", input=rows)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "iris: error: the answers have a column label too; it cannot be copied (--copy)\n"


def test_a_column_that_is_not_there_is_refused(iris, model):
    done = iris("predict", model, "-i", "-", "--copy", "nope", input=ROWS)
    assert done.returncode == 1
    assert "the header has no column nope (did you mean note?); it has: id, sepal_length" in done.stderr
    assert done.stderr.endswith("(--copy)\n")


def test_it_is_for_many_rows(iris, model):
    done = iris("predict", model, *"1234", "--copy", "id")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("workers", ["1", "3"])
def test_copies_stay_beside_their_rows(iris, model, tmp_path, workers):
    rows = tmp_path / "rows.csv"
    rows.write_text("id,a,b,c,d\n" + "".join(f"{i},5.1,3.5,1.4,{'x' if i % 7 == 0 else 0.2}\n" for i in range(60_000)))
    options = ("--features", "a,b,c,d", "--copy", "id", "--on-error", "skip", "--workers", workers)
    lines = iris("predict", model, "-i", rows, *options).stdout.splitlines()[1:]
    assert len(lines) == 60_000
    assert all(line == (f"{i},," if i % 7 == 0 else f"{i},setosa,0.993648") for i, line in enumerate(lines))
