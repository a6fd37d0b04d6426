"""The contract suite's harness over a real cluster: what tests share with pods is a folder of the
nodes, and each harness is a Podium of its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.harness import Harness
from podium.domain.data import SourceKind
from podium.engines.contract import DataMount, Engine, Launch
from podium.engines.kubernetes.engine import KubernetesEngine
from podium.engines.kubernetes.site import ClusterSite

CLUSTER = "lab"
IMAGE = "localhost/work:1"


@dataclass
class KubernetesHarness(Harness):
    shared: Path = Path("/nowhere")

    def launch(self, *command: str, **facts: Any) -> Launch:
        folder = DataMount(
            source="vision/shared",
            kind=SourceKind.FOLDER,
            location=(("root", str(self.shared)), ("path", str(self.shared))),
            path=str(self.shared),
            variable="SHARED",
            write=True,
        )
        facts.setdefault("data", (folder,))
        facts.setdefault("cpu_milli", 20)
        return super().launch(*command, **facts)


def kubernetes_harness(home: Path, shared: Path, kubeconfig: str, node: str) -> KubernetesHarness:
    """`node` by the cluster's own name of it."""
    owner = f"t{uuid.uuid4().hex[:10]}"

    def build(*, folder: Path = home, grace_seconds: float = 120, **options: Any) -> Engine:
        return KubernetesEngine(
            folder,
            site=ClusterSite(
                cluster=CLUSTER,
                image=IMAGE,
                folders=(str(shared),),
                owner=owner,
                start_grace_seconds=grace_seconds,
            ),
            kubeconfig=kubeconfig,
            **options,
        )

    return KubernetesHarness(build, f"{CLUSTER}.{node}", home, patience_seconds=120, shared=shared)
