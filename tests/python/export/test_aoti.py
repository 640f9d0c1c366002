"""AOTInductor packages: made by export_formats.py, run and inspected by the built program."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from iris_export.export import example_flowers, load_iris_net
from iris_export.export_formats import export_model
from iris_export.flowers import read_flowers
from iris_export.iris_net import FEATURES, LABELS

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

WINE_FEATURES = [f"f{i}" for i in range(13)]


def wine_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.BatchNorm1d(13), nn.Linear(13, 24), nn.Tanh(), nn.Dropout(0.5), nn.Linear(24, 5), nn.Softplus()
    ).eval()


def wine_rows(count: int) -> torch.Tensor:
    return torch.randn(count, 13, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def package(repo, tmp_path_factory) -> Path:
    """IrisNet's."""
    path = tmp_path_factory.mktemp("aoti") / "iris_net.pt2"
    model = load_iris_net(repo / "models/iris_net.pt")
    export_model(model, example_flowers(), path, "aoti", name="iris", features=FEATURES, labels=LABELS)
    return path


@pytest.fixture(scope="module")
def wine_package(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("aoti") / "named like nothing"
    labels = ["a", "b", "c", "d", "e"]
    export_model(wine_net(), wine_rows(9), path, "aoti", name="wine", features=WINE_FEATURES, labels=labels)
    return path


def changed(package: Path, to: Path, change) -> Path:
    """The package with each entry's (name, content) as `change` gives it: a pair, or None to leave it out."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(to, "w") as target:
        for entry in source.namelist():
            result = change(entry, source.read(entry))
            if result is not None:
                target.writestr(zipfile.ZipInfo(result[0]), result[1])
    return to


def with_metadata(package: Path, to: Path, **metadata: str) -> Path:
    def change(name, content):
        if name.endswith("wrapper_metadata.json"):
            content = json.dumps({**json.loads(content), **metadata}).encode()
        return name, content

    return changed(package, to, change)


def message(result) -> str:
    assert (result.returncode, result.stdout) == (1, ""), result.stderr
    return result.stderr.removeprefix("iris: error: ").strip()


@torch.no_grad()
def logits_of(iris, package, rows: torch.Tensor, *options) -> torch.Tensor:
    text = "".join(json.dumps(row) + "\n" for row in rows.tolist())
    result = iris("predict", package, "-i", "-", "--input-format", "ndjson", "--logits", *options, input=text)
    assert result.returncode == 0, result.stderr
    return torch.tensor([json.loads(line)["logits"] for line in result.stdout.splitlines()])


@torch.no_grad()
def test_its_logits_are_pythons(repo, iris, package):
    flowers = read_flowers(repo / "data/iris.csv").features
    expected = load_iris_net(repo / "models/iris_net.pt")(flowers)
    torch.testing.assert_close(logits_of(iris, package, flowers), expected, rtol=1e-6, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 2, 7, 5000])
def test_another_models_logits_are_pythons_for_any_number_of_rows(iris, wine_package, count):
    rows = wine_rows(count)
    torch.testing.assert_close(logits_of(iris, wine_package, rows), wine_net()(rows), rtol=1e-6, atol=1e-6)


def test_the_answers_to_a_file_do_not_depend_on_the_number_of_workers(iris, wine_package, tmp_path):
    """Of a pipe the rows that came together are a batch, on whose size the last bits of compiled code may depend."""
    (tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in wine_rows(20_000).tolist()))

    def answers(workers: int) -> str:
        result = iris("predict", wine_package, "-i", tmp_path / "rows.ndjson", "--logits", "--workers", workers)
        assert result.returncode == 0, result.stderr
        return result.stdout

    one = answers(1)
    assert one.count("\n") >= 20_000
    for workers in (2, 5, 16):
        assert answers(workers) == one


def test_one_sample_is_answered_from_any_folder(iris, package, tmp_path):
    result = iris("predict", package, 5.1, 3.5, 1.4, 0.2, cwd=tmp_path)
    assert result.stdout.startswith("Prediction: setosa\n"), result.stderr
    assert iris("predict", package, 5.1, 3.5).returncode == 2


def test_it_can_come_from_a_pipe(binary, package):
    with open(package, "rb") as file:
        result = subprocess.run(
            [binary, "predict", "-", "5.1", "3.5", "1.4", "0.2"], stdin=file, capture_output=True, timeout=60
        )
    assert result.stdout.startswith(b"Prediction: setosa\n"), result.stderr


def test_evaluate_gives_what_it_gives_for_the_state_dict(repo, iris, package):
    given = [
        iris("evaluate", model, repo / "data/iris.csv", "--json") for model in (package, repo / "models/iris_net.pt")
    ]
    ours, expected = (json.loads(result.stdout) for result in given)
    assert ours["confusion_matrix"] == expected["confusion_matrix"]
    assert ours["loss"] == pytest.approx(expected["loss"], abs=1e-6)


@torch.no_grad()
def test_serve_serves_it(serve, wine_package):
    server = serve(model=wine_package)
    row = wine_rows(1)
    status, _, answer = server.ask(
        "/predict", json.dumps(dict(zip(WINE_FEATURES, row[0].tolist(), strict=True))).encode()
    )
    assert status == 200, answer
    (prediction,) = answer["predictions"]
    expected = wine_net()(row)[0]
    assert prediction["label"] == "abcde"[expected.argmax()]
    assert prediction["probabilities"]["a"] == pytest.approx(expected.softmax(0)[0].item(), abs=1e-6)


def test_inspect_shows_what_it_says_of_itself(iris, package):
    result = iris("inspect", package, "--json")
    shown = json.loads(result.stdout)
    assert (shown["kind"], shown["container"], shown["tensors"]) == ("aoti_package", "zip", [])
    entries = shown["entries"]
    assert (entries["name"], entries["device"], entries["model"]) == ("iris", "cpu", "model")
    assert entries["features"] == list(FEATURES) and entries["labels"] == list(LABELS)
    assert entries["torch_version"] == torch.__version__
    text = iris("inspect", package)
    assert text.stdout == "" and "aoti_package (zip)" in text.stderr and "  device: cpu\n" in text.stderr


def test_its_weights_are_not_converted(iris, package, tmp_path):
    result = iris("convert", package, tmp_path / "out.safetensors")
    assert "use the state_dict that it was made from" in message(result)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_in_the_temporary_folder(iris, package, tmp_path):
    for arguments in ((5.1, 3.5, 1.4, 0.2), ("5.1",), (5.1, 3.5, 1.4, 0.2, "--device", "cuda")):
        iris("predict", package, *arguments, env={"TMPDIR": str(tmp_path)})
        assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_cannot_be_used_is_told(iris, package, tmp_path):
    result = iris("predict", package, 1, 1, 1, 1, env={"TMPDIR": str(tmp_path / "none")})
    assert message(result) == (
        f"{package}: {tmp_path}/none: the package cannot be unpacked here: No such file or directory; "
        "set TMPDIR to a folder that has room"
    )
    result = iris("predict", package, 1, 1, 1, 1, env={"TMPDIR": "/proc"})
    assert "/proc: the package cannot be unpacked here: " in message(result)


def test_a_full_disk_is_told(binary, package, tmp_path):
    command = f"ulimit -f 100; exec {binary} predict {package} 1 1 1 1"  # of 512 or 1024 bytes
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert "the package cannot be unpacked here: File too large" in message(result)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("metadata", "fact"),
    [
        ({"torch_version": "2.12.1+cu130"}, "was compiled for PyTorch 2.12.1+cu130, and this is LibTorch "),
        ({"AOTI_MACHINE": "sparc64"}, "was compiled for sparc64, and this is "),
        ({"AOTI_PLATFORM": "win32"}, "was compiled for win32, and this is linux"),
        ({"AOTI_CPU_ISA": "AVX2 AVX1024"}, "was compiled for a processor with AVX1024, which this one lacks"),
    ],
)
def test_a_package_of_another_machine_or_version_is_told(iris, package, tmp_path, metadata, fact):
    other = with_metadata(package, tmp_path / "other.pt2", **metadata)
    assert message(iris("predict", other, 1, 1, 1, 1)).startswith(f"{other}: {fact}")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_package_for_cuda_is_told_on_a_machine_without(iris, package, tmp_path):
    other = with_metadata(package, tmp_path / "other.pt2", AOTI_DEVICE_KEY="cuda")
    for device in ("auto", "cpu"):
        assert message(iris("predict", other, 1, 1, 1, 1, "--device", device)) == (
            f"{other}: was compiled for CUDA, and there is none to run it on; export the model on the CPU"
        )


def test_code_that_links_against_another_libtorch_is_told(iris, package, tmp_path):
    def change(name, content):
        return name, content.replace(b"aoti_torch_get_sizes", b"aoti_torch_got_sizes") if name.endswith(
            ".so"
        ) else content

    other = changed(package, tmp_path / "other.pt2", change)
    text = message(iris("predict", other, 1, 1, 1, 1))
    assert text.startswith(
        f"{other}: LibTorch {torch.__version__.split('+')[0]} cannot load this AOTInductor package: "
    )
    assert "aoti_torch_got_sizes" in text and "\n" not in text


def test_a_program_that_is_not_compiled_is_told(iris, tmp_path):
    path = tmp_path / "exported.pt2"
    program = torch.export.export(wine_net(), (wine_rows(3),))
    torch.export.save(program, path)
    for verb in (("predict", path, 1, 1), ("inspect", path)):
        assert message(iris(*verb)).startswith(f"{path}: is a program of torch.export that is not compiled; compile it")


def test_sources_alone_are_not_compiled_here(iris, package, tmp_path):
    def change(name, content):
        return (name.replace(".so", ".cpp"), content)

    other = changed(package, tmp_path / "other.pt2", change)
    assert "holds the sources of a model, not its compiled code" in message(iris("predict", other, 1, 1, 1, 1))


def test_the_model_is_the_one_called_model_or_the_only_one(iris, package, tmp_path):
    def renamed(to):
        return lambda name, content: (name.replace("/model/", f"/{to}/"), content)

    only = changed(package, tmp_path / "only.pt2", renamed("flowers"))
    assert iris("predict", only, 5.1, 3.5, 1.4, 0.2).stdout.startswith("Prediction: setosa\n")
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(tmp_path / "two.pt2", "w") as target:
        for name in source.namelist():
            for to in ("one", "two") if "/model/" in name else ("model",):
                target.writestr(zipfile.ZipInfo(name.replace("/model/", f"/{to}/")), source.read(name))
    assert message(iris("predict", tmp_path / "two.pt2", 1, 1, 1, 1)) == (
        f"{tmp_path}/two.pt2: holds several models, none of them called model: one, two; package one of them"
    )


@pytest.mark.parametrize("place", ["../x.so", "model/../../../x.so", "model/deep/x.so", "..", "/x.so", "model/x\\y.so"])
def test_no_entry_leads_out_of_the_folder(iris, package, tmp_path, place):
    def change(name, content):
        return (re.sub("model/[^/]*.so$", lambda _: place, name), content)

    other = changed(package, tmp_path / "other.pt2", change)
    assert "is not where AOTInductor puts its files" in message(iris("predict", other, 1, 1, 1, 1))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"AOTI_MACHINE":"x86_64"}', b'{"AOTI_DEVICE_KEY":7}'])
def test_metadata_that_says_nothing_is_told(iris, package, tmp_path, content):
    def change(name, old):
        return name, content if name.endswith("wrapper_metadata.json") else old

    other = changed(package, tmp_path / "other.pt2", change)
    assert "wrapper_metadata.json: " in message(iris("inspect", other))


def test_a_package_cut_short_is_refused_at_every_length(iris, package, tmp_path):
    content = package.read_bytes()
    path = tmp_path / "cut.pt2"
    for length in [*range(0, 200, 37), *range(200, len(content), len(content) // 12), len(content) - 1]:
        path.write_bytes(content[:length])
        assert message(iris("predict", path, 1, 1, 1, 1)).startswith(f"{path}: ")


def test_a_flipped_bit_is_found_before_anything_is_run(iris, package, tmp_path):
    content = package.read_bytes()
    path = tmp_path / "flipped.pt2"
    start = content.index(b"\x7fELF")
    for place in (start, start + 5000, start + 200_000):
        path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        assert "its CRC is wrong; the file is damaged" in message(iris("predict", path, 1, 1, 1, 1))


def test_options_of_state_dicts_are_wrong_usage(iris, package):
    for option in (("--key", "model"), ("--hidden", "16")):
        result = iris("predict", package, 1, 1, 1, 1, *option)
        assert (
            result.returncode == 2
            and "is an AOTInductor package; a key or a width is for state_dicts only" in result.stderr
        )


def test_the_package_is_the_same_every_time_and_names_no_folder_of_the_model(repo, package, tmp_path):
    model = load_iris_net(repo / "models/iris_net.pt")
    export_model(model, example_flowers(), tmp_path / "2.pt2", "aoti", name="iris", features=FEATURES, labels=LABELS)
    assert (tmp_path / "2.pt2").read_bytes() == package.read_bytes()
    with zipfile.ZipFile(package) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".cpp", ".o"))]


def test_names_that_are_damaged_are_told_of(iris, package, tmp_path):
    other = changed(package, tmp_path / "p", lambda name, data: (name, b"[]" if name.endswith("iris.json") else data))
    assert message(iris("inspect", other)) == f"{other}: iris.json: is not a JSON object"


def test_no_compiler_is_told(repo, in_process, monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    result = in_process("export.py", repo / "models/iris_net.pt", "-o", "out.pt2", "--format", "aoti", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "export.py: error: format aoti: needs a C++ compiler, and no-such-compiler is not there: "
        "sudo apt-get install g++, or set CXX\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_export_that_is_interrupted_leaves_no_folder(repo, tmp_path, number):
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, repo / "python_export/export.py", repo / "models/iris_net.pt", "--format", "aoti"]
    command += ["-o", tmp_path / "iris.pt2"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "export.py: compiling for aoti: some seconds to a minute\n"
        deadline = time.monotonic() + 60
        while not (ours := list((tmp_path / "tmp").glob("iris-export-*"))) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ours
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (128 + number, "export.py: interrupted\n")
    assert not list((tmp_path / "tmp").glob("iris-export-*"))
    assert not (tmp_path / "iris.pt2").exists()
