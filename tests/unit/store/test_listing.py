"""Lists of workloads against the same lists made in memory: filters, orders, pages, totals."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.reason import WaitReason
from podium.domain.tenancy import WHOLE, Project, Scope
from podium.domain.workload import Workload
from podium.spec.views.workload import WorkloadSort
from podium.store import listing, projects, scoping, tables
from podium.store.database import Database, Transaction
from podium.store.listing import WorkloadFilter
from turned_clock import TurnedClock
from unit.house import House, document, node

pytestmark = pytest.mark.anyio

COUNT = 60
_PLACES = {state: place for place, state in enumerate(WorkloadState)}
VALUES: dict[WorkloadSort, Callable[[Workload], Any]] = {
    WorkloadSort.SUBMITTED: lambda each: each.id,
    WorkloadSort.NAME: lambda each: each.name,
    WorkloadSort.PROJECT: lambda each: each.project,
    WorkloadSort.OWNER: lambda each: each.owner,
    WorkloadSort.KIND: lambda each: each.kind.value,
    WorkloadSort.STATE: lambda each: _PLACES[each.state],
    WorkloadSort.PRIORITY: lambda each: each.priority,
    WorkloadSort.STARTED: lambda each: each.started_at_ms,
    WorkloadSort.ENDED: lambda each: each.ended_at_ms,
    WorkloadSort.GPUS: lambda each: each.request.gpu_milli * each.replicas.maximum,
}


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    """Workloads of two projects with many equals among them, in states written straight to the
    rows: what is looked at here is the list alone."""
    made = House(database, clock)
    await made.furnish(node())
    chance = random.Random(11)
    ids = await made.submit(
        *(
            document(
                f"job-{chance.randrange(12)}",
                project=chance.choice(("vision", "speech")),
                kind=chance.choice(("training", "batch")),
                priority=chance.choice((10, 50, 90)),
                replicas=chance.choice((1, 2)),
                resources=chance.choice(({"cpus": 1}, {"gpus": 1}, {"gpus": 2})),
                labels={"colour": chance.choice(("red", "blue"))},
            )
            for _ in range(COUNT)
        )
    )
    states = [WorkloadState.QUEUED, WorkloadState.RUNNING, *sorted(WORKLOAD_ENDS)]
    table = tables.workloads

    def move(tx: Transaction) -> None:
        for each in ids:
            state = chance.choice(states)
            queued = state is WorkloadState.QUEUED
            reason = chance.choice((None, "capacity", "priority")) if queued else None
            tx.execute(
                sa.update(table)
                .where(table.c.id == each)
                .values(
                    state=state.value,
                    owner=chance.choice(("ada", "bob")),
                    started_at_ms=None if queued else 1000 * chance.randrange(5),
                    ended_at_ms=1000 * chance.randrange(5) if state in WORKLOAD_ENDS else None,
                    refusal_reason=reason,
                    refusal_message=reason and "Words.",
                    refusal_remedy=reason and "",
                    refusal_evidence=reason and "[]",
                )
            )

    await database.write(move)
    return made


async def listed(house: House, chosen: WorkloadFilter, scope: Scope = WHOLE, **how: Any) -> Any:
    return (await found_in(house, chosen, scope, **how)).workloads


async def found_in(house: House, chosen: WorkloadFilter, scope: Scope = WHOLE, **how: Any) -> Any:
    how.setdefault("limit", 1000)
    return await house.database.read(lambda tx: listing.workload_list(tx, scope, chosen, **how))


def ordered(views: list[Workload], sort: WorkloadSort, descending: bool) -> list[str]:
    value = VALUES[sort]
    by_id = sorted(views, key=lambda each: each.id, reverse=descending)
    given = [each for each in by_id if value(each) is not None]
    without = [each for each in by_id if value(each) is None]
    given.sort(key=value, reverse=descending)
    return [each.id for each in given + without]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", WorkloadSort)
async def test_every_order_in_pages_of_any_kind(
    house: House, sort: WorkloadSort, descending: bool
) -> None:
    everything = WorkloadFilter()
    order = {"sort": sort, "descending": descending}
    wanted = ordered(await listed(house, everything), sort, descending)
    if descending and sort is not WorkloadSort.SUBMITTED:
        # Equals are there, and Python's sort keeps them as `ordered` put them: newest first.
        assert wanted != sorted(wanted, reverse=True)
    found: list[str] = []
    for offset in range(0, COUNT + 7, 7):
        page = await listed(house, everything, offset=offset, limit=7, **order)
        found += [each.id for each in page]
    assert found == wanted
    assert await listed(house, everything, offset=COUNT, **order) == []


async def test_a_cursor_goes_on_where_the_page_ended(house: House) -> None:
    wanted = [each.id for each in await listed(house, WorkloadFilter())]
    assert wanted == sorted(wanted, reverse=True)
    rest = await listed(house, WorkloadFilter(), after=wanted[20], limit=5)
    assert [each.id for each in rest] == wanted[21:26]
    up = await listed(house, WorkloadFilter(), after=wanted[20], descending=False, limit=5)
    assert [each.id for each in up] == wanted[15:20][::-1]


FILTERS: list[tuple[WorkloadFilter, Callable[[Workload], bool]]] = [
    (WorkloadFilter(projects=("vision",)), lambda w: w.project == "vision"),
    (
        WorkloadFilter(states=(WorkloadState.FAILED, WorkloadState.QUEUED)),
        lambda w: w.state in ("failed", "queued"),
    ),
    (
        WorkloadFilter(kinds=("batch",), owner="ada"),
        lambda w: (w.kind, w.owner) == ("batch", "ada"),
    ),
    (WorkloadFilter(name="job-1"), lambda w: w.name == "job-1"),
    (WorkloadFilter(text="B-1"), lambda w: "b-1" in w.name),
    (WorkloadFilter(text="%"), lambda w: False),
    (WorkloadFilter(labels=(("colour", "red"),)), lambda w: dict(w.labels)["colour"] == "red"),
    (WorkloadFilter(ended_since_ms=3000), lambda w: (w.ended_at_ms or -1) >= 3000),
    (
        WorkloadFilter(reasons=(WaitReason.CAPACITY,)),
        lambda w: w.refusal is not None and w.refusal.reason == "capacity",
    ),
    (
        WorkloadFilter(reasons=(WaitReason.NEW, WaitReason.PRIORITY)),
        lambda w: w.state == "queued" and (w.refusal is None or w.refusal.reason == "priority"),
    ),
]


@pytest.mark.parametrize(("chosen", "admits"), FILTERS)
async def test_filters_and_totals(
    house: House, chosen: WorkloadFilter, admits: Callable[[Workload], bool]
) -> None:
    everything = await listed(house, WorkloadFilter())
    for scope in (WHOLE, Scope(frozenset({"vision"})), Scope(frozenset())):
        wanted = [each.id for each in everything if admits(each) and scope.admits(each.project)]
        assert [each.id for each in await listed(house, chosen, scope)] == wanted
        name = WorkloadSort.NAME
        by_name = await listed(house, chosen, scope, sort=name)
        assert sorted(each.id for each in by_name) == sorted(wanted)
        assert (await found_in(house, chosen, scope, limit=1)).total == len(wanted)
        living = await house.database.read(
            lambda tx, s=scope: listing.workload_ids_living(tx, s, chosen, limit=1000)
        )
        states = {each.id: each.state for each in everything}
        assert living == [each for each in wanted[::-1] if states[each] not in WORKLOAD_ENDS]
    if chosen.text != "%":
        assert 0 < len([each for each in everything if admits(each)]) < COUNT


MORE = tuple(f"lab-{number}" for number in range(6))
ALL = ("vision", "speech", *MORE)


@pytest.fixture
async def many(house: House) -> House:
    """Projects enough for every way of telling them apart; one has nothing in it."""
    for name in MORE:
        project = Project(name=name, team="research", created_at_ms=1)
        await house.write(lambda tx, _, each=project: projects.project_insert(tx, each))
    chance = random.Random(5)
    colours = ({"colour": "red"}, {"colour": "red", "size": "big"}, {"size": "big"}, {})
    await house.submit(
        *(
            document(
                f"more-{chance.randrange(5)}",
                project=chance.choice(MORE[1:]),
                priority=chance.choice((10, 50)),
                labels=chance.choice(colours),
            )
            for _ in range(COUNT)
        )
    )
    return house


def some(*values: Any) -> st.SearchStrategy[Any]:
    """A few of them, and often none, which is all."""
    return st.just(()) | st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


CHOSEN = st.builds(
    WorkloadFilter,
    projects=some("vision", *MORE[:3], "nowhere"),
    states=some(*WorkloadState),
    kinds=some("training", "batch"),
    owner=st.sampled_from((None, None, "ada", "root")),
    name=st.sampled_from((None, None, None, "job-1", "more-2")),
    text=st.sampled_from((None, None, "-1", "JOB", "w", "w-0", "o", "%", "e_")),
    labels=some(("colour", "red"), ("size", "big"), ("size", "red")),
    ended_since_ms=st.sampled_from((None, None, None, 2000)),
)
SCOPES = st.just(WHOLE) | st.frozensets(st.sampled_from(ALL)).map(Scope)
# What a store of its size decides by: each way is gone at every size.
LIMITS = st.fixed_dictionaries(
    {
        (listing, "_ROWS"): st.sampled_from((0, 50, 10**9)),
        (listing, "_FEW"): st.sampled_from((0, 2000)),
        (listing, "_SEARCHED"): st.sampled_from((0, 8)),
        (scoping, "MANY"): st.sampled_from((0, 2, 50)),
    }
)


def admitted(each: Workload, chosen: WorkloadFilter, scope: Scope) -> bool:
    text = (chosen.text or "").lower()
    return (
        scope.admits(each.project)
        and each.project in (chosen.projects or ALL)
        and each.state in (chosen.states or WorkloadState)
        and each.kind in (chosen.kinds or (each.kind,))
        and chosen.owner in (None, each.owner)
        and chosen.name in (None, each.name)
        and (text in each.name or each.id.startswith(text))
        and set(chosen.labels) <= set(each.labels)
        and (chosen.ended_since_ms is None or (each.ended_at_ms or -1) >= chosen.ended_since_ms)
    )


async def test_lists_and_totals_are_those_of_a_look_at_every_row(many: House) -> None:
    everything = await listed(many, WorkloadFilter())
    assert len(everything) == 2 * COUNT

    def compare(tx: Transaction) -> None:
        @settings(max_examples=150)
        @given(
            chosen=CHOSEN,
            scope=SCOPES,
            sort=st.sampled_from(WorkloadSort),
            descending=st.booleans(),
            offset=st.sampled_from((0, 0, 3, 40)),
            limits=LIMITS,
        )
        def each_way(
            chosen: WorkloadFilter,
            scope: Scope,
            sort: WorkloadSort,
            descending: bool,
            offset: int,
            limits: dict[tuple[Any, str], int],
        ) -> None:
            views = [each for each in everything if admitted(each, chosen, scope)]
            wanted = ordered(views, sort, descending)
            order = {"sort": sort, "descending": descending}
            with pytest.MonkeyPatch.context() as patch:
                for (module, name), value in limits.items():
                    patch.setattr(module, name, value)
                found = listing.workload_list(tx, scope, chosen, limit=9, offset=offset, **order)
                living = listing.workload_ids_living(tx, scope, chosen, limit=1000)
            assert [each.id for each in found.workloads] == wanted[offset : offset + 9]
            assert found.total == len(wanted)
            ends = {each.id for each in everything if each.state in WORKLOAD_ENDS}
            assert living == sorted({each.id for each in views} - ends)

        each_way()

    await many.database.read(compare)


async def test_a_total_stops_at_its_bound(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "TOTAL_MAX", 20)
    found = await found_in(house, WorkloadFilter(), offset=COUNT - 1)
    assert (found.total, len(found.workloads)) == (21, 1)


async def test_a_node_has_what_is_or_was_last_there(database: Database, clock: TurnedClock) -> None:
    house = House(database, clock)
    await house.furnish(node("n1", gpus=2), node("n2", gpus=2))
    gang = await house.start(document("gang", replicas=2, resources={"gpus": 2}))
    waits = await house.submit(document("waits", resources={"gpus": 2}))
    await house.cycle()

    async def on(name: str, **more: Any) -> list[str]:
        found = await listed(house, WorkloadFilter(node=name, **more))
        return [each.id for each in found]

    assert await on("n1") == await on("n2") == [gang]
    assert await on("elsewhere") == []
    await house.end(await house.held_ids())
    await house.cycle()
    (held,) = await house.held(waits)
    other = "n2" if held["node"] == "n1" else "n1"
    assert await on(held["node"]) == [waits, gang], "what has ended was there last"
    assert await on(other) == [gang]
    assert await on(other, states=(WorkloadState.RUNNING,)) == []


async def test_an_array_waits_while_it_has_tasks_left(
    database: Database, clock: TurnedClock
) -> None:
    house = House(database, clock)
    await house.furnish(node(gpus=1))
    array = await house.start(document("array", array=3, resources={"gpus": 1}))
    await house.cycle()
    (found,) = await listed(house, WorkloadFilter(reasons=(WaitReason.CAPACITY,)))
    assert (found.id, found.state) == (array, "running")
    for _ in range(2):
        await house.end(await house.held_ids())
        await house.cycle()
    assert await listed(house, WorkloadFilter(reasons=tuple(WaitReason))) == []
