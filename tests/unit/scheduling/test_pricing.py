"""Prices and offers against plain loops: what fits, what room is worth, and that looking only where
something changed finds what looking everywhere does."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.scheduling.placing.leftovers import leftover_values
from podium.scheduling.placing.offers import Offers
from podium.scheduling.placing.pricing import (
    COPY_PARTS,
    FIRST_LOOK,
    TOLERANCE_MILLI,
    WEIGHT_PARTS,
    Mix,
    Prices,
)
from podium.scheduling.space.room import Candidates, Requests, Room, candidates

KINDS = 3


def requests_of(rows: list[tuple[int, int, int, int, tuple[bool, ...]]]) -> Requests:
    """Rows of CPU, memory, GPUs, milli-GPU each, kinds allowed."""
    return Requests(
        cpu_milli=np.array([row[0] for row in rows], dtype=np.int64),
        memory=np.array([row[1] for row in rows], dtype=np.int64),
        gpus=np.array([row[2] for row in rows], dtype=np.int64),
        gpu_milli=np.array([row[3] for row in rows], dtype=np.int64),
        allowed=np.array([row[4] for row in rows], dtype=np.bool_),
    )


def room_of(rows: list[tuple[int, int, int, int]]) -> Room:
    """Rows of CPU, memory, GPUs, kind; all idle."""
    gpus = np.array([row[2] for row in rows], dtype=np.int64)
    return Room(
        cpu_milli=np.array([row[0] for row in rows], dtype=np.int64),
        memory=np.array([row[1] for row in rows], dtype=np.int64),
        devices=np.where(np.arange(4) < gpus[:, None], 1000, 0).astype(np.int64),
        kind=np.array([row[3] for row in rows], dtype=np.int64),
        capacity_milli=gpus * 1000,
    )


def mix_of(counts: list[int]) -> Mix:
    mix = Mix(len(counts))
    mix.counts[:] = counts
    mix.seen = max(FIRST_LOOK, sum(counts))
    return mix


shares = st.sampled_from([150, 300, 460, 500, 810, 1000])
allowed = st.one_of(st.just((True,) * KINDS), st.tuples(*[st.booleans()] * KINDS).filter(any))
request_rows = st.one_of(
    st.tuples(st.integers(0, 12000), st.integers(0, 64), st.just(1), shares, allowed),
    st.tuples(st.integers(0, 12000), st.integers(0, 64), st.integers(2, 4), st.just(1000), allowed),
    st.tuples(st.integers(0, 12000), st.integers(0, 64), st.just(0), st.just(0), allowed),
)
node_rows = st.tuples(
    st.integers(0, 48000), st.integers(0, 256), st.integers(0, 4), st.integers(0, KINDS - 1)
)
classes = st.lists(request_rows, min_size=1, max_size=6).map(requests_of)
clusters = st.lists(node_rows, min_size=1, max_size=6).map(room_of)
steps = st.lists(st.integers(0, 5), max_size=25)


def counts_for(requests: Requests, data: st.DataObject) -> list[int]:
    size = len(requests)
    return data.draw(st.lists(st.integers(0, 50), min_size=size, max_size=size))


def counts_without_rivals(requests: Requests, data: st.DataObject) -> list[int]:
    """Only of work with GPUs."""
    counts = counts_for(requests, data)
    return [count * bool(gpus) for count, gpus in zip(counts, requests.gpus, strict=True)]


def rest_of(room: Room, places: Candidates, row: int) -> tuple[int, int, tuple[int, ...]]:
    left = places.left
    return int(left.cpu_milli[row]), int(left.memory[row]), tuple(left.devices[row].tolist())


@given(room=clusters, requests=classes, taken=steps)
def test_candidates_are_all_places_and_what_they_leave(
    room: Room, requests: Requests, taken: list[int]
) -> None:
    fill(room, requests, taken)
    for index in range(len(requests)):
        cpu, memory = int(requests.cpu_milli[index]), int(requests.memory[index])
        gpus, milli = int(requests.gpus[index]), int(requests.gpu_milli[index])
        expected = []
        for node in range(len(room.kind)):
            devices = room.devices[node].tolist()
            able = [number for number, free in enumerate(devices) if free >= max(milli, 1)]
            if not requests.allowed[index, room.kind[node]] or len(able) < gpus:
                continue
            if room.cpu_milli[node] < cpu or room.memory[node] < memory:
                continue
            choices = [able[:gpus]]
            if gpus == 1:
                choices = [[number] for number in able if devices.index(devices[number]) == number]
            for chosen in choices:
                left = tuple(
                    free - (milli if number in chosen else 0) for number, free in enumerate(devices)
                )
                rest = (int(room.cpu_milli[node]) - cpu, int(room.memory[node]) - memory, left)
                expected.append((node, chosen[0] if gpus == 1 else -1, rest))
        found = candidates(room, requests, index)
        assert expected == [
            (int(node), int(device), rest_of(room, found, row))
            for row, (node, device) in enumerate(zip(found.node, found.device, strict=True))
        ]


@given(room=clusters, requests=classes, taken=steps, data=st.data())
def test_worth_of_ordinary_requests_is_copies_by_share_and_a_fluid(
    room: Room, requests: Requests, taken: list[int], data: st.DataObject
) -> None:
    # Ordinary: one device at most, of any kind. Others are dearer, never cheaper.
    counts = counts_without_rivals(requests, data)
    worth = Prices(requests, mix_of(counts), room).worth(room)
    chosen = [m for m in range(len(requests)) if counts[m] and requests.gpus[m]]
    ordinary = all(requests.gpus[m] == 1 and requests.allowed[m].all() for m in chosen)
    parts = [m for m in chosen if requests.gpu_milli[m] < 1000]
    value = leftover_values(
        requests.gpu_milli[parts], np.array([counts[m] for m in parts], dtype=np.int64)
    )
    for node, kind in enumerate(room.kind):
        cpu, memory = int(room.cpu_milli[node]), int(room.memory[node])
        devices = room.devices[node].tolist()
        rest = sum(int(value[free]) for free in devices)
        expected = Fraction(0)
        asked = [0, 0, 0]
        for m in chosen:
            if not requests.allowed[m, kind]:
                continue
            gpus, milli = int(requests.gpus[m]), int(requests.gpu_milli[m])
            needs = (gpus * milli, int(requests.cpu_milli[m]), int(requests.memory[m]))
            asked = [total + counts[m] * need for total, need in zip(asked, needs, strict=True)]
            bounds = [Fraction(sum(free // milli for free in devices) // gpus)]
            if milli < 1000 and requests.allowed[m].all():
                each = int(value[milli])
                bounds = [Fraction(rest * COPY_PARTS // max(each, 1) * bool(each), COPY_PARTS)]
            bounds += [
                Fraction(free // need)
                for free, need in ((cpu, needs[1]), (memory, needs[2]))
                if need
            ]
            expected += Fraction(counts[m], sum(counts)) * gpus * milli * min(bounds)
        if asked[0]:
            fluid = [Fraction(rest)]
            fluid += [
                Fraction(free * asked[0], total)
                for free, total in ((cpu, asked[1]), (memory, asked[2]))
                if total
            ]
            expected += min(fluid)
        # Parts of a share and of a milli-GPU are cut off, so a little is missing.
        found = Fraction(int(worth[node]), WEIGHT_PARTS)
        assert found >= expected - 3
        if ordinary:
            assert found <= expected + Fraction(1, 100)


@given(room=clusters, requests=classes, taken=steps, data=st.data())
def test_no_placement_adds_worth(
    room: Room, requests: Requests, taken: list[int], data: st.DataObject
) -> None:
    prices = Prices(requests, mix_of(counts_without_rivals(requests, data)), room)
    fill(room, requests, taken)
    for index in range(len(requests)):
        places = candidates(room, requests, index)
        assert (prices.of(room, places) >= 0).all()


@given(room=clusters, requests=classes, data=st.data(), nodes=st.lists(st.integers(1, 3)))
def test_a_row_may_stand_for_several_nodes(
    room: Room, requests: Requests, data: st.DataObject, nodes: list[int]
) -> None:
    number = np.array((nodes + [1] * len(room.kind))[: len(room.kind)], dtype=np.int64)
    mix = mix_of(counts_for(requests, data))
    each = room.of(np.repeat(np.arange(len(number)), number))
    several = Prices(requests, mix, room, nodes=number)
    assert (several.worth(room) == Prices(requests, mix, each).worth(room)).all()
    assert several.stale(mix, room, nodes=number) == several.stale(mix, each)


@settings(max_examples=50)
@given(room=clusters, requests=classes, taken=steps, data=st.data())
def test_offers_kept_are_offers_made_anew(
    room: Room, requests: Requests, taken: list[int], data: st.DataObject
) -> None:
    prices = Prices(requests, mix_of(counts_for(requests, data)), room)
    kept = Offers(room, requests, prices)
    for step in taken:
        index = step % len(requests)
        anew = Offers(copy_of(room), requests, prices)
        for each in range(len(requests)):
            assert anew.best(each) == kept.best(each)
            assert (anew.prices(each) == kept.prices(each)).all()
        found = kept.best(index)
        if found is not None:
            kept.take(index, *found)
            assert (room.devices >= 0).all()
            assert (room.cpu_milli >= 0).all()
            assert (room.memory >= 0).all()


def test_repricing_forgets_the_old_prices() -> None:
    requests = requests_of(
        [(1000, 1, 1, 500, (True,) * KINDS), (1000, 1, 2, 1000, (True,) * KINDS)]
    )
    room = room_of([(16000, 64, 4, 0), (16000, 64, 1, 0)])
    offers = Offers(room, requests, Prices(requests, mix_of([50, 0]), room))
    assert offers.best(0) == (0, 0)
    offers.reprice(Prices(requests, mix_of([50, 50]), room))
    # Now that pairs are asked for, the node that cannot hold one is cheaper.
    assert offers.best(0) == (1, 0)


def test_a_wide_request_is_dearer_the_scarcer_its_places_are() -> None:
    requests = requests_of([(0, 0, 1, 1000, (True,) * KINDS), (0, 0, 4, 1000, (True,) * KINDS)])
    lost = []
    for wide in (1, 30):
        room = room_of([(1000, 1, 4, 0)] * wide + [(1000, 1, 1, 0)] * 200)
        prices = Prices(requests, mix_of([95, 5]), room)
        lost.append(float(prices.of(room, candidates(room, requests, 0))[0]))
    assert lost[0] >= lost[1] + TOLERANCE_MILLI


def test_the_only_room_for_what_needs_much_is_kept_from_what_needs_less() -> None:
    needs = ((48000, 5), (8000, 95))
    requests = requests_of([(cpu_milli, 0, 4, 1000, (True,) * KINDS) for cpu_milli, _ in needs])
    room = room_of([(64000, 1, 4, 0)] + [(32000, 1, 4, 0)] * 50)
    prices = Prices(requests, mix_of([count for _, count in needs]), room)
    large, small, *_ = prices.of(room, candidates(room, requests, 1))
    # The loss of the place itself, and of one in which four devices stay together.
    assert large >= small + 4000 - TOLERANCE_MILLI


def test_contested_cpu_counts_less_where_work_without_gpus_fits() -> None:
    requests = requests_of([(8000, 0, 1, 1000, (True,) * KINDS), (16000, 0, 0, 0, (True,) * KINDS)])
    rests = [(16000, 1, 1, 0), (15999, 1, 1, 0)]
    mix = mix_of([50, 50])
    short = Prices(requests, mix, room_of([*rests, (64000, 1, 4, 0)]))
    wide, narrow = short.worth(room_of(rests))
    assert wide < narrow
    ample = Prices(requests, mix, room_of([*rests, (900000, 1, 0, 0)]))
    wide, narrow = ample.worth(room_of(rests))
    assert wide == narrow


def test_a_share_goes_where_the_rest_will_be_filled() -> None:
    requests = requests_of([(0, 0, 1, milli, (True,) * KINDS) for milli in (700, 300, 600, 400)])
    room = room_of([(1, 1, 1, 0)] * 3)
    fill(room, requests, [2, 0])
    assert room.devices[:, 0].tolist() == [400, 300, 1000]
    prices = Prices(requests, mix_of([50] * 4), room)
    places = candidates(room, requests, 1)
    # It completes one device; the first has just the place for another size.
    assert places.node[int(prices.of(room, places).argmin())] == 1


def test_nothing_is_believed_before_enough_was_seen() -> None:
    requests = requests_of([(1000, 1, 1, 500, (True,) * KINDS)])
    room = room_of([(16000, 64, 4, 0)])
    mix = Mix(1)
    prices = Prices(requests, mix, room)
    for _ in range(FIRST_LOOK - 1):
        mix.see(0)
        assert not prices.stale(mix, room)
    mix.see(0)
    assert prices.stale(mix, room)
    assert not Prices(requests, mix, room).stale(mix, room)
    assert not prices.worth(room).any()


def copy_of(room: Room) -> Room:
    return room.of(np.arange(len(room.kind)))


def fill(room: Room, requests: Requests, taken: list[int]) -> None:
    """Places something of each class named, on the first candidate."""
    for step in taken:
        index = step % len(requests)
        places = candidates(room, requests, index)
        if len(places.node):
            node = int(places.node[0])
            for name in ("cpu_milli", "memory", "devices"):
                getattr(room, name)[node] = getattr(places.left, name)[0]
