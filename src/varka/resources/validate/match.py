"""Matches of HTTP, TLS and TCP routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.validate import values
from varka.resources.validate.common import check_labels
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.headers import is_claim, matched_name
from varka.resources.validate.re2 import regex

_FIELDS = {"uri": "path", "scheme": "scheme", "method": "method", "authority": "authority"}


def check_gateway_names(
    names: Sequence[str], code: Code, here: Cursor, *, converted: bool = False
) -> None:
    """`gateways`: `namespace/name`, a name in the rule's namespace, or `mesh`."""
    for place, name in here.each("gateways", names):
        namespace, slash, gateway = name.partition("/")
        if not slash:
            if "." in name:
                first, second = name.split(".")[:2]
                place.warning(
                    code, f"{name!r} is the old way to name a Gateway", f"write {second}/{first}"
                )
            place.check(code, values.fqdn(name))
        elif not values.is_dns_label(namespace):
            place.error(code, f"{namespace!r} is no namespace")
        elif not gateway or not (values.is_dns_label(gateway) or converted):
            place.error(code, f"{gateway!r} is no name of a Gateway")


def check_http_match(match: n.HTTPMatchRequest, here: Cursor) -> None:
    for name, header in match.headers.items():
        place = here.at("headers", name)
        place.check(Code.VS_MATCH, matched_name(name))
        _check_string(header, place)
        if name in _FIELDS:
            message = (
                f"this matches an HTTP header named {name!r}, not the request's {_FIELDS[name]}"
            )
            place.info(
                Code.VS_HEADER_NAMED_LIKE_FIELD,
                message,
                f"for the {_FIELDS[name]} write match.{name}",
            )
    for name, header in match.without_headers.items():
        place = here.at("withoutHeaders", name)
        place.check(Code.VS_MATCH, matched_name(name))
        if header.regex != "*":
            _check_string(header, place)
    _check_regex(match.uri, here.at("uri"))
    for field, value in (
        ("scheme", match.scheme),
        ("method", match.method),
        ("authority", match.authority),
    ):
        _check_string(value, here.at(field))
    for name, value in match.query_params.items():
        _check_string(value, here.at("queryParams", name))
    if match.source_namespace and not values.is_dns_label(match.source_namespace):
        here.at("sourceNamespace").error(
            Code.VS_MATCH, f"{match.source_namespace!r} is no namespace"
        )
    _check_place(match.port, match.source_labels, match.gateways, here)


def check_l4_match(
    match: n.L4MatchAttributes | n.TLSMatchAttributes, code: Code, here: Cursor
) -> None:
    for place, subnet in here.each("destinationSubnets", match.destination_subnets):
        place.check(code, values.ip_subnet(subnet))
    if isinstance(match, n.L4MatchAttributes) and match.source_subnet:
        hint = (
            "use sourceLabels or sourceNamespace, or deny addresses by an AuthorizationPolicy at"
            " the server"
        )
        here.at("sourceSubnet").info(
            code, "sourceSubnet has no effect: Istio does not read it", hint
        )
    _check_place(match.port, match.source_labels, match.gateways, here)


def _check_place(
    port: int, labels: Mapping[str, str], gateways: Sequence[str], here: Cursor
) -> None:
    if port:
        here.at("port").check(Code.VS_MATCH, values.port(port))
    check_labels(labels, here.at("sourceLabels"))
    check_gateway_names(gateways, Code.VS_MATCH, here)


def _check_string(match: n.StringMatch | None, here: Cursor) -> None:
    if match is None:
        return
    if match.prefix == "":
        here.error(
            Code.VS_MATCH,
            "an empty prefix matches nothing",
            "leave the prefix out to match any value",
        )
    _check_regex(match, here)


def _check_regex(match: n.StringMatch | None, here: Cursor) -> None:
    if match is None or match.regex is None:
        return
    here.at("regex").check(
        Code.VS_MATCH, regex(match.regex) if match.regex else "the regular expression is empty"
    )


def check_claims(match: n.HTTPMatchRequest, here: Cursor) -> None:
    """Token claims can be matched at gateways only."""
    for field, headers in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
        for name in headers:
            if is_claim(name):
                here.at(field, name).error(
                    Code.VS_MATCH,
                    "token claims can be matched at gateways only",
                    "name the gateways",
                )
