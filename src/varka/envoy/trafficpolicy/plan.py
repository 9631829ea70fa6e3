"""Which clusters a service gets, and all that they depend on besides endpoints."""

from __future__ import annotations

from msgspec import Struct

from varka.base.names import FieldOrigin, ObjectKey
from varka.envoy.build import Build
from varka.envoy.trafficpolicy.discovery import Discovery, discovery
from varka.envoy.trafficpolicy.loadbalancer import Balancing, Client, balancing_of, client_of
from varka.envoy.trafficpolicy.policy import Policy, policy_of
from varka.mesh.model import MergedRule, ScopedService
from varka.proxy.node import Locality
from varka.registry.service import Service, ServicePort
from varka.resources.model import networking


class Planned(Struct, frozen=True, eq=False):
    """A cluster to make. The same object while nothing of it changed, so it is a cheap key for what
    is made of it."""

    kind: Discovery
    service: Service
    port: ServicePort
    subset: networking.Subset | None
    rule: MergedRule | None
    policy: Policy
    balancing: Balancing
    build: Build

    @property
    def subset_name(self) -> str:
        return self.subset.name if self.subset else ""

    def client(self, locality: Locality) -> Client:
        """A client in some place, as far as the cluster cares where it is."""
        return client_of(self.balancing, self.build.traits, locality)

    def assigned(
        self, locality: Locality
    ) -> tuple[Service, networking.Subset | None, Balancing, Client, str]:
        """What its load assignment depends on besides its name and endpoints: less than the
        cluster, so that clusters of different proxies share assignments."""
        return (
            self.service,
            self.subset,
            self.balancing,
            self.client(locality),
            self.build.traits.cluster_id,
        )

    @property
    def fields(self) -> tuple[FieldOrigin, ...]:
        """The subset, the policy, the service."""
        rule, service = self.rule, FieldOrigin(self.service.source)
        if rule is None:
            return (service,)
        subsets = zip(rule.subsets, rule.subset_fields, strict=False)
        subset = (field for subset, field in subsets if subset is self.subset)
        return (*subset, *((rule.policy_field,) if rule.policy_field else ()), service)

    @property
    def origins(self) -> tuple[ObjectKey, ...]:
        return (*(self.rule.sources if self.rule else ()), self.service.source)


def plan(build: Build, entry: ScopedService) -> tuple[Planned, ...]:
    """The clusters of a service: for each port that can have any one without and one for each
    subset."""
    rule = entry.rule
    found = []
    for port in entry.ports:
        whole = policy_of(rule, None, port.number, build.config)
        for subset in (None, *(rule.subsets if rule else ())):
            policy = policy_of(rule, subset, port.number, build.config) if subset else whole
            passthrough = whole.passthrough or policy.passthrough
            kind = discovery(entry.service, port, passthrough, subset is not None, build.traits)
            if kind is not None:
                balancing = balancing_of(entry.service, policy, build.config)
                found.append(
                    Planned(kind, entry.service, port, subset, rule, policy, balancing, build)
                )
    return tuple(found)
