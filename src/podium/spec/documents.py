"""Bytes that a person sends → plain documents, from YAML or JSON, with every size bounded.

`spec/workload.py` offers this to `api/` and `cli/`. YAML is read as version 1.2 reads it: only
`true` and `false` are booleans, times stay text, and a number whose digits would change when
written again (`2.10`, `010`, `1e3`) stays text, so that a version in `env` is never altered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import yaml

from podium.domain.errors import FieldFault, UserError
from podium.spec.faults import described, shown

SPEC_BYTES_MAX = 2**20
DEPTH_MAX = 32
ALIASED_CHARACTERS_MAX = 2**18
"""How much all aliases (`*name`) of one document may repeat."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})\.[0-9]{1,17}")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def load_documents(
    body: bytes, *, content_type: str = "application/yaml"
) -> list[dict[str, object]]:
    """The documents of a body, each a map with text keys; empty YAML documents are skipped.

    A JSON body is one object, or an array of them. Raises UserError with line and column.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise _refusal(
            f"Byte {error.start + 1} (line {line}) is not valid UTF-8.",
            "Save the file as UTF-8 text.",
        ) from None
    if content_type.partition(";")[0].strip().lower().endswith("json"):
        loaded = _json(text)
        values = loaded if isinstance(loaded, list) else [loaded]
    else:
        values = [value for value in _yaml(text) if value is not None]
    if not values:
        raise _refusal("There is no workload in it.", "Write at least name and command.")
    documents: list[dict[str, object]] = []
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            which = f"Document {number}" if len(values) > 1 else "The document"
            raise _refusal(
                f"{which} is {described(value)}; a workload is a map of fields.",
                "Begin with lines such as 'name: my-workload'.",
            )
        documents.append(value)
    return documents


def _refusal(message: str, remedy: str = "") -> UserError:
    return UserError(FieldFault("", message, remedy))


def _json(text: str) -> object:
    try:
        loaded = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_float=_written_number,
            parse_int=_written_number,
            parse_constant=_not_json,
        )
    except json.JSONDecodeError as error:
        raise _refusal(
            f"The JSON is broken at line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None
    except RecursionError:
        raise _too_deep() from None
    level: list[object] = [loaded]
    for _ in range(DEPTH_MAX + 1):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        if not inner:
            return loaded
        level = inner
    raise _too_deep()


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _refusal(f"The field '{shown(key)}' is there twice.", "Keep one of them.")
            seen.add(key)
    return document


def _not_json(word: str) -> object:
    raise _refusal(f"{word} is not a JSON value.", "Write a finite number.")


def _written_number(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text) if text != "-0" else text
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number if repr(number) == text else text
    return text


def _too_deep() -> UserError:
    return _refusal(f"It is nested more than {DEPTH_MAX} levels deep.", "A workload needs four.")


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not come yet. `size` is in characters, aliases written out."""

    value: list[object] | dict[str, object]
    anchor: str | None
    key: str | None = None
    size: int = 1


@dataclass(slots=True)
class _Builder:
    """Makes documents from the parser's events; no recursion, so depth costs no stack."""

    documents: list[object] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[object, int]] = field(default_factory=dict)
    aliased: int = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._add(_scalar(event), event, 1 + len(event.value), event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = self.open.pop()
            self._add(done.value, event, done.size, done.anchor)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.anchors.clear()
            self.aliased = 0

    def _begin(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        listed = isinstance(event, yaml.SequenceStartEvent)
        if event.tag not in (None, "!", _CORE_TAG + ("seq" if listed else "map")):
            raise _tag_refusal(event)
        if len(self.open) == DEPTH_MAX:
            raise _too_deep()
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise _refusal(f"{_place(event)}: a field's name must be text.")
        self.open.append(_Open([] if listed else {}, event.anchor))

    def _alias(self, event: yaml.AliasEvent) -> None:
        known = self.anchors.get(event.anchor or "")
        if known is None:
            raise _refusal(
                f"{_place(event)}: '*{shown(event.anchor)}' stands for nothing that came before."
            )
        value, size = known
        self.aliased += size
        if self.aliased > ALIASED_CHARACTERS_MAX:
            raise _refusal("Its aliases ('*') repeat too much.", "Write out what they stand for.")
        self._add(value, event, size, None)

    def _add(self, value: object, event: yaml.Event, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = (value, size)
        if not self.open:
            self.documents.append(value)
            return
        top = self.open[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            key = event.value if isinstance(event, yaml.ScalarEvent) else value
            if not isinstance(key, str):
                raise _refusal(f"{_place(event)}: a field's name must be text.")
            if key in top.value:
                raise _refusal(
                    f"{_place(event)}: the field '{shown(key)}' is there twice.",
                    "Keep one of them.",
                )
            top.key = key
        else:
            top.value[top.key] = value
            top.key = None


def _yaml(text: str) -> list[object]:
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        raise _refusal(
            f"The YAML holds a control character near line {before.count(chr(10)) + 1}.",
            "Remove it, or write it in double quotes as \\xNN.",
        ) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_refusal(error, text) from None
    return builder.documents


def _syntax_refusal(error: yaml.MarkedYAMLError, text: str) -> UserError:
    mark = error.problem_mark or error.context_mark
    problem = shown(error.problem or error.context or "it cannot be read")
    if mark is None:
        return _refusal(f"The YAML is broken: {problem}.")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        remedy = "Indent with spaces; YAML allows no tabs there."
    elif "mapping values are not allowed" in problem:
        remedy = "Put a text that holds ': ' in quotes, and check the indentation."
    else:
        remedy = "Check the quotes, the brackets and the indentation there."
    return _refusal(
        f"The YAML is broken at line {mark.line + 1}, column {mark.column + 1}: {problem}.", remedy
    )


def _scalar(event: yaml.ScalarEvent) -> object:
    text = event.value
    if event.tag == "!":
        return text
    if event.tag is not None:
        kind = event.tag.removeprefix(_CORE_TAG)
        if kind == "str":
            return text
        if kind not in ("int", "float", "bool", "null"):
            raise _tag_refusal(event)
    elif not event.implicit[0]:
        return text
    return _WORDS[text] if text in _WORDS else _written_number(text)


def _tag_refusal(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> UserError:
    return _refusal(f"{_place(event)}: the tag '{shown(event.tag)}' is not allowed.", "Remove it.")


def _place(event: yaml.Event) -> str:
    mark = event.start_mark
    return f"Line {mark.line + 1}, column {mark.column + 1}" if mark else "In the YAML"
