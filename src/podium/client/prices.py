"""What GPU-hours cost. Reached as `client.prices`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from podium.client.transport import Transport, path_of
from podium.spec.views.price import PricesView, PriceView


class Prices:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[PriceView]:
        """The price of each GPU type that holds now."""
        yield from self._transport.fetch(PricesView, "/prices").items

    def set(self, gpu_type: str, per_gpu_hour: Decimal | str | int) -> PriceView:
        """From now on, in the server's currency. For administrators. Raises UserError."""
        answer = self._transport.send(
            "PUT", path_of("prices", gpu_type), body={"per_gpu_hour": str(per_gpu_hour)}
        )
        return self._transport.parse(PriceView, answer)
