"""What was used. Reached as `client.usage`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from podium.client.paging import items
from podium.client.transport import Parameter, Transport
from podium.spec.views.base import Page
from podium.spec.views.tenancy import ProjectUsageView
from podium.spec.views.usage import DeviceTimesView, UsageReportView


class Usage:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, project: str | None = None) -> Iterator[ProjectUsageView]:
        """By project, since ever; of one project when it is named."""
        params = {"project": project}
        yield from items(self._transport, Page[ProjectUsageView], "/usage", params=params)

    def report(
        self,
        by: str = "project",
        *,
        per: str = "total",
        since: date | str | None = None,
        until: date | str | None = None,
        month: str | None = None,
        **whose: str | Sequence[str] | None,
    ) -> UsageReportView:
        """With all its rows. `by` is organisation, team, project, cost_centre, user, kind,
        gpu_type or `label:KEY`; `per` total, month or day. Days are those of UTC, `until` is not
        included, and `month` ("2026-11") stands for both; this month, if nothing is said.

        `whose` narrows it: project, team, cost_centre, user, kind, gpu_type and label
        ("KEY=VALUE"), each one or several. Raises UserError."""
        params = report_params(by, since, until, month, whose) | {"per": per, "limit": 5000}
        found = self._transport.fetch(UsageReportView, "/usage/report", params)
        rows = [*found.items]
        cursor = found.next_cursor
        while cursor is not None:
            more = self._transport.fetch(
                UsageReportView, "/usage/report", params | {"cursor": cursor}
            )
            rows += more.items
            cursor = more.next_cursor
        return found.model_copy(update={"items": rows, "next_cursor": None})

    def report_csv(
        self,
        by: str = "project",
        *,
        per: str = "total",
        since: date | str | None = None,
        until: date | str | None = None,
        month: str | None = None,
        **whose: str | Sequence[str] | None,
    ) -> str:
        """As `report`, as the text of a CSV file."""
        params = report_params(by, since, until, month, whose) | {"per": per, "format": "csv"}
        return self._transport.send("GET", "/usage/report", params=params).text

    def devices(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        month: str | None = None,
    ) -> DeviceTimesView:
        """What devices of each type did each day. For those who may see everyone's usage."""
        params = days_params(since, until, month)
        return self._transport.fetch(DeviceTimesView, "/usage/devices", params)

    def devices_csv(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        month: str | None = None,
    ) -> str:
        """As `devices`, in GPU-hours, as the text of a CSV file."""
        params = days_params(since, until, month) | {"format": "csv"}
        return self._transport.send("GET", "/usage/devices", params=params).text


def report_params(
    by: str,
    since: date | str | None,
    until: date | str | None,
    month: str | None,
    whose: dict[str, str | Sequence[str] | None],
) -> dict[str, Parameter]:
    """As the API takes them; `client/cost` asks with the same."""
    level, _, key = by.partition(":")
    named = {name: [value] if isinstance(value, str) else value for name, value in whose.items()}
    return {"by": level, "by_label": key or None, **named, **days_params(since, until, month)}


def days_params(
    since: date | str | None, until: date | str | None, month: str | None
) -> dict[str, Parameter]:
    return {
        "since": None if since is None else str(since),
        "until": None if until is None else str(until),
        "month": month,
    }
