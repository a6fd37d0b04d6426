"""Clusters over the API: who sees what of them, and what comes of trying one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from podium.domain.cluster import ClusterFindings
from podium.domain.errors import FieldFault, UserError
from podium.store import nodes
from podium.store.database import Database
from turned_clock import TurnedClock
from unit import kubeconfigs
from unit.api.foretelling import ADA, Asking
from unit.house import House, node

pytestmark = pytest.mark.anyio

ENGINE = "kubernetes/munich"


async def probe(text: str | None, _context: str) -> ClusterFindings:
    if text is None:
        raise UserError(FieldFault("in_cluster", "does not hold here.", "Give a kubeconfig."))
    return ClusterFindings(version="v1.30.1", nodes=3, gpus=8, missing=("create pods/exec",))


@pytest.fixture
async def asking(database: Database, clock: TurnedClock) -> AsyncIterator[Asking]:
    house = House(database, clock)
    await house.furnish(node("n1"))
    async with Asking.over(house) as made:
        made.context = replace(made.context, probe=probe)
        yield Asking(house, made.leadership, made.scheduler, made.context)


def wanted(**fields: Any) -> dict[str, Any]:
    return {"name": "munich", "kubeconfig": kubeconfigs.text(), "region": "eu-central", **fields}


async def test_a_cluster_from_its_adding_to_its_end(asking: Asking) -> None:
    made = await asking.ask("POST", "/clusters", wanted(labels={"zone": "secure"}))
    assert made.status_code == 201
    view = made.json()
    assert (view["state"], view["server"]) == ("connecting", "https://10.1.2.3:6443")
    assert "sesame" not in made.text
    assert (await asking.ask("POST", "/clusters", wanted(labels={"zone": "secure"}))).json() == view
    other = await asking.ask("POST", "/clusters", wanted(region="eu-west"))
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    seen = [node("munich.a", engine=ENGINE, gpus=2)]
    house = asking.house
    await house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, seen, now_ms))
    (listed,) = (await asking.ask("GET", "/clusters")).json()["items"]
    assert (listed["nodes"], listed["nodes_ready"], listed["gpus"]) == (1, 1, 2)
    changed = await asking.ask("PATCH", "/clusters/munich", {"image": "a/b:1"})
    assert (changed.json()["image"], changed.json()["region"]) == ("a/b:1", "eu-central")
    gone = await asking.ask("DELETE", "/clusters/munich")
    assert gone.json() == {"name": "munich", "nodes": 1, "replicas": 0, "workloads": 0}
    assert (await asking.ask("GET", "/clusters/munich")).status_code == 404
    assert (await asking.ask("DELETE", "/clusters/munich")).status_code == 404


async def test_nodes_say_and_are_chosen_by_their_cluster(asking: Asking) -> None:
    await asking.ask("POST", "/clusters", wanted())
    seen = [node("munich.a", engine=ENGINE)]
    await asking.house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, seen, now_ms))

    async def chosen(query: str) -> dict[str, str]:
        answer = await asking.ask("GET", f"/nodes{query}")
        return {each["name"]: each["cluster"] for each in answer.json()["items"]}

    assert await chosen("") == {"munich.a": "munich", "n1": ""}
    assert await chosen("?cluster=munich") == {"munich.a": "munich"}
    assert await chosen("?cluster=") == {"n1": ""}
    assert await chosen("?cluster=none") == {}


async def test_members_see_that_there_are_clusters_and_no_more(asking: Asking) -> None:
    await asking.ask("POST", "/clusters", wanted())
    listed = await asking.ask("GET", "/clusters", who=ADA)
    (view,) = listed.json()["items"]
    assert (view["name"], view["region"]) == ("munich", "eu-central")
    assert (view["server"], view["context"], view["added_by"], view["missing"]) == ("", "", "", [])
    for method, path, body in (
        ("POST", "/clusters", wanted(name="mine")),
        ("POST", "/clusters", wanted()),
        ("POST", "/clusters/check", {"kubeconfig": kubeconfigs.text()}),
        ("PATCH", "/clusters/munich", {"region": "x"}),
        ("PATCH", "/clusters/none", {"region": "x"}),
        ("DELETE", "/clusters/munich", None),
        ("DELETE", "/clusters/none", None),
    ):
        answer = await asking.ask(method, path, body, who=ADA)
        assert answer.status_code == 403, (method, path)


async def test_a_check_says_what_it_found(asking: Asking) -> None:
    found = await asking.ask("POST", "/clusters/check", {"kubeconfig": kubeconfigs.text()})
    assert found.json() == {
        "server": "https://10.1.2.3:6443",
        "context": "prod",
        "version": "v1.30.1",
        "nodes": 3,
        "gpus": 8,
        "missing": ["create pods/exec"],
        "claims": False,
        "ok": False,
    }
    wrong = await asking.ask("POST", "/clusters/check", {"in_cluster": True})
    assert wrong.status_code == 422
    assert wrong.json()["faults"][0]["field"] == "in_cluster"
    text = kubeconfigs.text(user={"exec": {"command": "aws"}})
    refused = await asking.ask("POST", "/clusters/check", {"kubeconfig": text})
    assert refused.json()["faults"][0]["field"] == "kubeconfig"
    assert "run on the server" in refused.json()["detail"]
    assert (await asking.ask("GET", "/clusters")).json() == {"items": []}
