"""Messages of `istio.security.v1beta1`. Made by tools/make_models.py: change that, not this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from varka.base.duration import Duration
from varka.resources.model import selectors
from varka.resources.model.base import Model


class Action(StrEnum):
    ALLOW = "ALLOW"
    AUDIT = "AUDIT"
    CUSTOM = "CUSTOM"
    DENY = "DENY"


class Mode(StrEnum):
    DISABLE = "DISABLE"
    PERMISSIVE = "PERMISSIVE"
    STRICT = "STRICT"
    UNSET = "UNSET"


class AuthorizationPolicy(Model, frozen=True, eq=False):
    """istio.security.v1beta1.AuthorizationPolicy"""

    selector: selectors.WorkloadSelector | None = None
    targetRef: selectors.PolicyTargetReference | None = None
    targetRefs: tuple[selectors.PolicyTargetReference, ...] = ()
    rules: tuple[Rule, ...] = ()
    action: Action = Action.ALLOW
    provider: ExtensionProvider | None = None


class ExtensionProvider(Model, frozen=True, eq=False):
    """istio.security.v1beta1.AuthorizationPolicy.ExtensionProvider"""

    name: str = ""


class ClaimToHeader(Model, frozen=True, eq=False):
    """istio.security.v1beta1.ClaimToHeader"""

    header: str = ""
    claim: str = ""


class Condition(Model, frozen=True, eq=False):
    """istio.security.v1beta1.Condition"""

    key: str = ""
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


class JWTHeader(Model, frozen=True, eq=False):
    """istio.security.v1beta1.JWTHeader"""

    name: str = ""
    prefix: str = ""


class JWTRule(Model, frozen=True, eq=False):
    """istio.security.v1beta1.JWTRule"""

    issuer: str = ""
    audiences: tuple[str, ...] = ()
    jwks_uri: str = ""
    jwks: str = ""
    from_headers: tuple[JWTHeader, ...] = ()
    from_params: tuple[str, ...] = ()
    output_payload_to_header: str = ""
    from_cookies: tuple[str, ...] = ()
    forward_original_token: bool = False
    output_claim_to_headers: tuple[ClaimToHeader, ...] = ()
    timeout: Duration | None = None
    space_delimited_claims: tuple[str, ...] = ()
    presence: str = ""


class Operation(Model, frozen=True, eq=False):
    """istio.security.v1beta1.Operation"""

    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    not_ports: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()


class PeerAuthentication(Model, frozen=True, eq=False):
    """istio.security.v1beta1.PeerAuthentication"""

    selector: selectors.WorkloadSelector | None = None
    mtls: MutualTLS | None = None
    port_level_mtls: Mapping[str, MutualTLS] = field(default_factory=dict)


class MutualTLS(Model, frozen=True, eq=False):
    """istio.security.v1beta1.PeerAuthentication.MutualTLS"""

    mode: Mode = Mode.UNSET


class RequestAuthentication(Model, frozen=True, eq=False):
    """istio.security.v1beta1.RequestAuthentication"""

    selector: selectors.WorkloadSelector | None = None
    targetRef: selectors.PolicyTargetReference | None = None
    targetRefs: tuple[selectors.PolicyTargetReference, ...] = ()
    jwt_rules: tuple[JWTRule, ...] = ()


class Rule(Model, frozen=True, eq=False):
    """istio.security.v1beta1.Rule"""

    from_: tuple[From, ...] = field(name="from", default=())
    to: tuple[To, ...] = ()
    when: tuple[Condition, ...] = ()


class From(Model, frozen=True, eq=False):
    """istio.security.v1beta1.Rule.From"""

    source: Source | None = None


class To(Model, frozen=True, eq=False):
    """istio.security.v1beta1.Rule.To"""

    operation: Operation | None = None


class Source(Model, frozen=True, eq=False):
    """istio.security.v1beta1.Source"""

    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    request_principals: tuple[str, ...] = ()
    not_request_principals: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    not_service_accounts: tuple[str, ...] = ()
    ip_blocks: tuple[str, ...] = ()
    not_ip_blocks: tuple[str, ...] = ()
    remote_ip_blocks: tuple[str, ...] = ()
    not_remote_ip_blocks: tuple[str, ...] = ()
    trust_domains: tuple[str, ...] = ()
    not_trust_domains: tuple[str, ...] = ()
