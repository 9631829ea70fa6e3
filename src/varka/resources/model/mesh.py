"""Messages of `istio.mesh.v1alpha1`. Made by tools/make_models.py: change that, not this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from varka.base.duration import Duration
from varka.resources.model import networking, proxyconfig
from varka.resources.model.base import Json, Model


class AuthenticationPolicy(StrEnum):
    INHERIT = "INHERIT"
    MUTUAL_TLS = "MUTUAL_TLS"
    NONE = "NONE"


class ForwardClientCertDetails(StrEnum):
    ALWAYS_FORWARD_ONLY = "ALWAYS_FORWARD_ONLY"
    APPEND_FORWARD = "APPEND_FORWARD"
    FORWARD_ONLY = "FORWARD_ONLY"
    SANITIZE = "SANITIZE"
    SANITIZE_SET = "SANITIZE_SET"
    UNDEFINED = "UNDEFINED"


class AccessLogEncoding(StrEnum):
    JSON = "JSON"
    TEXT = "TEXT"


class AuthPolicy(StrEnum):
    MUTUAL_TLS = "MUTUAL_TLS"
    NONE = "NONE"


class OpenCensusAgentTracingProviderTraceContext(StrEnum):
    B3 = "B3"
    CLOUD_TRACE_CONTEXT = "CLOUD_TRACE_CONTEXT"
    GRPC_BIN = "GRPC_BIN"
    UNSPECIFIED = "UNSPECIFIED"
    W3C_TRACE_CONTEXT = "W3C_TRACE_CONTEXT"


class ServiceAttributeEnrichment(StrEnum):
    ISTIO_CANONICAL = "ISTIO_CANONICAL"
    OTEL_SEMANTIC_CONVENTIONS = "OTEL_SEMANTIC_CONVENTIONS"


class TraceContextOption(StrEnum):
    USE_B3 = "USE_B3"
    USE_B3_WITH_W3C_PROPAGATION = "USE_B3_WITH_W3C_PROPAGATION"


class H2UpgradePolicy(StrEnum):
    DO_NOT_UPGRADE = "DO_NOT_UPGRADE"
    UPGRADE = "UPGRADE"


class InboundTrafficPolicyMode(StrEnum):
    LOCALHOST = "LOCALHOST"
    PASSTHROUGH = "PASSTHROUGH"


class IngressControllerMode(StrEnum):
    DEFAULT = "DEFAULT"
    OFF = "OFF"
    STRICT = "STRICT"
    UNSPECIFIED = "UNSPECIFIED"


class OutboundTrafficPolicyMode(StrEnum):
    ALLOW_ANY = "ALLOW_ANY"
    ALLOW_ANY_DYNAMIC_DNS = "ALLOW_ANY_DYNAMIC_DNS"
    REGISTRY_ONLY = "REGISTRY_ONLY"


class NormalizationType(StrEnum):
    BASE = "BASE"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"
    DEFAULT = "DEFAULT"
    MERGE_SLASHES = "MERGE_SLASHES"
    NONE = "NONE"


class Scope(StrEnum):
    GLOBAL = "GLOBAL"
    LOCAL = "LOCAL"


class TLSProtocol(StrEnum):
    TLSV1_2 = "TLSV1_2"
    TLSV1_3 = "TLSV1_3"
    TLS_AUTO = "TLS_AUTO"


class HeadersWithUnderscoresAction(StrEnum):
    HEADERS_WITH_UNDERSCORES_ALLOW = "HEADERS_WITH_UNDERSCORES_ALLOW"
    HEADERS_WITH_UNDERSCORES_DROP_HEADER = "HEADERS_WITH_UNDERSCORES_DROP_HEADER"
    HEADERS_WITH_UNDERSCORES_REJECT_REQUEST = "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST"
    HEADERS_WITH_UNDERSCORES_UNSPECIFIED = "HEADERS_WITH_UNDERSCORES_UNSPECIFIED"


class PathWithEscapedSlashesAction(StrEnum):
    KEEP_UNCHANGED = "KEEP_UNCHANGED"
    PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED = "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED"
    REJECT_REQUEST = "REJECT_REQUEST"
    UNESCAPE_AND_FORWARD = "UNESCAPE_AND_FORWARD"
    UNESCAPE_AND_REDIRECT = "UNESCAPE_AND_REDIRECT"


class Profile(StrEnum):
    EDGE = "EDGE"
    SIDECAR = "SIDECAR"


class InboundInterceptionMode(StrEnum):
    NONE = "NONE"
    REDIRECT = "REDIRECT"
    TPROXY = "TPROXY"


class MetadataExchangeMode(StrEnum):
    IN_MESH = "IN_MESH"
    UNDEFINED = "UNDEFINED"


class TracingServiceName(StrEnum):
    APP_LABEL_AND_NAMESPACE = "APP_LABEL_AND_NAMESPACE"
    CANONICAL_NAME_AND_NAMESPACE = "CANONICAL_NAME_AND_NAMESPACE"
    CANONICAL_NAME_ONLY = "CANONICAL_NAME_ONLY"


class Resource(StrEnum):
    SERVICE_REGISTRY = "SERVICE_REGISTRY"


class Visibility(StrEnum):
    NAMESPACE = "NAMESPACE"
    NONE = "NONE"
    PUBLIC = "PUBLIC"
    VISIBILITY_UNSPECIFIED = "VISIBILITY_UNSPECIFIED"


class OpenCensusAgentTraceContext(StrEnum):
    B3 = "B3"
    CLOUD_TRACE_CONTEXT = "CLOUD_TRACE_CONTEXT"
    GRPC_BIN = "GRPC_BIN"
    UNSPECIFIED = "UNSPECIFIED"
    W3C_TRACE_CONTEXT = "W3C_TRACE_CONTEXT"


class Certificate(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Certificate"""

    secret_name: str = ""
    dns_names: tuple[str, ...] = ()


class ConfigSource(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ConfigSource"""

    address: str = ""
    tls_settings: networking.ClientTLSSettings | None = None
    subscribed_resources: tuple[Resource, ...] = ()


class LabelSelector(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.LabelSelector"""

    matchLabels: Mapping[str, str] = field(default_factory=dict)
    matchExpressions: tuple[LabelSelectorRequirement, ...] = ()


class LabelSelectorRequirement(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.LabelSelectorRequirement"""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class MeshConfig(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig"""

    proxy_listen_port: int = 0
    proxy_inbound_listen_port: int = 0
    proxy_http_port: int = 0
    connect_timeout: Duration | None = None
    hbone_idle_timeout: Duration | None = None
    protocol_detection_timeout: Duration | None = None
    tcp_keepalive: networking.TcpKeepalive | None = None
    ingress_class: str = ""
    ingress_service: str = ""
    ingress_controller_mode: IngressControllerMode = IngressControllerMode.UNSPECIFIED
    ingress_selector: str = ""
    enable_tracing: bool = False
    access_log_file: str = ""
    access_log_format: str = ""
    access_log_encoding: AccessLogEncoding = AccessLogEncoding.TEXT
    enable_envoy_access_log_service: bool = False
    disable_envoy_listener_log: bool = False
    default_config: ProxyConfig | None = None
    outbound_traffic_policy: OutboundTrafficPolicy | None = None
    inbound_traffic_policy: InboundTrafficPolicy | None = None
    config_sources: tuple[ConfigSource, ...] = ()
    enable_auto_mtls: bool | None = None
    trust_domain: str = ""
    trust_domain_aliases: tuple[str, ...] = ()
    ca_certificates: tuple[CertificateData, ...] = ()
    default_service_export_to: tuple[str, ...] = ()
    default_virtual_service_export_to: tuple[str, ...] = ()
    default_destination_rule_export_to: tuple[str, ...] = ()
    root_namespace: str = ""
    locality_lb_setting: networking.LocalityLoadBalancerSetting | None = None
    zone_aware_lb_setting: networking.ZoneAwareLoadBalancerSetting | None = None
    dns_refresh_rate: Duration | None = None
    h2_upgrade_policy: H2UpgradePolicy = H2UpgradePolicy.DO_NOT_UPGRADE
    inbound_cluster_stat_name: str = ""
    outbound_cluster_stat_name: str = ""
    certificates: tuple[Certificate, ...] = ()
    service_settings: tuple[ServiceSettings, ...] = ()
    service_scope_configs: tuple[ServiceScopeConfigs, ...] = ()
    enable_prometheus_merge: bool | None = None
    verify_certificate_at_client: bool | None = None
    ca: CA | None = None
    extension_providers: tuple[ExtensionProvider, ...] = ()
    default_providers: DefaultProviders | None = None
    discovery_selectors: tuple[LabelSelector, ...] = ()
    path_normalization: ProxyPathNormalization | None = None
    default_http_retry_policy: networking.HTTPRetry | None = None
    mesh_mTLS: TLSConfig | None = field(name="meshMTLS", default=None)
    tls_defaults: TLSConfig | None = None
    default_traffic_policy: DefaultTrafficPolicy | None = None
    service_entry_visibility: ServiceEntryVisibility | None = None
    default_inbound_http_retry_policy: networking.HTTPRetry | None = None


class CA(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.CA"""

    address: str = ""
    tls_settings: networking.ClientTLSSettings | None = None
    request_timeout: Duration | None = None
    istiod_side: bool = False


class CertificateData(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.CertificateData"""

    pem: str | None = None
    spiffe_bundle_url: str | None = None
    cert_signers: tuple[str, ...] = ()
    trust_domains: tuple[str, ...] = ()


class DefaultProviders(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.DefaultProviders"""

    tracing: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    access_logging: tuple[str, ...] = ()


class DefaultTrafficPolicy(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.DefaultTrafficPolicy"""

    connection_pool: networking.ConnectionPoolSettings | None = None
    outlier_detection: networking.OutlierDetection | None = None


class ExtensionProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider"""

    name: str = ""
    envoy_ext_authz_http: EnvoyExternalAuthorizationHttpProvider | None = None
    envoy_ext_authz_grpc: EnvoyExternalAuthorizationGrpcProvider | None = None
    zipkin: ZipkinTracingProvider | None = None
    lightstep: LightstepTracingProvider | None = None
    datadog: DatadogTracingProvider | None = None
    stackdriver: StackdriverProvider | None = None
    opencensus: OpenCensusAgentTracingProvider | None = None
    skywalking: SkyWalkingTracingProvider | None = None
    opentelemetry: OpenTelemetryTracingProvider | None = None
    prometheus: PrometheusMetricsProvider | None = None
    envoy_file_access_log: EnvoyFileAccessLogProvider | None = None
    envoy_http_als: EnvoyHttpGrpcV3LogProvider | None = None
    envoy_tcp_als: EnvoyTcpGrpcV3LogProvider | None = None
    envoy_otel_als: EnvoyOpenTelemetryLogProvider | None = None
    sds: SDSProvider | None = None


class DatadogTracingProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.DatadogTracingProvider"""

    service: str = ""
    port: int = 0
    max_tag_length: int = 0


class EnvoyExternalAuthorizationGrpcProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyExternalAuthorizationGrpcProvider"""

    service: str = ""
    port: int = 0
    timeout: Duration | None = None
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: str = ""
    include_request_body_in_check: EnvoyExternalAuthorizationRequestBody | None = None


class EnvoyExternalAuthorizationHttpProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyExternalAuthorizationHttpProvider"""

    service: str = ""
    port: int = 0
    timeout: Duration | None = None
    path_prefix: str = ""
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: str = ""
    include_headers_in_check: tuple[str, ...] = ()
    include_request_headers_in_check: tuple[str, ...] = ()
    include_additional_headers_in_check: Mapping[str, str] = field(default_factory=dict)
    include_request_body_in_check: EnvoyExternalAuthorizationRequestBody | None = None
    headers_to_upstream_on_allow: tuple[str, ...] = ()
    headers_to_downstream_on_deny: tuple[str, ...] = ()
    headers_to_downstream_on_allow: tuple[str, ...] = ()


class EnvoyExternalAuthorizationRequestBody(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyExternalAuthorizationRequestBody"""

    max_request_bytes: int = 0
    allow_partial_message: bool = False
    pack_as_bytes: bool = False


class EnvoyFileAccessLogProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyFileAccessLogProvider"""

    path: str = ""
    log_format: EnvoyFileAccessLogProviderLogFormat | None = None
    omit_empty_values: bool = False


class EnvoyFileAccessLogProviderLogFormat(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyFileAccessLogProvider.LogFormat"""

    text: str | None = None
    labels: Json | None = None


class EnvoyHttpGrpcV3LogProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyHttpGrpcV3LogProvider"""

    service: str = ""
    port: int = 0
    log_name: str = ""
    filter_state_objects_to_log: tuple[str, ...] = ()
    additional_request_headers_to_log: tuple[str, ...] = ()
    additional_response_headers_to_log: tuple[str, ...] = ()
    additional_response_trailers_to_log: tuple[str, ...] = ()


class EnvoyOpenTelemetryLogProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyOpenTelemetryLogProvider"""

    service: str = ""
    port: int = 0
    log_name: str = ""
    log_format: EnvoyOpenTelemetryLogProviderLogFormat | None = None


class EnvoyOpenTelemetryLogProviderLogFormat(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyOpenTelemetryLogProvider.LogFormat"""

    text: str = ""
    labels: Json | None = None


class EnvoyTcpGrpcV3LogProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.EnvoyTcpGrpcV3LogProvider"""

    service: str = ""
    port: int = 0
    log_name: str = ""
    filter_state_objects_to_log: tuple[str, ...] = ()


class GrpcService(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.GrpcService"""

    timeout: Duration | None = None
    initial_metadata: tuple[HttpHeader, ...] = ()


class HttpHeader(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.HttpHeader"""

    name: str = ""
    value: str | None = None
    env_name: str | None = None


class HttpService(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.HttpService"""

    path: str = ""
    timeout: Duration | None = None
    headers: tuple[HttpHeader, ...] = ()


class LightstepTracingProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.LightstepTracingProvider"""

    service: str = ""
    port: int = 0
    access_token: str = ""
    max_tag_length: int = 0


class OpenCensusAgentTracingProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.OpenCensusAgentTracingProvider"""

    service: str = ""
    port: int = 0
    context: tuple[OpenCensusAgentTracingProviderTraceContext, ...] = ()
    max_tag_length: int = 0


class OpenTelemetryTracingProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.OpenTelemetryTracingProvider"""

    service: str = ""
    port: int = 0
    max_tag_length: int = 0
    http: HttpService | None = None
    grpc: GrpcService | None = None
    resource_detectors: ResourceDetectors | None = None
    service_attribute_enrichment: ServiceAttributeEnrichment = (
        ServiceAttributeEnrichment.ISTIO_CANONICAL
    )
    dynatrace_sampler: DynatraceSampler | None = None


class DynatraceSampler(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.OpenTelemetryTracingProvider.DynatraceSampler"""

    tenant: str = ""
    cluster_id: int = 0
    root_spans_per_minute: int = 0
    http_service: DynatraceApi | None = None


class DynatraceApi(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.OpenTelemetryTracingProvider.DynatraceSampler.DynatraceApi"""

    service: str = ""
    port: int = 0
    http: HttpService | None = None


class PrometheusMetricsProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.PrometheusMetricsProvider"""


class ResourceDetectors(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.ResourceDetectors"""

    environment: EnvironmentResourceDetector | None = None
    dynatrace: DynatraceResourceDetector | None = None


class DynatraceResourceDetector(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.ResourceDetectors.DynatraceResourceDetector"""


class EnvironmentResourceDetector(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.ResourceDetectors.EnvironmentResourceDetector"""


class SDSProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.SDSProvider"""

    name: str = ""
    service: str = ""
    port: int = 0


class SkyWalkingTracingProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.SkyWalkingTracingProvider"""

    service: str = ""
    port: int = 0
    access_token: str = ""


class StackdriverProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.StackdriverProvider"""

    debug: bool = False
    max_number_of_attributes: int | None = None
    max_number_of_annotations: int | None = None
    max_number_of_message_events: int | None = None
    max_tag_length: int = 0
    logging: Logging | None = None


class Logging(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.StackdriverProvider.Logging"""

    labels: Mapping[str, str] = field(default_factory=dict)


class ZipkinTracingProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ExtensionProvider.ZipkinTracingProvider"""

    service: str = ""
    port: int = 0
    max_tag_length: int = 0
    enable_64bit_trace_id: bool = field(name="enable64bitTraceId", default=False)
    path: str = ""
    trace_context_option: TraceContextOption = TraceContextOption.USE_B3
    timeout: Duration | None = None
    headers: tuple[HttpHeader, ...] = ()


class InboundTrafficPolicy(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.InboundTrafficPolicy"""

    mode: InboundTrafficPolicyMode = InboundTrafficPolicyMode.PASSTHROUGH


class OutboundTrafficPolicy(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.OutboundTrafficPolicy"""

    mode: OutboundTrafficPolicyMode = OutboundTrafficPolicyMode.REGISTRY_ONLY
    tls: networking.ClientTLSSettings | None = None


class ProxyPathNormalization(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ProxyPathNormalization"""

    normalization: NormalizationType = NormalizationType.DEFAULT


class ServiceScopeConfigs(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ServiceScopeConfigs"""

    namespace_selector: LabelSelector | None = None
    services_selector: LabelSelector | None = None
    scope: Scope = Scope.LOCAL


class ServiceSettings(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ServiceSettings"""

    settings: Settings | None = None
    hosts: tuple[str, ...] = ()


class Settings(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.ServiceSettings.Settings"""

    cluster_local: bool = False


class TLSConfig(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshConfig.TLSConfig"""

    min_protocol_version: TLSProtocol = TLSProtocol.TLS_AUTO
    ecdh_curves: tuple[str, ...] = ()
    cipher_suites: tuple[str, ...] = ()


class MeshNetworks(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.MeshNetworks"""

    networks: Mapping[str, Network] = field(default_factory=dict)


class Network(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Network"""

    endpoints: tuple[NetworkEndpoints, ...] = ()
    gateways: tuple[IstioNetworkGateway, ...] = ()


class IstioNetworkGateway(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Network.IstioNetworkGateway"""

    registry_service_name: str | None = None
    address: str | None = None
    port: int = 0
    locality: str = ""


class NetworkEndpoints(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Network.NetworkEndpoints"""

    from_cidr: str | None = None
    from_registry: str | None = None


class PrivateKeyProvider(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.PrivateKeyProvider"""

    cryptomb: CryptoMb | None = None
    qat: QAT | None = None


class CryptoMb(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.PrivateKeyProvider.CryptoMb"""

    poll_delay: Duration | None = None
    fallback: bool | None = None


class QAT(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.PrivateKeyProvider.QAT"""

    poll_delay: Duration | None = None
    fallback: bool | None = None


class ProxyConfig(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig"""

    config_path: str = ""
    binary_path: str = ""
    service_cluster: str | None = None
    tracing_service_name: TracingServiceName | None = None
    drain_duration: Duration | None = None
    discovery_address: str = ""
    discovery_refresh_delay: Duration | None = None
    zipkin_address: str = ""
    statsd_udp_address: str = ""
    envoy_metrics_service_address: str = ""
    proxy_admin_port: int = 0
    availability_zone: str = ""
    control_plane_auth_policy: AuthenticationPolicy = AuthenticationPolicy.NONE
    custom_config_file: str = ""
    stat_name_length: int = 0
    concurrency: int | None = None
    proxy_bootstrap_template_path: str = ""
    interception_mode: InboundInterceptionMode = InboundInterceptionMode.REDIRECT
    tracing: Tracing | None = None
    sds: SDS | None = None
    envoy_access_log_service: RemoteService | None = None
    envoy_metrics_service: RemoteService | None = None
    proxy_metadata: Mapping[str, str] = field(default_factory=dict)
    runtime_values: Mapping[str, str] = field(default_factory=dict)
    status_port: int = 0
    extra_stat_tags: tuple[str, ...] = ()
    gateway_topology: Topology | None = None
    termination_drain_duration: Duration | None = None
    mesh_id: str = ""
    readiness_probe: networking.ReadinessProbe | None = None
    proxy_stats_matcher: ProxyStatsMatcher | None = None
    hold_application_until_proxy_starts: bool | None = None
    ca_certificates_pem: tuple[str, ...] = ()
    image: proxyconfig.ProxyImage | None = None
    private_key_provider: PrivateKeyProvider | None = None
    proxy_headers: ProxyHeaders | None = None
    file_flush_interval: Duration | None = None
    file_flush_min_size_kb: int = 0
    stats_compression: bool | None = None
    connection_settings: ConnectionSettings | None = None


class ConnectionSettings(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ConnectionSettings"""

    profile: Profile = Profile.SIDECAR
    listener_per_connection_buffer_limit_bytes: int | None = None
    cluster_per_connection_buffer_limit_bytes: int | None = None
    http_idle_timeout: Duration | None = None
    http_max_connection_duration: Duration | None = None
    http_drain_timeout: Duration | None = None
    http_request_timeout: Duration | None = None
    http_request_headers_timeout: Duration | None = None
    http_stream_idle_timeout: Duration | None = None
    http_max_stream_duration: Duration | None = None
    http_max_concurrent_streams: int | None = None
    http2_initial_stream_window_size: int | None = None
    http2_initial_connection_window_size: int | None = None
    http_headers_with_underscores_action: HeadersWithUnderscoresAction = (
        HeadersWithUnderscoresAction.HEADERS_WITH_UNDERSCORES_UNSPECIFIED
    )
    http_merge_slashes: bool | None = None
    http_path_with_escaped_slashes_action: PathWithEscapedSlashesAction = (
        PathWithEscapedSlashesAction.PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED
    )
    listener_connection_limit: int | None = None
    global_downstream_connection_limit: int | None = None


class ProxyHeaders(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders"""

    forwarded_client_cert: ForwardClientCertDetails = ForwardClientCertDetails.UNDEFINED
    set_current_client_cert_details: SetCurrentClientCertDetails | None = None
    request_id: RequestId | None = None
    server: Server | None = None
    attempt_count: AttemptCount | None = None
    envoy_debug_headers: EnvoyDebugHeaders | None = None
    metadata_exchange_headers: MetadataExchangeHeaders | None = None
    preserve_http1_header_case: bool | None = None
    x_forwarded_host: XForwardedHost | None = None
    x_forwarded_port: XForwardedPort | None = None


class AttemptCount(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.AttemptCount"""

    disabled: bool | None = None


class EnvoyDebugHeaders(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.EnvoyDebugHeaders"""

    disabled: bool | None = None


class MetadataExchangeHeaders(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.MetadataExchangeHeaders"""

    mode: MetadataExchangeMode = MetadataExchangeMode.UNDEFINED


class RequestId(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.RequestId"""

    disabled: bool | None = None


class Server(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.Server"""

    disabled: bool | None = None
    value: str = ""


class SetCurrentClientCertDetails(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.SetCurrentClientCertDetails"""

    subject: bool | None = None
    cert: bool | None = None
    chain: bool | None = None
    dns: bool | None = None
    uri: bool | None = None


class XForwardedHost(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.XForwardedHost"""

    enabled: bool | None = None


class XForwardedPort(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyHeaders.XForwardedPort"""

    enabled: bool | None = None


class ProxyStatsMatcher(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ProxyConfig.ProxyStatsMatcher"""

    inclusion_prefixes: tuple[str, ...] = ()
    inclusion_suffixes: tuple[str, ...] = ()
    inclusion_regexps: tuple[str, ...] = ()


class RemoteService(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.RemoteService"""

    address: str = ""
    tls_settings: networking.ClientTLSSettings | None = None
    tcp_keepalive: networking.TcpKeepalive | None = None


class SDS(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.SDS"""

    enabled: bool = False
    k8s_sa_jwt_path: str = ""


class ServiceEntryVisibility(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ServiceEntryVisibility"""

    default_visibility: Visibility = Visibility.VISIBILITY_UNSPECIFIED
    apply_to_sidecars: bool = False
    policies: tuple[Policy, ...] = ()


class MatchRule(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ServiceEntryVisibility.MatchRule"""

    namespace_selector: LabelSelector | None = None


class Policy(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.ServiceEntryVisibility.Policy"""

    visibility: Visibility = Visibility.VISIBILITY_UNSPECIFIED
    matching_rules: tuple[MatchRule, ...] = ()


class Topology(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Topology"""

    num_trusted_proxies: int = 0
    forward_client_cert_details: ForwardClientCertDetails = ForwardClientCertDetails.UNDEFINED
    proxy_protocol: ProxyProtocolConfiguration | None = None


class ProxyProtocolConfiguration(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Topology.ProxyProtocolConfiguration"""


class Tracing(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing"""

    zipkin: Zipkin | None = None
    lightstep: Lightstep | None = None
    datadog: Datadog | None = None
    stackdriver: Stackdriver | None = None
    open_census_agent: OpenCensusAgent | None = None
    custom_tags: Mapping[str, CustomTag] = field(default_factory=dict)
    max_path_tag_length: int = 0
    sampling: float = 0.0
    tls_settings: networking.ClientTLSSettings | None = None
    enable_istio_tags: bool | None = None


class CustomTag(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.CustomTag"""

    literal: Literal | None = None
    environment: Environment | None = None
    header: RequestHeader | None = None


class Datadog(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.Datadog"""

    address: str = ""


class Environment(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.Environment"""

    name: str = ""
    default_value: str = ""


class Lightstep(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.Lightstep"""

    address: str = ""
    access_token: str = ""


class Literal(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.Literal"""

    value: str = ""


class OpenCensusAgent(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.OpenCensusAgent"""

    address: str = ""
    context: tuple[OpenCensusAgentTraceContext, ...] = ()


class RequestHeader(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.RequestHeader"""

    name: str = ""
    default_value: str = ""


class Stackdriver(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.Stackdriver"""

    debug: bool = False
    max_number_of_attributes: int | None = None
    max_number_of_annotations: int | None = None
    max_number_of_message_events: int | None = None


class Zipkin(Model, frozen=True, eq=False):
    """istio.mesh.v1alpha1.Tracing.Zipkin"""

    address: str = ""
