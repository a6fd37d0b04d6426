"""What authorisation and scope cost on a list of 100,000 workloads of 500 projects, on both kinds
of database: rights are read anew for each page, then the page, what runs of it, and the count."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.figure import Figure, Say, quantile
from benchmarks.many_workloads import WORKLOADS, fill_store
from podium.domain.lifecycle import WorkloadState
from podium.domain.rights import DEVELOPER, VIEWER, Binding, Level, SubjectKind
from podium.domain.tenancy import Group, Token, User, UserSource
from podium.spec.views.workload import WorkloadSort
from podium.store import roles, tokens, user_groups, users, workloads
from podium.store.database import Database, Transaction
from podium.store.listing import WorkloadFilter, workload_list

PROJECTS = tuple(f"p-{number:03}" for number in range(500))
MEMBERS = (1, 50, 499)
PAGE = 100
ROUNDS = 25
GOAL_MS = 50
GOAL_SORTED_MS = 100
CHOSEN = {
    "everything": WorkloadFilter(),
    "failed": WorkloadFilter(states=(WorkloadState.FAILED,)),
    "living": WorkloadFilter(states=(WorkloadState.QUEUED, WorkloadState.RUNNING)),
    "one project": WorkloadFilter(projects=(PROJECTS[0],)),
    "owner and kind": WorkloadFilter(owner="ada", kinds=("training",)),
    "part of a name": WorkloadFilter(text="train-12"),
    "label": WorkloadFilter(labels=(("team", "blue"),)),
}
SORTS = (WorkloadSort.SUBMITTED, WorkloadSort.NAME, WorkloadSort.PRIORITY)
_GROUP = "many"


def measure(say: Say) -> list[Figure]:
    figures: list[Figure] = []
    with _stores(say) as stores:
        for dialect, url in stores:
            took = asyncio.run(_measured(dialect, url, say))
            for member, by_page in took.items():
                figures += _figures(dialect, member, by_page)
    return figures


def _figures(
    dialect: str, member: int, by_page: dict[tuple[str, str], list[float]]
) -> list[Figure]:
    """Newest first is the order that people look at; others are sorted for them alone."""
    first = WorkloadSort.SUBMITTED.value
    orders = {
        "newest first": [ms for (_, sort), took in by_page.items() if sort == first for ms in took],
        "in other orders": [
            ms for (_, sort), took in by_page.items() if sort != first for ms in took
        ],
    }
    return [
        Figure(
            name=f"p99 of rights, page and count {order}, member of {member} of "
            f"{len(PROJECTS)} projects with {WORKLOADS} workloads, {dialect}",
            value=quantile(took, 0.99),
            unit="ms",
            goal=goal,
        )
        for (order, took), goal in zip(orders.items(), (GOAL_MS, GOAL_SORTED_MS), strict=True)
    ]


@contextmanager
def _stores(say: Say) -> Iterator[list[tuple[str, str]]]:
    """An address of each kind of database that is here."""
    folder = Path(tempfile.mkdtemp(prefix="podium-"))
    found = [("SQLite", f"sqlite:///{folder / 'podium.db'}")]
    tests = str(Path(__file__).parents[1] / "tests")
    sys.path.append(tests)
    try:
        postgresql: Any = importlib.import_module("postgresql")
        binaries = postgresql.programs()
        if binaries is None:
            say("there is no PostgreSQL here")
            yield found
            return
        with postgresql.serving(binaries) as server:
            yield [*found, ("PostgreSQL", server.url(server.create()))]
    finally:
        sys.path.remove(tests)
        shutil.rmtree(folder, ignore_errors=True)


async def _measured(
    dialect: str, url: str, say: Say
) -> dict[int, dict[tuple[str, str], list[float]]]:
    await fill_store(url, WORKLOADS, lambda words: say(f"{dialect}: {words}"), PROJECTS)
    database = Database(url)
    await database.open()
    took: dict[int, dict[tuple[str, str], list[float]]] = {}
    try:
        now_ms = database.now_ms()
        await database.write(lambda tx: _people(tx, now_ms))
        _settle(database.url)
        for number in range(ROUNDS):
            say(f"{dialect}: round {number + 1} of {ROUNDS}")
            for member in MEMBERS:
                pages = took.setdefault(member, {})
                for name, chosen in CHOSEN.items():
                    for sort in SORTS:
                        begun = time.perf_counter()
                        await database.read(
                            partial(_page, member=member, chosen=chosen, sort=sort, now_ms=now_ms)
                        )
                        ms = (time.perf_counter() - begun) * 1000
                        if number:  # the first warms the caches, as the day before did
                            pages.setdefault((name, sort.value), []).append(ms)
    finally:
        await database.close()
    return took


def _page(
    tx: Transaction, *, member: int, chosen: WorkloadFilter, sort: WorkloadSort, now_ms: int
) -> None:
    """As `api/workloads` does it, with the rights that `SignIn` keeps for two seconds."""
    who = tokens.identity_fetch(tx, f"hash-{member}", now_ms)
    assert who is not None
    found = workload_list(tx, who.scope, chosen, limit=PAGE + 1, sort=sort)
    workloads.replica_counts_many(tx, [each.id for each in found.workloads])


def _people(tx: Transaction, now_ms: int) -> None:
    """One is a member by name, one through a group, one by 499 bindings of both kinds."""
    group = Group(name=_GROUP, source=UserSource.LOCAL, created_at_ms=now_ms)
    user_groups.group_insert(tx, group)
    for member in MEMBERS:
        username = f"member-{member}"
        users.user_insert(tx, User(username=username, created_at_ms=now_ms), "")
        token = Token(
            id=f"t-{member}",
            username=username,
            name="benchmark",
            created_at_ms=now_ms,
            expires_at_ms=None,
            last_used_at_ms=now_ms,
        )
        tokens.token_insert(tx, token, f"hash-{member}")
        if member > 1:
            user_groups.member_add(tx, _GROUP, username, UserSource.LOCAL)
    _bind(tx, SubjectKind.USER, "member-1", PROJECTS[:1], DEVELOPER, now_ms)
    _bind(tx, SubjectKind.GROUP, _GROUP, PROJECTS[:50], DEVELOPER, now_ms)
    _bind(tx, SubjectKind.USER, "member-499", PROJECTS[:499], VIEWER, now_ms)


def _bind(
    tx: Transaction,
    kind: SubjectKind,
    subject: str,
    targets: tuple[str, ...],
    role: str,
    now_ms: int,
) -> None:
    for target in targets:
        binding = Binding(
            id=f"b-{subject}-{target}",
            subject_kind=kind,
            subject=subject,
            role=role,
            level=Level.PROJECT,
            target=target,
            created_at_ms=now_ms,
            created_by="benchmark",
        )
        roles.binding_insert(tx, binding)


def _settle(url: sa.URL) -> None:
    """What PostgreSQL does by itself soon after so many rows were written; SQLite never does."""
    if url.get_backend_name() == "sqlite":
        return
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()
