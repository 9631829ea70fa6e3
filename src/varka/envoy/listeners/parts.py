"""What compiling listeners gives."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from varka.envoy.resource import Layers


class Side(StrEnum):
    """Whose traffic a listener handles."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    GATEWAY = "gateway"


class ListenerParts(Struct, frozen=True, eq=False):
    layers: Layers
    routes: frozenset[str]
    """Names of the route configurations (RDS) that the listeners use."""
