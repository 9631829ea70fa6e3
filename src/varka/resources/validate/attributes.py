"""Values that authorization policies compare, by the field or the condition's key they stand in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from varka.base.digits import number
from varka.resources.codes import Code
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.values import ip_subnet

_LITERAL = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+")
_ONE, _ANY = "{*}", "{**}"
_MAX_ACCOUNTS = 16


def _ip(value: str) -> str:
    return f"{value!r} is neither an IP address nor a CIDR block" if ip_subnet(value) else ""


def _port(value: str) -> str:
    port = number(value)
    return "" if port is not None and port <= 65535 else f"{value!r} is no port"


def _account(value: str) -> str:
    namespace, slash, name = value.partition("/")
    if "*" in value:
        return f"{value!r}: wildcards are not allowed here"
    if len(value) > 320:
        return f"{value[:40]!r}... is longer than 320 characters"
    if "/" in name or (slash and not (namespace and name)):
        return f"{value!r} has neither the form serviceAccount nor namespace/serviceAccount"
    return ""


def _wildcard(value: str) -> str:
    if value.count("*") > 1 or (
        "*" in value and not value.startswith("*") and not value.endswith("*")
    ):
        return f"{value!r}: one wildcard is allowed, at the beginning or the end"
    return ""


def _trust_domain(value: str) -> str:
    return _wildcard(value) or (f"{value!r}: a trust domain has no /" if "/" in value else "")


def _path(value: str) -> str:
    """A path, where `{*}` stands for one segment and a last `{**}` for all further ones."""
    template = _ONE in value or _ANY in value
    closed = False
    for segment in value.strip("/").split("/"):
        if segment in (_ONE, _ANY):
            if closed:
                return f"{value!r}: {_ANY} must be the last template"
            closed = segment == _ANY
        elif "{" in segment or "}" in segment:
            return (
                f"{value!r}: only {_ONE} and {_ANY} are allowed as templates, and only as whole"
                " segments"
            )
        elif template and not _LITERAL.fullmatch(segment):
            return f"{value!r}: {segment!r} can't stand in a path template"
    return ""


def _anything(value: str) -> str:
    return ""


_FIELDS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks"), _ip),
    **dict.fromkeys(("ports", "notPorts"), _port),
    **dict.fromkeys(("serviceAccounts", "notServiceAccounts"), _account),
    **dict.fromkeys(("trustDomains", "notTrustDomains"), _trust_domain),
    **dict.fromkeys(("paths", "notPaths"), _path),
}
_KEYS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("source.ip", "remote.ip", "destination.ip"), _ip),
    "source.serviceAccount": _account,
    "source.trustDomain": _wildcard,
    "destination.port": _port,
    **dict.fromkeys(("source.namespace", "source.principal", "connection.sni"), _anything),
    **dict.fromkeys(
        ("request.auth.principal", "request.auth.audiences", "request.auth.presenter"), _anything
    ),
}
_MAPS = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_REPLACED = {
    "destination.namespace": "the policy's own namespace",
    "destination.labels": "the policy's selector",
    "destination.name": "the policy's selector",
    "destination.user": "the policy's selector",
}


def check_values(field: str, items: Sequence[str], code: Code, here: Cursor) -> None:
    """The values of a field of `source` or `operation`."""
    _check_each(items, _FIELDS.get(field, _anything), code, here)


def check_attribute(key: str, items: Sequence[str], code: Code, here: Cursor) -> None:
    """The values of a condition on `key`."""
    if key.startswith(_MAPS):
        opening = key.find("[")
        if not (key.endswith("]") and 0 < opening < len(key) - 2):
            here.error(code, f"{key!r} must have the form name[key]")
    elif key.partition("[")[0] in _REPLACED:
        here.error(code, f"{key} is not supported", f"use {_REPLACED[key.partition('[')[0]]}")
    elif key not in _KEYS:
        here.error(code, f"there is no attribute {key!r}")
    _check_each(items, _KEYS.get(key, _anything), code, here)


def _check_each(
    items: Sequence[str], check: Callable[[str], str], code: Code, here: Cursor
) -> None:
    if check is _account and len(items) > _MAX_ACCOUNTS:
        here.error(code, f"more than {_MAX_ACCOUNTS} service accounts")
    for index, value in enumerate(items):
        here.at(index).check(code, check(value) if value else "an empty value is not allowed")
