"""Sidecar."""

from __future__ import annotations

from varka.base.digits import number
from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_selector
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.destination import check_destination
from varka.resources.validate.hosts import sidecar_host
from varka.resources.validate.servertls import check_server_tls
from varka.resources.validate.trafficpolicy import check_pool

_LOCAL = ("", "127.0.0.1", "0.0.0.0", "::1", "::")
_MODES = n.ServerTLSSettingsTLSmode


def validate(resource: Resource[n.Sidecar], here: Cursor) -> None:
    sidecar = resource.spec
    check_selector(sidecar.workload_selector, here.at("workloadSelector"))
    settings = (
        sidecar.egress,
        sidecar.ingress,
        sidecar.outbound_traffic_policy,
        sidecar.inbound_connection_pool,
    )
    if not any(settings):
        here.error(
            Code.SC_EMPTY,
            "a Sidecar needs egress, ingress, outboundTrafficPolicy or inboundConnectionPool",
        )
    ports: set[int] = set()
    for place, listener in here.each("ingress", sidecar.ingress):
        if listener.port is None:
            place.error(Code.SC_PORT, "port is required")
            continue
        if listener.port.number in ports:
            place.at("port", "number").error(
                Code.SC_PORT, f"there are two listeners of port {listener.port.number}"
            )
        ports.add(listener.port.number)
        _check_ingress(listener, listener.port, place)
    _check_inbound_pool(sidecar.inbound_connection_pool, here.at("inboundConnectionPool"))
    _check_egress(sidecar, resource.namespace, here)
    _check_outbound(sidecar.outbound_traffic_policy, here.at("outboundTrafficPolicy"))


def _check_ingress(listener: n.IstioIngressListener, port: n.SidecarPort, here: Cursor) -> None:
    _check_port(port, here.at("port"))
    here.at("port", "number").check(Code.SC_PORT, values.port(port.number))
    if listener.bind:
        here.at("bind").check(Code.SC_BIND, values.ip_address(listener.bind))
    if listener.default_endpoint:
        here.at("defaultEndpoint").check(Code.SC_ENDPOINT, _endpoint(listener.default_endpoint))
    if listener.tls is not None:
        _check_tls(listener.tls, port, here.at("tls"))
    pool = listener.connection_pool
    _check_inbound_pool(pool, here.at("connectionPool"))
    if pool is not None and pool.http is not None and not values.is_http(port.protocol):
        message = f"HTTP settings have no effect on a port of protocol {port.protocol or 'TCP'}"
        here.at("connectionPool", "http").warning(Code.SC_CONNECTION_POOL, message)


def _check_inbound_pool(pool: n.ConnectionPoolSettings | None, here: Cursor) -> None:
    check_pool(pool, here)
    if (
        pool is not None
        and pool.http is not None
        and pool.http.h2_upgrade_policy != n.H2UpgradePolicy.DEFAULT
    ):
        message = (
            "h2UpgradePolicy has no effect on connections to the workload: they are as the port's"
            " protocol says"
        )
        here.at("http", "h2UpgradePolicy").warning(
            Code.SC_CONNECTION_POOL, message, "name the port's protocol HTTP2"
        )


def _check_port(port: n.SidecarPort, here: Cursor) -> None:
    if port.target_port > 0:
        here.at("targetPort").error(
            Code.SC_PORT, "targetPort has no effect in a Sidecar", "use defaultEndpoint"
        )
    if port.name:
        here.at("name").check(Code.SC_PORT, values.port_name(port.name))
    here.at("protocol").check(Code.SC_PORT, values.protocol(port.protocol))


def _endpoint(text: str) -> str:
    """`127.0.0.1:8080`, `0.0.0.0:8080`, `[::1]:8080`, `:8080` or `unix:///path`."""
    if text.startswith("unix://"):
        return values.unix_path(text.removeprefix("unix://"))
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or (":" in host and not bracketed):
        return f"{text!r} has no port"
    if (host[1:-1] if bracketed else host) not in _LOCAL:
        return f"{text!r}: the host must be 127.0.0.1, 0.0.0.0, [::1], [::] or absent"
    given = number(port)
    return f"{port!r} is no port" if given is None else values.port(given)


def _check_tls(tls: n.ServerTLSSettings, port: n.SidecarPort, here: Cursor) -> None:
    unsupported = {
        "subjectAltNames": tls.subject_alt_names,
        "httpsRedirect": tls.https_redirect,
        "credentialName": tls.credential_name,
        "credentialNames": tls.credential_names,
        "tlsCertificates": tls.tls_certificates,
    }
    for name, value in unsupported.items():
        if value:
            here.at(name).error(Code.SC_TLS, f"{name} is not supported in a Sidecar")
    if tls.mode in (_MODES.ISTIO_MUTUAL, _MODES.AUTO_PASSTHROUGH):
        here.at("mode").error(Code.SC_TLS, f"mode {tls.mode} can't be used in a Sidecar")
    if not values.is_tls(port.protocol):
        here.error(
            Code.SC_TLS,
            f"a port of protocol {port.protocol or 'TCP'} can't have tls settings",
            "use HTTPS or TLS",
        )
    check_server_tls(tls, Code.SC_TLS, here)


def _check_egress(sidecar: n.Sidecar, namespace: str, here: Cursor) -> None:
    ports: set[int] = set()
    sockets: set[str] = set()
    for place, listener in here.each("egress", sidecar.egress):
        port = listener.port
        if port is None:
            if listener is not sidecar.egress[-1]:
                place.error(
                    Code.SC_EGRESS,
                    "a listener without port takes all others' traffic: it must be the last one",
                )
        else:
            _check_egress_port(listener, port, place)
            seen: set[int] | set[str] = sockets if port.number == 0 else ports
            mine = listener.bind if port.number == 0 else port.number
            if mine in seen:
                place.at("port").error(Code.SC_PORT, f"there are two listeners of {mine}")
            seen.add(mine)  # type: ignore[arg-type]
        _check_hosts(listener.hosts, namespace, place)


def _check_egress_port(listener: n.IstioEgressListener, port: n.SidecarPort, here: Cursor) -> None:
    _check_port(port, here.at("port"))
    if port.number:
        here.at("port", "number").check(Code.SC_PORT, values.port(port.number))
        if listener.bind:
            here.at("bind").check(Code.SC_BIND, values.ip_address(listener.bind))
        return
    if not listener.bind.startswith("unix://"):
        here.at("bind").error(Code.SC_BIND, "port 0 is for unix sockets only", "bind: unix:///path")
    else:
        here.at("bind").check(Code.SC_BIND, values.unix_path(listener.bind.removeprefix("unix://")))
    if listener.capture_mode == n.CaptureMode.IPTABLES:
        here.at("captureMode").error(
            Code.SC_BIND, "a unix socket can't be captured: use DEFAULT or NONE"
        )


def _check_hosts(hosts: tuple[str, ...], namespace: str, here: Cursor) -> None:
    if not hosts:
        here.error(Code.SC_HOSTS, "a listener needs at least one host", "*/* is every service")
    seen: dict[str, set[str]] = {}
    for place, text in here.each("hosts", hosts):
        owner, slash, host = text.partition("/")
        if slash and not owner.startswith("~"):
            known = seen.setdefault(namespace if owner == "." else owner, set())
            if host in known or "*" in known or (host == "*" and known):
                place.warning(Code.SC_HOSTS, f"{text!r} is already covered, or covers others")
            known.add(host)
        for wrong in sidecar_host(text):
            place.error(Code.SC_HOSTS, wrong)
    if "*" in seen.get("*", ()) and len(seen) > 1:
        here.at("hosts").warning(Code.SC_HOSTS, "*/* is everything, the other hosts add nothing")


def _check_outbound(policy: n.OutboundTrafficPolicy | None, here: Cursor) -> None:
    if policy is None or policy.egress_proxy is None:
        return
    proxy, place = policy.egress_proxy, here.at("egressProxy")
    if policy.mode != n.Mode.ALLOW_ANY:
        place.error(Code.SC_OUTBOUND, "egressProxy needs mode: ALLOW_ANY")
    place.at("host").check(Code.SC_OUTBOUND, values.fqdn(proxy.host))
    if proxy.port is None:
        place.error(Code.SC_OUTBOUND, "port is required")
    check_destination(proxy, place)
