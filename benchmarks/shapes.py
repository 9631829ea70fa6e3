"""The shapes that Istio's own benchmarks have, in one process without sockets: 1,000 gateways'
hosts, 100 services of each protocol, a ServiceEntry with 1,000 endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.core import Measured, timed

PROTOCOLS = ("http", "http2", "grpc", "tcp", "tls", "https", "mongo", "redis", "mysql", "")
_GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec: {{selector: {{istio: ingressgateway}}, servers: [{servers}]}}
"""
_SERVER = "{{port: {{number: 80, name: http{i}, protocol: HTTP}}, hosts: [h{i}.example.com]}}"
_RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: h{i}}}
spec:
  hosts: [h{i}.example.com]
  gateways: [{gateway}]
  http: [{{timeout: {t}s, route: [{{destination: {{host: backend}}}}]}}]
"""
_BACKEND = """
apiVersion: v1
kind: Service
metadata: {name: backend}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 8080}]}
"""
_SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{clusterIP: 10.{a}.{b}.{c}, ports: [{{name: {port}, port: {number}}}]}}
"""
_ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: big}
spec:
  hosts: [big.example.com]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: ENDPOINTS
"""


@dataclass(frozen=True)
class Shape:
    proxy: dict[str, Any]
    texts: Callable[[], Iterator[tuple[str, str]]]
    change: tuple[str, str]
    """A file that is another afterwards."""


def rule(i: int, gateway: str, timeout: int = 3) -> tuple[str, str]:
    return f"h{i}.yaml", _RULE.format(i=i, gateway=gateway, t=timeout)


def gateways() -> Iterator[tuple[str, str]]:
    yield "backend.yaml", _BACKEND
    for i in range(1000):
        yield f"g{i}.yaml", _GATEWAY.format(name=f"g{i}", servers=_SERVER.format(i=i))
        yield rule(i, f"g{i}")


def servers() -> Iterator[tuple[str, str]]:
    yield "backend.yaml", _BACKEND
    yield (
        "g.yaml",
        _GATEWAY.format(name="g", servers=", ".join(_SERVER.format(i=i) for i in range(1000))),
    )
    yield from (rule(i, "g") for i in range(1000))


def protocol(name: str, i: int, number: int = 0) -> tuple[str, str]:
    at = PROTOCOLS.index(name)
    port = name or "unnamed"
    text = _SERVICE.format(
        name=f"{port}-{i}", a=at + 1, b=0, c=i + 1, port=name or "'x'", number=number or 1000 + at
    )
    return f"{port}-{i}.yaml", text


def protocols() -> Iterator[tuple[str, str]]:
    return (protocol(name, i) for name in PROTOCOLS for i in range(100))


def entry(last: int = 1) -> tuple[str, str]:
    addresses = [f"{{address: 10.{i // 250}.{i % 250}.1}}" for i in range(999)]
    return "entry.yaml", _ENTRY.replace(
        "ENDPOINTS", f"[{', '.join(addresses)}, {{address: 10.200.0.{last}}}]"
    )


SIDECAR = {"type": "sidecar", "name": "p", "namespace": "default", "ip_addresses": ["10.99.9.9"]}
ROUTER = {**SIDECAR, "type": "router", "labels": {"istio": "ingressgateway"}}
SHAPES = {
    "1000_gateways": Shape(ROUTER, gateways, rule(7, "g7", timeout=4)),
    "1000_servers_of_one_gateway": Shape(ROUTER, servers, rule(7, "g", timeout=4)),
    "100_services_of_each_protocol": Shape(SIDECAR, protocols, protocol("tcp", 7, number=4444)),
    "1000_endpoints": Shape(SIDECAR, lambda: iter([entry()]), entry(last=2)),
}


def measure() -> dict[str, Any]:
    return {name: _measured(shape) for name, shape in SHAPES.items()}


def _measured(shape: Shape) -> dict[str, Any]:
    mesh = Measured(shape.proxy)
    _, reading = timed(lambda: mesh.read(shape.texts()))
    first, took = timed(mesh.serve)
    _, again = timed(lambda: mesh.read([shape.change]))
    more, changed = timed(mesh.serve)
    return {
        "read_s": reading,
        "first_view_s": took,
        "first_view_bytes": first,
        "change": {"read_s": again, "s": changed, "bytes": more},
    }
