"""What reports of usage and cost can be asked, as parameters of a request."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Query

from podium.domain.errors import FieldFault, UserError
from podium.domain.metering import DAY_MS, Dimension
from podium.domain.usage_report import Asked, Chosen, Per, month_ms
from podium.spec.views.base import milliseconds, utc

DAYS_MAX = 1200
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_EARLIEST = date(2000, 1, 1)
_LATEST = date(2099, 12, 31)
_Names = Annotated[list[str] | None, Query(max_length=100, description="Any of these.")]
_Word = Annotated[str, Query(max_length=63)]
Since = Annotated[
    date | None,
    Query(description="The first day (UTC); the first of this month if left out."),
]
Until = Annotated[
    date | None, Query(description="The day after the last one; tomorrow if left out.")
]
Month = Annotated[
    str | None,
    Query(
        max_length=7, description="A whole month, instead of since and until.", examples=["2026-11"]
    ),
]
Format = Annotated[
    str | None, Query(pattern="^(json|csv)$", description="As `Accept` says if left out.")
]


def chosen(
    project: _Names = None,
    team: _Names = None,
    cost_centre: _Names = None,
    user: _Names = None,
    kind: _Names = None,
    gpu_type: _Names = None,
    label: Annotated[
        list[str] | None,
        Query(max_length=20, description="KEY=VALUE; all of them.", examples=["run=7"]),
    ] = None,
) -> Chosen:
    """Raises UserError for a label that is none."""
    labels = []
    for each in label or ():
        key, equals, value = each.partition("=")
        if not key or not equals:
            raise UserError(
                FieldFault("label", f"'{each}' has no key and value.", "Write it as KEY=VALUE.")
            )
        labels.append((key, value))
    return Chosen(
        projects=tuple(project or ()),
        teams=tuple(team or ()),
        cost_centres=tuple(cost_centre or ()),
        users=tuple(user or ()),
        kinds=tuple(kind or ()),
        gpu_types=tuple(gpu_type or ()),
        labels=tuple(labels),
    )


def asked(
    by: Dimension,
    by_label: str | None,
    per: Per,
    days: tuple[int, int],
    whose: Chosen,
) -> Asked:
    """Raises UserError where it asks for labels and names none, or the other way round."""
    if (by is Dimension.LABEL) != bool(by_label):
        wrong = "is missing" if by is Dimension.LABEL else "says nothing here"
        raise UserError(
            FieldFault("by_label", f"{wrong}.", "Give by=label and the key, such as by_label=run.")
        )
    since_ms, until_ms = days
    return Asked(
        by=by, label=by_label or "", per=per, since_ms=since_ms, until_ms=until_ms, chosen=whose
    )


def days_of(
    since: date | None, until: date | None, month: str | None, now_ms: int
) -> tuple[int, int]:
    """From midnight to midnight (UTC), in milliseconds. Raises UserError."""
    today = utc(now_ms).date()
    if month is not None:
        match = _MONTH.fullmatch(month)
        if match is None:
            raise UserError(
                FieldFault("month", f"'{month}' is not a month.", "Write it like 2026-11.")
            )
        if since is not None or until is not None:
            raise UserError(
                FieldFault("month", "cannot go with since or until.", "Give one or the other.")
            )
        year, number = int(match[1]), int(match[2])
        return month_ms(year, number), month_ms(year, number + 1)
    first = today.replace(day=1) if since is None else since
    after = max(today, first) + timedelta(days=1) if until is None else until
    for name, day in (("since", first), ("until", after)):
        if not _EARLIEST <= day <= _LATEST:
            raise UserError(
                FieldFault(name, f"{day} is too far away.", "Write a day of this century.")
            )
    if after <= first:
        raise UserError(
            FieldFault("until", "is not after since.", "Write the day after the last one you want.")
        )
    if (after - first).days > DAYS_MAX:
        raise UserError(
            FieldFault("until", f"is more than {DAYS_MAX} days after since.", "Ask for less.")
        )
    return _midnight_ms(first), _midnight_ms(after)


def _midnight_ms(day: date) -> int:
    at_ms = milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))
    assert at_ms % DAY_MS == 0
    return at_ms
