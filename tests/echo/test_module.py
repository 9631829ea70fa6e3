"""`python -m varka.local.echo`."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "varka.local.echo"]


def test_it_says_ready_and_ends_on_sigterm(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    config = tmp_path / "echo.json"
    config.write_text(json.dumps({"pod": "a-0", "ports": [{"number": port}]}))
    with subprocess.Popen([*COMMAND, str(config)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"hello")
            assert json.loads(connection.makefile().readline())["pod"] == "a-0"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


@pytest.mark.parametrize("argument", ["/nowhere.json", '{"pod": "a", "typo": 1}', "{"])
def test_a_bad_configuration_is_64(argument: str) -> None:
    done = subprocess.run([*COMMAND, argument], capture_output=True, text=True)
    assert done.returncode == 64
    assert "Traceback" not in done.stderr
