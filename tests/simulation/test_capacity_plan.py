"""How many GPUs would have halved the wait: what the search says, a naive search says too."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace

import pytest

from podium.domain.node import Node
from podium.domain.past_work import PastWork
from podium.domain.resources import ReplicaCount
from podium.domain.workload import Kind
from podium.scheduling.capacity import Answer, Question
from podium.scheduling.replay.record import packed_value, unpacked_value
from podium.simulation.capacity import child
from podium.simulation.capacity.replay import Replay, counts, more_nodes, servable
from podium.simulation.capacity.search import TimeUpError, answered, least, mean_ms
from unit.scheduling.cases import GIB, gpus, node, request

HOUR_MS = 3_600_000
BEGAN_MS = 1_000 * HOUR_MS


def past(number: int, came_min: int, runs_min: int, **changes: object) -> PastWork:
    came_ms = BEGAN_MS + came_min * 60_000
    plain = PastWork(
        workload_id=f"w{number:03}", project="p", team="t", owner="ada", kind=Kind.TRAINING,
        priority=50, request=request(1, gpu_types=("A100",)), replicas=ReplicaCount(1, 1),
        submitted_at_ms=came_ms, started_at_ms=came_ms, runtime_ms=runs_min * 60_000, known=True,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def question(work: list[PastWork], nodes: list[Node] | None = None, **changes: object) -> Question:
    plain = Question(
        nodes=tuple(nodes or [node("n1", 2)]), shares=(), work=tuple(work),
        since_ms=BEGAN_MS, until_ms=BEGAN_MS + 24 * HOUR_MS, most=64,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def burst(count: int = 24) -> list[PastWork]:
    """More than two GPUs can do at once: one each five minutes, of half an hour to an hour."""
    return [past(at, 5 * at, 30 + 10 * (at % 4)) for at in range(count)]


def asked(of: Question) -> Answer:
    return answered(of, lambda *_: None, lambda: None)


def naive(of: Question, gpu_type: str, target: float = 0.5) -> int:
    """One more, and one more, until it is enough."""
    replay = Replay(of, lambda: None)
    mine = [each for each in of.work if counts(of, each) and servable(of, gpu_type, each)]
    before_ms = mean_ms(replay.waits(), mine)
    for more in range(1, of.most + 1):
        if mean_ms(replay.waits(gpu_type, more), mine) <= target * before_ms:
            return more
    raise AssertionError("not even with the most")


@pytest.mark.parametrize("target", [500, 250, 50])
def test_a_naive_search_finds_the_same(target: int) -> None:
    of = question(burst(), target_milli=target)
    (found,) = asked(of).types
    assert found.more == naive(of, "A100", target / 1000)
    assert found.after_ms is not None
    assert found.after_ms * 1000 <= target * found.before_ms
    assert (found.gpu_type, found.gpus, found.workloads) == ("A100", 2, 24)
    (team,) = found.teams
    assert (team.team, team.before_ms, team.after_ms) == ("t", found.before_ms, found.after_ms)


def test_gangs_and_other_types_are_for_themselves() -> None:
    work = [
        *burst(12),
        *(past(50 + at, 5 * at, 60, replicas=ReplicaCount(2, 2)) for at in range(6)),
    ]
    work += [
        past(80 + at, 5 * at, 60, request=request(1, gpu_types=("L4",)), team="u")
        for at in range(8)
    ]
    machines = [node("n1", 2), node("n2", gpus("n2", 1, "L4", 24 * GIB))]
    of = question(work, machines)
    found = {each.gpu_type: each for each in asked(of).types}
    assert found["A100"].more == naive(of, "A100")
    assert found["L4"].more == naive(of, "L4")
    assert (found["A100"].workloads, found["L4"].workloads) == (18, 8)
    assert [each.team for each in found["L4"].teams] == ["u"]


def test_what_no_gpu_helps_is_said_so() -> None:
    from podium.scheduling.snapshot import Share

    shares = (
        Share(name="all"),
        Share(name="all/p", parent="all", project="p", limits=(("A100", 2000),)),
    )
    (found,) = asked(question(burst(), shares=shares, most=8)).types
    assert (found.more, found.tried_most) == (None, 8)
    assert found.after_ms == found.before_ms
    assert "something else" in found.note


def test_nobody_waited() -> None:
    (found,) = asked(question([past(at, 60 * at, 5) for at in range(20)])).types
    assert found.more is None
    assert "Nobody waited" in found.note


def test_calibration_compares_with_what_was() -> None:
    of = question(burst())
    waits = Replay(of, lambda: None).waits()
    was = [
        replace(each, started_at_ms=each.submitted_at_ms + waits[each.workload_id])
        for each in of.work
    ]
    fit = asked(replace(of, work=tuple(was))).calibration
    assert (fit.near_milli, fit.recorded_mean_ms) == (1000, fit.replayed_mean_ms)
    late = [replace(each, started_at_ms=each.submitted_at_ms) for each in was]
    fit = asked(replace(of, work=tuple(late))).calibration
    assert fit.near_milli < 500
    assert fit.recorded_mean_ms == 0


def test_work_of_before_and_work_that_goes_on_are_there_but_do_not_count() -> None:
    before = past(90, -600, 1200, started_at_ms=BEGAN_MS - 60_000)
    going = past(91, 0, 10, known=False)
    waits_on = past(92, 0, 0, known=False, started_at_ms=None)
    of = question([before, going, waits_on, *burst(20)])
    found = asked(of)
    assert found.workloads == 21  # not what came before, nor what has not started
    assert Replay(of, lambda: None).waits()["w092"] > 0


@pytest.mark.parametrize("enough_from", range(1, 70))
def test_the_least_is_found(enough_from: int) -> None:
    asked_for: list[int] = []

    def enough(more: int) -> bool:
        asked_for.append(more)
        return more >= enough_from

    assert least(enough, 64)[0] == (enough_from if enough_from <= 64 else None)
    assert len(asked_for) <= 14


def test_more_nodes_are_like_the_fullest() -> None:
    machines = [node("n1", 2), node("n2", 8, cpu_milli=64_000)]
    found = more_nodes(machines, "A100", 10)
    assert [len(each.devices) for each in found] == [8, 2]
    assert [each.cpu_milli for each in found] == [64_000, 16_000]
    assert len({device.id for each in (*machines, *found) for device in each.devices}) == 20


def test_time_ends_it() -> None:
    of = question(burst())
    left = iter(range(120))

    def tick() -> None:
        if next(left, None) is None:
            raise TimeUpError

    found = answered(of, lambda *_: None, tick)
    assert not found.finished
    assert found.calibration.workloads == 24


def test_a_child_is_asked_and_answers() -> None:
    of = question(burst())
    packed = packed_value(of)
    assert unpacked_value(Question, packed) == of
    sink = io.BytesIO()
    child.main(io.BytesIO(packed), sink)
    lines = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert lines[-1]["answer"] == json.loads(json.dumps(asdict(asked(of))))
    assert "progress" in lines[0]
    sink = io.BytesIO()
    child.main(io.BytesIO(packed_value(replace(of, seconds_max=-1))), sink)
    assert "fewer days" in json.loads(sink.getvalue().splitlines()[-1])["error"]
