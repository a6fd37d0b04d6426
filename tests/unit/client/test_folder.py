"""Packing a folder: the same files give the same bytes, and what stays at home does."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from podium.client.folder import folder_entries, pack_folder
from podium.client.ignore import is_ignored, rules_of
from podium.domain.errors import UserError


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def paths(folder: Path) -> list[str]:
    return [entry.path for entry in folder_entries(folder)]


def packed(folder: Path) -> bytes:
    with pack_folder(folder) as archive:
        return archive.read()


def test_times_owners_and_order_leave_no_trace(tmp_path: Path) -> None:
    names = {"b.py": "b", "a/z.py": "z", "a.txt": "a"}
    one = fill(tmp_path / "one", names)
    two = fill(tmp_path / "two", dict(reversed(names.items())))
    os.utime(two / "b.py", (1, 1))
    (two / "a.txt").chmod(0o600)
    assert packed(one) == packed(two)
    (two / "b.py").chmod(0o755)
    assert packed(one) != packed(two)


def test_the_archive_holds_the_files(tmp_path: Path) -> None:
    fill(tmp_path, {"run.sh": "echo", "data/x": "1", "data/ü": "2"})
    (tmp_path / "run.sh").chmod(0o750)
    (tmp_path / "link").symlink_to("data/x")
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path))) as tar:
        assert tar.getnames() == ["data/x", "data/ü", "link", "run.sh"]
        assert tar.getmember("run.sh").mode == 0o755
        assert tar.getmember("link").linkname == "data/x"
        member = tar.extractfile("data/ü")
        assert member is not None
        assert member.read() == b"2"


def test_ignore_files_are_honoured_folder_by_folder(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            ".gitignore": "*.log\n/build/\n!keep.log\n",
            ".podiumignore": "data\n",
            ".git/config": "",
            "sub/__pycache__/x.pyc": "",
            "a.log": "",
            "keep.log": "",
            "build/x": "",
            "sub/build/x": "",
            "sub/data/big": "",
            "sub/.gitignore": "*.tmp\n!a.log\n",
            "sub/a.log": "",
            "sub/b.tmp": "",
            "c.tmp": "",
        },
    )
    assert paths(tmp_path) == [
        ".gitignore",
        ".podiumignore",
        "c.tmp",
        "keep.log",
        "sub/.gitignore",
        "sub/a.log",
        "sub/build/x",
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "folder", "ignored"),
    [
        ("*.py", "a/b.py", False, True),
        ("a/*.py", "a/b.py", False, True),
        ("a/*.py", "a/b/c.py", False, False),
        ("a/**/c.py", "a/b/x/c.py", False, True),
        ("a/**", "a/b/c", False, True),
        ("**/x", "x", False, True),
        ("x/", "x", False, False),
        ("x/", "x", True, True),
        ("/x", "a/x", False, False),
        ("[ab].txt", "a.txt", False, True),
        ("[!ab].txt", "a.txt", False, False),
        ("[!ab].txt", "c.txt", False, True),
        ("a?c", "abc", False, True),
        ("a?c", "a/c", False, False),
        (r"\#x", "#x", False, True),
        ("# x", "# x", False, False),
        ("a[", "a[", False, True),
        (r"a\*", "a*", False, True),
        (r"a\*", "ab", False, False),
    ],
)
def test_patterns(pattern: str, path: str, folder: bool, ignored: bool) -> None:
    assert is_ignored(path, folder=folder, rules=rules_of(pattern)) is ignored


def test_what_is_too_large_is_named(tmp_path: Path) -> None:
    fill(tmp_path, {"weights.bin": "x" * 5000, "a.py": "x"})
    with pytest.raises(UserError, match=r"weights\.bin") as raised:
        folder_entries(tmp_path, bytes_max=4000)
    assert ".podiumignore" in raised.value.faults[0].remedy


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    for target in ("/etc/passwd", "../outside"):
        link = tmp_path / "link"
        link.symlink_to(target)
        with pytest.raises(UserError, match="outside the folder"):
            folder_entries(tmp_path)
        link.unlink()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        folder_entries(tmp_path / "none")
    with pytest.raises(UserError, match="is not a folder"):
        folder_entries(fill(tmp_path, {"f": ""}) / "f")


def test_pipes_are_left_out_and_progress_is_told(tmp_path: Path) -> None:
    fill(tmp_path, {"a": "12", "b": "345"})
    os.mkfifo(tmp_path / "pipe")
    told: list[tuple[int, int]] = []
    pack_folder(tmp_path, progress=lambda done, total: told.append((done, total))).close()
    assert told == [(2, 5), (5, 5)]
