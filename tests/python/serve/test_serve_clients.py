"""iris serve asked by other people's clients, as they are."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from serving import FLOWER

REASON = "is not installed: script/setup-extras --serve"


@pytest.fixture(scope="module")
def triton():
    return pytest.importorskip("tritonclient.http", reason=f"tritonclient {REASON}")


def tensor(triton, binary, rows=1):
    numpy = pytest.importorskip("numpy", reason=f"numpy {REASON}")
    given = triton.InferInput("input", [rows, 4], "FP32")
    given.set_data_from_numpy(numpy.array([FLOWER] * rows, dtype="float32"), binary_data=binary)
    return given


def address(server):
    return server.url.removeprefix("http://")


def test_triton_reads_what_the_server_says_of_itself(triton, server):
    with triton.InferenceServerClient(address(server)) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("iris")
        assert client.is_model_ready("iris", "1")
        assert not client.is_model_ready("other")
        assert client.get_server_metadata()["extensions"]
        metadata = client.get_model_metadata("iris", "1")
        assert metadata["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 4]}]
        assert client.get_model_config("iris")["max_batch_size"] == 64
        assert client.get_inference_statistics("iris")["model_stats"][0]["name"] == "iris"
        assert client.get_inference_statistics()["model_stats"][0]["name"] == "iris"
        assert client.get_model_repository_index()[0]["state"] == "READY"
        client.load_model("iris")


def test_triton_unloads_and_loads(triton, serve):
    from tritonclient.utils import InferenceServerException

    with triton.InferenceServerClient(address(serve())) as client:
        client.unload_model("iris")
        assert client.is_server_live()
        assert not client.is_server_ready()
        assert not client.is_model_ready("iris")
        assert client.get_model_repository_index()[0]["state"] == "UNAVAILABLE"
        with pytest.raises(InferenceServerException, match="unloaded"):
            client.infer("iris", [tensor(triton, True)])
        client.load_model("iris")
        assert client.is_model_ready("iris")
        assert client.infer("iris", [tensor(triton, True)]).as_numpy("index").tolist() == [0]


@pytest.mark.parametrize("packing", [None, "gzip", "deflate"])
@pytest.mark.parametrize("is_binary", [False, True])
def test_triton_infers(triton, server, is_binary, packing):
    with triton.InferenceServerClient(address(server)) as client:
        result = client.infer(
            "iris",
            [tensor(triton, is_binary, rows=50)],
            outputs=[triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("label", "index", "logits")],
            request_id="seven",
            request_compression_algorithm=packing,
            response_compression_algorithm=packing,
        )
        assert result.get_response()["id"] == "seven"
        assert result.as_numpy("index").tolist() == [0] * 50
        labels = result.as_numpy("label").tolist()
        assert [label.decode() if isinstance(label, bytes) else label for label in labels] == ["setosa"] * 50
        assert result.as_numpy("logits").shape == (50, 3)
        all_outputs = client.infer("iris", [tensor(triton, is_binary)])
        assert all_outputs.as_numpy("probabilities").shape == (1, 3)


def test_triton_is_told_what_is_wrong(triton, server):
    from tritonclient.utils import InferenceServerException

    with triton.InferenceServerClient(address(server)) as client:
        with pytest.raises(InferenceServerException, match="there is no output"):
            client.infer("iris", [tensor(triton, True)], outputs=[triton.InferRequestedOutput("x")])
        with pytest.raises(InferenceServerException, match="there is no model"):
            client.infer("other", [tensor(triton, True)])


def test_triton_s_asyncio_client(server):
    aio = pytest.importorskip("tritonclient.http.aio", reason=f"tritonclient {REASON}")

    async def ask():
        async with aio.InferenceServerClient(address(server)) as client:
            assert await client.is_server_ready()
            assert (await client.get_model_metadata("iris"))["name"] == "iris"
            results = await asyncio.gather(*(client.infer("iris", [tensor(aio, i % 2 == 0)]) for i in range(20)))
            return [result.as_numpy("index").tolist() for result in results]

    assert asyncio.run(ask()) == [[0]] * 20


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_kserve_s_client(server):
    kserve = pytest.importorskip("kserve", reason=f"kserve {REASON}")
    numpy = pytest.importorskip("numpy")

    async def ask():
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
        assert await client.is_server_ready(server.url)
        assert await client.is_server_live(server.url)
        assert await client.is_model_ready(server.url, "iris")
        for is_binary in (False, True):
            given = kserve.InferInput("input", [1, 4], "FP32")
            given.set_data_from_numpy(numpy.array([FLOWER], dtype="float32"), binary_data=is_binary)
            request = kserve.InferRequest(model_name="iris", infer_inputs=[given])
            answer = await client.infer(server.url, request, model_name="iris")
            assert {output.name: output.as_numpy().tolist() for output in answer.outputs}["index"] == [0]
        first = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v1"))
        assert await first.is_model_ready(server.url, "iris")
        return await first.infer(server.url, {"instances": [FLOWER]}, model_name="iris")

    assert asyncio.run(ask())["predictions"][0]["label"] == "setosa"


def test_schemathesis_finds_nothing(server):
    pytest.importorskip("schemathesis", reason=f"schemathesis {REASON}")
    program = Path(sys.executable).with_name("schemathesis")
    command = [program, "run", f"{server.url}/openapi.json", "--checks", "all", "--max-examples", "20", "--seed", "1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stdout[-5000:]
