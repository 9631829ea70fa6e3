"""EnvoyFilter patches on single resources."""

from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)

from varka.base.memo import Memo
from varka.base.names import Namespace, ObjectKey
from varka.envoy.dump import message_of
from varka.envoy.filters.apply import Patched, patch_layers
from varka.envoy.resource import EnvoyResource, Layer, TypeUrl, encode
from varka.envoy.wkt import pack
from varka.mesh.model import FilterPatch
from varka.resources.model.base import decode
from varka.resources.model.networking import EnvoyConfigObjectPatch

HCM = "envoy.filters.network.http_connection_manager"
LUA = {
    "name": "lua",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "function envoy_on_response(h) end"},
    },
}

INBOUND = base_pb2.TrafficDirection.INBOUND


def patches(*specs: dict[str, Any]) -> tuple[FilterPatch, ...]:
    return tuple(
        FilterPatch(
            ObjectKey("networking.istio.io", "EnvoyFilter", "default", f"filter-{i}"),
            0,
            decode(spec, EnvoyConfigObjectPatch),
            Namespace("default"),
        )
        for i, spec in enumerate(specs)
    )


def apply(resource: EnvoyResource, *specs: dict[str, Any], router: bool = False) -> list[Patched]:
    return list(
        patch_layers(Memo(), resource.type, (Layer.of([resource]),), patches(*specs), router, ())
    )


def cluster() -> EnvoyResource:
    message = cluster_pb2.Cluster(name="outbound|80||a.default.svc.cluster.local")
    message.connect_timeout.seconds = 10
    return encode(TypeUrl.CLUSTER, message.name, message)


def listener() -> EnvoyResource:
    message = listener_pb2.Listener(name="virtualInbound", traffic_direction=INBOUND)
    chain = message.filter_chains.add(name="0.0.0.0_8080")
    chain.filter_chain_match.destination_port.value = 8080
    manager = hcm_pb2.HttpConnectionManager(stat_prefix="in")
    manager.route_config.virtual_hosts.add(name="inbound|http|80", domains=["*"])
    manager.http_filters.add(name="envoy.filters.http.router").typed_config.CopyFrom(
        pack(router_pb2.Router())
    )
    chain.filters.add(name=HCM).typed_config.CopyFrom(pack(manager))
    return encode(TypeUrl.LISTENER, message.name, message)


def routes() -> EnvoyResource:
    message = route_pb2.RouteConfiguration(name="80")
    host = message.virtual_hosts.add(name="a:80", domains=["a"])
    for name in ("first", "second"):
        route = host.routes.add(name=name)
        route.match.prefix = "/"
        route.route.cluster = "c"
    return encode(TypeUrl.ROUTE, "80", message)


def only(done: list[Patched]) -> Any:
    (resource,) = done[0].layer.resources.values()
    return message_of(resource)


def http_filters(done: list[Patched]) -> list[str]:
    manager = hcm_pb2.HttpConnectionManager.FromString(
        only(done).filter_chains[0].filters[0].typed_config.value
    )
    return [f.name for f in manager.http_filters]


def insert(
    operation: str, beside: str = "envoy.filters.http.router", name: str = "lua", **chain: Any
) -> dict[str, Any]:
    match = {
        "listener": {
            "filterChain": {
                "filter": {"name": HCM, "subFilter": {"name": beside}},
                **chain,
            }
        }
    }
    return {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "SIDECAR_INBOUND", **match},
        "patch": {"operation": operation, "value": {**LUA, "name": name}},
    }


def test_a_merge_changes_the_matching_cluster_and_replaces_a_duration() -> None:
    spec = {
        "applyTo": "CLUSTER",
        "match": {"cluster": {"service": "a.default.svc.cluster.local", "portNumber": 80}},
        "patch": {"operation": "MERGE", "value": {"connect_timeout": "0.5s"}},
    }
    done = apply(cluster(), spec)
    assert only(done).connect_timeout.seconds == 0
    assert only(done).connect_timeout.nanos == 500_000_000
    assert done[0].hits == frozenset(p for p in done[0].hits if p.source.name == "filter-0")
    assert next(iter(done[0].layer.resources.values())).origins[0].name == "filter-0"


def test_a_patch_that_matches_nothing_leaves_the_layer_and_hits_nothing() -> None:
    original = cluster()
    spec = {
        "applyTo": "CLUSTER",
        "match": {"cluster": {"name": "foo"}},
        "patch": {"operation": "MERGE", "value": {"lb_policy": "RANDOM"}},
    }
    done = apply(original, spec)
    assert done[0].layer.resources[original.name] is original
    assert not done[0].hits


def test_http_filters_go_before_and_after_the_one_named() -> None:
    assert http_filters(apply(listener(), insert("INSERT_BEFORE"))) == [
        "lua",
        "envoy.filters.http.router",
    ]
    both = insert("INSERT_BEFORE"), insert("INSERT_AFTER", "lua", "second")
    assert http_filters(apply(listener(), *both)) == [
        "lua",
        "second",
        "envoy.filters.http.router",
    ]
    assert http_filters(apply(listener(), insert("REMOVE"))) == []
    assert http_filters(apply(listener(), insert("REPLACE"))) == ["lua"]


def test_a_port_on_the_virtual_listener_means_its_filter_chain() -> None:
    assert http_filters(apply(listener(), insert("INSERT_BEFORE", destinationPort=8080))) == [
        "lua",
        "envoy.filters.http.router",
    ]
    assert http_filters(apply(listener(), insert("INSERT_BEFORE", destinationPort=9090))) == [
        "envoy.filters.http.router"
    ]


def test_the_context_decides() -> None:
    assert http_filters(apply(listener(), insert("INSERT_BEFORE"), router=True)) == [
        "envoy.filters.http.router"
    ]


def test_a_merge_into_the_connection_manager_keeps_the_rest() -> None:
    value = {
        "name": HCM,
        "typed_config": {
            "@type": f"type.googleapis.com/{hcm_pb2.HttpConnectionManager.DESCRIPTOR.full_name}",
            "server_name": "hello",
        },
    }
    match = {"context": "SIDECAR_INBOUND", "listener": {"filterChain": {"filter": {"name": HCM}}}}
    done = apply(
        listener(),
        {
            "applyTo": "NETWORK_FILTER",
            "match": match,
            "patch": {"operation": "MERGE", "value": value},
        },
    )
    manager = hcm_pb2.HttpConnectionManager.FromString(
        only(done).filter_chains[0].filters[0].typed_config.value
    )
    assert (manager.server_name, manager.stat_prefix) == ("hello", "in")


def test_routes_are_removed_merged_and_inserted_by_name() -> None:
    def spec(operation: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
        match = {
            "routeConfiguration": {"name": "80", "vhost": {"name": "a:80", "route": {"name": name}}}
        }
        return {
            "applyTo": "HTTP_ROUTE",
            "match": match,
            "patch": {"operation": operation, "value": value},
        }

    third = {"name": "third", "match": {"prefix": "/x"}, "direct_response": {"status": 418}}
    done = apply(
        routes(),
        spec("REMOVE", "first", {}),
        spec("MERGE", "second", {"route": {"timeout": "3s"}}),
        spec("INSERT_BEFORE", "second", third),
    )
    host = only(done).virtual_hosts[0]
    assert [r.name for r in host.routes] == ["third", "second"]
    assert host.routes[1].route.timeout.seconds == 3


def test_an_invalid_result_sets_aside_that_patch_only() -> None:
    bad = {
        "applyTo": "CLUSTER",
        "patch": {"operation": "MERGE", "value": {"connect_timeout": "-1s"}},
    }
    good = {"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {"lb_policy": "RANDOM"}}}
    done = apply(cluster(), bad, good)
    assert only(done).lb_policy == cluster_pb2.Cluster.RANDOM
    assert only(done).connect_timeout.seconds == 10
    assert [(r.patch.source.name, "connect_timeout" in r.reason) for r in done[0].rejected] == [
        ("filter-0", True)
    ]


def test_an_unknown_type_is_reported_not_applied() -> None:
    value = {"name": "x", "typed_config": {"@type": "type.googleapis.com/envoy.no.such.v3.Thing"}}
    done = apply(
        listener(),
        {"applyTo": "HTTP_FILTER", "patch": {"operation": "INSERT_FIRST", "value": value}},
    )
    assert http_filters(done) == ["envoy.filters.http.router"]
    assert "envoy.no.such.v3.Thing" in done[-1].rejected[0].reason


def test_added_clusters_come_as_a_layer_of_their_own() -> None:
    value = {"name": "extra", "connect_timeout": "1s", "type": "STATIC"}
    done = apply(cluster(), {"applyTo": "CLUSTER", "patch": {"operation": "ADD", "value": value}})
    assert list(done[-1].layer.resources) == ["extra"]


def test_extension_configurations_are_resources_of_their_own_whatever_the_context() -> None:
    patch = {
        "applyTo": "EXTENSION_CONFIG",
        "match": {"context": "GATEWAY"},
        "patch": {"operation": "ADD", "value": LUA},
    }
    (added,) = patch_layers(Memo(), TypeUrl.EXTENSION, (), patches(patch), False, ())
    assert list(added.layer.resources) == ["lua"]
    assert len(added.hits) == 1


def test_a_merge_of_another_type_is_reported_not_applied() -> None:
    chain = {
        "filterChain": {"filter": {"name": HCM, "subFilter": {"name": "envoy.filters.http.router"}}}
    }
    patch = {"operation": "MERGE", "value": {"typed_config": LUA["typed_config"]}}
    done = apply(
        listener(), {"applyTo": "HTTP_FILTER", "match": {"listener": chain}, "patch": patch}
    )
    assert not done[0].hits
    assert "lua.v3.Lua" in done[0].rejected[0].reason


def test_a_merge_without_a_filter_passes_over_other_types() -> None:
    value = {
        "typed_config": {
            "@type": f"type.googleapis.com/{router_pb2.Router.DESCRIPTOR.full_name}",
            "dynamic_stats": False,
        }
    }
    both = (
        insert("INSERT_FIRST"),
        {"applyTo": "HTTP_FILTER", "patch": {"operation": "MERGE", "value": value}},
    )
    done = apply(listener(), *both)
    assert http_filters(done) == ["lua", "envoy.filters.http.router"]
    assert (len(done[0].hits), done[0].rejected) == (2, ())
    none = apply(
        listener(), {"applyTo": "NETWORK_FILTER", "patch": {"operation": "MERGE", "value": value}}
    )
    assert (none[0].hits, none[0].rejected) == (frozenset(), ())


def test_only_the_first_merge_operation_is_for_listener_filters() -> None:
    """Istio's MERGE_AND_REPLACE_LIST does nothing below a listener."""
    message = listener_pb2.Listener(name="virtualInbound", traffic_direction=INBOUND)
    value = {
        "name": "x",
        "typed_config": {"@type": f"type.googleapis.com/{router_pb2.Router.DESCRIPTOR.full_name}"},
    }
    message.listener_filters.add(name="x").typed_config.CopyFrom(pack(router_pb2.Router()))
    resource = encode(TypeUrl.LISTENER, message.name, message)
    for operation, count in (("MERGE", 1), ("MERGE_AND_REPLACE_LIST", 0)):
        patch = {"operation": operation, "value": value}
        done = apply(
            resource,
            {
                "applyTo": "LISTENER_FILTER",
                "match": {"listener": {"listenerFilter": "x"}},
                "patch": patch,
            },
        )
        assert len(done[0].hits) == count


@pytest.mark.parametrize(
    ("operation", "after", "taken"),
    [
        ("ADD", None, False),
        ("INSERT_AFTER", None, False),
        ("INSERT_AFTER", "envoy.filters.http.router", False),
        ("INSERT_BEFORE", "envoy.filters.http.router", True),
        ("INSERT_FIRST", None, True),
    ],
)
def test_no_filter_comes_behind_the_router(operation: str, after: str | None, taken: bool) -> None:
    """Istio sends it, and Envoy refuses the whole listener."""
    below = {"subFilter": {"name": after}} if after else {}
    match = {"listener": {"filterChain": {"filter": {"name": HCM, **below}}}}
    [found] = patches(
        {"applyTo": "HTTP_FILTER", "match": match, "patch": {"operation": operation, "value": LUA}}
    )
    before = listener()
    done, _ = patch_layers(Memo(), TypeUrl.LISTENER, (Layer.of((before,)),), (found,), False, ())
    assert (found in done.hits) is taken
    assert [r.patch for r in done.rejected] == ([] if taken else [found])
    assert (done.layer.resources[before.name] is before) is not taken
