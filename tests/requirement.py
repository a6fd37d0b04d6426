"""What tests need of the machine beyond Python: skipped by name where it is missing.

`PODIUM_REQUIRE=all` turns each such skip into a failure, for machines that must show everything.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def require(name: str, available: object) -> None:
    """Go on when `available` is true; else skip, or fail where everything is required."""
    if available:
        return
    if os.environ.get("PODIUM_REQUIRE") == "all":
        pytest.fail(f"needs {name}", pytrace=False)
    pytest.skip(f"needs {name}")


def program(*names: str) -> Path | None:
    """The first of these programs that is on the PATH."""
    found = (shutil.which(name) for name in names)
    return next((Path(each) for each in found if each is not None), None)
