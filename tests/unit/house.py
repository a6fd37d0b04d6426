"""A store with people, projects and virtual nodes in it; tests of store, intake and control use
it to do what the rooms do, one step at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from podium.control.leadership import Leadership
from podium.domain.lifecycle import ReplicaState
from podium.domain.node import Device, Node, NodeState
from podium.domain.reason import Cause
from podium.domain.rights import ADMINISTRATOR as ADMINISTRATOR_ROLE
from podium.domain.rights import BUILT_IN_ROLES, LEAD, Binding, Level, Rights, SubjectKind
from podium.domain.tenancy import (
    WHOLE,
    Identity,
    Membership,
    Project,
    User,
    administrator_identity,
)
from podium.domain.workload import Workload
from podium.intake.office import Office
from podium.intake.workloads import workload_submit
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.store import nodes, plans, projects, replicas, roles, tables, users, workloads
from podium.store.codec import Row
from podium.store.database import Database, Transaction
from podium.store.hints import Hints
from podium.store.ids import IdSource
from podium.store.plans import Committed
from podium.store.replicas import End
from podium.store.sealing import Sealer
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock

Result = TypeVar("Result")

GIB = 2**30
ENGINE = "fake"


def node(name: str = "n1", gpus: int = 4, cpus: int = 16, **changes: Any) -> Node:
    devices = tuple(
        Device(
            id=f"{name}-gpu{index}",
            node=name,
            index=index,
            uuid=f"GPU-{name}-{index}",
            type="A100",
            model="Virtual A100 (80 GiB)",
            memory_bytes=80 * GIB,
            virtual=True,
        )
        for index in range(gpus)
    )
    plain = Node(
        name=name,
        engine=ENGINE,
        state=NodeState.READY,
        address="127.0.0.1",
        cpu_milli=cpus * 1000,
        memory_bytes=64 * GIB,
        labels=(("os", "linux"),),
        devices=devices,
    )
    return replace(plain, **changes)


def document(name: str = "job", **fields: Any) -> dict[str, object]:
    return {"name": name, "project": "vision", "command": "true", **fields}


def person(username: str = "ada", role: str = LEAD, project: str = "vision") -> Identity:
    return Identity(
        username=username,
        rights=Rights(projects={project: BUILT_IN_ROLES[role].actions}),
        token_id="t-1",
        roles={project: role},
    )


ADMINISTRATOR = administrator_identity("root", "t-0")


class House:
    """`read` and `write` may be used as on the database itself."""

    def __init__(self, database: Database, clock: TurnedClock, folder: Path | None = None) -> None:
        self.database = database
        self.clock = clock
        home = folder or Path(tempfile.gettempdir())
        self.office = Office(
            database=database,
            hints=Hints(),
            ids=IdSource(clock),
            sealer=Sealer(home / "secret.key"),
            uploads_path=home / "uploads",
        )
        self.ids = self.office.ids

    @property
    def now_ms(self) -> int:
        return self.database.now_ms()

    async def furnish(self, *machines: Node) -> None:
        """Projects `vision` (of team research) and `speech` (of team product), people and nodes."""
        now_ms = self.now_ms

        def fill(tx: Transaction) -> None:
            for name, team in (("vision", "research"), ("speech", "product")):
                projects.project_insert(tx, Project(name=name, team=team, created_at_ms=now_ms))
            for name in ("ada", "bob", "root"):
                user = User(username=name, created_at_ms=now_ms)
                users.user_insert(tx, user, "no-hash")
            for name, project in (("ada", "vision"), ("bob", "speech")):
                member = Membership(project=project, username=name, role=LEAD)
                projects.member_set(tx, member, f"b-{name}", "root", now_ms)
            roles.binding_insert(
                tx,
                Binding(
                    id="b-root",
                    subject_kind=SubjectKind.USER,
                    subject="root",
                    role=ADMINISTRATOR_ROLE,
                    level=Level.ORGANISATION,
                    target="",
                    created_at_ms=now_ms,
                    created_by="system",
                ),
            )
            nodes.node_report(tx, ENGINE, machines, now_ms)

        await self.database.write(fill)

    async def submit(self, *documents: dict[str, object], who: Identity = ADMINISTRATOR) -> Any:
        """The id of the one workload, or the ids of all of them."""
        made = await workload_submit(self.office, who, documents or [document()])
        ids = [each.id for each in made]
        return ids[0] if len(ids) == 1 else ids

    async def write(self, function: Callable[[Transaction, int], Result]) -> Result:
        now_ms = self.now_ms
        return await self.database.write(lambda tx: function(tx, now_ms))

    async def decide(self) -> Plan:
        now_ms = self.now_ms
        return await self.database.read(lambda tx: decide(snapshot(tx, now_ms), now_ms, 0))

    async def commit(self, plan: Plan) -> Committed:
        return await self.write(
            lambda tx, now_ms: plans.commit_plan(tx, plan, now_ms, new_id=lambda: self.ids.new("a"))
        )

    async def cycle(self) -> Committed:
        return await self.commit(await self.decide())

    async def held(self, workload_id: str | None = None, *states: ReplicaState) -> list[Row]:
        """Open allocations, oldest first."""
        table = tables.allocations
        statement = sa.select(table).where(table.c.released_at_ms.is_(None)).order_by(table.c.id)
        if workload_id is not None:
            statement = statement.where(table.c.workload_id == workload_id)
        if states:
            statement = statement.where(table.c.state.in_(states))
        return await self.rows(statement)

    async def held_ids(self, workload_id: str | None = None, *states: ReplicaState) -> list[str]:
        return [row["id"] for row in await self.held(workload_id, *states)]

    async def rows(self, statement: sa.Select[Any]) -> list[Row]:
        return await self.database.read(lambda tx: list(tx.execute(statement).mappings()))

    async def launch(self, ids: Sequence[str]) -> None:
        await self.write(lambda tx, now_ms: replicas.replicas_launched(tx, ids, now_ms))

    async def run(self, ids: Sequence[str]) -> None:
        await self.write(lambda tx, now_ms: replicas.replicas_running(tx, ids, now_ms))

    async def end(
        self,
        ids: Sequence[str],
        cause: Cause = Cause.COMPLETED,
        *,
        runtime_ms: int = 1000,
        stop_seen: bool = False,
    ) -> None:
        ends = [
            End(allocation_id=each, cause=cause, stop_seen=stop_seen, runtime_ms=runtime_ms)
            for each in ids
        ]
        await self.write(lambda tx, now_ms: replicas.replicas_ended(tx, ends, now_ms))

    async def start(self, *documents: dict[str, object]) -> Any:
        """Submit, place and bring to run; as `submit` answers."""
        made = await self.submit(*documents)
        await self.cycle()
        ids = await self.held_ids()
        await self.launch(ids)
        await self.run(ids)
        return made

    async def workload(self, workload_id: str) -> Workload:
        return await self.database.read(lambda tx: workloads.workload_fetch(tx, WHOLE, workload_id))

    async def states(self, *ids: str) -> list[str]:
        return [(await self.workload(each)).state.value for each in ids]

    async def lead(self, *names: str, holder: str = "server-1") -> Leadership:
        leadership = Leadership(self.database, holder, names)
        await leadership.renew()
        return leadership
