"""The scheduler's values as rows that JSON can hold, and back: `scheduling/replay/record` uses it.

Values are written by the types of their fields, each class with the names of its fields beside it,
so they are read by later versions, too: fields that a row does not have get their defaults.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from typing import Any, Union

from podium.domain.reason import Refusal
from podium.domain.resources import Request, Topology
from podium.scheduling.snapshot import Expected

_PIECE = 100  # values

_REPEATED = (Request, Topology, Expected, Refusal)
"""Values that many others have: each is written once."""


class RecordError(ValueError):
    """These bytes are no record, or one of a format that is not known here."""


Code = Callable[[Any], Any]


class _Coder:
    """Makes the code of each type once."""

    def __init__(self) -> None:
        self._known: dict[object, Code] = {}

    def of(self, hint: object) -> Code:
        found = self._known.get(hint)
        if found is None:
            found = self._known[hint] = self._made(hint)
        return found

    def _made(self, hint: object) -> Code:
        origin, inner = typing.get_origin(hint), typing.get_args(hint)
        if origin in (Union, types.UnionType):
            some = [each for each in inner if each is not type(None)]
            assert len(some) == 1 or all(each in (int, str, bool) for each in some), hint
            code = self.of(some[0]) if len(some) == 1 else as_it_is
            return lambda value: None if value is None else code(value)
        if origin is tuple:
            if len(inner) == 2 and inner[1] is Ellipsis:
                return self._many(self.of(inner[0]))
            return self._row([self.of(each) for each in inner])
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return self._choice(hint)
        if isinstance(hint, type) and is_dataclass(hint):
            return self._object(hint)
        assert hint in (int, str, bool, float), f"no code for {hint}"
        return as_it_is

    def _many(self, code: Code) -> Code:
        raise NotImplementedError

    def _row(self, codes: list[Code]) -> Code:
        raise NotImplementedError

    def _choice(self, choice: type[StrEnum]) -> Code:
        raise NotImplementedError

    def _object(self, kind: type[Any]) -> Code:
        raise NotImplementedError


class Writer(_Coder):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.repeated: dict[str, list[Any]] = {}

    def _many(self, code: Code) -> Code:
        return lambda value: [code(each) for each in value]

    def _row(self, codes: list[Code]) -> Code:
        return lambda value: [code(each) for code, each in zip(codes, value, strict=True)]

    def _choice(self, choice: type[StrEnum]) -> Code:
        return choice.__str__

    def texts(self, value: object) -> Iterator[str]:
        """Of one object as JSON, its longer fields in parts."""
        self.of(type(value))  # so that its fields are among those written
        hints = typing.get_type_hints(type(value))
        yield "["
        for number, field in enumerate(_kept(type(value))):
            hint, held = hints[field.name], getattr(value, field.name)
            inner = typing.get_args(hint)
            yield "," if number else ""
            if typing.get_origin(hint) is tuple and inner[-1] is Ellipsis:
                yield from rows_of(held, self.of(inner[0]))
            else:
                yield text_of(self.of(hint)(held))
        yield "]"

    def _object(self, kind: type[Any]) -> Code:
        hints = typing.get_type_hints(kind)
        named = [(field.name, self.of(hints[field.name])) for field in _kept(kind)]
        self.fields[kind.__name__] = [name for name, _ in named]

        def write(value: Any) -> list[Any]:
            return [code(getattr(value, name)) for name, code in named]

        if kind not in _REPEATED:
            return write
        numbers: dict[Any, int] = {}
        rows = self.repeated.setdefault(kind.__name__, [])

        def number(value: Any) -> int:
            found = numbers.get(value)
            if found is None:
                found = numbers[value] = len(numbers)
                rows.append(write(value))
            return found

        return number


class Reader(_Coder):
    def __init__(self, written: Mapping[str, list[str]], repeated: Mapping[str, list[Any]]) -> None:
        super().__init__()
        self._written = written
        self._repeated = repeated

    def _many(self, code: Code) -> Code:
        return lambda value: tuple([code(each) for each in value])

    def _row(self, codes: list[Code]) -> Code:
        return lambda value: tuple([code(each) for code, each in zip(codes, value, strict=True)])

    def _choice(self, choice: type[StrEnum]) -> Code:
        return choice

    def _object(self, kind: type[Any]) -> Code:
        hints = typing.get_type_hints(kind)
        known = {field.name: field for field in _kept(kind)}
        written = self._written.get(kind.__name__, [])
        for name in written:
            if name not in known:
                raise RecordError(
                    f"The record has a field that this version does not know: {kind.__name__} "
                    f"{name}. Replay it with the version that wrote it, or a later one."
                )
        missing = [name for name, field in known.items() if name not in written and _needed(field)]
        if missing and written:
            raise RecordError(f"The record lacks {kind.__name__} {missing[0]}.")
        named = [(name, self.of(hints[name])) for name in written]

        def read(value: Any) -> Any:
            row = zip(named, value, strict=True)
            return kind(**{name: code(each) for (name, code), each in row})

        if kind not in _REPEATED:
            return read
        found: list[Any] = []

        def numbered(value: Any) -> Any:
            rows = self._repeated[kind.__name__]
            while len(found) <= value:
                found.append(read(rows[len(found)]))
            return found[value]

        return numbered


def _kept(kind: type[Any]) -> list[Field[Any]]:
    return [field for field in fields(kind) if field.init]


def _needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def as_it_is(value: Any) -> Any:
    return value


def text_of(value: object) -> str:
    """Short JSON; equal values give equal texts."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def rows_of(values: Sequence[Any], code: Code) -> Iterator[str]:
    """A list as JSON, in parts."""
    yield "["
    for start in range(0, len(values), _PIECE):
        text = text_of([code(each) for each in values[start : start + _PIECE]])
        yield f"{',' if start else ''}{text[1:-1]}"
    yield "]"
