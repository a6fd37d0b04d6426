"""Which stocks of GPUs a reader is told of, and under which name."""

from __future__ import annotations

from podium.api.fragmentation import told_as


def test_pools_that_are_not_seen_have_no_name() -> None:
    assert told_as(("fast", "H100"), {"fast"}, None, None) == ("fast", "H100")
    assert told_as(("secret", "H100"), {"fast"}, None, None) == ("", "H100")
    assert told_as(("secret", "H100"), {"fast"}, None, "secret") is None


def test_only_what_was_asked_for() -> None:
    assert told_as(("fast", "H100"), {"fast"}, "H100", "fast") == ("fast", "H100")
    assert told_as(("fast", "H100"), {"fast"}, "L4", None) is None
    assert told_as(("", "H100"), {"fast"}, None, "fast") is None
