from __future__ import annotations

import pytest
from msgspec.structs import replace

from varka.analyze.findings import findings
from varka.base.settings import Settings
from varka.resources.load import load
from varka.store.state import State

SIDECAR = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: ingress}
spec:
  ingress:
  - port: {number: 8080, protocol: HTTP, name: http}
  - port: {number: 8443, protocol: HTTPS, name: https}
    tls: {mode: SIMPLE, serverCertificate: /cert.pem, privateKey: /key.pem}
"""


@pytest.mark.parametrize("on", [True, False])
def test_tls_of_a_sidecar_needs_a_setting(on: bool) -> None:
    loaded = load([("sidecar.yaml", SIDECAR)])
    state = State().updated((r, loaded.places[r.key]) for r in loaded.resources)
    found = findings(state, (), (), (), replace(Settings(), enable_tls_on_sidecar_ingress=on))
    told = [(d.code, d.path, d.origin.file if d.origin else "") for d in found]
    assert told == ([] if on else [("V7013", "spec.ingress[1].tls", "sidecar.yaml")])
