"""Route configurations of a config dump: which are selected, and the table of their routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from varka.configdump.naming import managed_by
from varka.configdump.reader import Dump, NoSection, at, items, resources, text

Row = tuple[str, ...]

DOMAINS_SHOWN = 2


def select(dump: Dump, name: str = "") -> list[dict[str, Any]]:
    """All route configurations, or the one of this name. Raises NoSection when the dump has no
    route configuration at all."""
    section = dump.section("RoutesConfigDump")
    lists = {"dynamic_route_configs": ("route_config",), "static_route_configs": ("route_config",)}
    configurations = _in_order(list(resources(section, lists)))
    if not configurations:
        raise NoSection("no routes found")
    return [each for each in configurations if name in ("", text(each, "name"))]


def _in_order(configurations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An insertion sort that compares only names which are numbers, as istioctl's does: a
    configuration with another name stays where it is, and none moves past it."""
    for start in range(1, len(configurations)):
        index = start
        while index > 0 and _before(configurations[index], configurations[index - 1]):
            one, other = configurations[index - 1 : index + 1]
            configurations[index - 1 : index + 1] = other, one
            index -= 1
    return configurations


def _before(one: Any, other: Any) -> bool:
    first, second = text(one, "name"), text(other, "name")
    return first.isdecimal() and second.isdecimal() and int(first) < int(second)


def rows(routes: Sequence[Any], *, verbose: bool = True, named: bool = False) -> list[Row]:
    table: list[Row] = [
        ("NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE")
        if verbose
        else ("NAME", "VIRTUAL HOSTS")
    ]
    for configuration in routes:
        name = f"route/{text(configuration, 'name')}" if named else text(configuration, "name")
        hosts = items(configuration, "virtual_hosts")
        table += (
            [row for host in hosts for row in _host_rows(name, host)]
            if verbose
            else [(name, str(len(hosts)))]
        )
    return table


def _host_rows(name: str, host: Any) -> list[Row]:
    front = (name, text(host, "name"), describe_domains(items(host, "domains")))
    routes = items(host, "routes")
    if not routes:
        return [(*front, "/*", "404")]
    shown = (route for route in routes if text(route, "route", "cluster") != "PassthroughCluster")
    return [(*front, describe_match(at(route, "match")), managed_by(route)) for route in shown]


def describe_match(match: Any) -> str:
    """The path part of a route's match."""
    prefix, separated = text(match, "prefix"), text(match, "path_separated_prefix")
    path, regex = text(match, "path"), at(match, "safe_regex")
    parts = [
        f"{prefix}*" if prefix else "",
        f"PathPrefix:{separated}" if separated else "",
        path,
        f"regex {text(regex, 'regex')}" if regex is not None else "",
    ]
    return " ".join(part for part in parts if part)


def describe_domains(domains: Sequence[str]) -> str:
    """The first few domains and how many more there are. A domain with a port is left out, and so
    is a longer form of another (`a.svc` and `a.svc.cluster.local` beside `a`)."""
    if len(domains) < 2:
        return "".join(domains)
    bare = [
        domain
        for domain in domains
        if ":" not in domain or (domain.count(":") > 2 and domain.endswith("]"))
    ]
    shortest = [
        d
        for d in bare
        if not any(
            d.endswith(s) and d.removesuffix(s) in bare for s in (".svc.cluster.local", ".svc")
        )
    ]
    shown = ", ".join(shortest[:DOMAINS_SHOWN])
    more = len(shortest) - DOMAINS_SHOWN
    return f"{shown} + {more} more..." if more > 0 else shown
