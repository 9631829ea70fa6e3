"""PeerAuthentication."""

from __future__ import annotations

from varka.base.digits import number
from varka.resources.codes import Code
from varka.resources.model.security import PeerAuthentication
from varka.resources.resource import Resource
from varka.resources.validate.common import check_selector
from varka.resources.validate.cursor import Cursor


def validate(resource: Resource[PeerAuthentication], here: Cursor) -> None:
    policy = resource.spec
    check_selector(policy.selector, here.at("selector"))
    written = (resource.raw.get("spec") or {}).get("portLevelMtls")
    if written is not None and not policy.port_level_mtls:
        here.at("portLevelMtls").error(
            Code.PA_PORTS, "portLevelMtls is empty", "name a port or leave it out"
        )
    if policy.port_level_mtls and (policy.selector is None or not policy.selector.match_labels):
        message = "ports can be set for selected workloads only, not for a namespace or the mesh"
        here.at("portLevelMtls").error(Code.PA_PORTS, message, "add a selector")
    for port in policy.port_level_mtls:
        if not 0 < (number(port) or 0) <= 65535:
            here.at("portLevelMtls", port).error(Code.PA_PORTS, f"{port!r} is no port")
