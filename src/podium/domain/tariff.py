"""Prices of GPU time, and what work cost by them. Whole numbers all the way; `store/spending` and
`store/reports` ask."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

HOUR_MS = 3_600_000
MICROS = 1_000_000
_PER_UNIT = HOUR_MS * MICROS * 1000
_SINCE_EVER = 0
"""The `rate_ms` of a type's first price, which also holds for what was before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an hour of one whole GPU of a type costs from a time on, in millionths of a currency.

    What was borrowed costs `borrowed_micros_per_gpu_hour` instead (None: the same). What was held
    and measured to be idle costs `idle_micros_per_gpu_hour` on top.
    """

    gpu_type: str
    since_ms: int
    micros_per_gpu_hour: int
    currency: str
    borrowed_micros_per_gpu_hour: int | None = None
    idle_micros_per_gpu_hour: int = 0
    set_by: str = ""

    @property
    def per_gpu_hour(self) -> Decimal:
        return Decimal(self.micros_per_gpu_hour) / MICROS

    @property
    def borrowed_micros(self) -> int:
        own = self.borrowed_micros_per_gpu_hour
        return self.micros_per_gpu_hour if own is None else own

    @property
    def borrowed_per_gpu_hour(self) -> Decimal:
        return Decimal(self.borrowed_micros) / MICROS

    @property
    def idle_per_gpu_hour(self) -> Decimal:
        return Decimal(self.idle_micros_per_gpu_hour) / MICROS

    @property
    def values(self) -> tuple[int, int, int, str]:
        """What makes it another price."""
        return (
            self.micros_per_gpu_hour,
            self.borrowed_micros,
            self.idle_micros_per_gpu_hour,
            self.currency,
        )

    def micro_milli_ms(self, time: GpuTime) -> int:
        """What the time costs, in the unit of `Cost`."""
        return (
            self.micros_per_gpu_hour * (time.gpu_milli_ms - time.borrowed_milli_ms)
            + self.borrowed_micros * time.borrowed_milli_ms
            + self.idle_micros_per_gpu_hour * time.idle_milli_ms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuTime:
    """GPU time of one type, in milli-GPU x milliseconds, at the price that held at `rate_ms`. Of
    it so much was borrowed, and so much idle."""

    gpu_type: str
    rate_ms: int
    gpu_milli_ms: int
    borrowed_milli_ms: int = 0
    idle_milli_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Exact: millionths of a currency an hour, times thousandths of a GPU, times milliseconds.
    Costs can be summed."""

    micro_milli_ms: int
    currency: str

    @property
    def micros(self) -> int:
        """In millionths of the currency, rounded; half of one counts as one."""
        per_micro = HOUR_MS * 1000
        return (2 * self.micro_milli_ms + per_micro) // (2 * per_micro)

    @property
    def amount(self) -> Decimal:
        """In the currency, rounded to cents; half a cent counts as one."""
        per_cent = _PER_UNIT // 100
        return Decimal((2 * self.micro_milli_ms + per_cent) // (2 * per_cent)).scaleb(-2)


class Tariff:
    """All prices that ever held or are known to hold later.

    The first price of a type also holds for the time before it, so that work which was done
    before anyone set a price has a cost. The currency is that of the price which was set last;
    prices in another one count as none.
    """

    def __init__(self, prices: Iterable[Price] = ()) -> None:
        self._prices: dict[str, list[Price]] = {}
        self._changes: dict[str, list[int]] = {}
        self.currency: str | None = None
        for price in sorted(prices, key=lambda each: (each.since_ms, each.gpu_type)):
            self._prices.setdefault(price.gpu_type, []).append(price)
            self.currency = price.currency
        for gpu_type, known in self._prices.items():
            self._changes[gpu_type] = [each.since_ms for each in known[1:]]

    def changes(self, gpu_type: str) -> Sequence[int]:
        """When the price of the type changes, in order."""
        return self._changes.get(gpu_type, ())

    def rate_ms(self, gpu_type: str, at_ms: int) -> int:
        """Since when the price holds that holds then; 0 where it is the first one, or none."""
        changes = self.changes(gpu_type)
        before = bisect_right(changes, at_ms)
        return changes[before - 1] if before else _SINCE_EVER

    def price(self, gpu_type: str, at_ms: int) -> Price | None:
        """None where the type has no price in the currency that holds."""
        known = self._prices.get(gpu_type)
        if known is None:
            return None
        found = known[bisect_right(self.changes(gpu_type), at_ms)]
        return found if found.currency == self.currency else None

    @property
    def dearest_micros(self) -> int:
        """The most that a GPU-hour of any type may ever cost, idle and all; 0 without prices."""
        return max(
            (
                max(each.micros_per_gpu_hour, each.borrowed_micros) + each.idle_micros_per_gpu_hour
                for known in self._prices.values()
                for each in known
            ),
            default=0,
        )

    def cost(self, times: Iterable[GpuTime]) -> Cost | None:
        """What all of it cost; None when a type has no price, or nothing has one."""
        if self.currency is None:
            return None
        total = 0
        for time in times:
            if not time.gpu_milli_ms:
                continue
            price = self.price(time.gpu_type, time.rate_ms)
            if price is None:
                return None
            total += price.micro_milli_ms(time)
        return Cost(micro_milli_ms=total, currency=self.currency)
