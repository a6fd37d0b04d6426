"""YAML files of simulations, with the line of each field, so that a fault can be found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from podium.domain.errors import FieldFault, UserError
from podium.spec.documents import load_documents
from podium.spec.faults import FieldError, bounded, shown

Read = TypeVar("Read")

BYTES_MAX = 64 * 2**20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. `lines` has the line, from 1, of each dotted field."""

    file: str
    fields: dict[str, object]
    lines: Mapping[str, int]

    def read(self, read: Callable[[object], Read]) -> Read:
        """`read` the whole; raises UserError that names file, line and field of each fault."""
        try:
            return read(self.fields)
        except FieldError as error:
            raise UserError(*bounded(self.placed(error.faults))) from None

    def placed(self, faults: Iterable[FieldFault]) -> list[FieldFault]:
        return [
            FieldFault(self._place(fault.field), fault.message, fault.remedy) for fault in faults
        ]

    def _place(self, field: str) -> str:
        """The line of the field, or of the nearest thing around it that is there."""
        known = field
        while known and known not in self.lines:
            known = known.rpartition(".")[0]
        return f"{self.file}, line {self.lines[known]}" + (f", {field}" if field else "")


def read_documents(path: Path) -> list[Document]:
    """At least one. Raises UserError for a file that cannot be read or is no YAML."""
    body = file_bytes(path)
    if not _begins_with_a_map(body):
        raise UserError(
            FieldFault(path.name, "does not begin with a map of fields.", "Write NAME: VALUE.")
        )
    try:
        values = load_documents(body)
        roots = [
            root
            for root in yaml.compose_all(body.decode("utf-8-sig"), Loader=_LOADER)
            if not _empty(root)
        ]
    except UserError as error:
        raise UserError(
            *(FieldFault(path.name, fault.message, fault.remedy) for fault in error.faults)
        ) from None
    except yaml.YAMLError as error:
        raise UserError(FieldFault(path.name, f"is no YAML: {shown(error)}.")) from None
    return [
        Document(path.name, fields, _lines(root))
        for fields, root in zip(values, roots, strict=True)
    ]


def read_document(path: Path) -> Document:
    """The only document of a file; raises UserError where there are more."""
    documents = read_documents(path)
    if len(documents) > 1:
        wrong = f"holds {len(documents)} documents."
        raise UserError(FieldFault(path.name, wrong, "Keep one; take out the lines of '---'."))
    return documents[0]


def file_bytes(path: Path) -> bytes:
    """Raises UserError for a file that cannot be read, or is too large to be meant."""
    try:
        size = path.stat().st_size
        if size > BYTES_MAX:
            wrong = f"has {size:,} bytes; the limit is {BYTES_MAX:,}."
            raise UserError(FieldFault(str(path), wrong, "Give a smaller file."))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UserError(FieldFault(str(path), f"cannot be read: {why}.")) from error


def _begins_with_a_map(body: bytes) -> bool:
    """True also of what is broken, for `load_documents` says that better."""
    try:
        for event in yaml.parse(body, Loader=_LOADER):
            if isinstance(event, yaml.MappingStartEvent):
                return True
            if isinstance(event, yaml.CollectionStartEvent | yaml.AliasEvent) or (
                isinstance(event, yaml.ScalarEvent) and event.value
            ):
                return False
    except (yaml.YAMLError, UnicodeDecodeError):
        return True
    return False


def _empty(root: yaml.Node | None) -> bool:
    """As `load_documents` passes over them."""
    return root is None or (
        isinstance(root, yaml.ScalarNode)
        and root.style is None
        and root.value in ("", "~", "null", "Null", "NULL")
    )


def _lines(root: yaml.Node) -> dict[str, int]:
    """Without recursion; `load_documents` has bounded what aliases repeat."""
    lines = {"": root.start_mark.line + 1}
    left: list[tuple[str, yaml.Node]] = [("", root)]
    while left:
        place, node = left.pop()
        before = f"{place}." if place else ""
        if isinstance(node, yaml.MappingNode):
            inner = [(str(key.value), key.start_mark, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            inner = [(str(at), value.start_mark, value) for at, value in enumerate(node.value)]
        else:
            continue
        for name, mark, value in inner:
            lines[f"{before}{name}"] = mark.line + 1
            left.append((f"{before}{name}", value))
    return lines
