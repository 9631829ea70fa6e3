"""What istioctl's tables say of a dump."""

from datetime import UTC, datetime
from typing import Any

import pytest

from varka.cli.tables import render
from varka.configdump import bootstrap, clusters, endpoints, listeners, routes, secrets
from varka.configdump.reader import Dump, NoSection

ADMIN = "type.googleapis.com/envoy.admin.v3."


def dump(kind: str, **lists: Any) -> Dump:
    return Dump({"configs": [{"@type": ADMIN + kind, **lists}]})


def socket_address(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def test_columns_are_as_wide_as_their_cells() -> None:
    assert (
        render([("NAME", "X", "LAST"), ("a-long-name", "", "y")], 2)
        == "NAME         X  LAST\na-long-name     y\n"
    )
    assert render([]) == ""


def cluster(name: str, **fields: Any) -> dict[str, Any]:
    return {"cluster": {"@type": "x", "name": name, **fields}}


CLUSTERS = dump(
    "ClustersConfigDump",
    static_clusters=[cluster("xds-grpc", type="STATIC"), cluster("BlackHoleCluster")],
    dynamic_active_clusters=[
        cluster("outbound|9080|v2|reviews.default.svc.cluster.local", type="EDS"),
        cluster("outbound|80||b.default.svc.cluster.local", type="EDS"),
        cluster(
            "outbound|9080||reviews.default.svc.cluster.local",
            type="EDS",
            metadata={
                "filter_metadata": {
                    "istio": {
                        "config": "/apis/networking.istio.io/v1/namespaces/ns/destination-rule/r"
                    }
                }
            },
        ),
        cluster("inbound|9080||", type="ORIGINAL_DST"),
    ],
)


def test_clusters_by_host_subset_and_port() -> None:
    table = clusters.rows(clusters.select(CLUSTERS, clusters.ClusterFilter()))
    assert [row[:4] for row in table[1:]] == [
        ("", "9080", "-", "inbound"),
        ("BlackHoleCluster", "-", "-", "-"),
        ("b.default.svc.cluster.local", "80", "-", "outbound"),
        ("reviews.default.svc.cluster.local", "9080", "-", "outbound"),
        ("reviews.default.svc.cluster.local", "9080", "v2", "outbound"),
        ("xds-grpc", "-", "-", "-"),
    ]
    assert [row[4:] for row in table[2:5]] == [("STATIC", ""), ("EDS", ""), ("EDS", "r.ns")]


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({"fqdn": "reviews"}, 2),
        ({"port": 80}, 1),
        ({"subset": "v2"}, 1),
        ({"direction": "inbound"}, 1),
    ],
)
def test_clusters_are_chosen_by_their_name(chosen: dict[str, Any], count: int) -> None:
    assert len(clusters.select(CLUSTERS, clusters.ClusterFilter(**chosen))) == count


def test_a_dump_without_clusters_says_so() -> None:
    with pytest.raises(NoSection, match="no clusters"):
        clusters.select(dump("ClustersConfigDump"), clusters.ClusterFilter())
    with pytest.raises(NoSection, match="ClustersConfigDump"):
        clusters.select(dump("RoutesConfigDump"), clusters.ClusterFilter())


def listener(
    address: str, port: int, *chains: dict[str, Any], default: dict[str, Any] | None = None
) -> dict[str, Any]:
    found = {"address": socket_address(address, port), "filter_chains": list(chains)}
    return {
        "active_state": {
            "listener": {**found, "default_filter_chain": default} if default else found
        }
    }


def http(**config: Any) -> dict[str, Any]:
    return {"filters": [{"name": listeners.HTTP, "typed_config": config}]}


def tcp(name: str, **match: Any) -> dict[str, Any]:
    return {
        "filter_chain_match": match,
        "filters": [{"name": listeners.TCP, "typed_config": {"cluster": name}}],
    }


LISTENERS = dump(
    "ListenersConfigDump",
    dynamic_listeners=[
        listener(
            "0.0.0.0",
            9080,
            http(rds={"route_config_name": "9080"}),
            default=tcp("PassthroughCluster"),
        ),
        listener(
            "10.0.0.1",
            443,
            tcp("outbound|443||a", server_names=["a", "b"], transport_protocol="tls"),
            tcp(
                "c",
                prefix_ranges=[{"address_prefix": "10.0.0.1", "prefix_len": 32}],
                destination_port=443,
            ),
            tcp("BlackHoleCluster", destination_port=15001),
        ),
        listener(
            "0.0.0.0", 80, http(route_config={"virtual_hosts": [{"domains": ["*"], "routes": []}]})
        ),
    ],
)


def test_listeners_by_port_with_matches_and_destinations() -> None:
    table = listeners.rows(listeners.select(LISTENERS, listeners.ListenerFilter()))
    assert table == [
        ("ADDRESSES", "PORT", "MATCH", "DESTINATION"),
        ("0.0.0.0", "80", "ALL", "Inline Route: "),
        ("10.0.0.1", "443", "Addr: *:15001", "Non-HTTP/Non-TCP"),
        ("10.0.0.1", "443", "SNI: a,b; Trans: tls", "Cluster: outbound|443||a"),
        ("10.0.0.1", "443", "Addr: 10.0.0.1/32:443", "Cluster: c"),
        ("0.0.0.0", "9080", "ALL", "Route: 9080"),
        ("0.0.0.0", "9080", "ALL", "PassthroughCluster"),
    ]


@pytest.mark.parametrize(
    ("chosen", "ports"),
    [
        ({"type": "tcp"}, [443]),
        ({"type": "HTTP+TCP"}, [9080]),
        ({"port": 80}, [80]),
        ({"address": "10.0.0.1"}, [443]),
    ],
)
def test_listeners_are_chosen(chosen: dict[str, Any], ports: list[int]) -> None:
    found = listeners.select(LISTENERS, listeners.ListenerFilter(**chosen))
    assert [row[1] for row in listeners.rows(found, verbose=False)[1:]] == [
        str(port) for port in ports
    ]


def route_config(name: str, *hosts: dict[str, Any]) -> dict[str, Any]:
    return {"route_config": {"name": name, "virtual_hosts": list(hosts)}}


def test_routes_say_what_they_match_and_who_made_them() -> None:
    made = {
        "filter_metadata": {
            "istio": {"config": "/apis/networking.istio.io/v1/namespaces/ns/virtual-service/vs"}
        }
    }
    domains = [
        "reviews.default.svc.cluster.local",
        "reviews",
        "reviews.default.svc",
        "reviews.default",
        "reviews:9080",
        "10.0.0.1",
    ]
    found = dump(
        "RoutesConfigDump",
        dynamic_route_configs=[
            route_config(
                "9080",
                {
                    "name": "r",
                    "domains": domains,
                    "routes": [{"match": {"prefix": "/a"}, "metadata": made}],
                },
                {
                    "name": "allow_any",
                    "domains": ["*"],
                    "routes": [
                        {"match": {"prefix": "/"}, "route": {"cluster": "PassthroughCluster"}}
                    ],
                },
                {"name": "empty", "domains": ["e"]},
            ),
            route_config(
                "80",
                {
                    "name": "x",
                    "domains": ["x"],
                    "routes": [{"match": {"safe_regex": {"regex": ".*"}}}],
                },
            ),
        ],
        static_route_configs=[route_config("backend")],
    )
    assert routes.rows(routes.select(found))[1:] == [
        ("80", "x", "x", "regex .*", ""),
        ("9080", "r", "reviews, reviews.default + 1 more...", "/a*", "vs.ns"),
        ("9080", "empty", "e", "/*", "404"),
    ]
    assert routes.rows(routes.select(found, "9080"), verbose=False)[1:] == [("9080", "3")]


@pytest.mark.parametrize(
    ("match", "text"),
    [
        ({"path_separated_prefix": "/a"}, "PathPrefix:/a"),
        ({"path": "/a"}, "/a"),
        ({"pathSeparatedPrefix": "/b"}, "PathPrefix:/b"),
    ],
)
def test_a_match_is_its_path(match: dict[str, Any], text: str) -> None:
    assert routes.describe_match(match) == text


def test_endpoints_of_load_assignments() -> None:
    def endpoint(address: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {"endpoint": {"address": address}, **fields}

    internal = {
        "envoy_internal_address": {"server_listener_name": "l", "endpoint_id": "1.2.3.4:80"}
    }
    groups = [
        {
            "locality": {"region": "r", "zone": "z"},
            "lb_endpoints": [
                endpoint(socket_address("10.0.0.1", 80), health_status="HEALTHY"),
                endpoint(internal),
            ],
        }
    ]
    found = dump(
        "EndpointsConfigDump",
        dynamic_endpoint_configs=[{"endpoint_config": {"cluster_name": "c", "endpoints": groups}}],
    )
    assert endpoints.rows(endpoints.select(found, endpoints.EndpointFilter()))[1:] == [
        ("10.0.0.1:80", "HEALTHY", "r/z", "c"),
        ("envoy://l/1.2.3.4:80", "UNKNOWN", "r/z", "c"),
    ]
    for chosen in (
        {"port": 80},
        {"address": "10.0.0.1"},
        {"address": "10.0.0.1:80"},
        {"status": "healthy"},
    ):
        assert len(endpoints.rows(endpoints.select(found, endpoints.EndpointFilter(**chosen)))) == 2
    assert endpoints.select(found, endpoints.EndpointFilter(cluster="other")) == []


def test_endpoints_of_clusters_know_outliers() -> None:
    hosts = [
        {
            "address": socket_address("10.0.0.2", 80),
            "health_status": {"eds_health_status": "HEALTHY", "failed_outlier_check": True},
        },
        {
            "address": socket_address("10.0.0.1", 80),
            "health_status": {"eds_health_status": "HEALTHY"},
        },
        {"address": {"pipe": {"path": "./s"}}, "health_status": {}},
    ]
    found, every = (
        Dump({"cluster_statuses": [{"name": "c", "host_statuses": hosts}]}),
        endpoints.EndpointFilter(),
    )
    assert endpoints.host_rows(endpoints.select_hosts(found, every), every)[1:] == [
        ("10.0.0.1:80", "HEALTHY", "OK", "c"),
        ("10.0.0.2:80", "HEALTHY", "FAILED", "c"),
        ("unix://./s", "UNKNOWN", "OK", "c"),
    ]


def test_versions_and_extensions() -> None:
    build = {
        "version": {"major_number": 1, "minor_number": 40},
        "metadata": {"revision.status": "Clean", "build.type": "RELEASE"},
    }
    node = {"metadata": {"ISTIO_VERSION": "1.30.0"}, "user_agent_build_version": build}
    found = bootstrap.version_rows(dump("BootstrapConfigDump", bootstrap={"node": node}))
    assert found == [("Istio Version:", "1.30.0"), ("Envoy Version:", "1.40.0/Clean/RELEASE")]
    entries = [
        {"ecds_filter": {"name": n, "typed_config": {"@type": "type.googleapis.com/w.Wasm"}}}
        for n in ("b", "a")
    ]
    assert bootstrap.extension_rows(dump("EcdsConfigDump", ecds_filters=entries))[1:] == [
        ("a", "w.Wasm"),
        ("b", "w.Wasm"),
    ]


def test_a_secret_without_certificate_has_no_facts() -> None:
    found = secrets.secret_items(
        dump(
            "SecretsConfigDump",
            dynamic_warming_secrets=[{"name": "kubernetes://a", "secret": {"name": "a"}}],
        )
    )
    assert secrets.rows(found, datetime.now(UTC))[1:] == [
        ("kubernetes://a", "", "WARMING", "false", "", "", "")
    ]
