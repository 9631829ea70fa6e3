"""The mesh that all rows share, and the processes in its pods that send for them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from testbed.live import VARKA, LiveMesh

from tests.certificates import certificate_hash, key_hash
from varka.cli.live import LivePod, envoy_admin
from varka.local.client.request import Request, Target
from varka.local.client.sender import send

AGENT = Path(__file__).with_name("agent.py")
GATEWAY = "gateway"
"""Calls from here go from this machine to the published port of the ingress gateway."""


CLIENT = "client.default"
"""Where calls come from that do not say."""


def _of_its_port(dump: Any) -> list[Any]:
    """The virtual hosts of a route configuration of one port. HTTP proxies have them too, a while
    longer than they live."""
    found = dump["route_config"]
    return [host for host in found["virtual_hosts"] if host["name"].endswith(f":{found['name']}")]


_DUMPS: dict[str, tuple[str, Callable[[Any], list[Any]]]] = {
    "virtual_host": ("dynamic_route_configs", _of_its_port),
    "listener": (
        "dynamic_listeners",
        lambda one: [one["active_state"]["listener"]] if "active_state" in one else [],
    ),
    "cluster": ("dynamic_active_clusters", lambda one: [one["cluster"]]),
}
"""What can be looked at -> where Envoy's dump has it."""


def cluster_name(wanted: Mapping[str, Any]) -> str:
    """`service` is the name of a Service in `default`, or the host of a ServiceEntry."""
    host = (
        wanted["service"]
        if "." in wanted["service"]
        else f"{wanted['service']}.default.svc.cluster.local"
    )
    return f"outbound|{wanted.get('port', 80)}|{wanted.get('subset', '')}|{host}"


def _base64(file: Path) -> str:
    return b64encode(file.read_bytes()).decode()


_FORMS = {"BASE64": _base64, "HASH": certificate_hash, "SPKI": key_hash}
"""What manifests may have of a file: `$BASE64/ca.pem` and the like."""


@dataclass
class RowsMesh:
    live: LiveMesh
    files: Path
    """The folder of the certificates."""
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

    def apply(self, objects: list[Any]) -> None:
        self.live.apply(json.loads(self.filled_in(json.dumps(objects))))

    def filled_in(self, text: str) -> str:
        """With the paths and addresses of pods (`$ADDRESS/name.namespace`) that manifests and rows
        leave open."""
        for name, value in (
            ("FILES", self.files),
            ("HERE", AGENT.parent),
            ("PYTHON", sys.executable),
        ):
            text = text.replace(f"${name}", str(value))
        text = re.sub(r"\$ADDRESS/([\w.-]+)", lambda pod: str(self._pod(pod[1])["ip"]), text)
        return re.sub(
            r"\$(BASE64|HASH|SPKI)/([\w./-]+)",
            lambda found: _FORMS[found[1]](self.files / found[2]),
            text,
        )

    def settle(self) -> None:
        """Wait until every proxy has what was changed before: changes arrive in order, so one more
        that all can see tells."""
        self._settled += 1
        port = {"name": "http", "port": self._settled}
        self.live.apply(
            [
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "metadata": {"name": "marker"},
                    "spec": {"ports": [port]},
                }
            ]
        )

    def configured(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What a pod's Envoy has: the `virtual_host`, the `listener` or the `cluster` of a name, or
        the outbound cluster of `service`, `port` and `subset`, {} when it has none; or what its
        administration interface says at the path `admin`."""
        where = wanted.get("from", CLIENT)
        if path := wanted.get("admin"):
            answer: dict[str, Any] = json.loads(self._ask(where, path))
            return answer
        kind = next((kind for kind in _DUMPS if kind in wanted), "cluster")
        name = wanted.get(kind) or cluster_name(wanted)
        resource, unfold = _DUMPS[kind]
        dump = self._admin(where, f"config_dump?resource={resource}")
        return next((found for one in dump for found in unfold(one) if found["name"] == name), {})

    def run(self, where: str, argv: list[str]) -> str:
        """What a program in a pod prints."""
        command = [self.filled_in(word) for word in argv]
        done = self.live.exec(where, *command, check=False)
        return done.stdout + done.stderr

    def sent(self, wanted: Mapping[str, Any]) -> int:
        """How many requests a pod's Envoy has sent to a cluster so far."""
        clusters = json.loads(self._ask(wanted.get("from", CLIENT), "clusters?format=json"))[
            "cluster_statuses"
        ]
        hosts = [
            host
            for one in clusters
            if one["name"] == cluster_name(wanted)
            for host in one.get("host_statuses", ())
        ]
        return sum(
            int(stat.get("value", 0))
            for host in hosts
            for stat in host["stats"]
            if stat["name"] == "rq_total"
        )

    def log(self, wanted: Mapping[str, Any]) -> str:
        """What a container wrote so far; the client's proxy when nothing else is said."""
        files = self._pod(wanted.get("from", CLIENT))["logs"]
        return Path(files[wanted.get("container", "istio-proxy")]).read_text()

    def _admin(self, where: str, path: str) -> list[dict[str, Any]]:
        configs: list[dict[str, Any]] = json.loads(self._ask(where, path)).get("configs", [])
        return configs

    def _ask(self, where: str, path: str) -> str:
        return envoy_admin(LivePod(0, self._pod(where)), path)

    def _pod(self, where: str) -> dict[str, Any]:
        """The pod of this name, or the first whose name begins so (`echo-v1-`)."""
        return next(
            one for one in self.live.pods() if f"{one['name']}.{one['namespace']}".startswith(where)
        )

    def close(self) -> None:
        for agent in self._agents.values():
            agent.terminate()
            agent.communicate()
        self.live.down()

    def _start(self, where: str) -> subprocess.Popen[str]:
        command = [
            *VARKA,
            "exec",
            "--name",
            self.live.name,
            where,
            "--",
            sys.executable,
            str(AGENT),
        ]
        agent = self._agents[where] = subprocess.Popen(
            command,
            env=dict(self.live.environment),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return agent

    def _published(self, request: Request) -> Request:
        target = Target.parse(request.url)
        address = next(
            one["address"] for one in self.live.status["published"] if one["port"] == target.port
        )
        url = f"{target.scheme}://{address}{target.path}"
        headers = request.headers
        if not any(name.lower() == "host" for name, _ in headers):
            headers = (("host", target.authority), *headers)
        return replace(
            request,
            url=url,
            headers=headers,
            tls=replace(request.tls, sni=request.tls.sni or target.host),
        )
