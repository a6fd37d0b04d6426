"""A cycle as bytes: nothing is lost, and what is replayed says the same."""

from __future__ import annotations

import json
import typing
import zlib
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.node import Device, MigInstance, Node
from podium.domain.policy import SchedulingPolicy
from podium.domain.pool import Pool
from podium.domain.quantity import Range
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import DeviceShare, Isolation, Request, Topology
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan, Turn
from podium.scheduling.replay.anonymous import anonymised, anonymised_record
from podium.scheduling.replay.record import (
    Record,
    RecordError,
    first_difference,
    packed,
    recorded,
    replayed,
    unpacked,
)
from podium.scheduling.snapshot import (
    Booking,
    Demand,
    Expected,
    Hold,
    Part,
    Past,
    Share,
    Snapshot,
)
from unit.scheduling.cases import NOW_MS, demand, node, request, snapshot
from unit.scheduling.explain.worlds import worlds

_some = settings(max_examples=60, deadline=None)
_amounts = st.integers(0, 2**53)


def whole(kind: type[Any], **given_: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a class with every field drawn, also those that have a default."""
    hints = typing.get_type_hints(kind)
    return st.builds(
        kind,
        **{
            field.name: given_.get(field.name, st.from_type(hints[field.name]))
            for field in fields(kind)
            if field.init
        },
    )


def everything() -> st.SearchStrategy[Snapshot]:
    requests = st.builds(
        lambda shape, rest: replace(rest, **shape),
        st.sampled_from(
            [{}, {"gpu_milli": 3000}, {"gpu_milli": 250}, {"gpu_share_bytes": 7},
             {"mig_profile": "1g.10gb", "mig_count": 2}]
        ),
        whole(
            Request, cpu_milli=_amounts, memory_bytes=_amounts, gpu_milli=st.just(0),
            gpu_share_bytes=st.just(0), mig_profile=st.none(), mig_count=st.just(0),
            gpu_memory=st.none() | st.builds(Range, _amounts, st.none())
            | st.builds(lambda low, more: Range(low, low + more), _amounts, _amounts),
        ),
    )  # fmt: skip
    expected = st.builds(lambda one, more: Expected(one, one + more), _amounts, _amounts)
    shares = whole(DeviceShare, gpu_milli=st.integers(1, 1000))
    refusals = whole(Refusal, evidence=st.lists(whole(Evidence), max_size=2).map(tuple))
    kept = {"request": requests, "expected": st.none() | expected, "topology": whole(Topology)}
    demands = whole(
        Demand, pending_ranks=st.just((0, 1, 4)), minimum=st.integers(1, 3), parts=st.just(()),
        blocked=st.none() | refusals, **kept,
    )  # fmt: skip
    parted = st.builds(
        lambda each, one, two: replace(each, minimum=3, parts=(Part(one, (0, 1)), Part(two, (4,)))),
        demands, requests, requests,
    )  # fmt: skip
    devices = whole(Device, instances=st.lists(whole(MigInstance), max_size=2).map(tuple))

    def some(each: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.lists(each, max_size=2).map(tuple)

    return whole(
        Snapshot,
        nodes=some(whole(Node, devices=some(devices))),
        holds=some(
            whole(
                Hold,
                devices=some(shares),
                expected=st.none() | expected,
                request=st.none() | requests,
            )
        ),
        demands=some(demands | parted),
        shares=some(whole(Share)),
        bookings=some(whole(Booking)),
        pools=some(whole(Pool)),
        mix=some(st.tuples(requests, _amounts)),
        past=st.none() | whole(Past),
        policy=whole(SchedulingPolicy),
    )


@given(everything())
@settings(max_examples=80, deadline=None)
def test_every_field_of_everything_comes_back(at: Snapshot) -> None:
    one = Record(snapshot=at, now_ms=1, seed=2, version="v", digest="d")
    assert unpacked(packed(one)) == one


@given(worlds())
@_some
def test_what_was_recorded_replays_the_same(at: Snapshot) -> None:
    record = record_of(at)
    data = packed(record)
    assert data == packed(record)
    found = unpacked(data)
    assert found == record
    again = replayed(found)
    assert again.same
    assert again.difference == ""


def record_of(at: Snapshot) -> Record:
    return recorded(at, NOW_MS, 0, "1.2.3", decide(at, NOW_MS, 0), whole=True)


def test_a_replay_says_where_it_differs() -> None:
    at = snapshot([node("n1", 2)], [demand("w0"), demand("w1")])
    record = record_of(at)
    assert record.plan is not None
    other = replace(record.plan, placements=record.plan.placements[:1])
    forged = replace(record, plan=other, digest=other.digest())
    again = replayed(unpacked(packed(forged)))
    assert not again.same
    assert again.difference.startswith("placement 2: now there is Placement(workload_id='w1'")
    assert replayed(replace(forged, plan=None)).difference.endswith(
        "only the digest of the first one."
    )
    turned = replace(record.plan, turns=(Turn("w0", False),))
    assert "turn 1:" in first_difference(record.plan, turned)
    assert (
        first_difference(Plan(), Plan(next_wake_ms=3)) == "next_wake_ms: None was decided, now 3."
    )


def test_what_is_no_record_is_said_so() -> None:
    record = packed(record_of(snapshot([node("n1", 1)], [demand()])))
    for wrong in (b"", b"PK", record[:-9], zlib.compress(b"[]"), zlib.compress(b'{"format":99}')):
        with pytest.raises(RecordError):
            unpacked(wrong)


def test_an_older_record_gets_the_defaults_of_newer_fields() -> None:
    record = record_of(snapshot([node("n1", 1)], [demand("w", spread=True)]))
    body = json.loads(zlib.decompress(packed(record)))
    at = body["fields"]["Demand"].index("spread")
    del body["fields"]["Demand"][at]
    demands = body["fields"]["Snapshot"].index("demands")
    for row in body["snapshot"][demands]:
        del row[at]
    older = unpacked(zlib.compress(json.dumps(body).encode()))
    assert older.snapshot.demands[0].spread is False
    body["fields"]["Demand"].append("smell")
    with pytest.raises(RecordError, match="Demand smell"):
        unpacked(zlib.compress(json.dumps(body).encode()))


@given(worlds())
@_some
def test_without_names_the_same_is_decided_for_everyone(at: Snapshot) -> None:
    hidden = anonymised(at)
    text = packed_text(hidden)
    for name in ("n0", "h-n0", "s-a", "eu", "bk", "GPU-n0"):
        assert f'"{name}' not in text
    before, after = decide(at, NOW_MS, 0), decide(hidden, NOW_MS, 0)
    nodes = {one.name: two.name for one, two in zip(at.nodes, hidden.nodes, strict=True)}
    names = {
        one.workload_id: two.workload_id
        for mine, theirs in ((at.demands, hidden.demands), (at.holds, hidden.holds))
        for one, two in zip(mine, theirs, strict=True)
    }
    assert [
        (names[each.workload_id], each.rank, nodes[each.node]) for each in before.placements
    ] == [(each.workload_id, each.rank, each.node) for each in after.placements]
    assert [names[each.workload_id] for each in before.preemptions] == [
        each.workload_id for each in after.preemptions
    ]
    reasons = [(tuple(names[n] for n in each.workload_ids), each.refusal.reason)
               for each in before.refusals]  # fmt: skip
    assert reasons == [(each.workload_ids, each.refusal.reason) for each in after.refusals]


def packed_text(at: Snapshot) -> str:
    return zlib.decompress(packed(recorded(at, 0, 0, "v", Plan()))).decode()


def test_an_anonymous_record_replays_and_names_nobody() -> None:
    at = replace(
        snapshot(
            [node("sarahs-box", 1, labels=(("keeper", "sarah"),), address="10.9", pool="secret")],
            [
                demand("w-7", request(2, node_labels=(("keeper", "sarah"),), pools=("secret",)),
                       project="moonshot"),
                demand("w-8", project="moonshot", blocked=Refusal(
                    WaitReason.DEPENDENCY, "Waits for sarahs-run.", "Ask sarah.",
                    (Evidence("workload", "w-7", "sarah"), Evidence("at_ms", "12")),
                )),
            ],
        ),
        pools=(Pool(name="secret", labels=(("keeper", "sarah"),), projects=("moonshot",),
                    teams=("apollo",), note="Ask sarah"),),
        past=Past(3, (1, 2)),
    )  # fmt: skip
    hidden = unpacked(packed(anonymised_record(record_of(at))))
    assert replayed(hidden).same
    text = packed_text(hidden.snapshot) + repr(hidden.plan)
    for name in ("sarah", "moonshot", "apollo", "secret", "10.9", "keeper", "w-7"):
        assert name not in text
    blocked = next(each.blocked for each in hidden.snapshot.demands if each.blocked)
    assert blocked.reason is WaitReason.DEPENDENCY
    assert [each.value for each in blocked.evidence] == ["workload-1", "12"]
    assert hidden.snapshot.demands[0].request.isolation is Isolation.NONE
