"""Addresses as Envoy writes them."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton

from envoy.config.core.v3 import address_pb2

UNIX = "unix://"


def address(host: str, port: int) -> address_pb2.Address:
    """A socket, or a pipe for `unix://` paths (and whatever has no port, as in Istio)."""
    if port == 0:
        return address_pb2.Address(pipe=address_pb2.Pipe(path=host.removeprefix(UNIX)))
    return address_pb2.Address(
        socket_address=address_pb2.SocketAddress(address=host, port_value=port)
    )


def is_ip(host: str) -> bool:
    """Asked for every endpoint, so it parses no more than it must."""
    try:
        inet_pton(AF_INET6 if ":" in host else AF_INET, host)
    except (OSError, ValueError):
        return False
    return True
