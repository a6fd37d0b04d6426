"""How the command line says things: states, times, counts, devices, events. Pure functions.

Every command that prints for people takes its words from here; JSON never does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from podium.domain.quantity import format_bytes, format_duration, format_milli

if TYPE_CHECKING:
    from podium.spec.views.node import DeviceView
    from podium.spec.views.workload import (
        CostView,
        DeviceShareView,
        EtaView,
        EventView,
        GroupView,
        ReplicaCountsView,
        ReplicaView,
        UsageView,
        WorkloadView,
    )

_SOON_SECONDS = 60

SYMBOLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "queued": ("○", "yellow"),
        "waiting": ("○", "yellow"),
        "scheduled": ("◐", "cyan"),
        "starting": ("◐", "cyan"),
        "running": ("●", "green"),
        "stopping": ("◐", "cyan"),
        "succeeded": ("✓", "green"),
        "failed": ("✗", "red"),
        "cancelled": ("–", "dim"),
        "ready": ("●", "green"),
        "cordoned": ("◐", "yellow"),
        "lost": ("✗", "red"),
    }
)
"""State → symbol and colour. The word always stands beside it: colour alone says nothing."""

RANK_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red", "bright_cyan", "white")

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "WorkloadQueued": "queued",
        "WorkloadScheduled": "given its place",
        "WorkloadLaunched": "launched",
        "WorkloadRunning": "running",
        "WorkloadStopRequested": "asked to stop",
        "WorkloadRequeued": "queued again",
        "WorkloadSucceeded": "succeeded",
        "WorkloadFailed": "failed",
        "WorkloadCancelled": "cancelled",
        "WorkloadChanged": "changed",
        "WorkloadNoted": "noted",
        "ReplicaScheduled": "given its place",
        "ReplicaLaunched": "launched",
        "ReplicaRunning": "running",
        "ReplicaStopRequested": "asked to stop",
        "ReplicaSucceeded": "succeeded",
        "ReplicaFailed": "failed",
        "ReplicaCancelled": "cancelled",
        "ReplicaRequeued": "queued again",
    }
)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
STEERING = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What JSON lets stand as it is, and terminals obey."""
_TERMINAL_CODES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


def plain(text: str) -> str:
    """On one line and without control characters, which could rewrite the terminal."""
    return _CONTROL.sub("�", " ".join(text.split("\n")).replace("\t", " "))


def in_colour(line: str) -> str:
    """A line of a log as a terminal may have it: with its colours, and nothing else that steers.
    Of a line that was redrawn its end is left, as on the page of the console."""
    if not _CONTROL.search(line):
        return line
    shown = next((each for each in reversed(line.split("\r")) if each), "")
    parts, done, coloured = [], 0, False
    for found in _TERMINAL_CODES.finditer(shown):
        parts.append(_CONTROL.sub("", shown[done : found.start()]))
        if _COLOUR.fullmatch(found[0]):
            parts.append(found[0])
            coloured = True
        done = found.end()
    parts.append(_CONTROL.sub("", shown[done:]))
    return "".join(parts) + ("\x1b[0m" if coloured else "")


def state_words(state: str) -> str:
    return f"{SYMBOLS[state][0]} {state}" if state in SYMBOLS else state


def state_colour(state: str) -> str:
    return SYMBOLS[state][1] if state in SYMBOLS else ""


def ago(at: datetime | None, now: datetime) -> str:
    """`"3 min ago"`, `"in 2 h"`, `"just now"`; the largest unit only."""
    if at is None:
        return "–"
    seconds = (now - at).total_seconds()
    if -1 < seconds < 2:
        return "just now"
    whole = int(abs(seconds))
    for unit_seconds, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if whole >= unit_seconds:
            amount = f"{whole // unit_seconds} {unit}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return "just now"


def lasted(start: datetime | None, end: datetime | None, now: datetime) -> str:
    """How long from start to end, or until now; `–` when it has not started."""
    if start is None:
        return "–"
    seconds = max(0.0, ((end or now) - start).total_seconds())
    if seconds >= 10:
        seconds = int(seconds)
    return format_duration(round(seconds * 1000))


def format_duration_seconds(seconds: int | None) -> str:
    return "" if seconds is None else format_duration(seconds * 1000)


def clock(at: datetime, *, precise: bool = False) -> str:
    """In the reader's own time zone; `precise` to the millisecond."""
    own = at.astimezone()
    return own.strftime("%Y-%m-%d %H:%M:%S") + (f".{own.microsecond // 1000:03}" if precise else "")


def moment(at: datetime, now: datetime) -> str:
    """`"14:05"`, `"Tue 14:05"`, `"2031-07-01"`: short, in the reader's own time zone."""
    own, today = at.astimezone(), now.astimezone().date()
    days = (own.date() - today).days
    if days == 0:
        return f"{own:%H:%M}"
    return f"{own:%a %H:%M}" if 0 < days < 7 else f"{own:%Y-%m-%d}"


def eta_words(eta: EtaView | None, now: datetime) -> str:
    """`"between 14:05 and 14:40"`, `"about 14:05"`, `"soon"`; empty when nobody can know."""
    if eta is None:
        return ""
    if (eta.late - now).total_seconds() < _SOON_SECONDS:
        return "soon"
    early, late = moment(max(eta.early, now), now), moment(eta.late, now)
    return f"about {late}" if early == late else f"between {early} and {late}"


def count(number: float, decimals: int = 0) -> str:
    return f"{number:,.{decimals}f}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def replicas_done(counts: ReplicaCountsView) -> int:
    return counts.succeeded + counts.failed + counts.cancelled


def replicas_words(view: WorkloadView) -> str:
    """`"2/4"`: running of all while a gang lives; succeeded of all at the end, and for an array."""
    counts = view.replicas
    if view.ended_at is not None or view.array:
        return f"{counts.succeeded}/{counts.total}"
    return f"{counts.running + counts.succeeded}/{counts.total}"


def ranks_words(group: GroupView) -> str:
    """`"0"`, `"1 to 8"`."""
    first, last = group.first_rank, group.first_rank + group.replicas - 1
    return str(first) if first == last else f"{first} to {last}"


def time_words(view: WorkloadView, now: datetime) -> str:
    """How long it ran, or how long it has waited."""
    if view.started_at is not None:
        return lasted(view.started_at, view.ended_at, now)
    if view.ended_at is not None:
        return "–"
    return f"waits {lasted(view.queued_at, None, now)}"


def about(view: WorkloadView) -> str:
    """Why it waits, or what it says of itself."""
    return plain(view.waiting.message if view.waiting is not None else view.message)


def share_words(devices: Iterable[DeviceShareView]) -> str:
    """`"H100 #0, H100 #1"`, `"0.5 × virtual H100 #0"`, `"1g.10gb of H100 #0"`; `–` without a
    device."""
    words = []
    for device in devices:
        kind = f"virtual {device.type}" if device.virtual else device.type
        part = "" if device.gpu_milli == 1000 else f"{format_milli(device.gpu_milli)} × "
        if device.mig_profile:
            part = f"{device.mig_profile} of "
        words.append(f"{part}{kind} #{device.index}")
    return ", ".join(words) or "–"


def gpus_words(devices: Iterable[DeviceView]) -> str:
    """`"1.5 of 4 virtual H100"`: how much of each type is in use; `–` without a device."""
    total: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for device in devices:
        kind = f"virtual {device.type}" if device.virtual else device.type
        kind += f" {device.mig_profile}" if device.mig_profile else ""
        total[kind] += 1
        used[kind] += device.gpu_milli_used
    return ", ".join(f"{format_milli(used[k])} of {total[k]} {k}" for k in sorted(total)) or "–"


def exit_words(replica: ReplicaView) -> str:
    if replica.signal is not None:
        return f"signal {replica.signal}"
    return "–" if replica.exit_code is None else str(replica.exit_code)


def event_words(event: EventView) -> str:
    """`"rank 3 failed"`; kinds of a later version are spelt out."""
    words = EVENTS.get(event.kind)
    if words is None:
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", event.kind).lower()
    return words if event.rank is None else f"rank {event.rank} {words}"


def cause_words(cause: str | None) -> str:
    return "–" if cause is None else cause.replace("_", " ")


def usage_words(usage: UsageView) -> str:
    cpu = f"{count(usage.cpu_seconds_used, 1)} CPU-seconds used"
    held = f"of {count(usage.cpu_seconds_allocated, 1)} held"
    peak = f"peak memory {format_bytes(usage.memory_peak_bytes)}"
    return f"{count(usage.gpu_seconds, 1)} GPU-seconds · {cpu} {held} · {peak}"


def cost_words(cost: CostView | None) -> str:
    """`"12.40 EUR"`; empty where there is none."""
    return "" if cost is None else f"{cost.amount:,.2f} {cost.currency}"


def of_total(used: int, total: int, words: str) -> str:
    """`"2 of 8 CPU"` from thousandths."""
    return f"{format_milli(used)} of {format_milli(total)} {words}".rstrip()


def bytes_of(used: int, total: int) -> str:
    return f"{format_bytes(used)} of {format_bytes(total)}"
