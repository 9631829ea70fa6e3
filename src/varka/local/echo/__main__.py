"""`python -m varka.local.echo CONFIG`: CONFIG is a JSON file or the JSON itself. Prints `ready`
when every port listens."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from varka.local.echo.config import EchoConfig
from varka.local.echo.server import serve


async def _run(config: EchoConfig) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(serve(config, lambda: print("ready", flush=True)))  # noqa: T201
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def main() -> int:
    argument = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        text = argument if argument.lstrip().startswith("{") else Path(argument).read_text()
        config = EchoConfig.from_document(json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"varka echo: {argument or 'no configuration'}: {error}\n")
        return 64
    try:
        asyncio.run(_run(config))
    except OSError as error:
        sys.stderr.write(f"varka echo: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
