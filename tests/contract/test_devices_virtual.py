"""The virtual driver alone: what survives what, trouble from a file, and which boards there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podium.domain.errors import UserError
from podium.domain.mig import BOARDS
from podium.engines.devices.boards import COUNT_MAX, board_of_type, virtual_boards
from podium.engines.devices.contract import ProfileKey
from podium.engines.devices.errors import (
    DriverError,
    DriverTimeoutError,
    InUseError,
    OperatingSystemError,
)
from podium.engines.devices.listing import Listing
from podium.engines.devices.trouble import Control
from podium.engines.devices.virtual import VirtualDriver

ONE, THREE = ProfileKey(1, 1), ProfileKey(3, 4)


def driver_of(text: str, path: Path | None = None, boot: str = "b1", **facts: object):
    made = VirtualDriver(virtual_boards(text, "A100"), node="n1", path=path, boot=boot, **facts)  # type: ignore[arg-type]
    made.open()
    return made


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("0", []),
        ("2", [("A100", 80, "A100-80GB", False)] * 2),
        ("H200", [("H200", 141, "H200-141GB", False)]),
        ("1xa100-40gb:mig, 2xL4",
         [("A100", 40, "A100-40GB", True), *[("L4", 24, None, False)] * 2]),
        ("A30:mig,GB200", [("A30", 24, "A30-24GB", True), ("GB200", 186, "GB200-186GB", False)]),
    ],
)  # fmt: skip
def test_boards_are_read(text: str, kinds: list[tuple[str, int, str | None, bool]]) -> None:
    assert [
        (one.type, one.memory_bytes >> 30, one.board and one.board.name, one.mig)
        for one in virtual_boards(text, "A100")
    ] == kinds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4xH10", "There is no board H10."), ("L4:mig", "L4 has no MIG."),
        ("-1", "'-1' is not a number"), ("", "'' is not a number"), ("4x", "'4x' is not a number"),
        ("2000", f"2,000 GPUs are more than {COUNT_MAX:,}."),
        ("600xH100,600xA100", "1,200 GPUs are more"), ("3xH100:off", "is not a number"),
        ("H100,,A30", "'' is not a number"),
    ],
)  # fmt: skip
def test_wrong_boards_are_named(text: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        virtual_boards(text, "A100")
    assert str(refused.value).startswith("--virtual-gpus: ")
    assert words in str(refused.value)


def test_every_board_and_any_type_can_be_pretended() -> None:
    assert len(virtual_boards(",".join(BOARDS), "A100")) == len(BOARDS)
    odd = board_of_type("Gaudi3")
    assert (odd.type, odd.memory_bytes >> 30, odd.board) == ("Gaudi3", 80, None)


def test_instances_outlive_the_server_and_not_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "gpus" / "state.json"
    driver = driver_of("1xA100-40GB:mig,1xH100:mig", path)
    ampere, hopper = (gpu.uuid for gpu in driver.gpus())
    made = [driver.create(gpu, THREE, 4) for gpu in (ampere, hopper)]
    driver.close()

    again = driver_of("1xA100-40GB:mig,1xH100:mig", path)
    assert [again.instances(gpu) for gpu in (ampere, hopper)] == [(one,) for one in made]

    other = driver_of("1xA100-40GB,1xH100", path, boot="b2")
    assert [other.instances(gpu) for gpu in (ampere, hopper)] == [(), ()]
    assert [gpu.mig.current for gpu in other.gpus() if gpu.mig] == [True, False]
    assert not list(path.parent.glob("*.part"))


def test_forget_is_a_restart_of_the_machine() -> None:
    driver = driver_of("2xH100:mig")
    gpu = driver.gpus()[0].uuid
    driver.create(gpu, ONE, 0)
    driver.forget()
    assert driver.instances(gpu) == ()
    assert not driver.mig_mode(gpu).current


def test_another_board_in_the_same_place_is_new(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    first = driver_of("1xA100-40GB:mig", path)
    first.create(first.gpus()[0].uuid, ONE, 0)
    second = driver_of("1xA100-80GB", path)
    assert second.instances(second.gpus()[0].uuid) == ()
    assert driver_of("4", path).gpus()[3].index == 3


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"gpus": [{"uuid": 1}]}', "null"])
def test_a_state_that_cannot_be_read_is_none(rubbish: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(rubbish)
    assert len(driver_of("2", path).gpus()) == 2


def test_uuids_never_come_twice(tmp_path: Path) -> None:
    path, uuids = tmp_path / "state.json", []
    for _ in range(3):
        driver = driver_of("1xH100:mig", path)
        gpu = driver.gpus()[0].uuid
        made = driver.create(gpu, ONE, 0)
        uuids.append(made.compute[0].uuid)
        assert made.id == 1, "the id of an instance is used again"
        driver.destroy(gpu, made.id)
    assert len(set(uuids)) == 3


def test_what_cannot_be_written_was_not_made(tmp_path: Path) -> None:
    home = tmp_path / "gpus"
    driver = driver_of("1xH100:mig", home / "state.json")
    gpu = driver.gpus()[0].uuid
    (home / "state.json").unlink()
    home.rmdir()
    home.write_text("a file where the folder was")
    with pytest.raises(OperatingSystemError):
        driver.create(gpu, ONE, 0)
    assert driver.instances(gpu) == ()


def test_mig_is_turned_on_at_the_start_unless_work_is_there(tmp_path: Path) -> None:
    users = {"GPU-virtual-n1-0": [7]}
    driver = driver_of("2xA100:mig", tmp_path / "state.json", users=lambda: users)
    assert [gpu.mig.current for gpu in driver.gpus() if gpu.mig] == [False, True]
    assert driver.mig_mode("GPU-virtual-n1-0").pending


def test_work_of_the_engine_counts_as_use() -> None:
    users: dict[str, list[int]] = {}
    driver = driver_of("1xH100:mig", users=lambda: users)
    gpu = driver.gpus()[0].uuid
    made = driver.create(gpu, ONE, 0)
    users[made.compute[0].uuid] = [7, 8]
    assert [each.pid for each in driver.processes(gpu)] == [7, 8]
    with pytest.raises(InUseError):
        driver.destroy(gpu, made.id)


def test_trouble_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "trouble.json"
    driver = driver_of("2", control=Control(path))
    listing = Listing(driver, "n1")
    assert all(device.healthy for device in listing.devices())
    path.write_text(json.dumps({"gpus": {"1": {"xids": [13, 95], "temperature_celsius": 91}}}))
    assert [device.fault for device in listing.devices()] == [
        "", "XID 95: a memory error that was not contained. Reset it.",
    ]  # fmt: skip
    assert driver.read("GPU-virtual-n1-1", 5).measure.temperature_celsius == 91
    path.write_text('{"gpus": {"1": {"oops": true}}}')
    assert not listing.devices()[1].healthy, "what it said last goes on"
    path.unlink()
    assert all(device.healthy for device in listing.devices())


def test_trouble_is_written_for_another_process(tmp_path: Path) -> None:
    path = tmp_path / "trouble.json"
    driver = driver_of("1xH100:mig", control=Control(path))
    gpu = driver.gpus()[0].uuid
    outside = Control(path)
    outside.trouble(gpu, fails={"create": "NVML_ERROR_TIMEOUT"}, processes={gpu: (5,)})
    with pytest.raises(DriverTimeoutError) as refused:
        driver.create(gpu, ONE, 0)
    assert refused.value.temporary
    assert [each.pid for each in driver.processes(gpu)] == [5]
    outside.mend(gpu)
    assert driver.create(gpu, ONE, 0).start == 0


def test_making_can_be_slow_and_can_die_half_way() -> None:
    waited: list[float] = []
    control = Control()
    driver = driver_of("1xH100:mig", control=control, pause=waited.append)
    gpu = driver.gpus()[0].uuid
    control.set(slow_ms=2500)
    control.trouble(gpu, half_created=True)
    with pytest.raises(DriverError) as refused:
        driver.create(gpu, ONE, 0)
    assert refused.value.name == "NVML_ERROR_UNKNOWN"
    assert waited == [2.5]
    (half,) = driver.instances(gpu)
    assert (half.start, half.compute) == (0, ())
    assert Listing(driver, "n1").devices() == (), "nothing can run on half an instance"
    control.mend(gpu)
    driver.destroy(gpu, half.id)
    assert driver.instances(gpu) == ()
