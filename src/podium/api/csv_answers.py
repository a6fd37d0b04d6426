"""Tables as CSV files: asked for with `Accept: text/csv` or `?format=csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Cell = str | int | None
CSV_TOO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
"""For the document of a route that answers both."""


def wants_csv(request: Request, format_asked: str | None) -> bool:
    if format_asked is not None:
        return format_asked == "csv"
    accepted = [
        each.partition(";")[0].strip() for each in request.headers.get("accept", "").split(",")
    ]
    return "text/csv" in accepted and "application/json" not in accepted


def csv_answer(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A file called `name`, as RFC 4180 has it, in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(each) for each in row] for row in rows)
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cell(value: Cell) -> str:
    """Spreadsheets take text that begins like a formula for one and run it; an apostrophe before
    it makes it text again."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return f"'{value}" if value.startswith(_FORMULA) else value
