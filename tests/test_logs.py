"""What is logged at which level, and in which form."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from varka.base.logs import configure, levels


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("varka")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], _, _ = before
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.getLogger("varka.xds").setLevel(logging.NOTSET)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_scopes_have_levels_as_istio_sets_them() -> None:
    assert levels("info") == {"varka": logging.INFO}
    assert levels("warn", "ads:debug,store:none") == {
        "varka": logging.WARNING,
        "varka.xds": logging.DEBUG,
        "varka.store": logging.CRITICAL + 1,
    }
    assert levels("info", "debug") == {"varka": logging.DEBUG}
    assert levels("info", "default:error") == {"varka": logging.ERROR}


@pytest.mark.parametrize(("level", "scopes"), [("loud", ""), ("info", "x:info"), ("info", "ads:x")])
def test_a_wrong_level_or_scope_is_told(level: str, scopes: str) -> None:
    with pytest.raises(ValueError, match="there is no"):
        levels(level, scopes)


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["file", "terminal"])
def test_a_traceback_is_for_the_log_and_not_for_a_terminal(stream: io.StringIO) -> None:
    configure(levels("warn", "xds:info"), stream)
    logging.getLogger("varka.store.files").info("not told")
    logging.getLogger("varka.xds.server").info("one\ntwo")
    try:
        raise RuntimeError("a bug")
    except RuntimeError:
        logging.getLogger("varka.store.files").exception("failed")
    lines = stream.getvalue().splitlines()
    assert [line.split("\t")[1:] for line in lines[:2]] == [
        ["info", "xds", "one two"],
        ["error", "store", "failed"],
    ]
    assert ("Traceback" in stream.getvalue()) is not stream.isatty()
