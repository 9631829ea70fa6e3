"""Which connections of a pod its Envoy takes over: the rules of Istio's init container
(tools/istio-iptables).

Istio tells Envoy's own connections by their uid. A user namespace may have one uid only, so here
they carry a mark: the bootstrap has Envoy set SO_MARK on every upstream socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from msgspec import Struct

from varka.base.digits import number
from varka.local.system import nft
from varka.local.system.nft import Chain, Hook, Rule

ENVOY_MARK = 1337
OUTBOUND_PORT, INBOUND_PORT = 15001, 15006
TUNNEL_PORT = 15008
TABLE = "istio"
_INBOUND_SOURCE = "127.0.0.6/32"
_LOOPBACK = "127.0.0.1/32"
_PROXY_PORTS = (15090, 15021, 15020)
_PREFIX = "traffic.sidecar.istio.io/"


class Capture(Struct, frozen=True):
    """The `traffic.sidecar.istio.io/*` annotations of a pod; None stands for `*`, everything."""

    include_inbound_ports: tuple[int, ...] | None = None
    exclude_inbound_ports: tuple[int, ...] = ()
    include_outbound_ports: tuple[int, ...] = ()
    exclude_outbound_ports: tuple[int, ...] = ()
    include_outbound_ranges: tuple[str, ...] | None = None
    exclude_outbound_ranges: tuple[str, ...] = ()


def from_annotations(annotations: Mapping[str, str], interception: str = "") -> Capture | None:
    """What a pod's annotations ask for; None when nothing is captured (mode NONE; `interception` is
    used where they name no mode). Raises ValueError."""
    if (annotations.get("sidecar.istio.io/interceptionMode") or interception) == "NONE":
        return None

    def words(name: str) -> tuple[str, ...]:
        return tuple(
            word.strip() for word in annotations.get(_PREFIX + name, "").split(",") if word.strip()
        )

    def ports(name: str) -> tuple[int, ...]:
        return tuple(_port(name, word) for word in words(name))

    def ranges(name: str) -> tuple[str, ...]:
        return tuple(_range(name, word) for word in words(name))

    every_port = annotations.get(_PREFIX + "includeInboundPorts", "*").strip() == "*"
    every_range = annotations.get(_PREFIX + "includeOutboundIPRanges", "*").strip() == "*"
    return Capture(
        include_inbound_ports=None if every_port else ports("includeInboundPorts"),
        exclude_inbound_ports=ports("excludeInboundPorts"),
        include_outbound_ports=ports("includeOutboundPorts"),
        exclude_outbound_ports=ports("excludeOutboundPorts"),
        include_outbound_ranges=None if every_range else ranges("includeOutboundIPRanges"),
        exclude_outbound_ranges=ranges("excludeOutboundIPRanges"),
    )


def _port(name: str, word: str) -> int:
    port = number(word)
    if port is None or port > 65535:
        raise ValueError(f"annotation {_PREFIX}{name}: {word!r} is not a port")
    return port


def _range(name: str, word: str) -> str:
    try:
        return str(IPv4Network(word, strict=False))
    except ValueError:
        raise ValueError(
            f"annotation {_PREFIX}{name}: {word!r} is not an IPv4 range such as 10.0.0.0/8"
        ) from None


def chains(
    capture: Capture, outbound: int = OUTBOUND_PORT, inbound: int = INBOUND_PORT
) -> list[Chain]:
    """The table of a pod's network namespace; the proxy listens on the ports `outbound` and
    `inbound`."""
    tcp = nft.protocol("tcp")
    to_inbound, to_outbound = nft.jump("ISTIO_IN_REDIRECT"), nft.jump("ISTIO_REDIRECT")
    return [
        Chain("ISTIO_REDIRECT", [[*tcp, *nft.redirect(outbound)]]),
        Chain("ISTIO_IN_REDIRECT", [[*tcp, *nft.redirect(inbound)]]),
        Chain("ISTIO_INBOUND", _inbound(capture, to_inbound)),
        Chain("ISTIO_OUTPUT", _outbound(capture, to_inbound, to_outbound)),
        Chain("PREROUTING", [[*tcp, *nft.jump("ISTIO_INBOUND")]], Hook(nft.PREROUTING, -100)),
        Chain("OUTPUT", [nft.jump("ISTIO_OUTPUT")], Hook(nft.OUTPUT, -100)),
    ]


def _inbound(capture: Capture, to_inbound: Rule) -> list[Rule]:
    tcp = nft.protocol("tcp")
    tunnel = [*tcp, *nft.destination_port(TUNNEL_PORT), *nft.leave()]
    if capture.include_inbound_ports is not None:
        return [
            tunnel,
            *(
                [*tcp, *nft.destination_port(port), *to_inbound]
                for port in capture.include_inbound_ports
            ),
        ]
    excluded = (*_PROXY_PORTS, *capture.exclude_inbound_ports)
    return [
        tunnel,
        *([*tcp, *nft.destination_port(port), *nft.leave()] for port in excluded),
        [*tcp, *to_inbound],
    ]


def _outbound(capture: Capture, to_inbound: Rule, to_outbound: Rule) -> list[Rule]:
    tcp, loopback = nft.protocol("tcp"), nft.out_interface("lo")
    envoy, others = nft.mark(ENVOY_MARK), nft.mark(ENVOY_MARK, negate=True)
    not_tunnel = nft.destination_port(TUNNEL_PORT, negate=True)
    excluded_ports = [
        [*nft.protocol(name), *nft.destination_port(port), *nft.leave()]
        for port in capture.exclude_outbound_ports
        for name in ("tcp", "udp")
    ]
    ranges = capture.include_outbound_ranges
    return [
        *excluded_ports,
        [*loopback, *nft.source(_INBOUND_SOURCE), *nft.leave()],
        [
            *loopback,
            *nft.destination(_LOOPBACK, negate=True),
            *tcp,
            *not_tunnel,
            *envoy,
            *to_inbound,
        ],
        [*loopback, *others, *nft.leave()],
        [*envoy, *nft.leave()],
        [*nft.destination(_LOOPBACK), *nft.leave()],
        *([*nft.destination(network), *nft.leave()] for network in capture.exclude_outbound_ranges),
        *(
            [*tcp, *nft.destination_port(port), *to_outbound]
            for port in capture.include_outbound_ports
        ),
        *(
            [to_outbound]
            if ranges is None
            else [[*nft.destination(network), *to_outbound] for network in ranges]
        ),
    ]
