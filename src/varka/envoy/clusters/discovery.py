"""How Envoy finds the endpoints of a service."""

from __future__ import annotations

from enum import StrEnum

from varka.envoy.clusters.policy import Policy, policy_of
from varka.mesh.model import MergedRule
from varka.proxy.node import ProxyType
from varka.proxy.traits import Traits
from varka.registry.model import Protocol, Resolution, Service, ServicePort
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig


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


def discovery(
    service: Service,
    port: ServicePort,
    rule: MergedRule | None,
    subset: networking.Subset | None,
    traits: Traits,
    config: MeshConfig,
) -> Discovery | None:
    """The kind of cluster for a service port and subset; None when there is none.

    Gateways have no original destination to pass on, so they get endpoints where sidecars pass through. A rule's
    PASSTHROUGH holds for its subsets too, whatever they say.
    """
    if port.protocol is Protocol.UDP or service.resolution is Resolution.ALIAS:
        return None
    if service.resolution is Resolution.DYNAMIC_DNS and service.hostname.startswith("*"):
        return Discovery.DYNAMIC if subset is None and port.protocol in _FORWARDED else None
    if _passthrough(policy_of(rule, None, port.number, config), policy_of(rule, subset, port.number, config)):
        return Discovery.ORIGINAL_DST
    if service.resolution is Resolution.DNS:
        return Discovery.STRICT_DNS
    if service.resolution is Resolution.DNS_ROUND_ROBIN:
        return Discovery.LOGICAL_DNS
    if service.resolution is Resolution.PASSTHROUGH and traits.type is not ProxyType.ROUTER:
        return Discovery.ORIGINAL_DST
    return Discovery.EDS


_FORWARDED = (Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC, Protocol.TLS)


def _passthrough(*policies: Policy) -> bool:
    return any(policy.passthrough for policy in policies)
