"""EnvoyFilter: that patch, match and place fit together. The patched messages themselves are
checked where they are made."""

from __future__ import annotations

from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.resource import Resource
from varka.resources.validate.common import check_selector
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.re2 import regex

_LISTENER = (
    n.ApplyTo.LISTENER,
    n.ApplyTo.FILTER_CHAIN,
    n.ApplyTo.NETWORK_FILTER,
    n.ApplyTo.HTTP_FILTER,
)
_ROUTE = (n.ApplyTo.ROUTE_CONFIGURATION, n.ApplyTo.VIRTUAL_HOST, n.ApplyTo.HTTP_ROUTE)
_HCM = ("envoy.filters.network.http_connection_manager", "envoy.http_connection_manager")
_OLD_NAMES = {
    "envoy.buffer": "envoy.filters.http.buffer",
    "envoy.cors": "envoy.filters.http.cors",
    "envoy.csrf": "envoy.filters.http.csrf",
    "envoy.http_dynamo_filter": "envoy.filters.http.dynamo",
    "envoy.fault": "envoy.filters.http.fault",
    "envoy.grpc_http1_bridge": "envoy.filters.http.grpc_http1_bridge",
    "envoy.grpc_json_transcoder": "envoy.filters.http.grpc_json_transcoder",
    "envoy.grpc_web": "envoy.filters.http.grpc_web",
    "envoy.gzip": "envoy.filters.http.gzip",
    "envoy.health_check": "envoy.filters.http.health_check",
    "envoy.ip_tagging": "envoy.filters.http.ip_tagging",
    "envoy.lua": "envoy.filters.http.lua",
    "envoy.rate_limit": "envoy.filters.http.ratelimit",
    "envoy.router": "envoy.filters.http.router",
    "envoy.squash": "envoy.filters.http.squash",
    "envoy.listener.http_inspector": "envoy.filters.listener.http_inspector",
    "envoy.listener.original_dst": "envoy.filters.listener.original_dst",
    "envoy.listener.original_src": "envoy.filters.listener.original_src",
    "envoy.listener.proxy_protocol": "envoy.filters.listener.proxy_protocol",
    "envoy.listener.tls_inspector": "envoy.filters.listener.tls_inspector",
    "envoy.client_ssl_auth": "envoy.filters.network.client_ssl_auth",
    "envoy.ext_authz": "envoy.filters.network.ext_authz",
    "envoy.http_connection_manager": "envoy.filters.network.http_connection_manager",
    "envoy.mongo_proxy": "envoy.filters.network.mongo_proxy",
    "envoy.ratelimit": "envoy.filters.network.ratelimit",
    "envoy.redis_proxy": "envoy.filters.network.redis_proxy",
    "envoy.tcp_proxy": "envoy.filters.network.tcp_proxy",
}


def validate(resource: Resource[n.EnvoyFilter], here: Cursor) -> None:
    message = (
        "EnvoyFilter reaches into what the control plane generates, which may change with any"
        " version"
    )
    here.warning(Code.EF_INTERNALS, message, "prefer another API where there is one")
    check_selector(resource.spec.workload_selector, here.at("workloadSelector"))
    for place, patch in here.each("configPatches", resource.spec.config_patches):
        if patch.match is None or patch.match.context != n.PatchContext.WAYPOINT:
            _check_patch(patch, place)


def _check_patch(patch: n.EnvoyConfigObjectPatch, here: Cursor) -> None:
    if patch.apply_to == n.ApplyTo.INVALID:
        here.error(Code.EF_PATCH, "applyTo is required")
        return
    if patch.patch is None or patch.patch.operation == n.Operation.INVALID:
        here.error(Code.EF_PATCH, "patch.operation is required")
        return
    if patch.apply_to == n.ApplyTo.BOOTSTRAP:
        here.at("applyTo").warning(
            Code.EF_PATCH, "BOOTSTRAP is ignored: no control plane serves bootstraps"
        )
    if patch.patch.filter_class != n.FilterClass.UNSPECIFIED:
        message = "filterClass has no effect: Istio reads it no more"
        here.at("patch", "filterClass").warning(
            Code.EF_PATCH, message, "say where with operation and match"
        )
    if patch.patch.operation != n.Operation.REMOVE and patch.patch.value is None:
        here.at("patch").error(Code.EF_PATCH, f"operation {patch.patch.operation} needs a value")
    if patch.match is not None:
        _check_proxy(patch.match.proxy, here.at("match", "proxy"))
        _check_match(patch.apply_to, patch.match, here.at("match"))


def _check_proxy(proxy: n.ProxyMatch | None, here: Cursor) -> None:
    if proxy is None or not proxy.proxy_version:
        return
    if len(proxy.proxy_version) > 1024:
        here.at("proxyVersion").warning(
            Code.EF_MATCH, "longer than 1024 characters, so it is ignored"
        )
    else:
        here.at("proxyVersion").check(Code.EF_MATCH, regex(proxy.proxy_version))


def _check_match(apply_to: n.ApplyTo, match: n.EnvoyConfigObjectMatch, here: Cursor) -> None:
    given = {
        "listener": match.listener,
        "routeConfiguration": match.route_configuration,
        "cluster": match.cluster,
    }
    wanted = {
        **dict.fromkeys(_LISTENER, "listener"),
        **dict.fromkeys(_ROUTE, "routeConfiguration"),
        n.ApplyTo.CLUSTER: "cluster",
    }.get(apply_to)
    if wanted is None:
        return
    for name, value in given.items():
        if value is not None and name != wanted:
            here.at(name).error(
                Code.EF_MATCH, f"applyTo {apply_to} needs a match of {wanted}, not {name}"
            )
    if match.listener is not None and wanted == "listener":
        _check_listener(apply_to, match.listener, here.at("listener"))


def _check_listener(apply_to: n.ApplyTo, match: n.ListenerMatch, here: Cursor) -> None:
    if match.port_name:
        here.at("portName").warning(
            Code.EF_MATCH,
            "portName of a listener has no effect: Istio never built it",
            "use portNumber",
        )
    chain = match.filter_chain
    if chain is None:
        return
    if chain.transport_socket:
        message = "transportSocket has no effect: Istio does not look at it"
        here.at("filterChain", "transportSocket").warning(Code.EF_MATCH, message)
    if chain.filter is not None:
        _check_filter(apply_to, chain.filter, here.at("filterChain", "filter"))


def _check_filter(apply_to: n.ApplyTo, match: n.ListenerMatchFilterMatch, here: Cursor) -> None:
    if apply_to in (n.ApplyTo.LISTENER, n.ApplyTo.FILTER_CHAIN):
        here.warning(Code.EF_MATCH, f"a filter match has no effect with applyTo {apply_to}")
    if not match.name:
        here.error(Code.EF_MATCH, "a filter match needs a name")
        return
    names = [(here, match.name)]
    if match.sub_filter is not None:
        if apply_to != n.ApplyTo.HTTP_FILTER:
            here.at("subFilter").error(Code.EF_MATCH, "subFilter is for applyTo HTTP_FILTER only")
        elif match.name not in _HCM:
            here.at("subFilter").error(
                Code.EF_MATCH, f"subFilter needs the filter {_HCM[0]}, not {match.name}"
            )
        elif not match.sub_filter.name:
            here.at("subFilter").error(Code.EF_MATCH, "subFilter needs a name")
        names.append((here.at("subFilter"), match.sub_filter.name))
    for place, name in names:
        if name in _OLD_NAMES:
            place.at("name").warning(
                Code.EF_FILTER_NAME, f"{name!r} is an old name", f"use {_OLD_NAMES[name]}"
            )
