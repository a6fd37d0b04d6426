"""What is not one's to know of is looked for as what is not there: the same statements in the same
order, so that the time of an answer tells nothing, on any machine."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from journeys.asking import OPERATIONS, request_for
from podium.domain.quota import Quota, QuotaLevel
from podium.domain.rights import Level, SubjectKind
from podium.domain.tenancy import Identity, User
from podium.intake import accounts, bindings, groups, quotas, secrets, sign_in
from podium.intake.sign_in import SignIn
from podium.store import users
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.api.foretelling import BOB, Asking
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio

PREFIX = "/api/v1"
NOBODY = Identity(username="nemo", rights=person().rights.limited(None, frozenset()), token_id="t")
# Each thing that a path names, but for what is everyone's, and for streams, which do not end.
ABOUT = (
    "project", "team", "username", "group", "account", "binding_id", "token_id", "workload_id",
    "ref", "seq", "name", "cycle_id",
)  # fmt: skip
WALKED = sorted(
    label
    for label in OPERATIONS
    if label.partition(" ")[2].startswith(PREFIX)
    and set(re.findall(r"{(\w+)}", label)) & set(ABOUT)
    and not label.endswith("/stream")
    and not re.search("/(nodes|views|providers|oidc|forwards|device|prices)/", label)
)
FIXED = {"level": "project", "part": "training", "page": "workloads", "role": "viewer",
         "action": "workload:read", "index": "0"}  # fmt: skip


@pytest.fixture
async def asking(
    database: Database, clock: TurnedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Asking]:
    # Who asks is looked up every two seconds, whatever they ask for.
    monkeypatch.setattr(sign_in, "_CACHE_SECONDS", 3600.0)
    house = House(database, clock, tmp_path)
    await house.furnish(node())
    async with Asking.over(house) as made:
        yield made


async def things(house: House) -> dict[str, Any]:
    """One of each kind, all of them in or about the project `vision`."""
    office, way_in = house.office, SignIn(house.office)
    nobody = User(username=NOBODY.username, created_at_ms=1)
    await house.database.write(lambda tx: users.user_insert(tx, nobody, "no-hash"), quiet=True)
    await accounts.account_create(office, ADMINISTRATOR, name="bot", project="vision")
    token, _ = await accounts.account_token_create(
        office, way_in, ADMINISTRATOR, "bot", name="x", expires_in_days=3
    )
    await secrets.secret_set(office, ADMINISTRATOR, project="vision", name="KEY", value="v")
    await groups.group_create(office, ADMINISTRATOR, "scientists")
    given = await bindings.binding_create(
        office,
        way_in,
        ADMINISTRATOR,
        subject_kind=SubjectKind.GROUP,
        subject="scientists",
        role="viewer",
        level=Level.PROJECT,
        target="vision",
    )
    quota = Quota(level=QuotaLevel.PROJECT, name="vision", weight=3, guarantees=(), limits=())
    await quotas.quota_set(office, ADMINISTRATOR, quota)
    workload = await house.start(document("runs"))
    return {
        "project": "vision", "team": "research", "target": "vision", "username": "ada",
        "subject": "ada", "group": "scientists", "account": "bot", "binding_id": given.id,
        "token_id": token.id, "workload_id": workload, "ref": workload, "/secrets": "KEY",
        "/quotas/{level}": "vision", "/policies/{level}": "vision", "seq": "2", "cycle_id": "1",
        "q": "vision",
    }  # fmt: skip


def made_up(real: Mapping[str, Any]) -> dict[str, Any]:
    """Of the same kinds, and nobody's."""
    return {
        name: value[:-4] + "zzzz" if re.fullmatch(r"[a-z]-[0-9a-z]{16}", value) else "nichts"
        for name, value in real.items()
    } | {"/secrets": "NONE", "seq": "999999", "cycle_id": "999999"}


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that any database runs meanwhile, without its values."""
    found: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


async def run_for(
    asking: Asking, who: Identity, label: str, names: Mapping[str, Any]
) -> tuple[int, list[str]]:
    request = request_for(label, {**FIXED, **names})
    path = request["url"].removeprefix(PREFIX)
    query = "&".join(f"{name}={value}" for name, value in request["params"].items())
    await asking.ask("GET", "/auth/me", who=who)
    with statements() as found:
        answer = await asking.ask(
            request["method"], f"{path}?{query}", request.get("json"), who=who
        )
    return answer.status_code, found


async def test_what_is_others_and_what_is_not_there_run_alike(asking: Asking) -> None:
    real = await things(asking.house)
    not_there = made_up(real)
    assert len(WALKED) > 40
    differs: dict[str, Any] = {}
    refused = 0
    for who in (BOB, NOBODY):
        for label in WALKED:
            # Once before: what is read once and kept is not what is asked.
            for _ in range(2):
                there = await run_for(asking, who, label, real)
                nowhere = await run_for(asking, who, label, not_there)
            refused += there[0] in (403, 404)
            if there != nowhere:
                differs[f"{who.username}: {label}"] = there, nowhere
    assert differs == {}
    assert refused > len(WALKED)
