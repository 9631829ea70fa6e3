"""The file of `--mesh-config` as the ConfigMap that it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from varka.mesh.config import mesh_config_of
from varka.store.meshfile import MeshConfigFile
from varka.store.state import State


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# mine\naccessLogFile: /x\n", 2),
        (
            (
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata:\n  mesh: |-\n   "
                " accessLogFile: /x\n"
            ),
            6,
        ),
        ("kind: IstioOperator\nspec:\n  meshConfig:\n    accessLogFile: /x\n", 4),
    ],
)
def test_every_form(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    state = State().updated(MeshConfigFile(file).refresh().put)
    config = mesh_config_of(state)
    assert config is not None
    assert config.access_log_file == "/x"
    assert mesh_config_of(state.updated([])) is config, (
        "an unchanged configuration must not make anything compile again"
    )
    (key,) = state.resources
    origin = state.origin(key, ("data", "mesh", "accessLogFile"))
    assert origin is not None
    assert (origin.file, origin.line) == (str(file), line)


def test_a_file_with_errors_puts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    for text in ("connectTimeout: soon\n", "a: [\n", ""):
        file.write_text(text)
        change = MeshConfigFile(file).refresh()
        assert not change.put
        assert bool(change.diagnostics) is bool(text)
    file.unlink()
    assert MeshConfigFile(file).refresh().diagnostics
