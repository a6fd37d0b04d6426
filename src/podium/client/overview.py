"""The cluster and one's own work in figures. Reached as `client.overview`."""

from __future__ import annotations

from datetime import datetime

from podium.client.curves import span_params
from podium.client.transport import Transport
from podium.spec.views.overview import CapacityView, OverviewView


class Overview:
    """`client.overview()` is the overview now."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __call__(self, *, project: str | None = None, time_zone: str = "UTC") -> OverviewView:
        """GPUs, queue, nodes, failures and GPU time; of one project's work when it is named. Days
        begin and end in `time_zone`, an IANA name."""
        params = {"project": project, "time_zone": time_zone}
        return self._transport.fetch(OverviewView, "/overview", params)

    def capacity(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        points: int = 288,
    ) -> CapacityView:
        """How the cluster's GPUs were held and used over time; the last day unless told
        otherwise."""
        params = span_params(since, until, points)
        return self._transport.fetch(CapacityView, "/overview/capacity", params)
