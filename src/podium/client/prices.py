"""What GPU-hours cost. Reached as `client.prices`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from podium.client.transport import Transport, path_of
from podium.spec.views.price import PricesView, PriceView

_Amount = Decimal | str | int


class Prices:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, every: bool = False) -> Iterator[PriceView]:
        """The price of each GPU type that holds now; with `every`, those of before and those to
        come, too."""
        params = {"all": True} if every else None
        yield from self._transport.fetch(PricesView, "/prices", params).items

    def set(
        self,
        gpu_type: str,
        per_gpu_hour: _Amount,
        *,
        borrowed: _Amount | None = None,
        idle: _Amount | None = None,
        since: datetime | str | None = None,
    ) -> PriceView:
        """In the server's currency, from now or a later time on. `borrowed` is the price of what
        stands beyond guarantees (the same if left out), `idle` comes on top for what is held and
        not used. For administrators. Raises UserError."""
        body: dict[str, Any] = {"per_gpu_hour": str(per_gpu_hour)}
        if borrowed is not None:
            body["borrowed_per_gpu_hour"] = str(borrowed)
        if idle is not None:
            body["idle_per_gpu_hour"] = str(idle)
        if since is not None:
            body["from"] = since.isoformat() if isinstance(since, datetime) else since
        answer = self._transport.send("PUT", path_of("prices", gpu_type), body=body)
        return self._transport.parse(PriceView, answer)

    def apply(self, price_list: Mapping[str, Any]) -> tuple[PriceView, ...]:
        """Set a whole price list, or nothing of it: `currency`, and `prices` with `gpu_type`,
        `per_gpu_hour`, `from`, `until` and so on. The same list again changes nothing. Answers
        every price that is kept. For administrators. Raises UserError with all faults."""
        answer = self._transport.send("PUT", "/prices", body=dict(price_list))
        return tuple(self._transport.parse(PricesView, answer).items)
