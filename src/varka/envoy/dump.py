"""Encoded resources as JSON, as Envoy's config_dump shows them."""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from varka.envoy.resource import EnvoyResource, TypeUrl

MESSAGES: dict[TypeUrl, type[Message]] = {
    TypeUrl.CLUSTER: cluster_pb2.Cluster,
    TypeUrl.ENDPOINTS: endpoint_pb2.ClusterLoadAssignment,
    TypeUrl.LISTENER: listener_pb2.Listener,
    TypeUrl.ROUTE: route_pb2.RouteConfiguration,
    TypeUrl.VIRTUAL_HOST: route_components_pb2.VirtualHost,
    TypeUrl.SECRET: secret_pb2.Secret,
    TypeUrl.EXTENSION: extension_pb2.TypedExtensionConfig,
}


def message_of(resource: EnvoyResource) -> Any:
    """The decoded message; its class, and so its type, is known only when it runs."""
    return MESSAGES[resource.type].FromString(resource.body)


def to_json(resource: EnvoyResource) -> dict[str, Any]:
    """Protobuf JSON with snake_case names and expanded Anys."""
    found: dict[str, Any] = MessageToDict(message_of(resource), preserving_proto_field_name=True)
    return found
