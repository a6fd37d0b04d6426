"""Words for people: times, states, devices, and nothing that harms a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.cli import wording
from podium.cli.run import name_for
from podium.cli.specs import apply_settings
from podium.cli.terminal import Column, fitting
from podium.domain.errors import UserError
from podium.domain.event import NOTED
from podium.domain.identity import name_fault
from podium.domain.lifecycle import ReplicaEvent, ReplicaState, WorkloadEvent, WorkloadState
from podium.domain.node import NodeState
from podium.spec.views.node import DeviceView
from podium.spec.views.workload import DeviceShareView, EventView

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (1.9, "just now"),
        (12, "12 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3 * 3600 + 59, "3 h ago"),
        (86400 * 40, "40 d ago"),
        (-7200, "in 2 h"),
        (-0.5, "just now"),
    ],
)
def test_relative_times(seconds: float, words: str) -> None:
    assert wording.ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_durations() -> None:
    start = NOW - timedelta(seconds=90)
    assert wording.lasted(start, None, NOW) == "1 min 30 s"
    assert wording.lasted(start, start + timedelta(milliseconds=250), NOW) == "250 ms"
    assert wording.lasted(None, None, NOW) == "–"
    assert wording.lasted(NOW, start, NOW) == "0 ms"


def test_every_state_and_event_has_its_words() -> None:
    for state in (*WorkloadState, *ReplicaState, *NodeState):
        assert wording.state_words(state).endswith(f" {state}")
    assert set(wording.EVENTS) == {*WorkloadEvent, *ReplicaEvent, NOTED}


def test_events_of_a_later_version_are_spelt_out() -> None:
    event = EventView(
        seq=1,
        at=NOW,
        workload_id="w",
        project="p",
        rank=3,
        kind="ReplicaWasMoved",
        state="running",
        cause="placed",
        actor="podium",
    )
    assert wording.event_words(event) == "rank 3 replica was moved"


def test_virtual_gpus_are_always_called_so() -> None:
    share = DeviceShareView(
        index=0, uuid="u", type="H100", gpu_milli=500, memory_bytes=1, virtual=True
    )
    assert wording.share_words([share]) == "0.5 × virtual H100 #0"
    device = DeviceView(
        id="d",
        index=0,
        uuid="u",
        type="H100",
        model="m",
        memory_bytes=1,
        virtual=True,
        healthy=True,
        gpu_milli_used=1500 // 2,
        memory_bytes_used=0,
    )
    real = device.model_copy(update={"virtual": False, "mig_profile": "1g.10gb"})
    assert wording.gpus_words([device, device, real]) == (
        "0.75 of 1 H100 1g.10gb, 1.5 of 2 virtual H100"
    )
    assert wording.gpus_words([]) == "–"


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    shown = wording.plain(text)
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["python", "src/train.py", "--epochs", "3"], "train"),
        (["python3", "-u", "train.py"], "train"),
        (["python", "-c", "print(1)"], "python"),
        (["./Run Me.sh"], "run-me"),
        (["nvidia-smi"], "nvidia-smi"),
        (["torchrun", "--nproc-per-node=2", "t.py"], "t"),
        (["/"], "my-workload"),
    ],
)
def test_names_from_commands(command: list[str], name: str) -> None:
    assert name_for(command) == name


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_names_from_commands_are_legal(command: list[str]) -> None:
    assert name_fault(name_for(command)) is None


def test_settings() -> None:
    shared = {"gpus": 1}
    spec = {"name": "x", "resources": shared}
    apply_settings(spec, ["resources.gpus=2", "env.MODE=a=b", "array=20", "labels={a: b}"])
    assert spec == {
        "name": "x",
        "resources": {"gpus": 2},
        "env": {"MODE": "a=b"},
        "array": 20,
        "labels": {"a": "b"},
    }
    assert shared == {"gpus": 1}


def test_settings_of_an_entry_of_a_list() -> None:
    groups = [{"name": "a"}, {"name": "b", "resources": {"gpus": 1}}]
    spec = {"groups": groups}
    apply_settings(spec, ["groups.0.replicas=4", "groups.1.resources.gpus=2"])
    assert spec == {
        "groups": [{"name": "a", "replicas": 4}, {"name": "b", "resources": {"gpus": 2}}]
    }
    assert groups == [{"name": "a"}, {"name": "b", "resources": {"gpus": 1}}]


@pytest.mark.parametrize(
    "setting",
    ["gpus", "=2", "a..b=1", "name.first=x", "list.0=x", "list.5.a=x", "list.b.a=x", "list.0.a=x"],
)
def test_settings_that_cannot_be(setting: str) -> None:
    with pytest.raises(UserError):
        apply_settings({"name": "x", "list": ["one"]}, [setting])


def test_columns_give_way_in_their_order() -> None:
    columns = (Column("NAME"), Column("A", drop=2), Column("B", drop=1), Column("C", cut=True))
    widths = (10, 10, 10, 40)
    assert fitting(columns, widths, 100) == {0: 10, 1: 10, 2: 10, 3: 40}
    assert fitting(columns, widths, 50) == {0: 10, 1: 10, 2: 10, 3: 14}
    assert fitting(columns, widths, 49) == {0: 10, 2: 10, 3: 25}
    assert fitting(columns, widths, 30) == {0: 10, 3: 18}
    assert fitting(columns, widths, 5) == {0: 10, 3: 14}
