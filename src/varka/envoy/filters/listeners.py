"""Listener patches, from the listener down to HTTP filters (Istio's order: merges and removals
first, then adds)."""

from __future__ import annotations

from typing import Any

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)

from varka.envoy.filters.merge import merge, merged_any
from varka.envoy.filters.patch import MERGES, Patch, Run, edit_list
from varka.envoy.filters.routes import patch_route_configuration
from varka.envoy.messagetypes import type_name
from varka.envoy.wkt import pack
from varka.resources.model.networking import ApplyTo, FilterChainMatch, Operation

_VIRTUAL = ("virtualInbound", "virtualOutbound")
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_BEHIND_ROUTER = (
    "it puts a filter behind the router, which Envoy wants last: use INSERT_BEFORE or INSERT_FIRST"
)
HCM = "envoy.filters.network.http_connection_manager"


def patch_listener(run: Run, listener: listener_pb2.Listener) -> bool:
    """Change a decoded listener in place; False when it is removed."""
    for patch in run.of(ApplyTo.LISTENER, lambda p: _listener(p, listener)):
        if patch.operation is Operation.REMOVE:
            run.hit(patch)
            return False
        if patch.operation in MERGES:
            merge(
                listener,
                patch.value,
                replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST,
            )
            run.hit(patch)
    _listener_filters(run, listener)
    _filter_chains(run, listener)
    return True


def _listener_filters(run: Run, listener: listener_pb2.Listener) -> None:
    for patch in run.of(ApplyTo.LISTENER_FILTER, lambda p: _listener(p, listener)):
        name = patch.listener.listener_filter if patch.listener else ""
        if patch.operation is Operation.MERGE:
            for item in listener.listener_filters:
                if item.name == name:
                    _merge_filter(run, item, patch, name)
        else:
            edit_list(run, listener.listener_filters, patch, _named(name) if name else None)


def _filter_chains(run: Run, listener: listener_pb2.Listener) -> None:
    for chain in listener.filter_chains:
        _filter_chain(run, listener, chain)
    if listener.HasField("default_filter_chain"):
        _filter_chain(run, listener, listener.default_filter_chain)
        if not listener.default_filter_chain.filters:
            listener.ClearField("default_filter_chain")
    for patch in run.of(
        ApplyTo.FILTER_CHAIN, lambda p: p.operation is Operation.ADD and _listener(p, listener)
    ):
        listener.filter_chains.add().CopyFrom(patch.value)
        run.hit(patch)
    for at in reversed([i for i, chain in enumerate(listener.filter_chains) if not chain.filters]):
        del listener.filter_chains[at]


def _filter_chain(run: Run, listener: listener_pb2.Listener, chain: components.FilterChain) -> None:
    for patch in run.of(
        ApplyTo.FILTER_CHAIN, lambda p: _listener(p, listener) and _chain(p, listener, chain)
    ):
        if patch.operation is Operation.REMOVE:
            run.hit(patch)
            del chain.filters[:]
            return
        if patch.operation in MERGES:
            run.hit(patch)
            if not merge_transport_socket(chain, patch.value):
                merge(
                    chain,
                    patch.value,
                    replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST,
                )
    here = run.of(
        ApplyTo.NETWORK_FILTER, lambda p: _listener(p, listener) and _chain(p, listener, chain)
    )
    for patch in here:
        name = _filter_name(patch)
        if patch.operation is not Operation.MERGE:
            edit_list(run, chain.filters, patch, None if name is None else _named(name))
    for item in chain.filters:
        for patch in here:
            name = _filter_name(patch)
            if patch.operation is Operation.MERGE and name in (None, item.name):
                _merge_filter(run, item, patch, name)
        if item.name == HCM and item.HasField("typed_config"):
            _http_filters(run, listener, chain, item)


def _http_filters(
    run: Run,
    listener: listener_pb2.Listener,
    chain: components.FilterChain,
    item: components.Filter,
) -> None:
    here = run.of(
        ApplyTo.HTTP_FILTER,
        lambda p: (
            _listener(p, listener)
            and _chain(p, listener, chain)
            and _filter_name(p) in (None, item.name)
        ),
    )
    manager = hcm_pb2.HttpConnectionManager.FromString(item.typed_config.value)
    if manager.HasField("route_config"):
        patch_route_configuration(run, manager.route_config, {})
    for patch in here:
        name = _http_filter_name(patch)
        if _lands_behind_router(manager, patch, name):
            run.refuse(patch, _BEHIND_ROUTER)
        elif patch.operation is not Operation.MERGE:
            edit_list(run, manager.http_filters, patch, None if name is None else _named(name))
    for http_filter in manager.http_filters:
        for patch in here:
            name = _http_filter_name(patch)
            if patch.operation is Operation.MERGE and name in (None, http_filter.name):
                _merge_filter(run, http_filter, patch, name)
    item.typed_config.CopyFrom(pack(manager))


def _lands_behind_router(
    manager: hcm_pb2.HttpConnectionManager, patch: Patch, name: str | None
) -> bool:
    """Envoy refuses a manager with a filter behind its router; Istio sends it all the same."""
    filters = manager.http_filters
    if not filters or filters[-1].typed_config.type_url != _ROUTER:
        return False
    last = patch.operation is Operation.ADD or (
        patch.operation is Operation.INSERT_AFTER and name in (None, filters[-1].name)
    )
    return last and patch.value.typed_config.type_url != _ROUTER


def merge_transport_socket(holder: components.FilterChain, value: components.FilterChain) -> bool:
    """Merge a transport socket of the same name into that of a filter chain; False when that is not
    what the patch does."""
    if not (value.HasField("transport_socket") and holder.HasField("transport_socket")):
        return False
    if value.transport_socket.name != holder.transport_socket.name:
        return False
    merged = merged_any(holder.transport_socket.typed_config, value.transport_socket.typed_config)
    if merged is not None:
        holder.transport_socket.typed_config.CopyFrom(merged)
    return True


def _merge_filter(run: Run, item: Any, patch: Patch, wanted: str | None) -> None:
    """Merge a patch's typed configuration and name into a filter that has a typed configuration.
    One of another type is passed over, which is a mistake when the patch wants the filter by its
    name."""
    if not item.HasField("typed_config"):
        return
    if patch.value.HasField("typed_config"):
        given = patch.value.typed_config
        merged = merged_any(item.typed_config, given)
        if merged is None:
            if wanted:
                run.refuse(
                    patch,
                    f"the configuration of {wanted} is a {type_name(item.typed_config)}, not a"
                    f" {type_name(given)}",
                )
            return
        item.typed_config.CopyFrom(merged)
    item.name = patch.value.name or item.name
    run.hit(patch)


def _named(name: str) -> Any:
    return lambda item: item.name == name


def _filter_name(patch: Patch) -> str | None:
    chain = patch.listener.filter_chain if patch.listener else None
    return chain.filter.name if chain and chain.filter else None


def _http_filter_name(patch: Patch) -> str | None:
    chain = patch.listener.filter_chain if patch.listener else None
    return (
        chain.filter.sub_filter.name if chain and chain.filter and chain.filter.sub_filter else None
    )


def _listener(patch: Patch, listener: listener_pb2.Listener) -> bool:
    """`portNumber` on the virtual listeners is a matter of their filter chains."""
    match = patch.listener
    if match is None:
        return True
    if match.name and match.name != listener.name:
        return False
    if patch.apply_to is not ApplyTo.LISTENER and listener.name in _VIRTUAL:
        return True
    return not match.port_number or listener.address.socket_address.port_value == match.port_number


def _chain(patch: Patch, listener: listener_pb2.Listener, chain: components.FilterChain) -> bool:
    match = patch.listener
    if match is None:
        return True
    found = chain.filter_chain_match
    if (
        listener.name in _VIRTUAL
        and match.port_number
        and found.destination_port.value != match.port_number
    ):
        return False
    return match.filter_chain is None or _chain_match(match.filter_chain, chain, found)


def _chain_match(match: FilterChainMatch, chain: components.FilterChain, found: Any) -> bool:
    return (
        (not match.name or match.name == chain.name)
        and (not match.sni or match.sni in found.server_names)
        and (not match.transport_protocol or match.transport_protocol == found.transport_protocol)
        and all(
            p in found.application_protocols for p in match.application_protocols.split(",") if p
        )
        and (not match.destination_port or match.destination_port == found.destination_port.value)
    )
