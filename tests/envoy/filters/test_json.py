"""Values of EnvoyFilters: what Istio's reader takes and refuses."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_components_pb2
from google.protobuf.json_format import MessageToDict

from varka.envoy.filters.json import Unreadable, read_json

TYPE = "type.googleapis.com/envoy.extensions.filters"
TCP = f"{TYPE}.network.tcp_proxy.v3.TcpProxy"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"connectTimeout": "24h"}, {"connect_timeout": "86400s"}),
        ({"connect_timeout": "1m"}, {"connect_timeout": "60s"}),
        ({"connect_timeout": "500ms"}, {"connect_timeout": "0.500s"}),
        ({"connect_timeout": "-1h0.5s"}, {"connect_timeout": "-3600.500s"}),
        ({"connect_timeout": "0"}, {"connect_timeout": "0s"}),
        ({"connect_timeout": None}, {}),
        ({"health_checks": [{"timeout": "1m30s"}]}, {"health_checks": [{"timeout": "90s"}]}),
        ({"per_connection_buffer_limit_bytes": "10"}, {"per_connection_buffer_limit_bytes": 10}),
        ({"respect_dns_ttl": True, "unknown": {"a": 1}}, {"respect_dns_ttl": True}),
        ({"type": "STRICT_DNS", "dnsLookupFamily": 1}, {"type": "STRICT_DNS"}),
        ({"lb_policy": 2}, {"lb_policy": "RING_HASH"}),
        (
            {"metadata": {"filter_metadata": {"x": {"timeout": "24h", "n": 1}}}},
            {"metadata": {"filter_metadata": {"x": {"timeout": "24h", "n": 1.0}}}},
        ),
    ],
)
def test_what_istio_takes(value: dict[str, Any], read: dict[str, Any]) -> None:
    message = read_json(value, cluster_pb2.Cluster())
    shown = MessageToDict(message, preserving_proto_field_name=True)
    assert {name: shown.get(name) for name in read} == read


def test_durations_inside_any() -> None:
    typed = {"@type": TCP, "stat_prefix": "x", "idle_timeout": "24h", "no_such_field": "1m"}
    message = read_json({"name": "x", "typed_config": typed}, listener_components_pb2.Filter())
    shown = MessageToDict(message, preserving_proto_field_name=True)
    assert shown["typed_config"]["idle_timeout"] == "86400s"


@pytest.mark.parametrize(
    ("value", "path", "why"),
    [
        ({"connect_timeout": "5 minutes"}, ("connect_timeout",), "invalid duration"),
        ({"type": "strict_dns"}, ("type",), "no value 'strict_dns', only STATIC, STRICT_DNS"),
        (
            {"health_checks": [{}, {"timeout": "x"}]},
            ("health_checks", 1, "timeout"),
            "invalid duration",
        ),
        ({"respect_dns_ttl": "yes"}, (), "respect_dns_ttl"),
        ({"connect_timeout": 5}, (), "connect_timeout"),
        ({"health_checks": "x"}, (), "health_checks"),
    ],
)
def test_what_istio_refuses(value: dict[str, Any], path: tuple[object, ...], why: str) -> None:
    with pytest.raises(Unreadable, match=why) as raised:
        read_json(value, cluster_pb2.Cluster())
    assert raised.value.path == path


@pytest.mark.parametrize(
    ("type_", "why"),
    [
        (
            "x/envoy.config.filter.http.lua.v2.Lua",
            "write x/envoy.extensions.filters.http.lua.v3.Lua",
        ),
        ("x/envoy.api.v2.Cluster", "version 2"),
        ("x/envoy.no.such.Type", "no such type: envoy.no.such.Type"),
    ],
)
def test_types_that_envoy_has_not(type_: str, why: str) -> None:
    value = {"name": "x", "typed_config": {"@type": type_}}
    with pytest.raises(Unreadable, match=why) as raised:
        read_json(value, listener_components_pb2.Filter())
    assert raised.value.path == ("typed_config", "@type")


def test_unknown_fields_are_told_when_asked() -> None:
    with pytest.raises(Unreadable, match="no_such"):
        read_json({"no_such": 1}, cluster_pb2.Cluster(), strict=True)
