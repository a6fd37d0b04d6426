"""Finds the control daemon of NVIDIA's Multi-Process Service (MPS) on this machine, and says what
a job must be told to share its GPU through it. Called by the inventory and at each launch."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

from podium.engines.contract import DeviceGrant

PIPES_VARIABLE = "CUDA_MPS_PIPE_DIRECTORY"
_PIPES_USUAL = "/tmp/nvidia-mps"  # noqa: S108 - the daemon's own default
_CONTROL = "control"
_PID = "nvidia-cuda-mps-control.pid"
_SECONDS = 0.2
_MIB = 2**20


def pipe_directory(environ: Mapping[str, str] = os.environ) -> str | None:
    """The daemon's folder of pipes, None where no daemon lives."""
    folder = Path(environ.get(PIPES_VARIABLE) or _PIPES_USUAL)
    return str(folder) if _lives(folder) else None


def mps_environment(pipes: str, grant: DeviceGrant) -> dict[str, str]:
    """Variables for a job with this one share of a GPU: its part of the threads, and of the memory
    of device 0, which is the only one that it sees."""
    return {
        PIPES_VARIABLE: pipes,
        "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": str(max(1, grant.gpu_milli // 10)),
        "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": f"0={max(1, grant.memory_bytes // _MIB)}M",
    }


def _lives(folder: Path) -> bool:
    """By the daemon's process where it wrote that down, else by asking its socket: asking leaves a
    line in its log each time."""
    control = folder / _CONTROL
    try:
        if not stat.S_ISSOCK(control.stat().st_mode):
            return False
    except OSError:
        return False
    try:
        os.kill(int((folder / _PID).read_text()), 0)
    except PermissionError:
        return True  # it is there, and somebody else's
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return _answers(control)
    return True


def _answers(control: Path) -> bool:
    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as asking:
            asking.settimeout(_SECONDS)
            try:
                asking.connect(str(control))
            except OSError:
                continue
            return True
    return False
