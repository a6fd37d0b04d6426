"""The time line of nodes in `podium queue --plan`: what runs until when, what is planned, what is
booked, and where there is room meanwhile. Nodes on which the same stands share one picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from podium.cli import terminal
from podium.cli.wording import count, moment, plain, plural
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.queue import NodeTimelineView, PlannedWorkloadView, TimelineView

LANES_MAX = 8
_WIDTH_MAX = 130
_NAMES = 3
_LABEL_MAX = 30
_NOTE_MAX = 24

_RUNS, _PROBABLY, _ENDLESS, _PLANNED, _BOOKED, _FREE = "█", "▓", "▒", "▞", "╳", "·"
_STYLES = {
    _RUNS: "green",
    _PROBABLY: "green",
    _ENDLESS: "green",
    _PLANNED: "cyan",
    _BOOKED: "magenta",
    _FREE: "dim",
}
_LEGEND = (
    (_RUNS, "until its limit"),
    (_PROBABLY, "as expected"),
    (_ENDLESS, "no known end"),
    (_PLANNED, "planned"),
    (_BOOKED, "booked"),
    (_FREE, "free"),
)


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of a picture. None at an end is the edge of the time line."""

    label: str
    gpu_milli: int | None
    sign: str
    begin: datetime | None
    end: datetime | None
    note: str
    named: bool = True


def show_timeline(view: TimelineView, now: datetime) -> None:
    from rich.text import Text

    if not view.nodes:
        return
    terminal.write("")
    terminal.heading("Nodes over time")
    pictures: dict[tuple[object, ...], list[NodeTimelineView]] = {}
    for node in view.nodes:
        key = (tuple(lanes(node, view, now)), node.gpus, tuple(node.gpu_types), node.state)
        pictures.setdefault(key, []).append(node)
    drawn = [(nodes, list(lanes(nodes[0], view, now))) for nodes in pictures.values()]
    label = min(_LABEL_MAX, max((len(one.label) for _, each in drawn for one in each), default=0))
    note = min(_NOTE_MAX, max((len(one.note) for _, each in drawn for one in each), default=0))
    width = min(_WIDTH_MAX, terminal.console().width) - label - note - 13
    axis = Text(" " * (label + 11))
    axis.append(_axis(view, width), style="dim")
    terminal.paragraph(axis)
    for nodes, shown in drawn:
        terminal.paragraph(_title(nodes))
        for lane in shown[:LANES_MAX]:
            terminal.paragraph(_line(lane, view, label, width))
        if len(shown) > LANES_MAX:
            left = shown[LANES_MAX:]
            gpus = format_milli(sum(lane.gpu_milli or 0 for lane in left))
            terminal.paragraph(Text(f"  … {len(left)} more with {gpus} GPUs", style="dim"))
    terminal.faint("  ".join(f"{sign} {words}" for sign, words in _LEGEND))
    if view.nodes_left_out:
        terminal.say(f"… {plural(view.nodes_left_out, 'more node')}; --nodes shows more.")


def lanes(node: NodeTimelineView, view: TimelineView, now: datetime) -> Iterator[Lane]:
    """What runs first, then what is free until something else comes, then what comes."""
    for run in node.running:
        if run.workload is None:
            note = "end not shown"
            yield Lane("work of others", run.gpu_milli, _ENDLESS, None, None, note, named=False)
            continue
        sign = _ENDLESS if run.until is None else _RUNS if run.certain else _PROBABLY
        note = "no known end" if run.until is None else f"until {moment(run.until, now)}"
        if run.until is not None and not run.certain:
            note = f"likely until {moment(run.until, now)}"
        yield Lane(_label(run.workload), run.gpu_milli, sign, None, run.until, note)
    yield from _free(node, now)
    for plan in node.planned:
        note = "once that is free" if plan.from_at is None else f"from {moment(plan.from_at, now)}"
        begin = view.until if plan.from_at is None else plan.from_at
        label = "→ " + _label(plan.workload)
        yield Lane(label, plan.gpu_milli, _PLANNED, begin, plan.until, note)
    for book in node.booked:
        whom = "maintenance" if book.maintenance else book.project or "another project"
        label = f"{book.name} ({whom})" if book.name else whom
        begun = book.from_at <= now
        note = f"until {moment(book.until, now)}" if begun else f"from {moment(book.from_at, now)}"
        yield Lane(plain(label), None, _BOOKED, book.from_at, book.until, note, named=False)


def _free(node: NodeTimelineView, now: datetime) -> Iterator[Lane]:
    """Whoever is sure to be done before what comes may have it meanwhile."""
    milli = node.free_milli
    coming = [*(plan.from_at for plan in node.planned), *(book.from_at for book in node.booked)]
    if None in coming:
        if milli:
            yield Lane("free", milli, _FREE, None, None, "partly kept", named=False)
        return
    first = min((at for at in coming if at is not None and at > now), default=None)
    if first is None:
        if milli:
            yield Lane("free", milli, _FREE, None, None, "for anybody", named=False)
        return
    note = f"backfill until {moment(first, now)}"
    if milli:
        yield Lane("free", milli, _FREE, None, first, note, named=False)
        return
    ends = [run for run in node.running if run.until is not None and run.until < first]
    begin = min((run.until for run in ends if run.until is not None), default=None)
    if begin is not None and node.state == "ready":
        milli = sum(run.gpu_milli for run in ends)
        yield Lane("free later", milli, _FREE, begin, first, note, named=False)


def _label(workload: PlannedWorkloadView | None) -> str:
    return "work of others" if workload is None else f"{plain(workload.name)} ({workload.project})"


def _title(nodes: list[NodeTimelineView]) -> Text:
    from rich.text import Text

    first = nodes[0]
    names = ", ".join(plain(each.name) for each in nodes[:_NAMES])
    if len(nodes) > _NAMES:
        names += f" and {count(len(nodes) - _NAMES)} more"
    each = " each" if len(nodes) > 1 else ""
    gpus = f"{first.gpus} × {'/'.join(first.gpu_types)}{each}" if first.gpus else "no GPUs"
    places = {
        " / ".join(part for part in (node.block, node.rack, node.nvlink) if part) for node in nodes
    }
    title = Text(names, style="bold")
    facts = [gpus, *(place for place in places if place and len(places) == 1)]
    if first.state != "ready":
        facts.append(str(first.state))
    if not first.running and not first.free_milli and not first.planned and not first.booked:
        facts.append("nothing runs here")
    title.append("  " + " · ".join(facts), style="not bold dim")
    return title


def _line(lane: Lane, view: TimelineView, label: int, width: int) -> Text:
    from rich.text import Text

    line = Text("  ")
    line.append(_fitted(lane.label, label), style="" if lane.named else "dim")
    gpus = "" if lane.gpu_milli is None else format_milli(lane.gpu_milli)
    line.append(f"{gpus:>7}  ")
    begin, end = _cells(lane, view, width)
    line.append(" " * begin)
    others = lane.sign == _ENDLESS and not lane.named
    line.append(lane.sign * (end - begin), style="dim" if others else _STYLES[lane.sign])
    line.append(" " * (width - end) + "  ")
    line.append(lane.note, style="dim")
    return line


def _cells(lane: Lane, view: TimelineView, width: int) -> tuple[int, int]:
    """From which character up to which; whatever is in sight gets at least one."""
    length = view.until - view.from_at

    def at(moment: datetime) -> int:
        return round(max(0.0, min(1.0, (moment - view.from_at) / length)) * width)

    begin = 0 if lane.begin is None else at(lane.begin)
    end = width if lane.end is None else at(lane.end)
    if lane.begin is not None and lane.begin >= view.until:
        return width, width
    begin = min(begin, width - 1)
    return begin, max(begin + 1, end)


def _fitted(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else f"{text[: width - 1]}…"


def _axis(view: TimelineView, width: int) -> str:
    """The time at the edges and between, in the reader's own time zone."""
    length = view.until - view.from_at
    days = length > timedelta(days=1)
    text = ""
    ticks = max(1, min(4, width // (12 if days else 9)))
    for tick in range(ticks):
        at = (view.from_at + length * tick / ticks).astimezone()
        words = "now" if tick == 0 else f"{at:%a %H:%M}" if days else f"{at:%H:%M}"
        text = f"{text:<{width * tick // ticks}}{'┊' if tick else ''}{words}"
    return text
