"""A tour of varka: a mesh, a canary, a header match. Prints every step as the command one could
type; leaves nothing behind."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MESH = "demo"
MANIFESTS = Path(__file__).parent / "manifests"
FROM_SHOP = (
    "varka",
    "request",
    "--name",
    MESH,
    "--from",
    "deploy/shop",
    "http://catalog:8080/items",
)
PATIENCE = 15.0


class StepFailed(Exception):
    """A step of the tour did not do what it shows."""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="varka-demo-"))
    try:
        tour(folder)
    except StepFailed as failed:
        sys.stderr.write(f"\nThe demo stopped: {failed}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        clean_up(folder)
    return 0


def tour(folder: Path) -> None:
    say("The manifests go where they can be edited.")
    manifests = folder / "manifests"
    show("cp", "-r", os.path.relpath(MANIFESTS), str(manifests))
    shutil.copytree(MANIFESTS, manifests)

    say("A mesh: a shop, two versions of a catalog, a sidecar beside each, a gateway in front.")
    up = ask("varka", "up", str(manifests), "--detach", "--name", MESH)
    tell(
        f"ready after {up['ready_ms'] / 1000:.1f} s: {len(up['pods'])} pods, {len(up['processes'])}"
        " processes"
    )
    run("varka", "ps", "--name", MESH)

    say("A request from outside; the shop calls its catalog.")
    address = next(published["address"] for published in up["published"] if published["port"] == 80)
    answer = ask("varka", "request", f"http://{address}/")["responses"][0]
    if not answer["echo"]:
        raise StepFailed(f"the gateway answered {answer['status'] or answer['error']}")
    called = answer["echo"]["calls"][0]
    tell(
        f"{answer['status']} from {answer['echo']['pod']}, which asked"
        f" {called.get('pod', 'nobody')}"
    )

    canary(manifests / "canary.yaml")

    say("Testers always see the new version: a header match.")
    testers = ask(*FROM_SHOP, "-H", "end-user: tester", "--count", "50")["summary"]["by_version"]
    tell(shares(testers))
    if testers != {"v2": 50}:
        raise StepFailed("a tester saw the old version")

    say("The routes that the shop's Envoy has for it.")
    run("varka", "proxy-config", "--name", MESH, "routes", "deploy/shop", "--name", "8080")


def canary(file: Path) -> None:
    say("The canary: of 400 requests a tenth should reach v2.")
    command = (*FROM_SHOP, "--count", "400", "--concurrency", "4")
    tell(shares(ask(*command)["summary"]["by_version"]))

    say("Half and half: the file is edited, and the mesh follows by itself.")
    show("sed", "-i", "s/weight: .*0/weight: 50/", str(file))
    file.write_text(
        file.read_text().replace("weight: 90", "weight: 50").replace("weight: 10", "weight: 50")
    )
    deadline = time.monotonic() + PATIENCE
    while True:
        versions = ask(*command)["summary"]["by_version"]
        if 120 <= versions.get("v2", 0) <= 280:
            break
        if time.monotonic() > deadline:
            raise StepFailed(f"the change did not arrive: {shares(versions)}")
    tell(shares(versions))


def shares(versions: dict[str, int]) -> str:
    total = sum(versions.values()) or 1
    return (
        "   ".join(
            f"{name} {'#' * round(40 * n / total)} {n / total:.0%}" for name, n in versions.items()
        )
        or "no answers"
    )


def clean_up(folder: Path) -> None:
    """Take the mesh down, whatever happened; a second Ctrl-C does not stop that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    show("varka", "down", "--name", MESH)
    subprocess.run(
        ["varka", "down", "--name", MESH],
        check=False,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    sys.stdout.write(f"\n# {text}\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


def show(*command: str) -> None:
    sys.stdout.write(f"$ {shlex.join(command)}\n")
    sys.stdout.flush()


def run(*command: str) -> None:
    show(*command)
    if subprocess.run(command, check=False).returncode:
        raise StepFailed(f"{shlex.join(command[:2])} failed")


def ask(*command: str) -> Any:
    """The command's answer as JSON; what it says on stderr reaches the user."""
    show(*command)
    done = subprocess.run([*command, "-o", "json"], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise StepFailed(f"{shlex.join(command[:2])} failed")
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
