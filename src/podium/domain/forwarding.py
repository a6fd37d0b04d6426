"""What leaves the audit trail for elsewhere, and in which form: syslog messages (RFC 5424) and
signed batches for webhooks. Called by `control/forwarding`; pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from podium.domain.audit import ALLOWED, REFUSED, Link
from podium.domain.errors import FieldFault, UserError

SIGNATURE_HEADER = "X-Podium-Signature"
DELIVERY_HEADER = "X-Podium-Delivery"
UDP_BYTES_MAX = 8_000
_ADDRESS_CHARACTERS_MAX = 2000
_LOG_AUDIT = 13 << 3  # the syslog facility
_WARNING, _NOTICE = 4, 5
# The number that RFC 5612 sets aside for examples: Podium has none of its own.
_ELEMENT = "podium@32473"
_FIELDS = ("actor", "action", "subject", "project", "outcome", "source", "request_id")
_REMEDY = "Write udp://, tcp:// or tls://HOST:PORT for syslog, or https://… for a webhook."


class ForwardKind(StrEnum):
    SYSLOG = "syslog"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A receiver of the audit trail and how far it has got. `ca` are certificates (PEM) that it is
    verified with; empty takes those of the machine. `skipped` entries were too old before they
    could be sent. `fault` is empty while all is well."""

    name: str
    address: str
    ca: str = ""
    has_secret: bool = False
    created_at_ms: int
    created_by: str
    updated_at_ms: int
    sent_seq: int
    sent_at_ms: int | None = None
    skipped: int = 0
    failing_since_ms: int | None = None
    fault: str = ""

    @property
    def kind(self) -> ForwardKind:
        web = self.address.startswith(("http://", "https://"))
        return ForwardKind.WEBHOOK if web else ForwardKind.SYSLOG


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogAddress:
    """`transport` is udp, tcp or tls."""

    transport: str
    host: str
    port: int


def check_address(address: str) -> None:
    """Raises UserError for what nothing can be sent to."""
    wrong = ""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _fault("is no address.") from None
    if len(address) > _ADDRESS_CHARACTERS_MAX or not address.isprintable() or " " in address:
        wrong = "is too long, or holds characters that no address has."
    elif parts.scheme not in ("udp", "tcp", "tls", "http", "https"):
        wrong = "does not begin with a way to send."
    elif not parts.hostname:
        wrong = "names no host."
    elif parts.username is not None or parts.password is not None:
        wrong = "holds a name or a password, which everyone who sees it could read."
    elif parts.fragment:
        wrong = "has a part behind #, which is never sent."
    elif parts.scheme in ("udp", "tcp", "tls"):
        if port is None:
            wrong = "names no port."
        elif parts.path.strip("/") or parts.query:
            wrong = "goes on behind the port."
    if wrong:
        raise _fault(wrong)


def syslog_address(address: str) -> SyslogAddress:
    """Of a checked address."""
    parts = urlsplit(address)
    assert parts.hostname is not None
    assert parts.port is not None
    return SyslogAddress(transport=parts.scheme, host=parts.hostname, port=parts.port)


def record(link: Link) -> dict[str, Any]:
    """An entry as its receivers get it."""
    (seq, at_ms, actor, action, subject, project, outcome, detail, source, token_id, agent,
     request_id, digest) = link  # fmt: skip
    return {
        "seq": seq, "at_ms": at_ms, "actor": actor, "action": action, "subject": subject,
        "project": project, "outcome": outcome, "detail": json.loads(detail) if detail else {},
        "source": source, "token_id": token_id, "user_agent": agent, "request_id": request_id,
        "hash": digest.hex(),
    }  # fmt: skip


def trial_record(actor: str, at_ms: int) -> dict[str, Any]:
    """What is sent to try a receiver out. Its seq is 0, which no entry has."""
    link: Link = (0, at_ms, actor, "audit:test", "audit", None, ALLOWED, "", "", "", "", "", b"")
    return record(link)


def syslog_message(said: dict[str, Any], *, at: str, host: str, bytes_max: int = 0) -> bytes:
    """One message of RFC 5424: the main fields as structured data, and all of them as JSON. `at` is
    the entry's time as RFC 3339. Above `bytes_max` (0: no limit) the detail is left out, and said
    to be."""
    priority = _LOG_AUDIT | (_WARNING if said["outcome"] == REFUSED else _NOTICE)
    data = "".join(f' {name}="{_quoted(said[name] or "")}"' for name in _FIELDS)
    element = f'[{_ELEMENT} seq="{said["seq"]}"{data}]'
    head = f"<{priority}>1 {at} {_word(host, 255)} podium - audit {element} "
    made = (head + json.dumps(said, sort_keys=True)).encode()
    if bytes_max and len(made) > bytes_max:
        short = {**said, "detail": {"left_out": True}}
        made = (head + json.dumps(short, sort_keys=True)).encode()
    return made


def framed(message: bytes) -> bytes:
    """With its length before it (RFC 6587, octet counting), for streams."""
    return b"%d %b" % (len(message), message)


def batch_body(forward: str, said: Sequence[dict[str, Any]]) -> bytes:
    """What is posted to a webhook: entries in the order of their seq."""
    return json.dumps({"forward": forward, "entries": list(said)}, sort_keys=True).encode()


def signature(secret: str, at_seconds: int, body: bytes) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 of the time, a dot and the body, so that neither can be
    changed nor sent again much later."""
    signed = hmac.new(secret.encode(), b"%d.%b" % (at_seconds, body), hashlib.sha256)
    return f"t={at_seconds},v1={signed.hexdigest()}"


def _fault(wrong: str) -> UserError:
    return UserError(FieldFault("address", wrong, _REMEDY))


def _quoted(text: str) -> str:
    """The value of a parameter: with its three special characters escaped, on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
    return "".join(each if each.isprintable() else " " for each in escaped)


def _word(text: str, length: int) -> str:
    kept = "".join(each for each in text if "!" <= each <= "~")
    return kept[:length] or "-"
