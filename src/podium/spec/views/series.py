"""Curves over time: what a workload, or a node, used."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from podium.spec.views.base import View

Quantity = Literal["cpu", "memory", "gpu_busy", "gpu_memory", "power", "temperature"]


class PointView(View):
    """The mean over one step that ends at `at`, with the least and the most of it."""

    at: datetime
    mean: float
    low: float
    high: float


class LineView(View):
    """One curve: of one rank, of one device, or of all together when both are null."""

    rank: int | None = None
    device: str | None = Field(None, description="`NODE/INDEX`.")
    points: list[PointView]


class SeriesView(View):
    """One quantity's curves. Units: cpu in cores, memory in bytes, gpu_busy in GPUs kept busy,
    gpu_memory in bytes, power in watts, temperature in degrees Celsius."""

    quantity: Quantity
    limit: float | None = Field(None, description="What may be used at most, per curve.")
    lines: list[LineView]


class CurvesView(View):
    since: datetime
    until: datetime
    step_seconds: float
    series: list[SeriesView] = Field(description="Only of quantities that were measured.")
