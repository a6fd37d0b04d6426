"""The tree that the scheduler gets, and what was used in the past as it fades."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from podium.domain import decay
from podium.domain.quota import ORGANISATION, Quota, QuotaLevel
from podium.domain.tenancy import WHOLE, Scope
from podium.scheduling.snapshot import Share
from podium.store import quotas, shares, tables
from podium.store.database import Database
from podium.store.past_use import past_use_list
from turned_clock import TurnedClock
from unit.house import House, document, node

pytestmark = pytest.mark.anyio
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    h100 = tuple(replace(each, type="H100") for each in node("n2", gpus=2).devices)
    await made.furnish(node(gpus=4), node("n2", gpus=2, devices=h100))
    return made


async def tree(house: House) -> dict[str, Share]:
    found = await house.write(shares.shares)
    return {each.name: each for each in found}


async def past(house: House, half_life_ms: int = WEEK_MS) -> dict[str, dict[str, int]]:
    return await house.write(lambda tx, now_ms: past_use_list(tx, now_ms, half_life_ms))


async def test_the_tree_is_in_preorder_with_its_quotas(house: House) -> None:
    team = Quota(
        level=QuotaLevel.TEAM,
        name="research",
        weight=3,
        guarantees=(("", 1000), ("H100", 2000)),
        limits=(("H100", 2000),),
    )
    whole = Quota(level=QuotaLevel.ORGANISATION, limits=(("A100", 3000),))
    for each in (team, whole, replace(team, weight=0, guarantees=(("A100", 500),), limits=())):
        await house.write(lambda tx, now_ms, q=each: quotas.quota_set(tx, q, now_ms, "root"))
    await house.write(lambda tx, now_ms: quotas.quota_set(tx, team, now_ms, "root"))
    found = await house.write(shares.shares)
    assert found == (
        Share(name=ORGANISATION, limits=(("A100", 3000),)),
        Share(name="product", parent=ORGANISATION),
        Share(name="product/speech", parent="product", project="speech"),
        Share(
            name="research",
            parent=ORGANISATION,
            weight=3,
            guarantees=(("", 1000), ("H100", 2000)),
            limits=(("H100", 2000),),
        ),
        Share(name="research/vision", parent="research", project="vision"),
    )
    assert await house.write(
        lambda tx, now_ms: quotas.quota_remove(tx, QuotaLevel.TEAM, "research")
    )
    assert not await house.write(
        lambda tx, now_ms: quotas.quota_remove(tx, QuotaLevel.TEAM, "research")
    )
    assert (await tree(house))["research"] == Share(name="research", parent=ORGANISATION)
    (left,) = await house.rows(sa.select(tables.quota_amounts))
    assert (left["level"], left["limit_milli"]) == ("organisation", 3000)


async def test_what_was_released_fades(house: House) -> None:
    gpus = {"resources": {"gpus": 2, "gpu_type": "A100"}}
    await house.start(document(**gpus))
    house.clock.advance(HOUR_MS)
    await house.end(await house.held_ids(), runtime_ms=HOUR_MS)
    used = 2000 * HOUR_MS
    (first,) = (await past(house))["vision"].items()
    assert first[0] == "A100"
    assert used * 0.997 < first[1] < used  # an hour is short beside a week
    house.clock.advance(WEEK_MS)
    assert (await past(house))["vision"]["A100"] == pytest.approx(first[1] / 2, abs=2)
    await house.start(document("again", **gpus))
    house.clock.advance(HOUR_MS)
    await house.end(await house.held_ids(), runtime_ms=HOUR_MS)
    assert (await past(house))["vision"]["A100"] == pytest.approx(first[1] * 1.498, rel=0.002)
    assert (await tree(house))["research/vision"].used == (
        ("A100", (await past(house))["vision"]["A100"]),
    )


async def test_what_is_held_now_counts_from_its_start(house: House) -> None:
    await house.start(
        document(resources={"gpus": 1, "gpu_type": "H100"}),
        document("shared", resources={"gpus": 0.5, "gpu_type": "H100"}, project="speech"),
        document("cpu"),
    )
    assert (await tree(house))["research/vision"].used == (("H100", 0),)
    house.clock.advance(WEEK_MS)
    found = await tree(house)
    (gpu_type, milli_ms), *others = found["research/vision"].used
    assert (gpu_type, others) == ("H100", [])
    assert milli_ms == pytest.approx(decay.held(1000, WEEK_MS, WEEK_MS), rel=1e-4)
    assert found["product/speech"].used[0][1] == pytest.approx(milli_ms / 2, rel=1e-4)
    # Ending it moves the same amount from what is held to what was released.
    await house.end(await house.held_ids(), runtime_ms=WEEK_MS)
    assert (await tree(house))["research/vision"].used[0][1] == pytest.approx(milli_ms, rel=1e-4)


async def test_the_half_life_is_the_policys(house: House) -> None:
    await house.start(document(resources={"gpus": 1, "gpu_type": "H100"}))
    house.clock.advance(HOUR_MS)
    await house.end(await house.held_ids(), runtime_ms=HOUR_MS)
    slow = (await tree(house))["research/vision"].used[0][1]
    policy = {"level": "cluster", "name": "", "part": "scheduling", "field": "half_life_ms"}
    await house.write(
        lambda tx, now_ms: tx.execute(
            sa.insert(tables.policies).values(
                **policy, value=str(DAY_MS), updated_at_ms=now_ms, updated_by="root"
            )
        )
    )
    house.clock.advance(DAY_MS)
    assert (await tree(house))["research/vision"].used[0][1] == pytest.approx(slow / 2, abs=2)


async def test_how_everyone_stands(house: House) -> None:
    team = Quota(level=QuotaLevel.TEAM, name="research", guarantees=(("A100", 1000),))
    await house.write(lambda tx, now_ms: quotas.quota_set(tx, team, now_ms, "root"))
    await house.start(document(resources={"gpus": 3, "gpu_type": "A100"}))
    await house.submit(
        document("more", resources={"gpus": 2, "gpu_type": "H100"}),
        document("any", resources={"gpus": 1}, project="speech"),
        document("either", resources={"gpus": 1, "gpu_type": ["A100", "H100"]}, replicas=2),
    )
    found = await house.write(lambda tx, now_ms: shares.standing(tx, WHOLE, now_ms))
    by_name = {each.name: each for each in found}
    assert [each.name for each in found] == ["", "product", "speech", "research", "vision"]
    research = {each.gpu_type: each for each in by_name["research"].gpus}
    assert research["A100"].used_milli == 3000
    assert research["A100"].borrowed_milli == 2000
    assert research[""].guarantee_milli == 1000
    assert research[""].set_guarantee_milli == 0
    assert research["H100"].waiting_milli == 2000
    assert research[""].waiting_milli == 4000
    assert by_name["speech"].gpus[0].waiting_milli == 1000
    assert by_name["vision"].share == pytest.approx(0.75)
    assert by_name["vision"].team == "research"
    assert by_name["speech"].share == 0
    mine = Scope(frozenset({"speech"}))
    theirs = await house.write(lambda tx, now_ms: shares.standing(tx, mine, now_ms))
    assert [each.name for each in theirs] == ["", "product", "speech"]
    assert theirs[0] == found[0], "sums are over everyone"


@given(
    st.lists(st.tuples(st.integers(1, 8000), st.integers(0, 60 * DAY_MS)), max_size=5),
    st.integers(HOUR_MS, 30 * DAY_MS),
)
def test_fading_in_steps_is_fading_at_once(spans: list[tuple[int, int]], half_life_ms: int) -> None:
    """A sum that is carried on from bill to bill is the integral over all of them."""
    carried, at_ms = 0, 0
    exact = 0.0
    end_ms = sum(length for _, length in spans)
    for milli, length_ms in spans:
        carried = decay.faded(carried, length_ms, half_life_ms)
        carried += decay.held(milli, length_ms, half_life_ms)
        at_ms += length_ms
        exact += decay.held(milli, length_ms, half_life_ms) * 2 ** (
            -(end_ms - at_ms) / half_life_ms
        )
    assert carried == pytest.approx(exact, abs=len(spans) + 1, rel=1e-9)


def test_a_steady_holder_counts_one_over_ln_2_half_lives() -> None:
    assert decay.held(1000, 100 * WEEK_MS, WEEK_MS) == pytest.approx(1000 * WEEK_MS * 1.442695)
    assert decay.held(1000, 0, WEEK_MS) == 0
    assert decay.faded(1000, -5, WEEK_MS) == 1000
