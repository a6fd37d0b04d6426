"""How the GPUs of a node are cut by the GPU operator's MIG manager: what its configurations are
called, and which one stands. `devices` lists GPUs by it, `relayout` asks for another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from podium.domain.layouts import parse_layout
from podium.domain.mig import BOARDS, Board, board_of
from podium.engines.kubernetes import names

DISABLED = "all-disabled"
CONFIG = "nvidia.com/mig.config"
STATE = "nvidia.com/mig.config.state"
CAPABLE = "nvidia.com/mig.capable"
STRATEGY = "nvidia.com/mig.strategy"
SINGLE = "single"
FAILED = "failed"
AT_WORK = frozenset({"pending", "rebooting"})

Instances = tuple[tuple[str, int], ...]
"""Profiles with their starts, by start."""


def profile_of(resource: str) -> str:
    """The profile of instances that a plugin calls so: resources have no `+`."""
    return resource.removeprefix(names.MIG_PREFIX).replace(".me", "+me")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How each GPU of a node is cut, and how many GPUs it has. `single`: the plugin calls the
    instances GPUs, as all of them are alike."""

    board: Board
    instances: Instances
    gpus: int
    single: bool


@lru_cache(maxsize=64)
def configs_of(board: Board) -> Mapping[str, Instances]:
    """The configurations that managers have for a board from the start, by name: each profile as
    often as it fits, and a mixture. Where an instance lies is the driver's choice; the starts are
    those that Podium itself would choose."""
    found: dict[str, Instances] = {DISABLED: ()}
    for profile in board.profiles:
        name = f"all-{profile.name.replace('+', '.')}"
        found[name] = _placed(board, {profile.name: profile.max_instances})
    mixture: dict[str, int] = {}
    for compute, count in (3, 1), (2, 1), (1, 2):
        for profile in board.profiles:
            if profile.compute_slices == compute and not profile.media:
                mixture[profile.name] = count
                break  # of two with as much compute the one with less memory
    found["all-balanced"] = _placed(board, mixture)
    return found


def _placed(board: Board, counts: Mapping[str, int]) -> Instances:
    text = ",".join(f"{count}x{name}" for name, count in counts.items())
    return tuple((profile.name, start) for profile, start in parse_layout(board, text))


def standing_of(
    model: str,
    memory_bytes: int,
    profile: str | None,
    amounts: Mapping[str, int],
    labels: Mapping[str, str],
) -> Standing | None:
    """How the GPUs of a node are cut, where a manager cuts them and all alike. None for all else:
    then instances stand for themselves. Told by what its plugin counts (`amounts` by resource),
    because the manager's labels change before the GPUs do. `profile` is that of the product's
    name, which the strategy "single" writes."""
    counts = _counts(profile, amounts, labels)
    if STATE not in labels or not counts or any(_is_shared(each) for each in labels.items()):
        return None
    board = _board(model, memory_bytes, counts)
    if board is None or labels.get(CONFIG) not in configs_of(board):
        return None
    for instances in configs_of(board).values():
        each = Counter(name for name, _ in instances)
        if set(each) == set(counts):
            # One that is ill is not counted: the GPU is there all the same.
            gpus = max(-(-counts[name] // each[name]) for name in each)
            single = labels[STRATEGY] == SINGLE
            return Standing(board=board, instances=instances, gpus=gpus, single=single)
    return None


def _counts(
    profile: str | None, amounts: Mapping[str, int], labels: Mapping[str, str]
) -> dict[str, int]:
    """Instances by profile; empty where some GPUs are not cut."""
    whole = amounts.get(names.GPU, 0)
    cut = {
        profile_of(name): amount
        for name, amount in amounts.items()
        if name.startswith(names.MIG_PREFIX) and amount
    }
    match labels.get(STRATEGY):
        case "single" if profile and whole and not cut:
            return {profile: whole}
        case "mixed" if not whole:
            return cut
    return {}


def _is_shared(label: tuple[str, str]) -> bool:
    name, value = label
    return name.startswith(names.VENDOR) and name.endswith(".replicas") and value not in "01"


def _board(model: str, memory_bytes: int, profiles: Iterable[str]) -> Board | None:
    """Feature Discovery may tell the memory of an instance as that of the GPU, so all boards of
    the chip are tried by their profiles, and by the size in the model's name."""
    words = model.upper().split()
    kin = [each for each in BOARDS.values() if each.name.split("-")[0] in words]
    able = [each for each in kin if all(each.profile(name) for name in profiles)]
    known = board_of(model, memory_bytes)
    if known in able or len(able) == 1:
        return known if known in able else able[0]
    named = [each for each in able if each.name.split("-")[1] in words]
    return named[0] if len(named) == 1 else None
