"""What one process needs, without sockets: reading, compiling, and the bytes of small changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.resource import TypeUrl
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
R = TypeVar("R")


def service(i: int, *, endpoint: int = 2, timeout: int = 3) -> tuple[str, str]:
    return f"{i}.yaml", _SERVICE.format(
        i=i, ns=i // 20, a=i // 250, b=i % 250 + 1, e=endpoint, t=timeout
    )


class Measured:
    """A control plane without sockets, and one proxy that asks for everything as Envoy does."""

    def __init__(self, proxy: dict[str, Any]) -> None:
        self._state, self._proxy = State(), from_document(proxy)
        self._compiler = Compiler(default_mesh_config(), Settings())
        self._responses = Responses()
        self._stream: DeltaStream | None = None

    def read(self, texts: Iterable[tuple[str, str]]) -> None:
        """Put the objects of these files that differ."""
        loaded, known = load(texts), self._state.resources
        changed = (r for r in loaded.resources if r.key not in known or known[r.key].raw != r.raw)
        self._state = self._state.updated((r, loaded.places[r.key]) for r in changed)

    def serve(self) -> int:
        """Bring the proxy up to date; the bytes that took."""
        before = sum(self._responses.sent_bytes.values())
        self._compiler.update(self._state)
        view = self._compiler.view(self._proxy)
        if self._stream is None:
            self._stream = DeltaStream(self._responses, view)
            for type_ in (TypeUrl.CLUSTER, TypeUrl.ENDPOINTS, TypeUrl.LISTENER, TypeUrl.ROUTE):
                names = (
                    tuple(r.name for r in view.of(type_))
                    if type_ in (TypeUrl.ENDPOINTS, TypeUrl.ROUTE)
                    else ()
                )
                self._stream.request(DeltaRequest(type_, names))
        else:
            self._stream.update(view)
        while (response := self._stream.next()) is not None:
            self._stream.request(DeltaRequest(response.type, nonce=response.nonce))
        return sum(self._responses.sent_bytes.values()) - before


def measure() -> dict[str, Any]:
    mesh = Measured(
        {"type": "sidecar", "name": "p", "namespace": "n0", "ip_addresses": ["10.9.9.9"]}
    )
    _, reading = timed(lambda: mesh.read(service(i) for i in range(SERVICES)))
    whole, first = timed(mesh.serve)
    figures: dict[str, Any] = {
        "services": SERVICES,
        "read_s": reading,
        "first_view_s": first,
        "first_view_bytes": whole,
    }
    for name, changed in (
        ("endpoint", service(7, endpoint=3)),
        ("route", service(7, endpoint=3, timeout=4)),
    ):
        mesh.read([changed])
        sent, took = timed(mesh.serve)
        figures[name] = {"s": took, "bytes": sent}
    return figures


def timed(function: Callable[[], R]) -> tuple[R, float]:
    began = time.perf_counter()
    result = function()
    return result, round(time.perf_counter() - began, 4)
