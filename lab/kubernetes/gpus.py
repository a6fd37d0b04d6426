"""GPUs that a node of the lab says it has, told as NVIDIA's device plugin and labels tell them.

`Cluster.set_gpus` uses it. No device stands behind them: pods are counted against them, no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.kubernetes.api import Api
from lab.kubernetes.packages import LabError

_RESOURCE = "nvidia.com/gpu"
_PREFIX = "nvidia.com/"
_FAMILIES = {"V100": "volta", "A100": "ampere", "L40": "ada-lovelace", "H100": "hopper"}
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpus:
    """`count` whole GPUs of a `product`; `mig` counts slices by profile (`1g.10gb`), instead of
    those GPUs that are cut."""

    count: int
    product: str = "NVIDIA-H100-80GB-HBM3"
    memory_mib: int = 81_559
    mig: Mapping[str, int] = field(default_factory=dict)

    @property
    def resources(self) -> dict[str, str]:
        slices = {f"{_PREFIX}mig-{profile}": str(count) for profile, count in self.mig.items()}
        return {_RESOURCE: str(self.count), **slices}

    @property
    def labels(self) -> dict[str, str]:
        """What GPU Feature Discovery writes, as far as it is of use."""
        if not self.count and not self.mig:
            return {}
        family = next((each for model, each in _FAMILIES.items() if model in self.product), "")
        labels = {
            "gpu.present": "true",
            "gpu.product": self.product,
            "gpu.memory": str(self.memory_mib),
            "gpu.count": str(self.count),
            "gpu.family": family,
            "gpu.replicas": "1",
            "mig.capable": "true" if family in ("ampere", "hopper") else "false",
            "mig.strategy": "mixed" if self.mig else "single",
            "mig.config": "custom" if self.mig else "all-disabled",
            "mig.config.state": "success",
        }
        labels |= {f"mig-{profile}.count": str(count) for profile, count in self.mig.items()}
        return {f"{_PREFIX}{name}": value for name, value in labels.items()}


def tell(api: Api, node: str, gpus: Gpus) -> None:
    """Makes the node have these GPUs, and no others. Raises LabError when it is not there.

    Its kubelet writes the same document, so that what it overwrote is written again."""
    path = f"/api/v1/nodes/{node}"
    for _ in range(_TRIES):
        known = api.get(path)
        labels = _changes(known["metadata"].get("labels", {}), gpus.labels)
        if labels:
            api.patch(path, {"metadata": {"labels": labels}})
        status = {
            kind: changes
            for kind in ("capacity", "allocatable")
            if (changes := _changes(known["status"].get(kind, {}), gpus.resources))
        }
        if not labels and not status:
            return
        if status:
            api.patch(f"{path}/status", {"status": status})
    raise LabError(f"the GPUs of node {node} could not be written: its kubelet undoes them")


def _changes(known: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str | None]:
    """The merge patch that leaves of NVIDIA's names those that are wanted."""
    gone = dict.fromkeys(name for name in known if name.startswith(_PREFIX) and name not in wanted)
    return {**gone, **{name: value for name, value in wanted.items() if known.get(name) != value}}
