"""What writes do to the state: identity, owners, creation times."""

from datetime import UTC, datetime
from pathlib import Path

from varka.resources.load import load
from varka.store.store import Births, Store, Written


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
