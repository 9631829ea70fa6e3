"""A proxy as its node describes it: the Node of its first discovery request, or a document of the
same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from varka.base.names import Namespace


class ProxyType(StrEnum):
    SIDECAR = "sidecar"
    ROUTER = "router"
    WAYPOINT = "waypoint"


class Interception(StrEnum):
    REDIRECT = "REDIRECT"
    TPROXY = "TPROXY"
    NONE = "NONE"


class Locality(Struct, frozen=True):
    """Where a workload runs; parts that are not known are empty."""

    region: str = ""
    zone: str = ""
    subzone: str = ""

    @classmethod
    def parse(cls, text: str) -> Locality:
        """Read `region/zone/subzone` or, in labels, `region.zone.subzone`."""
        return cls(*[*text.split("/" if "/" in text else "."), "", "", ""][:3])

    def __str__(self) -> str:
        return "/".join((self.region, self.zone, self.subzone)).rstrip("/")


class ProxyIdentity(Struct, frozen=True):
    """As whom a proxy speaks: what its certificate names, and whose Secrets it may have."""

    namespace: Namespace
    service_account: str = "default"


class Proxy(Struct, frozen=True, eq=False):
    """One connected (or described) proxy. Istio's node id is `type~ip~name.namespace~domain`;
    `metadata` has the keys of Istio's node metadata (NAMESPACE, LABELS, CLUSTER_ID, ...)."""

    type: ProxyType
    name: str
    namespace: Namespace
    addresses: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    service_account: str = "default"
    dns_domain: str = ""
    locality: Locality = Locality()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    extensions: frozenset[str] = frozenset()
    """Names of compiled-in factories, from `node.extensions`; empty when unknown (offline): take
    plain Envoy's."""

    service: str = ""
    """The name that its spans carry: `node.cluster`, empty when unknown."""

    @property
    def identity(self) -> ProxyIdentity:
        return ProxyIdentity(self.namespace, self.service_account)

    @property
    def id(self) -> str:
        return f"{self.name}.{self.namespace}"

    def text(self, key: str) -> str:
        """A metadata value as a string, which most already are; others as JSON."""
        value = self.metadata.get(key, "")
        return value if isinstance(value, str) else json.dumps(value)

    def flag(self, key: str) -> bool:
        """Whether a metadata value is `true` or `1`."""
        return self.text(key).lower() in ("true", "1")

    @property
    def interception(self) -> Interception:
        text = self.text("INTERCEPTION_MODE")
        return Interception(text) if text in Interception.__members__ else Interception.REDIRECT


def from_document(value: Mapping[str, Any]) -> Proxy:
    """A proxy as files describe it (`--proxy-file`): name, type, namespace, ip_addresses, labels,
    service_account, dns_domain, metadata. Only `type` and `namespace` are needed. Raises ValueError
    for an unknown type."""
    metadata: Mapping[str, Any] = value.get("metadata") or {}
    namespace = Namespace(str(metadata.get("NAMESPACE") or value.get("namespace") or "default"))
    return Proxy(
        type=ProxyType(str(value.get("type", "sidecar"))),
        name=str(value.get("name") or "app"),
        namespace=namespace,
        addresses=tuple(value.get("ip_addresses") or ()),
        labels=dict(value.get("labels") or metadata.get("LABELS") or {}),
        service_account=str(
            value.get("service_account") or metadata.get("SERVICE_ACCOUNT") or "default"
        ),
        dns_domain=str(value.get("dns_domain") or f"{namespace}.svc.cluster.local"),
        locality=Locality.parse(str(value.get("locality") or "")),
        metadata=metadata,
    )


def from_node(
    id_: str,
    metadata: Mapping[str, Any],
    locality: Locality = Locality(),
    extensions: frozenset[str] = frozenset(),
    cluster: str = "",
) -> Proxy:
    """A proxy from the Node of its first discovery request. Raises ValueError when the id has not
    Istio's four parts or the labels are no mapping."""
    parts = id_.split("~")
    if len(parts) != 4:
        raise ValueError(f"the id {id_!r} is not type~address~name.namespace~domain")
    kind, address, name, domain = parts
    pod, _, namespace = name.partition(".")
    addresses = str(metadata.get("INSTANCE_IPS") or address).split(",")
    return Proxy(
        type=ProxyType(kind),
        name=pod,
        namespace=Namespace(str(metadata.get("NAMESPACE") or namespace or domain.split(".")[0])),
        addresses=tuple(a for a in addresses if a),
        labels=_labels(metadata.get("LABELS") or {}),
        service_account=str(metadata.get("SERVICE_ACCOUNT") or "default"),
        dns_domain=domain,
        locality=locality,
        metadata=metadata,
        extensions=extensions,
        service=cluster,
    )


def _labels(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError(f"the metadata LABELS are a {type(value).__name__}, not a mapping")
    return {str(name): str(text) for name, text in value.items()}
