"""What writes do to the state: identity, owners, creation times."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from varka.resources.check import check_object
from varka.resources.load import load
from varka.resources.place import Place
from varka.store.source import Written
from varka.store.store import Births, Store


def service(name: str, address: str = "10.0.0.1", file: str = "a.yaml") -> list[Written]:
    text = (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{clusterIP: {address},"
        " ports: [{port: 80}]}\n"
    )
    loaded = load([(file, text)])
    return [(r, loaded.places[r.key]) for r in loaded.resources]


def names(store: Store) -> list[str]:
    return [r.name for r in store.state.of("Service")]


def test_equal_content_keeps_the_object_and_tells_no_change() -> None:
    store = Store()
    first = store.write("file", service("a"))
    state = store.state
    assert [k.name for k in first.created] == ["a"]
    assert not store.write("file", service("a"))
    assert store.state.of("Service") is state.of("Service")
    assert [k.name for k in store.write("file", service("a", "10.0.0.2")).configured] == ["a"]


def test_the_last_writer_owns_an_object() -> None:
    store = Store()
    store.write("file", service("a"))
    (key,) = store.state.resources
    store.write("apply", service("a", "10.0.0.2"))
    assert store.owner(key) == "apply"
    assert not store.write("file", (), [key])
    assert names(store) == ["a"]
    assert store.delete([key]).deleted == (key,)
    assert (names(store), store.owner(key)) == ([], "")


def test_replacing_a_source_leaves_the_others_alone() -> None:
    store = Store()
    store.write("file", service("a"))
    store.replace("runtime", service("b") + service("c"))
    change = store.replace("runtime", service("c"))
    assert [k.name for k in change.deleted] == ["b"]
    assert names(store) == ["a", "c"]


def test_creation_times_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "times.json"
    Store(Births(file, lambda: datetime(2026, 1, 1, tzinfo=UTC))).write("file", service("a"))
    later = Store(Births(file, lambda: datetime(2026, 2, 2, tzinfo=UTC)))
    later.write("file", service("a") + service("b"))
    assert [(r.name, r.created) for r in later.state.of("Service")] == [
        ("a", "2026-01-01T00:00:00Z"),
        ("b", "2026-02-02T00:00:00Z"),
    ]


def test_broken_creation_times_are_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "times.json"
    file.write_text('{"a": 1')
    births = Births(file, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    store = Store(births)
    store.write("file", service("a"))
    assert store.state.of("Service")[0].created == "2026-01-01T00:00:00Z"
    file.unlink()
    tmp_path.joinpath("times.new").mkdir()
    assert store.write("file", service("b")).created


def test_without_births_objects_are_equally_old() -> None:
    store = Store()
    store.write("file", service("a"))
    assert store.state.of("Service")[0].created == ""


def test_an_amended_object_is_still_what_its_owner_wrote() -> None:
    store = Store()
    store.write("file", service("a"))
    ((amended, _),) = service("a", "10.0.0.9")
    store.amend([amended])
    assert store.state.resources[amended.key] is amended
    assert not store.write("file", service("a"))
    assert store.state.resources[amended.key] is amended
    assert store.write("file", service("a", "10.0.0.2")).configured == (amended.key,)


POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "status": {
        "podIP": "10.0.0.1",
        "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": "1"}],
        "containerStatuses": [{"restartCount": 0}],
    },
}


def pod(**status: Any) -> list[Written]:
    """The pod with another status."""
    raw = {**POD, "status": {**POD["status"], **status}}
    resource, _, findings = check_object(raw, "default")
    assert resource is not None, findings
    return [(resource, Place("pods"))]


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        ({"containerStatuses": [{"restartCount": 1}]}, False),
        ({"conditions": [{"type": "Ready", "status": "True", "lastProbeTime": "2"}]}, False),
        ({"conditions": [{"type": "Ready", "status": "False"}]}, True),
        ({"podIP": "10.0.0.2"}, True),
        ({"phase": "Failed"}, True),
    ],
)
def test_of_a_pods_status_counts_what_is_read(status: dict[str, Any], changes: bool) -> None:
    store = Store()
    (key,) = store.write("runtime", pod()).created
    before = store.state
    assert bool(store.write("runtime", pod(**status))) is changes
    assert (store.state is not before) is changes
    assert status.items() <= store.document(key)["status"].items()


def test_a_shown_object_has_what_was_filled_in_and_the_newest_status() -> None:
    store = Store()
    store.write("file", service("a"))
    ((amended, _),) = service("a", "10.0.0.9")
    store.amend([amended])
    ((newer, place),) = service("a")
    raw = {**newer.raw, "metadata": {"name": "a", "resourceVersion": "7"}, "status": {"x": 1}}
    assert not store.write("file", [(replace(newer, raw=raw), place)])
    shown = store.document(amended.key)
    assert shown["spec"]["clusterIP"] == "10.0.0.9"
    assert (shown["metadata"]["resourceVersion"], shown["status"]) == ("7", {"x": 1})
