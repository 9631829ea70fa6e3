"""Certificates for tests, made by the openssl command."""

from __future__ import annotations

import ssl
import subprocess
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_NEW_RSA_KEY = ("-newkey", "rsa:2048", "-nodes")


@dataclass(frozen=True)
class Pair:
    """The PEM files of a certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority that keeps its files in `folder`."""

    folder: Path
    pair: Pair

    @classmethod
    def create(cls, folder: Path, name: str = "test authority") -> Authority:
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, self_signed(Pair(folder / "ca.pem", folder / "ca.key"), f"/CN={name}"))

    @property
    def pem(self) -> str:
        return self.pair.certificate.read_text()

    def issue(self, host: str, file: str = "", *, rsa: bool = False, identity: str = "") -> Pair:
        """A certificate for a host name (and a URI), in `file`.pem and `file`.key; both are
        replaced in one step each."""
        stem = self.folder / (file or host)
        pair = Pair(stem.with_name(f"{stem.name}.pem"), stem.with_name(f"{stem.name}.key"))
        fresh = Pair(stem.with_name(f"{stem.name}.pem.new"), stem.with_name(f"{stem.name}.key.new"))
        signed = ("-x509", "-CA", self.pair.certificate, "-CAkey", self.pair.key, "-days", "2")
        names = f"subjectAltName=DNS:{host}" + (f",URI:{identity}" if identity else "")
        named = (
            "-subj",
            f"/CN={host}",
            "-addext",
            names,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        )
        _openssl(
            "req",
            *signed,
            *(_NEW_RSA_KEY if rsa else _NEW_KEY),
            *named,
            "-keyout",
            fresh.key,
            "-out",
            fresh.certificate,
        )
        fresh.key.rename(pair.key)
        fresh.certificate.rename(pair.certificate)
        return pair

    def revoke(self, name: str, *pairs: Pair) -> Path:
        """A list of revoked certificates, `name`.pem, with these on it."""
        settings, database, listed = (
            self.folder / f"{name}.{ending}" for ending in ("cnf", "txt", "pem")
        )
        settings.write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {database}\ndefault_md ="
            " sha256\ndefault_crl_days = 2\n"
        )
        database.touch()
        asked = (
            "ca",
            "-config",
            settings,
            "-cert",
            self.pair.certificate,
            "-keyfile",
            self.pair.key,
        )
        for pair in pairs:
            _openssl(*asked, "-revoke", pair.certificate)
        _openssl(*asked, "-gencrl", "-out", listed)
        return listed


def self_signed(
    pair: Pair, subject: str, *, names: str = "", serial: str = "", days: int = 2
) -> Pair:
    """A certificate that nobody but its own key signs, written to the files of `pair`. `names` are
    its alternative names (`DNS:a,URI:b`), `serial` its number (by default a random one)."""
    more = (
        *(("-addext", f"subjectAltName={names}") if names else ()),
        *(("-set_serial", serial) if serial else ()),
    )
    files = ("-keyout", pair.key, "-out", pair.certificate)
    _openssl("req", "-x509", *_NEW_KEY, "-days", str(days), "-subj", subject, *more, *files)
    return pair


def certificate_hash(pem: Path) -> str:
    """What `verifyCertificateHash` pins: SHA-256 of the whole certificate, in hexadecimal."""
    return sha256(ssl.PEM_cert_to_DER_cert(pem.read_text())).hexdigest()


def key_hash(pem: Path) -> str:
    """What `verifyCertificateSpki` pins: SHA-256 of the certificate's public key, in base64."""
    key = subprocess.run(
        ["openssl", "x509", "-in", pem, "-pubkey", "-noout"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    body = "".join(key.splitlines()[1:-1])
    return b64encode(sha256(b64decode(body)).digest()).decode()


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
