"""When an object is the same as before, although its document is not: an API server's bookkeeping
and statuses that nobody reads must not make anything compile again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from varka.resources.resource import Resource

_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation", "selfLink"})
"""Fields of metadata that change with every write, whatever it wrote."""
_STATUS_READ: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): ("phase", "podIP", "podIPs", "conditions"),
    ("networking.istio.io", "ServiceEntry"): ("addresses",),
    ("networking.istio.io", "WorkloadEntry"): ("conditions",),
}
"""Group and kind -> the fields of `status` that `registry/` reads; of all others it reads none."""
_ANNOTATIONS_UNREAD = frozenset(
    {("", "ConfigMap"), ("", "Endpoints"), ("", "Secret"), ("discovery.k8s.io", "EndpointSlice")}
)
"""Kinds in whose annotations controllers keep books: the time of the last change, who leads."""


def is_same(one: Resource[Any], other: Resource[Any]) -> bool:
    """Whether two versions of an object mean the same for proxies."""
    if one.api_version != other.api_version:
        return False
    return one.raw == other.raw or _meaning(one) == _meaning(other)


def document(resource: Resource[Any], newest: Mapping[str, Any]) -> dict[str, Any]:
    """The whole object as users are shown it: what its newest document adds is bookkeeping and
    status."""
    metadata = resource.raw.get("metadata") or {}
    noise = _bookkeeping(resource)
    books = {k: v for k, v in (newest.get("metadata") or {}).items() if k in noise}
    shown = {**resource.raw, "metadata": {**metadata, **books}}
    return shown | ({"status": newest["status"]} if "status" in newest else {})


def _meaning(resource: Resource[Any]) -> dict[str, Any]:
    raw = dict(resource.raw)
    status = raw.pop("status", None)
    metadata = raw.get("metadata")
    if isinstance(metadata, Mapping):
        noise = _bookkeeping(resource)
        raw["metadata"] = {k: v for k, v in metadata.items() if k not in noise}
    if read := _STATUS_READ.get(resource.key[:2]):
        raw["status"] = {f: _without_times(status, f) for f in read if _has(status, f)}
    return raw


def _bookkeeping(resource: Resource[Any]) -> frozenset[str]:
    unread = resource.key[:2] in _ANNOTATIONS_UNREAD
    return _BOOKKEEPING | {"annotations"} if unread else _BOOKKEEPING


def _has(status: Any, field: str) -> bool:
    return isinstance(status, Mapping) and bool(status.get(field))


def _without_times(status: Mapping[str, Any], field: str) -> Any:
    """A condition is probed again and again; only what it says counts."""
    value = status[field]
    if field != "conditions" or not isinstance(value, list):
        return value
    return [
        {name: one.get(name) for name in ("type", "status")} if isinstance(one, Mapping) else one
        for one in value
    ]
