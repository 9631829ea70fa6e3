"""What saved, new, broken and deleted files mean for the objects."""

import asyncio
from pathlib import Path
from unittest.mock import patch

from varka.store.files import FileChange, Files

GOOD = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: PORT}]}\n"


def service(name: str, port: int = 80) -> str:
    return GOOD.replace("NAME", name).replace("PORT", str(port))


def told(change: FileChange) -> tuple[list[str], list[str]]:
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
    assert files.diagnostics[str(file)] == ()


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


def test_a_saved_file_is_noticed(tmp_path: Path) -> None:
    async def watch() -> FileChange:
        files = Files([str(tmp_path)])
        files.refresh()
        changes = files.changes()
        first = asyncio.ensure_future(anext(changes))
        number = 0
        while (
            not first.done()
        ):  # The watcher begins at some moment that nobody tells: save until it sees one.
            number += 1
            (tmp_path / "a.yaml").write_text(service("a", number))
            await asyncio.wait([first], timeout=0.1)
        await changes.aclose()  # type: ignore[attr-defined]
        return first.result()

    change = asyncio.run(asyncio.wait_for(watch(), 10))
    assert told(change) == (["a"], [])
