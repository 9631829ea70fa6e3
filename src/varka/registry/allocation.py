"""Addresses for ServiceEntries that have none, so that proxies with DNS capture can tell TCP
services apart.

Istio either writes them to `status.addresses` (`PILOT_ENABLE_IP_AUTOALLOCATE`) or derives them from
the names; a status that is there is obeyed, and all others are derived, which needs no memory and
no writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from varka.registry.service import Resolution, Service
from varka.resources.model import networking
from varka.resources.resource import Resource

_SLOTS = 256 * 254
_PRIME = 65011
_OPT_OUT = "networking.istio.io/enable-autoallocate-ip"


def wants_addresses(service: Service) -> bool:
    """It has no address of its own, and a client's address can be resolved back to it."""
    if service.addresses or service.resolution is Resolution.PASSTHROUGH or service.external_name:
        return False
    if service.labels.get(_OPT_OUT, "").lower() == "false":
        return False
    return not service.hostname.startswith("*") or service.resolution is Resolution.DYNAMIC_DNS


def declared(resource: Resource[networking.ServiceEntry]) -> dict[str, tuple[str, ...]]:
    """The addresses that the object's `status.addresses` gives each host."""
    addresses: dict[str, tuple[str, ...]] = {}
    for entry in (resource.raw.get("status") or {}).get("addresses") or ():
        host, value = str(entry.get("host", "")), str(entry.get("value", ""))
        if value:
            addresses[host] = (*addresses.get(host, ()), value)
    return addresses


def derive(keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Addresses (IPv4, IPv6) by key `namespace/host`: the place of the key's hash in the range, as
    in Istio; on collision a second hash. Oldest first: who comes first keeps the place, so the
    order of keys matters. A key that comes twice takes two places and keeps the address of the
    lower one."""
    slots: dict[int, str] = {}
    for key in keys:
        if len(slots) >= _SLOTS:
            break
        slots[_slot(key, slots)] = key
    return _number(slots)


def _slot(key: str, taken: Mapping[int, str]) -> int:
    first = _fnv1a(key.encode())
    slot, round_ = first % _SLOTS, 1
    while slot in taken:
        slot = ((first + round_ * (_PRIME - first % _PRIME)) & 0xFFFFFFFF) % (_SLOTS - 1)
        round_ += 1
    return slot


def _number(slots: Mapping[int, str]) -> dict[str, tuple[str, ...]]:
    """The addresses of each key. A slot whose IPv4 address would end with `.0` or `.255` moves on
    by one, and so do all slots behind it."""
    result: dict[str, tuple[str, ...]] = {}
    shift = 1
    for slot in sorted(slots):
        if (slot + shift) % 255 == 0:
            shift += 1
        third, fourth = divmod(slot + shift, 255)
        tail = f"{fourth:x}" if third == 0 else f"{third:x}{fourth:x}"
        result.setdefault(slots[slot], (f"240.240.{third}.{fourth}", f"2001:2::f0f0:{tail}"))
    return result


def _fnv1a(data: bytes) -> int:
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value
