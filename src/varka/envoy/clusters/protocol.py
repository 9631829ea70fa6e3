"""Which HTTP a cluster speaks upstream."""

from __future__ import annotations

from envoy.config.core.v3 import protocol_pb2
from envoy.extensions.http.header_formatters.preserve_case.v3 import preserve_case_pb2

from varka.envoy import wkt
from varka.envoy.build import Build
from varka.envoy.clusters.builder import ClusterBuilder
from varka.envoy.proxymetadata import proxy_headers
from varka.proxy.node import ProxyType
from varka.registry.service import Protocol, ServicePort
from varka.resources.model import networking
from varka.resources.model.mesh import H2UpgradePolicy, MeshConfig


def apply_port_protocol(build: Build, builder: ClusterBuilder, port: ServicePort) -> None:
    """HTTP/2 for ports that say so; on sidecars, ports without a protocol get whatever the client
    spoke.

    Gateways don't follow the client: it may have negotiated HTTP/2 with a server that can only do
    HTTP/1.1.
    """
    if port.protocol.is_http2:
        speak_http2(builder)
        return
    if (port.protocol.is_http or port.protocol is Protocol.AUTO) and preserves_case(build):
        builder.options.explicit_http_config.http_protocol_options.CopyFrom(preserve_case())
    if port.protocol is Protocol.AUTO and build.traits.type is not ProxyType.ROUTER:
        use_client_protocol(builder)


def apply_http2_upgrade(
    builder: ClusterBuilder,
    port: ServicePort,
    pool: networking.ConnectionPoolSettings | None,
    config: MeshConfig,
) -> None:
    """`h2UpgradePolicy`: a rule's word counts for any port, the mesh's only for ports known to be
    HTTP."""
    http = pool.http if pool else None
    asked = http.h2_upgrade_policy if http else networking.H2UpgradePolicy.DEFAULT
    by_mesh = port.protocol.is_http and config.h2_upgrade_policy is H2UpgradePolicy.UPGRADE
    if asked is networking.H2UpgradePolicy.UPGRADE or (
        asked is networking.H2UpgradePolicy.DEFAULT and by_mesh
    ):
        speak_http2(builder)


def speak_http2(builder: ClusterBuilder) -> None:
    if builder.options.WhichOneof("upstream_protocol_options") is None:
        builder.options.explicit_http_config.http2_protocol_options.SetInParent()


def use_client_protocol(builder: ClusterBuilder) -> None:
    """HTTP/1.1 for clients of HTTP/1.1, HTTP/2 for those of HTTP/2."""
    http1 = protocol_pb2.Http1ProtocolOptions()
    if builder.options.WhichOneof("upstream_protocol_options") == "explicit_http_config":
        http1.CopyFrom(builder.options.explicit_http_config.http_protocol_options)
    chosen = builder.options.use_downstream_protocol_config
    chosen.http_protocol_options.CopyFrom(http1)
    chosen.http2_protocol_options.SetInParent()


def is_http2(builder: ClusterBuilder) -> bool:
    return bool(
        builder.options.WhichOneof("upstream_protocol_options") == "explicit_http_config"
        and builder.options.explicit_http_config.WhichOneof("protocol_config")
        == "http2_protocol_options"
    )


def preserves_case(build: Build) -> bool:
    """`proxyHeaders.preserveHttp1HeaderCase` of the proxy, else of the mesh."""
    return bool(proxy_headers(build).preserve_http1_header_case)


def preserve_case() -> protocol_pb2.Http1ProtocolOptions:
    options = protocol_pb2.Http1ProtocolOptions()
    formatter = options.header_key_format.stateful_formatter
    formatter.name = "preserve_case"
    formatter.typed_config.CopyFrom(wkt.pack(preserve_case_pb2.PreserveCaseFormatterConfig()))
    return options
