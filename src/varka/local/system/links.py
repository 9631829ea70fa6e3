"""Links, addresses and routes of a network namespace."""

from __future__ import annotations

import socket
from ipaddress import IPv4Network
from typing import Any

from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from varka.local.system.netlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    Netlink,
    request,
)

_NEWLINK, _DELLINK, _NEWADDR, _NEWROUTE = 16, 17, 20, 24
_IFF_UP = 1
_TABLE_MAIN, _PROTO_BOOT, _SCOPE_UNIVERSE, _SCOPE_LINK, _UNICAST = 254, 3, 0, 253, 1


class Links(Netlink):
    """rtnetlink of the namespace it is opened in."""

    def __init__(self) -> None:
        super().__init__(socket.NETLINK_ROUTE)

    def add_veth(self, name: str, peer: str, peer_netns: int) -> None:
        """A pair: `name` here, `peer` in the namespace of the descriptor `peer_netns`."""
        peer_part = {"attrs": [("IFLA_IFNAME", peer), ("IFLA_NET_NS_FD", peer_netns)]}
        info = {
            "attrs": [
                ("IFLA_INFO_KIND", "veth"),
                ("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", peer_part)]}),
            ]
        }
        self._do(ifinfmsg(), _NEWLINK, [("IFLA_IFNAME", name), ("IFLA_LINKINFO", info)])

    def delete(self, name: str) -> None:
        self.send([request(ifinfmsg(), _DELLINK, NLM_F_ACK, [("IFLA_IFNAME", name)])])

    def up(self, name: str) -> None:
        message = request(
            ifinfmsg(), _NEWLINK, NLM_F_ACK, [("IFLA_IFNAME", name)], flags=_IFF_UP, change=_IFF_UP
        )
        self.send([message])

    def add_address(self, name: str, address: str, prefix: int = 32) -> None:
        index = socket.if_nametoindex(name)
        attributes = [("IFA_LOCAL", address), ("IFA_ADDRESS", address)]
        self._do(
            ifaddrmsg(), _NEWADDR, attributes, family=socket.AF_INET, prefixlen=prefix, index=index
        )

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
        attributes: list[tuple[str, Any]] = [
            ("RTA_OIF", index or socket.if_nametoindex(name)),
            ("RTA_TABLE", _TABLE_MAIN),
        ]
        if network.prefixlen:
            attributes.append(("RTA_DST", str(network.network_address)))
        if via:
            attributes.append(("RTA_GATEWAY", via))
        if source:
            attributes.append(("RTA_PREFSRC", source))
        self._do(
            rtmsg(),
            _NEWROUTE,
            attributes,
            family=socket.AF_INET,
            dst_len=network.prefixlen,
            table=_TABLE_MAIN,
            proto=_PROTO_BOOT,
            scope=_SCOPE_UNIVERSE if via else _SCOPE_LINK,
            type=_UNICAST,
        )

    def _do(
        self, message: Any, kind: int, attributes: list[tuple[str, Any]], **fields: Any
    ) -> None:
        exclusive = NLM_F_REPLACE if kind == _NEWROUTE else NLM_F_EXCL
        self.send(
            [request(message, kind, NLM_F_ACK | NLM_F_CREATE | exclusive, attributes, **fields)]
        )
