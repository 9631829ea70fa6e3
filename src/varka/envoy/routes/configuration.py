"""RouteConfigurations from encoded virtual hosts."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import config_source_pb2
from envoy.config.route.v3 import route_pb2
from msgspec import Struct

from varka.base.hashing import content_hash
from varka.base.names import FieldOrigin, ObjectKey
from varka.envoy import wkt
from varka.envoy.resource import EnvoyResource, Form, TypeUrl, encode

_MAX_DIRECT_RESPONSE = 1024 * 1024
"""The longest body that Istio accepts in `directResponse`; Envoy's own limit is 4 KiB."""
_VIRTUAL_HOSTS = b"\x12"
"""Key of field 2, length-delimited."""


class PlannedConfiguration(Struct, frozen=True, eq=False):
    """The virtual hosts that travel in a route configuration, each with its own plan."""

    hosts: tuple[EnvoyResource, ...]

    @property
    def fields(self) -> tuple[FieldOrigin, ...]:
        plans = (host.planned for host in self.hosts if host.planned is not None)
        return tuple(field for plan in plans for field in plan.fields)


def whole(name: str, hosts: tuple[EnvoyResource, ...]) -> EnvoyResource:
    return _assemble(name, hosts, route_pb2.RouteConfiguration(), Form.WHOLE)


def by_virtual_host(name: str, static: tuple[EnvoyResource, ...]) -> EnvoyResource:
    """Its virtual hosts travel alone (VHDS), but for the static ones, which have no `/` in their
    name."""
    ads = config_source_pb2.ConfigSource(
        ads=config_source_pb2.AggregatedConfigSource(),
        resource_api_version=config_source_pb2.ApiVersion.V3,
    )
    return _assemble(
        name,
        static,
        route_pb2.RouteConfiguration(vhds=route_pb2.Vhds(config_source=ads)),
        Form.BY_VIRTUAL_HOST,
    )


def empty(name: str) -> EnvoyResource:
    """The answer for names that nothing stands behind, so that a listener that waits for them gets
    on."""
    message = route_pb2.RouteConfiguration(name=name, validate_clusters=wkt.boolean(False))
    return encode(TypeUrl.ROUTE, name, message)


def _assemble(
    name: str, hosts: tuple[EnvoyResource, ...], rest: route_pb2.RouteConfiguration, form: Form
) -> EnvoyResource:
    """Repeated fields concatenate, so a thousand encoded virtual hosts need not be encoded again
    for one that changed."""
    rest.validate_clusters.value = False
    rest.max_direct_response_body_size_bytes.value = _MAX_DIRECT_RESPONSE
    rest.ignore_port_in_host_matching = True
    head = route_pb2.RouteConfiguration(name=name).SerializeToString(deterministic=True)
    parts = (
        part for host in hosts for part in (_VIRTUAL_HOSTS, _varint(len(host.body)), host.body)
    )
    body = b"".join((head, *parts, rest.SerializeToString(deterministic=True)))
    planned = PlannedConfiguration(hosts)
    return EnvoyResource(
        TypeUrl.ROUTE, name, body, content_hash(body) + form, _origins(hosts), planned=planned
    )


def _origins(hosts: Iterable[EnvoyResource]) -> tuple[ObjectKey, ...]:
    return tuple(dict.fromkeys(origin for host in hosts for origin in host.origins))


def _varint(value: int) -> bytes:
    """Protobuf's length prefix."""
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)
