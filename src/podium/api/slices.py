"""What is on a GPU in MIG mode, and what could still be placed there, as the API answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.domain.mig import BOARDS, Board, board_of
from podium.domain.node import Device
from podium.scheduling.placing.cuts import cut_of, instances_left
from podium.scheduling.placing.slices import Need, taken
from podium.scheduling.space.layout import kind_of, whole_of
from podium.scheduling.space.masks import less
from podium.spec.views.node import HolderView, RoomView, SliceView
from podium.store.holdings import Slot

SeenHolders = Mapping[int, tuple[str, HolderView]]
"""Allocation and holder of those that the reader may see, by the start of their instance."""


def board_name(device: Device) -> str:
    """Of what Podium can cut, in MIG mode or not; else empty."""
    if device.board or device.mig_profile is not None:
        return device.board
    board = board_of(device.model, device.memory_bytes)
    return "" if board is None else board.name


def slice_views(device: Device, slots: Sequence[Slot], seen: SeenHolders) -> list[SliceView]:
    """Of what stands, and of what is held but does not stand yet, by start."""
    board = BOARDS.get(device.board)
    if board is None:
        return []
    held = {(slot.mig_profile, slot.mig_start) for slot in slots}
    uuids = {(each.profile, each.start): each.uuid for each in device.instances}
    found = [
        _view(board, profile, start, uuids.get((profile, start), ""), "held").model_copy(
            update=_whose(seen.get(start))
        )
        for profile, start in held
    ]
    found += [
        _view(board, each.profile, each.start, each.uuid, "busy" if each.busy else "idle")
        for each in device.instances
        if (each.profile, each.start) not in held
    ]
    return sorted(found, key=lambda each: (each.start, each.state != "held"))


def room_views(device: Device, slots: Sequence[Slot]) -> list[RoomView]:
    """Profiles without room are told as well."""
    board = BOARDS.get(device.board)
    if board is None:
        return []
    value, kind = whole_of(device) if device.healthy else 0, kind_of(device)
    for slot in slots:
        profile = board.profile(slot.mig_profile)
        if profile is not None and value:
            value = less(value, taken(profile, slot.mig_start))
    found = []
    for profile in sorted(
        board.profiles, key=lambda one: (one.memory_slices, one.compute_slices, one.media)
    ):
        cut = cut_of(Need(profile=profile.name), kind)
        count = 0 if cut is None else instances_left(cut, value)
        found.append(RoomView(profile=profile.name, count=count))
    return found


def _view(board: Board, name: str, start: int, uuid: str, state: str) -> SliceView:
    profile = board.profile(name)
    return SliceView.model_validate(
        {
            "profile": name,
            "start": start,
            "size": 1 if profile is None else profile.memory_slices,
            "uuid": uuid,
            "state": state,
        }
    )


def _whose(seen: tuple[str, HolderView] | None) -> dict[str, object]:
    return {} if seen is None else {"allocation_id": seen[0], "holder": seen[1]}
