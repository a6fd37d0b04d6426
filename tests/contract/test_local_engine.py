"""The local engine alone: its folders, its watchers' deaths, full disks, code and volumes."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from contract.harness import Harness
from podium.domain.errors import PermanentError, TemporaryError
from podium.domain.reason import Cause
from podium.domain.workload import GitSource, Program, UploadSource, Volume
from podium.engines import local as package
from podium.engines.contract import Phase
from podium.engines.devices.library import short_type
from podium.engines.local.folder import LAUNCH, STATUS
from podium.engines.local.link import WardenLink
from podium.engines.local.page import page_read
from podium.engines.logs.writer import segment_name

pytestmark = pytest.mark.anyio
SOURCE = Path(package.__file__).parent


def folder(harness: Harness, allocation_id: str) -> Path:
    return harness.home / "allocations" / "active" / allocation_id


def warden(harness: Harness) -> psutil.Process:
    link = vars(harness.engine)["_link"]
    assert isinstance(link, WardenLink)
    assert link.pid is not None
    return psutil.Process(link.pid)


async def test_a_killed_shim_takes_its_job_along_and_is_told_as_lost(local: Harness) -> None:
    allocation_id = await local.start("sh", "-c", "(setsid sleep 300 &) ; echo up; sleep 300")
    await local.said(allocation_id, "up")
    status = page_read(str(folder(local, allocation_id) / STATUS))
    assert status is not None
    os.kill(status["shim_pid"], signal.SIGKILL)
    end = (await local.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.LOST
    assert local.processes() == []
    assert (await local.read(allocation_id))[-1].complete
    await local.restart()
    assert [each.cause for each in await local.engine.observe()] == [Cause.LOST]


async def test_a_killed_warden_costs_nothing(local: Harness, tmp_path: Path) -> None:
    go = tmp_path / "go"
    before = await local.start("sh", "-c", f"until [ -e {go} ]; do sleep 0.02; done; exit 6")
    warden(local).kill()
    launch = local.launch("sh", "-c", "exit 7")
    async with asyncio.timeout(20):
        while True:
            try:
                await local.engine.ensure(launch)
                break
            except TemporaryError:
                await asyncio.sleep(0.01)
    go.touch()
    seen = await local.ended([before, launch.allocation_id])
    assert (seen[before].exit_code, seen[launch.allocation_id].exit_code) == (6, 7)


async def test_the_warden_leaves_with_its_server_and_leaves_no_zombie(local: Harness) -> None:
    await local.finish("true")
    process = warden(local)
    # What has ended is a zombie until the warden looks, which takes a moment on a busy machine.
    async with asyncio.timeout(20):
        while process.children():
            await asyncio.sleep(0.01)
    await local.engine.close()
    assert not process.is_running()
    await local.open()


async def test_an_accepted_but_unclaimed_folder_is_not_observed_and_can_be_stopped(
    local: Harness,
) -> None:
    launch = local.launch("true")
    path = folder(local, launch.allocation_id)
    path.mkdir(parents=True)
    (path / LAUNCH).write_text("half of a fi")  # the server died here
    assert await local.engine.observe() == []
    other = local.launch("true")
    folder(local, other.allocation_id).mkdir()
    await local.engine.stop(other.allocation_id, grace_seconds=1)
    await local.engine.ensure(launch)
    await local.engine.ensure(other)
    seen = await local.ended([launch.allocation_id, other.allocation_id])
    assert seen[launch.allocation_id].cause is Cause.COMPLETED
    assert seen[other.allocation_id].cause is Cause.CANCELLED


async def test_secrets_are_in_no_file(local: Harness) -> None:
    allocation_id = await local.start(
        "sh", "-c", "echo up; sleep 60", secrets=(("TOKEN", "s3cret-value"),)
    )
    await local.said(allocation_id, "up")
    files = [path for path in local.home.rglob("*") if path.is_file()]
    assert len(files) > 4
    assert [path for path in files if b"s3cret-value" in path.read_bytes()] == []
    launch = folder(local, allocation_id) / LAUNCH
    assert launch.stat().st_mode & 0o777 == 0o600


async def test_a_full_disk_loses_lines_but_not_the_job(local: Harness) -> None:
    launch = local.launch(
        "sh", "-c", "echo first; echo again; sleep 1.2; echo later; sleep 0.1; exit 4"
    )
    path = folder(local, launch.allocation_id)
    path.mkdir(parents=True)
    (path / segment_name(0)).symlink_to("/dev/full")
    await local.engine.ensure(launch)
    end = (await local.ended([launch.allocation_id]))[launch.allocation_id]
    assert (end.cause, end.exit_code) == (Cause.EXIT_CODE, 4)
    chunks = await local.read(launch.allocation_id)
    texts = await local.texts(launch.allocation_id)
    lost = chunks[0].lost_bytes
    assert lost > len("first again")
    assert texts[0] == f"podium: {lost} bytes of output were lost here because the disk was full."
    assert texts[1:] == ["later"]
    assert chunks[-1].complete


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root")
async def test_a_really_full_disk(local: Harness, tmp_path: Path) -> None:
    await local.engine.close()
    local.home.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(local.home)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this machine mounts nothing")
    go, full = tmp_path / "go", tmp_path / "full"
    try:
        await local.open()
        code = (
            "import os, time\n"
            "for n in range(20000): print('line', n)\n"
            f"open({str(full)!r}, 'w').close()\n"
            f"while not os.path.exists({str(go)!r}): time.sleep(0.02)\n"
            "print('after'); raise SystemExit(5)"
        )
        other = await local.start("sh", "-c", f"until [ -e {full} ]; do sleep 0.02; done; exit 8")
        talker = await local.start(sys.executable, "-S", "-c", code)
        assert (await local.ended([other]))[other].exit_code == 8
        with pytest.raises(TemporaryError, match="full"):
            await local.start("true")
        kept = [int(text.split()[1]) for text in await local.texts(talker)]
        assert kept == list(range(len(kept)))
        assert 1000 < len(kept) < 20000
        subprocess.run(["mount", "-o", "remount,size=4m", str(local.home)], check=True)
        go.touch()
        assert (await local.ended([talker]))[talker].exit_code == 5
        texts = await local.texts(talker)
        assert "because the disk was full" in texts[len(kept)]
        assert (await local.read(talker))[-1].complete
    finally:
        await local.engine.close()
        subprocess.run(["umount", "-l", str(local.home)], check=False)
        await local.open()


async def test_volumes_are_links_and_missing_ones_are_named(local: Harness, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "digits").write_text("0123")
    program = Program(
        command=("cat", "volumes/digits-v1/digits"),
        volumes=(Volume("digits-v1", str(tmp_path / "data")),),
    )
    end = await local.finish(program=program)
    assert await local.texts(end.allocation_id) == ["0123"]
    missing = Program(command=("true",), volumes=(Volume("d", str(tmp_path / "none")),))
    end = await local.finish(program=missing)
    assert (end.cause, str(tmp_path / "none") in end.message) == (Cause.VOLUME_MISSING, True)
    with pytest.raises(PermanentError, match="read-only"):
        await local.start(program=Program(command=("true",), volumes=(Volume("d", "/", True),)))


def packed(path: Path, *members: tuple[str, bytes]) -> str:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)


UPLOADED = Program(command=("cat", "code/train.py"), source=UploadSource("0" * 64))


async def test_uploaded_code_is_unpacked(local: Harness, tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tgz", ("code/train.py", b"print(1)\n"))
    end = await local.finish(program=UPLOADED, archive_path=archive)
    assert end.cause is Cause.COMPLETED
    assert await local.texts(end.allocation_id) == ["print(1)"]


async def test_bad_archives_end_with_their_reason(local: Harness, tmp_path: Path) -> None:
    await local.restart(archive_bytes_max=1000, archive_members_max=5)
    (tmp_path / "text").write_bytes(b"no archive at all" * 100)
    whole = Path(packed(tmp_path / "whole.tgz", ("code/train.py", os.urandom(900)))).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    for archive, words in (
        (packed(tmp_path / "b.tgz", ("../../outside", b"x")), "outside"),
        (packed(tmp_path / "c.tgz", ("/etc/outside", b"x" * 2000)), "MiB"),
        (packed(tmp_path / "d.tgz", *((f"f{n}", b"") for n in range(9))), "5 files"),
        (str(tmp_path / "text"), "not a whole tar archive"),
        (str(tmp_path / "cut"), "not a whole tar archive"),
        (str(tmp_path / "gone"), "no longer stored"),
    ):
        end = await local.finish(program=UPLOADED, archive_path=archive)
        assert (end.cause, words in end.message) == (Cause.SOURCE_FAILED, True), end.message
    assert list(local.home.rglob("outside")) == []


@pytest.fixture
def git_url(tmp_path: Path) -> Iterator[str]:
    """A repository `code` behind a real Git server on the loopback."""
    if subprocess.run(["git", "daemon", "-h"], capture_output=True).returncode not in (0, 129):
        pytest.skip("git with its daemon is not on this machine")
    work = tmp_path / "served" / "code"
    work.mkdir(parents=True)

    def git(*words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=0")
        return subprocess.run(
            ["git", *identity, "-C", str(work), *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    for text in ("one", "two"):
        (work / "train.sh").write_text(f"echo {text}\n")
        git("add", ".")
        git("commit", "--quiet", "-m", text)
        git("tag", f"v-{text}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = subprocess.Popen(
        [
            "git",
            "daemon",
            "--listen=127.0.0.1",
            f"--port={port}",
            "--export-all",
            "--reuseaddr",
            f"--base-path={work.parent}",
        ],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield f"git://127.0.0.1:{port}/code"
    finally:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


async def test_git_code_is_fetched_at_its_ref(local: Harness, git_url: str, tmp_path: Path) -> None:
    served = tmp_path / "served" / "code"
    first = subprocess.run(
        ["git", "-C", str(served), "rev-parse", "v-one"], capture_output=True, text=True
    ).stdout.strip()
    for ref, said in (
        ("HEAD", "two"),
        ("main", "two"),
        ("v-one", "one"),
        (first, "one"),
        (first[:12], "one"),
    ):
        program = Program(command=("sh", "train.sh"), source=GitSource(git_url, ref))
        end = await local.finish(program=program)
        assert end.cause is Cause.COMPLETED, (ref, end.message)
        assert await local.texts(end.allocation_id) == [said]


async def test_git_faults_are_told(local: Harness, git_url: str, tmp_path: Path) -> None:
    for source, words in (
        (GitSource(git_url, "no-such-branch"), "no-such-branch"),
        (GitSource(git_url + "-none"), "could not be fetched"),
        (GitSource(f"file://{tmp_path}/served/code"), "no address"),
        (GitSource("--upload-pack=touch /tmp/x"), "no address"),
    ):
        end = await local.finish(program=Program(command=("true",), source=source))
        assert (end.cause, words in end.message) == (Cause.SOURCE_FAILED, True), end.message


async def test_a_stop_while_code_is_fetched_starts_nothing(local: Harness) -> None:
    with socket.socket() as silent:  # takes the connection and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        source = GitSource(f"git://127.0.0.1:{silent.getsockname()[1]}/code")
        allocation_id = await local.start(program=Program(command=("true",), source=source))
        connection, _ = await asyncio.to_thread(silent.accept)
        with connection:
            (seen,) = await local.engine.observe()
            assert seen.phase is Phase.STARTING
            await local.engine.stop(allocation_id, grace_seconds=600)
            end = (await local.ended([allocation_id]))[allocation_id]
    assert (end.cause, end.runtime_ms) == (Cause.CANCELLED, 0)
    assert local.processes() == []


async def test_a_container_image_is_said_to_be_unused(local: Harness) -> None:
    end = await local.finish(program=Program(command=("true",), image="pytorch:2"))
    assert "image pytorch:2 is not used" in (await local.texts(end.allocation_id))[0]


async def test_ids_with_slashes_reach_no_other_folder(local: Harness) -> None:
    for bad in ("../x", "a/b", "", "."):
        with pytest.raises(PermanentError):
            await local.engine.read_log(bad)
        with pytest.raises(PermanentError):
            await local.engine.remove([bad])


def test_the_warden_needs_only_the_standard_library() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SOURCE.parents[2])!r})\n"
        "import podium.engines.local.warden\n"
        "print(*(getattr(m, '__file__', None) for m in sys.modules.values()), sep='\\n')"
    )
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [path for path in loaded if "site-packages" in path] == []
    own = [path for path in loaded if path.startswith(str(SOURCE.parents[1]))]
    assert len(own) > 5
    assert [path for path in own if "/domain/" in path] == []


def test_causes_of_the_shim_are_causes_of_the_domain() -> None:
    told = set()
    for path in SOURCE.glob("*.py"):
        text = path.read_text()
        told |= set(re.findall(r'"cause": "(\w+)"', text))
        told |= set(re.findall(r'PrepareError\(\s*"(\w+)"', text))
    assert len(told) > 8
    assert told <= {str(cause) for cause in Cause}


@pytest.mark.parametrize(
    ("model", "word"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "H100"),
        ("NVIDIA L40S", "L40S"),
        ("Tesla V100-SXM2-16GB", "V100"),
        ("Tesla T4", "T4"),
        ("NVIDIA GH200 480GB", "GH200"),
        ("NVIDIA GeForce RTX 4090", "RTX4090"),
        ("NVIDIA GeForce GTX 1080 Ti", "GTX1080TI"),
        ("NVIDIA RTX A6000", "A6000"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX6000"),
    ],
)
def test_short_types_are_the_words_that_people_ask_for(model: str, word: str) -> None:
    assert short_type(model) == word
