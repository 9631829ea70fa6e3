"""Where listeners bind, and what addresses a service has for a proxy."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import partial

from envoy.config.core.v3 import address_pb2
from envoy.config.listener.v3 import listener_pb2

from varka.base.ip import is_ip
from varka.envoy import wkt
from varka.proxy.traits import Traits
from varka.registry.service import Registry, Service

UNSPECIFIED = "0.0.0.0"
UNSPECIFIED_V6 = "::"
UNIX = "unix://"


def wildcards(traits: Traits) -> tuple[str, ...]:
    """The primary wildcard address first; both for dual-stack proxies."""
    return tuple(
        address for address, on in ((UNSPECIFIED, traits.ipv4), (UNSPECIFIED_V6, traits.ipv6)) if on
    )


def loopbacks(traits: Traits) -> tuple[str, ...]:
    return tuple(
        address for address, on in (("127.0.0.1", traits.ipv4), ("::1", traits.ipv6)) if on
    )


def listener_name(bind: str, port: int) -> str:
    return f"{bind}_{port}"


def socket(bind: str, port: int) -> address_pb2.Address:
    """An address to bind: an IP, or `unix://<path>` whatever the port."""
    if bind.startswith(UNIX):
        return address_pb2.Address(pipe=address_pb2.Pipe(path=bind.removeprefix(UNIX)))
    return address_pb2.Address(
        socket_address=address_pb2.SocketAddress(address=bind, port_value=port)
    )


def additional(binds: Iterable[str], port: int) -> list[listener_pb2.AdditionalAddress]:
    return [listener_pb2.AdditionalAddress(address=socket(bind, port)) for bind in binds if bind]


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An address or CIDR as a masked network; None when it is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def cidr_range(text: str) -> address_pb2.CidrRange | None:
    """A `prefix_ranges` entry as written (host bits kept); None when it is the unspecified address
    or no address at all."""
    address, _, length = text.partition("/")
    if address == UNSPECIFIED or not is_ip(address):
        return None
    bits = int(length) if length else ipaddress.ip_address(address).max_prefixlen
    return address_pb2.CidrRange(address_prefix=address, prefix_len=wkt.uint32(bits))


def vips(service: Service, traits: Traits) -> tuple[tuple[str, ...], ...]:
    """The virtual addresses a service has for a proxy, one tuple for each listener: the first is
    primary, others of the same tuple are further addresses of it. Without any address: the
    unspecified one."""
    if service.registry is Registry.EXTERNAL and service.addresses:
        # Each address of a ServiceEntry is a destination of its own, whatever the proxy's IP
        # family.
        return tuple((host_address(address),) for address in service.addresses)
    usable = tuple(filter(partial(_in_family, traits), service.addresses))
    if usable:
        return (usable,)
    if not service.addresses and traits.dns_capture:
        automatic = tuple(filter(partial(_in_family, traits), service.auto_addresses))
        if automatic:
            return (automatic,)
    if service.addresses:
        return ((service.addresses[0],),)
    if service.registry is Registry.EXTERNAL:
        return (wildcards(traits),)
    return ((UNSPECIFIED,),)


def host_address(text: str) -> str:
    """A CIDR of one address is that address."""
    found = network(text)
    return str(found.network_address) if found is not None and found.num_addresses == 1 else text


def _in_family(traits: Traits, address: str) -> bool:
    return traits.ipv6 if ":" in address else traits.ipv4
