"""Counts again whether placements keep within the limits of quotas; `verify` asks. It reads nodes,
holds and shares itself and shares no bookkeeping with `decide`; tests ask it of whole states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from podium.domain.quota import Counted, mig_slices
from podium.domain.resources import DeviceShare
from podium.domain.workload import Kind
from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Demand, Share, Snapshot

Key = tuple[str, str, str]
"""Share, kind of amount (`gpu`, `person OWNER` or one of `Counted`), and GPU type in small letters,
"" for all together or where there is none."""


class LimitsKept:
    """What is held below each share. Cheap where nothing is limited."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._above: dict[str, list[Share]] = {}
        by_name = {share.name: share for share in snapshot.shares}
        root = [share for share in snapshot.shares if share.parent is None and not share.project]
        self._root = root if len(root) == 1 else []
        for share in snapshot.shares:
            if share.project is not None:
                path, step = [share], share
                while step.parent is not None and step.parent in by_name:
                    step = by_name[step.parent]
                    path.append(step)
                self._above[share.project] = path
        self._used: dict[Key, int] = {}
        self._workspaces: dict[str, set[str]] = {}
        self.limited = any(
            share.limits or share.per_user or share.ceilings for share in snapshot.shares
        )
        if not self.limited:
            return
        self._device = {
            (node.name, device.id): device for node in snapshot.nodes for device in node.devices
        }
        for hold in snapshot.holds:
            amounts = self._amounts(hold.node, hold.cpu_milli, hold.memory_bytes, hold.devices)
            is_workspace = hold.kind is Kind.WORKSPACE
            self._count(hold.project, hold.owner, amounts, hold.workload_id, is_workspace)

    def objection(self, demand: Demand, group: Sequence[Placement]) -> str:
        """Which limit these would exceed, or ""."""
        if not self.limited:
            return ""
        adds = self._sum(group)
        is_workspace = demand.kind is Kind.WORKSPACE
        for share in self._path(demand.project):
            for what, used, limit in self._of(share, demand.owner):
                more = adds.get(what, 0)
                if what[0] == Counted.WORKSPACES:
                    known = self._workspaces.get(share.name, ())
                    more = int(is_workspace and demand.workload_id not in known)
                if more and used + more > limit:
                    return f"it would go over a limit of {share.name}"
        return ""

    def take(self, demand: Demand, group: Sequence[Placement]) -> None:
        """Count these for the ones after."""
        if self.limited:
            is_workspace = demand.kind is Kind.WORKSPACE
            adds = self._sum(group)
            self._count(demand.project, demand.owner, adds, demand.workload_id, is_workspace)

    def _sum(self, group: Iterable[Placement]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for each in group:
            amounts = self._amounts(each.node, each.cpu_milli, each.memory_bytes, each.devices)
            for key, amount in amounts.items():
                found[key] = found.get(key, 0) + amount
        return found

    def exceeded(self) -> list[tuple[str, str, str, int, int]]:
        """Every limit that what is held exceeds: share, kind of amount, GPU type, limit, used."""
        people = {(share, what[7:]) for share, what, _ in self._used if what.startswith("person ")}
        found: list[tuple[str, str, str, int, int]] = []
        shares = {each.name: each for path in self._above.values() for each in path}
        for share in shares.values():
            owners = sorted(owner for name, owner in people if name == share.name)
            for owner in owners or [""]:
                for (what, gpu_type), used, limit in self._of(share, owner):
                    if used > limit:
                        kind = f"person {owner}" if what == "person" else what
                        found.append((share.name, kind, gpu_type, limit, used))
        return found

    def _of(self, share: Share, owner: str) -> Iterator[tuple[tuple[str, str], int, int]]:
        """Each limit of a share with what is used of it, by one person where it is a cap."""
        for gpu_type, limit in share.limits:
            key = ("gpu", gpu_type.casefold())
            yield key, self._used.get((share.name, *key), 0), limit
        for gpu_type, limit in share.per_user:
            used = self._used.get((share.name, f"person {owner}", gpu_type.casefold()), 0)
            yield ("person", gpu_type.casefold()), used, limit
        for name, limit in share.ceilings:
            if name == Counted.WORKSPACES:
                yield (name, ""), len(self._workspaces.get(share.name, ())), limit
            else:
                yield (name, ""), self._used.get((share.name, name, ""), 0), limit

    def _path(self, project: str) -> Sequence[Share]:
        return self._above.get(project, self._root)

    def _amounts(
        self, node: str, cpu_milli: int, memory_bytes: int, devices: Iterable[DeviceShare]
    ) -> dict[tuple[str, str], int]:
        found = {(Counted.CPU.value, ""): cpu_milli, (Counted.MEMORY.value, ""): memory_bytes}
        for each in devices:
            device = self._device.get((node, each.device_id))
            if device is None:  # gone: it counts for nobody
                continue
            for kind in ("gpu", "person"):
                for gpu_type in (device.type.casefold(), ""):
                    key = (kind, gpu_type)
                    found[key] = found.get(key, 0) + each.gpu_milli
            profile = each.mig_profile or device.mig_profile
            if profile:
                key = (Counted.MIG_SLICES.value, "")
                found[key] = found.get(key, 0) + mig_slices(profile)
        return found

    def _count(
        self,
        project: str,
        owner: str,
        amounts: Mapping[tuple[str, str], int],
        workload_id: str,
        is_workspace: bool,
    ) -> None:
        for share in self._path(project):
            for (what, gpu_type), amount in amounts.items():
                kind = f"person {owner}" if what == "person" else what
                key = (share.name, kind, gpu_type)
                self._used[key] = self._used.get(key, 0) + amount
            if is_workspace:
                self._workspaces.setdefault(share.name, set()).add(workload_id)
