"""Tries that count and fade, and what claims say: laws that hold whatever comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podium.domain.identity import name_fault
from podium.domain.provider import claim_at, groups_of, username_from, with_number
from podium.domain.throttle import Throttle, Tries

RULES = st.builds(
    Throttle,
    free=st.integers(0, 60),
    forget_ms=st.integers(1, 10**6),
    wait_max_ms=st.integers(1_000, 10**6),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


@given(rule=RULES, pauses=st.lists(st.integers(0, 10**7), max_size=80))
def test_no_history_locks_for_longer_than_the_rule_says(rule: Throttle, pauses: list[int]) -> None:
    tries, now_ms, passed = Tries(), 0, 0
    for pause_ms in pauses:
        now_ms += pause_ms
        if tries.until_ms > now_ms:
            assert tries.until_ms - now_ms <= rule.wait_max_ms
            continue
        tries = tries.again(rule, now_ms)
        passed += 1
        assert tries.count_milli <= passed * 1000
        if passed <= rule.free:
            assert tries.until_ms <= now_ms
    later_ms = tries.forgotten_at_ms(rule) + 1
    assert tries.faded(rule, later_ms) <= 1
    assert tries.until_ms <= later_ms


@given(rule=RULES, minutes=st.integers(1, 500))
def test_who_tries_all_the_time_gets_through_ever_less_often(rule: Throttle, minutes: int) -> None:
    tries, passed = Tries(), 0
    for now_ms in range(0, minutes * 60_000, 1_000):
        if tries.until_ms <= now_ms:
            tries = tries.again(rule, now_ms)
            passed += 1
    span_ms = minutes * 60_000
    doublings = rule.wait_max_ms.bit_length()
    allowed = rule.free + span_ms // rule.forget_ms + span_ms // rule.wait_max_ms + doublings + 2
    assert passed <= max(allowed, span_ms // 1_000 + 1 if rule.forget_ms < 1_000 else allowed)


@given(claims=st.dictionaries(st.text(max_size=9), ANYTHING), path=st.text(max_size=20))
def test_any_claim_can_be_read(claims: dict[str, object], path: str) -> None:
    claim_at(claims, path)
    found = groups_of(claims, path)
    assert all(isinstance(each, str) and each for each in found)
    assert len(set(found)) == len(found)


@given(text=st.text(max_size=200), number=st.integers(2, 999))
def test_a_name_that_is_made_is_legal(text: str, number: int) -> None:
    name = username_from(text)
    assert name == "" or name_fault(name) is None
    if name:
        assert name_fault(with_number(name, number)) is None
