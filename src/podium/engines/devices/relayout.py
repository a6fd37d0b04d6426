"""Brings a GPU to the layout that an operator wants, one step at a time.

Engines call it from a thread. Nothing is remembered between two steps: each begins with what the
driver says, so it goes on after any crash, and after somebody else changed something.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from podium.domain.errors import ConflictError
from podium.domain.layouts import Act, Standing, Step, placed_of, steps_to
from podium.domain.mig import Board, board_of, is_legal
from podium.engines.contract import LayoutAnswer, LayoutOrder, LayoutState
from podium.engines.devices.contract import Driver, Gpu, Instance, key_of
from podium.engines.devices.cutting import Cutter, is_whole, profile_name
from podium.engines.devices.errors import DriverError, InUseError

_IN_USE = "The GPU is in use"


class Relayout:
    """`cutter` knows who uses what, and keeps others off a GPU meanwhile."""

    def __init__(self, driver: Callable[[], Driver], cutter: Cutter) -> None:
        self._driver = driver
        self._cutter = cutter

    def step(self, order: LayoutOrder) -> LayoutAnswer:
        """The next step towards the layout, and no more."""
        with self._cutter.alone(order.gpu):
            doing = ""
            try:
                driver = self._driver()
                gpu = _gpu(driver, order.gpu)
                board = None if gpu is None else board_of(gpu.name, gpu.memory_bytes)
                if gpu is None or gpu.mig is None or board is None:
                    return LayoutAnswer(LayoutState.REFUSED, "This GPU has no MIG here.")
                wanted = placed_of(board, order.wanted)
                if len(wanted) < len(order.wanted) or not is_legal(board, wanted):
                    words = f"{board.name} cannot be cut like that."
                    return LayoutAnswer(LayoutState.REFUSED, words)
                if not driver.mig_mode(gpu.uuid).current:
                    doing = str(Step(Act.TURN_ON))
                    return self._turned_on(driver, gpu, busy=order.busy or bool(order.held))
                standing = driver.instances(gpu.uuid)
                seen = self._seen(driver, board, standing, order)
                steps = steps_to(board, seen, wanted)
                if not steps:
                    return LayoutAnswer(LayoutState.STANDS)
                doing = str(steps[0])
                if steps[0].act is Act.WAIT:
                    blocked = [each for each in steps if each.act is Act.WAIT]
                    return LayoutAnswer(
                        LayoutState.WAITS,
                        doing,
                        tuple((each.profile, each.start) for each in blocked),
                    )
                self._do(driver, board, gpu.uuid, steps[0], standing)
            except InUseError as error:
                return LayoutAnswer(LayoutState.WAITS, _words(doing, error))
            except DriverError as error:
                return LayoutAnswer(LayoutState.REFUSED, _words(doing, error))
            return LayoutAnswer(LayoutState.CHANGED, doing)

    def mode(self, gpu: str, *, enabled: bool, busy: bool) -> None:
        """Turn MIG on or off. Raises ConflictError."""
        with self._cutter.alone(gpu):
            try:
                driver = self._driver()
                if driver.mig_mode(gpu).current == enabled:
                    return
                self._set_mode(driver, gpu, enabled=enabled, busy=busy)
            except DriverError as error:
                raise ConflictError(_words("", error)) from error

    def _turned_on(self, driver: Driver, gpu: Gpu, *, busy: bool) -> LayoutAnswer:
        self._set_mode(driver, gpu.uuid, enabled=True, busy=busy)
        return LayoutAnswer(LayoutState.CHANGED, str(Step(Act.TURN_ON)))

    def _set_mode(self, driver: Driver, gpu: str, *, enabled: bool, busy: bool) -> None:
        # A driver that is asked while work is on the GPU keeps the wish, and may fulfil it later,
        # when nobody expects that any more. So it is not asked.
        standing = driver.instances(gpu)
        if busy or self._cutter.holds(gpu) or driver.processes(gpu):
            raise InUseError(f"{_IN_USE}.")
        used = self._cutter.used(driver, gpu, standing)
        if used:
            raise InUseError(f"{_IN_USE}.")
        seen = _gpu(driver, gpu)
        board = None if seen is None else board_of(seen.name, seen.memory_bytes)
        for each in standing:
            if board is None:
                driver.destroy(gpu, each.id)
            else:
                self._cutter.end(driver, board, each)
        driver.mig_mode_set(gpu, enabled=enabled)

    def _seen(
        self, driver: Driver, board: Board, standing: Collection[Instance], order: LayoutOrder
    ) -> list[Standing]:
        used = self._cutter.used(driver, order.gpu, tuple(standing))
        found = []
        for each in standing:
            if each.start is None:
                raise DriverError("The driver does not tell where instances lie.")
            name = profile_name(board, each)
            profile = board.profile(name)
            known = profile is not None and key_of(profile) == each.key
            found.append(
                Standing(
                    name=name,
                    start=each.start,
                    size=each.size,
                    profile=profile if known else None,
                    in_use=each.id in used or (name, each.start) in order.held,
                    whole=is_whole(each),
                )
            )
        return found

    def _do(
        self,
        driver: Driver,
        board: Board,
        gpu: str,
        step: Step,
        standing: Collection[Instance],
    ) -> None:
        if step.act is Act.END:
            gone = next(
                each
                for each in standing
                if (profile_name(board, each), each.start) == (step.profile, step.start)
            )
            self._cutter.end(driver, board, gone)
            return
        profile = board.profile(step.profile)
        assert profile is not None, "a step makes only what the board has"
        self._cutter.make(driver, gpu, profile, step.start)


def _gpu(driver: Driver, uuid: str) -> Gpu | None:
    return next((each for each in driver.gpus() if each.uuid == uuid), None)


def _words(doing: str, error: DriverError) -> str:
    said = f"{error.message} ({error.name})"
    return f"{doing} {said}" if doing else said
