"""Manifests in files that are saved, added, deleted and broken."""

import asyncio
from pathlib import Path

from varka.base.diagnostic import Severity
from varka.store.files import FileChange, Files

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: {port}}}]}}\n"


def names(change: FileChange) -> tuple[list[str], list[str]]:
    return [resource.name for resource, _ in change.put], [key.name for key in change.drop]


def test_only_changed_files_are_read_into_objects(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(SERVICE.format(name=name, port=80))
    files = Files([str(tmp_path)])
    assert names(files.refresh()) == (["a", "b"], [])
    (tmp_path / "b.yaml").write_text(SERVICE.format(name="b", port=81))
    assert names(files.refresh()) == (["b"], [])
    assert files.refresh().files == ()


def test_new_and_deleted_files_and_objects(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SERVICE.format(name="a", port=80) + "---\n" + SERVICE.format(name="b", port=80))
    files = Files([str(tmp_path)])
    files.refresh()
    (tmp_path / "a.yaml").write_text(SERVICE.format(name="a", port=80))
    (tmp_path / "c.yaml").write_text(SERVICE.format(name="c", port=80))
    assert names(files.refresh([str((tmp_path / n).resolve()) for n in ("a.yaml", "c.yaml")])) == (["a", "c"], ["b"])
    (tmp_path / "c.yaml").unlink()
    assert names(files.refresh([str((tmp_path / "c.yaml").resolve())])) == ([], ["c"])


def test_an_object_that_moves_to_another_file_is_not_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SERVICE.format(name="a", port=80))
    files = Files([str(tmp_path)])
    files.refresh()
    (tmp_path / "a.yaml").unlink()
    (tmp_path / "b.yaml").write_text(SERVICE.format(name="a", port=80))
    assert names(files.refresh()) == (["a"], [])


def test_a_broken_file_keeps_its_last_good_objects(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(SERVICE.format(name="a", port=80) + "---\n" + SERVICE.format(name="b", port=80))
    files = Files([str(tmp_path)])
    files.refresh()
    file.write_text("kind: [\n")
    change = files.refresh()
    assert names(change) == ([], [])
    assert [d.severity for d in change.diagnostics] == [Severity.ERROR]
    file.write_text(SERVICE.format(name="a", port=81) + "---\n" + SERVICE.format(name="b", port="x"))
    assert names(files.refresh()) == (["a"], [])


def test_a_saved_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SERVICE.format(name="a", port=80))
    files = Files([str(tmp_path)])
    files.refresh()

    async def first() -> FileChange:
        async with asyncio.timeout(10):
            changes = files.changes()
            task = asyncio.ensure_future(anext(changes))
            while not task.done():
                (tmp_path / "b.yaml").write_text(SERVICE.format(name="b", port=80))
                await asyncio.wait([task], timeout=0.2)
            return await task

    assert names(asyncio.run(first())) == (["b"], [])
