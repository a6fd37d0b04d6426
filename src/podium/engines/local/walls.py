"""What keeps the work of different projects apart on this machine, as strong as it can be had.

`server` asks for it at its start; the local engine puts it into each order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from podium.domain.errors import FieldFault, UserError
from podium.engines.contract import Launch
from podium.engines.local import trial
from podium.engines.local.device_files import device_files_others
from podium.engines.local.owners import Owners

UIDS_DEFAULT = range(200_000, 265_536)
_OWNERS = "owners.json"
_TRIAL_SECONDS = 20.0
_PART_OF_PIDS = 4  # one project leaves most of the machine's process ids to others


class Level(StrEnum):
    """From nothing at all to the strongest."""

    NONE = "none"
    NAMESPACES = "namespaces"
    USERS = "users"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What stands between jobs. `why` says in words what is missing, "" where nothing is.

    `hidden` are folders that no job sees, Podium's home first; `shown` are those that it must be
    able to read wherever they are, such as the Python that Podium runs with.
    """

    level: Level
    why: str = ""
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    owners: Owners | None = field(default=None, compare=False)

    @property
    def sentence(self) -> str:
        return f"{_SENTENCES[self.level]} {self.why}".rstrip()

    def order(self, launch: Launch, pipes: str | None, processes_max: int) -> dict[str, Any] | None:
        """What a shim must know, None without walls. `pipes` is where MPS listens. Raises OSError
        and PermanentError."""
        if self.level is Level.NONE:
            return None
        real = [each.gpu or each.uuid for each in launch.devices if not each.virtual]
        together = self.owners is not None and launch.replicas > 1 and bool(real)
        return self._order(
            uid=None if self.owners is None else self.owners.uid(launch.project),
            user=launch.project,
            # CUDA reaches from process to process, which ranks of a gang do over NVLink, only
            # where they share process ids and see each other's GPUs.
            own_pids=not together,
            closed_devices=[] if together else device_files_others(real),
            pipes=[pipes] if pipes is not None else [],
            processes_max=_processes_max(processes_max),
        )

    def tried(self) -> str:
        """Builds these walls once, with a process behind them. Returns why that failed, or ""."""
        order = self._order(
            uid=None if self.owners is None else UIDS_DEFAULT.start,
            user="trial",
            own_pids=True,
            closed_devices=[],
            pipes=[],
            processes_max=0,
        )
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", trial.__file__, self.hidden[0], json.dumps(order)],
                capture_output=True,
                timeout=_TRIAL_SECONDS,
                check=False,
                cwd="/",
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the trial could not be run ({error})"
        said = done.stdout.decode(errors="replace").strip()
        if done.returncode == 0:
            return said
        return said or f"the trial ended with exit code {done.returncode}"

    def _order(self, **facts: Any) -> dict[str, Any]:
        user = facts["user"] if self.owners is not None else ""
        return {**facts, "user": user, "hidden": list(self.hidden), "shown": list(self.shown)}


_SENTENCES = {
    Level.USERS: "Each project's work runs as a Unix user of its own, and sees no files or "
    "processes of others.",
    Level.NAMESPACES: "Work sees no processes of other work and nothing in Podium's home, but runs "
    "as the server's own user.",
    Level.NONE: "All work runs as the server's own user and can read what that user can, other "
    "projects' files and Podium's database and keys included.",
}


def walls_found(
    home: Path, asked: str, *, uids: range = UIDS_DEFAULT, hidden: Sequence[Path] = ()
) -> Walls:
    """The strongest walls that stand here, or those `asked` for: `auto`, or a level. Raises
    UserError when these cannot be had."""
    if asked not in ("auto", *Level):
        words = "Write auto, users, namespaces or none."
        raise UserError(FieldFault("isolation", f"is '{asked[:60]}'.", words))
    if asked == Level.NONE:
        return Walls(level=Level.NONE)
    why = []
    for level in (Level.USERS, Level.NAMESPACES):
        if asked not in ("auto", level):
            continue
        fault = _unfit(level)
        if not fault:
            walls = _walls(level, home, uids, hidden)
            fault = walls.tried()
            if not fault:
                return walls
        if asked == level:
            raise UserError(
                FieldFault("isolation", f"{level} cannot be had here: {fault}.", _REMEDIES[level])
            )
        why.append(f"{level.capitalize()}: {fault}.")
    return Walls(level=Level.NONE, why=" ".join(why))


_REMEDIES = {
    Level.USERS: "Start Podium as root on Linux, outside of a container, or leave it to auto.",
    Level.NAMESPACES: "Allow unprivileged user namespaces, start Podium as another user than root, "
    "or leave it to auto.",
}


def _walls(level: Level, home: Path, uids: range, hidden: Sequence[Path]) -> Walls:
    home = home.resolve()
    covered = [str(home), *(str(each.resolve()) for each in hidden)]
    if level is Level.USERS:
        # What unpacks sources runs behind the walls, too: Python, and Podium beside it where it
        # was installed in place.
        ours = Path(__file__).resolve().parents[3]
        python = {str(Path(each).resolve()) for each in (sys.prefix, sys.base_prefix)}
        if not any(ours.is_relative_to(each) for each in python):
            python.add(str(ours))
        return Walls(
            level=level,
            hidden=tuple(covered),
            shown=tuple(sorted(python)),
            owners=Owners(home / _OWNERS, uids),
        )
    # The user's own session manager would start anything outside of the walls.
    return Walls(level=level, hidden=(*covered, f"/run/user/{os.getuid()}"))


def _unfit(level: Level) -> str:
    if sys.platform != "linux":
        return "this system has no namespaces"
    if level is Level.USERS and os.geteuid() != 0:
        return "only root can start processes as another user"
    if level is Level.NAMESPACES and os.geteuid() == 0:
        return "root's files stay open to work that root starts"
    return ""


def uids_read(text: str) -> range:
    """Of a range such as 200000-265535. Raises UserError."""
    first, dash, last = text.partition("-")
    if dash and first.isdigit() and last.isdigit() and 1000 <= int(first) <= int(last) < 2**32 - 2:
        return range(int(first), int(last) + 1)
    words = "Write the first and the last number, from 1000 on, such as 200000-265535."
    raise UserError(FieldFault("isolation-uids", f"is '{text[:60]}'.", words))


def _processes_max(wanted: int) -> int:
    try:
        most = int(Path("/proc/sys/kernel/pid_max").read_text()) // _PART_OF_PIDS
    except (OSError, ValueError):
        return wanted
    return min(wanted, most)
