"""The whole control plane behind its gRPC server, with a client that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from envoy.service.discovery.v3 import discovery_pb2

from varka.analyze.findings import findings
from varka.base.diagnostic import Diagnostic
from varka.base.settings import Settings
from varka.controlplane import objects
from varka.controlplane.control_plane import ControlPlane
from varka.controlplane.options import Options
from varka.controlplane.status import proxies
from varka.envoy.resource import TypeUrl
from varka.resources.meshconfig import default_mesh_config
from varka.xds.hub import Hub
from varka.xds.server import SERVICE

SERVICE_YAML = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {clusterIP: ADDRESS, ports: [{name: http, port: 80}]}
"""
RULE = """---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rule}
spec: {host: a, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 3s}}}}
"""
GATEWAY = """---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  selector: {istio: nobody}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""


def service(name: str, number: int) -> str:
    return SERVICE_YAML.replace("NAME", name).replace("ADDRESS", f"10.0.0.{number}")


class Sidecar:
    """Asks for clusters, accepts every response but those with a cluster that `rejects`."""

    def __init__(self, address: str, rejects: str = "") -> None:
        self.clusters: dict[str, bytes] = {}
        self.rejects = rejects
        self._channel = grpc.aio.insecure_channel(address)
        self._call = self._channel.stream_stream(f"/{SERVICE}/DeltaAggregatedResources")()

    async def run(self) -> None:
        first = discovery_pb2.DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER)
        first.node.id = "sidecar~10.1.1.1~p.default~default.svc.cluster.local"
        first.node.metadata.update({"NAMESPACE": "default", "CLUSTER_ID": "Kubernetes"})
        await self._call.write(first.SerializeToString())
        while (raw := await self._call.read()) is not grpc.aio.EOF:
            response = discovery_pb2.DeltaDiscoveryResponse.FromString(raw)
            answer = discovery_pb2.DeltaDiscoveryRequest(
                type_url=response.type_url, response_nonce=response.nonce
            )
            if self.rejects and any(self.rejects in r.name for r in response.resources):
                answer.error_detail.message = f"{self.rejects} is bad"
            else:
                self.clusters |= {r.name: r.resource.value for r in response.resources}
                for name in response.removed_resources:
                    self.clusters.pop(name, None)
            await self._call.write(answer.SerializeToString())

    async def close(self) -> None:
        await self._channel.close()


@asynccontextmanager
async def mesh(folder: Path, rejects: str = "") -> AsyncIterator[tuple[ControlPlane, Sidecar]]:
    """A control plane for the manifests of a folder, and one sidecar that is in sync."""
    address = f"unix:{folder}/ads.sock"
    manifests = folder / "manifests"
    plane = ControlPlane(Options((str(manifests),), (address,), default_mesh_config(), Settings()))
    await plane.read()
    await plane.listen()
    running = asyncio.create_task(plane.run())
    sidecar = Sidecar(address, rejects)
    reading = asyncio.create_task(sidecar.run())
    await until(
        lambda: (
            bool(plane.hub.connections) and all(c.stream.in_sync() for c in plane.hub.connections)
        )
    )
    try:
        yield plane, sidecar
    finally:
        running.cancel()
        await plane.stop()
        await sidecar.close()
        await asyncio.gather(running, reading, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    """Runs a scenario with a mesh of one Service, `a`."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text(service("a", 1))

    def scenario(
        play: Callable[[ControlPlane, Sidecar], Awaitable[Any]], rejects: str = ""
    ) -> None:
        async def whole() -> None:
            async with mesh(tmp_path, rejects) as (plane, sidecar):
                await play(plane, sidecar)

        asyncio.run(asyncio.wait_for(whole(), 30))

    return scenario


def cluster(name: str) -> str:
    return f"outbound|80||{name}.default.svc.cluster.local"


def test_apply_waits_until_proxies_have_it(run: Callable[..., None]) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        answer = await objects.apply(plane, [("b.yaml", service("b", 2))], wait=10)
        assert cluster("b") in sidecar.clusters
        assert answer["applied"] == [
            {"kind": "Service", "namespace": "default", "name": "b", "action": "created"}
        ]
        assert answer["proxies"] == {"updated": 1, "acked": 1, "rejected": []}
        assert answer["bytes_sent"]["cds"] > 0
        again = await objects.apply(plane, [("b.yaml", service("b", 2))], wait=10)
        assert [one["action"] for one in again["applied"]] == ["unchanged"]
        assert again["bytes_sent"]["cds"] == 0

    run(play)


def test_a_rejected_resource_leads_to_its_object_and_its_line(run: Callable[..., None]) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        text = service("bad", 2) + "---" + service("good", 3)
        answer = await objects.apply(plane, [("b.yaml", text)], wait=10)
        assert cluster("good") in sidecar.clusters
        (found,) = answer["quarantined"]
        assert (found["kind"], found["name"], found["proxies"]) == ("Service", "bad", ["p.default"])
        assert found["origin"].startswith("b.yaml:")
        assert answer["proxies"]["acked"] == 0
        assert [e["event"] for e in plane.events.since(0)][-1] == "applied"
        assert proxies(plane.hub)[0]["types"]["CDS"] == "ERROR"

    run(play, rejects="bad")


def test_an_invalid_object_is_refused_alone_or_with_all(run: Callable[..., None]) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        texts = [("b.yaml", service("b", 2) + RULE.replace("host:", "hots:"))]
        answer = await objects.apply(plane, texts, atomic=True, wait=10)
        assert (answer["applied"], [one["name"] for one in answer["refused"]]) == ([], ["rule"])
        answer = await objects.apply(plane, texts, wait=10)
        assert ([one["name"] for one in answer["applied"]], len(answer["refused"])) == (["b"], 1)
        with pytest.raises(objects.Unparsable):
            await objects.apply(plane, [("c.yaml", "a: [")], wait=10)

    run(play)


def test_deleting_and_the_runtime(run: Callable[..., None]) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}
        assert (await objects.report(plane, [pod]))["changed"] == 1
        assert (await objects.report(plane, [pod]))["changed"] == 0
        assert [i["source"] for i in objects.select(plane, ["Pod"], None, None)] == ["runtime"]
        wanted = {"kind": "Service", "namespace": "default", "name": "a"}
        name = objects.Name(**wanted)
        assert (await objects.delete(plane, [name]))["deleted"] == [wanted]
        assert (await objects.delete(plane, [name]))["missing"] == [wanted]
        await until(lambda: cluster("a") not in sidecar.clusters)
        assert (await objects.report(plane, []))["changed"] == 1

    run(play)


def test_a_saved_file_reaches_the_proxy(run: Callable[..., None], tmp_path: Path) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        file = tmp_path / "manifests" / "c.yaml"
        file.write_text(service("c", 2))
        await until(lambda: cluster("c") in sidecar.clusters)
        file.unlink()
        await until(lambda: cluster("c") not in sidecar.clusters)
        assert any(
            e["event"] == "applied" and e["files"] == [str(file)] for e in plane.events.since(0)
        )

    run(play)


def test_findings_are_looked_for_once_for_each_push(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def counted(*args: Any) -> list[Diagnostic]:
        asked.append(args[-1])
        return findings(*args)

    monkeypatch.setattr("varka.controlplane.review.findings", counted)

    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        for number in range(3):
            await objects.apply(plane, [("b.yaml", service("b", 2 + number) + GATEWAY)], wait=10)
            assert len(asked) == number + 1

    run(play)


def test_findings_are_not_looked_for_while_an_answer_is_taken(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []
    taking, request = [False], Hub.request

    def watched(hub: Hub, *args: Any) -> None:
        taking[0] = True
        request(hub, *args)
        taking[0] = False

    def looked(*args: Any) -> list[Diagnostic]:
        inside.append(taking[0])
        return findings(*args)

    monkeypatch.setattr(Hub, "request", watched)
    monkeypatch.setattr("varka.controlplane.review.findings", looked)

    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        await objects.apply(plane, [("b.yaml", service("b", 2))], wait=10)
        assert inside == [False]

    run(play)


def test_a_bug_in_findings_is_told_and_ends_nothing(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("varka.controlplane.review.findings", lambda *_: 1 / 0)
            answer = await objects.apply(plane, [("b.yaml", service("b", 2))], wait=10)
        assert answer["proxies"]["acked"] == 1
        assert "ZeroDivisionError" in answer["failed"][0]
        assert [e for e in plane.events.since(0) if e["event"] == "failed"]
        assert caplog.records[-1].exc_info
        answer = await objects.apply(plane, [("c.yaml", service("c", 3))], wait=10)
        assert answer["proxies"]["acked"] == 1
        assert "failed" not in answer

    run(play)


def test_a_bug_in_compiling_is_told_and_what_is_served_stays(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("varka.envoy.compiler.take", lambda *_: 1 / 0)
            answer = await objects.apply(plane, [("b.yaml", service("b", 2))], wait=10)
        assert "compiling" in answer["failed"][0]
        assert cluster("a") in sidecar.clusters
        await objects.apply(plane, [("c.yaml", service("c", 3))], wait=10)
        assert {cluster("a"), cluster("b"), cluster("c")} <= sidecar.clusters.keys()

    run(play)


BROKEN = (
    "a: [",
    "\x00",
    "- 1\n- {}",
    "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: foo\n",
    "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: [1]\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: x}]}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: [a]}\nspec: 3\n",
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: x\n",
    "apiVersion: v1\nkind: ServiceList\nitems: [1, null, {}]\n",
)


def test_a_saved_broken_file_of_any_sort_leaves_the_rest_working(
    run: Callable[..., None], tmp_path: Path
) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        broken = tmp_path / "manifests" / "broken.yaml"
        for number, text in enumerate(BROKEN):
            broken.write_text(text)
            name = f"good{number}"
            (tmp_path / "manifests" / f"{name}.yaml").write_text(service(name, 10 + number))

            def arrived(wanted: str = cluster(name)) -> bool:
                return wanted in sidecar.clusters

            await until(arrived)
        assert cluster("a") in sidecar.clusters

    run(play)


def test_a_source_that_fails_begins_anew(
    run: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("varka.controlplane.happening.PAUSE", 0.01)

    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("varka.store.files.Files.refresh", lambda *_: 1 / 0)
            (tmp_path / "manifests" / "b.yaml").write_text(service("b", 2))
            await until(lambda: any(e["event"] == "failed" for e in plane.events.since(0)))
        await until(lambda: cluster("b") in sidecar.clusters)

    run(play)


FILTER = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: patch}
spec:
  configPatches:
"""
GOOD_PATCH = """
  - applyTo: CLUSTER
    match: {cluster: {service: a.default.svc.cluster.local}}
    patch: {operation: MERGE, value: {lb_policy: RANDOM}}
"""
BAD_PATCH = """
  - applyTo: CLUSTER
    match: {cluster: {service: a.default.svc.cluster.local}}
    patch: {operation: MERGE, value: {connect_timeout: -1s}}
"""


@pytest.mark.parametrize(
    ("patches", "reason"),
    [
        (GOOD_PATCH, ""),
        (BAD_PATCH, "SetAside"),
        (GOOD_PATCH + BAD_PATCH, "PartlySetAside"),
    ],
)
def test_an_object_that_is_not_in_force_says_so(
    run: Callable[..., None], patches: str, reason: str
) -> None:
    async def play(plane: ControlPlane, sidecar: Sidecar) -> None:
        for action in ("created", "unchanged"):
            answer = await objects.apply(plane, [("f.yaml", FILTER + patches)], wait=10)
            (applied,) = answer["applied"]
            assert applied["action"] == action
            assert [c["reason"] for c in applied.get("conditions", ())] == [reason] * bool(reason)
        (found,) = objects.select(plane, ["EnvoyFilter"], None, None)
        shown = found["object"].get("status", {}).get("conditions", ())
        assert [c["reason"] for c in shown] == [reason] * bool(reason)
        assert not [d for d in answer["diagnostics"] if d["code"] == "V0701"]
        await objects.apply(plane, [("f.yaml", FILTER + GOOD_PATCH)], wait=10)
        (found,) = objects.select(plane, ["EnvoyFilter"], None, None)
        assert "status" not in found["object"]

    run(play)


def test_proxies_can_wait_for_the_runtimes_first_report(tmp_path: Path) -> None:
    async def whole() -> None:
        options = Options((), (), default_mesh_config(), Settings(), watch=False)
        plane = ControlPlane(options)
        await plane.read()
        running = asyncio.create_task(plane.run())
        waiting = asyncio.create_task(plane.first_report(20))
        await objects.apply(plane, [("b.yaml", service("b", 2))], wait=10)
        assert not waiting.done()
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
        await objects.report(plane, [pod])
        await waiting
        assert plane.compiler.snapshot.number == plane.store.state.number
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(whole(), 30))


@pytest.mark.parametrize("pods", [[], None], ids=["reports none", "reports nothing"])
def test_a_runtime_without_pods_is_not_waited_for_for_ever(pods: list[Any] | None) -> None:
    async def whole() -> None:
        plane = ControlPlane(Options((), (), default_mesh_config(), Settings(), watch=False))
        await plane.read()
        running = asyncio.create_task(plane.run())
        if pods is not None:
            await objects.report(plane, pods)
        await plane.first_report(0.05 if pods is None else 20)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(whole(), 10))
