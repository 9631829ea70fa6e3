"""The control plane of a mesh on this machine: Varka's own, with an API server's admission before
it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from varka.controlplane import process
from varka.local.apiserver.admission import PROFILES, Options
from varka.local.apiserver.apiserver import ApiServer

_REPORT_WITHIN = 3.0
"""Seconds in which the node says which pods it has; it does so as soon as it is listened to."""


def main(arguments: Sequence[str]) -> int:
    """Takes what `varka.controlplane.process` takes, and what `varka up` adds to manifests."""
    parser = argparse.ArgumentParser(
        prog="python -m varka.local.supervisor.control_plane", add_help=False
    )
    parser.add_argument("--profile", choices=list(PROFILES), default="default")
    parser.add_argument("--no-inject", dest="inject", action="store_false")
    parser.add_argument("--state-dir", type=Path, required=True)
    own, others = parser.parse_known_args(arguments)
    options = Options(own.profile, own.inject)
    server = ApiServer(own.state_dir / "service-addresses.json", options)
    waiting = ["--await-runtime", str(_REPORT_WITHIN)]
    return process.main(["--state-dir", str(own.state_dir), *waiting, *others], server)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
