"""IrisNet and its training, without files: the parts of the data, and an epoch."""

import pytest
import torch
from flower_rows import HEADER, SETOSA, VIRGINICA

from iris_export.flowers import read_flowers
from iris_export.iris_net import FEATURES, LABELS, IrisNet
from iris_export.model_file import InputError
from iris_export.training import Training, split

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


def test_the_three_parts_share_no_flower(repo):
    config = CONFIG | {"patience": 1, "validation_fraction": 0.25}
    flowers = read_flowers(repo / "data/iris.csv")
    training = Training(config, flowers, torch.device("cpu"))
    parts = [training.training, training.validation, training.test]
    assert [part.labels.bincount().tolist() for part in parts] == [[30] * 3, [10] * 3, [10] * 3]
    rows = sorted(torch.cat([part.features for part in parts]).tolist())
    assert rows == sorted(flowers.features.tolist())


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
