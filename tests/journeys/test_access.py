"""People, groups, roles, service accounts and tokens over the command line and the SDK, as an
administrator and a lead use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from journeys.serving import API, PASSWORD, Server
from podium.domain.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    UserError,
)


@pytest.fixture(scope="module")
def house(make_server: Callable[..., Server]) -> Server:
    server = make_server("access", options=("--virtual-gpus", "1"))
    root = server.client()
    for name in ("ada", "grace", "hugo"):
        root.users.create(name, password=PASSWORD)
    root.teams.create("research", cost_centre="cc-1")
    root.projects.create("vision", team="research")
    root.projects.create("speech", team="research")
    root.projects.set_member("vision", "grace", "lead")
    return server


def listed(house: Server, *words: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = house.told(*words)["items"]
    return items


def test_a_group_lets_people_in_and_out(house: Server) -> None:
    house.command("group", "create", "scientists")
    house.command("group", "add", "scientists", "ada", "hugo")
    house.command("binding", "give", "developer", "--group", "scientists", "--project", "vision")
    (through,) = [
        each["paths"]
        for each in listed(house, "access", "who", "workload:submit", "--project", "vision")
        if each["username"] == "ada"
    ]
    assert [(each["role"], each["group"]) for each in through] == [("developer", "scientists")]
    told = house.command("access", "who", "workload:submit", "--project", "vision").stdout
    assert "developer of project vision, through the group scientists" in " ".join(told.split())
    ada = house.client(house.sign_in("ada", PASSWORD), project="vision")
    assert [each.name for each in ada.projects.list()] == ["vision"]
    house.command("group", "take-out", "scientists", "ada")
    assert list(ada.projects.list()) == []
    with pytest.raises(ForbiddenError, match="no role yet"):
        ada.nodes.get("any")
    assert house.told("user", "show", "hugo")["groups"] == [
        {"name": "scientists", "source": "local"}
    ]
    house.command("group", "rm", "scientists")
    assert house.told("access", "of", "hugo")["paths"] == []


def test_a_role_of_ones_own(house: Server) -> None:
    made = house.told(
        "role", "set", "log-reader", "--action", "log:read", "--action", "workload:read"
    )
    assert made["actions"] == ["log:read", "node:read", "project:read", "workload:read"]
    house.command("binding", "give", "log-reader", "--user", "hugo", "--team", "research")
    hugo = house.client(house.sign_in("hugo", PASSWORD), project="speech")
    assert {each.name for each in hugo.projects.list()} == {"vision", "speech"}
    with pytest.raises(ForbiddenError):
        hugo.workloads.submit({"name": "no", "command": ["true"]})
    assert house.command("role", "rm", "log-reader", code=None).returncode != 0
    (binding,) = listed(house, "binding", "ls", "--role", "log-reader")
    house.command("binding", "take", binding["id"])
    house.command("role", "rm", "log-reader")
    assert "log-reader" not in {each["name"] for each in listed(house, "role", "ls")}
    assert len(listed(house, "role", "actions")) > 30


def test_people_are_changed_disabled_and_not_removed(house: Server) -> None:
    house.client().users.create("eva", password=PASSWORD)
    house.command("user", "rm", "eva")
    house.client().users.create("eva", password=PASSWORD)
    shown = house.told(
        "user", "set", "eva", "--name", "Eva Braun-Meyer", "--email", "eva@example.com"
    )
    assert (shown["display_name"], shown["email"]) == ("Eva Braun-Meyer", "eva@example.com")
    assert [each["username"] for each in listed(house, "user", "ls", "braun")] == ["eva"]
    eva = house.client(house.sign_in("eva", PASSWORD))
    token = house.client(eva.tokens.create("mine").token)
    house.command("user", "disable", "eva")
    for client in (eva, token):
        with pytest.raises(UnauthenticatedError):
            client.auth.me()
    assert (
        house.http(None)
        .post(f"{API}/auth/login", json={"username": "eva", "password": PASSWORD})
        .status_code
        == 401
    )
    assert [each["username"] for each in listed(house, "user", "ls", "--disabled")] == ["eva"]
    house.command("user", "enable", "eva")
    refused = house.command("user", "rm", "eva", code=None)
    assert "podium user disable eva" in " ".join((refused.stdout + refused.stderr).split())
    one_time = house.told("user", "reset-password", "eva")["one_time_password"]
    eva = house.client(house.sign_in("eva", one_time))
    assert eva.auth.me().must_change_password
    assert house.told("user", "sign-out", "eva", "--tokens")["ended"] == 1
    with pytest.raises(UnauthenticatedError):
        eva.auth.me()


def test_the_last_administrator_stays(house: Server) -> None:
    root = house.client()
    with pytest.raises(ConflictError, match="Nobody would be left"):
        root.users.change("admin", disabled=True)
    (binding,) = root.access.bindings(role="administrator")
    with pytest.raises(ConflictError, match="Nobody would be left"):
        root.access.take(binding.id)


def test_a_lead_has_a_service_account_of_their_project(house: Server) -> None:
    lead = house.client(house.sign_in("grace", PASSWORD), project="vision")
    lead.accounts.create("ci-bot", project="vision", display_name="Nightly")
    lead.access.give("developer", "ci-bot", level="project", target="vision")
    with pytest.raises(NotFoundError):
        lead.accounts.create("other-bot", project="speech")
    with pytest.raises(ForbiddenError):
        lead.accounts.create("other-bot")
    with pytest.raises(UserError, match="project vision"):
        house.client().access.give("viewer", "ci-bot", level="project", target="speech")
    with pytest.raises(UserError, match="366"):
        lead.accounts.create_token("ci-bot", "long", expires_in_days=400)
    made = lead.accounts.create_token(
        "ci-bot", "nightly", expires_in_days=5, actions=["workload:read"]
    )
    bot = house.client(made.token, project="vision")
    assert bot.auth.me().kind == "service"
    assert list(bot.workloads.list()) == []
    with pytest.raises(ForbiddenError):
        bot.workloads.submit({"name": "no", "command": ["true"]})
    (token,) = lead.accounts.tokens("ci-bot")
    assert (token.created_by, token.actions) == ("grace", ["workload:read"])
    assert token.last_used_at is not None
    lead.accounts.change("ci-bot", disabled=True)
    with pytest.raises(UnauthenticatedError):
        bot.auth.me()
    lead.accounts.change("ci-bot", disabled=False)
    assert bot.auth.me().username == "ci-bot"
    lead.accounts.revoke_token("ci-bot", made.id)
    with pytest.raises(UnauthenticatedError):
        bot.auth.me()
    assert [each.name for each in lead.accounts.list()] == ["ci-bot"]
    assert house.http(None).post(
        f"{API}/auth/login", json={"username": "ci-bot", "password": ""}
    ).status_code in (401, 422)


def test_a_lead_makes_no_token_for_more_than_they_may(house: Server) -> None:
    root = house.client()
    lead = house.client(house.sign_in("grace", PASSWORD), project="vision")
    lead.accounts.create("strong-bot", project="vision")
    root.access.set_role("pricer", ["price:set"])
    root.access.give("pricer", "strong-bot", level="project", target="vision")
    with pytest.raises(ForbiddenError, match="price:set"):
        lead.accounts.create_token("strong-bot", "grab", expires_in_days=1)
    narrow = lead.accounts.create_token(
        "strong-bot", "narrow", expires_in_days=1, actions=["project:read"]
    )
    assert house.client(narrow.token).auth.me().projects == {
        "vision": ["node:read", "project:read"]
    }


def test_a_narrow_token_stays_narrow(house: Server) -> None:
    made = house.told("token", "create", "reader", "--action", "workload:read", "--days", "9")
    narrow = house.client(made["token"])
    assert narrow.auth.me().everywhere == ["node:read", "project:read", "workload:read"]
    child = narrow.tokens.create("child", expires_in_days=2)
    assert child.actions == ["workload:read"]
    refusals: tuple[tuple[Callable[[], Any], type[Exception]], ...] = (
        (lambda: narrow.tokens.create("wide", expires_in_days=2, actions=["user:read"]), UserError),
        (lambda: narrow.tokens.create("long", expires_in_days=30), UserError),
        (lambda: narrow.tokens.create("ever", expires_in_days=None), UserError),
        (lambda: narrow.tokens.create("of", expires_in_days=2, projects=["nowhere"]), UserError),
        (lambda: narrow.auth.set_password(PASSWORD, "another-good-word-77"), ForbiddenError),
        (lambda: narrow.tokens.revoke(child.id), ForbiddenError),
        (lambda: narrow.users.create("mallory"), ForbiddenError),
    )
    for ask, kind in refusals:
        with pytest.raises(kind):
            ask()
    narrow.tokens.revoke(made["id"])
    with pytest.raises(UnauthenticatedError):
        narrow.auth.me()
    with pytest.raises(UnauthenticatedError):
        house.client(child.token).auth.me()  # what was made with a token ends with it


def test_cost_centres_and_what_a_lead_sees_of_bindings(house: Server) -> None:
    assert house.told("team", "set", "research", "--cost-centre", "cc-2")["cost_centre"] == "cc-2"
    assert house.told("project", "set", "vision", "--cost-centre", "cc-3")["cost_centre"] == "cc-3"
    lead = house.client(house.sign_in("grace", PASSWORD), project="vision")
    assert [(each.name, each.cost_centre) for each in lead.teams.list()] == [("research", "cc-2")]
    with pytest.raises(ForbiddenError):
        lead.projects.change("vision", cost_centre="mine")
    assert {(each.level, each.target) for each in lead.access.bindings()} == {("project", "vision")}
    assert list(lead.access.bindings(level="organisation")) == []
    assert {each.username for each in lead.access.who("binding:set", project="vision")} == {
        "admin", "grace",
    }  # fmt: skip
    with pytest.raises(NotFoundError):
        list(lead.access.who("binding:set", project="speech"))
    with pytest.raises(NotFoundError):
        lead.users.access("admin")


def test_commands_show_what_there_is(house: Server) -> None:
    for words, expected in (
        (("user", "ls"), r"admin .* local +yes"),
        (("user", "show", "grace"), r"lead +project vision"),
        (("team", "ls"), r"research +cc-"),
        (("role", "show", "viewer"), r"log:read +Read what work writes"),
        (("binding", "ls", "--project", "vision"), r"grace +lead +project vision"),
        (("access", "of", "grace"), r"project vision +.*binding:set"),
        (("account", "ls", "--project", "vision"), r"ci-bot +project vision +developer"),
        (("account", "show", "ci-bot"), r"Nightly"),
        (("token", "ls"), r"NAME +MAY"),
        (("group", "ls"), r"GROUP"),
    ):
        shown = house.command(*words).stdout
        assert re.search(expected, shown), (words, shown)


def test_projects_move_and_are_archived(house: Server) -> None:
    root = house.client()
    root.teams.create("attic")
    root.projects.create("old", team="research")
    root.projects.set_member("old", "grace", "lead")
    root.secrets.set("old", "KEY", "v")
    assert house.told("project", "move", "old", "--team", "attic")["team"] == "attic"
    refused = house.command("project", "delete", "old", code=None)
    words = " ".join((refused.stdout + refused.stderr).split())
    assert "1 secret (KEY)" in words
    assert "podium project delete old --force" in words
    ended = house.told("project", "delete", "old", "--force")
    assert (ended["secrets"], ended["roles"]) == (["KEY"], 1)
    assert house.command("project", "delete", "old").stdout.strip() == "old is archived."
    assert "old" not in {each["name"] for each in listed(house, "project", "ls")}
    assert [each["name"] for each in listed(house, "project", "ls", "--archived")] == ["old"]
    assert "There was a project old" in house.command(
        "project", "create", "old", "--team", "attic", code=None
    ).stderr.replace("\n", " ")
    house.command("team", "delete", "attic")
    assert [each["name"] for each in listed(house, "team", "ls", "--archived")] == ["attic"]
    assert house.command("project", "restore", "old", code=None).returncode != 0
    house.told("team", "restore", "attic")
    assert house.told("project", "restore", "old")["archived_at"] is None
    told = {each.action for each in root.audit.list(subject="old")}
    assert {"project:create", "project:change", "project:archive"} <= told


def test_tokens_of_others_and_people_by_name(house: Server) -> None:
    house.client().users.create("rosalind", password=PASSWORD, display_name="Rosa Franklin")
    rosa = house.client(house.sign_in("rosalind", PASSWORD))
    made = rosa.tokens.create("mine")
    shown = listed(house, "token", "ls", "--user", "rosalind")
    assert {each["name"] for each in shown} == {"sign-in", "mine"}
    house.command("token", "revoke", made.id, "--user", "rosalind")
    assert {each.name for each in house.client().users.tokens("rosalind")} == {"sign-in"}
    lead = house.client(house.sign_in("grace", PASSWORD), project="vision")
    assert [each.username for each in lead.access.people("frank")] == ["rosalind"]
    for ask in (lambda: rosa.access.people("grace"), lambda: list(lead.users.tokens("rosalind"))):
        with pytest.raises(ForbiddenError):
            ask()
    with pytest.raises(UserError):
        lead.access.people("f")
