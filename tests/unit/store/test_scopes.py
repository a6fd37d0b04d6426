"""Every read of the store that takes a scope shows nothing of another project."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

import podium.store
from podium.domain.allocation import Usage
from podium.domain.booking import Reserved
from podium.domain.errors import NotFoundError
from podium.domain.metering import DAY_MS, Dimension
from podium.domain.pool import Pool
from podium.domain.quota import QuotaLevel
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE, Scope, User, UserKind
from podium.domain.usage_report import Asked
from podium.scheduling.plan import Reservation, Turn
from podium.store import bookings, pools, queue_plan, tables, users
from podium.store.audit_trail import AuditFilter, Found
from podium.store.database import Database, Transaction
from podium.store.demand_hours import Demanded, demand_add
from podium.store.listing import WorkloadFilter, WorkloadsFound
from podium.store.queue import QueueSummary
from podium.store.quota_history import history_insert
from podium.store.reports import Amounts, Report
from podium.store.usage import Bill
from turned_clock import TurnedClock
from unit.house import House, document, node

pytestmark = pytest.mark.anyio

OTHERS = Scope(frozenset({"speech"}))
NOBODY = Scope(frozenset())
FORBIDDEN = "nothing to see"
EMPTY_QUEUE = QueueSummary(
    waiting=0, wait_median_ms=None, wait_max_ms=None, gpu_milli_wanted=0, reasons=()
)

MAINTENANCE = Reserved(
    name="firmware", nodes=("n1",), project=None, from_ms=1, until_ms=2**50, note="",
    created_at_ms=1, created_by="root",
)  # fmt: skip

EVER = Asked(by=Dimension.PROJECT, since_ms=0, until_ms=36_500 * DAY_MS)

# How each function is asked for what belongs to project vision, and what a stranger hears.
CASES: dict[str, tuple[Callable[[str], dict[str, Any]], Any]] = {
    "allocations.rank_list": (lambda w: {"workload_id": w, "limit": 10}, FORBIDDEN),
    "allocations.saved_last_ms": (lambda w: {"workload_id": w}, None),
    "audit_trail.actions_known": (lambda w: {}, []),
    "audit_trail.entries_after": (lambda w: {"seq": 0, "limit": 10}, []),
    "audit_trail.entries_matching": (
        lambda w: {"wanted": AuditFilter(), "limit": 10, "after_seq": 0, "end_seq": 10},
        "entries without names",
    ),
    "audit_trail.entry_fetch": (lambda w: {"seq": 1}, None),
    "audit_trail.entry_list": (lambda w: {"wanted": AuditFilter(), "limit": 10}, Found([], None)),
    "booked_work.booked_work": (lambda w: {"booking": MAINTENANCE}, "replicas without names"),
    "bookings.booking_fetch": (lambda w: {"name": "paper"}, FORBIDDEN),
    "bookings.booking_list": (lambda w: {"now_ms": 0}, "nodes without names"),
    "curves.workload_curves": (
        lambda w: {"workload_id": w, "since_ms": 0, "until_ms": 2**50, "step_ms": 2**40},
        FORBIDDEN,
    ),
    "etas.etas_of": (lambda w: {"ids": [w]}, {}),
    "events.event_list": (lambda w: {"workload_id": w, "limit": 10}, []),
    "pools.pool_fetch": (lambda w: {"name": "safe"}, FORBIDDEN),
    "pools.pools_seen": (lambda w: {}, ()),
    "pools.teams_seen": (lambda w: {}, "their own"),
    "policies.team_seen": (lambda w: {"team": "research"}, False),
    "preemptions.preemption_list": (lambda w: {"limit": 10}, []),
    "demand_hours.demand_between": (lambda w: {"since_ms": 0, "until_ms": 2**50}, []),
    "projects.project_fetch": (lambda w: {"name": "vision"}, FORBIDDEN),
    "projects.project_held": (lambda w: {"name": "vision"}, FORBIDDEN),
    "projects.project_open": (lambda w: {"name": "vision"}, FORBIDDEN),
    "quota_history.history_list": (lambda w: {"limit": 10}, []),
    "projects.project_list": (lambda w: {"limit": 10}, []),
    "projects.projects_there": (lambda w: {"names": ["vision"]}, []),
    "projects.team_list": (lambda w: {"limit": 10}, []),
    "reports.report": (lambda w: {"asked": EVER, "now_ms": 2**42}, Report([], Amounts(), None)),
    "reports.statements": (lambda w: {"asked": EVER, "now_ms": 2**42}, ([], Amounts(), None)),
    "running.held_since_before": (lambda w: {"before_ms": 2**50}, False),
    "usage.usage_by_project": (lambda w: {"now_ms": 2**50}, []),
    "usage.usage_of_workload": (lambda w: {"workload_id": w, "now_ms": 2**50}, Bill(Usage(), None)),
    "users.user_list": (lambda w: {"limit": 10, "kind": UserKind.SERVICE}, []),
    "workloads.dependency_ids": (lambda w: {"workload_id": w}, FORBIDDEN),
    "workloads.documents_fetch": (lambda w: {"workload_id": w}, FORBIDDEN),
    "workloads.workload_fetch": (lambda w: {"workload_id": w}, FORBIDDEN),
    "workloads.workload_fetch_many": (lambda w: {"ids": [w]}, {}),
    "workloads.workload_find": (lambda w: {"project": "vision", "name": "second"}, FORBIDDEN),
    "holdups.workload_hold_up": (lambda w: {"workload_id": w}, None),
    "listing.workload_ids_living": (lambda w: {"chosen": WorkloadFilter(), "limit": 10}, []),
    "listing.workload_list": (
        lambda w: {"chosen": WorkloadFilter(), "limit": 10},
        WorkloadsFound([], 0),
    ),
    "gpu_hours.gpu_time_between": (lambda w: {"project": None, "marks_ms": (0, 2**42)}, [0]),
    "holdings.node_loads": (lambda w: {}, "sums without holders"),
    "holdings.node_replicas": (lambda w: {"name": "n1", "limit": 10}, []),
    "notices.notice_page": (lambda w: {"username": "root", "limit": 10}, []),
    "notices.notice_unread": (lambda w: {"username": "root"}, 0),
    "node_lines.node_lines": (
        lambda w: {"reservations": (), "now_ms": 0, "until_ms": 2**50, "limit": 10},
        "amounts without names",
    ),
    "overview.failed_since": (lambda w: {"project": None, "since_ms": 0, "latest": 5}, (0, [])),
    "overview.finishing_soonest": (lambda w: {"project": None, "limit": 5}, []),
    "overview.workload_counts": (lambda w: {}, {}),
    "queue.queue_length": (lambda w: {}, 0),
    "queue.queue_page": (lambda w: {"limit": 10}, []),
    "queue_plan.queue_plan": (lambda w: {"now_ms": 2**50}, "amounts without names"),
    "queue.queue_projects": (lambda w: {}, []),
    "queue.queue_summary": (lambda w: {"project": None, "now_ms": 2**50}, EMPTY_QUEUE),
    "shares.project_shares": (lambda w: {"now_ms": 2**50}, "their own"),
    "shares.standing": (lambda w: {"now_ms": 2**50}, "sums without names"),
    "search.find": (lambda w: {"text": w[:6], "limit": 10}, []),
}


NAMELESS = {
    "projects.project_list",
    "projects.team_list",
    "shares.standing",
    "usage.usage_by_project",
}


def scoped() -> dict[str, Callable[..., Any]]:
    """Every public function of the store's modules that has a parameter `scope`."""
    found = {}
    for module in pkgutil.iter_modules(podium.store.__path__):
        if module.ispkg or module.name == "scoping":
            continue
        loaded = importlib.import_module(f"podium.store.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            own = function.__module__ == loaded.__name__ and not name.startswith("_")
            if own and "scope" in inspect.signature(function).parameters:
                found[f"{module.name}.{name}"] = function
    return found


def test_every_read_with_a_scope_has_a_case() -> None:
    assert sorted(scoped()) == sorted(CASES)


@pytest.fixture
async def workload(database: Database, clock: TurnedClock) -> str:
    house = House(database, clock)
    await house.furnish(node())
    gpus = {"resources": {"gpus": 1}}
    await house.start(document("first", **gpus))
    await house.end(await house.held_ids())
    await house.start(document("broken", **gpus))
    await house.end(await house.held_ids(), Cause.EXIT_CODE)
    started: str = await house.start(
        document("second", **gpus, depends_on=["first"], max_runtime="1h")
    )
    third = await house.submit(document("third", resources={"gpus": 4}))
    booking = Reserved(
        name="paper", nodes=("n1",), project="vision", from_ms=1, until_ms=2**50, note="paper",
        created_at_ms=1, created_by="ada",
    )  # fmt: skip
    await house.write(lambda tx, _: bookings.booking_insert(tx, booking))
    pool = Pool(name="safe", labels=(("os", "linux"),), teams=("research",))
    await house.write(lambda tx, now: pools.pool_put(tx, pool, now, "root"))
    plan = {"turns": [Turn(third, True)], "reservations": [Reservation(third, ("n1",), 1, (1,))]}
    await house.write(lambda tx, now: queue_plan.queue_plan_replace(tx, now, **plan))
    gave_way = {
        "at_ms": 1, "workload_id": started, "ranks": "[0]", "whole": True, "in_favour_of": third,
        "justification": "", "lost_milli_ms": 0,
    }  # fmt: skip
    await house.write(lambda tx, _: tx.execute(sa.insert(tables.preemptions).values(gave_way)))
    demanded = {(0, "vision", "A100"): Demanded(held_milli_ms=1)}
    await house.write(lambda tx, _: demand_add(tx, demanded))
    change = (QuotaLevel.PROJECT, "vision", 1, "root", None, None)
    await house.write(lambda tx, _: history_insert(tx, *change))
    bot = User(username="bot", created_at_ms=1, kind=UserKind.SERVICE, project="vision")
    await house.write(lambda tx, _: users.user_insert(tx, bot, ""))
    times = ("early", "likely", "late", "asked_at", "asked_early", "asked_likely", "asked_late")
    eta = {"workload_id": started, **{f"{each}_ms": 1 for each in times}}
    await house.write(lambda tx, _: tx.execute(sa.insert(tables.etas).values(eta)))
    saved = sa.update(tables.allocations).values(saved_at_ms=5)
    await house.write(lambda tx, _: tx.execute(saved))
    clock.advance(5000)
    return started


@pytest.mark.parametrize("name", sorted(CASES))
async def test_strangers_see_nothing(name: str, database: Database, workload: str) -> None:
    function = scoped()[name]
    arguments, hidden = CASES[name]
    if name == "holdups.workload_hold_up":
        held_up = {"state": "starting", "holdup_message": "Pulls.", "holdup_since_ms": 1}
        changed = sa.update(tables.allocations).values(held_up)
        await database.write(lambda tx: tx.execute(changed))

    def ask(scope: Scope) -> Callable[[Transaction], Any]:
        return lambda tx: function(tx, scope=scope, **arguments(workload))

    mine = Scope(frozenset({"vision"}))
    seen = await database.read(ask(mine))
    assert seen, "the owner sees it"
    assert await database.read(ask(WHOLE)), "so do the loops"
    for scope in (OTHERS, NOBODY):
        if hidden == FORBIDDEN:
            with pytest.raises(NotFoundError):
                await database.read(ask(scope))
            continue
        told = await database.read(ask(scope))
        if name == "holdings.node_loads":
            assert told["n1"].gpu_milli == seen["n1"].gpu_milli
            assert (told["n1"].holders, len(seen["n1"].holders)) == ((), 1)
        elif name == "queue_plan.queue_plan":
            assert [each.workload_id for each in told.turns] == [None]
            assert [each.seen for each in told.reservations] == [False]
        elif name == "node_lines.node_lines":
            (line,), (mine_line,) = told.lines, seen.lines
            assert [each.workload_id for each in line.running] == [None]
            assert [each.workload_id for each in mine_line.running] == [workload]
            assert line.free_milli == mine_line.free_milli
            assert "vision" not in repr(told)
            assert "paper" not in repr(told)
        elif name == "bookings.booking_list":
            assert [each.nodes for each in told] == [each.nodes for each in seen]
            assert "vision" not in repr(told)
            assert "paper" not in repr(told)
        elif name == "booked_work.booked_work":
            assert [each.nodes for each in told] == [each.nodes for each in seen]
            assert [(each.workload_id, each.name, each.project) for each in told] == [(None,) * 3]
        elif name == "audit_trail.entries_matching":
            assert (told[0], len(seen[0]) > 0) == ([], True)
        elif name in ("shares.project_shares", "pools.teams_seen"):
            assert set(told) == set(scope.projects or ())
        elif name in NAMELESS:
            assert "vision" not in repr(told)
            assert "research" not in repr(told)
        else:
            assert told == hidden
