"""The engine's line to its warden: starts it, asks for shims, hears of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from podium.domain.errors import TemporaryError
from podium.engines.local import folder as names
from podium.engines.local import warden as warden_module
from podium.engines.local.source import ENVIRONMENT_KEPT

_ASK_AGAIN_SECONDS = 1.0
_CLOSE_SECONDS = 5.0
_ERRORS_BYTES_MAX = 1 << 20


class WardenLink:
    """One warden at a time. `heard(event, allocation_id)` is called on the loop for each event;
    `lost()` when the warden died although nobody closed it: its shims must be watched."""

    def __init__(
        self, errors_path: Path, *, heard: Callable[[str, str], None], lost: Callable[[], None]
    ) -> None:
        self._errors_path = errors_path
        self._heard = heard
        self._lost = lost
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[None]] = {}

    @property
    def pid(self) -> int | None:
        """The warden's process id while it runs."""
        return None if self._process is None else self._process.pid

    async def open(self) -> None:
        async with self._starting:
            if self._process is not None:
                return
            env = {name: os.environ[name] for name in ENVIRONMENT_KEPT if name in os.environ}
            errors = self._open_errors()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    "-S",
                    warden_module.__file__,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                    env=env,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                raise TemporaryError(f"The node starts no processes now: {error}.") from error
            finally:
                os.close(errors)
            self._reader = asyncio.create_task(self._listen(self._process))

    async def close(self) -> None:
        process, reader = self._process, self._reader
        self._process = self._reader = None
        if process is None or reader is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        # It reads to the end of the warden's output, which nobody else should hold open.
        await asyncio.wait({reader}, timeout=_CLOSE_SECONDS)
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader

    async def spawn(self, allocation_id: str, folder: str, secrets: list[list[str]]) -> None:
        """Returns when a shim has claimed the folder, this one or an earlier. Raises
        TemporaryError when none has."""
        waiting = self._waiting.get(allocation_id)
        if waiting is None:
            await self.open()
            process = self._process
            if process is None or process.stdin is None or process.stdin.is_closing():
                raise TemporaryError("The node is being started again; the work follows.")
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[allocation_id] = waiting
            command = {"id": allocation_id, "folder": folder, "secrets": secrets}
            process.stdin.write(json.dumps(command).encode() + b"\n")
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=_ASK_AGAIN_SECONDS)
            if not waiting.done() and names.is_claimed(folder):
                self._waiting.pop(allocation_id, None)
                return
        if names.is_claimed(folder):
            waiting.exception()
            return
        waiting.result()
        raise TemporaryError("The process that watches over the work ended early; once more.")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if not line.endswith(b"\n"):
                break
            told = json.loads(line)
            self._hear(told["event"], told["id"], told["text"])
        await process.wait()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(TemporaryError("The node's warden ended; once more."))
                waiting.exception()
        self._waiting.clear()
        if self._process is process:
            self._process = self._reader = None
            self._lost()

    def _hear(self, event: str, allocation_id: str, text: str) -> None:
        waiting = self._waiting.pop(allocation_id, None)
        if waiting is not None and not waiting.done():
            if event == "failed":
                waiting.set_exception(TemporaryError(f"The node cannot start work now: {text}."))
                waiting.exception()  # also when whoever asked has gone
            else:
                waiting.set_result(None)
        self._heard(event, allocation_id)

    def _open_errors(self) -> int:
        """Where a traceback of warden or shim would go; bounded at each start."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with contextlib.suppress(FileNotFoundError):
            if self._errors_path.stat().st_size > _ERRORS_BYTES_MAX:
                flags |= os.O_TRUNC
        return os.open(self._errors_path, flags, 0o600)
