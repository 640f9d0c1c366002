"""A state_dict in several files with an index, as Hugging Face's libraries write it: one state_dict."""

import json

import pytest
import safetensors.torch
import torch

SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
KINDS = {"model.safetensors": safetensors.torch.save_file, "pytorch_model.bin": torch.save}


def stem_and_ending(kind: str) -> list[str]:
    return kind.rsplit(".", 1)


@pytest.fixture
def weights(repo):
    return torch.load(repo / "models/iris_net.pt", weights_only=True)


def shard(folder, tensors, kind="model.safetensors", shards=None, weight_map=None):
    """Writes the tensors by twos; returns the index's path."""
    stem, ending = stem_and_ending(kind)
    names = list(tensors)
    shards = shards or [names[i : i + 2] for i in range(0, len(names), 2)]
    file_of = {}
    for i, part in enumerate(shards):
        file = f"{stem}-{i + 1:05}-of-{len(shards):05}.{ending}"
        KINDS[kind]({name: tensors[name].clone() for name in part}, folder / file)
        file_of |= dict.fromkeys(part, file)
    size = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": weight_map or {name: file_of[name] for name in names}}
    (folder / f"{kind}.index.json").write_text(json.dumps(index, indent=2))
    return folder / f"{kind}.index.json"


def error_of(answer) -> str:
    assert (answer.returncode, answer.stdout) == (1, "")
    return answer.stderr.removeprefix("iris: error: ").removesuffix("\n").split(".index.json: ", 1)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_and_its_shards_are_one_state_dict(iris, repo, weights, tmp_path, kind):
    index = shard(tmp_path, weights, kind)
    shown = iris("inspect", index)
    assert (shown.returncode, shown.stdout) == (0, iris("inspect", repo / "models/iris_net.pt").stdout)
    container = "safetensors" if kind.endswith("safetensors") else "zip"
    assert shown.stderr == f"{index}: state_dict ({container}), 4 tensors, 131 parameters, 524 bytes\n"
    for output, load in {"out.pt": torch.load, "out.safetensors": safetensors.torch.load_file}.items():
        assert iris("convert", index, tmp_path / output).returncode == 0
        got = load(tmp_path / output)
        assert set(got) == set(weights) and all(torch.equal(got[name], weights[name]) for name in weights)
    assert list(torch.load(tmp_path / "out.pt", weights_only=True)) == list(weights)
    of_one_file = iris("predict", repo / "models/iris_net.pt", *SAMPLE, "--logits")
    assert iris("predict", index, *SAMPLE, "--logits").stdout == of_one_file.stdout
    assert iris("evaluate", index, repo / "data/iris.csv").returncode == 0


def test_an_index_is_found_from_its_own_folder(iris, weights, tmp_path):
    index = shard(tmp_path, weights)
    assert iris("inspect", index.name, cwd=tmp_path).returncode == 0


def test_shards_in_a_folder_below_are_read(iris, weights, tmp_path):
    (tmp_path / "shards").mkdir()
    safetensors.torch.save_file(weights, tmp_path / "shards/a.safetensors")
    (tmp_path / "x.json").write_text(json.dumps({"weight_map": dict.fromkeys(weights, "shards/a.safetensors")}))
    assert iris("inspect", tmp_path / "x.json").returncode == 0


def test_a_hub_s_cache_of_links_is_read(iris, weights, tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshots/main").mkdir(parents=True)
    index = shard(tmp_path / "blobs", weights)
    for file in list((tmp_path / "blobs").iterdir()):
        file.rename(blob := file.with_name(f"{hash(file.name) & 0xFFFFFF:x}"))
        (tmp_path / "snapshots/main" / file.name).symlink_to(f"../../blobs/{blob.name}")
    assert iris("inspect", tmp_path / "snapshots/main" / index.name).returncode == 0


def test_what_the_index_does_not_name_comes_last(iris, weights, tmp_path):
    names = list(weights)
    index = shard(tmp_path, weights)
    listed = json.loads(index.read_text())
    del listed["weight_map"][names[0]]
    index.write_text(json.dumps(listed))
    shown = [line.split()[0] for line in iris("inspect", index).stdout.splitlines()]
    assert shown == [*names[1:], names[0]]


def test_a_shard_that_is_missing_is_named(iris, weights, tmp_path):
    index = shard(tmp_path, weights)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    for arguments in (["inspect", index], ["convert", index, tmp_path / "out.pt"], ["predict", index, *SAMPLE]):
        assert error_of(iris(*arguments)) == (
            'shard "model-00002-of-00002.safetensors": is missing; the index needs it beside itself'
        )
    assert not (tmp_path / "out.pt").exists()


@pytest.mark.parametrize("name", ["../x.safetensors", "/etc/passwd", "a/../../x.safetensors", "", "..", "x\0y"])
def test_a_shard_s_name_that_leads_out_of_the_folder_is_refused(iris, weights, tmp_path, name):
    (tmp_path / "in").mkdir()
    safetensors.torch.save_file(weights, tmp_path / "x.safetensors")
    index = shard(tmp_path / "in", weights, weight_map=dict.fromkeys(weights, name))
    assert error_of(iris("inspect", index)).endswith(": its name leads out of the index's folder; it is not read")


def test_a_link_that_leads_out_of_the_folder_is_refused(iris, weights, tmp_path):
    (tmp_path / "in").mkdir()
    safetensors.torch.save_file(weights, tmp_path / "x.safetensors")
    (tmp_path / "in/y.safetensors").symlink_to("../x.safetensors")
    index = shard(tmp_path / "in", weights, weight_map=dict.fromkeys(weights, "y.safetensors"))
    assert error_of(iris("inspect", index)) == (
        'shard "y.safetensors": is a link that leads out of the index\'s folder; it is not read'
    )


def test_a_tensor_that_its_shard_lacks_is_named(iris, weights, tmp_path):
    index = shard(tmp_path, weights)
    listed = json.loads(index.read_text())
    listed["weight_map"]["more"] = "model-00001-of-00002.safetensors"
    index.write_text(json.dumps(listed))
    assert error_of(iris("inspect", index)) == (
        'shard "model-00001-of-00002.safetensors": lacks the tensor "more", which the index says is in it'
    )


def test_a_tensor_in_two_shards_is_named(iris, weights, tmp_path):
    names = list(weights)
    index = shard(tmp_path, weights, shards=[names[:3], names[2:]])
    assert error_of(iris("inspect", index)) == (
        f'shard "model-00002-of-00002.safetensors": has the tensor "{names[2]}", which is in shard '
        '"model-00001-of-00002.safetensors" too'
    )


@pytest.mark.parametrize(
    "text, fact",
    [
        ('{"weight_map": {}}', "index: the weight_map is empty or not there"),
        ('{"weight_map": {"a": 1}}', "index: the weight_map is not of names and files"),
        ('{"weight_map": {"a": {"b": "c"}}}', "index: the weight_map is not of names and files"),
        ('{"weight_map": ["a"]}', "index: the weight_map is not of names and files"),
        ('{"weight_map": {"a": "b"', "index: is not JSON at its byte 25; was it cut?"),
        ('{"weight_map": {"a": "b", "a": "b"}}', 'index: the weight_map has the name "a" twice'),
        ('{"x": ' + "[" * 2000 + '"weight_map"', "index: is nested too deep"),
        ('{"weight_map": {"a": "model.safetensors.index.json"}}',
         'shard "model.safetensors.index.json": is an index itself'),
        ('{"weight_map": {"a": "."}}', 'shard ".": is not a file'),
    ],
)  # fmt: skip
def test_a_damaged_index_is_one_message(iris, tmp_path, text, fact):
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert error_of(iris("inspect", tmp_path / "model.safetensors.index.json")) == fact


def test_a_damaged_shard_is_named(iris, weights, tmp_path):
    index = shard(tmp_path, weights)
    path = tmp_path / "model-00001-of-00002.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    assert error_of(iris("inspect", index)).startswith('shard "model-00001-of-00002.safetensors": safetensors: ')


def test_an_index_on_stdin_has_no_shards_beside_it(iris, weights, tmp_path):
    index = shard(tmp_path, weights)
    answer = iris("inspect", "-", input=index.read_text())
    assert answer.stderr == "iris: error: stdin: is an index, whose shards lie beside it; name the file\n"


def test_a_folder_with_an_index_names_it(iris, weights, tmp_path):
    shard(tmp_path, weights)
    answer = iris("inspect", tmp_path)
    assert answer.stderr == (
        f"iris: error: {tmp_path}: is a directory; name the model file in it: model.safetensors.index.json\n"
    )
