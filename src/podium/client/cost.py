"""What it cost. Reached as `client.cost`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from podium.client.transport import Transport
from podium.client.usage import report_params
from podium.spec.views.usage import StatementsView


class Cost:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def statements(
        self,
        by: str = "cost_centre",
        *,
        month: str | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        **whose: str | Sequence[str] | None,
    ) -> StatementsView:
        """What each of them pays, by project, GPU type and price. Asked as `usage.report`."""
        params = report_params(by, since, until, month, whose)
        return self._transport.fetch(StatementsView, "/cost", params)

    def statements_csv(
        self,
        by: str = "cost_centre",
        *,
        month: str | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        **whose: str | Sequence[str] | None,
    ) -> str:
        """As `statements`, as the text of a CSV file."""
        params = report_params(by, since, until, month, whose) | {"format": "csv"}
        return self._transport.send("GET", "/cost", params=params).text
