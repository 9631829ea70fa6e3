"""TLS and PROXY protocol of a cluster's connections."""

from __future__ import annotations

from varka.envoy.build import Build
from varka.envoy.clusters.builder import ClusterBuilder
from varka.envoy.clusters.protocol import is_http2
from varka.envoy.istio_names import sni_cluster
from varka.envoy.sockets import MatchedSocket, proxy_protocol_socket, tls_socket
from varka.envoy.tls import Peer, auto_names, transport
from varka.envoy.trafficpolicy.plan import Planned
from varka.envoy.trafficpolicy.policy import Policy
from varka.mesh.groups import Endpoints
from varka.mesh.model import MergedRule
from varka.registry.service import Registry, Service


def apply_security(
    build: Build,
    builder: ClusterBuilder,
    policy: Policy,
    peer: Peer,
    *,
    dynamic: bool = False,
) -> None:
    """The transport socket, and names that follow the request's host where a rule fixes none."""
    context = transport(build, policy.tls, peer, is_http2(builder))
    socket = None
    if context is not None:
        socket = tls_socket(context)
        sni, san = auto_names(policy.tls, dynamic)
        if sni or san:
            builder.options.upstream_http_protocol_options.auto_sni = sni
            builder.options.upstream_http_protocol_options.auto_san_validation = san
    if policy.proxy_protocol is not None:
        socket = proxy_protocol_socket(policy.proxy_protocol.version, socket)
    if socket is not None:
        builder.sockets = (MatchedSocket(socket),)


def peer_of(planned: Planned, names: tuple[str, ...]) -> Peer:
    return Peer(
        sni=sni_cluster(planned.port.number, planned.subset_name, planned.service.hostname),
        identities=names,
        identities_for_origination=planned.service.registry is Registry.EXTERNAL,
        selected=planned.rule is not None and planned.rule.selected,
    )


def identities(
    build: Build,
    service: Service,
    rule: MergedRule | None,
    endpoints: Endpoints,
) -> tuple[str, ...]:
    """What the certificates of a service may say, sorted: its `subjectAltNames` and the identities
    of its endpoints.

    Only where a rule may need it, so that clusters of others don't depend on their endpoints'
    accounts.
    """
    if rule is None or not (build.traits.mesh_tls or service.registry is Registry.EXTERNAL):
        return ()
    domain = build.config.trust_domain or "cluster.local"
    accounts = {
        f"spiffe://{domain}/ns/{endpoint.namespace}/sa/{endpoint.service_account}"
        for port in service.ports
        for endpoint in endpoints(service, port)
        if endpoint.service_account
    }
    return tuple(sorted(accounts.union(service.subject_alt_names)))
