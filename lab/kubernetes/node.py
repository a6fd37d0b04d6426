"""A real node: containerd and a kubelet in a room of their own, with pods that really run.

cluster.py makes them; tests break and mend them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from lab.kubernetes import cgroups
from lab.kubernetes.daemon import Daemon
from lab.kubernetes.ground import Ground
from lab.kubernetes.images import PAUSE
from lab.kubernetes.packages import CNI_FOLDER, LabError, program
from lab.kubernetes.room import Room

_SOCKET = Path("/run/containerd/containerd.sock")
# Or a kubelet waits six seconds for a cloud that is not there.
NO_CLOUD = {"AWS_EC2_METADATA_DISABLED": "true"}
_KUBELET_ROOT = Path("/var/lib/kubelet")
# What the kubelet wants of the kernel; it reads and writes these copies instead of the machine's.
_KERNEL = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
# Places that the room hides under its own: a home in one of them would vanish.
HIDDEN = (Path("/var/lib"), Path("/var/log"), Path("/run"), Path("/var/run"))


class Node:
    """Node `number` of a lab, with its files in `folder`."""

    def __init__(
        self, name: str, number: int, folder: Path, ground: Ground, programs: Path
    ) -> None:
        self.name = name
        self.room = Room(name, number, folder, ground)
        self._folder = folder
        self._ground = ground
        self._programs = programs
        self._cgroup = ground.cgroup(name)

    @property
    def address(self) -> str:
        return self._ground.address(self.room.number)

    def prepare(self, kubeconfig: Path) -> None:
        """Makes its room and configuration; nothing runs yet."""
        lib, log = self._folder / "lib", self._folder / "log"
        for each in (lib / "kubelet", lib / "containerd", lib / "cni", log, self._folder / "cni"):
            each.mkdir(parents=True, exist_ok=True)
        # Without it a kubelet that starts anew takes the node for a new one, and its GPUs away.
        known = lib / "kubelet" / "device-plugins" / "kubelet_internal_checkpoint"
        known.parent.mkdir(exist_ok=True)
        known.write_text("{}")
        mounts = {Path("/var/lib"): lib, Path("/var/log"): log}
        for name, value in _KERNEL.items():
            if Path("/proc/sys", name).exists():
                copy = self._folder / "kernel" / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(f"{value}\n")
                mounts[Path("/proc/sys", name)] = copy
        (self._folder / "containerd.toml").write_text(_containerd(self._folder))
        (self._folder / "cni" / "lab.conflist").write_text(
            json.dumps(_network(self._ground.pods_of(self.room.number)))
        )
        (self._folder / "kubelet.yaml").write_text(yaml.safe_dump(_kubelet(self._cgroup)))
        (self._folder / "kubeconfig").touch(mode=0o600)
        (self._folder / "kubeconfig").write_bytes(kubeconfig.read_bytes())
        cgroups.create(self._cgroup)
        self.room.open(mounts)

    def start(self, images: Sequence[Path]) -> None:
        self.containerd.start()
        for image in images:
            self.load(image)
        self.kubelet.start()

    def load(self, image: Path) -> None:
        """Lets pods here run an image, from its archive."""
        self.room.run(*_CTR, "images", "import", str(image))

    def stop(self) -> None:
        """Ends the node with all its pods, and leaves nothing of it."""
        self.kubelet.kill()
        self.containerd.kill()
        self.room.empty(lambda: cgroups.processes(self._cgroup))
        self.room.close()
        cgroups.remove(self._cgroup)

    @property
    def kubelet(self) -> Daemon:
        command: list[str | Path] = [
            self._programs / "kubelet",
            f"--config={self._folder / 'kubelet.yaml'}",
            f"--kubeconfig={self._folder / 'kubeconfig'}",
            "--container-runtime=remote",
            f"--container-runtime-endpoint=unix://{_SOCKET}",
            f"--root-dir={_KUBELET_ROOT}",
            f"--volume-plugin-dir={_KUBELET_ROOT / 'volume-plugins'}",
            f"--hostname-override={self.name}",
            f"--node-ip={self.address}",
        ]
        return Daemon("kubelet", self._folder, self._inside(command), environment=NO_CLOUD)

    @property
    def containerd(self) -> Daemon:
        command: list[str | Path] = [
            program("containerd"),
            "--config",
            self._folder / "containerd.toml",
        ]
        return Daemon("containerd", self._folder, self._inside(command), ready=self._serves)

    def kill_kubelet(self) -> None:
        """The node goes silent; its pods run on."""
        self.kubelet.kill()

    def start_kubelet(self) -> None:
        self.kubelet.start()

    def kill(self) -> None:
        """The node loses its power: kubelet, containerd and all pods end at once."""
        self.kubelet.kill()
        self.containerd.kill()
        self.room.empty(lambda: cgroups.processes(self._cgroup))

    def start_again(self) -> None:
        """The node has power again, after `kill`."""
        self.containerd.start()
        self.start_kubelet()

    def cut(self) -> None:
        """The node runs on, but nothing reaches it and it reaches nothing, until `join`."""
        self.room.cut()

    def join(self) -> None:
        self.room.join()

    def _inside(self, command: Sequence[str | Path]) -> list[str | Path]:
        try:
            return [*self.room.entry, *command]
        except LabError:
            return list(command)  # the room is gone, and with it what could be started

    def _serves(self) -> bool:
        done = subprocess.run(
            [*self.room.entry, *_CTR, "version"], capture_output=True, check=False
        )
        return done.returncode == 0


_CTR = ("ctr", f"--address={_SOCKET}", "--namespace=k8s.io")


def _containerd(folder: Path) -> str:
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_FOLDER}"
conf_dir = "{folder / "cni"}"
"""


def _network(pods: str) -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {
        "cniVersion": "0.4.0",
        "name": "lab",
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def _kubelet(cgroup: str) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "readOnlyPort": 0,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "resolvConf": "",
        # Heard of often, so that its silence is noticed soon.
        "nodeStatusUpdateFrequency": "2s",
        "nodeStatusReportFrequency": "2s",
        "nodeLeaseDurationSeconds": 8,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        # Neither a full disk nor a full memory of this machine is the pods' fault, and images
        # that are cleaned away cannot be fetched again.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "0%",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
    }
