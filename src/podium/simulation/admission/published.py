"""Reads what Kueue published for a generator: limits, and the means in their comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from podium.domain.errors import FieldFault, UserError
from podium.simulation.document import file_bytes

_SECTION = re.compile(r"([A-Za-z]\w*):\s*(#.*)?")
_VALUE = re.compile(r"\s+([\w.-]+):\s*([\d_]+(?:\.\d+)?)\b[^#]*(?:#(.*))?")
_BESIDE = re.compile(r"\s*(?:mean\s*=\s*)?(\d+(?:\.\d+)?)\s*(?:ms)?\b")
_ABOVE = re.compile(r"#.*(?:[Aa]verage value\s+|mean\s*=\s*)(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A limit that a run must keep, and the mean of earlier runs where a comment tells it."""

    limit: float
    mean: float | None

    @property
    def best(self) -> float:
        return self.limit if self.mean is None else self.mean


@dataclass(frozen=True, slots=True)
class Published:
    """`wall_ms` of the whole run, and `to_admission_ms` by class of workload."""

    wall_ms: Figure | None
    to_admission_ms: Mapping[str, Figure]


def read_published(path: Path) -> Published:
    """Raises UserError for a file without a limit by class."""
    sections: dict[str, dict[str, Figure]] = {}
    section, above = "", None
    for line in file_bytes(path).decode("utf-8", errors="replace").splitlines():
        head, value = _SECTION.fullmatch(line.rstrip()), _VALUE.fullmatch(line.rstrip())
        if head is not None:
            section, above = head[1], None
        elif value is not None:
            beside = _BESIDE.match(value[3] or "")
            mean = beside[1] if beside else above
            limit = float(value[2].replace("_", ""))
            figure = Figure(limit, None if mean is None else float(mean))
            sections.setdefault(section, {})[value[1]] = figure
            above = None
        elif (told := _ABOVE.search(line)) is not None:
            above = told[1]
    classes = sections.get("wlClassesMaxAvgTimeToAdmissionMs", {})
    if not classes:
        wrong = "has no wlClassesMaxAvgTimeToAdmissionMs with a value by class."
        raise UserError(FieldFault(path.name, wrong, "Give the rangespec beside the generator."))
    return Published(sections.get("cmd", {}).get("maxWallMs"), classes)
