"""Checks of single values. Each answers what is wrong, "" when nothing is."""

from __future__ import annotations

import ipaddress
import re

from varka.base.digits import number
from varka.base.duration import Duration
from varka.base.ip import is_ip

_LABEL = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WILDCARD_LABEL = re.compile(r"(\*|(\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)")
_TAG_NAME = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_TAG_PREFIX = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_PROTOCOLS = frozenset(
    (
        "tcp",
        "udp",
        "grpc",
        "grpc-web",
        "http",
        "http_proxy",
        "http2",
        "https",
        "tls",
        "mongo",
        "redis",
        "mysql",
    )
)
_HTTP = frozenset(("http", "http2", "http_proxy", "grpc", "grpc-web"))
_MILLISECOND = 10**6


def is_dns_label(text: str) -> bool:
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None


def dns_labels(domain: str) -> str:
    parts = domain.split(".")
    if re.fullmatch(r"[-+]?\d+", parts[-1]):
        return f"{domain!r} is no domain name: its top level is a number"
    if len(parts) > 1 and parts[-1] == "":
        parts.pop()
    wrong = next((part for part in parts if not is_dns_label(part)), None)
    return "" if wrong is None else f"{domain!r} is no domain name: {wrong!r} is no DNS label"


def _length(domain: str) -> str:
    if not domain:
        return "a domain name is missing"
    return f"{domain!r} is longer than 255 characters" if len(domain) > 255 else ""


def fqdn(domain: str) -> str:
    return _length(domain) or dns_labels(domain)


def wildcard_domain(domain: str) -> str:
    """A domain name whose first label may be `*`, `*-x` or `*x`."""
    head, dot, rest = domain.partition(".")
    if wrong := _length(domain):
        return wrong
    if len(head) > 63 or not _WILDCARD_LABEL.fullmatch(head):
        return f"{domain!r} is no domain name: {head!r} is no DNS label"
    return dns_labels(rest) if dot else ""


def gateway_domain(domain: str, *, sni: bool) -> str:
    """A host of a VirtualService bound to gateways; with SNI also `outbound_.80_.v1_.host.ns`."""
    if sni and domain.startswith("outbound_") and not _length(domain):
        parts = domain.split("_")
        well_formed = (
            len(parts) >= 4
            and re.search(r"[0-9]", parts[1].strip("."))
            and re.search("[a-zA-Z]", parts[3].strip("."))
        )
        return (
            ""
            if well_formed
            else f"{domain!r} must have the form outbound_.<port>_.<subset>_.<host>"
        )
    return wildcard_domain(domain)


def partial_wildcard(host: str) -> str:
    wrong = "*" in host and len(host) != 1 and not host.startswith("*.")
    return f"{host!r}: a wildcard must be a whole label: `*` or `*.example.com`" if wrong else ""


def ip_address(text: str) -> str:
    return "" if is_ip(text) else f"{text!r} is no IP address"


def ip_subnet(text: str) -> str:
    if text.count("/") != 1:
        return ip_address(text)
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{text!r} is no CIDR block"
    return "" if number(text.partition("/")[2]) is not None else f"{text!r} is no CIDR block"


def port(number: int) -> str:
    return "" if 1 <= number <= 65535 else f"port {number} is not in 1..65535"


def unix_path(path: str) -> str:
    if not path:
        return "a unix socket needs a path"
    fine = path.startswith("@") or (path.startswith("/") and not path.endswith("/"))
    return "" if fine else f"{path!r} is no absolute path of a socket"


def port_name(name: str) -> str:
    return (
        ""
        if is_dns_label(name)
        else f"{name!r} is no port name: letters, digits and `-` are allowed, at most 63"
    )


def subset_name(name: str) -> str:
    if not name:
        return "a subset needs a name"
    return (
        ""
        if is_dns_label(name)
        else f"{name!r} is no subset name: letters, digits and `-` are allowed, at most 63"
    )


def is_protocol(text: str) -> bool:
    return text.lower() in _PROTOCOLS


def is_http(protocol: str) -> bool:
    return protocol.lower() in _HTTP


def is_tls(protocol: str) -> bool:
    return protocol.lower() in ("https", "tls")


def is_tcp(protocol: str) -> bool:
    """What is matched by address only."""
    return protocol.lower() in ("tcp", "https", "tls", "mongo", "redis", "mysql")


def protocol(text: str) -> str:
    """A protocol's name; none means that it is sniffed."""
    return "" if not text or is_protocol(text) else f"{text!r} is no supported protocol"


def duration(value: Duration | None) -> str:
    """At least a millisecond, in whole milliseconds."""
    if value is None:
        return ""
    if value < _MILLISECOND:
        return f"{value} is too short: a duration of at least 1ms is needed"
    return (
        f"{value} is too precise: whole milliseconds are supported" if value % _MILLISECOND else ""
    )


def percent(value: int) -> str:
    return "" if 0 <= value <= 100 else f"{value} is not in 0..100"


def fraction(value: float) -> str:
    """Percentages are sent to Envoy as parts of a million."""
    return (
        "" if value == 0 or 0.0001 <= value <= 100 else f"{value:g} is neither 0 nor in 0.0001..100"
    )


def _is_label_name(name: str) -> bool:
    prefix, slash, rest = name.rpartition("/")
    if slash and (len(prefix) > 253 or not _TAG_PREFIX.fullmatch(prefix)):
        return False
    return len(rest) <= 63 and _TAG_NAME.fullmatch(rest) is not None


def labels(values: dict[str, str]) -> list[str]:
    """What is wrong with label names and values, one text each."""
    names = [f"{name!r} is no label name" for name in values if not _is_label_name(name)]
    wrong = [
        value
        for value in values.values()
        if value and (len(value) > 63 or not _TAG_NAME.fullmatch(value))
    ]
    return names + [f"{value!r} is no label value" for value in wrong]
