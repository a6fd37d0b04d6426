"""One Kubernetes cluster of the lab: brought up, broken, mended and torn down again.

Tests and benchmarks hold a `Cluster`; __main__.py does the same for a person.
"""

from __future__ import annotations

import json
import os
import shutil
import string
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from lab.kubernetes import binaries, gpus, images
from lab.kubernetes.api import Api
from lab.kubernetes.control_plane import ADMIN, HOLLOW, PODIUM, ControlPlane
from lab.kubernetes.daemon import Daemon
from lab.kubernetes.gpus import Gpus
from lab.kubernetes.ground import Ground, claim
from lab.kubernetes.hollow import HollowNodes
from lab.kubernetes.node import HIDDEN, Node
from lab.kubernetes.packages import TO_RUN, LabError, program, require
from lab.kubernetes.pretended import PretendedNodes

NODES_MAX = len(string.ascii_lowercase)
MANY_MAX = 1000
READY_SECONDS_MAX = 120.0
# A real kubelet of the lab tells of itself every 2 s, any other every 10 s.
_GRACE_SECONDS = 8.0
_MANY_GRACE_SECONDS = 40.0
_STATE = "lab.json"
_KUBECTL_SECONDS_MAX = 120.0

Say = Callable[[str], None]


class Cluster:
    """A cluster with its files in `home`, which knows how to end what it started.

    As a context manager it is up inside, and nothing of it is left outside but its home."""

    def __init__(
        self,
        home: Path,
        *,
        nodes: int = 2,
        hollow: int = 0,
        pretended: int = 0,
        virtual_gpus: int = 0,
        say: Say = lambda _: None,
    ) -> None:
        self.home = home.absolute()
        for count, most, kind in (
            (nodes, NODES_MAX, "nodes"),
            (hollow, MANY_MAX, "hollow nodes"),
            (pretended, MANY_MAX, "pretended nodes"),
        ):
            if not 0 <= count <= most:
                raise LabError(f"{kind}: {count} is out of range; a lab has up to {most}")
        self._names = [f"node-{letter}" for letter in string.ascii_lowercase[:nodes]]
        self._hollow_names = [f"hollow-{number:03}" for number in range(hollow)]
        self._pretended_names = [f"pretended-{number:03}" for number in range(pretended)]
        self._virtual_gpus = virtual_gpus
        self._say = say
        self._ground: Ground | None = None
        self.nodes: list[Node] = []
        self.hollow: HollowNodes | None = None
        self.pretended: PretendedNodes | None = None

    @classmethod
    def at(cls, home: Path, say: Say = lambda _: None) -> Cluster:
        """The cluster that was started in `home`. Raises LabError when there is none."""
        try:
            state = json.loads((home / _STATE).read_text())
        except FileNotFoundError:
            raise LabError(f"no lab was started in {home}") from None
        cluster = cls(
            home,
            nodes=state["nodes"],
            hollow=state["hollow"],
            pretended=state["pretended"],
            say=say,
        )
        cluster._stand_on(Ground(index=state["index"]))
        return cluster

    def __enter__(self) -> Cluster:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    # --- up and down --------------------------------------------------------------------------

    def up(self) -> None:
        """Returns when pods can start on all nodes. Raises LabError; `down` clears what stands."""
        begun = time.monotonic()
        self._check()
        binaries.build(self._say)
        self.home.mkdir(parents=True, exist_ok=True)
        for left in ("control-plane", "nodes"):
            # Logs of the last run, and certificates for addresses that may be another lab's now.
            shutil.rmtree(self.home / left, ignore_errors=True)
        ground = claim()
        state = {
            "index": ground.index,
            "nodes": len(self._names),
            "hollow": len(self._hollow_names),
            "pretended": len(self._pretended_names),
        }
        (self.home / _STATE).write_text(json.dumps(state))
        self._stand_on(ground)
        archives = images.make(self.home / "images")
        self.control_plane.prepare(self._names)
        self.control_plane.start()
        self._say(f"the API server answers after {time.monotonic() - begun:.1f} s")
        self.control_plane.kubeconfig(ADMIN, self.kubeconfig)
        self.control_plane.kubeconfig(PODIUM, self.podium_kubeconfig)
        for node in self.nodes:
            node.prepare(self.control_plane.kubeconfig(f"system:node:{node.name}"))
        for node in self.nodes:
            for other in self.nodes:
                if other is not node:
                    node.room.reach(other.room)
        with ThreadPoolExecutor(max_workers=4) as workers:
            list(workers.map(lambda node: node.start(archives), self.nodes))
        if self.hollow is not None:
            self.hollow.start(self.control_plane.kubeconfig(HOLLOW))
        if self.pretended is not None:
            self.pretended.start(self.api.address, self.api.authority, self.api.token)
        self._await_nodes()
        if self._virtual_gpus:
            for name in self.node_names:
                self.set_gpus(name, self._virtual_gpus)
        self._say(f"all nodes are ready after {time.monotonic() - begun:.1f} s")

    def down(self) -> None:
        """Ends everything; its home stays, for its logs. Does nothing when it is down."""
        if self._ground is None:
            return
        if self.hollow is not None:
            self.hollow.stop()
        if self.pretended is not None:
            self.pretended.stop()
        for node in self.nodes:
            node.stop()
        self.control_plane.stop()
        self._ground.release()
        # What is large; logs and addresses stay.
        folders = [self.home / "nodes" / node.name / "lib" for node in self.nodes]
        for folder in (*folders, self.home / "images", self.home / "control-plane" / "etcd"):
            shutil.rmtree(folder, ignore_errors=True)
        (self.home / _STATE).unlink(missing_ok=True)
        self._ground = None

    # --- what stands ----------------------------------------------------------------------------

    @property
    def kubeconfig(self) -> Path:
        """For an administrator, who may do everything."""
        return self.home / "kubeconfig"

    @property
    def podium_kubeconfig(self) -> Path:
        """For the user `podium`, who may do what RBAC rules grant them, and no more."""
        return self.home / "podium.kubeconfig"

    @property
    def node_names(self) -> list[str]:
        return [*self._names, *self._hollow_names, *self._pretended_names]

    @property
    def ground(self) -> Ground:
        """Its addresses; `gateway` is the machine's as nodes and pods reach it."""
        if self._ground is None:
            raise LabError("the cluster is down")
        return self._ground

    @property
    def api(self) -> Api:
        return self.control_plane.api

    @property
    def api_server(self) -> Daemon:
        return self.control_plane.api_server

    @property
    def etcd(self) -> Daemon:
        return self.control_plane.etcd

    def node(self, name: str) -> Node:
        """Raises LabError when the lab has no real node of that name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"node: there is no {name}; the lab has {', '.join(self._names)}")

    def kubectl(self, *words: str, text: str | None = None, user: str = ADMIN) -> str:
        """What kubectl says, given `text` as its input. Raises LabError when it fails."""
        chosen = self.podium_kubeconfig if user == PODIUM else self.kubeconfig
        # No token of another cluster, and no cache in the person's own folder.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "KUBECONFIG": str(chosen),
        }
        done = subprocess.run(
            [program("kubectl"), *words],
            env=environment,
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            timeout=_KUBECTL_SECONDS_MAX,
            check=False,
        )
        if done.returncode:
            raise LabError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def set_gpus(
        self,
        node: str,
        count: int,
        *,
        product: str = "NVIDIA-H100-80GB-HBM3",
        memory_mib: int = 81_559,
        mig: Mapping[str, int] | None = None,
    ) -> None:
        """Makes the node have `count` GPUs and the slices of `mig`, by profile, and no others."""
        wanted = Gpus(count=count, product=product, memory_mib=memory_mib, mig=mig or {})
        gpus.tell(self.api, node, wanted)

    def ready(self) -> dict[str, bool]:
        """Whether each registered node is ready, as the API server says."""
        found = {}
        for node in self.api.get("/api/v1/nodes")["items"]:
            conditions = node["status"].get("conditions", [])
            found[str(node["metadata"]["name"])] = any(
                each["type"] == "Ready" and each["status"] == "True" for each in conditions
            )
        return found

    def await_ready(self, name: str, ready: bool = True, seconds: float = 60) -> None:
        """Returns when the node is ready, or is not. Raises LabError after `seconds`."""
        deadline = time.monotonic() + seconds
        while self.ready().get(name, False) is not ready:
            if time.monotonic() > deadline:
                words = "not ready" if ready else "still ready"
                raise LabError(f"node {name} is {words} after {seconds:g} s")
            time.sleep(0.2)

    # --- behind it ----------------------------------------------------------------------------

    def _check(self) -> None:
        if os.geteuid() != 0:
            raise LabError("the lab makes networks and control groups, and so must run as root")
        require(TO_RUN)
        if any(self.home.is_relative_to(place) for place in HIDDEN):
            places = ", ".join(str(place) for place in HIDDEN)
            raise LabError(f"home: {self.home} is hidden from the nodes; choose none in {places}")
        if (self.home / _STATE).exists():
            raise LabError(f"a lab was started in {self.home}; end it with its down command first")

    def _stand_on(self, ground: Ground) -> None:
        programs = binaries.folder()
        many = self._hollow_names or self._pretended_names
        grace_seconds = _MANY_GRACE_SECONDS if many else _GRACE_SECONDS
        self._ground = ground
        self.control_plane = ControlPlane(
            self.home / "control-plane", ground, programs, grace_seconds=grace_seconds
        )
        self.nodes = [
            Node(name, number, self.home / "nodes" / name, ground, programs)
            for number, name in enumerate(self._names)
        ]
        if self._hollow_names:
            self.hollow = HollowNodes(
                self._hollow_names,
                len(self._names),
                self.home / "nodes" / "hollow",
                ground,
                programs,
            )
        if self._pretended_names:
            self.pretended = PretendedNodes(
                self._pretended_names, self.home / "nodes" / "pretended"
            )

    def _await_nodes(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX + len(self.node_names)
        while not_ready := self._unready():
            if time.monotonic() > deadline:
                logs = [node.kubelet.tail(5) for node in self.nodes if node.name in not_ready]
                if self.hollow is not None:
                    hollow = [name for name in self.hollow.names if name in not_ready]
                    logs += [self.hollow.log_tail(name) for name in hollow[:1]]
                raise LabError("\n".join([f"not ready: {', '.join(not_ready)}", *logs]))
            time.sleep(0.3)

    def _unready(self) -> list[str]:
        """What pods still wait for: nodes, and the account that each pod runs as."""
        ready = self.ready()
        accounts = self.api.get("/api/v1/namespaces/default/serviceaccounts")["items"]
        return [
            *(name for name in self.node_names if not ready.get(name)),
            *(() if accounts else ("the default service account",)),
        ]
