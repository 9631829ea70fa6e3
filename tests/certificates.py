"""Certificates for tests, made by the openssl command."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_ELLIPTIC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_RSA = ("-newkey", "rsa:2048", "-nodes")


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
        pair = Pair(folder / "ca.pem", folder / "ca.key")
        _openssl("req", "-x509", *_ELLIPTIC, "-days", "2", "-subj", f"/CN={name}", "-keyout", pair.key, "-out", pair.certificate)
        return cls(folder, pair)

    @property
    def pem(self) -> str:
        return self.pair.certificate.read_text()

    def issue(self, host: str, file: str = "", *, rsa: bool = False) -> Pair:
        """A certificate for a host name, in `file`.pem and `file`.key; both are replaced in one step each."""
        stem = self.folder / (file or host)
        pair = Pair(stem.with_name(f"{stem.name}.pem"), stem.with_name(f"{stem.name}.key"))
        fresh = Pair(stem.with_name(f"{stem.name}.pem.new"), stem.with_name(f"{stem.name}.key.new"))
        signed = ("-x509", "-CA", self.pair.certificate, "-CAkey", self.pair.key, "-days", "2", *(_RSA if rsa else _ELLIPTIC))
        named = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=critical,CA:FALSE")
        _openssl("req", *signed, *named, "-keyout", fresh.key, "-out", fresh.certificate)
        fresh.key.rename(pair.key)
        fresh.certificate.rename(pair.certificate)
        return pair

    def revoke(self, pair: Pair) -> Path:
        """A list that revokes one certificate, in crl.pem."""
        settings, revoked = self.folder / "crl.conf", self.folder / "crl.pem"
        (self.folder / "crl.index").touch()
        settings.write_text(f"[ca]\ndefault_ca = ca\ndatabase = {self.folder}/crl.index\ndefault_md = sha256\n")
        command = ("ca", "-config", settings, "-cert", self.pair.certificate, "-keyfile", self.pair.key)
        _openssl(*command, "-revoke", pair.certificate)
        _openssl(*command, "-gencrl", "-crldays", "2", "-out", revoked)
        return revoked


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
