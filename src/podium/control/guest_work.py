"""Which work the guests of an engine are: each its own, or a gang of those that say so, as
documents like those that people submit. `control/guests` stores them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from podium.domain.identity import name_suggestion
from podium.domain.policy import GRACE_SECONDS_MAX
from podium.engines.guests import Guest
from podium.spec.fields import write_milli
from podium.spec.resources import MEMORY_BYTES_MIN

_LABEL_MAX = 63
_IMAGES_OWN = "# what its image runs"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A workload that is to be, with its guests in the order of their ranks."""

    guests: tuple[Guest, ...]
    document: dict[str, object]

    @property
    def project(self) -> str:
        return self.guests[0].project


@dataclass(frozen=True, slots=True)
class Gathered:
    """`held` says of all others why they are no work yet, by uid."""

    wanted: tuple[Wanted, ...]
    held: dict[str, str]


def gathered(guests: Iterable[Guest], cluster: str) -> Gathered:
    """`guests` are those that are no work yet, oldest first."""
    wanted: list[Wanted] = []
    held: dict[str, str] = {}
    gangs: defaultdict[tuple[str, str], list[Guest]] = defaultdict(list)
    for each in guests:
        if each.group:
            gangs[each.project, each.group].append(each)
        elif each.fault:
            held[each.uid] = each.fault
        else:
            wanted.append(Wanted((each,), _document((each,), cluster)))
    for members in gangs.values():
        made, words = _gang(members)
        uids = {each.uid for each in made}
        held |= {each.uid: each.fault or words for each in members if each.uid not in uids}
        if made:
            wanted.append(Wanted(made, _document(made, cluster)))
    return Gathered(tuple(wanted), held)


def _gang(members: Sequence[Guest]) -> tuple[tuple[Guest, ...], str]:
    """Those that are the gang, none of them while it is not whole; and why others wait."""
    sizes = {each.group_size for each in members}
    faulty = next((each for each in members if each.fault), None)
    if faulty is not None:
        return (), f"It waits for its group: Podium cannot take {faulty.name}. {faulty.fault}"
    if len(sizes) > 1:
        said = " and ".join(map(str, sorted(sizes)))
        return (), f"The pods of its group say that they are {said}; write the same number."
    (size,) = sizes
    if len(members) < size:
        return (), f"Its group has {len(members)} of {size} pods; it waits for the others."
    chosen = sorted(members[:size], key=lambda each: (str(_shape(each)), each.name))
    return tuple(chosen), "Its group is whole without it; it waits for the next one."


def _shape(guest: Guest) -> tuple[object, ...]:
    """Equal for those that run and need the same."""
    return sorted(_resources(guest).items()), guest.command


def _document(guests: Sequence[Guest], cluster: str) -> dict[str, object]:
    first = guests[0]
    document: dict[str, object] = {
        "name": name_suggestion(first.group or first.name),
        "project": first.project,
        "kind": "batch",
        "retries": 0,  # whoever made the pods makes them again
        "grace": min(GRACE_SECONDS_MAX, max(each.grace_seconds for each in guests)),
        "labels": _labels(first, cluster),
    }
    if first.image:
        document["image"] = first.image
    if first.priority:
        whole = first.priority.isascii() and first.priority.isdigit()
        document["priority"] = int(first.priority) if whole else first.priority
    if first.expected_seconds:
        document["expected_runtime"] = first.expected_seconds
    shapes: dict[str, list[Guest]] = {}
    for each in guests:
        shapes.setdefault(str(_shape(each)), []).append(each)
    if len(shapes) == 1:
        if len(guests) > 1:
            document["replicas"] = len(guests)
        return document | {"resources": _resources(first)} | _program(first)
    document["groups"] = [
        {
            "name": f"part-{number}",
            "replicas": len(alike),
            "resources": _resources(alike[0]),
            **_program(alike[0]),
        }
        for number, alike in enumerate(shapes.values())
    ]
    return document


def _program(guest: Guest) -> dict[str, object]:
    """For people to see: the pod has what it runs."""
    return {"command": list(guest.command)} if guest.command else {"script": _IMAGES_OWN}


def _resources(guest: Guest) -> dict[str, object]:
    """At least what a spec can ask for: a pod may ask for nothing at all."""
    asked: dict[str, object] = {
        "cpus": write_milli(max(1, guest.cpu_milli)),
        "memory": max(MEMORY_BYTES_MIN, guest.memory_bytes),
        "nodes": dict(guest.nodes),
    }
    if guest.gpus:
        asked["gpus"] = guest.gpus
    if guest.mig_profile:
        asked["mig"] = {"profile": guest.mig_profile, "count": guest.mig_count}
    return asked


def _labels(guest: Guest, cluster: str) -> dict[str, object]:
    kind, name = ("group", guest.group) if guest.group else ("pod", guest.name)
    return {"podium.io/cluster": cluster, f"podium.io/{kind}": name[:_LABEL_MAX]}
