"""GPUs that Podium pretends, for machines without one. Always marked as virtual."""

from __future__ import annotations

from podium.domain.node import Device

_GIB = 1 << 30
MEMORY_BYTES = {
    "A100": 80 * _GIB,
    "H100": 80 * _GIB,
    "H200": 141 * _GIB,
    "B200": 180 * _GIB,
    "L4": 24 * _GIB,
    "L40S": 48 * _GIB,
    "T4": 16 * _GIB,
    "RTX4090": 24 * _GIB,
}
_MEMORY_BYTES_OTHER = 80 * _GIB


def virtual_devices(node: str, *, count: int, device_type: str) -> tuple[Device, ...]:
    memory_bytes = MEMORY_BYTES.get(device_type, _MEMORY_BYTES_OTHER)
    return tuple(
        Device(
            id=f"GPU-virtual-{node}-{index}",
            node=node,
            index=index,
            uuid=f"GPU-virtual-{node}-{index}",
            type=device_type,
            model=f"Virtual {device_type} ({memory_bytes // _GIB} GiB)",
            memory_bytes=memory_bytes,
            virtual=True,
        )
        for index in range(count)
    )
