"""How python_export reads CSV files of flowers, and the data that are shipped."""

import hashlib
from pathlib import Path

import pytest
import torch
from flower_rows import HEADER, SETOSA, VIRGINICA

from flowers import read_flowers
from model_file import InputError


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
        ("5.1,3.5,1.4,,setosa", "petal_width: missing value"),
        ("5.1,3.5,nan,0.2,setosa", 'petal_length: not a number: "nan"'),
        ("5.1,1e39,1.4,0.2,setosa", 'sepal_width: not finite as float32: "1e39"'),
        ("5.1,1e999,1.4,0.2,setosa", 'sepal_width: not finite as float32: "1e999"'),
        ("5_1,3.5,1.4,0.2,setosa", 'sepal_length: not a number: "5_1"'),
        ("5.1,3.5,1.4,0.2,tulip", 'species: unknown label: "tulip"; expected setosa, versicolor, virginica'),
        ("5.1,3.5,1.4,setosa", "expected 5 fields, got 4"),
        ("5.1,3.5,1.4,0.2,setosa,", "expected 5 fields, got 6"),
        ('5.1,3.5,1.4,0.2,"setosa', "not valid CSV: unexpected end of data"),
        ("\x1b[31m,3.5,1.4,0.2,setosa", 'sepal_length: not a number: "\\x1b[31m"'),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_column(csv_file, row, message):
    assert message_for(csv_file(HEADER + SETOSA + row + "\n")) == f"data.csv:3: {message}"


def test_the_line_is_counted_in_the_file_also_after_a_field_of_several_lines(csv_file):
    path = csv_file("note," + HEADER + '"two\nlines",' + SETOSA + "x," + SETOSA.replace("0.2", "abc"))
    assert message_for(path) == 'data.csv:4: petal_width: not a number: "abc"'


def test_a_missing_column_is_named(csv_file):
    path = csv_file("sepal_length,sepal_width,petal_length,species\n")
    assert message_for(path) == (
        "data.csv:1: missing column: petal_width; "
        "the header must name sepal_length, sepal_width, petal_length, petal_width, species"
    )


def test_a_repeated_column_is_named(csv_file):
    assert message_for(csv_file("species," + HEADER)) == "data.csv:1: repeated column: species"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data.csv: is empty; expected the header " + HEADER.strip()),
        (HEADER, "data.csv: holds no flowers, only a header"),
        (b"\xff\xfe\x00", "data.csv: not a CSV file: not UTF-8 text"),
    ],
)
def test_a_file_without_flowers_is_told_for_what_it_is(csv_file, content, message):
    assert message_for(csv_file(content)) == message


def test_a_folder_is_not_a_csv_file(tmp_path):
    assert message_for(tmp_path / ".").endswith("Is a directory")
