"""Changes of what lives: read like a spec, restated like one, told in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from podium.domain.errors import UserError
from podium.spec.change import changes_words, read_changes, restated
from podium.spec.views.workload import ChangeRequest
from podium.spec.workload import check, resolved

NOW_MS = 1_767_322_245_000
HOUR_MS = 3_600_000


def test_values_are_read_as_a_spec_has_them() -> None:
    request = ChangeRequest(priority=80, max_runtime="1h30m", deadline="2h")
    assert read_changes(request, now_ms=NOW_MS) == {
        "priority": 80,
        "max_runtime_seconds": 5400,
        "deadline_ms": NOW_MS + 2 * HOUR_MS,
    }
    none = ChangeRequest(max_runtime="none", deadline=" None ")
    assert read_changes(none, now_ms=NOW_MS) == {"max_runtime_seconds": None, "deadline_ms": None}
    assert read_changes(ChangeRequest(), now_ms=NOW_MS) == {}


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"max_runtime": "soon"}, "max_runtime", "not a duration"),
        ({"max_runtime": "0s"}, "max_runtime", "0 seconds"),
        ({"max_runtime": ""}, "max_runtime", ""),
        ({"deadline": "2020-01-01T00:00:00Z"}, "deadline", "has passed"),
        ({"deadline": "2099-01-01T00:00:00Z"}, "deadline", "ten years"),
        ({"deadline": "2030-01-01 10:00"}, "deadline", "no time zone"),
        ({"deadline": "tomorrow"}, "deadline", "neither a time nor a duration"),
    ],
)
def test_faults_name_their_field(given: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as raised:
        read_changes(ChangeRequest(**given), now_ms=NOW_MS, place="change.")
    assert [each.field for each in raised.value.faults] == [f"change.{field}"]
    with pytest.raises(UserError) as raised:
        read_changes(ChangeRequest(max_runtime="x", deadline="x"), now_ms=NOW_MS)
    assert [each.field for each in raised.value.faults] == ["max_runtime", "deadline"]


@pytest.mark.parametrize("before", [{}, {"max_runtime": "1h", "deadline": "9h"}])
@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 7},
        {"max_runtime_seconds": 7200, "deadline_ms": NOW_MS + HOUR_MS},
        {"max_runtime_seconds": None, "deadline_ms": None},
    ],
)
def test_a_document_restated_is_that_of_the_changed_wish(
    before: dict[str, Any], changes: dict[str, Any]
) -> None:
    spec = {"name": "a", "project": "p", "command": "true", "labels": {"x": "y"}, **before}
    wish = check(spec, now_ms=NOW_MS)
    found = restated(resolved(wish), changes)
    wanted = resolved(replace(wish, **changes))
    assert list(found.items()) == list(wanted.items()), "in the same order too"


def test_what_changed_is_told_in_words() -> None:
    before = {"priority": 50, "max_runtime_seconds": None, "deadline_ms": NOW_MS}
    assert changes_words(before, {"priority": 80}) == "Priority 50 → 80"
    words = changes_words(before, {"max_runtime_seconds": 14_400, "deadline_ms": None})
    assert words == "Time limit none → 4h, deadline 2026-01-02 02:50:45 UTC → none"
