"""Usage and cost by day and month, statements, and what devices did."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from podium.domain.metering import Dimension
from podium.domain.usage_report import Per
from podium.spec.views.base import View
from podium.spec.views.workload import CostView


class UnpricedView(View):
    """GPU time that has no price."""

    gpu_type: str
    gpu_hours: float


class AmountsView(View):
    """GPU time is allocated time x share of the device. Exact amounts are whole numbers of
    thousandths of a GPU x milliseconds; hours are those, divided."""

    gpu_milli_ms: int
    used_milli_ms: int = Field(description="What was not idle; what nobody measured counts here.")
    idle_milli_ms: int = Field(description="Held, and measured to be idle.")
    borrowed_milli_ms: int = Field(description="Beyond what was guaranteed when it was granted.")
    measured_milli_ms: int = Field(description="So much of it was measured.")
    gpu_hours: float
    used_gpu_hours: float
    idle_gpu_hours: float
    borrowed_gpu_hours: float
    cpu_core_hours: float = Field(description="Held.")
    cpu_core_hours_used: float
    memory_peak_bytes: int = Field(description="The most that one replica used.")
    replicas_ended: int = Field(description="Not told by label.")
    cost: CostView | None = Field(
        description="Of all that has a price, rounded once; null where there are no prices."
    )
    unpriced: list[UnpricedView] = Field(description="What is not in the cost.")


class UsageRowView(AmountsView):
    name: str = Field(
        description="Empty for the organisation, and for what has no cost centre or such label."
    )
    since: datetime = Field(description="When the time of this row begins.")


class UsageReportView(View):
    """Days and months are those of UTC. Who used nothing has no row."""

    by: Dimension
    label: str | None = Field(description="The key by whose values it is told, if it is.")
    per: Per
    since: datetime
    until: datetime = Field(description="Not included; what runs counts up to now.")
    currency: str | None = Field(description="Null where no price was ever set.")
    items: list[UsageRowView] = Field(description="By time, then by name.")
    total: AmountsView = Field(description="Of all rows, on other pages, too.")
    next_cursor: str | None = Field(description="Continues the rows; null at their end.")


class StatementLineView(View):
    """GPU-hours of one type at one price, in one project."""

    project: str
    gpu_type: str
    since: datetime | None = Field(description="When the price began; null where there is none.")
    gpu_hours: float = Field(description="Borrowed ones included.")
    borrowed_gpu_hours: float
    idle_gpu_hours: float
    per_gpu_hour: Decimal | None
    borrowed_per_gpu_hour: Decimal | None
    idle_per_gpu_hour: Decimal | None
    amount: Decimal | None = Field(description="Rounded to cents; null without a price.")


class StatementView(View):
    """The bill of one name."""

    name: str
    lines: list[StatementLineView]
    total: Decimal | None = Field(
        description="Of all that has a price, rounded once: lines may differ from it by cents."
    )
    unpriced: list[UnpricedView]


class StatementsView(View):
    """What each of them pays for a time. Work without GPUs costs nothing and is not told."""

    by: Dimension
    since: datetime
    until: datetime = Field(description="Not included.")
    final: bool = Field(description="The time is over, and nothing runs that began in it.")
    currency: str | None
    items: list[StatementView]
    total: Decimal | None
    unpriced: list[UnpricedView]


class DeviceTimeView(View):
    """What the devices of one type did on one day, in thousandths x milliseconds: `there` is the
    sum of the other four."""

    day: datetime
    gpu_type: str
    there_milli_ms: int
    billed_milli_ms: int = Field(description="Held by work that ran.")
    unbilled_milli_ms: int = Field(description="Held while nothing ran: starting and stopping.")
    free_milli_ms: int
    out_milli_ms: int = Field(description="Out of service, and held by nobody.")


class DeviceTimesView(View):
    since: datetime
    until: datetime
    items: list[DeviceTimeView] = Field(description="By day, then by type.")
