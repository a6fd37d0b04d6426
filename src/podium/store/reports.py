"""Usage and cost by anything, per day, month or in all: what was billed and what runs. `api/usage`
and `api/cost` ask."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from podium.domain.metering import Dimension
from podium.domain.tariff import Cost, GpuTime, Price, Tariff
from podium.domain.tenancy import Scope
from podium.domain.usage_report import Asked
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.metering import cost_centre
from podium.store.prices import tariff_fetch
from podium.store.running import Running, running_list
from podium.store.scoping import within

_COLUMNS = {
    Dimension.TEAM: "team",
    Dimension.PROJECT: "project",
    Dimension.COST_CENTRE: "cost_centre",
    Dimension.USER: "owner",
    Dimension.KIND: "kind",
    Dimension.GPU_TYPE: "gpu_type",
}
_SUMMED = (
    "gpu_milli_ms",
    "borrowed_milli_ms",
    "measured_milli_ms",
    "idle_milli_ms",
    "cpu_milli_ms",
    "cpu_used_ms",
)


_SORT_MEMORY = "64MB"
"""Of one report; with less, PostgreSQL groups a large month on disk."""


@dataclass(slots=True)
class Amounts:
    """GPU and CPU in thousandths x milliseconds. `replicas` ended in this time. `unpriced` are GPU
    types that were used and have no price; what they cost is not in `cost`."""

    gpu_milli_ms: int = 0
    borrowed_milli_ms: int = 0
    measured_milli_ms: int = 0
    idle_milli_ms: int = 0
    cpu_milli_ms: int = 0
    cpu_used_ms: int = 0
    memory_peak_bytes: int = 0
    replicas: int = 0
    currency: str | None = None
    micro_milli_ms: int = 0
    """As `Cost` has it."""
    unpriced: dict[str, int] = field(default_factory=dict)
    """GPU time of each, as `gpu_milli_ms`."""

    @property
    def cost(self) -> Cost | None:
        """None where no price was ever set."""
        if self.currency is None:
            return None
        return Cost(micro_milli_ms=self.micro_milli_ms, currency=self.currency)

    @property
    def used_milli_ms(self) -> int:
        """What was not measured counts as used."""
        return self.gpu_milli_ms - self.idle_milli_ms


@dataclass(frozen=True, slots=True)
class ReportRow:
    """`name` is empty for the organisation, and for what has no cost centre or no such label."""

    name: str
    at_ms: int
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Report:
    """Rows by time, then by name; without those who used nothing."""

    rows: list[ReportRow]
    total: Amounts
    currency: str | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What was used of one type at one price (None: it has none) in one project."""

    project: str
    gpu_type: str
    price: Price | None
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Statement:
    """The bill of one name, by project, type and price."""

    name: str
    lines: list[StatementLine]
    total: Amounts


def report(tx: Transaction, scope: Scope, asked: Asked, now_ms: int) -> Report:
    """What the reader may see of it, up to now."""
    tariff = tariff_fetch(tx)
    prices = _Prices(tariff)
    found: dict[tuple[int, str], Amounts] = {}
    for part in _parts(tx, scope, asked, tariff, now_ms):
        key = (part.at_ms, part.name)
        mine = found.get(key)
        if mine is None:
            mine = found[key] = Amounts(currency=tariff.currency)
        _add(mine, part, prices.cost(part))
    total = _sum(found.values(), tariff.currency)
    rows = [ReportRow(name, at_ms, found[at_ms, name]) for at_ms, name in sorted(found)]
    return Report(rows, total, tariff.currency)


def statements(
    tx: Transaction, scope: Scope, asked: Asked, now_ms: int
) -> tuple[list[Statement], Amounts, str | None]:
    """The bill of each name for the whole time, the sum of all, and the currency. Work without
    GPUs costs nothing and is not told."""
    tariff = tariff_fetch(tx)
    prices = _Prices(tariff)
    found: dict[str, dict[tuple[str, str, int], Amounts]] = {}
    totals: dict[str, Amounts] = {}
    total = Amounts(currency=tariff.currency)
    for part in _parts(tx, scope, asked, tariff, now_ms, in_detail=True):
        if not part.gpu_type:
            continue
        line = (part.project, part.gpu_type, part.rate_ms)
        mine = found.setdefault(part.name, {}).setdefault(line, Amounts(currency=tariff.currency))
        cost = prices.cost(part)
        for sums in (mine, totals.setdefault(part.name, Amounts(currency=tariff.currency)), total):
            _add(sums, part, cost)
    told = [
        Statement(
            name,
            [
                StatementLine(project, gpu_type, tariff.price(gpu_type, rate_ms), amounts)
                for (project, gpu_type, rate_ms), amounts in sorted(
                    found[name].items(), key=lambda each: each[0]
                )
            ],
            totals[name],
        )
        for name in sorted(found)
    ]
    return told, total, tariff.currency


class _Part(NamedTuple):
    """What was used of one type at one price by one name in one time."""

    name: str
    at_ms: int
    project: str
    gpu_type: str
    rate_ms: int
    amounts: Sequence[int]
    """As `_SUMMED`."""
    memory_peak_bytes: int
    replicas: int


def _add(sums: Amounts, part: _Part, cost: int | None) -> None:
    gpu, borrowed, measured, idle, cpu, cpu_used = part.amounts
    sums.gpu_milli_ms += gpu
    sums.borrowed_milli_ms += borrowed
    sums.measured_milli_ms += measured
    sums.idle_milli_ms += idle
    sums.cpu_milli_ms += cpu
    sums.cpu_used_ms += cpu_used
    sums.memory_peak_bytes = max(sums.memory_peak_bytes, part.memory_peak_bytes)
    sums.replicas += part.replicas
    if cost is not None:
        sums.micro_milli_ms += cost
    elif sums.currency is not None:
        sums.unpriced[part.gpu_type] = sums.unpriced.get(part.gpu_type, 0) + gpu


def _sum(every: Iterable[Amounts], currency: str | None) -> Amounts:
    total = Amounts(currency=currency)
    for each in every:
        total.gpu_milli_ms += each.gpu_milli_ms
        total.borrowed_milli_ms += each.borrowed_milli_ms
        total.measured_milli_ms += each.measured_milli_ms
        total.idle_milli_ms += each.idle_milli_ms
        total.cpu_milli_ms += each.cpu_milli_ms
        total.cpu_used_ms += each.cpu_used_ms
        total.memory_peak_bytes = max(total.memory_peak_bytes, each.memory_peak_bytes)
        total.replicas += each.replicas
        total.micro_milli_ms += each.micro_milli_ms
        for gpu_type, milli_ms in each.unpriced.items():
            total.unpriced[gpu_type] = total.unpriced.get(gpu_type, 0) + milli_ms
    return total


class _Prices:
    """Those of a tariff, each looked up once: a month has few of them and many parts."""

    def __init__(self, tariff: Tariff) -> None:
        self._tariff = tariff
        self._known: dict[tuple[str, int], Price | None] = {}

    def cost(self, part: _Part) -> int | None:
        """In the unit of `Cost`; None where the type has no price."""
        gpu, borrowed, _, idle, _, _ = part.amounts
        if not gpu:
            return 0
        key = part.gpu_type, part.rate_ms
        if key not in self._known:
            self._known[key] = self._tariff.price(*key)
        price = self._known[key]
        if price is None:
            return None
        return price.micro_milli_ms(
            GpuTime(
                gpu_type=part.gpu_type,
                rate_ms=part.rate_ms,
                gpu_milli_ms=gpu,
                borrowed_milli_ms=borrowed,
                idle_milli_ms=idle,
            )
        )


def _parts(
    tx: Transaction,
    scope: Scope,
    asked: Asked,
    tariff: Tariff,
    now_ms: int,
    *,
    in_detail: bool = False,
) -> Iterator[_Part]:
    """Billed, then running. `in_detail` tells of each project apart."""
    yield from _billed(tx, scope, asked, in_detail=in_detail)
    yield from _running(tx, scope, asked, tariff, now_ms)


def _billed(tx: Transaction, scope: Scope, asked: Asked, *, in_detail: bool) -> Iterator[_Part]:
    by_label = bool(asked.label or asked.chosen.labels)
    table = tables.bill_lines if by_label else tables.usage_days
    source: sa.FromClause = table
    name: sa.ColumnElement[str] = sa.literal_column("''")
    if asked.by is Dimension.LABEL:
        label = tables.workload_labels
        mine = (label.c.workload_id == table.c.workload_id) & (label.c.key == asked.label)
        source = table.outerjoin(label, mine)
        name = sa.func.coalesce(label.c.value, "")
    elif asked.by is not Dimension.ORGANISATION:
        name = table.c[_COLUMNS[asked.by]]
    project = table.c.project if in_detail else sa.literal_column("''")
    # What a line of a bill does not know of its allocation as a whole is counted from the sums.
    replicas = sa.literal_column("0") if by_label else sa.func.sum(table.c.replicas)
    keys = (
        name.label("name"),
        _start(table.c.day_ms, asked).label("at_ms"),
        project.label("of_project"),
        table.c.gpu_type.label("of_type"),
        table.c.rate_ms.label("at_rate"),
    )
    statement = (
        sa.select(
            *keys,
            # As the columns are, and not as numerics, which PostgreSQL sums them to.
            *(sa.cast(sa.func.sum(table.c[each]), sa.BigInteger) for each in _SUMMED),
            sa.func.max(table.c.memory_peak_bytes),
            replicas,
        )
        .select_from(source)
        .where(
            table.c.day_ms >= asked.since_ms,
            table.c.day_ms < asked.until_ms,
            within(scope, table.c.project),
            *_chosen(asked, table.c, table.c.workload_id if by_label else None),
        )
        .group_by(*(sa.text(str(number)) for number in range(1, len(keys) + 1)))
    )
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text(f"SET LOCAL work_mem = '{_SORT_MEMORY}'"))
    for row in tx.execute(statement).all():  # faster than one after another
        yield _Part(row[0], row[1], row[2], row[3], row[4], row[5:11], row[11], int(row[12]))


def _start(day_ms: sa.ColumnElement[int], asked: Asked) -> sa.ColumnElement[int]:
    """Where the row of a day begins."""
    starts = asked.starts_ms
    if starts is None:
        return day_ms
    later = [
        (day_ms >= sa.literal_column(str(each)), sa.literal_column(str(each), sa.BigInteger))
        for each in reversed(starts[1:])
    ]
    first = sa.literal_column(str(starts[0]), sa.BigInteger)
    # Not a bare number, which databases take for that of a column to group by.
    return sa.case(*later, else_=first) if later else first + sa.literal_column("0")


def _chosen(
    asked: Asked, columns: Any, workload_id: sa.ColumnElement[str] | None
) -> Iterator[sa.ColumnElement[bool]]:
    chosen = asked.chosen
    for names, column in (
        (chosen.projects, columns["project"]),
        (chosen.teams, columns["team"]),
        (chosen.cost_centres, columns["cost_centre"]),
        (chosen.users, columns["owner"]),
        (chosen.kinds, columns["kind"]),
        (chosen.gpu_types, columns.get("gpu_type")),
    ):
        if names and column is not None:
            yield column.in_(names)
    label = tables.workload_labels
    if workload_id is not None:
        for key, value in chosen.labels:
            yield sa.exists().where(
                label.c.workload_id == workload_id, label.c.key == key, label.c.value == value
            )


def _running(
    tx: Transaction, scope: Scope, asked: Asked, tariff: Tariff, now_ms: int
) -> Iterator[_Part]:
    held, workload, project = tables.allocations, tables.workloads, tables.projects
    columns = {
        "project": held.c.project,
        "team": project.c.team,
        "cost_centre": cost_centre(),
        "owner": workload.c.owner,
        "kind": workload.c.kind,
    }
    seen = sa.and_(within(scope, held.c.project), *_chosen(asked, columns, held.c.workload_id))
    found = running_list(tx, now_ms, seen)
    labels = _labels(tx, found, asked.label) if asked.label else {}
    starts = asked.starts_ms
    cuts = None if starts is None else (*starts, asked.until_ms)
    types = asked.chosen.gpu_types
    for each in found:
        name = _name(each, asked.by, labels)
        for line in each.lines(tariff, cuts):
            if not asked.since_ms <= line.day_ms < asked.until_ms:
                continue
            if not line.runtime_ms or (types and line.gpu_type not in types):
                continue
            at_ms = line.day_ms if starts is None else starts[bisect_right(starts, line.day_ms) - 1]
            yield _Part(
                line.gpu_type if asked.by is Dimension.GPU_TYPE else name,
                at_ms,
                each.project,
                line.gpu_type,
                line.rate_ms,
                [getattr(line, name) for name in _SUMMED],
                0,
                0,
            )


def _name(running: Running, by: Dimension, labels: dict[str, str]) -> str:
    if by is Dimension.LABEL:
        return labels.get(running.workload_id, "")
    if by in (Dimension.ORGANISATION, Dimension.GPU_TYPE):
        return ""
    found: str = getattr(running, _COLUMNS[by])
    return found


def _labels(tx: Transaction, running: Sequence[Running], key: str) -> dict[str, str]:
    label = tables.workload_labels
    found: dict[str, str] = {}
    for chunk in chunks(each.workload_id for each in running):
        rows = tx.execute(
            sa.select(label.c.workload_id, label.c.value).where(
                label.c.workload_id.in_(chunk), label.c.key == key
            )
        )
        found.update((row.workload_id, row.value) for row in rows)
    return found
