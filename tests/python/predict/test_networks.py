"""Random networks: the answers are Python's. Twenty networks, fifty rows each."""

import csv
import io

import pytest
import torch

from iris_export.iris_net import IrisNet

ROWS = 50


@pytest.mark.parametrize("seed", range(20))
def test_a_random_network_gives_python_s_logits(iris, tmp_path, seed):
    generator = torch.Generator().manual_seed(seed)
    hidden = int(torch.randint(1, 65, (), generator=generator))
    scale = 10.0 ** float(torch.randint(-2, 3, (), generator=generator))
    net = IrisNet(hidden).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    features = 10 * torch.randn(ROWS, 4, generator=generator)
    lines = (",".join(f"{value:.9g}" for value in row) for row in features.tolist())
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")

    result = iris("predict", tmp_path / "net.pt", "-i", tmp_path / "rows.csv", "--hidden", hidden, "--logits")
    assert (result.returncode, result.stderr) == (0, "")
    rows = list(csv.reader(io.StringIO(result.stdout)))[1:]
    with torch.no_grad():
        expected = net(features)
    logits = torch.tensor([[float(cell) for cell in row[2:]] for row in rows])
    largest = float(expected.abs().max())
    assert torch.allclose(logits, expected, rtol=1e-6, atol=1e-6 * max(1.0, largest))
    names = ["setosa", "versicolor", "virginica"]
    assert [row[0] for row in rows] == [names[index] for index in logits.argmax(1)]
    confidence = torch.tensor([float(row[1]) for row in rows])
    assert torch.allclose(confidence, logits.softmax(1).max(1).values, rtol=0, atol=1e-6)
