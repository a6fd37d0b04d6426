"""The roles as a table, and how rights add up, narrow and compare."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.rights import (
    BUILT_IN_ROLES,
    GRANTED_WITH_ANY,
    SENTENCES,
    Action,
    Binding,
    Level,
    Rights,
    Role,
    SubjectKind,
    rights_of,
)

# One line an action: administrator, operator, lead, developer, viewer, auditor,
# provisioner.
TABLE = """
    workload:read      a o l d v u .
    workload:submit    a . l d . . .
    workload:control   a o l d . . .
    log:read           a o l d v . .
    secret:read        a . l d . u .
    secret:write       a . l d . . .
    secret:rotate      a . . . . . .
    project:read       a o l d v u p
    project:create     a . . . . . .
    project:change     a . . . . . .
    project:archive    a . . . . . .
    binding:read       a . l . . u .
    binding:set        a . l . . . .
    role:set           a . . . . . .
    account:manage     a . l . . . .
    user:read          a . . . . u .
    user:administer    a . . . . . .
    provider:set       a . . . . . .
    usage:read         a o l d v u .
    node:read          a o l d v u p
    node:control       a o . . . . .
    node:release       a o . . . . .
    cluster:manage     a . . . . . .
    price:set          a . . . . . .
    quota:set          a . . . . . .
    budget:set         a . l . . . .
    policy:set         a o . . . . .
    booking:set        a o . . . . .
    pool:set           a o . . . . .
    layout:set         a o . . . . .
    scheduler:read     a o . . . u .
    cycle:export       a o . . . . .
    data:view          a . l d v u .
    data:administer    a . l . . . .
    data:grant         a . l . . . .
    audit:read         a . l . . u .
    audit:export       a . . . . u .
    audit:administer   a . . . . . .
    directory:write    a . . . . . p
"""
COLUMNS = {
    "administrator": "a",
    "operator": "o",
    "lead": "l",
    "developer": "d",
    "viewer": "v",
    "auditor": "u",
    "provisioner": "p",
}
ROWS = {line.split()[0]: line.split()[1:] for line in TABLE.strip().splitlines()}


def test_the_table_is_whole() -> None:
    assert set(ROWS) == {each.value for each in Action}
    assert list(COLUMNS) == list(BUILT_IN_ROLES)
    for action, marks in ROWS.items():
        assert len(marks) == len(COLUMNS), action


@pytest.mark.parametrize("role", COLUMNS)
def test_a_role_includes_what_the_table_says(role: str) -> None:
    mark = COLUMNS[role]
    assert {each.value for each in BUILT_IN_ROLES[role].actions} == {
        action for action, marks in ROWS.items() if mark in marks
    }


def test_every_action_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Action)
    for sentence in SENTENCES.values():
        assert sentence.endswith(".")
        assert sentence[0].isupper()


ACTIONS = st.frozensets(st.sampled_from(list(Action)), max_size=4)
ROLES = st.fixed_dictionaries({"r0": ACTIONS, "r1": ACTIONS})
PLACES = st.sampled_from(
    [
        (Level.ORGANISATION, ""),
        (Level.TEAM, "red"),
        (Level.TEAM, "blue"),
        *((Level.PROJECT, name) for name in ("red-1", "red-2", "blue-1")),
    ]
)
TEAMS = {"red": ["red-1", "red-2"], "blue": ["blue-1"]}
GIVEN = st.lists(st.tuples(st.sampled_from(["r0", "r1", "gone"]), PLACES), max_size=5)


def rights(
    roles: dict[str, frozenset[Action]], given_: list[tuple[str, tuple[Level, str]]]
) -> Rights:
    bindings = [
        Binding(
            id=f"b-{number}",
            subject_kind=SubjectKind.USER,
            subject="ada",
            role=role,
            level=level,
            target=target,
            created_at_ms=0,
            created_by="root",
        )
        for number, (role, (level, target)) in enumerate(given_)
    ]
    known = {name: Role(name=name, description="", actions=held) for name, held in roles.items()}
    return rights_of(bindings, known, TEAMS)


@given(roles=ROLES, given_=GIVEN)
def test_rights_are_what_the_bindings_give_and_no_more(
    roles: dict[str, frozenset[Action]], given_: list[tuple[str, tuple[Level, str]]]
) -> None:
    held = rights(roles, given_)
    for team, projects in TEAMS.items():
        for project in projects:
            reaching = {(Level.ORGANISATION, ""), (Level.TEAM, team), (Level.PROJECT, project)}
            expected = {
                action
                for role, place in given_
                if place in reaching and role in roles
                for action in roles[role] | GRANTED_WITH_ANY
            }
            assert held.at(Level.PROJECT, project) == expected
            for action in Action:
                assert held.allow(action, project=project) == (action in expected)


@given(roles=ROLES, one=GIVEN, other=GIVEN)
def test_what_one_lacks_of_another(
    roles: dict[str, frozenset[Action]],
    one: list[tuple[str, tuple[Level, str]]],
    other: list[tuple[str, tuple[Level, str]]],
) -> None:
    mine, theirs = rights(roles, one), rights(roles, other)
    lacking = mine.lacks(theirs)
    places = [
        (Level.ORGANISATION, ""),
        *((Level.TEAM, each) for each in TEAMS),
        *((Level.PROJECT, each) for team in TEAMS.values() for each in team),
    ]
    assert lacking == {action for place in places for action in theirs.at(*place) - mine.at(*place)}
    assert not rights(roles, [*one, *other]).lacks(theirs)


@given(
    roles=ROLES,
    given_=GIVEN,
    actions=st.none() | ACTIONS,
    projects=st.none() | st.frozensets(st.sampled_from(["red-1", "blue-1", "none-such"])),
)
def test_a_narrowed_token_has_no_more_and_nothing_elsewhere(
    roles: dict[str, frozenset[Action]],
    given_: list[tuple[str, tuple[Level, str]]],
    actions: frozenset[Action] | None,
    projects: frozenset[str] | None,
) -> None:
    held = rights(roles, given_)
    narrow = held.limited(actions, projects)
    assert not held.lacks(narrow)
    assert narrow.limited(actions, projects) == narrow
    if actions is not None:
        for held_there in (narrow.everywhere, *narrow.teams.values(), *narrow.projects.values()):
            assert held_there <= actions | GRANTED_WITH_ANY
    if projects is not None:
        assert not narrow.everywhere
        assert not narrow.teams
        assert set(narrow.projects) <= projects


def test_the_guide_has_the_same_table() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "access.md").read_text()
    rows = [
        f"| `{action}` | {SENTENCES[action]} | "
        + " | ".join("✓" if action in role.actions else " " for role in BUILT_IN_ROLES.values())
        + " |"
        for action in Action
    ]
    names = " | ".join(BUILT_IN_ROLES)
    head = [f"| action | about | {names} |", "| --- | --- |" + " :-: |" * len(BUILT_IN_ROLES)]
    shown = guide.partition("<!-- roles:")[2].partition("-->\n")[2].partition("<!-- /roles")[0]
    assert shown.splitlines() == head + rows
