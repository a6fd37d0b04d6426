"""Whatever a pod says, it becomes work or is refused with words; nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podium.control.guest_work import gathered
from podium.domain.errors import UserError
from podium.engines.guests import Guest
from podium.spec.workload import check

NOW_MS = 1_800_000_000_000
amounts = st.integers(0, 2**70)
texts = st.text(max_size=70)
guests = st.lists(
    st.builds(
        Guest,
        uid=st.uuids().map(str),
        name=texts,
        project=st.just("vision"),
        made_at_ms=st.integers(0, 9),
        cpu_milli=amounts,
        memory_bytes=amounts,
        group=st.sampled_from(["", "g", "h", "Ω"]),
        group_size=st.integers(1, 3),
        gpus=st.integers(0, 3) | amounts,
        mig_profile=st.sampled_from(["", "1g.10gb", "odd"]),
        mig_count=st.just(1),
        nodes=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
        image=texts,
        command=st.lists(texts, max_size=3).map(tuple),
        priority=st.sampled_from(["", "high", "7", "101", "soon"]),
        grace_seconds=st.integers(1, 10**9),
        expected_seconds=st.none() | amounts,
        fault=st.sampled_from(["", "", "It asks for a moon."]),
    ),
    max_size=8,
    unique_by=lambda each: each.uid,
)


@given(guests)
def test_all_become_work_or_are_told_why_not(asking: list[Guest]) -> None:
    found = gathered(asking, "lab")
    made = [each.uid for wanted in found.wanted for each in wanted.guests]
    assert sorted([*made, *found.held]) == sorted(each.uid for each in asking)
    assert all(found.held.values())
    for wanted in found.wanted:
        assert {len(wanted.guests)} == {each.group_size for each in wanted.guests} or not (
            wanted.guests[0].group
        )
        try:
            wish = check(wanted.document, now_ms=NOW_MS)
        except UserError:
            continue
        assert wish.replicas.maximum == len(wanted.guests)
