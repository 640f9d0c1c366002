"""Iris files as people have them: predict, evaluate, train and train.py read all of them alike."""

import gzip
import json
import random
from pathlib import Path

import pytest
import torch
from commands import REPO

from iris_export.csv_layout import layout_of
from iris_export.csv_records import records
from iris_export.flowers import UNIT, RowReader, read_flowers
from iris_export.iris_net import FEATURES, LABELS
from iris_export.model_file import InputError

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


@pytest.mark.parametrize("header", [None, ["", *"0123"], [*"0123"], ["Sepal Length", *FEATURES[1:]]])
def test_rows_without_a_label_are_predicted_alike(iris, plain, tmp_path, header):
    cells = [line.split(",")[:4] for line in PLAIN.read_text().splitlines()[1:]]
    has_index = header is not None and header[0] == ""
    rows = [*([header] if header else []), *([str(i)] * has_index + row for i, row in enumerate(cells))]
    (tmp_path / "rows.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    assert iris("predict", MODEL, "-i", tmp_path / "rows.csv", "--logits").stdout == plain[0]


@pytest.mark.parametrize("path", LAYOUTS, ids=layout)
def test_both_languages_tell_the_same_notes(iris, path):
    told = iris("evaluate", MODEL, path).stderr.splitlines()
    assert told == [f"iris: {note}" for note in read_flowers(path).notes]


@pytest.mark.parametrize("name", ["kaggle", "uci", "sklearn_packaged", "r_write_table", "notes_in_latin_1"])
def test_both_languages_train_the_same_model(iris, in_process, tmp_path, name):
    arguments = [FOLDER / f"{name}.csv", "--epochs", "2", "-q", "-o"]
    models, notes = [], []
    for program, path in {"iris": tmp_path / "ours.pt", "train.py": tmp_path / "theirs.pt"}.items():
        done = iris("train", *arguments, path) if program == "iris" else in_process("train.py", *arguments, path)
        assert done.returncode == 0, done.stderr
        notes.append([line.removeprefix(f"{program}: ") for line in done.stderr.splitlines()])
        models.append(torch.load(path, weights_only=True))
    assert list(models[0]) == list(models[1])
    for tensor, other in zip(models[0].values(), models[1].values(), strict=True):
        assert tensor.numpy().tobytes() == other.numpy().tobytes()
    assert notes[0] == notes[1]


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
    "no label in a data frame without names": ",0,1,2,3\n0,5.1,3.5,1.4,0.2\n",
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
    "a byte-order mark alone": "\ufeff",
    "empty lines alone": "\n\r\n",
    "a header alone": HEADER,
    "an open quote in the header": HEADER.replace("species", '"species') + "5.1,3.5,1.4,0.2,setosa\n",
    "an open quote before the header": '"open\n' + HEADER + "5.1,3.5,1.4,0.2,setosa\n",
    "an open quote in the first row of two": '5.1,3.5,1.4,0.2,"setosa\n5.1,3.5,1.4,0.2,setosa\n',
    "a quote after a closing quote and a carriage return": HEADER + '5.1,3.5,1.4,"0.2"\r",setosa\n',
    "a number of another script": HEADER + "5.1,3.5,1.4,\u0660.2,setosa\n",
    "letters that only Unicode takes for ASCII's": HEADER + "5.1,3.5,1.4,\u0131nf,setosa\n",
    "a cell that shows nothing": HEADER + "5.1,3.5,1.4,\u200b\x1b\udcff,setosa\n",
    "a long cell": HEADER + f"5.1,3.5,1.4,{300 * 'é'},setosa\n",
    "a long label": HEADER + f"5.1,3.5,1.4,0.2,{300 * 'x'}\n",
    "JSON rows": '{"sepal_length": 5.1, "species": "setosa"}\n',
    "a JSON array": "[[5.1, 3.5, 1.4, 0.2]]\n",
    "UTF-16": (HEADER + "5.1,3.5,1.4,0.2,setosa\n").encode("utf-16"),
    "UTF-16 without a mark": HEADER.encode("utf-16-le"),
    "UTF-16 of the other order without a mark": HEADER.encode("utf-16-be"),
    "gzip": gzip.compress(HEADER.encode()),
    "a zip archive": b"PK\x03\x04" + bytes(40),
    "a web page": "\n<!DOCTYPE html>\n",
    "a Parquet file": "PAR1,b,c,d,e\n",
}


def faults(iris, tmp_path, content):
    """What evaluate and read_flowers say of a file; "" where they take it. And the notes, where both do."""
    path = tmp_path / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(errors="surrogateescape"))
    told = iris("evaluate", MODEL, path).stderr.splitlines()
    ours = next((line.removeprefix("iris: error: ") for line in told if line.startswith("iris: error: ")), "")
    try:
        notes = read_flowers(path).notes
    except InputError as error:
        return ours, str(error)
    assert ours or told == [f"iris: {note}" for note in notes], content
    return ours, ""


def without_options(message):
    """A library knows no options; the program names them."""
    return message.removesuffix(" (--features)").removesuffix(" (--input-format ndjson)")


@pytest.mark.parametrize("name", REFUSED)
def test_both_languages_refuse_a_file_with_the_same_words(iris, tmp_path, name):
    ours, theirs = faults(iris, tmp_path, REFUSED[name])
    assert ours != ""
    assert without_options(ours) == without_options(theirs)


NUMBERS = ["5.1", "3", "0.25", "-1e-2", " 4 ", "+.5", "5.", "1e-46", "\t7\t", "16777217"]
CLASSES = ["setosa", "Iris-virginica", "1", "2.0", "VERSICOLOR", "iris setosa", " Iris_Setosa ", "-0", "1e0"]
ODD = [
    "",
    "x",
    '"5"',
    '"5""',
    '"',
    "\r",
    "1e39",
    "\udce9",
    "é",
    "\0",
    '"a,b"',
    '"a\nb"',
    '"5"\r',
    '"5"\r"',
    "5\r5",
    "nan",
]
ODD += [
    "-inf",
    "nan(a)",
    "\u0131nf",
    "1_0",
    "0x1",
    '"a\r\nb"',
    '""',
    '""""',
    '"1\n',
    '\n"',
    '"x"y',
    '"5" ',
    "+-1",
    "iris-",
]
ENDS = ["\n", "\n", "\n", "\r\n", "\r\r\n", "\n\n"]
HEADERS = [
    "",
    HEADER,
    HEADER.replace("_", " ").title(),
    HEADER.replace(",", " (cm),", 4),
    '"' + HEADER.strip().replace(",", '","') + '"\r\n',
    "3,4,setosa,versicolor,virginica\n",
    "3,4,Iris-virginica,setosa,versicolor\n",
    "0,1,2,3,4\n",
    "0,1,2,3,Class\n",
    "sepal_length,sepal_width,petal_length,petal_width,target,label\n",
    '"sepal_length,' + HEADER,
]


def rows_text(chance, count, odd):
    """Rows of a flower and its label, of which `odd` have a cell that is something else, or too many cells."""
    text = ""
    for _ in range(count):
        cells = [*chance.choices(NUMBERS, k=4), chance.choice(CLASSES)]
        if chance.random() < odd:
            cells[chance.randrange(5)] = chance.choice(ODD)
        if chance.random() < odd / 5:
            cells.insert(chance.randrange(6), chance.choice(NUMBERS + ODD))
        text += ",".join(cells) + chance.choice(ENDS)
    return text


@pytest.mark.parametrize("seed", range(40))
def test_both_languages_say_the_same_of_a_made_up_file(iris, tmp_path, seed):
    chance = random.Random(seed)
    text = chance.choice(HEADERS) + rows_text(chance, chance.randrange(1, 8), 0.15)
    ours, theirs = faults(iris, tmp_path, text if chance.random() < 0.8 else text.rstrip("\n"))
    assert without_options(ours) == without_options(theirs), text


def read_one_by_one(content):
    """What csv_records and RowReader say of every row after the header; "" where it is good."""
    header, *rows = records(content)
    layout = layout_of(header.cells, FEATURES, "species", UNIT, "")
    layout.settle_row_names(next(len(row.cells) for row in rows if not row.fault))
    reader = RowReader("rows.csv", layout, FEATURES, LABELS)
    for row in rows:
        try:
            reader.features_of(row)
        except InputError as error:
            yield str(error)
        else:
            yield ""


@pytest.mark.parametrize("seed", range(20))
def test_both_languages_find_the_same_bad_rows_among_a_hundred(iris, tmp_path, seed):
    content = (HEADER + rows_text(random.Random(seed), 100, 0.5)).encode(errors="surrogateescape")
    (tmp_path / "rows.csv").write_bytes(content)
    faults_of_rows = list(read_one_by_one(content))
    bad = [fault for fault in faults_of_rows if fault]
    done = iris("predict", MODEL, "-i", "rows.csv", "--on-error", "skip", cwd=tmp_path)
    assert [answer == "," for answer in done.stdout.splitlines()[1:]] == [fault != "" for fault in faults_of_rows]
    told = [line for line in done.stderr.splitlines() if line.startswith("iris: skipped ")]  # the first ones
    assert told == [f"iris: skipped {fault}" for fault in bad[: len(told)]]
    assert len(told) > 5
