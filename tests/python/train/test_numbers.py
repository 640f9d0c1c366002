"""A number in a CSV file is the float32 nearest to its text, rounded once, in both trainings."""

import ctypes
import random
import zlib
from decimal import Decimal, localcontext

import numpy
import pytest
import torch
from flower_rows import HEADER
from training_runs import DATA

from iris_export.flowers import float32_of, read_flowers
from iris_export.model_file import InputError

LARGEST = 2.0**128 - 2.0**104
END = str(Decimal(2.0**128 - 2.0**103))  # in the middle of it and of what would be next: even, so infinity
SMALLEST = 2.0**-149
HALF_OF_IT = str(Decimal(2.0**-150))  # in the middle of 0 and of the smallest
FLOAT32 = {  # what each text is as float32
    "16777217": 16777216.0,  # in the middle, to even
    "16777219": 16777220.0,
    "16777217.00000000000000000001": 16777218.0,
    "16777218.99999999999999999999": 16777218.0,
    "-16777217.00000000000000000001": -16777218.0,
    "1.677721700000000000000000000000001e7": 16777218.0,
    "0.1": 0.10000000149011612,
    "5.1": 5.099999904632568,
    str(Decimal(LARGEST)): LARGEST,
    "3.4028235e38": LARGEST,
    "3.40282356e38": LARGEST,  # above the largest, and below END
    END[:-1] + "7.99999": LARGEST,  # END as a double
    "-" + END[:-1] + "7": -LARGEST,
    "1e-45": SMALLEST,
    HALF_OF_IT: 0.0,
    HALF_OF_IT.replace("E", "01E"): SMALLEST,  # HALF_OF_IT as a double
    HALF_OF_IT.replace("5E", "4E"): 0.0,
    "1e-999999": 0.0,
    "1.1754943508222875e-38": 1.1754943508222875e-38,
    "1" + 5000 * "0" + "e-5000": 1.0,
}
TOO_LARGE = [END, "-" + END, END + ".0000000000000000000001", "3.4028236e38", "1e39", "1e308", "1e309", "-1e999"]


@pytest.fixture
def written(csv_file):
    """written(texts): a CSV file of them, a row each, with two classes."""

    def call(texts):
        rows = [f"{text},{text},1,1,{('setosa', 'virginica')[i % 2]}\n" for i, text in enumerate(texts)]
        return csv_file(HEADER + "".join(rows))

    return call


@pytest.mark.parametrize(("text", "value"), FLOAT32.items())
def test_it_is_rounded_once(text, value):
    assert float32_of(text) == value


@pytest.mark.parametrize("text", TOO_LARGE)
def test_what_rounds_past_the_largest_is_refused(written, text):
    path = written(["1", text])
    with pytest.raises(InputError, match="not finite as float32"):
        read_flowers(path)


def test_it_is_what_strtof_gives_near_the_middle_of_any_two():
    strtof = ctypes.CDLL(None).strtof
    strtof.restype, strtof.argtypes = ctypes.c_float, [ctypes.c_char_p, ctypes.c_void_p]
    draw = random.Random(0)
    with localcontext() as context:
        context.prec = 200
        for _ in range(20_000):
            bits = numpy.array([draw.randrange(0x7F7FFFFF)] * 2, numpy.uint32) + numpy.array([0, 1], numpy.uint32)
            low, high = (Decimal(float(value)) for value in bits.view(numpy.float32))
            off = draw.choice([0, 1, -1]) * Decimal(10) ** -draw.randint(8, 60)
            text = str((low + high) / 2 * (1 + off))
            assert float32_of(text) == strtof(text.encode(), None), text


def test_ordinary_numbers_are_what_float_and_torch_make_of_them():
    flowers = read_flowers(DATA)
    lines = DATA.read_text().splitlines()[1:]
    assert flowers.features.equal(torch.tensor([[float(cell) for cell in line.split(",")[:4]] for line in lines]))


@pytest.fixture
def program_reads(repo, iris_train, tmp_path):
    """program_reads(path, features): whether iris train's CRC-32 of that file's data is that of the features.

    A run that is done is resumed with the data: the program compares before it computes anything.
    """
    assert iris_train("--epochs", 2, "--checkpoint-dir", "run").returncode == 0
    state = torch.load(tmp_path / "run/epoch-000002.pt", weights_only=True)

    def call(path, features: torch.Tensor, labels: torch.Tensor) -> bool:
        data = features.numpy().tobytes() + labels.numpy().tobytes()
        state["config"]["data_crc32"] = zlib.crc32(data)
        torch.save(state, tmp_path / "edited.pt")
        told = iris_train("--resume", "edited.pt", data=path)
        assert told.returncode == 0 or "is not the data that" in told.stderr, told.stderr
        return told.returncode == 0

    return call


def test_the_program_reads_the_same_bits(program_reads, written):
    path = written(FLOAT32)
    flowers = read_flowers(path)
    assert program_reads(path, flowers.features, flowers.labels)
    flowers.features[0, 0] = 16777218.0
    assert not program_reads(path, flowers.features, flowers.labels)


@pytest.mark.parametrize("text", TOO_LARGE)
def test_the_program_refuses_the_same(iris_train, written, text):
    result = iris_train(data=written(["1", text]))
    assert result.returncode == 1
    assert f'sepal_length: not finite as float32: "{text[:30]}' in result.stderr
