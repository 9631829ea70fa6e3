"""Whatever `load` accepts compiles, for all sorts of proxies, to configuration that is complete and
that Envoy takes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from tests.properties.messages import assignment_names, managers
from tests.properties.objects import Plain, meshes
from tests.properties.world import accepted, compiled, proxies, resources

from varka.envoy.dump import message_of
from varka.envoy.resource import TypeUrl, View
from varka.envoy.violations import violations


def messages(view: View, type_: TypeUrl) -> list[Any]:
    return [message_of(r) for r in view.of(type_)]


def check_names(view: View) -> None:
    found = Counter((r.type, r.name) for r in resources(view))
    assert not [name for name, times in found.items() if times > 1]


def check_routes(view: View) -> None:
    """RDS names have their configuration; no domain is twice in one, with the virtual hosts that
    travel alone."""
    routes = {r.name: message_of(r) for r in view.of(TypeUrl.ROUTE)}
    inline = []
    for manager in (m for listener in messages(view, TypeUrl.LISTENER) for m in managers(listener)):
        if manager.HasField("rds"):
            assert manager.rds.route_config_name in routes
        else:
            inline.append(manager.route_config)
    alone = [message_of(r) for r in view.of(TypeUrl.VIRTUAL_HOST)]
    for route in (*routes.values(), *inline):
        hosts = [
            *route.virtual_hosts,
            *(h for h in alone if h.name.partition("/")[0] == route.name),
        ]
        domains = Counter(domain.lower() for host in hosts for domain in host.domains)
        assert not [d for d, times in domains.items() if times > 1], route.name
        assert len({host.name for host in hosts}) == len(hosts), route.name


def check_assignments(view: View) -> None:
    named = {
        name for cluster in messages(view, TypeUrl.CLUSTER) for name in assignment_names(cluster)
    }
    assert named <= {r.name for r in view.of(TypeUrl.ENDPOINTS)}


def check_listeners(view: View) -> None:
    """Envoy binds each address once, and refuses filter chains that match the same."""
    bound: Counter[str] = Counter()
    for listener in messages(view, TypeUrl.LISTENER):
        bound[str(listener.address)] += 1
        matches = Counter(
            chain.filter_chain_match.SerializeToString(deterministic=True)
            for chain in listener.filter_chains
        )
        assert not [m for m, times in matches.items() if times > 1], listener.name
        if listener.address.socket_address.port_value:
            assert listener.filter_chains or listener.HasField("default_filter_chain"), (
                listener.name
            )
    assert not [address for address, times in bound.items() if times > 1]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(meshes())
def test_what_load_accepts_becomes_what_envoy_takes(mesh: list[Plain]) -> None:
    compiler = compiled(accepted(mesh))
    for proxy in proxies():
        view = compiler.view(proxy)
        for resource in resources(view):
            assert not violations(message_of(resource)), (resource.type, resource.name)
        check_names(view)
        check_routes(view)
        check_assignments(view)
        check_listeners(view)
