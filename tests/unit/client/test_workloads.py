"""How workloads are found, listed and submitted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from podium.client.logs import read_lines
from podium.client.projects import Projects
from podium.client.transport import Transport
from podium.client.workloads import Filter, Workloads
from podium.domain.errors import NotFoundError, TemporaryError, UserError
from podium.domain.lifecycle import WorkloadState

AT = "2026-01-02T03:04:05Z"
USAGE = {
    "gpu_seconds": 0,
    "cpu_seconds_allocated": 0,
    "cpu_seconds_used": 0,
    "memory_peak_bytes": 0,
}


def workload(id_: str, name: str = "digits", state: str = "running") -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "project": "vision",
        "team": "research",
        "owner": "ada",
        "kind": "batch",
        "state": state,
        "priority": 50,
        "resources": {"cpu_milli": 1000, "memory_bytes": 1, "gpu_milli": 0, "text": "1 CPU"},
        "replicas": {"total": 1},
        "attempt": 1,
        "retries": 0,
        "submitted_at": AT,
        "queued_at": AT,
        "version": 1,
        "labels": {"run": "1"},
        "submitted_spec": {},
        "resolved_spec": {},
        "replica_list": [],
        "usage": USAGE,
    }


ONE = "w-01k2x5e8g7h3m9qz"
TWO = "w-01k2x5e8g7h3m9q0"


class House:
    """Answers from a few workloads; `asked` is what came in."""

    def __init__(self, *, projects: tuple[str, ...] = ("vision",), default: str | None = None):
        self.asked: list[httpx.Request] = []
        self.known = {ONE: workload(ONE), TWO: workload(TWO, "other")}
        self.page_size = 1
        self.project_names = projects
        transport = Transport("http://s", "t", http=httpx.MockTransport(self._answer))
        self.projects = Projects(transport, default)
        self.workloads = Workloads(transport, self.projects)
        self.transport = transport

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        path = request.url.path.removeprefix("/api/v1")
        if path == "/projects":
            views = [{"name": n, "team": "t", "created_at": AT} for n in self.project_names]
            return httpx.Response(200, json={"items": views, "next_cursor": None})
        if path == "/workloads" and request.method == "POST":
            made = {**json.loads(request.content), "id": ONE, "state": "queued"}
            return httpx.Response(201, json=made)
        if path == "/workloads":
            words = request.url.params.get("q", "")
            views = [v for v in self.known.values() if words in v["id"] or words in v["name"]]
            start = int(request.url.params.get("cursor", 0))
            end = start + min(self.page_size, int(request.url.params["limit"]))
            cursor = str(end) if end < len(views) else None
            return httpx.Response(200, json={"items": views[start:end], "next_cursor": cursor})
        ref = path.split("/")[2]
        if path.endswith("/logs"):
            rank = int(request.url.params["rank"])
            return httpx.Response(200, text=LOGS[rank])
        for view in self.known.values():
            if ref in (view["id"], view["name"]):
                return httpx.Response(200, json=view)
        document = {"type": "x", "title": "t", "status": 404, "code": "not_found", "detail": "No."}
        return httpx.Response(404, json=document)


LOGS = {
    0: "2026-01-02T03:04:05.000Z one\n2026-01-02T03:04:07.000Z three\n",
    1: "2026-01-02T03:04:06.000Z two\n\n2026-01-02T03:04:08.000Z four four\n",
}


def test_an_id_is_fetched_as_it_is() -> None:
    house = House()
    assert house.workloads.get(ONE).name == "digits"
    assert house.workloads.id_of(ONE) == ONE
    assert len(house.asked) == 1


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one() -> None:
    house = House()
    assert house.workloads.get(ONE[:-1] + "z").id == ONE
    assert house.workloads.id_of(TWO[:17] + "0") == TWO
    with pytest.raises(UserError, match="begins several ids") as raised:
        house.workloads.get("w-01k2x5e8")
    assert ONE in raised.value.message


def test_a_name_is_looked_up_in_its_project() -> None:
    house = House()
    assert house.workloads.get("digits").id == ONE
    assert house.asked[-1].url.params["project"] == "vision"
    assert house.workloads.get("digits", project="audio").id == ONE
    assert house.asked[-1].url.params["project"] == "audio"
    with pytest.raises(NotFoundError):
        house.workloads.get("unknown")


def test_a_name_that_looks_like_an_id_is_still_a_name() -> None:
    house = House()
    house.known["x"] = workload("w-0000000000000000", "w-batch")
    assert house.workloads.get("w-batch").id == "w-0000000000000000"


def test_the_project_must_be_clear() -> None:
    with pytest.raises(UserError, match=r"several: audio, vision\.") as raised:
        House(projects=("vision", "audio")).projects.resolve()
    assert raised.value.faults[0].field == "project"
    with pytest.raises(UserError, match="member of none"):
        House(projects=()).projects.resolve()
    assert House(projects=("a", "b"), default="b").projects.resolve() == "b"
    assert House(default="b").projects.resolve("c") == "c"


def test_lists_are_read_page_by_page() -> None:
    house = House()
    assert [view.id for view in house.workloads.list()] == [ONE, TWO]
    assert [request.url.params.get("cursor") for request in house.asked] == [None, "1"]
    assert [view.id for view in house.workloads.list(limit=1)] == [ONE]
    assert len(house.asked) == 3


def test_submitting_names_the_project_and_a_key() -> None:
    house = House()
    made = house.workloads.submit({"name": "x", "command": ["true"]})
    assert made.id == ONE
    assert made.project == "vision"
    assert len(house.asked[-1].headers["Idempotency-Key"]) >= 16


def test_a_checked_spec_is_sent_without_its_gaps() -> None:
    from podium.spec.workload import WorkloadSpec

    house = House()
    house.workloads.submit(WorkloadSpec(name="x", command=["true"], project="vision"))
    sent = json.loads(house.asked[-1].content)
    assert sent == {"name": "x", "command": ["true"], "project": "vision"}


def test_waiting_ends_at_its_time() -> None:
    with pytest.raises(TemporaryError, match="it is running"):
        House().workloads.wait(ONE, timeout_seconds=0)


def test_a_filter_says_the_same_on_both_sides() -> None:
    from podium.spec.views.workload import WorkloadView

    view = WorkloadView.model_validate(workload(ONE))
    assert Filter().admits(view)
    assert Filter(project="vision", states=[WorkloadState.RUNNING], labels=["run=1"]).admits(view)
    assert not Filter(labels=["run=2"]).admits(view)
    assert not Filter(states=[WorkloadState.QUEUED]).admits(view)
    assert not Filter(owner="grace").admits(view)


def test_logs_of_several_ranks_come_in_the_order_of_time() -> None:
    lines = list(read_lines(House().transport, ONE, ranks=(0, 1)))
    assert [(line.rank, line.text) for line in lines] == [
        (0, "one"),
        (1, "two"),
        (1, ""),
        (0, "three"),
        (1, "four four"),
    ]
    assert lines[0].at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
