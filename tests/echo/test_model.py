"""What a query asks of the answer, and the bytes of WebSocket and gRPC."""

import pytest

from varka.local.client.codec import (
    Frame,
    Opcode,
    accept_key,
    encode_field,
    encode_frame,
    encode_message,
    read_field,
    take_frames,
    take_messages,
)
from varka.local.echo.config import EchoConfig, IncomingRequest, Port, Wishes


def wishes(path: str, *headers: tuple[str, str]) -> Wishes:
    return Wishes.of(IncomingRequest(80, "HTTP/1.1", "", path=path, headers=headers))


def test_the_query_says_what_the_answer_is_like() -> None:
    found = wishes("/a?status=503&delay=200ms&size=10&headers=x:1,y:2&headers=z:3")
    assert (found.status, found.delay, found.size) == (503, 0.2, 10)
    assert found.headers == (("x", "1"), ("y", "2"), ("z", "3"))


@pytest.mark.parametrize(
    "query", ["status=abc", "status=1000", "delay=soon", "size=-1", "headers=novalue", "other=1"]
)
def test_what_cannot_be_read_belongs_to_the_application(query: str) -> None:
    assert wishes(f"/?{query}") == Wishes()


def test_metadata_says_the_same_as_a_query() -> None:
    found = wishes("/a.B/C", ("x-varka-wish", "grpc-status=14&count=3"))
    assert (found.grpc_status, found.count) == (14, 3)


def test_a_header_cannot_be_split() -> None:
    assert wishes("/?headers=x:a%0d%0ay").headers == ()


def test_configuration_from_json() -> None:
    config = EchoConfig.from_document(
        {"pod": "a-0", "ports": [{"number": 80, "protocol": "http"}], "calls": ["http://b/"]}
    )
    assert config.ports == (Port(80, "http"),)
    assert config.calls == ("http://b/",)
    with pytest.raises(TypeError):
        EchoConfig.from_document({"pod": "a-0", "prots": []})


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
@pytest.mark.parametrize("mask", [b"", b"\x01\x02\x03\x04"])
def test_frames_survive_the_wire_in_any_pieces(size: int, mask: bytes) -> None:
    frame = Frame(Opcode.BINARY, b"x" * size)
    data = encode_frame(frame, mask)
    buffer = bytearray(data[:3])
    assert (
        list(take_frames(buffer)) == [frame]
        if size == 0 and not mask
        else not list(take_frames(buffer))
    )
    buffer = bytearray(data + data[:1])
    assert list(take_frames(buffer)) == [frame]
    assert buffer == data[:1]


def test_accept_key_of_the_rfc() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_messages_and_fields() -> None:
    message = encode_field(1, b"who") + encode_field(2, b"y" * 300)
    buffer = bytearray(encode_message(message) + b"\0\0")
    assert list(take_messages(buffer)) == [message]
    assert buffer == b"\0\0"
    assert read_field(message, 2) == b"y" * 300
    assert read_field(message, 3) is None
    assert read_field(b"\xff", 1) is None
