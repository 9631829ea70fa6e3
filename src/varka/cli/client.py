"""Talks to the control plane of a running mesh: HTTP over its unix socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from varka.cli.exits import NO_MESH, Failure
from varka.local.processes.unix_http import HttpError, UnixHttp
from varka.local.supervisor.paths import mesh_paths, running_meshes

_PATIENCE = 60.0
T = TypeVar("T")


class Refused(Exception):
    """The control plane answered with an error status; `answer` is its JSON."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(answer.get("error", "") if isinstance(answer, dict) else str(answer))
        self.status, self.answer = status, answer


class Client:
    """Raises Failure when nobody answers, Refused for an error status."""

    def __init__(self, mesh: str, socket_path: Path) -> None:
        self._mesh, self._http = mesh, UnixHttp(socket_path)

    def get(self, path: str, **query: Any) -> Any:
        """Parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path)

    def post(self, path: str, value: Any, patience: float | None = None) -> Any:
        """Without `patience` it waits as long as the control plane takes."""
        return self._call("POST", path, value, patience)

    def delete(self, path: str, value: Any) -> Any:
        return self._call("DELETE", path, value)

    def lines(self, path: str) -> Iterator[Any]:
        """The values of a stream of JSON lines, until the mesh ends."""
        lines = self._http.lines(path)
        with asyncio.Runner() as runner:
            while True:
                try:
                    yield runner.run(_next(lines.__anext__()))
                except StopAsyncIteration:
                    return
                except (OSError, EOFError, ValueError) as error:
                    raise self._unreachable(error) from None

    def _call(
        self, method: str, path: str, value: Any = None, patience: float | None = _PATIENCE
    ) -> Any:
        async def call() -> Any:
            async with asyncio.timeout(patience):
                return await self._http.call(method, path, value)

        try:
            return asyncio.run(call())
        except HttpError as error:
            raise Refused(error.status, _decoded(error.body)) from None
        except (OSError, EOFError, ValueError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> Failure:
        running = [name for name in running_meshes() if name != self._mesh]
        hint = (
            f"running: {', '.join(running)}; choose with --name"
            if running
            else "start one with: varka up"
        )
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return Failure(f"no mesh {self._mesh!r} is running", code=NO_MESH, hint=hint)
        why = str(error) or type(error).__name__
        return Failure(f"the mesh {self._mesh!r} does not answer: {why}", code=NO_MESH, hint=hint)


async def _next(line: Awaitable[T]) -> T:
    return await line


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def connect(name: str | None) -> Client:
    """The mesh of that name, else the only one that runs, else `default`."""
    running = running_meshes()
    chosen = name or (running[0] if len(running) == 1 else "default")
    return Client(chosen, mesh_paths(chosen).api)
