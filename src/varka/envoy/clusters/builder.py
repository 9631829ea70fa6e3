"""A cluster while it is put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.duration_pb2 import Duration as DurationMessage
from msgspec import Struct, field

from varka.base.names import ObjectKey
from varka.envoy import wkt
from varka.envoy.istio_names import ISTIO, istio_metadata, stat_name
from varka.envoy.resource import EnvoyResource, Planned, TypeUrl, encode
from varka.envoy.sockets import Sockets, set_sockets
from varka.registry.service import Registry, Service, ServicePort
from varka.resources.model.mesh import MeshConfig

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


class ClusterBuilder(Struct):
    """The messages that functions of this package fill in turn; `finish` makes the resource."""

    message: cluster_pb2.Cluster
    options: http_protocol_options_pb2.HttpProtocolOptions = field(
        default_factory=http_protocol_options_pb2.HttpProtocolOptions
    )
    """Stays empty when the cluster speaks plain HTTP/1.1 with Envoy's defaults."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """`filter_metadata.istio`"""

    sockets: Sockets = ()

    @classmethod
    def named(cls, name: str, stats: str = "") -> ClusterBuilder:
        return cls(cluster_pb2.Cluster(name=name, alt_stat_name=stat_name(stats or name)))

    @property
    def original_dst(self) -> bool:
        return bool(self.message.type == cluster_pb2.Cluster.ORIGINAL_DST)

    def finish(
        self, origins: Iterable[ObjectKey] = (), planned: Planned | None = None
    ) -> EnvoyResource:
        if self.options.ByteSize() or self.options.WhichOneof("upstream_protocol_options"):
            if not self.options.WhichOneof("upstream_protocol_options"):
                self.options.explicit_http_config.http_protocol_options.SetInParent()
            self.message.typed_extension_protocol_options[HTTP_OPTIONS].CopyFrom(
                wkt.pack(self.options)
            )
        if self.metadata:
            self.message.metadata.filter_metadata[ISTIO].CopyFrom(wkt.struct(self.metadata))
        secrets = set_sockets(self.message, self.sockets)
        return encode(
            TypeUrl.CLUSTER,
            self.message.name,
            self.message,
            origins,
            planned=planned,
            secrets=secrets,
        )

    def made_from(self, rule: ObjectKey) -> None:
        self.metadata["config"] = istio_metadata(rule)


def service_metadata(service: Service) -> dict[str, str]:
    """How telemetry names a destination service."""
    return {"host": service.hostname, "name": service.name, "namespace": service.namespace}


def stat_pattern(
    pattern: str, service: Service, port: ServicePort, subset: str = "", target: int = 0
) -> str:
    """`inboundClusterStatName` and `outboundClusterStatName` of the MeshConfig with their variables
    replaced."""
    kubernetes = service.registry is Registry.KUBERNETES
    values = {
        "%SERVICE%": f"{service.name}.{service.namespace}" if kubernetes else service.hostname,
        "%SERVICE_NAME%": service.name if kubernetes else service.hostname,
        "%SERVICE_FQDN%": service.hostname,
        "%SUBSET_NAME%": subset,
        "%TARGET_PORT%": str(target),
        "%SERVICE_PORT%": str(port.number),
        "%SERVICE_PORT_NAME%": port.name,
    }
    for variable, value in values.items():
        pattern = pattern.replace(variable, value)
    return pattern


def connect_timeout(config: MeshConfig) -> DurationMessage:
    """`meshConfig.connectTimeout`, 10 seconds when unset."""
    return (
        wkt.seconds(10) if config.connect_timeout is None else wkt.duration(config.connect_timeout)
    )
