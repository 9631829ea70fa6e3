"""A server on this machine, outside the mesh: what ServiceEntries and PASSTHROUGH gateways lead
to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.certificates import Pair
from tests.e2e.objects import Object, istio

HOST = "host.varka.internal"
"""This machine's loopback, as pods see it."""


@contextmanager
def server(answer: str, pair: Pair | None = None) -> Iterator[int]:
    """The port of an HTTP server that answers every GET with the text `answer`; over TLS with a
    certificate."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = answer.encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.send_header("x-host", self.headers.get("host", ""))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test reads answers."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        listening.socket = context.wrap_socket(
            listening.socket, server_side=True, do_handshake_on_connect=False
        )
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield listening.server_address[1]
    finally:
        listening.shutdown()
        listening.server_close()


def entry(
    name: str, hosts: Sequence[str], ports: Mapping[str, tuple[int, str, int]], **spec: object
) -> Object:
    """A ServiceEntry for servers on this machine. `ports` holds (number, protocol, the server's
    port) by name."""
    listed = [
        {"name": title, "number": number, "protocol": protocol}
        for title, (number, protocol, _) in ports.items()
    ]
    endpoint = {"address": HOST, "ports": {title: port for title, (_, _, port) in ports.items()}}
    return istio(
        "ServiceEntry",
        name,
        {
            "hosts": list(hosts),
            "ports": listed,
            "resolution": "DNS",
            "endpoints": [endpoint],
            **spec,
        },
    )
