"""Answers of real GPUs: of those of this machine, where it has any, and of machines that were
recorded. Nothing here changes a GPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract.keepers import nvml_keeper, virtual_keeper
from podium.domain.mig import BOARDS, board_of
from podium.engines.devices import record
from podium.engines.devices.contract import ProfileKey, key_of
from podium.engines.devices.errors import DriverError, error_of
from podium.engines.devices.health import fault_of
from podium.engines.devices.listing import Listing
from podium.engines.devices.nvml import NvmlDriver

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))


def hold(document: dict[str, Any]) -> None:
    """The read-only part of the promise."""
    document = json.loads(json.dumps(document))
    assert document["format"] == record.FORMAT
    names = [each["facts"]["uuid"] for each in document["gpus"]]
    assert names == [f"GPU-{index}" for index in range(len(names))]
    assert all(link["gpu"] in names and link["links"] > 0 for link in document["links"])
    for one, other, _ in document["distances"]:
        assert names.index(one) < names.index(other)
    for each in document["gpus"]:
        facts, profiles = each["facts"], each["profiles"]
        assert facts["memory_bytes"] > 0
        assert facts["type"]
        board = board_of(facts["name"], facts["memory_bytes"])
        assert (board is None) == (facts["mig"] is None), f"{facts['name']} and the table differ"
        if board is None:
            assert profiles == each["instances"] == []
            continue
        table = {(key_of(one), one.starts, one.max_instances) for one in board.profiles}
        told = {
            (
                ProfileKey(one["compute_slices"], one["memory_slices"], one["media"]),
                tuple(one["starts"]),
                one["max_instances"],
            )
            for one in profiles
        }
        assert told == table, f"{board.name} has another geometry than the table says"
        known = {key_of(one): one for one in board.profiles}
        for one in profiles:
            key = ProfileKey(one["compute_slices"], one["memory_slices"], one["media"])
            assert one["smi_id"] == known[key].smi_id
            if not known[key].inferred:
                assert abs(one["memory_bytes"] - known[key].memory_bytes) < 2**30
        if isinstance(each["instances"], str):
            assert isinstance(error_of(each["instances"]), DriverError)
            continue
        covered: set[int] = set()
        for instance in each["instances"]:
            assert facts["mig"]["current"]
            assert ProfileKey(*instance["key"]) in known
            if instance["start"] is not None:
                span = set(range(instance["start"], instance["start"] + instance["size"]))
                assert not covered & span
                covered |= span


@pytest.mark.skipif(not RECORDED, reason="no machine has been recorded yet")
@pytest.mark.parametrize("path", RECORDED or [None], ids=str)
def test_recorded_machines_keep_the_promise(path: Path) -> None:
    hold(json.loads(path.read_text()))


def test_this_machine_keeps_the_promise() -> None:
    driver = NvmlDriver()
    try:
        driver.open()
    except DriverError as error:
        pytest.skip(error.message)
    try:
        hold(record.recorded(driver))
        for gpu in driver.gpus():
            assert isinstance(fault_of(driver.health(gpu.uuid)), str)
            reading = driver.read(gpu.uuid, 1000).measure
            assert reading.memory_bytes is None or reading.memory_bytes <= gpu.memory_bytes
            with pytest.raises(DriverError):
                driver.destroy(gpu.uuid, 123_456)
        assert Listing(driver, "here").devices() or any(
            gpu.mig and gpu.mig.current for gpu in driver.gpus()
        )
    finally:
        driver.close()


@pytest.mark.parametrize("board", sorted(BOARDS))
@pytest.mark.parametrize("make", [virtual_keeper, nvml_keeper])
def test_what_is_recorded_keeps_the_promise_and_names_no_machine(make: Any, board: str) -> None:
    keeper = make(BOARDS[board])
    gpu = keeper.driver.gpus()[0].uuid
    keeper.driver.mig_mode_set(gpu, enabled=True)
    made = keeper.driver.create(gpu, ProfileKey(1, 1), 1)
    document = record.recorded(keeper.driver)
    assert len(document["gpus"][0]["instances"]) == 1
    hold(document)
    text = json.dumps(document)
    assert made.compute[0].uuid not in text.replace("MIG-0", "")
    assert not any(gpu.pci_bus_id in text for gpu in keeper.driver.gpus())


def test_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert record.main([]) == 2
    assert "FILE" in capsys.readouterr().err
    keeper = nvml_keeper(BOARDS["H100-80GB"])
    monkeypatch.setattr(record, "NvmlDriver", lambda: keeper.driver)
    assert record.main([str(tmp_path / "h100.json")]) == 0
    hold(json.loads((tmp_path / "h100.json").read_text()))
    assert capsys.readouterr().out.startswith("3 GPUs are in ")
