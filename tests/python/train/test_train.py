"""python_export/train.py, as a user runs it, and the reading of its CSV files."""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from flowers import read_flowers
from iris_net import FEATURES, LABELS, IrisNet
from model_file import InputError, write_atomically
from train_progress import Progress
from training import Training, split

HEADER = "sepal_length,sepal_width,petal_length,petal_width,species\n"
SETOSA = "5.1,3.5,1.4,0.2,setosa\n"
VIRGINICA = "6.3,3.3,6.0,2.5,virginica\n"
CONFIG = {
    "optimizer": "sgd",
    "lr": 0.0,
    "weight_decay": 0.0,
    "momentum": 0.0,
    "epochs": 1,
    "batch_size": 2,
    "hidden": 16,
    "seed": 0,
    "test_fraction": 0.2,
    "patience": None,
}


@pytest.fixture(scope="module")
def trained(repo, python_export, tmp_path_factory):
    """What `train.py data/iris.csv -o MODEL` says, and the model it makes."""
    model = tmp_path_factory.mktemp("trained") / "model.pt"
    return python_export("train.py", repo / "data/iris.csv", "-o", model), model


@pytest.fixture
def csv_file(tmp_path):
    def write(text: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def message_for(path: Path) -> str:
    """The text of the error, after the folder of the file."""
    with pytest.raises(InputError) as error:
        read_flowers(path)
    return str(error.value).removeprefix(f"{path.parent}/")


def test_the_shipped_defaults_reach_95_percent_on_the_held_out_flowers(trained):
    result, _ = trained
    assert result.returncode == 0, result.stderr
    said = re.fullmatch(r"Test accuracy: (\d+\.\d)%\n", result.stdout)
    assert said, result.stdout
    assert float(said[1]) >= 95


def test_training_tells_loss_and_accuracy_on_stderr(trained):
    lines = trained[0].stderr.splitlines()
    assert len(lines) == 5
    assert re.fullmatch(r"epoch 10/50  loss 0\.\d{4}  accuracy \d+\.\d%  test accuracy \d+\.\d%", lines[0])
    assert lines[-1].startswith("epoch 50/50  ")


def test_the_shipped_model_is_what_its_command_makes(repo, trained):
    shipped = torch.load(repo / "models/iris_net.pt", weights_only=True)
    again = torch.load(trained[1], weights_only=True)
    assert list(again) == list(shipped) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    for name, tensor in shipped.items():
        # The last bits of the weights depend on the processor's vector instructions.
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(repo, python_export, tmp_path):
    made = []
    for number, seed in enumerate([7, 7, 8]):
        model = tmp_path / f"{number}.pt"
        result = python_export("train.py", repo / "data/iris.csv", "-o", model, "--epochs", 2, "--seed", seed)
        assert result.returncode == 0, result.stderr
        made.append(model.read_bytes())
    assert made[0] == made[1]
    assert made[0] != made[2]


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


def test_a_fifth_of_every_class_is_held_out_and_no_flower_is_in_both_parts(repo):
    flowers = read_flowers(repo / "data/iris.csv")
    torch.manual_seed(0)
    training, test = split(flowers, 0.2)
    assert test.labels.bincount().tolist() == [10, 10, 10]
    assert training.labels.bincount().tolist() == [40, 40, 40]
    rows = sorted(torch.cat([training.features, test.features]).tolist())
    assert rows == sorted(flowers.features.tolist())


def test_the_smallest_and_the_largest_fraction_leave_a_flower_of_each_class_on_both_sides(csv_file):
    flowers = read_flowers(csv_file(HEADER + 3 * SETOSA + 3 * VIRGINICA))
    for fraction, held_out in ((0.001, 1), (0.999, 2)):
        _, test = split(flowers, fraction)
        assert test.labels.bincount().tolist() == [held_out, 0, held_out]


def test_an_epoch_uses_every_flower_also_those_of_a_smaller_last_batch(csv_file):
    unmoving = Training(CONFIG, read_flowers(csv_file(HEADER + 4 * SETOSA + 3 * VIRGINICA)), torch.device("cpu"))
    flowers = unmoving.training
    assert len(flowers.labels) == 5
    expected = torch.nn.functional.cross_entropy(unmoving.model(flowers.features), flowers.labels).item()
    unmoving.run_epoch(lambda: False)
    assert unmoving.history[0]["loss"] == pytest.approx(expected, rel=1e-5)


def test_features_and_labels_are_in_the_order_of_the_model():
    assert FEATURES == ("sepal_length", "sepal_width", "petal_length", "petal_width")
    assert LABELS == ("setosa", "versicolor", "virginica")


def test_a_width_below_one_is_refused():
    with pytest.raises(ValueError, match="widths must be at least 1, got 4 -> 0 -> 3"):
        IrisNet(hidden=0)


def test_hidden_sets_the_width(repo, in_process, tmp_path):
    model = tmp_path / "model.pt"
    result = in_process("train.py", repo / "data/iris.csv", "-o", model, "--epochs", 1, "--hidden", 5)
    assert result.returncode == 0, result.stderr
    shapes = [tuple(tensor.shape) for tensor in torch.load(model, weights_only=True).values()]
    assert shapes == [(5, 4), (5,), (3, 5), (3,)]


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


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (5 * SETOSA, "only one class: setosa; training needs at least two"),
        (
            5 * SETOSA + VIRGINICA,
            "only one flower of virginica; a class needs two, one to train and one to test",
        ),
    ],
)
def test_too_few_flowers_to_train_and_test_are_refused(csv_file, rows, message):
    path = csv_file(HEADER + rows)
    with pytest.raises(InputError) as error:
        split(read_flowers(path), 0.2)
    assert str(error.value) == f"{path}: {message}"


def test_an_error_is_one_line_on_stderr_with_exit_status_1_and_the_old_model_stays(csv_file, in_process, tmp_path):
    csv_file(HEADER + SETOSA + "5.1,3.5,1.4,abc,setosa\n")
    (tmp_path / "model.pt").write_text("old")
    result = in_process("train.py", "data.csv", "-o", "model.pt", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == 'train.py: error: data.csv:3: petal_width: not a number: "abc"\n'
    assert (tmp_path / "model.pt").read_text() == "old"


def test_a_closed_stdout_is_told_in_one_line(repo, tmp_path):
    script = f'exec "{sys.executable}" "{repo}/python_export/train.py" "{repo}/data/iris.csv" -o model.pt >&-'
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "train.py: error: stdout: is closed\n")


def test_a_missing_file_is_told_in_one_line(in_process, tmp_path):
    result = in_process("train.py", "none.csv", "-o", "model.pt", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "train.py: error: none.csv: No such file or directory\n"


def test_a_missing_output_folder_is_told_before_training(repo, in_process, tmp_path):
    result = in_process("train.py", repo / "data/iris.csv", "-o", "none/model.pt", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "train.py: error: none/model.pt: no such folder: none\n"


def test_a_device_or_a_folder_is_not_replaced_by_a_model(in_process, tmp_path):
    result = in_process("train.py", "data.csv", "-o", "/dev/null")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "train.py: error: /dev/null: is not a regular file, and would be replaced by one; give another name\n"
    )
    result = in_process("train.py", "data.csv", "-o", tmp_path)
    assert result.stderr == f"train.py: error: {tmp_path}: is a folder; give the name of a file\n"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--epochs", "0", "argument --epochs: must be a whole number above 0, got 0"),
        ("--lr", "-1", "argument --lr: must be a number above 0, got -1"),
        ("--test-fraction", "1", "argument --test-fraction: must be between 0 and 1, got 1"),
        ("--seed", "x", "argument --seed: must be a whole number from 0 to 2^63 - 1, got x"),
        ("--momentum", "1", "argument --momentum: must be from 0 to below 1, got 1"),
        ("--weight-decay", "-0.1", "argument --weight-decay: must be a number from 0, got -0.1"),
        ("--device", "gpu", "argument --device: must be auto, cpu, cuda or cuda:N, got gpu"),
        ("--momentum", "0.5", "argument --momentum: only with --optimizer sgd"),
        ("--validation-fraction", "0.5", "argument --validation-fraction: only with --patience"),
        ("--keep", "2", "argument --keep: needs --checkpoint-dir, or --resume with a folder"),
        ("--checkpoint-every", "2", "argument --checkpoint-every: needs --checkpoint-dir, or --resume with a folder"),
        ("--history", "data.csv", "--history data.csv would replace the data; write to another file"),
        ("--history", "./model.pt", "--history model.pt would replace the model; write to another file"),
        ("--resume", "model.pt", "-o model.pt would replace the checkpoint; write to another file"),
        ("-o", "data.csv", "-o data.csv would replace the data; write to another file"),
    ],
)
def test_wrong_usage_exits_2(in_process, option, value, message):
    result = in_process("train.py", "data.csv", "-o", "model.pt", option, value)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f"train.py: error: {message}\n")


def test_a_model_that_diverges_is_not_saved(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--lr", "1e38", "--epochs", 3)
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "train.py: error: training diverged at epoch 1: the loss is nan; try a --lr below 1e+38"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "message"),
    [("cuda", "this torch is a CPU build; install a CUDA one, or use --device cpu")],
)
def test_a_device_that_is_not_there_is_told(repo, in_process, tmp_path, device, message):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    if torch.version.cuda is not None:
        message = "CUDA finds no device: no NVIDIA driver, one too old for this torch, or no GPU (nvidia-smi tells); "
        message += "use --device cpu"
    result = in_process("train.py", repo / "data/iris.csv", "-o", tmp_path / "model.pt", "--device", device)
    assert (result.returncode, result.stderr) == (1, f"train.py: error: --device {device}: {message}\n")


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_other_optimizers_reach_95_percent_on_average(repo, in_process, tmp_path, optimizer):
    accuracies = []
    for seed in range(5):
        args = ("-o", tmp_path / "model.pt", "--optimizer", optimizer, "--seed", seed, "-q", "--json")
        result = in_process("train.py", repo / "data/iris.csv", *args)
        accuracies.append(json.loads(result.stdout)["test_accuracy"])
    assert sum(accuracies) / len(accuracies) >= 0.95


def test_weight_decay_and_momentum_reach_the_optimizer(repo, in_process, tmp_path):
    made = []
    for args in ((), ("--weight-decay", "0.1"), ("--momentum", "0")):
        model = tmp_path / f"{len(made)}.pt"
        result = in_process("train.py", repo / "data/iris.csv", "-o", model, "--optimizer", "sgd", "--epochs", 1, *args)
        assert result.returncode == 0, result.stderr
        made.append(model.read_bytes())
    assert len(set(made)) == 3


def test_labels_are_taken_from_another_column(csv_file, in_process, tmp_path):
    csv_file((HEADER + 5 * SETOSA + 5 * VIRGINICA).replace("species", "kind"))
    args = ("train.py", "data.csv", "-o", "model.pt", "--epochs", 1)
    assert in_process(*args, "--label-column", "kind", cwd=tmp_path).returncode == 0
    assert "data.csv:1: missing column: species; the header must name" in in_process(*args, cwd=tmp_path).stderr
    csv_file((HEADER + SETOSA + "5.1,3.5,1.4,0.2,tulip\n").replace("species", "kind"))
    assert (
        'data.csv:3: kind: unknown label: "tulip"' in in_process(*args, "--label-column", "kind", cwd=tmp_path).stderr
    )


def test_json_says_how_good_the_written_model_is(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--epochs", 3, "--json", "-q")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    told = json.loads(result.stdout)
    assert result.stdout.startswith('{"model":"model.pt","epochs":3,"loss":')
    assert list(told)[2:] == ["loss", "accuracy", "test_loss", "test_accuracy", "rows", "test_rows"]
    assert (told["rows"], told["test_rows"]) == (120, 30)

    torch.manual_seed(0)
    model = IrisNet()
    training, test = split(read_flowers(repo / "data/iris.csv"), 0.2)
    model.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    for prefix, flowers in (("", training), ("test_", test)):
        logits = model(flowers.features)
        loss = torch.nn.functional.cross_entropy(logits, flowers.labels).item()
        right = (logits.argmax(dim=1) == flowers.labels).sum().item()
        assert told[f"{prefix}loss"] == pytest.approx(loss, rel=1e-6)
        assert told[f"{prefix}accuracy"] == right / len(flowers.labels)


def test_the_history_has_a_line_for_each_epoch(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--epochs", 3, "--history", "history.csv")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    lines = (tmp_path / "history.csv").read_bytes().decode().split("\n")
    assert lines[0] == "epoch,loss,accuracy,test_loss,test_accuracy"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", ""]
    last = [float(number) for number in lines[3].split(",")]
    told = f"epoch 3/3  loss {last[1]:.4f}  accuracy {last[2]:.1%}  test accuracy {last[4]:.1%}\n"
    assert result.stderr == told


def test_a_history_that_cannot_be_written_is_told_before_training(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--history", "none/history.csv")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == "train.py: error: none/history.csv: no such folder: none\n"
    result = in_process("train.py", repo / "data/iris.csv", "-o", "/proc/model.pt")
    assert result.returncode == 1
    assert result.stderr == "train.py: error: /proc/model.pt: cannot be written: No such file or directory\n"


def test_quiet_drops_the_progress_only(repo, in_process, tmp_path):
    result = in_process("train.py", repo / "data/iris.csv", "-o", tmp_path / "model.pt", "--epochs", 1, "-q")
    assert result.stderr == ""
    assert result.stdout.startswith("Test accuracy: ")


def test_a_terminal_gets_a_bar_after_a_second_which_is_taken_away(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = 0.0
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr("time.monotonic", lambda: now)
    entry = {"epoch": 5, "loss": 0.25, "accuracy": 0.5, "test_accuracy": 0.75}
    with Progress(10, log_every=1, is_quiet=False) as progress:
        progress.show(entry, is_last=False)
        assert sys.stderr.getvalue() == ""
        now = 1.5
        progress.show(entry, is_last=False)
        figures = "epoch 5/10  loss 0.2500  accuracy 50.0%  test accuracy 75.0%"
        bar = f"\r[############............]  50%  {figures}\x1b[K"
        assert sys.stderr.getvalue() == bar
    assert sys.stderr.getvalue() == bar + "\r\x1b[K"


def test_early_stopping_keeps_the_weights_of_the_lowest_validation_loss(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--optimizer", "sgd", "--patience", 3, "--validation-fraction", 0.3)
    args += ("--checkpoint-dir", "run", "--checkpoint-every", 1, "--history", "history.csv", "--json")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    with (tmp_path / "history.csv").open() as file:
        losses = [float(row["validation_loss"]) for row in csv.DictReader(file)]
    best = losses.index(min(losses)) + 1
    assert len(losses) == best + 3 < 50
    told = json.loads(result.stdout)
    assert (told["epochs"], told["best_epoch"]) == (best + 3, best)
    assert result.stderr.endswith(f"\ntrain.py: stopped early: the validation loss was lowest at epoch {best}\n")
    model = torch.load(tmp_path / "model.pt", weights_only=True)
    of_best = torch.load(tmp_path / f"run/epoch-{best:06}.pt", weights_only=True)["model_state_dict"]
    assert all(torch.equal(model[name], of_best[name]) for name in of_best)
    # What is resumed once it has stopped is done, and written at once.
    again = in_process("train.py", repo / "data/iris.csv", "-o", "again.pt", "--resume", "run", "-q", cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "again.pt").read_bytes() == (tmp_path / "model.pt").read_bytes()


def test_the_three_parts_share_no_flower(repo):
    config = CONFIG | {"patience": 1, "validation_fraction": 0.25}
    flowers = read_flowers(repo / "data/iris.csv")
    training = Training(config, flowers, torch.device("cpu"))
    parts = [training.training, training.validation, training.test]
    assert [part.labels.bincount().tolist() for part in parts] == [[30] * 3, [10] * 3, [10] * 3]
    rows = sorted(torch.cat([part.features for part in parts]).tolist())
    assert rows == sorted(flowers.features.tolist())


def test_a_class_that_leaves_nothing_to_validate_with_is_told(csv_file, in_process, tmp_path):
    csv_file(HEADER + 5 * SETOSA + 2 * VIRGINICA)
    result = in_process("train.py", "data.csv", "-o", "model.pt", "--patience", 2, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        1,
        "train.py: error: data.csv: only one flower of virginica is left to train and to validate; "
        "lower --test-fraction, or leave out --patience\n",
    )


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with path.open("rb") as old:
        write_atomically(path, b"new")
        assert old.read() == b"old"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["model.pt"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError) as error:
        write_atomically(path, b"new")
    assert str(error.value) == f"{path}: cannot be written: No space left on device"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.pt"]
