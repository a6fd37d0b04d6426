"""Finds what was done to the audit trail behind Podium's back. The server walks its database with
it, the command line an exported file.

A change that leaves the hashes as they are breaks the chain at that entry. One that makes all later
hashes anew no longer fits the signed seals: then the first wrong entry is between two seals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from podium.domain.audit import Link, Place, Removal, Seal, chained, read_break
from podium.domain.signature import is_signed

FAULTS_MAX = 100


class FaultKind(StrEnum):
    CHANGED = "changed"  # one entry, or what stood before it
    MISSING = "missing"
    INSERTED = "inserted"  # after the end
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"  # with all hashes after it
    UNSIGNED = "unsigned"  # a seal or removal that no known key made
    SEAL_REMOVED = "seal_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong, in which entries (both included)."""

    kind: FaultKind
    first_seq: int
    last_seq: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`entries` were looked at, and `unsealed` of them are after the last seal, where only the
    chain speaks for them. `excused` are faults from before a break that an administrator declared;
    of both kinds of faults the first hundred are named."""

    entries: int
    first_seq: int
    last_seq: int
    sealed_seq: int
    unsealed: int
    seals: int
    fault_count: int
    faults: tuple[Fault, ...]
    excused: tuple[Fault, ...] = ()
    breaks: tuple[Seal, ...] = ()
    removal: Removal | None = None

    @property
    def ok(self) -> bool:
        return not self.fault_count


@dataclass(slots=True)
class Verifier:
    """Takes entries in their order, in as many pieces as one likes; `finish` says what was found.

    `keys` are the public keys that are trusted, by id. `elsewhere` are seals that were kept outside
    the database. A chain that does not begin at its beginning needs a seal there, unless
    `trusting`.
    """

    keys: Mapping[str, bytes]
    seals: Iterable[Seal]
    elsewhere: Iterable[Seal] = ()
    removal: Removal | None = None
    start: Place = field(default_factory=Place)
    trusting: bool = False
    _at: Place = field(init=False, default_factory=Place)
    _sealed: dict[int, list[Seal]] = field(init=False, default_factory=dict)
    _breaks: list[Seal] = field(init=False, default_factory=list)
    _good_seq: int = field(init=False, default=0)
    _gap: tuple[int, int] | None = field(init=False, default=None)
    _rewritten: bool = field(init=False, default=False)
    _broken: bool = field(init=False, default=False)
    _vouched: bool = field(init=False, default=False)
    _first_seq: int = field(init=False, default=0)
    _entries: int = field(init=False, default=0)
    _unsealed: int = field(init=False, default=0)
    _seen: int = field(init=False, default=0)
    _faults: list[Fault] = field(init=False, default_factory=list)
    _excused: list[Fault] = field(init=False, default_factory=list)
    _count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        removal = self.removal
        if removal is not None:
            if self.start.seq < removal.last_seq:
                self.start = removal.place
            if not self._signed(removal):
                self._fault(
                    FaultKind.UNSIGNED, removal.first_seq, removal.last_seq,
                    f"The record that entries up to {removal.last_seq} were removed is not signed "
                    "by a known key.",
                )  # fmt: skip
        self._at = self.start
        self._good_seq = self.start.seq
        self._sort()
        begins = Place() if removal is None else removal.place
        if self.start not in (begins, Place()) and not self.trusting and not self._vouched:
            self._fault(
                FaultKind.UNSIGNED, self.start.seq, self.start.seq,
                f"No seal vouches for the beginning, after entry {self.start.seq}.",
            )  # fmt: skip

    def take(self, links: Sequence[Link]) -> None:
        """The next entries, oldest first."""
        before, last = self._at.hash, self._at.seq
        sealed = self._sealed
        for link in links:
            seq, digest = link[0], link[12]
            if chained(before, *link[:12]) != digest:
                self._unchained(last, seq)
            elif seq != last + 1 and self._gap is None:
                # Numbers may be missing from before there was a chain; seals tell.
                self._gap = (last + 1, seq - 1)
            self._unsealed += 1
            before, last = digest, seq
            if seq in sealed:
                self._at = Place(seq=seq, hash=digest)
                self._sealed_here(sealed.pop(seq))
        if links and not self._entries:
            self._first_seq = links[0][0]
        self._entries += len(links)
        self._at = Place(seq=last, hash=before)

    def finish(self, head: Place | None = None) -> Verdict:
        """`head` is what the database says is the end of the chain."""
        last = self._at.seq
        left = sorted(seq for seq in self._sealed if seq > last)
        if left and head is not None and head.seq > last:
            left[-1] = max(left[-1], head.seq)
        if left:
            self._fault(
                FaultKind.TRUNCATED, last + 1, left[-1],
                f"The trail ends with entry {last}, but it was sealed through entry {left[-1]}: "
                "what came after was removed.",
            )  # fmt: skip
        elif head is not None and head.seq > last:
            self._fault(
                FaultKind.TRUNCATED, last + 1, head.seq,
                f"The trail ends with entry {last}, but entries were written up to {head.seq}: "
                "what came after was removed.",
            )  # fmt: skip
        elif head is not None and head.seq < last:
            self._fault(
                FaultKind.INSERTED, head.seq + 1, last,
                f"Entries {head.seq + 1} to {last} were not written by Podium.",
            )  # fmt: skip
        elif head is not None and head.hash != self._at.hash:
            self._fault(
                FaultKind.REWRITTEN, self._good_seq + 1, last,
                f"Entry {last} is not the one that was written last.",
            )  # fmt: skip
        passed = sorted(seq for seq in self._sealed if self.start.seq < seq <= last)
        for seq in passed:
            self._fault(
                FaultKind.MISSING, seq, seq, f"Entry {seq} was sealed, but it is not there."
            )
        self._faults.sort(key=lambda each: each.first_seq)
        self._excused.sort(key=lambda each: each.first_seq)
        return Verdict(
            entries=self._entries,
            first_seq=self._first_seq,
            last_seq=last,
            sealed_seq=self._good_seq,
            unsealed=self._unsealed,
            seals=self._seen,
            fault_count=self._count,
            faults=tuple(self._faults),
            excused=tuple(self._excused),
            breaks=tuple(self._breaks),
            removal=self.removal,
        )

    def _sort(self) -> None:
        """Which seals speak for which entry, without those that a break has overtaken."""
        stored = list(self.seals)
        kept = list(self.elsewhere)
        known = {(each.seq, each.kind, each.signature) for each in stored}
        every = stored + [
            each for each in kept if (each.seq, each.kind, each.signature) not in known
        ]
        self._breaks = [each for each in every if each.kind == "break" and self._signed(each)]

        def overtaken(seal: Seal) -> bool:
            return any(
                each.seq < seal.seq and seal.at_ms < each.at_ms
                for each in self._breaks
                if each is not seal
            )

        for seal in every:
            if seal.seq >= self.start.seq and not overtaken(seal):
                self._sealed.setdefault(seal.seq, []).append(seal)
        self._sealed_here(self._sealed.pop(self.start.seq, ()))
        for seal in kept:
            gone = (seal.seq, seal.kind, seal.signature) not in known
            if gone and seal.seq > self.start.seq and not overtaken(seal):
                self._fault(
                    FaultKind.SEAL_REMOVED, seal.seq, seal.seq,
                    f"The seal over the entries through {seal.seq} was removed or changed in the "
                    "database.",
                )  # fmt: skip

    def _sealed_here(self, seals: Iterable[Seal]) -> None:
        seq = self._at.seq
        for seal in seals:
            self._seen += 1
            if not self._signed(seal):
                self._fault(
                    FaultKind.UNSIGNED, seq, seq,
                    f"The seal over the entries through {seq} is not signed by a known key.",
                )  # fmt: skip
            elif seal.hash == self._at.hash:
                if seal.kind == "break":
                    self._rewritten = False
                self._good_seq, self._unsealed, self._gap = seq, 0, None
                self._vouched = True
                self._broken = False
            elif self._rewritten or self._broken:
                self._rewritten = True  # told already, and nothing after it can fit
            else:
                self._rewritten = True
                first, last = self._gap or (self._good_seq + 1, seq)
                what = (
                    f"Entries {first} to {last} are missing, and those after them were made to fit"
                    if self._gap
                    else f"Something in entries {first} to {last} was changed, and the hashes "
                    "after it were made to fit"
                )
                self._fault(
                    FaultKind.REWRITTEN, first, last,
                    f"{what}: they no longer match the seal through {seq}.",
                )  # fmt: skip

    def _unchained(self, last: int, seq: int) -> None:
        self._broken = True
        if seq > last + 1:
            missing = f"entry {seq - 1} is" if seq == last + 2 else f"{last + 1} to {seq - 1} are"
            self._fault(
                FaultKind.MISSING, last + 1, seq - 1,
                f"Entry {seq} does not follow entry {last}: {missing} missing.",
            )  # fmt: skip
        else:
            self._fault(
                FaultKind.CHANGED, seq, seq,
                f"Entry {seq} does not fit entry {last}: it was changed, or entry {last} was, with "
                "its hash.",
            )  # fmt: skip

    def _signed(self, record: Seal | Removal) -> bool:
        return is_signed_by(self.keys, record)

    def _fault(self, kind: FaultKind, first_seq: int, last_seq: int, sentence: str) -> None:
        fault = Fault(kind=kind, first_seq=first_seq, last_seq=last_seq, sentence=sentence)
        excused = any(read_break(each.note).excuses(first_seq) for each in self._breaks)
        self._count += not excused
        faults = self._excused if excused else self._faults
        if len(faults) < FAULTS_MAX:
            faults.append(fault)


def is_signed_by(keys: Mapping[str, bytes], record: Seal | Removal) -> bool:
    """Whether one of these public keys, by id, made the signature."""
    key = keys.get(record.key_id)
    return key is not None and is_signed(key, record.message, record.signature)
