"""A month of an organisation's past, written into a server's database: what was used, and what was
asked for. For pages that tell of months, which no test can wait for."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path
from typing import Any

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAYS = 40

PEOPLE = {"vision": ("ada", "ben"), "speech": ("cleo",), "nlp": ("dan", "eva")}
TEAMS = {"vision": "perception", "speech": "perception", "nlp": "language"}
CENTRES = {"vision": "CC-2040", "speech": "CC-2040", "nlp": "CC-3100"}
KINDS = ("batch", "training", "workspace")


def past_write(home: Path) -> None:
    """The projects of `PEOPLE` have to be there."""
    dice = random.Random(7)
    today_ms = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS
    used: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []
    for back in range(DAYS, 0, -1):
        day_ms = today_ms - back * DAY_MS
        for project, people in PEOPLE.items():
            used += [_used(dice, day_ms, project, owner) for owner in people]
            asked += [_asked(dice, day_ms + hour * HOUR_MS, project) for hour in range(24)]
    with sqlite3.connect(home / "podium.db", timeout=30) as database:
        for table, rows in (("usage_days", used), ("demand_hours", asked)):
            names = ", ".join(rows[0])
            places = ", ".join(f":{name}" for name in rows[0])
            database.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)


def _used(dice: random.Random, day_ms: int, project: str, owner: str) -> dict[str, Any]:
    held = dice.randrange(20, 90) * HOUR_MS * 1000
    return {
        "day_ms": day_ms,
        "project": project,
        "team": TEAMS[project],
        "cost_centre": CENTRES[project],
        "owner": owner,
        "kind": dice.choice(KINDS),
        "gpu_type": "A100" if dice.random() < 0.8 else "H100",
        "rate_ms": 0,
        "gpu_milli_ms": held,
        "borrowed_milli_ms": held // dice.randrange(4, 12),
        "measured_milli_ms": held,
        "idle_milli_ms": held // dice.randrange(3, 9),
        "unbilled_milli_ms": 0,
        "cpu_milli_ms": held * 4,
        "cpu_used_ms": held // 1000,
        "memory_peak_bytes": 2**33,
        "replicas": dice.randrange(1, 9),
    }


def _asked(dice: random.Random, at_ms: int, project: str) -> dict[str, Any]:
    held = dice.randrange(1, 4)
    return {
        "at_ms": at_ms,
        "project": project,
        "gpu_type": "A100",
        "held_milli_ms": held * 1000 * HOUR_MS,
        "wanted_milli_ms": dice.randrange(0, 6) * 1000 * HOUR_MS,
        "started": held,
        "wait_ms": held * dice.randrange(1, 60) * 60_000,
    }
