"""What was written in vain is told, with the line where it stands."""

from __future__ import annotations

import pytest

from varka.analyze.findings import findings
from varka.analyze.manifests import check_manifests
from varka.analyze.no_effect import without_effect_of
from varka.base.diagnostic import Origin, Severity
from varka.base.settings import Settings
from varka.resources.load import load
from varka.store.state import State

WORKLOADS = """apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  template:
    metadata:
      annotations:
        proxy.istio.io/config: |
          concurrency: 2
          statusPort: 15029
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: t}
spec:
  accessLogging: [{disabled: true}]
  metrics:
  - providers: [{name: prometheus}]
"""
SOURCES = """apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    accessLogFile: /dev/stdout
    hboneIdleTimeout: 3s
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: op, namespace: istio-system}
spec: {meshConfig: {hboneIdleTimeout: 3s}}
"""


def told(text: str, *kinds: str) -> list[tuple[str, str, int]]:
    loaded = load([("f.yaml", text)])
    state = State().updated(
        (resource, loaded.places[resource.key]) for resource in loaded.resources
    )
    about = [key for key in state.resources if key.kind in kinds] if kinds else None
    return [
        (d.code, d.path, d.origin.line if d.origin else 0)
        for d in findings(state, (), (), (), Settings(), about)
    ]


def test_workloads_and_telemetry() -> None:
    deployment = (
        "V7021",
        'spec.template.metadata.annotations["proxy.istio.io/config"].statusPort',
        10,
    )
    telemetry = ("V7021", "spec.metrics[0]", 18)
    assert told(WORKLOADS) == [deployment, telemetry]
    assert told(WORKLOADS, "Telemetry") == [telemetry]


def test_only_one_mesh_configuration_counts() -> None:
    assert told(SOURCES) == [("V7021", "data.mesh.hboneIdleTimeout", 7), ("V7022", "", 9)]


POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-all, namespace: default}
spec: {}
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: a, namespace: default}
spec: {}
"""


@pytest.mark.parametrize(
    ("text", "instead"), [(POLICY, "every request is let through"), (ROUTE, "is not served")]
)
def test_what_is_accepted_and_not_enforced(text: str, instead: str) -> None:
    """Until it is: a policy that nobody enforces must not look like one that holds."""
    loaded = load([("p.yaml", text)])
    [told] = check_manifests([("p.yaml", text)], "default").diagnostics
    assert (told.code, told.severity, told.origin) == (
        "V0013",
        Severity.INFO,
        Origin("p.yaml", 3, 1),
    )
    assert "accepted, not enforced yet" in told.message
    assert instead in told.message
    state = State().updated((r, loaded.places[r.key]) for r in loaded.resources)
    [warned] = without_effect_of(state)
    assert (warned.severity, warned.message) == (Severity.WARNING, told.message)
