"""What the rest of a device is worth when requests for shares of one keep coming; prices ask it.

The worth is the dual price of cutting stock: were all requests to come cut from as few devices as
possible, what would this rest save of a device? A rest that can be filled up is worth its size, one
that will stay open is worth nothing.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from podium.scheduling.space.room import WHOLE_MILLI, Floats, Ints

SIZES_MAX = 24
"""So many sizes are told apart, the most wanted; one between them counts as the next larger."""

PARTS = 64
"""Counts are taken as parts of the largest: how to cut best depends little on more."""

STEPS_MAX = 200
EPSILON = 1e-9


def leftover_values(sizes: Ints, counts: Ints) -> Floats:
    """Worth of a device by its free share, (1001,), in milli-GPU: whole numbers from 0 to 1000 that
    never fall. Requests want `sizes[i]` of one device (1 to 999), `counts[i]` times; without any,
    only a whole device is worth something."""
    wanted = np.bincount(sizes, weights=counts, minlength=WHOLE_MILLI)
    distinct = np.flatnonzero(wanted)
    if not len(distinct):
        return _only_whole()
    kept = distinct[np.sort(np.argsort(-wanted[distinct], kind="stable")[: SIZES_MAX - 1])]
    kept = np.union1d(kept, distinct[-1:])
    total = np.bincount(np.searchsorted(kept, distinct), weights=wanted[distinct])
    parts = np.maximum(1, np.rint(total * PARTS / total.max()))
    return _values(tuple(kept.tolist()), tuple(parts.tolist())).copy()


@lru_cache(maxsize=256)
def _values(sizes: tuple[int, ...], counts: tuple[float, ...]) -> Floats:
    """Column generation: whole devices are cut by patterns, one for each size at first; the
    pattern that saves most at the present prices comes in for the one that is used up first."""
    most = [WHOLE_MILLI // size for size in sizes]
    inverse = np.diag(1 / np.array(most, dtype=np.float64))
    devices = np.array(counts) @ inverse
    cost = np.ones(len(sizes))
    for _ in range(STEPS_MAX):
        price = cost @ inverse
        worst = int(price.argmin())
        if price[worst] < -EPSILON:
            # Too many of a size are cut: give some up.
            pattern, entering = np.zeros(len(sizes)), 0.0
            pattern[worst] = -1
        else:
            best = _best_cut(sizes, price)
            if best[WHOLE_MILLI] <= 1 + EPSILON:
                break
            pattern, entering = _pattern(sizes, price, best), 1.0
        change = inverse @ pattern
        bound = np.full(len(sizes), np.inf)
        np.divide(devices, change, out=bound, where=change > EPSILON)
        leaving = int(bound.argmin())
        if bound[leaving] == np.inf:
            break
        row = inverse[leaving] / change[leaving]
        inverse = inverse - np.outer(change, row)
        inverse[leaving] = row
        step = bound[leaving]
        devices = np.maximum(devices - change * step, 0)
        devices[leaving] = step
        cost[leaving] = entering
    # Prices that no pattern beats, also where the steps ran out.
    best = _best_cut(sizes, np.maximum(cost @ inverse, 0))
    return np.asarray(np.floor(best * (WHOLE_MILLI / best[WHOLE_MILLI]) + 1e-6))


def _best_cut(sizes: tuple[int, ...], price: Floats) -> Floats:
    """The most that can be cut of each free share, (1001,)."""
    best = np.zeros(WHOLE_MILLI + 1)
    for size, each in zip(sizes, price.tolist(), strict=True):
        if each > 0:
            for start in range(size, WHOLE_MILLI + 1, size):
                end = min(start + size, WHOLE_MILLI + 1)
                np.maximum(
                    best[start:end], best[start - size : end - size] + each, out=best[start:end]
                )
    return best


def _pattern(sizes: tuple[int, ...], price: Floats, best: Floats) -> Floats:
    """How often each size is in the best cut of a whole device, (M,)."""
    pattern = np.zeros(len(sizes))
    left = WHOLE_MILLI
    while best[left] > EPSILON:
        at = next(
            at
            for at, size in enumerate(sizes)
            if size <= left and best[left - size] + price[at] >= best[left] - EPSILON / 1000
        )
        pattern[at] += 1
        left -= sizes[at]
    return pattern


def _only_whole() -> Floats:
    values = np.zeros(WHOLE_MILLI + 1)
    values[WHOLE_MILLI] = WHOLE_MILLI
    return values
