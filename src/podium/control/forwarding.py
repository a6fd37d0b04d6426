"""Forwards the audit trail: each receiver has a courier, which reads on from where it got to, sends
in order, and notes how far it is. Commands never wait for it; what a receiver has not taken stands
in the trail, and a courier holds one batch of it.

A crash or a broken connection sends some entries twice, and none never.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import structlog

from podium.control.leadership import Leadership
from podium.control.syslog import SyslogSender
from podium.control.webhook import RefusedError, WebhookSender
from podium.domain.errors import LeaseLostError, PodiumError, TemporaryError
from podium.domain.forwarding import (
    Forward,
    ForwardKind,
    record,
    syslog_address,
    trial_record,
)
from podium.domain.outbound import Outbound
from podium.store import audit_trail, forwards
from podium.store.database import Database
from podium.store.sealing import Sealer

LEASE = "forwarding"
PERIOD_SECONDS = 1.0
BATCH_MAX = 500
_BATCH_CHARACTERS_MAX = 512 * 1024
_FAULT_MAX = 300
_FAILURES = (OSError, TimeoutError, httpx.HTTPError, RefusedError, PodiumError)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a courier waits: for new entries, before what went over a connection counts as
    received, and after a first and a hundredth failure."""

    idle_seconds: float = 0.5
    settle_seconds: float = 5.0
    backoff_seconds: float = 0.5
    backoff_seconds_max: float = 60.0


class Sender(Protocol):
    """A way to a receiver: `control/syslog` or `control/webhook`."""

    @property
    def settle_seconds(self) -> float: ...
    async def send(self, forward: str, said: Sequence[dict[str, Any]]) -> None: ...
    def check(self) -> None: ...
    async def close(self) -> None: ...


class Forwarder:
    """Keeps a courier for each receiver, on the server that holds the lease."""

    def __init__(
        self,
        database: Database,
        leadership: Leadership,
        sealer: Sealer,
        outbound: Outbound,
        host: str,
        pace: Pace | None = None,
    ) -> None:
        self._database = database
        self._leadership = leadership
        self._pace = pace or Pace()
        self._sealer = sealer
        self._outbound = outbound
        self._host = host
        self._couriers: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._next_try_ms: dict[str, int] = {}

    async def step(self) -> bool:
        """Couriers as there are receivers."""
        leads = self._leadership.leads(LEASE)
        wanted = await self._database.read(forwards.forward_list) if leads else []
        by_key = {(each.name, each.updated_at_ms): each for each in wanted}
        for key, task in list(self._couriers.items()):
            if key not in by_key or task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._couriers[key]
        for key, forward in by_key.items():
            if key not in self._couriers:
                self._couriers[key] = asyncio.create_task(self._carry(forward))
        return False

    async def close(self) -> None:
        for task in self._couriers.values():
            task.cancel()
        await asyncio.gather(*self._couriers.values(), return_exceptions=True)
        self._couriers.clear()

    async def trial(self, forward: Forward, actor: str) -> tuple[float, str]:
        """Send a receiver an entry that is none: how many milliseconds it took, and what was wrong,
        which is empty where it went."""
        started = time.monotonic()
        fault = ""
        try:
            sender = await self._sender(forward)
            try:
                await sender.send(forward.name, [trial_record(actor, self._database.now_ms())])
                sender.check()
            finally:
                await sender.close()
        except _FAILURES as error:
            fault = told(error)
        return (time.monotonic() - started) * 1000, fault

    def next_try_ms(self, name: str) -> int | None:
        """When a receiver that failed is tried again, if it is this server that tries."""
        return self._next_try_ms.get(name)

    async def _carry(self, forward: Forward) -> None:
        courier = _Courier(self._database, self._leadership, forward)
        failures = 0
        sender: Sender | None = None
        try:
            while True:
                try:
                    sender = sender or await self._sender(forward)
                    busy = await courier.step(sender)
                    failures = 0
                    self._next_try_ms.pop(forward.name, None)
                except LeaseLostError:
                    return
                except _FAILURES as error:
                    if sender is not None:
                        await sender.close()
                        sender = None
                    failures += 1
                    await courier.failed(error)
                    wait_seconds = _backoff_seconds(self._pace, failures, error)
                    next_ms = self._database.now_ms() + round(wait_seconds * 1000)
                    self._next_try_ms[forward.name] = next_ms
                    await asyncio.sleep(wait_seconds)
                else:
                    if not busy:
                        await asyncio.sleep(self._pace.idle_seconds)
        except Exception:
            # The next step of the loop begins anew.
            _log.exception("forwarding_failed", forward=forward.name)
            await asyncio.sleep(self._pace.backoff_seconds_max)
        finally:
            self._next_try_ms.pop(forward.name, None)
            if sender is not None:
                await sender.close()

    async def _sender(self, forward: Forward) -> Sender:
        sealed = await self._database.read(lambda tx: forwards.forward_secret(tx, forward.name))
        secret = sealed and forwards.secret_opened(sealed, forward.name, self._sealer)
        if forward.kind is ForwardKind.WEBHOOK:
            return WebhookSender(forward.address, forward.ca, secret or None, self._outbound)
        return SyslogSender(
            syslog_address(forward.address),
            forward.ca,
            self._outbound,
            self._host,
            self._pace.settle_seconds,
        )


class _Courier:
    """How far one receiver is: what was sent, and what has been noted as received."""

    def __init__(self, database: Database, leadership: Leadership, forward: Forward) -> None:
        self._database = database
        self._leadership = leadership
        self._forward = forward
        self._noted_seq = self._sent_seq = forward.sent_seq
        self._skipped = 0  # since what was noted
        self._settling: deque[tuple[float, int]] = deque()
        self._batch_max = BATCH_MAX
        self._fault = forward.fault

    async def step(self, sender: Sender) -> bool:
        """Send one batch, and note what has settled. False when there was nothing to send."""
        links = await self._database.read(
            lambda tx: audit_trail.entries_after(tx, self._sent_seq, self._batch_max)
        )
        said, size = list[dict[str, Any]](), 0
        for link in links:
            size += sum(len(each) for each in link if isinstance(each, str))
            if said and size > _BATCH_CHARACTERS_MAX:
                break
            said.append(record(link))
        if said:
            if self._batch_max == 1:  # the receiver takes no more
                said = [{**each, "detail": {"left_out": True}} for each in said]
            await sender.send(self._forward.name, said)
            self._skipped += said[0]["seq"] - self._sent_seq - 1
            self._sent_seq = said[-1]["seq"]
            self._settling.append((time.monotonic() + sender.settle_seconds, self._sent_seq))
            self._batch_max = min(BATCH_MAX, self._batch_max * 2)
        else:
            sender.check()
        await self._note()
        return bool(said)

    async def failed(self, error: Exception) -> None:
        """Go on from what was noted."""
        self._sent_seq, self._skipped = self._noted_seq, 0
        self._settling.clear()
        if isinstance(error, RefusedError) and error.too_large:
            self._batch_max = max(1, self._batch_max // 4)
        fault = told(error)[:_FAULT_MAX]
        if fault == self._fault:
            return
        _log.warning("forwarding_delayed", forward=self._forward.name, reason=fault)
        forward, now_ms = self._forward, self._database.now_ms()
        with contextlib.suppress(TemporaryError):
            await self._leadership.fenced(
                LEASE,
                lambda tx: forwards.forward_failed(
                    tx, forward.name, forward.updated_at_ms, fault, now_ms
                ),
            )
            self._fault = fault

    async def _note(self) -> None:
        now = time.monotonic()
        seq = self._noted_seq
        while self._settling and self._settling[0][0] <= now:
            seq = self._settling.popleft()[1]
        if seq == self._noted_seq and not (self._fault and not self._settling):
            return
        skipped = self._skipped if not self._settling else 0
        forward, now_ms = self._forward, self._database.now_ms()
        await self._leadership.fenced(
            LEASE,
            lambda tx: forwards.forward_sent(
                tx, forward.name, forward.updated_at_ms, seq=seq, skipped=skipped, now_ms=now_ms
            ),
        )
        self._noted_seq, self._fault = seq, ""
        self._skipped -= skipped


def told(error: Exception) -> str:
    """A failure to send, in words for the state that people are shown."""
    if isinstance(error, PodiumError):
        return error.message
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
        why = getattr(cause, "verify_message", "") or str(error).rpartition(": ")[2]
        return f"Its certificate is not trusted: {why}."
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return "It takes too long to answer."
    if isinstance(error, OSError):
        return f"It cannot be reached: {error.strerror or error}."
    if isinstance(error, httpx.HTTPError):
        return f"It cannot be reached: {error}."
    return str(error)


def _backoff_seconds(pace: Pace, failures: int, error: Exception) -> float:
    """Longer each time, and never the same for all that wait."""
    if isinstance(error, RefusedError) and error.too_large:
        return 0.0
    wait = min(pace.backoff_seconds_max, pace.backoff_seconds * 2.0 ** min(failures - 1, 10))
    asked = error.retry_seconds if isinstance(error, RefusedError) else 0.0
    return max(asked, wait * random.uniform(0.5, 1.0))  # noqa: S311 - nothing secret
