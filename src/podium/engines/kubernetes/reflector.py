"""Keeps a copy of a collection of the API server in step with it: list once, then watch.

A watch that ends goes on where it was; one that the server has no history for begins anew with a
list. Bookmarks keep that rare. Nothing is ever polled.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec
import structlog
from msgspec import Raw, Struct

from podium.domain.errors import PodiumError, TemporaryError
from podium.engines.kubernetes.connection import Connection, GoneError
from podium.engines.kubernetes.objects import ListMetadata, Metadata

_PAGE = "500"
_WATCH_SECONDS = 290
_SILENCE_SECONDS = 100.0  # bookmarks come once a minute
_PAUSE_SECONDS_MIN, _PAUSE_SECONDS_MAX = 0.1, 10.0
_log = structlog.get_logger(__name__)


class Item(Protocol):
    @property
    def metadata(self) -> Metadata: ...


Kind = TypeVar("Kind", bound=Item)


class _Page(Struct, kw_only=True):
    metadata: ListMetadata
    items: list[Raw] | None = None


class _Event(Struct, kw_only=True):
    type: str
    object: Raw


class _Version(Struct, kw_only=True):
    metadata: Metadata


class _Trouble(Struct, kw_only=True):
    code: int = 0
    message: str = ""


class Reflector(Generic[Kind]):
    """`heard(name, before, after)` is called for each change; `after` is None when it is gone."""

    def __init__(
        self,
        connection: Connection,
        path: str,
        kind: type[Kind],
        heard: Callable[[Kind | None, Kind | None], None],
        *,
        labels: str = "",
    ) -> None:
        self._connection = connection
        self._path = path
        self._decoder = msgspec.json.Decoder(kind)
        self._heard = heard
        self._params = {"labelSelector": labels} if labels else {}
        self._version = ""
        self._task: asyncio.Task[None] | None = None
        self._fault: PodiumError | None = None
        self._seen_at = 0.0
        self.items: dict[tuple[str, str], Kind] = {}
        """By namespace and name."""
        self.lists = 0

    @property
    def away_seconds(self) -> float:
        """How long the server has not been heard."""
        return 0.0 if self._fault is None else time.monotonic() - self._seen_at

    @property
    def fault(self) -> PodiumError | None:
        return self._fault

    async def open(self) -> None:
        """Returns when the copy is whole. Raises what the server says, TemporaryError where it
        says nothing."""
        self._seen_at = time.monotonic()
        await self._list()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def take(self, item: Kind) -> None:
        """What the server answered to a change, unless a watch has told more by now."""
        key = item.metadata.namespace, item.metadata.name
        known = self.items.get(key)
        if known is None or _is_newer(item, known.metadata.resource_version):
            self._put(key, item)

    async def _follow(self) -> None:
        pause_seconds = 0.0
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                pause_seconds = 0.0
            except GoneError:
                self._version = ""
            except TemporaryError as error:
                pause_seconds = self._failed(error, pause_seconds)
            except PodiumError as error:
                self._version = ""
                pause_seconds = self._failed(error, max(1.0, pause_seconds))
            except Exception as error:
                _log.exception("watch_failed", path=self._path)
                self._version = ""
                pause_seconds = self._failed(TemporaryError(str(error)), max(1.0, pause_seconds))
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.0))  # noqa: S311

    def _failed(self, error: PodiumError, pause_seconds: float) -> float:
        if self._fault is None:
            _log.warning("watch_cut", path=self._path, reason=error.message)
        self._fault = error
        return min(_PAUSE_SECONDS_MAX, max(_PAUSE_SECONDS_MIN, pause_seconds * 2))

    def _alive(self) -> None:
        self._fault, self._seen_at = None, time.monotonic()

    async def _list(self) -> None:
        found: dict[tuple[str, str], Kind] = {}
        params = {**self._params, "limit": _PAGE}
        while True:
            page = msgspec.json.decode(await self._connection.get(self._path, **params), type=_Page)
            for raw in page.items or ():
                item = self._decoder.decode(raw)
                found[item.metadata.namespace, item.metadata.name] = item
            if not page.metadata.next:
                break
            params["continue"] = page.metadata.next
        self.lists += 1
        self._version = page.metadata.resource_version
        self._alive()
        for key, item in list(self.items.items()):
            # What the server answered to a change after this list was made is no old news.
            if key not in found and not _is_newer(item, self._version):
                self._put(key, None)
        for key, item in found.items():
            known = self.items.get(key)
            if known is None or not _is_newer(known, self._version):
                self._put(key, item)

    async def _watch(self) -> None:
        params = {
            **self._params,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
            "resourceVersion": self._version,
        }
        async with self._connection.lines(
            self._path, params, silence_seconds=_SILENCE_SECONDS
        ) as lines:
            self._alive()
            async for some in lines:
                for line in some:
                    if line:
                        self._take(msgspec.json.decode(line, type=_Event))

    def _take(self, event: _Event) -> None:
        self._seen_at = time.monotonic()
        if event.type == "ERROR":
            trouble = msgspec.json.decode(event.object, type=_Trouble)
            if trouble.code == 410:
                raise GoneError(trouble.message)
            raise TemporaryError(trouble.message)
        if event.type == "BOOKMARK":
            bookmark = msgspec.json.decode(event.object, type=_Version)
            self._version = bookmark.metadata.resource_version
            return
        item = self._decoder.decode(event.object)
        key = item.metadata.namespace, item.metadata.name
        self._version = item.metadata.resource_version
        known = self.items.get(key)
        if known is None or not _is_newer(known, self._version):
            self._put(key, None if event.type == "DELETED" else item)

    def _put(self, key: tuple[str, str], item: Kind | None) -> None:
        before = self.items.get(key)
        if item is None:
            self.items.pop(key, None)
        elif before is not None and (
            before.metadata.resource_version == item.metadata.resource_version
        ):
            return
        else:
            self.items[key] = item
        self._heard(before, item)


def _is_newer(item: Item, version: str) -> bool:
    """Versions are numbers that grow, on every API server that there is."""
    mine = item.metadata.resource_version
    return mine.isdigit() and version.isdigit() and int(mine) > int(version)
