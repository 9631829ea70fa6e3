"""Messages of `istio.networking.v1alpha3`. Made by tools/make_models.py: change that, not this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from varka.base.duration import Duration
from varka.resources.model import selectors
from varka.resources.model.base import Json, Model


class CaptureMode(StrEnum):
    DEFAULT = "DEFAULT"
    IPTABLES = "IPTABLES"
    NONE = "NONE"


class ClientTLSSettingsTLSmode(StrEnum):
    DISABLE = "DISABLE"
    ISTIO_MUTUAL = "ISTIO_MUTUAL"
    MUTUAL = "MUTUAL"
    SIMPLE = "SIMPLE"


class H2UpgradePolicy(StrEnum):
    DEFAULT = "DEFAULT"
    DO_NOT_UPGRADE = "DO_NOT_UPGRADE"
    UPGRADE = "UPGRADE"


class UnmatchedPreflights(StrEnum):
    FORWARD = "FORWARD"
    IGNORE = "IGNORE"
    UNSPECIFIED = "UNSPECIFIED"


class ApplyTo(StrEnum):
    BOOTSTRAP = "BOOTSTRAP"
    CLUSTER = "CLUSTER"
    EXTENSION_CONFIG = "EXTENSION_CONFIG"
    FILTER_CHAIN = "FILTER_CHAIN"
    HTTP_FILTER = "HTTP_FILTER"
    HTTP_ROUTE = "HTTP_ROUTE"
    INVALID = "INVALID"
    LISTENER = "LISTENER"
    LISTENER_FILTER = "LISTENER_FILTER"
    NETWORK_FILTER = "NETWORK_FILTER"
    ROUTE_CONFIGURATION = "ROUTE_CONFIGURATION"
    VIRTUAL_HOST = "VIRTUAL_HOST"


class FilterClass(StrEnum):
    AUTHN = "AUTHN"
    AUTHZ = "AUTHZ"
    STATS = "STATS"
    UNSPECIFIED = "UNSPECIFIED"


class Operation(StrEnum):
    ADD = "ADD"
    INSERT_AFTER = "INSERT_AFTER"
    INSERT_BEFORE = "INSERT_BEFORE"
    INSERT_FIRST = "INSERT_FIRST"
    INVALID = "INVALID"
    MERGE = "MERGE"
    MERGE_AND_REPLACE_LIST = "MERGE_AND_REPLACE_LIST"
    REMOVE = "REMOVE"
    REPLACE = "REPLACE"


class PatchContext(StrEnum):
    ANY = "ANY"
    GATEWAY = "GATEWAY"
    SIDECAR_INBOUND = "SIDECAR_INBOUND"
    SIDECAR_OUTBOUND = "SIDECAR_OUTBOUND"
    WAYPOINT = "WAYPOINT"


class Action(StrEnum):
    ANY = "ANY"
    DIRECT_RESPONSE = "DIRECT_RESPONSE"
    REDIRECT = "REDIRECT"
    ROUTE = "ROUTE"


class RedirectPortSelection(StrEnum):
    FROM_PROTOCOL_DEFAULT = "FROM_PROTOCOL_DEFAULT"
    FROM_REQUEST_PORT = "FROM_REQUEST_PORT"


class SimpleLB(StrEnum):
    LEAST_CONN = "LEAST_CONN"
    LEAST_REQUEST = "LEAST_REQUEST"
    PASSTHROUGH = "PASSTHROUGH"
    RANDOM = "RANDOM"
    ROUND_ROBIN = "ROUND_ROBIN"
    UNSPECIFIED = "UNSPECIFIED"


class Mode(StrEnum):
    ALLOW_ANY = "ALLOW_ANY"
    REGISTRY_ONLY = "REGISTRY_ONLY"


class TLSProtocol(StrEnum):
    TLSV1_0 = "TLSV1_0"
    TLSV1_1 = "TLSV1_1"
    TLSV1_2 = "TLSV1_2"
    TLSV1_3 = "TLSV1_3"
    TLS_AUTO = "TLS_AUTO"


class ServerTLSSettingsTLSmode(StrEnum):
    AUTO_PASSTHROUGH = "AUTO_PASSTHROUGH"
    ISTIO_MUTUAL = "ISTIO_MUTUAL"
    MUTUAL = "MUTUAL"
    OPTIONAL_MUTUAL = "OPTIONAL_MUTUAL"
    PASSTHROUGH = "PASSTHROUGH"
    SIMPLE = "SIMPLE"


class Location(StrEnum):
    MESH_EXTERNAL = "MESH_EXTERNAL"
    MESH_INTERNAL = "MESH_INTERNAL"


class Resolution(StrEnum):
    DNS = "DNS"
    DNS_ROUND_ROBIN = "DNS_ROUND_ROBIN"
    DYNAMIC_DNS = "DYNAMIC_DNS"
    NONE = "NONE"
    STATIC = "STATIC"


class VERSION(StrEnum):
    V1 = "V1"
    V2 = "V2"


class ClientTLSSettings(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ClientTLSSettings"""

    mode: ClientTLSSettingsTLSmode = ClientTLSSettingsTLSmode.DISABLE
    client_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    sni: str = ""
    insecure_skip_verify: bool | None = None
    ca_crl: str = ""


class ConnectionPoolSettings(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ConnectionPoolSettings"""

    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class HTTPSettings(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ConnectionPoolSettings.HTTPSettings"""

    http1_max_pending_requests: int = 0
    http2_max_requests: int = 0
    max_requests_per_connection: int = 0
    max_retries: int = 0
    idle_timeout: Duration | None = None
    h2_upgrade_policy: H2UpgradePolicy = H2UpgradePolicy.DEFAULT
    use_client_protocol: bool = False
    max_concurrent_streams: int = 0
    http2_keep_alive: ConnectionKeepalive | None = None


class ConnectionKeepalive(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive"""

    interval: Duration | None = None
    timeout: Duration | None = None


class TCPSettings(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ConnectionPoolSettings.TCPSettings"""

    max_connections: int = 0
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None
    idle_timeout: Duration | None = None


class TcpKeepalive(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ConnectionPoolSettings.TCPSettings.TcpKeepalive"""

    probes: int = 0
    time: Duration | None = None
    interval: Duration | None = None


class CorsPolicy(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.CorsPolicy"""

    allow_origin: tuple[str, ...] = ()
    allow_origins: tuple[StringMatch, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: UnmatchedPreflights = UnmatchedPreflights.UNSPECIFIED


class Delegate(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Delegate"""

    name: str = ""
    namespace: str = ""


class Destination(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Destination"""

    host: str = ""
    subset: str = ""
    port: PortSelector | None = None


class DestinationRule(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.DestinationRule"""

    host: str = ""
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[str, ...] = ()
    workload_selector: selectors.WorkloadSelector | None = None


class EnvoyFilter(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter"""

    workload_selector: WorkloadSelector | None = None
    targetRefs: tuple[selectors.PolicyTargetReference, ...] = ()
    config_patches: tuple[EnvoyConfigObjectPatch, ...] = ()
    priority: int = 0


class ClusterMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.ClusterMatch"""

    port_number: int = 0
    service: str = ""
    subset: str = ""
    name: str = ""


class EnvoyConfigObjectMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.EnvoyConfigObjectMatch"""

    context: PatchContext = PatchContext.ANY
    proxy: ProxyMatch | None = None
    listener: ListenerMatch | None = None
    route_configuration: RouteConfigurationMatch | None = None
    cluster: ClusterMatch | None = None
    waypoint: WaypointMatch | None = None


class EnvoyConfigObjectPatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.EnvoyConfigObjectPatch"""

    apply_to: ApplyTo = ApplyTo.INVALID
    match: EnvoyConfigObjectMatch | None = None
    patch: Patch | None = None


class ListenerMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.ListenerMatch"""

    port_number: int = 0
    port_name: str = ""
    filter_chain: FilterChainMatch | None = None
    listener_filter: str = ""
    name: str = ""


class FilterChainMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.ListenerMatch.FilterChainMatch"""

    name: str = ""
    sni: str = ""
    transport_protocol: str = ""
    application_protocols: str = ""
    filter: ListenerMatchFilterMatch | None = None
    destination_port: int = 0
    transport_socket: str = ""


class ListenerMatchFilterMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.ListenerMatch.FilterMatch"""

    name: str = ""
    sub_filter: ListenerMatchSubFilterMatch | None = None


class ListenerMatchSubFilterMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.ListenerMatch.SubFilterMatch"""

    name: str = ""


class Patch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.Patch"""

    operation: Operation = Operation.INVALID
    value: Json | None = None
    filter_class: FilterClass = FilterClass.UNSPECIFIED


class ProxyMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.ProxyMatch"""

    proxy_version: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


class RouteConfigurationMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.RouteConfigurationMatch"""

    port_number: int = 0
    port_name: str = ""
    gateway: str = ""
    vhost: VirtualHostMatch | None = None
    name: str = ""


class RouteConfigurationMatchRouteMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.RouteConfigurationMatch.RouteMatch"""

    name: str = ""
    action: Action = Action.ANY


class VirtualHostMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.RouteConfigurationMatch.VirtualHostMatch"""

    name: str = ""
    domain_name: str = ""
    route: RouteConfigurationMatchRouteMatch | None = None


class WaypointMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.WaypointMatch"""

    port_number: int = 0
    route: WaypointMatchRouteMatch | None = None
    filter: WaypointMatchFilterMatch | None = None


class WaypointMatchFilterMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.WaypointMatch.FilterMatch"""

    name: str = ""
    sub_filter: FilterMatchSubFilterMatch | None = None


class FilterMatchSubFilterMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.WaypointMatch.FilterMatch.SubFilterMatch"""

    name: str = ""


class WaypointMatchRouteMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.EnvoyFilter.WaypointMatch.RouteMatch"""

    name: str = ""


class ExecHealthCheckConfig(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ExecHealthCheckConfig"""

    command: tuple[str, ...] = ()


class Gateway(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Gateway"""

    servers: tuple[Server, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)


class GrpcHealthCheckConfig(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.GrpcHealthCheckConfig"""

    port: int = 0
    service: str = ""


class HTTPBody(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPBody"""

    string: str | None = None
    bytes_: bytes | None = field(name="bytes", default=None)


class HTTPDirectResponse(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPDirectResponse"""

    status: int = 0
    body: HTTPBody | None = None


class HTTPFaultInjection(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPFaultInjection"""

    delay: Delay | None = None
    abort: Abort | None = None


class Abort(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPFaultInjection.Abort"""

    http_status: int | None = None
    grpc_status: str | None = None
    http2_error: str | None = None
    percentage: Percent | None = None


class Delay(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPFaultInjection.Delay"""

    percent: int = 0
    fixed_delay: Duration | None = None
    exponential_delay: Duration | None = None
    percentage: Percent | None = None


class HTTPHeader(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPHeader"""

    name: str = ""
    value: str = ""


class HTTPHealthCheckConfig(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPHealthCheckConfig"""

    path: str = ""
    port: int = 0
    host: str = ""
    scheme: str = ""
    http_headers: tuple[HTTPHeader, ...] = ()


class HTTPMatchRequest(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPMatchRequest"""

    name: str = ""
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: Mapping[str, StringMatch] = field(default_factory=dict)
    port: int = 0
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    query_params: Mapping[str, StringMatch] = field(default_factory=dict)
    ignore_uri_case: bool = False
    without_headers: Mapping[str, StringMatch] = field(default_factory=dict)
    source_namespace: str = ""
    stat_prefix: str = ""


class HTTPMirrorPolicy(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPMirrorPolicy"""

    destination: Destination | None = None
    percentage: Percent | None = None


class HTTPRedirect(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPRedirect"""

    uri: str = ""
    authority: str = ""
    port: int | None = None
    derive_port: RedirectPortSelection | None = None
    scheme: str = ""
    redirect_code: int = 0
    prefix_rewrite: str = ""


class HTTPRetry(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPRetry"""

    attempts: int = 0
    per_try_timeout: Duration | None = None
    retry_on: str = ""
    retry_remote_localities: bool | None = None
    retry_ignore_previous_hosts: bool | None = None
    backoff: Duration | None = None


class HTTPRewrite(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPRewrite"""

    uri: str = ""
    authority: str = ""
    uri_regex_rewrite: RegexRewrite | None = None


class HTTPRoute(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPRoute"""

    name: str = ""
    match: tuple[HTTPMatchRequest, ...] = ()
    route: tuple[HTTPRouteDestination, ...] = ()
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: HTTPRewrite | None = None
    timeout: Duration | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirrors: tuple[HTTPMirrorPolicy, ...] = ()
    mirror_percent: int | None = None
    mirror_percentage: Percent | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None


class HTTPRouteDestination(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.HTTPRouteDestination"""

    destination: Destination | None = None
    weight: int = 0
    headers: Headers | None = None


class Headers(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Headers"""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class HeaderOperations(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Headers.HeaderOperations"""

    set: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


class IstioEgressListener(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.IstioEgressListener"""

    port: SidecarPort | None = None
    bind: str = ""
    capture_mode: CaptureMode = CaptureMode.DEFAULT
    hosts: tuple[str, ...] = ()


class IstioIngressListener(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.IstioIngressListener"""

    port: SidecarPort | None = None
    bind: str = ""
    capture_mode: CaptureMode = CaptureMode.DEFAULT
    default_endpoint: str = ""
    tls: ServerTLSSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None


class L4MatchAttributes(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.L4MatchAttributes"""

    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_subnet: str = ""
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class LoadBalancerSettings(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LoadBalancerSettings"""

    simple: SimpleLB | None = None
    consistent_hash: ConsistentHashLB | None = None
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    zone_aware_lb_setting: ZoneAwareLoadBalancerSetting | None = None
    warmup_duration_secs: Duration | None = None
    warmup: WarmupConfiguration | None = None
    backend_utilization: BackendUtilization | None = None


class ConsistentHashLB(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LoadBalancerSettings.ConsistentHashLB"""

    http_header_name: str | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: str | None = None
    ring_hash: RingHash | None = None
    maglev: MagLev | None = None
    minimum_ring_size: int = 0


class HTTPCookie(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LoadBalancerSettings.ConsistentHashLB.HTTPCookie"""

    name: str = ""
    path: str = ""
    ttl: Duration | None = None
    attributes: tuple[Attribute, ...] = ()


class Attribute(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute"""

    name: str = ""
    value: str = ""


class MagLev(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LoadBalancerSettings.ConsistentHashLB.MagLev"""

    table_size: int = 0


class RingHash(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LoadBalancerSettings.ConsistentHashLB.RingHash"""

    minimum_ring_size: int = 0


class LocalityLoadBalancerSetting(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LocalityLoadBalancerSetting"""

    distribute: tuple[Distribute, ...] = ()
    failover: tuple[LocalityLoadBalancerSettingFailover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    enabled: bool | None = None


class Distribute(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LocalityLoadBalancerSetting.Distribute"""

    from_: str = field(name="from", default="")
    to: Mapping[str, int] = field(default_factory=dict)


class LocalityLoadBalancerSettingFailover(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LocalityLoadBalancerSetting.Failover"""

    from_: str = field(name="from", default="")
    to: str = ""


class OutboundTrafficPolicy(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.OutboundTrafficPolicy"""

    mode: Mode = Mode.REGISTRY_ONLY
    egress_proxy: Destination | None = None


class OutlierDetection(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.OutlierDetection"""

    consecutive_errors: int = 0
    split_external_local_origin_errors: bool = False
    consecutive_local_origin_failures: int | None = None
    consecutive_gateway_errors: int | None = None
    consecutive_5xx_errors: int | None = field(name="consecutive5xxErrors", default=None)
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: int = 0
    min_health_percent: int = 0
    outlier_detection_http_error_codes: tuple[int, ...] = ()


class Percent(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Percent"""

    value: float = 0.0


class Port(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Port"""

    number: int = 0
    protocol: str = ""
    name: str = ""
    target_port: int = 0


class PortSelector(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.PortSelector"""

    number: int = 0


class ReadinessProbe(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ReadinessProbe"""

    initial_delay_seconds: int = 0
    timeout_seconds: int = 0
    period_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    http_get: HTTPHealthCheckConfig | None = None
    tcp_socket: TCPHealthCheckConfig | None = None
    exec: ExecHealthCheckConfig | None = None
    grpc: GrpcHealthCheckConfig | None = None


class RegexRewrite(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.RegexRewrite"""

    match: str = ""
    rewrite: str = ""


class RouteDestination(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.RouteDestination"""

    destination: Destination | None = None
    weight: int = 0


class Server(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Server"""

    port: Port | None = None
    bind: str = ""
    hosts: tuple[str, ...] = ()
    tls: ServerTLSSettings | None = None
    default_endpoint: str = ""
    name: str = ""


class ServerTLSSettings(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ServerTLSSettings"""

    https_redirect: bool = False
    mode: ServerTLSSettingsTLSmode = ServerTLSSettingsTLSmode.PASSTHROUGH
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: str = ""
    credential_names: tuple[str, ...] = ()
    ca_cert_credential_name: str = ""
    tls_certificates: tuple[TLSCertificate, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
    verify_certificate_spki: tuple[str, ...] = ()
    verify_certificate_hash: tuple[str, ...] = ()
    min_protocol_version: TLSProtocol = TLSProtocol.TLS_AUTO
    max_protocol_version: TLSProtocol = TLSProtocol.TLS_AUTO
    cipher_suites: tuple[str, ...] = ()
    insecure_skip_verify: bool | None = None
    ecdh_curves: tuple[str, ...] = ()


class TLSCertificate(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ServerTLSSettings.TLSCertificate"""

    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""


class ServiceEntry(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ServiceEntry"""

    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ports: tuple[ServicePort, ...] = ()
    location: Location = Location.MESH_EXTERNAL
    resolution: Resolution = Resolution.NONE
    endpoints: tuple[WorkloadEntry, ...] = ()
    workload_selector: WorkloadSelector | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()


class ServiceEntryAddress(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ServiceEntryAddress"""

    value: str = ""
    host: str = ""


class ServiceEntryStatus(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ServiceEntryStatus"""

    conditions: tuple[Json, ...] = ()
    validation_messages: tuple[Json, ...] = ()
    observed_generation: int = 0
    addresses: tuple[ServiceEntryAddress, ...] = ()


class ServicePort(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ServicePort"""

    number: int = 0
    protocol: str = ""
    name: str = ""
    target_port: int = 0


class Sidecar(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Sidecar"""

    workload_selector: WorkloadSelector | None = None
    ingress: tuple[IstioIngressListener, ...] = ()
    egress: tuple[IstioEgressListener, ...] = ()
    inbound_connection_pool: ConnectionPoolSettings | None = None
    outbound_traffic_policy: OutboundTrafficPolicy | None = None


class SidecarPort(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.SidecarPort"""

    number: int = 0
    protocol: str = ""
    name: str = ""
    target_port: int = 0


class StringMatch(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.StringMatch"""

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class Subset(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.Subset"""

    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    traffic_policy: TrafficPolicy | None = None


class TCPHealthCheckConfig(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TCPHealthCheckConfig"""

    host: str = ""
    port: int = 0


class TCPRoute(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TCPRoute"""

    match: tuple[L4MatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class TLSMatchAttributes(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TLSMatchAttributes"""

    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class TLSRoute(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TLSRoute"""

    match: tuple[TLSMatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class TrafficPolicy(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TrafficPolicy"""

    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    tunnel: TunnelSettings | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


class PortTrafficPolicy(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TrafficPolicy.PortTrafficPolicy"""

    port: PortSelector | None = None
    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None


class ProxyProtocol(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TrafficPolicy.ProxyProtocol"""

    version: VERSION = VERSION.V1


class RetryBudget(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TrafficPolicy.RetryBudget"""

    percent: float | None = None
    min_retry_concurrency: int = 0
    budget_interval: Duration | None = None


class TunnelSettings(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.TrafficPolicy.TunnelSettings"""

    protocol: str = ""
    target_host: str = ""
    target_port: int = 0


class VirtualService(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.VirtualService"""

    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    http: tuple[HTTPRoute, ...] = ()
    tls: tuple[TLSRoute, ...] = ()
    tcp: tuple[TCPRoute, ...] = ()
    export_to: tuple[str, ...] = ()


class WarmupConfiguration(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.WarmupConfiguration"""

    duration: Duration | None = None
    minimum_percent: float | None = None
    aggression: float | None = None


class WorkloadEntry(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.WorkloadEntry"""

    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    locality: str = ""
    weight: int = 0
    service_account: str = ""


class WorkloadGroup(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.WorkloadGroup"""

    metadata: ObjectMeta | None = None
    template: WorkloadEntry | None = None
    probe: ReadinessProbe | None = None


class ObjectMeta(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.WorkloadGroup.ObjectMeta"""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class WorkloadSelector(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.WorkloadSelector"""

    labels: Mapping[str, str] = field(default_factory=dict)


class ZoneAwareLoadBalancerSetting(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ZoneAwareLoadBalancerSetting"""

    enabled: bool | None = None
    failover: tuple[ZoneAwareLoadBalancerSettingFailover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    min_cluster_size: int | None = None


class ZoneAwareLoadBalancerSettingFailover(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.ZoneAwareLoadBalancerSetting.Failover"""

    from_: str = field(name="from", default="")
    to: str = ""


class BackendUtilization(Model, frozen=True, eq=False):
    """istio.networking.v1alpha3.LoadBalancerSettings.BackendUtilization"""

    error_utilization_penalty_percent: int | None = None
    metric_names_for_computing_utilization: tuple[str, ...] = ()
    weight_expiration_period: Duration | None = None
    weight_stabilization_period: Duration | None = None
    weight_update_period: Duration | None = None
