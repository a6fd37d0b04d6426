"""Several logs read as one: both directions agree, nothing is lost, and search finds it all."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.api import log_lines
from podium.api.log_lines import Budget, Line, Log, Needle
from podium.api.log_pages import page_after, page_around, page_before, places_of, token
from podium.domain.allocation import Allocation
from podium.domain.errors import NotFoundError
from podium.domain.lifecycle import ReplicaState
from podium.engines.contract import Engine, LogChunk
from podium.engines.logs.reader import LogReader
from podium.engines.logs.writer import segment_name

pytestmark = pytest.mark.anyio

Written = tuple[int, str]
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)


class Folders:
    """The reading half of the local engine, over segments that a test writes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._reader = LogReader()

    def write(self, rank: int, lines: list[Written], *, start: int = 0) -> Log:
        folder = self._root / f"a-{rank}"
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{at_ms} o {words}\n" for at_ms, words in lines)
        (folder / segment_name(start)).write_bytes(text.encode())
        return self.log(rank)

    def log(self, rank: int) -> Log:
        held = Allocation(
            id=f"a-{rank}", workload_id="w", project="p", rank=rank, attempt=1, node="n",
            state=ReplicaState.RUNNING, cpu_milli=1, memory_bytes=1, devices=(), created_at_ms=0,
        )  # fmt: skip
        return Log(cast(Engine, self), held)

    async def read_log(self, allocation_id: str, *, offset: int, limit_bytes: int) -> LogChunk:
        try:
            return self._reader.read(
                allocation_id,
                str(self._root / allocation_id),
                offset=offset,
                limit_bytes=limit_bytes,
                end=None,
            )
        except FileNotFoundError:
            raise NotFoundError("There is no such log.") from None


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.setattr(log_lines, "BLOCK_BYTES", 256)
    return Folders(tmp_path)


def places(lines: list[Line]) -> list[tuple[int, int]]:
    return [(each.rank, each.offset) for each in lines]


async def all_forward(logs: list[Log], limit: int) -> list[Line]:
    lines: list[Line] = []
    newer = ""
    while True:
        page = await page_after(logs, places_of(newer), limit)
        lines += page.items
        newer = page.newer
        if page.at_end:
            return lines


async def all_backward(logs: list[Log], limit: int) -> list[Line]:
    page = await page_before(logs, None, limit)
    lines = page.items
    while page.older is not None:
        page = await page_before(logs, places_of(page.older), limit)
        lines = page.items + lines
    return lines


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    wrote=st.lists(st.lists(st.tuples(st.integers(1, 60), texts), max_size=40), max_size=4),
    limit=st.integers(1, 50),
)
async def test_both_directions_read_every_line_once_in_the_order_of_time(
    tmp_path_factory: pytest.TempPathFactory, wrote: list[list[Written]], limit: int
) -> None:
    folders = Folders(tmp_path_factory.mktemp("logs"))
    logs = [folders.write(rank, sorted(lines)) for rank, lines in enumerate(wrote)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "BLOCK_BYTES", 256)
        forward = await all_forward(logs, limit)
        backward = await all_backward(logs, limit)
    for lines in (forward, backward):
        assert [each.at_ms for each in lines] == sorted(at for each in wrote for at, _ in each)
        for rank, each in enumerate(wrote):
            assert [line.text for line in lines if line.rank == rank] == [
                words for _, words in sorted(each)
            ]
    assert sorted(places(forward)) == sorted(places(backward))


async def test_search_finds_whatever_case_and_colour_it_has(folders: Folders) -> None:
    lines = [(at, f"step {at}") for at in range(100)]
    lines[40] = (40, "\x1b[31mLo\x1b[1mss\x1b[0m is nan")
    lines[7] = (7, "LOSS 2")
    logs = [folders.write(0, lines), folders.write(1, [(8, "loss"), (9, "[31 m")])]
    page = await page_before(logs, None, 10, needle=Needle("loss"), budget=Budget(10**9))
    assert [(each.rank, each.at_ms) for each in page.items] == [(0, 7), (1, 8), (0, 40)]
    assert page.older is None
    nothing = await page_before(logs, None, 10, needle=Needle("[31m"), budget=Budget(10**9))
    assert nothing.items == []


async def test_a_search_that_has_read_enough_says_where_it_goes_on(folders: Folders) -> None:
    logs = [folders.write(rank, [(at, f"line {at}") for at in range(200)]) for rank in range(2)]
    found: list[Line] = []
    older: str | None = None
    asked = 0
    while older is not None or asked == 0:
        page = await page_before(
            logs,
            places_of(older) if older is not None else None,
            10,
            needle=Needle("line 7"),
            budget=Budget(500),
        )
        assert page.searched_bytes < 1500
        found += page.items
        older, asked = page.older, asked + 1
    assert asked > 2
    expected = [at for at in range(200) if f"line {at}".startswith("line 7")]
    assert sorted((each.rank, each.at_ms) for each in found) == [
        (rank, at) for rank in range(2) for at in expected
    ]


async def test_a_page_around_a_line_has_it_in_the_middle(folders: Folders) -> None:
    logs = [
        folders.write(rank, [(10 * at + rank, f"line {at}") for at in range(200)])
        for rank in range(3)
    ]
    lines = await all_forward(logs, 1000)
    wanted = next(each for each in lines if each.rank == 1 and each.text == "line 120")
    page = await page_around(logs, "1.1", wanted.offset, 20)
    assert page is not None
    assert page.items[10] == wanted
    assert places(page.items) == places(lines)[350 + 1 : 371]
    assert (await page_after(logs, places_of(page.newer), 1)).items == [lines[371]]
    assert await page_around(logs, "7.1", 0, 20) is None
    # Between two lines, the next one is meant.
    torn = await page_around(logs, "1.1", wanted.offset - 1, 20)
    assert torn is not None
    assert torn.items[10] == wanted


async def test_what_is_gone_stands_as_a_line(folders: Folders) -> None:
    first = folders.write(0, [(at, f"line {at}") for at in range(60)], start=5000)
    lines = await all_backward([first], 25)
    assert [each.stream for each in lines] == ["podium"] + ["out"] * 60
    assert lines[0].text == "[5,000 bytes of this log are gone]"
    forward = await all_forward([first], 25)
    assert [each.text for each in forward] == [each.text for each in lines]
    after = sum(len(f"{at} o line {at}\n") for at in range(60)) + 5000
    folders.write(0, [(99, "later")], start=after + 300)
    both = await all_backward([folders.log(0)], 25)
    assert both[-1].text == "later"
    assert both[-2].text == "[300 bytes of this log are gone]"
    assert len(both) == 63


async def test_a_log_that_is_not_there_yet_is_empty(folders: Folders) -> None:
    page = await page_before([folders.log(3)], None, 10)
    assert (page.items, page.older, page.newer) == ([], None, "3.1@0")


def test_places_that_nobody_wrote_are_left_out() -> None:
    assert places_of(token({"0.1": 5, "12.3": 0})) == {"0.1": 5, "12.3": 0}
    assert places_of("x,1@,@4,2@-1,3@" + "9" * 30) == {"": 4}
