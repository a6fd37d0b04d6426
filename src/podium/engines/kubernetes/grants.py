"""What a pod is given of its node's devices, and how both sides note which. `manifest` asks for a
pod, `devices` lists by the same names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from podium.domain.node import Device, Node
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import MPS_LABEL, Isolation
from podium.engines.contract import DeviceGrant, MisplacedError
from podium.engines.kubernetes import names

VISIBLE = "NVIDIA_VISIBLE_DEVICES"
"""The variable by which NVIDIA's runtime gives GPUs. What a pod says of it wins over what a device
plugin says, so work may not set it."""

SHARED = ".shared"  # what a plugin may call a resource that it shares
MPS = "mps"
_COUNTED = re.compile(
    r".*-((?:gpu|mps)(?:\.shared)?|index|single|mig-[0-9]+g\.[0-9]+gb[a-z0-9.]*)-([0-9]+)(?:/.*)?"
)
NAMED = re.compile(r"GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INDEX = "index"
ONE_KIND = "single"  # a GPU whose instances the plugin calls GPUs


def slot_of(gpu: str, profile: str, start: int) -> str:
    """The note of an instance on a GPU that Podium counts it on."""
    return f"{gpu}/{profile}@{start}"


def note_of(grant: DeviceGrant) -> str:
    """What a pod notes of a device that it was given, so that Podium knows it after a restart."""
    if grant.mig_profile:
        return slot_of(grant.uuid, grant.mig_profile, grant.mig_start)
    return grant.uuid


def names_its_gpu(note: str) -> bool:
    """Whether the pod is told which GPU, so that no plugin counts it."""
    found = _COUNTED.fullmatch(note)
    return NAMED.fullmatch(note) is not None or (found is not None and found[1] == INDEX)


def resource_of(grant: DeviceGrant) -> str:
    """What a pod asks the device plugin for, "" where it is named its GPU."""
    if grant.mig_profile and number_of(grant.uuid)[0] == ONE_KIND:
        return names.GPU
    if grant.mig_profile:
        return names.MIG_PREFIX + grant.mig_profile.replace("+", ".")
    if names_its_gpu(grant.uuid):
        return ""
    stem, _ = number_of(grant.uuid)
    return names.VENDOR + stem.replace(MPS, "gpu")


def number_of(uuid: str) -> tuple[str, int]:
    """How a device is given (`gpu`, `mps`, `mig-PROFILE`, `index`; the first two end in `.shared`
    where the plugin says so), and its number among those of its node."""
    found = _COUNTED.fullmatch(uuid)
    return (found[1], int(found[2])) if found else ("gpu", 0)


def has_plugin_memory(grants: Iterable[DeviceGrant]) -> bool:
    """Whether the device plugin puts its own memory at /dev/shm, as it does for MPS."""
    return any(number_of(each.uuid)[0].startswith(MPS) for each in grants)


def visible_devices(grants: Sequence[DeviceGrant]) -> dict[str, str]:
    """What the work's environment says of its devices. The runtime of NVIDIA shows all GPUs to a
    pod whose image says so, unless it is told of none."""
    if not grants:
        return {VISIBLE: "void", "CUDA_VISIBLE_DEVICES": ""}
    env: dict[str, str] = {}
    exact = [each for each in grants if not each.mig and names_its_gpu(each.uuid)]
    if exact:
        env[VISIBLE] = ",".join(map(_told, exact))
    shares = [each for each in grants if each.gpu_milli < GPU_MILLI and not each.mig]
    if shares:
        env["PODIUM_GPU_MILLI"] = str(shares[0].gpu_milli)
        env["PODIUM_GPU_MEMORY_BYTES"] = str(shares[0].memory_bytes)
    return env


def _told(grant: DeviceGrant) -> str:
    return grant.uuid if NAMED.fullmatch(grant.uuid) else str(number_of(grant.uuid)[1])


def check_given(grants: Sequence[DeviceGrant], isolation: Isolation, node: Node) -> None:
    """Raises MisplacedError where its node would give something else than what was placed there,
    e.g. since its plugin shares GPUs."""
    devices = {each.uuid: each for each in node.devices}
    if not all(_as_placed(each, devices.get(each.uuid)) for each in grants):
        raise MisplacedError(f"What {node.name} gives of its GPUs has changed since.")
    if isolation is Isolation.MPS and MPS_LABEL not in node.labels:
        raise MisplacedError(f"{node.name} does not share its GPUs by MPS any more.")


def _as_placed(grant: DeviceGrant, device: Device | None) -> bool:
    if device is None:
        return False
    if grant.mig_profile:
        asked = grant.mig_profile, grant.mig_start
        return any((each.profile, each.start) == asked for each in device.instances)
    if grant.mig or device.mig_profile is not None or device.board:
        return grant.mig and device.mig_profile is not None
    if grant.gpu_milli == GPU_MILLI:
        return device.share_milli in (0, GPU_MILLI)
    return device.share_milli in (0, grant.gpu_milli)


def counts_of(grants: Iterable[DeviceGrant]) -> dict[str, int]:
    """How many of each resource a pod asks for."""
    return dict(Counter(name for grant in grants if (name := resource_of(grant))))
