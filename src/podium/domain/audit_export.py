"""Verifies an exported audit trail without a server. The command line and the SDK call it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from podium.domain.audit import Link, Place, Seal
from podium.domain.audit_lines import (
    FORMAT,
    FORMAT_VERSION,
    BadLineError,
    read_entry,
    read_lines,
    read_removal,
    read_seal,
)
from podium.domain.audit_verify import Fault, FaultKind, Verdict, Verifier
from podium.domain.signature import key_id, read_key

_SLICE = 5_000
_CHOSEN_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportVerdict:
    """`trusted` is false where only the key in the file itself was at hand: then the file agrees
    with itself, which proves nothing about who made it."""

    verdict: Verdict
    key_ids: tuple[str, ...]
    trusted: bool
    exported_at_ms: int
    sealed_at_ms: int | None


def verify_export(lines: Iterable[str], public_keys: Sequence[bytes] = ()) -> ExportVerdict:
    """Raises BadLineError for what is no whole export."""
    records = read_lines(iter(lines))
    header = next(records, {})
    if header.get("kind") != "header" or header.get("format") != FORMAT:
        raise BadLineError("This is not an export of the audit trail.")
    if header.get("version") != FORMAT_VERSION:
        raise BadLineError("A newer version of Podium made this export. Verify it with that one.")
    if not header.get("whole"):
        raise BadLineError(_extract(header))
    keys = {key_id(key): key for key in public_keys} or _own_key(header)
    try:
        start = Place(seq=int(header["start_seq"]), hash=bytes.fromhex(header["start_hash"]))
        exported_at_ms = int(header["at_ms"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadLineError("The first line of the export cannot be read.") from error
    removal = header.get("removal")
    seals: list[Seal] = []
    first: Mapping[str, Any] | None = None
    for first in records:
        if first["kind"] not in ("seal", "break"):
            break
        seals.append(read_seal(first))
    else:
        first = None
    verifier = Verifier(
        keys=keys,
        seals=seals,
        removal=None if removal is None else read_removal(removal),
        start=start,
    )
    whole = _take(verifier, first, records)
    verdict = verifier.finish()
    sealed = [each.at_ms for each in seals if each.seq == verdict.sealed_seq]
    return ExportVerdict(
        verdict=verdict if whole else _cut_off(verdict),
        key_ids=tuple(sorted(keys)),
        trusted=bool(public_keys),
        exported_at_ms=exported_at_ms,
        sealed_at_ms=max(sealed, default=None),
    )


def _extract(header: Mapping[str, Any]) -> str:
    filters = header.get("filters")
    named = filters if isinstance(filters, Mapping) else {}
    chosen = ", ".join(f"{name}={named[name]}" for name in sorted(named))
    which = f"only entries that fit {chosen[:_CHOSEN_MAX]}" if chosen else "only some entries"
    return (
        f"This export holds {which}, and the chain runs through all of them: nobody can tell from "
        "this file whether something was changed or left out. Export the whole trail, or a span of "
        "time, to verify it: podium audit export FILE"
    )


def _take(
    verifier: Verifier, first: Mapping[str, Any] | None, rest: Iterator[Mapping[str, Any]]
) -> bool:
    """Whether the file has an end, which counts as many entries as there were."""
    taken: list[Link] = []
    count = 0
    record = first
    while record is not None:
        if record["kind"] == "end":
            verifier.take(taken)
            return bool(record.get("entries") == count)
        if record["kind"] != "entry":
            raise BadLineError(f"A line of kind {record['kind']} does not belong there.")
        taken.append(read_entry(record))
        count += 1
        if len(taken) >= _SLICE:
            verifier.take(taken)
            taken = []
        record = next(rest, None)
    verifier.take(taken)
    return False


def _cut_off(verdict: Verdict) -> Verdict:
    fault = Fault(
        kind=FaultKind.TRUNCATED,
        first_seq=verdict.last_seq + 1,
        last_seq=verdict.last_seq + 1,
        sentence=f"The file was cut off or has lines too many: it does not end as an export does, "
        f"after entry {verdict.last_seq}.",
    )
    return replace(verdict, fault_count=verdict.fault_count + 1, faults=(*verdict.faults, fault))


def _own_key(header: Mapping[str, Any]) -> dict[str, bytes]:
    try:
        key = read_key(str(header["public_key"]))
    except (KeyError, ValueError) as error:
        raise BadLineError(
            "The export does not name its key. Give it with --public-key."
        ) from error
    return {key_id(key): key}
