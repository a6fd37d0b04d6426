"""The audit trail as JSON Lines: what an export is made of, and the file of seals beside the
database. The API writes exports, the command line verifies them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from podium.domain.audit import Link, Place, Removal, Seal

FORMAT = "podium-audit"
FORMAT_VERSION = 1
EXTRACT = "An extract: entries were left out, so the chain of this file cannot be verified."

_FIELDS = (
    "seq", "at_ms", "actor", "action", "subject", "project", "outcome", "detail", "source",
    "token_id", "user_agent", "request_id",
)  # fmt: skip
_TEXTS = _FIELDS[2:]


class BadLineError(ValueError):
    """A line that no export has; the message says why, for people."""


def header_line(
    *,
    key_id: str,
    public_key: str,
    start: Place,
    removal: Removal | None,
    whole: bool,
    at_ms: int,
    filters: Mapping[str, str] | None = None,
) -> str:
    """The first line. `whole` says that no entry was left out, so that the chain can be verified
    from `start` on; else the line says so in words, with the `filters` that left them out."""
    told: dict[str, Any] = {}
    if not whole:
        told = {"note": EXTRACT, "filters": dict(filters or {})}
    return _line(
        {
            "kind": "header", "format": FORMAT, "version": FORMAT_VERSION, "at_ms": at_ms,
            "key_id": key_id, "public_key": public_key, "whole": whole,
            "start_seq": start.seq, "start_hash": start.hash.hex(),
            "removal": None if removal is None else removal_record(removal), **told,
        }
    )  # fmt: skip


def entry_line(link: Link) -> str:
    record = dict(zip(_FIELDS, link[:12], strict=True))
    return _line({"kind": "entry", **record, "hash": link[12].hex()})


def seal_line(seal: Seal) -> str:
    return _line(seal_record(seal))


def end_line(seal: Seal | None, *, entries: int) -> str:
    """The last line, so that a file that was cut off is told apart; `seal` is the newest one."""
    return _line(
        {"kind": "end", "entries": entries, "seal": None if seal is None else seal_record(seal)}
    )


def seal_record(seal: Seal) -> dict[str, Any]:
    return {
        "kind": seal.kind, "seq": seal.seq, "hash": seal.hash.hex(), "at_ms": seal.at_ms,
        "note": seal.note, "key_id": seal.key_id, "signature": seal.signature.hex(),
    }  # fmt: skip


def removal_record(removal: Removal) -> dict[str, Any]:
    return {
        "first_seq": removal.first_seq, "last_seq": removal.last_seq, "entries": removal.entries,
        "hash": removal.hash.hex(), "at_ms": removal.at_ms, "key_id": removal.key_id,
        "signature": removal.signature.hex(),
    }  # fmt: skip


def read_lines(lines: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    """Each line's object. Raises BadLineError, which names the line."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
            raise BadLineError(f"Line {number} is not one of an audit export.")
        yield record


def read_entry(record: Mapping[str, Any]) -> Link:
    """Raises BadLineError."""
    try:
        texts = [record[name] for name in _TEXTS]
        link = (int(record["seq"]), int(record["at_ms"]), *texts, bytes.fromhex(record["hash"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadLineError(f"An entry cannot be read: {error}.") from error
    whole = all(isinstance(each, str) for each in texts if each is not record["project"])
    if not whole or not isinstance(record["project"], str | None):
        raise BadLineError(f"Entry {link[0]} has something other than text in it.")
    return link


def read_seal(record: Mapping[str, Any]) -> Seal:
    """Raises BadLineError."""
    try:
        if record["kind"] not in ("seal", "break"):
            raise BadLineError(f"A seal cannot be of kind {record['kind']}.")
        return Seal(
            seq=int(record["seq"]), hash=bytes.fromhex(record["hash"]),
            at_ms=int(record["at_ms"]), kind=record["kind"], note=str(record["note"]),
            key_id=str(record["key_id"]), signature=bytes.fromhex(record["signature"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise BadLineError(f"A seal cannot be read: {error}.") from error


def read_removal(record: Mapping[str, Any]) -> Removal:
    """Raises BadLineError."""
    try:
        return Removal(
            first_seq=int(record["first_seq"]), last_seq=int(record["last_seq"]),
            entries=int(record["entries"]), hash=bytes.fromhex(record["hash"]),
            at_ms=int(record["at_ms"]), key_id=str(record["key_id"]),
            signature=bytes.fromhex(record["signature"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise BadLineError(f"The record of what was removed cannot be read: {error}.") from error


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"
