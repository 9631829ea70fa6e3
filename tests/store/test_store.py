"""The store: who wrote what, what stays the same object, ages that survive."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from varka.base.diagnostic import Origin
from varka.base.names import ObjectKey
from varka.resources.load import load
from varka.resources.resource import Resource
from varka.store.store import Births, Change, Store

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: {port}}}]}}\n"
KEY = ObjectKey("", "Service", "default", "a")


def read(text: str, file: str = "a.yaml") -> list[tuple[Resource[Any], Origin]]:
    loaded = load([(file, text)])
    return [(resource, loaded.origins[resource.key]) for resource in loaded.resources]


def write(store: Store, source: str, text: str) -> Change:
    return store.write(source, read(text))


def test_equal_content_keeps_the_object_and_a_moved_line_only_its_place() -> None:
    store = Store()
    write(store, "file", SERVICE.format(name="a", port=80))
    first = store.state
    assert not write(store, "file", SERVICE.format(name="a", port=80))
    assert store.state is first
    assert not write(store, "file", "# moved\n" + SERVICE.format(name="a", port=80))
    assert store.state.resources[KEY] is first.resources[KEY]
    assert store.state.of("Service") is first.of("Service")
    assert store.state.origins[KEY].line == 2


def test_a_change_says_what_it_did() -> None:
    store = Store()
    assert write(store, "file", SERVICE.format(name="a", port=80)).created == (KEY,)
    assert write(store, "file", SERVICE.format(name="a", port=81)).configured == (KEY,)
    assert store.write("file", (), [KEY]).deleted == (KEY,)
    assert store.state.of("Service") == ()


def test_the_last_writer_owns_an_object() -> None:
    store = Store()
    write(store, "file", SERVICE.format(name="a", port=80))
    write(store, "apply", SERVICE.format(name="a", port=81))
    assert store.owner(KEY) == "apply"
    assert not store.write("file", (), [KEY])
    assert store.replace("apply", ()).deleted == (KEY,)


def test_ages_survive_a_restart(tmp_path: Path) -> None:
    def store(day: int) -> Store:
        return Store(Births(tmp_path / "births.json", lambda: datetime(2026, 1, day, tzinfo=UTC)))

    first = store(1)
    write(first, "file", SERVICE.format(name="a", port=80))
    second = store(2)
    write(second, "file", SERVICE.format(name="a", port=81) + "---\n" + SERVICE.format(name="b", port=80))
    assert [(r.name, r.created) for r in second.state.of("Service")] == [
        ("a", "2026-01-01T00:00:00Z"),
        ("b", "2026-01-02T00:00:00Z"),
    ]
