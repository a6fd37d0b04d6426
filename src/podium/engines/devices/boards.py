"""Which GPUs to pretend: reads what `podium up --virtual-gpus` was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from podium.domain.errors import FieldFault, UserError
from podium.domain.mig import BOARDS, GIB, Board

COUNT_MAX = 1024
_FIELD = "--virtual-gpus"
_GROUP = re.compile(r"(?:(\d{1,9})\s*x\s*)?([A-Z][A-Z0-9-]*)(:MIG)?", re.IGNORECASE)
_BOARD_OF_TYPE = MappingProxyType({"A100": "A100-80GB", "H100": "H100-80GB"})
_GIB_OF_TYPE: Mapping[str, int] = MappingProxyType({"L4": 24, "L40S": 48, "T4": 16, "RTX4090": 24})
_GIB_OTHER = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBoard:
    """One GPU to pretend. `board` is None for a model without MIG; `mig` turns MIG on."""

    type: str
    memory_bytes: int
    board: Board | None = None
    mig: bool = False


def board_of_type(device_type: str) -> VirtualBoard:
    """The usual board of a type; one that is in no table has 80 GiB and no MIG."""
    word = device_type.upper()
    name = _BOARD_OF_TYPE.get(word) or next(
        (name for name in BOARDS if name.split("-")[0] == word), None
    )
    if name is not None:
        return _of_board(BOARDS[name])
    memory_bytes = _GIB_OF_TYPE.get(word, _GIB_OTHER) * GIB
    return VirtualBoard(type=device_type, memory_bytes=memory_bytes)


def virtual_boards(text: str, device_type: str) -> tuple[VirtualBoard, ...]:
    """`"8"` is eight of `device_type`; `"2xH100-80GB:mig,4xL4"` names boards or types, `:mig` turns
    MIG on. Raises UserError."""
    words = text.strip()
    if words.isdecimal():
        return _checked([board_of_type(device_type)], [int(words)])
    kinds, counts = [], []
    for part in words.split(","):
        match = _GROUP.fullmatch(part.strip())
        if match is None:
            raise _fault(f"{part.strip()!r} is not a number and not a group of GPUs.")
        count, name, mig = match.groups()
        kind = _named(name.upper())
        if mig and kind.board is None:
            raise _fault(f"{kind.type} has no MIG.")
        kinds.append(replace(kind, mig=bool(mig)))
        counts.append(1 if count is None else int(count))
    return _checked(kinds, counts)


def _named(name: str) -> VirtualBoard:
    if name in BOARDS:
        return _of_board(BOARDS[name])
    types = {board.split("-")[0] for board in BOARDS}
    if name in types or name in _GIB_OF_TYPE:
        return board_of_type(name)
    known = ", ".join([*BOARDS, *_GIB_OF_TYPE])
    raise UserError(FieldFault(_FIELD, f"There is no board {name}.", f"Known are {known}."))


def _of_board(board: Board) -> VirtualBoard:
    return VirtualBoard(type=board.name.split("-")[0], memory_bytes=board.memory_bytes, board=board)


def _checked(kinds: list[VirtualBoard], counts: list[int]) -> tuple[VirtualBoard, ...]:
    if sum(counts) > COUNT_MAX:
        raise _fault(f"{sum(counts):,} GPUs are more than {COUNT_MAX:,}.")
    return tuple(kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count))


def _fault(message: str) -> UserError:
    remedy = "Write a number, or groups such as 2xH100-80GB:mig,4xL4."
    return UserError(FieldFault(_FIELD, message, remedy))
