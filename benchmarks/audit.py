"""What the audit trail costs a submission, and how fast it is verified. On SQLite, in this process;
the API's own time, which would hide the cost, is left out."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from unittest import mock

from benchmarks.figure import Figure, Say
from podium.control.audit_check import check_all
from podium.domain.tenancy import Project, administrator_identity
from podium.intake.office import Office
from podium.intake.workloads import workload_submit
from podium.store import audit, projects
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Database, Transaction
from podium.store.hints import Hints
from podium.store.ids import IdSource
from podium.store.sealing import Sealer

CLIENTS = 16
ROUNDS = 8
REQUESTS = 400
ENTRIES = 200_000
WHO = administrator_identity("bench")


def measure(say: Say) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as home:
        return asyncio.run(_measure(Path(home), say))


async def _measure(home: Path, say: Say) -> list[Figure]:
    database = Database(f"sqlite:///{home / 'podium.db'}")
    await database.open()
    office = Office(
        database=database,
        hints=Hints(),
        ids=IdSource(database.clock),
        sealer=Sealer(home / "secret.key"),
        uploads_path=home / "uploads",
    )
    try:
        made = Project(name="vision", team="vision", created_at_ms=database.now_ms())
        await database.write(lambda tx: projects.project_insert(tx, made))
        with_trail, without = await _submissions(office, say)
        say(f"writing {ENTRIES:,} entries")
        rate = await _verification(database)
    finally:
        await database.close()
    return [
        Figure(name="submissions with the trail", value=with_trail, unit="requests/s"),
        Figure(name="submissions without it", value=without, unit="requests/s"),
        Figure(
            name="audit append, of submit throughput",
            value=max(0.0, (1 - with_trail / without) * 100),
            unit="%",
            goal=10,
        ),
        Figure(
            name="podium audit verify",
            value=rate,
            unit="entries/s",
            goal=50_000,
            more_is_better=True,
        ),
    ]


async def _submissions(office: Office, say: Say) -> tuple[float, float]:
    """With and without, in turns, so that a machine that slows down slows both."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    await _round(office, "warm")
    for turn in range(ROUNDS):
        for trail in (True, False) if turn % 2 else (False, True):
            say(f"round {turn + 1} of {ROUNDS}, {'with' if trail else 'without'} the trail")
            if trail:
                rates[trail].append(await _round(office, f"with-{turn}"))
                continue
            with (
                mock.patch.object(audit, "audit_chain", _no_chain),
                mock.patch.object(audit, "audit_gathered", _nothing),
            ):
                rates[trail].append(await _round(office, f"without-{turn}"))
    return statistics.median(rates[True]), statistics.median(rates[False])


def _no_chain(*_: object) -> None:
    pass


def _nothing(*_: object, **__: object) -> list[object]:
    return []


async def _round(office: Office, name: str) -> float:
    numbers = iter(range(REQUESTS))

    async def send() -> None:
        for number in numbers:
            spec = {"name": f"{name}-{number}", "project": "vision", "command": ["true"]}
            await workload_submit(office, WHO, [spec])

    begun = time.monotonic()
    await asyncio.gather(*(send() for _ in range(CLIENTS)))
    return REQUESTS / (time.monotonic() - begun)


async def _verification(database: Database) -> float:
    detail: dict[str, object] = {"before": {"weight": 1}, "after": {"weight": 2}, "why": "a" * 80}
    entries = [
        AuditEntry(
            actor="ada", action="quota:set", subject="vision", project="vision", detail=detail
        )
    ] * 2_000

    def write(tx: Transaction) -> None:
        audit_append(tx, entries, 1)

    for _ in range(ENTRIES // len(entries)):
        await database.write(write)
    begun = time.monotonic()
    verdict = await check_all(database, {}, list)
    seconds = time.monotonic() - begun
    assert verdict.ok, verdict.faults
    return verdict.entries / seconds
