"""Host names in rules: short names, wildcards, which one is more specific."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from varka.base.ip import is_ip
from varka.base.names import Hostname, Namespace

Value = TypeVar("Value")


def resolve(host: str, namespace: Namespace, domain: str) -> Hostname:
    """A name without dots is a Service in the rule's own namespace; anything else is taken as it
    stands."""
    if not host or host == "*" or "." in host or is_ip(host):
        return Hostname(host)
    return Hostname(f"{host}.{namespace}.svc.{domain}")


def is_wildcard(host: str) -> bool:
    return host.startswith("*")


def is_within(host: str, other: str) -> bool:
    """Every name that `host` means is one that `other` means."""
    if is_wildcard(other):
        return host[1:].endswith(other[1:]) if is_wildcard(host) else host.endswith(other[1:])
    return host == other


def overlaps(one: str, other: str) -> bool:
    """Some name is meant by both."""
    return is_within(one, other) or is_within(other, one)


def wildcards_around(host: str) -> Iterator[str]:
    """Every wildcard that a host is within, itself not: `*.b.c`, `*.c` and `*` for `a.b.c`."""
    labels = host.split(".")
    for first in range(2 if is_wildcard(host) else 1, len(labels)):
        yield ".".join(("*", *labels[first:]))
    if host != "*":
        yield "*"


def more_specific(one: str, other: str) -> bool:
    """Exact names before wildcards, then longer ones, then in the order of the alphabet."""
    if is_wildcard(one) != is_wildcard(other):
        return is_wildcard(other)
    return (-len(one), one) < (-len(other), other)


def most_specific(
    host: str, exact: Mapping[str, Value], wildcards: Mapping[str, Value]
) -> Value | None:
    """What a table says of a host: under the very name, else under the longest wildcard around
    it."""
    table = wildcards if is_wildcard(host) else exact
    if host in table:
        return table[host]
    around = [w for w in wildcards if is_within(host, w)]
    return wildcards[_most_specific(around)] if around else None


def _most_specific(hosts: Iterable[str]) -> str:
    return min(hosts, key=lambda h: (is_wildcard(h), -len(h), h))
