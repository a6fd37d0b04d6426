"""Prices of GPU time, and what work cost by them. Whole numbers all the way; `store/usage` asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

HOUR_MS = 3_600_000
MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an hour of one whole GPU of a type costs from a time on, in millionths of a currency."""

    gpu_type: str
    since_ms: int
    micros_per_gpu_hour: int
    currency: str
    set_by: str = ""

    @property
    def per_gpu_hour(self) -> Decimal:
        return Decimal(self.micros_per_gpu_hour) / MICROS


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuTime:
    """GPU time of one type, spread evenly from `start_ms` to `end_ms`."""

    gpu_type: str
    gpu_ms: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Exact: millionths of a currency an hour, times milliseconds. Costs can be summed."""

    micro_ms: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """In the currency, rounded to cents; half a cent counts as one."""
        per_cent = HOUR_MS * MICROS // 100
        return Decimal((2 * self.micro_ms + per_cent) // (2 * per_cent)).scaleb(-2)


class Tariff:
    """All prices that ever held.

    The first price of a type also holds for the time before it, so that work which was done
    before anyone set a price has a cost. The currency is that of the price which was set last;
    prices in another one count as none.
    """

    def __init__(self, prices: Iterable[Price] = ()) -> None:
        self._prices: dict[str, list[Price]] = {}
        self.currency: str | None = None
        for price in sorted(prices, key=lambda each: (each.since_ms, each.gpu_type)):
            self._prices.setdefault(price.gpu_type, []).append(price)
            self.currency = price.currency

    @property
    def changes_ms(self) -> Sequence[int]:
        """When the price of some type changed; each time once, in order."""
        return sorted({each.since_ms for known in self._prices.values() for each in known[1:]})

    def cost(self, times: Iterable[GpuTime]) -> Cost | None:
        """What all of it cost; None when a type has no price, or nothing has one."""
        if self.currency is None:
            return None
        total = 0
        for time in times:
            for price, gpu_ms in self.split(time):
                if price is None or price.currency != self.currency:
                    return None
                total += price.micros_per_gpu_hour * gpu_ms
        return Cost(micro_ms=total, currency=self.currency)

    def split(self, time: GpuTime) -> Iterator[tuple[Price | None, int]]:
        """The time in parts of one price each; the parts add up to all of it."""
        if not time.gpu_ms:
            return
        known = self._prices.get(time.gpu_type)
        if known is None:
            yield None, time.gpu_ms
            return
        price, done = known[0], 0
        for after in known[1:]:
            if after.since_ms <= time.start_ms:
                price = after
            elif after.since_ms < time.end_ms:
                length_ms = time.end_ms - time.start_ms
                until = time.gpu_ms * (after.since_ms - time.start_ms) // length_ms
                yield price, until - done
                price, done = after, until
        yield price, time.gpu_ms - done
