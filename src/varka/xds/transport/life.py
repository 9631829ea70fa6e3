"""How long a connection may live: its greeting, its silence, its age. Decides; does nothing."""

from __future__ import annotations

from enum import Enum, auto

from varka.xds.transport.limits import Limits


class Due(Enum):
    """What is to be done with a connection now."""

    NOTHING = auto()
    REFUSE = auto()
    """Its first request did not come in time."""
    PING = auto()
    GIVE_UP = auto()
    """It answers no PING, or stays although it was asked to leave."""
    ASK_TO_LEAVE = auto()
    END_STREAMS = auto()


class Life:
    """Asked about once a second. `hear` whenever something comes."""

    __slots__ = ("_ends", "_farewells", "_heard", "_limits", "_pinged", "_silent_since", "_since")

    def __init__(self, limits: Limits, now: float, ends: float) -> None:
        self._limits, self._since = limits, now
        self._ends = ends
        """When it is too old, or the next step of its farewell."""
        self._heard = True
        self._silent_since = now
        """As far as `due` was asked."""
        self._pinged = False
        self._farewells = 0

    def hear(self) -> None:
        self._heard = True

    def due(self, now: float, *, requested: bool) -> Due:
        """`requested`: some request has come."""
        limits = self._limits
        if not requested and now - self._since > limits.greeting:
            return Due.REFUSE
        if now > self._ends:
            return self._farewell(now)
        if self._heard:
            self._heard, self._pinged, self._silent_since = False, False, now
            return Due.NOTHING
        silent = now - self._silent_since
        if self._pinged:
            late = silent > limits.keepalive + limits.keepalive_answer
            return Due.GIVE_UP if late else Due.NOTHING
        self._pinged = silent > limits.keepalive
        return Due.PING if self._pinged else Due.NOTHING

    def _farewell(self, now: float) -> Due:
        """In three steps, with `farewell` seconds between them."""
        self._ends = now + self._limits.farewell
        steps = (Due.ASK_TO_LEAVE, Due.END_STREAMS, Due.GIVE_UP)
        step = steps[min(self._farewells, 2)]
        self._farewells += 1
        return step
