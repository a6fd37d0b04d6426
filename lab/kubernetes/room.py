"""A network and a view of the file system of their own, in which a node's programs run.

node.py and hollow.py make one each. A sleeping process holds it open: when that ends and nothing
runs in it any more, the kernel takes back the wire, the addresses, the rules and the mounts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from lab.kubernetes.daemon import Daemon
from lab.kubernetes.ground import API_PORT, SERVICE_ADDRESS, Ground, ip
from lab.kubernetes.packages import LabError, program

_KINDS = ("net", "mnt")
_EMPTY_SECONDS_MAX = 20.0


class Room:
    """The room of node `number`, by the name of `name`; its files are in `folder`."""

    def __init__(self, name: str, number: int, folder: Path, ground: Ground) -> None:
        self.name = name
        self.number = number
        self.folder = folder
        self.ground = ground
        self._holder = Daemon(
            "room",
            folder,
            [
                program("unshare"),
                "--net",
                "--mount",
                "--propagation=slave",
                program("sleep"),
                "infinity",
            ],
            ready=self._apart,
        )

    @property
    def link(self) -> str:
        return self.ground.link(self.number)

    @property
    def entry(self) -> list[str]:
        """What stands before a command that is to run in here; it keeps its process id.

        Not `ip netns exec`, which mounts /sys anew and hides the control groups."""
        pid = self._holder.pid
        if pid is None:
            raise LabError(f"node {self.name} is not up")
        return [program("nsenter"), f"--target={pid}", "--net", "--mount", "--"]

    def open(self, mounts: Mapping[Path, Path]) -> None:
        """Makes it, with the folders or files of `mounts` in the places that are its keys."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._holder.start()
        with contextlib.suppress(LabError):
            ip("link", "delete", self.link)  # of a run that ended half-way
        peer = ("peer", "name", "eth0", "netns", str(self._holder.pid))
        ip("link", "add", self.link, "type", "veth", *peer)
        ip("link", "set", self.link, "master", self.ground.bridge, "up")
        ip("route", "replace", self.ground.pods_of(self.number), "via", self._address)
        self._furnish(mounts)

    def reach(self, other: Room) -> None:
        """Sends what is for the pods of the other node to that node."""
        pods = self.ground.pods_of(other.number)
        self.run("ip", "route", "replace", pods, "via", self.ground.address(other.number))

    def cut(self) -> None:
        """Nothing comes in or goes out until `join`."""
        ip("link", "set", self.link, "down")

    def join(self) -> None:
        ip("link", "set", self.link, "up")

    def run(self, *command: str) -> str:
        """What the command said. Raises LabError when it fails."""
        done = subprocess.run([*self.entry, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(command)} on {self.name}: {done.stderr.strip()}")
        return done.stdout

    def empty(self, others: Callable[[], set[int]]) -> None:
        """Ends all that runs in here but its holder, and all that `others` names, by id."""
        deadline = time.monotonic() + _EMPTY_SECONDS_MAX
        while running := self._inhabitants() | others():
            if time.monotonic() > deadline:
                raise LabError(f"processes of node {self.name} cannot be ended: {running}")
            for pid in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def close(self) -> None:
        """Gives back the room; what runs in it must have ended."""
        with contextlib.suppress(LabError):
            ip("link", "delete", self.link)
        self._holder.kill()

    @property
    def _address(self) -> str:
        return self.ground.address(self.number)

    def _apart(self) -> bool:
        """Whether the holder has left the namespaces of this process."""
        pid = self._holder.pid
        return pid is not None and all(
            _namespace(pid, kind) not in (None, _namespace(os.getpid(), kind)) for kind in _KINDS
        )

    def _inhabitants(self) -> set[int]:
        holder = self._holder.pid
        if holder is None:
            return set()
        rooms = {kind: _namespace(holder, kind) for kind in _KINDS}
        return {
            pid
            for pid in psutil.pids()
            if pid != holder and any(_namespace(pid, kind) == rooms[kind] for kind in _KINDS)
        }

    def _furnish(self, mounts: Mapping[Path, Path]) -> None:
        rule = f"-t nat -d {SERVICE_ADDRESS} -p tcp --dport 443 -j DNAT"
        server = f"{self.ground.gateway}:{API_PORT}"
        lines = [
            "ip link set lo up",
            f"ip address add {self._address}/24 dev eth0",
            "ip link set eth0 up",
            f"ip route add default via {self.ground.gateway}",
            # Nothing out there is asked whose cloud this is.
            "ip route add unreachable 169.254.0.0/16",
            "echo 1 > /proc/sys/net/ipv4/ip_forward",
            # Pods reach the API server by its service's address without a kube-proxy.
            *(
                f"{program('iptables')} -A {chain} {rule} --to-destination {server}"
                for chain in ("PREROUTING", "OUTPUT")
            ),
            *(f"mount --bind '{source}' '{place}'" for place, source in mounts.items()),
            "mount -t tmpfs -o mode=755 tmpfs /run",
            "mount --make-rshared /",
        ]
        script = "set -e\n" + "\n".join(lines)
        self.run("sh", "-c", script)


def _namespace(pid: int, kind: str) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return None
