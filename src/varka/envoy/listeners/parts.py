"""What compiling listeners gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from varka.envoy.resource import Layers


class Side(StrEnum):
    """Whose traffic a listener handles."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    GATEWAY = "gateway"


@dataclass(frozen=True, eq=False, slots=True)
class ListenerParts:
    layers: Layers
    routes: frozenset[str]
    """Names of the route configurations (RDS) that the listeners use."""
