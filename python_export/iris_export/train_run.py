"""One run of train.py: files in, epochs, checkpoints, files out."""

import argparse
import json
import os
import sys
import zlib
from contextlib import closing, nullcontext
from pathlib import Path

import torch

from . import checkpoint, history
from .checkpoint_folder import CheckpointFolder, checkpoints_in
from .flowers import Flowers, read_flowers
from .interrupts import Interrupts
from .iris_net import FEATURES, LABELS
from .model_file import InputError, Interrupted, check_output, write_atomically
from .train_progress import Progress
from .train_settings import resumed_settings, settings_of
from .training import Diverged, Training, score

PROGRAM = "train.py"


def run(options: argparse.Namespace, interrupts: Interrupts) -> None:
    """Raises InputError and Interrupted; for wrong usage argparse.ArgumentError, before anything is trained."""
    check_options(options)
    device = resolve_device(options.device)
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.allow_tf32
    for path in filter(None, (options.output, options.history)):
        check_output(path)
    target = checkpoint_dir(options)
    folder = CheckpointFolder(target) if target else None
    with closing(folder) if folder else nullcontext():
        if folder and folder.path.exists():
            folder.open()
        source, state = find_checkpoint(options)
        settings = resumed_settings(options, state["config"], source) if state else settings_of(options)
        if folder:
            refuse_to_mix(folder.path, source)
        flowers = read_flowers(
            options.data, settings["label_column"], options.features or FEATURES, options.labels or LABELS
        )
        for note in flowers.notes:
            print(f"train.py: {note}", file=sys.stderr)
        training = begin(settings, flowers, device, options.threads)
        if state:
            resume(training, state, source, options)
        if folder:
            folder.open()
            if source and source.resolve().parent == folder.path.resolve():
                folder.prune((state["epoch"], state["batch"]), options.keep)  # which a kill may have prevented
        train(training, folder, source, options, interrupts)
    tell(training, options)


def check_options(options: argparse.Namespace) -> None:
    """Raises argparse.ArgumentError for options that do not go together, whatever is in the files."""
    writes = [("-o", options.output), ("--history", options.history)]
    reads = [("data", options.data), *([("checkpoint", options.resume)] if options.resume else [])]
    for option, path in writes:
        if path is None:
            continue
        for what, other in reads:
            if is_same(path, other):
                raise argparse.ArgumentError(None, f"{option} {path} would replace the {what}; write to another file")
        reads.append(("model", path))
    for option in ("checkpoint_every", "keep"):
        if getattr(options, option) is not None and checkpoint_dir(options) is None:
            name = "--" + option.replace("_", "-")
            raise argparse.ArgumentError(None, f"argument {name}: needs --checkpoint-dir, or --resume with a folder")
    if options.resume is None:
        settings_of(options)


def resolve_device(name: str) -> torch.device:
    """auto is CUDA where a GPU is there. Raises InputError for a device that is not there."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if torch.version.cuda is None:
        raise InputError(f"--device {name}: this torch is a CPU build; install a CUDA one, or use --device cpu")
    count = torch.cuda.device_count()
    if count == 0:
        raise InputError(
            f"--device {name}: CUDA finds no device: no NVIDIA driver, one too old for this torch, or no GPU "
            "(nvidia-smi tells); use --device cpu"
        )
    device = torch.device("cuda" if name == "auto" else name)
    if (device.index or 0) >= count:
        raise InputError(f"--device {name}: there is no such device; there are cuda:0 to cuda:{count - 1}")
    return device


def checkpoint_dir(options: argparse.Namespace) -> Path | None:
    """The folder for checkpoints: --checkpoint-dir, else the folder that is resumed, else None."""
    if options.checkpoint_dir is None and options.resume is not None and options.resume.is_dir():
        return options.resume
    return options.checkpoint_dir


def find_checkpoint(options: argparse.Namespace) -> tuple[Path, dict] | tuple[None, None]:
    """The checkpoint that --resume asks for, with its path; None where the run starts anew. Raises InputError."""
    path, target = options.resume, checkpoint_dir(options)
    if path is None:
        return None, None
    if path.is_dir():
        found = checkpoints_in(path)
    elif not path.exists() and target is not None and is_same(path, target):
        found = {}
    else:
        return path, checkpoint.read_checkpoint(path)
    for position, each in reversed(found.items()):
        try:
            state = checkpoint.read_checkpoint(each)
            if position != (state["epoch"], state["batch"]):
                raise InputError(f"{each}: holds {state['epoch']} epochs and {state['batch']} batches, unlike its name")
            return each, state
        except InputError as error:
            note(f"passed over {error}")
    if found:
        way_out = "start anew without --resume, in another folder"
        raise InputError(f"{path}: none of its {len(found)} checkpoints is whole; {way_out}")
    note(f"no checkpoint in {path} yet; starting from the beginning")
    return None, None


def refuse_to_mix(folder: Path, source: Path | None) -> None:
    """Raises InputError where the folder holds checkpoints of a run that is not resumed."""
    if source is not None and is_same(source.parent, folder):
        return
    found = list(checkpoints_in(folder).values()) if folder.exists() else []
    if found:
        raise InputError(
            f"{folder}: holds checkpoints already ({found[-1].name}); "
            f"go on with --resume {folder}, or give another folder"
        )


def begin(settings: dict, flowers: Flowers, device: torch.device, threads: int) -> Training:
    if device.type == "cpu":
        torch.set_num_threads(threads)  # the order of sums, and with it the last bits, depends on it
    version = torch.__version__.split("+")[0]
    return Training({**settings, "data_crc32": crc32(flowers), "torch": version}, flowers, device)


def crc32(flowers: Flowers) -> int:
    """CRC-32 of the features as little-endian float32, row by row, then of the labels as int64."""
    features, labels = flowers.features.numpy().astype("<f4"), flowers.labels.numpy().astype("<i8")
    return zlib.crc32(labels.tobytes(), zlib.crc32(features.tobytes()))


def resume(training: Training, state: dict, source: Path, options: argparse.Namespace) -> None:
    """Raises InputError where the checkpoint is of other data, or further than --epochs."""
    written, now = state["config"], training.config
    if written["data_crc32"] != now["data_crc32"]:
        raise InputError(f"{options.data}: is not the data that {source} was trained on")
    if now["epochs"] < state["epoch"]:
        raise InputError(f"--epochs {now['epochs']}: {source} has {state['epoch']} epochs done")
    if now["epochs"] == state["epoch"] and state["batch"] > 0:
        raise InputError(f"--epochs {now['epochs']}: {source} has begun epoch {state['epoch'] + 1}")
    if written["torch"] != now["torch"]:
        note(f"{source} was written with torch {written['torch']}, this is {now['torch']}: the last bits may differ")
    try:
        training.resume(state)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def train(
    training: Training,
    folder: CheckpointFolder | None,
    source: Path | None,
    options: argparse.Namespace,
    interrupts: Interrupts,
) -> None:
    """Trains to the end, with checkpoints on the way, then writes the history and the model.

    Raises InputError where the training diverges or a file cannot be written, and Interrupted.
    """
    last_good = source if folder and source and is_same(source.parent, folder.path) else None
    every, keep = options.checkpoint_every or 10, options.keep
    interrupts.hold()
    with Progress(training.config["epochs"], options.log_every, options.quiet) as progress:
        ending = interrupts.requested()
        while not training.done and not ending:
            try:
                whole = training.run_epoch(interrupts.requested)
            except Diverged as error:
                write_history(training, options)
                text = f"{error}; try a --lr below {training.config['lr']:g}"
                raise InputError(f"{text}; the last good checkpoint is {last_good}" if last_good else text) from error
            ending = interrupts.requested()
            if whole:
                progress.show(training.history[-1], is_last=training.done)
            if folder and ((whole and (training.epoch % every == 0 or training.done)) or ending):
                last_good = write_checkpoint(training, folder, keep, last_good)
    write_history(training, options)
    if interrupts.requested():
        epoch = min(training.epoch + 1, training.config["epochs"])
        way_on = f"go on with --resume {folder.path}" if folder else "nothing is saved: there is no --checkpoint-dir"
        raise Interrupted(f"interrupted in epoch {epoch}; {way_on}", interrupts.status)
    if training.stopped_early and training.epoch < training.config["epochs"]:
        note(f"stopped early: the validation loss was lowest at epoch {training.best_epoch}")
    training.take_best()
    write_atomically(options.output, checkpoint.to_bytes(training.model.state_dict()))


def write_checkpoint(training: Training, folder: CheckpointFolder, keep: int | None, last_good: Path | None) -> Path:
    try:
        return folder.write(training.state(), keep)
    except InputError as error:
        raise InputError(f"{error}; the last good checkpoint is {last_good}" if last_good else str(error)) from error


def write_history(training: Training, options: argparse.Namespace) -> None:
    if options.history is not None:
        write_atomically(options.history, history.to_csv(training.history, training.validates))


def tell(training: Training, options: argparse.Namespace) -> None:
    """Prints how good the written model is."""
    test = score(training.model, training.test)
    if not options.json:
        print(f"Test accuracy: {test.accuracy:.1%}")
        return
    trained = score(training.model, training.training)
    best = {"best_epoch": training.best_epoch} if training.validates else {}
    result = {
        "model": os.fsencode(options.output).decode(errors="replace"),
        "epochs": training.epoch,
        **best,
        "loss": trained.loss,
        "accuracy": trained.accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "rows": len(training.training.labels),
        "test_rows": len(training.test.labels),
    }
    print(json.dumps(result, ensure_ascii=False, separators=(",", ":")))


def is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def note(text: str) -> None:
    print(f"{PROGRAM}: {text}", file=sys.stderr)
