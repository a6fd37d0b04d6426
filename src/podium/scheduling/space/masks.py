"""What is free of a device, as one integer: thousandths of a GPU, or, of a GPU that can be cut into
MIG instances, which of its slices. Floors keep such values and take from them.

A value of slices is the number of slices that the board has, above the bits of `slices.free_mask`.
An amount that is taken is thousandths, or the bits of an instance; a negative one is given back.
"""

from __future__ import annotations

from podium.domain.mig import Board, Profile
from podium.domain.quantity import GPU_MILLI

_ABOVE = 12
SLICED = 1 << _ABOVE
"""From here on, a value is one of slices."""

_SLICES = 255


def value_of(board: Board, mask: int) -> int:
    return board.memory_slices << _ABOVE | mask


def mask_of(value: int) -> int:
    return value & (SLICED - 1)


def less(value: int, amount: int) -> int:
    """What is left of a free value when the amount is taken."""
    if value < SLICED:
        return value - amount
    return value & ~amount if amount >= 0 else value | -amount


def least(one: int, other: int) -> int:
    """What both have."""
    if one < SLICED or other < SLICED:
        return min(one, other)
    return one & other


def milli_of(value: int) -> int:
    """How much is free, in milli-GPU."""
    if value < SLICED:
        return value
    return (value & _SLICES).bit_count() * GPU_MILLI // (value >> _ABOVE)


def instance_milli(board: Board, profile: Profile) -> int:
    """What an instance counts for in quotas and bills: its part of the memory slices."""
    return profile.memory_slices * GPU_MILLI // board.memory_slices
