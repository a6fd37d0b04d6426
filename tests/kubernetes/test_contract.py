"""The contract suite of `tests/contract`, test for test, with the engine for Kubernetes on a real
cluster. What a pod cannot do is skipped here by name, with the reason."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import ModuleType

import pytest

from contract import (
    test_log,
    test_measure,
    test_rooms,
    test_saved,
    test_secret_files,
    test_start,
    test_stop,
    test_survival,
)

pytestmark = pytest.mark.anyio

_NO_SHIM = "a pod has no program of Podium's in it that could tell"
_OTHERWISE = {
    "test_two_hundred_quick_allocations_all_end": "a node takes 110 pods; test_many has its own",
    "test_exit_code_and_output_are_kept": "kubelets do not tell the two streams apart",
    "test_success_is_completed_with_runtime_and_use": f"too quick for its kubelet, and {_NO_SHIM}",
    "test_words_that_no_system_takes_end_with_a_reason": "refused at once: test_engine has its own",
    "test_devices_are_named_to_the_work": "the device plugin does: test_devices has its own",
    "test_what_rotation_dropped_is_counted": "kubelets do not tell what they dropped",
    "test_a_shorter_grace_in_a_later_stop_counts": "kubelets before 1.22 do not shorten a grace",
    "test_touching_the_file_tells_when": _NO_SHIM,
    "test_an_end_tells_it_as_well": _NO_SHIM,
    "test_no_clock_tricks": _NO_SHIM,
    "test_only_a_plain_file_counts": _NO_SHIM,
    "test_a_busy_core_shows_and_so_does_memory": (
        "kubelets look every 10 s: test_engine has its own"
    ),
    "test_files_are_the_works_own_and_go_with_it": "no path of the host: test_engine has its own",
    "test_files_go_when_the_one_that_watches_was_killed": "there is none in a pod",
}


def _suite(*modules: ModuleType) -> dict[str, object]:
    """The tests that say "every engine": those that ask for `harness` and nothing local."""
    found: dict[str, object] = {}
    for module in modules:
        for name, test in vars(module).items():
            if not name.startswith("test_") or not callable(test):
                continue
            if "harness" not in inspect.signature(test).parameters:
                continue
            found[name] = _skipped(test, _OTHERWISE[name]) if name in _OTHERWISE else test
    return found


def _skipped(test: Callable[..., object], reason: str) -> object:
    """A copy: the other engines' stays as it is."""

    @functools.wraps(test)
    async def never(**fixtures: object) -> None:
        raise AssertionError

    return pytest.mark.skip(reason=reason)(never)


globals().update(
    _suite(
        test_log,
        test_measure,
        test_rooms,
        test_saved,
        test_secret_files,
        test_start,
        test_stop,
        test_survival,
    )
)
