"""Discovery messages as bytes and back: the only module here that knows their encoding."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.json_format import Error as JsonError
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from msgspec import Struct, field

from varka.envoy.resource import EnvoyResource
from varka.proxy.node import Locality, Proxy, from_node

Request = TypeVar("Request", discovery_pb2.DeltaDiscoveryRequest, discovery_pb2.DiscoveryRequest)
_BUDGET = 2 << 20
"""Bytes of requests whose meaning is remembered."""


class Malformed(Exception):
    """Bytes that are no discovery request, or a node that is not Istio's."""


class DeltaRequest(Struct, frozen=True):
    """One DeltaDiscoveryRequest. `nonce` acknowledges a response; with `error` it rejects it."""

    type: str
    subscribe: Collection[str] = ()
    unsubscribe: Collection[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """`initial_resource_versions`: what the client still has from an earlier stream."""
    nonce: str = ""
    error: str = ""


class SotwRequest(Struct, frozen=True):
    """One DiscoveryRequest. `nonce` and `version` are those of the last response the client
    accepted or rejected."""

    type: str
    names: tuple[str, ...] = ()
    version: str = ""
    nonce: str = ""
    error: str = ""


def proxy_of(node: base_pb2.Node) -> Proxy:
    """From a `core.v3.Node`, whose 61 kB of extensions are reduced to names. Raises Malformed for
    one that is not Istio's."""
    place = Locality(node.locality.region, node.locality.zone, node.locality.sub_zone)
    extensions = frozenset(e.name for e in node.extensions)
    try:
        return from_node(node.id, MessageToDict(node.metadata), place, extensions, node.cluster)
    except (ValueError, JsonError) as error:
        raise Malformed(f"node: {error}") from None


def delta_request(raw: bytes) -> tuple[DeltaRequest, Proxy | None]:
    """Decode a request; with the proxy when it carries a node. Raises Malformed."""
    message = _decoded(discovery_pb2.DeltaDiscoveryRequest, raw)
    request = DeltaRequest(
        message.type_url,
        frozenset(message.resource_names_subscribe),
        frozenset(message.resource_names_unsubscribe),
        dict(message.initial_resource_versions),
        message.response_nonce,
        _error(message),
    )
    return request, proxy_of(message.node) if message.HasField("node") else None


class DeltaRequests:
    """Decodes requests. Equal ones are one value: proxies that see the same ask for the same and
    accept the same. Raises Malformed."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, DeltaRequest] = OrderedDict()
        self._bytes = 0

    def __call__(self, raw: bytes) -> tuple[DeltaRequest, Proxy | None]:
        if found := self._known.get(raw):
            return found, None
        request, proxy = delta_request(raw)
        if proxy is None:
            self._known[raw] = request
            self._bytes += len(raw)
            while self._bytes > _BUDGET:
                self._bytes -= len(self._known.popitem(last=False)[0])
        return request, proxy


def sotw_request(raw: bytes) -> tuple[SotwRequest, Proxy | None]:
    """Decode a request; with the proxy when it carries a node. Raises Malformed."""
    message = _decoded(discovery_pb2.DiscoveryRequest, raw)
    request = SotwRequest(
        message.type_url,
        tuple(message.resource_names),
        message.version_info,
        message.response_nonce,
        _error(message),
    )
    return request, proxy_of(message.node) if message.node.id else None


def delta_response(
    type_: str, nonce: str, resources: Iterable[EnvoyResource], removed: Iterable[str]
) -> bytes:
    message = discovery_pb2.DeltaDiscoveryResponse(
        type_url=type_, nonce=nonce, removed_resources=removed
    )
    for resource in resources:
        wrapped = message.resources.add(name=resource.name, version=resource.version)
        wrapped.resource.type_url = resource.type
        wrapped.resource.value = resource.body
    encoded: bytes = message.SerializeToString()
    return encoded


def sotw_response(
    type_: str, nonce: str, version: str, resources: Iterable[EnvoyResource]
) -> bytes:
    message = discovery_pb2.DiscoveryResponse(type_url=type_, nonce=nonce, version_info=version)
    for resource in resources:
        message.resources.add(type_url=resource.type, value=resource.body)
    encoded: bytes = message.SerializeToString()
    return encoded


def _decoded(kind: type[Request], raw: bytes) -> Request:
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise Malformed(f"not a {kind.DESCRIPTOR.name}: {error}") from None


def _error(message: discovery_pb2.DeltaDiscoveryRequest | discovery_pb2.DiscoveryRequest) -> str:
    return message.error_detail.message or "rejected" if message.HasField("error_detail") else ""
