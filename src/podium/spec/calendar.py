"""Days, months and years of UTC, as budgets count them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from podium.domain.budget import Budget, Period, Span


def span_of(budget: Budget, at_ms: int) -> Span:
    """The period that `at_ms` is in. Of the period in which a budget was made all counts; a
    total counts from its start."""
    if budget.period is Period.TOTAL:
        return Span(since_ms=budget.since_ms, until_ms=None)
    day = datetime.fromtimestamp(at_ms // 1000, UTC).replace(hour=0, minute=0, second=0)
    match budget.period:
        case Period.DAY:
            first, after = day, day + timedelta(days=1)
        case Period.WEEK:
            first = day - timedelta(days=day.weekday())
            after = first + timedelta(days=7)
        case Period.MONTH:
            first = day.replace(day=1)
            after = _month_after(first, 1)
        case Period.QUARTER:
            first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
            after = _month_after(first, 3)
        case Period.YEAR:
            first = day.replace(month=1, day=1)
            after = _month_after(first, 12)
    return Span(since_ms=_ms(first), until_ms=_ms(after))


def _month_after(first: datetime, months: int) -> datetime:
    index = first.year * 12 + first.month - 1 + months
    return first.replace(year=index // 12, month=index % 12 + 1)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
