"""Host names and their addresses, as Istio's name table (NDS) has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from varka.registry.service import Registry, Service


def name_table(services: Iterable[Service]) -> dict[str, dict[str, Any]]:
    """Services that have addresses, by host; of two with one host the first (older) one."""
    table: dict[str, dict[str, Any]] = {}
    for service in services:
        ips = [a for a in service.addresses if "/" not in a] or list(service.auto_addresses)
        if not ips or service.hostname in table:
            continue
        entry: dict[str, Any] = {"ips": ips, "registry": str(service.registry)}
        if service.registry is Registry.KUBERNETES:
            entry |= {"shortname": service.name, "namespace": service.namespace}
        table[service.hostname] = entry
    return table
