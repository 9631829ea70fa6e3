"""Modules of messages that are imported without being run are what they are when they run."""

from __future__ import annotations

import json
import subprocess
import sys

_DECLARED = """
import importlib, importlib.metadata, json, sys
if sys.argv[1:]:
    from varka import protobuf
    protobuf.install()
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

def shown(value):
    if isinstance(value, EnumTypeWrapper):
        return value.items()
    return value if isinstance(value, int) else value.full_name if hasattr(value, "full_name") \
        else value.DESCRIPTOR.full_name

declared = {}
for file in map(str, importlib.metadata.files("xds-protos")):
    if file.endswith("_pb2.py") and not file.startswith(("google/", "test/")):
        name = file.removesuffix(".py").replace("/", ".")
        module = importlib.import_module(name)
        file = module.DESCRIPTOR
        names = [*file.message_types_by_name, *file.enum_types_by_name, *file.extensions_by_name]
        names += [v for e in file.enum_types_by_name.values() for v in e.values_by_name]
        declared[name] = [file.serialized_pb.hex(), {n: shown(getattr(module, n)) for n in names}]
print(json.dumps(declared))
"""

_NOT_RUN = """
import json, sys
import varka.cli.main, varka.cli.serve, varka.controlplane.control_plane
print(json.dumps([n for n, m in sys.modules.items() if hasattr(m, "_globals")]))
"""


def _run(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_every_module_of_xds_protos_declares_the_same() -> None:
    ordinary = json.loads(_run(_DECLARED))
    assert len(ordinary) > 600
    assert json.loads(_run(_DECLARED, "install")) == ordinary


def test_the_control_plane_runs_no_module_of_envoys_messages() -> None:
    run = _run(_NOT_RUN)
    assert [name for name in json.loads(run) if not name.startswith("google.protobuf.")] == []
