"""Addresses as Envoy writes them."""

from __future__ import annotations

from envoy.config.core.v3 import address_pb2

UNIX = "unix://"


def address(host: str, port: int) -> address_pb2.Address:
    """A socket, or a pipe for `unix://` paths (and whatever has no port, as in Istio)."""
    if port == 0:
        return address_pb2.Address(pipe=address_pb2.Pipe(path=host.removeprefix(UNIX)))
    return address_pb2.Address(
        socket_address=address_pb2.SocketAddress(address=host, port_value=port)
    )
