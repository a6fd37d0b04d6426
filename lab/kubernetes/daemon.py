"""A program that runs on after its starter has ended, found again by a file with its process id.

Every part of the lab is one: control_plane.py, node.py and hollow.py start and stop them.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from lab.kubernetes.packages import LabError

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0

# Children of this process must be waited for by it, whichever object asks for their end.
_children: dict[int, subprocess.Popen[bytes]] = {}


class Daemon:
    """`command` under `name`; `folder` keeps its log and its process id.

    `ready` says whether it answers; `start` waits for that."""

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Sequence[str | Path],
        *,
        ready: Callable[[], bool] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = [str(word) for word in command]
        self._ready = ready
        self._environment = environment
        self._pid_file = folder / f"{name}.pid"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process()
        return None if process is None else process.pid

    @property
    def alive(self) -> bool:
        return self._process() is not None

    def start(self) -> None:
        """Does nothing when it runs. Raises LabError when it ends or is not ready in time."""
        if not self.alive:
            self._spawn()
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._ready is not None and not self._ready():
            if not self.alive:
                raise LabError(f"{self.name} ended at once; its log ends with\n{self.tail()}")
            if time.monotonic() > deadline:
                raise LabError(
                    f"{self.name} was not ready within {START_SECONDS_MAX:g} s; "
                    f"its log ends with\n{self.tail()}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Asks it to end, and ends it when it does not. Does nothing when it has ended."""
        process = self._process()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
            if not _ended(process, STOP_SECONDS_MAX):
                self.kill()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Ends it without asking, as a crash would. Does nothing when it has ended."""
        process = self._process()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
            if not _ended(process, STOP_SECONDS_MAX):
                raise LabError(f"{self.name}, process {process.pid}, cannot be killed")
        self._pid_file.unlink(missing_ok=True)

    def tail(self, lines: int = 20) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def _spawn(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            child = subprocess.Popen(
                self._command,
                env=None if self._environment is None else os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _children[child.pid] = child
        document = {"pid": child.pid, "started": psutil.Process(child.pid).create_time()}
        self._pid_file.write_text(json.dumps(document))

    def _process(self) -> psutil.Process | None:
        try:
            document = json.loads(self._pid_file.read_text())
            process = psutil.Process(document["pid"])
            # A process id is given again; the time of its start tells whose it is.
            if process.create_time() != document["started"]:
                return None
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None
        return process if _runs(process) else None


def _ended(process: psutil.Process, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _runs(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(process: psutil.Process) -> bool:
    child = _children.get(process.pid)
    if child is not None:
        if child.poll() is None:
            return True
        del _children[process.pid]
        return False
    try:
        # Another's child stays on the list, dead, until that one looks.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
