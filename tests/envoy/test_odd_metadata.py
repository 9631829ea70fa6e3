"""Whatever a proxy says of itself, it is refused with a reason or gets a view."""

from __future__ import annotations

from typing import Any

import pytest

from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.proxy.node import from_node
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.state import State

MESH = """
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {clusterIP: 10.0.0.1, selector: {app: a}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: a}}
status: {podIP: 10.1.1.1}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec:
  selector: {app: a}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""
ID = "{}~10.1.1.1~p.default~default.svc.cluster.local"
ODD: tuple[Any, ...] = (
    *("", "x", "-1", "²", "9" * 5000, 3.0, 1e30, float("nan"), True, None),
    *([], ["x"], [1.0], {}, {"a": 1.0}, {"a": {"b": "c"}}, {"value": 3.0, "disabled": "x"}),
)
KEYS = (
    *("NAMESPACE", "LABELS", "INSTANCE_IPS", "SERVICE_ACCOUNT", "CLUSTER_ID", "NETWORK"),
    *("INTERCEPTION_MODE", "DNS_CAPTURE", "HTTP10", "IDLE_TIMEOUT", "UNPRIVILEGED_POD"),
    *("PROXY_CONFIG", "ENVOY_STATUS_PORT", "ENVOY_PROMETHEUS_PORT", "HTTP_PROXY_PORT"),
    *("NODE_NAME", "ISTIO_VERSION"),
)
FIELDS = {
    "gatewayTopology": ("numTrustedProxies", "forwardClientCertDetails"),
    "proxyHeaders": ("forwardedClientCert", "server", "attemptCount", "xForwardedHost"),
    "connectionSettings": ("httpIdleTimeout", "http2InitialStreamWindowSize"),
    "tracing": ("zipkin", "sampling", "customTags"),
}


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    found = load([("mesh.yaml", MESH)])
    compiler = Compiler(default_mesh_config(), Settings())
    compiler.update(State().updated((r, found.places[r.key]) for r in found.resources))
    return compiler


def see(compiler: Compiler, metadata: dict[str, Any]) -> None:
    for kind in ("sidecar", "router"):
        try:
            proxy = from_node(ID.format(kind), {"LABELS": {"app": "a"}, **metadata})
        except ValueError:
            continue
        compiler.view(proxy)
        compiler.route(proxy, "80")


@pytest.mark.parametrize("key", KEYS)
def test_odd_metadata(compiler: Compiler, key: str) -> None:
    for value in ODD:
        see(compiler, {key: value})


@pytest.mark.parametrize("name", FIELDS)
def test_odd_proxy_configs(compiler: Compiler, name: str) -> None:
    for value in ODD:
        see(compiler, {"PROXY_CONFIG": {name: value}})
        for field in FIELDS[name]:
            see(compiler, {"PROXY_CONFIG": {name: {field: value}}})


@pytest.mark.parametrize("id_", ["", "sidecar", "sidecar~1~p.d", "sidecar~1~p.d~e~f", "car~1~p~d"])
def test_an_id_that_is_not_istios_is_refused(id_: str) -> None:
    with pytest.raises(ValueError, match=r"id|ProxyType"):
        from_node(id_, {})
