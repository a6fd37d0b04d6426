"""NVML's driver alone: machines without GPUs, what others did, older libraries, odd answers."""

from __future__ import annotations

from pathlib import Path

import pynvml
import pytest

from contract.keepers import nvml_keeper
from contract.nvml_standin import Made, StandIn
from podium.domain.mig import BOARDS
from podium.engines.devices.contract import NvLink, ProfileKey, Recovery, key_of
from podium.engines.devices.errors import (
    DriverError,
    DriverNotLoadedError,
    GpuNotFoundError,
    InUseError,
    LibraryNotFoundError,
    OperatingSystemError,
    UninitializedError,
    error_of,
)
from podium.engines.devices.health import fault_of
from podium.engines.devices.listing import Listing
from podium.engines.devices.nvml import NvmlDriver

H100 = BOARDS["H100-80GB"]
THREE = ProfileKey(3, 4)


def test_a_machine_without_the_library_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(value: int) -> None:
        raise pynvml.NVMLError(value)

    library = StandIn(H100)
    for value, kind, words in (
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, LibraryNotFoundError, "is not on this machine."),
        (
            pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
            DriverNotLoadedError,
            "is not loaded on this machine",
        ),
    ):
        monkeypatch.setattr(library, "nvmlInit", lambda value=value: refuse(value), raising=False)
        with pytest.raises(kind, match=words):
            NvmlDriver(library).open()
    empty = StandIn()
    with pytest.raises(GpuNotFoundError, match="There is no GPU on this machine"):
        NvmlDriver(empty).open()
    assert empty.opened == 0, "the library was let go"


def test_a_driver_that_is_not_open_says_so() -> None:
    with pytest.raises(UninitializedError):
        NvmlDriver(StandIn(H100)).gpus()


def test_names_and_numbers_are_those_of_the_library() -> None:
    for name, value in vars(pynvml).items():
        if name.startswith("NVML_ERROR_") and isinstance(value, int):
            known = error_of(value)
            assert known.name in (name, "NVML_ERROR_UNKNOWN")
            assert known.value in (value, 999)
            assert type(error_of(name)) is type(known)
    assert "1234" in error_of(1234).message


def test_parts_that_others_made_are_devices_of_their_own() -> None:
    library = StandIn(H100)
    keeper = nvml_keeper(H100, library)
    card = library.cards[0]
    card.mig = [1, 1]
    profile = next(one for one in H100.profiles if key_of(one) == THREE)
    card.instances[2] = Made(2, profile, 4, compute={0: 1, 1: 2}, serial=9)
    (instance,) = keeper.driver.instances(card.uuid)
    assert (instance.id, instance.key, instance.start) == (2, THREE, 4)
    assert [(one.name, one.compute_slices) for one in instance.compute] == [
        ("1c.3g.40gb", 1), ("2c.3g.40gb", 2),
    ]  # fmt: skip
    assert [one.mig_profile for one in Listing(keeper.driver, "n1").devices()] == [
        "1c.3g.40gb", "2c.3g.40gb",
    ]  # fmt: skip
    keeper.privilege(False)
    (seen,) = keeper.driver.instances(card.uuid)
    assert (seen.key, seen.name, seen.start) == (THREE, "3g.40gb", None)
    keeper.privilege(True)
    keeper.occupy(card.uuid, instance.compute[1].uuid)
    with pytest.raises(InUseError):
        keeper.driver.destroy(card.uuid, 2)
    assert keeper.driver.instances(card.uuid) == (instance,), "no part of it was ended"
    keeper.leave(card.uuid)
    keeper.driver.destroy(card.uuid, 2)
    assert card.instances == {}


def test_nothing_is_left_where_the_compute_instance_fails() -> None:
    library = StandIn(H100)
    driver = nvml_keeper(H100, library).driver
    driver.mig_mode_set("GPU-0", enabled=True)
    library.refuse_compute = pynvml.NVML_ERROR_OPERATING_SYSTEM
    with pytest.raises(OperatingSystemError):
        driver.create("GPU-0", THREE, 0)
    assert library.cards[0].instances == {}


def test_an_instance_without_compute_instance_is_seen_and_ended() -> None:
    library = StandIn(H100)
    driver = nvml_keeper(H100, library).driver
    driver.mig_mode_set("GPU-0", enabled=True)
    profile = next(one for one in H100.profiles if key_of(one) == THREE)
    library.cards[0].instances[1] = Made(1, profile, 0)
    (half,) = driver.instances("GPU-0")
    assert half.compute == ()
    driver.destroy("GPU-0", half.id)
    assert driver.instances("GPU-0") == ()


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_older_drivers_tell_no_names(board: str) -> None:
    library = StandIn(BOARDS[board])
    library.old = True
    driver = nvml_keeper(BOARDS[board], library).driver
    assert {one.name for one in driver.profiles("GPU-0")} == {
        one.name for one in BOARDS[board].profiles
    }
    driver.mig_mode_set("GPU-0", enabled=True)
    assert driver.create("GPU-0", ProfileKey(1, 1), 0).compute


def test_nvlinks_and_numa_nodes(tmp_path: Path) -> None:
    for index, node in enumerate(("1", "-1")):
        folder = tmp_path / f"{index:04x}:c1:00.0"
        folder.mkdir()
        (folder / "numa_node").write_text(f"{node}\n")
    driver = NvmlDriver(StandIn(H100, H100), pci=tmp_path)
    driver.open()
    assert [gpu.numa_node for gpu in driver.gpus()] == [1, None]
    assert driver.topology().links == (
        NvLink(gpu="GPU-0", peer="", links=2), NvLink(gpu="GPU-0", peer="GPU-1", links=1),
        NvLink(gpu="GPU-1", peer="", links=2), NvLink(gpu="GPU-1", peer="GPU-0", links=1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("action", "recovery", "fault"),
    [
        (0, Recovery.NONE, ""),
        (1, Recovery.RESET, "The driver asks for a reset of it."),
        (2, Recovery.REBOOT, "The driver asks for a restart of the machine."),
        (4, Recovery.DRAIN, "The driver asks for a reset of it, once its work has ended."),
    ],
)
def test_what_the_driver_wants_done(action: int, recovery: Recovery, fault: str) -> None:
    library = StandIn(H100)
    driver = nvml_keeper(H100, library).driver
    library.cards[0].recovery = action
    health = driver.health("GPU-0")
    assert (health.recovery, fault_of(health)) == (recovery, fault)


def test_rows_that_could_not_be_replaced() -> None:
    library = StandIn(H100)
    driver = nvml_keeper(H100, library).driver
    library.cards[0].rows = (0, 1, 1, 0)
    assert fault_of(driver.health("GPU-0")) == "", "it works until there is time for a reset"
    library.cards[0].rows = (0, 1, 0, 1)
    assert "could not be replaced" in fault_of(driver.health("GPU-0"))


def test_an_error_that_repeats_is_kept_once_and_errors_of_instances_name_them() -> None:
    library = StandIn(H100)
    driver = nvml_keeper(H100, library).driver
    card = library.cards[0]
    library.events += [(card, 63, 0xFFFFFFFF)] * 40 + [(card, 94, 3), (card, 94, 3), (card, 63, 1)]
    assert [(xid.number, xid.instance) for xid in driver.health("GPU-0").xids] == [
        (63, None), (94, 3), (63, 1),
    ]  # fmt: skip


def test_a_gpu_that_comes_back_is_well() -> None:
    library = StandIn(H100, H100)
    driver = nvml_keeper(H100, library).driver
    listing = Listing(driver, "n1")
    listing.devices()
    library.cards[1].lost = True
    assert [each.healthy for each in listing.devices()] == [True, False]
    library.cards[1].lost = False
    assert [each.healthy for each in listing.devices()] == [True, True]


def test_closing_lets_the_library_go() -> None:
    library = StandIn(H100)
    driver = NvmlDriver(library)
    driver.open()
    driver.close()
    driver.close()
    assert library.opened == 0
    with pytest.raises(DriverError):
        driver.gpus()
