"""Changing one workload or many: in whose right, in which state, and what is left behind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import Cause
from podium.domain.rights import VIEWER
from podium.domain.tenancy import WHOLE, Identity
from podium.intake import actions
from podium.intake.actions import Acted, workloads_act
from podium.intake.changes import workload_change
from podium.spec.views.workload import ChangeRequest
from podium.store import events, tables, workloads
from podium.store.database import Database
from podium.store.listing import WorkloadFilter
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node, person
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

ADA = person("ada")
BOB = person("bob", project="speech")
EVE = person("eve", role=VIEWER)
EIGHTY = ChangeRequest(priority=80)


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(node())
    yield made
    await database.read(Laws().check)


async def change(house: House, workload: str, who: Identity = ADA, **values: Any) -> bool:
    return await workload_change(house.office, who, workload, ChangeRequest(**values))


async def audited(house: House) -> list[dict[str, Any]]:
    table = tables.audit
    rows = await house.rows(
        sa.select(table).where(table.c.action == "workload:control").order_by(table.c.seq)
    )
    return [{**row, "detail": json.loads(row["detail"])} for row in rows]


async def test_new_values_are_kept_told_and_audited(house: House) -> None:
    workload = await house.submit(document(priority=50, max_runtime="1h"), who=ADA)
    before = await house.workload(workload)
    house.clock.advance(1000)
    woken = house.office.hints.listener("schedule").event
    assert await change(house, workload, priority=80, max_runtime="none", deadline="2h")
    after = await house.workload(workload)
    deadline_ms = house.now_ms + 7_200_000
    assert (after.priority, after.max_runtime_seconds, after.deadline_ms) == (80, None, deadline_ms)
    assert after.version == before.version + 1
    assert (after.state, after.cause, after.message) == (before.state, before.cause, before.message)
    told = await house.database.read(lambda tx: events.event_list(tx, WHOLE, workload, limit=9))
    assert [each.kind for each in told] == ["WorkloadQueued", "WorkloadChanged"]
    last = told[-1]
    assert last.message.startswith("Priority 50 → 80, time limit 1h → none, deadline none → 2026-")
    assert last.message.endswith(" UTC by ada.")
    assert (last.cause, last.actor, last.state) == (Cause.CHANGED, "ada", "queued")
    documents = await house.database.read(lambda tx: workloads.documents_fetch(tx, WHOLE, workload))
    assert (documents.submitted["priority"], documents.submitted["max_runtime"]) == (50, "1h")
    assert documents.resolved["priority"] == 80
    assert "max_runtime" not in documents.resolved
    assert "deadline" in documents.resolved
    (entry,) = await audited(house)
    assert (entry["actor"], entry["subject"], entry["project"]) == ("ada", workload, "vision")
    assert (entry["detail"]["before"]["priority"], entry["detail"]["after"]["priority"]) == (50, 80)
    assert woken.is_set()


async def test_what_is_so_already_is_written_nowhere(house: House) -> None:
    workload = await house.submit(document(priority=80))
    before = await house.workload(workload)
    assert not await change(house, workload, priority=80, max_runtime="none")
    assert not await change(house, workload)
    assert await house.workload(workload) == before
    assert await audited(house) == []


async def test_a_change_leaves_a_reason_to_wait_alone(house: House) -> None:
    workload = await house.submit(document(resources={"gpus": 40}))
    await house.cycle()
    before = await house.workload(workload)
    assert before.refusal is not None
    await change(house, workload, priority=80)
    assert (await house.workload(workload)).refusal == before.refusal


@pytest.mark.parametrize("state", ["running", "stopping"])
async def test_whatever_has_not_ended_can_be_changed(house: House, state: str) -> None:
    workload = await house.start(document(resources={"gpus": 1}))
    if state == "stopping":
        await workloads_act(house.office, ADA, "cancel", ids=[workload], chosen=WorkloadFilter())
    assert await house.states(workload) == [state]
    assert await change(house, workload, priority=1)
    assert await house.states(workload) == [state]
    await house.end(await house.held_ids())


async def test_what_has_ended_stays(house: House) -> None:
    workload = await house.start(document("done"))
    await house.end(await house.held_ids())
    with pytest.raises(ConflictError, match=r"done \(w-.*has succeeded.*Clone it"):
        await change(house, workload, priority=80)
    with pytest.raises(ConflictError):
        await change(house, workload)


async def test_who_may_not(house: House) -> None:
    workload = await house.submit(document())
    with pytest.raises(ForbiddenError, match="viewer"):
        await change(house, workload, EVE, priority=80)
    with pytest.raises(NotFoundError):
        await change(house, workload, BOB, priority=80)
    with pytest.raises(UserError):
        await change(house, workload, deadline="2001-01-01T00:00:00Z")
    assert (await house.workload(workload)).priority == 25


async def test_a_higher_priority_is_placed_first(house: House) -> None:
    whole = {"resources": {"gpus": 4}}
    first, second = await house.submit(document("first", **whole), document("second", **whole))
    await change(house, second, priority=90)
    await house.cycle()
    assert await house.states(first, second) == ["queued", "scheduled"]


async def act(house: House, action: Any, who: Identity = ADA, **how: Any) -> Acted:
    chosen = how.pop("chosen", WorkloadFilter())
    ids = how.pop("ids", ())
    return await workloads_act(house.office, who, action, ids=ids, chosen=chosen, **how)


async def test_many_are_done_each_for_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "_CHUNK", 2)
    ended = await house.start(document("ended"))
    await house.end(await house.held_ids())
    first, second = await house.submit(document("a", priority=80), document("b"))
    runs = await house.start(document("c"))
    other = await house.submit({**document("theirs"), "project": "speech"})
    nobody = "w-0000000000000000"
    ids = [ended, first, second, second, runs, other, nobody, "x\0"]
    acted = await act(house, "change", ids=ids, change=EIGHTY)
    assert (acted.done, acted.unchanged, acted.fault_count) == (2, 2, 3)
    assert [each for each, _ in acted.faults] == [other, nobody, "x\0"]
    assert "that you can see" in acted.faults[0][1]
    assert [(await house.workload(each)).priority for each in (second, runs, other)] == [80, 80, 25]
    outcomes = [entry["outcome"] for entry in await audited(house)]
    assert (outcomes.count("allowed"), outcomes.count("refused")) == (2, 2), "refused in two pieces"
    acted = await act(house, "cancel", ids=ids[:5], reason="Wrong data.")
    assert (acted.done, acted.unchanged, acted.fault_count) == (3, 1, 0)
    assert (await house.workload(second)).message == "Cancelled by ada. Wrong data."
    await house.end(await house.held_ids())


async def test_many_by_filter_are_those_that_live(house: House) -> None:
    red, blue = {"labels": {"colour": "red"}}, {"labels": {"colour": "blue"}}
    await house.start(document("ended", **red))
    await house.end(await house.held_ids())
    mine = await house.submit(document("a", **red), document("b", **red), document("c", **blue))
    await house.submit({**document("d", **red), "project": "speech"})
    chosen = WorkloadFilter(labels=(("colour", "red"),))
    acted = await act(house, "cancel", chosen=chosen)
    assert (acted.done, acted.unchanged, acted.fault_count) == (2, 0, 0)
    assert await house.states(*mine) == ["cancelled", "cancelled", "queued"]
    assert (await act(house, "cancel", ADMINISTRATOR, chosen=chosen)).done == 1
    watched = WorkloadFilter(states=(WorkloadState.QUEUED,))
    acted = await act(house, "cancel", EVE, chosen=watched)
    assert (acted.done, acted.fault_count) == (0, 1)
    assert "viewer" in acted.faults[0][1]


async def test_a_chain_cancelled_as_one_counts_each_once(house: House) -> None:
    chain = await house.submit(document("a"), document("b", depends_on=["a"]))
    acted = await act(house, "cancel", chosen=WorkloadFilter(projects=("vision",)))
    assert (acted.done, acted.unchanged) == (1, 1)
    assert await house.states(*chain) == ["cancelled", "failed"]


async def test_what_is_no_selection(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    workload = await house.submit(document())
    vision = WorkloadFilter(projects=("vision",))
    for how, field in (
        ({"action": "cancel"}, "selection"),
        ({"action": "cancel", "ids": [workload], "chosen": vision}, "selection"),
        ({"action": "change", "ids": [workload]}, "change"),
        ({"action": "change", "ids": [workload], "change": ChangeRequest()}, "change"),
        ({"action": "cancel", "ids": [workload], "change": EIGHTY}, "change"),
        (
            {"action": "change", "chosen": vision, "change": ChangeRequest(deadline="no")},
            "change.deadline",
        ),
    ):
        with pytest.raises(UserError) as raised:
            await act(house, **how)  # type: ignore[arg-type]
        assert [each.field for each in raised.value.faults] == [field]
    await house.submit(document("more"))
    monkeypatch.setattr(actions, "ACTION_MAX", 1)
    with pytest.raises(UserError, match="more than 1 workloads"):
        await act(house, "cancel", chosen=vision)
    assert await house.states(workload) == ["queued"]


async def test_only_some_faults_are_told(house: House) -> None:
    ids = [f"w-{number:016}" for number in range(150)]
    acted = await act(house, "cancel", ids=ids)
    assert (acted.fault_count, len(acted.faults)) == (150, 100)
