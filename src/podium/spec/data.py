"""The data sources that a spec asks for, and the class that it gives its own output.
`spec/workload` builds with it."""

from __future__ import annotations

import re
from functools import partial

from podium.domain.data import Classification, DataUse, Mode
from podium.domain.errors import FieldFault
from podium.domain.identity import NAME_LENGTH_MAX, name_fault
from podium.spec.faults import FieldError, described, each
from podium.spec.fields import read_choice, read_fields, read_list, read_text

DATA_MAX = 32
_PATH_BYTES_MAX = 1024
_PATH = re.compile(r"/[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
# What programs and Podium itself need as it is; everything else at the top may be covered.
_CLOSED = frozenset(
    {
        "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "nix", "opt",
        "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var",
    }
)  # fmt: skip

DATA_SCHEMA: dict[str, object] = {
    "type": "array",
    "maxItems": DATA_MAX,
    "items": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "properties": {
                    "source": {
                        "type": "string",
                        "description": "The source's name; that of another project as "
                        "PROJECT/NAME.",
                    },
                    "path": {
                        "type": ["string", "null"],
                        "description": "Where the work sees it; /data/NAME when left out.",
                    },
                    "mode": {
                        "type": ["string", "null"],
                        "enum": [*map(str, Mode), None],
                        "description": "ro to read, rw to write too; ro when left out.",
                    },
                },
                "required": ["source"],
                "additionalProperties": False,
            },
        ]
    },
}

read_classification = partial(read_choice, names=tuple(Classification))
_read_mode = partial(read_choice, names=tuple(Mode))


def read_data(value: object) -> tuple[DataUse, ...]:
    """Names, or maps `{source, path, mode}`."""
    entries = read_list(value, length_max=DATA_MAX, example="[{source: scans, path: /data/scans}]")
    uses = tuple(each(((str(i), entry) for i, entry in enumerate(entries)), _use))
    faults: list[FieldFault] = []
    for i, use in enumerate(uses):
        for other in uses[:i]:
            if use.source == other.source:
                faults.append(
                    FieldFault(f"{i}.source", f"is '{use.source}' a second time.", "Keep one.")
                )
            elif use.variable == other.variable:
                faults.append(
                    FieldFault(
                        f"{i}.source",
                        f"has the same name as '{other.source}', so both would have the variable "
                        f"{use.variable}.",
                        "Keep one.",
                    )
                )
            elif _overlap(use.path, other.path):
                faults.append(
                    FieldFault(
                        f"{i}.path",
                        f"is {use.path}, and '{other.source}' is at {other.path}.",
                        "Give each a path of its own, none inside the other.",
                    )
                )
    if faults:
        raise FieldError(faults=faults)
    return uses


def write_data(uses: tuple[DataUse, ...]) -> list[dict[str, str]]:
    """As `read_data` reads it back."""
    return [{"source": use.source, "path": use.path, "mode": use.mode.value} for use in uses]


def _use(entry: object) -> DataUse:
    if isinstance(entry, str):
        name = _source(entry)
        return DataUse(name, _default_path(name))
    fields = read_fields(
        entry,
        {"source": _source, "path": _path, "mode": _read_mode},
        defaults={"path": None, "mode": Mode.READ_ONLY},
    )
    name, path = str(fields["source"]), fields["path"]
    mode = Mode.READ_ONLY if fields["mode"] is None else Mode(str(fields["mode"]))
    return DataUse(name, _default_path(name) if path is None else str(path), mode)


def _source(value: object) -> str:
    wrong = not isinstance(value, str) or value.count("/") > 1
    if not wrong:
        wrong = any(name_fault(part) is not None for part in str(value).split("/"))
    if wrong:
        raise FieldError(
            f"is {described(value)}, which is not a data source's name.",
            f"Write its name, up to {NAME_LENGTH_MAX} lower-case letters, digits and hyphens, or "
            "PROJECT/NAME. See: podium data ls",
        )
    return str(value)


def _path(value: object) -> str | None:
    if value is None:
        return None
    path = read_text(value, bytes_max=_PATH_BYTES_MAX, what="path")
    parts = path.split("/")[1:]
    if ".." in parts or "." in parts:
        raise FieldError("goes through '.' or '..'.", "Write the path without it.")
    if _PATH.fullmatch(path) is None:
        raise FieldError(
            f"is {described(path)}, which is not a plain whole path.",
            "Write it like /data/scans, of letters, digits, '.', '_' and '-'.",
        )
    if parts[0] in _CLOSED:
        raise FieldError(
            f"is in /{parts[0]}, which belongs to the system.",
            "Choose a path such as /data/scans or /mnt/scans.",
        )
    return path


def _default_path(source: str) -> str:
    return f"/data/{source.rpartition('/')[2]}"


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
