"""Who is served next: the lines of the projects, merged by guarantee, priority and fair share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush, heapreplace, nsmallest

from podium.domain.policy import Order, SchedulingPolicy
from podium.domain.resources import Request
from podium.scheduling.order.fairness import NOWHERE, Fairness, grade_of
from podium.scheduling.order.places import Place
from podium.scheduling.order.queue import queue_key
from podium.scheduling.order.service_order import Bands, step_of_level
from podium.scheduling.snapshot import Demand
from podium.scheduling.view import Ask, View, Waiting

Key = tuple[int | str, ...]
MilliOf = Callable[[Request], int]
"""The milli-GPU that one replica takes."""

Front = tuple[int | str, ...]

Amount = tuple[tuple[str, ...], int]
"""GPU types and milli-GPU of the least that must be placed at once."""


class Queue:
    """The demands of one project that ask for the same, in the order of the queue."""

    __slots__ = ("amount", "ask", "at", "closed", "demands", "ids", "project", "step")

    def __init__(
        self, project: str, ask: Ask, waiting: Waiting, step: int, milli_of: MilliOf
    ) -> None:
        self.project = project
        self.amount = _amount_of(ask, milli_of)
        self.step = step
        self.ask = ask
        self.demands = waiting.demands
        self.ids = waiting.ids
        self.at = 0
        self.closed = False  # nothing more of it can be placed in this cycle

    @property
    def head(self) -> Demand:
        return self.demands[self.at]

    @property
    def key(self) -> tuple[int, int, int, str]:
        """Of the head: priority first, then the step of `service_order`, then age, then id."""
        priority, queued_at_ms, workload_id = queue_key(self.head)
        return priority, self.step, queued_at_ms, workload_id

    @property
    def waiting(self) -> Sequence[Demand]:
        """The head and all behind it."""
        return self.demands[self.at :]

    def holds(self, demand: Demand) -> bool:
        """Whether the demand is the head or behind it."""
        return self.at < len(self.demands) and queue_key(demand) >= queue_key(self.head)


def first_queues(queues: Sequence[Queue], count: int) -> list[Queue]:
    """Those among which the first demands of all are."""
    waiting = ((queue_key(queue.head), queue) for queue in queues if queue.at < len(queue.ids))
    return [queue for _, queue in nsmallest(count, waiting, key=lambda entry: entry[0])]


class Line:
    """The queues of one project; its head is the first of their heads.

    What is inside a guarantee goes first, then priority, then age. How much is asked for decides
    whether it is inside, so queues that ask for equally much are kept together; and what is left
    of guarantees matters only when it comes to cover an amount more, or one less.
    """

    def __init__(
        self,
        project: str,
        asks: Mapping[Ask, Waiting],
        fairness: Fairness,
        by: Bands | None,
        milli_of: MilliOf,
    ) -> None:
        self.project = project
        self.queues = [
            Queue(
                project, ask, waiting, 0 if by is None else step_of_level(ask.level, by), milli_of
            )
            for ask, waiting in asks.items()
        ]
        self._fairness = fairness
        self._amounts: dict[Amount, list[tuple[Key, Queue]]] = {}
        for waiting, queue in zip(asks.values(), self.queues, strict=True):
            amount = queue.amount
            key = (waiting.key[0], queue.step, *waiting.key[1:])
            self._amounts.setdefault(amount, []).append((key, queue))
        for heap in self._amounts.values():
            heapify(heap)
        self._grades: dict[Amount, int] = {}
        # By GPU types: how much is asked for, ascending, and how many of these are covered by the
        # project's own guarantee, and by one above.
        self._asked: dict[tuple[str, ...], list[int]] = {}
        self._covered: dict[tuple[str, ...], tuple[int, int]] = {}
        for gpu_types, milli in sorted(self._amounts):
            self._asked.setdefault(gpu_types, []).append(milli)
        # What is inside a guarantee changes with the use of all places that have one.
        path = fairness.path(project)
        self._top = path[-2] if any(place.guarantees for place in path[:-1]) else None
        self._ready: list[tuple[Key, Queue]] = []  # the head of each amount, a heap
        self._version = -1

    def first(self) -> tuple[Key, Queue] | None:
        """The queue whose head is next, and its place in the order of service; None when nothing
        more can be placed."""
        version = 0 if self._top is None else self._top.version
        if self._version != version:
            self._version = version
            if self._regrade():
                self._ready = [head for each in self._amounts if (head := self._head_of(each))]
                heapify(self._ready)
        ready = self._ready
        while ready and ready[0][1].closed:
            self._replace()
        return ready[0] if ready else None

    def step(self) -> None:
        """The head of the line has been served; the one behind it moves up."""
        queue = self._ready[0][1]
        heap = self._amounts[queue.amount]
        assert heap[0][1] is queue
        heappop(heap)
        queue.at += 1
        if queue.at < len(queue.demands):
            heappush(heap, (queue.key, queue))
        self._replace()

    def _replace(self) -> None:
        """The first of the ready ones is so no more; the next of its amount takes its place."""
        head = self._head_of(self._ready[0][1].amount)
        if head is None:
            heappop(self._ready)
        else:
            heapreplace(self._ready, head)

    def _regrade(self) -> bool:
        """Looks up what is inside a guarantee now; False when that is what it was."""
        changed = False
        for gpu_types, asked in self._asked.items():
            own, above = self._fairness.headroom(self.project, gpu_types)
            covered = bisect_right(asked, own), bisect_right(asked, above)
            if self._covered.get(gpu_types) != covered:
                self._covered[gpu_types] = covered
                changed = True
                for milli in asked:
                    self._grades[gpu_types, milli] = grade_of(milli, own, above)
        return changed

    def _head_of(self, amount: Amount) -> tuple[Key, Queue] | None:
        heap = self._amounts[amount]
        while heap and heap[0][1].closed:
            heappop(heap)
        if not heap:
            return None
        key, queue = heap[0]
        return (self._grades[amount], *key), queue


def _amount_of(ask: Ask, milli_of: MilliOf) -> Amount:
    request, parts = ask.request, ask.parts
    if parts:
        return request.gpu_types, sum(milli_of(part.request) * len(part.ranks) for part in parts)
    return request.gpu_types, milli_of(request) * ask.minimum


class Leaf:
    """The line of one project at its place in the tree of shares."""

    def __init__(self, line: Line, place: Place, *, fair: bool) -> None:
        self.line = line
        self._place = place
        self._fair = fair

    def front(self) -> Front | None:
        """Of the head of the line: grade of the guarantee, priority below zero, and step."""
        first = self.line.first()
        return None if first is None else first[0][:3]

    def rank(self) -> Key:
        """Decides between equal fronts."""
        if self._fair:
            return (self._place.share, self._place.name)
        first = self.line.first()
        assert first is not None
        return first[0][3:]


class Branch:
    """What stands below one place of the tree, in the order of service.

    Serving one never improves the place of another, so keys that were made earlier are looked at
    again only when they come up: a turn costs the path to one project and not all projects.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._heap: list[tuple[Key, Leaf | Branch]] = []

    def add(self, child: Leaf | Branch) -> None:
        front = child.front()
        if front is not None:
            heappush(self._heap, ((*front, *child.rank()), child))

    def front(self) -> Front | None:
        """That of the first below; None when nothing waits there any more."""
        heap = self._heap
        while heap:
            key, child = heap[0]
            front = child.front()
            if front is None:
                heappop(heap)
                continue
            fresh = (*front, *child.rank())
            if fresh == key:
                return front
            heapreplace(heap, (fresh, child))
        return None

    def rank(self) -> Key:
        return (self._place.share, self._place.name)

    def first(self) -> Leaf:
        """After `front` has found one."""
        child = self._heap[0][1]
        return child.first() if isinstance(child, Branch) else child

    def is_single(self) -> bool:
        """Only one project waits below."""
        if len(self._heap) != 1:
            return not self._heap
        child = self._heap[0][1]
        return isinstance(child, Leaf) or child.is_single()


class Service:
    """Gives out the heads of the lines in the order of service: work inside a guarantee comes
    first, then priority, then (by policy) the share with the least of its due, from the root of
    the tree down, then age."""

    def __init__(
        self, view: View, fairness: Fairness, policy: SchedulingPolicy, by: Bands | None
    ) -> None:
        """`by` are the bands of `Order.ATTAINED`, None under any other order."""
        fair = policy.order is Order.FAIR
        self._lines = [
            Line(project, asks, fairness, by, view.milli_of) for project, asks in view.lines.items()
        ]
        leaves: dict[Place, list[Leaf | Branch]] = {}
        self._root = Branch(fairness.root)
        places: dict[Place, None] = {}
        for line in self._lines:
            path = fairness.path(line.project)
            leaf = Leaf(line, path[0], fair=fair)
            leaves.setdefault(path[1] if fair else fairness.root, []).append(leaf)
            if fair:
                places.update(dict.fromkeys(path[1:-1]))
        # The deepest first, so that each is whole before the one above asks for its front.
        for place in sorted(places, key=lambda place: -place.level):
            branch = Branch(place)
            for child in leaves.pop(place, []):
                branch.add(child)
            assert place.parent is not None
            leaves.setdefault(place.parent, []).append(branch)
        for child in leaves.pop(fairness.root, []):
            self._root.add(child)

    def lines(self) -> Iterator[Line]:
        return iter(self._lines)

    @property
    def alone(self) -> bool:
        """No other project waits beside the one whose turn it is."""
        return self._root.is_single()

    def next(self) -> tuple[Line, Queue, bool] | None:
        """The line and the queue whose head is served next, and whether it is inside a guarantee.
        Asked again, it gives the same until that head was served, or its queue closed."""
        if self._root.front() is None:
            return None
        line = self._root.first().line
        first = line.first()
        assert first is not None
        key, queue = first
        return line, queue, key[0] != NOWHERE
