"""Model files that another program cuts or rewrites while they are read: one message, never a signal."""

import json
import os
import signal
import struct
import time

import pytest
import torch

SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
CUT = "was cut short while it was read; try again once it is whole"
CHANGED = "is written to while it is read; try again once it is whole"
MIB = 1 << 20


def cut(path):
    os.truncate(path, 4096)


def rewrite(path):
    with open(path, "r+b") as file:
        file.seek(MIB)
        file.write(b"others")


@pytest.mark.parametrize("change, fact", [(cut, CUT), (rewrite, CHANGED)], ids=["cut", "rewritten"])
@pytest.mark.parametrize("kind", ["pt", "legacy", "safetensors"])
def test_a_file_that_changes_while_it_is_converted_is_one_message(start, tmp_path, kind, change, fact):
    path = tmp_path / "model.pt"
    weights = {f"w{i}": torch.ones(MIB) for i in range(8)}
    if kind == "safetensors":
        import safetensors.torch

        safetensors.torch.save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=kind == "pt")
    process = start("convert", path, "-")  # stops where the pipe is full
    process.stdout.read(1)
    time.sleep(0.05)
    change(path)
    while process.stdout.read(MIB):
        pass
    assert (process.stderr.read().decode(), process.wait()) == (f"iris: error: {path}: {fact}\n", 1)


def test_a_file_that_is_cut_leaves_no_output(start, tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"w": torch.ones(64 * MIB)}, path)
    process = start("convert", path, tmp_path / "out.pt")
    while process.poll() is None and not any(each.name.startswith(".out") for each in tmp_path.iterdir()):
        time.sleep(0.001)
    cut(path)
    stderr = process.stderr.read().decode()
    if process.wait() == 1:  # else it was faster
        assert stderr == f"iris: error: {path}: {CUT}\n"
        assert [each.name for each in tmp_path.iterdir()] == ["model.pt"]
    assert process.returncode in (0, 1)


def has_mapped(process, path) -> bool:
    try:
        with open(f"/proc/{process.pid}/maps") as maps:
            return str(path) in maps.read()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("verb", ["inspect", "predict", "evaluate"])
@pytest.mark.parametrize("change", [cut, rewrite], ids=["cut", "rewritten"])
def test_a_verb_never_dies_of_a_file_that_changes_while_it_is_mapped(start, repo, tmp_path, verb, change):
    path = tmp_path / "model.pt"
    model = torch.load(repo / "models/iris_net.pt", weights_only=True)
    model["large"] = torch.ones(32 * MIB)  # its checksum is compared, which takes a while
    torch.save({"state_dict": model}, path)
    rest = {"inspect": [], "predict": SAMPLE, "evaluate": [repo / "data/iris.csv"]}[verb]
    process = start(verb, path, *rest)
    while process.poll() is None and not has_mapped(process, path):
        pass
    process.send_signal(signal.SIGSTOP)
    change(path)
    process.send_signal(signal.SIGCONT)
    stderr = process.stderr.read().decode()
    assert process.wait() in (0, 1)
    if verb != "inspect":  # which may have been faster
        assert stderr == f"iris: error: {path}: {CUT if change is cut else CHANGED}\n"


def test_a_module_that_is_cut_while_it_is_mapped_is_one_message(start, tmp_path):
    path = tmp_path / "model.ts.pt"
    module = torch.nn.Sequential(torch.nn.Linear(4, 1 << 20), torch.nn.Linear(1 << 20, 3))
    torch.jit.script(module).save(path)
    process = start("predict", path, *SAMPLE)
    while process.poll() is None and not has_mapped(process, path):
        pass
    process.send_signal(signal.SIGSTOP)
    cut(path)
    process.send_signal(signal.SIGCONT)
    assert (process.stderr.read().decode(), process.wait()) == (f"iris: error: {path}: {CUT}\n", 1)


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(start, tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"w": torch.ones(8 * MIB)}, path)
    process = start("convert", path, "-")
    process.stdout.read(1)
    torch.save({}, tmp_path / "new.pt")
    os.replace(tmp_path / "new.pt", path)
    while process.stdout.read(MIB):
        pass
    assert (process.stderr.read(), process.wait()) == (b"", 0)


def test_a_file_larger_than_memory_is_inspected(iris, tmp_path):
    count = 15 << 30
    tensors = {"w": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}
    header = json.dumps(tensors).encode()
    with open(tmp_path / "large.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 4 * count)  # 60 GB, none of them on the disk
    answer = iris("inspect", "large.safetensors", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, f"w ({count},)\n")
