"""Objects on the terminal: which kind a word means, and the columns kubectl shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from varka.cli.exits import USAGE, Failure
from varka.resources.kinds import Kind, find, suggest

Object = Mapping[str, Any]
Column = tuple[str, Callable[[Object], str]]


def kind_of(word: str) -> Kind:
    """`vs`, `virtualservice`, ... Raises Failure with what was probably meant."""
    kind = find(word)
    if kind is None:
        near = suggest(word)
        raise Failure(
            f"no kind {word!r}", code=USAGE, hint=f"did you mean {near!r}?" if near else ""
        )
    return kind


def age(created: str, now: datetime | None = None) -> str:
    """`5s`, `3m4s`, `12m`, `4h`, `3d` as kubectl writes them; `<unknown>` without a time."""
    if not created:
        return "<unknown>"
    seconds = max(
        0, int(((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds())
    )
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    return f"{hours}h" if hours < 48 else f"{days}d"


def columns(kind: str) -> list[Column]:
    """Between NAME and AGE."""
    return list(_COLUMNS.get(kind, ()))


def _field(*path: str) -> Callable[[Object], str]:
    def read(value: Any) -> str:
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            return ""
        return (
            "[" + ",".join(f'"{v}"' for v in value) + "]" if isinstance(value, list) else str(value)
        )

    return read


def _ports(value: Object) -> str:
    ports = value.get("spec", {}).get("ports") or ()
    return ",".join(f"{p.get('port')}/{p.get('protocol', 'TCP')}" for p in ports) or "<none>"


def _ready(value: Object) -> str:
    containers = value.get("status", {}).get("containerStatuses") or ()
    total = len(containers) or len(value.get("spec", {}).get("containers") or ())
    return f"{sum(bool(c.get('ready')) for c in containers)}/{total}"


def pod_status(value: Object) -> str:
    """The reason why a container waits, else the phase."""
    status = value.get("status", {})
    waiting = (
        c.get("state", {}).get("waiting", {}).get("reason")
        for c in status.get("containerStatuses") or ()
    )
    return next((reason for reason in waiting if reason), str(status.get("phase") or "Unknown"))


def _restarts(value: Object) -> str:
    return str(
        sum(
            int(c.get("restartCount", 0))
            for c in value.get("status", {}).get("containerStatuses") or ()
        )
    )


def _cluster_ip(value: Object) -> str:
    return str(value.get("spec", {}).get("clusterIP") or "<none>")


_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "Service": (
        ("TYPE", lambda value: str(value.get("spec", {}).get("type") or "ClusterIP")),
        ("CLUSTER-IP", _cluster_ip),
        ("PORT(S)", _ports),
    ),
    "Pod": (("READY", _ready), ("STATUS", pod_status), ("RESTARTS", _restarts)),
    "VirtualService": (
        ("GATEWAYS", _field("spec", "gateways")),
        ("HOSTS", _field("spec", "hosts")),
    ),
    "DestinationRule": (("HOST", _field("spec", "host")),),
    "ServiceEntry": (
        ("HOSTS", _field("spec", "hosts")),
        ("LOCATION", _field("spec", "location")),
        ("RESOLUTION", _field("spec", "resolution")),
    ),
    "WorkloadEntry": (("ADDRESS", _field("spec", "address")),),
    "PeerAuthentication": (("MODE", _field("spec", "mtls", "mode")),),
    "AuthorizationPolicy": (("ACTION", _field("spec", "action")),),
}
"""As the additionalPrinterColumns of the kinds say."""
