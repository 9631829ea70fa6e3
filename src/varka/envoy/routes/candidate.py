"""Virtual hosts before it is settled which of their domains others have taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import Hostname
from varka.envoy.routes.domains import Domains
from varka.envoy.routes.route import RouteTable
from varka.registry.service import Service


class Candidate(Struct, frozen=True, eq=False):
    name: str
    """`<host>:<port>`, as Istio's tools show it."""
    domains: Domains
    table: RouteTable
    service: Service | None = None
    """None for hosts that only a VirtualService names."""
    aliases: tuple[Hostname, ...] = ()
    port: int = 0
    """The service port."""

    @property
    def names(self) -> tuple[Hostname, ...]:
        """All full names of the service."""
        return (self.service.hostname, *self.aliases) if self.service else ()

    @property
    def group(self) -> str:
        return self.service.namespace if self.service else ""


def full_names(candidates: Iterable[Candidate]) -> frozenset[str]:
    """Names that are nobody else's abbreviation."""
    return frozenset(name for c in candidates if c.service for name in (c.name, c.service.hostname))


def deduplicated(candidates: tuple[Candidate, ...]) -> Iterator[Candidate]:
    """Envoy refuses a route configuration where a domain (or name) is there twice: the first
    candidate keeps it, and an abbreviation gives way to the full name of a service. `*` is the
    catch-all's."""
    reserved = full_names(candidates)
    names: set[str] = set()
    taken: set[str] = {"*"}
    for candidate in candidates:
        if candidate.name in names:
            continue
        names.add(candidate.name)
        found = candidate.domains
        if not taken.isdisjoint(found.all) or not reserved.isdisjoint(found.short):
            lost = taken | (found.short & reserved)
            found = Domains(
                tuple(domain for domain in found.all if domain not in lost), found.short
            )
        taken.update(found.all)
        if found.all:
            yield candidate if found is candidate.domains else replace(candidate, domains=found)
