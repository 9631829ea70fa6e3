"""How the protocol of a port is chosen."""

from __future__ import annotations

from varka.registry.service import Protocol

_NAMES = {p.value.lower(): p for p in Protocol if p is not Protocol.AUTO}
_KUBERNETES = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.HTTPS,
}
_WELL_KNOWN_TCP = frozenset({25, 53, 3306, 27017})
"""SMTP, DNS, MySQL and MongoDB: where the server speaks first or sniffing is of no use."""


def parse(text: str) -> Protocol:
    """A protocol by Istio's name for it, in any case; AUTO when unknown."""
    return _NAMES.get(text.lower(), Protocol.AUTO)


def of_service_port(number: int, name: str, transport: str, app_protocol: str | None) -> Protocol:
    """The protocol of a Kubernetes Service port, the first of:

    - UDP where that is the transport;
    - `appProtocol`;
    - the part of the port's name before the first `-`;
    - TCP for numbers whose servers speak first;
    - AUTO.
    """
    if transport == "UDP":
        return Protocol.UDP
    text = name
    if app_protocol is not None:
        text = app_protocol
        if text in _KUBERNETES:
            return _KUBERNETES[text]
    if text.lower().startswith("grpc-web"):
        return Protocol.GRPC_WEB
    named = parse(text.partition("-")[0])
    return Protocol.TCP if named is Protocol.AUTO and number in _WELL_KNOWN_TCP else named
