"""Asks the engine to end what is to be stopped; `control/observe` sees it end."""

from __future__ import annotations

from podium.control.machine import Machine
from podium.domain.lifecycle import ReplicaState
from podium.domain.tenancy import WHOLE
from podium.store import allocations, workloads

_BATCH = 1000


class Stopper:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def step(self) -> bool:
        machine = self._machine
        if not machine.leads:
            return False
        due = await machine.database.read(
            lambda tx: allocations.allocation_list_open(
                tx, nodes=machine.nodes, states=[ReplicaState.STOPPING], limit=_BATCH
            )
        )
        if not due:
            return False
        owners = await machine.database.read(
            lambda tx: workloads.workload_fetch_many(tx, WHOLE, {each.workload_id for each in due})
        )
        for each in due:
            await machine.engine.stop(each.id, grace_seconds=owners[each.workload_id].grace_seconds)
        machine.hints.wake("observe")
        return False
