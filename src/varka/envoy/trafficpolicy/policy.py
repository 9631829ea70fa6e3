"""Which blocks of which traffic policy a cluster applies."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from varka.mesh.model import MergedRule
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig


class Policy(Struct, frozen=True):
    """The blocks of `trafficPolicy` that one cluster uses; None where Envoy's or the mesh's
    defaults hold."""

    pool: networking.ConnectionPoolSettings | None = None
    outlier: networking.OutlierDetection | None = None
    balancer: networking.LoadBalancerSettings | None = None
    tls: networking.ClientTLSSettings | None = None
    tunnel: networking.TunnelSettings | None = None
    proxy_protocol: networking.ProxyProtocol | None = None
    retry_budget: networking.RetryBudget | None = None

    @property
    def passthrough(self) -> bool:
        """Connections go to the address that the client asked for."""
        return self.balancer is not None and self.balancer.simple is networking.SimpleLB.PASSTHROUGH


def policy_of(
    rule: MergedRule | None, subset: networking.Subset | None, port: int, config: MeshConfig
) -> Policy:
    """The policy of the cluster for `port` of a rule's host.

    `portLevelSettings` of a port stand in for all connection, balancing, outlier and TLS settings
    of their level. A subset overrides its rule block by block; with settings for the port, all four
    blocks. What the rule leaves out comes from `meshConfig.defaultTrafficPolicy`.
    """
    base, _ = _of_port(rule.policy if rule else None, port)
    base = _over_mesh(base, config)
    if subset is None or subset.traffic_policy is None:
        return base
    own, whole = _of_port(subset.traffic_policy, port)
    return Policy(
        pool=own.pool if whole else own.pool or base.pool,
        outlier=own.outlier if whole else own.outlier or base.outlier,
        balancer=own.balancer if whole else own.balancer or base.balancer,
        tls=own.tls if whole else own.tls or base.tls,
        tunnel=own.tunnel or base.tunnel,
        proxy_protocol=own.proxy_protocol or base.proxy_protocol,
        retry_budget=own.retry_budget or base.retry_budget,
    )


def inbound_policy(rule: MergedRule | None, port: int, config: MeshConfig) -> Policy:
    """What the server side applies of the rule for its own host: the connection pool, so that it
    can take what clients are allowed to send."""
    policy = policy_of(rule, None, port, config)
    return Policy(pool=policy.pool, retry_budget=policy.retry_budget)


def _of_port(policy: networking.TrafficPolicy | None, port: int) -> tuple[Policy, bool]:
    """The policy's blocks for a port, and whether they are the port's own."""
    if policy is None:
        return Policy(), False
    for own in policy.port_level_settings:
        if own.port is not None and own.port.number == port:
            return Policy(
                own.connection_pool, own.outlier_detection, own.load_balancer, own.tls
            ), True
    return (
        Policy(
            pool=policy.connection_pool,
            outlier=policy.outlier_detection,
            balancer=policy.load_balancer,
            tls=policy.tls,
            tunnel=policy.tunnel,
            proxy_protocol=policy.proxy_protocol,
            retry_budget=policy.retry_budget,
        ),
        False,
    )


def _over_mesh(policy: Policy, config: MeshConfig) -> Policy:
    default = config.default_traffic_policy
    if default is None:
        return policy
    return replace(
        policy,
        pool=policy.pool or default.connection_pool,
        outlier=policy.outlier or default.outlier_detection,
    )
