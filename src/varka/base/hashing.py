"""Content hashes: stable over restarts and machines."""

from __future__ import annotations

from hashlib import blake2b


def content_hash(data: bytes) -> str:
    """16 hex digits naming these bytes; used as xDS resource version."""
    return blake2b(data, digest_size=8).hexdigest()
