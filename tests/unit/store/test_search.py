"""Search finds what fits best first, and nothing that the reader may not see."""

from __future__ import annotations

import pytest

from podium.domain.tenancy import WHOLE, Scope
from podium.store import search
from podium.store.database import Database
from podium.store.search import Finding
from turned_clock import TurnedClock
from unit.house import House, document, node

pytestmark = pytest.mark.anyio

VISION = Scope(frozenset({"vision"}))


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node("train-1", rack="r1"), node("n2", gpus=1))
    return made


async def find(
    house: House, text: str, scope: Scope = WHOLE, *, limit: int = 20, people: bool = False
) -> list[Finding]:
    return await house.database.read(
        lambda tx: search.find(tx, scope, text, limit=limit, people=people)
    )


def titles(found: list[Finding]) -> list[str]:
    return [f"{each.kind} {each.title}" for each in found]


async def test_the_best_fit_comes_first_and_the_newest_of_equals(house: House) -> None:
    for name in ("train", "trainer-a", "retrain", "trainer-b", "train", "other"):
        house.clock.advance(10)
        await house.submit(document(name))
    found = await find(house, "train")
    assert titles(found) == [
        "workload train",
        "workload train",
        "node train-1",
        "workload trainer-b",
        "workload trainer-a",
        "workload retrain",
    ]
    assert found[0].id > found[1].id
    assert found[0].detail == "batch of root in vision"
    assert found[0].state == "queued"
    assert found[2].detail == "4 GPUs, r1"
    assert titles(await find(house, " TRAINER ")) == ["workload trainer-b", "workload trainer-a"]
    assert titles(await find(house, "train", limit=1)) == ["workload train"]


async def test_ids_and_their_beginnings(house: House) -> None:
    ids = []
    for index in range(3):
        house.clock.advance(40)
        ids.append(await house.submit(document(f"job-{index}")))
    assert [each.id for each in await find(house, ids[1])] == [ids[1]]
    assert [each.id for each in await find(house, ids[1][:8])] == sorted(ids, reverse=True)
    assert [each.id for each in await find(house, ids[0].upper())] == [ids[0]]


async def test_projects_are_those_of_the_scope_and_people_are_for_administrators(
    house: House,
) -> None:
    assert titles(await find(house, "speech")) == ["project speech"]
    assert await find(house, "speech", VISION) == []
    assert await find(house, "ada") == []
    assert titles(await find(house, "ada", people=True)) == ["user ada"]
    assert titles(await find(house, "d", people=True)) == ["user ada"]


@pytest.mark.parametrize("text", ["secret", "secret-work", "cret", "w-"])
async def test_nothing_of_another_project(house: House, text: str) -> None:
    theirs = await house.submit(document("secret-work", project="speech"))
    mine = await house.submit(document("own-secret"))
    asked = theirs if text == "w-" else text
    assert theirs in [each.id for each in await find(house, asked)]
    for scope in (VISION, Scope(frozenset())):
        told = await find(house, asked, scope, people=False)
        assert theirs not in [each.id for each in told]
        assert "speech" not in repr(told)
    if text == "secret":
        assert [each.id for each in await find(house, text, VISION)] == [mine]


async def test_old_ones_are_found_by_how_they_begin(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only parts inside a name are looked for among the newest alone."""
    monkeypatch.setattr(search, "_NEWEST", 2)
    monkeypatch.setattr(search, "_NEWEST_LEAST", 2)
    await house.submit(document("old-digits"))
    house.clock.advance(10)
    await house.submit(*(document(f"new-{index}") for index in range(4)))
    for scope in (WHOLE, VISION):
        assert titles(await find(house, "old", scope)) == ["workload old-digits"]
        assert await find(house, "digits", scope) == []
        assert len(await find(house, "ew-", scope)) == 2


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "w-%", "   ", "\x00", "\U0010ffff", "ß"])
async def test_signs_mean_themselves(house: House, text: str) -> None:
    await house.submit(document("plain"))
    assert await find(house, text) == []
