"""Links, addresses and routes of a network namespace."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv4Network

from varka.local.system.netlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    Netlink,
    Request,
    attribute,
    nested,
    text,
)

_NEWLINK, _DELLINK, _NEWADDR, _NEWROUTE = 16, 17, 20, 24
_LINK, _ADDRESS, _ROUTE = struct.Struct("=BxHiII"), struct.Struct("=BBBBI"), struct.Struct("=8BI")
"""The fixed parts: `ifinfomsg`, `ifaddrmsg`, `rtmsg`."""
_IFF_UP = 1
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 3, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_TABLE = 1, 4, 5, 7, 15
_TABLE_MAIN, _PROTO_BOOT, _SCOPE_UNIVERSE, _SCOPE_LINK, _UNICAST = 254, 3, 0, 253, 1


class Links(Netlink):
    """rtnetlink of the namespace it is opened in. Every method raises OSError."""

    def __init__(self) -> None:
        super().__init__(socket.NETLINK_ROUTE)

    def add_veth(self, name: str, peer: str, peer_netns: int) -> None:
        """A pair: `name` here, `peer` in the namespace of the descriptor `peer_netns`."""
        peer_part = _link(text(_IFLA_IFNAME, peer), _number(_IFLA_NET_NS_FD, peer_netns))
        kind = text(_IFLA_INFO_KIND, "veth")
        data = nested(_IFLA_INFO_DATA, [nested(_VETH_INFO_PEER, [peer_part])])
        body = _link(text(_IFLA_IFNAME, name), nested(_IFLA_LINKINFO, [kind, data]))
        self._create(f"link {name}", _NEWLINK, body)

    def delete(self, name: str) -> None:
        body = _link(text(_IFLA_IFNAME, name))
        self.send([Request(f"link {name}", _DELLINK, NLM_F_ACK, body)])

    def up(self, name: str) -> None:
        body = _LINK.pack(0, 0, 0, _IFF_UP, _IFF_UP) + text(_IFLA_IFNAME, name)
        self.send([Request(f"link {name} up", _NEWLINK, NLM_F_ACK, body)])

    def add_address(self, name: str, address: str, prefix: int = 32) -> None:
        packed, index = IPv4Address(address).packed, socket.if_nametoindex(name)
        body = _ADDRESS.pack(socket.AF_INET, prefix, 0, 0, index)
        body += attribute(_IFA_LOCAL, packed) + attribute(_IFA_ADDRESS, packed)
        self._create(f"address {address} of {name}", _NEWADDR, body)

    def add_route(
        self,
        destination: str,
        name: str,
        via: str | None = None,
        source: str | None = None,
        index: int = 0,
    ) -> None:
        """A route to `destination` (a network) through the link `name` (or `index`), directly or by
        the gateway `via`."""
        network = IPv4Network(destination)
        scope = _SCOPE_UNIVERSE if via else _SCOPE_LINK
        fixed = (socket.AF_INET, network.prefixlen, 0, 0, _TABLE_MAIN, _PROTO_BOOT, scope, _UNICAST)
        attributes = [
            _number(_RTA_OIF, index or socket.if_nametoindex(name)),
            _number(_RTA_TABLE, _TABLE_MAIN),
        ]
        if network.prefixlen:
            attributes.append(attribute(_RTA_DST, network.network_address.packed))
        if via:
            attributes.append(attribute(_RTA_GATEWAY, IPv4Address(via).packed))
        if source:
            attributes.append(attribute(_RTA_PREFSRC, IPv4Address(source).packed))
        body = _ROUTE.pack(*fixed, 0) + b"".join(attributes)
        self._create(f"route to {destination} through {name}", _NEWROUTE, body)

    def _create(self, what: str, kind: int, body: bytes) -> None:
        exclusive = NLM_F_REPLACE if kind == _NEWROUTE else NLM_F_EXCL
        self.send([Request(what, kind, NLM_F_ACK | NLM_F_CREATE | exclusive, body)])


def _link(*attributes: bytes) -> bytes:
    return _LINK.pack(0, 0, 0, 0, 0) + b"".join(attributes)


def _number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))
