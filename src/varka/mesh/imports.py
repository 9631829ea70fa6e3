"""`Sidecar.egress[].hosts`: what a listener imports."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from varka.base.names import Hostname, Namespace
from varka.mesh.hosts import is_wildcard, is_within, overlaps
from varka.registry.catalogue import NamespaceServices
from varka.registry.service import Service, ServicePort

ANY_NAMESPACE = "*"


class HostSet(Struct, frozen=True):
    """The names that a listener takes from one namespace (or from any)."""

    exact: frozenset[str] = frozenset()
    wildcards: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def takes(self, host: str) -> bool:
        return host in self.exact or any(is_within(host, w) for w in self.wildcards)

    def takes_rule(self, host: str) -> bool:
        """For the host of a VirtualService: it is enough that some name is in both."""
        if host in self.exact or any(overlaps(host, w) for w in self.wildcards):
            return True
        return is_wildcard(host) and any(is_within(e, host) for e in self.exact)

    def excludes(self, host: str) -> bool:
        return any(is_within(host, e) for e in self.excluded)


_NOTHING = HostSet()


class Imports(Struct, frozen=True, eq=False):
    """Host sets by namespace; `*` for those of any namespace."""

    sets: Mapping[str, HostSet]

    def of(self, namespace: str) -> tuple[HostSet, HostSet]:
        return self.sets.get(namespace, _NOTHING), self.sets.get(ANY_NAMESPACE, _NOTHING)

    def reaches(self, namespace: str) -> bool:
        return namespace in self.sets or ANY_NAMESPACE in self.sets

    def takes(self, namespace: str, host: str) -> bool:
        own, any_ = self.of(namespace)
        return (own.takes(host) or any_.takes(host)) and not (
            own.excludes(host) or any_.excludes(host)
        )

    def takes_rule(self, namespace: str, hosts: tuple[str, ...], *, whole: bool = False) -> bool:
        """Some host of a rule is imported: in part, or with `whole` all that it stands for."""
        own, any_ = self.of(namespace)
        takes = (own.takes, any_.takes) if whole else (own.takes_rule, any_.takes_rule)
        return any(
            any(t(h) for t in takes) and not (own.excludes(h) or any_.excludes(h)) for h in hosts
        )


def parse(hosts: tuple[str, ...], namespace: Namespace) -> Imports:
    """Read `namespace/name` entries: `.` is the Sidecar's own namespace, `~` before a namespace
    leaves names out."""
    sets: dict[str, HostSet] = {}
    for entry in hosts:
        where, slash, name = entry.partition("/")
        if not slash or "/" in name:
            continue
        excluded = where.startswith("~")
        where = where.removeprefix("~") or ANY_NAMESPACE
        where = str(namespace) if where == "." else where
        old = sets.get(where, _NOTHING)
        if excluded:
            sets[where] = HostSet(old.exact, old.wildcards, (*old.excluded, name))
        elif is_wildcard(name):
            sets[where] = HostSet(old.exact, (*old.wildcards, name), old.excluded)
        else:
            sets[where] = HostSet(old.exact | {name}, old.wildcards, old.excluded)
    return Imports(sets)


Pick = tuple[Service, tuple[ServicePort, ...]]


class ImportedServices(Struct, frozen=True, eq=False):
    """The services of one namespace that a listener (or a whole scope) has, with the ports it has
    of them."""

    namespace: Namespace
    entries: tuple[Pick, ...]
    hosts: Mapping[Hostname, Service]


def make_picks(namespace: Namespace, entries: tuple[Pick, ...]) -> ImportedServices:
    return ImportedServices(
        namespace, entries, {service.hostname: service for service, _ in entries}
    )


def pick(
    services: NamespaceServices, hidden: frozenset[Service], imports: Imports | None, port: int
) -> ImportedServices:
    """What a listener imports from a namespace; `imports` None is everything. A listener on a port
    (not 0) has only that port of each service."""
    entries: list[Pick] = []
    for service in services.services:
        if service in hidden or (
            imports is not None and not imports.takes(services.namespace, service.hostname)
        ):
            continue
        ports = tuple(p for p in service.ports if p.number == port)[:1] if port else service.ports
        if ports or not port:
            entries.append((service, ports))
    return make_picks(services.namespace, tuple(entries))


def without(picks: ImportedServices, services: frozenset[Service]) -> ImportedServices:
    return make_picks(
        picks.namespace, tuple(entry for entry in picks.entries if entry[0] not in services)
    )


def only(picks: ImportedServices, names: frozenset[str]) -> ImportedServices:
    """The services with one of these hosts, or `namespace/host`."""
    kept = (
        e
        for e in picks.entries
        if e[0].hostname in names or f"{picks.namespace}/{e[0].hostname}" in names
    )
    return make_picks(picks.namespace, tuple(kept))
