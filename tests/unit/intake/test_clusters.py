"""Clusters as administrators add, change, try and remove them, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from podium.control.resealing import Resealer
from podium.domain.cluster import LOCAL, Cluster, ClusterFindings, cluster_of
from podium.domain.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PermanentError,
    UserError,
)
from podium.domain.identity import NAME_LENGTH_MAX
from podium.domain.lifecycle import ReplicaState
from podium.domain.outbound import OutboundError, outbound_read
from podium.intake.clusters import cluster_add, cluster_change, cluster_check, cluster_remove
from podium.intake.office import Office
from podium.intake.sealing_keys import keys_rotate
from podium.store import clusters, nodes, tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit import kubeconfigs
from unit.house import ADMINISTRATOR, House, document, node, person
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

ENGINE = "kubernetes/munich"


@pytest.fixture
async def house(database: Database, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[House]:
    made = House(database, clock, tmp_path)
    await made.furnish(node("n1"))
    yield made
    await database.read(Laws().check)


async def add(house: House, name: str = "munich", **fields: Any) -> Cluster:
    fields.setdefault("kubeconfig", kubeconfigs.text())
    return await cluster_add(house.office, ADMINISTRATOR, name=name, **fields)


async def report(house: House, *names: str, gpus: int = 2) -> bool:
    seen = [node(each, gpus=gpus, engine=ENGINE) for each in names]
    return await house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, seen, now_ms))


async def told(house: House) -> list[dict[str, Any]]:
    """What the audit trail says of clusters, oldest first."""
    table = tables.audit
    rows = await house.rows(
        sa.select(table).where(table.c.action.startswith("cluster:")).order_by(table.c.seq)
    )
    return [{**row, "detail": json.loads(row["detail"])} for row in rows]


async def test_what_stands_before_groups_is_kept(house: House) -> None:
    assert (await add(house, groups_prefix="oidc:")).groups_prefix == "oidc:"
    kept = await change(house, region="eu-west")
    assert kept.groups_prefix == "oidc:"
    assert (await change(house, groups_prefix="")).groups_prefix == ""
    assert (await told(house))[-1]["detail"]["before"]["groups_prefix"] == "oidc:"
    with pytest.raises(UserError, match="sign-in") as raised:
        await change(house, groups_prefix="system:")
    assert [each.field for each in raised.value.faults] == ["groups_prefix"]


async def test_a_cluster_is_added_once(house: House) -> None:
    first = await add(house, region="eu-central", labels={"zone": "secure"}, image=" a/b:1 ")
    assert first.server == "https://10.1.2.3:6443"
    assert first.context == "prod"
    assert first.image == "a/b:1"
    assert first.node_labels == (
        ("zone", "secure"),
        ("cluster", "munich"),
        ("region", "eu-central"),
    )
    assert cluster_of(first.engine) == "munich"
    house.clock.advance(1000)
    again = await add(house, region="eu-central", labels={"zone": "secure"}, image="a/b:1")
    assert again == first
    (entry,) = await told(house)
    assert entry["actor"] == "root"
    assert entry["detail"]["before"] is None
    assert entry["detail"]["after"]["region"] == "eu-central"
    assert "sesame" not in json.dumps(entry, default=str)
    with pytest.raises(ConflictError, match="podium cluster set munich"):
        await add(house, region="eu-west")
    other_token = kubeconfigs.text(user={"token": "another"})
    with pytest.raises(ConflictError):
        await add(house, region="eu-central", labels={"zone": "secure"}, image="a/b:1",
                  kubeconfig=other_token)  # fmt: skip


async def test_the_kubeconfig_is_sealed_and_sealed_anew(house: House) -> None:
    await add(house)
    sealer = house.office.sealer

    async def kept() -> bytes:
        found = await house.database.read(lambda tx: clusters.kubeconfig_find(tx, "munich"))
        assert found is not None
        return found

    before = await kept()
    assert b"sesame" not in before
    assert "sesame-token" in clusters.kubeconfig_opened(before, "munich", sealer)
    await keys_rotate(house.office, ADMINISTRATOR)
    resealer = Resealer(house.database, sealer)
    while await resealer.step():
        pass
    after = await kept()
    assert after[:9] != before[:9]
    assert "sesame-token" in clusters.kubeconfig_opened(after, "munich", sealer)
    (listed,) = await house.database.read(clusters.cluster_list_sealed)
    assert listed.kubeconfig == after


async def test_only_administrators(house: House) -> None:
    await add(house)
    for who in (person(), person("bob", project="speech")):
        for name in ("munich", "none"):
            with pytest.raises(ForbiddenError):
                await cluster_add(house.office, who, name=name, kubeconfig="x")
            with pytest.raises(ForbiddenError):
                await cluster_change(house.office, who, name=name, region="x")
            with pytest.raises(ForbiddenError):
                await cluster_remove(house.office, who, name)
        with pytest.raises(ForbiddenError):
            await cluster_check(house.office, who, never, kubeconfig="x")


async def never(_text: str | None, _context: str) -> ClusterFindings:
    raise AssertionError


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "My.Cluster"}, "name"),
        ({"name": "a" * (NAME_LENGTH_MAX + 1)}, "name"),
        ({"kubeconfig": None}, "kubeconfig"),
        ({"kubeconfig": "words"}, "kubeconfig"),
        ({"in_cluster": True}, "in_cluster"),
        ({"context": "gone"}, "context"),
        ({"labels": {"cluster": "x"}}, "labels.cluster"),
        ({"labels": {"region": "x"}}, "labels.region"),
        ({"labels": {"!": "x"}}, "labels.!"),
        ({"image": "two words"}, "image"),
        ({"kubeconfig": kubeconfigs.text(server="https://127.0.0.1:6443")}, "kubeconfig"),
        ({"kubeconfig": kubeconfigs.text(server="https://169.254.169.254")}, "kubeconfig"),
        ({"kubeconfig": kubeconfigs.text(server="http://10.1.2.3:8080")}, "kubeconfig"),
        ({"kubeconfig": kubeconfigs.text(server="https://metadata.google.internal")}, "kubeconfig"),
        (
            {
                "kubeconfig": kubeconfigs.text(
                    cluster={
                        "certificate-authority-data": kubeconfigs.encoded(
                            "-----BEGIN CERTIFICATE-----\nwords\n-----END CERTIFICATE-----\n"
                        )
                    }
                )
            },
            "kubeconfig",
        ),
        (
            {
                "kubeconfig": kubeconfigs.text(
                    user={
                        "client-certificate-data": kubeconfigs.encoded(kubeconfigs.CERTIFICATE),
                        "client-key-data": kubeconfigs.encoded("none"),
                    }
                )
            },
            "kubeconfig",
        ),
    ],
)
async def test_what_is_wrong_is_named(house: House, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(UserError) as raised:
        await add(house, **fields)
    (fault,) = raised.value.faults
    assert fault.field == field
    assert fault.remedy
    assert await house.database.read(clusters.cluster_list) == []


async def test_an_operator_may_open_an_address(house: House) -> None:
    office = house.office
    opened = Office(
        database=office.database,
        hints=office.hints,
        ids=office.ids,
        sealer=office.sealer,
        uploads_path=office.uploads_path,
        outbound=outbound_read(["127.0.0.1"]),
    )
    text = kubeconfigs.text(server="http://127.0.0.1:8080")
    made = await cluster_add(opened, ADMINISTRATOR, name="here", kubeconfig=text)
    assert made.server == "http://127.0.0.1:8080"


async def test_from_inside_there_is_no_kubeconfig(house: House) -> None:
    made = await add(house, "here", kubeconfig=None, in_cluster=True)
    assert (made.in_cluster, made.server) == (True, "")
    (listed,) = await house.database.read(clusters.cluster_list_sealed)
    assert listed.kubeconfig is None
    assert await add(house, "here", kubeconfig=None, in_cluster=True) == made


async def change(house: House, name: str = "munich", **fields: Any) -> Cluster:
    return await cluster_change(house.office, ADMINISTRATOR, name=name, **fields)


async def test_what_is_not_named_stays(house: House) -> None:
    first = await add(house, region="eu-central", labels={"zone": "secure"})
    house.clock.advance(1)
    second = await change(house, image="a/b:2")
    assert (second.region, second.labels, second.image) == ("eu-central", first.labels, "a/b:2")
    assert second.updated_at_ms > first.updated_at_ms
    assert second.added_at_ms == first.added_at_ms
    assert await change(house, image="a/b:2") == second  # no change: fleets need not begin anew
    third = await change(house, labels={}, region="")
    assert (third.labels, third.region) == ((), "")
    renewed = await change(house, kubeconfig=kubeconfigs.text(user={"token": "renewed"}))
    assert renewed.updated_at_ms > third.updated_at_ms
    inside = await change(house, in_cluster=True)
    assert (inside.server, inside.context, inside.in_cluster) == ("", "", True)
    assert await house.database.read(lambda tx: clusters.kubeconfig_find(tx, "munich")) is None
    with pytest.raises(UserError, match="kubeconfig"):
        await change(house, in_cluster=False)
    back = await change(house, kubeconfig=kubeconfigs.text(), context="other")
    assert (back.server, back.in_cluster) == ("https://10.9.9.9:6443", False)
    with pytest.raises(NotFoundError):
        await change(house, "none", region="x")
    with pytest.raises(UserError, match="goes with a kubeconfig"):
        await change(house, context="other")


async def test_a_check_keeps_nothing_and_is_told_of(house: House) -> None:
    async def probe(text: str | None, context: str) -> ClusterFindings:
        assert text is not None
        assert context == "prod"
        return ClusterFindings(version="v1.30.1", nodes=3, gpus=8, missing=("create pods/exec",))

    text = kubeconfigs.text()
    access, found = await cluster_check(house.office, ADMINISTRATOR, probe, kubeconfig=text)
    assert access is not None
    assert (access.server, found.gpus) == ("https://10.1.2.3:6443", 8)
    assert await house.database.read(clusters.cluster_list) == []

    async def failing(_text: str | None, _context: str) -> ClusterFindings:
        raise PermanentError("It is not let in.")

    with pytest.raises(PermanentError):
        await cluster_check(house.office, ADMINISTRATOR, failing, kubeconfig=text)
    entries = await told(house)
    assert [each["action"] for each in entries] == ["cluster:check", "cluster:check"]
    assert [each["detail"]["ok"] for each in entries] == [True, False]
    assert entries[1]["detail"]["fault"] == "It is not let in."
    assert "sesame" not in json.dumps(entries, default=str)
    local = kubeconfigs.text(server="https://localhost:6443")
    with pytest.raises(OutboundError) as raised:
        await cluster_check(house.office, ADMINISTRATOR, never, kubeconfig=local)
    assert raised.value.faults[0].field == "kubeconfig"


async def test_removal_forgets_its_nodes(house: House) -> None:
    await add(house)
    assert await report(house, "munich.a", "munich.b")
    stocks = await house.database.read(clusters.cluster_stocks)
    assert (stocks["munich"].nodes, stocks["munich"].gpus) == (2, 4)
    mine = await house.database.read(lambda tx: nodes.node_page(tx, limit=9, cluster="munich"))
    assert [each.name for each in mine] == ["munich.a", "munich.b"]
    local = await house.database.read(lambda tx: nodes.node_page(tx, limit=9, cluster=LOCAL))
    assert [each.name for each in local] == ["n1"]
    gone = await cluster_remove(house.office, ADMINISTRATOR, "munich")
    assert (gone.nodes, gone.replicas) == (2, 0)
    left = await house.database.read(nodes.node_list)
    assert [each.name for each in left] == ["n1"]
    spans = tables.device_spans
    still_open = await house.rows(sa.select(spans.c.node).where(spans.c.until_ms.is_(None)))
    assert {row["node"] for row in still_open} == {"n1"}
    # What its engine still reports is not taken any more.
    assert not await report(house, "munich.a")
    assert len(await house.database.read(nodes.node_list)) == 1
    with pytest.raises(NotFoundError):
        await cluster_remove(house.office, ADMINISTRATOR, "munich")
    sealed = await house.rows(sa.select(tables.sealed_values))
    assert sealed == []


async def test_what_is_placed_there_holds_it(house: House) -> None:
    await add(house)
    await report(house, "munich.a")
    await house.submit(document("first", resources={"gpus": 4}))
    await house.submit(document("second", resources={"gpus": 2}))
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    await house.run(ids)
    there = [row for row in await house.held() if row["node"] == "munich.a"]
    assert len(there) == 1
    stocks = await house.database.read(clusters.cluster_stocks)
    assert stocks["munich"].gpu_milli_used == 2000
    with pytest.raises(ConflictError, match=r"1 replica is still placed .* on munich\.a"):
        await cluster_remove(house.office, ADMINISTRATOR, "munich")
    gone = await cluster_remove(house.office, ADMINISTRATOR, "munich", force=True)
    assert (gone.nodes, gone.replicas, gone.workloads) == (1, 1, 1)
    assert [row["node"] for row in await house.held()] == ["n1"]
    released = await house.rows(
        sa.select(tables.allocations).where(tables.allocations.c.id == there[0]["id"])
    )
    assert (released[0]["given_up"], released[0]["removed"]) == (True, True)
    workload = await house.workload(there[0]["workload_id"])
    assert workload.state.value == "queued"
    assert not await house.held_ids(workload.id, ReplicaState.RUNNING)


async def test_a_new_cluster_of_the_name_finds_what_was_given_up(house: House) -> None:
    await add(house)
    await report(house, "munich.a", gpus=8)
    await house.submit(document(resources={"gpus": 8}))
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    await cluster_remove(house.office, ADMINISTRATOR, "munich", force=True)
    await add(house)
    await report(house, "munich.a", gpus=8)
    found = await house.database.read(lambda tx: nodes.node_fetch(tx, "munich.a"))
    assert found.state.value == "cordoned"  # until its engine has ended what may still run there
