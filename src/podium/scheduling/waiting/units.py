"""The running work that may be asked to give way, in the pieces that stop together; `reclaim`
chooses among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from podium.domain.policy import SchedulingPolicy
from podium.scheduling.snapshot import Hold
from podium.scheduling.space.layout import Layout
from podium.scheduling.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What stops together: a workload, or one replica of it that can be spared. Its holds, by
    node position; what they hold of each GPU type; and the work lost, in milli-GPU x ms. What has
    the least `cost` goes first. When it waits again it asks for `asks_milli` of `asks_types` at
    least."""

    workload_id: str
    project: str
    priority: int
    surplus: bool
    ranks: tuple[int, ...]
    holds: tuple[tuple[int, Hold], ...]
    gpu: tuple[tuple[str, int], ...]
    lost_milli_ms: int
    cost: int
    asks_types: tuple[str, ...]
    asks_milli: int
    queued_at_ms: int

    @property
    def price(self) -> tuple[bool, int, int]:
        return (not self.surplus, self.cost, self.priority)


def price_of(units: Iterable[Unit]) -> tuple[bool, int, int]:
    prices = [unit.price for unit in units]
    return (
        any(price[0] for price in prices),
        sum(price[1] for price in prices),
        max((price[2] for price in prices), default=0),
    )


def units_of(
    view: View, policy: SchedulingPolicy, now_ms: int, among: Mapping[str, Hold]
) -> Iterable[Unit]:
    """Of the workloads of these holds."""
    everyone = len(among) == len(view.holds)
    names = view.held if everyone else dict.fromkeys(hold.workload_id for hold in among.values())
    for workload_id in names:
        holds = [view.holds[each] for each in view.held[workload_id]]
        if any(not hold.preemptible or hold.ending for hold in holds):
            continue
        if any(safe_until_ms(hold, policy, now_ms) > now_ms for hold in holds):
            continue
        holds.sort(key=lambda hold: hold.rank)
        minimum = holds[0].minimum
        spare = holds[minimum:]
        for hold in spare:
            yield _unit(view.layout, workload_id, [hold], now_ms, surplus=minimum > 0)
        if minimum:
            yield _unit(view.layout, workload_id, holds, now_ms, surplus=False)


def safe_until_ms(hold: Hold, policy: SchedulingPolicy, now_ms: int) -> int:
    """Until when a hold may not be asked to give way."""
    if hold.safe_until_ms is not None:
        return hold.safe_until_ms
    started_at_ms = now_ms if hold.started_at_ms is None else hold.started_at_ms
    return started_at_ms + policy.minimum_runtime_ms


def lost_milli_ms(hold: Hold, now_ms: int) -> int:
    """The work thrown away when it stops now, in milli-GPU x ms since it was last saved."""
    since_ms = hold.started_at_ms if hold.saved_at_ms is None else hold.saved_at_ms
    if since_ms is None:
        return 0
    return max(0, now_ms - since_ms) * sum(share.gpu_milli for share in hold.devices)


def _unit(
    layout: Layout, workload_id: str, holds: Sequence[Hold], now_ms: int, *, surplus: bool
) -> Unit:
    gpu: dict[str, int] = {}
    lost = 0
    found = []
    for hold in holds:
        at = layout.position.get(hold.node)
        if at is None:
            continue
        found.append((at, hold))
        for gpu_type, milli in layout.types(hold.node, hold.devices):
            gpu[gpu_type] = gpu.get(gpu_type, 0) + milli
        lost += lost_milli_ms(hold, now_ms)
    asks_types = holds[0].gpu_types
    least = holds if surplus else holds[: max(1, holds[0].minimum)]
    return Unit(
        workload_id=workload_id,
        project=holds[0].project,
        priority=holds[0].priority,
        surplus=surplus,
        ranks=tuple(hold.rank for hold in holds),
        holds=tuple(found),
        gpu=tuple(gpu.items()),
        lost_milli_ms=lost,
        cost=lost,
        asks_types=tuple(gpu) if asks_types is None else asks_types,
        asks_milli=sum(share.gpu_milli for hold in least for share in hold.devices),
        queued_at_ms=holds[0].queued_at_ms,
    )
