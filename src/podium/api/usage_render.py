"""Reports of usage and cost as documents and as rows of CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from podium.api.csv_answers import Cell
from podium.domain.metering import Dimension
from podium.domain.tariff import HOUR_MS
from podium.domain.usage_report import Asked, Per
from podium.spec.views.base import utc
from podium.spec.views.usage import (
    AmountsView,
    StatementLineView,
    StatementView,
    UnpricedView,
    UsageRowView,
)
from podium.spec.views.workload import CostView
from podium.store.device_time import DeviceTime
from podium.store.reports import Amounts, Report, ReportRow, Statement, StatementLine

_MILLI_HOUR = HOUR_MS * 1000
_MILLIONTHS = _MILLI_HOUR // 10**6


def amounts_view(amounts: Amounts) -> AmountsView:
    return AmountsView(**_amounts(amounts))


def row_view(row: ReportRow) -> UsageRowView:
    return UsageRowView(name=row.name, since=utc(row.at_ms), **_amounts(row.amounts))


def _amounts(amounts: Amounts) -> dict[str, Any]:
    cost = amounts.cost
    return {
        "gpu_milli_ms": amounts.gpu_milli_ms,
        "used_milli_ms": amounts.used_milli_ms,
        "idle_milli_ms": amounts.idle_milli_ms,
        "borrowed_milli_ms": amounts.borrowed_milli_ms,
        "measured_milli_ms": amounts.measured_milli_ms,
        "gpu_hours": amounts.gpu_milli_ms / _MILLI_HOUR,
        "used_gpu_hours": amounts.used_milli_ms / _MILLI_HOUR,
        "idle_gpu_hours": amounts.idle_milli_ms / _MILLI_HOUR,
        "borrowed_gpu_hours": amounts.borrowed_milli_ms / _MILLI_HOUR,
        "cpu_core_hours": amounts.cpu_milli_ms / _MILLI_HOUR,
        "cpu_core_hours_used": amounts.cpu_used_ms / HOUR_MS,
        "memory_peak_bytes": amounts.memory_peak_bytes,
        "replicas_ended": amounts.replicas,
        "cost": None if cost is None else CostView(amount=cost.amount, currency=cost.currency),
        "unpriced": unpriced_views(amounts.unpriced),
    }


def unpriced_views(unpriced: Mapping[str, int]) -> list[UnpricedView]:
    return [
        UnpricedView(gpu_type=name, gpu_hours=unpriced[name] / _MILLI_HOUR)
        for name in sorted(unpriced)
    ]


def statement_view(statement: Statement) -> StatementView:
    cost = statement.total.cost
    return StatementView(
        name=statement.name,
        lines=[_line(each) for each in statement.lines],
        total=None if cost is None else cost.amount,
        unpriced=unpriced_views(statement.total.unpriced),
    )


def _line(line: StatementLine) -> StatementLineView:
    price, cost = line.price, line.amounts.cost
    return StatementLineView(
        project=line.project,
        gpu_type=line.gpu_type,
        since=None if price is None else utc(price.since_ms),
        gpu_hours=line.amounts.gpu_milli_ms / _MILLI_HOUR,
        borrowed_gpu_hours=line.amounts.borrowed_milli_ms / _MILLI_HOUR,
        idle_gpu_hours=line.amounts.idle_milli_ms / _MILLI_HOUR,
        per_gpu_hour=None if price is None else price.per_gpu_hour,
        borrowed_per_gpu_hour=None if price is None else price.borrowed_per_gpu_hour,
        idle_per_gpu_hour=None if price is None else price.idle_per_gpu_hour,
        amount=None if price is None or cost is None else cost.amount,
    )


def report_columns(asked: Asked) -> tuple[str, ...]:
    name = asked.label if asked.by is Dimension.LABEL else asked.by.value
    return (
        "since",
        name,
        "gpu_hours",
        "used_gpu_hours",
        "idle_gpu_hours",
        "borrowed_gpu_hours",
        "gpu_milli_ms",
        "cpu_core_hours",
        "cpu_core_hours_used",
        "replicas_ended",
        "cost",
        "currency",
        "without_price",
    )


def report_rows(report: Report, asked: Asked) -> Iterator[tuple[Cell, ...]]:
    for row in report.rows:
        amounts = row.amounts
        yield (
            _day(row.at_ms, asked.per),
            row.name,
            _hours(amounts.gpu_milli_ms),
            _hours(amounts.used_milli_ms),
            _hours(amounts.idle_milli_ms),
            _hours(amounts.borrowed_milli_ms),
            amounts.gpu_milli_ms,
            _hours(amounts.cpu_milli_ms),
            _hours(amounts.cpu_used_ms * 1000),
            amounts.replicas,
            None if amounts.cost is None else str(amounts.cost.amount),
            report.currency,
            "; ".join(sorted(amounts.unpriced)),
        )


STATEMENT_COLUMNS = (
    "name",
    "project",
    "gpu_type",
    "price_since",
    "gpu_hours",
    "borrowed_gpu_hours",
    "idle_gpu_hours",
    "per_gpu_hour",
    "borrowed_per_gpu_hour",
    "idle_per_gpu_hour",
    "amount",
    "currency",
)


def statement_rows(statements: list[Statement], currency: str | None) -> Iterator[tuple[Cell, ...]]:
    for statement in statements:
        for line in statement.lines:
            price, cost = line.price, line.amounts.cost
            rates: tuple[Cell, ...] = (None, None, None, None)
            if price is not None and cost is not None:
                rates = (
                    str(price.per_gpu_hour),
                    str(price.borrowed_per_gpu_hour),
                    str(price.idle_per_gpu_hour),
                    str(cost.amount),
                )
            yield (
                statement.name,
                line.project,
                line.gpu_type,
                None if price is None else utc(price.since_ms).isoformat(timespec="seconds"),
                _hours(line.amounts.gpu_milli_ms),
                _hours(line.amounts.borrowed_milli_ms),
                _hours(line.amounts.idle_milli_ms),
                *rates,
                currency,
            )


DEVICE_COLUMNS = ("day", "gpu_type", "there", "billed", "unbilled", "free", "out_of_service")
"""In GPU-hours."""


def device_rows(found: list[DeviceTime]) -> Iterator[tuple[Cell, ...]]:
    for each in found:
        yield (
            _day(each.day_ms, Per.DAY),
            each.gpu_type,
            _hours(each.there_milli_ms),
            _hours(each.billed_milli_ms),
            _hours(each.unbilled_milli_ms),
            _hours(each.free_milli_ms),
            _hours(each.out_milli_ms),
        )


def _day(at_ms: int, per: Per) -> str:
    text = utc(at_ms).date().isoformat()
    return text[:7] if per is Per.MONTH else text


def _hours(milli_ms: int) -> str:
    """With six decimals, rounded; half of the last counts as one."""
    millionths = (2 * milli_ms + _MILLIONTHS) // (2 * _MILLIONTHS)
    return f"{millionths // 10**6}.{millionths % 10**6:06}"
