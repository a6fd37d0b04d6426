"""One server's loops, stepped by hand. `Server.up` again is a restart: nothing is remembered."""

from __future__ import annotations

from dataclasses import dataclass

from podium.control import deadlines, schedule
from podium.control.deadlines import Deadlines
from podium.control.expect import Expecter
from podium.control.inventory import Inventory
from podium.control.launch import Launcher
from podium.control.leadership import Leadership
from podium.control.machine import Machine, lease_name
from podium.control.measure import Measurer
from podium.control.observe import Observer
from podium.control.reap import LogReaper, Reaper
from podium.control.schedule import Scheduler
from podium.control.stock import StockCount
from podium.control.stop import Stopper
from podium.store.retention import Retention
from unit.control.fake_engine import FakeEngine
from unit.house import House


@dataclass
class Both:
    """Two loops that tests step as one."""

    first: LogReaper | Measurer
    second: Reaper | StockCount

    async def step(self) -> bool:
        again = await self.first.step()
        return await self.second.step() or again


@dataclass
class Server:
    house: House
    leadership: Leadership
    machine: Machine
    inventory: Inventory
    scheduler: Scheduler
    launcher: Launcher
    observer: Observer
    stopper: Stopper
    deadlines: Deadlines
    reaper: Both
    measurer: Both
    expecter: Expecter

    @classmethod
    async def up(cls, house: House, engine: FakeEngine, holder: str = "server-1") -> Server:
        office, database = house.office, house.database
        names = [schedule.LEASE, deadlines.LEASE, lease_name(engine)]
        leadership = Leadership(database, holder, names)
        await leadership.renew()
        machine = Machine(engine, database, office.hints, leadership)
        scheduler = Scheduler(database, office.hints, leadership, office.ids)
        found = cls(
            house,
            leadership,
            machine,
            Inventory(machine),
            scheduler,
            Launcher(machine, office.sealer, office.uploads_path),
            Observer(machine),
            Stopper(machine),
            Deadlines(database, office.hints, leadership),
            Both(
                LogReaper(machine, Retention()),
                Reaper(database, leadership, Retention(), office.uploads_path),
            ),
            Both(Measurer(machine), StockCount(database, leadership, lambda: scheduler.seen)),
            Expecter(database, leadership, lambda: scheduler.seen),
        )
        await found.inventory.step()
        return found

    async def round(self) -> None:
        """Every loop once, in the order in which work passes through them."""
        await self.leadership.renew()
        await self.inventory.step()
        await self.deadlines.step()
        await self.scheduler.step()
        await self.launcher.step()
        await self.stopper.step()
        await self.observer.step()
        await self.measurer.step()
