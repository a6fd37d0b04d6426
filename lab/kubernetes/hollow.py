"""Hollow nodes: real kubelets (Kubernetes' own kubemark) over a container runtime that only
pretends, so that a cluster has many nodes and their pods cost nothing.

cluster.py starts one process for each; docs/kubernetes-lab.md says how many a machine bears.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lab.kubernetes.daemon import Daemon
from lab.kubernetes.ground import Ground
from lab.kubernetes.node import NO_CLOUD
from lab.kubernetes.packages import program
from lab.kubernetes.room import Room

_FIRST_PORT = 20_000
# Places of the room itself, because the home may be below /tmp.
_KUBECONFIG = Path("/run/kubeconfig")
_KUBEMARK = Path("/run/kubemark")


class HollowNodes:
    """The hollow nodes of a lab, all in one room that has the address of node `number`."""

    def __init__(
        self, names: Sequence[str], number: int, folder: Path, ground: Ground, programs: Path
    ) -> None:
        self.names = tuple(names)
        self.room = Room("hollow", number, folder, ground)
        self._folder = folder
        self._programs = programs

    def start(self, kubeconfig: Path) -> None:
        self.room.open({})
        self.room.run("cp", str(kubeconfig), str(_KUBECONFIG))
        self.room.run("touch", str(_KUBEMARK))
        self.room.run("mount", "--bind", str(self._programs / "kubemark"), str(_KUBEMARK))
        for number, name in enumerate(self.names):
            self._kubelet(number, name).start()

    def stop(self) -> None:
        self.room.empty(set)
        self.room.close()

    def kill(self, name: str) -> None:
        """The node goes silent."""
        Daemon(name, self._folder, ()).kill()

    def log_tail(self, name: str) -> str:
        return Daemon(name, self._folder, ()).tail()

    def _kubelet(self, number: int, name: str) -> Daemon:
        kubemark = [
            str(_KUBEMARK),
            "--morph=kubelet",
            f"--name={name}",
            f"--kubeconfig={_KUBECONFIG}",
            f"--kubelet-port={_FIRST_PORT + number}",
            "--kubelet-read-only-port=0",
            "--v=0",
        ]
        # Each listens at the same path below /tmp, and so needs a /tmp of its own.
        script = 'mount -t tmpfs tmpfs /tmp && exec "$@"'
        command = [*self.room.entry, program("unshare"), "--mount", "sh", "-c", script, "sh"]
        return Daemon(name, self._folder, [*command, *kubemark], environment=NO_CLOUD)
