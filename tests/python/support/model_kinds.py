"""Modules of many kinds, as people save them with torch.jit: each takes float32 [rows, 4]."""

import enum

import torch
from torch import Tensor, nn


def layers(classes: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, classes))


class Wrapped(nn.Module):
    """What the kinds below add to a small network."""

    def __init__(self, classes: int = 3):
        super().__init__()
        self.net = layers(classes)


class Remembers(Wrapped):
    def __init__(self):
        super().__init__()
        self.last = torch.zeros(1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.net(x)
        self.last = torch.softmax(y, 1)
        return y


class InSteps(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3))
        self.x = torch.zeros(1)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        self.x = self.x - 1
        self.x = self.x * 0.5
        return self.x @ self.w


class Counts(Wrapped):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(1, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        self.seen += x.size(0)
        return self.net(x)


class KeepsAState(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(4, 3)
        self.state = torch.zeros(1, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.state = self.cell(x, self.state.expand(x.size(0), 3))[-1:]
        return self.state.expand(x.size(0), 3)


class ListOfRows(Wrapped):
    def __init__(self):
        super().__init__()
        self.lines: list[int] = [0]

    def forward(self, x: Tensor) -> Tensor:
        self.lines.append(x.size(0))
        return self.net(x)


class WritesIntoItsInput(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x += 1
        return x[:, :3] * torch.tensor([1.0, -1.0, 0.5])


class Centers(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(0))[:, :3]


class BatchNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Sparse(Wrapped):
    def __init__(self):
        super().__init__()
        self.register_buffer("s", torch.eye(3).to_sparse())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Sign(enum.Enum):
    PLUS = 1
    MINUS = 2


class WithEnum(Wrapped):
    sign: Sign

    def __init__(self):
        super().__init__()
        self.sign = Sign.MINUS

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) if self.sign == Sign.PLUS else -self.net(x)


class TwoInputs(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


class GivesATuple(Wrapped):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.net(x), x


class GivesADict(Wrapped):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"logits": self.net(x)}


class GivesClasses(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).argmax(1)


class TakesImages(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).mean((2, 3))


class RefusesSomeRows(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        if bool((x[:, 0] > 7).any()):
            raise ValueError("too long")
        return self.net(x)


class GivesNanOnSomeRows(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x[:, :1] > 7, float("nan"), self.net(x))


class Prints(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        print("rows:", x.size(0))
        return self.net(x)


class IsRandom(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) + 10 * torch.randn(x.size(0), 3)


class NeedsAnotherDevice(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) + torch.zeros(3, device="cuda:0")


class TakesOneRow(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        assert x.size(0) == 1, "one row at a time"
        return self.net(x)


class TakesEightRows(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        assert x.size(0) == 8, "eight rows at a time"
        return self.net(x)


class LogFeatures(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        return self.net(torch.log(x))


class Squeezes(Wrapped):
    def __init__(self):
        super().__init__(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).squeeze(1)


class HasNoForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Linear(4, 3)

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return self.w(x)


def static_int8() -> torch.jit.ScriptModule:
    class Quantized(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.net, self.dequant = (
                torch.ao.quantization.QuantStub(),
                layers(),
                torch.ao.quantization.DeQuantStub(),
            )

        def forward(self, x: Tensor) -> Tensor:
            return self.dequant(self.net(self.quant(x)))

    model = Quantized().eval()
    model.qconfig = torch.ao.quantization.get_default_qconfig("x86")
    prepared = torch.ao.quantization.prepare(model)
    prepared(8 * torch.rand(64, 4))
    return torch.jit.trace(torch.ao.quantization.convert(prepared), torch.ones(2, 4))


def dynamic_int8() -> torch.jit.ScriptModule:
    return torch.jit.script(torch.ao.quantization.quantize_dynamic(layers().eval(), {nn.Linear}))


scripted = torch.jit.script


def frozen() -> torch.jit.ScriptModule:
    return torch.jit.freeze(scripted(layers().eval()))


def traced() -> torch.jit.ScriptModule:
    return torch.jit.trace(layers().eval(), torch.ones(2, 4))
