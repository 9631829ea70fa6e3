"""Route configuration patches, down to single routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envoy.config.route.v3 import route_components_pb2 as components
from envoy.config.route.v3 import route_pb2

from varka.base.digits import number
from varka.envoy.filters.merge import merge
from varka.envoy.filters.patch import MERGES, Patch, Run, edit_list
from varka.resources.model.networking import Action, ApplyTo, Operation, PatchContext

_ACTIONS = {
    "route": Action.ROUTE,
    "redirect": Action.REDIRECT,
    "direct_response": Action.DIRECT_RESPONSE,
}
ServerPorts = Mapping[int, frozenset[int]]
"""For gateways: the port a listener binds -> the `servers[].port.number`s it stands for."""


def patch_route_configuration(
    run: Run, configuration: route_pb2.RouteConfiguration, ports: ServerPorts
) -> None:
    """Change a decoded RouteConfiguration in place."""
    for patch in run.of(
        ApplyTo.ROUTE_CONFIGURATION, lambda p: _configuration(run, p, configuration.name, ports)
    ):
        if patch.operation in MERGES:
            merge(
                configuration,
                patch.value,
                replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST,
            )
            run.hit(patch)
    kept = [
        host
        for host in configuration.virtual_hosts
        if patch_virtual_host(run, host, configuration.name, ports)
    ]
    if len(kept) != len(configuration.virtual_hosts):
        names = {host.name for host in kept}
        for at in reversed(
            [i for i, host in enumerate(configuration.virtual_hosts) if host.name not in names]
        ):
            del configuration.virtual_hosts[at]
    for patch in run.of(
        ApplyTo.VIRTUAL_HOST, lambda p: _configuration(run, p, configuration.name, ports)
    ):
        if patch.operation is Operation.ADD:
            configuration.virtual_hosts.add().CopyFrom(patch.value)
            run.hit(patch)


def patch_virtual_host(
    run: Run, host: components.VirtualHost, configuration: str, ports: ServerPorts
) -> bool:
    """Change a decoded virtual host of the named route configuration in place; False when it is
    removed."""
    for patch in run.of(
        ApplyTo.VIRTUAL_HOST,
        lambda p: _configuration(run, p, configuration, ports) and _virtual_host(p, host),
    ):
        if patch.operation is Operation.REMOVE:
            run.hit(patch)
            return False
        if patch.operation in MERGES:
            merge(
                host, patch.value, replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST
            )
            run.hit(patch)
        elif patch.operation is Operation.REPLACE:
            host.CopyFrom(patch.value)
            run.hit(patch)
    _routes(run, host, configuration, ports)
    return True


def _routes(run: Run, host: components.VirtualHost, configuration: str, ports: ServerPorts) -> None:
    here = run.of(
        ApplyTo.HTTP_ROUTE,
        lambda p: _configuration(run, p, configuration, ports) and _virtual_host(p, host),
    )
    removed = []
    for at, route in enumerate(host.routes):
        for patch in here:
            if not _route(patch, route):
                continue
            if patch.operation is Operation.REMOVE:
                run.hit(patch)
                removed.append(at)
                break
            if patch.operation in MERGES:
                merge(
                    route,
                    patch.value,
                    replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST,
                )
                run.hit(patch)
    for at in reversed(removed):
        del host.routes[at]
    for patch in here:
        if patch.operation not in (*MERGES, Operation.REMOVE, Operation.REPLACE):
            edit_list(run, host.routes, patch, _matcher(patch), first_needs_match=True)


def _matcher(patch: Patch) -> Any:
    match = patch.route_configuration
    relative = match is not None and match.vhost is not None and match.vhost.route is not None
    return (lambda route: _route(patch, route)) if relative else None


def _configuration(run: Run, patch: Patch, name: str, ports: ServerPorts) -> bool:
    match = patch.route_configuration
    if match is None:
        return True
    if match.name and match.name != name:
        return False
    if run.context is not PatchContext.GATEWAY:
        return not match.port_number or match.port_number == _port(name)
    port, port_name, gateway = _gateway_parts(name)
    return (
        (not match.port_name or match.port_name == port_name)
        and (not match.gateway or match.gateway == gateway)
        and (not match.port_number or match.port_number in ports.get(port, frozenset((port,))))
    )


def _port(name: str) -> int:
    text = name.split("|")[1] if name.startswith("inbound|") else name
    return number(text) or 0


def _gateway_parts(name: str) -> tuple[int, str, str]:
    """Port, port name and `namespace/gateway` from `http.8080` or `https.443.https.gw.ns`."""
    parts = name.split(".")
    port = (number(parts[1]) or 0) if len(parts) > 1 else 0
    return (port, parts[2], f"{parts[4]}/{parts[3]}") if len(parts) >= 5 else (port, "", "")


def _virtual_host(patch: Patch, host: components.VirtualHost) -> bool:
    match = patch.route_configuration.vhost if patch.route_configuration else None
    if match is None:
        return True
    return (not match.name or match.name == host.name) and (
        not match.domain_name or match.domain_name in host.domains
    )


def _route(patch: Patch, route: components.Route) -> bool:
    vhost = patch.route_configuration.vhost if patch.route_configuration else None
    match = vhost.route if vhost else None
    if match is None:
        return True
    named = not match.name or match.name == route.name
    return named and match.action in (
        Action.ANY,
        _ACTIONS.get(route.WhichOneof("action") or "", match.action),
    )
