"""iris predict with one sample: what a user types and what comes back."""

import json
import math
import re
import struct
from pathlib import Path

import pytest

SAMPLE = ["5.1", "3.5", "1.4", "0.2"]  # the first flower
LABELS = ["setosa", "versicolor", "virginica"]


@pytest.fixture(scope="module")
def golden(repo):
    return json.loads((repo / "tests/fixtures/golden.json").read_text())


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


def softmax(logits):
    exponentials = [math.exp(logit - max(logits)) for logit in logits]
    return [value / sum(exponentials) for value in exponentials]


def is_float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


@pytest.mark.parametrize("name", ["iris_net.pt", "iris_net.ts.pt"])
def test_one_sample_gives_its_label_and_confidence(iris, repo, golden, name):
    result = iris("predict", repo / "models" / name, *SAMPLE)
    confidence = softmax(golden[name]["logits"][0])[0]
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"Prediction: setosa\nConfidence: {100 * confidence:.1f}%\n"


def test_logits_come_before_the_prediction(iris, model, golden):
    result = iris("predict", model, *SAMPLE, "--logits")
    logits = " ".join(f"{logit:.2f}" for logit in golden["iris_net.pt"]["logits"][0])
    assert result.stdout.splitlines()[:3] == [f"Logits: {logits}", "Predicted class index: 0", "Prediction: setosa"]
    assert len(result.stdout.splitlines()) == 4


def test_json_holds_every_digit(iris, model, golden):
    result = iris("predict", model, *SAMPLE, "--json")
    assert result.stdout.count("\n") == 1
    answer = json.loads(result.stdout)
    logits = golden["iris_net.pt"]["logits"][0]
    assert list(answer) == ["label", "index", "confidence", "probabilities", "logits"]
    assert (answer["label"], answer["index"]) == ("setosa", 0)
    assert answer["logits"] == pytest.approx(logits, rel=1e-6, abs=1e-6)
    assert list(answer["probabilities"]) == LABELS
    assert list(answer["probabilities"].values()) == pytest.approx(softmax(logits), abs=1e-6)
    assert answer["confidence"] == answer["probabilities"]["setosa"]
    for value in answer["logits"] + list(answer["probabilities"].values()):
        assert len(f"{value:.9g}") <= len(f"{is_float32(value):.9g}")


@pytest.mark.parametrize("row, label", [(0, "setosa"), (50, "versicolor"), (100, "virginica")])
def test_each_species_is_told(iris, repo, model, row, label):
    features = (repo / "data/iris.csv").read_text().splitlines()[1 + row].split(",")[:4]
    assert iris("predict", model, *features).stdout.startswith(f"Prediction: {label}\n")


@pytest.mark.parametrize(
    "name",
    ["plain_dict", "checkpoint", "data_parallel", "compiled", "legacy", "scripted", "traced", "frozen", "train_mode"],
)
def test_every_kind_of_file_predicts(iris, repo, golden, name):
    result = iris("predict", repo / f"tests/fixtures/{name}.pt", *SAMPLE, "--json")
    assert result.stderr == ""
    assert json.loads(result.stdout)["logits"] == pytest.approx(golden[f"{name}.pt"]["logits"][0], rel=1e-6, abs=1e-6)


def test_hidden_gives_the_width(iris, repo, golden):
    result = iris("predict", repo / "tests/fixtures/wide_hidden.pt", *SAMPLE, "--json", "--hidden", 32)
    assert json.loads(result.stdout)["logits"] == pytest.approx(golden["wide_hidden.pt"]["logits"][0], abs=1e-6)


@pytest.mark.parametrize("key", ["netG", "netD"])
def test_key_chooses_the_model(iris, repo, golden, key):
    result = iris("predict", repo / "tests/fixtures/two_models.pt", *SAMPLE, "--json", "--key", key)
    assert json.loads(result.stdout)["logits"] == pytest.approx(golden[f"two_models.pt {key}"]["logits"][0], rel=1e-6)


@pytest.mark.parametrize("name", ["iris_net.pt", "iris_net.ts.pt"])
def test_labels_win_over_the_files(iris, repo, name):
    result = iris("predict", repo / "models" / name, *SAMPLE, "--labels", "one,two words,drei")
    assert result.stdout.startswith("Prediction: one\n")
    answer = json.loads(iris("predict", repo / "models" / name, *SAMPLE, "--labels", 'a,b"c,ü', "--json").stdout)
    assert list(answer["probabilities"]) == ["a", 'b"c', "ü"]


def test_names_are_quoted_as_in_csv(iris, model):
    labels = ["--labels", 'a,"b,c","d ""e""\nf"']
    answer = json.loads(iris("predict", model, *SAMPLE, *labels, "--json").stdout)
    assert list(answer["probabilities"]) == ["a", "b,c", 'd "e"\nf']
    named = ["-i", "-", *labels, "--features", '"w, cm","x",y,z']
    result = iris("predict", model, *named, input='z,y,x,"w, cm"\n0.2,1.4,3.5,5.1\n')
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("label,confidence\na,0.99")


def test_classes_without_names_are_numbered(iris, repo):
    result = iris("predict", repo / "tests/fixtures/no_names.pt", *SAMPLE)
    assert result.stdout.startswith("Prediction: 0\n")


def test_content_decides_what_a_file_is_not_its_name(iris, repo, model, tmp_path):
    expected = iris("predict", model, *SAMPLE).stdout
    for name, source in [
        ("model.csv", "iris_net.pt"),
        ("no_extension", "iris_net.pt"),
        ("model.onnx", "iris_net.ts.pt"),
    ]:
        (tmp_path / name).write_bytes((repo / "models" / source).read_bytes())
        assert iris("predict", tmp_path / name, *SAMPLE).stdout == expected


def test_works_from_any_folder(iris, model, tmp_path):
    assert iris("predict", model, *SAMPLE, cwd=tmp_path).stdout == iris("predict", model, *SAMPLE).stdout


def test_device_cpu_and_threads_change_nothing(iris, model):
    expected = iris("predict", model, *SAMPLE, "--json").stdout
    assert iris("predict", model, *SAMPLE, "--json", "--device", "cpu").stdout == expected
    assert iris("predict", model, *SAMPLE, "--json", "--device", "auto", "--threads", "1").stdout == expected


@pytest.mark.parametrize(
    "sample", [["-1", "-.5", "-1e-3", "+.25"], ["0", "-0", "00.5", "1E+1"], [".5", "5.", "1e-45", "3e30"]]
)
def test_numbers_may_be_spelled_in_any_usual_way(iris, model, tmp_path, sample):
    (tmp_path / "row.csv").write_text(",".join(sample) + "\n")
    one = iris("predict", model, *sample, "--json")
    parts = ["--json", "--logits", "--probabilities"]
    rows = iris("predict", model, "-i", tmp_path / "row.csv", *parts, "--batch-size", 1)
    assert (one.returncode, one.stderr) == (0, "")
    assert one.stdout == rows.stdout


def test_names_cannot_steer_the_terminal(iris, model):
    named = ["--features", "a\x1b[31m,b,c,d", "--labels", "x\x1b[31m,y,z"]
    assert iris("predict", model, *SAMPLE, *named).stdout.startswith("Prediction: x\\x1b[31m\n")
    for rows, form in (("b,c,d\n1,2,3\n", "csv"), ('{"b":1,"c":2,"d":3}\n', "ndjson")):
        result = iris("predict", model, "-i", "-", "--input-format", form, *named, input=rows)
        assert result.returncode == 1
        assert "a\\x1b[31m" in result.stderr and "\x1b" not in result.stderr


def test_options_may_come_first(iris, model):
    assert iris("predict", "--json", "--threads", "1", model, *SAMPLE).returncode == 0


def test_version_names_libtorch(iris, binary, repo):
    version = re.search(r"project\(iris VERSION ([0-9.]+)", (repo / "CMakeLists.txt").read_text())[1]
    folder = re.search('"(.*)"', (Path(binary).parent / "iris-built-with.cmake").read_text())[1]
    build = "CUDA" if (Path(folder) / "lib/libtorch_cuda.so").exists() else "CPU"
    result = iris("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(rf"iris {re.escape(version)} \(LibTorch 2\.\d+\.\d+, {build} build\)\n", result.stdout)


@pytest.mark.parametrize("verb", ["predict", "inspect"])
def test_help_has_examples(iris, verb):
    result = iris(verb, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"iris {verb} model.pt" in result.stdout


def test_help_names_the_verbs_and_exit_statuses(iris):
    result = iris("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for word in ["predict", "inspect", "130 interrupted"]:
        assert word in result.stdout
