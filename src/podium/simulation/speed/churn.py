"""The shape `mig-churn`: MIG instances of mixed sizes come and go on 200 GPUs of mixed boards;
`podium bench scheduler` and the benchmarks run it.

Every request is placed at once or refused for good; nothing that runs is moved. All policies hear
the same requests.
"""

from __future__ import annotations

import hashlib
import heapq
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from podium.domain.mig import BOARDS, GIB, Board, Profile
from podium.scheduling.placing.slices import (
    MEDIA,
    Need,
    Prices,
    free_mask,
    legal,
    starts_for,
    taken,
)

SHAPE = "mig-churn"
WORDS = "200 MIG GPUs of five boards, 8,000 requests come and go"
SEED = 20_260_702
REQUESTS = 8000
AT_ONCE = 620
"""Requests that would be there at any moment, were none refused."""

GOAL_PER_SECOND = 2000
GOAL_OF_FIRST_FIT = 0.5
GOAL_OF_BEST_FIT = 0.75
"""At most so many times the refusals of the other policies on the same requests."""

LOOK_EVERY = 32
"""Requests between two looks at what is free and what is asked for."""

REMEMBERED = 2048
"""Requests after which each earlier one counts half."""

_NODES: Mapping[str, int] = MappingProxyType(
    {"H100-80GB": 7, "A100-40GB": 5, "A100-80GB": 5, "A30-24GB": 5, "H200-141GB": 3}
)
_GPUS_OF_NODE = 8

# What is asked for, and how often among a hundred: mostly by memory, some also by compute, some by
# the name of a profile as people know it.
_ASKED: tuple[tuple[Need, int], ...] = (
    (Need(4 * GIB), 26),
    (Need(9 * GIB), 20),
    (Need(8 * GIB, 250), 8),
    (Need(profile="1g.10gb"), 8),
    (Need(18 * GIB), 14),
    (Need(16 * GIB, 400), 7),
    (Need(38 * GIB), 7),
    (Need(profile="3g.40gb"), 3),
    (Need(30 * GIB, 500), 3),
    (Need(70 * GIB), 4),
)

# Notebooks of an hour, jobs of a working day, services of a week: hours and how often.
_STAYS: tuple[tuple[float, int], ...] = ((1, 50), (8, 42), (168, 8))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: it comes `at_hours` and stays for `hours` where it is placed."""

    at_hours: float
    need: Need
    hours: float


@dataclass(slots=True)
class Gpu:
    """One GPU in MIG mode, and what is free of it. `kind` is the place of its board in the list."""

    board: Board
    kind: int
    mask: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Churned:
    """What one policy made of the requests. `slices_used` is the mean part of all memory slices
    that were in use when a request came, and `slices_used_at_first_refusal` that part when the
    first one was refused, None where none was. `digest` is of all placements."""

    shape: str
    policy: str
    decisions_per_second: float
    refusals: int
    slices_used_at_first_refusal: float | None
    slices_used: float
    requests: int
    gpus: int
    at_once: float
    seed: int
    digest: str


Chosen = tuple[int, Profile, int]
"""The GPU's position, the profile and its start."""

Policy = Callable[[Sequence[Gpu], Need], Chosen | None]


class Priced:
    """`podium`: where the recent mix of requests loses least, learnt from what came so far."""

    def __init__(self) -> None:
        self._counts: dict[Need, int] = {}
        self._seen = 0
        self._prices = Prices((), ())

    def __call__(self, gpus: Sequence[Gpu], need: Need) -> Chosen | None:
        self._counts[need] = self._counts.get(need, 0) + 1
        self._seen += 1
        if self._seen % REMEMBERED == 0:
            self._counts = {need: (count + 1) // 2 for need, count in self._counts.items()}
        if self._seen % LOOK_EVERY == 1:
            states: dict[tuple[Board, int], int] = {}
            for gpu in gpus:
                state = (gpu.board, gpu.mask)
                states[state] = states.get(state, 0) + 1
            self._prices = Prices(
                self._counts.items(),
                [(board, mask, count) for (board, mask), count in states.items()],
            )
        choices = [self._prices.choices(BOARDS[name], need) for name in _NODES]
        at, best = -1, None
        for position, gpu in enumerate(gpus):
            found = choices[gpu.kind][gpu.mask]
            if found is None or found is best:
                continue
            if best is None or (found.price, found.left) < (best.price, best.left):
                at, best = position, found
        return None if best is None else (at, best.profile, best.start)


def first_fit(gpus: Sequence[Gpu], need: Need) -> Chosen | None:
    """The first GPU that has room, on it the smallest profile that will do, at its first start."""
    for position, gpu in enumerate(gpus):
        found = _lowest(gpu, need)
        if found is not None:
            return position, *found
    return None


def best_fit(gpus: Sequence[Gpu], need: Need) -> Chosen | None:
    """The same on the GPU that is left with the fewest free slices."""
    best: Chosen | None = None
    least = 0
    for position, gpu in enumerate(gpus):
        found = _lowest(gpu, need)
        if found is not None:
            left = (gpu.mask - taken(*found)).bit_count()
            if best is None or left < least:
                best, least = (position, *found), left
    return best


POLICIES: Mapping[str, Callable[[], Policy]] = MappingProxyType(
    {"podium": Priced, "first-fit": lambda: first_fit, "best-fit": lambda: best_fit}
)


def churned_often(
    policy: str = "podium", *, repeat: int, scale: float = 1.0, seed: int = SEED
) -> Churned:
    """The median of `repeat` runs by decisions a second; all else must be the same in each."""
    runs = [churned(policy, seed=seed, scale=scale) for _ in range(repeat)]
    assert len({run.digest for run in runs}) == 1, "not pure"
    runs.sort(key=lambda run: run.decisions_per_second)
    return runs[(repeat - 1) // 2]


def churned(
    policy: str = "podium", *, seed: int = SEED, at_once: float = AT_ONCE, scale: float = 1.0
) -> Churned:
    """Run all requests through one policy. `scale` is that of GPUs and requests alike. Raises
    KeyError for a policy that there is not."""
    gpus = made_gpus(seed, scale)
    asked = drawn(seed, at_once * scale, max(1, round(REQUESTS * scale)))
    choose = POLICIES[policy]()
    total = sum(gpu.board.memory_slices for gpu in gpus)
    ends: list[tuple[float, int, int, int]] = []
    placed = []
    used = used_sum = refusals = 0
    at_first: float | None = None
    began = time.perf_counter()
    for number, one in enumerate(asked):
        while ends and ends[0][0] <= one.at_hours:
            _, _, position, bits = heapq.heappop(ends)
            gpu = gpus[position]
            used -= _slices(bits)
            gpu.mask += bits
        used_sum += used
        chosen = choose(gpus, one.need)
        if chosen is None:
            refusals += 1
            placed.append("-")
            at_first = used / total if at_first is None else at_first
            continue
        position, profile, start = chosen
        gpu = gpus[position]
        assert legal(gpu.mask, profile, start), f"{profile.name} at {start} lies over another"
        bits = taken(profile, start)
        gpu.mask -= bits
        used += _slices(bits)
        placed.append(f"{position}:{profile.name}@{start}")
        heapq.heappush(ends, (one.at_hours + one.hours, number, position, bits))
    seconds = time.perf_counter() - began
    return Churned(
        shape=SHAPE,
        policy=policy,
        decisions_per_second=round(len(asked) / max(seconds, 1e-9), 1),
        refusals=refusals,
        slices_used_at_first_refusal=None if at_first is None else round(at_first, 4),
        slices_used=round(used_sum / total / len(asked), 4),
        requests=len(asked),
        gpus=len(gpus),
        at_once=at_once * scale,
        seed=seed,
        digest=hashlib.sha256("\n".join(placed).encode()).hexdigest(),
    )


def _lowest(gpu: Gpu, need: Need) -> tuple[Profile, int] | None:
    for profile in need.on(gpu.board):
        starts = starts_for(gpu.board, profile, gpu.mask)
        if starts:
            return profile, starts[0]
    return None


def made_gpus(seed: int, scale: float = 1.0) -> list[Gpu]:
    """Empty GPUs, eight of a board to a node, the nodes in an order that the seed draws."""
    nodes = [name for name, count in _NODES.items() for _ in range(max(1, round(count * scale)))]
    random.Random(seed).shuffle(nodes)  # noqa: S311 - work to try, no secret
    kinds = {name: kind for kind, name in enumerate(_NODES)}
    return [
        Gpu(BOARDS[name], kinds[name], free_mask(BOARDS[name]))
        for name in nodes
        for _ in range(_GPUS_OF_NODE)
    ]


def drawn(seed: int, at_once: float, count: int) -> list[Asked]:
    """`count` requests, so many that `at_once` are there at any moment while none is refused: at
    first those that would be there on any day, then the others at chance moments."""
    draw = random.Random(seed + 1)  # noqa: S311 - work to try, no secret
    needs, often = zip(*_ASKED, strict=True)
    means, begun = zip(*_STAYS, strict=True)
    # Of those that are there at any moment more are long ones, by their length; and each has as
    # long to go as if it began now, because a stay is drawn without memory.
    there = [mean * times for mean, times in _STAYS]
    every_hours = sum(there) / sum(begun) / at_once
    asked = []
    at_hours = 0.0
    for number in range(count):
        first = number < at_once
        at_hours += 0.0 if first else draw.expovariate(1 / every_hours)
        (need,) = draw.choices(needs, often)
        (mean,) = draw.choices(means, there if first else begun)
        asked.append(Asked(at_hours, need, draw.expovariate(1 / mean)))
    return asked


def _slices(bits: int) -> int:
    return (bits & ~MEDIA).bit_count()
