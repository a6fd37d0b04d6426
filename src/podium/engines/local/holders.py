"""Which processes hold which device, by the allocations that run on this machine.

The virtual driver asks it, as a real driver sees its processes itself, and whoever cuts GPUs: work
that is about to start has no process yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from podium.engines.contract import Phase
from podium.engines.local import folder as names
from podium.engines.local import processes
from podium.engines.local.page import page_read


def holders(active: Path) -> Mapping[str, Sequence[int]]:
    """Process ids by the UUID of each device that was granted to living work. `active` is the
    folder of unfinished allocations. What is about to start counts by the id of its shim, or 0."""
    found: dict[str, list[int]] = {}
    for folder, uuids in _unfinished(active):
        status = page_read(str(folder / names.STATUS))
        shim = 0 if status is None else int(status.get("shim_pid", 0))
        pids = (processes.descendants(shim) if shim else []) or [shim]
        for uuid in uuids:
            found.setdefault(uuid, []).extend(pids)
    return found


def granted(active: Path) -> Mapping[str, frozenset[str]]:
    """Ids of allocations by the UUID of each device that was granted to work that has not ended."""
    found: dict[str, set[str]] = {}
    for folder, uuids in _unfinished(active):
        for uuid in uuids:
            found.setdefault(uuid, set()).add(folder.name)
    return {uuid: frozenset(ids) for uuid, ids in found.items()}


def _unfinished(active: Path) -> Iterator[tuple[Path, list[str]]]:
    """Folders of what is about to start or runs, with the UUIDs of its devices."""
    try:
        folders = list(active.iterdir())
    except OSError:
        return
    for folder in folders:
        try:
            order = json.loads((folder / names.LAUNCH).read_bytes())
        except (OSError, ValueError):
            continue
        uuids = [device["uuid"] for device in order.get("devices", ())]
        if not uuids:
            continue
        if names.is_claimed(str(folder)):
            status = page_read(str(folder / names.STATUS))
            ended = status is not None and status["phase"] == Phase.ENDED
            if ended or not names.lock_is_held(str(folder)):
                continue
        yield folder, uuids
