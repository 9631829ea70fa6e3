"""From workload objects to pods, and from pods to what they run."""

from __future__ import annotations

from typing import Any

import pytest

from varka.base.names import ObjectKey
from varka.local.workload import workloads
from varka.local.workload.containers import Surroundings, contents, expand
from varka.local.workload.rollout import Present, Wanted, steps
from varka.local.workload.services import view
from varka.local.workload.workloads import PodPlan

OWNER = ObjectKey("apps", "Deployment", "default", "web")
SET = ObjectKey("apps", "StatefulSet", "default", "db")


def workload(
    kind: str,
    container: dict[str, Any] | None = None,
    template: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    pod = {
        "metadata": {"labels": {"app": "web"}, **(template or {})},
        "spec": {"containers": [{"name": "c", **(container or {})}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {"template": pod, **spec},
    }


def names(value: dict[str, Any]) -> list[str]:
    return [pod.name for pod in workloads.plan([value])]


def test_names_are_those_of_kubernetes() -> None:
    (pod,) = names(workload("Deployment"))
    assert len(pod.split("-")) == 3
    assert [len(part) for part in pod.split("-")[1:]] == [10, 5]
    assert names(workload("StatefulSet", replicas=3)) == ["web-0", "web-1", "web-2"]
    assert names(workload("Deployment", replicas=0)) == []
    assert len(names(workload("DaemonSet"))) == 1


def test_names_stay_while_the_template_does() -> None:
    two = names(workload("Deployment", replicas=2))
    assert two == names(workload("Deployment", replicas=3))[:2]
    assert not set(two) & set(names(workload("Deployment", {"image": "other"}, replicas=2)))


def test_pods_of_a_stateful_set_have_names_of_their_own() -> None:
    (pod,) = workloads.plan([workload("StatefulSet", serviceName="db")])
    assert (pod.spec.hostname, pod.spec.subdomain) == ("web-0", "db")


def plan(container: dict[str, Any], annotations: dict[str, str] | None = None) -> PodPlan:
    return workloads.plan([workload("Deployment", container, {"annotations": annotations or {}})])[
        0
    ]


def run(pod: PodPlan, images: dict[str, str] | None = None, services: tuple[Any, ...] = ()) -> Any:
    return contents(pod, "10.244.0.9", services, images or {}, Surroundings({"PATH": "/bin"}))


def test_an_annotation_names_the_program() -> None:
    pod = plan(
        {"args": ["ignored"], "env": [{"name": "P", "value": "80"}]},
        {"varka.dev/run.c": "serve --port $(P) 'two words'"},
    )
    (command,) = run(pod).commands
    assert command.argv == ("serve", "--port", "80", "two words")
    assert run(pod).stand_in is None


def test_a_table_names_the_program_of_an_image_and_arguments_follow() -> None:
    pod = plan({"image": "docker.io/kennethreitz/httpbin:1", "args": ["-v"]})
    for image in ("docker.io/kennethreitz/httpbin:1", "docker.io/kennethreitz/httpbin", "httpbin"):
        assert run(pod, {image: "bin --x"}).commands[0].argv == ("bin", "--x", "-v")


def test_otherwise_a_stand_in_listens_where_containers_and_services_say() -> None:
    service = {
        "metadata": {"name": "s"},
        "spec": {
            "selector": {"app": "web"},
            "ports": [{"name": "grpc-x", "port": 1, "targetPort": 7070}],
        },
    }
    pod = plan(
        {"ports": [{"containerPort": 8080, "name": "http"}]},
        {"varka.dev/calls": "http://a/, http://b/"},
    )
    stand_in = run(pod, services=(view(service),)).stand_in
    assert stand_in.ports == ((7070, "grpc"), (8080, "http"))
    assert stand_in.calls == ("http://a/", "http://b/")


def test_the_environment_knows_the_pod() -> None:
    env = [
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "URL", "value": "http://$(IP)/$(NO)/$$(IP)"},
    ]
    given = dict(run(plan({"env": env}, {"varka.dev/run.c": "x"})).commands[0].env)
    assert (given["IP"], given["APP"], given["URL"]) == (
        "10.244.0.9",
        "web",
        "http://10.244.0.9/$(NO)/$(IP)",
    )
    assert given["PATH"] == "/bin"


def test_expansion_leaves_unknown_names() -> None:
    assert expand("$(A)$(B)$$", {"A": "1"}) == "1$(B)$"


def wanted(revision: str = "2", owner: ObjectKey = OWNER, ordinal: int = 0) -> Wanted:
    return Wanted(revision, owner, ordinal)


@pytest.mark.parametrize(("ready", "stopped"), [(False, ()), (True, ("old",))])
def test_old_pods_stay_until_the_new_ones_are_ready(ready: bool, stopped: tuple[str, ...]) -> None:
    present = {"old": Present("1", OWNER, ready=True), "new": Present("2", OWNER, ready=ready)}
    assert steps({"new": wanted()}, present).stop == stopped
    assert steps({"new": wanted()}, {"old": present["old"]}).start == ("new",)


def test_pods_of_a_deleted_owner_stop_at_once() -> None:
    assert steps({}, {"old": Present("1", OWNER, ready=True)}).stop == ("old",)


def test_a_stateful_set_changes_one_at_a_time_from_the_end() -> None:
    want = {f"db-{n}": wanted("2", SET, n) for n in range(3)}
    present = {name: Present("1", SET, ready=True) for name in want}
    assert steps(want, present).stop == ("db-2",)
    present["db-2"] = Present("2", SET, ready=False)
    assert steps(want, present).stop == ()
    present["db-2"] = Present("2", SET, ready=True)
    assert steps(want, present).stop == ("db-1",)


def test_the_name_of_a_port_does_not_change_what_a_program_speaks() -> None:
    def service(name: str, port: str, target: int) -> Any:
        ports = [{"name": port, "port": 80, "targetPort": target}]
        return view(
            {"metadata": {"name": name}, "spec": {"selector": {"app": "web"}, "ports": ports}}
        )

    pod = plan({"ports": [{"containerPort": 8080, "name": "http"}]})
    alone = run(pod, services=(service("web", "http", 8080),)).stand_in
    wrong = run(
        pod, services=(service("web", "http", 8080), service("again", "tcp-web", 8080))
    ).stand_in
    assert alone.spoken == wrong.spoken == ((8080, ""),)
    assert run(pod, services=(service("db", "tcp", 3306),)).stand_in.spoken[0] == (3306, "mysql")
    assert run(pod, services=(service("db", "mysql", 99),)).stand_in.spoken[0] == (99, "mysql")
