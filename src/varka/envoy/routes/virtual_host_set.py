"""The virtual hosts of one kind of client, each domain in one of them, sorted by name.

Clients of all namespaces share one list. A namespace of its own needs a list of its own only for
the few services it knows by shorter names, and these few are all that is worked on.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.envoy.resource import EnvoyResource, Layer, Layers
from varka.envoy.routes.candidate import Candidate, deduplicated
from varka.envoy.routes.domains import Client, Domains, service_domains
from varka.envoy.routes.outbound import Plan
from varka.envoy.routes.settings import RouteSettings
from varka.envoy.routes.virtual_host import virtual_host


class SharedVirtualHosts(Struct, frozen=True, eq=False):
    """The list of clients of no service's namespace."""

    candidates: tuple[Candidate, ...] = ()
    places: Mapping[str, int] = field(default_factory=dict)
    """Of services' candidates, by name."""
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Places by the namespace of the service ("": hosts that only VirtualServices name)."""


class VirtualHostSet(Struct, frozen=True, eq=False):
    """The list of clients of one namespace: `shared`, but for what they have at some of its
    places."""

    shared: SharedVirtualHosts = SharedVirtualHosts()
    own: Mapping[int, Candidate] = field(default_factory=dict)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(
            self.own.get(place, candidate) for place, candidate in enumerate(self.shared.candidates)
        )


def shared_virtual_hosts(plan: Plan, port: int) -> SharedVirtualHosts:
    """For clients of no service's namespace."""
    return _shared(plan.candidates, port)


def virtual_hosts_for(
    memo: Memo,
    plan: Plan,
    shared: SharedVirtualHosts,
    port: int,
    namespace: Namespace,
    client: Client,
) -> VirtualHostSet:
    """For clients of a namespace; just `shared` when they know no service by a shorter name."""
    near = client.within(namespace)
    own: dict[str, Candidate] = {}
    for candidate in (plan.candidates[index] for index in plan.neighbours.get(namespace, ())):
        assert candidate.service is not None
        number = 0 if port else candidate.port
        domains = memo(service_domains, candidate.service, candidate.aliases, near, number)
        if domains.all != candidate.domains.all:
            own[candidate.name] = replace(candidate, domains=domains)
    if own and (port == 0 or _collide(plan, own)):
        return VirtualHostSet(
            _shared(tuple(own.get(c.name, c) if c.service else c for c in plan.candidates), port)
        )
    return VirtualHostSet(shared, _shorter(shared, own, plan))


def _shared(candidates: tuple[Candidate, ...], port: int) -> SharedVirtualHosts:
    found = deduplicated(candidates)
    kept = found if port else (one for candidate in found if (one := _of_proxy(candidate)))
    ordered = tuple(sorted(kept, key=lambda candidate: candidate.name))
    groups: dict[str, list[int]] = {}
    for place, candidate in enumerate(ordered):
        groups.setdefault(candidate.group, []).append(place)
    places = {candidate.name: place for place, candidate in enumerate(ordered) if candidate.service}
    return SharedVirtualHosts(
        ordered, places, {group: tuple(found) for group, found in groups.items()}
    )


def _of_proxy(candidate: Candidate) -> Candidate | None:
    """Behind an HTTP proxy all ports meet: names without a port mean 80."""
    if candidate.name.endswith(":80"):
        return candidate
    domains = tuple(domain for domain in candidate.domains.all if ":" in domain)
    return replace(candidate, domains=Domains(domains)) if domains else None


def _added(plan: Plan, own: Mapping[str, Candidate]) -> list[str]:
    before = {c.name: c.domains for c in plan.candidates if c.name in own}
    return [
        domain
        for name, candidate in own.items()
        for domain in set(candidate.domains.all).difference(before[name].all)
    ]


def _collide(plan: Plan, own: Mapping[str, Candidate]) -> bool:
    """Whether a shorter name is one that somebody else has, too."""
    added = _added(plan, own)
    return (
        len(set(added)) < len(added)
        or not plan.domains.isdisjoint(added)
        or not plan.full_names.isdisjoint(added)
    )


def _shorter(
    shared: SharedVirtualHosts, own: Mapping[str, Candidate], plan: Plan
) -> dict[int, Candidate]:
    """The shorter names added, which nobody else has."""
    found = {}
    for name, candidate in own.items():
        if (place := shared.places.get(name)) is not None:
            old = shared.candidates[place]
            kept = tuple(
                d for d in candidate.domains.all if d in old.domains.all or d not in plan.domains
            )
            found[place] = replace(old, domains=Domains(kept, candidate.domains.short))
    return found


def virtual_hosts(
    memo: Memo, host_set: VirtualHostSet, prefix: str, settings: RouteSettings
) -> tuple[EnvoyResource, ...]:
    """As messages, `prefix` before their names."""
    found = memo.nested(_encoded, host_set.shared, prefix, settings)
    if not host_set.own:
        return found
    own = {
        place: _encode(memo, candidate, prefix, settings)
        for place, candidate in host_set.own.items()
    }
    return tuple(own.get(place, host) for place, host in enumerate(found))


def layers(memo: Memo, host_set: VirtualHostSet, prefix: str, settings: RouteSettings) -> Layers:
    """The virtual hosts as messages, those of one group in one layer."""
    shared = host_set.shared
    known = memo.nested(_layers, shared, prefix, settings)
    if not host_set.own:
        return tuple(known.values())
    hosts = list(memo.nested(_encoded, shared, prefix, settings))
    for place, candidate in host_set.own.items():
        hosts[place] = _encode(memo, candidate, prefix, settings)
    touched = {shared.candidates[place].group for place in host_set.own}
    own = {
        group: memo(Layer.of, tuple(hosts[place] for place in shared.groups[group]))
        for group in touched
    }
    return tuple(own.get(group, layer) for group, layer in known.items())


def _layers(
    memo: Memo, shared: SharedVirtualHosts, prefix: str, settings: RouteSettings
) -> Mapping[str, Layer]:
    hosts = memo.nested(_encoded, shared, prefix, settings)
    return {
        group: memo(Layer.of, tuple(hosts[place] for place in places))
        for group, places in shared.groups.items()
    }


def _encoded(
    memo: Memo, shared: SharedVirtualHosts, prefix: str, settings: RouteSettings
) -> tuple[EnvoyResource, ...]:
    return tuple(_encode(memo, candidate, prefix, settings) for candidate in shared.candidates)


def by_domain(host_set: VirtualHostSet) -> Mapping[str, Candidate]:
    return {
        domain: candidate for candidate in host_set.candidates for domain in candidate.domains.all
    }


def _encode(
    memo: Memo, candidate: Candidate, prefix: str, settings: RouteSettings
) -> EnvoyResource:
    return memo(
        virtual_host, prefix + candidate.name, candidate.domains.all, candidate.table, settings
    )
