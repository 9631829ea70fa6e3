"""The index of bound VirtualServices answers as comparing every host with every other does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace, ObjectKey
from varka.mesh.bound import Bound, bound_by_gateway
from varka.mesh.hosts import is_within, overlaps
from varka.mesh.model import GatewayServer, MergedVirtualService
from varka.resources.model import networking

HOSTS = st.sampled_from(
    ("*", "*.c", "*.b.c", "*.a.b.c", "c", "b.c", "B.C", "a.b.c", "x.b.c", "b.d")
)
SPACES = st.sampled_from(("one", "two"))


def rule(hosts: list[str], namespace: str, *gateways: str) -> MergedVirtualService:
    spec = networking.VirtualService(hosts=tuple(map(Hostname, hosts)), gateways=gateways)
    key = ObjectKey("networking.istio.io", "VirtualService", namespace, "v")
    return MergedVirtualService(key, Namespace(namespace), spec, "", frozenset("*"), (key,))


def server(hosts: list[tuple[str, str]]) -> GatewayServer:
    key = ObjectKey("networking.istio.io", "Gateway", "one", "g")
    return GatewayServer(key, networking.Server(), tuple(hosts), "")


@given(
    st.lists(st.builds(rule, st.lists(HOSTS, min_size=1, max_size=3), SPACES), max_size=5),
    st.lists(st.tuples(st.one_of(st.just("*"), SPACES), HOSTS), min_size=1, max_size=3).map(server),
)
def test_shared_hosts(rules: list[MergedVirtualService], served: GatewayServer) -> None:
    expected = []
    for one in rules:
        offered = [
            host.lower() for namespace, host in served.hosts if namespace in ("*", one.namespace)
        ]
        pairs = [
            (ours, theirs.lower())
            for ours in offered
            for theirs in one.spec.hosts
            if overlaps(ours, theirs.lower())
        ]
        if pairs:
            expected.append(
                (one, {ours if is_within(ours, theirs) else theirs for ours, theirs in pairs})
            )
    assert [(one, set(hosts)) for one, hosts in Bound.of(tuple(rules)).shared(served)] == expected


def test_by_gateway_and_rank() -> None:
    one, two = rule(["a"], "one", "one/g", "one/h", "one/g"), rule(["a"], "two", "one/g")
    found = bound_by_gateway(
        Memo(), (one, two), lambda rule: -len(rule.namespace) if rule is one else -9
    )
    assert {name: bound.rules for name, bound in found.items()} == {
        "one/g": (two, one),
        "one/h": (one,),
    }
