"""Texts in pickles: all that Python can pickle comes back."""

import collections
import json

import pytest
import safetensors.torch
import torch

TEXTS = ["a\ud800", "\udcff", "\ud83d\ude00", "😀", "é\ud800\udfffé", "\u0800\ud7ff\ue000"]


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le", errors="surrogatepass")


@pytest.mark.parametrize("protocol", range(6))
def test_lone_surrogates_come_back(iris, tmp_path, protocol):
    value = {"w": torch.ones(1), "texts": TEXTS, "names": dict.fromkeys(TEXTS, 1)}
    torch.save(value, tmp_path / "in.pt", pickle_protocol=protocol)
    answer = iris("convert", "in.pt", "out.pt", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    got = torch.load(tmp_path / "out.pt", weights_only=True)
    assert (got["texts"], list(got["names"])) == (TEXTS, TEXTS)
    entries = json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)["entries"]
    # In JSON, a pair of surrogates is a character.
    assert [utf16(text) for text in entries["texts"]] == [utf16(text) for text in TEXTS]


def test_a_tensor_s_name_with_a_lone_surrogate_is_shown_and_kept(iris, tmp_path):
    names = ["w\ud800", "w\ud801"]
    torch.save(collections.OrderedDict(zip(names, (torch.ones(1), torch.ones(2)), strict=True)), tmp_path / "in.pt")
    answer = iris("inspect", "in.pt", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "w\\uD800 (1,)\nw\\uD801 (2,)\n")
    shown = json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)
    assert [tensor["name"] for tensor in shown["tensors"]] == names
    assert iris("convert", "in.pt", "out.pt", cwd=tmp_path).returncode == 0
    assert list(torch.load(tmp_path / "out.pt", weights_only=True)) == names
    refused = iris("convert", "in.pt", "out.safetensors", cwd=tmp_path)
    assert refused.stderr == 'iris: error: in.pt: tensor "w\\uD800": its name is not UTF-8\n'


def test_two_numbers_in_a_byte_have_safetensors_shape(iris, tmp_path):
    numbers = torch.arange(6, dtype=torch.uint8).reshape(2, 3).view(torch.float4_e2m1fn_x2)
    torch.save({"x": numbers}, tmp_path / "in.pt")
    safetensors.torch.save_file({"x": numbers}, tmp_path / "python.safetensors")
    assert iris("convert", "in.pt", "out.safetensors", cwd=tmp_path).returncode == 0
    got = safetensors.torch.load_file(tmp_path / "out.safetensors")["x"]
    assert (got.dtype, got.shape) == (numbers.dtype, numbers.shape)
    assert torch.equal(got.view(torch.uint8), numbers.view(torch.uint8))
    assert iris("convert", "python.safetensors", "back.pt", cwd=tmp_path).returncode == 0
    back = torch.load(tmp_path / "back.pt", weights_only=True)["x"]
    assert torch.equal(back.view(torch.uint8), numbers.view(torch.uint8)) and back.dtype == numbers.dtype
