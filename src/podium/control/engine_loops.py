"""The loops that one engine needs: the server runs them for its own machine, `control/fleet` for
each cluster."""

from __future__ import annotations

from pathlib import Path

from podium.control.guests import Guests
from podium.control.inventory import Inventory, Told
from podium.control.launch import Launcher
from podium.control.layouts import Layouts
from podium.control.loop import Loop
from podium.control.machine import Machine
from podium.control.measure import Measurer
from podium.control.observe import Observer
from podium.control.reap import LogReaper
from podium.control.stop import Stopper
from podium.control.tenancy import HINT, PERIOD_SECONDS, Found, Tenancy
from podium.engines.contract import Engine
from podium.store.hints import Hints
from podium.store.retention import Retention
from podium.store.sealing import Sealer


def engine_loops(
    machine: Machine,
    sealer: Sealer,
    uploads_path: Path,
    keep: Retention,
    *,
    cluster: str = "",
    told: Told | None = None,
    drifted: Found | None = None,
) -> list[Loop]:
    """`cluster` stands behind their names in the log; `told` hears whether the engine answers, and
    `drifted` what others changed there."""
    of = f" {cluster}" if cluster else ""
    hints = machine.hints
    observe = ("observe", _observe(machine.engine))
    guests = [Loop(f"guests{of}", Guests(machine).step, hints, period_seconds=1)]
    rooms = Tenancy(machine, sealer, cluster, drifted) if cluster else None
    tenancy = [] if rooms is None else [_tenancy(rooms, of, hints)]
    return [
        *(guests if cluster else ()),
        *tenancy,
        Loop(
            f"inventory{of}",
            Inventory(machine, told).step,
            hints,
            wake_on=("inventory",),
            period_seconds=5,
        ),
        Loop(
            f"launch{of}",
            Launcher(machine, sealer, uploads_path, rooms).step,
            hints,
            wake_on=("launch",),
            period_seconds=1,
        ),
        Loop(f"layouts{of}", Layouts(machine).step, hints, wake_on=("layouts",), period_seconds=2),
        Loop(f"observe{of}", Observer(machine).step, hints, wake_on=observe, period_seconds=1),
        Loop(f"stop{of}", Stopper(machine).step, hints, wake_on=("stop",), period_seconds=2),
        Loop(f"measure{of}", Measurer(machine).step, hints, period_seconds=1),
        Loop(f"logs{of}", LogReaper(machine, keep).step, hints, period_seconds=600),
    ]


def _tenancy(rooms: Tenancy, of: str, hints: Hints) -> Loop:
    return Loop(f"tenancy{of}", rooms.step, hints, wake_on=(HINT,), period_seconds=PERIOD_SECONDS)


async def relay(engine: Engine, hints: Hints) -> None:
    """Pass the engine's own signal on to the loop that looks at it, until cancelled."""
    while True:
        await engine.changed.wait()
        engine.changed.clear()
        hints.wake(_observe(engine))


def _observe(engine: Engine) -> str:
    return f"observe {engine.name}"
