"""Messages and open sockets between the supervisor outside and process 1 inside: JSON over a socket
pair."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from typing import Any

Message = dict[str, Any]
Handler = Callable[[Message, list[int]], None]

_LARGEST = 1 << 20
_MOST_FDS = 64


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends; messages keep their borders."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST)
        end.setblocking(False)
    return ends


class Channel:
    """One end. A message with `ask` is answered by one with the same number in `reply`; all others
    go to `handler` with the descriptors that came along, which are then the handler's to close.
    `closed` is called when the other side is gone."""

    def __init__(self, end: socket.socket, handler: Handler, closed: Callable[[], None]) -> None:
        self._end, self._handler, self._closed = end, handler, closed
        self._asked: dict[int, asyncio.Future[tuple[Message, list[int]]]] = {}
        self._number = 0
        self._outgoing: list[tuple[bytes, list[int]]] = []
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(end.fileno(), self._readable)

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send now or as soon as the other side has read; `fds` may be closed afterwards."""
        duplicates = [socket.dup(fd) for fd in fds]
        self._outgoing.append((json.dumps(message).encode(), duplicates))
        if len(self._outgoing) == 1:
            self._flush()

    async def ask(self, message: Message) -> tuple[Message, list[int]]:
        """Send a question, return the answer. Raises ConnectionError when the other side goes
        away."""
        self._number += 1
        answer: asyncio.Future[tuple[Message, list[int]]] = self._loop.create_future()
        self._asked[self._number] = answer
        self.send({**message, "ask": self._number})
        return await answer

    def _flush(self) -> None:
        while self._outgoing:
            data, fds = self._outgoing[0]
            try:
                socket.send_fds(self._end, [data], fds)
            except BlockingIOError:
                self._loop.add_writer(self._end.fileno(), self._flush)
                return
            except OSError:
                self._gone()
                return
            self._outgoing.pop(0)
            for fd in fds:
                socket.close(fd)
        self._loop.remove_writer(self._end.fileno())

    def _readable(self) -> None:
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._end, _LARGEST, _MOST_FDS)
            except BlockingIOError:
                return
            except OSError:
                data, fds = b"", []
            if not data:
                self._gone()
                return
            message = json.loads(data)
            answer = self._asked.pop(message.get("reply", 0), None)
            if answer is not None and not answer.done():
                answer.set_result((message, fds))
            else:
                self._handler(message, fds)

    def _gone(self) -> None:
        self._loop.remove_reader(self._end.fileno())
        self._loop.remove_writer(self._end.fileno())
        self._outgoing.clear()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the mesh is gone"))
        self._asked.clear()
        self._closed()
