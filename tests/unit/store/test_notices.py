"""Who is told what of their own work, in which words, and what counts as read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from podium.domain.lifecycle import WorkloadEvent
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE, Scope
from podium.intake.changes import workload_change
from podium.intake.workloads import workload_cancel
from podium.spec.views.workload import ChangeRequest
from podium.store import lifecycle, notices
from podium.store.database import Database, Transaction
from podium.store.notices import Notice
from podium.store.retention import Retention, history_trim
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio

ADA = person("ada")
BOB = person("bob")
DAY_MS = 86_400_000


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=2))
    return made


async def told(house: House, who: str = "ada", scope: Scope = WHOLE) -> list[Notice]:
    return await house.database.read(lambda tx: notices.notice_page(tx, scope, who, limit=50))


async def words(house: House, who: str = "ada") -> list[tuple[str, str]]:
    return [(each.level, each.sentence) for each in await told(house, who)]


async def started(house: House, *documents: dict[str, object]) -> Sequence[str]:
    await house.submit(*documents, who=ADA)
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    await house.run(ids)
    return ids


async def test_an_end_is_told(house: House) -> None:
    await house.end(await started(house, document("good")), runtime_ms=1000)
    house.clock.advance(65_000)
    await house.end(await started(house, document("bad")), Cause.EXIT_CODE)
    (level, failed), (_, succeeded) = await words(house)
    assert (level, failed) == ("bad", "bad failed.")
    assert succeeded.startswith("good succeeded.")
    assert await words(house, "root") == await words(house, "bob") == []
    first = (await told(house))[-1]
    assert (first.workload_name, first.project, first.read) == ("good", "vision", False)


async def test_an_array_is_told_once(house: House) -> None:
    array = document("array", array=4, resources={"cpus": 1})
    await house.end(await started(house, array), Cause.EXIT_CODE)
    assert await words(house) == [("bad", "array failed. 4 of 4 tasks failed.")]


async def test_a_retry_and_giving_way_are_told(house: House) -> None:
    retried = document("retried", retries=1)
    await house.end(await started(house, retried), Cause.EXIT_CODE)
    ((level, sentence),) = await words(house)
    assert level == "bad"
    assert sentence.startswith("retried failed. Queued again for attempt 2.")
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    await house.run(ids)
    workload = (await house.held())[0]["workload_id"]

    def preempt(tx: Transaction, now_ms: int) -> None:
        row = lifecycle.workload_rows(tx, [workload])[workload]
        lifecycle.workload_stop(tx, row, Cause.PREEMPTED, now_ms, message="Makes room for urgent.")

    await house.write(preempt)
    await house.end(ids, Cause.CANCELLED)
    level, sentence = (await words(house))[0]
    assert level == "plain"
    assert sentence == "retried gave way. Queued again for attempt 3. Makes room for urgent."


@pytest.mark.parametrize("running", [False, True])
async def test_what_others_do_is_told_and_what_one_does_oneself_is_not(
    house: House, running: bool
) -> None:
    documents = [document("own"), document("others")]
    ids = await house.submit(*documents, who=ADA)
    if running:
        await house.cycle()
        held = await house.held_ids()
        await house.launch(held)
        await house.run(held)
    request = ChangeRequest(priority=80)
    for workload, who in zip(ids, (ADA, BOB), strict=True):
        await workload_change(house.office, who, workload, request)
        await workload_cancel(house.office, who, workload, reason="Too long.")
    if running:
        await house.end(held, Cause.CANCELLED)
    cancelled, changed = await words(house)
    assert cancelled == ("plain", "bob cancelled others. Too long.")
    assert changed[0] == "plain"
    assert changed[1].startswith("others was changed.")
    assert "bob" in changed[1]
    assert await words(house, "bob") == []


@pytest.mark.parametrize(("minutes", "is_told"), [(4, False), (12, True)])
async def test_a_start_after_a_long_wait_is_told(house: House, minutes: int, is_told: bool) -> None:
    await house.submit(document("patient"), who=ADA)
    house.clock.advance(minutes * 60_000 + 30_000)
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    await house.run(ids)
    wanted = [("good", f"patient started after waiting {minutes} min.")] if is_told else []
    assert await words(house) == wanted


async def test_those_that_depended_on_it_are_told_each(house: House) -> None:
    first, *_ = await house.submit(
        document("first"),
        *(document(f"next-{index}", depends_on=["first"]) for index in range(3)),
        who=ADA,
    )
    await workload_cancel(house.office, ADA, first)
    sentences = [sentence for _, sentence in await words(house)]
    assert sorted(each.split(".")[0] for each in sentences) == [
        "next-0 failed", "next-1 failed", "next-2 failed"]  # fmt: skip
    assert all("which was cancelled" in each for each in sentences)


async def test_reading(house: House) -> None:
    for index in range(3):
        await house.end(await started(house, document(f"job-{index}")))
    newest, middle, oldest = await told(house)

    async def unread(who: str = "ada", scope: Scope = WHOLE) -> int:
        return await house.database.read(lambda tx: notices.notice_unread(tx, scope, who))

    async def read(through: int) -> None:
        await house.database.write(lambda tx: notices.notice_mark_read(tx, "ada", through))

    assert await unread() == 3
    await read(middle.seq)
    assert await unread() == 1
    assert [each.read for each in await told(house)] == [False, True, True]
    await read(oldest.seq)
    assert await unread() == 1, "what was read stays read"
    await read(2**62)
    assert await unread() == 0
    await house.end(await started(house, document("later")))
    assert await unread() == 1, "what comes later is not read yet"
    assert await unread(scope=Scope(frozenset({"speech"}))) == 0
    page = await house.database.read(
        lambda tx: notices.notice_page(tx, WHOLE, "ada", limit=2, before=newest.seq)
    )
    assert page == [each for each in await told(house) if each.seq < newest.seq][:2]


async def test_they_are_kept_for_thirty_days(house: House) -> None:
    await house.end(await started(house, document("old")))
    keep = Retention()
    house.clock.advance(29 * DAY_MS)
    await house.write(lambda tx, now_ms: history_trim(tx, keep, now_ms))
    assert len(await told(house)) == 1
    house.clock.advance(2 * DAY_MS)
    await house.write(lambda tx, now_ms: history_trim(tx, keep, now_ms))
    assert await told(house) == []


def test_every_event_has_been_thought_of() -> None:
    """What is told of none is on purpose."""
    workload = {"name": "n", "owner": "ada", "id": "w", "queued_at_ms": 0}
    due = {
        event
        for event in WorkloadEvent
        if notices.notices_due(workload, event, Cause.CANCELLED, "", "bob", 10**9)
    }
    assert set(WorkloadEvent) - due == {
        WorkloadEvent.QUEUED, WorkloadEvent.SCHEDULED, WorkloadEvent.LAUNCHED}  # fmt: skip


def test_administrators_are_others_too() -> None:
    workload = {"name": "n", "owner": "ada", "id": "w", "queued_at_ms": 0}
    (row,) = notices.notices_due(
        workload, WorkloadEvent.CANCELLED, Cause.CANCELLED, "", ADMINISTRATOR.username, 0
    )
    assert row["sentence"] == "root cancelled n."
