"""Where TCP connections go, by routes and DestinationRules."""

from __future__ import annotations

from msgspec.structs import replace

from varka.base.duration import Duration
from varka.base.names import ClusterName, FieldPath, Hostname
from varka.envoy.istio_names import outbound_cluster
from varka.envoy.listeners.chains import TcpTarget, WeightedCluster, rule_field
from varka.mesh.model import MergedRule, MergedVirtualService, ScopedService
from varka.proxy.traits import Traits
from varka.registry.service import Protocol, Service, ServicePort
from varka.resources.model import networking


def idle_timeout(traits: Traits) -> Duration | None:
    """Node metadata IDLE_TIMEOUT; None when it is unset or no duration."""
    try:
        return Duration.parse(traits.idle_timeout) if traits.idle_timeout else None
    except ValueError:
        return None


def destination_cluster(
    destination: networking.Destination, found: ScopedService | None, listener_port: int
) -> ClusterName:
    """The port of the destination, else the only port of its service, else the listener's."""
    host, port = destination.host, listener_port
    if found is not None and found.service.external_name:
        host = found.service.external_name
    if destination.port is not None:
        port = destination.port.number
    elif found is not None and len(found.service.ports) == 1:
        port = found.service.ports[0].number
    return outbound_cluster(port, destination.subset, host)


def single(
    cluster: ClusterName,
    prefix: str,
    rule: MergedRule | None,
    subset: str,
    protocol: Protocol,
    traits: Traits,
    *,
    sni_forward: tuple[Hostname, int] | None = None,
    tunnelled: bool = True,
) -> TcpTarget:
    """To one cluster; `rule` is the DestinationRule of its host, whose `tunnel` is ignored unless
    `tunnelled`."""
    target = _target((WeightedCluster(cluster),), prefix, rule, subset, protocol, traits)
    return replace(target, sni_forward=sni_forward, tunnel=target.tunnel if tunnelled else None)


def to_routes(
    routes: tuple[networking.RouteDestination, ...],
    found: dict[str, ScopedService | None],
    port: ServicePort,
    owner: MergedVirtualService,
    path: FieldPath,
    traits: Traits,
    pattern: str = "",
) -> TcpTarget | None:
    """From `route` of the rule at `path` in the spec of its owner, for the `port` listened on. The
    first destination's DestinationRule sets timeouts, hash and tunnel. None when no destination has
    a weight."""
    destinations = [
        (r.destination, r.weight, rule_field(owner, *path, "route", index))
        for index, r in enumerate(routes)
        if r.destination is not None
    ]
    if not destinations:
        return None
    first, _, field = destinations[0]
    home = found.get(first.host)
    rule = home.rule if home is not None else None
    if len(destinations) == 1:
        cluster = destination_cluster(first, home, port.number)
        prefix = (
            stat_prefix(pattern, home.service, first.subset, port.number, port.name)
            if pattern and home
            else str(cluster)
        )
        only = (WeightedCluster(cluster, field=field),)
        return _target(only, prefix, rule, first.subset, port.protocol, traits)
    weighted = tuple(
        WeightedCluster(destination_cluster(d, found.get(d.host), port.number), weight, field)
        for d, weight, field in destinations
        if weight
    )
    if not weighted:
        return None
    return _target(
        weighted, f"{owner.key.name}.{owner.key.namespace}", rule, "", port.protocol, traits
    )


def stat_prefix(
    pattern: str,
    service: Service,
    subset: str,
    port: int,
    port_name: str = "",
    target_port: int = 0,
) -> str:
    """`outboundClusterStatName`/`inboundClusterStatName` with its variables replaced. The port is
    the one listened on, which a Sidecar or Gateway may name."""
    kubernetes = service.source.kind == "Service"
    for variable, value in (
        ("%SERVICE%", f"{service.name}.{service.namespace}" if kubernetes else service.hostname),
        ("%SERVICE_NAME%", service.name if kubernetes else service.hostname),
        ("%SERVICE_FQDN%", service.hostname),
        ("%SUBSET_NAME%", subset),
        ("%TARGET_PORT%", str(target_port)),
        ("%SERVICE_PORT%", str(port)),
        ("%SERVICE_PORT_NAME%", port_name),
    ):
        pattern = pattern.replace(variable, value)
    return pattern


def _target(
    clusters: tuple[WeightedCluster, ...],
    prefix: str,
    rule: MergedRule | None,
    subset: str,
    protocol: Protocol,
    traits: Traits,
) -> TcpTarget:
    policy = rule.policy if rule is not None else None
    pool = (
        policy.connection_pool.tcp
        if policy is not None and policy.connection_pool is not None
        else None
    )
    timeout = pool.idle_timeout if pool is not None else None
    return TcpTarget(
        clusters=clusters,
        stat_prefix=prefix,
        idle_timeout=timeout if timeout is not None else idle_timeout(traits),
        max_duration=pool.max_connection_duration if pool is not None else None,
        hash_source_ip=_hashes_source_ip(rule, subset),
        tunnel=_tunnel(rule, subset),
        mongo=protocol is Protocol.MONGO,
    )


def _subset(rule: MergedRule, name: str) -> networking.Subset | None:
    return next((s for s in rule.subsets if s.name == name), None)


def _hashes_source_ip(rule: MergedRule | None, subset: str) -> bool:
    """A subset that balances in its own way decides for itself."""
    if rule is None:
        return False
    balancer = rule.policy.load_balancer if rule.policy is not None else None
    found = _subset(rule, subset) if subset else None
    if (
        found is not None
        and found.traffic_policy is not None
        and found.traffic_policy.load_balancer is not None
    ):
        balancer = found.traffic_policy.load_balancer
    return (
        balancer is not None
        and balancer.consistent_hash is not None
        and bool(balancer.consistent_hash.use_source_ip)
    )


def _tunnel(rule: MergedRule | None, subset: str) -> tuple[str, bool] | None:
    """`trafficPolicy.tunnel` of the subset, or of the host when there is no subset: not
    inherited."""
    if rule is None:
        return None
    found = _subset(rule, subset) if subset else None
    policy = (found.traffic_policy if found is not None else None) if subset else rule.policy
    if policy is None or policy.tunnel is None:
        return None
    host = (
        f"[{policy.tunnel.target_host}]"
        if ":" in policy.tunnel.target_host
        else policy.tunnel.target_host
    )
    return f"{host}:{policy.tunnel.target_port}", policy.tunnel.protocol == "POST"
