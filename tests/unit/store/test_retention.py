"""History is bounded: logs go first, then rows, in slices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.booking import Reserved
from podium.domain.data import DataUse
from podium.domain.quota import QuotaLevel
from podium.domain.tenancy import Token
from podium.domain.throttle import FLOWS, Tries
from podium.intake.workloads import workload_cancel
from podium.scheduling.placing.stranded import Stock
from podium.store import (
    allocations,
    attempts,
    bookings,
    cycles,
    data_launches,
    data_uses,
    device_codes,
    fragmentation,
    guests,
    providers,
    samples,
    secrets,
    submissions,
    tables,
    tokens,
)
from podium.store.cycles import CycleRow
from podium.store.database import Database, Transaction
from podium.store.demand_hours import Demanded, demand_add
from podium.store.device_codes import DeviceCode
from podium.store.providers import Flow
from podium.store.quota_history import history_insert
from podium.store.retention import Retention, history_trim
from podium.store.scheduler_minutes import Minutes, minute_write
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
SHA256 = "ab" * 32
STOCK = Stock(gpu_type="H100", pool="", free_milli=8000, stranded_milli=1000, split_milli=0)
KEEP = Retention(logs_days=10, workloads_days=20, usage_days=30, audit_days=40, idempotency_days=2,
                 demand_days=40)  # fmt: skip
OF_WORKLOADS = ("workloads", "documents", "workload_labels", "workload_secrets", "dependencies",
                "replicas", "allocations", "allocation_devices", "events",
                "preemptions", "workload_data", "data_launches", "guests")  # fmt: skip
BOUNDED = (*OF_WORKLOADS, "bill_lines", "usage_days", "device_spans", "idempotency", "tokens",
           "uploads", "allocation_samples", "device_samples", "capacity_samples", "notices",
           "fragmentation_samples",
           "bookings", "booking_nodes", "etas", "replica_groups",
           "cycles", "cycle_keyframes", "cycle_keyframe_pieces", "cycle_records", "cycle_reasons",
           "scheduler_minutes", "scheduler_minute_reasons",
           "demand_hours", "demand_hour_reasons", "quota_history",
           "sign_in_flows", "device_codes", "sign_in_attempts")  # fmt: skip
CYCLE = CycleRow(
    keyframe_id=0, step=0, at_ms=0, took_us=1, read_us=1, decide_us=1, seed=0, version="1",
    digest="d", nodes=1, waiting=1, running=1, placed=1, preempted=0, refused=1, told=1,
    reserved=0, stale=0, bytes=2, reasons={"quota": 1},
)  # fmt: skip
# Grow with what people set up, not with time.
KEPT = {"providers", "provider_identities", "sealed_values",
        "teams", "projects", "users", "groups", "group_members", "roles", "bindings",
        "secrets", "sealing_key", "nodes", "devices", "clusters", "installation",
        "directory_users", "directory_groups", "audit_forwards",
        "leases", "prices", "saved_views", "thinned",
        "quotas", "quota_amounts", "quota_ceilings", "past_use", "policies",
        "plans", "plan_turns", "plan_reservations", "plan_nodes",
        "pools", "pool_projects", "pool_teams", "mig_instances",
        "mig_layouts", "mig_layout_instances", "mig_modes",
        "budgets", "data_sources", "data_grants", "audit_head"}  # fmt: skip
# A row for what runs; it goes with the bill.
OF_RUNNING = {"busy_meters"}
# By the notary, behind a signed record: tests/unit/control/test_notary.py.
SIGNED_AWAY = {"audit", "audit_seals", "audit_removals"}


def test_every_table_is_bounded_or_kept_on_purpose() -> None:
    assert set(BOUNDED) | KEPT | OF_RUNNING | SIGNED_AWAY == set(tables.metadata.tables)
    assert not set(BOUNDED) & KEPT


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node())
    return made


async def counts(house: House) -> dict[str, int]:
    def count(tx: Transaction) -> dict[str, int]:
        return {
            name: tx.scalar(sa.select(sa.func.count()).select_from(tables.metadata.tables[name]))
            or 0
            for name in BOUNDED
        }

    return await house.database.read(count)


async def trim(house: House) -> int:
    return await house.write(lambda tx, now_ms: history_trim(tx, KEEP, now_ms))


async def live(house: House) -> str:
    """One that ended, one that needs it and waits, and a little of everything else."""
    gpus: dict[str, Any] = {"resources": {"gpus": 1}, "labels": {"a": "b"}}
    first = await house.start(document("first", **gpus))
    (held,) = await house.held_ids()
    waiting: str = await house.submit(document("second", **gpus, depends_on=["first"]))

    def more(tx: Transaction, now_ms: int) -> None:
        secrets.uses_insert(tx, {first: ("vision", ["KEY"])})
        data_uses.data_uses_insert(tx, {first: [DataUse("scans", "/data/scans")]})
        data_launches.launches_insert(tx, [held])
        guests.guests_insert(tx, "kubernetes/lab", first, ["uid"])
        submissions.idempotency_insert(tx, "ada", "key", "digest", ["w"], now_ms)
        submissions.upload_insert(tx, "vision", SHA256, 7, "ada", now_ms)
        token = Token(
            id="t", username="ada", name="t", created_at_ms=now_ms,
            expires_at_ms=now_ms + DAY_MS, last_used_at_ms=None,
        )  # fmt: skip
        tokens.token_insert(tx, token, "hash")
        at_ms, span = now_ms, {"span_ms": 10_000}
        used = {"allocation_id": held, "cpu_milli": 1, "memory_bytes": 1, **span}
        did = {"device_id": "n1-gpu0", **span}
        samples.samples_insert(tx, at_ms, nodes=["n1"], allocations=[used], devices=[did])
        samples.capacity_insert(tx, at_ms, 60_000, samples.capacity_now(tx, now_ms))
        fragmentation.fragmentation_insert(tx, at_ms, 60_000, [STOCK])
        booking = Reserved(
            name="past", nodes=("n1",), project=None, from_ms=now_ms, until_ms=now_ms + 1,
            note="", created_at_ms=now_ms, created_by="ada",
        )  # fmt: skip
        bookings.booking_insert(tx, booking)
        tx.execute(
            sa.insert(tables.preemptions).values(
                at_ms=now_ms, workload_id=first, ranks="[0]", whole=True, in_favour_of="w-1",
                justification="", lost_milli_ms=0,
            )
        )  # fmt: skip
        times = ("early", "likely", "late", "asked_at", "asked_early", "asked_likely", "asked_late")
        eta = {"workload_id": first, **{f"{each}_ms": now_ms for each in times}}
        tx.execute(sa.insert(tables.etas).values(eta))
        amounts = ("cpu_milli", "memory_bytes", "gpu_milli", "gpu_share_bytes", "mig_count")
        group = {"workload_id": first, "position": 0, "name": "g", "first_rank": 0, "replicas": 1}
        texts = dict.fromkeys(("gpu_types", "node_labels", "program"), "")
        zeros = dict.fromkeys(amounts, 0)
        tx.execute(sa.insert(tables.replica_groups).values(**group, **texts, **zeros))
        key = cycles.keyframe_begin(tx, now_ms)
        cycles.keyframe_piece(tx, key, 0, b"k")
        cycles.keyframe_finish(tx, key, 1)
        row = replace(CYCLE, keyframe_id=key, at_ms=now_ms)
        cycles.cycle_insert(tx, [(row, b"s", b"p")])
        minute_write(tx, Minutes(at_ms=now_ms, cycles=1, reasons={"quota": 1}))
        wanted = Demanded(held_milli_ms=1, reasons={"quota": (1, 1)})
        demand_add(tx, {(now_ms, "vision", "A100"): wanted})
        history_insert(tx, QuotaLevel.TEAM, "research", now_ms, "root", None, None)

        flow = Flow(
            provider="corp", browser_hash="b", redirect_uri="", next_path="/",
            expires_at_ms=now_ms + DAY_MS,
        )  # fmt: skip
        providers.flow_insert(tx, "state", flow)
        code = DeviceCode(
            device_hash="d", user_hash="u", client_name="c", source="", user_agent="",
            created_at_ms=now_ms, expires_at_ms=now_ms + DAY_MS, polled_at_ms=0, interval_ms=1,
        )  # fmt: skip
        device_codes.device_insert(tx, code)
        attempts.tries_store(tx, "key", FLOWS, Tries().again(FLOWS, now_ms + DAY_MS))

    await house.write(more)
    await house.end([held])
    return waiting


async def test_each_goes_in_its_time_and_logs_first(house: House) -> None:
    waiting = await live(house)
    full = await counts(house)
    assert all(full.values())
    house.clock.advance(25 * DAY_MS)
    assert await trim(house) > 0
    left = await counts(house)
    assert (left["tokens"], left["idempotency"]) == (0, 0)
    assert not any(left[name] for name in ("sign_in_flows", "device_codes", "sign_in_attempts"))
    assert not any(left[name] for name in BOUNDED if name.startswith("cycle"))
    assert all(left[f"{name}_samples"] for name in ("device", "capacity", "fragmentation"))
    assert left["workloads"] == full["workloads"], "its logs are still there"
    old = await house.database.read(
        lambda tx: allocations.allocation_removable(
            tx, house.now_ms - 10 * DAY_MS, 10, nodes=["n1"]
        )
    )
    assert len(old) == 1
    await house.write(lambda tx, _: allocations.allocation_mark_removed(tx, old))
    while await trim(house):
        pass
    left = await counts(house)
    assert left["workloads"] == 1
    assert (left["allocations"], left["allocation_devices"], left["dependencies"]) == (0, 0, 0)
    assert (left["allocation_samples"], left["preemptions"]) == (0, 0)
    assert (left["bookings"], left["booking_nodes"], left["etas"]) == (0, 0, 0)
    assert (left["bill_lines"], left["usage_days"]) == (full["bill_lines"], full["usage_days"])
    await house.cycle()
    assert (await house.workload(waiting)).state == "scheduled", "it still waits for nothing"
    house.clock.advance(20 * DAY_MS)
    while await trim(house):
        pass
    left = await counts(house)
    assert (left["bill_lines"], left["usage_days"]) == (0, 0)
    assert not any(left[f"{name}_samples"] for name in ("device", "capacity", "fragmentation"))
    assert (left["scheduler_minutes"], left["scheduler_minute_reasons"]) == (0, 0)
    assert (left["demand_hours"], left["demand_hour_reasons"]) == (0, 0)
    assert left["quota_history"] == 0
    assert (await house.workload(waiting)).state == "scheduled", "what has not ended stays"


async def test_it_goes_in_slices(house: House) -> None:
    def many(tx: Transaction, now_ms: int) -> None:
        for number in range(1200):
            submissions.idempotency_insert(tx, "ada", f"key-{number}", "digest", [], now_ms)

    await house.write(many)
    house.clock.advance(100 * DAY_MS)
    found = [await trim(house) for _ in range(5)]
    assert sum(found) == 1200
    assert max(found) <= 500
    assert (await counts(house))["idempotency"] == 0


async def test_nothing_young_goes(house: House) -> None:
    await live(house)
    before = await counts(house)
    assert await trim(house) == 0
    assert await counts(house) == before


async def test_an_upload_stays_while_something_needs_it(house: House) -> None:
    project = str(document()["project"])

    async def expired() -> list[tuple[str, str]]:
        return await house.write(
            lambda tx, now_ms: submissions.upload_expire(tx, now_ms - 10 * DAY_MS, 10)
        )

    await house.write(
        lambda tx, now_ms: submissions.upload_insert(tx, project, SHA256, 7, "ada", now_ms)
    )
    needy = await house.submit(document("needy", source={"upload": SHA256}))
    house.clock.advance(11 * DAY_MS)
    assert await expired() == []
    await workload_cancel(house.office, ADMINISTRATOR, needy)
    assert await expired() == [(project, SHA256)]
    assert await expired() == []
