"""`set`, `clone`, `cancel` by filter, `ls --sort` and `view`, against given documents."""

from __future__ import annotations

from typing import Any

import pytest

OTHER = "w-01k2x5e8g7h3m9q0"
ACTED = {"done": 2, "unchanged": 1, "faults": [], "fault_count": 0}


def test_set_sends_what_was_given(server: Any, podium: Any, make: Any) -> None:
    after = make.workload(priority=75, max_runtime_seconds=14_400)
    server.on("PATCH", f"/workloads/{make.ID}", after)
    shown = podium("set", make.ID, "--priority", "high", "--max-runtime", "4h")
    assert shown.out == (f"digits ({make.ID}): priority 75, time limit 4 h, deadline none\n"), (
        shown.err
    )
    assert server.asked[-1].document == {"priority": 75, "max_runtime": "4h"}
    shown = podium("set", make.ID, "--deadline", "none", "--priority", "7", "--json")
    assert shown.document["id"] == make.ID
    assert server.asked[-1].document == {"priority": 7, "deadline": "none"}


def test_set_needs_something_and_something_right(server: Any, podium: Any, make: Any) -> None:
    assert podium("set", make.ID).code == 2
    wrong = podium("set", make.ID, "--priority", "hihg")
    assert (wrong.code, "priority" in wrong.err, "'high'" in wrong.err) == (1, True, True)
    assert podium("set", "--priority", "1").code == 2
    assert podium("set", make.ID, "--state", "queued", "--priority", "1").code == 2
    assert not server.asked
    server.problem("PATCH", f"/workloads/{make.ID}", 409, "conflict")
    ended = podium("set", make.ID, "--priority", "1")
    assert (ended.code, "Words." in ended.err) == (1, True)


def test_set_by_filter(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", "/workloads", make.page(make.workload()))
    server.on("POST", "/workloads/actions", ACTED)
    refused = podium("set", "--label", "a=b", "--priority", "80")
    assert (refused.code, "--yes" in refused.err) == (1, True)
    shown = podium("set", "--label", "a=b", "-p", "vision", "--priority", "80", "--yes")
    assert (shown.code, shown.out) == (0, "2 workloads changed, 1 left as they were.\n")
    sent = server.asked[-1].document
    assert (sent["action"], sent["change"]) == ("change", {"priority": 80})
    assert (sent["selection"]["label"], sent["selection"]["project"]) == (["a=b"], ["vision"])
    assert "failed" not in sent["selection"]["state"]


def test_cancel_by_filter(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", "/workloads", make.page(make.workload()))
    fault = {"id": OTHER, "detail": "Not allowed."}
    server.on("POST", "/workloads/actions", {**ACTED, "faults": [fault], "fault_count": 1})
    shown = podium("cancel", "--state", "queued", "--reason", "wrong", "--yes")
    assert (shown.code, shown.out) == (1, "2 workloads cancelled, 1 left as they were.\n")
    assert f"{OTHER}: Not allowed." in shown.err
    sent = server.asked[-1].document
    assert (sent["reason"], sent["selection"]["state"]) == ("wrong", ["queued"])
    assert podium("cancel", "--state", "queued", "--yes", "--json").document["done"] == 2
    nothing = podium("cancel", "--state", "failed", "--yes")
    assert (nothing.code, "Nothing that lives" in nothing.err) == (1, True)
    assert podium("cancel").code == 2
    assert podium("cancel", "--project", "vision", "--yes").code == 2, "not by accident"
    assert podium("cancel", "--all", "--project", "vision", "--yes").out.startswith("2 workloads")
    assert podium("cancel", make.ID, "--state", "queued").code == 2


def test_clone_sends_the_submitted_spec_again(server: Any, podium: Any, make: Any) -> None:
    spec = {"name": "digits", "command": "true", "env": {"EPOCHS": 3}, "deadline": "2h"}
    server.on("GET", f"/workloads/{make.ID}", make.detail(submitted_spec=spec))
    made = {"id": OTHER, "name": "digits", "project": "vision", "state": "queued"}
    server.on("POST", "/workloads", (201, made))
    shown = podium("clone", make.ID)
    assert shown.out == f"{OTHER}  digits  queued in vision\n", shown.err
    assert server.asked[-1].document == {**spec, "project": "vision"}
    podium(
        "clone", make.ID, "--name", "again", "--priority", "80",
        "--set", "env.EPOCHS=9", "--set", "deadline=null", "--json",
    )  # fmt: skip
    assert server.asked[-1].document == {
        "name": "again",
        "command": "true",
        "env": {"EPOCHS": 9},
        "project": "vision",
        "priority": 80,
    }


@pytest.mark.parametrize(
    ("options", "order", "first"),
    [
        ((), ("submitted", "down"), "b"),
        (("--sort", "priority"), ("priority", "down"), "a"),
        (("--sort", "priority", "--reverse"), ("priority", "up"), "b"),
        (("--sort", "name"), ("name", "up"), "a"),
        (("--sort", "ended"), ("ended", "down"), "c"),
    ],
)
def test_ls_in_any_order(
    server: Any, podium: Any, make: Any, options: Any, order: Any, first: str
) -> None:
    living = [
        make.workload(id="w-0000000000000001", name="a", priority=90),
        make.workload(id="w-0000000000000002", name="b", priority=10, submitted_at=make.at(30)),
    ]
    ended = make.workload(
        id="w-0000000000000003", name="c", priority=50, state="failed", ended_at=make.at(9)
    )
    server.on(
        "GET",
        "/workloads",
        lambda asked: make.page(*([ended] if "ended_since" in asked.query else living)),
    )
    shown = podium("ls", *options, "--json")
    assert shown.document["items"][0]["name"] == first
    assert len(shown.document["items"]) == 3
    query = server.asked[0].query
    assert (query["sort"], query["order"]) == ([order[0]], [order[1]])
    assert podium("ls", "--sort", "colour").code == 1


def test_views_are_kept_and_forgotten(server: Any, podium: Any, make: Any) -> None:
    view = {"page": "nodes", "name": "My own", "search": "a=b", "updated_at": make.at()}
    server.on("GET", "/views", {"items": [view]})
    server.on("PUT", "/views/nodes/My%20own", view)
    server.on("DELETE", "/views/nodes/My%20own", (204, ""))
    assert "My own" in podium("view", "ls", "nodes").out
    assert server.asked[-1].query == {"page": ["nodes"]}
    assert podium("view", "ls", "--json").document["items"][0]["search"] == "a=b"
    assert podium("view", "save", "nodes", "My own", "a=b").code == 0
    assert server.asked[-1].document == {"search": "a=b"}
    assert podium("view", "rm", "nodes", "My own").code == 0


def test_completion_knows_every_order() -> None:
    from podium.cli import completion, listing
    from podium.spec.views.workload import WorkloadSort

    assert list(completion.SORTS) == [sort.value for sort in WorkloadSort]
    assert list(listing._VALUES) == list(completion.SORTS)
    assert completion.sorts("st") == ["state", "started"]
