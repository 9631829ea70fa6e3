"""Ports of this machine that lead into the mesh."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from varka.local.network import relay
from varka.local.processes.background import Background
from varka.local.processes.channel import Channel, Message

_POOL = 8
Key = tuple[int, str, int]
"""The wanted port of this machine, the Service (`name.namespace`), its port."""


class Publisher:
    """Keeps the ports that the node asks for. Sockets of the mesh's network come from the node,
    through the channel."""

    def __init__(self, channel: Channel, background: Background) -> None:
        self._channel, self._background = channel, background
        self._sockets: list[socket.socket] = []
        self._published: dict[Key, tuple[relay.Published, str]] = {}

    def describe(self) -> list[dict[str, Any]]:
        """What is published, and where."""
        return [
            {"address": address, "gateway": key[1], "port": key[2], "wanted": key[0]}
            for key, (_, address) in sorted(self._published.items())
        ]

    async def publish(self, wanted: Sequence[Message]) -> None:
        """Exactly these from now on. Raises OSError when no port is left."""
        targets: Mapping[Key, tuple[str, int]] = {
            (one["port"], one["gateway"], one["gateway_port"]): (
                one["address"],
                one["gateway_port"],
            )
            for one in wanted
        }
        for key in [key for key in self._published if key not in targets]:
            self._published.pop(key)[0].close()
        for key, target in targets.items():
            if key in self._published:
                self._published[key][0].target = target
                continue
            published = relay.Published(target, self._socket_inside, self._background.start)
            host, port = await published.listen("127.0.0.1", key[0])
            self._published[key] = (published, f"{host}:{port}")

    async def _socket_inside(self) -> socket.socket:
        """A fresh socket of the mesh's own network."""
        if len(self._sockets) < _POOL:
            _, fds = await self._channel.ask({"want": "sockets"})
            self._sockets.extend(socket.socket(fileno=fd) for fd in fds)
        return self._sockets.pop()
