"""MeshConfig over Istio's defaults."""

import pytest
from tests.present import present

from varka.base.diagnostic import Severity
from varka.base.duration import Duration
from varka.resources.meshconfig import (
    default_mesh_config,
    load_mesh_config,
    load_mesh_networks,
    merge_proxy_config,
)
from varka.resources.model.mesh import OutboundTrafficPolicyMode


def codes(text: str) -> set[tuple[str, str, str]]:
    return {(str(d.severity), str(d.code), d.path) for d in load_mesh_config(text, "m")[1]}


def test_defaults_are_valid_and_istios() -> None:
    config, diagnostics = load_mesh_config("{}", "m")
    assert not diagnostics
    assert config.connect_timeout == Duration.parse("10s")
    assert config.default_config is not None
    assert config.default_config.discovery_address == "istiod.istio-system.svc:15012"
    assert [p.name for p in config.extension_providers] == ["prometheus", "stackdriver", "envoy"]


def test_a_field_replaces_the_default_as_a_whole() -> None:
    config, _ = load_mesh_config("outbound_traffic_policy: {}", "m")
    assert config.outbound_traffic_policy is not None
    assert config.outbound_traffic_policy.mode is OutboundTrafficPolicyMode.REGISTRY_ONLY


def test_what_is_joined() -> None:
    text = """
defaultConfig: {concurrency: 4, proxyMetadata: {A: b}}
extensionProviders: [{name: envoy, envoyFileAccessLog: {path: /x}}, {name: z, prometheus: {}}]
trustDomainAliases: [b, a]
defaultProviders: {tracing: [t]}
"""
    config, diagnostics = load_mesh_config(text, "m")
    assert not diagnostics
    assert config.default_config is not None
    assert (config.default_config.concurrency, config.default_config.status_port) == (4, 15020)
    assert [p.name for p in config.extension_providers] == [
        "prometheus",
        "stackdriver",
        "envoy",
        "z",
    ]
    assert present(config.extension_providers[2].envoy_file_access_log).path == "/x"
    assert config.trust_domain_aliases == ("a", "b")


def test_an_annotation_over_the_mesh() -> None:
    base = load_mesh_config("defaultConfig: {proxyMetadata: {A: b}}", "m")[0].default_config
    assert base is not None
    merged, findings = merge_proxy_config(
        base, {"proxyMetadata": {"C": "d"}, "tracingServiceName": "CANONICAL_NAME_ONLY"}
    )
    assert not findings.items
    assert merged.proxy_metadata == {"A": "b", "C": "d"}
    assert merged.service_cluster is None
    assert merge_proxy_config(base, {"concurrency": "many"})[0] is base


@pytest.mark.parametrize(
    "text",
    [
        "accessLogFile: /x",
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata:\n  mesh: |-\n   "
            " accessLogFile: /x\n"
        ),
        "kind: IstioOperator\nspec:\n  meshConfig:\n    accessLogFile: /x\n",
    ],
)
def test_wrappers(text: str) -> None:
    assert load_mesh_config(text, "m")[0].access_log_file == "/x"


def test_places_inside_a_config_map() -> None:
    text = "kind: ConfigMap\ndata:\n  mesh: |-\n    a: 1\n    connectTimeout: x\n"
    config, diagnostics = load_mesh_config(text, "m")
    assert config is default_mesh_config()
    assert [(str(d.origin), d.path) for d in diagnostics] == [
        ("m:4:5", "data.mesh.a"),
        ("m:5:5", "data.mesh.connectTimeout"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conectTimeout: 1s", {("warning", "V0102", "conectTimeout")}),
        ("connectTimeout: 0s", {("error", "V1003", "connectTimeout")}),
        ("trustDomain: a_b", {("error", "V1004", "trustDomain")}),
        (
            "defaultConfig: {discoveryAddress: a}",
            {("error", "V1001", "defaultConfig.discoveryAddress")},
        ),
        (
            "defaultConfig: {drainDuration: 1500ms}",
            {("error", "V1001", "defaultConfig.drainDuration")},
        ),
        (
            "extensionProviders: [{name: a, zipkin: {service: b.c, port: 0}}]",
            {("warning", "V1005", "extensionProviders[3].zipkin.port")},
        ),
        (
            "localityLbSetting: {failover: [{from: a, to: a}]}",
            {("error", "V0307", "localityLbSetting.failover[0]")},
        ),
        ("tlsDefaults: {ecdhCurves: [x]}", {("warning", "V1007", "tlsDefaults.ecdhCurves[0]")}),
        ("ingressControllerMode: SOMETIMES", {("error", "V0104", "ingressControllerMode")}),
    ],
)
def test_mistakes(text: str, expected: set[tuple[str, str, str]]) -> None:
    assert codes(text) == expected


def test_networks() -> None:
    good = (
        "networks: {net: {endpoints: [{fromRegistry: r}], gateways: [{address: 1.2.3.4, port:"
        " 15443}]}}"
    )
    networks, diagnostics = load_mesh_networks(good, "m")
    assert not diagnostics
    assert networks.networks["net"].gateways[0].port == 15443
    bad = load_mesh_networks("networks: {net: {gateways: [{address: a_b, port: 0}]}}", "m")[1]
    assert [d.path for d in bad] == [
        "networks.net.gateways[0].address",
        "networks.net.gateways[0].port",
    ]
    assert all(d.severity is Severity.ERROR for d in bad)
