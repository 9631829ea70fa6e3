"""The outbound listeners of sidecars: one for each address and port of services.

HTTP ports share a wildcard listener for all their hosts; TCP ports have one for each virtual
address. Nothing binds but `virtualOutbound`, which finds the others by the original destination.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from varka.base.names import Namespace
from varka.envoy.build import Build, ListenerBuild
from varka.envoy.istio_names import BLACK_HOLE, PASSTHROUGH
from varka.envoy.listeners.addresses import UNIX, loopbacks
from varka.envoy.listeners.build import Policy, outbound_listener
from varka.envoy.listeners.headless import HeadlessEndpoints, Pods
from varka.envoy.listeners.l4 import rules_of
from varka.envoy.listeners.merge import ListenerRequest, Place, Planned, merge
from varka.envoy.listeners.parts import ListenerParts
from varka.envoy.listeners.requests import Binding, GroupPlan, plan_group
from varka.envoy.listeners.tcp import destination_cluster
from varka.envoy.listeners.virtual import HTTP_PROXY_ROUTE, http_proxy, virtual_outbound
from varka.envoy.resource import EnvoyResource, Layer
from varka.mesh.hosts import overlaps
from varka.mesh.model import EgressListener, Scope, ServiceGroup
from varka.proxy.node import Interception
from varka.proxy.traits import Traits
from varka.resources.model.networking import CaptureMode


def outbound_layers(
    build: ListenerBuild,
    scope: Scope,
    namespace: Namespace,
    headless: HeadlessEndpoints,
) -> ListenerParts:
    """The listeners of one scope: a layer for each service group, one for places that groups share,
    and one of the proxy's own. None at all when `meshConfig.proxyListenPort` is 0. `namespace` is
    the client's, where rules ask for it."""
    if not build.config.proxy_listen_port:
        return ListenerParts((), frozenset())
    policy = policy_of(scope)
    existing: dict[Place, Planned] = {}
    layers: list[Layer] = []
    routes: set[str] = set()
    for egress in scope.egress:
        plans = _plans(build.base, scope, namespace, egress, dict(headless))
        # What the Sidecar named by port stays as it is: the port-less listener adds only the
        # others.
        locked = frozenset(existing) if egress.port is None else frozenset()
        crowded = _crowded(plans)
        for plan in plans:
            layer, named = build.once(
                _group_layer, plan, locked | (crowded & plan.own.keys()), policy
            )
            layers.append(layer)
            routes |= named
        existing = _joined(plans, crowded - locked, existing, locked)
    layers.append(_layer(build, existing.values(), policy))
    own, named = _own_layer(build, policy)
    routes.update(named, *(planned.routes for planned in existing.values()))
    return ListenerParts((*(layer for layer in layers if layer.resources), own), frozenset(routes))


def policy_of(scope: Scope) -> Policy:
    """`outboundTrafficPolicy` of the scope."""
    if not scope.allow_any and not scope.dynamic_dns:
        return Policy(BLACK_HOLE)
    if scope.egress_proxy is not None:
        return Policy(destination_cluster(scope.egress_proxy, None, 0), scope.dynamic_dns)
    return Policy(PASSTHROUGH, scope.dynamic_dns)


def _plans(
    build: Build,
    scope: Scope,
    namespace: Namespace,
    egress: EgressListener,
    headless: Mapping[ServiceGroup, Pods],
) -> list[GroupPlan]:
    binding = _binding(egress, build.traits)
    rules = rules_of(egress.virtual_services, scope, namespace)
    plans = []
    for group in egress.groups:
        wanted = tuple(
            rule for rule in rules if build.memo(_concerns, rule.source.spec.hosts, group)
        )
        pods = headless.get(group, ()) if not binding.binds else ()
        plans.append(build.once(plan_group, group, binding, wanted, pods))
    return plans


def _concerns(hosts: tuple[str, ...], group: ServiceGroup) -> bool:
    return any(overlaps(host, entry.service.hostname) for host in hosts for entry in group.services)


def _binding(egress: EgressListener, traits: Traits) -> Binding:
    unix = egress.bind.startswith(UNIX)
    to_port = traits.interception is Interception.NONE or egress.capture is CaptureMode.NONE or unix
    binds = (egress.bind,) if egress.bind else loopbacks(traits) if to_port else ()
    return Binding(binds, to_port, egress.port)


def _crowded(plans: Iterable[GroupPlan]) -> frozenset[Place]:
    """Addresses that services of several namespaces claim."""
    claims = Counter(place for plan in plans for place in plan.own)
    return frozenset(place for place, count in claims.items() if count > 1)


def _joined(
    plans: Iterable[GroupPlan],
    crowded: frozenset[Place],
    existing: dict[Place, Planned],
    locked: frozenset[Place],
) -> dict[Place, Planned]:
    requests: list[ListenerRequest] = []
    for plan in plans:
        requests += (request for request in plan.shared if request.place not in locked)
        requests += (
            request for place in crowded & plan.own.keys() for request in plan.requests[place]
        )
    return merge(sorted(requests, key=lambda request: request.age), existing)


def _group_layer(
    build: ListenerBuild, plan: GroupPlan, elsewhere: frozenset[Place], policy: Policy
) -> tuple[Layer, frozenset[str]]:
    planned = [found for place, found in plan.own.items() if place not in elsewhere]
    return _layer(build, planned, policy), frozenset[str]().union(
        *(found.routes for found in planned)
    )


def _layer(build: ListenerBuild, planned: Iterable[Planned], policy: Policy) -> Layer:
    resources = tuple(build.once(outbound_listener, found, policy) for found in planned)
    return build.memo(Layer.of, resources)


def _own_layer(build: ListenerBuild, policy: Policy) -> tuple[Layer, frozenset[str]]:
    traits = build.traits
    found: list[EnvoyResource] = []
    if traits.interception is not Interception.NONE:
        found.append(build.once(virtual_outbound, policy))
    port = traits.http_proxy_port or build.config.proxy_http_port
    if port:
        found.append(build.once(http_proxy, port, policy))
    return build.memo(Layer.of, tuple(found)), frozenset({HTTP_PROXY_ROUTE} if port else ())
