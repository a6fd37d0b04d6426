"""`python -m podium.engines.devices.record FILE`: what a machine's real GPUs tell, as JSON.

Read-only: nothing on the machine is changed. Tests play such a file as a driver, so that answers of
boards that nobody has at hand are still checked against the table. UUIDs and bus ids are replaced.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from podium.engines.devices.contract import Driver, Gpu
from podium.engines.devices.errors import DriverError
from podium.engines.devices.nvml import NvmlDriver

FORMAT = 1


def recorded(driver: Driver) -> dict[str, Any]:
    """Every read-only answer of an open driver, without what names the machine."""
    gpus = driver.gpus()
    topology = driver.topology()
    document = {
        "format": FORMAT,
        "gpus": [_gpu(driver, gpu) for gpu in gpus],
        "links": [asdict(link) for link in topology.links],
        "distances": [[*pair, distance] for pair, distance in topology.distances.items()],
    }
    return _without_names(document, gpus)


def _gpu(driver: Driver, gpu: Gpu) -> dict[str, Any]:
    health = driver.health(gpu.uuid)
    measure = driver.read(gpu.uuid, 1000).measure
    facts = {
        "facts": asdict(gpu),
        "health": asdict(health),
        "measure": asdict(measure),
        "processes": len(driver.processes(gpu.uuid)),
        "profiles": [asdict(profile) for profile in driver.profiles(gpu.uuid)],
    }
    try:
        facts["instances"] = [asdict(instance) for instance in driver.instances(gpu.uuid)]
    except DriverError as error:
        facts["instances"] = error.name
    return facts


def _without_names(document: dict[str, Any], gpus: tuple[Gpu, ...]) -> dict[str, Any]:
    """The same with neutral names, which say the same things about each other."""
    text = json.dumps(document)
    for gpu in gpus:
        text = text.replace(gpu.uuid, f"GPU-{gpu.index}")
        text = text.replace(gpu.pci_bus_id, f"bus-{gpu.index}")
    cleaned: dict[str, Any] = json.loads(text)
    number = 0
    for each in cleaned["gpus"]:
        for instance in each["instances"] if isinstance(each["instances"], list) else ():
            for compute in instance["compute"]:
                compute["uuid"], number = f"MIG-{number}", number + 1
    return cleaned


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("Usage: python -m podium.engines.devices.record FILE", file=sys.stderr)
        return 2
    driver = NvmlDriver()
    try:
        driver.open()
        document: Mapping[str, Any] = recorded(driver)
    except DriverError as error:
        print(error.message, file=sys.stderr)
        return 1
    finally:
        driver.close()
    path = Path(arguments[0])
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{len(document['gpus'])} GPUs are in {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
