"""The least number of GPUs of each type that shortens the wait as wanted: doubled until it is
enough, then halved in between. `child` runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median

from podium.domain.past_work import PastWork
from podium.scheduling.capacity import (
    Answer,
    Calibration,
    Question,
    TeamWait,
    TypeAnswer,
)
from podium.simulation.capacity.replay import Replay, Waits, counts, servable

NEAR_MS = 300_000
WORTH_MS = 30_000
"""Nobody waits to speak of where the mean is less."""

ASSUMPTIONS = (
    "Work comes when it came and runs as long as it ran; with shorter waits, people may want more.",
    "Nodes, quotas and policies are those of now, and all nodes that are up now were up.",
    "What had not ended is taken to run as long again as it had.",
    "What had not started is taken to run as long as its project's usual.",
    "Preempted work starts anew in the replay. Times are rounded up to 10 s.",
    "New GPUs stand in nodes like the one with most GPUs of their type.",
    "The search takes it that more GPUs never lengthen the wait.",
)

Say = Callable[[str, float], None]


class TimeUpError(Exception):
    """No time is left for another replay."""


def answered(question: Question, say: Say, tick: Callable[[], None]) -> Answer:
    """`say` is told what is tried, and how far it is; `tick` may raise TimeUpError, which ends it
    with what is known by then, or all of it before the first replay is done."""
    replay = Replay(question, tick)
    say("replaying what was", 0.0)
    before = replay.waits()
    mine = [
        each
        for each in question.work
        if counts(question, each) and each.started_at_ms is not None and each.workload_id in before
    ]
    types = sorted({each.type for node in question.nodes for each in node.devices})
    if question.gpu_types:
        wanted = {name.casefold() for name in question.gpu_types}
        types = [name for name in types if name.casefold() in wanted]
    found: list[TypeAnswer] = []
    finished = True
    for number, gpu_type in enumerate(types):

        def told(words: str, part: float, at: int = number) -> None:
            say(words, 0.1 + 0.9 * (at + part) / max(1, len(types)))

        try:
            found.append(_of_type(question, replay, gpu_type, before, mine, told))
        except TimeUpError:
            finished = False
            break
    return Answer(
        types=tuple(found),
        calibration=_calibration(before, mine),
        assumptions=ASSUMPTIONS,
        workloads=len(mine),
        replays=replay.replays,
        finished=finished,
    )


def _of_type(
    question: Question,
    replay: Replay,
    gpu_type: str,
    before: Waits,
    mine: Sequence[PastWork],
    say: Say,
) -> TypeAnswer:
    concerned = [each for each in mine if servable(question, gpu_type, each)]
    gpus = sum(each.type == gpu_type for node in question.nodes for each in node.devices)
    before_ms = mean_ms(before, concerned)
    plain = TypeAnswer(
        gpu_type=gpu_type,
        gpus=gpus,
        workloads=len(concerned),
        before_ms=before_ms,
        after_ms=None,
        more=None,
        tried_most=0,
    )
    if not concerned:
        return replace(plain, note="No work of this time could use it.")
    if before_ms < WORTH_MS:
        return replace(plain, note="Nobody waited for it to speak of.")

    def enough(more: int) -> bool:
        say(f"{more} more {gpu_type}", min(0.9, more / (more + gpus + 1)))
        wait_ms = mean_ms(replay.waits(gpu_type, more), concerned)
        return wait_ms * 1000 <= question.target_milli * before_ms

    more, tried = least(enough, question.most)
    after = replay.waits(gpu_type, tried if more is None else more)
    note = "More of them does not help enough: something else keeps waiting work from them."
    return replace(
        plain,
        after_ms=mean_ms(after, concerned),
        more=more,
        tried_most=tried,
        teams=_teams(before, after, concerned),
        note=note if more is None else "",
    )


def least(enough: Callable[[int], bool], most: int) -> tuple[int | None, int]:
    """The least number that is enough, None where `most` is not, and the largest that was tried."""
    low, high = 0, 1
    while not enough(high):
        if high >= most:
            return None, high
        low, high = high, min(most, 2 * high)
    tried = high
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high, tried


def mean_ms(waits: Waits, work: Sequence[PastWork]) -> int:
    """Of those that started."""
    known = [waits[each.workload_id] for each in work if each.workload_id in waits]
    return sum(known) // max(1, len(known))


def _teams(before: Waits, after: Waits, work: Sequence[PastWork]) -> tuple[TeamWait, ...]:
    by_team: dict[str, list[PastWork]] = {}
    for each in work:
        by_team.setdefault(each.team, []).append(each)
    return tuple(
        TeamWait(
            team=team,
            workloads=len(some),
            before_ms=mean_ms(before, some),
            after_ms=mean_ms(after, some),
        )
        for team, some in sorted(by_team.items())
    )


def _calibration(replayed: Waits, work: Sequence[PastWork]) -> Calibration:
    recorded: Mapping[str, int] = {
        each.workload_id: each.started_at_ms - each.submitted_at_ms
        for each in work
        if each.started_at_ms is not None
    }
    pairs = [(was, replayed[name]) for name, was in recorded.items()]
    near = sum(abs(was - now) <= max(NEAR_MS, max(was, now) // 4) for was, now in pairs)
    return Calibration(
        workloads=len(pairs),
        recorded_mean_ms=sum(was for was, _ in pairs) // max(1, len(pairs)),
        replayed_mean_ms=sum(now for _, now in pairs) // max(1, len(pairs)),
        recorded_median_ms=int(median([was for was, _ in pairs] or [0])),
        replayed_median_ms=int(median([now for _, now in pairs] or [0])),
        near_milli=near * 1000 // max(1, len(pairs)),
    )
