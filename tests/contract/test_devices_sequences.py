"""Any sequence of calls on the virtual driver leaves what a brute-force model of a GPU says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from contract.keepers import PID
from podium.domain.mig import BOARDS, Board
from podium.engines.devices.boards import VirtualBoard
from podium.engines.devices.contract import ProfileKey, key_of
from podium.engines.devices.errors import DriverError
from podium.engines.devices.trouble import Control
from podium.engines.devices.virtual import VirtualDriver

GPUS = 2
T = TypeVar("T")


@dataclass
class Model:
    """One GPU, each memory slice by itself. `lies` is who lies on which slice."""

    board: Board
    mig: bool = False
    pending: bool = False
    lies: list[str | None] = field(default_factory=list)
    keys: dict[str, tuple[ProfileKey, int]] = field(default_factory=dict)  # by UUID
    busy: set[str] = field(default_factory=set)
    lost: bool = False

    def __post_init__(self) -> None:
        self.lies = [None] * self.board.memory_slices

    def refusal(self, key: ProfileKey, start: int) -> str | None:
        """The name of the error with which making it must fail."""
        if self.lost:
            return "NVML_ERROR_GPU_IS_LOST"
        profile = next((one for one in self.board.profiles if key_of(one) == key), None)
        if not self.mig or profile is None:
            return "NVML_ERROR_NOT_SUPPORTED"
        if start not in profile.starts:
            return "NVML_ERROR_INVALID_ARGUMENT"
        wanted = self.lies[start : start + key.memory_slices]
        same = sum(other == key for other, _ in self.keys.values())
        media = sum(other.media for other, _ in self.keys.values())
        full = same >= profile.max_instances or (key.media and media > 0)
        if any(each is not None for each in wanted) or full:
            return "NVML_ERROR_INSUFFICIENT_RESOURCES"
        return None


def tried(call: Callable[[], T]) -> tuple[T | None, str | None]:
    """What it gave, or the name of the error."""
    try:
        return call(), None
    except DriverError as error:
        return None, error.name


class Sequences(RuleBasedStateMachine):
    instances = Bundle("instances")
    uuids: Sequence[str] = ()
    models: Sequence[Model] = ()

    @initialize(names=st.lists(st.sampled_from(sorted(BOARDS)), min_size=GPUS, max_size=GPUS))
    def begin(self, names: list[str]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.control = Control()
        self.boot = "b0"
        self.ever: set[str] = set()
        self.boards = [
            VirtualBoard(
                type=name.split("-")[0], memory_bytes=BOARDS[name].memory_bytes, board=BOARDS[name]
            )
            for name in names
        ]
        self.models = [Model(BOARDS[name]) for name in names]
        self.started()
        for at in range(GPUS):
            self.mode(at, enabled=True)

    def started(self) -> None:
        path = Path(self.folder.name) / "state.json"
        self.driver = VirtualDriver(
            self.boards, node="n", path=path, control=self.control, boot=self.boot
        )
        self.driver.open()
        self.uuids = [gpu.uuid for gpu in self.driver.gpus()]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def told(self) -> None:
        """The processes of the model onto the driver's GPUs."""
        for uuid, model in zip(self.uuids, self.models, strict=True):
            self.control.trouble(uuid, lost=model.lost, processes=dict.fromkeys(model.busy, (PID,)))

    @rule(target=instances, at=st.integers(0, GPUS - 1), data=st.data())
    def create(self, at: int, data: st.DataObject) -> object:
        model = self.models[at]
        keys = [key_of(one) for one in model.board.profiles]
        key = data.draw(st.sampled_from([*keys, ProfileKey(5, 5)]))
        starts = [s for one in model.board.profiles if key_of(one) == key for s in one.starts]
        start = data.draw(st.sampled_from(starts) if starts else st.just(0)) + data.draw(
            st.sampled_from([0, 0, 0, 0, 1])
        )
        refusal = model.refusal(key, start)
        made, refused = tried(lambda: self.driver.create(self.uuids[at], key, start))
        assert refused == refusal
        if made is None:
            return multiple()
        uuid = made.compute[0].uuid
        assert uuid not in self.ever
        self.ever.add(uuid)
        model.keys[uuid] = (key, start)
        for each in range(start, start + key.memory_slices):
            model.lies[each] = uuid
        return (at, uuid, made.id)

    @rule(made=instances)
    def destroy(self, made: tuple[int, str, int]) -> None:
        at, uuid, number = made
        model = self.models[at]
        if uuid not in model.keys:
            number = 99  # its id may be another's by now
        _, refused = tried(lambda: self.driver.destroy(self.uuids[at], number))
        if model.lost:
            assert refused == "NVML_ERROR_GPU_IS_LOST"
        elif number == 99:
            assert refused == "NVML_ERROR_NOT_FOUND"
        elif uuid in model.busy:
            assert refused == "NVML_ERROR_IN_USE"
        else:
            assert refused is None
            del model.keys[uuid]
            model.lies = [None if each == uuid else each for each in model.lies]

    @rule(at=st.integers(0, GPUS - 1), enabled=st.booleans())
    def mode(self, at: int, enabled: bool) -> None:
        model = self.models[at]
        _, refused = tried(lambda: self.driver.mig_mode_set(self.uuids[at], enabled=enabled))
        if model.lost:
            assert refused == "NVML_ERROR_GPU_IS_LOST"
        elif model.mig != enabled and (model.keys or model.busy):
            assert refused == "NVML_ERROR_IN_USE"
            if not model.keys:
                model.pending = enabled
        else:
            assert refused is None
            model.mig = model.pending = enabled

    @rule(made=instances, busy=st.booleans())
    def use(self, made: tuple[int, str, int], busy: bool) -> None:
        at, uuid, _ = made
        if uuid in self.models[at].keys:
            self.models[at].busy -= {uuid}
            self.models[at].busy |= {uuid} if busy else set()
            self.told()

    @rule(at=st.integers(0, GPUS - 1), busy=st.booleans())
    def use_whole(self, at: int, busy: bool) -> None:
        if not self.models[at].mig:
            self.models[at].busy = {self.uuids[at]} if busy else set()
            self.told()

    @rule(at=st.integers(0, GPUS - 1), lost=st.sampled_from([True, False, False]))
    def lose_or_find(self, at: int, lost: bool) -> None:
        self.models[at].lost = lost
        self.told()

    @rule()
    def restart_server(self) -> None:
        self.driver.close()
        self.started()

    @rule()
    def restart_machine(self) -> None:
        self.boot += "x"
        for model, uuid in zip(self.models, self.uuids, strict=True):
            keeps = model.board.name.split("-")[0] in ("A100", "A30")
            model.mig = model.pending = model.pending and keeps
            model.lies = [None] * model.board.memory_slices
            model.keys, model.busy = {}, model.busy & {uuid} if not model.mig else set()
        self.told()
        self.started()

    @invariant()
    def driver_and_model_agree(self) -> None:
        for uuid, model in zip(self.uuids, self.models, strict=True):
            if model.lost:
                continue
            mode = self.driver.mig_mode(uuid)
            assert (mode.current, mode.pending) == (model.mig, model.pending)
            stands = self.driver.instances(uuid)
            assert {one.compute[0].uuid: (one.key, one.start) for one in stands} == model.keys
            assert len({one.id for one in stands}) == len(stands)
            lies: list[str | None] = [None] * model.board.memory_slices
            for one in stands:
                assert one.start is not None
                for each in range(one.start, one.start + one.size):
                    assert lies[each] is None, "two instances on one slice"
                    lies[each] = one.compute[0].uuid
            assert lies == model.lies
            assert model.busy <= {uuid, *model.keys}, "work lost the instance under it"


Sequences.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
TestSequences = Sequences.TestCase
