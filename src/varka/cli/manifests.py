"""What offline verbs read: manifests to a State, mesh configuration to a MeshConfig; what is wrong
goes to stderr."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from varka.base.diagnostic import Diagnostic, Severity
from varka.cli.exits import FAILED, UNPARSABLE, Failure
from varka.cli.output import as_line, print_diagnostics
from varka.mesh.config import mesh_config_of
from varka.resources.codes import GENERAL
from varka.resources.load import PRUNED, load
from varka.resources.meshconfig import default_mesh_config, load_mesh_config
from varka.resources.model.mesh import MeshConfig
from varka.store.state import State
from varka.store.texts import read


def read_manifests(paths: Iterable[str]) -> tuple[State, int]:
    """The good objects of the files, and the exit code that the bad ones call for. Files must be
    readable. They may come out of a cluster, so what an API server prunes makes no object bad."""
    names = tuple(paths)
    if not names:
        raise click.UsageError("no manifests given")
    texts, unreadable = read(names)
    if unreadable:
        raise Failure("\n".join(as_line(d) for d in unreadable), code=UNPARSABLE)
    loaded = load(texts, tolerated=PRUNED)
    report(loaded.diagnostics)
    state = State().updated((r, loaded.places[r.key]) for r in loaded.resources)
    return state, FAILED if any(d.severity is Severity.ERROR for d in loaded.diagnostics) else 0


def read_mesh_config(path: str | None, state: State) -> MeshConfig:
    """From the file, else from the ConfigMap `istio` or an IstioOperator among the manifests, else
    Istio's defaults."""
    if path is None:
        return mesh_config_of(state) or default_mesh_config()
    try:
        text = Path(path).read_text()
    except OSError as error:
        raise Failure(f"{path} can't be read: {error.strerror}", code=UNPARSABLE) from None
    config, diagnostics = load_mesh_config(text, path)
    report(diagnostics)
    return config


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Errors and warnings on stderr."""
    shown = (d for d in diagnostics if d.severity is not Severity.INFO)
    print_diagnostics(d for d in shown if d.code not in GENERAL)
