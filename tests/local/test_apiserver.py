"""Admission as a hook of the store: whose a Pod is, and what is shown of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from varka.local.apiserver.admission import Options
from varka.local.apiserver.apiserver import ApiServer
from varka.resources.check import check_object
from varka.resources.place import Place
from varka.store.source import SourceChange, Written
from varka.store.store import Store

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}


def written(value: dict[str, Any]) -> tuple[Written, ...]:
    resource, _, findings = check_object(value, "default")
    assert resource is not None, findings
    return ((resource, Place("f.yaml")),)


def running(restarts: int) -> dict[str, Any]:
    """The pod as the runtime reports it."""
    return {**POD, "status": {"podIP": "10.0.0.1", "containerStatuses": [{"restarts": restarts}]}}


def test_a_users_pod_stays_the_users_and_shows_what_the_runtime_says(tmp_path: Path) -> None:
    store, admit = Store(), ApiServer(tmp_path / "addresses.json", Options())
    (key,) = store.take("file", SourceChange(written(POD))).created
    admit(store)
    for restarts in range(3):
        store.take("runtime", SourceChange(written(running(restarts)), whole=True))
        admit(store)
        assert store.owner(key) == "file"
        assert store.document(key)["status"]["containerStatuses"] == [{"restarts": restarts}]
    assert store.take("file", SourceChange(drop=(key,))).deleted == (key,)
