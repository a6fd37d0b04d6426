"""Where one lab stands on its machine: a network and names that no other lab there has.

cluster.py claims it first and gives it back last.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from lab.kubernetes.packages import LabError, program

LABS_MAX = 32
SERVICES = "10.96.0.0/16"  # the same in each lab: seen from its own nodes only
SERVICE_ADDRESS = "10.96.0.1"
API_PORT = 6443


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The addresses and names of lab number `index`; nodes are numbered from 0."""

    index: int

    @property
    def bridge(self) -> str:
        return f"podlab{self.index}"

    @property
    def gateway(self) -> str:
        """The machine's address on the bridge, where the API server answers."""
        return f"10.200.{self.index}.1"

    @property
    def loopback(self) -> str:
        """Where etcd answers, for this machine alone."""
        return f"127.200.{self.index}.1"

    @property
    def pods(self) -> str:
        return f"10.{208 + self.index}.0.0/16"

    def address(self, node: int) -> str:
        return f"10.200.{self.index}.{10 + node}"

    def pods_of(self, node: int) -> str:
        return f"10.{208 + self.index}.{node}.0/24"

    def link(self, node: int) -> str:
        """The machine's end of the wire to a node."""
        return f"{self.bridge}n{node}"

    def cgroup(self, name: str) -> str:
        return f"{self.bridge}-{name}"

    def release(self) -> None:
        if self.bridge in _bridges():
            ip("link", "delete", self.bridge)


def claim() -> Ground:
    """The first free ground. Raises LabError when all are taken.

    Its bridge is what claims it: the kernel makes one of a name only once."""
    for index in range(LABS_MAX):
        ground = Ground(index=index)
        made = subprocess.run(
            [program("ip"), "link", "add", ground.bridge, "type", "bridge"],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode == 0:
            ip("address", "add", f"{ground.gateway}/24", "dev", ground.bridge)
            ip("link", "set", ground.bridge, "up")
            return ground
        if "File exists" not in made.stderr:
            raise LabError(f"no network bridge can be made: {made.stderr.strip()}")
    raise LabError(f"{LABS_MAX} labs run on this machine; end one with its down command")


def ip(*words: str) -> None:
    """Runs `ip` in the machine's own network. Raises LabError."""
    done = subprocess.run([program("ip"), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _bridges() -> set[str]:
    told = subprocess.run(
        [program("ip"), "-brief", "link", "show", "type", "bridge"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split()[0] for line in told.stdout.splitlines() if line}
