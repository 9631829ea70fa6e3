"""How Envoy finds the endpoints of a service."""

from __future__ import annotations

from enum import StrEnum

from varka.proxy.node import ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import Protocol, Resolution, Service, ServicePort


class Discovery(StrEnum):
    """Names as in Envoy's `Cluster.type`; DYNAMIC is the dynamic forward proxy."""

    EDS = "EDS"
    STRICT_DNS = "STRICT_DNS"
    LOGICAL_DNS = "LOGICAL_DNS"
    ORIGINAL_DST = "ORIGINAL_DST"
    DYNAMIC = "DYNAMIC"

    @property
    def by_dns(self) -> bool:
        return self in (Discovery.STRICT_DNS, Discovery.LOGICAL_DNS)


_FORWARDED = (Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC, Protocol.TLS)


def discovery(
    service: Service, port: ServicePort, passthrough: bool, subset: bool, traits: Traits
) -> Discovery | None:
    """The kind of cluster for a service port (or a subset of it); None when there is none.

    `passthrough`: its rule balances by PASSTHROUGH; of a rule as a whole that holds for its subsets
    too, whatever they say. Gateways have no original destination to pass on, so they get endpoints
    where sidecars pass through.
    """
    if port.protocol is Protocol.UDP or service.resolution is Resolution.ALIAS:
        return None
    if service.resolution is Resolution.DYNAMIC_DNS and service.hostname.startswith("*"):
        return Discovery.DYNAMIC if not subset and port.protocol in _FORWARDED else None
    if passthrough:
        return Discovery.ORIGINAL_DST
    if service.resolution is Resolution.DNS:
        return Discovery.STRICT_DNS
    if service.resolution is Resolution.DNS_ROUND_ROBIN:
        return Discovery.LOGICAL_DNS
    if service.resolution is Resolution.PASSTHROUGH and traits.type is not ProxyType.ROUTER:
        return Discovery.ORIGINAL_DST
    return Discovery.EDS
