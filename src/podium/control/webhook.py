"""Posts audit entries to a webhook, signed. `control/forwarding` calls it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx

from podium.domain.forwarding import (
    DELIVERY_HEADER,
    SIGNATURE_HEADER,
    batch_body,
    signature,
)
from podium.domain.outbound import Outbound
from podium.outbound.http import guarded_client, trust

ANSWER_SECONDS = 30.0
_RETRY_SECONDS_MAX = 300.0


class RefusedError(Exception):
    """The receiver answered something other than a success. `too_large` asks for smaller batches,
    `retry_seconds` for patience."""

    def __init__(self, message: str, *, too_large: bool, retry_seconds: float) -> None:
        super().__init__(message)
        self.too_large = too_large
        self.retry_seconds = retry_seconds


class WebhookSender:
    """An answer of 200 to 299 says that the receiver has the batch."""

    def __init__(self, address: str, ca: str, secret: str | None, outbound: Outbound) -> None:
        self._address = address
        self._secret = secret
        self._client = guarded_client(outbound, timeout_seconds=ANSWER_SECONDS, verify=trust(ca))

    @property
    def settle_seconds(self) -> float:
        """An answer is enough."""
        return 0.0

    async def send(self, forward: str, said: Sequence[dict[str, Any]]) -> None:
        """Entries in the order of their seq. Raises RefusedError, OutboundError, TemporaryError,
        and httpx's own errors."""
        body = batch_body(forward, said)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "podium-audit",
            DELIVERY_HEADER: f"{forward}-{said[0]['seq']}-{said[-1]['seq']}",
        }
        if self._secret is not None:
            # The time of the world and not the steady one: receivers compare it with theirs.
            headers[SIGNATURE_HEADER] = signature(self._secret, int(time.time()), body)
        asked = self._client.build_request("POST", self._address, content=body, headers=headers)
        answer = await self._client.send(asked, stream=True)
        try:
            _check(answer)
        finally:
            await answer.aclose()

    def check(self) -> None:
        """Nothing can break between two batches."""

    async def close(self) -> None:
        await self._client.aclose()


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    said = f"It answered {answer.status_code} {answer.reason_phrase}".rstrip()
    if answer.is_redirect:
        said += ", a redirect, which is not followed"
    after = answer.headers.get("retry-after", "")
    raise RefusedError(
        f"{said}.",
        too_large=answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE,
        retry_seconds=min(float(after), _RETRY_SECONDS_MAX) if after.isdigit() else 0.0,
    )
