"""What virtual GPUs remember: MIG modes and instances, in a file of the home folder.

As on real GPUs this outlives the server, and not the machine's restart. Used by the virtual driver.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from podium.engines.devices.contract import ProfileKey
from podium.engines.devices.trouble import write_whole

_VERSION = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Their MIG mode is written into the board itself; newer ones forget it as well.
_KEEP_MODE = ("A100", "A30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One GPU instance; `uuid` is "" until it has its compute instance."""

    id: int
    key: ProfileKey
    start: int
    uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One virtual GPU. `made` counts its instances ever, so that no UUID comes twice."""

    uuid: str
    kind: str
    mig: bool = False
    pending: bool = False
    made: int = 0
    cuts: tuple[Cut, ...] = ()

    def restarted(self) -> Standing:
        """As it is after the machine was started anew."""
        keeps = self.kind.split("-")[0] in _KEEP_MODE
        mode = self.pending if keeps else False
        return replace(self, mig=mode, pending=mode, cuts=())


def boot_now() -> str:
    """What the kernel calls this run of the machine; "" where it does not tell."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def standing_read(path: Path, boot: str) -> dict[str, Standing]:
    """By UUID; empty when there is no such file, or none that can be read."""
    try:
        document = json.loads(path.read_bytes())
        found = [_standing(each) for each in document["gpus"]]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if document.get("boot") != boot:
        found = [each.restarted() for each in found]
    return {each.uuid: each for each in found}


def standing_write(path: Path, boot: str, gpus: list[Standing]) -> None:
    """Raises OSError, and then the file is as it was."""
    document = {"version": _VERSION, "boot": boot, "gpus": [asdict(each) for each in gpus]}
    write_whole(path, json.dumps(document))


def _standing(row: dict[str, Any]) -> Standing:
    cuts = tuple(Cut(**{**cut, "key": ProfileKey(*cut["key"])}) for cut in row["cuts"])
    return Standing(**{**row, "cuts": cuts})
