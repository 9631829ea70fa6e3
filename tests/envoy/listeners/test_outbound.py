"""Outbound listeners of sidecars: which there are, what they match, where they send."""

from __future__ import annotations

from envoy.config.listener.v3.listener_pb2 import Listener
from msgspec.structs import replace
from tests.envoy.conftest import Golden
from tests.envoy.listeners.conftest import (
    ListenerMesh,
    clusters_of,
    external,
    plain,
    rule,
    service,
    virtual_service,
)

from varka.proxy.node import Interception
from varka.registry.service import Protocol, Resolution

P = Protocol
A = "a.ns.svc.cluster.local"


def targets(listener: Listener) -> list[str]:
    """Where the chains of a listener send, the default chain last."""
    default = [listener.default_filter_chain] if listener.HasField("default_filter_chain") else []
    return clusters_of([*listener.filter_chains, *default])


def test_http_services_of_a_port_share_a_wildcard_listener() -> None:
    a, b = (
        service("a", (80, P.HTTP), addresses=("10.0.0.1",)),
        service("b", (80, P.GRPC), addresses=("10.0.0.2",)),
    )
    found = ListenerMesh((a, b)).listeners()
    assert set(found) == {"0.0.0.0_80", "virtualOutbound"}
    listener = found["0.0.0.0_80"]
    assert targets(listener) == ["http 80", "PassthroughCluster"]
    assert list(listener.filter_chains[0].filter_chain_match.application_protocols) == [
        "http/1.1",
        "h2c",
    ]
    assert listener.bind_to_port.value is False
    assert listener.HasField("bind_to_port")


def test_a_wildcard_listener_does_not_depend_on_how_many_services_use_it() -> None:
    a, b = (
        service("a", (80, P.HTTP), addresses=("10.0.0.1",)),
        service("b", (80, P.HTTP), addresses=("10.0.0.2",)),
    )
    one, both = ListenerMesh((a,)).outbound(), ListenerMesh((a, b)).outbound()
    versions = [
        {n: r.version for layer in parts.layers for n, r in layer.resources.items()}
        for parts in (one, both)
    ]
    assert versions[0] == versions[1]


def test_tcp_services_have_a_listener_for_each_address() -> None:
    found = ListenerMesh((service("a", (9000, P.TCP), addresses=("10.0.0.1",)),)).listeners()
    assert targets(found["10.0.0.1_9000"]) == [f"outbound|9000||{A}"]


def test_undeclared_protocols_are_sniffed() -> None:
    listener = ListenerMesh((service("a", (81, P.AUTO), addresses=("10.0.0.1",)),)).listeners()[
        "10.0.0.1_81"
    ]
    assert targets(listener) == [f"http {A}:81", f"outbound|81||{A}"]
    assert [f.name for f in listener.listener_filters] == ["envoy.filters.listener.http_inspector"]


def test_headless_tcp_ports_have_a_listener_for_each_pod() -> None:
    a = service("a", (9000, P.TCP), resolution=Resolution.PASSTHROUGH, headless=True)
    found = ListenerMesh((a,), pods={"a": ("10.1.0.1", "10.1.0.2")}).listeners()
    assert {"10.1.0.1_9000", "10.1.0.2_9000"} < set(found)
    assert "0.0.0.0_9000" not in found


def test_external_services_without_address_are_told_apart_by_sni() -> None:
    hosts = [external(f"{n}.example.com", (443, P.TLS)) for n in "ab"]
    listener = ListenerMesh(tuple(hosts)).listeners()["0.0.0.0_443"]
    assert [list(c.filter_chain_match.server_names) for c in listener.filter_chains] == [
        ["a.example.com"],
        ["b.example.com"],
    ]
    assert targets(listener)[-1] == "PassthroughCluster"


def test_a_cidr_is_matched_on_a_wildcard_listener() -> None:
    listener = ListenerMesh(
        (external("a.com", (9000, P.TCP), addresses=("10.8.0.0/16",)),)
    ).listeners()["0.0.0.0_9000"]
    [chain] = listener.filter_chains
    assert plain(chain.filter_chain_match)["prefix_ranges"] == [
        {"address_prefix": "10.8.0.0", "prefix_len": 16}
    ]


def test_automatic_addresses_need_dns_capture() -> None:
    a = external("a.com", (9000, P.TCP), auto_addresses=("240.240.0.1",))
    assert "240.240.0.1_9000" in ListenerMesh((a,), traits={"dns_capture": True}).listeners()
    assert "0.0.0.0_9000" in ListenerMesh((a,)).listeners()


def test_tcp_and_http_at_one_place_are_sniffed() -> None:
    tcp, http = external("a.com", (80, P.TCP)), service("b", (80, P.HTTP), addresses=("10.0.0.2",))
    for services in ((tcp, http), (http, tcp)):
        listener = ListenerMesh(services).listeners()["0.0.0.0_80"]
        assert sorted(targets(listener)) == ["http 80", "outbound|80||a.com"]


def test_the_older_service_wins_an_address() -> None:
    young = service("a", (9000, P.TCP), addresses=("10.0.0.1",), created="2024-01-02T00:00:00Z")
    old = service("b", (9000, P.TCP), addresses=("10.0.0.1",), created="2024-01-01T00:00:00Z")
    listener = ListenerMesh((old, young)).listeners()["10.0.0.1_9000"]
    assert targets(listener) == ["outbound|9000||b.ns.svc.cluster.local"]


def test_nothing_joins_a_listener_where_the_server_speaks_first() -> None:
    mongo, http = (
        external("m.com", (27017, P.MONGO)),
        service("b", (27017, P.HTTP), addresses=("10.0.0.2",)),
    )
    old = replace(mongo.service, created="2023-01-01T00:00:00Z")
    young = replace(http.service, created="2024-01-01T00:00:00Z")
    listener = ListenerMesh(
        (replace(mongo, service=old), replace(http, service=young))
    ).listeners()["0.0.0.0_27017"]
    assert targets(listener) == ["outbound|27017||m.com"]
    assert [f.name for f in listener.filter_chains[0].filters] == [
        "envoy.filters.network.mongo_proxy",
        "envoy.filters.network.tcp_proxy",
    ]


def test_registry_only_closes_what_is_unknown() -> None:
    found = ListenerMesh((service("a", (80, P.HTTP)),), scope={"allow_any": False}).listeners()
    assert targets(found["0.0.0.0_80"])[-1] == "BlackHoleCluster"
    assert targets(found["virtualOutbound"]) == ["BlackHoleCluster", "BlackHoleCluster"]


def test_unknown_hosts_can_be_resolved() -> None:
    found = ListenerMesh((service("a", (80, P.HTTP)),), scope={"dynamic_dns": True}).listeners()
    assert targets(found["virtualOutbound"]) == [
        "BlackHoleCluster",
        "http allow_any_dynamic_dns",
        "PassthroughCluster",
    ]
    manager = plain(found["0.0.0.0_80"])["filter_chains"][0]["filters"][0]["typed_config"]
    assert [f["name"] for f in manager["http_filters"]][-2:] == [
        "envoy.filters.http.dynamic_forward_proxy",
        "envoy.filters.http.router",
    ]


def test_without_interception_listeners_bind_loopback() -> None:
    a = service("a", (80, P.HTTP), (9000, P.TCP), (81, P.AUTO), addresses=("10.0.0.1",))
    found = ListenerMesh((a,), traits={"interception": Interception.NONE}).listeners()
    assert set(found) == {"127.0.0.1_80", "127.0.0.1_9000", "127.0.0.1_81"}
    assert not any(listener.HasField("bind_to_port") for listener in found.values())


def test_a_sidecar_port_serves_its_services_alone() -> None:
    a = service("a", (80, P.HTTP), (9000, P.TCP), addresses=("10.0.0.1",))
    b = service("b", (9080, P.HTTP))
    first = {"port": {"number": 9080, "protocol": "TCP", "name": "x"}, "bind": "0.0.0.0"}
    found = ListenerMesh((a, b), egress=(first, {})).listeners()
    assert "http 9080" not in targets(found["0.0.0.0_9080"])
    assert {"0.0.0.0_80", "10.0.0.1_9000"} < set(found)


def test_a_sidecar_may_listen_on_a_socket_file() -> None:
    egress = {
        "port": {"number": 0, "protocol": "HTTP", "name": "x"},
        "bind": "unix:///var/run/out.sock",
    }
    found = ListenerMesh((service("a", (80, P.HTTP)),), egress=(egress,)).listeners()
    listener = found["unix:///var/run/out.sock_0"]
    assert listener.address.pipe.path == "/var/run/out.sock"
    assert targets(listener) == ["http unix:///var/run/out.sock"]


def test_tcp_routes_weigh_destinations() -> None:
    routes = [
        {"destination": {"host": A, "subset": s}, "weight": w}
        for s, w in (("v1", 30), ("v2", 70), ("v3", 0))
    ]
    rules = (virtual_service("split", {"hosts": [A], "tcp": [{"route": routes}]}),)
    listener = ListenerMesh(
        (service("a", (9000, P.TCP), addresses=("10.0.0.1",)),), rules
    ).listeners()["10.0.0.1_9000"]
    assert targets(listener) == [f"outbound|9000|v1|{A}=30 outbound|9000|v2|{A}=70"]
    [chain] = listener.filter_chains
    key = "/apis/networking.istio.io/v1/namespaces/ns/virtual-service/split"
    assert plain(chain.metadata)["filter_metadata"]["istio"]["config"] == key


def test_tcp_routes_match_subnets_and_labels() -> None:
    spec = {
        "hosts": [A],
        "tcp": [
            {"match": [{"sourceLabels": {"app": "x"}}], "route": [{"destination": {"host": "x"}}]},
            {
                "match": [{"destinationSubnets": ["10.9.0.0/16"]}],
                "route": [{"destination": {"host": "y"}}],
            },
            {"match": [{"gateways": ["ns/gw"]}], "route": [{"destination": {"host": "z"}}]},
        ],
    }
    world = ListenerMesh(
        (service("a", (9000, P.TCP), addresses=("10.0.0.1",)),), (virtual_service("v", spec),)
    )
    assert targets(world.listeners()["10.0.0.1_9000"]) == [
        "outbound|9000||y",
        f"outbound|9000||{A}",
    ]
    world.traits = {"labels": (("app", "x"),)}
    assert targets(world.listeners()["10.0.0.1_9000"]) == ["outbound|9000||x"]


def test_tls_routes_match_sni() -> None:
    spec = {
        "hosts": ["a.com"],
        "tls": [
            {
                "match": [{"port": 443, "sniHosts": ["x.a.com", "a.com"]}],
                "route": [{"destination": {"host": "a.com"}}],
            },
            {
                "match": [{"sniHosts": ["x.a.com", "a.com"]}],
                "route": [{"destination": {"host": "never"}}],
            },
        ],
    }
    world = ListenerMesh(
        (external("a.com", (443, P.TLS), addresses=("10.0.0.1",)),), (virtual_service("v", spec),)
    )
    listener = world.listeners()["10.0.0.1_443"]
    assert list(listener.filter_chains[0].filter_chain_match.server_names) == ["a.com", "x.a.com"]
    assert targets(listener) == ["outbound|443||a.com", "PassthroughCluster"]


def test_no_two_chains_match_the_same() -> None:
    """Envoy refuses a listener where they do; of equal matches the first counts."""
    routes = [
        {"match": [{"sniHosts": names}], "route": [{"destination": {"host": host}}]}
        for names, host in ((["a.com", "b.com"], "x"), (["b.com", "a.com"], "y"))
    ]
    rules = (virtual_service("v", {"hosts": ["a.com"], "tls": routes}),)
    listener = ListenerMesh(
        (external("a.com", (443, P.TLS), addresses=("10.0.0.1",)),), rules
    ).listeners()["10.0.0.1_443"]
    assert targets(listener) == ["outbound|443||x", "PassthroughCluster"]


def test_destination_rules_set_tcp_options() -> None:
    policy = {
        "connectionPool": {"tcp": {"idleTimeout": "5s", "maxConnectionDuration": "1m"}},
        "loadBalancer": {"consistentHash": {"useSourceIp": True}},
        "tunnel": {"targetHost": "example.com", "targetPort": 443, "protocol": "POST"},
    }
    a = service("a", (9000, P.TCP), addresses=("10.0.0.1",), rule=rule(A, policy))
    proxy = plain(ListenerMesh((a,)).listeners()["10.0.0.1_9000"])["filter_chains"][0]["filters"][
        0
    ]["typed_config"]
    assert (proxy["idle_timeout"], proxy["max_downstream_connection_duration"]) == ("5s", "60s")
    assert proxy["hash_policy"] == [{"source_ip": {}}]
    assert proxy["tunneling_config"] == {"hostname": "example.com:443", "use_post": True}


def test_the_http_proxy_is_a_listener_of_its_own() -> None:
    parts = ListenerMesh(traits={"http_proxy_port": 15002}).outbound()
    assert "http_proxy" in parts.routes


def test_an_unchanged_world_costs_nothing() -> None:
    world = ListenerMesh((service("a", (80, P.HTTP), (9000, P.TCP), addresses=("10.0.0.1",)),))
    scope = world.seen()
    first = world.outbound(scope)
    made = dict(world.memo.made)
    world.memo.turn()
    assert [a is b for a, b in zip(first.layers, world.outbound(scope).layers, strict=True)] == [
        True
    ] * len(first.layers)
    assert world.memo.made == made


def test_one_changed_service_makes_one_listener() -> None:
    services = tuple(
        service(f"s{n}", (9000, P.TCP), addresses=(f"10.0.0.{n}",)) for n in range(1, 6)
    )
    world = ListenerMesh(services)
    world.outbound()
    before = world.memo.made["varka.envoy.listeners.build.outbound_listener"]
    world.services = (*services[:4], service("new", (9000, P.TCP), addresses=("10.0.0.9",)))
    world.outbound()
    assert world.memo.made["varka.envoy.listeners.build.outbound_listener"] == before + 1


def test_goldens(golden: Golden) -> None:
    services = (
        service("a", (80, P.HTTP), (9000, P.TCP), (81, P.AUTO), addresses=("10.0.0.1",)),
        external("b.example.com", (443, P.TLS), (27017, P.MONGO)),
        external(
            "*.wild.example.com", (443, P.TLS), (80, P.HTTP), resolution=Resolution.DYNAMIC_DNS
        ),
    )
    world = ListenerMesh(
        services,
        scope={"dynamic_dns": True},
        mesh={"accessLogFile": "/dev/stdout", "proxyHttpPort": 15002},
    )
    golden("outbound", world.listeners().values())
