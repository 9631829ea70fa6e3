"""What reading manifests takes, in steps that are counted."""

import subprocess
import sys

import pytest

from varka.resources import composer, shape
from varka.resources.load import load

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: {name}
  labels:
    app: {name}
spec:
  clusterIP: "10.0.0.1" # its address
  selector:
    app: {name}
  ports:
  - name: http
    port: 80
    targetPort: 8080
"""
RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {name}
spec:
  hosts:
  - {name}
  http:
  - timeout: 3s
    route:
    - destination:
        host: {name}
      weight: 100
"""


def mesh(count: int) -> list[tuple[str, str]]:
    names = [f"svc-{n}" for n in range(count)]
    return [(f"{n}.yaml", f"---{(SERVICE + '---' + RULE).format(name=n)}") for n in names]


def test_good_manifests_are_read_without_a_parser() -> None:
    code = (
        "import sys\n"
        "from varka.resources.load import load\n"
        f"loaded = load({mesh(3)!r})\n"
        "assert len(loaded.resources) == 6 and not loaded.diagnostics\n"
        "assert 'yaml' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_of_a_stream_only_the_wrong_document_is_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    composed: list[str] = []

    def counted(text: str) -> object:
        composed.append(text)
        return nodes(text)

    nodes = composer._nodes
    monkeypatch.setattr(composer, "_nodes", counted)
    composer._composed.cache_clear()
    texts = mesh(3)
    text = "".join(text for _, text in texts).replace(
        "name: svc-1\nspec:\n  hosts", "name: svc-1\nspec:\n  host", 1
    )
    line = text[: text.index("  host:\n")].count("\n") + 1
    loaded = load([("f.yaml", text)])
    assert [str(d.origin) for d in loaded.diagnostics] == [f"f.yaml:{line}:3"]
    assert len(composed) == 1
    assert composed[0].count("\n") == RULE.count("\n")


def test_each_set_of_field_names_is_looked_at_once() -> None:
    shape._worth_a_look.cache_clear()
    load(mesh(1))
    looked = shape._worth_a_look.cache_info().misses
    load(mesh(50))
    assert shape._worth_a_look.cache_info().misses == looked > 0
