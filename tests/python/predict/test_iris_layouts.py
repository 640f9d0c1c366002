"""Iris files as people have them: predict, evaluate, train and train.py read all of them alike."""

import json
import random
import sys
from pathlib import Path

import pytest
from commands import REPO, run

sys.path.insert(0, str(REPO / "python_export"))
from flowers import read_flowers
from model_file import InputError

FOLDER = REPO / "tests" / "fixtures" / "iris_layouts"
LAYOUTS = sorted(FOLDER.glob("*.csv"))
PLAIN = FOLDER / "seaborn.csv"
MODEL = REPO / "models" / "iris_net.pt"
HEADER = "sepal_length,sepal_width,petal_length,petal_width,species\n"


def layout(path: Path) -> str:
    return path.stem


@pytest.fixture(scope="module")
def plain(iris):
    """What the plain layout gives."""
    predicted = iris("predict", MODEL, "-i", PLAIN, "--logits").stdout
    evaluated = json.loads(iris("evaluate", MODEL, PLAIN, "--json").stdout)
    assert (predicted.count("\n"), evaluated["rows"]) == (16, 15)
    return predicted, evaluated, read_flowers(PLAIN)


@pytest.mark.parametrize("path", LAYOUTS, ids=layout)
def test_rows_are_predicted_evaluated_and_read_alike(iris, plain, path):
    predicted, evaluated, flowers = plain
    done = iris("predict", MODEL, "-i", path, "--logits")
    has_numbers_only = path.stem == "indexes_without_a_header"  # of which predict cannot tell the label
    assert (done.returncode, done.stdout == predicted) == ((1, False) if has_numbers_only else (0, True)), done.stderr
    done = iris("evaluate", MODEL, path, "--json")
    assert json.loads(done.stdout or "{}") == evaluated, done.stderr
    theirs = read_flowers(path)
    assert theirs.features.equal(flowers.features)
    assert theirs.labels.equal(flowers.labels)


@pytest.mark.parametrize("path", LAYOUTS, ids=layout)
def test_both_languages_tell_the_same_notes(iris, path):
    told = iris("evaluate", MODEL, path).stderr.splitlines()
    assert told == [f"iris: {note}" for note in read_flowers(path).notes]


@pytest.mark.parametrize("name", ["kaggle", "uci", "sklearn_packaged", "r_write_table"])
def test_both_languages_train_the_same_model(iris, tmp_path, name):
    path = FOLDER / f"{name}.csv"
    done = iris("train", path, "-o", tmp_path / "ours.pt", "--epochs", "2", "-q")
    assert done.returncode == 0, done.stderr
    script = str(REPO / "python_export" / "train.py")
    done = run([sys.executable, script, str(path), "-o", str(tmp_path / "theirs.pt"), "--epochs", "2", "-q"])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ours.pt").read_bytes() == (tmp_path / "theirs.pt").read_bytes()


REFUSED = {
    "another unit": HEADER.replace("sepal_length", "sepal_length_mm") + "51,3.5,1.4,0.2,setosa\n",
    "a missing column": HEADER.replace("sepal_length,", "") + "3.5,1.4,0.2,setosa\n",
    "two columns of one name": HEADER.replace("\n", ",Sepal Length,SepalLength\n").replace("sepal_length,", "")
    + "3.5,1.4,0.2,setosa,1,2\n",
    "semicolons": HEADER.replace(",", ";") + "5.1;3.5;1.4;0.2;setosa\n",
    "tabs": HEADER.replace(",", "\t") + "5.1\t3.5\t1.4\t0.2\tsetosa\n",
    "bars": "5.1|3.5|1.4|0.2|setosa\n",
    "carriage returns alone": HEADER.replace("\n", "\r") + "5.1,3.5,1.4,0.2,setosa\r",
    "no label": "5.1,3.5,1.4,0.2\n",
    "two labels": HEADER.replace("species", "class,target") + "5.1,3.5,1.4,0.2,setosa,0\n",
    "an unknown label": HEADER + "5.1,3.5,1.4,0.2,rose\n",
    "an index out of range": HEADER + "5.1,3.5,1.4,0.2,3\n",
    "an open quote": HEADER + '5.1,3.5,1.4,0.2,"setosa\n5.1,3.5,1.4,0.2,setosa\n',
    "a quote that a later row closes": HEADER + '5.1,3.5,1.4,"0.2,setosa\n5.1,3.5,1.4,"0.2",setosa\n',
    "text after a quote": HEADER + '5.1,3.5,1.4,"0.2"x,setosa\n',
    "a cell too few": HEADER + "5.1,3.5,1.4,0.2,setosa\n5.1\n",
    "a number beyond float32": HEADER + "5.1,3.5,1.4,3.5e38,setosa\n",
    "no number": HEADER + "5.1,3.5,1.4,0.2 cm,setosa\n",
    "a NUL": HEADER + "5.1,3.5,1.4,0.2\0,setosa\n",
    "an empty cell": HEADER + "5.1,3.5,,0.2,setosa\n",
    "nothing": "",
    "a header alone": HEADER,
}


def faults(iris, tmp_path, text):
    """What evaluate and read_flowers say of a file; "" where they take it."""
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    ours = iris("evaluate", MODEL, path).stderr.splitlines()
    errors = [line.removeprefix("iris: error: ") for line in ours if line.startswith("iris: error: ")]
    try:
        read_flowers(path)
    except InputError as error:
        return (errors or [""])[0], str(error)
    return (errors or [""])[0], ""


@pytest.mark.parametrize("name", REFUSED)
def test_both_languages_refuse_a_file_with_the_same_words(iris, tmp_path, name):
    ours, theirs = faults(iris, tmp_path, REFUSED[name])
    assert ours != ""
    # A library knows no options; the program names them.
    assert ours.removesuffix(" (--features)") == theirs.removesuffix(" (--features)")


CELLS = ["5.1", "3", "0.25", "-1e-2", " 4 ", "", "x", '"5"', '"5""', '"', "\r", "1e39", "\xe9", "\0", '"a,b"', '"a\nb"']


def test_both_languages_take_and_refuse_the_same_of_many_made_up_files(iris, tmp_path):
    chance = random.Random(1)
    for _ in range(60):
        rows = []
        for _ in range(chance.randrange(1, 4)):
            cells = chance.choices(CELLS[:4], k=4) + [chance.choice(["setosa", "Iris-virginica", "1", "2.0"])]
            if chance.random() < 0.6:
                cells[chance.randrange(5)] = chance.choice(CELLS)
            rows.append(",".join(cells) + chance.choice(["\n", "\r\n", "\r\r\n", "\n\n"]))
        text = chance.choice(["", HEADER, HEADER.replace("_", " ").title()]) + "".join(rows)
        ours, theirs = faults(iris, tmp_path, text)
        place = [fault.split(": ")[0] for fault in (ours, theirs)]
        assert place[0] == place[1], (text, ours, theirs)
