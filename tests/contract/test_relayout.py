"""Layouts on both drivers: step by step, killed anywhere, beside work, after others changed it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.keepers import KEEPERS, Keeper
from podium.domain.errors import ConflictError
from podium.domain.layouts import parse_layout
from podium.domain.mig import BOARDS, is_legal
from podium.engines.contract import LayoutAnswer, LayoutOrder, LayoutState
from podium.engines.devices.contract import Driver, key_of
from podium.engines.devices.cutting import Cutter
from podium.engines.devices.known import Known
from podium.engines.devices.listing import Listing
from podium.engines.devices.relayout import Relayout

H100 = BOARDS["H100-80GB"]


class KilledError(BaseException):
    """The server is gone in this moment."""


class Bench:
    """`granted` is the test's to set; `kill_at` counts calls that change something, each killed
    before (even) or after (odd) it was done."""

    def __init__(self, keeper: Keeper, path: Path) -> None:
        self.keeper = keeper
        self.driver: Driver = keeper.driver
        self.path = path / "mig.json"
        self.granted: dict[str, set[str]] = {}
        self.gpu = keeper.driver.gpus()[0].uuid
        self.kill_at: int | None = None
        self.calls = 0
        self._watch("create")
        self._watch("destroy")
        self._watch("mig_mode_set")
        self.next_server()

    def next_server(self) -> None:
        known = Known(self.path, boot="b1", now_ms=lambda: 42)
        cutter = Cutter(lambda: self.driver, lambda: self.granted, known=known)
        self.layouts = Relayout(lambda: self.driver, cutter)
        self.listing = Listing(self.driver, "n1", cutter)

    def step(self, layout: str, **facts: Any) -> LayoutAnswer:
        wanted = tuple(
            (profile.name, start) for profile, start in parse_layout(self.keeper.board, layout)
        )
        return self.layouts.step(LayoutOrder(gpu=self.gpu, wanted=wanted, **facts))

    def reach(self, layout: str, **facts: Any) -> LayoutAnswer:
        for _ in range(40):
            answer = self.step(layout, **facts)
            self.check()
            if answer.state is not LayoutState.CHANGED:
                return answer
        raise AssertionError("it comes to no end")

    def check(self) -> None:
        board = self.keeper.board
        by_key = {key_of(each): each for each in board.profiles}
        placed = [(by_key[each.key], each.start or 0) for each in self.driver.instances(self.gpu)]
        assert is_legal(board, placed)

    @property
    def standing(self) -> str:
        seen = [f"{each.name}@{each.start}" for each in self.driver.instances(self.gpu)]
        return ",".join(seen)

    def uuid(self, start: int) -> str:
        (found,) = (each for each in self.driver.instances(self.gpu) if each.start == start)
        return found.compute[0].uuid

    def drift(self) -> str:
        return self.listing.devices()[0].drift

    def _watch(self, name: str) -> None:
        real: Callable[..., Any] = getattr(self.driver, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            at, self.calls = self.calls, self.calls + 1
            if self.kill_at == 2 * at:
                raise KilledError
            done = real(*arguments, **named)
            if self.kill_at == 2 * at + 1:
                raise KilledError
            return done

        setattr(self.driver, name, watched)


@pytest.fixture(params=["virtual", "nvml"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(KEEPERS[f"{request.param}-{H100.name}"](), tmp_path)


def test_it_turns_mig_on_and_makes_all(bench: Bench) -> None:
    first = bench.step("3g.40gb@4,2x1g.10gb")
    assert (first.state, first.words) == (LayoutState.CHANGED, "Turn MIG on.")
    assert bench.reach("3g.40gb@4,2x1g.10gb").state is LayoutState.STANDS
    assert bench.standing == "1g.10gb@0,1g.10gb@1,3g.40gb@4"
    kept = bench.uuid(4)
    assert bench.reach("3g.40gb@4,2g.20gb@0").state is LayoutState.STANDS
    assert bench.standing == "2g.20gb@0,3g.40gb@4"
    assert bench.uuid(4) == kept
    assert bench.reach("none").state is LayoutState.STANDS
    assert bench.standing == ""


def test_what_is_in_use_is_waited_for(bench: Bench) -> None:
    bench.reach("1g.10gb@0,1g.10gb@5")
    inside = bench.uuid(0)
    bench.keeper.occupy(bench.gpu, inside)
    answer = bench.reach("4g.40gb@0,2g.20gb@4")
    assert answer == LayoutAnswer(
        LayoutState.WAITS,
        "Wait for the work in 1g.10gb at slice 0 to end.",
        (("1g.10gb", 0),),
    )
    assert bench.standing == "1g.10gb@0,2g.20gb@4", "the rest was made"
    assert bench.uuid(0) == inside
    bench.keeper.leave(bench.gpu)
    bench.granted = {inside: {"a"}}  # about to start
    assert bench.reach("4g.40gb@0,2g.20gb@4").state is LayoutState.WAITS
    bench.granted = {}
    held = frozenset({("1g.10gb", 0)})  # placed there a moment ago
    assert bench.reach("4g.40gb@0,2g.20gb@4", held=held).state is LayoutState.WAITS
    assert bench.reach("4g.40gb@0,2g.20gb@4").state is LayoutState.STANDS
    assert bench.standing == "4g.40gb@0,2g.20gb@4"


def test_killed_at_each_step_it_goes_on(bench: Bench) -> None:
    """Before and after every change, while work is on one instance all the time."""
    bench.reach("1g.10gb@0,1g.10gb@1,1g.10gb@6")
    inside = bench.uuid(6)
    bench.keeper.occupy(bench.gpu, inside)
    layouts = ("3g.40gb@0,1g.10gb@4,1g.10gb@6", "7x1g.10gb")
    kill = 0
    for number in range(60):
        bench.calls, bench.kill_at = 0, kill
        killed = False
        try:
            bench.reach(layouts[number % 2])
        except KilledError:
            killed = True
            bench.kill_at = None
            bench.check()
            bench.next_server()
            assert bench.drift() == "", "it was Podium"
        bench.kill_at = None
        assert bench.reach(layouts[number % 2]).state is LayoutState.STANDS
        assert bench.uuid(6) == inside
        assert bench.drift() == ""
        kill += 1
        if not killed:
            break
    assert kill > 10


def test_killed_while_mig_is_turned_on(bench: Bench) -> None:
    bench.kill_at = 1
    with pytest.raises(KilledError):
        bench.step("2x3g.40gb")
    bench.kill_at = None
    bench.next_server()
    assert bench.reach("2x3g.40gb").state is LayoutState.STANDS


def test_what_was_made_by_half_is_made_anew(bench: Bench) -> None:
    bench.reach("1g.10gb@0")
    if not bench.driver.virtual:
        return  # its keeper has no such string
    bench.driver._control.trouble(bench.gpu, half_created=True)  # type: ignore[attr-defined]
    refused = bench.step("3g.40gb@4,1g.10gb@0")
    assert refused.state is LayoutState.REFUSED
    assert "by half" in refused.words
    bench.driver._control.trouble(bench.gpu, half_created=False)  # type: ignore[attr-defined]
    assert bench.reach("3g.40gb@4,1g.10gb@0").state is LayoutState.STANDS


def test_refusals_carry_the_drivers_words(bench: Bench) -> None:
    bench.reach("1g.10gb@0")
    bench.keeper.privilege(False)
    answer = bench.step("3g.40gb@4,1g.10gb@0")
    assert answer.state is LayoutState.REFUSED
    plain = bench.layouts.step(LayoutOrder(gpu=bench.gpu, wanted=(("9g.90gb", 0),)))
    assert (plain.state, plain.words) == (LayoutState.REFUSED, "H100-80GB cannot be cut like that.")
    without = bench.driver.gpus()[2].uuid
    told = bench.layouts.step(LayoutOrder(gpu=without, wanted=()))
    assert told.words == "This GPU has no MIG here."


def test_the_mode_changes_on_an_idle_gpu_only(bench: Bench) -> None:
    bench.granted = {bench.gpu: {"a"}}
    for facts in ({"busy": False}, {"busy": True}):
        with pytest.raises(ConflictError, match=r"GPU is in use\. \(NVML_ERROR_IN_USE\)"):
            bench.layouts.mode(bench.gpu, enabled=True, **facts)
        bench.granted = {}
    assert bench.step("1g.10gb@0", busy=True).state is LayoutState.WAITS
    assert not bench.driver.mig_mode(bench.gpu).pending, "nobody is surprised later"
    bench.layouts.mode(bench.gpu, enabled=True, busy=False)
    bench.reach("1g.10gb@0,3g.40gb@4")
    bench.drift()
    bench.keeper.occupy(bench.gpu, bench.uuid(0))
    with pytest.raises(ConflictError, match="IN_USE"):
        bench.layouts.mode(bench.gpu, enabled=False, busy=False)
    assert bench.standing == "1g.10gb@0,3g.40gb@4"
    bench.keeper.leave(bench.gpu)
    bench.layouts.mode(bench.gpu, enabled=False, busy=False)
    assert not bench.driver.mig_mode(bench.gpu).current
    assert bench.drift() == ""
    with pytest.raises(ConflictError, match="NOT_SUPPORTED"):
        bench.layouts.mode(bench.driver.gpus()[2].uuid, enabled=True, busy=False)


def test_what_others_change_is_seen_and_repaired(bench: Bench) -> None:
    bench.reach("1g.10gb@0,3g.40gb@4")
    assert bench.drift() == "", "what stands at the first look is expected"
    (small, _) = bench.driver.instances(bench.gpu)
    bench.driver.destroy(bench.gpu, small.id)  # somebody uses nvidia-smi
    two = H100.profile("2g.20gb")
    assert two is not None
    bench.driver.create(bench.gpu, key_of(two), 0)
    assert bench.drift() == "1g.10gb at slice 0 vanished, 2g.20gb at slice 0 appeared"
    bench.next_server()
    assert bench.drift() == "1g.10gb at slice 0 vanished, 2g.20gb at slice 0 appeared"
    device = bench.listing.devices()[0]
    assert device.drift_at_ms == 42
    assert bench.reach("1g.10gb@0,3g.40gb@4").state is LayoutState.STANDS
    assert bench.standing == "1g.10gb@0,3g.40gb@4"
    assert bench.drift().startswith("1g.10gb at slice 0 vanished"), "the last change of others"
