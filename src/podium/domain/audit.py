"""The law of the audit trail: how an entry is bound to the one before it, and what a signature
over the chain covers. Called by `store/audit`, the notary, and whoever verifies.

    hash(n) = SHA-256(hash(n-1) ‖ head ‖ texts)

`head` is `!B2q10I`: the version of this encoding, seq and at_ms, and the length in bytes of each
text. `texts` are, one after the other and in UTF-8: actor, action, subject, project, outcome,
detail, source, token id, user agent, request id. The length of a missing project is 0xFFFFFFFF.
With all lengths first, no two different entries are encoded alike.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Final, Literal

GENESIS: Final = bytes(32)
"""The hash before the first entry."""

REFUSED: Final = "refused"
ALLOWED: Final = "allowed"
USER_AGENT_CHARACTERS: Final = 100

_VERSION = 1
_HEAD = struct.Struct("!B2q10I")
_MISSING = 0xFFFFFFFF

Link = tuple[
    int, int, str, str, str, str | None, str, str, str, str, str, str, bytes
]  # fmt: skip
"""An entry as it is stored: seq, at_ms, the ten texts, hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from: its address, the token that it carried, the first characters of
    its user agent, and the id that its answer has as X-Request-ID."""

    source: str = ""
    token_id: str = ""
    user_agent: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the chain: the last entry up to it, and that entry's hash."""

    seq: int = 0
    hash: bytes = GENESIS


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A signature over the chain up to `seq`. A `break` lets the chain go on from a place that no
    longer fits what was sealed before; its note is that of a `Break`."""

    seq: int
    hash: bytes
    at_ms: int
    kind: Literal["seal", "break"] = "seal"
    note: str = ""
    key_id: str = ""
    signature: bytes = b""

    @property
    def place(self) -> Place:
        return Place(seq=self.seq, hash=self.hash)

    @property
    def message(self) -> bytes:
        """What is signed."""
        return _message(self.kind, self.seq, self.at_ms, self.hash, self.note.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Who let the chain go on, why, and in which entries it was wrong then (both included; 0 and 0
    for none). What is wrong elsewhere is not excused by it."""

    by: str
    reason: str
    first_seq: int = 0
    last_seq: int = 0

    def excuses(self, seq: int) -> bool:
        return self.first_seq <= seq <= self.last_seq

    @property
    def note(self) -> str:
        """As a seal carries it."""
        return json.dumps([self.by, self.reason, self.first_seq, self.last_seq])


def read_break(note: str) -> Break:
    """Raises ValueError for what is no note of a break."""
    by, reason, first_seq, last_seq = json.loads(note)
    return Break(by=str(by), reason=str(reason), first_seq=int(first_seq), last_seq=int(last_seq))


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What retention took from the beginning of the chain: `entries` entries, the last of which was
    `last_seq`."""

    first_seq: int
    last_seq: int
    entries: int
    hash: bytes
    at_ms: int
    key_id: str = ""
    signature: bytes = b""

    @property
    def place(self) -> Place:
        return Place(seq=self.last_seq, hash=self.hash)

    @property
    def message(self) -> bytes:
        """What is signed."""
        counts = struct.pack("!2q", self.first_seq, self.entries)
        return _message("removal", self.last_seq, self.at_ms, self.hash, counts)


def chained(
    before: bytes,
    seq: int,
    at_ms: int,
    actor: str,
    action: str,
    subject: str,
    project: str | None,
    outcome: str,
    detail: str,
    source: str,
    token_id: str,
    user_agent: str,
    request_id: str,
) -> bytes:
    """The hash of an entry, 32 bytes, from the hash of the one before it and its fields as they are
    stored; `detail` is the stored JSON text, never parsed."""
    a, b, c = actor.encode(), action.encode(), subject.encode()
    d = b"" if project is None else project.encode()
    e, f, g = outcome.encode(), detail.encode(), source.encode()
    h, i, j = token_id.encode(), user_agent.encode(), request_id.encode()
    head = _HEAD.pack(
        _VERSION, seq, at_ms, len(a), len(b), len(c), _MISSING if project is None else len(d),
        len(e), len(f), len(g), len(h), len(i), len(j),
    )  # fmt: skip
    return hashlib.sha256(b"".join((before, head, a, b, c, d, e, f, g, h, i, j))).digest()


def _message(kind: str, seq: int, at_ms: int, digest: bytes, rest: bytes) -> bytes:
    return b"podium audit v1\n%b\n" % kind.encode() + struct.pack("!2q", seq, at_ms) + digest + rest
