"""docs/security.md: each place that it names is there, and each line says whether it is kept."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
_PLACE = re.compile(
    r"`((?:src|tests|docs|console|locks|deploy|\.ci)/[^`\s]+|[A-Z]+\.md|pyproject\.toml)`"
)
_ROW = re.compile(r"^\| (\d[^|]*) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_each_place_is_there() -> None:
    places = set(_PLACE.findall(PAGE))
    assert len(places) > 60
    assert sorted(each for each in places if not (ROOT / each).exists()) == []


def test_each_line_says_whether_and_where() -> None:
    rows = _ROW.findall(PAGE)
    assert len(rows) > 100
    for number, _, kept, where in rows:
        assert kept.strip() in ("yes", "part", "no", "–"), number
        assert len(where) > 8, number
    chapters = {int(number.split(".")[0].split(",")[0]) for number, *_ in rows}
    assert chapters == set(range(1, 17))


HOLE = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}


@pytest.mark.parametrize(
    ("answer", "required", "code", "words"),
    [
        ([{"name": "a", "version": "1", "vulns": [HOLE]}], "", 1, "PYSEC-1 in a 1"),
        ([{"name": "a", "version": "1", "vulns": []}], "", 0, "could not be looked up"),
        ([{"name": "a", "skip_reason": "not found"}], "", 0, "Not audited as a whole"),
        ([{"name": "a", "skip_reason": "not found"}], "required", 1, "Not audited as a whole"),
        (None, "required", 1, "Not audited as a whole"),
    ],
)
def test_the_audit_fails_for_holes_and_owns_up(
    tmp_path: Path, answer: object, required: str, code: int, words: str
) -> None:
    """With programs in place of pip-audit and npm, as no test may need the network."""
    told = "" if answer is None else json.dumps({"dependencies": answer})
    (tmp_path / "pip-audit").write_text(f"#!/bin/sh\ncat <<'END'\n{told}\nEND\n")
    (tmp_path / "npm").write_text("#!/bin/sh\nexit 1\n")
    for each in tmp_path.iterdir():
        each.chmod(0o755)
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "audit")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PODIUM_AUDIT": required},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
