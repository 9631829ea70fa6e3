"""VirtualService."""

from __future__ import annotations

from varka.base.ip import is_ip
from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_export_to
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.destination import check_weights
from varka.resources.validate.httproute import check_http_route
from varka.resources.validate.match import check_claims, check_gateway_names, check_l4_match
from varka.resources.validate.unreachable import check_unreachable

_SEMANTICS = "internal.istio.io/route-semantics"


def validate(resource: Resource[n.VirtualService], here: Cursor) -> None:
    service = resource.spec
    converted = resource.annotations.get(_SEMANTICS) == "gateway"
    at_gateway = bool(service.gateways) and "mesh" not in service.gateways
    check_gateway_names(service.gateways, Code.VS_GATEWAYS, here, converted=converted)
    _check_delegate(service, here)
    _check_hosts(service, at_gateway, here)
    if not (service.http or service.tcp or service.tls):
        here.error(Code.VS_ROUTE, "http, tcp or tls is required")
    for place, route in here.each("http", service.http):
        if not at_gateway:
            for spot, match in place.each("match", route.match):
                check_claims(match, spot)
        check_http_route(route, place, delegate=not service.hosts, converted=converted)
    for place, tls in here.each("tls", service.tls):
        _check_tls(tls, service, at_gateway, place, converted)
    for place, tcp in here.each("tcp", service.tcp):
        _check_tcp(tcp, place, converted)
    check_export_to(service.export_to, resource.namespace, here)
    for field, routes in (("http", service.http), ("tcp", service.tcp), ("tls", service.tls)):
        check_unreachable(routes, field, here)


def _check_delegate(service: n.VirtualService, here: Cursor) -> None:
    if service.hosts:
        return
    for name, value in (("gateways", service.gateways), ("tls", service.tls), ("tcp", service.tcp)):
        if value:
            here.at(name).error(
                Code.VS_DELEGATE,
                f"without hosts this is a delegate, which can't have {name}",
                "add hosts",
            )
    message = (
        "without hosts this is a delegate: it has no effect unless another VirtualService delegates"
        " to it"
    )
    here.info(Code.VS_NO_HOSTS, message, "did you forget hosts?")


def _check_hosts(service: n.VirtualService, at_gateway: bool, here: Cursor) -> None:
    before = len(here.findings.items)
    sni = any(match.sni_hosts for route in service.tls for match in route.match)
    for place, host in here.each("hosts", service.hosts):
        wrong = values.gateway_domain(host, sni=sni) if at_gateway else values.wildcard_domain(host)
        if wrong and not is_ip(host):
            place.error(Code.VS_HOSTS, wrong)
        elif host == "*" and not at_gateway:
            message = "* is not allowed for sidecars (the gateway `mesh`)"
            place.error(
                Code.VS_HOSTS,
                message,
                "name the hosts, or bind the VirtualService to gateways only",
            )
    if len(here.findings.items) > before:
        return
    for index, host in enumerate(service.hosts):
        for later, other in enumerate(service.hosts[index + 1 :], index + 1):
            if _matches(host, other):
                here.at("hosts", later).error(
                    Code.VS_HOSTS, f"{other!r} is already covered by {host!r}"
                )


def _matches(one: str, other: str) -> bool:
    if one.startswith("*") or other.startswith("*"):
        return subset_of(one, other) or subset_of(other, one)
    return one == other


def subset_of(one: str, other: str) -> bool:
    """Whether every host that `one` stands for is one of `other`'s."""
    if one.startswith("*"):
        return other.startswith("*") and len(one) >= len(other) and one[1:].endswith(other[1:])
    return one.endswith(other[1:]) if other.startswith("*") else one == other


def _check_tls(
    route: n.TLSRoute, service: n.VirtualService, at_gateway: bool, here: Cursor, converted: bool
) -> None:
    if not route.match:
        here.error(Code.VS_TLS, "a tls route needs at least one match")
    for place, match in here.each("match", route.match):
        if not match.sni_hosts:
            place.error(Code.VS_TLS, "a tls match needs sniHosts")
        for spot, host in place.each("sniHosts", match.sni_hosts):
            _check_sni(host, service, at_gateway, spot)
        check_l4_match(match, Code.VS_TLS, place)
    if not route.route:
        here.error(Code.VS_TLS, "route is required")
    check_weights(route.route, here, converted=converted)


def _check_sni(host: str, service: n.VirtualService, at_gateway: bool, here: Cursor) -> None:
    # A VirtualService without gateways is the mesh's, but its SNI hosts may be generated ones.
    generated = at_gateway or not service.gateways
    wrong = values.gateway_domain(host, sni=True) if generated else values.wildcard_domain(host)
    if wrong and is_ip(host):
        here.warning(Code.VS_TLS, f"{host}: clients send no IP addresses as SNI")
    elif wrong:
        here.error(Code.VS_TLS, wrong)
    elif not any(subset_of(host, own) for own in service.hosts):
        here.error(
            Code.VS_TLS,
            f"{host!r} is none of the VirtualService's hosts: {', '.join(service.hosts)}",
        )


def _check_tcp(route: n.TCPRoute, here: Cursor, converted: bool) -> None:
    for place, match in here.each("match", route.match):
        check_l4_match(match, Code.VS_TCP, place)
    if not route.route:
        here.error(Code.VS_TCP, "route is required")
    check_weights(route.route, here, converted=converted)
