"""The tree of organisation, teams and projects with quotas and use, for the scheduler's snapshot
(`shares`) and for people to look at (`standing`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain import decay
from podium.domain.node import Node
from podium.domain.quantity import GPU_MILLI
from podium.domain.quota import ORGANISATION, SCHEDULED, Counted, Quota, QuotaLevel
from podium.domain.tenancy import Scope
from podium.scheduling.order.entitlements import Entitlement, entitlements
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.order.places import SCALE, upwards
from podium.scheduling.snapshot import Hold, Share
from podium.store import tables
from podium.store.counted_use import Use, counted_use
from podium.store.database import Transaction
from podium.store.past_use import half_life, past_use_list
from podium.store.queue import wanted_by_type
from podium.store.quotas import Key, quota_list

_STEPS = 64
"""Starts are told apart to this part of a half-life; within it their mean counts."""
_GRAINS = 8192
"""Ages are counted in this part of a half-life, about a minute of a week: few differ."""

_Held = tuple[str, str, int, int | None]
"""Project, GPU type, milli-GPU, and when it began, in milliseconds; None: it has not yet."""


def shares(
    tx: Transaction,
    now_ms: int,
    *,
    half_life_ms: int | None = None,
    nodes: Iterable[Node] | None = None,
    holds: Iterable[Hold] | None = None,
) -> tuple[Share, ...]:
    """In preorder: the organisation, then each team with its projects, by name. Projects are
    called `team/project`. What a caller has read already spares reading it again: the policy's
    half-life, all nodes, and all that is held."""
    half_life_ms = half_life_ms or half_life(tx)
    used = past_use_list(tx, now_ms, half_life_ms)
    if nodes is None or holds is None:
        _use_held(used, _held(tx, half_life_ms), now_ms, half_life_ms)
    else:
        _use_held(used, _of(nodes, holds), now_ms, half_life_ms)
    return tree(tx, used)


def _of(nodes: Iterable[Node], holds: Iterable[Hold]) -> Iterator[_Held]:
    types = {device.id: device.type for node in nodes for device in node.devices}
    for hold in holds:
        for share in hold.devices:
            gpu_type = types.get(share.device_id)
            if gpu_type is not None:
                yield hold.project, gpu_type, share.gpu_milli, hold.started_at_ms


def tree(
    tx: Transaction,
    used: Mapping[str, Mapping[str, int]] | None = None,
    changed: Quota | None = None,
) -> tuple[Share, ...]:
    """With `changed` in place of what is stored for it."""
    quotas = quota_list(tx)
    if changed is not None:
        quotas[changed.level, changed.name] = changed
    used = used or {}
    team, project = tables.teams, tables.projects
    below: dict[str, list[str]] = {
        name: [] for name in tx.scalars(sa.select(team.c.name).order_by(team.c.name))
    }
    order = (project.c.team, project.c.name)
    for row in tx.execute(sa.select(project.c.name, project.c.team).order_by(*order)):
        below[row.team].append(row.name)
    found = [_share(quotas, (QuotaLevel.ORGANISATION, ""), ORGANISATION)]
    for name, projects in below.items():
        found.append(_share(quotas, (QuotaLevel.TEAM, name), name, ORGANISATION))
        found += [
            _share(
                quotas,
                (QuotaLevel.PROJECT, each),
                f"{name}/{each}",
                name,
                each,
                tuple(used.get(each, {}).items()),
            )
            for each in projects
        ]
    return tuple(found)


def _share(
    quotas: Mapping[Key, Quota],
    key: Key,
    name: str,
    parent: str | None = None,
    project: str | None = None,
    used: tuple[tuple[str, int], ...] = (),
) -> Share:
    quota = quotas.get(key)
    if quota is None:
        return Share(name=name, parent=parent, project=project, used=used)
    return Share(
        name=name,
        parent=parent,
        project=project,
        weight=quota.weight,
        guarantees=quota.guarantees,
        limits=quota.limits,
        used=used,
        per_user=quota.per_user,
        ceilings=tuple((what.value, most) for what, most in quota.ceilings if what in SCHEDULED),
    )


def capacity(tx: Transaction) -> dict[str, int]:
    """Milli-GPU of each type in the whole inventory, whatever its health."""
    device = tables.devices
    rows = tx.execute(
        sa.select(device.c.type, sa.func.count()).group_by(device.c.type).order_by(device.c.type)
    )
    return {row[0]: row[1] * GPU_MILLI for row in rows}


def _held(tx: Transaction, half_life_ms: int) -> list[_Held]:
    held, part, device = tables.allocations, tables.allocation_devices, tables.devices
    step_ms = max(1, half_life_ms // _STEPS)
    step = (held.c.started_at_ms // step_ms).label("step")
    milli = sa.func.sum(part.c.gpu_milli)
    late = sa.func.sum(part.c.gpu_milli * (held.c.started_at_ms % step_ms))
    rows = tx.execute(
        sa.select(held.c.project, device.c.type, step, milli, late)
        .join(part, part.c.allocation_id == held.c.id)
        .join(device, device.c.id == part.c.device_id)
        .where(held.c.released_at_ms.is_(None))
        .group_by(held.c.project, device.c.type, step)
        .order_by(held.c.project, device.c.type, step)
    )
    return [
        (
            project,
            gpu_type,
            int(amount),
            None if at is None else int(at) * step_ms + int(offset) // int(amount),
        )
        for project, gpu_type, at, amount, offset in rows
    ]


def _use_held(
    used: dict[str, dict[str, int]], held: Iterable[_Held], now_ms: int, half_life_ms: int
) -> None:
    """Add to what was released, by project and type, what is still held."""
    grain_ms = max(1, half_life_ms // _GRAINS)
    of_one: dict[int, int] = {}  # a million of a GPU's thousandths, by age in grains
    for project, gpu_type, milli, started_ms in held:
        if started_ms is None:
            continue
        age = (now_ms - started_ms) // grain_ms
        each = of_one.get(age)
        if each is None:
            each = of_one[age] = decay.held(10**6, age * grain_ms, half_life_ms)
        types = used.get(project)
        if types is None:
            types = used[project] = {}
        types[gpu_type] = types.get(gpu_type, 0) + milli * each // 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One share as it stands now. `share` is the dominant share by which the order of service
    goes; `gpus` begins with all types together. `recent_milli` is by GPU type, as the past counts
    beside what is held now, and `per_user_milli` the caps for each person ("": all types).
    `counted` is the limit, None where there is none, and the use of what else is counted."""

    level: QuotaLevel
    name: str
    team: str | None
    weight: int
    share: float
    gpus: tuple[Entitlement, ...]
    recent_milli: Mapping[str, int]
    per_user_milli: Mapping[str, int]
    counted: tuple[tuple[Counted, int | None, int], ...]


def standing(tx: Transaction, scope: Scope, now_ms: int) -> list[Standing]:
    """In preorder: the organisation, the projects of the scope and their teams, whose sums are
    over everyone."""
    fairness = _fairness(tx, now_ms)
    quotas, used = quota_list(tx), _counted(fairness, counted_use(tx))
    gpus: dict[str, list[Entitlement]] = {}
    for due in entitlements(fairness, wanted_by_type(tx)):
        gpus.setdefault(due.share, []).append(due)
    found = []
    seen = {
        above.position
        for place in fairness.places
        if place.level == 0
        or scope.projects is None
        or (place.project is not None and scope.admits(place.project))
        for above in upwards(place)
    }
    for place in fairness.places:
        team = None
        if place.level == 0:
            level, name = QuotaLevel.ORGANISATION, ""
        elif place.project is None:
            level, name = QuotaLevel.TEAM, place.name
        else:
            level, name = QuotaLevel.PROJECT, place.project
            team = place.parent.name if place.parent is not None else None
        if place.position not in seen:
            continue
        quota = quotas.get((level, name), Quota(level=level, name=name))
        ceilings, use = dict(quota.ceilings), used[place.position]
        found.append(
            Standing(
                level=level,
                name=name,
                team=team,
                weight=place.weight,
                share=place.dominant / SCALE,
                gpus=tuple(gpus[place.name]),
                recent_milli=fairness.recent(place),
                per_user_milli=dict(quota.per_user),
                counted=tuple((what, ceilings.get(what), use.get(what, 0)) for what in Counted),
            )
        )
    return found


def _counted(fairness: Fairness, used: Mapping[str, Use]) -> list[Use]:
    """What is held below each place."""
    found: list[Use] = [{} for _ in fairness.places]
    for project, use in used.items():
        for place in fairness.path(project):
            while len(found) <= place.position:  # of a project that is in no team
                found.append({})
            mine = found[place.position]
            for what, amount in use.items():
                mine[what] = mine.get(what, 0) + amount
    return found


def project_shares(tx: Transaction, scope: Scope, now_ms: int) -> dict[str, int]:
    """The dominant share of each project of the scope as in `standing`, in millionths."""
    return {
        place.project: place.dominant * 10**6 // SCALE
        for place in _fairness(tx, now_ms).places
        if place.project is not None and scope.admits(place.project)
    }


def _fairness(tx: Transaction, now_ms: int) -> Fairness:
    """Over the whole tree, with the past and with all that is held."""
    half_life_ms = half_life(tx)
    held = _held(tx, half_life_ms)
    used = past_use_list(tx, now_ms, half_life_ms)
    _use_held(used, held, now_ms, half_life_ms)
    shown = tree(tx, used)
    node, allocation = tables.nodes, tables.allocations
    cpu_milli, memory_bytes = tx.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(node.c.cpu_milli), 0),
            sa.func.coalesce(sa.func.sum(node.c.memory_bytes), 0),
        )
    ).one()
    fairness = Fairness(shown, capacity(tx), int(cpu_milli), int(memory_bytes), half_life_ms)
    for project, gpu_type, milli, _ in held:
        fairness.add(project, ((gpu_type, milli),), 0, 0)
    rows = tx.execute(
        sa.select(
            allocation.c.project,
            sa.func.sum(allocation.c.cpu_milli),
            sa.func.sum(allocation.c.memory_bytes),
        )
        .where(allocation.c.released_at_ms.is_(None))
        .group_by(allocation.c.project)
    )
    for project, cpu, memory in rows:
        fairness.add(project, (), int(cpu), int(memory))
    return fairness
