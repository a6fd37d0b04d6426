"""One cycle as bytes, so that it can be decided again anywhere: what the scheduler saw, when, and
the digest of what it said. The scheduler keeps them, and `podium replay` reads them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.scheduling.replay.coding import Reader, RecordError, Writer, as_it_is, rows_of, text_of
from podium.scheduling.replay.trail import Step, followed
from podium.scheduling.snapshot import Snapshot

Value = TypeVar("Value")

FORMAT = 1
UNPACKED_MAX_BYTES = 2**30
_LEVEL = 6
_REFUSED_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`version` is that of the program which decided. With `plan`, a replay can say where it
    differs and not only that it does; without `refusals_kept` the plan lacks its refusals."""

    snapshot: Snapshot
    now_ms: int
    seed: int
    version: str
    digest: str
    plan: Plan | None = None
    refusals_kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What deciding again has shown. `difference` is the first, in words, or ""."""

    plan: Plan
    digest: str
    same: bool
    difference: str


def recorded(
    snapshot: Snapshot, now_ms: int, seed: int, version: str, plan: Plan, *, whole: bool = False
) -> Record:
    """With the plan itself if `whole`; it may be as large as the snapshot."""
    return Record(
        snapshot=snapshot,
        now_ms=now_ms,
        seed=seed,
        version=version,
        digest=plan.digest(),
        plan=plan if whole else None,
    )


def packed(record: Record) -> bytes:
    """Compressed JSON; equal records give equal bytes."""
    return b"".join(packed_in_pieces(record))


def packed_in_pieces(record: Record) -> Iterator[bytes]:
    """The same, with little work before each piece (which may be empty): for a caller who lets
    others run in between."""
    zipper = zlib.compressobj(_LEVEL)
    for text in _texts(record):
        yield zipper.compress(text.encode())
    yield zipper.flush()


def packed_value(value: object) -> bytes:
    """A single value of those that records are made of."""
    writer = Writer()
    body = {
        "format": FORMAT,
        "value": writer.of(type(value))(value),
        "repeated": writer.repeated,
        "fields": writer.fields,
    }
    return zlib.compress(text_of(body).encode(), _LEVEL)


def unpacked_value(kind: type[Value], packed_bytes: bytes) -> Value:
    """What `packed_value` wrote. RecordError."""

    def read(body: Mapping[str, Any]) -> Value:
        found: Value = Reader(body["fields"], body["repeated"]).of(kind)(body["value"])
        return found

    return _read(packed_bytes, read)


def slim(plan: Plan) -> Plan:
    """The plan as it is kept: without its refusals where they are many, nearly all of it then."""
    if sum(len(each.workload_ids) for each in plan.refusals) <= _REFUSED_MAX:
        return plan
    return replace(plan, refusals=())


def rebuilt(
    keyframe: bytes,
    steps: Iterable[bytes],
    plan: bytes,
    *,
    now_ms: int,
    seed: int,
    version: str,
    digest: str,
    refused: int,
) -> Record:
    """The record of a cycle from that of an earlier one, the steps from there to it, and its plan,
    which was `slim`; `refused` counts the workloads that it refused. RecordError."""
    before = unpacked(keyframe).snapshot
    known = unpacked_value(Plan, plan)
    return Record(
        snapshot=followed(before, (unpacked_value(Step, each) for each in steps)),
        now_ms=now_ms,
        seed=seed,
        version=version,
        digest=digest,
        plan=known,
        refusals_kept=bool(known.refusals) or refused == 0,
    )


def unpacked(packed_bytes: bytes) -> Record:
    """What `packed` wrote. RecordError."""

    def read(body: Mapping[str, Any]) -> Record:
        reader = Reader(body["fields"], body["repeated"])
        plan = body["plan"]
        return Record(
            snapshot=reader.of(Snapshot)(body["snapshot"]),
            now_ms=body["now_ms"],
            seed=body["seed"],
            version=body["version"],
            digest=body["digest"],
            plan=None if plan is None else reader.of(Plan)(plan),
            refusals_kept=body.get("refusals_kept", True),
        )

    return _read(packed_bytes, read)


def replayed(record: Record) -> Replay:
    """Decides again."""
    plan = decide(record.snapshot, record.now_ms, record.seed)
    digest = plan.digest()
    same = digest == record.digest
    difference = ""
    if not same:
        difference = "The plan differs; the record holds only the digest of the first one."
        if record.plan is not None and record.refusals_kept:
            difference = first_difference(record.plan, plan)
        elif record.plan is not None:
            difference = (
                first_difference(record.plan, replace(plan, refusals=()))
                or "Who is refused, or why, differs; those were too many to be kept in the record."
            )
    return Replay(plan=plan, digest=digest, same=same, difference=difference)


def first_difference(one: Plan, other: Plan) -> str:
    """Where two plans part first, in words; "" when they are equal."""
    for field in fields(Plan):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if mine == theirs:
            continue
        if not isinstance(mine, tuple):
            return f"{field.name}: {mine} was decided, now {theirs}."
        noun = field.name.rstrip("s").replace("_", " ")
        for at, (before, after) in enumerate(zip(mine, theirs, strict=False), start=1):
            if before != after:
                return f"{noun} {at}: {before} was decided, now {after}."
        at = min(len(mine), len(theirs))
        if len(mine) > len(theirs):
            return f"{noun} {at + 1}: {mine[at]} was decided, now there is none."
        return f"{noun} {at + 1}: now there is {theirs[at]}, which was not decided."
    return ""


def _read(packed_bytes: bytes, read: Callable[[Mapping[str, Any]], Value]) -> Value:
    try:
        unzip = zlib.decompressobj()
        text = unzip.decompress(packed_bytes, UNPACKED_MAX_BYTES)
        if not unzip.eof:
            raise RecordError("The record is incomplete, or larger than any record is.")
        body = json.loads(text)
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            raise RecordError("The record is of a format that this version does not know.")
        return read(body)
    except RecordError:
        raise
    except (zlib.error, ValueError, TypeError, KeyError, IndexError, AssertionError) as error:
        raise RecordError("The file is not a record of a cycle, or it is damaged.") from error


def _texts(record: Record) -> Iterator[str]:
    """JSON in parts. What is repeated is known last, so it stands last."""
    writer = Writer()
    yield "{"
    for name in ("digest", "now_ms", "refusals_kept", "seed", "version"):
        yield f"{text_of(name)}:{text_of(getattr(record, name))},"
    yield f'"format":{FORMAT},"snapshot":'
    yield from writer.texts(record.snapshot)
    yield ',"plan":'
    if record.plan is None:
        yield "null"
    else:
        yield from writer.texts(record.plan)
    yield f',"fields":{text_of(writer.fields)},"repeated":{{'
    for number, (name, rows) in enumerate(sorted(writer.repeated.items())):
        yield f"{',' if number else ''}{text_of(name)}:"
        yield from rows_of(rows, as_it_is)
    yield "}}"
