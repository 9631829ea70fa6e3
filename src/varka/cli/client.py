"""Talks to the control plane of a running mesh: HTTP over its unix socket, with the standard
library alone."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from varka.cli.exits import NO_MESH, Failure
from varka.local.supervisor.paths import mesh_paths, running_meshes


class Refused(Exception):
    """The control plane answered with an error status; `answer` is its JSON."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(answer.get("error", "") if isinstance(answer, dict) else str(answer))
        self.status, self.answer = status, answer


class Client:
    """Raises Failure when nobody answers, Refused for an error status."""

    def __init__(self, mesh: str, socket_path: Path) -> None:
        self._mesh, self._path = mesh, socket_path

    def get(self, path: str, **query: Any) -> Any:
        """Parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path)

    def post(self, path: str, value: Any, patience: float | None = None) -> Any:
        return self._call("POST", path, value, patience)

    def delete(self, path: str, value: Any) -> Any:
        return self._call("DELETE", path, value)

    def lines(self, path: str) -> Iterator[Any]:
        """The values of a stream of JSON lines, until the mesh ends."""
        connection = _UnixConnection(self._path, None)
        try:
            connection.request("GET", path)
            yield from (json.loads(line) for line in connection.getresponse() if line.strip())
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()

    def _call(
        self, method: str, path: str, value: Any = None, patience: float | None = 60.0
    ) -> Any:
        connection = _UnixConnection(self._path, patience)
        body = None if value is None else json.dumps(value).encode()
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(response.status, answer)
        return answer

    def _unreachable(self, error: Exception) -> Failure:
        running = [name for name in running_meshes() if name != self._mesh]
        hint = (
            f"running: {', '.join(running)}; choose with --name"
            if running
            else "start one with: varka up"
        )
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return Failure(f"no mesh {self._mesh!r} is running", code=NO_MESH, hint=hint)
        return Failure(f"the mesh {self._mesh!r} does not answer: {error}", code=NO_MESH, hint=hint)


def connect(name: str | None) -> Client:
    """The mesh of that name, else the only one that runs, else `default`."""
    running = running_meshes()
    chosen = name or (running[0] if len(running) == 1 else "default")
    return Client(chosen, mesh_paths(chosen).api)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, patience: float | None) -> None:
        super().__init__("varka", timeout=patience)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
