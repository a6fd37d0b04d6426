"""A GPU in MIG mode as the API answers it: what is on it, whose it is, and what still fits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from podium.api.slices import room_views, slice_views
from podium.cli.nodes import slices_line
from podium.domain.node import Device, MigInstance
from podium.domain.workload import Kind
from podium.spec.views.node import DeviceView, HolderView
from podium.store.holdings import Slot

GPU = Device(
    id="g", node="n1", index=3, uuid="GPU-0", type="H100", model="H100 80GB",
    memory_bytes=80 << 30, board="H100-80GB",
)  # fmt: skip
ALICE = HolderView(
    workload_id="w-1", name="train", project="vision", owner="alice", kind=Kind.TRAINING, rank=0,
    gpu_milli=500, since=datetime(2031, 7, 1, tzinfo=UTC),
)  # fmt: skip


def cut(*instances: MigInstance, **facts: object) -> Device:
    return replace(GPU, instances=tuple(instances), **facts)  # type: ignore[arg-type]


def rooms(device: Device, *slots: Slot) -> dict[str, int]:
    return {each.profile: each.count for each in room_views(device, slots)}


def drawn(device: Device, *slots: Slot, **seen: tuple[str, HolderView]) -> str:
    by_start = {int(key.removeprefix("at")): one for key, one in seen.items()}
    view = DeviceView(
        id=device.id, index=device.index, uuid=device.uuid, type=device.type, model=device.model,
        memory_bytes=device.memory_bytes, virtual=False, healthy=True, gpu_milli_used=0,
        memory_bytes_used=0, mig=True, board=device.board, memory_slices=8, pinned=device.pinned,
        slices=slice_views(device, slots, by_start),
    )  # fmt: skip
    return slices_line(view)


def test_a_line_tells_whose_slices_they_are() -> None:
    device = cut(
        MigInstance("3g.40gb", 0, "MIG-1"),
        MigInstance("1g.10gb", 4, "MIG-2"),
        MigInstance("1g.10gb", 6, "MIG-3", busy=True),
    )
    held = Slot("g", "3g.40gb", 0)
    assert drawn(device, held, at0=("a-1", ALICE)) == (
        "GPU 3 H100 MIG [3g.40gb alice/train][1g.10gb idle][.][1g.10gb busy][.]"
    )
    assert drawn(device, held).startswith("GPU 3 H100 MIG [3g.40gb others]")
    assert drawn(cut(pinned=True)) == "GPU 3 H100 MIG pinned [........]"


def test_what_is_held_is_told_before_it_stands() -> None:
    """And before idle instances that will make room for it."""
    device = cut(MigInstance("1g.10gb", 0, "MIG-1"), MigInstance("1g.10gb", 1, "MIG-2"))
    slot = Slot("g", "2g.20gb", 0)
    found = slice_views(device, [slot], {0: ("a-1", ALICE)})
    assert [(each.profile, each.uuid, each.state, each.size) for each in found] == [
        ("2g.20gb", "", "held", 2),
        ("1g.10gb", "MIG-1", "idle", 1),
        ("1g.10gb", "MIG-2", "idle", 1),
    ]
    assert (found[0].allocation_id, found[0].holder) == ("a-1", ALICE)
    assert drawn(device, slot) == "GPU 3 H100 MIG [2g.20gb others][......]"


def test_room_counts_what_is_held_or_busy_and_not_what_is_idle() -> None:
    empty = rooms(cut(MigInstance("7g.80gb", 0, "MIG-1")))
    assert (empty["1g.10gb"], empty["3g.40gb"], empty["7g.80gb"]) == (7, 2, 1)
    held = rooms(cut(), Slot("g", "3g.40gb", 4))
    assert (held["1g.10gb"], held["4g.40gb"], held["7g.80gb"]) == (4, 1, 0)
    busy = rooms(cut(MigInstance("3g.40gb", 4, "MIG-1", busy=True)))
    assert busy == held
    assert set(rooms(cut(healthy=False)).values()) == {0}


def test_of_a_pinned_layout_only_its_own_fits() -> None:
    standing = (MigInstance("1g.10gb", 0, "MIG-1"), MigInstance("1g.10gb", 1, "MIG-2"))
    found = rooms(cut(*standing, pinned=True), Slot("g", "1g.10gb", 0))
    assert {name: count for name, count in found.items() if count} == {"1g.10gb": 1}


@pytest.mark.parametrize("board", ["", "H9000"])
def test_other_gpus_have_no_slices(board: str) -> None:
    assert slice_views(cut(board=board), [], {}) == []
    assert room_views(cut(board=board), []) == []
