"""The verbs on a GPU, as a user runs them. script/test --cuda runs these."""

import json
import subprocess

import pytest
import torch

from iris_export.iris_net import IrisNet

SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
WORKERS = ["1", "2", "8", "40"]


@pytest.fixture(scope="module", autouse=True)
def needs_a_gpu(iris, repo):
    result = iris("predict", repo / "models/iris_net.pt", *SAMPLE, "--device", "cuda")
    if result.returncode != 0:
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_text("".join(f"{i % 83 / 10},{i % 47 / 10},{i % 71 / 10},{i % 29 / 10}\n" for i in range(300_000)))
    return path


def logits_of(iris, model, *options):
    result = iris("predict", model, *options, "--logits", "--output-format", "ndjson")
    assert (result.returncode, result.stderr) == (0, "")
    return torch.tensor([json.loads(line)["logits"] for line in result.stdout.splitlines()])


def assert_same_answers(iris, repo, model, tolerance=1e-5):
    cpu = logits_of(iris, model, "-i", repo / "data/iris.csv", "--device", "cpu")
    cuda = logits_of(iris, model, "-i", repo / "data/iris.csv", "--device", "cuda")
    torch.testing.assert_close(cuda, cpu, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("model", ["models/iris_net.pt", "models/iris_net.ts.pt", "tests/fixtures/scripted.pt"])
def test_the_cpus_answers(iris, repo, model):
    assert_same_answers(iris, repo, repo / model)


def test_one_sample(iris, repo):
    model = repo / "models/iris_net.pt"
    answers = [json.loads(iris("predict", model, *SAMPLE, "--json", "--device", on).stdout) for on in ("cpu", "cuda")]
    assert answers[0]["label"] == answers[1]["label"]
    assert answers[1]["logits"] == pytest.approx(answers[0]["logits"], rel=1e-5)


def test_auto_is_the_gpu(iris, repo, rows):
    command = ["predict", repo / "models/iris_net.pt", "-i", rows, "--logits", "--device"]
    assert iris(*command, "auto").stdout == iris(*command, "cuda").stdout


@pytest.mark.parametrize("model", ["models/iris_net.pt", "models/iris_net.ts.pt"])
def test_the_same_bytes_for_any_number_of_workers(iris, repo, rows, model):
    options = ["-i", rows, "--logits", "--device", "cuda"]
    outputs = {iris("predict", repo / model, *options, "--workers", count).stdout for count in WORKERS}
    assert [len(output.splitlines()) for output in outputs] == [300_001]


def test_a_state_dict_that_python_saved_on_the_gpu(iris, repo, tmp_path, monkeypatch):
    torch.manual_seed(0)
    net = IrisNet()
    if torch.cuda.is_available():
        net.to("cuda:0")
    else:  # iris is built with another torch than this one
        monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
    torch.save(net.state_dict(), tmp_path / "model.pt")
    assert b"cuda:0" in (tmp_path / "model.pt").read_bytes()
    assert_same_answers(iris, repo, tmp_path / "model.pt")


def test_evaluate(iris, repo):
    model, data = repo / "models/iris_net.pt", repo / "data/iris.csv"
    cpu, cuda = (json.loads(iris("evaluate", model, data, "--json", "--device", on).stdout) for on in ("cpu", "cuda"))
    assert cuda["confusion_matrix"] == cpu["confusion_matrix"]
    assert cuda["loss"] == pytest.approx(cpu["loss"], rel=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_what_was_trained_there_answers_the_same_on_both(iris, repo, tmp_path, optimizer):
    command = ["train", repo / "data/iris.csv", "--device", "cuda", "--optimizer", optimizer, "--epochs", "60", "-q"]
    result = iris(*command, "-o", tmp_path / "model.pt", "--json", "--patience", "30")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["test_accuracy"] > 0.8
    assert torch.load(tmp_path / "model.pt", weights_only=True)["fc1.weight"].device.type == "cpu"
    assert_same_answers(iris, repo, tmp_path / "model.pt")


def test_a_run_goes_on_from_a_checkpoint_there_and_on_the_cpu(iris, repo, tmp_path):
    def train(epochs, device):
        options = ["--epochs", epochs, "--checkpoint-dir", tmp_path / "run", "--resume", tmp_path / "run", "-q"]
        return iris("train", repo / "data/iris.csv", "-o", tmp_path / "model.pt", *options, "--device", device)

    for epochs, device in (("10", "cuda"), ("20", "cuda"), ("30", "cpu"), ("40", "cuda")):
        result = train(epochs, device)
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "run/epoch-000040.pt").exists()


def test_serve(iris, repo, serve):
    server = serve("--device", "cuda")
    expected = json.loads(iris("predict", repo / "models/iris_net.pt", *SAMPLE, "--json", "--device", "cpu").stdout)
    for count in (1, 3, 64, 1000):
        answers = server.ask("/predict", json.dumps([[5.1, 3.5, 1.4, 0.2]] * count).encode())[2]["predictions"]
        assert len(answers) == count
        assert all(each["confidence"] == pytest.approx(expected["confidence"], rel=1e-5) for each in answers)


class Looks(torch.nn.Module):
    """Looks its answer up in a table of 10 rows: an index past them is a kernel's assertion."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.eye(10, 3))

    def forward(self, rows):
        return self.table[rows[:, 0].long()]


def test_serve_turns_unready_after_a_kernels_assertion(serve, tmp_path):
    names = json.dumps({"features": ["a", "b", "c", "d"], "labels": ["x", "y", "z"]})
    torch.jit.save(torch.jit.script(Looks()), tmp_path / "looks.ts.pt", _extra_files={"iris.json": names})
    server = serve("--device", "cuda", model=tmp_path / "looks.ts.pt")
    assert server.ask("/predict", b"[[1,2,3,4]]")[0] == 200
    assert server.ask("/predict", b"[[99,2,3,4]]")[0] == 500
    assert [server.ask(f"/v2/health/{state}")[0] for state in ("live", "ready")] == [503, 503]


class Large(torch.nn.Module):
    """Allocates `bytes_each` bytes for each row."""

    def __init__(self, bytes_each: int):
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(4, 3)
        self.bytes_each = bytes_each

    def forward(self, rows):
        scratch = torch.empty([rows.size(0), self.bytes_each], dtype=torch.uint8, device=rows.device)
        assert scratch.size(0) == rows.size(0)
        return self.linear(rows)


@pytest.fixture
def memory():
    """Free bytes of the GPU."""
    query = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits", "--id=0"]
    return int(subprocess.run(query, capture_output=True, text=True, check=True).stdout) << 20


@pytest.mark.parametrize(("share", "status"), [(1.5, 0), (4, 1)])
def test_memory_that_runs_out(iris, tmp_path, memory, share, status):
    """There is not enough for all rows at once; in the first case there is for half of them."""
    model = tmp_path / "large.ts.pt"
    torch.jit.save(torch.jit.script(Large(int(share * memory) // 1000)), model)
    (tmp_path / "rows.csv").write_text("".join(f"{i % 17},{i % 13},{i % 7},{i % 5}\n" for i in range(1000)))
    options = ["-i", tmp_path / "rows.csv", "--workers", "1", "--device", "cuda"]
    result = iris("predict", model, *options)
    assert result.returncode == status, result.stderr
    if status == 0:
        assert result.stdout == iris("predict", model, *options, "--batch-size", "500").stdout
    else:
        assert result.stderr == (
            f"iris: error: {model}: out of memory on cuda:0 with 500 rows at once; pass fewer (--batch-size)\n"
        )
        assert iris("predict", model, *options, "--batch-size", "100").returncode == 0
