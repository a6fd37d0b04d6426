"""Which sources a submission means by the names that it writes, and whether it may use them so."""

from __future__ import annotations

from dataclasses import replace

from podium.domain.data import DataUse, Mode, ids_meant, right_to
from podium.domain.errors import FieldFault
from podium.domain.workload import Wish
from podium.store.data_sources import sources_fetch
from podium.store.database import Transaction


def data_resolved(
    tx: Transaction, wish: Wish, username: str, team: str, prefix: str, faults: list[FieldFault]
) -> Wish:
    """The wish with the ids of its sources; what is wrong is added to `faults`. What does not exist
    and what may not be used are told alike."""
    asked = wish.program.data
    if not asked:
        return wish
    project = wish.project
    known = sources_fetch(tx, {key for each in asked for key in ids_meant(project, each.source)})
    uses: list[DataUse] = []
    for index, use in enumerate(asked):
        found = None
        readable = False
        for key in ids_meant(project, use.source):
            source = known.get(key)
            if source is None:
                continue
            who = {"project": project, "team": team, "username": username}
            if right_to(source, use.mode, **who) is not None:
                found = source
                break
            readable = readable or right_to(source, Mode.READ_ONLY, **who) is not None
        if found is not None:
            uses.append(replace(use, source=found.id))
        elif readable:
            message = f"project {project} may read '{use.source}', and not write to it."
            faults.append(FieldFault(f"{prefix}data.{index}.mode", message, "Write ro."))
        else:
            message = f"project {project} has no data source '{use.source}' to use."
            remedy = "See: podium data ls. Who keeps a source grants it: podium data grant"
            faults.append(FieldFault(f"{prefix}data.{index}.source", message, remedy))
    return replace(wish, program=replace(wish.program, data=tuple(uses)))
