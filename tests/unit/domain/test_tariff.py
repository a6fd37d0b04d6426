"""Costs are exact: whole numbers, one price for each line of a bill, rounded once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from podium.domain.metering import DAY_MS, Line, Metered, Part, lines_of, spread
from podium.domain.tariff import HOUR_MS, MICROS, Cost, GpuTime, Price, Tariff
from podium.domain.usage_report import month_ms, months_ms


def price(
    since_ms: int,
    per_hour: str,
    gpu_type: str = "H100",
    currency: str = "EUR",
    borrowed: str | None = None,
    idle: str = "0",
) -> Price:
    return Price(
        gpu_type=gpu_type,
        since_ms=since_ms,
        micros_per_gpu_hour=int(Decimal(per_hour) * MICROS),
        currency=currency,
        borrowed_micros_per_gpu_hour=None if borrowed is None else int(Decimal(borrowed) * MICROS),
        idle_micros_per_gpu_hour=int(Decimal(idle) * MICROS),
    )


def hours(count: int, at_ms: int = 0, gpu_type: str = "H100", **more: int) -> GpuTime:
    return GpuTime(
        gpu_type=gpu_type, rate_ms=at_ms, gpu_milli_ms=count * HOUR_MS * 1000,
        **{name: value * HOUR_MS * 1000 for name, value in more.items()},
    )  # fmt: skip


def amount(tariff: Tariff, *times: GpuTime) -> str | None:
    cost = tariff.cost(times)
    return None if cost is None else f"{cost.amount} {cost.currency}"


def test_a_price_times_the_hours() -> None:
    tariff = Tariff([price(0, "2.50")])
    assert amount(tariff, hours(2)) == "5.00 EUR"
    assert amount(tariff, hours(2), hours(8)) == "25.00 EUR"
    assert amount(tariff) == "0.00 EUR", "nothing was used"


def test_what_is_borrowed_and_what_is_idle() -> None:
    time = hours(4, borrowed_milli_ms=1, idle_milli_ms=2)
    assert amount(Tariff([price(0, "2")]), time) == "8.00 EUR"
    assert amount(Tariff([price(0, "2", borrowed="5", idle="0.25")]), time) == "11.50 EUR"


def test_each_price_holds_from_its_time_on() -> None:
    tariff = Tariff([price(5, "1"), price(2 * HOUR_MS, "3"), price(3 * HOUR_MS, "10")])
    assert amount(tariff, hours(1, 0)) == "1.00 EUR", "the first one also before"
    assert amount(tariff, hours(1, 2 * HOUR_MS - 1)) == "1.00 EUR"
    assert amount(tariff, hours(1, 2 * HOUR_MS)) == "3.00 EUR"
    assert amount(tariff, hours(1, 9 * HOUR_MS)) == "10.00 EUR"
    assert [tariff.rate_ms("H100", at) for at in (0, 9, 2 * HOUR_MS, 9 * HOUR_MS)] == [
        0, 0, 2 * HOUR_MS, 3 * HOUR_MS,
    ]  # fmt: skip


def test_without_a_price_there_is_no_cost() -> None:
    assert amount(Tariff()) is None
    assert amount(Tariff(), hours(1)) is None
    tariff = Tariff([price(0, "1")])
    assert amount(tariff, hours(1), hours(1, gpu_type="L4")) is None
    assert amount(tariff, hours(1), hours(0, gpu_type="L4")) == "1.00 EUR", "it used none of it"


def test_currencies_are_not_mixed() -> None:
    tariff = Tariff([price(0, "1"), price(HOUR_MS, "2", currency="USD")])
    assert tariff.currency == "USD"
    assert amount(tariff, hours(1, HOUR_MS)) == "2.00 USD"
    assert amount(tariff, hours(1)) is None


def test_cents_are_rounded_once_and_half_a_cent_counts() -> None:
    per_cent = HOUR_MS * MICROS * 1000 // 100
    for micro, cents in (
        (per_cent // 2 - 1, "0.00"),
        (per_cent // 2, "0.01"),
        (per_cent, "0.01"),
    ):
        assert str(Cost(micro_milli_ms=micro, currency="EUR").amount) == cents
    third = Tariff([price(0, "0.01")])
    part = GpuTime(gpu_type="H100", rate_ms=0, gpu_milli_ms=HOUR_MS * 1000 // 3)
    assert amount(third, part) == "0.00 EUR"
    assert amount(third, part, part, part) == "0.01 EUR"


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=9))
def test_what_is_spread_adds_up(amount: int, weights: list[int]) -> None:
    parts = spread(amount, weights)
    assert sum(parts) == amount
    if amount <= sum(weights):
        assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["A100", "H100"]), st.integers(1, 8000), st.integers(0, 8000)),
        max_size=2, unique_by=lambda each: each[0],
    ),
    runtime_ms=st.integers(0, 4 * DAY_MS),
    ended_ms=st.integers(9 * DAY_MS, 12 * DAY_MS),
    before_ms=st.integers(0, DAY_MS),
    after_ms=st.integers(0, DAY_MS),
    changes=st.lists(st.integers(4 * DAY_MS, 14 * DAY_MS), unique=True, max_size=6),
    measured_ms=st.integers(0, 5 * DAY_MS),
    busy=st.integers(0, 10**13),
)  # fmt: skip
def test_lines_are_cut_at_days_and_prices_and_add_up(
    parts: list[tuple[str, int, int]],
    runtime_ms: int,
    ended_ms: int,
    before_ms: int,
    after_ms: int,
    changes: list[int],
    measured_ms: int,
    busy: int,
) -> None:
    held = tuple(Part(name, milli, min(milli, borrowed)) for name, milli, borrowed in sorted(parts))
    tariff = Tariff([price(0, "1"), *(price(at_ms, "2") for at_ms in changes)])
    metered = Metered(
        parts=held, runtime_ms=runtime_ms, ended_ms=ended_ms,
        held_from_ms=ended_ms - runtime_ms - before_ms, held_until_ms=ended_ms + after_ms,
        cpu_milli=1500, cpu_used_ms=777, measured_ms=measured_ms, busy_milli_ms=busy,
    )  # fmt: skip
    lines = lines_of(metered, tariff)
    whole = lines_of(metered, tariff, cuts_ms=())
    milli = sum(part.gpu_milli for part in held)
    for found in (lines, whole):
        assert _sum(found, "gpu_milli_ms") == milli * runtime_ms
        assert _sum(found, "borrowed_milli_ms") == sum(p.borrowed_milli for p in held) * runtime_ms
        assert _sum(found, "unbilled_milli_ms") == milli * (before_ms + after_ms)
        assert _sum(found, "measured_milli_ms") == milli * min(runtime_ms, measured_ms)
        idle = max(0, milli * min(runtime_ms, measured_ms) - busy)
        assert _sum(found, "idle_milli_ms") == idle
        assert _sum(found, "cpu_milli_ms") == 1500 * runtime_ms
        assert _sum(found, "cpu_used_ms") == 777
    keys = [(line.gpu_type, line.day_ms, line.rate_ms) for line in lines]
    assert len(set(keys)) == len(keys), "each is one row"
    for line in lines:
        assert line.runtime_ms <= DAY_MS
        assert 0 <= line.idle_milli_ms <= line.gpu_milli_ms
        assert line.day_ms % DAY_MS == 0


def test_months_are_those_of_the_calendar() -> None:
    since = datetime(1970, 1, 1, tzinfo=UTC)
    wanted = [
        int((datetime(year, month, 1, tzinfo=UTC) - since).total_seconds()) * 1000
        for year in range(1970, 2101)
        for month in range(1, 13)
    ]
    assert [month_ms(1970, 1 + number) for number in range(len(wanted))] == wanted
    assert [month_ms(2026, 13)] == [month_ms(2027, 1)]
    for number in (0, 1, 400, 677):
        assert list(months_ms(wanted[number], wanted[-1])) == wanted[number + 1 : -1]
        assert list(months_ms(wanted[number] + 1, wanted[-1] + 1)) == wanted[number + 1 :]


def _sum(lines: list[Line], name: str) -> int:
    return sum(getattr(line, name) for line in lines)
