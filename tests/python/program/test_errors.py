"""What is wrong is told in one short block, with the right exit status and nothing of LibTorch's insides."""

import pytest

SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
INSIDES = ["INTERNAL ASSERT", "Exception raised from", "frame #", "terminate called", "libtorch", "Traceback", "c10::"]


def error(result, status):
    """The message, after the checks that every error must pass."""
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("iris: error: ")
    assert result.stderr.endswith("\n") and len(result.stderr.splitlines()) <= 12
    for inside in INSIDES:
        assert inside not in result.stderr
    return result.stderr.removeprefix("iris: error: ").rstrip("\n")


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nosuchverb"],
        ["--nosuchoption"],
        ["predict"],
        ["predict", "MODEL"],
        ["predict", "MODEL", "5.1"],
        ["predict", "MODEL", "5.1", "3.5", "1.4", "0.2", "9"],
        ["predict", "MODEL", "5.1", "3.5", "1.4", "abc"],
        ["predict", "MODEL", "5.1", "3.5", "1.4", ""],
        ["predict", "MODEL", "5.1", "3.5", "1.4", "nan"],
        ["predict", "MODEL", "5.1", "3.5", "1.4", "1e39"],
        ["predict", "MODEL", "5,1", "3,5", "1,4", "0,2"],
        ["predict", "MODEL", *SAMPLE, "--nosuchoption"],
        ["predict", "MODEL", *SAMPLE, "-i", "rows.csv"],
        ["predict", "MODEL", *SAMPLE, "-o", "out.csv"],
        ["predict", "MODEL", "-i"],
        ["predict", "MODEL", "-i", "-", "--on-error", "ignore"],
        ["predict", "MODEL", "-i", "-", "--output-format", "xml"],
        ["predict", "MODEL", "-i", "-", "--batch-size", "0"],
        ["predict", "MODEL", "-i", "-", "--batch-size", "-5"],
        ["predict", "MODEL", "-i", "-", "--batch-size", "many"],
        ["predict", "MODEL", *SAMPLE, "--threads", "0"],
        ["predict", "MODEL", *SAMPLE, "--threads", "1.5"],
        ["predict", "MODEL", *SAMPLE, "--device", "gpu"],
        ["predict", "MODEL", *SAMPLE, "--device", "cuda:x"],
        ["predict", "MODEL", *SAMPLE, "--device", "cuda:-1"],
        ["predict", "MODEL", *SAMPLE, "--device", ""],
        ["predict", "MODEL", *SAMPLE, "--hidden", "0"],
        ["predict", "MODEL", *SAMPLE, "--labels", "a,,c"],
        ["predict", "MODEL", *SAMPLE, "--labels", "a,b,a"],
        ["predict", "MODEL", *SAMPLE, "--labels"],
        ["predict", "-", "-i", "-"],
        ["inspect"],
        ["inspect", "MODEL", "more"],
        ["inspect", "MODEL", "--key"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(iris, model, arguments):
    error(iris(*[model if argument == "MODEL" else argument for argument in arguments]), 2)


def test_wrong_usage_says_where_help_is(iris, model):
    assert "iris predict --help" in error(iris("predict", model, *SAMPLE, "--bogus"), 2)


def test_an_unknown_verb_is_named(iris):
    assert "predikt" in error(iris("predikt", "model.pt"), 2)


def test_the_features_that_a_model_takes_are_named(iris, model):
    assert "4 features, not 3: sepal_length, sepal_width, petal_length, petal_width" in error(
        iris("predict", model, "1", "2", "3"), 2
    )


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:7"])
def test_a_device_that_is_not_there_says_why(iris, model, device):
    result = iris("predict", model, *SAMPLE, "--device", device, env={"CUDA_VISIBLE_DEVICES": ""})
    message = error(result, 1)
    assert message.startswith(f"device {device}: ")
    assert message.endswith("use the CPU (--device cpu)")


FOREIGN = {
    "empty": b"",
    "text": b"hello, this is no model\n",
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
    "gzip": b"\x1f\x8b\x08\x00" + bytes(40),
    "npy": b"\x93NUMPY\x01\x00" + bytes(40),
    "onnx": b"\x08\x08\x12\x07pytorch\x1a\x052.5.0:\x10",
    "noise": bytes(range(1, 200)),
    "zip magic": b"PK\x03\x04" + bytes(100),
    "pickle": b"\x80\x04}.",
    "legacy magic": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
    "safetensors": (1 << 40).to_bytes(8, "little") + b"{}",
    "csv": b"5.1,3.5,1.4,0.2\n",
}


@pytest.mark.parametrize("verb", ["predict", "inspect"])
@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_no_model_is_refused_by_its_path(iris, tmp_path, name, verb):
    path = tmp_path / "model.pt"
    path.write_bytes(FOREIGN[name])
    message = error(iris(verb, path, *(SAMPLE if verb == "predict" else [])), 1)
    assert message.startswith(f"{path}: ")
    assert len(message) > len(str(path)) + 10


@pytest.mark.parametrize("verb", ["predict", "evaluate", "serve", "inspect"])
def test_an_onnx_model_is_told_of_the_forms_that_run(iris, repo, tmp_path, verb):
    (tmp_path / "model.onnx").write_bytes(FOREIGN["onnx"])
    more = {"predict": SAMPLE, "evaluate": [repo / "data/iris.csv"], "serve": ["--port", "0"], "inspect": []}[verb]
    assert error(iris(verb, tmp_path / "model.onnx", *more), 1) == (
        f"{tmp_path}/model.onnx: is an ONNX model, which is for other runtimes, such as ONNX Runtime; iris runs the "
        "state_dict of an IrisNet, TorchScript and .pt2 packages: export the PyTorch model with "
        "python_export/export.py (docs/formats.md)"
    )


@pytest.mark.parametrize("verb", ["predict", "inspect"])
def test_a_missing_file_a_folder_and_a_forbidden_one_are_refused(iris, tmp_path, verb):
    sample = SAMPLE if verb == "predict" else []
    assert error(iris(verb, tmp_path / "none.pt", *sample), 1) == f"{tmp_path / 'none.pt'}: No such file or directory"
    assert error(iris(verb, tmp_path, *sample), 1).startswith(f"{tmp_path}: is a directory")
    assert error(iris(verb, "", *sample), 1)


@pytest.mark.parametrize("name", ["iris_net.pt", "iris_net.ts.pt"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_model_is_refused(iris, repo, tmp_path, name, part):
    whole = (repo / "models" / name).read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: int(part * len(whole))])
    error(iris("predict", tmp_path / "cut.pt", *SAMPLE), 1)


def test_a_byte_changed_in_the_weights_is_noticed(iris, model, tmp_path):
    import torch

    weights = torch.load(model)["fc1.weight"].numpy().tobytes()
    whole = bytearray(model.read_bytes())
    whole[whole.index(weights) + 5] ^= 0x40
    (tmp_path / "changed.pt").write_bytes(whole)
    assert "CRC" in error(iris("predict", tmp_path / "changed.pt", *SAMPLE), 1)


def test_a_model_of_another_shape_lists_all_that_differs(iris, repo):
    path = repo / "tests/fixtures/wide_hidden.pt"
    message = error(iris("predict", path, *SAMPLE), 1)
    assert message.startswith(f"{path}: the state_dict does not fit the model:\n")
    for line in [
        "shape mismatch: fc1.weight is (32, 4) in the file, (16, 4) in the model",
        "shape mismatch: fc1.bias is (32,) in the file, (16,) in the model",
        "shape mismatch: fc2.weight is (3, 32) in the file, (3, 16) in the model",
    ]:
        assert line in message
    assert "fc2.bias" not in message


def test_missing_and_unexpected_keys_are_listed_together(iris, tmp_path):
    import torch

    from iris_export.iris_net import IrisNet

    state_dict = IrisNet().state_dict()
    state_dict["fc2.bais"] = state_dict.pop("fc2.bias")
    state_dict["fc1.weight"] = torch.zeros(4, 16)
    torch.save(state_dict, tmp_path / "odd.pt")
    message = error(iris("predict", tmp_path / "odd.pt", *SAMPLE), 1)
    assert message.splitlines()[1:] == [
        "  missing key: fc2.bias (3,); is it the file's fc2.bais?",
        "  unexpected key: fc2.bais (3,)",
        "  shape mismatch: fc1.weight is (4, 16) in the file, (16, 4) in the model",
        "  a state_dict is loaded into IrisNet: fc1 from 4 features to 16 units, ReLU, fc2 to 3 classes; export "
        "another architecture",
        "  as TorchScript, which iris runs (docs/models.md), with these two lines of Python:",
        '    model.load_state_dict(torch.load("model.pt", weights_only=True))',
        '    torch.jit.script(model.eval()).save("model.ts.pt")',
    ]


def test_options_of_state_dicts_are_refused_for_torchscript(iris, repo):
    for option in [["--key", "model"], ["--hidden", "16"]]:
        error(iris("predict", repo / "models/iris_net.ts.pt", *SAMPLE, *option), 2)


def test_a_module_that_throws_is_told_of_in_its_own_words(iris, tmp_path):
    import torch

    class Picky(torch.nn.Module):
        def forward(self, x):
            if x.size(1) == 4:
                raise RuntimeError("no flowers today")
            return x

    torch.jit.script(Picky()).save(str(tmp_path / "picky.pt"))
    path = tmp_path / "picky.pt"
    assert error(iris("predict", path, *SAMPLE), 1) == f"{path}: the model failed on 4 features: no flowers today"


def test_a_header_without_a_feature_names_it(iris, model):
    result = iris("predict", model, "-i", "-", input="sepal_length,sepal_width,petal_length\n1,2,3\n")
    assert error(result, 1).startswith("stdin:1: the header has no column petal_width; it has: sepal_length, ")


def test_a_missing_input_is_named(iris, model, tmp_path):
    assert (
        error(iris("predict", model, "-i", tmp_path / "no.csv"), 1)
        == f"{tmp_path / 'no.csv'}: No such file or directory"
    )


def test_an_output_folder_that_is_not_there_is_named(iris, model, tmp_path):
    result = iris("predict", model, "-i", "-", "-o", tmp_path / "no/out.csv", input="5.1,3.5,1.4,0.2\n")
    assert error(result, 1).startswith(f"{tmp_path / 'no/out.csv'}: cannot be created: ")


def test_a_full_disk_is_told_of(iris, model):
    result = iris("predict", model, "-i", "-", "-o", "/dev/full", input="5.1,3.5,1.4,0.2\n")
    assert error(result, 1) == "/dev/full: cannot be written: No space left on device"


def test_the_output_may_not_replace_the_model(iris, repo, tmp_path):
    model = tmp_path / "model.pt"
    model.write_bytes((repo / "models/iris_net.pt").read_bytes())
    message = error(iris("predict", model, "-i", repo / "data/iris.csv", "-o", model), 2)
    assert message == f"-o {model} would replace the model; write to another file"
    assert model.read_bytes() == (repo / "models/iris_net.pt").read_bytes()


def test_no_names_at_all_are_no_names(iris, repo):
    assert error(iris("predict", repo / "models/iris_net.pt", *SAMPLE, "--labels", ""), 2).startswith("--labels: ")


@pytest.mark.parametrize("option", ["--labels", "--features"])
@pytest.mark.parametrize(
    "typed, fact",
    [
        ('a,"b,c', 'a quote is not closed, or there is text after the quote that closes it; write a,"b,c","a ""d"""'),
        ('a,"b"c,d', 'there is text after a closing quote; write a,"b,c","a ""d"""'),
        ('a,"",c', "a name is empty; write a,b,c"),
        ("a,b,", "a name is empty; write a,b,c"),
        ('a,b,"a"', '"a" is there twice'),
        ("a,b\nc,d", "there is a line break in it; put the name with it in double quotes"),
    ],
)
def test_names_in_wrong_quotes_are_told_of(iris, repo, option, typed, fact):
    assert error(iris("predict", repo / "models/iris_net.pt", *SAMPLE, option, typed), 2) == f"{option}: {fact}"


def test_a_feature_that_is_not_finite_is_no_option(iris, repo):
    message = error(iris("predict", repo / "models/iris_net.pt", "-inf", "3.5", "1.4", "0.2"), 2)
    assert message.startswith("sepal_length: not finite as float32: ")


def test_json_and_csv_contradict_each_other(iris, repo):
    result = iris(
        "predict", repo / "models/iris_net.pt", "-i", repo / "data/iris.csv", "--json", "--output-format", "csv"
    )
    assert error(result, 2) == "--json and --output-format csv contradict each other"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["predikt", "m.pt"], 'there is no verb "predikt"; did you mean predict?\nSee: iris --help'),
        (["predikt", "--help"], 'there is no verb "predikt"; did you mean predict?\nSee: iris --help'),
        (["help", "predikt"], 'there is no verb "predikt"; did you mean predict?'),
        (["--foo"], "not expected: --foo\nSee: iris --help"),
        (["train", "d.csv", "--outptu", "m.pt"],
         "not expected: --outptu m.pt; did you mean --output?\nSee: iris train --help"),
        (["inspect", "m.pt", "a", "b", "c"], "not expected: a b c\nSee: iris inspect --help"),
        (["evaluate", "m.pt", "d.csv", "-i", "x.csv"],
         "not expected: -i x.csv; evaluate takes its files by place: iris evaluate MODEL DATA\n"
         "See: iris evaluate --help"),
        (["evaluate", "m.pt", "rows.csv", "--label-column=", "--json"], "--label-column= has no value"),
        (["predict", "m.pt", "rows.csv", "-o", "answers.csv"],
         '"rows.csv" is a file, not a feature; for the rows in it: -i rows.csv'),
        (["predict", "m.pt", "-"], '"-" is a file, not a feature; for the rows in it: -i -'),
        (["predict", "m.pt", "5.1,3.5,1.4,0.2"],
         '"5.1,3.5,1.4,0.2" is not one number; features are separated by blanks, and decimals by a point: 5.1 3.5'),
        (["predict", "data/iris.csv", "models/iris_net.pt"],
         "the model comes first, then the rows: iris predict models/iris_net.pt -i data/iris.csv"),
        (["predict", "m.pt", "rows.csv"], '"rows.csv" is a file, not a feature; for the rows in it: -i rows.csv'),
        (["predict", "m.pt", "a\nb\x1b.csv"],
         '"a\\x0ab\\x1b.csv" is a file, not a feature; for the rows in it: -i a\\x0ab\\x1b.csv'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_wrong_usage_says_the_way_out(iris, repo, arguments, message):
    assert error(iris(*arguments, cwd=repo), 2) == message


@pytest.mark.parametrize("verb", ["predict", "inspect", "convert"])
def test_a_name_with_control_characters_is_shown_printable(iris, tmp_path, verb):
    more = {"predict": SAMPLE, "inspect": [], "convert": [tmp_path / "out.pt"]}[verb]
    assert error(iris(verb, "no\n\x1b[31m.pt", *more), 1) == "no\\x0a\\x1b[31m.pt: No such file or directory"


def test_help_and_the_version_have_other_names(iris):
    assert iris("help").stdout == iris("--help").stdout != ""
    assert iris("help", "predict").stdout == iris("predict", "--help").stdout != ""
    assert iris("-V").stdout == iris("--version").stdout != ""
