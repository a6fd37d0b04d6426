"""Lists in any order, changing, cloning, acting on many, and saved views, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from journeys.serving import API, Server, until
from podium.client.workloads import Filter
from podium.domain.errors import ConflictError, NotFoundError, UserError

WIDE = {"resources": {"gpus": 64}, "labels": {"set": "changing"}}
MINE = Filter(labels=["set=changing"])


@pytest.fixture
def server(server: Server) -> Iterator[Server]:
    yield server
    server.client_kept.workloads.act("cancel", where=MINE)


def test_a_list_in_any_order_says_how_many_there_are(server: Server) -> None:
    client = server.client_kept
    before = client.workloads.page(MINE, limit=1).total
    ids = [server.submit(f"sorted-{n}", ["true"], priority=n, **WIDE) for n in (30, 10, 20)]
    waiting = Filter(labels=["set=changing"], words="sorted-")
    by_priority = list(client.workloads.list(waiting, sort="priority", ascending=True))
    assert [each.id for each in by_priority] == [ids[1], ids[2], ids[0]]
    page = client.workloads.page(waiting, sort="name", limit=2, offset=1)
    assert [each.id for each in page.items] == [ids[2], ids[1]]
    assert (page.total, page.next_cursor) == (3, None)
    first = client.workloads.page(waiting, limit=2)
    assert [each.id for each in first.items] == ids[:0:-1]
    rest = client.workloads.page(waiting, cursor=first.next_cursor)
    assert ([each.id for each in rest.items], rest.total) == ([ids[0]], 3)
    assert client.workloads.page(MINE, limit=1).total == before + 3
    for query, field in (
        (f"cursor={first.next_cursor}&sort=name", "cursor"),
        (f"cursor={first.next_cursor}&offset=1", "offset"),
        ("sort=colour", "sort"),
        ("offset=-1", "offset"),
        ("order=sideways", "order"),
        ("reason=boredom", "reason.0"),
        ("ended_since=yesterday", "ended_since"),
        ("label=red", "label"),
    ):
        answer = server.http().get(f"{API}/workloads?{query}")
        assert answer.status_code == 422, (query, answer.text)
        assert [each["field"] for each in answer.json()["faults"]] == [field]


def test_what_waits_is_changed_and_cloned(server: Server) -> None:
    client = server.client_kept
    workload = server.submit("changed", ["true"], priority=30, max_runtime="1h", **WIDE)
    view = client.workloads.change(workload, priority="high", max_runtime="none", deadline="2h")
    assert (view.priority, view.max_runtime_seconds) == (75, None)
    assert view.deadline is not None
    same = client.workloads.change(workload, priority=75)
    told = [each.message for each in client.workloads.events(workload)]
    assert same.version >= view.version
    assert len([each for each in told if "Priority 30 → 75, time limit 1h → none" in each]) == 1
    detail = client.workloads.get(workload)
    assert (detail.submitted_spec["priority"], detail.resolved_spec["priority"]) == (30, 75)
    made = client.workloads.clone(workload, priority=5, max_runtime=None)
    again = client.workloads.get(made.id)
    assert (again.name, again.priority, again.max_runtime_seconds) == ("changed", 5, None)
    assert again.labels == detail.labels
    with pytest.raises(UserError, match="max_runtime"):
        client.workloads.change(workload, max_runtime="soon")
    client.workloads.cancel(workload)
    with pytest.raises(ConflictError, match="has been cancelled"):
        client.workloads.change(workload, priority=1)
    with pytest.raises(NotFoundError):
        client.workloads.change("w-0000000000000000", priority=1)


def test_a_shorter_limit_stops_what_runs(server: Server) -> None:
    workload = server.submit("shortened", ["sleep", "60"], grace="1s", labels={"set": "changing"})
    server.reaches(workload, "running")
    server.client_kept.workloads.change(workload, max_runtime="1s")
    assert server.ended(workload).cause == "max_runtime"


def test_many_at_once_from_the_command_line(server: Server) -> None:
    ids = [server.submit(f"many-{n}", ["true"], **WIDE) for n in range(3)]
    done = server.command("set", "--label", "set=changing", "--priority", "81", "--yes")
    assert done.stdout.endswith("changed.\n"), done.stdout
    assert {server.client_kept.workloads.get(each).priority for each in ids} == {81}
    acted = server.told("cancel", "--label", "set=changing", "--yes")
    assert acted["done"] == 3, acted
    states = {server.client_kept.workloads.get(each).state for each in ids}
    assert states == {"cancelled"}
    again = server.client_kept.workloads.act("cancel", ids=[*ids, "w-0000000000000000"])
    assert (again.done, again.unchanged, again.fault_count) == (0, 3, 1)
    for body in ({"action": "cancel", "selection": {}}, {"action": "cancel"}, {"action": "dance"}):
        assert server.http().post(f"{API}/workloads/actions", json=body).status_code == 422


def test_a_viewer_changes_nothing(server: Server) -> None:
    token = server.person("looks-only")
    server.client_kept.projects.set_member("default", "looks-only", "viewer")
    workload = server.submit("looked-at", ["true"], **WIDE)
    viewer = server.client(token)
    assert server.http(token).patch(
        f"{API}/workloads/{workload}", json={"priority": 1}
    ).status_code == 403  # fmt: skip
    acted = viewer.workloads.act("cancel", ids=[workload])
    assert (acted.done, acted.fault_count, "viewer" in acted.faults[0].detail) == (0, 1, True)
    assert server.client_kept.workloads.get(workload).state == "queued"


def test_saved_views(server: Server) -> None:
    client = server.client_kept
    saved = client.views.save("workloads", "My failures", "state=failed")
    assert client.views.list("workloads") == [saved]
    assert client.views.list("nodes") == []
    other = server.client(server.person("other-viewer"))
    assert other.views.list() == []
    assert server.told("view", "ls")["items"][0]["name"] == "My failures"
    client.views.remove("workloads", "My failures")
    with pytest.raises(NotFoundError):
        client.views.remove("workloads", "My failures")
    http = server.http()
    assert http.put(f"{API}/views/Workloads/x", json={"search": ""}).status_code == 422
    assert http.put(f"{API}/views/workloads/{'x' * 61}", json={"search": ""}).status_code == 422
    assert http.put(f"{API}/views/workloads/x%00", json={"search": ""}).status_code == 422
    assert http.get(f"{API}/views?page=%2F").status_code == 422


def test_a_change_reaches_those_who_watch(server: Server) -> None:
    client = server.client_kept
    workload = server.submit("watched", ["true"], **WIDE)
    changes = client.workloads.watch(workload, after=0)
    client.workloads.change(workload, priority=99)

    def told() -> bool:
        change = next(changes)
        return change.event.kind == "WorkloadChanged" and change.workload.priority == 99

    until(told, "the change is told")
