"""Quotas on a real server: an administrator sets them, others see their own part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from journeys.serving import API, Server, until
from podium.client.client import Client
from podium.domain.errors import ForbiddenError, NotFoundError, UserError
from podium.spec.views.quota import QuotaAmounts


@pytest.fixture(scope="module")
def quota_server(make_server: Callable[..., Server]) -> Server:
    return make_server("quotas", options=("--virtual-gpus", "4"))


@pytest.fixture
def root(quota_server: Server) -> Iterator[Client]:
    with quota_server.client() as client:
        yield client


def names(view: Any) -> list[tuple[str, str]]:
    return [(each.level.value, each.name) for each in view.items]


def test_a_day_in_short(quota_server: Server, root: Client) -> None:
    ada = quota_server.person("quota-ada", leads="vision")
    bob = quota_server.person("quota-bob", leads="speech")
    team = {each.name: each.team for each in root.projects.list()}
    told = quota_server.command(
        "quota", "set", "team", team["vision"], "--guarantee", "a100=2", "--limit", "all=3",
        "--weight", "2",
    )  # fmt: skip
    assert "is guaranteed 2 A100" in told.stdout
    root.quotas.set("project", "speech", gpus={"A100": QuotaAmounts(guarantee_milli=500)})
    made = quota_server.client(ada, project="vision").workloads.submit(
        {"name": "held", "command": ["sleep", "60"], "resources": {"gpus": 1}}
    )
    client = quota_server.client(ada)
    until(lambda: client.workloads.get(made.id).state == "running", "it runs")
    mine = client.quotas.tree()
    assert names(mine)[0] == ("organisation", "organisation")
    assert ("project", "vision") in names(mine)
    assert "speech" not in [name for _, name in names(mine)]
    whole, vision = mine.items[0].gpus[0], mine.items[-1].gpus[0]
    assert (whole.used_milli, vision.used_milli, vision.borrowed_milli) == (1000, 1000, 0)
    assert [each.gpu_milli for each in mine.capacity] == [4000]
    theirs = quota_server.client(bob).quotas.tree()
    assert "vision" not in [name for _, name in names(theirs)]
    assert theirs.items[0].gpus[0].used_milli == 1000
    everything = root.quotas.tree()
    assert {"vision", "speech"} <= {name for _, name in names(everything)}
    with pytest.raises(ForbiddenError):
        client.quotas.set("project", "vision", weight=9)
    assert "A100" in quota_server.command("quota", "show", "vision").stdout
    quota_server.command("quota", "remove", "project", "speech")
    with pytest.raises(NotFoundError, match="No quota is set"):
        root.quotas.remove("project", "speech")
    root.workloads.cancel(made.id)


def test_the_same_again_changes_nothing(root: Client) -> None:
    gpus = {"A100": QuotaAmounts(limit_milli=4000), "all": QuotaAmounts(limit_milli=4000)}
    first = root.quotas.set("organisation", gpus=gpus)
    again = root.quotas.set("organisation", gpus=gpus)  # what others use may have changed
    for view in (first, again):
        assert view.weight == 1
        limits = {each.gpu_type: each.limit_milli for each in view.gpus}
        assert limits == {"all": 4000, "A100": 4000}
    root.quotas.remove("organisation")
    with pytest.raises(UserError, match="has the whole cluster"):
        root.quotas.set("organisation", gpus={"A100": QuotaAmounts(guarantee_milli=1)})


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("project/default", {"weight": -1}, 422, "weight"),
        ("project/default", {"weight": 1.5}, 422, "weight"),
        ("project/default", {"gpus": {"A100": {"limit_milli": -1}}}, 422, "gpus.A100.limit_milli"),
        (
            "project/default",
            {"gpus": {"B200": {"guarantee_milli": 1000}}},
            422,
            "gpus.B200.guarantee_milli",
        ),
        (
            "project/default",
            {"gpus": {"A100": {"guarantee_milli": 5000}}},
            422,
            "gpus.A100.guarantee_milli",
        ),
        ("group/default", {}, 422, "level"),
        ("project/nobody", {}, 404, None),
        ("organisation/default", {}, 404, None),
        ("team/%00", {}, 404, None),
        (f"team/{'x' * 64}", {}, 422, "name"),
    ],
)
def test_what_is_wrong_is_named(
    quota_server: Server, path: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = quota_server.http().put(f"{API}/quotas/{path}", json=body)
    assert answer.status_code == status, answer.text
    if field is not None:
        assert field in [fault["field"] for fault in answer.json()["faults"]]
