"""A stranger walks through the whole API: somebody without any role, and a member and the lead of
another project. What exists and what does not answer alike, and nothing of the other tenant is
heard.

The requests are made from the API's document, so that what is new is walked through, too.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import podium
from journeys.asking import OPERATIONS, request_for
from journeys.serving import API, Server, until

NODE = "shared-node"
LISTENS_SECONDS = 3
SMALL = {"cpus": 0.1, "memory": "64MiB"}
FOLLOWS = tuple(label for label in OPERATIONS if label.endswith("/stream"))
# What ends or changes the stranger's own sign-in, and what needs no sign-in.
OWN = {
    f"POST {API}/auth/logout",
    f"POST {API}/auth/sign-out-everywhere",
    f"POST {API}/auth/password",
    f"POST {API}/tokens",
    f"PUT {API}/views/{{page}}/{{name}}",
    f"POST {API}/notices/read",
}
OPEN = {label for label, each in OPERATIONS.items() if each.get("security") == []}
WALKED = sorted(set(OPERATIONS) - OWN - OPEN - set(FOLLOWS))
# The cluster is everyone's: how much of it is held and wanted is told, by whom is not.
OF_THE_CLUSTER = {
    "GET /metrics",
    f"GET {API}/nodes",
    f"GET {API}/nodes/{{name}}",
    f"GET {API}/nodes/{{name}}/curves",
    f"GET {API}/overview",
    f"GET {API}/overview/capacity",
    f"GET {API}/queue/plan",
    f"GET {API}/quotas",
    f"GET {API}/fragmentation",
    f"GET {API}/nodes/{{name}}/gpus/{{index}}/layout",
}


@dataclass(frozen=True)
class Tenants:
    server: Server
    nobody: str
    member: str
    lead: str
    real: dict[str, Any]
    words: tuple[str, ...]

    def token(self, who: str) -> str:
        return {"nobody": self.nobody, "member": self.member, "lead": self.lead}[who]


@pytest.fixture(scope="module")
def tenants(make_server: Callable[..., Server]) -> Tenants:
    server = make_server("strange", options=("--virtual-gpus", "2", "--node-name", NODE))
    root = server.client()
    red = server.client(server.person("karmin", leads="zinnober"), project="zinnober")
    lead = server.person("azur-lead", leads="azur")
    nobody, member = server.person("nemo"), server.person("azur-dev")
    root.projects.set_member("azur", "azur-dev", "developer")
    root.teams.change("zinnober", cost_centre="cc-mennige")
    root.groups.create("purpur")
    root.groups.add("purpur", "karmin")
    binding = root.access.give("viewer", "purpur", level="project", target="zinnober", group=True)
    red.accounts.create("scharlach", project="zinnober")
    token = red.accounts.create_token("scharlach", "rubin", expires_in_days=3)
    red.secrets.set("zinnober", "RED_SECRET", "told to nobody")
    s3 = {"endpoint": "https://s3.example.com", "bucket": "rost-bucket"}
    root.data.set("zinnober/saphir", "s3", s3, "phi", regions=["rost"])
    root.pools.set("granat", labels={"os": "linux"}, projects=["zinnober"])
    root.bookings.create(
        name="koralle", nodes=[NODE], from_at="300h", until_at="301h", project="zinnober"
    )
    root.quotas.set("project", "zinnober", weight=3)
    stays = red.workloads.submit(
        {
            "name": "rost-runs",
            "script": "echo rost words; sleep 600",
            "labels": {"farbe": "zinnober"},
            "resources": {**SMALL, "gpus": 1},
        }
    )
    until(lambda: red.workloads.get(stays.id).state == "running", "red work runs")
    red.workloads.submit(
        {"name": "rost-waits", "command": ["true"], "resources": {**SMALL, "gpus": 2}}
    )
    azur = server.client(member, project="azur")
    azur.workloads.submit(
        {"name": "blue-waits", "command": ["true"], "resources": {**SMALL, "gpus": 2}}
    )
    until(lambda: stays.id in {each.id for each in red.workloads.list()}, "it is listed")
    real = {
        "project": "zinnober",
        "team": "zinnober",
        "target": "zinnober",
        "username": "karmin",
        "subject": "karmin",
        "owner": "karmin",
        "actor": "karmin",
        "group": "purpur",
        "account": "scharlach",
        "binding_id": binding.id,
        "token_id": token.id,
        "workload_id": stays.id,
        "ref": stays.id,
        "q": "zinnober",
        "/secrets": "RED_SECRET",
        "/pools": "granat",
        "/data": "saphir",
        "pool": "granat",
        "/bookings": "koralle",
        "/quotas/{level}": "zinnober",
        "/policies/{level}": "zinnober",
        "user_code": "AAAA-AAAA",
        "seq": "3",
    }
    words = (
        "zinnober", "karmin", "mennige", "purpur", "scharlach", "rubin", "RED_SECRET", "granat",
        "saphir", "koralle", "rost", "farbe", stays.id, token.id, binding.id,
    )  # fmt: skip
    return Tenants(server, nobody, member, lead, real, words)


FIXED = {
    "level": "project",
    "/nodes": NODE,
    "/prices": "H100",
    "/providers": "none-such",
    "/oidc": "none-such",
    "/forwards": "none-such",
    "/views/{page}": "mine",
    "name": "intruder",
    "gpu_type": "H100",
    "index": "0",
    "page": "workloads",
    "part": "training",
    "cycle_id": "1",
    "role": "viewer",
    "action": "workload:read",
}


def made_up(real: Mapping[str, Any]) -> dict[str, Any]:
    """Names of the same kind that nothing has."""
    return {
        key: value[:-4] + "zzzz" if re.fullmatch(r"[a-z]-[0-9a-z]{16}", value) else "nichts"
        for key, value in real.items()
    } | {"/secrets": "NO_SECRET", "user_code": "BBBB-BBBB", "seq": "999999"}


def asked_as(tenants: Tenants, who: str, label: str, names: Mapping[str, Any]) -> httpx.Response:
    request = request_for(label, {**FIXED, **names})
    return tenants.server.http(tenants.token(who)).request(**request)


def plain(answer: httpx.Response, names: Mapping[str, Any]) -> str:
    """What was said, without what was asked and without the time."""
    text = re.sub(r'"request_id":"\w+"', "", answer.text)
    text = text.replace(f"entry {names.get('seq')} ", "entry ASKED ")
    said = {str(each) for each in names.values() if len(str(each)) > 3}
    for name in sorted(said, key=len, reverse=True):
        text = text.replace(name, "ASKED")
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)


@pytest.mark.parametrize("who", ["nobody", "member", "lead"])
@pytest.mark.parametrize("label", WALKED)
def test_what_exists_answers_as_what_does_not(tenants: Tenants, label: str, who: str) -> None:
    names = tenants.real
    there, not_there = names, made_up(names)
    answers = [asked_as(tenants, who, label, each) for each in (there, not_there)]
    assert answers[0].status_code == answers[1].status_code, [each.text for each in answers]
    told = [plain(answers[0], there), plain(answers[1], not_there)]
    for word in tenants.words:
        if word not in there.values():
            assert word not in told[0]
        assert word not in told[1]
    if label not in OF_THE_CLUSTER:
        assert told[0] == told[1]
    else:
        for word in tenants.words:
            assert word not in told[0]


ASKING = [f"POST {API}/workloads/{each}" for each in ("dry-run", "validate")]
ASKING += [f"POST {API}/what-if"]


@pytest.mark.parametrize("label", [each for each in WALKED if each.startswith("GET")] + ASKING)
def test_what_one_reads_of_ones_own_does_not_name_others(tenants: Tenants, label: str) -> None:
    """Such as why one's work waits for what they hold."""
    azur = tenants.server.client(tenants.member, project="azur")
    waits = next(each for each in azur.workloads.list() if each.name == "blue-waits")
    own = {"project": "azur", "team": "azur", "target": "azur", "username": "azur-dev", "q": "blue"}
    own |= dict.fromkeys(("workload_id", "ref"), waits.id)
    own |= dict.fromkeys(("owner", "subject", "actor"), "azur-dev")
    own |= dict.fromkeys(("/quotas/{level}", "/policies/{level}"), "azur")
    answer = asked_as(tenants, "member", label, {**made_up(tenants.real), **own})
    assert answer.status_code < 500
    for word in tenants.words:
        assert word not in answer.text


@pytest.mark.parametrize("who", ["nobody", "member", "lead"])
def test_what_the_others_do_is_not_heard(tenants: Tenants, who: str) -> None:
    """All that the stranger can read by themselves is the same after the others were busy."""
    reads = [label for label in WALKED if label.startswith("GET") and "{" not in label]
    reads = [label for label in reads if who == "nobody" or label not in OF_THE_CLUSTER]

    def read() -> dict[str, str]:
        found = {}
        for label in reads:
            request = request_for(label, FIXED)
            answer = tenants.server.http(tenants.token(who)).request(**request)
            found[label] = plain(answer, {})
            for word in tenants.words:
                assert word not in answer.text, label
        return found

    root = tenants.server.client()
    busy(root, who)
    first = read()
    busy(root, f"{who}-again")
    changed = {label: told for label, told in read().items() if told != first[label]}
    changed.pop(f"GET {API}/tokens", None)  # when one's own token was used last
    assert not changed


def busy(root: podium.Client, name: str) -> None:
    root.users.create(f"karmin-{name}")
    root.groups.create(f"purpur-{name}")
    root.projects.create(f"zinnober-{name}", team=f"zinnober-{name}")
    root.accounts.create(f"scharlach-{name}", project="zinnober")
    root.access.give("viewer", f"karmin-{name}", level="project", target="zinnober")
    root.secrets.set("zinnober", f"RED_{name.upper().replace('-', '_')}", "told to nobody")
    for number in range(2):
        made = root.workloads.submit(
            {
                "name": f"rost-{number}",
                "project": "zinnober",
                "command": ["true"],
                "resources": SMALL,
            }
        )
        root.workloads.wait(made.id, timeout_seconds=60)


@pytest.mark.parametrize("who", ["nobody", "member"])
@pytest.mark.parametrize("label", FOLLOWS)
def test_a_stream_tells_nothing_of_others(tenants: Tenants, label: str, who: str) -> None:
    topics = {"topic": ["workloads", "overview", "nodes", "notices"], "after": 0}
    request = request_for(label, {**FIXED, **tenants.real})
    request["params"] = topics if label.endswith("v1/stream") else {"after": 0}
    azur = tenants.server.client(tenants.member, project="azur")
    red = tenants.server.client()
    told = ""
    with tenants.server.http(tenants.token(who)).stream(
        **request, timeout=LISTENS_SECONDS
    ) as heard:
        if heard.status_code != 200:
            assert heard.status_code in (403, 404), heard.read()
            return
        red.workloads.submit(
            {"name": "rost-news", "project": "zinnober", "command": ["true"], "resources": SMALL}
        )
        mine = azur.workloads.submit({"name": "blue-news", "command": ["true"], "resources": SMALL})
        begun = time.monotonic()
        with contextlib.suppress(httpx.ReadTimeout):
            for chunk in heard.iter_text():
                told += chunk
                if mine.id in told or time.monotonic() - begun > LISTENS_SECONDS:
                    break
    assert (mine.id in told) == (who == "member")
    for word in tenants.words:
        assert word not in told
    if who == "nobody":
        assert set(re.findall(r"^event: (\w+)", told, re.MULTILINE)) <= {"heartbeat"}


def test_nothing_of_the_others_was_changed(tenants: Tenants) -> None:
    """Last: after all of these requests."""
    root, real = tenants.server.client(), tenants.real
    assert root.workloads.get(real["workload_id"]).state == "running"
    assert not root.users.get("karmin").disabled_at
    assert [each.id for each in root.accounts.tokens("scharlach")] == [real["token_id"]]
    assert "RED_SECRET" in {each.name for each in root.secrets.list("zinnober")}
    assert {each.name for each in root.pools.list()} == {"granat"}
    holders = {each.username for each in root.access.who("workload:read", project="zinnober")}
    assert not holders & {"nemo", "azur-dev", "azur-lead"}
    assert "intruder" not in json.dumps([each.name for each in root.workloads.list()])
