"""Stand-ins on loopback, each with its own free ports."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from varka.local.echo.config import EchoConfig, Port
from varka.local.echo.server import serve

Echo = Callable[..., AbstractAsyncContextManager[list[int]]]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        number: int = sock.getsockname()[1]
        return number


@asynccontextmanager
async def running(*protocols: str, **fields: Any) -> AsyncIterator[list[int]]:
    ports = [free_port() for _ in protocols]
    config = EchoConfig("reviews-v2-0", version="v2", ports=tuple(map(Port, ports, protocols)))
    ready = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(serve(replace(config, **fields), ready.set))
        await ready.wait()
        yield ports
        task.cancel()


@pytest.fixture
def echo() -> Echo:
    """`async with echo("http", "tcp") as ports`: a running stand-in with one port for each
    protocol."""
    return running


@pytest.fixture
def closed_port() -> int:
    return free_port()
