"""The validation rules inside Istio's CustomResourceDefinitions, by their text.

There are some forty of them, written in CEL. PerObjectCache is a function here: true means that the
value is fine. A test asserts that every rule of the shipped schemas is in the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from varka.base.digits import number
from varka.base.duration import Duration

Rule = Callable[[Any], bool]

_PORT_NAME = re.compile(r"^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$")
_MILLISECOND = Duration.parse("1ms")


def _has(value: Mapping[str, Any], name: str) -> bool:
    return value.get(name) is not None


def _at_most_one(*names: str) -> Rule:
    return lambda value: sum(_has(value, name) for name in names) <= 1


def is_duration(value: Any) -> bool:
    """Whether a text is a duration, and not below the least that Istio takes."""
    try:
        return Duration.parse(value) >= _MILLISECOND
    except ValueError:
        return False


def _scheme(value: Any, allowed: tuple[str, ...]) -> bool:
    """CEL's isURL takes what Go's ParseRequestURI takes: an absolute path or a URL with a
    scheme."""
    try:
        parts = urlsplit(value if value.startswith("/") or "://" in value else f"http://{value}")
    except ValueError:
        return False
    return parts.scheme in allowed


def _text(value: Any, name: str) -> str:
    return str(value.get(name) or "")


def _unix_path(value: Any) -> bool:
    return not value.startswith("unix://") or value[7:8] in ("/", "@")


def _cidr_resolution(value: Any) -> bool:
    has_range = any("/" in address for address in value.get("addresses") or ())
    return not has_range or (value.get("resolution") or "NONE") in ("STATIC", "NONE")


def _service_accounts(value: Any) -> bool:
    accounts = _has(value, "serviceAccounts") or _has(value, "notServiceAccounts")
    others = ("principals", "notPrincipals", "namespaces", "notNamespaces")
    return not accounts or not any(_has(value, name) for name in others)


def _waypoint_match(value: Any) -> bool:
    return bool(value.get("context") == "WAYPOINT") == _has(value, "waypoint")


def _unique_ports(value: Any) -> bool:
    numbers = [port.get("number") for port in value]
    return len(set(numbers)) == len(numbers)


RULES: Mapping[str, Rule] = {
    '!self.contains("*")': lambda v: "*" not in v,
    'self.all(key, !key.contains("*"))': lambda v: not any("*" in key for key in v),
    "self.all(key, key.size() != 0)": lambda v: all(key != "" for key in v),
    "self.size() == 0": lambda v: len(v) == 0,
    'self != "*"': lambda v: bool(v != "*"),
    'isURL(self) ? (url(self).getScheme() in ["", "http", "https", "file", "oci"]) : (isURL("http://" + self) && url("http://" + self).getScheme() in ["", "http", "https", "file", "oci"])': lambda v: (
        _scheme(v, ("", "http", "https", "file", "oci"))
    ),
    'isURL(self) ? (url(self).getScheme() in ["", "http", "https", "oci", "file"]) : (isURL("http://" + self) && url("http://" + self).getScheme() in ["", "http", "https", "oci", "file"])': lambda v: (
        _scheme(v, ("", "http", "https", "file", "oci"))
    ),
    'url(self).getScheme() in ["http", "https"]': lambda v: (
        "://" in v and _scheme(v, ("http", "https"))
    ),
    '(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)': (
        lambda v: v.get("valueFrom") != "HOST" or not _has(v, "value")
    ),
    "(has(self.selector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1": _at_most_one(
        "selector", "targetRefs"
    ),
    "has(self.wasm) != has(self.lua)": lambda v: _has(v, "wasm") != _has(v, "lua"),
    "(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1": _at_most_one(
        "selector", "targetRef", "targetRefs"
    ),
    "duration(self) >= duration('1ms')": is_duration,
    "0 < self && self <= 65535": lambda v: 0 < v <= 65535,
    'has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)': (
        _waypoint_match
    ),
    "(has(self.workloadSelector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1": _at_most_one(
        "workloadSelector", "targetRefs"
    ),
    "(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1": _at_most_one(
        "tlsCertificates", "credentialNames"
    ),
    "(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1": _at_most_one(
        "credentialName", "credentialNames"
    ),
    "(has(self.credentialNames) ? 1 : 0) + (has(self.tlsCertificates) ? 1 : 0) <= 1": _at_most_one(
        "credentialNames", "tlsCertificates"
    ),
    'self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true': (
        _unix_path
    ),
    'self.startsWith("unix://") ? !self.endsWith("/") : true': lambda v: (
        not (v.startswith("unix://") and v.endswith("/"))
    ),
    'self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))': (
        lambda v: all(len(key) < 63 and _PORT_NAME.match(key) for key in v)
    ),
    "has(self.address) || has(self.network)": lambda v: _has(v, "address") or _has(v, "network"),
    '(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true': (
        lambda v: not _text(v, "address").startswith("unix://") or not _has(v, "ports")
    ),
    "self.all(l1, self.exists_one(l2, l1.number == l2.number))": _unique_ports,
    "(has(self.workloadSelector) ? 1 : 0) + (has(self.endpoints) ? 1 : 0) <= 1": _at_most_one(
        "workloadSelector", "endpoints"
    ),
    '!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))': (
        _cidr_resolution
    ),
    '((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true': (
        lambda v: (v.get("resolution") or "NONE") != "NONE" or not _has(v, "endpoints")
    ),
    '((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true': (
        lambda v: v.get("resolution") != "DNS_ROUND_ROBIN" or len(v.get("endpoints") or ()) <= 1
    ),
    'self in ["", "HTTP", "HTTPS"]': lambda v: v in ("", "HTTP", "HTTPS"),
    "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) && !has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true": (
        _service_accounts
    ),
    "self.all(key, 0 < int(key) && int(key) <= 65535)": lambda v: all(
        0 < (number(key) or 0) <= 65535 for key in v
    ),
    "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels : {}).size() > 0) : true": (
        lambda v: not _has(v, "portLevelMtls") or bool((v.get("selector") or {}).get("matchLabels"))
    ),
    "(has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) + (has(self.jwks) ? 1 : 0) <= 1": (
        _at_most_one("jwksUri", "jwks_uri", "jwks")
    ),
    '((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true': (
        lambda v: v.get("operation") != "UPSERT" or _text(v, "value") != ""
    ),
    '((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true': (
        lambda v: v.get("operation") != "REMOVE" or not _has(v, "value")
    ),
}
