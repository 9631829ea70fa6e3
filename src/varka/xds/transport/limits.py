"""What a client may cost: sizes, counts, times."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct

from varka.xds.transport.frames import ConnectionFault, ErrorCode


class Limits(Struct, frozen=True):
    """Sizes in bytes, times in seconds."""

    header_block: int = 32 << 10
    """Compressed headers of one request, all its frames together."""
    header_list: int = 64 << 10
    """The same, decompressed (SETTINGS_MAX_HEADER_LIST_SIZE)."""
    streams: int = 100
    """Open on one connection (SETTINGS_MAX_CONCURRENT_STREAMS)."""
    message: int = 16 << 20
    unfinished: int = 32 << 20
    """Of all messages on a connection whose end has not come yet."""
    window: int = 1 << 20
    """What a client may send ahead, on a stream and on the connection."""
    useless_frames: int = 1000
    """Frames that cost and bring nothing (PING, SETTINGS, RST_STREAM, PRIORITY, empty DATA, small
    WINDOW_UPDATEs): so many at once, ..."""
    useless_frames_per_second: int = 100
    """... and so many more in each second."""
    greeting: float = 10.0
    """From the accepted connection to its first request."""
    handshake: float = 10.0
    """Of TLS."""
    connections: int = 20_000
    keepalive: float = 30.0
    """A connection that was silent for so long is asked by a PING whether it is alive."""
    keepalive_answer: float = 20.0
    """How long that answer may take."""
    max_age: float | None = None
    """After which a connection is asked to leave: GOAWAY, then status 14 on its streams."""
    farewell: float = 5.0
    """Between the two, and from the last stream's end to the closed socket."""


DEFAULT_LIMITS = Limits()


class UselessFrames:
    """Counts frames without use. Each message that goes out allows eight more: clients answer DATA
    with PINGs (to measure the bandwidth) and several small WINDOW_UPDATEs."""

    __slots__ = ("_burst", "_clock", "_rate", "_since", "allowed")

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._rate = limits.useless_frames, limits.useless_frames_per_second
        self._clock = clock
        self._since = clock()
        self.allowed = self._burst
        """How many may still come; senders of messages add to it."""

    def count(self) -> None:
        """One more came. Raises ConnectionFault when it is one too many."""
        self.allowed = min(self.allowed, self._burst) - 1
        if self.allowed >= 0:
            return
        now = self._clock()
        self.allowed = min(self._burst, int((now - self._since) * self._rate)) - 1
        self._since = now
        if self.allowed < 0:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many frames without use")
