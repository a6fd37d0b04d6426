"""One API server of Kubernetes: requests with JSON, and its refusals as Podium's errors.

The engine's parts share one. Sign-in, certificates and kubeconfigs are lightkube's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec
import yaml
from httpx2.websockets import HTTPXWSException
from lightkube.config.client_adapter import ConnectionParams
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError, LoadResourceError

from podium.domain.errors import ConflictError, NotFoundError, PermanentError, TemporaryError
from podium.domain.reason import Cause
from podium.engines.contract import HeldUpError
from podium.engines.kubernetes.away import AwayError, away_of
from podium.engines.kubernetes.names import MANAGER

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
_CONNECTIONS = 64
_STDIN, _STATUS = 0, 3  # channels of an exec
_EXEC_SECONDS = 120.0
_SECONDS = httpx2.Timeout(20, connect=5, pool=60)


class ForbiddenError(PermanentError):
    """Podium's user of the cluster lacks a right."""

    code = "cluster_forbidden"


class SignInError(TemporaryError):
    """The cluster does not know Podium's user, or not any more. Its work goes on meanwhile."""

    code = "cluster_sign_in"


class GoneError(TemporaryError):
    """The version that a watch asked for is too old: list again."""

    code = "cluster_gone"


class QuotaError(HeldUpError):
    """The quota of its namespace does not let a pod in yet."""

    code = "cluster_quota"

    def __init__(self, message: str) -> None:
        super().__init__(message, Cause.CLUSTER_QUOTA)


def config_of(kubeconfig: str | None, context: str = "") -> SingleConfig:
    """None is the service account of the pod that this runs in. Raises PermanentError."""
    try:
        if kubeconfig is None:
            found = KubeConfig.from_service_account().get()
        else:
            found = KubeConfig.from_dict(yaml.safe_load(kubeconfig)).get(context or None)
    except (ConfigError, LoadResourceError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise PermanentError(f"The kubeconfig cannot be used: {error}") from error
    if found is None:
        raise PermanentError("The kubeconfig names no cluster: set current-context in it.")
    return found


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Ends of lines are line feeds alone: what people print holds all others."""
    rest = b""
    async for piece in pieces:
        whole, feed, last = piece.rpartition(b"\n")
        if not feed:
            rest += last
            continue
        yield (rest + whole).split(b"\n")
        rest = last
    if rest:
        yield [rest]


class Connection:
    """Raises AwayError where the server does not answer, SignInError, GoneError, NotFoundError,
    ConflictError, ForbiddenError, and PermanentError with its words for what it refuses."""

    def __init__(self, config: SingleConfig) -> None:
        self._address = config.cluster.server
        try:
            self._http = httpx2.AsyncClient(
                **ConnectionParams(timeout=_SECONDS, trust_env=False).httpx_params(config),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=_CONNECTIONS),
            )
        except (OSError, ssl.SSLError, ConfigError) as error:
            raise PermanentError(f"The kubeconfig cannot be used: {error}") from error

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, **params: str) -> bytes:
        return (await self._send("GET", path, params)).content

    async def apply(self, path: str, manifest: Mapping[str, Any]) -> bytes:
        """Create it, or make what Podium says of it true, whoever changed it."""
        params = {"fieldManager": MANAGER, "force": "true"}
        return (await self._send("PATCH", path, params, manifest, APPLY)).content

    async def patch(self, path: str, change: Any, kind: str = MERGE) -> bytes:
        return (await self._send("PATCH", path, {"fieldManager": MANAGER}, change, kind)).content

    async def post(self, path: str, document: Mapping[str, Any]) -> bytes:
        answer = await self._send("POST", path, {}, document, "application/json")
        return answer.content

    async def delete(self, path: str, options: Mapping[str, Any] | None = None) -> None:
        """Not being there any more is good."""
        try:
            await self._send("DELETE", path, {}, options or {}, "application/json")
        except NotFoundError:
            return

    @asynccontextmanager
    async def lines(
        self, path: str, params: Mapping[str, str], *, silence_seconds: float | None
    ) -> AsyncIterator[AsyncIterator[list[bytes]]]:
        """The answer as it comes, in whole lines without their ends; an error after
        `silence_seconds` of nothing."""
        timeout = httpx2.Timeout(20, connect=5, pool=60, read=silence_seconds)
        try:
            async with self._http.stream("GET", path, params=params, timeout=timeout) as answer:
                if answer.status_code >= 400:
                    await answer.aread()
                    raise self._refused(answer)
                yield _lines(answer.aiter_raw())
        except httpx2.HTTPError as error:
            raise self._away(error) from error

    async def feed(
        self, path: str, command: Sequence[str], container: str, pieces: Iterator[bytes]
    ) -> str:
        """Run a command in a pod with `pieces` as its standard input, which it must know the end
        of. Returns "" when it succeeded, else what it said."""
        params: dict[str, str | Sequence[str]] = {
            "container": container,
            **dict.fromkeys(("stdin", "stdout", "stderr"), "true"),
            "command": command,
        }
        said = b""
        try:
            async with self._http.websocket(
                f"{path}/exec",
                params=params,
                subprotocols=["v4.channel.k8s.io"],
                max_message_size_bytes=1 << 20,
            ) as session:
                while piece := await asyncio.to_thread(next, pieces, b""):
                    await session.send_bytes(bytes([_STDIN]) + piece)
                while True:
                    message = await session.receive_bytes(timeout=_EXEC_SECONDS)
                    if message[0] == _STATUS:
                        status = msgspec.json.decode(message[1:])
                        good = status.get("status") == "Success"
                        words = said.decode("utf-8", "replace").strip()
                        return "" if good else (words or str(status.get("message", "")))[:500]
                    said = (said + message[1:])[-2000:]
        except (httpx2.HTTPError, HTTPXWSException, TimeoutError, ExceptionGroup) as error:
            raise self._away(error) from error

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: Any = None,
        content_type: str = "",
    ) -> httpx2.Response:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": content_type} if content_type else None
        try:
            answer = await self._http.request(
                method, path, params=params, content=content, headers=headers
            )
        except httpx2.HTTPError as error:
            raise self._away(error) from error
        if answer.status_code >= 400:
            raise self._refused(answer)
        return answer

    def _away(self, error: Exception) -> TemporaryError:
        return AwayError(self._address, away_of(self._address, error))

    def _refused(self, answer: httpx2.Response) -> Exception:
        try:
            status = msgspec.json.decode(answer.content)
            words = status.get("message") or answer.text
        except (msgspec.DecodeError, AttributeError):
            words = answer.text[:500]
        said = f"The cluster says: {words}"
        code = answer.status_code
        if code == 404 or (code == 403 and "error looking up service account" in words):
            return NotFoundError(said)
        if code == 409:
            return ConflictError(said)
        if code == 410:
            return GoneError(said)
        if code == 403 and "exceeded quota:" in words:
            return QuotaError(said)
        if code == 403 and "because it is being terminated" in words:
            return TemporaryError(said)
        if code == 401:
            return SignInError(
                f"The cluster at {self._address} does not let Podium in any more: its token or "
                "certificate is refused. Give a kubeconfig that is valid (podium cluster set)."
            )
        if code == 403:
            return ForbiddenError(said)
        if code == 429 or code >= 500:
            return TemporaryError(said)
        return PermanentError(said)
