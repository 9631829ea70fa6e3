"""What an HTTP filter is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from google.protobuf.message import Message
from msgspec import Struct

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.manager import HttpManager


class HttpFilter(Struct, frozen=True):
    name: str
    configs: Callable[[ListenerBuild, HttpManager], Iterable[Message]]
    """Its configurations in a connection manager: none where it is not there, several where it is
    there several times."""
