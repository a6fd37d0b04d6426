"""Reads node lists, pod lists and orders in the public openb format; `podium bench packing` asks.

Nothing of a broken file is used: an error names the file, the row (the heading is row 1) and the
field.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from podium.domain.errors import FieldFault, UserError

MOST = 1 << 40
"""Larger numbers than this are a mistake; below it sums of millions of pods stay exact."""

MOST_DEVICES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceNode:
    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePod:
    """`gpu_milli` is per GPU, 0 where `gpus` is 0; no `models` means any."""

    cpu_milli: int
    memory_mib: int
    gpus: int
    gpu_milli: int
    models: tuple[str, ...]

    @property
    def taken_milli(self) -> int:
        return self.gpus * self.gpu_milli


def read_nodes(path: Path) -> tuple[TraceNode, ...]:
    """Columns name, cpu_milli, memory_mib, gpu, model. Raises UserError."""
    nodes = []
    for row in _rows(path, ("cpu_milli", "memory_mib", "gpu", "model")):
        gpus = row.number("gpu", most=MOST_DEVICES)
        model = row.text("model")
        if gpus and not model:
            raise row.fault("model", "is empty on a node with GPUs.", "Name the type of its GPUs.")
        nodes.append(
            TraceNode(
                name=row.text("name", f"node-{row.number_of_row}"),
                cpu_milli=row.number("cpu_milli"),
                memory_mib=row.number("memory_mib"),
                gpus=gpus,
                model=model,
            )
        )
    if not any(node.gpus for node in nodes):
        fault = "has no node with a GPU, so there is nothing to pack."
        raise UserError(FieldFault(path.name, fault, "List at least one with gpu above 0."))
    return tuple(nodes)


def read_pods(path: Path) -> tuple[TracePod, ...]:
    """Columns cpu_milli, memory_mib, num_gpu, gpu_milli; gpu_spec if there. Raises UserError."""
    pods = []
    for row in _rows(path, ("cpu_milli", "memory_mib", "num_gpu", "gpu_milli")):
        gpus = row.number("num_gpu", most=MOST_DEVICES)
        milli = row.number("gpu_milli", most=1000) if gpus else 0
        if gpus and not milli:
            raise row.fault("gpu_milli", "is 0 though GPUs are asked for.", "1000 is a whole GPU.")
        if gpus > 1 and milli < 1000:
            fault = f"is {milli} for each of {gpus} GPUs."
            raise row.fault("gpu_milli", fault, "A share of a GPU goes with num_gpu 1 only.")
        models = tuple(sorted({part for part in row.text("gpu_spec").split("|") if part}))
        pods.append(
            TracePod(
                cpu_milli=row.number("cpu_milli"),
                memory_mib=row.number("memory_mib"),
                gpus=gpus,
                gpu_milli=milli,
                models=models,
            )
        )
    if not any(pod.gpus for pod in pods):
        fault = "has no pod that asks for a GPU, so there is nothing to pack."
        raise UserError(FieldFault(path.name, fault, "List at least one with num_gpu above 0."))
    return tuple(pods)


def read_order(path: Path, seed: int, size: int, *, every: bool) -> tuple[int, ...]:
    """Column `seed_N` for this seed: positions in a list of `size`, from 0. With `every` each of
    them exactly once. Cells at the end may be empty. Raises UserError."""
    column = f"seed_{seed}"
    rows = [row for row in _rows(path, (column,)) if row.text(column)]
    found = [row.number(column, most=size - 1) for row in rows]
    if every and (len(found) != size or len(set(found)) != size):
        fault = f"does not name each of the {size} rows once."
        raise UserError(FieldFault(f"{path.name}: {column}", fault))
    if not found:
        raise UserError(FieldFault(f"{path.name}: {column}", "is empty."))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    number_of_row: int
    cells: dict[str, str]

    def text(self, field: str, default: str = "") -> str:
        return (self.cells.get(field) or default).strip()

    def number(self, field: str, *, most: int = MOST) -> int:
        text = self.text(field)
        try:
            value = float(text)
            whole = int(value)
        except (ValueError, OverflowError):
            raise self.fault(field, f"is {text!r}.", f"A whole number, 0 to {most}.") from None
        if value != whole or not 0 <= whole <= most:
            raise self.fault(field, f"is {text}.", f"A whole number, 0 to {most}.")
        return whole

    def fault(self, field: str, message: str, remedy: str = "") -> UserError:
        where = f"{self.file}: row {self.number_of_row}: {field}"
        return UserError(FieldFault(where, message, remedy))


def _rows(path: Path, fields: Sequence[str]) -> Iterator[_Row]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or ()
            for field in fields:
                if field not in names:
                    remedy = f"The first row should name: {', '.join(fields)}."
                    raise UserError(
                        FieldFault(f"{path.name}: row 1: {field}", "is missing.", remedy)
                    )
            number = 1
            for cells in reader:
                number = reader.line_num
                if None in cells or None in cells.values():
                    fault = f"has not the {len(names)} cells of the first row."
                    raise UserError(FieldFault(f"{path.name}: row {number}", fault))
                yield _Row(path.name, number, cells)
            if number == 1:
                raise UserError(FieldFault(path.name, "has no rows below the first."))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(FieldFault(str(path), f"cannot be read: {reason}.")) from error
