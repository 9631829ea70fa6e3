"""Which files a path means."""

from pathlib import Path

from varka.store.texts import read


def test_directories_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/c.yml", "a/d.json", "e.txt", ".hidden/x.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    texts, diagnostics = read([str(tmp_path)])
    assert [text for _, text in texts] == ["a/c.yml", "a/d.json", "b.yaml"]
    assert not diagnostics


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    texts, diagnostics = read([str(tmp_path / "none.yaml"), str(tmp_path / "bytes.yaml")])
    assert not texts
    assert [d.code for d in diagnostics] == ["V0001", "V0001"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    assert len(read([str(tmp_path / "a.yaml"), str(tmp_path)])[0]) == 1
