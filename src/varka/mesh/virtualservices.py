"""VirtualServices with full names, and who sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace
from msgspec.structs import replace as changed

from varka.base.memo import Memo
from varka.base.names import FieldOrigin, Hostname, Namespace, ObjectKey
from varka.mesh.delegates import merge_routes
from varka.mesh.hosts import resolve
from varka.mesh.model import MergedVirtualService
from varka.registry.per_object import PerObjectCache
from varka.registry.visibility import export_to, seen_by
from varka.resources.model import networking
from varka.resources.resource import Resource
from varka.store.state import State

MESH = "mesh"
GATEWAY_SEMANTICS = "gateway"
_SEMANTICS = "internal.istio.io/route-semantics"
VirtualService = Resource[networking.VirtualService]


class VirtualServiceBook(Struct, frozen=True, eq=False):
    """All VirtualServices by the gateway they are bound to (`mesh` or `namespace/name`) and by who
    sees them."""

    public: Mapping[str, tuple[MergedVirtualService, ...]]
    restricted: Mapping[tuple[Namespace, str], tuple[MergedVirtualService, ...]]
    """By (namespace that sees them, gateway); the namespace's own before others'."""
    routes: tuple[MergedVirtualService, ...] = ()
    """Those that stand for routes of the Gateway API."""

    def seen(self, namespace: Namespace, gateway: str) -> tuple[MergedVirtualService, ...]:
        """Those bound to a gateway that a namespace sees, in the order in which they win. Routes of
        the Gateway API that the namespace wrote for itself come before those of others."""
        public = self.public.get(gateway, ())
        own = tuple(v for v in self.routes if v.namespace == namespace)
        if own:
            public = tuple(sorted(public, key=lambda v: v not in own))
        restricted = self.restricted.get((namespace, gateway))
        return (*restricted, *public) if restricted else public


def take_virtual_services(
    state: State,
    memo: Memo,
    default_export: tuple[str, ...],
    domain: str,
    extra: tuple[MergedVirtualService, ...] = (),
) -> VirtualServiceBook:
    """`extra`: those that other kinds stand for (Ingress)."""
    resources = state.of("VirtualService", "networking.istio.io")
    full = memo(PerObjectCache, with_full_names, default_export, domain).of(resources)
    delegates = {v.key: v for v in full.values() if not v.spec.hosts}
    merged: list[MergedVirtualService] = []
    for each in full.values():
        if each.spec.hosts:
            wanted = _wanted(each)
            merged.append(
                memo(with_delegates, each, tuple(delegates.get(key) for key in wanted))
                if wanted
                else each
            )
    return memo(book, (*merged, *extra))


def with_full_names(
    resource: VirtualService, default_export: tuple[str, ...], domain: str
) -> MergedVirtualService:
    namespace, spec = Namespace(resource.namespace), resource.spec
    semantics = resource.annotations.get(_SEMANTICS, "")
    return MergedVirtualService(
        key=resource.key,
        namespace=namespace,
        spec=spec if semantics == GATEWAY_SEMANTICS else full_names(spec, namespace, domain),
        created=resource.created,
        export_to=export_to(spec.export_to, namespace, default_export),
        sources=(resource.key,),
        label_keys=_label_keys(spec),
        http_fields=tuple(
            FieldOrigin(resource.key, ("spec", "http", at)) for at in range(len(spec.http))
        ),
        semantics=semantics,
    )


def full_names(
    spec: networking.VirtualService, namespace: Namespace, domain: str
) -> networking.VirtualService:
    """The same rule with the host names and gateway names of destinations, mirrors, matches spelled
    out."""

    def destination(value: networking.Destination | None) -> networking.Destination | None:
        return changed(value, host=resolve(value.host, namespace, domain)) if value else None

    def gateways(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(resolved_gateway(name, namespace) for name in names)

    http = tuple(
        changed(
            r,
            match=tuple(
                changed(m, gateways=gateways(m.gateways)) if m.gateways else m for m in r.match
            ),
            route=tuple(changed(d, destination=destination(d.destination)) for d in r.route),
            mirror=destination(r.mirror),
            mirrors=tuple(changed(m, destination=destination(m.destination)) for m in r.mirrors),
        )
        for r in spec.http
    )
    tls = tuple(
        changed(
            r,
            match=tuple(
                changed(m, gateways=gateways(m.gateways)) if m.gateways else m for m in r.match
            ),
            route=tuple(changed(d, destination=destination(d.destination)) for d in r.route),
        )
        for r in spec.tls
    )
    tcp = tuple(
        changed(
            r,
            match=tuple(
                changed(m, gateways=gateways(m.gateways)) if m.gateways else m for m in r.match
            ),
            route=tuple(changed(d, destination=destination(d.destination)) for d in r.route),
        )
        for r in spec.tcp
    )
    hosts = tuple(resolve(host, namespace, domain) for host in spec.hosts)
    return changed(spec, hosts=hosts, gateways=gateways(spec.gateways), http=http, tls=tls, tcp=tcp)


def resolved_gateway(name: str, namespace: Namespace) -> str:
    """`namespace/name` of a gateway: from `name`, `./name`, `namespace/name` or the old
    `name.namespace.svc...`."""
    if name == MESH:
        return name
    if "/" in name:
        before, _, after = name.partition("/")
        return f"{namespace}/{after}" if before == "." else name
    short, dot, rest = name.partition(".")
    return f"{rest.partition('.')[0]}/{short}" if dot else f"{namespace}/{name}"


def with_delegates(
    root: MergedVirtualService, delegates: tuple[MergedVirtualService | None, ...]
) -> MergedVirtualService:
    """Every http route with `delegate` gives way to the routes of the delegate; it is dropped when
    the delegate is missing or not exported to the root's namespace."""
    left = iter(delegates)
    routes: list[networking.HTTPRoute] = []
    fields: list[FieldOrigin] = []
    used: list[ObjectKey] = []
    keys = root.label_keys
    for route, field in zip(root.spec.http, root.http_fields, strict=True):
        if route.delegate is None:
            routes.append(route)
            fields.append(field)
            continue
        found = next(left)
        if found is not None and seen_by(found.export_to, root.namespace):
            for at, merged in merge_routes(route, found.spec.http):
                routes.append(merged)
                fields.append(found.http_fields[at])
            used.append(found.key)
            keys |= found.label_keys
    sources = tuple(dict.fromkeys((*root.sources, *used)))
    return replace(
        root,
        spec=changed(root.spec, http=tuple(routes)),
        sources=sources,
        label_keys=keys,
        http_fields=tuple(fields),
    )


def book(virtual_services: tuple[MergedVirtualService, ...]) -> VirtualServiceBook:
    public: dict[str, list[MergedVirtualService]] = {}
    own: dict[tuple[Namespace, str], list[MergedVirtualService]] = {}
    others: dict[tuple[Namespace, str], list[MergedVirtualService]] = {}
    for each in virtual_services:
        for gateway in dict.fromkeys(each.spec.gateways or (MESH,)):
            if "*" in each.export_to:
                public.setdefault(gateway, []).append(each)
                continue
            for name in each.export_to:
                table = own if name == each.namespace else others
                table.setdefault((Namespace(name), gateway), []).append(each)
    restricted = {key: (*own.get(key, ()), *others.get(key, ())) for key in (*own, *others)}
    routes = tuple(v for v in virtual_services if v.semantics == GATEWAY_SEMANTICS)
    return VirtualServiceBook(
        {gateway: tuple(found) for gateway, found in public.items()}, restricted, routes
    )


def destinations(
    spec: networking.VirtualService, client: Namespace
) -> Mapping[Hostname, frozenset[int]]:
    """The hosts that a rule routes clients of a namespace to, with the ports it names; 0 stands for
    all ports."""
    ports: dict[Hostname, frozenset[int]] = {}
    for destination in _destinations(spec, client):
        host = Hostname(destination.host)
        ports[host] = ports.get(host, frozenset()) | {
            destination.port.number if destination.port else 0
        }
    return ports


def _destinations(
    spec: networking.VirtualService, client: Namespace
) -> Iterable[networking.Destination]:
    for http in spec.http:
        named = [m.source_namespace for m in http.match if m.source_namespace]
        if named and client and client not in named:
            continue
        yield from (d.destination for d in http.route if d.destination)
        yield from (m.destination for m in http.mirrors if m.destination)
        if http.mirror:
            yield http.mirror
    for route in (*(d for r in spec.tcp for d in r.route), *(d for r in spec.tls for d in r.route)):
        if route.destination:
            yield route.destination


def _wanted(virtual_service: MergedVirtualService) -> list[ObjectKey]:
    key = virtual_service.key
    return [
        key._replace(namespace=r.delegate.namespace or key.namespace, name=r.delegate.name)
        for r in virtual_service.spec.http
        if r.delegate is not None
    ]


def _label_keys(spec: networking.VirtualService) -> frozenset[str]:
    http = (m.source_labels for r in spec.http for m in r.match)
    tls = (m.source_labels for r in spec.tls for m in r.match)
    tcp = (m.source_labels for r in spec.tcp for m in r.match)
    return frozenset(name for labels in (*http, *tls, *tcp) for name in labels)
