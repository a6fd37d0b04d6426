"""A storm of submissions on a server that is killed under it, and the account of what happened.

Each process of the work adds a line to its workload's own file when it starts and when it ends,
so what really ran can be held against what the server says.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import podium
from journeys.serving import API, LIMIT_SECONDS, Server, plain_http, processes_of_work, until
from podium.spec.views.workload import WorkloadDetailView

PROGRAM = """
line() { echo "$1 $PODIUM_ATTEMPT ${PODIUM_RANK:-${PODIUM_TASK_INDEX:-0}}" >> $BOOK/$PODIUM_WORKLOAD_ID; }
line start
echo begin
%s
line end
echo finish
"""  # noqa: E501
RESOURCES = {"cpus": 0.02, "memory": "8MiB"}


@dataclass(frozen=True)
class Sort:
    """One kind of work in the storm, and how it may end."""

    ends: tuple[str, ...]
    attempts: int
    fields: dict[str, Any]
    cancelled: bool = False


def sorts(dice: random.Random) -> dict[str, Sort]:
    pause = f"sleep {dice.uniform(0, 0.6):.2f}"

    def script(work: str) -> dict[str, Any]:
        return {"script": PROGRAM % work}

    share = {"resources": {**RESOURCES, "gpus": 0.05}}
    return {
        "single": Sort(("succeeded",), 1, {**script(pause), **share}),
        "gang": Sort(("succeeded",), 1, {**script(pause), "replicas": 3, **share}),
        "array": Sort(("succeeded",), 1, {**script(pause), "array": 4}),
        "failing": Sort(("failed",), 1, script(f"{pause}; exit 3")),
        "retried": Sort(
            ("succeeded",),
            2,
            {**script(f'{pause}; test "$PODIUM_ATTEMPT" = 2 || exit 4'), "retries": 1},
        ),
        "stopped": Sort(
            ("cancelled",), 1, {**script("sleep 60"), "grace": "1s", **share}, cancelled=True
        ),
        "stopped-gang": Sort(
            ("cancelled",), 1, {**script("sleep 60"), "grace": "1s", "replicas": 2}, cancelled=True
        ),
    }


@dataclass
class Storm:
    """Submits and cancels through `servers`, whatever happens to them, until told to stop."""

    servers: Sequence[Server]
    book: Path
    seed: int
    count: int
    accepted: dict[str, Sort] = field(default_factory=dict)
    repeated: int = 0
    over: bool = False
    _failure: BaseException | None = None

    def __post_init__(self) -> None:
        self.book.mkdir()
        self._dice = random.Random(self.seed)
        self._thread = threading.Thread(target=self._rage)
        # Of its own thread, and signed in before anything is killed.
        self._http = [
            plain_http(each.url, {"Authorization": f"Bearer {each.token}"}) for each in self.servers
        ]

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        self._thread.join()
        for http in self._http:
            http.close()
        if self._failure is not None:
            raise self._failure

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def keepers(self, node: str | None) -> list[Server]:
        """Who has the logs of a node: with several servers, each is named as its node."""
        named = [each for each in self.servers if node in each.options]
        return named or list(self.servers)

    def _rage(self) -> None:
        try:
            for number in range(self.count):
                if self.over:
                    return
                name, sort = self._dice.choice(list(sorts(self._dice).items()))
                made = self._insist(
                    "/workloads",
                    {
                        "name": f"{name}-{number}",
                        "project": "default",
                        "env": {"BOOK": str(self.book)},
                        "resources": RESOURCES,
                        **sort.fields,
                    },
                    {"Idempotency-Key": f"storm-{self.seed}-{number}"},
                )
                self.accepted[made["id"]] = sort
                if sort.cancelled:
                    time.sleep(self._dice.uniform(0, 0.3))
                    self._insist(f"/workloads/{made['id']}/cancel", {})
        except BaseException as error:
            self._failure = error

    def _insist(
        self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Sends until there is an answer: whoever submits cannot know what a broken connection
        has done, and sends the same again."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            http = self._dice.choice(self._http)
            try:
                answer = http.post(f"{API}{path}", json=body, headers=headers or {})
            except httpx.TransportError:
                assert time.monotonic() < deadline, "no server answers"
                self.repeated += 1
                time.sleep(0.01)
                continue
            if answer.status_code == 503:
                continue
            assert answer.status_code in (200, 201), answer.text
            return answer.json()  # type: ignore[no-any-return]


def assert_all_is_well(storm: Storm) -> list[WorkloadDetailView]:
    """Nothing lost, nothing started twice, nothing left, billed once."""
    client = storm.servers[0].client()
    stored = [each.id for each in client.workloads.list()]
    assert len(stored) == len(set(stored))
    assert set(storm.accepted) == set(stored), "what was accepted is what is there"
    seen = [client.workloads.wait(each, timeout_seconds=LIMIT_SECONDS) for each in storm.accepted]
    for each in seen:
        _assert_ended_well(each, storm, client)
    until(lambda: processes_of_work(stored) == [], "no process is left")
    for node in client.nodes.list():
        assert (node.cpu_milli_used, node.memory_bytes_used) == (0, 0)
        assert all(device.gpu_milli_used == 0 for device in node.devices)
    (total,) = client.usage.list("default")
    assert total.usage.cpu_seconds_allocated == _sum(seen, "cpu_seconds_allocated")
    assert total.usage.gpu_seconds == _sum(seen, "gpu_seconds")
    return seen


def _sum(seen: Sequence[WorkloadDetailView], what: str) -> Any:
    return pytest.approx(sum(getattr(each.usage, what) for each in seen), abs=0.05)


def _assert_ended_well(seen: WorkloadDetailView, storm: Storm, client: podium.Client) -> None:
    sort, book = storm.accepted[seen.id], storm.book
    story = [(each.kind, each.cause, each.rank) for each in client.workloads.events(seen.id)]
    assert seen.state in sort.ends, (seen.name, seen.state, seen.cause, seen.message, story)
    ends = [kind for kind, _, rank in story if rank is None and kind in ENDING]
    assert len(ends) == 1, story
    page = book / seen.id
    lines = Counter(page.read_text().splitlines() if page.exists() else [])
    assert not lines or max(lines.values()) == 1, ("started twice", seen.name, lines, story)
    ranks = range(seen.replicas.total)
    if not sort.cancelled:
        started = {f"start {attempt + 1} {r}" for attempt in range(sort.attempts) for r in ranks}
        assert {line for line in lines if line.startswith("start")} == started, (seen.name, story)
        assert seen.attempt == sort.attempts
    if seen.state == "succeeded":
        for rank in ranks:
            assert f"end {sort.attempts} {rank}" in lines, (seen.name, lines)
            (keeper,) = storm.keepers(seen.replica_list[rank].node)
            text = keeper.client_kept.workloads.logs(seen.id, rank=rank)
            assert text == "begin\nfinish\n", (seen.name, rank, text)
        assert [replica.exit_code for replica in seen.replica_list] == [0 for _ in ranks]
    if seen.state == "failed":
        assert seen.replica_list[0].exit_code == 3
        assert seen.cause == "exit_code"
    for replica in seen.replica_list:
        assert replica.cause != "lost", (seen.name, story)
        if replica.started_at and replica.ended_at:
            lasted = (replica.ended_at - replica.started_at).total_seconds()
            # The process may have ended while no server was there to see it.
            assert replica.usage.cpu_seconds_allocated <= 0.02 * (lasted + 2)


ENDING = ("WorkloadSucceeded", "WorkloadFailed", "WorkloadCancelled")
