"""Gateway."""

from __future__ import annotations

from varka.resources.codes import Code
from varka.resources.model.networking import Gateway, Port, Server
from varka.resources.model.networking import ServerTLSSettingsTLSmode as Mode
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.hosts import gateway_host
from varka.resources.validate.servertls import check_server_tls

_SEMANTICS = "internal.istio.io/gateway-semantics"


def validate(resource: Resource[Gateway], here: Cursor) -> None:
    converted = resource.annotations.get(_SEMANTICS) == "gateway"
    if not converted and not values.is_dns_label(resource.name):
        message = f"{resource.name!r} is no name for a Gateway: it can't contain dots"
        Cursor(here.findings).at("metadata", "name").error(Code.GW_NAME, message)
    if not resource.spec.servers:
        here.error(Code.GW_SERVERS, "a Gateway needs at least one server")
    names: set[str] = set()
    for place, server in here.each("servers", resource.spec.servers):
        _check_server(server, converted, place)
        if server.port is not None:
            if server.port.name in names:
                place.at("port", "name").error(
                    Code.GW_PORT, f"there are two ports named {server.port.name!r}"
                )
            names.add(server.port.name)


def _check_server(server: Server, converted: bool, here: Cursor) -> None:
    if not server.hosts:
        here.error(Code.GW_HOSTS, "a server needs at least one host")
    for place, host in here.each("hosts", server.hosts):
        for wrong in gateway_host(host, converted=converted):
            place.error(Code.GW_HOSTS, wrong)
    _check_bind(server, here)
    if server.default_endpoint:
        message = "defaultEndpoint has no effect: requests go where a VirtualService sends them"
        here.at("defaultEndpoint").warning(
            Code.GW_NO_EFFECT, message, "bind a VirtualService to this Gateway"
        )
    check_server_tls(server.tls, Code.GW_TLS, here.at("tls"))
    if server.port is None:
        here.error(Code.GW_PORT, "port is required")
        return
    if _check_port(server.port, server.bind, here.at("port")):
        _check_tls_use(server, server.port.protocol, here)
    if (
        server.tls is not None
        and server.tls.https_redirect
        and not values.is_http(server.port.protocol)
    ):
        here.at("tls", "httpsRedirect").warning(
            Code.GW_TLS, "httpsRedirect works on servers of protocol HTTP only"
        )


def _check_port(port: Port, bind: str, here: Cursor) -> bool:
    before = len(here.findings.items)
    if not values.is_protocol(port.protocol):
        hint = "one of HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TLS, TCP, MONGO, REDIS, MYSQL"
        here.at("protocol").error(Code.GW_PORT, f"{port.protocol!r} is no supported protocol", hint)
    if port.number > 0 or not bind.startswith("unix://"):
        here.at("number").check(Code.GW_PORT, values.port(port.number))
    if port.target_port > 0:
        here.at("targetPort").error(Code.GW_PORT, "targetPort has no effect in a Gateway")
    if not port.name:
        here.error(Code.GW_PORT, "a port needs a name")
    return len(here.findings.items) == before


def _check_bind(server: Server, here: Cursor) -> None:
    place = here.at("bind")
    if server.bind.startswith("unix://"):
        place.check(Code.GW_BIND, values.unix_path(server.bind.removeprefix("unix://")))
        if server.port is not None and server.port.number:
            here.at("port", "number").error(Code.GW_BIND, "the port of a unix socket must be 0")
    elif server.bind:
        place.check(Code.GW_BIND, values.ip_address(server.bind))


def _check_tls_use(server: Server, protocol: str, here: Cursor) -> None:
    tls = server.tls
    if values.is_tls(protocol):
        if tls is None:
            here.error(
                Code.GW_TLS,
                f"protocol {protocol} needs tls settings",
                "such as tls: {mode: SIMPLE, credentialName: x}",
            )
    elif tls is not None and not values.is_http(protocol):
        here.at("tls").error(
            Code.GW_TLS, f"protocol {protocol} can't have tls settings", "use protocol TLS"
        )
    elif tls is not None:
        passes = tls.mode in (Mode.PASSTHROUGH, Mode.AUTO_PASSTHROUGH)
        if not passes or tls.ca_certificates or tls.private_key or tls.server_certificate:
            message = f"protocol {protocol} is plain text: only tls.httpsRedirect is allowed"
            here.at("tls").error(Code.GW_TLS, message, "use protocol HTTPS")
