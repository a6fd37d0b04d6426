"""Memory is given back where the C library can, and nothing happens where it cannot."""

from __future__ import annotations

import ctypes

import pytest

from podium.control import heap


def test_it_may_be_asked_twice() -> None:
    heap.give_back()
    heap.give_back()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    heap.give_back()
