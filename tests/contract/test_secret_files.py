"""Secrets as files: there for the work alone, nowhere else, and gone when it has ended."""

from __future__ import annotations

import hashlib
import signal
import sys
from pathlib import Path

import psutil
import pytest

from contract.harness import Harness
from podium.domain.reason import Cause
from podium.engines.contract import SecretFile
from podium.engines.local import secret_files
from podium.engines.local.folder import STATUS
from podium.engines.local.page import page_read

pytestmark = pytest.mark.anyio
VALUE = b"-----BEGIN KEY-----\n\xc3\xa4\x00s3cret\n"
FILES = (
    SecretFile(name="SSH_KEY", variable="SSH_KEY_FILE", content=VALUE),
    SecretFile(name="GCP", variable="GOOGLE_APPLICATION_CREDENTIALS", content=b"{}"),
)
SHOW = (
    'cmp "$SSH_KEY_FILE" "$PODIUM_SECRETS_DIR/SSH_KEY" && sha256sum < "$SSH_KEY_FILE"; '
    'cat "$GOOGLE_APPLICATION_CREDENTIALS"; echo; '
    'stat -c %a "$PODIUM_SECRETS_DIR" "$SSH_KEY_FILE"; '
    "pwd; echo at $PODIUM_SECRETS_DIR; "
)


def shim_of(local: Harness, allocation_id: str) -> psutil.Process:
    status = page_read(str(local.home / "allocations" / "active" / allocation_id / STATUS))
    assert status is not None
    return psutil.Process(int(status["shim_pid"]))


async def place_of(local: Harness, allocation_id: str) -> Path:
    await local.said(allocation_id, "at ")
    return Path((await local.texts(allocation_id))[-1].removeprefix("at "))


async def test_files_are_the_works_own_and_go_with_it(harness: Harness) -> None:
    allocation_id = await harness.start("sh", "-c", SHOW + "sleep 60", secret_files=FILES)
    place = await place_of(harness, allocation_id)
    assert (await harness.texts(allocation_id))[:4] == [
        f"{hashlib.sha256(VALUE).hexdigest()}  -",
        "{}",
        "700",
        "600",
    ]
    for file in harness.home.rglob("*"):
        if file.is_file() and place not in file.parents:
            assert VALUE[-9:] not in file.read_bytes(), file
    await harness.engine.stop(allocation_id, grace_seconds=0)
    await harness.ended([allocation_id])
    assert not any(place.glob("*"))


async def test_work_without_files_has_no_folder(harness: Harness) -> None:
    allocation_id = await harness.start("sh", "-c", "echo =$PODIUM_SECRETS_DIR=")
    await harness.ended([allocation_id])
    assert await harness.texts(allocation_id) == ["=="]


async def test_what_the_work_makes_of_its_folder_is_removed_and_no_link_followed(
    local: Harness, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("stays")
    script = (
        f'cd "$PODIUM_SECRETS_DIR" && mkdir -p deep/er && ln -s {kept} link && '
        f"ln -s {kept} deep/l && "
        "cp SSH_KEY deep/er/copy && chmod 0 deep; echo at $PODIUM_SECRETS_DIR"
    )
    allocation_id = await local.start("sh", "-c", script, secret_files=FILES)
    end = (await local.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.COMPLETED
    assert not (await place_of(local, allocation_id)).exists()
    assert (kept / "file").read_text() == "stays"


async def test_a_folder_that_became_a_link_takes_nobody_elsewhere(
    local: Harness, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("stays")
    script = (
        f'mv "$PODIUM_SECRETS_DIR" ./mine 2>/dev/null; ln -s {kept} "$PODIUM_SECRETS_DIR"; true'
    )
    allocation_id = await local.start("sh", "-c", script, secret_files=FILES)
    await local.ended([allocation_id])
    await local.engine.settle([allocation_id])
    assert (kept / "file").read_text() == "stays"


async def test_files_go_when_the_one_that_watches_was_killed(harness: Harness) -> None:
    allocation_id = await harness.start("sh", "-c", SHOW + "exec sleep 60", secret_files=FILES)
    place = await place_of(harness, allocation_id)
    shim_of(harness, allocation_id).send_signal(signal.SIGKILL)
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.LOST
    await harness.engine.settle([allocation_id])
    assert not any(place.glob("*"))


async def test_behind_walls_nobody_else_sees_them(walled: Harness) -> None:
    allocation_id = await walled.start("sh", "-c", SHOW + "exec sleep 60", secret_files=FILES)
    place = await place_of(walled, allocation_id)
    assert place.is_relative_to(walled.home)
    assert not any(place.iterdir()), "nor does the server"
    look = f"cat {place}/* /proc/[0-9]*/root{place}/* 2>/dev/null; echo looked"
    other = await walled.start("sh", "-c", look, project="rival")
    await walled.ended([other])
    assert await walled.texts(other) == ["looked"]


async def test_files_of_what_lives_outlast_the_server_and_no_others(local: Harness) -> None:
    allocation_id = await local.start("sh", "-c", SHOW + "exec sleep 60", secret_files=FILES)
    place = await place_of(local, allocation_id)
    shelf = secret_files.shelf_of(str(local.home))
    stray = None if shelf is None else Path(shelf, "a-gone")
    if stray is not None:
        secret_files.write(str(stray), {"KEY": b"x"})
    await local.restart()
    assert shelf is None or Path(shelf).is_dir(), "something stands on it"
    assert stray is None or not stray.exists()
    status = page_read(str(local.home / "allocations" / "active" / allocation_id / STATUS))
    assert status is not None
    seen = Path(f"/proc/{status['pid']}/root{place}/SSH_KEY")
    assert sys.platform != "linux" or seen.read_bytes() == VALUE


async def test_values_are_in_no_representation(local: Harness) -> None:
    made = local.launch("true", secrets=(("TOKEN", "s3cret-value"),), secret_files=FILES)
    assert "s3cret" not in repr(made)
    assert "s3cret" not in str(made.secret_files)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no place in memory")
def test_a_shelf_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    shelf = secret_files.shelf_of(str(tmp_path))
    assert shelf is not None, "Linux has /dev/shm"
    assert Path(shelf).stat().st_mode & 0o777 == 0o700
    Path(shelf).rmdir()
    Path(shelf).symlink_to(tmp_path)
    try:
        assert secret_files.shelf_of(str(tmp_path)) != shelf
    finally:
        Path(shelf).unlink()
    Path(shelf).mkdir()
    Path(shelf).chmod(0o777)
    try:
        assert secret_files.shelf_of(str(tmp_path)) != shelf
    finally:
        Path(shelf).rmdir()
