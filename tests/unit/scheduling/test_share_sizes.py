"""GPUs that are handed out in shares of one size, or whole only, as device plugins do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podium.domain.reason import WaitReason
from podium.domain.resources import DeviceShare, Request
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Share
from podium.scheduling.verify import verify
from unit.scheduling.cases import GIB, NOW_MS, demand, gpus, holding, node, request, snapshot

SHARED = node(devices=[replace(each, share_milli=250) for each in gpus("n1", 2)])
WHOLE = node("n2", [replace(each, share_milli=1000) for each in gpus("n2", 2)])


def share(milli: int) -> Request:
    return request(gpu_milli=milli)


def by_memory(gib: int) -> Request:
    return request(gpu_share_bytes=gib * GIB)


def planned(wants: Request, *nodes: object, replicas: int = 1) -> Plan:
    at = snapshot(list(nodes), [demand(wants=wants, replicas=replicas)])  # type: ignore[arg-type]
    plan = decide(at, NOW_MS, 1)
    assert verify(at, plan).rejected == ()
    return plan


@pytest.mark.parametrize("wants", [share(100), share(250)])
def test_each_share_takes_one_piece_of_it(wants: Request) -> None:
    plan = planned(wants, SHARED, replicas=8)
    shares = [each for one in plan.placements for each in one.devices]
    assert {(each.gpu_milli, each.memory_bytes) for each in shares} == {(250, 20 * GIB)}
    on = [each.device_id for each in shares]
    assert {on.count(device.id) for device in SHARED.devices} == {4}
    assert not planned(wants, SHARED, replicas=9).placements


def test_memory_has_to_be_in_one_piece() -> None:
    (placement,) = planned(by_memory(20), SHARED).placements
    assert placement.devices == (DeviceShare("n1-A100-0", 250, 20 * GIB),)
    refusal = planned(by_memory(21), SHARED).refusals[0].refusal
    assert refusal.reason is WaitReason.IMPOSSIBLE_SIZE
    assert "0.25 with 20 GiB" in refusal.message


def test_what_is_too_much_for_one_piece_is_refused_with_the_most_there_is() -> None:
    for wants in (share(251), request(1), request(2)):
        refusal = planned(wants, SHARED).refusals[0].refusal
        assert refusal.reason is WaitReason.IMPOSSIBLE_SIZE
        assert refusal.remedy == "Ask for gpus: 0.25 or less."
    refusal = planned(share(500), WHOLE).refusals[0].refusal
    assert (refusal.reason, refusal.remedy) == (WaitReason.IMPOSSIBLE_SIZE, "Ask for gpus: 1.")
    refusal = planned(share(500), SHARED, WHOLE).refusals[0].refusal
    assert refusal.remedy == "Ask for gpus: 0.25 or less, or for whole GPUs."


def test_whole_ones_and_shares_find_their_own_kind() -> None:
    (whole,) = planned(request(2), SHARED, WHOLE).placements
    assert whole.node == "n2"
    (part,) = planned(share(200), WHOLE, SHARED).placements
    assert part.node == "n1"


def test_what_is_held_leaves_no_piece_that_is_not_there() -> None:
    held = [holding(SHARED, [0], f"h{n}", 250) for n in range(4)]
    at = snapshot([SHARED], [demand(wants=share(100), replicas=4)], held)
    plan = decide(at, NOW_MS, 1)
    assert {each.devices[0].device_id for each in plan.placements} == {"n1-A100-1"}


def test_a_limit_counts_what_shares_take() -> None:
    share_of = Share(name="team/p", project="p", weight=1, limits=(("", 1000),))
    few = [demand(f"w{n}", share(100)) for n in range(8)]
    at = replace(snapshot([SHARED], few), shares=(share_of,))
    plan = decide(at, NOW_MS, 1)
    assert len(plan.placements) == 4
    assert verify(at, plan).rejected == ()


@pytest.mark.parametrize(
    ("milli", "memory_gib", "device"), [(100, 8, "n1-A100-0"), (1000, 80, "n1-A100-0")]
)
def test_a_plan_that_gives_another_size_is_refused(
    milli: int, memory_gib: int, device: str
) -> None:
    wants = share(100) if milli == 100 else request(1)
    free = node(devices=2)
    at = snapshot([free], [demand(wants=wants)])
    plan = decide(at, NOW_MS, 1)
    assert plan.placements[0].devices == (DeviceShare(device, milli, memory_gib * GIB),)
    assert verify(replace(at, nodes=(SHARED,)), plan).rejected
