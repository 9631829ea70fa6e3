"""The mesh that all rows share, and the processes in its pods that send for them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.live import VARKA, LiveMesh
from varka.cli.live import LivePod, envoy_admin
from varka.local.client.model import Request, Target
from varka.local.client.sender import send

AGENT = Path(__file__).with_name("agent.py")
GATEWAY = "gateway"
"""Calls from here go from this machine to the published port of the ingress gateway."""


@dataclass
class RowsMesh:
    live: LiveMesh
    _agents: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    _settled: int = 0

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

    def settle(self) -> None:
        """Wait until every proxy has what was changed before: changes arrive in order, so one more that all can see tells."""
        self._settled += 1
        port = {"name": "http", "port": self._settled}
        self.live.apply([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "marker"}, "spec": {"ports": [port]}}])

    def cluster(self, where: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The cluster in the Envoy of pod `where` for a `service`, `port` and `subset`; {} when there is none."""
        name = f"outbound|{wanted.get('port', 80)}|{wanted.get('subset', '')}|{wanted['service']}.default.svc.cluster.local"
        pod = next(one for one in self.live.pods() if f"{one['name']}.{one['namespace']}" == where)
        dump = json.loads(envoy_admin(LivePod(0, pod), "config_dump?resource=dynamic_active_clusters"))
        found = (one["cluster"] for one in dump["configs"])
        return next((cluster for cluster in found if cluster["name"] == name), {})

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
