"""Hosts written as `namespace/dnsName` in Gateways, Sidecars and providers."""

from __future__ import annotations

from varka.base.ip import is_ip
from varka.resources.validate import values


def gateway_host(text: str, *, converted: bool = False) -> list[str]:
    """What is wrong with a host of a Gateway's server; `converted` ones come from the Gateway
    API."""
    namespace, slash, host = text.partition("/")
    if not slash:
        return _dns_name(text, ip=True)
    wrong = [] if namespace and host else [f"{text!r}: neither namespace nor host can be empty"]
    allowed = ("*", ".", "~") if converted else ("*", ".")
    if namespace not in allowed and not values.is_dns_label(namespace):
        wrong.append(f"{namespace!r} is no namespace")
    return wrong + _dns_name(host, ip=True)


def sidecar_host(text: str) -> list[str]:
    """What is wrong with a host of a Sidecar's egress; a `~` before the namespace excludes."""
    namespace, slash, host = text.partition("/")
    if not slash:
        return [f"{text!r} must have the form namespace/dnsName"]
    wrong = [] if namespace and host else [f"{text!r}: neither namespace nor host can be empty"]
    name = namespace.removeprefix("~")
    if name not in ("", "*", ".") and not values.is_dns_label(name):
        wrong.append(f"{namespace!r} is no namespace")
    return wrong + _dns_name(host, ip=False)


def _dns_name(host: str, *, ip: bool) -> list[str]:
    wrong = []
    if host != "*" and "." not in host and not (ip and is_ip(host)):
        wrong.append(f"{host!r} is a short name: a full domain name is needed")
    if not (ip and is_ip(host)):
        wrong.append(values.wildcard_domain(host))
    wrong.append(values.partial_wildcard(host))
    return [text for text in wrong if text]
