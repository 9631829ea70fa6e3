"""The machine's own name servers."""

from __future__ import annotations

import re
import socket
from pathlib import Path


def nameservers(text: str) -> list[str]:
    """The addresses in a resolv.conf."""
    return [
        address.split("%")[0]
        for address in re.findall(r"^\s*nameserver\s+(\S+)", text, re.MULTILINE)
    ]


def open_upstreams(resolv_conf: Path = Path("/etc/resolv.conf")) -> list[socket.socket]:
    """Sockets to the machine's name servers. They keep the network they were opened in: open them
    outside of the mesh."""
    try:
        text = resolv_conf.read_text()
    except OSError:
        return []
    opened = []
    for address in nameservers(text):
        upstream = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM
        )
        upstream.setblocking(False)
        try:
            upstream.connect((address, 53))
        except OSError:
            upstream.close()
            continue
        opened.append(upstream)
    return opened
