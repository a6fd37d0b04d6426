"""What clusters are told of projects, when, and what is told of what others changed there."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from podium.control.launch import Launcher
from podium.control.tenancy import Tenancy
from podium.domain.cluster import DRIFTED
from podium.domain.errors import LeaseLostError, PermanentError, TemporaryError, UserError
from podium.domain.lifecycle import WorkloadState
from podium.domain.quota import Counted, Quota, QuotaLevel
from podium.domain.reason import Cause
from podium.domain.rights import AUDITOR, DEVELOPER, OPERATOR, VIEWER, Binding, Level, SubjectKind
from podium.domain.secret import REGISTRIES
from podium.domain.tenancy import Group, UserSource
from podium.engines.contract import Drift, Tenant
from podium.intake.archiving import project_archive
from podium.intake.quotas import quota_set
from podium.intake.secrets import secret_remove, secret_set
from podium.intake.sign_in import SignIn
from podium.store import directory, roles, tables, user_groups
from podium.store.database import Transaction
from podium.store.directory import DirectoryGroup
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import ADMINISTRATOR, House, document

pytestmark = pytest.mark.anyio

FIVE_MINUTES_MS = 300_000
LOGIN = base64.b64encode(b"ada:geheim").decode()
DOCKER = json.dumps({"auths": {"registry.example.com": {"auth": LOGIN}}, "credsStore": "x"})


@pytest.fixture
def found() -> list[int]:
    return []


@pytest.fixture
def tenancy(house: House, server: Server, engine: FakeEngine, found: list[int]) -> Tenancy:
    engine.tenants["vision"] = Tenant(project="vision")
    return Tenancy(server.machine, house.office.sealer, "munich", found.append)


async def later(server: Server, milliseconds: int) -> None:
    server.house.clock.advance(milliseconds)
    await server.leadership.renew()


async def give(house: House, group: str, role: str, level: Level, target: str = "") -> None:
    def write(tx: Transaction, now_ms: int) -> None:
        if user_groups.group_find(tx, group) is None:
            made = Group(name=group, source=UserSource.LOCAL, created_at_ms=now_ms)
            user_groups.group_insert(tx, made)
        binding = Binding(
            id=f"b-{group}-{role}-{target}",
            subject_kind=SubjectKind.GROUP,
            subject=group,
            role=role,
            level=level,
            target=target,
            created_at_ms=now_ms,
            created_by="root",
        )
        roles.binding_insert(tx, binding)

    await house.write(write)


async def told(house: House, action: str = DRIFTED) -> list[dict[str, Any]]:
    table = tables.audit
    rows = await house.rows(sa.select(table).where(table.c.action == action).order_by(table.c.seq))
    return [{**row, "detail": json.loads(row["detail"])} for row in rows]


async def test_limits_of_the_project_alone(house: House, tenancy: Tenancy, engine: Any) -> None:
    await tenancy.step()
    assert engine.kept == [Tenant(project="vision")]
    for quota in (
        Quota(
            level=QuotaLevel.PROJECT,
            name="vision",
            limits=(("", 8000), ("A100", 4000)),
            ceilings=((Counted.CPU, 64_000), (Counted.MEMORY, 2**38)),
        ),
        Quota(level=QuotaLevel.TEAM, name="research", limits=(("", 16_000),)),
    ):
        await quota_set(house.office, ADMINISTRATOR, quota)
    await tenancy.step()
    assert engine.kept[1:] == [
        Tenant(project="vision", gpu_milli=8000, cpu_milli=64_000, memory_bytes=2**38)
    ]
    await tenancy.step()
    assert len(engine.kept) == 2, "what is as it was is not sent again"


async def test_a_first_batch_asks_once(house: House, server: Server, engine: FakeEngine) -> None:
    tenancy = Tenancy(server.machine, house.office.sealer, "munich")
    engine.room_refusal = TemporaryError("The cluster does not answer.")
    asked = 0
    keep_room = engine.keep_room

    async def counted(tenant: Tenant) -> Sequence[Drift]:
        nonlocal asked
        asked += 1
        return await keep_room(tenant)

    engine.keep_room = counted  # type: ignore[method-assign]

    async def batch() -> list[object]:
        calls = (tenancy.ready("vision") for _ in range(20))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    assert {type(each) for each in await batch()} == {TemporaryError}
    assert asked == 1
    engine.room_refusal = None
    assert await batch() == [None] * 20
    assert asked == 2


async def test_groups_by_what_they_may_and_as_their_directory_calls_them(
    house: House, tenancy: Tenancy, engine: FakeEngine
) -> None:
    await give(house, "seers", VIEWER, Level.PROJECT, "vision")
    await give(house, "ml", DEVELOPER, Level.TEAM, "research")
    await give(house, "ops", OPERATOR, Level.ORGANISATION)
    await give(house, "auditors", AUDITOR, Level.ORGANISATION)
    await give(house, "speakers", DEVELOPER, Level.PROJECT, "speech")
    await house.write(
        lambda tx, now_ms: directory.group_insert(
            tx,
            DirectoryGroup(
                id="d-1",
                group="ml",
                display_name="ML Team",
                external_id="",
                created_at_ms=now_ms,
                updated_at_ms=now_ms,
            ),
        )
    )
    await tenancy.step()
    (tenant,) = engine.kept
    assert tenant.viewers == ("ML Team", "auditors", "ops", "seers")
    assert tenant.log_readers == ("ML Team", "ops", "seers")


async def test_what_drifted_is_told_to_the_project_once_an_hour(
    house: House, server: Server, tenancy: Tenancy, engine: FakeEngine, found: list[int]
) -> None:
    drift = Drift(project="vision", thing="LimitRange podium", words="It was removed.")
    stays = Drift(project="vision", thing="NetworkPolicy all", words="It opens.", mended=False)
    engine.drifts = [drift, stays]
    await tenancy.step()
    first, second = await told(house)
    assert (first["actor"], first["subject"], first["project"]) == ("podium", "munich", "vision")
    assert first["detail"] == {"thing": drift.thing, "words": drift.words, "mended": True}
    assert second["detail"]["mended"] is False
    for _ in range(13):
        engine.drifts = [drift, stays]
        await later(server, FIVE_MINUTES_MS)
        await tenancy.step()
    assert [each["detail"]["thing"] for each in (await told(house))[2:]] == [drift.thing]
    assert sum(found) == 28
    assert len(engine.kept) == 14, "each is looked at every five minutes"


async def test_a_room_goes_with_the_last_work_of_an_archived_project(
    house: House, server: Server, tenancy: Tenancy, engine: FakeEngine
) -> None:
    engine.stubborn = True
    made = await house.submit(document())
    await server.round()
    await tenancy.step()
    await project_archive(house.office, SignIn(house.office), ADMINISTRATOR, "vision", force=True)
    await server.stopper.step()
    await tenancy.step()
    assert "vision" in engine.tenants
    (allocation_id,) = engine.processes
    engine.finish(allocation_id, Cause.CANCELLED)
    await server.observer.step()
    assert await house.states(made) == [WorkloadState.CANCELLED]
    await tenancy.step()
    assert "vision" not in engine.tenants
    await later(server, FIVE_MINUTES_MS)
    await tenancy.step()
    assert len(engine.kept) == 1


async def test_what_the_store_does_not_know_is_left(tenancy: Tenancy, engine: FakeEngine) -> None:
    engine.tenants["elsewhere"] = Tenant(project="elsewhere")
    await tenancy.step()
    assert [each.project for each in engine.kept] == ["vision"]
    assert "elsewhere" in engine.tenants


async def test_one_that_cannot_be_kept_holds_up_no_other(
    house: House, server: Server, tenancy: Tenancy, engine: FakeEngine
) -> None:
    engine.tenants["speech"] = Tenant(project="speech")
    engine.room_refusal = PermanentError("It is not Podium's.")
    await tenancy.step()
    await tenancy.step()
    assert engine.kept == []
    engine.room_refusal = TemporaryError("It is away.")
    await later(server, FIVE_MINUTES_MS)
    with pytest.raises(TemporaryError):
        await tenancy.step()
    engine.room_refusal = None
    await tenancy.step()
    assert {each.project for each in engine.kept} == {"vision", "speech"}


async def test_the_room_stands_before_the_first_work_starts(
    house: House, server: Server, engine: FakeEngine
) -> None:
    tenancy = Tenancy(server.machine, house.office.sealer, "munich")
    launcher = Launcher(server.machine, house.office.sealer, house.office.uploads_path, tenancy)
    engine.room_refusal = PermanentError("It is not Podium's.")
    refused = await house.submit(document())
    await server.scheduler.step()
    await launcher.step()
    assert await house.states(refused) == [WorkloadState.FAILED]
    engine.room_refusal = None
    await secret_set(house.office, ADMINISTRATOR, project="vision", name=REGISTRIES, value=DOCKER)
    await house.submit(document("next"))
    await server.scheduler.step()
    await launcher.step()
    (tenant,) = engine.kept
    assert json.loads(tenant.registries) == {"auths": {"registry.example.com": {"auth": LOGIN}}}
    assert len(engine.processes) == 1
    (entry,) = await told(house, "secret:use")
    assert entry["detail"] == {"secrets": [REGISTRIES], "cluster": "munich"}
    assert "geheim" not in repr(tenant)
    await secret_remove(house.office, ADMINISTRATOR, project="vision", name=REGISTRIES)
    await tenancy.step()
    assert engine.kept[-1].registries == ""


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "[" * 100_000,
        '{"auths": {}}',
        '{"auths": {"r.example.com": {}}, "credsStore": "desktop"}',
        '{"auths": {"r.example.com": {"auth": "hunter2"}}}',
        '{"auths": {"r.example.com": {"username": "ada"}}}',
        '{"auths": ["hunter2"]}',
    ],
)
async def test_what_opens_no_registry_is_refused_when_it_is_set(house: House, text: str) -> None:
    with pytest.raises(UserError) as raised:
        await secret_set(house.office, ADMINISTRATOR, project="vision", name=REGISTRIES, value=text)
    (fault,) = raised.value.faults
    assert fault.field == "value"
    assert "hunter2" not in str(fault)


async def test_a_server_that_does_not_lead_touches_nothing(
    house: House, server: Server, tenancy: Tenancy, engine: FakeEngine
) -> None:
    await server.leadership.release()
    await tenancy.step()
    assert engine.kept == []
    engine.drifts = [Drift(project="vision", thing="x", words="y")]
    with pytest.raises(LeaseLostError):
        await tenancy.ready("vision")
