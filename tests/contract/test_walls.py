"""The parts of isolation by themselves: who gets which user, which walls can be had, what is
deleted, and which devices are closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.harness import LEVEL
from podium.domain.errors import PermanentError, UserError
from podium.engines.local.device_files import device_files_others
from podium.engines.local.owners import Owners
from podium.engines.local.removal import folders_remove
from podium.engines.local.walls import UIDS_DEFAULT, Level, uids_read, walls_found
from requirement import require

PROJECTS = st.text("abcdefgh-", min_size=1, max_size=6)


@settings(deadline=None)
@given(asked=st.lists(st.one_of(PROJECTS, st.none()), max_size=30), first=st.integers(1, 2**31))
def test_a_user_belongs_to_one_project_for_good(asked: list[str | None], first: int) -> None:
    """None: the server is started anew."""
    with tempfile.TemporaryDirectory() as folder:
        path, uids = Path(folder, "owners.json"), range(first, first + 12)
        owners, known = Owners(path, uids), dict[str, int]()
        for project in asked:
            if project is None:
                owners = Owners(path, uids)
                continue
            try:
                uid = owners.uid(project)
            except PermanentError:
                assert project not in known
                continue
            assert known.setdefault(project, uid) == uid
        assert len(set(known.values())) == len(known)
        assert set(known.values()) <= set(uids)


def test_machines_agree_on_users(tmp_path: Path) -> None:
    names = [f"project-{number}" for number in range(40)]
    one, other = Owners(tmp_path / "a", UIDS_DEFAULT), Owners(tmp_path / "b", UIDS_DEFAULT)
    assert [one.uid(each) for each in names] == [other.uid(each) for each in reversed(names)][::-1]


def test_a_full_range_says_so(tmp_path: Path) -> None:
    owners = Owners(tmp_path / "owners.json", range(300_000, 300_002))
    assert {owners.uid("a"), owners.uid("b")} == {300_000, 300_001}
    with pytest.raises(PermanentError, match="--isolation-uids"):
        owners.uid("c")
    assert json.loads((tmp_path / "owners.json").read_bytes()).keys() == {"a", "b"}


@pytest.mark.parametrize("text", ["", "5", "a-b", "0-10", "3000-2000", "1000-4294967295"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="isolation-uids"):
        uids_read(text)
    assert uids_read("200000-265535") == UIDS_DEFAULT


def test_what_cannot_be_had_is_refused_with_the_reason(tmp_path: Path) -> None:
    assert walls_found(tmp_path, "none").level is Level.NONE
    with pytest.raises(UserError, match="auto, users, namespaces or none"):
        walls_found(tmp_path, "containers")
    other = Level.NAMESPACES if os.geteuid() == 0 else Level.USERS
    with pytest.raises(UserError, match="root"):
        walls_found(tmp_path, other)
    assert list(tmp_path.iterdir()) == [], "the trial leaves nothing behind"


def test_walls_are_tried_for_real(tmp_path: Path) -> None:
    """Here as where the kernel lets nobody make namespaces: in a program without that right."""
    require("namespaces, which root or unprivileged users may make", LEVEL is not Level.NONE)
    walls = walls_found(tmp_path, LEVEL)
    assert (walls.level, walls.tried()) == (LEVEL, "")
    if LEVEL is not Level.USERS:
        return
    code = (
        "import sys, ctypes; from pathlib import Path\n"
        "libc = ctypes.CDLL(None)\n"
        "[libc.prctl(24, each, 0, 0, 0) for each in (21, 18)]\n"  # CAP_SYS_ADMIN, CAP_SYS_CHROOT
        "from podium.engines.local.kernel import drop_capabilities\n"
        "from podium.engines.local.walls import walls_found\n"
        "drop_capabilities()\n"
        "walls = walls_found(Path(sys.argv[1]), 'auto')\n"
        "print(walls.level, '|', walls.sentence)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert said.stdout.startswith("none | All work runs as the server's own user"), said
    assert "Users: the kernel refused" in said.stdout
    assert "Namespaces: root's files" in said.stdout


SHAPES = st.lists(
    st.tuples(
        st.sampled_from(["link", "folder", "file", "hard", "pipe"]),
        st.lists(st.sampled_from("ab"), min_size=1, max_size=3),
        st.sampled_from(["../kept", "../kept/file", "..", "a", "."]),
        st.sampled_from([0o000, 0o700, 0o555]),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(shapes=SHAPES)
def test_nothing_outside_is_deleted_or_changed(
    shapes: list[tuple[str, list[str], str, int]],
) -> None:
    with tempfile.TemporaryDirectory() as room:
        kept, folder = Path(room, "kept"), Path(room, "job")
        kept.mkdir(mode=0o750)
        folder.mkdir()
        (kept / "file").write_text("kept")
        shut = []
        for kind, place, target, mode in shapes:
            path = folder.joinpath(*place)
            if any(each.is_symlink() for each in path.parents) or os.path.lexists(path):
                continue
            try:
                if kind == "link":
                    path.symlink_to(os.path.join("../" * (len(place) - 1), target))  # noqa: PTH118
                elif kind == "folder":
                    path.mkdir()
                    shut.append((path, mode))
                elif kind == "file":
                    path.write_text("x")
                elif kind == "hard":
                    path.hardlink_to(kept / "file")
                else:
                    os.mkfifo(path)
            except OSError:
                continue
        before = (kept.stat(), (kept / "file").stat())
        for path, mode in reversed(shut):
            if not path.is_symlink() and path.is_dir():
                path.chmod(mode)
        folders_remove([folder, Path(room, "never-there")])
        assert not folder.exists()
        assert (kept / "file").read_text() == "kept"
        after = (kept.stat(), (kept / "file").stat())
        assert [(each.st_mode, each.st_mtime_ns) for each in after] == [
            (each.st_mode, each.st_mtime_ns) for each in before
        ]


def test_gpus_of_others_are_named_and_closed(tmp_path: Path) -> None:
    for minor, uuid in ((0, "GPU-a"), (1, "GPU-b"), (2, "GPU-c")):
        card = tmp_path / f"0000:0{minor}:00.0"
        card.mkdir()
        (card / "information").write_text(
            f"Model: \t\t NVIDIA H100\nGPU UUID: \t {uuid}\nDevice Minor: \t {minor}\n"
        )
    assert device_files_others(["GPU-b"], tmp_path) == ["/dev/nvidia0", "/dev/nvidia2"]
    assert len(device_files_others([], tmp_path)) == 3
    assert device_files_others(["GPU-new"], tmp_path) == [], "it does not say which is which"
    assert device_files_others(["GPU-a"], tmp_path / "nowhere") == []


def test_a_closed_device_cannot_be_opened(tmp_path: Path) -> None:
    require("namespaces, which root or unprivileged users may make", LEVEL is not Level.NONE)
    code = (
        "import os, sys\n"
        "from podium.engines.local import kernel\n"
        "from podium.engines.local.view import _close_device\n"
        "kernel.unshare(kernel.NEW_MOUNTS | (kernel.NEW_USER if os.geteuid() else 0))\n"
        "kernel.mount('none', '/', '', kernel.RECURSIVE | kernel.PRIVATE)\n"
        "_close_device('/dev/zero')\n"
        "_close_device('/dev/nvidia-that-is-not-there')\n"
        "try: open('/dev/zero', 'rb')\n"
        "except PermissionError: print(os.path.exists('/dev/zero'), 'closed')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert said.stdout == "True closed\n", said.stderr
