"""What saved, new, broken and deleted files mean for the objects."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from unittest.mock import patch

import pytest

from varka.base.diagnostic import Origin
from varka.resources.load import Part, load_text
from varka.store.files import Files
from varka.store.source import SourceChange
from varka.store.texts import read

GOOD = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: PORT}]}\n"


def service(name: str, port: int = 80) -> str:
    return GOOD.replace("NAME", name).replace("PORT", str(port))


def told(change: SourceChange) -> tuple[list[str], list[str]]:
    return [r.name for r, _ in change.put], [key.name for key in change.drop]


def test_only_files_with_other_content_are_read_again(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(service(name))
    files = Files([str(tmp_path)])
    assert told(files.refresh()) == (["a", "b"], [])
    (tmp_path / "b.yaml").write_text(service("b", 81))
    assert told(files.refresh()) == (["b"], [])
    assert told(files.refresh()) == ([], [])


def test_an_object_that_left_its_file_is_dropped_and_one_that_moved_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(service("a") + "---\n" + service("b"))
    files = Files([str(tmp_path)])
    files.refresh()
    (tmp_path / "a.yaml").write_text(service("a"))
    (tmp_path / "c.yaml").write_text(service("c"))
    assert told(files.refresh())[1] == ["b"]
    (tmp_path / "c.yaml").unlink()
    (tmp_path / "d.yaml").write_text(service("c"))
    assert told(files.refresh())[1] == []
    (tmp_path / "d.yaml").unlink()
    assert told(files.refresh())[1] == ["c"]


def test_a_broken_file_keeps_its_objects_and_says_where_it_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(service("a"))
    files = Files([str(tmp_path)])
    files.refresh()
    file.write_text(service("a").replace("{name: a}", "{name: a"))
    change = files.refresh()
    assert change.drop == ()
    assert [(d.origin.file, d.origin.line) for d in change.diagnostics if d.origin] == [
        (str(file), 4)
    ]
    file.write_text(service("b"))
    assert told(files.refresh()) == (["b"], ["a"])
    assert files.diagnostics == ()


def test_what_came_and_went_is_found_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(service("a"))
    files = Files([str(tmp_path)])
    files.refresh()
    new, hidden = tmp_path / "b.yaml", tmp_path / ".c.yaml"
    new.write_text(service("b"))
    hidden.write_text(service("c"))
    with patch(
        "varka.store.files.expand", side_effect=AssertionError("looked through all folders")
    ):
        assert told(files.refresh([str(new), str(tmp_path / "a.yaml~")])) == (["b"], [])
        new.unlink()
        assert told(files.refresh([str(new)])) == ([], ["b"])
    assert told(files.refresh([str(hidden)])) == ([], [])


def test_a_folder_that_moves_takes_its_files_along(tmp_path: Path) -> None:
    (watched := tmp_path / "watched").mkdir()
    (folder := tmp_path / "folder").mkdir()
    (folder / "a.yaml").write_text(service("a"))
    files = Files([str(watched)])
    files.refresh()
    inside = folder.rename(watched / "inside")
    assert told(files.refresh([str(inside)])) == (["a"], [])
    inside.rename(tmp_path / "away")
    assert told(files.refresh([str(inside)])) == ([], ["a"])


def watched(source: Files, *saves: Callable[[], object]) -> list[SourceChange]:
    """The first reading, then what follows each save; a save is made as soon as the change before
    it is there."""

    async def whole() -> list[SourceChange]:
        changes = source.changes()
        found = [await anext(changes)]
        for save in saves:
            save()
            found.append(await anext(changes))
        return found

    return asyncio.run(asyncio.wait_for(whole(), 10))


def test_a_saved_file_is_noticed_from_the_first_reading_on(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(service("a"))
    first, second, third = watched(
        Files([str(tmp_path)]), lambda: file.write_text(service("a", 81)), file.unlink
    )
    assert [told(change) for change in (first, second, third)] == [
        (["a"], []),
        (["a"], []),
        ([], ["a"]),
    ]


def test_what_is_saved_while_the_files_are_read_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, saves = tmp_path / "a.yaml", iter(range(81, 83))
    file.write_text(service("a"))

    def reading(names: Iterable[str]) -> object:
        found = read(names)
        file.write_text(service("a", next(saves, 82)))
        return found

    with monkeypatch.context() as patched:
        patched.setattr("varka.store.files.read", reading)
        first, second = watched(Files([str(file)]), lambda: None)
    ports = [change.put[0][0].spec.spec.ports[0].port for change in (first, second)]
    assert ports == [80, 81]


def test_a_bug_in_checking_a_file_is_told_and_leaves_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, good = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text(service("a"))

    def broken(name: str, text: str) -> Part:
        if "broken" in text:
            raise RecursionError("a bug")
        return load_text(name, text)

    def save() -> None:
        good.write_text(service("b"))
        file.write_text("broken: 1")

    monkeypatch.setattr("varka.store.files.load_text", broken)
    source = Files([str(tmp_path)])
    _, second = watched(source, save)
    if len(second.files) == 1:
        second = source.refresh()
    assert second.drop == ()
    assert [(d.code, d.origin) for d in source.diagnostics] == [("V0012", Origin(str(file)))]


def test_without_a_watch_it_is_read_once(tmp_path: Path) -> None:
    async def whole() -> int:
        return len([change async for change in Files([str(tmp_path)], watch=False).changes()])

    assert asyncio.run(asyncio.wait_for(whole(), 10)) == 1
