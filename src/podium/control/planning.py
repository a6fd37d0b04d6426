"""Makes capacity plans for the API, one at a time, each in a process of its own that may need
minutes and much memory without holding up the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import structlog

from podium.domain.errors import BusyError, NotFoundError

CHILD = "podium.simulation.capacity.child"
"""The program of the child. It stands above this room, so it is named and not imported."""

SECONDS_MAX = 600
_GRACE_SECONDS = 30
_KEPT_MAX = 16
_LINE_BYTES_MAX = 2**22
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class PlanMade:
    """A plan under way, or what became of it. `answer` is as the child wrote it; `about` is kept
    for who started it."""

    id: str
    about: Any
    username: str
    state: str = "running"
    progress: float = 0.0
    doing: str = "reading the past"
    error: str = ""
    answer: dict[str, Any] | None = None
    took_seconds: float = 0.0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Planning:
    """Plans are kept until the server ends, the newest few."""

    def __init__(self, child: str = CHILD) -> None:
        self._child = child
        self._plans: dict[str, PlanMade] = {}

    def check_free(self) -> None:
        """Raises BusyError while another plan is being made."""
        if any(each.state == "running" for each in self._plans.values()):
            raise BusyError(
                "Another capacity plan is being made. Try again when it is done.",
                retry_after_seconds=15,
            )

    def start(self, question: bytes, about: Any, username: str) -> PlanMade:
        """`question` is what the child reads. Raises BusyError."""
        self.check_free()
        plan = PlanMade(secrets.token_hex(8), about, username)
        while len(self._plans) >= _KEPT_MAX:
            del self._plans[next(iter(self._plans))]
        self._plans[plan.id] = plan
        plan.task = asyncio.get_running_loop().create_task(self._make(plan, question))
        return plan

    def fetch(self, plan_id: str, username: str) -> PlanMade:
        """Raises NotFoundError, also for one that somebody else asked for."""
        plan = self._plans.get(plan_id)
        if plan is None or plan.username != username:
            raise NotFoundError(f"There is no capacity plan {plan_id}; ask for a new one.")
        return plan

    async def _make(self, plan: PlanMade, question: bytes) -> None:
        begun = monotonic()
        child = None
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._child,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE, limit=_LINE_BYTES_MAX,
            )  # fmt: skip
            async with asyncio.timeout(SECONDS_MAX + _GRACE_SECONDS):
                await self._follow(plan, child, question)
        except TimeoutError:
            plan.error = f"It took longer than {SECONDS_MAX} s. Ask for fewer days or fewer types."
        except (OSError, ValueError) as error:
            _log.error("capacity_plan_failed", error=str(error))
            plan.error = "The plan could not be made; the server's log says why."
        finally:
            if child is not None and child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
            plan.took_seconds = monotonic() - begun
            if plan.answer is None and not plan.error:
                plan.error = "The plan could not be made; the server's log says why."
            plan.state = "failed" if plan.error else "done"

    async def _follow(
        self, plan: PlanMade, child: asyncio.subprocess.Process, question: bytes
    ) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        told = asyncio.create_task(child.stderr.read())
        with contextlib.suppress(ConnectionError):
            child.stdin.write(question)
            await child.stdin.drain()
        child.stdin.close()
        async for line in child.stdout:
            said = json.loads(line)
            plan.doing = said.get("doing", plan.doing)
            plan.progress = said.get("progress", plan.progress)
            plan.answer = said.get("answer", plan.answer)
            plan.error = said.get("error", plan.error)
        text = await told
        if await child.wait() != 0:
            plan.answer = None
            _log.error("capacity_plan_failed", told=text.decode(errors="replace")[-2000:])
