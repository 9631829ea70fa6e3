"""Scopes: what the clients of a namespace (or of a Sidecar in it) see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace, ObjectKey
from varka.mesh import destinationrules
from varka.mesh.destinationrules import NO_RULES, NamespaceRules, RuleBook, RuleTable
from varka.mesh.groups import failover_labels, make_group
from varka.mesh.imports import (
    ImportedServices,
    Imports,
    Pick,
    make_picks,
    only,
    parse,
    pick,
    without,
)
from varka.mesh.model import EgressListener, MergedVirtualService, Scope, ServiceGroup
from varka.mesh.virtualservices import GATEWAY_SEMANTICS, MESH, VirtualServiceBook, destinations
from varka.registry.catalogue import Catalogue
from varka.registry.protocol import parse as parse_protocol
from varka.registry.service import Protocol, Registry, Service
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig, OutboundTrafficPolicyMode
from varka.resources.model.networking import IstioEgressListener
from varka.resources.resource import Resource

Sidecar = Resource[networking.Sidecar]
_NO_RULES = NamespaceRules(NO_RULES, NO_RULES, NO_RULES, False, ())
_EVERYTHING = IstioEgressListener(hosts=("*/*",))
PicksByNamespace = dict[Namespace, ImportedServices]


class Sources(Struct, frozen=True, eq=False):
    """What scopes are made of."""

    catalogue: Catalogue
    rules: RuleBook
    virtual_services: VirtualServiceBook
    config: MeshConfig
    root_namespace: Namespace


def make_scope(
    memo: Memo,
    sources: Sources,
    namespace: Namespace,
    sidecar: Sidecar | None,
    selected: frozenset[ObjectKey],
) -> Scope:
    """What sidecars see. `selected`: the DestinationRules of the namespace whose `workloadSelector`
    matches them."""
    listeners = (sidecar.spec.egress if sidecar else ()) or (_EVERYTHING,)
    imported = [_import(memo, sources, namespace, listener) for listener in listeners]
    chosen = [
        (listener, picks, rules)
        for listener, (picks, rules) in zip(listeners, imported, strict=True)
    ]
    whole = _union(memo, sources, namespace, chosen)
    tables = _Tables.of(memo, sources, namespace, selected)
    groups = _groups(memo, tables, whole)
    egress = tuple(
        memo(
            EgressListener,
            listener.port,
            listener.bind,
            listener.capture_mode,
            groups if picks is whole else _groups(memo, tables, picks),
            rules,
        )
        for listener, picks, rules in chosen
    )
    return memo(scope_of, sidecar, egress, groups, sources.config)


def make_router_scope(
    memo: Memo,
    sources: Sources,
    namespace: Namespace,
    selected: frozenset[ObjectKey],
    needed: frozenset[str] | None,
) -> Scope:
    """What routers see: every visible service, or those `needed`; rules reach them through their
    gateways."""
    picks, _ = _import(memo, sources, namespace, _EVERYTHING)
    if needed is not None:
        picks = {name: memo(only, each, needed) for name, each in picks.items()}
    groups = _groups(memo, _Tables.of(memo, sources, namespace, selected), picks)
    return memo(scope_of, None, (), groups, sources.config)


def scope_of(
    sidecar: Sidecar | None,
    egress: tuple[EgressListener, ...],
    groups: tuple[ServiceGroup, ...],
    config: MeshConfig,
) -> Scope:
    allow_any, dynamic_dns = _outbound_mode(sidecar, config)
    policy = sidecar.spec.outbound_traffic_policy if sidecar else None
    labels = [group.label_keys for group in groups]
    labels += [v.label_keys for listener in egress for v in listener.virtual_services]
    labels += [
        frozenset(failover_labels(s))
        for s in (config.locality_lb_setting, config.zone_aware_lb_setting)
    ]
    return Scope(
        egress=egress,
        groups=groups,
        allow_any=allow_any,
        dynamic_dns=dynamic_dns,
        egress_proxy=policy.egress_proxy if policy else None,
        needs_locality=any(g.needs_locality for g in groups) or _mesh_needs_locality(config),
        label_keys=frozenset[str]().union(*labels),
        asks_namespace=any(
            _asks_namespace(v.spec) for listener in egress for v in listener.virtual_services
        ),
        index={host: entry for group in groups for host, entry in group.index.items()},
    )


def _asks_namespace(spec: networking.VirtualService) -> bool:
    tcp = (m.source_namespace for r in spec.tcp for m in r.match)
    tls = (m.source_namespace for r in spec.tls for m in r.match)
    return any((*tcp, *tls))


def _outbound_mode(sidecar: Sidecar | None, config: MeshConfig) -> tuple[bool, bool]:
    """(unknown destinations are let through, and resolved by name)"""
    own = sidecar.spec.outbound_traffic_policy if sidecar else None
    if own is not None:
        return own.mode is networking.Mode.ALLOW_ANY, False
    mesh = config.outbound_traffic_policy
    if mesh is None:
        return True, False
    dynamic = mesh.mode is OutboundTrafficPolicyMode.ALLOW_ANY_DYNAMIC_DNS
    return dynamic or mesh.mode is OutboundTrafficPolicyMode.ALLOW_ANY, dynamic


def _mesh_needs_locality(config: MeshConfig) -> bool:
    default = config.default_traffic_policy
    setting = config.locality_lb_setting
    zones = config.zone_aware_lb_setting
    return bool(
        (default and default.outlier_detection) or zones or (setting and setting.distribute)
    )


def _import(
    memo: Memo, sources: Sources, namespace: Namespace, listener: IstioEgressListener
) -> tuple[PicksByNamespace, tuple[MergedVirtualService, ...]]:
    """What an egress listener has: services by namespace, and VirtualServices."""
    seen = sources.virtual_services.seen(namespace, MESH)
    if listener.hosts == _EVERYTHING.hosts:
        imports, rules = None, seen
    else:
        imports = memo(parse, listener.hosts, namespace)
        rules = memo(select_rules, seen, imports)
    port = _matched_port(listener)
    picks: PicksByNamespace = {}
    for name, services in sources.catalogue.namespaces.items():
        if imports is not None and not imports.reaches(name):
            continue
        hidden = frozenset(s for s in services.restricted if not s.visible_to(namespace))
        found = memo(pick, services, hidden, imports, port)
        if found.entries:
            picks[name] = found
    return _one_of_each_name(memo, sources.catalogue, namespace, picks), rules


def select_rules(
    seen: tuple[MergedVirtualService, ...], imports: Imports
) -> tuple[MergedVirtualService, ...]:
    return tuple(
        v
        for v in seen
        if imports.takes_rule(v.namespace, v.spec.hosts, whole=v.semantics == GATEWAY_SEMANTICS)
    )


def _matched_port(listener: IstioEgressListener) -> int:
    """The port that services must have to be on a listener; 0 for all: without a port, and for a
    forward proxy."""
    if listener.port is None or parse_protocol(listener.port.protocol) is Protocol.HTTP_PROXY:
        return 0
    return listener.port.number


def _one_of_each_name(
    memo: Memo, catalogue: Catalogue, namespace: Namespace, picks: PicksByNamespace
) -> PicksByNamespace:
    """Of a name that several namespaces have, the client's own namespace wins, else Kubernetes,
    else who is first."""
    losers: dict[Namespace, set[Service]] = {}
    for host in catalogue.contested:
        found = [
            s
            for s in catalogue.hosts[host]
            if s.namespace in picks and picks[s.namespace].hosts.get(host) is s
        ]
        for loser in sorted(found, key=lambda s: _claim(s, namespace))[1:]:
            losers.setdefault(loser.namespace, set()).add(loser)
    return {
        n: memo(without, p, frozenset(losers[n])) if n in losers else p for n, p in picks.items()
    }


def _claim(service: Service, namespace: Namespace) -> tuple[bool, bool, bool]:
    """Sort key: the service with the best claim to a name first; equal ones stay oldest first."""
    return (
        service.namespace != namespace,
        service.registry is not Registry.KUBERNETES,
        "*" in service.export_to,
    )


Chosen = tuple[IstioEgressListener, PicksByNamespace, tuple[MergedVirtualService, ...]]


def _union(
    memo: Memo, sources: Sources, namespace: Namespace, chosen: list[Chosen]
) -> PicksByNamespace:
    """The services of all listeners, and those that rules of a listener route to though it does not
    import them."""
    if len(chosen) == 1 and chosen[0][0].hosts == _EVERYTHING.hosts:
        here = sources.catalogue.namespaces.get(namespace)
        if here is None or not here.restricted:
            return chosen[0][1]
    union: dict[Hostname, Pick] = {}
    for listener, picks, rules in chosen:
        for pick_ in (entry for each in picks.values() for entry in each.entries):
            _add(union, pick_)
        for rule in rules:
            for pick_ in _routed(memo, sources.catalogue, namespace, listener, rule):
                _add(union, pick_)
    grouped: dict[Namespace, list[Pick]] = {}
    for service, ports in sorted(union.values(), key=lambda entry: entry[0].age):
        grouped.setdefault(service.namespace, []).append((service, ports))
    return {
        name: _same_picks(memo, name, tuple(entries), chosen)
        for name, entries in sorted(grouped.items())
    }


def _same_picks(
    memo: Memo, namespace: Namespace, entries: tuple[Pick, ...], chosen: list[Chosen]
) -> ImportedServices:
    """The picks of a listener when they are just these, so that scopes share what is made of
    them."""
    for _, picks, _ in chosen:
        if namespace in picks and picks[namespace].entries == entries:
            return picks[namespace]
    return memo(make_picks, namespace, entries)


def _add(union: dict[Hostname, Pick], new: Pick) -> None:
    """The first service of a name stays, with the ports of all; only a Kubernetes Service takes the
    place of others."""
    service, ports = new
    known = union.get(service.hostname)
    if known is None or (
        known[0].registry is not Registry.KUBERNETES and service.registry is Registry.KUBERNETES
    ):
        union[service.hostname] = new
    elif known[0] is service and known[1] != ports:
        wanted = {p.number for p in (*known[1], *ports)}
        union[service.hostname] = (service, tuple(p for p in service.ports if p.number in wanted))


def _routed(
    memo: Memo,
    catalogue: Catalogue,
    namespace: Namespace,
    listener: IstioEgressListener,
    rule: MergedVirtualService,
) -> Iterable[Pick]:
    for host, numbers in memo(destinations, rule.spec, namespace).items():
        services = catalogue.hosts.get(host, ())
        own = [s for s in services if s.namespace == namespace]
        visible = sorted(
            (s for s in services if s.visible_to(namespace)),
            key=lambda s: s.registry is not Registry.KUBERNETES,
        )
        for service in (own or visible)[:1]:
            port = _matched_port(listener)
            wanted = {port} if port else numbers
            ports = (
                service.ports
                if 0 in wanted
                else tuple(p for p in service.ports if p.number in wanted)
            )
            if ports:
                yield service, ports


class _Tables(Struct, frozen=True):
    """The DestinationRules that clients of a namespace may use."""

    local: RuleTable
    reach: frozenset[Namespace] | None
    """Namespaces with services that `local` may name; None for all."""
    exported: Mapping[Namespace, RuleTable]
    root: RuleTable

    @classmethod
    def of(
        cls, memo: Memo, sources: Sources, namespace: Namespace, selected: frozenset[ObjectKey]
    ) -> _Tables:
        own = sources.rules.get(namespace, _NO_RULES)
        local = own.private if namespace == sources.root_namespace else own.local
        if own.selectors:
            local = memo(destinationrules.for_workload, local, selected)
        exported = {
            name: memo(destinationrules.for_client, rules.exported, namespace)
            if rules.limited
            else rules.exported
            for name, rules in sources.rules.items()
        }
        reach = memo(_reach, local, sources.catalogue)
        return cls(local, reach, exported, exported.get(sources.root_namespace, NO_RULES))

    def local_for(self, namespace: Namespace) -> RuleTable:
        """The client's own rules, where they can say something that those of the services'
        namespace don't."""
        reached = self.reach is None or namespace in self.reach
        return (
            self.local if reached and self.local is not self.exported.get(namespace) else NO_RULES
        )


def _reach(table: RuleTable, catalogue: Catalogue) -> frozenset[Namespace] | None:
    if table.wildcards:
        return None
    return frozenset(
        s.namespace for host in table.exact for s in catalogue.hosts.get(Hostname(host), ())
    )


def _groups(memo: Memo, tables: _Tables, picks: PicksByNamespace) -> tuple[ServiceGroup, ...]:
    exported, root = tables.exported, tables.root
    return tuple(
        memo.nested(make_group, each, tables.local_for(name), exported.get(name, NO_RULES), root)
        for name, each in picks.items()
    )
