"""Clients for pods of the rows, for what `varka request` does not do; each prints what it gets.

`speak.py raw HOST PORT TEXT`: sends TEXT (with escapes; nothing, if it is empty) and prints until
the server is quiet or closes. `speak.py streams HOST:PORT`: three gRPC messages, each sent when the
answer to the one before is there; then one message that is answered by three; then the status in
the trailers.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from queue import Queue

import grpc

from varka.local.client.codec import ECHO_METHOD, encode_field, read_field

QUIET = 1.0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def raw(host: str, port: str, text: str) -> None:
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.settimeout(QUIET)
        connection.sendall(text.encode().decode("unicode_escape").encode())
        try:
            while data := connection.recv(4096):
                say(data.decode())
        except TimeoutError:
            say("quiet")


def streams(target: str) -> None:
    with grpc.insecure_channel(target) as channel:
        heard: Queue[str] = Queue()

        def questions() -> Iterator[bytes]:
            yield encode_field(1, b"message 0")
            for number in (1, 2):
                yield encode_field(1, f"message {number} after {heard.get(timeout=5)}".encode())

        for answer in channel.stream_stream(ECHO_METHOD)(questions(), timeout=5):
            question = (read_field(read_field(answer, 2) or b"", 1) or b"").decode()
            heard.put(question)
            say(question)
        many = channel.unary_stream(ECHO_METHOD)(
            b"", timeout=5, metadata=(("x-varka-wish", "count=3"),)
        )
        say(f"{len(list(many))} answers, {many.code()}")
        failing = channel.unary_unary(ECHO_METHOD)
        try:
            failing(
                b"", timeout=5, metadata=(("x-varka-wish", "grpc-status=9&grpc-message=not now"),)
            )
        except grpc.RpcError as error:
            say(f"{error.code()} {error.details()}")


if __name__ == "__main__":
    programs: dict[str, Callable[..., None]] = {"raw": raw, "streams": streams}
    programs[sys.argv[1]](*sys.argv[2:])
