"""`varka up`: run manifests on this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from varka.cli.exits import FAILED, OK, UNPARSABLE, Failure
from varka.cli.started import document_of, explain, say_where, show
from varka.local.supervisor import handle
from varka.local.supervisor.options import Manifests
from varka.local.supervisor.paths import MeshPaths, mesh_paths

_INGRESS = "istio-ingressgateway.istio-system"
_DEFAULT_PUBLISHED = ((8080, _INGRESS, 80), (8443, _INGRESS, 443))
PROFILES = ("default", "demo", "minimal")


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "-f", "--filename", "more", multiple=True, metavar="FILE", help="The same as a positional PATH."
)
@click.option(
    "--name",
    default="default",
    show_default=True,
    metavar="NAME",
    help="The mesh's name; several may run.",
)
@click.option(
    "-d",
    "--detach",
    is_flag=True,
    help="Return when every proxy has acknowledged its configuration.",
)
@click.option(
    "--publish",
    multiple=True,
    metavar="HOSTPORT:SERVICE.NS:PORT",
    help="Another port of a gateway on 127.0.0.1.",
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="default",
    show_default=True,
    help="Which gateways there are.",
)
@click.option(
    "--mesh-config", metavar="FILE", help="A MeshConfig document, merged over the defaults."
)
@click.option(
    "--watch/--no-watch", default=True, show_default=True, help="Apply files when they are saved."
)
@click.option(
    "--inject/--no-inject",
    default=True,
    help="Label namespaces that no manifest declares istio-injection: enabled.",
)
@click.option(
    "--run",
    "images",
    multiple=True,
    metavar="IMAGE=COMMAND",
    help="The local program that stands for an image.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="S",
)
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    metavar="LEVEL",
    help="Of the control plane's log: debug, info, warn, error, fatal or none.",
)
@click.option(
    "--log_output_level", default="", metavar="SCOPE:LEVEL,...", help="Levels by scope, as Istio's."
)
@click.option("--strict", is_flag=True, help="Start nothing when a manifest has an error.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def up(
    paths: tuple[str, ...],
    more: tuple[str, ...],
    name: str,
    detach: bool,
    publish: tuple[str, ...],
    profile: str,
    mesh_config: str | None,
    watch: bool,
    inject: bool,
    images: tuple[str, ...],
    timeout: float,
    log_level: str,
    log_output_level: str,
    strict: bool,
    output: str,
) -> int:
    """Start pods, sidecars and gateways from the manifests in PATH... and keep applying what is
    saved there.

    In the foreground Ctrl-C ends the mesh; with -d `varka down` does.
    """
    began = time.monotonic()
    manifests = (*paths, *more)
    mesh = mesh_paths(name)
    if handle.supervisor_pid(mesh):
        raise Failure(
            f"mesh {name!r} is already running",
            hint=f"varka apply -f FILE changes it, varka down --name {name} ends it",
        )
    manifests = tuple(_save_stdin(mesh) if path == "-" else path for path in manifests)
    _check(manifests, mesh_config, strict, output)
    command = _control_plane(mesh, manifests, profile, mesh_config, watch, inject)
    command += _log_options(log_level, log_output_level)
    _launch(
        mesh,
        command,
        Manifests(manifests, mesh_config, profile, inject),
        _images(images),
        [*_DEFAULT_PUBLISHED, *map(_published, publish)],
        attached=not detach,
    )
    answer = _wait(mesh, timeout)
    document = {**document_of(answer), "ready_ms": round((time.monotonic() - began) * 1000)}
    if not answer["ready"]:
        explain(answer, timeout, mesh.state / "control-plane.log")
    say_where(answer["published"])
    show(document if detach else {"event": "ready", **document}, output)
    if detach:
        return OK if answer["ready"] else FAILED
    from varka.cli.foreground import follow

    return follow(mesh, output)


def _save_stdin(mesh: MeshPaths) -> str:
    """What comes through the pipe, as a file: the control plane may have to read it again."""
    file = mesh.state / "stdin" / "stdin.yaml"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(sys.stdin.read())
    return str(file)


def _wait(mesh: MeshPaths, timeout: float) -> dict[str, Any]:
    """What the supervisor says when everything is ready or the time is over. Who does not want to
    wait wants no mesh."""
    try:
        return handle.ask(mesh, "ready", timeout=timeout)
    except handle.NoMesh:
        raise Failure(
            "the mesh died while it started", hint=f"see {mesh.state / 'supervisor.log'}"
        ) from None
    except KeyboardInterrupt:
        handle.stop(mesh)
        raise


def _check(manifests: Sequence[str], mesh_config: str | None, strict: bool, output: str) -> None:
    """Every path must be there; with --strict every object must be good."""
    named = [*manifests, *([mesh_config] if mesh_config else [])]
    missing = [path for path in named if not Path(path).exists()]
    if missing:
        raise Failure(f"no such file: {', '.join(missing)}", code=UNPARSABLE)
    if not strict:
        return
    from varka.base.diagnostic import Severity
    from varka.cli import output as printer
    from varka.resources import load, meshconfig
    from varka.store.texts import read

    texts, diagnostics = read(manifests)
    problems = [*diagnostics, *load.load(texts, namespace="default").diagnostics]
    if mesh_config:
        problems += meshconfig.load_mesh_config(Path(mesh_config).read_text(), mesh_config)[1]
    if not any(one.severity is Severity.ERROR for one in problems):
        return
    if output == "json":
        printer.print_json_diagnostics(problems)
    else:
        printer.print_diagnostics(problems)
    raise Failure(
        "nothing was started: a manifest has errors", hint="without --strict the good objects run"
    )


def _control_plane(
    mesh: MeshPaths,
    manifests: Sequence[str],
    profile: str,
    mesh_config: str | None,
    watch: bool,
    inject: bool,
) -> list[str]:
    options = [
        "--state-dir",
        str(mesh.state),
        "--ads",
        f"unix:{mesh.ads}",
        "--api",
        str(mesh.api),
        "--profile",
        profile,
    ]
    options += ["--mesh-config", mesh_config] if mesh_config else []
    options += [] if watch else ["--no-watch"]
    options += [] if inject else ["--no-inject"]
    return [*options, *manifests]


def _log_options(level: str, by_scope: str) -> list[str]:
    from varka.base import logs

    try:
        logs.levels(level, by_scope)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return ["--log-level", level, "--log_output_level", by_scope]


def _images(options: Sequence[str]) -> dict[str, str]:
    """The table of images: `run` in varka.yaml of this folder, then the options."""
    table: dict[str, str] = {}
    file = Path("varka.yaml")
    if file.is_file():
        import yaml

        written = (yaml.safe_load(file.read_text()) or {}).get("run") or {}
        table = {str(image): str(command) for image, command in written.items()}
    for option in options:
        image, equals, command = option.partition("=")
        if not equals or not image or not command.strip():
            raise click.UsageError(f"--run {option!r} is not IMAGE=COMMAND")
        table[image] = command
    return table


def _published(option: str) -> tuple[int, str, int]:
    host_port, _, rest = option.partition(":")
    service, _, port = rest.rpartition(":")
    if not (host_port.isdigit() and port.isdigit() and service):
        raise click.UsageError(
            f"--publish {option!r} is not HOSTPORT:SERVICE.NAMESPACE:PORT, as 9000:{_INGRESS}:31400"
        )
    return int(host_port), service if "." in service else f"{service}.istio-system", int(port)


def _launch(
    mesh: MeshPaths,
    command: Sequence[str],
    manifests: Manifests,
    images: Mapping[str, str],
    publish: Sequence[tuple[int, str, int]],
    *,
    attached: bool,
) -> None:
    from varka.local.supervisor import launch

    try:
        launch.launch(
            mesh, command, manifests=manifests, images=images, publish=publish, attached=attached
        )
    except launch.CannotStart as error:
        raise Failure(str(error), code=error.code, hint=error.hint) from None
    except OSError as error:
        raise Failure(
            f"{error.filename or mesh.state}: {error.strerror}",
            hint="set XDG_STATE_HOME and XDG_RUNTIME_DIR",
        ) from None
