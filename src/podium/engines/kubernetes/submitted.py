"""Reads a pod that somebody submitted with kubectl as a guest: what it asks for, and what of it
Podium cannot keep. `guests.py` calls it once for each pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from podium.engines.guests import Guest
from podium.engines.kubernetes import names
from podium.engines.kubernetes.inventory import usage_of
from podium.engines.kubernetes.layouts import profile_of
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.sight import ms_of

_LEFT_TO_NODES = frozenset({"cpu", "memory", "ephemeral-storage"})
_GROUP_MAX = 10_000


class _Container(Struct, kw_only=True, frozen=True):
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


class _Gate(Struct, kw_only=True, frozen=True):
    name: str = ""


class _Spec(Struct, kw_only=True, frozen=True, rename="camel"):
    containers: tuple[_Container, ...] = ()
    scheduler_name: str = ""
    scheduling_gates: tuple[_Gate, ...] = ()
    node_selector: dict[str, str] = {}
    affinity: dict[str, dict[str, Any]] | None = None
    topology_spread_constraints: tuple[dict[str, Any], ...] = ()
    resource_claims: tuple[dict[str, Any], ...] = ()
    active_deadline_seconds: int | None = None
    termination_grace_period_seconds: int | None = None


class Submitted(Struct, kw_only=True, frozen=True):
    """What the watch of all pods does not keep."""

    spec: _Spec = _Spec()

    @property
    def is_gated(self) -> bool:
        return any(each.name == names.QUEUE for each in self.spec.scheduling_gates)

    @property
    def is_held(self) -> bool:
        """Whether nobody places it before Podium does."""
        return self.is_gated or self.spec.scheduler_name == names.MANAGER


def guest_of(pod: Pod, submitted: Submitted, project: str, cluster: str) -> Guest:
    meta, spec = pod.metadata, submitted.spec
    asked = usage_of(pod)
    mig = sorted(key for key in asked if key.startswith(names.MIG_PREFIX) and asked[key])
    said = meta.annotations | meta.labels
    size = said.get(names.GROUP_SIZE, "")
    first = spec.containers[0] if spec.containers else _Container()
    by_plugin = {names.DEVICES: names.COUNTED} if asked[names.GPU] else {}
    return Guest(
        uid=meta.uid,
        name=meta.name,
        project=project,
        made_at_ms=ms_of(meta.creation_timestamp),
        cpu_milli=asked["cpu"],
        memory_bytes=asked["memory"],
        group=said.get(names.GROUP, ""),
        group_size=int(size) if _is_size(size) else 1,
        gpus=asked[names.GPU],
        mig_profile=profile_of(mig[0]) if mig else "",
        mig_count=asked[mig[0]] if mig else 0,
        nodes=tuple(sorted((spec.node_selector | by_plugin | {"cluster": cluster}).items())),
        image=first.image,
        command=(*first.command, *first.args),
        priority=said.get(names.PRIORITY, ""),
        grace_seconds=max(1, spec.termination_grace_period_seconds or 0),
        expected_seconds=spec.active_deadline_seconds,
        fault=" ".join(_faults(pod, submitted, mig, size)),
    )


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _GROUP_MAX


def _faults(pod: Pod, submitted: Submitted, mig: list[str], size: str) -> Iterator[str]:
    spec = submitted.spec
    asked = usage_of(pod)
    said = pod.metadata.annotations | pod.metadata.labels
    gates = [each.name for each in spec.scheduling_gates if each.name != names.QUEUE]
    if gates:
        yield f"It waits for the scheduling gate {gates[0]}, too, which is not Podium's."
    if len(mig) + (asked[names.GPU] > 0) > 1:
        yield "It asks for several kinds of GPUs; ask for one."
    known = {names.GPU, *mig, *_LEFT_TO_NODES}
    others = sorted(key for key in asked if key not in known and asked[key])
    if others:
        yield f"It asks for {others[0]}, which Podium does not place; leave it out."
    demands = [
        kind
        for kind, rules in (spec.affinity or {}).items()
        if rules.get("requiredDuringSchedulingIgnoredDuringExecution")
    ]
    if demands:
        yield f"It has a required {demands[0]}, which Podium does not read; use nodeSelector."
    spread = spec.topology_spread_constraints
    if any(each.get("whenUnsatisfiable") != "ScheduleAnyway" for each in spread):
        yield "It has topologySpreadConstraints, which Podium does not read; leave them out."
    if spec.resource_claims:
        yield "It has resourceClaims, which Podium does not place; ask for nvidia.com/gpu."
    if names.GROUP in said and not _is_size(size):
        yield (
            f"It is of the group {said[names.GROUP]}, but {names.GROUP_SIZE} does not say of how "
            f"many pods; write a number from 1 to {_GROUP_MAX}."
        )
