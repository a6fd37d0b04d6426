"""Packing: which work moves, and what is won by it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.mig import BOARDS, is_legal
from podium.scheduling.placing.relayout import MOVES_MAX, Card, Packed, Tenant, pack

H100 = BOARDS["H100-80GB"]
PLENTY = {"n1": (100_000, 1 << 40), "n2": (100_000, 1 << 40)}


def tenant(profile: str, start: int, workload: str = "", **needs: int) -> Tenant:
    found = H100.profile(profile)
    assert found is not None
    return Tenant(profile=found, start=start, workload_id=workload, **needs)


def card(key: str, *tenants: Tenant, node: str = "n1", pool: str = "") -> Card:
    return Card(key=key, node=node, board=H100, pool=(pool,), tenants=tenants)


def moved(packed: Packed) -> list[tuple[str, str, str]]:
    return [(each.workload_id, each.source, each.target) for each in packed.shifts]


def room(packed: Packed, profile: str) -> tuple[int, int]:
    return next((before, after) for _, name, before, after in packed.rooms if name == profile)


def test_a_gpu_is_emptied_where_others_have_room() -> None:
    packed = pack(
        [card("a", tenant("3g.40gb", 0, "x")), card("b", tenant("3g.40gb", 0, "y"))], PLENTY
    )
    assert moved(packed) == [("x", "a", "b")]
    assert room(packed, "7g.80gb") == (0, 1)


def test_what_cannot_move_stays_and_others_come_to_it() -> None:
    packed = pack([card("a", tenant("3g.40gb", 0)), card("b", tenant("3g.40gb", 0, "y"))], PLENTY)
    assert moved(packed) == [("y", "b", "a")]
    nobody = pack([card("a", tenant("3g.40gb", 0)), card("b", tenant("3g.40gb", 0))], PLENTY)
    assert moved(nobody) == []
    assert room(nobody, "7g.80gb") == (0, 0)


def test_several_small_ones_leave_together() -> None:
    small = [tenant("1g.10gb", start, f"w{start}") for start in (0, 2, 4)]
    packed = pack([card("a", *small), card("b", tenant("3g.40gb", 0))], PLENTY)
    assert [each[1:] for each in moved(packed)] == [("a", "b")] * 3
    assert room(packed, "7g.80gb") == (0, 1)
    few = pack([card("a", *small), card("b", tenant("3g.40gb", 0))], PLENTY, moves_max=2)
    assert len(few.shifts) <= 2


def test_pools_and_other_nodes_memory_are_respected() -> None:
    one, other = tenant("3g.40gb", 0, "x", memory_bytes=10), tenant("3g.40gb", 0)
    apart = [card("a", one, pool="red"), card("b", other, pool="blue")]
    assert moved(pack(apart, PLENTY)) == []
    far = [card("a", one), card("b", other, node="n2")]
    assert moved(pack(far, {**PLENTY, "n2": (0, 9)})) == []
    assert moved(pack(far, {**PLENTY, "n2": (0, 10)})) == [("x", "a", "b")]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_packing_is_legal_bounded_and_wins_something(data: st.DataObject) -> None:
    cards = []
    for number in range(data.draw(st.integers(1, 4))):
        placed: list[Tenant] = []
        places = [(each, start) for each in H100.profiles for start in each.starts]
        for profile, start in data.draw(st.permutations(places))[:4]:
            held = [(each.profile, each.start) for each in placed]
            if is_legal(H100, [*held, (profile, start)]):
                name = f"w{number}-{start}" if data.draw(st.booleans()) else ""
                placed.append(Tenant(profile=profile, start=start, workload_id=name))
        cards.append(card(f"g{number}", *placed))
    packed = pack(cards, PLENTY)
    assert len(packed.shifts) <= MOVES_MAX
    state = {each.key: list(each.tenants) for each in cards}
    for shift in packed.shifts:
        gone = next(each for each in state[shift.source] if each.workload_id == shift.workload_id)
        state[shift.source].remove(gone)
        state[shift.target].append(
            Tenant(profile=gone.profile, start=shift.target_start, workload_id=gone.workload_id)
        )
        for held in state.values():
            assert is_legal(H100, [(each.profile, each.start) for each in held])
    assert len({each.workload_id for each in packed.shifts}) == len(packed.shifts)
    worth = {each.name: each.memory_slices**2 for each in H100.profiles}
    before, after = (
        sum(worth[name] * counts[at] for _, name, *counts in packed.rooms) for at in (0, 1)
    )
    assert after > before if packed.shifts else after == before
