"""What is missing is skipped by name, and failed where everything is required."""

from __future__ import annotations

import pytest

from requirement import require


def test_what_is_there_goes_on() -> None:
    require("Chromium", available=True)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PODIUM_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs Chromium"):
        require("Chromium", None)
    monkeypatch.setenv("PODIUM_REQUIRE", "all")
    with pytest.raises(pytest.fail.Exception, match="needs Chromium"):
        require("Chromium", None)
