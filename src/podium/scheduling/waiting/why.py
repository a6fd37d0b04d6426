"""Why just these have to give way and nobody cheaper: `reclaim` finds it on its way, `blocked` puts
it behind the justification. Names no workloads, because people of other projects read it."""

from __future__ import annotations

from collections.abc import Sequence

from podium.scheduling.waiting.units import Unit, price_of

COULD_MAX = 100
"""Those who could give way are counted so far and no further."""

_HOUR_MILLI_MS = 1000 * 3_600_000


def why_single(
    units: Sequence[Unit],
    *,
    could: int,
    less: int,
    elsewhere: tuple[bool, int, int] | None,
    by_loss: bool,
) -> str:
    """For one replica. `could` give way in all; `less` of its node are cheaper than one of the
    `units` and stay; `elsewhere` is the least price of any other node, None where there is none."""
    if not by_loss:
        return _by_turn(units, could)
    if could <= len(units):
        return "nobody else could give way"
    whole, loss, _ = price_of(units)
    if not whole:
        return f"{_of(could)} {_who(units)} can be spared, and whole work goes later"
    found = []
    if less:
        those = "one there that loses less" if less == 1 else f"{less} there that lose less"
        found.append(f"{those} would free too little")
    if elsewhere is not None and elsewhere[1] > loss:
        found.append(f"on any other node at least {_hours(elsewhere[1])} would be lost")
    elif elsewhere is not None:
        found.append("no other node would lose less")
    words = f"{_of(could)} {_least(units)} that makes room"
    return f"{words}: {', and '.join(found)}" if found else words


def why_gang(units: Sequence[Unit], *, could: int, by_loss: bool) -> str:
    """For several replicas at once."""
    if not units:
        return ""
    if not by_loss:
        return _by_turn(units, could)
    if could <= len(units):
        return "nobody else could give way"
    one = "without it" if len(units) == 1 else "without any of them"
    return (
        f"{_of(could)} {_least(units)} where the next replica fits, node by node; {one} not "
        "all of them would fit"
    )


def why_groups(units: Sequence[Unit]) -> str:
    """For a gang of unlike groups."""
    return f"{_least(units)} that makes room for one group after the other"


def why_limit(units: Sequence[Unit]) -> str:
    """For room under a limit."""
    one = "without it" if len(units) == 1 else "without any of them"
    return f"{_least(units)} under the same limit, and {one} it would be passed"


def _by_turn(units: Sequence[Unit], could: int) -> str:
    if could <= len(units):
        return "nobody else could give way"
    verbs = "has had most and makes" if len(units) == 1 else "have had most and make"
    return f"{_of(could)} {_who(units)} {verbs} room"


def _of(could: int) -> str:
    return f"of {'more than ' if could >= COULD_MAX else ''}{min(could, COULD_MAX)} that could,"


def _who(units: Sequence[Unit]) -> str:
    return "it" if len(units) == 1 else f"these {len(units)}"


def _least(units: Sequence[Unit]) -> str:
    return f"{_who(units)} {'loses' if len(units) == 1 else 'lose'} the least"


def _hours(milli_ms: int) -> str:
    hours = milli_ms / _HOUR_MILLI_MS
    return f"{hours:.1f} GPU-hours" if hours >= 0.05 else f"{hours * 60:.1f} GPU-minutes"
