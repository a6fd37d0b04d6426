"""How much of the free GPU capacity is stranded, as the API answers it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.spec.views.base import View


class StrandedPointView(View):
    """Means over one step that ends at `at`, in thousandths of a GPU."""

    at: datetime
    free_milli: int = Field(description="Free on nodes that take work.")
    stranded_milli: int = Field(
        description="What of it is of no use to a typical request of the last week: it lies in "
        "pieces, or beside too little CPU or memory."
    )
    split_milli: int = Field(description="What of it belongs to GPUs that are in use in part.")


class StockView(View):
    """The GPUs of one type in one pool."""

    gpu_type: str = Field(examples=["H100"])
    pool: str = Field("", description="Empty for none, and for those not open to the reader.")
    points: list[StrandedPointView]


class FragmentationView(View):
    since: datetime
    until: datetime
    step_seconds: float
    points: list[StrandedPointView] = Field(description="Of all that was asked for, together.")
    stocks: list[StockView] = Field(description="By pool, then type.")
