"""Which programs the lab needs of the system, and the Debian packages that have them.

`python -m lab.kubernetes packages` prints them; binaries.py and cluster.py ask before they begin.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

# Debian keeps these where a person's PATH may not look.
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
CNI_FOLDER = Path("/usr/lib/cni")

TO_BUILD: Mapping[str, str] = {
    "go": "golang-go",
    "make": "make",
    "rsync": "rsync",
    "dpkg-source": "dpkg-dev",
}
TO_RUN: Mapping[str, str] = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "conntrack": "conntrack",
    "socat": "socat",
    "ebtables": "ebtables",
    "mount": "mount",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "busybox": "busybox-static",
    "kubectl": "kubernetes-client",
    str(CNI_FOLDER / "bridge"): "containernetworking-plugins",
}


class LabError(Exception):
    """The lab cannot do what was asked; the text says what is wrong and what would help."""


def program(name: str) -> str:
    """The path of a program of the system. Raises LabError that names its package."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        package = {**TO_BUILD, **TO_RUN}.get(name, name)
        raise LabError(f"{name} is missing; install it with apt-get install {package}")
    return found


def missing(programs: Mapping[str, str]) -> list[str]:
    """The Debian packages that have those of `programs` which are not here, by name."""
    return sorted(
        {
            package
            for name, package in programs.items()
            if shutil.which(name, path=SEARCH_PATH) is None
        }
    )


def require(programs: Mapping[str, str]) -> None:
    """Raises LabError with the command that installs what is missing."""
    if packages := missing(programs):
        raise LabError(
            f"this machine lacks {', '.join(packages)}; install them with "
            f"apt-get install --no-install-recommends {' '.join(packages)}"
        )
