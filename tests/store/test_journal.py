"""Applied objects outlive the process that was told of them."""

from pathlib import Path

from varka.resources.load import load
from varka.store.journal import Journal
from varka.store.store import Store

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: PORT}]}\n"


def write(store: Store, journal: Journal, source: str, name: str, port: int = 80) -> None:
    loaded = load(
        [("a.yaml", SERVICE.replace("NAME", name).replace("PORT", str(port)))], namespace="shop"
    )
    change = store.write(source, [(r, loaded.places[r.key]) for r in loaded.resources])
    journal.note((key, store.written("apply", key)) for key in change.keys)


def held(file: Path) -> list[tuple[str, str, int, str]]:
    return [
        (r.namespace, r.name, r.raw["spec"]["ports"][0]["port"], place.file)
        for r, place in Journal(file).read()
    ]


def test_it_holds_what_was_applied_and_neither_deleted_nor_written_by_another(
    tmp_path: Path,
) -> None:
    (file := tmp_path / "journal").touch()
    store, journal = Store(), Journal(file)
    for name in ("a", "b", "c"):
        write(store, journal, "apply", name)
    write(store, journal, "apply", "a", 81)
    write(store, journal, "file", "b", 82)
    write(store, journal, "file", "d")
    change = store.delete([key for key in store.state.resources if key.name == "c"])
    journal.note((key, store.written("apply", key)) for key in change.keys)
    assert held(file) == [("shop", "a", 81, "a.yaml")]


def test_a_line_that_was_not_finished_was_not_written(tmp_path: Path) -> None:
    (file := tmp_path / "journal").touch()
    store, journal = Store(), Journal(file)
    write(store, journal, "apply", "a")
    with file.open("ab") as torn:
        torn.write(b'{"key": ["", "Serv')
    assert [name for _, name, *_ in held(file)] == ["a"]
    write(store, journal, "apply", "b")
    assert [name for _, name, *_ in held(file)] == ["a", "b"]
