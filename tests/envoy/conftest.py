"""Goldens of Envoy resources: `golden("name", messages)` compares with `name.out.yaml` beside the
test.

`pytest tests/envoy --rewrite-goldens` writes them anew; `test_goldens.py` shows all of them to a
real Envoy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from varka.envoy import wkt

Golden = Callable[[str, Iterable[Any]], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-goldens",
        action="store_true",
        help="write *.out.yaml from what the code makes now",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares messages, in order, with the golden file; the file says each message's type."""
    rewrite = request.config.getoption("--rewrite-goldens", default=False)

    def check(name: str, messages: Iterable[Any]) -> None:
        path = Path(request.path).parent / f"{name}.out.yaml"
        made = [
            json.loads(json_format.MessageToJson(wkt.pack(m), preserving_proto_field_name=True))
            for m in messages
        ]
        if rewrite:
            path.write_text(yaml.safe_dump(made, sort_keys=True, width=120))
        assert made == yaml.safe_load(path.read_text())

    return check
