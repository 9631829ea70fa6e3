"""What a network filter is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from google.protobuf.message import Message
from msgspec import Struct

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.chains import TcpTarget
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.parts import Side

Target = HttpManager | TcpTarget
"""What becomes of the connections of a chain."""


class NetworkFilter(Struct, frozen=True):
    name: str
    configs: Callable[[ListenerBuild, Side, Target], Iterable[Message]]
    """Its configurations in a chain: none where it is not there."""
