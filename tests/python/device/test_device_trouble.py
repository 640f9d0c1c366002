"""Devices that run out of memory or fail for good. TorchScript modules raise CUDA's errors in their place."""

import json
import subprocess

import pytest
import torch

LOST = "CUDA error: device-side assert triggered"
NAMES = {"features": ["a", "b", "c", "d"], "labels": ["x", "y", "z"]}


class NoMemory(torch.nn.Module):
    """Runs out of memory above `most_rows` rows at once, and for any feature above 50."""

    def __init__(self, most_rows: int):
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(4, 3)
        self.most_rows = most_rows

    def forward(self, rows):
        if rows.size(0) > self.most_rows or bool((rows > 50).any()):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB")
        return self.linear(rows)


class Lost(torch.nn.Module):
    """Fails from the first feature above 50 on, like a device after a kernel's assertion."""

    def __init__(self):
        super().__init__()
        self.is_lost = False
        self.linear = torch.nn.Linear(4, 3)

    def forward(self, rows):
        if bool((rows > 50).any()):
            self.is_lost = True
        if self.is_lost:
            raise RuntimeError("CUDA error: device-side assert triggered")
        return self.linear(rows)


@pytest.fixture
def save(tmp_path):
    """save(net, names={…}): writes a TorchScript file and returns its path."""

    def call(net, names=None):
        path = tmp_path / f"{len(list(tmp_path.glob('*.ts.pt')))}.ts.pt"
        torch.jit.save(torch.jit.script(net), path, _extra_files={"iris.json": json.dumps(names)} if names else {})
        return path

    return call


@pytest.fixture
def rows(tmp_path):
    """A file of 4000 rows."""
    path = tmp_path / "rows.csv"
    path.write_text("".join(f"{i % 17},{i % 13 / 10},{i % 7 / 4},{i % 5}\n" for i in range(4000)))
    return path


def test_half_a_batch_gives_the_same_bytes(iris, save, rows):
    options = ["-i", rows, "--logits", "--probabilities"]
    expected = iris("predict", save(NoMemory(4000)), *options).stdout
    result = iris("predict", save(NoMemory(2000)), *options)
    assert (result.returncode, result.stderr, result.stdout) == (0, "", expected)
    assert len(expected.splitlines()) == 4001


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_less_memory_than_for_half_a_batch_names_the_option(iris, save, rows, on_error):
    model = save(NoMemory(1999))
    result = iris("predict", model, "-i", rows, "--on-error", on_error)
    assert result.returncode == 1
    fact = "out of memory on cpu with 2000 rows at once; pass fewer (--batch-size)"
    assert result.stderr == f"iris: error: {model}: {fact}\n"
    assert iris("predict", model, "-i", rows, "--batch-size", "1999").returncode == 0


def test_evaluate_halves_too_and_names_the_option(iris, save, rows, tmp_path):
    data = tmp_path / "labelled.csv"
    lines = rows.read_text().splitlines()
    data.write_text("a,b,c,d,species\n" + "".join(f"{line},{'xyz'[i % 3]}\n" for i, line in enumerate(lines)))
    expected = iris("evaluate", save(NoMemory(4000), NAMES), data, "--json")
    assert expected.returncode == 0, expected.stderr
    assert iris("evaluate", save(NoMemory(2000), NAMES), data, "--json").stdout == expected.stdout
    result = iris("evaluate", save(NoMemory(1999), NAMES), data, "--json")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith("out of memory on cpu with 2000 rows at once; pass fewer (--batch-size)\n")


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_rows_are_not_blamed_for_a_lost_device(iris, save, tmp_path, on_error):
    model = save(Lost())
    (tmp_path / "rows.csv").write_text("1,2,3,4\n" * 20 + "99,2,3,4\n" + "1,2,3,4\n" * 20)
    result = iris("predict", model, "-i", tmp_path / "rows.csv", "--on-error", on_error)
    assert result.returncode == 1
    assert result.stderr == f"iris: error: {model}: cpu failed, and answers nothing more: {LOST}; start again\n"


@pytest.mark.parametrize("names", [NAMES, None])
def test_serve_turns_unready_after_an_error_that_does_not_heal(serve, save, names):
    server = serve(model=save(Lost(), names))
    assert server.ask("/predict", b"[[1,2,3,4]]")[0] == 200
    assert server.ask("/v2/health/live")[0] == 200
    assert server.ask("/predict", b"[[99,2,3,4]]")[0] == 500
    assert [server.ask(f"/v2/health/{state}")[0] for state in ("live", "ready")] == [503, 503]
    assert server.ask("/predict", b"[[1,2,3,4]]")[0] == 503
    assert LOST in server.wait_for_log("live and ready are 503")


@pytest.mark.parametrize("names", [NAMES, None])
def test_serve_stays_ready_without_memory_for_one_request(serve, save, names):
    server = serve(model=save(NoMemory(64), names))
    status, _, answer = server.ask("/predict", b"[[99,2,3,4]]")
    assert (status, "use another device (--device)" in str(answer)) == (503, True), answer
    assert server.ask("/v2/health/ready")[0] == 200
    assert server.ask("/predict", b"[[1,2,3,4]]")[0] == 200


def test_train_without_memory_names_the_options(binary, repo, tmp_path):
    """A step's hidden layer takes 335 GB; the address space is limited to 64 GB."""
    header, *lines = (repo / "data/iris.csv").read_text().splitlines(keepends=True)
    (tmp_path / "many.csv").write_text(header + "".join(lines) * 667)
    command = (
        f"ulimit -v $((64 << 20)); exec {binary} train {tmp_path}/many.csv -o {tmp_path}/model.pt --hidden 1048576 "
        "--batch-size 100000 --device cpu -q"
    )
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "iris: error: out of memory on cpu in epoch 1; lower --batch-size or --hidden\n"
    assert not (tmp_path / "model.pt").exists()
