"""Whether this machine can run a cluster of the lab at all, before anything is installed or built.

`python -m lab.kubernetes able` asks, for CI: it goes on without these tests where the answer is no.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from lab.kubernetes import binaries
from lab.kubernetes.packages import SEARCH_PATH, TO_BUILD, TO_RUN, missing

DEBIAN = "12"
_DISK_BYTES_MIN = 6 << 30  # while the programs are built; a cluster alone needs one of them
_MEMORY_BYTES_MIN = 3 << 30
_SECONDS_MAX = 30.0
_CGROUPS = Path("/sys/fs/cgroup")
# What a node's room is made of; a name of its own in a network of its own.
_TRIAL = """
mount -t tmpfs tmpfs /run
if command -v ip >/dev/null; then
  ip link add lab0 type bridge
  ip link add lab0n0 type veth peer name eth0
fi
if command -v iptables >/dev/null; then
  iptables -t nat -A OUTPUT -p tcp --dport 443 -j DNAT --to-destination 127.0.0.1:6443
fi
"""


def why_not() -> str:
    """In words what is in the way; "" where nothing is, packages apart that can be installed."""
    if sys.platform != "linux":
        return f"the lab needs Linux, and this is {platform.system()}"
    if os.geteuid() != 0:
        return "the lab makes networks and control groups, and so needs root"
    wanted = {**TO_RUN, **({} if binaries.built() else TO_BUILD)}
    if missing(wanted):
        release = platform.freedesktop_os_release()
        if (release.get("ID"), release.get("VERSION_ID")) != ("debian", DEBIAN):
            name = release.get("PRETTY_NAME", "another system")
            return f"the lab's programs come from Debian {DEBIAN}, and this is {name}"
    return _kernel() or _space()


def _kernel() -> str:
    unshare = ["unshare", "--net", "--mount", "--propagation=slave"]
    try:
        done = subprocess.run(
            [*unshare, "sh", "-e", "-c", _TRIAL],
            env={"PATH": SEARCH_PATH},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no network namespace can be made: {error}"
    if done.returncode:
        return f"no network namespace can be made and furnished: {done.stderr.strip()}"
    trial = next((each for each in (*_CGROUPS.glob("*/"), _CGROUPS) if _takes_groups(each)), None)
    return "" if trial else "no control group can be made in /sys/fs/cgroup"


def _takes_groups(hierarchy: Path) -> bool:
    group = hierarchy / f"podlab-trial-{os.getpid()}"
    if not (hierarchy / "cgroup.procs").exists():
        return False
    try:
        group.mkdir()
        group.rmdir()
    except OSError:
        return False
    return True


def _space() -> str:
    if psutil.virtual_memory().total < _MEMORY_BYTES_MIN:
        return f"the lab needs {_MEMORY_BYTES_MIN >> 30} GiB of memory"
    if not binaries.built():
        place = binaries.folder()
        while not place.exists():
            place = place.parent
        if shutil.disk_usage(place).free < _DISK_BYTES_MIN:
            return f"building the programs needs {_DISK_BYTES_MIN >> 30} GiB free in {place}"
    return ""
