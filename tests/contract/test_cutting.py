"""Instances for work, on both drivers: made where they are missing, at the cost of idle ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from contract.keepers import KEEPERS, Keeper
from podium.domain.errors import TemporaryError
from podium.domain.mig import BOARDS, is_legal, layouts
from podium.engines.contract import MisplacedError
from podium.engines.devices.boards import virtual_boards
from podium.engines.devices.contract import Driver, Instance, key_of
from podium.engines.devices.cutting import UNFIT_SECONDS, Cutter, Slot
from podium.engines.devices.errors import DriverError, DriverTimeoutError, NotReadyError
from podium.engines.devices.listing import Listing
from podium.engines.devices.trouble import Control
from podium.engines.devices.virtual import VirtualDriver

H100 = BOARDS["H100-80GB"]


class Bench:
    """A cutter over a keeper; `granted` and `seconds` are the test's to set."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.driver: Driver = keeper.driver
        self.granted: dict[str, set[str]] = {}
        self.seconds = 0.0
        self.gpu = keeper.driver.gpus()[0].uuid
        self.driver.mig_mode_set(self.gpu, enabled=True)
        self.cutter = self.next_server()

    def next_server(self) -> Cutter:
        return Cutter(lambda: self.driver, lambda: self.granted, lambda: self.seconds)

    def slot(self, profile: str, start: int, **facts: bool) -> Slot:
        board = self.keeper.board.name
        return Slot(gpu=self.gpu, index=0, board=board, profile=profile, start=start, **facts)

    def realise(self, owner: str, profile: str, start: int, **facts: bool) -> str:
        uuid = self.cutter.realise(owner, self.slot(profile, start, **facts))
        self.granted.setdefault(uuid, set()).add(owner)
        return uuid

    @property
    def standing(self) -> list[tuple[str, int | None]]:
        return [(each.name, each.start) for each in self.driver.instances(self.gpu)]

    def seen(self) -> list[tuple[str, int, bool]]:
        device = Listing(self.driver, "n1", self.cutter).devices()[0]
        return [(each.profile, each.start, each.busy) for each in device.instances]


@pytest.fixture(params=["virtual", "nvml"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(KEEPERS[f"{request.param}-{H100.name}"]())


def test_what_stands_idle_is_used_and_named(bench: Bench) -> None:
    first = bench.realise("a", "1g.10gb", 6)
    assert bench.realise("a", "1g.10gb", 6) == first, "the next server asks again"
    assert first.startswith("MIG-")
    bench.granted.clear()
    assert bench.realise("b", "1g.10gb", 6) == first
    assert bench.standing == [("1g.10gb", 6)]


def test_only_what_is_in_the_way_ends(bench: Bench) -> None:
    for owner, profile, start in (("a", "1g.10gb", 0), ("b", "1g.10gb", 1), ("c", "2g.20gb", 4)):
        bench.realise(owner, profile, start)
    bench.keeper.occupy(bench.gpu, bench.realise("d", "1g.10gb", 6))
    bench.granted.clear()
    bench.realise("e", "2g.20gb", 0)
    assert bench.standing == [("2g.20gb", 0), ("2g.20gb", 4), ("1g.10gb", 6)]


def test_what_is_in_use_never_ends(bench: Bench) -> None:
    held = bench.realise("a", "1g.10gb", 0)
    with pytest.raises(MisplacedError, match=r"2g\.20gb at slice 0 of GPU 0 cannot be made"):
        bench.realise("b", "2g.20gb", 0)
    bench.granted.clear()
    bench.keeper.occupy(bench.gpu, held)  # somebody else came
    with pytest.raises(MisplacedError, match="in use"):
        bench.realise("b", "1g.10gb", 0)
    assert bench.standing == [("1g.10gb", 0)]
    assert bench.seen() == [("1g.10gb", 0, True)]
    bench.keeper.leave(bench.gpu)
    assert bench.seen() == [("1g.10gb", 0, False)]


def test_work_of_ones_own_is_not_busy_until_it_is_in_the_way(bench: Bench) -> None:
    """An allocation that the store does not know of must not be planned over for ever."""
    uuid = bench.realise("a", "3g.40gb", 0)
    bench.keeper.occupy(bench.gpu, uuid)
    assert bench.seen() == [("3g.40gb", 0, False)]
    with pytest.raises(MisplacedError):
        bench.realise("b", "3g.40gb", 0)
    assert bench.seen() == [("3g.40gb", 0, True)]
    bench.granted.clear()
    bench.keeper.leave(bench.gpu)
    assert bench.seen() == [("3g.40gb", 0, False)]


def test_a_pinned_layout_stays(bench: Bench) -> None:
    bench.realise("a", "1g.10gb", 0)
    bench.granted.clear()
    assert bench.realise("b", "1g.10gb", 0, pinned=True)
    bench.granted.clear()
    for profile, start in (("1g.10gb", 1), ("2g.20gb", 0)):
        with pytest.raises(MisplacedError, match="pinned"):
            bench.realise("c", profile, start, pinned=True)
    assert bench.standing == [("1g.10gb", 0)]


def test_a_gpu_out_of_mig_mode_is_told(bench: Bench) -> None:
    bench.driver.mig_mode_set(bench.gpu, enabled=False)
    with pytest.raises(MisplacedError, match="GPU 0 is not in MIG mode any more"):
        bench.realise("a", "1g.10gb", 0)
    with pytest.raises(MisplacedError):
        bench.cutter.realise("a", replace(bench.slot("9g.99gb", 0), board="H100-80GB"))


class Failing:
    """A driver whose next calls of one name fail, before or after they were done."""

    def __init__(self, driver: Driver, call: str, error: DriverError, *, after: bool) -> None:
        self._driver, self._call, self._error, self._after = driver, call, error, after

    def __getattr__(self, name: str) -> object:
        found = getattr(self._driver, name)
        if name != self._call:
            return found

        def failing(*args: object) -> Instance:
            if self._after:
                found(*args)
            raise self._error

        return failing


@pytest.mark.parametrize("call", ["destroy", "create"])
@pytest.mark.parametrize("after", [False, True])
def test_a_server_that_dies_between_two_steps(bench: Bench, call: str, after: bool) -> None:
    """The next one goes on from what stands, whatever was done."""
    kept = bench.realise("kept", "3g.40gb", 4)
    bench.realise("old", "1g.10gb", 0)
    bench.realise("old", "1g.10gb", 1)
    bench.granted = {kept: {"kept"}}
    driver = bench.driver
    bench.driver = Failing(driver, call, NotReadyError(), after=after)  # type: ignore[assignment]
    with pytest.raises(TemporaryError, match=r"GPU 0: .*NVML_ERROR_NOT_READY"):
        bench.cutter.realise("new", bench.slot("4g.40gb", 0))
    bench.driver = driver
    bench.cutter = bench.next_server()
    uuid = bench.realise("new", "4g.40gb", 0)
    assert bench.standing == [("4g.40gb", 0), ("3g.40gb", 4)]
    assert uuid != kept


def test_half_of_an_instance_is_made_anew() -> None:
    control = Control()
    driver = VirtualDriver(virtual_boards("H100:mig", "H100"), node="n1", control=control)
    driver.open()
    cutter = Cutter(lambda: driver, dict)
    gpu = driver.gpus()[0].uuid
    slot = Slot(gpu=gpu, index=0, board=H100.name, profile="1g.10gb", start=0)
    control.trouble(gpu, half_created=True)
    with pytest.raises(TemporaryError, match="made by half"):
        cutter.realise("a", slot)
    control.mend(gpu)
    assert cutter.realise("a", slot)
    assert [each.start for each in driver.instances(gpu)] == [0]


def test_a_gpu_that_refuses_again_and_again_rests(bench: Bench) -> None:
    driver = bench.driver
    bench.driver = Failing(driver, "create", DriverTimeoutError(), after=False)  # type: ignore[assignment]
    kinds = []
    for _ in range(3):
        with pytest.raises((TemporaryError, MisplacedError)) as caught:
            bench.realise("a", "1g.10gb", 0)
        kinds.append(caught.type)
    assert kinds == [TemporaryError, TemporaryError, MisplacedError]
    bench.driver = driver
    device = Listing(driver, "n1", bench.cutter).devices()[0]
    assert not device.healthy
    assert device.fault.startswith("No MIG instance could be made on it: ")
    assert "NVML_ERROR_TIMEOUT" in device.fault
    bench.seconds += UNFIT_SECONDS
    assert Listing(driver, "n1", bench.cutter).devices()[0].healthy


def test_without_the_privilege_the_gpu_takes_no_more(bench: Bench) -> None:
    bench.keeper.privilege(False)
    with pytest.raises(MisplacedError, match="NVML_ERROR_NO_PERMISSION"):
        bench.realise("a", "1g.10gb", 0)
    bench.seconds += 100 * UNFIT_SECONDS
    assert "root" in bench.cutter.fault(bench.gpu)


def every_step() -> Iterator[tuple[tuple[tuple[str, int], ...], tuple[str, int]]]:
    """Some full layouts of the board, each with an instance that is wanted instead."""
    full = [tuple(layout) for layout in layouts(H100)]
    wanted = [(each.name, start) for each in H100.profiles for start in each.starts]
    for number, layout in enumerate(full[:: max(1, len(full) // 40)]):
        standing = tuple((profile.name, start) for profile, start in layout)
        yield standing, wanted[number % len(wanted)]


@pytest.mark.parametrize(("layout", "wanted"), list(every_step()))
def test_from_any_layout_to_any_instance(
    layout: tuple[tuple[str, int], ...], wanted: tuple[str, int]
) -> None:
    """With all idle it can always be made, and as much as may stays."""
    bench = Bench(KEEPERS[f"virtual-{H100.name}"]())
    for name, start in layout:
        profile = H100.profile(name)
        assert profile is not None
        bench.driver.create(bench.gpu, key_of(profile), start)
    before = bench.standing
    bench.realise("a", *wanted)
    after = bench.standing
    assert wanted in after
    ended = [each for each in before if each not in after]

    def placed(slots: list[tuple[str, int | None]]) -> list[tuple[object, int]]:
        return [(H100.profile(name), start or 0) for name, start in slots]

    for each in ended:
        assert not is_legal(H100, placed([*after, each])), f"{each} could have stayed"  # type: ignore[arg-type]
