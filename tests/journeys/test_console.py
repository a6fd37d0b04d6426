"""What the console reads, on a real server: the overview, the queue, search, notices, and all of
it live over one connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from journeys.events import BreakingReader
from journeys.serving import API, Server, until
from podium.client.sse import EventParser, ServerEvent

WIDE = {"resources": {"gpus": 64}}


def read(http: httpx.Client, path: str, **params: Any) -> Any:
    answer = http.get(f"{API}{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def heard(server: Server, params: Any, **headers: str) -> Iterator[ServerEvent]:
    """Events of the stream. Whoever reads must not wait for more than there is."""
    with server.http().stream(
        "GET", f"{API}/stream", params=params, headers=headers, timeout=30
    ) as answer:
        assert answer.status_code == 200, answer.read()
        parser = EventParser()
        for chunk in answer.iter_bytes():
            yield from parser.feed(chunk)


def test_the_overview_and_the_queue_agree_with_the_lists(server: Server) -> None:
    waits = [server.submit(f"console-{n}", ["true"], priority=n, **WIDE) for n in (20, 90)]
    client = server.client_kept
    until(lambda: client.workloads.get(waits[1]).waiting is not None, "it is refused")
    view = client.overview(time_zone="Asia/Kolkata")
    assert view.workloads["queued"] == len(list(client.queue.entries()))
    assert sum(each.devices for each in view.gpus) == 4
    assert all(each.virtual for each in view.gpus)
    assert view.nodes.ready == 1
    assert len(view.gpu_hours.hours) == 48
    assert (view.gpu_hours.hours[-1].start.minute, view.gpu_hours.hours[0].start.second) == (30, 0)
    page = client.queue(limit=1)
    assert page.items[0].position == 1
    rest = client.queue(cursor=page.next_cursor)
    assert rest.items[0].position == 2
    places = {each.workload.id: each.position for each in (*page.items, *rest.items)}
    assert places[waits[1]] < places[waits[0]]
    assert client.workloads.explain(waits[0]).queue_position == places[waits[0]]
    assert page.hidden == 0
    (project,) = [each for each in page.projects if each.project == "default"]
    assert project.gpu_milli_wanted >= 128_000
    for each in waits:
        client.workloads.cancel(each)
    assert "virtual" in server.command("overview").stdout
    assert server.told("overview", "--project", "default")["failed_last_day"] >= 0
    assert "length" in server.told("queue")


def test_of_another_project_only_the_place_is_told(server: Server) -> None:
    stranger = server.person("console-stranger", leads="elsewhere")
    secret = server.submit("console-secret", ["true"], priority=99, **WIDE)
    http = server.http(stranger)
    queue = read(http, "/queue")
    assert (queue["items"], queue["projects"]) == ([], [])
    assert queue["hidden"] == queue["length"] >= 1
    mine = server.client(stranger, "elsewhere").workloads.submit(
        {"name": "console-own", "command": ["true"], **WIDE}
    )
    queue = read(http, "/queue")
    assert [each["workload"]["id"] for each in queue["items"]] == [mine.id]
    assert queue["items"][0]["position"] >= 2
    for path, params in (
        ("/overview", {}), ("/queue", {}), ("/search", {"q": "console"}),
        ("/search", {"q": secret}), ("/notices", {}), ("/nodes", {}),
    ):  # fmt: skip
        told = json.dumps(read(http, path, **params))
        assert secret not in told, path
        assert "console-secret" not in told, path
    assert read(http, "/search", q="console-s")["items"] == []
    assert read(server.http(), "/search", q="console-s")["items"][0]["id"] == secret
    for each in (secret, mine.id):
        server.client_kept.workloads.cancel(each)


def test_who_is_on_a_node(server: Server) -> None:
    work = server.submit(
        "console-holder", ["sleep", "60"], resources={"gpus": 1, "cpus": 0.1, "memory": "64MiB"}
    )
    server.reaches(work, "running")
    client = server.client_kept
    (node,) = client.nodes.list()
    holders = [each for device in node.devices for each in device.holders]
    (holder,) = [each for each in holders if each.workload_id == work]
    assert (holder.name, holder.project, holder.owner, holder.gpu_milli) == (
        "console-holder", "default", "admin", 1000)  # fmt: skip
    (replica,) = [each for each in client.nodes.replicas(node.name) if each.workload_id == work]
    assert len(replica.devices) == 1
    assert node.replicas >= 1
    assert "console-holder" in server.command("nodes", node.name).stdout
    stranger = server.http(server.person("console-visitor", leads="visited"))
    seen = read(stranger, f"/nodes/{node.name}")
    assert "console-holder" not in json.dumps(seen)
    assert sum(each["gpu_milli_used"] for each in seen["devices"]) >= 1000
    assert read(stranger, f"/nodes/{node.name}/replicas")["items"] == []
    client.workloads.cancel(work)
    server.ended(work)


def test_notices_and_what_was_read(server: Server) -> None:
    client = server.client_kept
    client.notices.read()
    assert client.notices.page().unread == 0
    work = server.submit("console-failing", ["sh", "-c", "exit 3"])
    server.ended(work)
    page = client.notices.page()
    assert (page.unread, page.items[0].workload_id, page.items[0].level) == (1, work, "bad")
    assert page.items[0].sentence == "console-failing failed. It ended with exit code 3."
    assert server.told("notices", "--read")["items"][0]["seq"] == page.items[0].seq
    assert client.notices.page().unread == 0
    assert next(iter(client.notices.list(limit=1))).read


def test_all_topics_over_one_connection(server: Server) -> None:
    topics = {"topic": ["workloads", "notices", "nodes", "overview"], "time_zone": "Europe/Berlin"}
    names: dict[str, ServerEvent] = {}
    work = ""
    for event in heard(server, topics):
        names.setdefault(event.event, event)
        if not work:
            assert event.event == "heartbeat", "the first thing is where it begins"
            work = server.submit("console-live", ["true"])
        if names.keys() >= {"change", "notice", "nodes", "overview"}:
            break
    assert json.loads(names["notice"].data)["workload_name"] == "console-live"
    assert json.loads(names["change"].data)["workload"]["id"] == work
    assert json.loads(names["overview"].data)["nodes"]["ready"] == 1
    assert names["nodes"].data == "{}"
    # From where the first change was, the same notice comes again, by header and by parameter.
    place = names["change"].id
    assert place is not None
    for params, headers in ((topics, {"Last-Event-ID": place}), ({**topics, "after": place}, {})):
        for event in heard(server, params, **headers):
            if event.event == "notice":
                assert event.data == names["notice"].data
                break


def test_a_stream_that_breaks_misses_nothing_and_tells_nothing_twice(server: Server) -> None:
    params = {"topic": ["workloads", "notices"]}
    (first,) = [event for event, _ in zip(heard(server, params), range(1), strict=False)]
    ids = [server.submit(f"console-broken-{n}", ["true"]) for n in range(4)]
    for each in ids:
        server.ended(each)
    reader = BreakingReader(server.http(), f"{API}/stream", {**params, "after": first.id}, batch=4)  # type: ignore[dict-item]
    told: list[str] = []
    changes: list[int] = []
    for event in reader.read(lambda _: len(told) == len(ids)):
        document = json.loads(event.data)
        if event.event == "notice" and document["workload_id"] in ids:
            told.append(document["workload_id"])
        elif event.event == "change":
            changes.append(document["event"]["seq"])
    assert sorted(told) == sorted(ids)
    assert changes == sorted(set(changes))
    assert reader.connections > 2


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/overview?time_zone=Mars/Olympus", "time_zone"),
        ("/overview?time_zone=", "time_zone"),
        ("/overview?time_zone=../../etc/passwd", "time_zone"),
        ("/stream?topic=overview&time_zone=Nowhere", "time_zone"),
        ("/stream?topic=gossip", "topic.0"),
        ("/stream", "topic"),
        ("/stream?topic=nodes&after=x", "after"),
        ("/overview/capacity?points=1", "points"),
        ("/overview/capacity?since=yesterday", "since"),
        ("/overview/capacity?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "since"),
        ("/queue?cursor=!!", "cursor"),
        ("/queue?cursor=YWJj", "cursor"),
        ("/notices?cursor=YWJj", "cursor"),
        ("/search?q=", "q"),
        ("/search", "q"),
        ("/search?q=x&limit=51", "limit"),
    ],
)
def test_bad_questions_name_the_field(server: Server, path: str, field: str) -> None:
    answer = server.http().get(f"{API}{path}")
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["faults"]] == [field]


def test_capacity_of_any_time(server: Server) -> None:
    for since, until_ in (
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("2090-01-01T00:00:00Z", "2091-01-01T00:00:00Z"),
        ("1960-01-01T00:00:00+14:00", "1960-01-02T00:00:00-12:00"),
    ):
        told = read(server.http(), "/overview/capacity", since=since, until=until_, points=2)
        assert len(told["points"]) <= 2


def test_about_tells_health_and_since_when(server: Server) -> None:
    about = server.client_kept.server.about()
    assert about.health.ok
    assert {"database", "nodes", "clock"} <= {each.name for each in about.health.checks}
    assert about.started_at < datetime.now(UTC)
    assert about.virtual_gpus
