"""The GPUs of a node as its device plugin counts them and GPU Feature Discovery describes them.

A plugin hands out GPUs by count: which one a pod got, only its node knows. Podium numbers them
itself, so that its books are right for whole GPUs, and names one only where the site says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from podium.domain.errors import PermanentError
from podium.domain.node import Device
from podium.engines.contract import DeviceGrant
from podium.engines.devices.library import short_type
from podium.engines.kubernetes import names
from podium.engines.kubernetes.site import ClusterSite

_MIB = 1 << 20
_GIB = 1 << 30
_WHOLE_MILLI = 1000
_OURS = re.compile(r"-(gpu|mig-[0-9]+g\.[0-9]+gb[a-z0-9.+]*)-([0-9]+)")
_TYPE_UNKNOWN = "GPU"


def devices_of(
    node: str, allocatable: Mapping[str, str], labels: Mapping[str, str], others: Mapping[str, int]
) -> tuple[Device, ...]:
    """The devices of `node`, by Podium's name of it. `others` is how many of each resource pods
    that are not Podium's have; which ones they got is not known, so the last ones stand for
    them."""
    model = labels.get("nvidia.com/gpu.product", "").replace("-", " ")
    cut = re.search(r" MIG ([0-9]+g\.[0-9]+gb\S*)", model)  # the strategy "single"
    model = re.sub(r" (MIG \S+|SHARED)$", "", model) or "NVIDIA GPU"
    type_ = short_type(model) if "nvidia.com/gpu.product" in labels else _TYPE_UNKNOWN
    found: list[Device] = []
    resources = [name for name in allocatable if name.startswith((names.GPU, names.MIG_PREFIX))]
    for resource in sorted(resources):
        profile = resource.removeprefix(names.MIG_PREFIX) if resource != names.GPU else None
        if resource == names.GPU and cut is not None:
            profile = cut[1]
        count = int(allocatable[resource])
        taken = min(count, others.get(resource, 0))
        for number in range(count):
            mine = number < count - taken
            stem = "gpu" if resource == names.GPU else f"mig-{profile}"
            name = f"{node}-{stem}-{number}"
            found.append(
                Device(
                    id=name,
                    node=node,
                    index=len(found),
                    uuid=name,
                    type=type_,
                    model=model,
                    memory_bytes=_memory_bytes(profile, labels),
                    mig_profile=profile,
                    healthy=mine,
                    fault="" if mine else "A pod that is not Podium's uses it.",
                )
            )
    return tuple(found)


def _memory_bytes(profile: str | None, labels: Mapping[str, str]) -> int:
    said = labels.get(f"{names.MIG_PREFIX}{profile}.memory" if profile else f"{names.GPU}.memory")
    if said is None:
        said = labels.get(f"{names.GPU}.memory")  # of the strategy "single", and where it is silent
        if profile is not None and (size := re.search(r"\.([0-9]+)gb", profile)):
            return int(size[1]) * _GIB
    return int(said) * _MIB if said and said.isdigit() else 0


def resource_of(grant: DeviceGrant, site: ClusterSite) -> str:
    """What a pod asks the device plugin for, "" where it is named its GPU. Raises
    PermanentError for a share that the plugin cannot give."""
    if site.exact_devices:
        return ""
    if grant.gpu_milli < _WHOLE_MILLI and not grant.mig:
        raise PermanentError(
            f"The cluster {site.cluster} hands out whole GPUs only. Ask for a whole one, or let an "
            "operator set the cluster to exact devices."
        )
    stem, _ = number_of(grant.uuid)
    return names.GPU if stem == "gpu" else f"nvidia.com/{stem}"


def number_of(uuid: str) -> tuple[str, int]:
    """`"gpu"` or `"mig-PROFILE"`, and its number among those of its node."""
    found = _OURS.search(uuid)
    return (found[1], int(found[2])) if found else ("gpu", 0)


def visible_devices(grants: Sequence[DeviceGrant], site: ClusterSite) -> dict[str, str]:
    """What the work's environment says of its devices. The runtime of NVIDIA shows all GPUs to a
    pod whose image says so, unless it is told of none."""
    if not grants:
        return {"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": ""}
    env: dict[str, str] = {}
    if site.exact_devices:
        numbers = sorted(number_of(each.uuid)[1] for each in grants)
        env["NVIDIA_VISIBLE_DEVICES"] = ",".join(map(str, numbers))
    shares = [each for each in grants if each.gpu_milli < _WHOLE_MILLI and not each.mig]
    if shares:
        env["PODIUM_GPU_MILLI"] = str(shares[0].gpu_milli)
        env["PODIUM_GPU_MEMORY_BYTES"] = str(shares[0].memory_bytes)
    return env
