"""A price list: what each GPU type costs from when until when. `intake/prices` asks what it
changes, and tells every fault of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from podium.domain.errors import FieldFault
from podium.domain.tariff import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One period of a list. `since_ms=None` means from now on; `until_ms=None`, as long as nothing
    else holds. `field` names it in faults, such as `prices.2`."""

    field: str
    price: Price
    since_ms: int | None
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a list comes to: prices of before that go, and those that are new."""

    dropped: tuple[Price, ...] = ()
    added: tuple[Price, ...] = ()
    faults: tuple[FieldFault, ...] = ()


def planned(
    entries: Iterable[Entry], known: Sequence[Price], now_ms: int, *, whole: bool = True
) -> Planned:
    """What becomes of the prices that are `known`, in order of time.

    A `whole` list says, of each type that it names, all that holds from its first period on: what
    was set for later, and is not in the list, goes. The past stays: periods that began may be in
    the list as long as they say what holds anyway, so the same list can be set again. The first
    price that a type ever gets may begin in the past, since it holds for what was before, too.
    """
    by_type: dict[str, list[Entry]] = {}
    for entry in entries:
        by_type.setdefault(entry.price.gpu_type, []).append(entry)
    dropped: list[Price] = []
    added: list[Price] = []
    faults: list[FieldFault] = []
    for gpu_type, mine in by_type.items():
        before = [each for each in known if each.gpu_type == gpu_type]
        timed = _timed(mine, now_ms)
        faults += _breaks(timed)
        less, more, wrong = _changes(timed, before, now_ms)
        begins = {each.since_ms for each in more}
        replaced = [each for each in before if each.since_ms in begins]
        dropped += less if whole else replaced
        added += more
        faults += wrong
    if faults:
        return Planned(faults=tuple(faults))
    return Planned(dropped=tuple(dropped), added=tuple(added))


def _timed(entries: Iterable[Entry], now_ms: int) -> list[tuple[int, Entry]]:
    timed = [(now_ms if each.since_ms is None else each.since_ms, each) for each in entries]
    return sorted(timed, key=lambda each: each[0])


def _breaks(timed: Sequence[tuple[int, Entry]]) -> list[FieldFault]:
    """Where two periods do not meet, and where the last one ends."""
    faults = []
    for (_, entry), (since_ms, after) in pairwise(timed):
        gpu_type = entry.price.gpu_type
        if after.since_ms is None or entry.since_ms == after.since_ms:
            faults.append(
                FieldFault(
                    f"{after.field}.from",
                    f"Two prices of {gpu_type} begin at the same time.",
                    "Say when each of them begins.",
                )
            )
        elif entry.until_ms is not None and entry.until_ms < since_ms:
            faults.append(
                FieldFault(
                    f"{entry.field}.until",
                    f"There is a gap: no price of {gpu_type} holds from then until the next one "
                    "begins.",
                    "End it where the next one begins, or leave `until` out.",
                )
            )
        elif entry.until_ms is not None and entry.until_ms > since_ms:
            faults.append(
                FieldFault(
                    f"{entry.field}.until",
                    f"Two prices of {gpu_type} overlap: the next one begins before this one ends.",
                    "End it where the next one begins, or leave `until` out.",
                )
            )
    last = timed[-1][1]
    if last.until_ms is not None:
        faults.append(
            FieldFault(
                f"{last.field}.until",
                f"There is a gap: nothing says what {last.price.gpu_type} costs after that.",
                "Leave `until` out of the last period, or add the one that follows.",
            )
        )
    return faults


def _changes(
    timed: Sequence[tuple[int, Entry]], before: Sequence[Price], now_ms: int
) -> tuple[list[Price], list[Price], list[FieldFault]]:
    """What goes, what comes, and where the list would change the past."""
    standing = {each.since_ms: each for each in before}
    holds = next((each for each in reversed(before) if each.since_ms <= now_ms), None)
    first_ms = timed[0][0]
    kept: set[int] = set()
    added: list[Price] = []
    faults: list[FieldFault] = []
    for since_ms, entry in timed:
        price = replace(entry.price, since_ms=since_ms)
        same = standing.get(since_ms)
        if same is not None and same.values == price.values:
            kept.add(since_ms)
            continue
        if entry.since_ms is None and holds is not None and holds.values == price.values:
            kept.add(holds.since_ms)
            continue
        if since_ms < now_ms and (before or since_ms > first_ms):
            faults.append(
                FieldFault(
                    f"{entry.field}.from",
                    f"It lies in the past, and what {price.gpu_type} cost then stays.",
                    "Let it begin now (leave `from` out) or later.",
                )
            )
            continue
        if holds is not None and since_ms <= holds.since_ms:
            # A clock that went back must not put the new price behind the old one.
            price = replace(price, since_ms=holds.since_ms + 1)
        added.append(price)
    dropped = [
        each
        for each in before
        if each.since_ms >= first_ms and each.since_ms not in kept and each.since_ms > now_ms
    ]
    if not faults and any(
        first_ms <= each.since_ms <= now_ms and each.since_ms not in kept
        for each in before
        if first_ms < now_ms
    ):
        faults.append(
            FieldFault(
                f"{timed[0][1].field}.from",
                f"Since then {timed[0][1].price.gpu_type} had other prices that the list does not "
                "name, and the past stays.",
                "Begin the list now or later.",
            )
        )
    return dropped, added, faults
