"""deploy/: what can be told of its files without a cluster: by Kubernetes' schemas, KServe's own models and systemd."""

import re
import shutil
import subprocess

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: script/setup-extras --serve")


def documents(repo, name):
    return list(yaml.safe_load_all((repo / "deploy" / name).read_text()))


def containers(repo, name):
    for document in documents(repo, name):
        spec = document["spec"].get("template", {}).get("spec", document["spec"])
        yield from ((spec, container) for container in spec.get("containers", []))


def test_kubernetes_takes_the_manifest(repo):
    validator = pytest.importorskip("kubernetes_validate", reason="is not installed: script/setup-extras --serve")
    for document in documents(repo, "kubernetes.yaml"):
        validator.validate(document, desired_version="1.30", strict=True)
    broken = documents(repo, "kubernetes.yaml")[0]
    broken["spec"]["replica"] = 2
    with pytest.raises(validator.ValidationError):
        validator.validate(broken, desired_version="1.30", strict=True)


def check(model, data, place):
    """Every member is one of the model's, and what is under it too."""
    names = {alias: name for name, alias in model.attribute_map.items()}
    for member, value in data.items():
        assert member in names, f"{place}.{member}"
        kind = model.openapi_types[names[member]]
        inner = re.fullmatch(r"list\[(.*)\]", kind)
        kind = inner[1] if inner else kind
        import kserve
        from kubernetes import client

        found = getattr(kserve, kind, None) or getattr(client, kind, None)
        if hasattr(found, "openapi_types"):
            for each in value if inner else [value]:
                check(found, each, f"{place}.{member}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_kserve_takes_the_manifest(repo):
    kserve = pytest.importorskip("kserve", reason="is not installed: script/setup-extras --serve")
    runtime, service = documents(repo, "kserve.yaml")
    assert (runtime["apiVersion"], runtime["kind"]) == ("serving.kserve.io/v1alpha1", "ServingRuntime")
    check(kserve.V1alpha1ServingRuntimeSpec, runtime["spec"], "spec")
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    check(kserve.V1beta1InferenceServiceSpec, service["spec"], "spec")
    with pytest.raises(AssertionError, match=r"spec\.predictor\.maxReplica"):
        check(kserve.V1beta1InferenceServiceSpec, {"predictor": {"maxReplica": 1}}, "spec")
    assert service["spec"]["predictor"]["model"]["runtime"] == runtime["metadata"]["name"]


@pytest.mark.parametrize("name", ["kubernetes.yaml", "kserve.yaml"])
def test_the_manifests_ask_for_what_iris_serve_has(iris, repo, name):
    known = iris("serve", "--help").stdout
    found = list(containers(repo, name))
    assert found
    for _, container in found:
        verb, *arguments = container["args"]
        assert verb == "serve"
        for option in filter(lambda text: text.startswith("--"), arguments):
            assert re.search(rf"{option}\b", known), option
        for probe in ("readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["path"].startswith("/v2/health/")


def test_the_pod_has_time_to_drain(repo):
    ((spec, container),) = containers(repo, "kubernetes.yaml")
    seconds = dict(zip(container["args"], container["args"][1:], strict=False))
    assert spec["terminationGracePeriodSeconds"] > int(seconds["--grace-s"]) + int(seconds["--timeout-s"])


def test_every_place_that_a_package_needs_is_there_on_a_read_only_root(repo):
    for name in ("kubernetes.yaml", "kserve.yaml"):
        for spec, container in containers(repo, name):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
            assert "tmp" in [volume["name"] for volume in spec["volumes"]]


def test_the_figures_are_read_with_the_key_of_the_pods(repo):
    (monitor,) = documents(repo, "podmonitor.yaml")
    ((spec, container),) = containers(repo, "kubernetes.yaml")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in [port["name"] for port in container["ports"]]
    (key,) = [volume["secret"] for volume in spec["volumes"] if volume["name"] == "key"]
    assert endpoint["authorization"]["credentials"]["name"] == key["secretName"]


@pytest.fixture
def unit(repo, binary, tmp_path):
    """The unit, for the program that was built."""
    path = tmp_path / "iris.service"
    path.write_text((repo / "deploy/iris.service").read_text().replace("/usr/bin/iris", binary))
    return path


def test_systemd_takes_the_unit(unit):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    # 0 is safe, 10 exposed.
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True
    )
    assert rated.returncode == 0, rated.stdout


def test_the_unit_asks_for_what_iris_serve_has(iris, repo):
    known = iris("serve", "--help").stdout
    (command,) = re.findall("^ExecStart=.*", (repo / "deploy/iris.service").read_text(), re.MULTILINE)
    options = re.findall(r"--[a-z-]+", command)
    assert options
    for option in options:
        assert re.search(rf"{option}\b", known), option
