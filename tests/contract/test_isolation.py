"""Work of one project against that of another on the same machine: real jobs that try to get at
what is not theirs, behind the strongest walls that can be had here."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from contract.harness import ENGINES, LEVEL, PATIENCE_SECONDS, WALLED, Harness
from podium.domain.reason import Cause
from podium.domain.workload import Program, UploadSource
from podium.engines.contract import DeviceGrant, Phase
from podium.engines.local import folder as names
from podium.engines.local.page import page_read
from podium.engines.local.walls import Level

pytestmark = pytest.mark.anyio
SECRET = "victims-secret-value"
TRY = """
import json, os, sys
def refused(attempt):
    try:
        return None if attempt() is None else "done"
    except OSError as error:
        return type(error).__name__
"""


def folder(harness: Harness, allocation_id: str) -> Path:
    return harness.home / "allocations" / "active" / allocation_id


def main_pid(harness: Harness, allocation_id: str) -> int:
    status = page_read(str(folder(harness, allocation_id) / names.STATUS))
    assert status is not None
    return int(status["pid"])


async def victim(harness: Harness) -> str:
    """A job of the project vision that has files, a secret and something to say."""
    allocation_id = await harness.start(
        "sh", "-c",
        f"echo {SECRET} > mine; echo {SECRET} > /tmp/mine; echo {SECRET}; echo up; exec sleep 300",
        secrets=(("TOKEN", SECRET),),
    )  # fmt: skip
    await harness.said(allocation_id, "up")
    return allocation_id


async def attack(harness: Harness, code: str, *words: str, **facts: Any) -> list[str]:
    """What a job of the project rival says that runs this code with these arguments."""
    command = (sys.executable, "-c", TRY + code, *words)
    facts = {"project": "rival", "grace_seconds": 2, **facts}
    allocation_id = await harness.start(*command, **facts)
    await harness.ended([allocation_id])
    return await harness.texts(allocation_id)


async def told(harness: Harness, code: str, *words: str, **facts: Any) -> Any:
    """The same, said as JSON in one line."""
    said = await attack(harness, code, *words, **facts)
    assert len(said) == 1, said
    return json.loads(said[0])


async def test_files_of_others_and_of_podium_cannot_be_read_or_written(walled: Harness) -> None:
    allocation_id = await victim(walled)
    for name in ("podium.db", "podium.db-wal", "secret.key", "keys.json"):
        (walled.home / name).write_text(SECRET)
    (walled.home / "uploads").mkdir()
    (walled.home / "uploads" / "abc").write_text(SECRET)
    theirs = folder(walled, allocation_id)
    files = [path for path in walled.home.rglob("*") if path.is_file()]
    assert theirs / names.WORK / "mine" in files
    read = "print(json.dumps([refused(lambda: open(path).read()) for path in sys.argv[1:]]))"
    assert set(await told(walled, read, *map(str, files))) <= {
        "FileNotFoundError", "PermissionError", "NotADirectoryError"
    }  # fmt: skip
    write = (
        "print(json.dumps([refused(lambda: open(path + '/new', 'w')) for path in sys.argv[1:]]))"
    )
    folders = [path for path in walled.home.rglob("*") if path.is_dir()]
    assert "done" not in await told(walled, write, *map(str, folders))
    listing = """
try: print(json.dumps(os.listdir(sys.argv[1])))
except PermissionError: print("[]")
"""
    seen = await told(walled, listing, str(walled.home / "allocations" / "active"))
    assert len(seen) <= 1, "its own at most"
    assert allocation_id not in seen
    links = """
tries = enumerate(sys.argv[1:])
print(json.dumps([refused(lambda: os.link(path, str(n)) or "made") for n, path in tries]))
"""
    assert "done" not in await told(walled, links, *map(str, files))


async def test_processes_of_others_cannot_be_seen_or_touched(walled: Harness) -> None:
    allocation_id = await victim(walled)
    pid = main_pid(walled, allocation_id)
    assert SECRET in psutil.Process(pid).environ()["TOKEN"], "there is something to steal"
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
pid = int(sys.argv[1])
stolen = []
for each in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline", "mem", "root/etc/passwd", "cwd/mine"):
        try:
            stolen.append(open(f"/proc/{each}/{name}", "rb").read(100_000).decode(errors="replace"))
        except OSError:
            pass
print(json.dumps({
    "stolen": any(sys.argv[2] + sys.argv[3] in text for text in stolen),
    "pids": len([each for each in os.listdir("/proc") if each.isdigit()]),
    "kill": refused(lambda: os.kill(pid, 9) or "sent"),
    "ptrace": libc.ptrace(16, pid, 0, 0),
}), flush=True)
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
refused(lambda: os.kill(-1, signal.SIGKILL))
"""
    # Cut in two, it does not find itself in its own command line.
    found = await told(walled, code, str(pid), SECRET[:9], SECRET[9:])
    assert found == {"stolen": False, "pids": 2, "kill": "ProcessLookupError", "ptrace": -1}
    seen = {each.allocation_id: each for each in await walled.engine.observe()}
    assert seen[allocation_id].phase is Phase.RUNNING
    assert psutil.pid_exists(pid)


async def test_temporary_files_are_the_jobs_own(walled: Harness) -> None:
    await victim(walled)
    code = """
import tempfile
with tempfile.NamedTemporaryFile() as file:
    print(json.dumps({"tmp": os.listdir("/tmp"), "var": os.listdir("/var/tmp"), "name": file.name,
                      "home": os.environ["HOME"] == os.getcwd(),
                      "mode": os.stat(open("made", "w").name).st_mode & 0o777}))
"""
    found = await told(walled, code)
    # Of a repository below /tmp, Python and Podium are shown; nothing else is.
    shown = {Path(each).parts[2] for each in (sys.prefix, __file__) if each.startswith("/tmp/")}
    for place in ("tmp", "var"):
        assert {*found[place]} - shown == {Path(found["name"]).name}
    assert (found["home"], found["mode"]) == (True, 0o600)


async def test_walls_cannot_be_taken_down_from_within(walled: Harness) -> None:
    allocation_id = await victim(walled)
    kept = folder(walled, allocation_id) / names.WORK / "mine"
    code = """
import ctypes, subprocess
libc = ctypes.CDLL(None, use_errno=True)
home, kept = sys.argv[1:]
def tried():
    return [libc.umount2(home.encode(), 2), libc.umount2(b"/proc", 2), libc.umount2(b"/tmp", 2),
            os.path.exists(kept),
            refused(lambda: os.mknod("device", 0o20600, os.makedev(1, 1)) or 1)]
found = [tried()]
if libc.unshare(0x10000000 | 0x20000) == 0:  # a user namespace of its own gives it mounts, too
    found.append(tried())
print(json.dumps(found))
"""
    for found in await told(walled, code, str(walled.home), str(kept)):
        assert found == [-1, -1, -1, False, "PermissionError"]


async def test_programs_that_become_root_do_not(walled: Harness, tmp_path: Path) -> None:
    program = tmp_path / "identity"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o4755)
    said = await attack(walled, "os.execv(sys.argv[1], ['id', '-u'])", str(program))
    assert said == [str(_uid(walled, "rival"))]


async def test_nothing_outlives_the_job(walled: Harness) -> None:
    """A daemon that left its session, hides its name and ignores signals."""
    code = """
import signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.execve("/bin/sleep", ["sleep", sys.argv[1]], {})
    os._exit(0)
os.wait()
time.sleep(0.2)
"""
    word = f"30{os.getpid()}.5"
    await attack(walled, code, word)
    assert [each for each in psutil.process_iter() if word in _command(each)] == []


async def test_orphans_may_finish_before_the_end_is_told(walled: Harness) -> None:
    end = await walled.finish("sh", "-c", "(sleep 0.3; echo late) & exit 5")
    assert (end.exit_code, end.cause) == (5, Cause.EXIT_CODE)
    assert await walled.texts(end.allocation_id) == ["late"]


async def test_a_killed_shim_takes_everything_along(walled: Harness) -> None:
    word = f"31{os.getpid()}.5"
    allocation_id = await walled.start(
        "sh", "-c", f"(setsid env -i /bin/sleep {word} &) ; echo up; sleep 300"
    )
    await walled.said(allocation_id, "up")
    status = page_read(str(folder(walled, allocation_id) / names.STATUS))
    assert status is not None
    os.kill(status["shim_pid"], signal.SIGKILL)
    end = (await walled.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.LOST
    await _until_gone(word)


async def test_a_fork_bomb_is_bounded_and_can_be_stopped(walled: Harness) -> None:
    await walled.restart(processes_max=60)
    allocation_id = await walled.start(
        "sh", "-c",
        'echo up; bomb() { while :; do (bomb) & sleep 0.01; done; }; bomb',
        project="rival",
    )  # fmt: skip
    await walled.said(allocation_id, "up")
    await asyncio.sleep(0.7)
    most = 0
    for _ in range(5):
        most = max(most, len(walled.processes()))
        await asyncio.sleep(0.05)
    assert most <= 60 + 4
    other = await walled.finish("true")
    assert other.cause is Cause.COMPLETED, "the other project's work starts meanwhile"
    await walled.engine.stop(allocation_id, grace_seconds=0)
    await walled.ended([allocation_id])
    assert walled.processes() == []


async def test_links_lead_nobody_astray(walled: Harness, tmp_path: Path) -> None:
    """What Podium reads, writes and deletes of a job's folder goes nowhere else."""
    kept = tmp_path / "kept"
    kept.mkdir()
    for path in (kept / "file", tmp_path / "target"):
        path.write_text("kept")
    os.utime(tmp_path / "target", (0, 0))
    code = """
import shutil
kept, target = sys.argv[1:]
job = os.path.dirname(os.environ["PODIUM_SAVED_FILE"])
os.symlink(target, os.environ["PODIUM_SAVED_FILE"])
shutil.rmtree(f"{job}/work")
os.symlink(kept, f"{job}/work")
for name in ("log.00000000000000000000", "status", "launch.json", "lock"):
    os.symlink(target, f"{job}/{name}")
    try:
        os.unlink(f"{job}/../{name}"); print("unlinked", name)
    except OSError: pass
os.mkdir(f"{job}/shut"); os.symlink("/", f"{job}/shut/root"); os.chmod(f"{job}/shut", 0)
os.mkfifo(f"{job}/pipe")
os.chdir(job)
for _ in range(1200):
    os.mkdir("deep"); os.chdir("deep")
"""
    allocation_id = await walled.start(
        sys.executable, "-c", TRY + code, str(kept), str(tmp_path / "target"), project="rival"
    )
    end = (await walled.ended([allocation_id]))[allocation_id]
    assert (end.cause, await walled.texts(allocation_id)) == (Cause.COMPLETED, [])
    assert end.saved_at_ms is None, "a link is no sign that something was saved"
    await walled.engine.settle([allocation_id])
    await walled.engine.remove([allocation_id])
    assert not (walled.home / "allocations" / "ended" / allocation_id).exists()
    assert (kept / "file").read_text() == (tmp_path / "target").read_text() == "kept"
    assert (tmp_path / "target").stat().st_mtime == 0
    assert kept.stat().st_uid == os.getuid()


async def test_uploaded_code_and_its_files_are_the_projects(walled: Harness) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.sh")
        member.size, member.mode, member.uid = 10, 0o755, 4711
        archive.addfile(member, io.BytesIO(b"echo hello"))
    stored = walled.home / "uploads"
    stored.mkdir(mode=0o700)
    (stored / "abc").write_bytes(content.getvalue())
    (stored / "abc").chmod(0o600)
    program = Program(
        command=("sh", "-c", "sh train.sh; stat -c %u . train.sh; id -u; id -un || true"),
        source=UploadSource("abc"),
    )
    end = await walled.finish(program=program, archive_path=str(stored / "abc"))
    uid = str(_uid(walled, "vision"))
    said = await walled.texts(end.allocation_id)
    assert said[:4] == ["hello", uid, uid, uid]
    if LEVEL is Level.USERS:
        assert said[4] == "vision"


async def test_each_project_has_a_user_of_its_own(walled: Harness) -> None:
    if LEVEL is not Level.USERS:
        pytest.skip("only root gives projects users of their own")
    code = "print(json.dumps([*os.getresuid(), *os.getresgid(), *os.getgroups()]))"
    first, second = await told(walled, code), await told(walled, code, project="vision")
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]
    assert min(first[0], second[0]) >= 200_000
    await walled.restart()
    assert await told(walled, code) == first
    assert (walled.home / "owners.json").stat().st_mode & 0o777 == 0o600


async def test_ranks_that_reach_each_others_gpus_still_see_no_strangers(walled: Harness) -> None:
    """They share process ids with the machine, as CUDA needs it, and yet see none of others."""
    if LEVEL is not Level.USERS:
        pytest.skip("only with a user of its own may work share process ids")
    allocation_id = await victim(walled)
    pid = main_pid(walled, allocation_id)
    word = f"32{os.getpid()}.5"
    code = """
import subprocess
subprocess.Popen(["setsid", "sleep", sys.argv[2]], env={}, stdout=2)
print(json.dumps({"pids": all(os.stat(f"/proc/{each}").st_uid == os.getuid()
                              for each in os.listdir("/proc") if each.isdigit()),
                  "own": os.path.exists(f"/proc/{os.getpid()}"),
                  "kill": refused(lambda: os.kill(int(sys.argv[1]), 9) or "sent")}))
"""
    device = DeviceGrant(0, "GPU-1", 1000, 1 << 30, mig=False, virtual=False)
    found = await told(walled, code, str(pid), word, replicas=2, devices=(device,))
    assert found == {"pids": True, "own": True, "kill": "PermissionError"}
    await _until_gone(word)
    word = f"33{os.getpid()}.5"
    rank = await walled.start("sleep", word, project="rival", replicas=2, devices=(device,))
    await walled.running(rank)
    status = page_read(str(folder(walled, rank) / names.STATUS))
    assert status is not None
    os.kill(status["shim_pid"], signal.SIGKILL)
    await _until_gone(word)
    assert (await walled.ended([rank]))[rank].cause is Cause.LOST


async def test_a_job_may_open_what_it_writes_to(walled: Harness) -> None:
    end = await walled.finish("sh", "-c", "echo out > /dev/stdout; echo err > /dev/stderr")
    assert end.exit_code == 0
    assert sorted(await walled.texts(end.allocation_id)) == ["err", "out"]


async def test_what_cannot_be_kept_apart_is_not_started(walled: Harness) -> None:
    """The walls of an order cannot be built any more: nothing runs without them."""
    walls = vars(walled.engine)["_walls"]
    object.__setattr__(walls, "shown", (*walls.shown, f"{walled.home}/gone"))
    end = await walled.finish("sh", "-c", "echo ran")
    object.__setattr__(walls, "shown", walls.shown[:-1])
    assert end.cause is Cause.START_FAILED
    assert "apart" in end.message
    assert await walled.texts(end.allocation_id) == []


async def test_without_root_the_same_holds_behind_namespaces(walled: Harness) -> None:
    """These tests once more, as a user who is not root: the job of a project is one."""
    if LEVEL is not Level.USERS or os.environ.get("PODIUM_TESTS_WITHIN"):
        pytest.skip("this is not root")
    here = Path(__file__)
    chosen = [here, here.with_name("test_survival.py"), here.with_name("test_stop.py")]
    command = (
        sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly",
        "-k", "(walled or not (test_survival or test_stop)) and not killed_servers",
        *map(str, chosen),
    )  # fmt: skip
    root = str(here.parents[2])
    walls = vars(walled.engine)["_walls"]
    object.__setattr__(walls, "shown", (*walls.shown, root))  # wherever the checkout is
    env = {
        "PODIUM_TESTS_WITHIN": "1",
        "PYTHONPATH": f"{root}/tests",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    allocation_id = await walled.start(*command, env=tuple(env.items()))
    async with asyncio.timeout(PATIENCE_SECONDS * 4):
        while (await _phase(walled, allocation_id)) is not Phase.ENDED:
            await asyncio.sleep(0.1)
    said = await walled.texts(allocation_id)
    (end,) = await walled.engine.observe()
    assert end.exit_code == 0, "\n".join(said[-60:])


def test_whoever_runs_the_tests_has_what_the_system_can_give() -> None:
    if sys.platform == "linux" and os.geteuid() == 0:
        assert LEVEL is Level.USERS
    assert (LEVEL is Level.NONE) == (WALLED not in ENGINES)


async def _phase(harness: Harness, allocation_id: str) -> Phase:
    found = {each.allocation_id: each.phase for each in await harness.engine.observe()}
    return found[allocation_id]


def _uid(harness: Harness, project: str) -> int:
    if LEVEL is not Level.USERS:
        return os.getuid()
    known: dict[str, int] = json.loads((harness.home / "owners.json").read_bytes())
    return known[project]


def _command(process: psutil.Process) -> Sequence[str]:
    try:
        return process.cmdline()
    except (psutil.Error, OSError):
        return ()


async def _until_gone(word: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while any(word in _command(each) for each in psutil.process_iter()):
        assert time.monotonic() < until, "something is left"
        await asyncio.sleep(0.02)
