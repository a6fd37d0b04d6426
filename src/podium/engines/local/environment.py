"""The environment that the local engine adds to a job's own: paths and devices of this machine."""

from __future__ import annotations

from collections.abc import Mapping

from podium.engines.contract import Launch
from podium.engines.local.mps import mps_environment

ALLOCATION_VARIABLE = "PODIUM_ALLOCATION_ID"
GPU_MILLI_WHOLE = 1000


def environment(
    launch: Launch,
    *,
    work: str,
    temporary: str,
    saved: str,
    path: str,
    pipes: str | None = None,
    user: str = "",
) -> Mapping[str, str]:
    """All but the secrets. What the launch sets wins, except devices, the allocation's id and the
    file that it touches when it has saved. `pipes` is where MPS listens: every share of a GPU goes
    through it then, also those that did not ask for it, or they would not be bounded either.
    `user` is the name of the project's own Unix user, where it has one."""
    threads = max(1, launch.cpu_milli // 1000)
    env = {
        "PATH": path,
        "HOME": work,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # standard output is a pipe, and people follow it line by line
        "OMP_NUM_THREADS": str(threads),
    }
    if user:
        env |= {"USER": user, "LOGNAME": user}
    env.update(launch.env)
    env.update(_devices(launch, pipes))
    env[ALLOCATION_VARIABLE] = launch.allocation_id
    env["PODIUM_SAVED_FILE"] = saved
    return env


def _devices(launch: Launch, pipes: str | None) -> Mapping[str, str]:
    """An empty list hides every GPU from work that was granted none."""
    virtual = any(device.virtual for device in launch.devices)
    visible = ",".join(
        str(device.index) if device.virtual and not device.mig else device.uuid
        for device in launch.devices
    )
    env = {"CUDA_VISIBLE_DEVICES": visible, "NVIDIA_VISIBLE_DEVICES": visible}
    if virtual:
        env["PODIUM_GPU_VIRTUAL"] = "1"
    shares = [
        device for device in launch.devices if device.gpu_milli < GPU_MILLI_WHOLE and not device.mig
    ]
    if shares:
        env["PODIUM_GPU_MILLI"] = str(shares[0].gpu_milli)
        env["PODIUM_GPU_MEMORY_BYTES"] = str(shares[0].memory_bytes)
        if pipes is not None and not virtual:
            env |= mps_environment(pipes, shares[0])
    return env
