"""Delta xDS and virtual hosts that travel alone, as a real Envoy takes them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.sandbox import AGENT, Plain, Sandbox, door, expected, sandbox, until

from varka.controlplane.status import proxies
from varka.envoy.resource import TypeUrl
from varka.envoy.routes.sidecar import VHDS_FROM

pytestmark = pytest.mark.e2e

LARGE = VHDS_FROM + 88
ROUTE = "80"
CDS, EDS, VHDS = TypeUrl.CLUSTER, TypeUrl.ENDPOINTS, TypeUrl.VIRTUAL_HOST
BAD = "(a{500}){500}"
"""RE2 refuses it; Python, which checks it beforehand, does not."""
Play = Callable[[Sandbox], Awaitable[None]]
Run = Callable[[Play, list[Plain]], None]


def service(number: int, port: int = 80) -> Plain:
    ports = [{"name": "http", "port": port, "targetPort": AGENT[0]}]
    spec = {
        "clusterIP": f"10.0.{number // 250}.{number % 250 + 1}",
        "selector": {"app": f"s{number}"},
        "ports": ports,
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{number}"}, "spec": spec}


def services(count: int, first: int = 0, port: int = 80) -> list[Plain]:
    return [service(number, port) for number in range(first, first + count)]


def pods(number: int, *versions: str) -> list[Plain]:
    """Of a service, one of each version."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"s{number}-{version}",
                "labels": {"app": f"s{number}", "version": version},
            },
            "spec": {"containers": [{"name": "app"}]},
            "status": {
                "podIP": f"10.9.{number}.{at}",
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }
        for at, version in enumerate(versions, 1)
    ]


def rule(kind: str, number: int, spec: Plain) -> Plain:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": f"s{number}"},
        "spec": spec,
    }


def says(number: int, text: str, **match: Any) -> Plain:
    """What the client's own Envoy answers for a service."""
    route = {"directResponse": {"status": 200, "body": {"string": text}}, **match}
    return rule("VirtualService", number, {"hosts": [f"s{number}"], "http": [route]})


def matching(regex: str) -> Plain:
    return {"match": [{"uri": {"regex": regex}}]}


def weights(number: int, split: dict[str, int]) -> Plain:
    route = [
        {"destination": {"host": f"s{number}", "subset": name}, "weight": weight}
        for name, weight in split.items()
    ]
    return rule("VirtualService", number, {"hosts": [f"s{number}"], "http": [{"route": route}]})


def subsets(number: int, versions: dict[str, str], **spec: Any) -> Plain:
    listed = [{"name": name, "labels": {"version": version}} for name, version in versions.items()]
    return rule("DestinationRule", number, {"host": f"s{number}", "subsets": listed, **spec})


def host_of(number: int, port: int = 80) -> str:
    return f"{port}/s{number}.default.svc.cluster.local:{port}"


@pytest.fixture
def run() -> Iterator[Run]:
    """Plays a scenario in a mesh of these objects, when Envoy has it all."""
    folder = Path(tempfile.mkdtemp(prefix="vk"))

    def scenario(play: Play, objects: list[Plain]) -> None:
        async def whole() -> None:
            async with sandbox(folder, [*objects, door(ROUTE, folder / "door.sock")]) as box:
                await play(box)

        asyncio.run(asyncio.wait_for(whole(), 90))

    yield scenario
    shutil.rmtree(folder)


async def check(box: Sandbox, route: str = ROUTE) -> None:
    """Envoy has exactly what its view says, and nothing waits or waited until its time was up."""
    assert await box.virtual_hosts(route) == expected(box.view, route)
    assert await box.clusters() == {r.name for r in box.view.of(CDS)}
    assert await box.stat("listener_manager.total_listeners_warming") == 0
    assert await box.stat("cluster_manager.warming_clusters") == 0
    assert await box.stat(".*init_fetch_timeout") == 0


def alone(box: Sandbox) -> int:
    return sum(1 for _ in box.view.of(VHDS))


def test_the_route_configuration_comes_first_and_its_virtual_hosts_once(run: Run) -> None:
    async def play(box: Sandbox) -> None:
        await check(box)
        assert box.sent()[VHDS] == alone(box) == LARGE
        assert await box.stat(".*rds.vhds.80.update_success") == 1
        assert await box.ask("s1") == (200, "one")

    run(play, [*services(LARGE), says(1, "one")])


def test_one_changed_weight_sends_one_virtual_host(run: Run) -> None:
    async def play(box: Sandbox) -> None:
        before, sent = await box.received(), box.sent()
        outcome = await box.apply(weights(1, {"v1": 90, "v2": 10}))
        assert box.sent() - sent == {VHDS: 1}
        assert 0 < outcome.bytes_sent["vhds"] <= await box.received() - before < 2000
        assert sum(outcome.bytes_sent.values()) == outcome.bytes_sent["vhds"]
        await check(box)

    run(
        play,
        [*services(1000), subsets(1, {"v1": "v1", "v2": "v2"}), weights(1, {"v1": 50, "v2": 50})],
    )


def test_a_removed_service_leaves_nothing_behind(run: Run) -> None:
    async def play(box: Sandbox) -> None:
        before, sent = await box.received(), box.sent()
        await box.delete(service(1), says(1, ""))
        assert host_of(1) not in await box.virtual_hosts(ROUTE)
        assert box.sent() == sent
        assert await box.received() - before < 2000
        await check(box)

    run(play, [*services(LARGE), says(1, "one")])


def test_a_reconnect_of_an_up_to_date_proxy_sends_nothing(run: Run) -> None:
    objects = [*services(LARGE), says(1, "one"), *pods(2, "v1", "v2")]

    async def play(box: Sandbox) -> None:
        before = await box.received()
        async with box.asking("s1") as seen:
            await box.restart([*objects, door(ROUTE, box.folder / "door.sock")])
        assert box.asked >= {CDS, EDS, VHDS}
        assert not box.sent()
        assert await box.received() - before < 1000
        assert seen.keys() == {200}
        await check(box)
        await box.apply(says(1, "uno"))
        assert await box.ask("s1") == (200, "uno")

    run(play, objects)


def test_a_reconnect_brings_what_changed_meanwhile_and_nothing_else(run: Run) -> None:
    objects = [*services(LARGE), says(1, "one"), says(2, "two")]

    async def play(box: Sandbox) -> None:
        before = await box.received()
        kept = [o for o in objects if o["metadata"]["name"] not in ("s1", "s3")]
        changed = [service(1), says(1, "uno"), service(LARGE)]
        await box.restart([*kept, *changed, door(ROUTE, box.folder / "door.sock")])
        assert box.sent() == {CDS: 1, EDS: 1, VHDS: 2}
        assert await box.received() - before < 4000
        hosts = await box.virtual_hosts(ROUTE)
        assert (host_of(3) in hosts, host_of(LARGE) in hosts) == (False, True)
        assert [await box.ask("s1"), await box.ask("s2")] == [(200, "uno"), (200, "two")]
        await check(box)

    run(play, objects)


def test_a_rejected_virtual_host_keeps_no_other_back(run: Run) -> None:
    async def play(box: Sandbox) -> None:
        outcome = await box.apply(says(1, "uno"), says(2, "bad", **matching(BAD)), says(3, "tres"))
        ((_, rejection),) = outcome.rejections
        assert rejection.resource.name == host_of(2)
        (told,) = (e for e in box.plane.events.since(0) if e["event"] == "rejected")
        assert [(o["kind"], o["name"], o["origin"]) for o in told["objects"]] == [
            ("VirtualService", "s2", "test")
        ]
        assert [await box.ask(f"s{n}") for n in (1, 2, 3)] == [
            (200, "uno"),
            (200, "two"),
            (200, "tres"),
        ]
        assert proxies(box.plane.hub)[0]["types"]["VHDS"] == "ERROR"
        sent = box.sent()
        await box.apply(says(3, "drei"))
        assert box.sent() - sent == {VHDS: 1}
        await box.apply(says(2, "dos"))
        assert await box.ask("s2") == (200, "dos")
        await check(box)

    run(
        play,
        [*services(LARGE), *(says(n, text) for n, text in ((1, "one"), (2, "two"), (3, "three")))],
    )


def test_a_virtual_host_rejected_from_the_start_is_the_only_one_that_is_missing(run: Run) -> None:
    async def play(box: Sandbox) -> None:
        found = await box.virtual_hosts(ROUTE)
        assert expected(box.view, ROUTE).keys() - found.keys() == {host_of(2)}
        assert await box.ask("s1") == (200, "one")
        sent = box.sent()
        # Each half once more, until the bad one is alone.
        assert sent[VHDS] <= 3 * LARGE
        await box.apply(says(1, "uno"))
        assert box.sent() - sent == {VHDS: 1}
        await box.apply(says(2, "two"))
        await check(box)

    run(play, [*services(LARGE), says(1, "one"), says(2, "bad", **matching(BAD))])


@pytest.mark.parametrize("small_first", [True, False])
def test_a_route_configuration_keeps_its_form_while_a_proxy_has_it(
    run: Run, small_first: bool
) -> None:
    few, more = services(VHDS_FROM - 1), services(2, VHDS_FROM - 1)
    objects = [*few, says(1, "0")] if small_first else [*few, *more, says(1, "0")]

    async def play(box: Sandbox) -> None:
        async def see(text: str) -> None:
            await box.apply(says(1, text))
            assert await box.ask("s1") == (200, text)
            assert ("vhds" in (await box.routes())[ROUTE]) == bool(alone(box)) == (not small_first)
            await check(box)

        async with box.asking("s1") as seen:
            await see("1")
            for text in ("2", "3"):
                if small_first:
                    await box.apply(*more)
                else:
                    await box.delete(*more)
                await see(text)
                # The new control plane knows the form only from what Envoy brings along.
                here = [
                    *few,
                    *(more if small_first else ()),
                    says(1, text),
                    door(ROUTE, box.folder / "door.sock"),
                ]
                await box.restart(here)
                assert not box.sent()
                if small_first:
                    await box.delete(*more)
                else:
                    await box.apply(*more)
                await see(text + "again")
        assert seen.keys() == {200}

    run(play, objects)


def test_a_further_large_port_comes_and_goes_and_comes(run: Run) -> None:
    other = services(LARGE, LARGE, 8080)

    async def play(box: Sandbox) -> None:
        for text in ("one", "uno"):
            sent = box.sent()
            await box.apply(*other)
            await until(box.in_sync)
            assert box.sent()[VHDS] - sent[VHDS] == LARGE
            await box.apply(says(LARGE, text))
            assert text in str((await box.virtual_hosts("8080"))[host_of(LARGE, 8080)])
            await check(box, "8080")
            await box.delete(*other, says(LARGE, text))
            await until(
                lambda: gone(box), "Envoy keeps a route configuration that no listener names"
            )
            await check(box)

    async def gone(box: Sandbox) -> bool:
        return "8080" not in await box.routes()

    run(play, services(LARGE))


def test_no_request_fails_while_subsets_change(run: Run) -> None:
    path = AGENT[1]

    async def play(box: Sandbox) -> None:
        assert (await box.ask("s1", path))[0] == 200
        async with box.asking("s1", path) as seen:
            for turn in range(6):
                names = {f"first{turn}": "v1", f"second{turn}": "v2"}
                policy = {
                    "trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": f"{turn + 1}s"}}}
                }
                sent = box.sent()
                outcome = await box.apply(
                    subsets(1, names, **policy), weights(1, dict.fromkeys(names, 50))
                )
                # The service's own cluster changed, its subsets are new: each with its endpoints,
                # at once.
                assert box.sent() - sent == {CDS: 3, EDS: 3, VHDS: 1}
                assert outcome.took_ms < 5000
                await until(box.in_sync)
                await check(box)
        assert seen.keys() == {200}

    names = {"v1": "v1", "v2": "v2"}
    run(
        play,
        [
            *services(LARGE),
            *pods(1, "v1", "v2"),
            subsets(1, names),
            weights(1, dict.fromkeys(names, 50)),
        ],
    )


def test_changes_faster_than_envoy_answers_lose_nothing(run: Run) -> None:
    async def play(box: Sandbox) -> None:
        for turn in range(30):
            number = turn % 5
            versions = {f"v{turn}": "v1", "always": "v2"}
            await box.write(
                [
                    says(10, str(turn)),
                    subsets(number, versions),
                    weights(number, dict.fromkeys(versions, 50)),
                ]
            )
            if turn % 3 == 0:
                resources, gone = box.plane.store.state.resources, f"s{20 + turn}"
                await box.plane.delete([key for key in resources if key.name == gone])
            await box.write([service(LARGE + turn)])
            # Some come together in one push, most while responses of the one before are on their
            # way.
            await asyncio.sleep(0.004 * (turn % 4))
        await box.apply(says(10, "last"))
        await until(box.in_sync)
        assert await box.ask("s10") == (200, "last")
        hosts = await box.virtual_hosts(ROUTE)
        assert host_of(LARGE + 29) in hosts
        assert not any(host_of(20 + turn) in hosts for turn in range(0, 30, 3))
        await check(box)

    run(play, services(LARGE))
