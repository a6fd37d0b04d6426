"""Where this machine stands and what it is called, as its operator says: labels, block, rack and
NVLink domain. `server` reads it from the settings, the inventory reports it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from podium.domain.errors import FieldFault, UserError
from podium.spec.faults import FieldError, under
from podium.spec.fields import read_labels

_PLACE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Empty text: nobody said. `labels` stand beside those that every machine has."""

    labels: tuple[tuple[str, str], ...] = ()
    block: str = ""
    rack: str = ""
    nvlink: str = ""


def read_site(
    *, labels: Sequence[str] = (), block: str = "", rack: str = "", nvlink: str = ""
) -> Site:
    """Of labels as KEY=VALUE. Raises UserError with all that is wrong."""
    faults = [
        FieldFault(field, f"is '{name[:60]}'.", "Use up to 63 letters, digits, '.', '_' and '-'.")
        for field, name in (("block", block), ("rack", rack), ("nvlink", nvlink))
        if name and _PLACE.fullmatch(name) is None
    ]
    given: dict[str, str] = {}
    for each in labels:
        key, equals, value = each.partition("=")
        if not equals:
            wrong = f"'{each[:60]}' is no label."
            faults.append(FieldFault("label", wrong, "Write it like zone=north."))
            continue
        given[key.strip()] = value.strip()
    try:
        found = read_labels(given)
    except FieldError as error:
        faults.extend(under("label", error.faults))
        found = ()
    if faults:
        raise UserError(*faults)
    return Site(labels=found, block=block, rack=rack, nvlink=nvlink)
