"""The mesh that all rows share, and the processes in its pods that send for them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.live import VARKA, LiveMesh
from varka.local.client.model import Request, Target
from varka.local.client.sender import send

AGENT = Path(__file__).with_name("agent.py")
GATEWAY = "gateway"
"""Calls from here go from this machine to the published port of the ingress gateway."""


@dataclass
class RowsMesh:
    live: LiveMesh
    _agents: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def send(self, where: str, request: Request) -> dict[str, Any]:
        """The answers as `varka request -o json` has them."""
        if where == GATEWAY:
            return asyncio.run(send(self._published(request))).to_document()
        agent = self._agents.get(where) or self._start(where)
        assert agent.stdin is not None
        assert agent.stdout is not None
        agent.stdin.write(json.dumps(request.to_document()) + "\n")
        agent.stdin.flush()
        line = agent.stdout.readline()
        assert line, f"nothing can be sent from {where}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        for agent in self._agents.values():
            agent.terminate()
            agent.communicate()
        self.live.down()

    def _start(self, where: str) -> subprocess.Popen[str]:
        command = [*VARKA, "exec", "--name", self.live.name, where, "--", sys.executable, str(AGENT)]
        agent = self._agents[where] = subprocess.Popen(
            command, env=dict(self.live.environment), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return agent

    def _published(self, request: Request) -> Request:
        target = Target.parse(request.url)
        address = next(one["address"] for one in self.live.status["published"] if one["port"] == target.port)
        url = f"{target.scheme}://{address}{target.path}"
        headers = request.headers
        if not any(name.lower() == "host" for name, _ in headers):
            headers = (("host", target.authority), *headers)
        return replace(request, url=url, headers=headers, tls=replace(request.tls, sni=request.tls.sni or target.host))
