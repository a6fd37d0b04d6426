"""The audit trail from outside: what is told, to whom, and that no command goes untold."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.serving import API, PASSWORD, Server
from journeys.test_api_fuzz import UNSAFE, request_of
from podium.domain.audit_export import verify_export
from podium.domain.audit_lines import BadLineError
from podium.domain.audit_verify import FaultKind
from podium.domain.signature import read_key
from podium.intake.refusals import MANY

# They write nothing, or only how far somebody has read, or what they look for.
NOTHING_TO_TELL = {
    f"POST {API}/notices/read",
    f"PUT {API}/views/{{page}}/{{name}}",
    f"DELETE {API}/views/{{page}}/{{name}}",
    f"POST {API}/workloads/validate",
    f"POST {API}/workloads/dry-run",
    f"POST {API}/what-if",
    f"POST {API}/quotas/{{level}}/{{name}}/preview",
    f"POST {API}/capacity/plans",
    f"POST {API}/scheduler/cycles/{{cycle_id}}/replay",
    f"POST {API}/nodes/{{name}}/gpus/{{index}}/layout/plan",
    f"POST {API}/mig/pack",  # says what it would do
}


class Real(dict[str, str]):
    """What a path names; what this test made nothing of is not there, which is told as well."""

    def __missing__(self, _name: str) -> str:
        return "nobody"


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Server:
    return make_server(
        "audited", options=("--virtual-gpus", "2xH100-80GB:mig", "--node-name", "fuzz-node")
    )


@pytest.fixture(scope="module")
def lead(server: Server) -> str:
    return server.person("red-lead", leads="red")


def test_no_command_goes_untold(server: Server) -> None:
    """Each request that changes something, and each that was refused, has an entry of its own."""
    server.person("violet", leads="violet")
    server.person("indigo")
    real = Real({
        "project": "violet", "username": "indigo", "name": "SOME_SECRET", "page": "workloads",
        "gpu_type": "H100", "level": "project", "part": "training", "cycle_id": "1",
        "index": "0", "seq": "1",
    })  # fmt: skip
    alive = {
        f"POST {API}/workloads/actions",
        f"POST {API}/workloads/{{workload_id}}/cancel",
        f"PATCH {API}/workloads/{{workload_id}}",
    }

    def many() -> bool:
        """Whether so much was refused within a minute that the rest is told as one."""
        return any(server.client().audit.list(action=MANY, actor="violet"))

    untold = {}
    done = 0
    for label in sorted(set(UNSAFE) - NOTHING_TO_TELL):
        own = server.sign_in("violet", PASSWORD)  # some of them end every sign-in
        client = server.client(own, project="violet")
        job = client.workloads.submit({"name": "violet-work", "command": ["sleep", "60"]})
        real |= {"ref": job.id, "workload_id": job.id, "token_id": client.tokens.create("mine").id}
        # What is so already is changed by nobody, and who has left cannot leave again.
        for token in (own,) if label in alive or "/auth/" in label else (own, server.token):
            try:
                asked = request_of(label, real, project="violet")
            except StopIteration:
                continue  # no body is known for it yet; test_api_fuzz says so
            answer = server.http(token).request(**asked)
            assert answer.status_code < 500, (label, answer.text)
            if answer.status_code in (400, 409, 413, 415, 422):
                continue
            done += answer.status_code < 300
            entries = server.http().get(
                f"{API}/audit", params={"request_id": answer.headers["x-request-id"]}
            )
            told = entries.json()["items"]
            refused = answer.status_code in (401, 403, 404)
            if not told and not (refused and many()):
                untold[label] = answer.status_code
            outcome = "refused" if refused else "allowed"
            assert {each["outcome"] for each in told} <= {outcome}, label
            assert all(each["source"] and each["token_id"] for each in told), label
        server.client().workloads.cancel(job.id)
    assert untold == {}
    assert done > 20


def test_refusals_are_told_and_merged(server: Server, lead: str) -> None:
    http = server.http(lead)
    ids = [
        http.post(f"{API}/users", json={"username": "intruder"}).headers["x-request-id"]
        for _ in range(20)
    ]
    client = server.client()
    found = list(client.audit.list(actor="red-lead", action="user:administer"))
    assert {(each.outcome, each.subject) for each in found} == {("refused", "users")}
    assert len(found) <= 2
    assert found[-1].request_id in ids or len(ids) == 20
    # A read that needs a right is told as well; one of something that is not there is no news.
    assert http.get(f"{API}/users").status_code in (200, 403)
    assert http.get(f"{API}/workloads/w-0000000000000000").status_code == 404
    assert not list(client.audit.list(q="w-0000000000000000"))


def test_who_looks_at_a_log_is_told_once(server: Server, lead: str) -> None:
    red = server.client(lead, project="red")
    job = red.workloads.submit({"name": "talks", "command": ["echo", "hello"]})
    red.workloads.wait(job.id, timeout_seconds=30)
    for _ in range(3):
        assert server.http(lead).get(f"{API}/workloads/{job.id}/logs").status_code == 200
    server.http().get(f"{API}/workloads/{job.id}/logs/lines")
    seen = list(server.client().audit.list(action="log:read", subject=job.id))
    assert sorted(each.actor for each in seen) == ["admin", "red-lead"]
    assert {each.project for each in seen} == {"red"}


def test_a_lead_sees_their_own_project_alone(server: Server, lead: str) -> None:
    server.person("blue-lead", leads="blue")
    server.client().prices.set("B200", "9.5")
    mine = list(server.client(lead).audit.list(limit=500))
    assert mine
    assert {each.project for each in mine} == {"red"}
    http = server.http(lead)
    assert http.get(f"{API}/audit", params={"project": "blue"}).status_code == 404
    for call in (http.get(f"{API}/audit/state"), http.get(f"{API}/audit/export"),
                 http.post(f"{API}/audit/verify")):  # fmt: skip
        assert call.status_code == 403, call.text
    theirs = next(iter(server.client().audit.list(subject="B200")))
    assert theirs.detail["after"] == {"per_gpu_hour": "9.5", "currency": "EUR"}
    assert http.get(f"{API}/audit/{theirs.seq}").status_code == 404


def test_filters_and_pages(server: Server, lead: str) -> None:
    client = server.client()
    every = list(client.audit.list())
    assert [each.seq for each in every] == sorted((each.seq for each in every), reverse=True)
    in_pages, cursor = [], None
    while True:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        answer = server.http().get(f"{API}/audit", params=params).json()
        in_pages += [each["seq"] for each in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert in_pages == [each.seq for each in every]
    people = list(client.audit.list(action="user:"))
    assert people == [each for each in every if each.action.startswith("user:")]
    assert list(client.audit.list(q="RED-LEAD"))
    middle = every[len(every) // 2]
    since = list(client.audit.list(since=middle.at))
    assert since == [each for each in every if each.at >= middle.at]
    assert client.audit.entry(middle.seq) == middle
    assert set(client.audit.actions()) == {each.action for each in every}


def test_an_export_verifies_without_a_server(server: Server, tmp_path: Path) -> None:
    client = server.client()
    path = tmp_path / "audit.jsonl"
    client.audit.export(path)
    key = client.audit.key()
    server.command("audit", "verify", str(path), "--public-key", key.public_key)
    lines = path.read_text().splitlines(keepends=True)
    trusted = [read_key(key.public_key)]
    found = verify_export(lines, trusted)
    assert found.verdict.ok
    assert (found.verdict.unsealed, found.trusted) == (0, True)
    entries = [at for at, line in enumerate(lines) if json.loads(line)["kind"] == "entry"]
    at = entries[5]
    seq = json.loads(lines[at])["seq"]
    edited = [*lines[:at], lines[at].replace('"actor":"', '"actor":"x'), *lines[at + 1 :]]
    deleted = [*lines[:at], *lines[at + 1 :]]
    for changed, kind in ((edited, FaultKind.CHANGED), (deleted, FaultKind.MISSING)):
        faults = verify_export(changed, trusted).verdict.faults
        assert (faults[0].kind, faults[0].first_seq) == (kind, seq)
    for cut in (lines[:-1], lines[: entries[-3]]):
        faults = verify_export(cut, trusted).verdict.faults
        assert faults[0].kind is FaultKind.TRUNCATED
    other = verify_export(lines, [bytes(32)]).verdict
    assert other.faults[0].kind is FaultKind.UNSIGNED
    (tmp_path / "edited.jsonl").write_text("".join(edited))
    done = server.command("audit", "verify", str(tmp_path / "edited.jsonl"), "--json", code=1)
    assert json.loads(done.stdout)["first_fault_seq"] == seq


def test_an_extract_is_told_apart(server: Server, lead: str, tmp_path: Path) -> None:
    path = tmp_path / "red.jsonl"
    server.client().audit.export(path, project="red")
    lines = path.read_text().splitlines()
    projects = {json.loads(line)["project"] for line in lines[1:-1]}
    assert projects == {"red"}
    with pytest.raises(BadLineError, match="project=red"):
        verify_export(lines)


def test_an_export_takes_the_filters_of_the_list(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    client = server.client()
    wanted = {"actor": "admin", "action": "user:"}
    listed = [each.seq for each in client.audit.list(**wanted)]  # type: ignore[arg-type]
    client.audit.export(path, **wanted)  # type: ignore[arg-type]
    head, *entries, end = (json.loads(line) for line in path.read_text().splitlines())
    assert head["whole"] is False
    assert head["filters"] == wanted
    assert "cannot be verified" in head["note"]
    assert [each["seq"] for each in reversed(entries)] == listed
    assert end["entries"] == len(listed) > 0
    told = next(client.audit.list(action="audit:export", limit=1))
    assert told.detail["filters"] == wanted
    refused = server.command("audit", "verify", str(path), code=None)
    assert refused.returncode == 1
    words = " ".join((refused.stdout + refused.stderr).split())
    assert "only entries that fit action=user:, actor=admin" in words
    assert "podium audit export FILE" in words
    server.command("audit", "export", str(path), "--grep", "role", "--outcome", "allowed")
    assert '"q":"role"' in path.read_text().splitlines()[0]


def test_part_of_the_trail_verifies_too(server: Server, tmp_path: Path) -> None:
    client = server.client()
    every = list(client.audit.list())
    path = tmp_path / "part.jsonl"
    client.audit.export(path, since=every[1].at)
    found = verify_export(path.read_text().splitlines(), [read_key(client.audit.key().public_key)])
    assert found.verdict.ok, found.verdict.faults
    assert found.verdict.first_seq > 1 or found.verdict.entries == len(every)


def test_a_change_in_the_database_is_found(server: Server) -> None:
    """The last test of this server: the trail is broken, and mended by a declared break."""
    client = server.client()
    client.prices.set("L4", "1")
    assert client.audit.verify().ok
    entry = next(iter(client.audit.list(subject="L4")))
    with sqlite3.connect(server.home / "podium.db", timeout=20) as database:
        database.execute("DROP TRIGGER audit_unchanged")
        database.execute("UPDATE audit SET actor = 'eve' WHERE seq = ?", (entry.seq,))
    database.close()
    verdict = client.audit.verify()
    assert (verdict.ok, verdict.first_fault_seq) == (False, entry.seq)
    done = server.command("audit", "verify", code=1)
    assert f"Entry {entry.seq} does not fit" in done.stdout
    server.command("audit", "break", "A test changed it.")
    done = server.command("audit", "verify")
    assert "A test changed it." in done.stdout
