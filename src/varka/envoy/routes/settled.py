"""The virtual hosts of one kind of client, each domain in one of them, sorted by name.

Clients of all namespaces share one list. A namespace of its own needs a list of its own only for the
few services it knows by shorter names, and these few are all that is worked on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.envoy.resource import EnvoyResource, Layer
from varka.envoy.routes.candidate import Candidate, deduplicated
from varka.envoy.routes.domains import Client, Domains, service_domains
from varka.envoy.routes.outbound import Plan
from varka.envoy.routes.settings import RouteSettings
from varka.envoy.routes.virtual_host import virtual_host


@dataclass(frozen=True, eq=False, slots=True)
class Settled:
    """`changed` says where `candidates` differ from `base`'s."""

    candidates: tuple[Candidate, ...]
    base: Settled | None = None
    changed: tuple[int, ...] = ()


def settle(plan: Plan, port: int) -> Settled:
    """For clients of no service's namespace."""
    return _settled(plan.candidates, port)


def settle_for(memo: Memo, plan: Plan, base: Settled, port: int, namespace: Namespace, client: Client) -> Settled:
    """For clients of a namespace; `base` when they know no service by a shorter name."""
    near = client.within(namespace)
    ours: dict[str, Candidate] = {}
    for candidate in (plan.candidates[index] for index in plan.neighbours.get(namespace, ())):
        assert candidate.service is not None
        number = 0 if port else candidate.port
        domains = memo(service_domains, candidate.service, candidate.aliases, near, number)
        if domains.all != candidate.domains.all:
            ours[candidate.name] = replace(candidate, domains=domains)
    if not ours:
        return base
    if port == 0 or _collide(plan, ours):
        return _settled(tuple(ours.get(c.name, c) if c.service else c for c in plan.candidates), port)
    return _merged(base, ours, plan)


def _settled(candidates: tuple[Candidate, ...], port: int) -> Settled:
    found = deduplicated(candidates)
    kept = found if port else (one for candidate in found if (one := _of_proxy(candidate)))
    return Settled(tuple(sorted(kept, key=lambda candidate: candidate.name)))


def _of_proxy(candidate: Candidate) -> Candidate | None:
    """Behind an HTTP proxy all ports meet: names without a port mean 80."""
    if candidate.name.endswith(":80"):
        return candidate
    domains = tuple(domain for domain in candidate.domains.all if ":" in domain)
    return replace(candidate, domains=Domains(domains)) if domains else None


def _added(plan: Plan, ours: Mapping[str, Candidate]) -> list[str]:
    before = {c.name: c.domains for c in plan.candidates if c.name in ours}
    return [domain for name, candidate in ours.items() for domain in set(candidate.domains.all).difference(before[name].all)]


def _collide(plan: Plan, ours: Mapping[str, Candidate]) -> bool:
    """Whether a shorter name is one that somebody else has, too."""
    added = _added(plan, ours)
    return len(set(added)) < len(added) or not plan.domains.isdisjoint(added) or not plan.full_names.isdisjoint(added)


def _merged(base: Settled, ours: Mapping[str, Candidate], plan: Plan) -> Settled:
    """The base with the shorter names added, which nobody else has."""
    changed = tuple(i for i, candidate in enumerate(base.candidates) if candidate.service and candidate.name in ours)
    candidates = list(base.candidates)
    for index in changed:
        old, new = candidates[index].domains.all, ours[candidates[index].name].domains
        kept = tuple(domain for domain in new.all if domain in old or domain not in plan.domains)
        candidates[index] = replace(candidates[index], domains=Domains(kept, new.short))
    return Settled(tuple(candidates), base, changed)


def encoded(memo: Memo, settled: Settled, prefix: str, settings: RouteSettings) -> tuple[EnvoyResource, ...]:
    """The virtual hosts as messages, `prefix` before their names."""
    if settled.base is None:
        return tuple(_encode(memo, candidate, prefix, settings) for candidate in settled.candidates)
    found = list(memo(encoded, memo, settled.base, prefix, settings))
    for index in settled.changed:
        found[index] = _encode(memo, settled.candidates[index], prefix, settings)
    return tuple(found)


def layers(memo: Memo, settled: Settled, prefix: str, settings: RouteSettings) -> Mapping[str, Layer]:
    """The virtual hosts by the namespace of their services ("": hosts that only VirtualServices name)."""
    hosts = memo(encoded, memo, settled, prefix, settings)
    touched = {settled.candidates[index].group for index in settled.changed} if settled.base else None
    groups: dict[str, list[EnvoyResource]] = {}
    for candidate, host in zip(settled.candidates, hosts, strict=True):
        if touched is None or candidate.group in touched:
            groups.setdefault(candidate.group, []).append(host)
    known = memo(layers, memo, settled.base, prefix, settings) if settled.base else {}
    return {**known, **{group: memo(Layer.of, tuple(found)) for group, found in groups.items()}}


def by_domain(settled: Settled) -> Mapping[str, Candidate]:
    return {domain: candidate for candidate in settled.candidates for domain in candidate.domains.all}


def _encode(memo: Memo, candidate: Candidate, prefix: str, settings: RouteSettings) -> EnvoyResource:
    return memo(virtual_host, prefix + candidate.name, candidate.domains.all, candidate.table, settings)
