"""The environment that work finds: who it is, its rank, and where its replicas meet.

The rendezvous variables are those that torchrun and `init_method="env://"` read.

Members of an elastic gang join and leave while it runs. WORLD_SIZE is then only how many there
were when a member started; who is there now is agreed at the rendezvous, which stays the same for
the whole attempt, because the lowest rank never leaves without the others. A gang that replaces
what it loses meets in the same way, always with all of its members.
"""

from __future__ import annotations

from podium.domain.allocation import Allocation
from podium.domain.workload import Program, Recovery, Workload, member_of


def environment(
    workload: Workload,
    program: Program,
    allocation: Allocation,
    *,
    replicas: int,
    master_address: str,
) -> tuple[tuple[str, str], ...]:
    """Name and value of every variable; the spec's own `env` wins over ours. `program` is what
    this rank runs."""
    ours = {
        "PODIUM_WORKLOAD_ID": workload.id,
        "PODIUM_WORKLOAD_NAME": workload.name,
        "PODIUM_PROJECT": workload.project,
        "PODIUM_KIND": workload.kind.value,
        "PODIUM_ATTEMPT": str(allocation.attempt),
        "PODIUM_NODE": allocation.node,
    }
    if workload.replicas.array:
        ours["PODIUM_TASK_INDEX"] = str(allocation.rank)
        ours["PODIUM_TASK_COUNT"] = str(workload.replicas.maximum)
        return tuple({**ours, **dict(program.env)}.items())
    ours |= {
        "PODIUM_RANK": str(allocation.rank),
        "PODIUM_REPLICAS": str(replicas),
        "RANK": str(allocation.rank),
        "WORLD_SIZE": str(replicas),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "GROUP_RANK": str(allocation.rank),
    }
    member = member_of(workload.groups, allocation.rank)
    if member is not None:
        ours["PODIUM_GROUP"] = member.group.name
        ours["PODIUM_GROUP_RANK"] = str(member.rank)
        ours["PODIUM_GROUP_SIZE"] = str(member.group.count)
    if workload.rendezvous_port is not None:
        ours["MASTER_ADDR"] = master_address
        ours["MASTER_PORT"] = str(workload.rendezvous_port)
        if workload.replicas.resize or workload.recovery is Recovery.REPLACE:
            ours |= _elastic(workload, f"{master_address}:{workload.rendezvous_port}")
    return tuple({**ours, **dict(program.env)}.items())


def _elastic(workload: Workload, endpoint: str) -> dict[str, str]:
    """How many there may be and where they meet; torchrun takes its options from PET_…"""
    bounds = f"{workload.replicas.minimum}:{workload.replicas.maximum}"
    return {
        "PODIUM_REPLICAS_MIN": str(workload.replicas.minimum),
        "PODIUM_REPLICAS_MAX": str(workload.replicas.maximum),
        "PET_NNODES": bounds,
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": endpoint,
        "PET_RDZV_ID": f"{workload.id}-{workload.attempt}",
    }
