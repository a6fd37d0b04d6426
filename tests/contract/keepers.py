"""Keepers of the driver contract, each with what a test may do to its machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contract.nvml_standin import StandIn
from podium.domain.mig import BOARDS, Board
from podium.engines.devices.boards import VirtualBoard, board_of_type
from podium.engines.devices.contract import Driver
from podium.engines.devices.nvml import NvmlDriver
from podium.engines.devices.trouble import Control
from podium.engines.devices.virtual import VirtualDriver

PID = 4711


@dataclass(frozen=True)
class Keeper:
    """A driver with two GPUs of `board` and one without MIG, and the strings behind it."""

    driver: Driver
    board: Board
    occupy: Callable[[str, str], None]  # a process comes onto this device of this GPU
    leave: Callable[[str], None]
    privilege: Callable[[bool], None]
    lose: Callable[[str], None]
    xid: Callable[[str, int], None]
    ecc: Callable[[str, int], None]
    pending: Callable[[str], None]  # a new MIG mode waits for a reset


def virtual_keeper(board: Board, path: Path | None = None) -> Keeper:
    control = Control()
    kind = VirtualBoard(type=board.name.split("-")[0], memory_bytes=board.memory_bytes, board=board)
    driver = VirtualDriver(
        [kind, kind, board_of_type("L4")], node="n1", path=path, control=control, boot="b1"
    )
    driver.open()
    return Keeper(
        driver=driver,
        board=board,
        occupy=lambda gpu, uuid: control.trouble(gpu, processes={uuid: (PID,)}),
        leave=lambda gpu: control.trouble(gpu, processes={}),
        privilege=lambda given: control.set(privileged=given),
        lose=lambda gpu: control.trouble(gpu, lost=True),
        xid=lambda gpu, number: control.trouble(gpu, xids=(number,)),
        ecc=lambda gpu, count: control.trouble(gpu, ecc_uncorrected=count),
        pending=lambda gpu: control.trouble(gpu, reset_required=True),
    )


def nvml_keeper(board: Board, library: StandIn | None = None) -> Keeper:
    library = library or StandIn(board, board, plain=1)
    cards = {card.uuid: card for card in library.cards}
    driver = NvmlDriver(library, pci=Path("/nowhere"))
    driver.open()
    return Keeper(
        driver=driver,
        board=board,
        occupy=lambda gpu, uuid: cards[gpu].processes.update({uuid: [PID]}),
        leave=lambda gpu: cards[gpu].processes.clear(),
        privilege=lambda given: setattr(library, "privileged", given),
        lose=lambda gpu: setattr(cards[gpu], "lost", True),
        xid=lambda gpu, number: library.events.append((cards[gpu], number, 0xFFFFFFFF)),
        ecc=lambda gpu, count: setattr(cards[gpu], "ecc", [0, count]),
        pending=lambda gpu: setattr(library, "reset_required", True),
    )


KEEPERS: dict[str, Callable[[], Keeper]] = {
    f"{name}-{board.name}": lambda make=make, board=board: make(board)  # type: ignore[misc]
    for board in BOARDS.values()
    for name, make in (("virtual", virtual_keeper), ("nvml", nvml_keeper))
}
