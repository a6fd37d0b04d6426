"""Pages of logs, as the API answers them."""

from __future__ import annotations

from pydantic import Field

from podium.spec.views.base import View
from podium.spec.views.workload import LogLineView


class LogPageView(View):
    """Lines of several replicas in the order of time."""

    items: list[LogLineView] = Field(description="Oldest first.")
    older: str | None = Field(
        None,
        description="For `before`: what comes before these lines. Null when nothing does. With "
        "`q` there may be more to search although `items` is empty.",
    )
    newer: str = Field(
        description="For `after`, here and when following: what comes after these lines."
    )
    at_end: bool = Field(description="True when nothing newer was written yet.")
    searched_bytes: int = Field(0, description="How much of the log was read for `q`.")
