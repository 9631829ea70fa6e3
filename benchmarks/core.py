"""What one process needs, without sockets: reading, compiling, and the bytes of small changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.proxy.node import from_document
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.state import State
from varka.xds.delta import DeltaStream
from varka.xds.messages import DeltaRequest
from varka.xds.responses import Responses

SERVICES = 200
_SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: s{i}, namespace: n{ns}}}
spec: {{clusterIP: 10.0.{a}.{b}, selector: {{app: s{i}}}, ports: [{{name: http, port: 8080}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s{i}, namespace: n{ns}, labels: {{kubernetes.io/service-name: s{i}}}}}
addressType: IPv4
ports: [{{name: http, port: 8080, protocol: TCP}}]
endpoints: [{{addresses: [10.1.{a}.{b}]}}, {{addresses: [10.{e}.{a}.{b}]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: s{i}, namespace: n{ns}}}
spec: {{hosts: [s{i}], http: [{{timeout: {t}s, route: [{{destination: {{host: s{i}}}}}]}}]}}
"""
_TYPES = ("config.cluster.v3.Cluster", "config.listener.v3.Listener")


def service(i: int, *, endpoint: int = 2, timeout: int = 3) -> tuple[str, str]:
    return f"{i}.yaml", _SERVICE.format(i=i, ns=i // 20, a=i // 250, b=i % 250 + 1, e=endpoint, t=timeout)


def measure() -> dict[str, Any]:
    loaded, reading = _timed(lambda: load(service(i) for i in range(SERVICES)))
    state = State().updated((r, loaded.origins[r.key]) for r in loaded.resources)
    compiler = Compiler(default_mesh_config(), Settings())
    proxy = from_document({"type": "sidecar", "name": "p", "namespace": "n0", "ip_addresses": ["10.9.9.9"]})
    _, first = _timed(lambda: (compiler.update(state), compiler.view(proxy)))
    responses = Responses()
    stream = DeltaStream(responses, compiler.view(proxy))
    for type_ in _TYPES:
        stream.request(DeltaRequest(f"type.googleapis.com/envoy.{type_}"))
    endpoints = tuple(r.name for r in stream.view.of(_type("ENDPOINTS")))
    stream.request(DeltaRequest(_type("ENDPOINTS"), endpoints))
    stream.request(DeltaRequest(_type("ROUTE"), tuple(r.name for r in stream.view.of(_type("ROUTE")))))
    _drain(stream)
    whole = sum(responses.sent_bytes.values())
    figures = {"services": SERVICES, "read_s": reading, "first_view_s": first, "first_view_bytes": whole}
    for name, changed in (("endpoint", service(7, endpoint=3)), ("route", service(7, endpoint=3, timeout=4))):
        found = load([changed])
        state = state.updated((r, found.origins[r.key]) for r in found.resources if _differs(state, r))
        before = sum(responses.sent_bytes.values())
        _, took = _timed(lambda now=state: (compiler.update(now), stream.update(compiler.view(proxy)), _drain(stream)))
        figures[name] = {"s": took, "bytes": sum(responses.sent_bytes.values()) - before}
    return figures


def _differs(state: State, resource: Any) -> bool:
    return bool(state.resources[resource.key].raw != resource.raw)


def _type(name: str) -> Any:
    from varka.envoy.resource import TypeUrl

    return TypeUrl[name]


def _drain(stream: DeltaStream) -> None:
    while (response := stream.next()) is not None:
        stream.request(DeltaRequest(response.type, nonce=response.nonce))


def _timed(function: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    result = function()
    return result, round(time.perf_counter() - began, 4)
