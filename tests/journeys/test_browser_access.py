"""Who is let in, by whom, and through what: from a stranger to their first job, and every page of
people and access in both schemes, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from journeys.browser import (
    LOOKS,
    SIGNED_OUT,
    Open,
    fill_sign_in,
    heading,
    panel,
    room,
    sign_in,
)
from journeys.serving import PASSWORD, Server

pytestmark = pytest.mark.browser

OUTSIDE = "Nobody has let you in yet"


@pytest.fixture(scope="module")
def peopled(make_server: Callable[..., Server]) -> Server:
    """A small organisation: teams, groups, roles of its own, a program, and secrets."""
    server = make_server("peopled", options=("--virtual-gpus", "2"))
    client = server.client_kept
    server.person("lena", leads="vision")
    server.person("nils")
    client.users.create("ana", password=PASSWORD, display_name="Ana Silva", email="ana@example.org")
    client.users.create("omar", password=PASSWORD, display_name="Omar Haddad")
    client.users.change("omar", disabled=True)
    client.teams.create("language", cost_centre="CC-2040")
    client.projects.create("translation", team="language")
    client.projects.create("speech", team="language", cost_centre="CC-2041")
    client.groups.create("linguists")
    client.groups.add("linguists", "ana")
    client.access.set_role("log-reader", ["log:read"], description="Reads logs and nothing else.")
    client.access.give("developer", "linguists", level="team", target="language", group=True)
    client.access.give("auditor", "ana", level="organisation")
    client.accounts.create("ci-bot", project="speech", display_name="Nightly evaluation")
    client.access.give("developer", "ci-bot", level="project", target="speech")
    client.accounts.create_token("ci-bot", "nightly", expires_in_days=30, actions=["workload:read"])
    client.secrets.set("speech", "HF_TOKEN", "hf_not_told")
    return server


def test_a_stranger_is_let_in_by_a_lead_and_runs_their_first_job(
    peopled: Server, window: Open
) -> None:
    with window(allowed=(SIGNED_OUT,)) as outside, window() as inside:
        stranger = outside.page
        stranger.goto(f"{peopled.url}/workloads")
        fill_sign_in(stranger, "nils")
        expect(heading(stranger, OUTSIDE)).to_be_visible()
        expect(stranger.get_by_text("signed in as nils")).to_be_visible()
        for path in ("/nodes", "/access/people", "/queue", "/access/places/projects/vision"):
            stranger.goto(f"{peopled.url}{path}")
            expect(heading(stranger, OUTSIDE)).to_be_visible()
            expect(stranger.locator("body")).not_to_contain_text("lena")
            expect(stranger.get_by_role("navigation")).to_have_count(0)
        stranger.goto(f"{peopled.url}/workloads")
        expect(heading(stranger, OUTSIDE)).to_be_visible()

        lead = sign_in(inside, peopled, "/", "lena")
        room(lead, "People and access")
        lead.get_by_role("link", name="vision", exact=True).last.click()
        lead.get_by_role("button", name="Let somebody in").click()
        form = lead.get_by_role("form", name="Give a role")
        form.get_by_label("Name").fill("nils")
        expect(form.get_by_label("Role")).to_have_value("developer")
        expect(form.get_by_label("Role")).not_to_contain_text("administrator")
        form.get_by_role("button", name="Give role").click()
        members = lead.get_by_role("table", name="Members of vision")
        expect(members).to_contain_text("nils")
        inside.seen("access-let-in")
        lead.get_by_role("link", name="Who can see work here?").click()
        expect(lead.get_by_role("table", name="Who can workload:read")).to_contain_text(
            re.compile("nils.*developer in project vision, by name")
        )

        look = stranger.get_by_role("button", name="Look again")
        if look.is_visible():
            look.click()
        expect(stranger.get_by_text("Run your first workload")).to_be_visible()
        stranger.get_by_role("button", name="Run hello-gpu now").click()
        expect(panel(stranger).get_by_role("log")).to_contain_text("Hello from")
        expect(panel(stranger)).to_contain_text("vision")


@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=[f"{s[0]}-{c}" for s, c in LOOKS])
def test_every_page_of_people_and_access(
    peopled: Server, window: Open, size: tuple[int, int], scheme: str
) -> None:
    def visit(page: Page, name: str, path: str, sight: str | re.Pattern[str]) -> None:
        page.goto(f"{peopled.url}/access{path}")
        expect(page.locator("body")).to_contain_text(sight)
        page.wait_for_timeout(250)
        opened.seen(f"access-{name}")

    with window(size, scheme=scheme) as opened:
        page = sign_in(opened, peopled, "/access")
        visit(page, "people", "/people", "Ana Silva")
        visit(page, "person-form", "/people?form=person", "Add a person")
        visit(page, "person", "/people/ana?form=role", "group linguists")
        visit(page, "groups", "/groups", "linguists")
        visit(page, "group", "/groups/linguists", "Ana Silva")
        visit(page, "places", "/places", "CC-2041")
        visit(page, "project-form", "/places?form=project", "Make project")
        visit(page, "project", "/places/projects/vision?form=role", "lena")
        visit(page, "team", "/places/teams/language", "translation")
        visit(page, "roles", "/roles?role=developer", "Submits and controls work")
        visit(page, "role-form", "/roles?form=new&role=log-reader", "Make role")
        visit(page, "bindings", "/bindings", "linguists")
        visit(page, "who", "/who?action=workload:submit&level=project&target=speech", "Ana Silva")
        visit(page, "accounts", "/accounts", "ci-bot")
        visit(page, "account", "/accounts/ci-bot?form=token", "nightly")
        visit(page, "secrets", "/secrets?target=speech", "HF_TOKEN")
        visit(page, "secret-form", "/secrets?target=speech&form=secret", "Sealed when")
        expect(page.locator("body")).not_to_contain_text("hf_not_told")
    peopled.client_kept.users.create(f"outsider-{size[0]}-{scheme}", password=PASSWORD)
    with window(size, scheme=scheme, allowed=(SIGNED_OUT,)) as opened:
        opened.page.goto(peopled.url)
        fill_sign_in(opened.page, f"outsider-{size[0]}-{scheme}")
        expect(heading(opened.page, OUTSIDE)).to_be_visible()
        opened.seen("access-outside")
