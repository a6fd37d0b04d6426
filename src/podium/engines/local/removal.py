"""Deletes folders in which jobs wrote whatever they liked. Called by the local engine, in a thread.

The system's `rm` does it: it goes from open folder to open folder and follows no link, also none
that is put there meanwhile, and no depth is too deep for it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_AT_ONCE = 200


def folders_remove(folders: Sequence[Path]) -> None:
    """What resists stays, and can be tried again."""
    left = _present(folders)
    _each(["rm", "-rf", "--"], left)
    left = _present(left)
    if left and os.geteuid() != 0:
        _each(["chmod", "-R", "u+rwx", "--"], left)  # folders that their owner cannot enter
        _each(["rm", "-rf", "--"], left)


def _present(folders: Sequence[Path]) -> list[Path]:
    return [folder for folder in folders if folder.exists()]


def _each(command: list[str], folders: Sequence[Path]) -> None:
    for start in range(0, len(folders), _AT_ONCE):
        paths = map(str, folders[start : start + _AT_ONCE])
        subprocess.run([*command, *paths], check=False, stderr=subprocess.DEVNULL)
