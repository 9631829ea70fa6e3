"""Workloads of kinds that nothing here runs."""

from __future__ import annotations

from typing import Any

import yaml

from varka.base.diagnostic import Severity
from varka.local.apiserver.not_run import not_run
from varka.resources.load import load
from varka.store.state import State

TEMPLATE = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}


def workload(version: str, kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "shop"}, "spec": spec}


def service(name: str, **selector: str) -> dict[str, Any]:
    spec = {"selector": selector, "ports": [{"name": "http", "port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


ROLLOUT = workload("argoproj.io/v1alpha1", "Rollout", template=TEMPLATE)
CRON = workload(
    "batch/v1", "CronJob", schedule="* * * * *", jobTemplate={"spec": {"template": TEMPLATE}}
)
DEPLOYMENT = workload(
    "apps/v1", "Deployment", selector={"matchLabels": {"app": "shop"}}, template=TEMPLATE
)


def state(*objects: dict[str, Any]) -> State:
    loaded = load([("shop.yaml", yaml.safe_dump_all(objects, sort_keys=False))])
    assert not [one for one in loaded.diagnostics if one.severity is Severity.ERROR]
    return State().updated((one, loaded.places[one.key]) for one in loaded.resources)


def test_services_that_find_no_pods_are_named_with_the_workload() -> None:
    (found,) = not_run(state(service("a", app="shop"), service("b", app="other"), ROLLOUT))
    assert (found.severity, found.object and found.object.kind) == (Severity.WARNING, "Rollout")
    assert "Service a" in found.message
    assert "b" not in found.message.split("Service ")[1]
    assert str(found.origin).startswith("shop.yaml:")
    assert found.origin is not None
    assert found.origin.line > 20


def test_a_cron_job_is_mentioned_and_other_workloads_keep_a_service() -> None:
    found = not_run(state(service("a", app="shop"), CRON, DEPLOYMENT))
    assert [(one.severity, one.object and one.object.kind) for one in found] == [
        (Severity.INFO, "CronJob")
    ]


def test_only_what_is_asked_for() -> None:
    everything = state(ROLLOUT, DEPLOYMENT)
    (key,) = (key for key in everything.resources if key.kind == "Deployment")
    assert not_run(everything, [key]) == []
    assert not_run(everything, list(everything.resources))
