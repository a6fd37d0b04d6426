"""The compliance report against a naive reading of the same history: it finds each planted
violation and invents none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from podium.domain.audit import Link
from podium.domain.compliance import Report, Wanted
from podium.domain.data import Classification

POOLS = ("", "a", "b")
SOURCES = ("s", "vision/t")
CLASSES = tuple(map(str, Classification))
REGIONS = ("eu", "us")


def link(seq: int, action: str, subject: str, detail: object, project: str = "vision") -> Link:
    text = json.dumps(detail)
    return (seq, seq * 1000, "ada", action, subject, project, "allowed", text, "", "", "", "", b"")


steps = st.one_of(
    st.tuples(
        st.just("pool"),
        st.sampled_from(POOLS[1:]),
        st.none()
        | st.tuples(st.sampled_from(("", *REGIONS)), st.sets(st.sampled_from(CLASSES[2:]))),
    ),
    st.tuples(
        st.just("source"),
        st.sampled_from(SOURCES),
        st.none() | st.tuples(st.sampled_from(CLASSES), st.sets(st.sampled_from(REGIONS))),
    ),
    st.tuples(st.just("grant"), st.sampled_from(SOURCES), st.none() | st.booleans()),
    st.tuples(
        st.just("mount"),
        st.sampled_from(SOURCES),
        st.tuples(
            st.sampled_from(POOLS), st.sampled_from(CLASSES), st.sampled_from(("ro", "rw")),
            st.sampled_from(("owner", "project vision")),
        ),
    ),
    st.tuples(
        st.just("run"), st.just("w"), st.tuples(st.sampled_from(POOLS), st.sampled_from(CLASSES))
    ),
    st.tuples(st.just("exposed"), st.just("w"), st.sampled_from(CLASSES)),
)  # fmt: skip


@dataclass
class Oracle:
    """Looks everything up from the beginning, again for each use."""

    past: list[tuple[str, str, Any]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    wrong: list[tuple[int, str]] = field(default_factory=list)
    uses: int = 0

    def last(self, kind: str, name: str) -> Any:
        found = [value for what, which, value in self.past if (what, which) == (kind, name)]
        return found[-1] if found else None

    def granted(self, source: str) -> bool | None:
        held: bool | None = None
        stands = False
        for what, which, value in self.past:
            if which != source:
                continue
            if what == "source":
                if value is None or not stands:
                    held = None
                stands = value is not None
            elif what == "grant":
                held = value
        return held

    def step(self, what: str, name: str, value: Any) -> None:
        seq = len(self.links) + 1
        if what == "pool":
            after = value and {"region": value[0], "approved_for": sorted(value[1])}
            detail: Any = {"before": None, "after": after}
            self.links.append(link(seq, "pool:set", name, detail))
        elif what == "source":
            after = value and {"classification": value[0], "regions": sorted(value[1])}
            before = {} if self.last("source", name) else None
            detail = {"before": before, "after": after}
            self.links.append(link(seq, "data:administer", name, detail))
        elif what == "grant":
            after = None if value is None else {"write": value}
            detail = {"right": "project vision", "before": None, "after": after}
            self.links.append(link(seq, "data:grant", name, detail))
        elif what == "mount":
            pool, recorded, mode, right = value
            detail = {"workload": "w", "node": "n", "pool": pool, "class": recorded, "mode": mode,
                      "right": right, "ranks": [0]}  # fmt: skip
            self.links.append(link(seq, "data:mount", name, detail))
            self._judge(seq, name, pool, recorded)
            writes = mode == "rw"
            held = self.granted(name)
            fine = name.startswith("vision/") if right == "owner" else held or held is writes
            if not fine:
                self.wrong.append((seq, "grant"))
        elif what == "run":
            pool, recorded = value
            detail = {"node": "n", "pool": pool, "class": recorded, "ranks": [0]}
            self.links.append(link(seq, "data:run", name, detail))
            self._judge(seq, "", pool, recorded)
        else:
            self.links.append(link(seq, "data:exposed", name, {"node": "n", "class": value}))
            self.wrong.append((seq, "exposed"))
        self.past.append((what, name, value))

    def _judge(self, seq: int, source: str, pool: str, recorded: str) -> None:
        self.uses += 1
        region, approved = self.last("pool", pool) or ("", set())
        actual, regions = recorded, set()
        about = self.last("source", source)
        if about:
            regions = about[1]
            if CLASSES.index(about[0]) > CLASSES.index(recorded):
                actual = about[0]
                self.wrong.append((seq, "class"))
        if actual in ("restricted", "phi") and actual not in approved:
            self.wrong.append((seq, "pool"))
        if regions and region not in regions:
            self.wrong.append((seq, "region"))


def told(history: list[tuple[str, str, Any]]) -> Oracle:
    oracle = Oracle()
    for each in history:
        oracle.step(*each)
    return oracle


@given(st.lists(steps, max_size=40), st.integers(1, 7))
def test_it_finds_each_violation_and_invents_none(
    history: list[tuple[str, str, Any]], piece: int
) -> None:
    oracle = told(history)
    report = Report()
    for start in range(0, len(oracle.links), piece):
        report.take(oracle.links[start : start + piece])
    found = sorted((each.seq, each.kind.value) for each in report.findings)
    assert found == sorted(oracle.wrong)
    assert (report.accesses, report.violations, report.unproven) == (
        oracle.uses, len(oracle.wrong), 0,
    )  # fmt: skip
    flagged = {seq for seq, kind in oracle.wrong if kind != "exposed"}
    assert {each.seq for each in report.items if each.verdict == "violation"} == flagged


@given(st.lists(steps, max_size=30), st.integers(0, 30))
def test_what_was_removed_makes_nothing_a_violation_that_was_none(
    history: list[tuple[str, str, Any]], removed: int
) -> None:
    oracle = told(history)
    report = Report(whole=removed == 0)
    report.take(oracle.links[removed:])
    found = {(each.seq, each.kind.value) for each in report.findings if each.kind != "unproven"}
    assert found <= set(oracle.wrong)


@given(st.lists(steps, max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_a_span_tells_of_its_own_uses_by_what_held_before(
    history: list[tuple[str, str, Any]], first: int, last: int
) -> None:
    oracle = told(history)
    report = Report(wanted=Wanted(since_ms=first * 1000, until_ms=last * 1000))
    report.take(oracle.links)
    wanted = [(seq, kind) for seq, kind in oracle.wrong if first <= seq < last]
    assert sorted((each.seq, each.kind.value) for each in report.findings) == sorted(wanted)


def test_entries_that_cannot_be_read_do_not_hide_a_use() -> None:
    report = Report()
    broken: Link = (1, 1, "a", "data:mount", "s", "p", "allowed", "{not json", "", "", "", "", b"")
    report.take([broken])
    assert (report.accesses, report.violations) == (1, 1)
