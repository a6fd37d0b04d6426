"""Workloads submitted together: faults say which one, and cycles are named."""

from __future__ import annotations

from typing import Any

import pytest

from podium.domain.errors import FieldFault, UserError
from podium.spec.workload import check_many

NOW_MS = 1_760_000_000_000


def document(name: str, *depends_on: str, **fields: Any) -> dict[str, object]:
    return {"name": name, "command": "true", "depends_on": list(depends_on), **fields}


def faults_of(*documents: dict[str, object]) -> tuple[FieldFault, ...]:
    with pytest.raises(UserError) as caught:
        check_many(list(documents), now_ms=NOW_MS, project="vision")
    return caught.value.faults


def test_order_is_kept() -> None:
    names = [f"job-{i}" for i in range(100)]
    wishes = check_many([document(name) for name in names], now_ms=NOW_MS, project="vision")
    assert [wish.name for wish in wishes] == names


def test_faults_say_which_workload() -> None:
    faults = faults_of(document("a"), document("b", replicas=0), document("c", env={"1": 1}))
    assert [fault.field for fault in faults] == ["workloads.1.replicas", "workloads.2.env.1"]


def test_a_cycle_is_named() -> None:
    (fault,) = faults_of(document("a", "b"), document("b", "c"), document("c", "a"))
    assert fault.field == "workloads.0.depends_on"
    assert "a → b → c → a" in fault.message


def test_a_workload_that_depends_on_itself_is_a_cycle() -> None:
    (fault,) = faults_of(document("x"), document("a", "a"))
    assert fault.field == "workloads.1.depends_on"
    assert "a → a" in fault.message


def test_a_diamond_is_no_cycle() -> None:
    documents = [document("d", "b", "c"), document("b", "a"), document("c", "a"), document("a")]
    assert len(check_many(documents, now_ms=NOW_MS, project="vision")) == 4


def test_a_long_cycle_is_told_short() -> None:
    count = 10_000
    (fault,) = faults_of(*(document(f"n{i}", f"n{(i + 1) % count}") for i in range(count)))
    assert "(10000 in all)" in fault.message
    assert len(fault.message) < 300


def test_two_of_a_name_are_well_unless_something_depends_on_it() -> None:
    twins = [document("a"), document("a")]
    assert len(check_many(twins, now_ms=NOW_MS, project="vision")) == 2
    (fault,) = faults_of(*twins, document("b", "a"))
    assert fault.field == "workloads.2.depends_on"
    assert "2 of these workloads have that name" in fault.message


def test_names_of_other_projects_do_not_count() -> None:
    documents = [document("a", "b"), document("b", "a", project="audio")]
    assert len(check_many(documents, now_ms=NOW_MS, project="vision")) == 2


def test_a_name_outside_the_batch_is_left_to_the_server() -> None:
    (wish,) = check_many([document("a", "earlier")], now_ms=NOW_MS, project="vision")
    assert wish.depends_on == ("earlier",)


def test_faults_of_a_large_batch_are_bounded() -> None:
    assert len(faults_of(*(document("A") for _ in range(5000)))) <= 51
