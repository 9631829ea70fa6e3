"""MeshConfig and MeshNetworks: what Istio refuses at start-up."""

from __future__ import annotations

from varka.base.duration import Duration
from varka.base.ip import is_ip
from varka.resources.codes import Code
from varka.resources.findings import Findings
from varka.resources.model import mesh
from varka.resources.model.networking import HTTPRetry
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.locality import check_locality, check_zone_aware
from varka.resources.validate.meshproxy import check_proxy_config
from varka.resources.validate.providers import check_providers
from varka.resources.validate.retry import check_retry
from varka.resources.validate.servertls import check_curves
from varka.resources.validate.trafficpolicy import check_outlier, check_pool


def validate_mesh_config(config: mesh.MeshConfig, findings: Findings) -> None:
    """Everything wrong with a merged MeshConfig; paths begin at its root."""
    here = Cursor(findings)
    here.at("proxyListenPort").check(Code.MC_PORT, values.port(config.proxy_listen_port))
    _check_times(config, here)
    if config.default_config is not None:
        check_proxy_config(config.default_config, here.at("defaultConfig"))
    check_locality(config.locality_lb_setting, True, here.at("localityLbSetting"))
    check_zone_aware(config.zone_aware_lb_setting, True, here.at("zoneAwareLbSetting"))
    for place, settings in here.each("serviceSettings", config.service_settings):
        for spot, host in place.each("hosts", settings.hosts):
            spot.check(Code.MC_SERVICE_SETTINGS, values.wildcard_domain(host))
    here.at("trustDomain").check(Code.MC_TRUST_DOMAIN, _trust_domain(config.trust_domain))
    for place, alias in here.each("trustDomainAliases", config.trust_domain_aliases):
        place.check(Code.MC_TRUST_DOMAIN, _trust_domain(alias))
    check_providers(config.extension_providers, here)
    _check_tls(config, here)
    if (policy := config.default_traffic_policy) is not None:
        check_pool(policy.connection_pool, here.at("defaultTrafficPolicy", "connectionPool"))
        check_outlier(policy.outlier_detection, here.at("defaultTrafficPolicy", "outlierDetection"))
    if config.default_inbound_http_retry_policy is not None:
        _check_inbound_retry(
            config.default_inbound_http_retry_policy, here.at("defaultInboundHttpRetryPolicy")
        )


def _check_times(config: mesh.MeshConfig, here: Cursor) -> None:
    timeout = config.connect_timeout or Duration(0)
    wrong = values.duration(timeout)
    if not wrong and not Duration.parse("1ms") <= timeout <= Duration.parse("1h"):
        wrong = f"{timeout} is not in 1ms..1h"
    here.at("connectTimeout").check(Code.MC_DURATION, wrong)
    if (config.protocol_detection_timeout or 0) % 10**6:
        here.at("protocolDetectionTimeout").error(
            Code.MC_DURATION, "only whole milliseconds are supported"
        )


def _trust_domain(domain: str) -> str:
    parts = domain.removesuffix(".").split(".")
    if not domain or not all(values.is_dns_label(part) for part in parts):
        return f"{domain!r} is no trust domain"
    return ""


def _check_tls(config: mesh.MeshConfig, here: Cursor) -> None:
    if config.mesh_mTLS is not None and config.mesh_mTLS.ecdh_curves:
        here.at("meshMTLS", "ecdhCurves").error(
            Code.MC_TLS, "curves can't be set for mTLS in the mesh"
        )
    if config.tls_defaults is not None:
        check_curves(config.tls_defaults.ecdh_curves, Code.MC_TLS, here.at("tlsDefaults"))


def _check_inbound_retry(retry: HTTPRetry, here: Cursor) -> None:
    check_retry(retry, here)
    if retry.attempts == 0 and retry.backoff is not None:
        here.at("backoff").error(
            Code.MC_DURATION, "attempts: 0 switches retries off, backoff has no effect"
        )
    ignored = {
        "perTryTimeout": retry.per_try_timeout,
        "retryRemoteLocalities": retry.retry_remote_localities,
        "retryIgnorePreviousHosts": retry.retry_ignore_previous_hosts,
    }
    for name, value in ignored.items():
        if value is not None:
            here.at(name).warning(Code.MC_DURATION, f"{name} has no effect for inbound requests")


def validate_mesh_networks(networks: mesh.MeshNetworks, findings: Findings) -> None:
    """Everything wrong with MeshNetworks; paths begin at its root."""
    for name, network in networks.networks.items():
        here = Cursor(findings, ("networks", name))
        for place, endpoint in here.each("endpoints", network.endpoints):
            if endpoint.from_cidr is not None:
                place.at("fromCidr").check(Code.MN_NETWORK, values.ip_subnet(endpoint.from_cidr))
            if endpoint.from_registry is not None and not values.is_dns_label(
                endpoint.from_registry
            ):
                place.at("fromRegistry").error(
                    Code.MN_NETWORK, f"{endpoint.from_registry!r} is no name of a registry"
                )
        for place, gateway in here.each("gateways", network.gateways):
            if gateway.registry_service_name is not None:
                place.at("registryServiceName").check(
                    Code.MN_NETWORK, values.fqdn(gateway.registry_service_name)
                )
            if (
                gateway.address is not None
                and values.fqdn(gateway.address)
                and not is_ip(gateway.address)
            ):
                message = f"{gateway.address!r} is neither an IP address nor a domain name"
                place.at("address").error(Code.MN_NETWORK, message)
            place.at("port").check(Code.MN_NETWORK, values.port(gateway.port))
