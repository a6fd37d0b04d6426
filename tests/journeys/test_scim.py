"""Directories keep people and groups: every check of scim2-tester, and what Entra ID and Okta send,
against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from journeys.serving import API, Server, plain_http

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture(scope="module")
def directory(make_server: Callable[..., Server]) -> Server:
    return make_server("directory", options=("--virtual-gpus", "1"))


@pytest.fixture(scope="module")
def token(directory: Server) -> str:
    made = directory.told("scim", "token", "--days", "30")
    assert made["address"] == f"{directory.url}/scim/v2"
    assert made["actions"] == ["directory:write"]
    return str(made["token"])


@pytest.fixture(scope="module")
def scim(directory: Server, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    with plain_http(f"{directory.url}/scim/v2", headers) as client:
        yield client


def patch(scim: httpx.Client, path: str, *operations: dict[str, Any]) -> None:
    answer = scim.patch(path, json={"schemas": [PATCH], "Operations": list(operations)})
    assert answer.status_code in (200, 204), answer.text


def test_every_check_of_scim2_tester(directory: Server, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(
        base_url=f"{directory.url}/scim/v2", headers=headers, trust_env=False
    ) as client:
        results = check_server(SyncSCIMClient(client))
    wrong = [(each.title, each.reason) for each in results if each.status is not Status.SUCCESS]
    assert wrong == []
    assert len(results) > 60


def test_as_entra_id_does_it(directory: Server, scim: httpx.Client) -> None:
    found = scim.get("/Users", params={"filter": 'userName eq "Ada@contoso.example"'}).json()
    assert found["totalResults"] == 0
    made = scim.post(
        "/Users",
        json={
            "schemas": [USER, ENTERPRISE],
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": "Ada@contoso.example",
            "active": True,
            "displayName": "Ada L",
            "emails": [{"primary": True, "type": "work", "value": "ada@contoso.example"}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Ada L", "familyName": "L", "givenName": "Ada"},
            "roles": [],
            ENTERPRISE: {"department": "Research", "employeeNumber": "7"},
        },
    )
    assert made.status_code == 201, made.text
    user_id = made.json()["id"]
    assert made.headers["etag"] == made.json()["meta"]["version"]
    again = scim.post("/Users", json={"schemas": [USER], "userName": "ada@CONTOSO.example"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    patch(
        scim, f"/Users/{user_id}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "a@contoso.example"},
        {"op": "Replace", "path": "name.familyName", "value": "Lovelace"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Engines"},
        {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "1"},
        {"op": "Replace", "path": "displayName", "value": "Ada Lovelace"},
    )  # fmt: skip
    seen = scim.get(f"/Users/{user_id}").json()
    assert seen["displayName"] == "Ada Lovelace"
    assert seen["emails"][0]["value"] == "a@contoso.example"
    group = scim.post(
        "/Groups",
        json={
            "schemas": [
                GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
            ],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "ML Researchers",
            "meta": {"resourceType": "Group"},
        },
    ).json()  # fmt: skip
    member = {"$ref": None, "value": user_id}
    patch(scim, f"/Groups/{group['id']}", {"op": "Add", "path": "members", "value": [member]})
    client = directory.client()
    client.users.create("boss", password="correct-horse-battery")
    client.projects.create("vision", team="vision")
    answer = directory.http().post(
        f"{API}/bindings",
        json={"subject_kind": "group", "subject": "ml-researchers", "role": "developer",
              "level": "project", "target": "vision"},
    )  # fmt: skip
    assert answer.status_code in (200, 201), answer.text
    asked = {"filter": f'id eq "{group["id"]}" and members eq "{user_id}"'}
    assert scim.get("/Groups", params=asked).json()["totalResults"] == 1
    lean = scim.get(f"/Groups/{group['id']}", params={"excludedAttributes": "members"}).json()
    assert "members" not in lean
    patch(scim, f"/Groups/{group['id']}", {"op": "Remove", "path": "members", "value": [member]})
    assert scim.get("/Groups", params=asked).json()["totalResults"] == 0
    patch(scim, f"/Users/{user_id}", {"op": "Replace", "path": "active", "value": "False"})
    assert scim.get(f"/Users/{user_id}").json()["active"] is False
    assert scim.delete(f"/Users/{user_id}").status_code == 204
    assert scim.get(f"/Users/{user_id}").status_code == 404
    assert scim.delete(f"/Groups/{group['id']}").status_code == 204


def test_as_okta_does_it(directory: Server, scim: httpx.Client) -> None:
    asked = {"filter": 'userName eq "bob@example.org"', "startIndex": "1", "count": "100"}
    assert scim.get("/Users", params=asked).json()["Resources"] == []
    body = {
        "schemas": [USER],
        "userName": "bob@example.org",
        "name": {"givenName": "Bob", "familyName": "B"},
        "emails": [{"primary": True, "value": "bob@example.org", "type": "work"}],
        "displayName": "Bob B",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    made = scim.post("/Users", json=body).json()
    assert "password" not in made
    change = {**body, "id": made["id"], "displayName": "Robert B", "meta": made["meta"]}
    answer = scim.put(f"/Users/{made['id']}", json=change)
    assert (answer.status_code, answer.json()["displayName"]) == (200, "Robert B")
    group = scim.post(
        "/Groups", json={"schemas": [GROUP], "displayName": "Everyone", "members": []}
    ).json()
    member = {"value": made["id"], "display": "bob@example.org"}
    path = f"/Groups/{group['id']}"
    patch(scim, path, {"op": "replace", "value": {"id": group["id"], "displayName": "All"}})
    patch(scim, path, {"op": "add", "path": "members", "value": [member]})
    assert [each["value"] for each in scim.get(path).json()["members"]] == [made["id"]]
    patch(scim, path, {"op": "remove", "path": f'members[value eq "{made["id"]}"]'})
    assert "members" not in scim.get(path).json()
    patch(scim, path, {"op": "replace", "path": "members", "value": [member]})
    patch(scim, f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}})
    assert scim.get(f"/Users/{made['id']}").json()["active"] is False
    told = directory.told("scim", "status")
    assert (told["users"], told["groups"]) >= (1, 1)
    assert [each["account"] for each in told["tokens"]] == ["scim"]
    states = {each["told_name"]: each["state"] for each in told["newest"]}
    assert states[made["userName"]] == "disabled"
    assert scim.delete(f"/Users/{made['id']}").status_code == 204
    newest = directory.client().directory.show().newest[0]
    assert (newest.kind, newest.told_name) == ("person", made["userName"])
    assert newest.state == "deleted"


def test_only_the_token_of_a_directory_counts(directory: Server, scim: httpx.Client) -> None:
    url = f"{directory.url}/scim/v2"
    with plain_http(url, {}) as nobody:
        assert nobody.get("/Users").status_code == 401
        assert nobody.get("/Users", headers={"Cookie": "podium_session=x"}).status_code == 401
    person = directory.person("someone", leads="someones")
    with plain_http(url, {"Authorization": f"Bearer {person}"}) as someone:
        refused = someone.post("/Users", json={"schemas": [USER], "userName": "x@example.org"})
        assert refused.status_code == 403
        assert refused.headers["content-type"].startswith("application/scim+json")
    bearer = scim.headers["authorization"]
    for path in ("/users", "/audit", "/secrets/keys", "/directory"):
        answer = directory.anonymous.get(API + path, headers={"Authorization": bearer})
        assert answer.status_code in (403, 404), path


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Users", "{", 400), ("POST", "/Users", "[]", 400), ("POST", "/Users", "{}", 400),
        ("POST", "/Users", {"schemas": [USER], "userName": "a\u0000b"}, 400),
        ("POST", "/Users", {"schemas": [USER], "userName": " "}, 400),
        ("POST", "/Users", {"schemas": [USER], "userName": "x" * 301}, 400),
        ("POST", "/Users", {"schemas": [USER], "userName": "ada@x", "active": "perhaps"}, 400),
        ("POST", "/Groups", {"schemas": [GROUP], "displayName": "G",
                             "members": [{"value": "u-nobody"}]}, 400),
        ("PATCH", "/Users/u-nobody", {"schemas": [PATCH], "Operations": []}, 400),
        ("DELETE", "/Users/u-nobody", None, 404), ("GET", "/Groups/../Users/x", None, 404),
        ("POST", "/Bulk", {}, 501), ("GET", "/Me", None, 501), ("PUT", "/Users", {}, 405),
        ("GET", "/Users?filter=userName eq", None, 400),
        ("GET", "/Users?filter=" + "(" * 500 + "a pr" + ")" * 500, None, 400),
        ("GET", "/Users?count=-1&startIndex=-5", None, 200),
        ("GET", "/Users?count=x", None, 400),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_as_scim_tells_it(
    scim: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    content = body if isinstance(body, str) else None
    answer = scim.request(method, path, content=content, json=None if content else body)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["content-type"].startswith("application/scim+json")
        assert answer.json()["detail"]
