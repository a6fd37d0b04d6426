"""The reference policies once more, slowly: plain lists, every waiting job looked at at each event.

The tests compare the quick ones with these.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.simulation.queueing.trace import Course, Machines, TraceJob

FAR_MS = 10**15


class Nodes:
    def __init__(self, machines: Machines) -> None:
        self.size = machines.gpus_per_node
        self.free = [machines.gpus_per_node] * machines.nodes

    def take(self, gpus: int) -> list[tuple[int, int]] | None:
        """First fit; whole empty nodes first for what is larger than a node."""
        whole, rest = divmod(gpus, self.size) if gpus > self.size else (0, gpus)
        empty = [at for at, free in enumerate(self.free) if free == self.size][:whole]
        if len(empty) < whole:
            return None
        place = [(at, self.size) for at in empty]
        if rest:
            others = [at for at, free in enumerate(self.free) if free >= rest and at not in empty]
            if not others:
                return None
            place.append((others[0], rest))
        for at, taken in place:
            self.free[at] -= taken
        return place

    def give(self, place: list[tuple[int, int]]) -> None:
        for at, taken in place:
            self.free[at] += taken


def once(
    policy: str, jobs: Sequence[TraceJob], machines: Machines, estimates_ms: Sequence[int]
) -> Course:
    """fifo, fifo-fit, sjf and easy-backfill."""
    nodes = Nodes(machines)
    waiting: list[int] = []
    running: dict[int, list[tuple[int, int]]] = {}
    began, ended = [0] * len(jobs), [FAR_MS] * len(jobs)
    moments = sorted({job.submitted_ms for job in jobs})
    while moments:
        now = moments.pop(0)
        for job in [job for job in running if ended[job] == now]:
            nodes.give(running.pop(job))
        waiting += [at for at, job in enumerate(jobs) if job.submitted_ms == now]

        def start(job: int, now: int = now) -> bool:
            place = nodes.take(jobs[job].gpus)
            if place is None:
                return False
            running[job] = place
            began[job], ended[job] = now, now + jobs[job].duration_ms
            if ended[job] not in moments:
                moments.append(ended[job])
                moments.sort()
            return True

        if policy == "sjf":
            waiting.sort(key=lambda job: (estimates_ms[job], job))
        if policy in ("sjf", "fifo-fit"):
            waiting = [job for job in waiting if not start(job)]
            continue
        while waiting and start(waiting[0]):
            waiting.pop(0)
        if not waiting or policy == "fifo":
            continue
        until, beside = reservation(jobs, machines, waiting[0], running, began, estimates_ms, now)
        rest = [waiting[0]]
        for job in waiting[1:]:
            short = now + estimates_ms[job] <= until
            if (short or jobs[job].gpus <= beside) and start(job):
                beside -= 0 if short else jobs[job].gpus
            else:
                rest.append(job)
        waiting = rest
    return Course(began, ended)


def reservation(
    jobs: Sequence[TraceJob],
    machines: Machines,
    first: int,
    running: dict[int, list[tuple[int, int]]],
    began: Sequence[int],
    estimates_ms: Sequence[int],
    now: int,
) -> tuple[int, int]:
    """The first moment with GPUs enough by count, and what is left beside `first` then."""
    ends = {job: max(now + 1, began[job] + estimates_ms[job]) for job in running}
    for moment in sorted({now, *ends.values()}):
        busy = sum(jobs[job].gpus for job, end in ends.items() if end > moment)
        if machines.gpus - busy >= jobs[first].gpus:
            return moment, machines.gpus - busy - jobs[first].gpus
    raise AssertionError("the empty cluster has room for each job")


def again(
    jobs: Sequence[TraceJob],
    machines: Machines,
    estimates_ms: Sequence[int],
    *,
    by_service: bool,
) -> Course:
    """srtf and srsf: at each event everything is laid out anew."""
    left = [job.duration_ms for job in jobs]
    believed = list(estimates_ms)
    began: list[int | None] = [None] * len(jobs)
    ended = [FAR_MS] * len(jobs)
    running: list[int] = []
    now = preemptions = 0
    while FAR_MS in ended:
        later = [job.submitted_ms for job in jobs if job.submitted_ms > now]
        then = min([*later, *(now + left[job] for job in running)], default=now)
        if now == 0 and any(job.submitted_ms == 0 for job in jobs) and not running:
            then = 0
        for job in running:
            left[job] -= then - now
            believed[job] = max(0, believed[job] - (then - now))
            if left[job] == 0:
                ended[job] = then
        now = then
        alive = [
            at for at, job in enumerate(jobs) if job.submitted_ms <= now and ended[at] == FAR_MS
        ]
        alive.sort(key=lambda at: (believed[at] * (jobs[at].gpus if by_service else 1), at))
        nodes = Nodes(machines)
        chosen = [at for at in alive if nodes.take(jobs[at].gpus) is not None]
        preemptions += sum(1 for job in running if ended[job] == FAR_MS and job not in chosen)
        running = chosen
        for at in chosen:
            if began[at] is None:
                began[at] = now
    return Course([at for at in began if at is not None], ended, preemptions)
