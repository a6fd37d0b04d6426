"""Nodes that nobody owns, for benchmarks and simulated clusters."""

from __future__ import annotations

from podium.domain.node import Device, Node, NodeState

GIB = 2**30


def made_node(
    name: str,
    *,
    gpus: int,
    gpu_type: str,
    gpu_memory_bytes: int = 80 * GIB,
    cpu_milli: int,
    memory_bytes: int,
    labels: tuple[tuple[str, str], ...] = (),
    block: str = "",
    rack: str = "",
    nvlink: str = "",
    pool: str = "",
) -> Node:
    """A ready node with `gpus` equal virtual devices, whose ids are `NAME/INDEX`."""
    return Node(
        name=name,
        engine="simulation",
        state=NodeState.READY,
        address=name,
        cpu_milli=cpu_milli,
        memory_bytes=memory_bytes,
        labels=labels,
        block=block,
        rack=rack,
        nvlink=nvlink,
        pool=pool,
        devices=tuple(
            Device(
                id=f"{name}/{index}",
                node=name,
                index=index,
                uuid=f"GPU-{name}-{index}",
                type=gpu_type,
                model=f"Virtual {gpu_type}",
                memory_bytes=gpu_memory_bytes,
                virtual=True,
            )
            for index in range(gpus)
        ),
    )


def numbered(stem: str, count: int) -> list[str]:
    """`count` names whose order as text is their order: `n-00`, `n-01`, …"""
    width = len(str(max(0, count - 1)))
    return [f"{stem}-{at:0{width}}" for at in range(count)]
