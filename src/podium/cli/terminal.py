"""Where output goes: calm tables and progress for people, documents for programs.

Rich is imported when something is first drawn, so that small commands stay quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from podium.cli.wording import STEERING, plain, state_colour, state_words

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

PIPE_COLUMNS = 240
"""Width of tables that no terminal cuts."""


def console(*, stderr: bool = False) -> Console:
    """Colours only on a terminal, and never under NO_COLOR."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if stream.isatty() else PIPE_COLUMNS,
    )


def interactive() -> bool:
    """True when a person can be asked something."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def say(text: str = "") -> None:
    """One line for the person, beside the result: on stderr."""
    print(text, file=sys.stderr, flush=True)


def write(text: str) -> None:
    """One line of result, exactly as it is."""
    print(text, flush=True)


def document(view: BaseModel | dict[str, Any]) -> None:
    """One API document, indented."""
    write(_escaped(json.dumps(_data(view), indent=2, ensure_ascii=False)))


def line(view: BaseModel | dict[str, Any]) -> None:
    """One line of JSON Lines."""
    write(_escaped(json.dumps(_data(view), ensure_ascii=False, separators=(",", ":"))))


def listing(views: Iterable[BaseModel], next_cursor: str | None = None) -> None:
    """A list as the API answers it."""
    document({"items": [_data(view) for view in views], "next_cursor": next_cursor})


@dataclass(frozen=True, slots=True)
class Column:
    """Where room is short, columns are left out by falling `drop` (0: never), then `cut` ones
    lose the ends of their words."""

    title: str
    right: bool = False
    cut: bool = False
    drop: int = 0
    style: str = ""


CUT_WIDTH = 14
"""To which a column is cut at most before others are left out."""


def table(columns: Sequence[Column], rows: Iterable[Sequence[str | Text]], width: int) -> Table:
    """Without lines; numbers to the right. Cells are taken literally."""
    from rich.table import Table
    from rich.text import Text

    cells = [
        [cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row] for row in rows
    ]
    widths = [
        max(len(column.title), *(row[at].cell_len for row in cells), 0)
        for at, column in enumerate(columns)
    ]
    fitted = fitting(columns, widths, width)
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at, room in fitted.items():
        column = columns[at]
        drawn.add_column(
            column.title,
            justify="right" if column.right else "left",
            style=column.style,
            no_wrap=True,
            overflow="ellipsis",
            width=room,
        )
    for row in cells:
        drawn.add_row(*(row[at] for at in fitted))
    return drawn


def fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> dict[int, int]:
    """The places of the columns that have room in `width`, with the room that each gets."""
    room = {
        at: min(needed, CUT_WIDTH) if columns[at].cut else needed
        for at, needed in enumerate(widths)
    }
    while sum(room.values()) + 2 * (len(room) - 1) > width:
        spare = [at for at in room if columns[at].drop]
        if not spare:
            break
        del room[max(spare, key=lambda at: columns[at].drop)]
    left = width - sum(room.values()) - 2 * (len(room) - 1)
    for at, least in room.items():
        more = max(0, min(widths[at] - least, left))
        room[at] = least + more
        left -= more
    return room


def show_table(columns: Sequence[Column], rows: Iterable[Sequence[str | Text]]) -> None:
    target = console()
    drawn = table(columns, rows, target.width)
    if target.is_terminal:
        target.print(drawn)
        return
    with target.capture() as captured:
        target.print(drawn)
    write("\n".join(text.rstrip() for text in captured.get().rstrip("\n").split("\n")))


def show_facts(facts: Iterable[tuple[str, str | Text]]) -> None:
    """Name and value, one pair a line; empty values are left out."""
    from rich.table import Table
    from rich.text import Text

    target = console()
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        if value:
            grid.add_row(name, value if isinstance(value, Text) else Text(plain(value)))
    with target.capture() as captured:
        target.print(grid)
    write("\n".join(text.rstrip() for text in captured.get().rstrip("\n").split("\n")))


def heading(text: str) -> None:
    from rich.text import Text

    console().print(Text(text, style="bold"))


def faint(text: str) -> None:
    """A line of result that only helps to read the others."""
    from rich.text import Text

    paragraph(Text(text, style="dim"))


def paragraph(text: Text, *, indent: int = 0, hanging: int = 0) -> None:
    """Wrapped at the terminal's width; lines after the first stand `hanging` to the right."""
    target = console()
    lines = text.wrap(target, max(20, target.width - max(indent, hanging)))
    for number, each in enumerate(lines):
        each.rstrip()
        each.pad_left(indent if number == 0 else hanging)
        target.print(each, soft_wrap=True)


def state_text(state: str) -> Text:
    from rich.text import Text

    return Text(state_words(state), style=state_colour(state))


class Step(Protocol):
    """Moves a bar; `words` replace what stands before it."""

    def __call__(self, done: int, total: int, words: str = "") -> None: ...


@contextmanager
def progress(words: str, *, in_bytes: bool = False) -> Iterator[Step]:
    """A bar on stderr that appears with the first step and goes when done.

    Yields `step(done, total, words=...)`. Draws nothing where stderr is no terminal.
    """
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    amount = DownloadColumn(binary_units=True) if in_bytes else MofNCompleteColumn()
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        amount,
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(words, total=None)

        def step(done: int, total: int, words: str = "") -> None:
            if words:
                bar.update(task, completed=done, total=total, description=plain(words))
            else:
                bar.update(task, completed=done, total=total)

        yield step


@contextmanager
def waiting(words: str) -> Iterator[Callable[[str], None]]:
    """A turning sign on stderr with words that change; plain lines where there is no terminal."""
    target = console(stderr=True)
    if not target.is_terminal:
        last = ""

        def tell(new: str) -> None:
            nonlocal last
            if new != last:
                last = new
                say(new)

        tell(words)
        yield tell
        return
    from rich.text import Text

    with target.status(Text(words), spinner="dots") as status:
        yield lambda new: status.update(Text(plain(new)))


@contextmanager
def busy(words: str) -> Iterator[None]:
    """A turning sign on stderr while one call takes its time; nothing without a terminal."""
    target = console(stderr=True)
    if not target.is_terminal:
        yield
        return
    with target.status(words, spinner="dots"):
        yield


def _data(view: BaseModel | dict[str, Any]) -> Any:
    return view if isinstance(view, dict) else view.model_dump(mode="json")


def _escaped(text: str) -> str:
    """The same JSON, without the few letters that steer a terminal and that JSON lets stand."""
    return STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
