"""The training of IrisNet: the split of the data, the epochs, early stopping. No files; see docs/training.md.

All random numbers come from torch's global generator, in this order: the weights of fc1, those of fc2, one
torch.randperm for each class (the test flowers), with `patience` one more for each class (the validation flowers), and
one for each epoch (the order of the flowers). src/train/trainer.cpp does the same.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from . import history
from .flowers import Flowers
from .iris_net import LABELS, IrisNet
from .model_file import InputError


class Diverged(Exception):
    """The loss, the weights or the optimizer's state are not finite any more; the text names the epoch and which."""


@dataclass(frozen=True)
class Score:
    """loss: the mean cross-entropy. accuracy: the share of flowers whose highest logit is their label's, 0 to 1."""

    loss: float
    accuracy: float


def split(flowers: Flowers, fraction: float) -> tuple[Flowers, Flowers]:
    """Returns (the rest, held out). Of each class a random `fraction` is held out: rounded, at least one, never all.

    Both parts keep the file's order. Raises InputError for a single class, or a class of one flower.
    """
    held_out = torch.zeros(len(flowers.labels), dtype=torch.bool)
    classes = flowers.labels.unique().tolist()
    if len(classes) < 2:
        raise InputError(f"{flowers.path}: only one class: {LABELS[classes[0]]}; training needs at least two")
    for index in classes:
        rows = (flowers.labels == index).nonzero().flatten()
        if len(rows) < 2:
            raise InputError(
                f"{flowers.path}: only one flower of {LABELS[index]}; a class needs two, one to train and one to test"
            )
        count = min(max(int(len(rows) * fraction + 0.5), 1), len(rows) - 1)
        held_out[rows[torch.randperm(len(rows))[:count]]] = True
    return flowers.where(~held_out), flowers.where(held_out)


@torch.no_grad()
def score(model: IrisNet, flowers: Flowers) -> Score:
    """Runs the model on all flowers in one pass. Leaves it in eval mode."""
    model.eval()
    logits = model(flowers.features)
    right = (logits.argmax(dim=1) == flowers.labels).sum().item()
    return Score(functional.cross_entropy(logits, flowers.labels).item(), right / len(flowers.labels))


def new_optimizer(config: dict, model: IrisNet) -> torch.optim.Optimizer:
    """The optimizer that config names. Fused: Python and C++ call the same kernels then, and get the same bits."""
    settings = {"lr": config["lr"], "weight_decay": config["weight_decay"], "fused": True}
    if config["optimizer"] == "sgd":
        return torch.optim.SGD(model.parameters(), momentum=config["momentum"], **settings)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config["optimizer"]](model.parameters(), **settings)


class Training:
    """The model, its optimizer and their progress. docs/training.md describes config and what state() returns."""

    def __init__(self, config: dict, flowers: Flowers, device: torch.device):
        """Draws the first weights and splits the flowers. Raises InputError where they are too few for that."""
        torch.manual_seed(config["seed"])
        self.config = config
        self.model = IrisNet(config["hidden"]).to(device)
        self.training, self.test = split(flowers, config["test_fraction"])
        self.validation = None
        if self.validates:
            for label, count in zip(LABELS, self.training.labels.bincount(minlength=len(LABELS)), strict=True):
                if count == 1:
                    raise InputError(
                        f"{flowers.path}: only one flower of {label} is left to train and to validate; "
                        "lower --test-fraction, or leave out --patience"
                    )
            self.training, self.validation = split(self.training, config["validation_fraction"])
            self.validation = self.validation.to(device)
        self.training, self.test = self.training.to(device), self.test.to(device)
        self.optimizer = new_optimizer(config, self.model)
        self.history: list[dict] = []
        self.batch = 0
        self._loss_sum = 0.0
        self._best: dict | None = None
        self._rng_state = torch.get_rng_state()

    @property
    def validates(self) -> bool:
        return self.config["patience"] is not None

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.history)

    @property
    def batches(self) -> int:
        """Batches in an epoch; the last one may be smaller."""
        return math.ceil(len(self.training.labels) / self.config["batch_size"])

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the lowest validation loss so far, the first of equals; None without validation."""
        return self._best and self._best["epoch"]

    @property
    def stopped_early(self) -> bool:
        return self._best is not None and self.epoch - self.best_epoch >= self.config["patience"]

    @property
    def done(self) -> bool:
        return self.epoch >= self.config["epochs"] or self.stopped_early

    def resume(self, state: dict) -> None:
        """Goes on from what state() returned. Raises InputError for more batches than an epoch has."""
        if state["batch"] >= self.batches:
            raise InputError(f"has {state['batch']} batches done, of an epoch of {self.batches}")
        self.model.load_state_dict(state["model_state_dict"])
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state["optimizer_state_dict"]["state"], "param_groups": groups})
        self.history = list(state["history"])
        self.batch = state["batch"]
        self._loss_sum = state["loss_sum"]
        self._best = state["best"]
        self._rng_state = state["rng_state"]
        torch.set_rng_state(self._rng_state)

    def state(self) -> dict:
        """Everything that the rest of the run depends on. The tensors share memory with the model and the optimizer."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "loss_sum": self._loss_sum,
            "model_state_dict": self.model.state_dict(),
            "optimizer_state_dict": self.optimizer.state_dict(),
            "rng_state": self._rng_state,
            "best": self._best,
            "config": self.config,
            "history": self.history,
        }

    def run_epoch(self, interrupted: Callable[[], bool]) -> bool:
        """Trains to the end of the epoch and returns True.

        Returns False at the end of a batch, before the last, after which interrupted() is true. Raises Diverged.
        """
        self.model.train()
        batches = torch.randperm(len(self.training.labels)).split(self.config["batch_size"])
        for rows in batches[self.batch :]:
            self.optimizer.zero_grad()
            loss = functional.cross_entropy(self.model(self.training.features[rows]), self.training.labels[rows])
            loss.backward()
            self.optimizer.step()
            self._loss_sum += self._finite(loss.item()) * len(rows)
            self.batch += 1
            if interrupted() and self.batch < len(batches):
                self._require_finite_state()
                return False
        self._end_epoch()
        return True

    def take_best(self) -> None:
        """Gives the model the weights of the best epoch; does nothing without validation."""
        if self._best is not None:
            self.model.load_state_dict(self._best["model_state_dict"])

    def _end_epoch(self) -> None:
        test = score(self.model, self.test)
        entry = {
            "epoch": self.epoch + 1,
            "loss": self._finite(self._loss_sum / len(self.training.labels)),
            "accuracy": score(self.model, self.training).accuracy,
            "test_loss": self._finite(test.loss),
            "test_accuracy": test.accuracy,
        }
        if self.validates:
            validation = score(self.model, self.validation)
            entry["validation_loss"] = self._finite(validation.loss)
            entry["validation_accuracy"] = validation.accuracy
        self._require_finite_state()
        self.history.append(entry)
        if self.validates and history.best_epoch([self.history[(self.best_epoch or 1) - 1], entry]) == self.epoch:
            self._best = {"epoch": self.epoch, "model_state_dict": copy.deepcopy(self.model.state_dict())}
        self.batch = 0
        self._loss_sum = 0.0
        self._rng_state = torch.get_rng_state()

    def _require_finite_state(self) -> None:
        of_optimizer = [each for state in self.optimizer.state.values() for each in state.values()]
        for tensors, what in (
            (self.model.state_dict().values(), "weights are"),
            (of_optimizer, "optimizer's state is"),
        ):
            if not all(tensor.isfinite().all() for tensor in tensors):
                raise Diverged(f"training diverged at epoch {self.epoch + 1}: the {what} not finite")

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            raise Diverged(f"training diverged at epoch {self.epoch + 1}: the loss is {loss:g}")
        return loss
