"""Traffic policies: connection pools, outlier detection, load balancing, client TLS. Used by
several kinds and MeshConfig."""

from __future__ import annotations

from math import isqrt

from varka.base.ip import is_ip
from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.locality import check_locality, check_zone_aware

_MAX_TABLE = 5_000_011


def check_policy(policy: n.TrafficPolicy | None, namespace: str, here: Cursor) -> None:
    """`DestinationRule.trafficPolicy` of a host or a subset."""
    if policy is None:
        return
    parts = (
        policy.outlier_detection,
        policy.connection_pool,
        policy.load_balancer,
        policy.tls,
        policy.tunnel,
    )
    if not any((*parts, policy.port_level_settings, policy.proxy_protocol, policy.retry_budget)):
        here.error(Code.DR_TRAFFIC_POLICY, "a traffic policy needs at least one setting")
    if policy.tunnel and policy.proxy_protocol:
        here.error(Code.DR_TUNNEL, "tunnel and proxyProtocol can't be combined")
    _check_parts(policy, namespace, here)
    for place, item in here.each("portLevelSettings", policy.port_level_settings):
        if item.port is None:
            place.error(Code.DR_TRAFFIC_POLICY, "port is required")
        if not any((item.outlier_detection, item.connection_pool, item.load_balancer, item.tls)):
            place.error(
                Code.DR_TRAFFIC_POLICY, "a port's traffic policy needs at least one setting"
            )
        _check_parts(item, namespace, place)
    _check_tunnel(policy.tunnel, here.at("tunnel"))


def _check_parts(
    policy: n.TrafficPolicy | n.PortTrafficPolicy, namespace: str, here: Cursor
) -> None:
    check_outlier(policy.outlier_detection, here.at("outlierDetection"))
    check_pool(policy.connection_pool, here.at("connectionPool"))
    check_load_balancer(policy.load_balancer, policy.outlier_detection, here.at("loadBalancer"))
    check_client_tls(policy.tls, namespace, here.at("tls"))


def _check_tunnel(tunnel: n.TunnelSettings | None, here: Cursor) -> None:
    if tunnel is None:
        return
    if tunnel.protocol not in ("", "CONNECT", "POST"):
        here.at("protocol").error(
            Code.DR_TUNNEL, f"{tunnel.protocol!r} is neither CONNECT nor POST"
        )
    if values.fqdn(tunnel.target_host) and not is_ip(tunnel.target_host):
        here.at("targetHost").error(
            Code.DR_TUNNEL, f"{tunnel.target_host!r} is neither a domain name nor an IP address"
        )
    here.at("targetPort").check(Code.DR_TUNNEL, values.port(tunnel.target_port))


def check_outlier(outlier: n.OutlierDetection | None, here: Cursor) -> None:
    if outlier is None:
        return
    here.at("baseEjectionTime").check(Code.DR_OUTLIER, values.duration(outlier.base_ejection_time))
    here.at("interval").check(Code.DR_OUTLIER, values.duration(outlier.interval))
    here.at("maxEjectionPercent").check(
        Code.DR_OUTLIER, values.percent(outlier.max_ejection_percent)
    )
    here.at("minHealthPercent").check(Code.DR_OUTLIER, values.percent(outlier.min_health_percent))
    if outlier.consecutive_errors:
        hint = "use consecutiveGatewayErrors or consecutive5xxErrors"
        here.at("consecutiveErrors").warning(
            Code.DR_OUTLIER, "consecutiveErrors is deprecated", hint
        )
    if (
        outlier.consecutive_local_origin_failures or 0
    ) > 0 and not outlier.split_external_local_origin_errors:
        place = here.at("consecutiveLocalOriginFailures")
        place.error(Code.DR_OUTLIER, "this needs splitExternalLocalOriginErrors: true")


def check_pool(pool: n.ConnectionPoolSettings | None, here: Cursor) -> None:
    if pool is None:
        return
    if pool.http is None and pool.tcp is None:
        here.error(Code.DR_CONNECTION_POOL, "a connection pool needs http or tcp settings")
    if pool.http is not None:
        _check_http_pool(pool.http, here.at("http"))
    if pool.tcp is not None:
        _check_tcp_pool(pool.tcp, here.at("tcp"))


def _check_http_pool(http: n.HTTPSettings, here: Cursor) -> None:
    limits = {
        "http1MaxPendingRequests": http.http1_max_pending_requests,
        "http2MaxRequests": http.http2_max_requests,
        "maxRequestsPerConnection": http.max_requests_per_connection,
        "maxRetries": http.max_retries,
        "maxConcurrentStreams": http.max_concurrent_streams,
    }
    for name, value in limits.items():
        if value < 0:
            here.at(name).error(Code.DR_CONNECTION_POOL, f"{name} can't be negative")
    here.at("idleTimeout").check(Code.DR_CONNECTION_POOL, values.duration(http.idle_timeout))
    if http.h2_upgrade_policy == n.H2UpgradePolicy.UPGRADE and http.use_client_protocol:
        here.at("useClientProtocol").error(
            Code.DR_CONNECTION_POOL, "useClientProtocol contradicts h2UpgradePolicy: UPGRADE"
        )
    if (keepalive := http.http2_keep_alive) is not None:
        for name, time in (("interval", keepalive.interval), ("timeout", keepalive.timeout)):
            place = here.at("http2KeepAlive", name)
            place.check(
                Code.DR_CONNECTION_POOL,
                values.duration(time) if time is not None else f"{name} is required",
            )


def _check_tcp_pool(tcp: n.TCPSettings, here: Cursor) -> None:
    if tcp.max_connections < 0:
        here.at("maxConnections").error(Code.DR_CONNECTION_POOL, "maxConnections can't be negative")
    here.at("connectTimeout").check(Code.DR_CONNECTION_POOL, values.duration(tcp.connect_timeout))
    here.at("maxConnectionDuration").check(
        Code.DR_CONNECTION_POOL, values.duration(tcp.max_connection_duration)
    )
    if tcp.idle_timeout is not None and tcp.idle_timeout // 10**6:
        here.at("idleTimeout").check(Code.DR_CONNECTION_POOL, values.duration(tcp.idle_timeout))
    if (keepalive := tcp.tcp_keepalive) is not None:
        here.at("tcpKeepalive", "time").check(
            Code.DR_CONNECTION_POOL, values.duration(keepalive.time)
        )
        here.at("tcpKeepalive", "interval").check(
            Code.DR_CONNECTION_POOL, values.duration(keepalive.interval)
        )


def check_load_balancer(
    balancer: n.LoadBalancerSettings | None, outlier: n.OutlierDetection | None, here: Cursor
) -> None:
    if balancer is None:
        return
    if balancer.consistent_hash is not None:
        _check_hash(balancer.consistent_hash, here.at("consistentHash"))
    if balancer.locality_lb_setting and balancer.zone_aware_lb_setting:
        here.error(
            Code.DR_LOAD_BALANCER, "only one of localityLbSetting and zoneAwareLbSetting can be set"
        )
    check_locality(balancer.locality_lb_setting, outlier is not None, here.at("localityLbSetting"))
    check_zone_aware(
        balancer.zone_aware_lb_setting, outlier is not None, here.at("zoneAwareLbSetting")
    )
    if (warmup := balancer.warmup) is not None:
        place = here.at("warmup")
        missing = "duration is required" if warmup.duration is None else ""
        place.at("duration").check(
            Code.DR_LOAD_BALANCER, missing or values.duration(warmup.duration)
        )
        if (warmup.minimum_percent or 0) > 100:
            place.at("minimumPercent").error(
                Code.DR_LOAD_BALANCER, "minimumPercent can't exceed 100"
            )
        if warmup.aggression is not None and warmup.aggression <= 0:
            place.at("aggression").error(Code.DR_LOAD_BALANCER, "aggression must be greater than 0")


def _check_hash(balancer: n.ConsistentHashLB, here: Cursor) -> None:
    if (cookie := balancer.http_cookie) is not None:
        if not cookie.name:
            here.at("httpCookie").error(Code.DR_LOAD_BALANCER, "a cookie needs a name")
        seen: set[str] = set()
        for place, attribute in here.at("httpCookie").each("attributes", cookie.attributes):
            if not attribute.name or attribute.name in seen:
                what = "is there twice" if attribute.name else "needs a name"
                place.error(Code.DR_LOAD_BALANCER, f"cookie attribute {attribute.name!r} {what}")
            seen.add(attribute.name)
    if balancer.minimum_ring_size:
        place = here.at("minimumRingSize")
        place.warning(
            Code.DR_LOAD_BALANCER, "minimumRingSize is deprecated", "use ringHash.minimumRingSize"
        )
        if balancer.ring_hash or balancer.maglev:
            place.error(
                Code.DR_LOAD_BALANCER, "only one of minimumRingSize, ringHash and maglev can be set"
            )
    if balancer.maglev is not None:
        size, place = balancer.maglev.table_size, here.at("maglev", "tableSize")
        if not 0 < size < _MAX_TABLE:
            place.error(Code.DR_LOAD_BALANCER, f"tableSize must be in 1..{_MAX_TABLE - 1}")
        elif not _is_prime(size):
            place.error(Code.DR_LOAD_BALANCER, f"tableSize must be a prime number, {size} is not")


def _is_prime(number: int) -> bool:
    """As Envoy counts: 1 is one too."""
    return number < 4 or (
        number % 2 == 1 and all(number % factor for factor in range(3, isqrt(number) + 1, 2))
    )


def check_client_tls(tls: n.ClientTLSSettings | None, namespace: str, here: Cursor) -> None:
    if tls is None:
        return
    if tls.credential_name.startswith("configmap://"):
        parts = tls.credential_name.removeprefix("configmap://").split("/")
        owner = parts[0] if len(parts) > 1 else namespace
        if not parts[-1] or len(parts) > 2 or not namespace or owner != namespace:
            place = here.at("credentialName")
            place.error(
                Code.DR_TLS,
                "a configmap:// credential must be in the namespace of its rule"
                f" ({namespace or 'none'})",
            )
    modes = n.ClientTLSSettingsTLSmode
    by_name = tls.mode in (modes.SIMPLE, modes.MUTUAL) and tls.credential_name != ""
    if tls.insecure_skip_verify:
        verifies = (
            tls.ca_certificates
            or tls.subject_alt_names
            or (tls.mode == modes.SIMPLE and tls.credential_name)
        )
        if verifies and tls.mode in (modes.SIMPLE, modes.MUTUAL):
            place = here.at("insecureSkipVerify")
            place.error(
                Code.DR_TLS,
                "insecureSkipVerify contradicts caCertificates, credentialName and subjectAltNames",
            )
    if by_name:
        if tls.client_certificate or tls.ca_certificates or tls.private_key or tls.ca_crl:
            here.at("credentialName").error(
                Code.DR_TLS, "credentialName can't be combined with files"
            )
    elif tls.mode == modes.MUTUAL:
        for name, value in (
            ("clientCertificate", tls.client_certificate),
            ("privateKey", tls.private_key),
        ):
            if not value:
                here.error(Code.DR_TLS, f"mode MUTUAL needs {name}", "or a credentialName")
