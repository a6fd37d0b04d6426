"""Reads the bookings of a cluster file; `inventory` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from podium.domain.errors import FieldFault
from podium.scheduling.snapshot import Booking
from podium.spec.faults import FieldError, described, each
from podium.spec.fields import read_duration, read_fields, read_list, read_name

_NODES_MAX = 20_000


def read_booking(value: object) -> Booking:
    """`from` is how long after the beginning of the simulation, `until` how long after `from`;
    without a project it is for maintenance. Raises FieldError."""
    found: Any = read_fields(
        value,
        {
            "name": read_name,
            "nodes": _nodes,
            "from": partial(read_duration, minimum=0),
            "until": read_duration,
            "project": read_name,
        },
        defaults={"from": 0, "project": None},
    )
    from_ms = found["from"] * 1000
    return Booking(
        name=found["name"],
        nodes=found["nodes"],
        from_ms=from_ms,
        until_ms=from_ms + found["until"] * 1000,
        project=found["project"],
    )


def booking_faults(bookings: Sequence[Booking], nodes: set[str]) -> Iterator[FieldFault]:
    """Names that are taken, nodes that are unknown, and nodes that are booked twice at a time."""
    names: set[str] = set()
    for at, booking in enumerate(bookings):
        if booking.name in names:
            wrong = f"is '{booking.name}', as another booking is."
            yield FieldFault(f"bookings.{at}.name", wrong, "Choose another name.")
        names.add(booking.name)
        for number, node in enumerate(booking.nodes):
            if node not in nodes:
                wrong = f"is {node}, which is none of the nodes."
                yield FieldFault(f"bookings.{at}.nodes.{number}", wrong)
        for other in bookings[:at]:
            if booking.from_ms >= other.until_ms or other.from_ms >= booking.until_ms:
                continue
            both = sorted(set(booking.nodes) & set(other.nodes))
            if both:
                yield FieldFault(
                    f"bookings.{at}.nodes",
                    f"has {both[0]}, which is booked in that time by {other.name}.",
                    "Choose other nodes or another time.",
                )
                break


def _nodes(value: object) -> tuple[str, ...]:
    listed = read_list(value, length_max=_NODES_MAX, example="[node-1, node-2]")
    if not listed:
        raise FieldError("is an empty list.", "Name at least one node.")
    named = each(((str(at), entry) for at, entry in enumerate(listed)), _node)
    return tuple(dict.fromkeys(named))


def _node(value: object) -> str:
    if not isinstance(value, str):
        raise FieldError(f"is {described(value)}.", "Write the name of a node.")
    return value
