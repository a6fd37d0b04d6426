"""Workloads that are submitted together: each checked, then what they say about each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from podium.domain.errors import FieldFault, UserError
from podium.domain.workload import Wish
from podium.spec.faults import FAULTS_MAX, bounded, under

_CYCLE_SHOWN_MAX = 8
_Key = tuple[str, str]  # project and name


def check_each(
    documents: Sequence[Mapping[str, object]], check: Callable[[Mapping[str, object]], Wish]
) -> list[Wish]:
    """`check` every document, gather the faults under `workloads.NUMBER`, then look at the whole.

    Raises one UserError; `spec/workload.py` offers this as `check_many`.
    """
    wishes: dict[int, Wish] = {}
    faults: list[FieldFault] = []
    for number, document in enumerate(documents):
        try:
            wishes[number] = check(document)
        except UserError as error:
            faults.extend(under(f"workloads.{number}", error.faults))
            if len(faults) > FAULTS_MAX:
                break
    if len(faults) <= FAULTS_MAX:
        faults.extend(_dependency_faults(wishes))
    if faults:
        raise UserError(*bounded(faults))
    return list(wishes.values())


def _dependency_faults(wishes: Mapping[int, Wish]) -> list[FieldFault]:
    if not any(wish.depends_on for wish in wishes.values()):
        return []
    counts = Counter((wish.project, wish.name) for wish in wishes.values())
    faults: list[FieldFault] = []
    numbers: dict[_Key, int] = {}
    needs: dict[_Key, list[_Key]] = {}
    for number, wish in wishes.items():
        key = (wish.project, wish.name)
        numbers.setdefault(key, number)
        inside = [(wish.project, name) for name in wish.depends_on]
        inside = [needed for needed in inside if needed in counts]
        needs.setdefault(key, []).extend(inside)
        faults.extend(
            FieldFault(
                f"workloads.{number}.depends_on",
                f"names '{needed[1]}', and {counts[needed]} of these workloads have that name.",
                "Give each of them a name of its own.",
            )
            for needed in inside
            if counts[needed] > 1
        )
    for cycle in _cycles(needs):
        names = [name for _, name in cycle]
        told = " → ".join(names[:_CYCLE_SHOWN_MAX])
        if len(names) > _CYCLE_SHOWN_MAX:
            told += f" → … ({len(names)} in all)"
        faults.append(
            FieldFault(
                f"workloads.{numbers[cycle[0]]}.depends_on",
                f"makes a cycle: {told} → {names[0]}.",
                "Nothing in a cycle could ever start; take one of these dependencies out.",
            )
        )
    return faults


def _cycles(needs: Mapping[_Key, Sequence[_Key]]) -> list[list[_Key]]:
    """One cycle for each edge that closes one, in a walk in depth without recursion."""
    cycles: list[list[_Key]] = []
    done: set[_Key] = set()
    for start in needs:
        if start in done:
            continue
        path: list[_Key] = [start]
        places = {start: 0}
        rest = [iter(needs[start])]
        while path:
            following = next(rest[-1], None)
            if following is None:
                last = path.pop()
                rest.pop()
                del places[last]
                done.add(last)
            elif following in places:
                if len(cycles) < FAULTS_MAX:
                    cycles.append(path[places[following] :])
            elif following not in done:
                places[following] = len(path)
                path.append(following)
                rest.append(iter(needs.get(following, ())))
    return cycles
