"""The API against everything that its own document allows, and against strangers.

Requests are made from the OpenAPI document by Schemathesis, with seeds that stay the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks, not_a_server_error
from schemathesis.core.transport import Response

from journeys import asking
from journeys.asking import request_for
from journeys.serving import API, PASSWORD, Server, until
from podium.spec.views.problem import Problem

DOCUMENT = asking.DOCUMENT
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
OPEN = {label for label, each in asking.OPERATIONS.items() if each.get("security") == []}
STREAMS = {label for label in OPERATIONS if label.endswith("/stream")}
GUARDED = sorted(OPERATIONS.keys() - OPEN)
UNSAFE = [label for label in GUARDED if not label.startswith("GET")]
EXAMPLES = 6

load_all_checks()
AS_DOCUMENTED = [
    not_a_server_error,
    *CHECKS.get_by_names(
        ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
    ),
]


@schemathesis.serializer("application/gzip")
def as_bytes(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@dataclass(frozen=True)
class Tenants:
    """Two projects of two people, and what lies in the first."""

    server: Server
    lead: str
    stranger: str
    workload_id: str
    token_id: str
    upload: str

    @property
    def real(self) -> dict[str, str]:
        """For each name in a path, one that exists in the first project."""
        return {
            "ref": self.workload_id,
            "workload_id": self.workload_id,
            "project": "red",
            "username": "red-lead",
            "token_id": self.token_id,
            "name": "RED_SECRET",
            "page": "workloads",
            "gpu_type": "H100",
            "level": "project",
            "part": "training",
            "cycle_id": "1",
            "seq": "1",
            "index": "0",
        }


@pytest.fixture(scope="module")
def tenants(
    make_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Tenants:
    server = make_server("fuzzed", options=("--virtual-gpus", "1", "--node-name", "fuzz-node"))
    lead = server.person("red-lead", leads="red")
    stranger = server.person("blue-lead", leads="blue")
    server.person("leaver", leads="green")
    client = server.client(lead, project="red")
    client.secrets.set("red", "RED_SECRET", "told to nobody")
    folder = tmp_path_factory.mktemp("code")
    (folder / "run.sh").write_text("echo red code\n")
    upload = client.uploads.upload_folder(folder, "red").sha256
    made = client.workloads.submit(
        {"name": "red-work", "command": ["echo", "red words"], "labels": {"colour": "red"}}
    )
    client.workloads.wait(made.id, timeout_seconds=60)
    # What is made up from here on is stored, but never runs.
    server.client().nodes.cordon("fuzz-node")
    return Tenants(server, lead, stranger, made.id, next(client.tokens.list()).id, upload)


def test_the_document_is_the_one_that_is_served(tenants: Tenants) -> None:
    assert tenants.server.http().get(f"{API}/openapi.json").json() == json.loads(
        json.dumps(DOCUMENT)
    )


@pytest.mark.parametrize("who", ["administrator", "lead"])
@pytest.mark.parametrize("label", sorted(OPERATIONS.keys() - STREAMS))
def test_answers_as_documented(tenants: Tenants, label: str, who: str) -> None:
    server, operation = tenants.server, OPERATIONS[label]
    token = server.token if who == "administrator" else tenants.lead
    known = tenants.real
    if not label.startswith("GET"):  # nothing that other tests need is taken away
        known = {"project": "red", "workload_id": tenants.workload_id}

    with requests.Session() as session:
        session.trust_env = False

        def ask(case: Case) -> None:
            secret = token
            if label.endswith("/auth/logout"):
                secret = server.client(token).tokens.create("soon over").token
            if label.endswith("/sign-out-everywhere"):
                secret = server.sign_in("leaver", PASSWORD)
            if label.endswith("/logs"):
                case.query.pop("follow", None)  # it streams
            if "/workloads" in label and isinstance(case.body, dict):
                many = case.body.get("workloads")
                for spec in (case.body, *(many if isinstance(many, list) else ())):
                    make_sounder(spec)
            response = case.call(
                base_url=server.url,
                session=session,
                headers={"Authorization": f"Bearer {secret}"},
                timeout=30,
            )
            assert_problem_if_error(response)
            case.validate_response(response, checks=AS_DOCUMENTED)

        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for real in ({}, known):
                path = {key: real[key] for key in _path_names(label) if key in real}
                if real and not path:
                    continue
                try:
                    cases = operation.as_strategy(mode, path_parameters=path or None)
                    bounded(ask, cases)
                except schemathesis.errors.InvalidSchema:
                    raise
                except Exception as error:
                    if type(error).__name__ in ("Unsatisfiable", "SkipTest"):
                        continue  # nothing about this operation can be wrong
                    raise


def make_sounder(spec: Any) -> None:
    """Rules between fields are not in the document: few specs made from it would keep them."""
    if isinstance(spec, dict) and "name" in spec and len(str(spec["name"])) % 2:
        spec.update(name="fuzzed", project="red")
        for other, one in (("script", "command"), ("array", "replicas"), ("source", "name")):
            if one in spec:
                spec.pop(other, None)


def bounded(ask: Callable[[Case], None], cases: Any) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def each(case: Case) -> None:
        ask(case)

    each()


def assert_problem_if_error(response: Response | httpx.Response) -> None:
    if response.status_code < 400:
        return
    body = response.json()
    content_type = response.headers["content-type"]
    if isinstance(content_type, list):
        content_type = content_type[0]
    assert content_type.startswith("application/problem+json"), (response.status_code, body)
    problem = Problem.model_validate(body)
    assert problem.status == response.status_code
    assert problem.detail, body
    assert problem.request_id, body
    assert "Traceback" not in json.dumps(body)


@pytest.mark.parametrize("label", GUARDED)
def test_nothing_without_a_token(tenants: Tenants, label: str) -> None:
    asked = request_of(label, tenants.real)
    for headers in ({}, {"Authorization": "Bearer pod_wrong"}, {"Cookie": "podium_session=wrong"}):
        answer = tenants.server.http(None).request(
            **{**asked, "headers": {**headers, "X-Podium-CSRF": "1"}}
        )
        assert answer.status_code == 401, (label, headers, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert_problem_if_error(answer)
        assert tenants.workload_id not in answer.text


@pytest.mark.parametrize("label", UNSAFE)
def test_a_cookie_alone_changes_nothing(tenants: Tenants, label: str) -> None:
    answer = tenants.server.http(None).request(
        **{
            **request_of(label, tenants.real),
            "headers": {"Cookie": f"podium_session={tenants.lead}"},
        }
    )
    assert answer.status_code == 403, (label, answer.text)
    assert "X-Podium-CSRF" in answer.json()["detail"]


def test_a_stranger_hears_only_their_own_changes(tenants: Tenants) -> None:
    red, blue = (
        tenants.server.client(token, project=project)
        for token, project in ((tenants.lead, "red"), (tenants.stranger, "blue"))
    )
    with tenants.server.http(tenants.stranger).stream(
        "GET", f"{API}/workloads/stream", params={"after": 0}, timeout=30
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        red.workloads.submit({"name": "red-later", "command": ["true"]})
        mine = blue.workloads.submit({"name": "blue-work", "command": ["true"]})
        told = ""
        for chunk in response.iter_text():
            told += chunk
            if mine.id in told:
                break
    assert "red" not in told
    assert next(red.workloads.list(limit=1)).name == "red-later"
    blue.workloads.cancel(mine.id)


def test_a_token_that_is_revoked_ends_at_once(tenants: Tenants) -> None:
    client = tenants.server.client(tenants.lead)
    made = client.tokens.create("short")
    http = tenants.server.http(made.token)
    assert http.get(f"{API}/auth/me").status_code == 200
    client.tokens.revoke(made.id)
    assert http.get(f"{API}/auth/me").status_code == 401


def test_wrong_passwords_are_slowed_down(tenants: Tenants) -> None:
    http = tenants.server.http(None)
    tenants.server.person("guessed-at")

    def guess(password: str) -> httpx.Response:
        return http.post(f"{API}/auth/login", json={"username": "guessed-at", "password": password})

    answers = [guess("wrong")]
    until(lambda: answers.append(guess("wrong")) or answers[-1].status_code == 429, "it is slowed")
    assert len(answers) <= 12
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert {each.status_code for each in answers} == {401, 429}
    # Whoever guesses does not lock out others.
    assert tenants.server.sign_in("admin", PASSWORD)


def _path_names(label: str) -> list[str]:
    return re.findall(r"{(\w+)}", label)


def request_of(label: str, real: Mapping[str, str], *, project: str = "red") -> dict[str, Any]:
    """A request that means something, as keywords of `httpx.Client.request`."""
    method, _, path = label.partition(" ")
    names: dict[str, Any] = {**real, "project": project, "/nodes": "fuzz-node"}
    names |= dict.fromkeys(("/quotas/{level}", "/policies/{level}"), project)
    asked = request_for(label, {"team": project, "username": "intruder", **names})
    bodies: dict[str, Any] = {
        f"POST {API}/auth/password": {"current": "x" * 12, "new": "y" * 12},
        f"POST {API}/tokens": {"name": "intruder"},
        f"POST {API}/projects": {"name": "intruder", "team": "intruder"},
        f"POST {API}/users": {"username": "intruder"},
        f"POST {API}/notices/read": {"through": 1},
        f"POST {API}/bookings": {
            "nodes": ["x"], "from_at": "1h", "until_at": "1h", "maintenance": True,
        },
    }  # fmt: skip
    parts = {
        "POST /layout/plan": {"layout": "1g.10gb"},
        "PUT /prices/": {"per_gpu_hour": "1.50"},
        "PUT /grants/": {"write": True},
        "PUT /data/": {
            "kind": "s3",
            "location": {"endpoint": "https://s3.example.com", "bucket": "red-data"},
            "classification": "internal",
        },
        "PUT /pools/": {"labels": {"zone": "north"}},
        "PUT /layout": {"layout": "1g.10gb"},
        "PUT /mig": {"enabled": True},
        "PUT /quotas/": {"weight": 2},
        "PUT /budgets/": {"level": "project", "target": project, "gpu_hours": "1"},
        "PUT /policies/": {"values": {"priority": 1}},
        "PUT /views/": {"search": "state=failed"},
        "PUT /members/": {"role": "lead"},
        "PUT /secrets/": {"value": "x"},
        "PATCH /workloads/": {"priority": 1},
    }
    for part, body in parts.items():
        verb, _, inside = part.partition(" ")
        if verb == method and inside in path:
            bodies.setdefault(label, body)
    if label in bodies and "json" in asked:
        asked["json"] = bodies[label]
    return asked
