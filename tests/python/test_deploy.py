"""deploy/: what can be told of the manifests without a cluster."""

import re

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: script/setup --serve")


def containers(repo, name):
    documents = list(yaml.safe_load_all((repo / "deploy" / name).read_text()))
    assert all({"apiVersion", "kind", "metadata", "spec"} <= document.keys() for document in documents)
    for document in documents:
        spec = document["spec"].get("template", {}).get("spec", document["spec"])
        yield from ((spec, container) for container in spec.get("containers", []))


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
