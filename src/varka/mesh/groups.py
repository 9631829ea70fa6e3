"""Service groups: the services of a namespace with the rules that clients apply to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.mesh.destinationrules import RuleTable, rules_of
from varka.mesh.imports import ImportedServices
from varka.mesh.model import MergedRule, ScopedService, ServiceGroup
from varka.registry.endpoints import EndpointTable
from varka.registry.service import Endpoint, Service, ServicePort
from varka.registry.topology import HOSTNAME
from varka.resources.model import networking

Endpoints = Callable[[Service, ServicePort], tuple[Endpoint, ...]]
"""The endpoints of a service port, in a stable order: `GroupEndpoints`, `MeshSnapshot.endpoints`.
"""


def make_group(
    memo: Memo, picks: ImportedServices, local: RuleTable, exported: RuleTable, root: RuleTable
) -> ServiceGroup:
    """The tables: of the client's namespace, of the services' namespace, of the root namespace.
    Where different tables lead to the same rules, the group is the same."""
    services = tuple(
        ScopedService(service, ports, *rules_of(service.hostname, local, exported, root))
        for service, ports in picks.entries
    )
    return memo(group_of, picks.namespace, services)


def group_of(namespace: Namespace, services: tuple[ScopedService, ...]) -> ServiceGroup:
    policies = [p for entry in services for p in load_balancers(entry.rule)]
    return ServiceGroup(
        namespace,
        services,
        index={entry.service.hostname: entry for entry in services},
        needs_locality=any(_needs_locality(entry.service, entry.rule) for entry in services),
        label_keys=frozenset(
            key
            for lb in policies
            for setting in (lb.locality_lb_setting, lb.zone_aware_lb_setting)
            for key in failover_labels(setting)
        )
        | {
            HOSTNAME for entry in services if entry.service.traffic_distribution == "PreferSameNode"
        },
    )


class GroupEndpoints(Struct, frozen=True, eq=False):
    """The endpoints of a group's services, by service and port: the same object while none of them
    changed."""

    _tables: Mapping[Service, EndpointTable]

    def __call__(self, service: Service, port: ServicePort) -> tuple[Endpoint, ...]:
        return self._tables[service].of(port)


def group_endpoints(group: ServiceGroup, tables: tuple[EndpointTable, ...]) -> GroupEndpoints:
    return GroupEndpoints(
        dict(zip((entry.service for entry in group.services), tables, strict=True))
    )


def load_balancers(rule: MergedRule | None) -> Iterable[networking.LoadBalancerSettings]:
    return (p.load_balancer for p in _policies(rule) if p.load_balancer)


def failover_labels(
    setting: networking.LocalityLoadBalancerSetting
    | networking.ZoneAwareLoadBalancerSetting
    | None,
) -> Iterable[str]:
    """The labels of `failoverPriority`, whose entries are `label` or `label=value`."""
    return (entry.partition("=")[0] for entry in setting.failover_priority) if setting else ()


def _needs_locality(service: Service, rule: MergedRule | None) -> bool:
    """Localities weigh with outlier detection (failover), with `distribute`, or by the service's
    traffic distribution."""
    if service.traffic_distribution:
        return True
    for policy in _policies(rule):
        balancer = policy.load_balancer
        setting = balancer.locality_lb_setting if balancer else None
        zones = balancer.zone_aware_lb_setting if balancer else None
        if (
            policy.outlier_detection is not None
            or zones is not None
            or (setting is not None and setting.distribute)
        ):
            return True
    return False


def _policies(
    rule: MergedRule | None,
) -> Iterable[networking.TrafficPolicy | networking.PortTrafficPolicy]:
    if rule is None:
        return
    for policy in (rule.policy, *(subset.traffic_policy for subset in rule.subsets)):
        if policy is not None:
            yield policy
            yield from policy.port_level_settings
