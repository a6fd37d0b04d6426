"""Asks the engine to end what is to be stopped; `control/observe` sees it end."""

from __future__ import annotations

from podium.control.machine import Machine
from podium.domain.lifecycle import ReplicaState
from podium.domain.tenancy import WHOLE
from podium.store import allocations, workloads
from podium.store.database import Transaction

_BATCH = 1000


class Stopper:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def step(self) -> bool:
        machine = self._machine
        if not machine.leads:
            return False
        due = await machine.database.read(self._gather)
        if not due:
            return False
        for allocation_id, grace_seconds in due:
            await machine.engine.stop(allocation_id, grace_seconds=grace_seconds)
        machine.hints.wake("observe")
        return False

    def _gather(self, tx: Transaction) -> list[tuple[str, int]]:
        """Ids of allocations to stop, each with its grace."""
        due = allocations.allocation_list_open(
            tx, nodes=self._machine.nodes, states=[ReplicaState.STOPPING], limit=_BATCH
        )
        owners = workloads.workload_fetch_many(tx, WHOLE, {each.workload_id for each in due})
        return [(each.id, owners[each.workload_id].grace_seconds) for each in due]
