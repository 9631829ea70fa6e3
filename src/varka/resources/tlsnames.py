"""Names of TLS parameters that Envoy's BoringSSL knows; any other would make it refuse the whole
listener."""

from __future__ import annotations

from collections.abc import Iterable

CIPHERS = frozenset(
    f"{exchange}{cipher}"
    for exchange, ciphers in (
        ("ECDHE-ECDSA-", ("CHACHA20-POLY1305",)),
        ("ECDHE-RSA-", ("CHACHA20-POLY1305",)),
        ("", ("DES-CBC3-SHA",)),
    )
    for cipher in (*ciphers, "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA")
)
CURVES = frozenset(
    ("P-224", "P-256", "P-521", "P-384", "X25519", "X25519Kyber768Draft00", "X25519MLKEM768")
)


def is_cipher(text: str) -> bool:
    """A known name, `ALL`, or an expression of BoringSSL (`[A|B]`, `-ALL`), which is taken as it
    is."""
    return text in CIPHERS or text == "ALL" or (bool(text) and not text[0].isalnum())


def known_ciphers(names: Iterable[str]) -> tuple[str, ...]:
    """Without what BoringSSL does not know and without repetitions."""
    return tuple(dict.fromkeys(name for name in names if is_cipher(name)))


def known_curves(names: Iterable[str]) -> tuple[str, ...]:
    """Without what BoringSSL does not know and without repetitions."""
    return tuple(dict.fromkeys(name for name in names if name in CURVES))
