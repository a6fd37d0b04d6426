"""Setting quotas: who may, what is checked against the rest of the tree, and what is kept."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from podium.domain.errors import ForbiddenError, NotFoundError, UserError
from podium.domain.quota import Quota, QuotaLevel
from podium.intake.quotas import quota_remove, quota_set
from podium.store import quotas, tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, node, person

pytestmark = pytest.mark.anyio

TEAM, PROJECT = QuotaLevel.TEAM, QuotaLevel.PROJECT
Amounts = dict[str, int]


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=4), node("n2", gpus=4))
    return made


async def give(
    house: House,
    level: QuotaLevel,
    name: str,
    guarantees: Amounts | None = None,
    limits: Amounts | None = None,
    weight: int = 1,
) -> None:
    quota = Quota(
        level=level,
        name=name,
        weight=weight,
        guarantees=tuple((guarantees or {}).items()),
        limits=tuple((limits or {}).items()),
    )
    await quota_set(house.office, ADMINISTRATOR, quota)


async def kept(house: House, level: QuotaLevel, name: str) -> Quota | None:
    found = await house.database.read(quotas.quota_list)
    return found.get((level, name))


async def test_it_replaces_what_was_set_and_is_told_of(house: House) -> None:
    await give(house, TEAM, "research", {"a100": 4000, "": 5000}, {"A100": 8000}, 2)
    first = await kept(house, TEAM, "research")
    assert first is not None
    assert first.guarantees == (("", 5000), ("A100", 4000))
    assert (first.limits, first.weight) == ((("A100", 8000),), 2)
    house.clock.advance(1000)
    await give(house, TEAM, "research", {"A100": 4000, "": 5000}, {"A100": 8000}, 2)
    (row,) = await house.rows(sa.select(tables.quotas))
    assert row["updated_at_ms"] == house.now_ms - 1000, "the same again changes nothing"
    await give(house, TEAM, "research", limits={"": 0})
    second = await kept(house, TEAM, "research")
    assert second == Quota(level=TEAM, name="research", limits=(("", 0),))
    await quota_remove(house.office, ADMINISTRATOR, TEAM, "research")
    assert await kept(house, TEAM, "research") is None
    assert not await house.rows(sa.select(tables.quota_amounts))
    trail = await house.rows(sa.select(tables.audit).where(tables.audit.c.action == "quota:set"))
    assert [row["subject"] for row in trail] == ["research"] * 4
    assert json.loads(trail[0]["detail"])["after"]["guarantees"] == {"A100": 4000, "all": 5000}
    last = json.loads(trail[-1]["detail"])
    assert (last["before"]["limits"], last["after"]) == ({"all": 0}, None)
    with pytest.raises(NotFoundError, match="No quota is set for team research"):
        await quota_remove(house.office, ADMINISTRATOR, TEAM, "research")


async def test_only_administrators(house: House) -> None:
    quota = Quota(level=PROJECT, name="vision")
    for who in (person(), person("bob", project="speech")):
        with pytest.raises(ForbiddenError):
            await quota_set(house.office, who, quota)
        with pytest.raises(ForbiddenError):
            await quota_remove(house.office, who, PROJECT, "vision")


async def test_what_does_not_exist(house: House) -> None:
    for level, name in ((TEAM, "vision"), (PROJECT, "research"), (PROJECT, "")):
        with pytest.raises(NotFoundError):
            await give(house, level, name)
    with pytest.raises(NotFoundError):
        await give(house, QuotaLevel.ORGANISATION, "vision")


@pytest.mark.parametrize(
    ("guarantees", "limits", "field", "words"),
    [
        ({"H100": 1000}, {}, "gpus.H100.guarantee_milli", "no H100 GPUs. There are A100."),
        ({}, {"H100": 1000}, "gpus.H100.limit_milli", "no H100 GPUs. There are A100."),
        ({"A100": 9000}, {}, "gpus.A100.guarantee_milli", "but the cluster has 8 A100 GPUs"),
        ({"": 9000}, {}, "gpus.all.guarantee_milli", "but the cluster has 8 GPUs"),
        ({"A100": 3000}, {"A100": 2000}, "gpus.A100.limit_milli", "2 A100 GPUs at most"),
        ({"A100": 3000}, {"": 2000}, "gpus.all.limit_milli", "guaranteed to it: 3 GPUs"),
        ({"A100": 5000}, {}, "gpus.A100.guarantee_milli", "research is guaranteed 4 A100 GPUs"),
    ],
)
async def test_each_fault_names_its_field(
    house: House, guarantees: Amounts, limits: Amounts, field: str, words: str
) -> None:
    await give(house, TEAM, "research", {"A100": 4000})
    before = await kept(house, PROJECT, "vision")
    with pytest.raises(UserError) as caught:
        await give(house, PROJECT, "vision", guarantees, limits)
    found = [str(each) for each in caught.value.faults if each.field == field]
    assert any(words in each for each in found), caught.value.faults
    assert await kept(house, PROJECT, "vision") == before


async def test_all_guarantees_together_fit_the_cluster(house: House) -> None:
    await give(house, TEAM, "research", {"A100": 5000})
    with pytest.raises(UserError, match="9 A100 GPUs would be guaranteed in all") as caught:
        await give(house, PROJECT, "speech", {"A100": 4000})
    assert "gpus.A100.guarantee_milli" in {each.field for each in caught.value.faults}
    assert "8 or less" in str(caught.value)
    await give(house, PROJECT, "speech", {"A100": 3000})


async def test_a_team_cannot_promise_less_than_its_projects_have(house: House) -> None:
    await give(house, PROJECT, "vision", {"A100": 4000})
    with pytest.raises(UserError) as caught:
        await give(house, TEAM, "research", {"A100": 3000}, {"A100": 2000})
    assert {each.field for each in caught.value.faults} == {
        "gpus.A100.guarantee_milli",
        "gpus.A100.limit_milli",
    }


async def test_a_cluster_that_shrank_lets_guarantees_be_lowered(house: House) -> None:
    await give(house, TEAM, "research", {"A100": 4000})
    await give(house, TEAM, "product", {"A100": 4000})
    await house.write(
        lambda tx, now_ms: tx.execute(
            sa.delete(tables.devices).where(tables.devices.c.node == "n2")
        )
    )
    await give(house, PROJECT, "vision", weight=2)
    with pytest.raises(UserError):
        await give(house, TEAM, "research", {"A100": 5000})
    await give(house, TEAM, "research", {"A100": 3000})
    await give(house, TEAM, "product", {"A100": 1000})


async def test_the_organisation_has_limits_only(house: House) -> None:
    whole = QuotaLevel.ORGANISATION
    await give(house, whole, "", limits={"A100": 6000})
    assert await kept(house, whole, "") is not None
    with pytest.raises(UserError) as caught:
        await give(house, whole, "", {"A100": 1000}, weight=2)
    assert {each.field for each in caught.value.faults} == {"weight", "gpus.A100.guarantee_milli"}
