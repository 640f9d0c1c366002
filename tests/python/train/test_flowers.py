"""How python_export reads CSV files of flowers, and the data that are shipped."""

import hashlib
from pathlib import Path

import pytest
import torch
from flower_rows import HEADER, SETOSA, VIRGINICA

from iris_export.csv_records import (
    LONG_LINE,
    LONG_RECORD,
    QUOTE_IS_OPEN,
    QUOTE_IS_OPEN_TO_THE_END,
    TEXT_AFTER_QUOTE,
    records,
)
from iris_export.flowers import read_flowers
from iris_export.model_file import InputError


def message_for(path: Path) -> str:
    """The text of the error, after the folder of the file."""
    with pytest.raises(InputError) as error:
        read_flowers(path)
    return str(error.value).removeprefix(f"{path.parent}/")


def test_the_cards_name_the_files_that_are_there(repo):
    for card, names in {"models/README.md": ["iris_net.pt", "iris_net.ts.pt"], "data/README.md": ["iris.csv"]}.items():
        text = (repo / card).read_text()
        for name in names:
            assert hashlib.sha256(((repo / card).parent / name).read_bytes()).hexdigest() in text, name


def test_the_data_are_fishers_150_flowers(repo):
    flowers = read_flowers(repo / "data/iris.csv")
    assert flowers.features.shape == (150, 4)
    assert flowers.labels.bincount().tolist() == [50, 50, 50]
    # The 35th and the 38th are the two that other copies have wrong.
    torch.testing.assert_close(flowers.features[34], torch.tensor([4.9, 3.1, 1.5, 0.2]), rtol=0, atol=0)
    torch.testing.assert_close(flowers.features[37], torch.tensor([4.9, 3.6, 1.4, 0.1]), rtol=0, atol=0)
    mean = flowers.features.double().mean(dim=0)
    torch.testing.assert_close(mean, torch.tensor([5.8433, 3.0573, 3.7580, 1.1993]).double(), rtol=0, atol=1e-4)


def test_columns_are_found_by_name_and_others_are_ignored(csv_file):
    path = csv_file("id,species,petal_width,petal_length,sepal_width,sepal_length\n1,versicolor,1.4,4.7,3.2,7.0\n")
    flowers = read_flowers(path)
    assert flowers.labels.tolist() == [1]
    torch.testing.assert_close(flowers.features, torch.tensor([[7.0, 3.2, 4.7, 1.4]]), rtol=0, atol=0)


def test_crlf_a_byte_order_mark_quotes_and_empty_lines_are_read(csv_file):
    text = "\ufeff" + HEADER + '"5.1",3.5,1.4,.2,"setosa"\n\n' + VIRGINICA
    flowers = read_flowers(csv_file(text.replace("\n", "\r\n")))
    assert flowers.labels.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("5.1,3.5,1.4,abc,setosa", 'petal_width: not a number: "abc"'),
        ("5.1,3.5,1.4,,setosa", "petal_width: is empty"),
        ("5.1,3.5,nan,0.2,setosa", 'petal_length: not finite as float32: "nan"'),
        ("5.1,1e39,1.4,0.2,setosa", 'sepal_width: not finite as float32: "1e39"'),
        ("5.1,1e999,1.4,0.2,setosa", 'sepal_width: not finite as float32: "1e999"'),
        ("5_1,3.5,1.4,0.2,setosa", 'sepal_length: not a number: "5_1"'),
        (
            "5.1,3.5,1.4,0.2,tulip",
            'species: unknown label: "tulip"; the model knows setosa, versicolor, virginica (--labels)',
        ),
        ("5.1,3.5,1.4,setosa", "has 4 cells, not 5"),
        ("5.1,3.5,1.4,0.2,setosa,", "has 6 cells, not 5"),
        ('5.1,3.5,1.4,0.2,"setosa', "a quote is not closed before the file ends"),
        ("\x1b[31m,3.5,1.4,0.2,setosa", 'sepal_length: not a number: "\\x1b[31m"'),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_column(csv_file, row, message):
    assert message_for(csv_file(HEADER + SETOSA + row + "\n")) == f"data.csv:3: {message}"


def test_the_line_is_counted_in_the_file_also_after_a_field_of_several_lines(csv_file):
    path = csv_file("note," + HEADER + '"two\nlines",' + SETOSA + "x," + SETOSA.replace("0.2", "abc"))
    assert message_for(path) == 'data.csv:4: petal_width: not a number: "abc"'


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "sepal_length,sepal_width,petal_length,species",
            "the header has no column petal_width; it has: sepal_length, sepal_width, petal_length, species",
        ),
        ("species," + HEADER.strip(), "the header has the column species twice"),
        (
            "sepal_length,Sepal Width,sepalwidth,petal_length,petal_width,species",
            "Sepal Width and sepalwidth could both be sepal_width",
        ),
        (
            HEADER.strip().replace("species", "class,target"),
            "several columns could hold the classes: class, target (--label-column)",
        ),
    ],
)
def test_a_column_that_cannot_be_told_is_named(csv_file, header, message):
    assert message_for(csv_file(header + "\n")) == f"data.csv:1: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "",
            "data.csv: is empty; it has to hold rows of "
            "sepal_length, sepal_width, petal_length, petal_width and species",
        ),
        (HEADER, "data.csv: holds no rows, only a header"),
        (b"\xff\xfe\x00", "data.csv: is UTF-16; save it as UTF-8"),
        (b"\x1f\x8b\x08\x00", "data.csv: is compressed with gzip; unpack it first: gunzip -c FILE"),
    ],
)
def test_a_file_without_flowers_is_told_for_what_it_is(csv_file, content, message):
    assert message_for(csv_file(content)) == message


def test_notes_say_what_was_not_as_named(csv_file):
    path = csv_file(
        "SepalLengthCm,sepal_width,Petal.Length,petal_width,Class\n5.1,3.5,1.4,0.2,Iris-setosa\n5,3,1,0,2\n"
    )
    flowers = read_flowers(path)
    assert flowers.labels.tolist() == [0, 2]
    assert [note.removeprefix(f"{path}: ") for note in flowers.notes] == [
        "SepalLengthCm is taken for sepal_length, Petal.Length for petal_length",
        "Class is taken for the label column",
        "labels are taken for the model's without regard to case and a leading Iris-",
        "labels are taken as class indexes: 0 is setosa, 1 is versicolor, 2 is virginica",
    ]
    assert read_flowers(csv_file(HEADER + SETOSA)).notes == []


def test_a_label_column_that_is_named_is_not_looked_for_by_other_names(csv_file):
    path = csv_file(HEADER.replace("species", "class") + SETOSA)
    assert read_flowers(path).labels.tolist() == [0]
    assert "the header has no column kind; it has: " in message_for_column(path, "kind")


def message_for_column(path: Path, label_column: str) -> str:
    with pytest.raises(InputError) as error:
        read_flowers(path, label_column)
    return str(error.value)


def test_other_names_of_features_and_classes_are_found(csv_file):
    names, classes = ("A", "b", "c", "d (mm)"), ("lily", "rose", "ROSE")
    path = csv_file("a,b,c,D in mm,kind\n1,2,3,4,rose\n1,2,3,4,Lily\n")
    assert read_flowers(path, "kind", names, classes).labels.tolist() == [1, 0]
    path = csv_file("a,b,c,d,kind\n1,2,3,4,Rose\n")  # it could be either
    with pytest.raises(InputError, match='unknown label: "Rose"'):
        read_flowers(path, "kind", names, classes)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("a,b\r\r\n\r\n\nc", [(1, ["a", "b"], ""), (4, ["c"], "")]),
        ('"a\nb","c ""d"""\r\ne\n', [(1, ["a\nb", 'c "d"'], ""), (3, ["e"], "")]),
        ('a"b,"c"\r,\r', [(1, ['a"b', "c", ""], "")]),
        ("a\rb\n", [(1, ["a\rb"], "")]),
        ('"a"b\nc\n', [(1, ['"a"b'], TEXT_AFTER_QUOTE), (2, ["c"], "")]),
        ('"a\nb"c\n', [(1, ['"a'], QUOTE_IS_OPEN), (2, ['b"c'], "")]),
        ('a,"b\nc\n', [(1, ["a", '"b'], QUOTE_IS_OPEN_TO_THE_END), (2, ["c"], "")]),
        ('"a""b\nc\n', [(1, ['"a""b'], QUOTE_IS_OPEN_TO_THE_END), (2, ["c"], "")]),
    ],
)
def test_records_are_cut_as_rfc_4180_says_and_a_fault_costs_one_line(text, cut):
    assert [(record.line, record.cells, record.fault) for record in records(text.encode())] == cut


def test_a_record_longer_than_16_mib_is_refused(monkeypatch):
    monkeypatch.setattr("iris_export.csv_records.MAX_RECORD", 8)
    assert [record.fault for record in records(b"1234567\n123456\xc3\xa9\nno more\n")] == ["", LONG_RECORD]
    assert [record.fault for record in records(b"12\r34\r56\r78")] == [LONG_LINE]
    assert [record.fault for record in records(b'"2\n4\n6\n8"')] == [LONG_RECORD]


def test_a_folder_is_not_a_csv_file(tmp_path):
    assert message_for(tmp_path / ".").endswith("Is a directory")
