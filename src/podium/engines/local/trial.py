"""Tries walls once at a server's start, as `python -I -S trial.py HOME ORDER`, with a real process
behind them. Says on standard output what does not hold, and ends with 0 only when all does."""

# Paths are plain strings, as in what it tries
# ruff: noqa: PTH100, PTH103, PTH110, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from typing import Any, NoReturn

if __name__ == "__main__":  # isolated: nothing but the standard library and this package
    sys.path.insert(0, os.path.abspath(f"{os.path.dirname(__file__)}/../../.."))

from podium.engines.local.confinement import confine, rooms_make
from podium.engines.local.keeper import keeper_dismiss, keeper_start

_PIDS_MAX = 2  # the keeper and this one


def tried(folder: str, walls: dict[str, Any]) -> str:
    """What does not hold, "" when all does. This process sees other process ids afterwards."""
    try:
        keeper = keeper_start(walls)
    except OSError as error:
        return _words(error)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _behind(walls, folder, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        said = told.read().decode()
    status = os.waitpid(pid, 0)[1]
    if keeper:
        keeper_dismiss(keeper)
        os.waitpid(keeper, 0)
    return said if said or status == 0 else "a process behind them was killed"


def _behind(walls: dict[str, Any], folder: str, writer: int) -> NoReturn:
    try:
        try:
            rooms_make(walls, folder)
            confine(walls, folder)
            fault = _fault(walls, folder)
        except OSError as error:
            fault = _words(error)
        os.write(writer, fault.encode())
    finally:
        os._exit(0)


def _fault(walls: dict[str, Any], folder: str) -> str:
    if walls["uid"] is not None and os.getresuid() != (walls["uid"],) * 3:
        return "the user could not be changed"
    with open("/proc/self/status", encoding="ascii") as status:
        facts = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    if int(facts["CapEff"], 16) or facts["NoNewPrivs"] != "1":
        return "privileges could not be given up"
    if sum(name.isdigit() for name in os.listdir("/proc")) > _PIDS_MAX:
        return "other processes could be seen"
    if os.path.exists(os.path.join(folder, "kept")):
        return "Podium's home could be read"
    if not os.access(sys.executable, os.R_OK | os.X_OK) or not os.access(os.__file__, os.R_OK):
        return f"the Python at {sys.executable} cannot be read by other users"
    return ""


def _words(error: OSError) -> str:
    return f"the kernel refused ({error})"


def main() -> None:
    home, order = sys.argv[1:]
    os.umask(0o077)
    os.makedirs(home, 0o700, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="trial-", dir=home)
    try:
        with open(f"{folder}/kept", "w", encoding="ascii"):
            pass
        said = tried(folder, json.loads(order))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(said)
    sys.exit(1 if said else 0)


if __name__ == "__main__":
    main()
