"""Clusters of the workload itself: where a sidecar hands accepted traffic to."""

from __future__ import annotations

from collections.abc import Mapping

from envoy.config.cluster.v3 import cluster_pb2

from varka.base.names import ObjectKey
from varka.envoy import wkt
from varka.envoy.addresses import UNIX, address
from varka.envoy.build import Build
from varka.envoy.clusters.builder import ClusterBuilder, service_metadata, stat_pattern
from varka.envoy.clusters.pool import apply_pool
from varka.envoy.clusters.protocol import apply_port_protocol
from varka.envoy.clusters.static import bind_source
from varka.envoy.istio_names import inbound_cluster
from varka.envoy.resource import EnvoyResource, Layer
from varka.envoy.trafficpolicy.policy import inbound_policy
from varka.mesh.model import Inbound, IngressListener, MergedRule
from varka.proxy.node import Interception
from varka.proxy.traits import Traits
from varka.registry.service import Protocol, Service, ServicePort, ServiceTarget
from varka.resources.model import networking
from varka.resources.model.mesh import InboundTrafficPolicyMode

Rules = Mapping[Service, MergedRule]

_FOREVER = (2**63 - 10**9) // 10**9
_LOOPBACK = ("127.0.0.1", "::1")


def inbound_layer(build: Build, inbound: Inbound, rules: Rules) -> Layer:
    """One cluster for each port the workload serves, or for each entry of `Sidecar.ingress`, which
    replaces them. `rules` are those that the workload's own scope applies to its services.

    Without capture nothing arrives at the services' ports but what the workload itself takes, so
    only `Sidecar.ingress` makes clusters there.
    """
    if inbound.ingress is not None:
        found = [_ingress(build, entry, inbound, rules) for entry in inbound.ingress]
        return build.memo(
            Layer.of, tuple({c.name: c for c in reversed(found) if c is not None}.values())
        )
    if build.traits.interception is Interception.NONE:
        return build.memo(Layer.of, ())
    shared: dict[int, list[ServiceTarget]] = {}
    for target in inbound.targets:
        shared.setdefault(target.target, []).append(target)
    return build.memo(
        Layer.of,
        tuple(
            build.once(
                service_port_cluster,
                tuple(targets),
                rules.get(targets[0].service),
                inbound.connection_pool,
            )
            for targets in shared.values()
        ),
    )


def service_port_cluster(
    build: Build,
    targets: tuple[ServiceTarget, ...],
    rule: MergedRule | None,
    pool: networking.ConnectionPoolSettings | None,
) -> EnvoyResource:
    """The cluster of a workload's port that one or more services name; the first (oldest)
    decides."""
    first = targets[0]
    local = build.config.inbound_traffic_policy
    localhost = local is not None and local.mode is InboundTrafficPolicyMode.LOCALHOST
    endpoint = (_loopback(build.traits), first.target) if localhost else None
    builder = _draft(build, first.target, endpoint, first.service, first.port)
    _describe(builder, [t.service for t in targets if t.port.number == first.port.number], rule)
    policy = inbound_policy(rule, first.port.number, build.config)
    apply_pool(builder, pool or policy.pool, policy.retry_budget, build.config)
    return builder.finish((*_origins(rule), *(t.service.source for t in targets)))


def ingress_cluster(
    build: Build,
    spec: networking.IstioIngressListener,
    service: Service | None,
    rule: MergedRule | None,
    pool: networking.ConnectionPoolSettings | None,
    sidecar: ObjectKey | None,
    addresses: tuple[str, ...],
) -> EnvoyResource | None:
    """The cluster of a `Sidecar.ingress` entry; None when its `defaultEndpoint` can't be read.

    Without `defaultEndpoint` traffic goes where it was sent to.
    """
    if spec.port is None:
        return None
    port = ServicePort(spec.port.name, spec.port.number, _protocol(spec.port.protocol))
    try:
        endpoint = _default_endpoint(spec.default_endpoint, addresses, build.traits)
    except ValueError:
        return None
    builder = _draft(build, port.number, endpoint, service, port)
    if service is not None:
        _describe(builder, [service], rule)
    policy = inbound_policy(rule, port.number, build.config)
    apply_pool(
        builder, spec.connection_pool or pool or policy.pool, policy.retry_budget, build.config
    )
    return builder.finish((*((sidecar,) if sidecar else ()), *_origins(rule)))


def _ingress(
    build: Build,
    entry: IngressListener,
    inbound: Inbound,
    rules: Rules,
) -> EnvoyResource | None:
    service = entry.target.service if entry.target else None
    rule = rules.get(service) if service else None
    return build.once(
        ingress_cluster,
        entry.spec,
        service,
        rule,
        inbound.connection_pool,
        inbound.sidecar,
        inbound.addresses,
    )


def _draft(
    build: Build,
    number: int,
    endpoint: tuple[str, int] | None,
    service: Service | None,
    port: ServicePort,
) -> ClusterBuilder:
    name = inbound_cluster(number)
    pattern = build.config.inbound_cluster_stat_name
    builder = ClusterBuilder.named(
        name, stat_pattern(pattern, service, port, target=number) if pattern and service else ""
    )
    cluster = builder.message
    if endpoint is None:
        cluster.type = cluster_pb2.Cluster.ORIGINAL_DST
        cluster.lb_policy = cluster_pb2.Cluster.CLUSTER_PROVIDED
        # There is one destination and it never goes away.
        cluster.cleanup_interval.CopyFrom(wkt.seconds(_FOREVER))
    else:
        cluster.type = cluster_pb2.Cluster.STATIC
        cluster.load_assignment.cluster_name = name
        cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint.address.CopyFrom(
            address(*endpoint)
        )
    if endpoint is None or endpoint[0] not in _LOOPBACK:
        bind_source(builder, build.traits)
    apply_port_protocol(build, builder, port)
    return builder


def _default_endpoint(
    text: str, addresses: tuple[str, ...], traits: Traits
) -> tuple[str, int] | None:
    """Where `defaultEndpoint` points: a loopback address, the instance's own (`0.0.0.0`, `[::]`), a
    Unix socket.

    Raises ValueError for anything without a port.
    """
    if not text:
        return None
    if text.startswith(UNIX):
        return text, 0
    host, _, port = text.rpartition(":")
    host, number = host.removeprefix("[").removesuffix("]"), int(port)
    if host == "0.0.0.0":
        return next((a for a in addresses if ":" not in a), _LOOPBACK[0]), number
    if host == "::":
        return next((a for a in addresses if ":" in a), _LOOPBACK[1]), number
    if host in _LOOPBACK:
        return (host if traits.ipv6 and traits.ipv4 else _loopback(traits)), number
    return None


def _loopback(traits: Traits) -> str:
    return _LOOPBACK[0] if traits.ipv4 or not traits.ipv6 else _LOOPBACK[1]


def _protocol(text: str) -> Protocol:
    """A protocol as `Sidecar.ingress[].port.protocol` writes it, in any case; TCP families and
    unknown ones as they are."""
    return next((p for p in Protocol if p.value.lower() == text.lower()), Protocol.AUTO)


def _describe(builder: ClusterBuilder, services: list[Service], rule: MergedRule | None) -> None:
    """Say whose port it is, and by which rule. What is outside the mesh is nobody's destination in
    telemetry."""
    if services[0].mesh_external:
        return
    named = {service.hostname: service for service in reversed(services)}
    builder.metadata["services"] = tuple(
        service_metadata(service) for service in reversed(named.values())
    )
    if rule is not None and rule.sources and rule.policy is not None:
        builder.made_from(rule.sources[0])


def _origins(rule: MergedRule | None) -> tuple[ObjectKey, ...]:
    return rule.sources if rule is not None else ()
