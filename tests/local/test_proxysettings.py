"""What proxies are started with: the mesh's `defaultConfig`, ProxyConfigs and the pod's annotation,
one over the other."""

from __future__ import annotations

from typing import Any

import pytest

from varka.local.workload.cluster import sort
from varka.local.workload.proxysettings import PLAIN, ProxySettings, annotation


def objects(
    mesh: str = "", annotations: dict[str, str] | None = None, *more: dict[str, Any]
) -> list[dict[str, Any]]:
    metadata = {"name": "pod", "labels": {"app": "a"}, "annotations": annotations or {}}
    found: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "default", "labels": {"istio-injection": "enabled"}},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"containers": [{"name": "c"}]},
        },
        *more,
    ]
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
    }
    return [*found, {**config, "data": {"mesh": mesh}}] if mesh else found


def settings(*given: Any) -> ProxySettings:
    cluster = sort(objects(*given), {})
    return cluster.proxy(cluster.plans["pod.default"]).settings


def test_nothing_said() -> None:
    assert settings() is PLAIN
    assert settings("accessLogFile: /dev/stdout").arguments == ()


def test_the_more_specific_wins() -> None:
    own = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "ProxyConfig",
        "metadata": {"name": "own"},
        "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "concurrency": 4,
            "environmentVariables": {"C": "own"},
        },
    }
    mesh = (
        "defaultConfig: {concurrency: 2, drainDuration: 9s, proxyMetadata: {A: mesh, B: mesh, C:"
        " mesh}}"
    )
    found = settings(
        mesh, {"proxy.istio.io/config": "{concurrency: 3, proxyMetadata: {B: pod}}"}, own
    )
    assert dict(found.arguments) == {"--concurrency": "4", "--drain-time-s": "9"}
    assert dict(found.environment) == {"A": "mesh", "B": "pod", "C": "own"}


def test_an_operators_configuration() -> None:
    operator = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "op", "namespace": "istio-system"},
        "spec": {"meshConfig": {"defaultConfig": {"meshId": "m"}, "proxyListenPort": 15101}},
    }
    found = settings("", None, operator)
    assert (found.mesh_id, found.ports) == ("m", (15101, 15006))
    assert settings("defaultConfig: {}", None, operator).mesh_id == ""


def test_metadata_are_what_begins_so() -> None:
    found = settings(
        "defaultConfig: {proxyMetadata: {ISTIO_META_A: '1', ISTIO_METAJSON_B: '{\"c\": 2}', D: e}}"
    )
    assert found.metadata == {"A": "1", "B": {"c": 2}}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ("{}", "a.ns"),
        ("{serviceCluster: mine}", "mine"),
        ("{tracingServiceName: CANONICAL_NAME_ONLY}", "canonical"),
        ("{tracingServiceName: CANONICAL_NAME_AND_NAMESPACE}", "canonical.ns"),
        ("{tracingServiceName: APP_LABEL_AND_NAMESPACE}", "a.ns"),
    ],
)
def test_what_a_proxy_calls_itself(config: str, name: str) -> None:
    labels = {"app": "a", "service.istio.io/canonical-name": "canonical"}
    assert settings(f"defaultConfig: {config}").service_name(labels, "workload", "ns") == name


def test_names_without_labels() -> None:
    assert PLAIN.service_name({}, "workload", "ns") == "workload.ns"
    assert PLAIN.service_name({}, "", "ns") == "istio-proxy.ns"


@pytest.mark.parametrize("text", ["[a]", "{a", "word"])
def test_an_annotation_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"proxy\.istio\.io/config"):
        annotation({"proxy.istio.io/config": text})
    assert settings("", {"proxy.istio.io/config": text}) is PLAIN


def test_an_annotation_means_what_the_same_text_means_in_a_manifest() -> None:
    text = "{proxyMetadata: {DAY: 2024-01-02, TIME: 12:30:45}}"
    given = annotation({"proxy.istio.io/config": text})
    assert given == {"proxyMetadata": {"DAY": "2024-01-02", "TIME": "12:30:45"}}
