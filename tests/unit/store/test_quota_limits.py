"""No transaction takes a quota over a limit, whatever changed since the plan was made; what changed
a quota is remembered; what is wanted is counted by the hour."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from podium.control.demand import DemandWatch
from podium.domain.errors import ConflictError, NotFoundError, UserError
from podium.domain.quota import Counted, Quota, QuotaLevel
from podium.domain.tenancy import WHOLE, Scope
from podium.intake.quotas import quota_preview, quota_remove, quota_set
from podium.intake.uploads import upload_store
from podium.scheduling.decide import decide
from podium.scheduling.limits_kept import LimitsKept
from podium.store import quotas, shares, storage, submissions, work_history
from podium.store.database import Database
from podium.store.demand_hours import HOUR_MS, Demanded, demand_add, demand_between
from podium.store.quota_history import history_list
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio

VISION = (QuotaLevel.PROJECT, "vision")
MACHINES = (node("n1", gpus=4, cpus=16), node("n2", gpus=4, cpus=16))


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(*MACHINES)
    return made


def wanted(chance: random.Random) -> Quota:
    level, name = chance.choice(
        [(QuotaLevel.ORGANISATION, ""), (QuotaLevel.TEAM, "research"), VISION]
    )
    amount = chance.choice([1000, 2000, 4000])
    return Quota(
        level=level,
        name=name,
        limits=(("A100", amount),) if chance.random() < 0.5 else (),
        per_user=(("", amount // 2),) if chance.random() < 0.5 else (),
        ceilings=tuple(
            (what, most)
            for what, most in ((Counted.CPU, 4000), (Counted.WORKSPACES, 1))
            if chance.random() < 0.4
        ),
    )


async def used(house: House) -> dict[tuple[str, str, str], int]:
    """What exceeds a limit, by share, kind and GPU type."""

    def read(tx: object) -> dict[tuple[str, str, str], int]:
        found = LimitsKept(snapshot(tx, house.now_ms)).exceeded()  # type: ignore[arg-type]
        return {(share, what, kind): amount for share, what, kind, _, amount in found}

    return await house.database.read(read)


@pytest.mark.parametrize("seed", range(8))
async def test_no_commit_exceeds_a_limit(house: House, clock: TurnedClock, seed: int) -> None:
    chance = random.Random(seed)
    for step in range(12):
        for number in range(chance.randint(0, 3)):
            await house.submit(
                document(
                    f"w{step}-{number}",
                    project=chance.choice(["vision", "speech"]),
                    kind=chance.choice(["training", "workspace"]),
                    resources=chance.choice([{"cpus": 1}, {"gpus": 1, "cpus": 1}, {"gpus": 2}]),
                )
            )
        plan = await house.decide()
        if chance.random() < 0.5:  # behind the plan's back
            await quota_set(house.office, ADMINISTRATOR, wanted(chance))
        before = await used(house)
        await house.commit(plan)
        for key, amount in (await used(house)).items():
            assert amount <= before.get(key, 0), f"{key} grew beyond its limit"
        ids = await house.held_ids()
        ending = [each for each in ids if chance.random() < 0.3]
        await house.launch(ending)
        await house.run(ending)
        await house.end(ending)
        clock.advance(60_000)


async def test_owners_are_told_where_a_cap_holds(house: House) -> None:
    await house.submit(document("a"), document("b", project="speech"))

    async def owners() -> dict[str, str]:
        seen = await house.database.read(lambda tx: snapshot(tx, house.now_ms))
        return {each.project: each.owner for each in seen.demands}

    assert await owners() == {"vision": "", "speech": ""}
    team = Quota(level=QuotaLevel.TEAM, name="research", per_user=(("a100", 1000),))
    await quota_set(house.office, ADMINISTRATOR, team)
    assert await owners() == {"vision": "root", "speech": ""}
    kept = await house.database.read(quotas.quota_list)
    assert kept[QuotaLevel.TEAM, "research"].per_user == (("A100", 1000),)


async def test_every_change_is_remembered_once(house: House) -> None:
    first = Quota(level=VISION[0], name=VISION[1], ceilings=((Counted.STORAGE, 5),), weight=2)
    await quota_set(house.office, ADMINISTRATOR, first)
    await quota_set(house.office, ADMINISTRATOR, first)
    await quota_remove(house.office, ADMINISTRATOR, *VISION)
    with pytest.raises(UserError, match="no X GPUs"):
        await quota_preview(
            house.office, ADMINISTRATOR, Quota(level=VISION[0], name="vision", per_user=(("X", 1),))
        )
    with pytest.raises(NotFoundError):
        await quota_preview(house.office, ADMINISTRATOR, Quota(level=VISION[0], name="none"))
    found = await house.database.read(lambda tx: history_list(tx, WHOLE, limit=9))
    assert [each.after and each.after["weight"] for each in found] == [None, 2]
    assert [each.before and each.before["ceilings"] for each in found] == [
        {"storage_bytes": 5}, None,
    ]  # fmt: skip
    assert {each.username for each in found} == {"root"}
    others = Scope(frozenset({"speech"}))
    assert await house.database.read(lambda tx: history_list(tx, others, limit=9)) == []


async def test_storage_is_counted_below_each_level(house: House) -> None:
    for level, name, most in (("organisation", "", 100), ("team", "research", 50)):
        limit = Quota(level=QuotaLevel(level), name=name, ceilings=((Counted.STORAGE, most),))
        await quota_set(house.office, ADMINISTRATOR, limit)
    await house.write(lambda tx, now: submissions.upload_insert(tx, "vision", "a", 30, "ada", now))
    await house.write(lambda tx, now: submissions.upload_insert(tx, "speech", "b", 40, "bob", now))
    found = await house.database.read(lambda tx: storage.storage_limits(tx, "vision"))
    assert {each.label: each.left_bytes for each in found} == {
        "the organisation": 30, "team research": 20,
    }  # fmt: skip
    assert await house.database.read(lambda tx: storage.stored_bytes(tx, "vision")) == 30
    standing = await house.database.read(lambda tx: shares.standing(tx, WHOLE, house.now_ms))
    kept = {
        each.name: used
        for each in standing
        for what, _, used in each.counted
        if what is Counted.STORAGE
    }
    assert kept == {"": 70, "research": 30, "vision": 30, "product": 40, "speech": 40}


async def test_what_is_wanted_is_counted_by_the_hour(house: House, clock: TurnedClock) -> None:
    await house.start(document("runs", resources={"gpus": 3}))
    await house.submit(document("waits", resources={"gpus": 8}, replicas=2))
    watch, begun_ms = DemandWatch(), house.now_ms // HOUR_MS * HOUR_MS + HOUR_MS
    seen = await house.database.read(lambda tx: snapshot(tx, house.now_ms))
    plan = decide(seen, house.now_ms, 0)
    for minute in (0, 1, 2, 60, 61):
        watch.note(begun_ms + minute * 60_000, seen, plan)
    rows = watch.take()
    first = rows[begun_ms, "vision", "A100"]
    assert first.held_milli_ms == 2 * 60_000 * 3000
    assert first.wanted_milli_ms == 2 * 60_000 * 16_000
    assert rows[begun_ms + HOUR_MS, "vision", "A100"].held_milli_ms == 60_000 * 3000  # not the gap
    await house.write(lambda tx, _: demand_add(tx, rows))
    await house.write(lambda tx, _: demand_add(tx, {(begun_ms, "gone", "A100"): Demanded(1)}))
    await house.write(lambda tx, _: demand_add(tx, {(begun_ms, "vision", "A100"): Demanded(1)}))
    found = await house.database.read(
        lambda tx: demand_between(tx, WHOLE, begun_ms, begun_ms + HOUR_MS)
    )
    (row,) = found
    assert (row.team, row.demanded.held_milli_ms) == ("research", first.held_milli_ms + 1)
    assert sum(milli for milli, _ in row.demanded.reasons.values()) == first.wanted_milli_ms
    others = Scope(frozenset({"speech"}))
    assert not await house.database.read(lambda tx: demand_between(tx, others, 0, 2**50))


async def test_a_first_start_is_counted_with_its_wait(house: House, clock: TurnedClock) -> None:
    await house.submit(document("one", resources={"gpus": 1}))
    clock.advance(90_000)
    seen = await house.database.read(lambda tx: snapshot(tx, house.now_ms))
    watch = DemandWatch()
    watch.note(house.now_ms, seen, decide(seen, house.now_ms, 0))
    ((_, started),) = watch.take().items()
    assert (started.started, started.wait_ms) == (1, 90_000)


async def test_work_history_says_how_long_it_waited_and_ran(
    house: House, clock: TurnedClock
) -> None:
    begun_ms = house.now_ms
    await house.submit(document("one", resources={"gpus": 2}))
    clock.advance(60_000)
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    await house.run(ids)
    clock.advance(120_000)
    await house.end(ids)
    await house.submit(document("two"))
    one, two = await house.database.read(
        lambda tx: work_history.work_history(tx, begun_ms, house.now_ms + 1, most=9)
    )
    assert one.started_at_ms is not None
    assert (one.started_at_ms - one.submitted_at_ms, one.runtime_ms) == (60_000, 120_000)
    assert (one.known, one.team, one.request.gpu_milli) == (True, "research", 2000)
    assert (two.started_at_ms, two.known) == (None, False)


async def test_an_upload_beyond_the_limit_is_refused_and_leaves_nothing(
    database: Database, clock: TurnedClock, tmp_path: Path
) -> None:
    house = House(database, clock, tmp_path)
    await house.furnish(*MACHINES)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("train.py"))
    data = packed.getvalue()

    async def sent() -> AsyncIterator[bytes]:
        yield data

    async def store(most: int) -> None:
        limit = Quota(level=VISION[0], name="vision", ceilings=((Counted.STORAGE, most),))
        await quota_set(house.office, ADMINISTRATOR, limit)
        await upload_store(house.office, ADMINISTRATOR, "vision", sent())

    for most in (0, len(data) - 1):
        with pytest.raises(ConflictError, match="storage limit of project vision"):
            await store(most)
    assert not list((tmp_path / "uploads").rglob("*.tar.gz"))
    await store(len(data))
    await store(len(data))  # the same again adds nothing
    assert await database.read(lambda tx: storage.stored_bytes(tx, "vision")) == len(data)
