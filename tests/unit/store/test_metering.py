"""Whatever starts, stops, gives way, is lost or changes its price, and however clocks jump: bills
are what a naive count of each millisecond gives, and every report of them adds up to the same."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from podium.domain.metering import DAY_MS, Dimension
from podium.domain.quota import Quota, QuotaLevel
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE
from podium.domain.usage_report import Asked, Per
from podium.intake.prices import price_set
from podium.intake.workloads import workload_cancel
from podium.scheduling.plan import Plan, Preemption
from podium.spec.views.base import utc
from podium.spec.views.price import PriceRequest
from podium.store import device_time, quotas, reports, samples, spending, tables
from podium.store.codec import Row
from podium.store.database import Database, Transaction
from podium.store.spending import Account
from postgresql import PostgresqlServer
from turned_clock import START_MS, TurnedClock
from unit.house import ADMINISTRATOR, House, document, node

Result = TypeVar("Result")

HOUR_MS = 3_600_000
GUARANTEE_MILLI = 1500
MACHINES = (node("n1", gpus=2, cpus=64), node("n2", gpus=2, cpus=64))
TYPE = "A100"
EVER = (START_MS // DAY_MS * DAY_MS - 400 * DAY_MS, START_MS // DAY_MS * DAY_MS + 400 * DAY_MS)

PASS = st.tuples(st.just("pass"), st.one_of(st.integers(1, 90_000), st.integers(1, 40 * HOUR_MS)))
START = st.tuples(
    st.just("start"),
    st.sampled_from(["vision", "speech"]),
    st.sampled_from([0, 0.3, 1, 1, 2]),
    st.sampled_from(["batch", "training"]),
    st.sampled_from(["a", "b", None]),
)
END = st.tuples(
    st.just("end"),
    st.integers(0, 9),
    st.sampled_from([Cause.COMPLETED, Cause.EXIT_CODE, Cause.LOST, Cause.NODE_LOST]),
)
GIVE_WAY = st.tuples(st.just("give way"), st.integers(0, 9))
PRICE = st.tuples(
    st.just("price"),
    st.integers(0, 9_000_000),
    st.one_of(st.none(), st.integers(0, 9_000_000)),
    st.sampled_from([0, 0, 1, 90_000, 30 * HOUR_MS]),
)
JUMP = st.tuples(st.just("jump"), st.integers(-30 * HOUR_MS, 30 * HOUR_MS))
MEASURE = st.tuples(st.just("measure"), st.integers(0, 1100))
HISTORIES = st.lists(
    st.one_of(START, START, PASS, PASS, PASS, END, END, GIVE_WAY, PRICE, JUMP, MEASURE),
    min_size=4,
    max_size=24,
)


@dataclass
class Ran:
    """What the machine knows of one process: by its own clock alone."""

    project: str
    kind: str
    label: str
    milli: int
    borrowed: int
    runtime_ms: int = 0
    measured_ms: int = 0
    busy: int = 0
    ended_ms: int | None = None
    """By the server's clock."""


@dataclass
class Told:
    """The test's own book-keeping."""

    running: dict[str, Ran] = field(default_factory=dict)
    over: list[Ran] = field(default_factory=list)
    prices: list[tuple[int, int, int]] = field(default_factory=list)
    jumped: bool = False

    def held(self, project: str) -> int:
        return sum(each.milli for each in self.running.values() if each.project == project)


class Cluster:
    def __init__(self, url: str) -> None:
        self.url = url
        self.loop = asyncio.new_event_loop()
        self.clock = TurnedClock()
        self.told = Told()
        self.open()
        self.wait(self.house.furnish(*MACHINES))
        quota = Quota(level=QuotaLevel.PROJECT, name="vision", guarantees=(("", GUARANTEE_MILLI),))
        self.wait(self.house.write(lambda tx, at: quotas.quota_set(tx, quota, at, "root")))

    def wait(self, awaitable: Awaitable[Result]) -> Result:
        async def of() -> Result:
            return await awaitable

        return self.loop.run_until_complete(of())

    def open(self) -> None:
        self.database = Database(self.url, clock=self.clock)
        self.wait(self.database.open())
        self.house = House(self.database, self.clock)

    def close(self) -> None:
        self.wait(self.database.close())
        self.loop.close()

    def read(self, function: Any) -> Any:
        return self.wait(self.database.read(function))

    def rows(self, table: sa.Table) -> list[Row]:
        return self.wait(self.house.rows(sa.select(table)))

    # -- what happens

    def do(self, step: tuple[Any, ...]) -> None:
        name, *rest = step
        getattr(self, f"_{name.replace(' ', '_')}")(*rest)

    def _pass(self, length_ms: int) -> None:
        self.clock.advance(length_ms)
        for each in self.told.running.values():
            each.runtime_ms += length_ms

    def _jump(self, by_ms: int) -> None:
        """The machine's clock is set, and the server starts again; work runs on meanwhile."""
        self.clock.jump_wall(by_ms)
        self.wait(self.database.close())
        self.clock = TurnedClock(self.clock.wall_ms)
        self.open()
        self.told.jumped = True

    def _start(self, project: str, gpus: float, kind: str, label: str | None) -> None:
        resources: dict[str, Any] = {"cpus": 1, "memory": "1GiB"}
        if gpus:
            resources["gpus"] = gpus
        labels = {} if label is None else {"run": label}
        made = self.wait(
            self.house.submit(
                document("job", project=project, resources=resources, kind=kind, labels=labels)
            )
        )
        self.wait(self.house.cycle())
        for row in self.wait(self.house.held()):
            if row["id"] in self.told.running:
                continue
            asked = row["gpu_milli"]
            before = self.told.held(row["project"])
            guaranteed = GUARANTEE_MILLI if row["project"] == "vision" else 0
            beyond = min(asked, max(0, before + asked - guaranteed))
            mine = self.wait(self.house.workload(row["workload_id"]))
            self.told.running[row["id"]] = Ran(
                project=row["project"],
                kind=mine.kind.value,
                label=dict(mine.labels).get("run", ""),
                milli=asked,
                borrowed=beyond,
            )
            self.wait(self.house.launch([row["id"]]))
            self.wait(self.house.run([row["id"]]))
        if self.wait(self.house.states(made)) == ["queued"]:  # no room: it would come by surprise
            self.wait(workload_cancel(self.house.office, ADMINISTRATOR, made))

    def _end(self, index: int, cause: Cause) -> None:
        if not self.told.running:
            return
        key = sorted(self.told.running)[index % len(self.told.running)]
        ran = self.told.running.pop(key)
        self.wait(self.house.end([key], cause, runtime_ms=ran.runtime_ms))
        self.wait(self.house.end([key], cause, runtime_ms=ran.runtime_ms + 7))  # told twice
        ran.ended_ms = self.house.now_ms
        self.told.over.append(ran)
        self._cancel_waiting()

    def _give_way(self, index: int) -> None:
        if not self.told.running:
            return
        key = sorted(self.told.running)[index % len(self.told.running)]
        (row,) = [each for each in self.wait(self.house.held()) if each["id"] == key]
        preemption = Preemption(row["workload_id"], (0,), row["workload_id"], "it is cheaper")
        self.wait(self.house.commit(Plan(preemptions=(preemption,))))
        self._pass(1_500)  # it saves its work
        self._end(index, Cause.SIGNAL)

    def _cancel_waiting(self) -> None:
        """What is queued again would start by surprise."""
        table = tables.workloads
        waiting = self.wait(self.house.rows(sa.select(table.c.id).where(table.c.state == "queued")))
        for row in waiting:
            self.wait(workload_cancel(self.house.office, ADMINISTRATOR, row["id"]))

    def _price(self, micros: int, borrowed: int | None, later_ms: int) -> None:
        now_ms = self.house.now_ms
        request = PriceRequest.model_validate(
            {
                "per_gpu_hour": str(Decimal(micros) / 10**6),
                "borrowed_per_gpu_hour": (
                    None if borrowed is None else str(Decimal(borrowed) / 10**6)
                ),
                "from": None if not later_ms else _time(now_ms + later_ms),
            }
        )
        self.wait(price_set(self.house.office, ADMINISTRATOR, TYPE, request, currency="EUR"))
        # As they stand; that they stand as asked is tested elsewhere.
        self.told.prices = sorted(
            (
                row["since_ms"],
                row["micros_per_gpu_hour"],
                row["micros_per_gpu_hour"]
                if row["borrowed_micros_per_gpu_hour"] is None
                else row["borrowed_micros_per_gpu_hour"],
            )
            for row in self.rows(tables.prices)
        )

    def _measure(self, busy_milli: int) -> None:
        self._pass(10_000)
        measured = [
            {
                "allocation_id": key,
                "span_ms": 10_000,
                "cpu_milli": 5,
                "memory_bytes": 1,
                "gpu_busy_milli": busy_milli if ran.milli else None,
                "gpu_memory_bytes": None,
            }
            for key, ran in sorted(self.told.running.items())
        ]
        for ran in self.told.running.values():
            if ran.milli:
                ran.measured_ms += 10_000
                ran.busy += busy_milli * 10_000

        def write(tx: Transaction, now_ms: int) -> None:
            samples.samples_insert(tx, now_ms, nodes=["n1", "n2"], allocations=measured, devices=[])

        self.wait(self.house.write(write))

    # -- what it must come to

    def price_at(self, at_ms: int) -> tuple[int, int]:
        found = self.told.prices[0]
        for each in self.told.prices:
            if each[0] <= at_ms:
                found = each
        return found[1], found[2]

    def naive(self, ran: Ran, end_ms: int) -> tuple[Counter[int], int]:
        """Milli-GPU x milliseconds by day, and the cost, one stretch after the other."""
        by_day: Counter[int] = Counter()
        cost = 0
        at_ms = end_ms - ran.runtime_ms
        while at_ms < end_ms:
            until = min(
                [end_ms, at_ms // DAY_MS * DAY_MS + DAY_MS]
                + [since for since, _, _ in self.told.prices if since > at_ms]
            )
            length = until - at_ms
            by_day[at_ms // DAY_MS * DAY_MS] += ran.milli * length
            if self.told.prices and ran.milli:
                own, lent = self.price_at(at_ms)
                cost += ((ran.milli - ran.borrowed) * own + ran.borrowed * lent) * length
            at_ms = until
        return by_day, cost

    def check(self) -> None:
        over = self.told.over
        lines = self.rows(tables.bill_lines)
        days = self.rows(tables.usage_days)
        assert sum(row["gpu_milli_ms"] for row in lines) == sum(
            ran.milli * ran.runtime_ms for ran in over
        ), "what was billed is what devices did"
        by_day: Counter[int] = Counter()
        cost = 0
        for ran in over:
            assert ran.ended_ms is not None
            more, money = self.naive(ran, ran.ended_ms)
            by_day += more
            cost += money
        told_days: Counter[int] = Counter()
        for row in days:
            told_days[row["day_ms"]] += row["gpu_milli_ms"]
        assert +told_days == +by_day
        for name in ("borrowed_milli_ms", "idle_milli_ms", "measured_milli_ms",
                     "unbilled_milli_ms", "gpu_milli_ms", "cpu_used_ms"):  # fmt: skip
            assert sum(row[name] for row in lines) == sum(row[name] for row in days), name
        assert sum(row["borrowed_milli_ms"] for row in lines) == sum(
            ran.borrowed * ran.runtime_ms for ran in over
        )
        measured = [(ran, min(ran.measured_ms, ran.runtime_ms) * ran.milli) for ran in over]
        assert sum(row["measured_milli_ms"] for row in lines) == sum(each for _, each in measured)
        assert sum(row["idle_milli_ms"] for row in lines) == sum(
            max(0, each - ran.busy) for ran, each in measured
        )
        assert all(0 <= row["idle_milli_ms"] <= row["gpu_milli_ms"] for row in lines)
        assert sum(row["cpu_milli_ms"] for row in lines) == 1000 * sum(
            ran.runtime_ms for ran in over
        )
        self.check_reports(over, by_day, cost)

    def check_reports(self, over: list[Ran], by_day: Counter[int], cost: int) -> None:
        since_ms, until_ms = EVER
        now_ms = since_ms  # nothing that runs counts: only what was billed
        whole = sum(by_day.values())
        for by in Dimension:
            for per in Per:
                asked = Asked(
                    by=by, per=per, since_ms=since_ms, until_ms=until_ms,
                    label="run" if by is Dimension.LABEL else "",
                )  # fmt: skip
                found = self.read(lambda tx, a=asked: reports.report(tx, WHOLE, a, now_ms))
                summed = sum(row.amounts.gpu_milli_ms for row in found.rows)
                assert summed == found.total.gpu_milli_ms == whole, (by, per)
                if self.told.prices:
                    assert found.total.cost.micro_milli_ms == cost, (by, per)
                    assert cost == sum(row.amounts.cost.micro_milli_ms for row in found.rows)
                named = {Dimension.PROJECT: "project", Dimension.KIND: "kind",
                         Dimension.LABEL: "label"}.get(by)  # fmt: skip
                if named is not None:
                    wanted: Counter[str] = Counter()
                    for ran in over:
                        wanted[getattr(ran, named)] += ran.milli * ran.runtime_ms
                    got: Counter[str] = Counter()
                    for row in found.rows:
                        got[row.name] += row.amounts.gpu_milli_ms
                    assert +got == +wanted
        asked = Asked(by=Dimension.COST_CENTRE, since_ms=since_ms, until_ms=until_ms)
        told, total, _ = self.read(lambda tx: reports.statements(tx, WHOLE, asked, now_ms))
        assert total.gpu_milli_ms == whole
        assert whole == sum(line.amounts.gpu_milli_ms for each in told for line in each.lines)
        if not self.told.jumped:
            self.check_running(whole, cost)

    def check_running(self, whole: int, cost: int) -> None:
        """While no clock jumped, what runs is told as its bill would tell it now."""
        now_ms = self.house.now_ms
        for ran in self.told.running.values():
            more, money = self.naive(ran, now_ms)
            whole += sum(more.values())
            cost += money
        since_ms, until_ms = EVER
        everything = Account(
            level=Dimension.ORGANISATION, name="", since_ms=since_ms, until_ms=until_ms
        )
        (spent,) = self.read(lambda tx: spending.spent(tx, [everything], now_ms))
        assert spent.gpu_milli_ms == whole
        if self.told.prices:
            assert spent.cost.micro_milli_ms == cost
        found = self.read(
            lambda tx: device_time.device_time(
                tx, since_ms=since_ms, until_ms=until_ms, now_ms=now_ms
            )
        )
        for each in found:
            parts = each.billed_milli_ms + each.unbilled_milli_ms + each.free_milli_ms
            assert each.there_milli_ms == parts + each.out_milli_ms
            assert each.out_milli_ms == 0
        assert sum(each.there_milli_ms for each in found) == 4000 * (now_ms - START_MS)
        assert sum(each.billed_milli_ms for each in found) == whole


def _time(at_ms: int) -> str:
    return utc(at_ms).isoformat()


def _play(url: str, history: list[tuple[Any, ...]]) -> None:
    cluster = Cluster(url)
    try:
        for step in history:
            cluster.do(step)
        cluster.check()
        for index in range(len(cluster.told.running)):
            cluster.do(("end", index, Cause.COMPLETED))
        cluster.check()
    finally:
        cluster.close()


_SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "phases": [Phase.explicit, Phase.generate],  # a history is read faster than it shrinks
    "suppress_health_check": list(HealthCheck),
}


def test_histories_on_sqlite(sqlite_template: Path) -> None:
    @settings(max_examples=25, **_SETTINGS)
    @given(HISTORIES)
    def play(history: list[tuple[Any, ...]]) -> None:
        with tempfile.TemporaryDirectory(prefix="podium-metering-") as folder:
            shutil.copy(sqlite_template, Path(folder) / "podium.db")
            _play(f"sqlite:///{Path(folder) / 'podium.db'}", history)

    play()


@pytest.mark.postgresql
def test_histories_on_postgresql(postgresql_server: PostgresqlServer) -> None:
    @settings(max_examples=6, **_SETTINGS)
    @given(HISTORIES)
    def play(history: list[tuple[Any, ...]]) -> None:
        name = postgresql_server.create("podium")
        try:
            _play(postgresql_server.url(name), history)
        finally:
            postgresql_server.drop(name)

    play()
