"""Data in the store: where work that uses it may stand, what a launch may have, and what is told
when an approval ends. On both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from podium.control import data_grants
from podium.domain.allocation import Allocation
from podium.domain.compliance import CONCERNED, Report
from podium.domain.data import Grant, GranteeKind
from podium.domain.errors import ForbiddenError, UserError
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause, WaitReason
from podium.domain.tenancy import WHOLE
from podium.intake.data_sources import grant_remove, grant_set, source_set
from podium.intake.pools import pool_set
from podium.spec.views.data import DataSourceRequest
from podium.spec.views.pool import PoolRequest
from podium.store import allocations, tables, workloads
from podium.store.audit import AuditEntry, audit_append
from podium.store.data_trail import entries_of
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio


@pytest.fixture
def house(database: Database, clock: TurnedClock) -> House:
    return House(database, clock)


async def furnished(house: House) -> None:
    await house.furnish(
        node("n1", labels=(("zone", "secure"),)), node("n2", labels=(("zone", "open"),))
    )


def request(classification: str, *regions: str) -> DataSourceRequest:
    return DataSourceRequest.model_validate(
        {
            "kind": "s3",
            "location": {"endpoint": "https://s3.example.com", "bucket": "scans"},
            "classification": classification,
            "regions": list(regions),
        }
    )


async def scans(house: House, classification: str, *regions: str) -> None:
    await source_set(house.office, ADMINISTRATOR, "", "scans", request(classification, *regions))
    grant = Grant(GranteeKind.PROJECT, "vision")
    await grant_set(house.office, ADMINISTRATOR, "", "scans", grant)


async def pool(house: House, name: str, zone: str, *approved: str, region: str = "") -> None:
    facts = {"labels": {"zone": zone}, "approved_for": list(approved), "region": region}
    await pool_set(house.office, ADMINISTRATOR, name, PoolRequest.model_validate(facts))


async def report(house: House) -> Report:
    made = Report()
    made.take(
        await house.database.read(lambda tx: entries_of(tx, CONCERNED, after_seq=0, limit=10_000))
    )
    return made


async def due(house: House) -> list[Allocation]:
    return list(
        await house.database.read(
            lambda tx: allocations.allocation_list_open(
                tx, nodes=["n1", "n2"], states=[ReplicaState.SCHEDULED], limit=100
            )
        )
    )


async def decided(house: House) -> data_grants.Decided:
    waiting = await due(house)
    ids = {each.workload_id for each in waiting}

    def decide(tx: Transaction, now_ms: int) -> data_grants.Decided:
        found = workloads.workload_fetch_many(tx, WHOLE, ids)
        programs = workloads.program_fetch_many(tx, ids)
        return data_grants.decide(tx, waiting, found, programs, now_ms)

    return await house.write(decide)


async def test_phi_stands_only_where_it_is_approved(house: House) -> None:
    await furnished(house)
    await pool(house, "a-open", "open")
    await pool(house, "b-secure", "secure", "phi")
    await scans(house, "phi")
    ids = await house.submit(*(document(f"j{i}", data=["scans"]) for i in range(3)))
    await house.cycle()
    placed = await due(house)
    assert {each.workload_id for each in placed} == set(ids)
    assert {each.node for each in placed} == {"n1"}


async def test_nodes_of_no_pool_have_internal_data_and_no_region(house: House) -> None:
    await furnished(house)
    await scans(house, "internal")
    await house.submit(document("one", data=["scans"]))
    await house.cycle()
    assert len(await due(house)) == 1
    await scans(house, "internal", "eu")
    key = await house.submit(document("two", data=["scans"]))
    await house.cycle()
    found = await house.database.read(lambda tx: workloads.workload_fetch(tx, WHOLE, key))
    assert found.refusal is not None
    assert found.refusal.reason is WaitReason.POLICY
    assert "in region eu; there is no such pool here" in found.refusal.message


async def test_work_that_calls_itself_restricted_is_bound_too(house: House) -> None:
    await furnished(house)
    key = await house.submit(document("own", classification="restricted"))
    await house.cycle()
    assert await due(house) == []
    await pool(house, "secure", "secure", "restricted")
    await house.cycle()
    (placed,) = await due(house)
    assert (placed.workload_id, placed.node) == (key, "n1")
    assert (await decided(house)).refused == {}
    found = await report(house)
    assert (found.accesses, found.approved, found.violations) == (1, 1, 0)


async def test_a_mount_is_in_the_trail_once_before_the_launch(house: House) -> None:
    await furnished(house)
    await pool(house, "secure", "secure", "phi", region="eu")
    await scans(house, "phi", "eu")
    await house.submit(document("gang", replicas=3, data=["scans"]))
    await house.cycle()
    for _ in range(3):
        assert (await decided(house)).refused == {}
    found = await report(house)
    (use,) = found.items
    assert (use.ranks, use.region, use.verdict) == ((0, 1, 2), "eu", "approved")


async def test_a_grant_withdrawn_after_the_placing_is_found_at_the_launch(house: House) -> None:
    await furnished(house)
    await scans(house, "internal")
    await house.submit(document("job", data=["scans"]))
    await house.cycle()
    await grant_remove(house.office, ADMINISTRATOR, "", "scans", GranteeKind.PROJECT, "vision")
    (end,) = (await decided(house)).refused.values()
    assert end.cause is Cause.DATA_DENIED
    assert "may not use scans so any more" in end.message
    assert (await report(house)).accesses == 0


async def test_an_approval_that_ends_is_told_once(house: House) -> None:
    await furnished(house)
    await pool(house, "secure", "secure", "phi")
    await scans(house, "phi")
    key = await house.submit(document("study", data=["scans"]))
    await house.cycle()
    await decided(house)
    for _ in range(2):
        await pool(house, "secure", "secure")
    found = await report(house)
    assert [(each.kind, each.workload_id) for each in found.findings] == [("exposed", key)]
    notices = await house.database.read(
        lambda tx: tx.execute(sa.select(tables.notices.c.sentence)).scalars().all()
    )
    assert len([each for each in notices if "not approved for it any more" in each]) == 1


async def test_planted_uses_are_found(house: House) -> None:
    """As a fault of Podium would have written them."""
    await furnished(house)
    await pool(house, "open", "open")
    await scans(house, "phi", "eu")
    detail = {
        "workload": "w-1", "ranks": [0], "node": "n2", "pool": "open", "region": "eu",
        "class": "internal", "mode": "rw", "path": "/data/scans", "right": "project vision",
    }  # fmt: skip
    entry = AuditEntry(
        actor="ada", action="data:mount", subject="scans", project="vision", detail=detail
    )
    await house.write(lambda tx, now_ms: audit_append(tx, [entry], now_ms))
    found = await report(house)
    assert sorted(each.kind for each in found.findings) == ["class", "grant", "pool", "region"]


async def test_what_a_lead_may_not_do(house: House) -> None:
    await furnished(house)
    lead = person("ada")
    own = request("phi")
    await source_set(house.office, lead, "vision", "mine", own)
    for wrong in (
        request("internal"),  # less strict
        replace_kind(own, "folder", {"path": "/srv"}),
    ):
        with pytest.raises(ForbiddenError):
            await source_set(house.office, lead, "vision", "mine", wrong)
    with pytest.raises(ForbiddenError):
        await source_set(house.office, lead, "", "everyones", own)


def replace_kind(
    wanted: DataSourceRequest, kind: str, location: dict[str, str]
) -> DataSourceRequest:
    facts = {**wanted.model_dump(mode="json"), "kind": kind, "location": location}
    return DataSourceRequest.model_validate(facts)


@pytest.mark.parametrize(
    ("kind", "location", "field"),
    [
        ("folder", {}, "location.path"),
        ("folder", {"path": "srv"}, "location.path"),
        ("folder", {"path": "/srv"}, "location.path"),
        ("nfs", {"server": "nas", "export": "x"}, "location.export"),
        ("nfs", {"server": "nas", "export": "/x", "options": "exec"}, "location.options"),
        ("nfs", {"server": "127.0.0.1", "export": "/x"}, "location.server"),
        ("s3", {"endpoint": "s3", "bucket": "scans"}, "location.endpoint"),
        ("s3", {"endpoint": "http://169.254.169.254", "bucket": "scans"}, "location.endpoint"),
        ("s3", {"endpoint": "https://u:p@s3.test", "bucket": "scans"}, "location.endpoint"),
        ("s3", {"endpoint": "https://s3.test", "bucket": "S"}, "location.bucket"),
        ("s3", {"endpoint": "https://s3.test", "bucket": "scans", "prefix": "a/../b"},
         "location.prefix"),
        ("s3", {"endpoint": "https://s3.test", "bucket": "scans", "secret": "K"},
         "location.secret_project"),
        ("s3", {"endpoint": "https://s3.test", "bucket": "scans", "path": "/x"}, "location.path"),
        ("pvc", {"claim": "Not One"}, "location.claim"),
    ],
)  # fmt: skip
async def test_a_wrong_location_names_its_field(
    house: House, kind: str, location: dict[str, str], field: str
) -> None:
    await furnished(house)
    wrong = replace_kind(request("public"), kind, location)
    with pytest.raises(UserError) as raised:
        await source_set(house.office, ADMINISTRATOR, "", "wrong", wrong)
    assert [each.field for each in raised.value.faults] == [field]
    assert not await house.database.read(lambda tx: tx.scalar(sa.select(tables.data_sources.c.id)))
