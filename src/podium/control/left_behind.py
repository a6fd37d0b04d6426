"""Ends what still runs on a machine although it was given up there, e.g. because the machine was
lost and is back. `control/observe` calls it with what it has just seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import structlog

from podium.control.machine import Machine
from podium.engines.contract import Observation, Phase
from podium.store import lost_nodes

_log = structlog.get_logger(__name__)


class LeftBehind:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._told: frozenset[str] = frozenset()

    async def step(self, held: Collection[str], seen: Mapping[str, Observation]) -> None:
        """`held` is what the store has open. What is left behind is stopped with its grace, until
        the engine sees its end; nothing of it is billed, for that was done when it was given up."""
        machine = self._machine
        running = [
            key for key, each in seen.items() if key not in held and each.phase is not Phase.ENDED
        ]
        found = await machine.database.read(
            lambda tx: lost_nodes.left_behind(tx, machine.nodes, running)
        )
        unmarked = [each.allocation_id for each in found if not each.marked]
        if unmarked:
            await machine.leadership.fenced(
                machine.lease, lambda tx: lost_nodes.given_up_mark(tx, unmarked)
            )
        ended, unseen = [], []
        for each in found:
            sight = seen.get(each.allocation_id)
            if sight is not None and sight.phase is Phase.ENDED:
                ended.append(each.allocation_id)
                continue
            if sight is None:
                unseen.append(each.allocation_id)
            elif each.allocation_id not in self._told:
                _log.warning(
                    "given_up_work_found",
                    node=each.node,
                    workload=each.workload_id,
                    allocation=each.allocation_id,
                )
            # Also where nothing is seen of it: what had not started yet never will.
            await machine.engine.stop(each.allocation_id, grace_seconds=each.grace_seconds)
        self._told = frozenset(each.allocation_id for each in found)
        gone = await self._gone(unseen)
        if ended or gone:
            await machine.leadership.fenced(
                machine.lease,
                lambda tx: lost_nodes.given_up_over(tx, ended, gone, machine.database.now_ms()),
            )
            # The node may take work again.
            machine.hints.wake("inventory", "events")

    async def _gone(self, unseen: Collection[str]) -> list[str]:
        """Those of which the engine knows nothing while nothing can be started."""
        if not unseen:
            return []
        async with self._machine.hands:
            seen = {each.allocation_id for each in await self._machine.engine.observe()}
        return [key for key in unseen if key not in seen]
