"""TLS for listeners: a client certificate is optional, and verified if there is one."""

from __future__ import annotations

import os
import ssl


def server_context(chain: bytes, key: bytes, roots: str) -> ssl.SSLContext:
    """A context from PEM. `roots` verify client certificates (empty: none is asked for). The key
    stays in memory. Raises ssl.SSLError for what is no certificate or does not go together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, chain + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    if roots:
        context.load_verify_locations(cadata=roots)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
