"""What torch.save wrote in any way, `iris convert` writes so that torch.load(weights_only=True) gives the same again.

IRIS_EXAMPLES=2000 pytest tests/python/files/test_round_trips.py    many more random files than in a normal run
"""

import io
import os
import tempfile
from collections import Counter, OrderedDict
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_values import NEW_DTYPES, OLD_DTYPES, keys, leaves, storages, tensors, texts, views
from torch import nn

EXAMPLES = os.environ.get("IRIS_EXAMPLES")
pytestmark = pytest.mark.filterwarnings("ignore:.*(TypedStorage|ComplexHalf|Casting complex|not writable).*")

# One run of the program takes far longer than a value: each file holds many.
random_files = settings(
    max_examples=int(EXAMPLES or 40),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # to find a smaller file takes minutes
    suppress_health_check=list(HealthCheck),
)


@st.composite
def nested(draw, parts: list, depth: int = 2):
    """Containers of the parts, which several of them may hold."""
    part = st.sampled_from(parts)
    if depth > 0:
        part |= st.deferred(lambda: nested(parts, depth - 1))
    items = st.lists(part, max_size=4)
    pairs = st.lists(st.tuples(keys, part), max_size=4)
    counts = st.dictionaries(texts, st.integers(), max_size=3)
    kinds = items | items.map(tuple) | pairs.map(dict) | pairs.map(OrderedDict) | counts.map(Counter)
    return draw(kinds)


@st.composite
def checkpoints(draw, dtypes=tuple(OLD_DTYPES + NEW_DTYPES)) -> OrderedDict:
    shared = [tensor for group in draw(st.lists(tensors(dtypes), min_size=2, max_size=5)) for tensor in group]
    parts = shared + draw(st.lists(leaves, min_size=5, max_size=10))
    containers = draw(st.lists(nested(parts), min_size=1, max_size=4))
    values = parts + containers + draw(st.lists(st.sampled_from(shared + containers), max_size=3))
    names = draw(st.lists(keys, min_size=len(values), max_size=len(values)))
    checkpoint = OrderedDict(zip(names, values, strict=True))
    if draw(st.booleans()):
        checkpoint._metadata = OrderedDict({"": {"version": 1}, draw(texts): {"version": draw(st.integers(0, 5))}})
    return checkpoint


def bits(tensor: torch.Tensor) -> bytes:
    """The whole storage, also what no element shows."""
    storage = tensor.untyped_storage()
    return bytes(torch.tensor([], dtype=torch.uint8).set_(storage).tolist())


class Comparison:
    """Equal down to the bit; and what is one object, or lies on one storage, is so on both sides."""

    def __init__(self):
        self.twins = {}

    def same(self, ours, theirs) -> None:
        assert type(ours) is type(theirs)
        if isinstance(ours, torch.Tensor):
            self.one_to_one(id(ours), id(theirs))
            self.same_tensor(ours, theirs)
        elif isinstance(ours, dict):
            self.one_to_one(id(ours), id(theirs))
            assert len(ours) == len(theirs)
            for (our_key, our_value), (their_key, their_value) in zip(ours.items(), theirs.items(), strict=True):
                self.same(our_key, their_key)
                self.same(our_value, their_value)
            if isinstance(ours, OrderedDict):
                self.same(vars(ours), vars(theirs))
        elif isinstance(ours, (list, tuple)):
            if isinstance(ours, list):
                self.one_to_one(id(ours), id(theirs))
            assert len(ours) == len(theirs)
            for our_item, their_item in zip(ours, theirs, strict=True):
                self.same(our_item, their_item)
        elif isinstance(ours, (float, complex)):
            assert repr(ours) == repr(theirs)  # protocol 0 itself knows only one NaN
        else:
            assert ours == theirs

    def same_tensor(self, ours: torch.Tensor, theirs: torch.Tensor) -> None:
        for fact in (
            lambda t: t.dtype,
            lambda t: t.shape,
            lambda t: t.stride(),
            lambda t: t.storage_offset(),
            lambda t: t.requires_grad,
            lambda t: t.is_conj(),
            lambda t: t.is_neg(),
            bits,
        ):
            assert fact(ours) == fact(theirs)
        if bits(ours):  # torch.load makes one of its own for each tensor without data
            self.one_to_one(("storage", ours.untyped_storage()._cdata), ("storage", theirs.untyped_storage()._cdata))

    def one_to_one(self, ours, theirs) -> None:
        assert self.twins.setdefault(("ours", ours), theirs) == theirs
        assert self.twins.setdefault(("theirs", theirs), ours) == ours


def saved(value, is_zip: bool = True, protocol: int = 2) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, pickle_protocol=protocol, _use_new_zipfile_serialization=is_zip)
    return file.getvalue()


def converted(iris, content: bytes, *options, extension: str = "pt", source: str = "in.pt") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / source, Path(folder) / f"out.{extension}"
        path.write_bytes(content)
        answer = iris("convert", path, output, *options)
        assert (answer.returncode, answer.stdout) == (0, ""), answer.stderr
        return output.read_bytes()


def loaded(content: bytes):
    return torch.load(io.BytesIO(content), weights_only=True)


@random_files
@given(checkpoint=checkpoints(), is_zip=st.booleans(), protocol=st.integers(0, 5))
def test_any_checkpoint_comes_back_the_same(iris, checkpoint, is_zip, protocol):
    result = converted(iris, saved(checkpoint, is_zip, protocol))
    Comparison().same(checkpoint, loaded(result))


SAFE_DTYPES = tuple(
    dtype
    for dtype in OLD_DTYPES + NEW_DTYPES
    if dtype not in (torch.complex128, torch.complex32, torch.float4_e2m1fn_x2) and "bits" not in str(dtype)
)


def elements(tensor: torch.Tensor) -> bytes:
    """In row-major order, with conjugation and negation done."""
    plain = tensor.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
    return bits(plain)


def assert_equal_elements(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert set(ours) == set(theirs)
    for name, tensor in ours.items():
        assert (tensor.dtype, tensor.shape) == (theirs[name].dtype, theirs[name].shape)
        assert theirs[name].is_contiguous()
        assert elements(tensor) == elements(theirs[name])


def loaded_safetensors(content: bytes) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and __metadata__, by the library's reader of files: its reader of bytes knows fewer dtypes."""
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(content)
        file.flush()
        with safetensors.safe_open(file.name, "pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata()


@st.composite
def state_dicts(draw) -> dict[str, torch.Tensor]:
    values = [tensor for group in draw(st.lists(tensors(SAFE_DTYPES), min_size=4, max_size=8)) for tensor in group]
    # The format keeps "__metadata__" for itself.
    names = st.lists(texts.map(lambda text: "w" + text), min_size=len(values), max_size=len(values), unique=True)
    return dict(zip(draw(names), values, strict=True))


@random_files
@given(state_dict=state_dicts(), is_zip=st.booleans())
def test_safetensors_of_any_state_dict_hold_equal_elements(iris, state_dict, is_zip):
    result = converted(iris, saved(state_dict, is_zip), extension="safetensors")
    assert_equal_elements(state_dict, loaded_safetensors(result)[0])


@st.composite
def contiguous_tensors(draw) -> torch.Tensor:
    dtype = draw(st.sampled_from(SAFE_DTYPES))
    return draw(views(dtype, draw(storages(dtype)))).clone(memory_format=torch.contiguous_format)


@random_files
@given(
    state_dict=st.dictionaries(texts.map(lambda text: "w" + text), contiguous_tensors(), min_size=4, max_size=12),
    metadata=st.dictionaries(texts, texts, max_size=4),
)
def test_files_of_the_safetensors_library_come_back_the_same(iris, state_dict, metadata):
    content = safetensors.torch.save(state_dict, metadata or None)
    assert_equal_elements(state_dict, loaded(converted(iris, content, source="in.safetensors")))
    again = converted(iris, content, source="in.safetensors", extension="safetensors")
    tensors_again, metadata_again = loaded_safetensors(again)
    assert_equal_elements(state_dict, tensors_again)
    assert metadata_again == (metadata or {"format": "pt"})


class Everything(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.GroupNorm(2, 4))
        self.upsample = nn.ConvTranspose2d(4, 3, 2)
        self.embedding = nn.Embedding(11, 8, padding_idx=0)
        self.recurrent = nn.LSTM(8, 8, num_layers=2, bidirectional=True)
        self.transformer = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.embedding.weight
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
        self.register_buffer("steps", torch.tensor(7))

    def forward(self, tokens):
        return self.head(self.transformer(self.embedding(tokens)))


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_a_modules_state_dict_is_taken_strictly(iris, is_zip, protocol):
    torch.manual_seed(0)
    state_dict = Everything().state_dict()
    result = loaded(converted(iris, saved(state_dict, is_zip, protocol)))
    Comparison().same(state_dict, result)
    assert result["head.weight"].data_ptr() == result["embedding.weight"].data_ptr()
    fresh = Everything()
    assert str(fresh.load_state_dict(result, strict=True)) == "<All keys matched successfully>"
    Comparison().same(state_dict, fresh.state_dict())


@pytest.mark.parametrize(
    "make",
    [
        lambda parameters: torch.optim.Adam(parameters, lr=0.01, amsgrad=True),
        lambda parameters: torch.optim.SGD(parameters, lr=torch.tensor(0.1), momentum=0.9),
        lambda parameters: torch.optim.Adagrad(parameters),
        lambda parameters: torch.optim.LBFGS(parameters, max_iter=2),
    ],
    ids=["Adam", "SGD", "Adagrad", "LBFGS"],
)
def test_an_optimizers_state_goes_on(iris, make):
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = make(model.parameters())

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = model(torch.ones(4, 3)).square().sum()
        value.backward()
        return value

    for _ in range(3):
        optimizer.step(loss)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5)
    checkpoint = {
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng_state": torch.get_rng_state(),
        "generator": torch.Generator().get_state(),
    }
    result = loaded(converted(iris, saved(checkpoint)))
    Comparison().same(checkpoint, result)
    other = make(nn.Linear(3, 2).parameters())
    other.load_state_dict(result["optimizer"])
    Comparison().same(optimizer.state_dict(), other.state_dict())
