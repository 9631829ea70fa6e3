"""VirtualServices by the Gateway they are bound to, and by the hosts they share with a server of
it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from varka.base.memo import Memo
from varka.base.names import ObjectKey
from varka.mesh.hosts import is_within, wildcards_around
from varka.mesh.model import GatewayServer, MergedVirtualService

Rules = tuple[MergedVirtualService, ...]
Asked = tuple[int, str]
"""The place of a VirtualService, and a host of it."""


class Bound(Struct, frozen=True, eq=False):
    """The VirtualServices of one Gateway: a server finds its own without looking at all."""

    rules: Rules
    _named: Mapping[str, list[Asked]]
    """By the very name."""
    _below: Mapping[str, list[Asked]]
    """By each wildcard that the host is within."""

    @classmethod
    def of(cls, rules: Rules) -> Bound:
        named: dict[str, list[Asked]] = {}
        below: dict[str, list[Asked]] = {}
        for place, rule in enumerate(rules):
            for host in (host.lower() for host in rule.spec.hosts):
                named.setdefault(host, []).append((place, host))
                for wildcard in wildcards_around(host):
                    below.setdefault(wildcard, []).append((place, host))
        return cls(rules, named, below)

    def shared(
        self, server: GatewayServer
    ) -> Iterator[tuple[MergedVirtualService, tuple[str, ...]]]:
        """Those that share hosts with a server, in order; with the names, or the narrower
        wildcards, that both mean."""
        found: dict[int, dict[str, None]] = {}
        for namespace, ours in ((namespace, host.lower()) for namespace, host in server.hosts):
            for place, theirs in self._meeting(ours):
                if namespace in ("*", self.rules[place].namespace):
                    found.setdefault(place, {})[ours if is_within(ours, theirs) else theirs] = None
        for place in sorted(found):
            yield self.rules[place], tuple(found[place])

    def _meeting(self, host: str) -> Iterator[Asked]:
        yield from self._named.get(host, ())
        yield from self._below.get(host, ())
        for wildcard in wildcards_around(host):
            yield from self._named.get(wildcard, ())


NONE = Bound((), {}, {})


def bound_by_gateway(
    memo: Memo, rules: Rules, rank: Callable[[MergedVirtualService], int] | None = None
) -> Mapping[str, Bound]:
    """By `namespace/name` of the Gateway; in order, by `rank` first. A Gateway's is the same object
    while its rules are."""
    found: dict[str, list[MergedVirtualService]] = {}
    for rule in sorted(rules, key=rank) if rank else rules:
        for gateway in dict.fromkeys(rule.spec.gateways):
            found.setdefault(gateway, []).append(rule)
    return {gateway: memo(Bound.of, tuple(bound)) for gateway, bound in found.items()}


def gateway_name(gateway: ObjectKey) -> str:
    """As VirtualServices name it."""
    return f"{gateway.namespace}/{gateway.name}"
