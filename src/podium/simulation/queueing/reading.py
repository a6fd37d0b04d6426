"""Reads traces: CSV with a header, or the Standard Workload Format. `simulate` calls it.

A record that cannot be right stops the reading: nothing is computed from half a trace.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from podium.domain.errors import FieldFault, UserError
from podium.simulation.queueing.trace import Trace, TraceJob

COLUMNS = ("submit_s", "duration_s", "num_gpu")
OPTIONAL_COLUMNS = ("job_id", "group", "requested_s")

_MOST_FAULTS = 10
_MOST_SECONDS = 10**11
_SWF_FIELDS = 18
_SWF_UNKNOWN = -1


def read_trace(path: Path) -> Trace:
    """Raises UserError that names file, row and field. Rows are counted as an editor counts lines.

    A file is in the Standard Workload Format when its name ends in `.swf` or its first line is a
    comment that begins with `;`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            FieldFault(str(path), "is not text in UTF-8.", "Give a CSV or SWF file.")
        ) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UserError(FieldFault(str(path), f"cannot be read: {why}.")) from error
    swf = path.suffix.lower() == ".swf" or text.lstrip().startswith(";")
    reading = _Reading(path.name)
    if swf:
        _read_swf(text, reading)
    else:
        _read_csv(text, reading)
    return reading.trace()


@dataclass(slots=True)
class _Reading:
    name: str
    jobs: list[TraceJob] = field(default_factory=list)
    faults: list[FieldFault] = field(default_factory=list)
    skipped: int = 0
    seen: dict[str, int] = field(default_factory=dict)  # job id, row

    def fault(self, row: int, column: str, message: str, remedy: str = "") -> None:
        place = f"{self.name}, row {row}" + (f", {column}" if column else "")
        self.faults.append(FieldFault(place, message, remedy))

    def add(self, job: TraceJob) -> None:
        before = self.seen.setdefault(job.job_id, job.row)
        if before != job.row:
            self.fault(
                job.row,
                "job_id",
                f"'{job.job_id}' is the job of row {before}, too.",
                "Give each job an id of its own, or leave the column out.",
            )
        else:
            self.jobs.append(job)

    def trace(self) -> Trace:
        if self.faults:
            shown = self.faults[:_MOST_FAULTS]
            more = len(self.faults) - len(shown)
            if more:
                shown.append(FieldFault(self.name, f"{more:,} more such faults."))
            raise UserError(*shown)
        if not self.jobs:
            raise UserError(FieldFault(self.name, "has no job that ran.", "Give at least one."))
        self.jobs.sort(key=lambda job: (job.submitted_ms, job.row))
        return Trace(self.name, tuple(self.jobs), self.skipped)


def _read_csv(text: str, reading: _Reading) -> None:
    rows = _csv_rows(text, reading)
    header = next(rows, None)
    if header is None:
        reading.fault(1, "", "is empty.", f"The first row names columns: {', '.join(COLUMNS)}.")
        return
    row, cells = header
    names = [cell.strip() for cell in cells]
    for column in COLUMNS:
        if column not in names:
            reading.fault(
                row,
                column,
                "there is no such column.",
                f"The first row names the columns; needed: {', '.join(COLUMNS)}; "
                f"read if there: {', '.join(OPTIONAL_COLUMNS)}.",
            )
    for column in (*COLUMNS, *OPTIONAL_COLUMNS):
        if names.count(column) > 1:
            reading.fault(row, column, "is there more than once.", "Keep one.")
    if reading.faults:
        return
    at = {column: names.index(column) for column in names}
    for row, cells in rows:
        if len(cells) != len(names):
            reading.fault(
                row, "", f"has {len(cells)} cells; the first row names {len(names)} columns."
            )
            continue
        _read_record(row, {column: cells[i].strip() for column, i in at.items()}, reading)


def _csv_rows(text: str, reading: _Reading) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line on which each begins."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        row = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reading.fault(row, "", f"is not CSV: {error}.", "Check its quotes.")
            return
        if any(cell.strip() for cell in cells):
            yield row, cells


def _read_record(row: int, cells: dict[str, str], reading: _Reading) -> None:
    before = len(reading.faults)
    submitted_ms = _milliseconds(row, "submit_s", cells["submit_s"], reading, least=0)
    duration_ms = _milliseconds(row, "duration_s", cells["duration_s"], reading, least=1)
    gpus = _gpus(row, cells["num_gpu"], reading)
    requested_ms = None
    if cells.get("requested_s"):
        requested_ms = _milliseconds(row, "requested_s", cells["requested_s"], reading, least=1)
    if "job_id" in cells and not cells["job_id"]:
        reading.fault(row, "job_id", "is empty.", "Fill it in, or leave the column out.")
    if len(reading.faults) == before:
        assert submitted_ms is not None
        assert duration_ms is not None
        assert gpus is not None
        reading.add(
            TraceJob(
                job_id=cells.get("job_id") or f"row-{row}",
                submitted_ms=submitted_ms,
                duration_ms=duration_ms,
                gpus=gpus,
                group=cells.get("group"),
                requested_ms=requested_ms,
                row=row,
            )
        )


def _milliseconds(row: int, column: str, cell: str, reading: _Reading, *, least: int) -> int | None:
    """`least` is 0 for a moment, 1 for a length: it may not be zero, however short it is."""
    seconds = _number(cell)
    right = "Seconds, 0 or more." if least == 0 else "Seconds, more than 0."
    if seconds is None:
        reading.fault(row, column, f"'{cell}' is not a number." if cell else "is empty.", right)
    elif seconds < 0 or (least and seconds == 0):
        reading.fault(row, column, f"{cell} is too small.", right)
    elif seconds > _MOST_SECONDS:
        reading.fault(row, column, f"{cell} is more than 3,000 years.", right)
    else:
        return max(least, round(seconds * 1000))
    return None


def _gpus(row: int, cell: str, reading: _Reading) -> int | None:
    number = _number(cell)
    right = "Whole GPUs, 1 or more."
    if number is None:
        reading.fault(row, "num_gpu", f"'{cell}' is not a number." if cell else "is empty.", right)
    elif number < 1 or number != int(number):
        reading.fault(row, "num_gpu", f"{cell} is not a count of GPUs.", right)
    else:
        return int(number)
    return None


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None


def _read_swf(text: str, reading: _Reading) -> None:
    for row, line in enumerate(text.splitlines(), start=1):
        cells = line.split()
        if not cells or cells[0].startswith(";"):
            continue
        if len(cells) != _SWF_FIELDS:
            reading.fault(
                row,
                "",
                f"has {len(cells)} fields.",
                f"A record of the Standard Workload Format has {_SWF_FIELDS}.",
            )
            continue
        _read_swf_record(row, cells, reading)


def _read_swf_record(row: int, cells: Sequence[str], reading: _Reading) -> None:
    """Jobs that were given up before they ran have no runtime or no processors: they are counted
    and left out, as is usual with this format."""
    duration, allocated, wanted = (_number(cells[at]) for at in (3, 4, 7))
    if duration in (0, _SWF_UNKNOWN) or (
        allocated in (0, _SWF_UNKNOWN) and wanted in (0, _SWF_UNKNOWN)
    ):
        reading.skipped += 1
        return
    record = {
        "job_id": cells[0],
        "submit_s": cells[1],
        "duration_s": cells[3],
        "num_gpu": cells[7] if allocated in (0, _SWF_UNKNOWN) else cells[4],
    }
    if _number(cells[8]) not in (0, _SWF_UNKNOWN):
        record["requested_s"] = cells[8]
    if _number(cells[12]) != _SWF_UNKNOWN:
        record["group"] = cells[12]
    _read_record(row, record, reading)
