"""Trouble for virtual GPUs: how tests, and people who try things out, make them fail.

The virtual driver asks it before each answer. With a file, another process or an editor can write
it while the server runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuTrouble:
    """What is wrong with one virtual GPU.

    `fails` names the NVML error with which an action (`create`, `destroy`, `mode`, `read`) fails.
    `half_created` lets `create` die between the GPU instance and its compute instance.
    `reset_required` keeps a new MIG mode pending. Temperature and power are what it tells.
    """

    xids: tuple[int, ...] = ()
    ecc_corrected: int = 0
    ecc_uncorrected: int = 0
    rows_failed: bool = False
    lost: bool = False
    reset_required: bool = False
    half_created: bool = False
    fails: Mapping[str, str] = field(default_factory=dict)
    processes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    temperature_celsius: int | None = None
    power_milliwatts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """`gpus` is by UUID or index. Without `privileged` the driver answers as to one who is not
    root; `slow_ms` is how long making an instance takes."""

    privileged: bool = True
    slow_ms: int = 0
    gpus: Mapping[str, GpuTrouble] = field(default_factory=dict)


_NONE = GpuTrouble()


class Control:
    """Without a file the trouble is this object's own. A file that cannot be read is logged, and
    what it last said goes on."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._troubles = Troubles()

    def now(self) -> Troubles:
        if self._path is None:
            return self._troubles
        try:
            status = self._path.stat()
        except OSError:
            self._stamp, self._troubles = None, Troubles()
            return self._troubles
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._troubles = _troubles(json.loads(self._path.read_bytes()))
            except (OSError, ValueError, TypeError, AttributeError) as error:
                _log.warning("virtual_gpu_trouble_ignored", path=str(self._path), why=str(error))
        return self._troubles

    def of(self, uuid: str, index: int) -> GpuTrouble:
        gpus = self.now().gpus
        return gpus.get(uuid) or gpus.get(str(index)) or _NONE

    def set(self, **changes: Any) -> None:
        """Change fields of `Troubles`."""
        self._keep(replace(self.now(), **changes))

    def trouble(self, gpu: str, **changes: Any) -> None:
        """Change fields of one GPU's trouble."""
        now = self.now()
        changed = replace(now.gpus.get(gpu, _NONE), **changes)
        self._keep(replace(now, gpus={**now.gpus, gpu: changed}))

    def mend(self, gpu: str) -> None:
        """Nothing is wrong with that GPU any more."""
        now = self.now()
        self._keep(replace(now, gpus={name: one for name, one in now.gpus.items() if name != gpu}))

    def _keep(self, troubles: Troubles) -> None:
        self._troubles = troubles
        if self._path is not None:
            write_whole(self._path, json.dumps(asdict(troubles), indent=1))


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, so that no reader and no dying process leaves half of it. It need
    not reach the disk: what it says ends with the machine's restart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text)
    part.replace(path)


def _troubles(document: Mapping[str, Any]) -> Troubles:
    gpus = {str(name): _trouble(one) for name, one in document.get("gpus", {}).items()}
    rest = {name: value for name, value in document.items() if name != "gpus"}
    return Troubles(**rest, gpus=gpus)


def _trouble(document: Mapping[str, Any]) -> GpuTrouble:
    known = {each.name for each in fields(GpuTrouble)}
    unknown = sorted(set(document) - known)
    if unknown:
        raise ValueError(f"There is no trouble {unknown[0]}; there are {', '.join(sorted(known))}.")
    values = dict(document)
    if "xids" in values:
        values["xids"] = tuple(int(number) for number in values["xids"])
    if "processes" in values:
        values["processes"] = {uuid: tuple(pids) for uuid, pids in values["processes"].items()}
    return GpuTrouble(**values)
