"""`varka exec`: a command inside a pod's network."""

from __future__ import annotations

import click

from varka.cli.exits import Failure
from varka.cli.live import find_pod
from varka.local.pod import enter


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("pod")
@click.option("--name", metavar="NAME", help="The mesh, when several run.")
@click.option(
    "-n",
    "--namespace",
    default="default",
    show_default=True,
    metavar="NS",
    help="The pod's, where its name has none.",
)
@click.option(
    "-c",
    "--container",
    metavar="NAME",
    help="Checked to be one of the pod's; all containers share its network.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(
    pod: str, name: str | None, namespace: str, container: str | None, command: tuple[str, ...]
) -> int:
    """Run COMMAND, a program of this machine, with POD's addresses, DNS and capture. Its exit code
    is ours.

    POD is `pod`, `pod.namespace` or `deploy/name.namespace`.
    """
    target = find_pod(name, pod, namespace)
    if container is not None:
        target.log_of(container)
    argv = command[1:] if command[0] == "--" else command
    try:
        return enter.run(target.init, target.status, argv)
    except FileNotFoundError:
        raise Failure(f"no program {argv[0]!r} on this machine", code=127) from None
    except OSError as error:
        raise Failure(f"{argv[0]}: {error.strerror}", code=126) from None
