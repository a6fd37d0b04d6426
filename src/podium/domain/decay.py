"""How use in the past fades: what was used one half-life ago counts half. In milli-GPU x
milliseconds; `store/past_use` keeps the sums."""

from __future__ import annotations

from math import exp2, log


def faded(milli_ms: int, elapsed_ms: int, half_life_ms: int) -> int:
    """What is left of it after `elapsed_ms`: `milli_ms x 2^(-elapsed / half-life)`."""
    return int(milli_ms * exp2(-max(elapsed_ms, 0) / half_life_ms))


def held(milli: int, held_ms: int, half_life_ms: int) -> int:
    """What holding so much for so long counts at its end, when each moment has faded since:
    `milli x half-life / ln 2 x (1 - 2^(-held / half-life))`, which is a little less than
    `milli x held_ms` while that is short."""
    return int(milli * half_life_ms / log(2) * (1 - exp2(-max(held_ms, 0) / half_life_ms)))
