"""Which proxies are connected and in sync: the answer behind `varka ps`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from varka.envoy.resource import TypeUrl
from varka.xds.delta import DeltaStream
from varka.xds.hub import Connection, Hub

COLUMNS = {
    TypeUrl.CLUSTER: "CDS",
    TypeUrl.LISTENER: "LDS",
    TypeUrl.ENDPOINTS: "EDS",
    TypeUrl.ROUTE: "RDS",
    TypeUrl.EXTENSION: "ECDS",
    TypeUrl.VIRTUAL_HOST: "VHDS",
    TypeUrl.SECRET: "SDS",
}


class Sync(StrEnum):
    """Istio's words."""

    SYNCED = "SYNCED"
    STALE = "STALE"
    NOT_SENT = "NOT SENT"
    ERROR = "ERROR"


def proxies(hub: Hub) -> list[dict[str, Any]]:
    """By name. One that has several streams is there once for each."""
    return sorted(
        (_proxy(connection) for connection in hub.connections), key=lambda shown: str(shown["name"])
    )


def _proxy(connection: Connection) -> dict[str, Any]:
    proxy = connection.proxy
    address = proxy.addresses[0] if proxy.addresses else ""
    return {
        "name": proxy.id,
        "id": f"{proxy.type}~{address}~{proxy.id}~{proxy.dns_domain}",
        "cluster": proxy.text("CLUSTER_ID") or "Kubernetes",
        "istiod": "varka",
        "version": proxy.text("ISTIO_VERSION"),
        "subscribed": len(connection.stream.types),
        "synced": connection.stream.in_sync() and TypeUrl.LISTENER in connection.stream.types,
        "types": {column: _sync(connection, type_) for type_, column in COLUMNS.items()},
    }


def _sync(connection: Connection, type_: TypeUrl) -> Sync:
    stream = connection.stream
    if type_ not in stream.types:
        return Sync.NOT_SENT
    if isinstance(stream, DeltaStream):
        subscription = stream.types[type_]
        failed, current = (
            bool(subscription.errors),
            subscription.served is stream.view and not subscription.outstanding,
        )
    else:
        watch = stream.types[type_]
        failed, current = bool(watch.error), stream.in_sync()
    if failed:
        return Sync.ERROR
    return Sync.SYNCED if current else Sync.STALE
