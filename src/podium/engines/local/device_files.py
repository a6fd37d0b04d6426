"""Which device files of NVIDIA's driver belong to GPUs that an allocation was not granted. Called
when its order is written; behind walls they are closed to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

_GPUS = Path("/proc/driver/nvidia/gpus")


def device_files_others(granted: Collection[str], gpus: Path = _GPUS) -> list[str]:
    """Paths, of all GPUs but those with these UUIDs. None at all where the driver does not say
    which is which: a job must not lose a GPU that it was granted."""
    known = _known(gpus)
    if not set(granted) <= set(known):
        return []
    return sorted(path for uuid, path in known.items() if uuid not in granted)


def _known(gpus: Path) -> Mapping[str, str]:
    found: dict[str, str] = {}
    try:
        cards = list(gpus.iterdir())
    except OSError:
        return found
    for card in cards:
        try:
            lines = (card / "information").read_text().splitlines()
        except OSError:
            continue
        facts = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
        uuid, minor = facts.get("GPU UUID", ""), facts.get("Device Minor", "")
        if uuid.startswith("GPU-") and "?" not in uuid and minor.isdigit():
            found[uuid] = f"/dev/nvidia{minor}"
    return found
