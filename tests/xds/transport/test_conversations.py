"""Any client that keeps to the protocol gets every message, in order: random splits, windows and
settings against h2 as the reference."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import cycle
from typing import Literal

import h2.config
import h2.connection
import h2.events
import h2.settings
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.xds.transport.serving import ECHO, grpc_message

from varka.xds.transport.connection import Connection
from varka.xds.transport.limits import Limits
from varka.xds.transport.message import Message
from varka.xds.transport.server import Shared
from varka.xds.transport.stream import Stream

HEADERS = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", ECHO),
    (":authority", "x"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
]


@dataclass
class Wire(asyncio.Transport):
    """A socket that keeps what is written; it can be paused."""

    written: bytearray = field(default_factory=bytearray)
    is_closed: bool = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for part in list_of_data:
            self.write(part)

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def take(self) -> bytes:
        data, self.written = bytes(self.written), bytearray()
        return data


@dataclass
class Recorder:
    stream: Stream
    messages: list[bytes] = field(default_factory=list)

    def received(self, body: bytes) -> None:
        self.messages.append(body)

    def half_closed(self) -> None:
        self.stream.end()

    def drained(self) -> None:
        pass

    def closed(self) -> None:
        pass


class Client:
    """h2 with the bytes of messages by stream."""

    def __init__(self, window: int) -> None:
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        code = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE
        self.h2.update_settings({code: window})
        self.received: dict[int, bytes] = {}
        self.unacknowledged: dict[int, int] = {}

    def open(self) -> int:
        id_: int = self.h2.get_next_available_stream_id()
        self.h2.send_headers(id_, HEADERS)
        self.received[id_] = b""
        return id_

    def take(self, data: bytes) -> None:
        for event in self.h2.receive_data(data) if data else ():
            assert not isinstance(event, h2.events.ConnectionTerminated), event
            assert not isinstance(event, h2.events.StreamReset), event
            if isinstance(event, h2.events.DataReceived):
                assert event.stream_id is not None
                assert event.flow_controlled_length is not None
                self.received[event.stream_id] += event.data or b""
                held = self.unacknowledged.get(event.stream_id, 0)
                self.unacknowledged[event.stream_id] = held + event.flow_controlled_length

    def acknowledge(self) -> None:
        for id_, size in self.unacknowledged.items():
            if size:
                self.h2.acknowledge_received_data(size, id_)
        self.unacknowledged.clear()


class Conversation:
    """A client and a connection, with what each has sent the other on three streams."""

    def __init__(self, window: int, cuts: list[int]) -> None:
        self.recorders: list[Recorder] = []
        self.wire, self.client, self.cuts = Wire(), Client(window), cuts
        self.connection = Connection(Shared({ECHO: self._opened}, Limits()))
        self.connection.connection_made(self.wire)
        self.ids = [self.client.open() for _ in range(3)]
        self.sent: dict[int, list[bytes]] = {id_: [] for id_ in self.ids}
        self.pushed: dict[int, bytes] = dict.fromkeys(self.ids, b"")
        self.exchange()

    def _opened(self, stream: Stream) -> Recorder:
        self.recorders.append(Recorder(stream))
        return self.recorders[-1]

    def exchange(self) -> None:
        """Everything that is on its way arrives, the client's bytes in pieces of any size."""
        moved = True
        while moved:
            data, sizes = self.client.h2.data_to_send(), cycle(self.cuts)
            moved = bool(data)
            while data:
                size = next(sizes)
                self.connection.data_received(data[:size])
                data = data[size:]
            back = self.wire.take()
            self.client.take(back)
            moved = moved or bool(back)

    def send(self, at: int, body: bytes) -> None:
        id_, rest = self.ids[at], grpc_message(body)
        self.sent[id_].append(body)
        while rest:
            self.exchange()
            size = min(self.client.h2.local_flow_control_window(id_), 16_384, len(rest))
            assert size > 0, "the server gives windows back"
            self.client.h2.send_data(id_, rest[:size])
            rest = rest[size:]

    def push(self, at: int, body: bytes) -> None:
        self.pushed[self.ids[at]] += grpc_message(body)
        self.recorders[at].stream.send(Message(body))

    def do(self, step: Step) -> None:
        match step:
            case "acknowledge":
                self.client.acknowledge()
            case "pause":
                self.connection.pause_writing()
            case "resume":
                self.connection.resume_writing()
            case "ping":
                self.client.h2.ping(b"12345678")
            case "exchange":
                self.exchange()
            case int():
                self.client.h2.update_settings({INITIAL_WINDOW: step})
            case "send", at, body:
                self.send(at, body)
            case "push", at, body:
                self.push(at, body)

    def finish(self) -> None:
        """Nothing is in the way any more."""
        self.connection.resume_writing()
        self.client.h2.update_settings({INITIAL_WINDOW: 1 << 20})
        self.exchange()
        while self.client.unacknowledged:
            self.client.acknowledge()
            self.exchange()


INITIAL_WINDOW = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE
Step = str | int | tuple[Literal["send", "push"], int, bytes]
BODIES = st.one_of(st.binary(max_size=50), st.integers(0, 60_000).map(lambda size: b"z" * size))
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.sampled_from(["send", "push"]), st.integers(0, 2), BODIES),
    st.sampled_from(["acknowledge", "pause", "resume", "ping", "exchange"]),
    st.integers(0, 100_000),
)


@settings(max_examples=150, deadline=None)
@given(
    window=st.integers(0, 70_000),
    steps=st.lists(STEPS, max_size=25),
    cuts=st.lists(st.integers(1, 3000), min_size=1, max_size=10),
)
def test_all_messages_arrive_in_order(window: int, steps: list[Step], cuts: list[int]) -> None:
    conversation = Conversation(window, cuts)
    for step in steps:
        conversation.do(step)
    conversation.finish()
    assert conversation.client.received == conversation.pushed
    heard = {recorder.stream.id: recorder.messages for recorder in conversation.recorders}
    assert heard == conversation.sent
    for id_ in conversation.ids:
        conversation.client.h2.end_stream(id_)
    conversation.exchange()
    assert not conversation.connection.streams
    assert not conversation.wire.is_closed
