"""Service addresses without a sidecar and the way out of the mesh, as rules of the node's
namespace."""

from __future__ import annotations

from collections.abc import Iterable

from varka.local.network.addresses import (
    DNS_ADDRESS,
    GATEWAY,
    HOST_ADDRESS,
    POD_RANGE,
    SERVICE_RANGE,
)
from varka.local.system import nft
from varka.local.system.nft import Chain, Hook, Rule
from varka.local.workload.services import Forward

TABLE = "varka"
_CLOSED_PORT = 1


def chains(forwarded: Iterable[Forward], pod_ips: Iterable[str], relay_port: int) -> list[Chain]:
    """The node's table: Service addresses to pods; what is no address of the mesh to the relay,
    which leaves it."""
    tcp = nft.protocol("tcp")
    to_relay = [*tcp, *nft.dnat(GATEWAY, relay_port)]
    rules: list[Rule] = [
        *([*nft.destination(f"{address}/32"), *nft.accept()] for address in (DNS_ADDRESS, GATEWAY)),
        *(rule for forward in forwarded for rule in _forward(forward)),
        *(
            [*nft.destination(SERVICE_RANGE), *nft.protocol(name), *nft.dnat(GATEWAY, _CLOSED_PORT)]
            for name in ("tcp", "udp")
        ),
        [*nft.destination(f"{HOST_ADDRESS}/32"), *to_relay],
        [*nft.destination(POD_RANGE), *nft.accept()],
        [*nft.destination("127.0.0.0/8"), *nft.accept()],
        to_relay,
    ]
    hairpins = [
        [*nft.source(f"{ip}/32"), *nft.destination(f"{ip}/32"), *nft.masquerade()] for ip in pod_ips
    ]
    return [
        Chain("SERVICES", rules),
        Chain("PREROUTING", [nft.jump("SERVICES")], Hook(nft.PREROUTING, -100)),
        Chain("OUTPUT", [nft.jump("SERVICES")], Hook(nft.OUTPUT, -100)),
        Chain("POSTROUTING", hairpins, Hook(nft.POSTROUTING, 100)),
    ]


def _forward(forward: Forward) -> Iterable[Rule]:
    """One rule for each backend: the first takes one connection in n, the next one in n-1 of the
    rest, the last all."""
    match = [
        *nft.destination(f"{forward.address}/32"),
        *nft.protocol(forward.protocol),
        *nft.destination_port(forward.port),
    ]
    for left, (address, port) in zip(
        range(len(forward.backends), 0, -1), forward.backends, strict=True
    ):
        yield [*match, *nft.one_in(left), *nft.dnat(address, port)]
